"""Pages and folders that cannot be used: an error with place and advice, exit 2, and nothing written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from derive_support import GITBOOK, HELP, HELP_HTML, PAGES, SLATE, conformance, drafted, page, text_of

from conformance.derive.drift import check_page
from conformance.derive.read.dialects import MAX_PAGE_BYTES, page_of_text, read_page
from conformance.errors import PageError

BROKEN = [
    ("prose", b"Dear customers, we have moved.\n", "no known dialect: it looks like a text without headings"),
    (
        "other-markdown",
        b"# Release notes\n\n## Fixed\n\n- a defect\n",
        "Markdown with the headings Release notes, Fixed, and none",
    ),
    ("json", b'{"a": 1}\n', "no known dialect: it looks like JSON"),
    ("openapi", b"openapi: 3.1.0\npaths: {}\n", "no known dialect: it looks like an OpenAPI document"),
    (
        "other-html",
        b"<!DOCTYPE html><html><body><h1>404</h1></body></html>",
        "no known dialect: it looks like HTML that is no such",
    ),
    ("empty", b"", "the page is empty"),
    ("blanks", b" \n\t\n\n", "the page is empty"),
    ("latin-1", "# SwapPair\n\ncafé".encode("latin-1"), "not utf-8 text"),
    ("utf-16-cut", "# SwapPair".encode("utf-16")[:-1], "not utf-16 text"),
    ("utf-16-without-mark", "# SwapPair\n".encode("utf-16-le"), "binary"),
    ("binary", b"\x7fELF\x02\x01\x01\x00\x00", "binary"),
    ("too-large", b"# A\n" * (MAX_PAGE_BYTES // 4 + 1), f"more than {MAX_PAGE_BYTES} bytes"),
    ("many-lines", b"# A\n\n" + b"- x\n" * 20_000, "more than 10000 lines"),
    ("long-line", b"# A\n\n" + b"x" * 300_000, "a line has more than"),
    ("deep-quotes", b"# A\n\n" + b">" * 5_000 + b" x\n", "quotes nest"),
    ("deep-html", b"<html><body>" + b"<div>" * 250 + b"x</body></html>", "nest more than"),
]


@pytest.mark.parametrize(("data", "message"), [one[1:] for one in BROKEN], ids=[one[0] for one in BROKEN])
def test_a_file_that_is_no_page_is_refused_and_nothing_is_written(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "page"
    path.write_bytes(data)
    with pytest.raises(PageError, match=message) as caught:
        read_page(path)
    assert caught.value.where.startswith(str(path))
    assert caught.value.hint
    done = conformance("derive", path, "--into", tmp_path / "draft")
    assert done.exit_code == 2
    assert [one.name for one in tmp_path.iterdir()] == ["page"]


def test_the_size_is_held_against_the_limit_before_anything_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "page"
    with path.open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    with pytest.raises(PageError, match="the limit"):
        read_page(path)


def test_a_folder_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(PageError, match="a folder is no page"):
        read_page(tmp_path)


def test_a_page_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PageError, match="cannot be read"):
        read_page(tmp_path / "nowhere.md")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_marked_encodings_are_read(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "page"
    path.write_bytes(text_of(SLATE).replace("\n", "\r\n").encode(encoding))
    assert read_page(path) == page(SLATE)


CUT = [
    (
        "row-without-text",
        SLATE,
        "| ShelfNumber  | **integer.** The shelf of the basket. *Optional.* |",
        "| ShelfNumber  |",
        "half a table: a row has no text",
    ),
    (
        "row-without-bar",
        SLATE,
        "The shelf of the basket. *Optional.* |",
        "The shelf of the basket. *Optional.*",
        "no bar at its end",
    ),
    ("no-dashes", SLATE, "| ------------ | ----- |\n", "", "half a table"),
    ("row-twice", SLATE, "| Reason       |", "| ShelfNumber  |", "stands there twice"),
    ("columns", SLATE, "| Key          | Value |", "| Left         | Right |", "cannot be read"),
    ("two-calls", SLATE, "### Response", "## StartBasket\n\n### Response", "a second call begins"),
    ("two-requests", SLATE, "### Response", "### Request", "a second section Request"),
    ("help-row", HELP, "boolean\n\nNone.\n\nPhrase", "None.\n\nPhrase", "half a table"),
    ("help-sample", HELP, '"sample string 1"\n', "\n", "an empty sample"),
    (
        "help-response",
        HELP,
        "Response Information",
        "Reply",
        "Error Response Information|no Response Information|twice",
    ),
    (
        "help-uri-table",
        HELP,
        "None.\n\nBody Parameters",
        "NameDescriptionTypeAdditional information\nid\n\nKey.\n\ninteger\n\nBody Parameters",
        "half a table",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "message"), [one[1:] for one in CUT], ids=[one[0] for one in CUT])
def test_a_damaged_page_is_refused_with_its_line(name: str, old: str, new: str, message: str) -> None:
    with pytest.raises(PageError, match=message) as caught:
        page(name, (old, new))
    assert caught.value.where.startswith(f"{name}:")
    assert caught.value.hint


def test_a_table_with_a_head_and_no_row_is_refused() -> None:
    text = text_of(SLATE)
    start, end = text.index("| BasketNumber"), text.index("### Response")
    with pytest.raises(PageError, match="a head and no row"):
        page_of_text(text[:start] + text[end:], SLATE)


@pytest.mark.parametrize("name", [SLATE, GITBOOK, HELP, HELP_HTML])
def test_a_page_cut_off_anywhere_is_refused_or_drift(name: str, tmp_path: Path) -> None:
    folder, text = drafted(name, tmp_path / "draft"), text_of(name)
    unnoticed = [end for end in range(0, len(text.rstrip()) - 7, 97) if not refused_or_drift(text[:end], folder)]
    assert unnoticed == []


def refused_or_drift(text: str, folder: Path) -> bool:
    try:
        return bool(check_page(page_of_text(text, "page"), folder).drift)
    except PageError as error:
        return error.where.startswith("page") and bool(error.hint)


def test_scripts_and_comments_of_a_page_are_listed_and_go_into_nothing() -> None:
    text = text_of(HELP_HTML, ("<h2>Request", '<script>document.write("Success")</script><!-- PIN --><h2>Request'))
    read = page_of_text(text, "page")
    assert tuple(one.text for one in read.unread[-2:]) == ('<script> document.write("Success")', "PIN")
    assert (read.request, read.statements) == (page(HELP_HTML).request, page(HELP_HTML).statements)


def test_a_script_in_markdown_is_listed_and_not_read() -> None:
    read = page(SLATE, ("### Request", "<script>\nlet x = 1;\n</script>\n\n### Request"))
    assert read.statements == tuple(one for one in read.statements if "let" not in one.text)
    assert "<script>" in [one.text for one in read.unread]


def test_a_folder_that_is_not_empty_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "draft").mkdir()
    (tmp_path / "draft" / "mine.yaml").write_text("a: 1\n", encoding="utf-8")
    done = conformance("derive", PAGES / SLATE, "--into", tmp_path / "draft")
    assert (done.exit_code, "nothing is overwritten" in done.stderr) == (2, True)
    assert [one.name for one in (tmp_path / "draft").iterdir()] == ["mine.yaml"]


def test_a_file_in_the_place_of_the_folder_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "draft").write_text("mine", encoding="utf-8")
    assert conformance("derive", PAGES / SLATE, "--into", tmp_path / "draft").exit_code == 2
    assert (tmp_path / "draft").read_text(encoding="utf-8") == "mine"


def test_a_folder_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    done = conformance("derive", PAGES / SLATE, "--into", tmp_path / "file" / "draft")
    assert (done.exit_code, "cannot be" in done.stderr) == (2, True)
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_write_that_fails_half_way_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.write_text

    def full(self: Path, *args: object, **kwargs: object) -> int:
        if self.name == "operation.yaml":
            raise OSError(28, "No space left on device")
        return real(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", full)
    done = conformance("derive", PAGES / SLATE, "--into", tmp_path / "draft")
    assert (done.exit_code, "No space left" in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def refused(folder: Path, name: str, message: str) -> None:
    done = conformance("derive", "--check", PAGES / name, folder)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr
    assert "where:" in done.stderr


def test_a_schema_that_refers_to_itself_is_an_error(tmp_path: Path) -> None:
    folder = drafted(HELP, tmp_path / "draft")
    schema = json.loads((folder / "request.schema.json").read_text(encoding="utf-8"))
    schema["$defs"]["item"]["allOf"] = [{"$ref": "#/$defs/item"}]
    (folder / "request.schema.json").write_text(json.dumps(schema), encoding="utf-8")
    refused(folder, HELP, "leads back to itself")


def test_a_schema_whose_member_holds_itself_is_an_error(tmp_path: Path) -> None:
    folder = drafted(HELP, tmp_path / "draft")
    schema = json.loads((folder / "request.schema.json").read_text(encoding="utf-8"))
    schema["$defs"]["item"]["properties"]["Phrase"] = {"$ref": "#/$defs/item"}
    (folder / "request.schema.json").write_text(json.dumps(schema), encoding="utf-8")
    refused(folder, HELP, "leads back to itself")


def test_a_schema_that_refers_to_another_host_is_an_error(tmp_path: Path) -> None:
    folder = drafted(SLATE, tmp_path / "draft")
    change(folder, "request.schema.json", '"type": "object"', '"$ref": "http://127.0.0.1:9/x.json", "type": "object"')
    refused(folder, SLATE, "leaves the service's folder")


@pytest.mark.parametrize(
    ("kind", "namespace"), [("include", ""), ("import", ' namespace="http://schemas.datacontract.org/2004/07/Depot"')]
)
def test_an_xsd_that_imports_itself_is_an_error(kind: str, namespace: str, tmp_path: Path) -> None:
    folder = drafted(HELP, tmp_path / "draft")
    change(folder, "request.xsd", "<xs:import ", f'<xs:{kind} schemaLocation="request.xsd"{namespace} /><xs:import ')
    refused(folder, HELP, "request.xsd")


@pytest.mark.parametrize("location", ["http://127.0.0.1:9/s.xsd", "//127.0.0.1/s.xsd", "/etc/s.xsd", "../../s.xsd"])
def test_an_xsd_that_is_not_in_the_folder_is_never_fetched(location: str, tmp_path: Path) -> None:
    folder = drafted(HELP, tmp_path / "draft")
    change(folder, "request.xsd", 'schemaLocation="serialization.xsd"', f'schemaLocation="{location}"')
    refused(folder, HELP, "must be a file in the same folder")


def test_an_operation_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    folder = drafted(SLATE, tmp_path / "draft")
    (folder / "operation.yaml").unlink()
    refused(folder, SLATE, "file is missing")


def test_a_folder_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", SLATE, "no such folder")


@pytest.mark.parametrize(
    "words",
    [
        ("derive", "PAGE"),
        ("derive", "PAGE", "a", "--into", "b"),
        ("derive", "--check", "PAGE"),
        ("derive", "--check", "PAGE", "a", "--into", "b"),
    ],
    ids=["no-folder", "two-folders", "check-alone", "check-and-into"],
)
def test_the_two_forms_of_the_command_do_not_mix(words: tuple[str, ...]) -> None:
    done = conformance(*(PAGES / SLATE if word == "PAGE" else word for word in words))
    assert (done.exit_code, "hint: conformance derive" in done.stderr) == (2, True)


def test_a_service_that_nobody_has_is_an_error(tmp_path: Path) -> None:
    done = conformance("derive", PAGES / SLATE, "--into", tmp_path / "draft", "--service", "bakery")
    assert (done.exit_code, "no service 'bakery'" in done.stderr) == (2, True)
    assert not (tmp_path / "draft").exists()
