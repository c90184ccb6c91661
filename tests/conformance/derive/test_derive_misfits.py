"""Every kind of thing that does not fit is found where it was planted, and nothing on a clean page."""

from __future__ import annotations

import pytest
from derive_support import GITBOOK, HELP, HELP_HTML, SLATE, page, points, sibling

from conformance.derive.drift import open_points
from conformance.derive.page import MISFITS

PLANTED = [
    # what is wrong, page, old text, new text, kind, place
    ("json-comma", SLATE, '"Reason": "inventory"', '"Reason": "inventory",', "invalid-sample", "samples/request-1"),
    ("json-garbage", SLATE, '"problem": null,', '"problem": nil,', "invalid-sample", "samples/response-1"),
    ("xml-cut", HELP, "</ArrayOfParcelHold>", "", "invalid-sample", "samples/request-2"),
    (
        "member-not-in-table",
        SLATE,
        '"ShelfNumber": 3,',
        '"ShelfNumber": 3, "Floor": 1,',
        "sample-against-table",
        "request/Floor",
    ),
    ("row-not-in-sample", SLATE, '  "ShelfNumber": 3,\n', "", "sample-against-table", "request/ShelfNumber"),
    (
        "type-by-sample",
        SLATE,
        '"BasketNumber": 17',
        '"BasketNumber": "17"',
        "sample-against-table",
        "request/BasketNumber",
    ),
    ("boolean-as-integer", SLATE, '"accepted": true', '"accepted": 1', "sample-against-table", "response/accepted"),
    (
        "object-in-quotes",
        GITBOOK,
        '{"moved": true, "fault": null, "faultcode": 0},',
        '"{"moved": true, "fault": null, "faultcode": 0}",',
        "sample-against-table",
        "response/LeftOutcome",
    ),
    (
        "element-not-in-table",
        HELP,
        "<Fragile>true</Fragile>",
        "<Brittle>true</Brittle>",
        "sample-against-table",
        "request/Brittle",
    ),
    (
        "element-order",
        HELP,
        "    <Held>true</Held>\n    <ParcelKey>8a1b2c3d-0001-4000-8000-00000000000a</ParcelKey>",
        "    <ParcelKey>8a1b2c3d-0001-4000-8000-00000000000a</ParcelKey>\n    <Held>true</Held>",
        "sample-against-table",
        "response/xml",
    ),
    ("element-type", HELP, "<Held>true</Held>", "<Held>yes</Held>", "sample-against-table", "response/Held"),
    (
        "items-in-xml",
        HELP,
        '  },\n  {\n    "ParcelKey": "8a1b2c3d-0001-4000-8000-00000000000b",\n    "Fragile": false,\n    "Phrase": null\n  }',
        "  }",
        "sample-against-table",
        "request",
    ),
    (
        "prose-optional",
        SLATE,
        "A basket without a *ShelfNumber*",
        "The *Reason* is optional. A basket without a *ShelfNumber*",
        "table-against-prose",
        "request/Reason",
    ),
    (
        "prose-required",
        SLATE,
        "A basket without a *ShelfNumber*",
        "*ShelfNumber* is mandatory. A basket without a *ShelfNumber*",
        "table-against-prose",
        "request/ShelfNumber",
    ),
    (
        "prose-name",
        SLATE,
        "*ShelfNumber* stands",
        "*ShelfNumber* and no *AisleNumber* stands",
        "table-against-prose",
        "prose/AisleNumber",
    ),
    ("error-description", HELP, "Why nothing was held.", "List of outcomes.", "table-against-prose", "error"),
    ("case-in-prose", SLATE, "*ShelfNumber* stands", "*shelfNumber* stands", "key-case", "request/ShelfNumber"),
    ("case-in-sample", SLATE, '"Reason": "inventory"', '"reason": "inventory"', "key-case", "request/Reason"),
    ("case-in-xml", HELP, "<Fragile>true</Fragile>", "<fragile>true</fragile>", "key-case", "request/Fragile"),
    ("code-twice", SLATE, "Shelf Closed (errorcode 9)", "Shelf Closed (errorcode 8)", "code-elsewhere", "codes/8"),
    ("null-or-empty-text", SLATE, '"problem": null', '"problem": ""', "null-against-empty", "response/problem"),
    ("null-or-empty-list", HELP, '"Remarks": []', '"Remarks": null', "null-against-empty", "response/Remarks"),
    (
        "status",
        SLATE,
        " An error comes with HTTP status 200, as a success does.",
        "",
        "silence",
        "response/error-status",
    ),
    ("order-of-results", HELP, " come in the same order", " come", "silence", "response/order"),
    ("empty-list", HELP, " An empty list gives an empty list.", "", "silence", "request/empty-list"),
    ("broken-item", HELP, " A wrong hold leaves the other items alone.", "", "silence", "request/broken-item"),
    ("null-members", HELP, " Null members are never left out.", "", "silence", "response/null-members"),
    (
        "condition",
        SLATE,
        "Why it is paused. *Required.*",
        "Why it is paused. *Conditionally optional.*",
        "condition-unnamed",
        "request/Reason",
    ),
    (
        "condition-of-nothing",
        HELP,
        "Required if the parcel is fragile.",
        "Required if the parcel is heavy.",
        "condition-unnamed",
        "request/Phrase",
    ),
    (
        "absence",
        SLATE,
        "On success null, else one of:",
        "On success it may be null, else one of:",
        "absence-unsaid",
        "response/problem",
    ),
    ("null-not-shown", HELP, '"Phrase": null', '"Phrase": "no"', "null-unshown", "request/Phrase"),
    (
        "cell-beyond-the-head",
        SLATE,
        "of the basket. *Optional.* |",
        "of the basket. *Optional.* | 5 |",
        "not-read",
        "request/ShelfNumber",
    ),
    ("type", SLATE, "**integer.** The shelf", "**roman numeral.** The shelf", "type-unknown", "request/ShelfNumber"),
    (
        "members-elsewhere",
        GITBOOK,
        "Members of _LeftOutcome_ and _RightOutcome_:",
        "Members:",
        "type-unknown",
        "response/LeftOutcome",
    ),
    (
        "code-in-prose",
        SLATE,
        "as a success does.",
        "as a success does, such as Too Late (errorcode 10).",
        "code-unclear",
        "codes/10",
    ),
    (
        "code-in-the-request",
        SLATE,
        "The shelf of the basket.",
        "The shelf of the basket, else Unknown Shelf (errorcode 10).",
        "code-unclear",
        "codes/10",
    ),
    ("code-without-words", SLATE, "<br />Shelf Closed", "<br />", "code-unclear", "response/problem"),
    (
        "may-in-passing",
        SLATE,
        "Whether the basket is paused.",
        "Whether the basket is paused. A keeper may look.",
        "absence-unclear",
        "response/accepted",
    ),
    (
        "values",
        SLATE,
        "The shelf of the basket.",
        "The shelf: 1 Upper, 2 Lower.",
        "values-listed",
        "request/ShelfNumber",
    ),
    ("part", SLATE, "**Call Type:** Synchronous\n", "", "part-missing", "operation/call_type"),
    ("need", SLATE, " *Optional.*", "", "need-unsaid", "request/ShelfNumber"),
    (
        "width",
        HELP,
        "Whether the parcel is fragile.\n\nboolean",
        "Whether the parcel is fragile.\n\ninteger",
        "width-unsaid",
        "request/Fragile",
    ),
]


@pytest.mark.parametrize("name", [SLATE, GITBOOK, HELP, HELP_HTML])
def test_nothing_is_found_on_a_clean_page(name: str) -> None:
    assert points(name) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "kind", "at"), [one[1:] for one in PLANTED], ids=[one[0] for one in PLANTED]
)
def test_a_planted_misfit_is_found_at_its_place(name: str, old: str, new: str, kind: str, at: str) -> None:
    assert (kind, at) in points(name, (old, new))


def test_every_kind_of_misfit_is_planted_somewhere() -> None:
    assert {one[4] for one in PLANTED} == set(MISFITS)


def test_a_misfit_names_its_line() -> None:
    found = open_points(page(SLATE, ('"problem": null,', '"problem": nil,')), ())
    text = (found[0].place.line, found[0].place.section) if found[0].place else None
    assert text == (38, "Response sample")


def test_a_code_with_another_message_elsewhere_in_the_service_is_found_with_a_reading() -> None:
    (found,) = open_points(page(SLATE), (sibling("No Such Basket"),))
    assert (found.kind, found.at, found.says, found.against) == (
        "code-elsewhere",
        "codes/8",
        "Unknown Basket",
        "No Such Basket",
    )
    assert (found.reading, list(found.alternatives)) == ("code-8-text", ["unknown-basket", "no-such-basket"])


def test_a_code_with_one_of_several_messages_elsewhere_is_no_misfit() -> None:
    assert open_points(page(SLATE), (sibling("No Such Basket", "Unknown Basket"),)) == ()
