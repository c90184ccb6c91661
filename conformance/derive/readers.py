"""A file to a page: which dialect it is in, and that dialect's reader."""

from __future__ import annotations

import re
from pathlib import Path

from conformance.derive import call_page, help_page
from conformance.derive.gitbook import GITBOOK, is_gitbook
from conformance.derive.help_html import lines_of_html, looks_like_html
from conformance.derive.help_rows import lines_of
from conformance.derive.markdown import parse_markdown
from conformance.derive.page import Page
from conformance.derive.slate import SLATE, is_slate
from conformance.derive.source import read_text
from conformance.errors import PageError

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
    _bounded(text, where)
    if looks_like_html(text):
        lines, unread = lines_of_html(text, where)
        if not help_page.looks_like_help_page(lines):
            raise _unknown(where)
        return help_page.page_of(lines, unread, where)
    lines = lines_of(text)
    if help_page.looks_like_help_page(lines):
        return help_page.page_of(lines, (), where)
    document = parse_markdown(text)
    if is_gitbook(document):
        return call_page.page_of(document, GITBOOK, where)
    if is_slate(document):
        return call_page.page_of(document, SLATE, where)
    raise _unknown(where)


def _bounded(text: str, where: str) -> None:
    if text.count("\n") > MAX_LINES:
        hint = "A page has a few hundred: save the one page of the call."
        raise PageError(f"the page has more than {MAX_LINES} lines", where=f"{where}:{MAX_LINES}", hint=hint)
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


def _unknown(where: str) -> PageError:
    hint = (
        "Known are the Markdown of Slate and of GitBook, with a call's name as heading and sections Request and Response, "
        "and the help page of ASP.NET Web API, as text or as HTML."
    )
    return PageError("the page is in no known dialect", where=where, hint=hint)
