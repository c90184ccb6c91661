"""Nothing of a page is lost unseen: whichever fact is taken away, the draft, a question or the list of what is left changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from derive_support import GITBOOK, HELP, HELP_HTML, LINE, SLATE, conformance, page, text_of, without_each_fact

from conformance.derive.draft.files import Draft, draft_of, write_draft
from conformance.derive.drift import check_page, open_points
from conformance.derive.read.dialects import page_of_text
from conformance.errors import PageError

COUNT, RING = "count_crates.md", "ring_bell.md"
ALL = (SLATE, GITBOOK, HELP, HELP_HTML, COUNT, RING)


def said(text: str) -> dict[str, str] | str:
    """All that a draft says of a page, without its record of digests and without line numbers, which shift; or a refusal."""
    try:
        draft = draft_of(page_of_text(text, "page"), "draft", ())
    except PageError as error:
        return error.message
    files = {name: LINE.sub(r"\1", " ".join(data.split())) for name, data in draft.files.items()}
    del files["page.yaml"]
    return files


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", ALL)
def test_a_fact_that_is_deleted_is_missed(name: str) -> None:
    text = text_of(name)
    whole = said(text)
    assert isinstance(whole, dict)
    deletions = list(without_each_fact(text))
    assert len(deletions) > 30
    assert [fact for fact, rest in deletions if said(rest) == whole] == []


def questions(draft: Draft) -> Any:
    return yaml.safe_load(draft.files["questions.yaml"])


@pytest.mark.parametrize("name", ALL)
def test_a_fresh_draft_never_drifts_from_its_page(name: str, tmp_path: Path) -> None:
    draft = draft_of(page(name), "draft", ())
    write_draft(draft.files, tmp_path / "draft")
    assert check_page(page(name), tmp_path / "draft").drift == ()


def test_a_sample_that_the_draft_refuses_is_a_question_and_no_drift(tmp_path: Path) -> None:
    change = ('"problem": null,\n  "problemcode": 0', '"problem": "Not Yours",\n  "problemcode": 7')
    draft = draft_of(page(SLATE, change), "draft", ())
    assert [(one.kind, one.at, one.says, one.against) for one in draft.points] == [
        ("sample-against-schema", "samples/response-1", "/problemcode: 7", "0")
    ]
    assert questions(draft)["questions"][0]["means"] == "the draft refuses a sample that its own page prints"
    write_draft(draft.files, tmp_path / "draft")
    assert check_page(page(SLATE, change), tmp_path / "draft").drift == ()


@pytest.mark.parametrize(
    ("name", "change", "at"),
    [
        (HELP, ("Error Response Information\n", ""), "response/xml root"),
        (SLATE, ("| Reason       | **string.**", "| Reason       | **list of words.**"), "request/Reason"),
        (RING, ('"name": "Great Tom"', '"name": 7'), "samples/response-1"),
    ],
    ids=["another-root", "unknown-items", "two-faults-in-a-sample"],
)
def test_a_page_that_contradicts_itself_has_a_question_and_no_drift(
    name: str, change: tuple[str, str], at: str, tmp_path: Path
) -> None:
    draft = draft_of(page(name, change), "draft", ())
    assert at in [one.at for one in draft.points]
    write_draft(draft.files, tmp_path / "draft")
    assert check_page(page(name, change), tmp_path / "draft").drift == ()


def test_an_xsd_that_cannot_be_drafted_is_asked_for_in_place_of_an_error() -> None:
    space = "http://schemas.microsoft.com/2003/10/Serialization/"
    draft = draft_of(page(HELP, ("http://schemas.datacontract.org/2004/07/Depot.Answers", space)), "draft", ())
    assert "response.xsd" not in draft.files
    assert "xsd.response" in draft.to_fill


def test_the_account_is_printed_and_written(tmp_path: Path) -> None:
    path = Path(__file__).parent / "pages" / COUNT
    done = conformance("derive", path, "--into", tmp_path / "draft")
    assert "not read  line 18: X-Yard: north (stands in the head of a sample)" in done.stdout
    assert "read as  line 48: errocode (read as the label of code 9)" in done.stdout
    assert "to word  line 32: Required for crates on …" in done.stdout
    counts = json.loads(conformance("derive", path, "--into", tmp_path / "again", "--json").stdout)["account"]
    assert list(counts) == ["used", "asked about", "to word", "not read"]
    assert f"{sum(counts.values())} facts of the page: {counts['used']} used" in done.stdout
    written = yaml.safe_load((tmp_path / "draft" / "questions.yaml").read_text(encoding="utf-8"))
    assert (len(written["to_word"]), len(written["not_read"])) == (counts["to word"], counts["not read"])


def test_codes_on_one_line_in_prose_and_with_a_misspelt_label_are_codes() -> None:
    found = {code.code: code.message for code in page(COUNT).codes}
    assert found == {"0": "", "7": "Not Yours", "8": "Unknown Row", "9": "Too Late", "31": "Row Is Locked"}
    assert ("code-unclear", "codes/31", "Row Is Locked") in [
        (one.kind, one.at, one.says) for one in open_points(page(COUNT), ())
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("One of: Not Yours (errorcode 7), or Too Late (errorcode 8).", {"7": "Not Yours", "8": "Too Late"}),
        ("Returns one of Not Yours (errorcode 7) and Too Late (errorcode 8)", {"7": "Not Yours", "8": "Too Late"}),
        ("Not Yours (error code: 7)<br />Ask: why? (code 8)", {"7": "Not Yours", "8": "Ask: why?"}),
        ("Else one of:<br />Not Yours (errcode 7)<br />- Too Late (Error Code 8)", {"7": "Not Yours", "8": "Too Late"}),
    ],
)
def test_codes_of_a_row(row: str, expected: dict[str, str]) -> None:
    old = "On success null, else one of:<br />Not Yours (errorcode 7)<br />Unknown Basket (errorcode 8)<br />Shelf Closed (errorcode 9)"
    found = {code.code: code.message for code in page(SLATE, (old, row)).codes}
    assert found == {"0": "", **expected}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("Null, or one of: 7 - Not Yours, 8 - Too Late", {"7": "Not Yours", "8": "Too Late"}),
        ("7: Not Yours<br />8: Too Late.", {"7": "Not Yours", "8": "Too Late"}),
        ("`7` Not Yours<br />`8` Too Late", {"7": "Not Yours", "8": "Too Late"}),
        ("Not Yours (7), Too Late [8]", {"7": "Not Yours", "8": "Too Late"}),
        ("Not Yours = 7; Too Late = 8", {"7": "Not Yours", "8": "Too Late"}),
        ("Error 7 - Not Yours or error 8 - Too Late", {"7": "Not Yours", "8": "Too Late"}),
        ("null, else Not Yours (problemcode 7)", {"7": "Not Yours"}),
        ("0 - Success, 7 - Not Yours", {"7": "Not Yours"}),
    ],
)
def test_codes_of_a_row_that_have_no_label(row: str, expected: dict[str, str]) -> None:
    old = "On success null, else one of:<br />Not Yours (errorcode 7)<br />Unknown Basket (errorcode 8)<br />Shelf Closed (errorcode 9)"
    found = page(SLATE, (old, row))
    assert {code.code: code.message for code in found.codes} == {"0": "", **expected}


@pytest.mark.parametrize("row", ["0 Unknown, 1 Open", "0: Success, 1: Failed, 2: Pending", "1 - Upper, 2 - Lower"])
def test_values_of_a_row_that_is_not_about_errors_are_no_codes(row: str) -> None:
    found = page(SLATE, ("**Boolean.** Whether the basket is paused.", f"**integer.** How it stands: {row}."))
    assert [code.code for code in found.codes] == ["0", "7", "8", "9"]
    assert ("values-listed", "response/accepted") in [(one.kind, one.at) for one in open_points(found, ())]


def test_codes_of_a_table_are_codes_and_its_other_cells_are_asked_about() -> None:
    table = "| Code | Message | Remedy |\n| --- | --- | --- |\n| 0 | Success | |\n| 31 | Too Warm | Wait. |\n"
    found = page_of_text(text_of(SLATE) + f"\n### Errors\n\n{table}", SLATE)
    assert {code.code: code.message for code in found.codes if code.code in ("0", "31")} == {"0": "", "31": "Too Warm"}
    assert ("not-read", "codes/31", "remedy: Wait.") in [(one.kind, one.at, one.says) for one in open_points(found, ())]


@pytest.mark.parametrize(
    ("words", "need"),
    [
        ("*Required* for red baskets only.", "conditional"),
        ("Required, if the basket is red.", "conditional"),
        ("*Required.* Once for each basket.", "required"),
        ("Not required for red baskets.", "optional"),
    ],
)
def test_a_condition_is_no_plain_requirement(words: str, need: str) -> None:
    read = page(SLATE, ("Why it is paused. *Required.*", f"Why it is paused. {words}"))
    assert read.request.fields[2].need == need
    asked = ("condition-unnamed", "request/Reason") in [(one.kind, one.at) for one in open_points(read, ())]
    assert asked is (need == "conditional")


@pytest.mark.parametrize(
    ("words", "need", "kinds"),
    [
        ("The smallest step in which it may be moved.", "required", ["absence-unclear"]),
        ("It is usually given by an admin.", "required", ["absence-unclear"]),
        ("A remark, if any.", "optional", []),
        ("It is usually null.", "required", []),
        ("It may be left out.", "optional", []),
        ("Text that the service may send.", "optional", []),
    ],
)
def test_may_in_passing_makes_no_member_absent(words: str, need: str, kinds: list[str]) -> None:
    read = page(SLATE, ("A success returns 0.", f"A success returns 0. {words}"))
    assert read.response.fields[2].need == need
    assert read.response.fields[2].null is ((need == "optional" and "left out" not in words) or "null" in words)
    assert [one.kind for one in open_points(read, ()) if one.at == "response/problemcode"] == kinds


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("0 Unknown, 1 Upper, 2 Lower.", "0 Unknown, 1 Upper, 2 Lower"),
        ("1 = Upper; 2 = Lower.", "1 = Upper, 2 = Lower"),
        ("One of: Upper, Lower.", "One of:"),
        ("Possible values are upper and lower.", "Possible values"),
        ("One of the shelves on floor 2.", None),
        ("At most 20 Baskets stand there.", None),
    ],
)
def test_values_that_a_row_lists_are_asked_about(words: str, says: str | None) -> None:
    read = page(SLATE, ("The shelf of the basket.", f"The shelf of the basket. {words}"))
    found = [one.says for one in open_points(read, ()) if one.kind == "values-listed"]
    assert found == ([] if says is None else [says])


def test_members_of_a_list_are_in_the_schema_and_compared(tmp_path: Path) -> None:
    draft = draft_of(page(COUNT), "draft", ())
    items = json.loads(draft.files["response.schema.json"])["properties"]["rows"]["items"]
    assert {name: one["type"] for name, one in items["properties"].items()} == {
        "rowId": "integer",
        "crates": ["integer", "null"],
    }
    write_draft(draft.files, tmp_path / "draft")
    later = check_page(page(COUNT, ("| crates | **integer.**", "| crates | **string.**")), tmp_path / "draft")
    assert ("type", "response/rows/crates") in [(one.kind, one.at) for one in later.drift]
    assert ("sample-against-table", "response/rows/crates") in [(one.kind, one.at) for one in later.drift]


def test_a_sample_in_an_http_fence_is_a_sample() -> None:
    (sample,) = page(COUNT).request.samples
    assert json.loads(sample.text) == {"RowNumber": 4, "Kind": 1, "Since": None}
    assert [one.line for one in page(COUNT).unread if "head of a sample" in one.why] == [18]
    assert (page(COUNT).method, page(COUNT).path) == ("POST", "/crates/count")


def test_a_row_that_stands_there_twice_or_blank_is_listed() -> None:
    assert [one.name for one in page(RING).request.fields] == ["BellName", "Strokes", "Tone"]
    assert [(one.line, one.why) for one in page(RING).unread if "twice" in one.why] == [
        (28, "the row stands there twice, word by word")
    ]
    assert [one.line for one in page(COUNT).unread if one.why == "the row is blank"] == [30]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("**array.** What stands there.", "These are the members of _rows_."),
        ("**array of the following objects.** What stands there.", "Crates are counted by hand."),
        ("**array.** What stands there, as described below.", "Crates are counted by hand."),
    ],
)
def test_the_members_of_a_list_are_found_by_a_sentence_or_by_its_own_row(row: str, sentence: str) -> None:
    old = "**array.** What stands there. A steward may add a row at any time."
    read = page(COUNT, (old, row), ("Each of the *rows* has these members:", sentence))
    assert [one.name for one in read.response.fields[3].members] == ["rowId", "crates"]
    assert str(read.response.fields[3].type) == "list of object"


def test_a_table_that_nobody_announces_is_listed_and_its_list_asked_about() -> None:
    read = page(COUNT, ("Each of the *rows* has these members:", "Crates are counted by hand."))
    assert [one.text.partition(":")[0] for one in read.unread if "whose members" in one.why] == ["rowId", "crates"]
    assert ("type-unknown", "response/rows") in [(one.kind, one.at) for one in open_points(read, ())]
