"""What a page has beyond its dialect is a question and drift, or the page is refused; it never goes unseen."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from derive_support import GITBOOK, HELP, HELP_HTML, PAGES, SLATE, compared, conformance, drafted, page, text_of

from conformance.derive.draft.files import draft_of, write_draft
from conformance.derive.drift import check_page, open_points
from conformance.derive.page import Departure
from conformance.derive.read.dialects import page_of_text
from conformance.errors import PageError

SHELF = "| ShelfNumber  | **integer.** The shelf of the basket. *Optional.* |"
COLUMN = (
    ("| Key          | Value |\n| ------------ | ----- |", "| Key          | Value | Required |\n| ---- | --- | --- |"),
    ("*Required.* |", "*Required.* | yes |"),
    (SHELF, f"{SHELF} no |"),
)
CODES = "Shelf Closed (errorcode 9) |"
MEMBER = "| moved     | **Boolean.** Whether the box was moved. |"

BESIDE = [
    # page, changes, the place, what stands there, the line
    (
        "column",
        SLATE,
        COLUMN,
        [
            ("request", "the column Required", 27),
            ("request/BasketNumber", "Required: yes", 29),
            ("request/ShelfNumber", "Required: no", 30),
        ],
    ),
    (
        "column-between",
        SLATE,
        (
            ("| Key          | Value |\n| ------------ | ----- |", "| Key | Since | Value |\n|-|-|-|"),
            (SHELF, "| ShelfNumber | v2 | **integer.** The shelf. *Optional.* |"),
            ("| BasketNumber |", "| BasketNumber | |"),
            ("| Reason       |", "| Reason | |"),
        ),
        [("request", "the column Since", 27), ("request/ShelfNumber", "Since: v2", 30)],
    ),
    (
        "second-text-column",
        SLATE,
        (
            ("| Key          | Value |\n| ------------ | ----- |", "| Key | Value | Description |\n|-|-|-|"),
            (SHELF, f"{SHELF} Third. |"),
        ),
        [("request", "the column Description", 27), ("request/ShelfNumber", "Description: Third.", 30)],
    ),
    ("third-cell", SLATE, ((SHELF, f"{SHELF} Only on Mondays. |"),), [("request/ShelfNumber", "Only on Mondays.", 30)]),
    (
        "third-and-fourth-cell",
        SLATE,
        ((SHELF, f"{SHELF} One. | Two. |"),),
        [("request/ShelfNumber", "One.", 30), ("request/ShelfNumber", "Two.", 30)],
    ),
    (
        "code-in-third-cell",
        SLATE,
        ((CODES, f"{CODES} Throttled (errorcode 107) |"),),
        [("response/problem", "Throttled (errorcode 107)", 48)],
    ),
    (
        "third-cell-behind-escapes",
        SLATE,
        (("The shelf of the basket. *Optional.* |", r"The shelf, `a|b` or a\|b. *Optional.* | Not `c|d`. |"),),
        [("request/ShelfNumber", r"Not `c\|d`.", 30)],
    ),
    ("member-table", GITBOOK, ((MEMBER, f"{MEMBER} Since v2. |"),), [("response/moved", "Since v2.", 47)]),
]


def beside(found: tuple[Departure, ...]) -> list[tuple[str, str, int]]:
    return [(one.at, one.says, one.place.line if one.place else 0) for one in found if one.kind == "not-read"]


@pytest.mark.parametrize(("name", "changes", "expected"), [one[1:] for one in BESIDE], ids=[one[0] for one in BESIDE])
def test_a_cell_that_is_not_read_is_listed_and_drift(
    name: str, changes: tuple[tuple[str, str], ...], expected: list[tuple[str, str, int]], tmp_path: Path
) -> None:
    assert beside(compared(name, tmp_path / "draft", *changes).drift) == expected
    listed = [(one.at, one.text, one.line) for one in page(name, *changes).unread if one.at]
    assert listed == expected


def test_a_cell_that_is_not_read_is_drift_without_page_yaml_too(tmp_path: Path) -> None:
    folder = drafted(SLATE, tmp_path / "draft")
    (folder / "page.yaml").unlink()
    assert len(beside(check_page(page(SLATE, *COLUMN), folder).drift)) == 3


def test_a_check_of_a_page_with_a_further_column_exits_with_1(tmp_path: Path) -> None:
    folder = drafted(SLATE, tmp_path / "draft")
    (tmp_path / "later.md").write_text(text_of(SLATE, *COLUMN), encoding="utf-8")
    done = conformance("derive", "--check", tmp_path / "later.md", folder)
    assert (done.exit_code, "request/ShelfNumber: not-read, table (line 30)" in done.stdout) == (1, True)


def test_a_draft_asks_about_a_cell_and_lists_it_as_not_read(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(text_of(SLATE, *COLUMN), encoding="utf-8")
    assert conformance("derive", tmp_path / "page.md", "--into", tmp_path / "draft").exit_code == 0
    found = yaml.safe_load((tmp_path / "draft" / "questions.yaml").read_text(encoding="utf-8"))
    assert [one["at"] for one in found["questions"] if one["kind"] == "not-read"] == [
        "request",
        "request/BasketNumber",
        "request/ShelfNumber",
    ]
    assert [(one["line"], one["begins"]) for one in found["not_read"] if one["line"] > 3] == [
        (27, "the column Required"),
        (29, "Required: yes"),
        (30, "Required: no"),
    ]


def test_a_cell_that_page_yaml_settles_is_covered_until_its_text_changes(tmp_path: Path) -> None:
    cell = (SHELF, f"{SHELF} Only on Mondays. |")
    folder, record = drafted(SLATE, tmp_path / "draft"), tmp_path / "draft" / "page.yaml"
    sides = {
        "kind": "not-read",
        "at": "request/ShelfNumber",
        "says": "Only on Mondays.",
        "against": "no part in a contract",
    }
    settled = {**yaml.safe_load(record.read_text(encoding="utf-8")), "settled": [{**sides, "because": "told by hand"}]}
    record.write_text(yaml.safe_dump(settled), encoding="utf-8")
    found = check_page(page(SLATE, cell), folder)
    assert (found.drift, [one.says for one, _ in found.covered]) == ((), ["Only on Mondays."])
    changed = check_page(page(SLATE, (SHELF, f"{SHELF} Only on Tuesdays. |")), folder)
    assert {one.kind for one in changed.drift} == {"not-read", "ground-gone"}


def test_a_page_with_a_further_column_has_not_drifted_from_its_own_draft(tmp_path: Path) -> None:
    read = page(SLATE, *COLUMN)
    write_draft(draft_of(read, "draft", ()).files, tmp_path / "draft")
    assert check_page(read, tmp_path / "draft").drift == ()


def test_a_row_of_a_code_alone_is_refused() -> None:
    with pytest.raises(PageError, match="half a table: a row has no text"):
        page(SLATE, (CODES, f"{CODES}\n| Throttled (errorcode 107) |"))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (r"one of a\|b", "one of a|b"),
        ("one of `a|b`", "one of a|b"),
        ("one of ``a`|`b``", "one of a`|`b"),
        (r"one of `a\|b`", "one of a|b"),
    ],
    ids=["escaped", "code", "double-code", "code-escaped"],
)
def test_a_bar_that_is_escaped_or_in_code_ends_no_cell(cell: str, text: str) -> None:
    read = page(SLATE, ("The shelf of the basket", f"The shelf, {cell}"))
    assert text in read.request.fields[1].text
    assert [one for one in read.unread if one.at] == []


def test_backticks_of_two_cells_are_no_code_span() -> None:
    read = page(SLATE, ("Why it is paused.", "Why ` it is paused."), ("| Reason  ", "| Reason"))
    assert read.request.fields[2].name == "Reason"


def test_cells_of_a_table_outside_request_and_response_are_all_listed() -> None:
    read = page(SLATE, ("### Request\n", "| Day | Hours |\n| --- | --- |\n| Monday | 9 | closed |\n\n### Request\n"))
    assert "Monday | 9 | closed" in [one.text for one in read.unread]


TWICE = [
    (
        "slate",
        SLATE,
        ('  "accepted": true,\n', '  "accepted": 7,\n  "accepted": true,\n'),
        ("samples/response-1", "accepted", 38),
    ),
    (
        "one-line",
        SLATE,
        ('"ShelfNumber": 3,', '"ShelfNumber": 4, "ShelfNumber": 3,'),
        ("samples/request-1", "ShelfNumber", 22),
    ),
    (
        "escaped-name",
        SLATE,
        ('"ShelfNumber": 3,', '"Shelf\\u004eumber": 4, "ShelfNumber": 3,'),
        ("samples/request-1", "ShelfNumber", 22),
    ),
    (
        "nested",
        GITBOOK,
        ('"RightOutcome": {"moved": true,', '"RightOutcome": {"moved": 7, "moved": true,'),
        ("samples/response-1", "moved", 34),
    ),
    (
        "beside-a-comma",
        SLATE,
        ('"Reason": "inventory"', '"Reason": 1, "Reason": "inventory",'),
        ("samples/request-1", "Reason", 23),
    ),
    (
        "html",
        HELP_HTML,
        ('    "Held": true,\n', '    "Held": 7,\n    "Held": true,\n'),
        ("samples/response-1", "Held", 110),
    ),
]


@pytest.mark.parametrize(("name", "change", "expected"), [one[1:] for one in TWICE], ids=[one[0] for one in TWICE])
def test_a_member_that_stands_twice_in_a_sample_is_a_question_and_drift(
    name: str, change: tuple[str, str], expected: tuple[str, str, int], tmp_path: Path
) -> None:
    at, member, line = expected
    says = f"the member {member} stands twice"
    asked = [one for one in open_points(page(name, change), ()) if one.says == says]
    assert [(one.kind, one.at, one.place and one.place.line) for one in asked] == [("invalid-sample", at, line)]
    assert says in [one.says for one in compared(name, tmp_path / "draft", change).drift]


def test_a_cover_of_a_sample_that_cannot_be_read_covers_no_member_that_stands_twice(tmp_path: Path) -> None:
    comma = page(SLATE, ('"problemcode": 0', '"problemcode": 0,'))
    write_draft(draft_of(comma, "draft", ()).files, tmp_path / "draft")
    assert check_page(comma, tmp_path / "draft").drift == ()
    twice = page(SLATE, ('"problemcode": 0', '"problemcode": 7, "problemcode": 0,'))
    drift = check_page(twice, tmp_path / "draft").drift
    assert "the member problemcode stands twice" in [one.says for one in drift]


def test_a_name_in_two_objects_or_in_a_string_does_not_stand_twice() -> None:
    value = '"Reason": "inventory: {\\"Reason\\": [1], \\"Reason\\": 2}"'
    assert not [one for one in open_points(page(SLATE, ('"Reason": "inventory"', value)), ()) if "twice" in one.says]
    assert open_points(page(GITBOOK), ()) == ()


ROW = '<td class="parameter-type">boolean</td>\n<td class="parameter-annotations"><p>None.</p></td>'
HEAD = "<th>Name</th><th>Description</th><th>Type</th><th>Additional information</th>"
HTML = [
    (
        "colspan",
        '<td class="parameter-type">boolean</td>',
        '<td colspan="2">boolean</td>',
        "the row 'Fragile' has joined cells: colspan='2'",
        31,
    ),
    (
        "rowspan",
        '<td class="parameter-name">Fragile</td>',
        "<td rowspan=2>Fragile</td>",
        "the row 'Fragile' has joined cells: rowspan='2'",
        29,
    ),
    ("colspan-in-head", HEAD, HEAD.replace("<th>Type", '<th colspan="2">Type'), "the row 'Name' has joined cells", 20),
    ("cell-more", ROW, f"{ROW}<td>None.</td>", "the row 'Fragile' has 5 cells, and its head 4", 29),
    ("cell-more-empty", ROW, f"{ROW}<td></td>", "the row 'Fragile' has 5 cells, and its head 4", 29),
    (
        "cell-less",
        '<td class="parameter-documentation"><p>Whether the parcel is fragile.</p></td>\n',
        "",
        "the row 'Fragile' has 3 cells, and its head 4",
        29,
    ),
    (
        "column-more",
        HEAD,
        f"{HEAD}<th>Since</th>",
        "a table with the columns Name, Description, Type, Additional information, Since cannot be read",
        20,
    ),
    (
        "columns-in-another-order",
        HEAD,
        "<th>Name</th><th>Type</th><th>Description</th><th>Additional information</th>",
        "a table with the columns Name, Type",
        20,
    ),
    ("text-after", "</html>", "</html>\n\nErrors: 107.", "text stands after the HTML document", 158),
    ("element-after", "</html>", "</html>\n<p>Errors: 107.</p>", "text stands after the HTML document", 157),
    ("text-after-body", "</body>", "</body>\nErrors: 107.", "text stands after the HTML document", 156),
    ("text-before", "<html>", "Errors: 107.\n<html>", "text stands before the HTML document", 2),
    (
        "second-document",
        "</html>",
        "</html>\n<!DOCTYPE html>\n<html><body><p>Errors</p></body></html>",
        "a second HTML document in the file: <!doctype> stands there again",
        157,
    ),
    (
        "second-html",
        "</html>",
        "</html>\n<HTML><p>Errors</p></HTML>",
        "a second HTML document in the file: <html> stands there again",
        157,
    ),
    (
        "second-body",
        "<h2>Request",
        "</body><body><h2>Request",
        "a second HTML document in the file: <body> stands there again",
        13,
    ),
]


@pytest.mark.parametrize(("old", "new", "message", "line"), [one[1:] for one in HTML], ids=[one[0] for one in HTML])
def test_html_that_would_be_read_wrongly_is_refused_with_its_line(old: str, new: str, message: str, line: int) -> None:
    with pytest.raises(PageError) as caught:
        page(HELP_HTML, (old, new))
    assert message in str(caught.value)
    assert caught.value.where == f"{HELP_HTML}:{line}"
    assert caught.value.hint


def test_a_check_of_html_with_joined_cells_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(text_of(HELP_HTML, *[one[1:3] for one in HTML[:1]]), encoding="utf-8")
    done = conformance("derive", "--check", tmp_path / "page.html", drafted(HELP_HTML, tmp_path / "draft"))
    assert (done.exit_code, "page.html:31" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "after",
    ["\n<!-- </html> saved -->\n", "<script>document.write('<html>')</script>", "<STYLE>p {}</STYLE>", "\n\n"],
    ids=["comment", "script", "style", "blanks"],
)
def test_comments_and_scripts_behind_the_document_are_no_text(after: str) -> None:
    read = page_of_text(text_of(HELP_HTML, ("</html>", f"</html>{after}")), HELP_HTML)
    assert (read.response, read.statements) == (page(HELP_HTML).response, page(HELP_HTML).statements)


def test_a_table_of_another_kind_may_have_joined_cells() -> None:
    logo = '<table><tr><td colspan="2">Depot</td></tr><tr><td>a</td><td>b</td></tr></table><h1>PUT'
    read = page(HELP_HTML, ("<h1>PUT", logo))
    assert read.request == page(HELP_HTML).request
    assert [one.text for one in read.unread if "title" in one.why] == ["Depot", "a", "b"]


def test_comments_outside_the_document_are_listed() -> None:
    read = page(HELP_HTML, ("<html>", "<!-- saved --><html>"), ("</html>", "</html><!-- gone -->"))
    assert [one.text for one in read.unread if "outside" in one.why] == ["saved", "gone"]


def test_the_caption_of_a_table_is_a_sentence_and_the_table_is_read() -> None:
    read = page(HELP_HTML, ("<thead>", "<caption>All of them.</caption><thead>"))
    assert read.request.fields == page(HELP_HTML).request.fields
    assert "All of them." in [one.text for one in read.statements]


def test_a_help_page_as_text_with_a_further_column_is_refused() -> None:
    with pytest.raises(PageError, match="the head of the table is 'NameDescriptionTypeAdditional informationSince'"):
        page(HELP, ("NameDescriptionTypeAdditional information", "NameDescriptionTypeAdditional informationSince"))


def test_many_comments_that_are_not_closed_are_looked_at_once() -> None:
    text = (PAGES / HELP_HTML).read_text(encoding="utf-8").replace("</html>", "</html>" + "<!-- \n" * 9_000)
    with pytest.raises(PageError, match="text stands after"):
        page_of_text(text, HELP_HTML)
