"""Each way in which a later page can differ from the operation that was made of it is drift, once and by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from derive_support import GITBOOK, HELP, SLATE, compared, drafted, page, sides

from conformance.derive.drift import check_page
from conformance.errors import SpecError

DRIFT = [
    (
        "field-added",
        SLATE,
        "| Reason       |",
        "| Colour | **string.** Its paint. *Optional.* |\n| Reason       |",
        ("added", "request/Colour", "string", "nothing"),
    ),
    (
        "field-removed",
        SLATE,
        "| ShelfNumber  | **integer.** The shelf of the basket. *Optional.* |\n",
        "",
        ("removed", "request/ShelfNumber", "nothing", "integer"),
    ),
    (
        "type",
        SLATE,
        "**integer.** The shelf",
        "**string.** The shelf",
        ("type", "request/ShelfNumber", "string", "integer"),
    ),
    (
        "width",
        SLATE,
        "**long integer.** Which",
        "**integer.** Which",
        ("width-unsaid", "request/BasketNumber", "integer", "int64"),
    ),
    ("required", SLATE, "*Optional.*", "*Required.*", ("need", "request/ShelfNumber", "required", "optional")),
    (
        "optional",
        SLATE,
        "Why it is paused. *Required.*",
        "Why it is paused. *Optional.*",
        ("need", "request/Reason", "optional", "required"),
    ),
    (
        "condition",
        HELP,
        "if the parcel is fragile",
        "if the parcel is not fragile",
        ("need", "request/Phrase", "required when Fragile is false", "required when Fragile is true"),
    ),
    (
        "nested-field",
        GITBOOK,
        "| faultcode | **integer.** A move",
        "| weight | **integer.** Its weight. |\n| faultcode | **integer.** A move",
        ("added", "response/RightOutcome/weight", "integer", "nothing"),
    ),
    ("null", SLATE, "On success null, else", "On success empty, else", ("wording/response/problem", "", "", "")),
    (
        "code-added",
        SLATE,
        "Shelf Closed (errorcode 9)",
        "Shelf Closed (errorcode 9)<br />Basket Lost (errorcode 10)",
        ("added", "codes/10", "Basket Lost", "nothing"),
    ),
    ("code-removed", SLATE, "<br />Shelf Closed (errorcode 9)", "", ("removed", "codes/9", "nothing", "Shelf Closed")),
    ("message", SLATE, "Unknown Basket", "No Such Basket", ("message", "codes/8", "No Such Basket", "Unknown Basket")),
    (
        "media-type",
        HELP,
        "application/json, text/json",
        "application/json",
        (
            "media-types",
            "request",
            "application/json, application/xml, text/xml",
            "application/json, application/xml, text/json, text/xml",
        ),
    ),
    (
        "sample-value",
        SLATE,
        '"inventory"',
        '"dust"',
        (
            "sample",
            "samples/request-1",
            '{"BasketNumber": 17, "ShelfNumber": 3, "Reason": "dust"}',
            '{"BasketNumber": 17, "ShelfNumber": 3, "Reason": "inventory"}',
        ),
    ),
    ("permissions", SLATE, "Steward, Keeper", "Steward", ("permissions", "operation", "steward", "keeper, steward")),
    ("call-type", SLATE, "Synchronous", "Asynchronous", ("call-type", "operation", "Asynchronous", "Synchronous")),
    ("category", SLATE, "Baskets<br />", "Shelves<br />", ("category", "operation", "Shelves", "Baskets")),
    ("name", SLATE, "## PauseBasket", "## HaltBasket", ("document", "operation", "HaltBasket", "PauseBasket")),
    ("method", HELP, "PUT api", "POST api", ("method", "operation", "POST", "PUT")),
    (
        "path",
        HELP,
        "api/parcels/holds",
        "api/v2/parcels/holds",
        ("path", "operation", "/api/v2/parcels/holds", "/api/parcels/holds"),
    ),
    (
        "shape",
        SLATE,
        '{\n  "accepted": true,\n  "problem": null,\n  "problemcode": 0\n}',
        '[{\n  "accepted": true,\n  "problem": null,\n  "problemcode": 0\n}]',
        ("shape", "response", "list", "object"),
    ),
    ("record", HELP, "Collection of ParcelHold\n", "Collection of Hold\n", ("record", "request", "Hold", "ParcelHold")),
    (
        "namespace",
        HELP,
        '2004/07/Depot"',
        '2004/07/Yard"',
        (
            "root",
            "request/xml",
            "{http://schemas.datacontract.org/2004/07/Yard}ArrayOfParcelHold",
            "{http://schemas.datacontract.org/2004/07/Depot}ArrayOfParcelHold",
        ),
    ),
]


@pytest.mark.parametrize("name", [SLATE, GITBOOK, HELP])
def test_a_page_has_not_drifted_from_its_own_draft(name: str, tmp_path: Path) -> None:
    found = compared(name, tmp_path / "draft")
    assert (found.drift, found.covered, found.not_compared) == ((), (), ())


@pytest.mark.parametrize(("name", "old", "new", "expected"), [one[1:] for one in DRIFT], ids=[one[0] for one in DRIFT])
def test_a_change_of_the_page_is_drift(
    name: str, old: str, new: str, expected: tuple[str, str, str, str], tmp_path: Path
) -> None:
    found = sides(compared(name, tmp_path / "draft", (old, new)).drift)
    if expected[1]:
        assert expected in found
    else:
        assert [one[:2] for one in found].count(("added", expected[0])) == 1


def test_a_new_sentence_is_drift_with_its_line(tmp_path: Path) -> None:
    found = compared(
        SLATE, tmp_path / "draft", ("The answer has three members.", "The answer has three members, as a rule.")
    )
    assert [(one.kind, one.at, one.place and one.place.line) for one in found.drift] == [
        ("added", "wording/Response", 43),
        ("removed", "wording/Response", None),
    ]


def test_an_error_that_the_page_no_longer_describes_is_one_departure(tmp_path: Path) -> None:
    text = (Path(__file__).parent / "pages" / HELP).read_text(encoding="utf-8")
    tail = text[text.index("Error Response Information") :]
    found = sides(compared(HELP, tmp_path / "draft", (tail, "")).drift)
    assert ("removed", "error", "nothing", "string") in found
    assert not [one for one in found if one[1].startswith("error/")]


def test_spaces_bars_and_indentation_are_no_drift(tmp_path: Path) -> None:
    changes = (
        ("| Key          | Value |\n| ------------ | ----- |", "|Key|Value|\n|---|---|"),
        ('  "ShelfNumber": 3,', '      "ShelfNumber":   3,'),
    )
    assert compared(SLATE, tmp_path / "draft", *changes).drift == ()


def test_a_sample_that_the_schema_refuses_is_drift(tmp_path: Path) -> None:
    folder = drafted(SLATE, tmp_path / "draft")
    found = sides(check_page(page(SLATE, ('"problemcode": 0', '"problemcode": 5')), folder).drift)
    assert ("sample-against-schema", "samples/response-1", "/problemcode: 5", "one of 0, 7, 8, 9") in found


def test_an_xml_sample_that_the_xsd_refuses_is_drift(tmp_path: Path) -> None:
    found = compared(HELP, tmp_path / "draft", ("<ParcelKey>8a1b2c3d", "<ParcelKey>8a1b2c3"))
    assert "sample-against-xsd" in [one.kind for one in found.drift]


def test_a_folder_without_records_says_what_was_not_compared(tmp_path: Path) -> None:
    folder = drafted(SLATE, tmp_path / "draft")
    (folder / "page.yaml").unlink()
    for sample in (folder / "samples").iterdir():
        sample.unlink()
    found = check_page(page(SLATE, ("keeps what", "loses what")), folder)
    assert found.drift == ()
    assert [words.partition(" (")[0] for words in found.not_compared] == [
        "wording, category and call type",
        "samples as they are printed",
    ]


EMPTY = ('"problem": null', '"problem": ""')
SIDES = {"kind": "null-against-empty", "at": "response/problem", "says": '""', "against": "null"}


def drafted_in_service(tmp_path: Path, *covers: dict[str, str]) -> Path:
    folder = drafted(SLATE, tmp_path / "baskets" / "pause_basket")
    reading = {
        "id": "problem-on-success",
        "operations": ["draft.pause_basket"],
        "requirement": "PB-RESP-PROBLEM",
        "question": "What is there on success?",
        "alternatives": {"null": "null", "empty": "an empty text"},
        "covers": {"draft.pause_basket": list(covers)},
    }
    (folder.parent / "readings.yaml").write_text(yaml.safe_dump([reading]), encoding="utf-8")
    return folder


def test_what_a_reading_covers_is_no_drift_and_is_listed(tmp_path: Path) -> None:
    folder = drafted_in_service(tmp_path, SIDES)
    found = check_page(page(SLATE, EMPTY), folder)
    assert [(one.at, cover.words) for one, cover in found.covered] == [
        ("response/problem", "reading problem-on-success")
    ]
    assert [one.kind for one in found.drift] == ["sample"]


@pytest.mark.parametrize("side", ["kind", "at", "says", "against"])
def test_a_cover_must_fit_on_every_side(side: str, tmp_path: Path) -> None:
    folder = drafted_in_service(tmp_path, {**SIDES, side: "other"})
    kinds = [one.kind for one in check_page(page(SLATE, EMPTY), folder).drift]
    assert kinds == ["sample", "null-against-empty", "ground-gone"]


def test_a_cover_may_have_wildcards_in_its_place(tmp_path: Path) -> None:
    folder = drafted_in_service(tmp_path, {**SIDES, "at": "response/*"})
    assert [one.kind for one in check_page(page(SLATE, EMPTY), folder).drift] == ["sample"]


def test_a_reading_whose_ground_is_gone_from_the_page_is_drift(tmp_path: Path) -> None:
    folder = drafted_in_service(tmp_path, SIDES)
    (found,) = check_page(page(SLATE), folder).drift
    assert (found.kind, found.question) == ("ground-gone", "reading problem-on-success")


def test_a_settled_point_is_listed_with_its_source(tmp_path: Path) -> None:
    folder = drafted(SLATE, tmp_path / "draft")
    with (folder / "page.yaml").open("a", encoding="utf-8") as file:
        file.write(yaml.safe_dump({"settled": [{**SIDES, "because": "both were seen"}]}))
    assert [cover.words for _, cover in check_page(page(SLATE, EMPTY), folder).covered] == ["page.yaml, settled"]


def test_a_settled_point_needs_its_reason(tmp_path: Path) -> None:
    folder = drafted(SLATE, tmp_path / "draft")
    with (folder / "page.yaml").open("a", encoding="utf-8") as file:
        file.write(yaml.safe_dump({"settled": [SIDES]}))
    with pytest.raises(SpecError, match=r"page\.yaml:\d+: settled.0: key 'because' is missing"):
        check_page(page(SLATE), folder)


def test_a_cover_without_a_side_is_an_error(tmp_path: Path) -> None:
    folder = drafted_in_service(tmp_path, {"kind": "message", "at": "codes/8"})
    with pytest.raises(SpecError, match=r"readings\.yaml:\d+: .*key 'says' is missing"):
        check_page(page(SLATE), folder)


def test_a_code_with_another_message_in_the_service_is_drift(tmp_path: Path) -> None:
    folder = drafted(SLATE, tmp_path / "baskets" / "pause_basket")
    other = tmp_path / "baskets" / "fill_basket"
    other.mkdir()
    code = {"code": "8", "requirement": "FB-CODE-8", "messages": ["Basket Gone"]}
    raw = {"id": "baskets.fill_basket", "document": "FillBasket", "codes": [code]}
    (other / "operation.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    assert sides(check_page(page(SLATE), folder).drift) == [
        ("code-elsewhere", "codes/8", "Unknown Basket", "Basket Gone")
    ]


def test_a_question_without_a_side_is_an_error_with_its_line(tmp_path: Path) -> None:
    folder = drafted(SLATE, tmp_path / "draft")
    (folder / "questions.yaml").write_text(
        "page: X\nquestions:\n- {id: Q1, kind: message, at: codes/8}\n", encoding="utf-8"
    )
    with pytest.raises(SpecError, match=r"questions\.yaml:3: questions\.Q1: key 'says' is missing"):
        check_page(page(SLATE), folder)
