"""A file to a page: which dialect it is in, and that dialect's reader.

From a file to the text of a page: bounded, decoded, and refused when it is no text.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from conformance.derive.page import Page
from conformance.derive.read import call_page, help_page
from conformance.derive.read.call_page import GITBOOK, SLATE, is_gitbook, is_slate
from conformance.derive.read.help_html import lines_of_html, looks_like_html
from conformance.derive.read.help_rows import lines_of
from conformance.derive.read.markdown import Document, parse_markdown
from conformance.errors import PageError

MAX_PAGE_BYTES = 1024 * 1024
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CONTROLS = frozenset(map(chr, range(32))) - set("\t\n\r\f")


def read_text(path: Path, most: int = MAX_PAGE_BYTES) -> str:
    """The text of the page at `path`, its lines ended by a line feed.

    UTF-8, with or without a byte order mark, or UTF-16 with one; at most `most` bytes.
    Errors: `PageError` for a file that is missing, a folder, too large, empty, binary or in another encoding.
    """
    where = str(path)
    if path.is_dir():
        raise PageError("a folder is no page", where=where, hint="Give the file of one page.")
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise PageError(
            f"the page cannot be read: {error.strerror or error}", where=where, hint="Give a readable file."
        ) from None
    if len(data) > most:
        hint = "A page has a few thousand bytes: save the one page of the call, not the whole site."
        raise PageError(f"the page has more than {most} bytes, the limit", where=where, hint=hint)
    text = _decoded(data, where)
    if not text.strip():
        raise PageError("the page is empty", where=where, hint="Save it again, with its content.")
    return text


def _decoded(data: bytes, where: str) -> str:
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "Save the page as UTF-8, or as UTF-16 with a byte order mark."
        raise PageError(
            f"not {encoding} text: byte {error.start} is the first bad one", where=f"{where}:{line}", hint=hint
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    bad = next((place for place, one in enumerate(text) if one in _CONTROLS), None)
    if bad is not None:
        line = text.count("\n", 0, bad) + 1
        raise PageError("a binary file is no page", where=f"{where}:{line}", hint="Save the page as text or as HTML.")
    return text


MAX_LINE, MAX_LINES = 20_000, 10_000
_QUOTES = re.compile(r"^[ >]*>", re.MULTILINE)
_MAX_QUOTES = 10


def read_page(path: Path) -> Page:
    """The page in the file at `path`, whichever of the three dialects it is in.

    Errors: `PageError` for a file that is no text, is in no known dialect, or lacks a part of its dialect.
    """
    return page_of_text(read_text(path), str(path))


def page_of_text(text: str, where: str) -> Page:
    """The page that a text is; `where` names it in errors."""
    check_bounds(text, where)
    if looks_like_html(text):
        lines, unread = lines_of_html(text, where)
        if not help_page.looks_like_help_page(lines):
            raise _unknown(where, "HTML that is no such help page")
        return help_page.page_of(lines, unread, where)
    lines = lines_of(text)
    if help_page.looks_like_help_page(lines):
        return help_page.page_of(lines, (), where)
    document = parse_markdown(text)
    if is_gitbook(document):
        return call_page.page_of(document, GITBOOK, where)
    if is_slate(document):
        return call_page.page_of(document, SLATE, where)
    raise _unknown(where, _other_text(text, document))


def check_bounds(text: str, where: str, most: int = MAX_LINES) -> None:
    """Refuse a text that would take a reader too long. Errors: `PageError` for lines, their length, nested quotes."""
    if text.count("\n") > most:
        hint = "A page has a few hundred: save the one page of the call."
        raise PageError(f"the page has more than {most} lines", where=f"{where}:{most}", hint=hint)
    for at, row in enumerate(text.split("\n"), 1):
        if len(row) > MAX_LINE:
            raise PageError(
                f"a line has more than {MAX_LINE} characters",
                where=f"{where}:{at}",
                hint="Save the page with its own line breaks.",
            )
    for match in _QUOTES.finditer(text):
        if match.group(0).count(">") > _MAX_QUOTES:
            line = text.count("\n", 0, match.start()) + 1
            raise PageError(
                f"quotes nest more than {_MAX_QUOTES} deep",
                where=f"{where}:{line}",
                hint="Look at the saved page: no call is described so.",
            )


def _unknown(where: str, looks_like: str) -> PageError:
    hint = (
        "Known are the Markdown of Slate and of GitBook, with a call's name as heading and sections Request and Response, "
        "and the help page of ASP.NET Web API, as text or as HTML."
    )
    return PageError(f"the page is in no known dialect: it looks like {looks_like}", where=where, hint=hint)


def _other_text(text: str, document: Document) -> str:
    """What a text is that is no call's page, as far as its form tells."""
    if _OPENAPI.search(text):
        return "an OpenAPI document"
    if text.lstrip()[:1] in ("{", "["):
        return "JSON"
    heads = [block.text.plain for block in document.blocks if block.kind == "heading" and block.text.plain]
    if not heads:
        return "a text without headings"
    shown = ", ".join(heads[:_HEADS_SHOWN]) + (", …" if len(heads) > _HEADS_SHOWN else "")
    return f"Markdown with the headings {shown}, and none that begins with Request or Response"


_OPENAPI = re.compile(r"""^\s*["']?(?:openapi|swagger)["']?\s*:""", re.MULTILINE)
_HEADS_SHOWN = 5
