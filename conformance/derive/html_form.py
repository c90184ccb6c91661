"""What of a saved HTML help page is refused, since it would be read wrongly: text beside the document, uneven tables."""

from __future__ import annotations

import re

from lxml import etree

from conformance.derive.help_rows import OTHER_HEAD, ROW_HEAD
from conformance.errors import PageError

_UNSEEN = re.compile(r"<!--|<(script|style|noscript|template)(?=[\s>])", re.IGNORECASE)
_CLOSES = {"": re.compile("-->")} | {
    tag: re.compile(rf"</{tag}\s*>", re.IGNORECASE) for tag in ("script", "style", "noscript", "template")
}
_MARK = re.compile(r"<!doctype[^>]*>|<(/?)(html|body)(?=[\s/>])[^>]*>", re.IGNORECASE)
_ONE = "Save the page of one operation again, as one HTML document."
_EVEN = "Give each row a cell of its own under each head: Name, Description, Type, Additional information."


def refuse_text_beside(text: str, where: str) -> None:
    """Errors: `PageError` for a second document in the file, and for text before `<html>` or after `</html>`.

    Comments and scripts may stand there: whoever reads the page sees nothing of them.
    """
    seen = _seen(text)
    found: dict[str, re.Match[str]] = {}
    for mark in _MARK.finditer(seen):
        name = "<!doctype>" if mark.group(2) is None else f"<{mark.group(1)}{mark.group(2).lower()}>"
        if name in found:
            raise _refused(where, seen, mark.start(), f"a second HTML document in the file: {name} stands there again")
        found[name] = mark
    begins = found.get("<html>") or found.get("<!doctype>")
    ends = found.get("</body>") or found.get("</html>")
    without = _MARK.sub(lambda one: _blank(one.group(0)), seen)
    if begins is not None and without[: begins.start()].strip():
        raise _refused(where, without, _first(without, 0), "text stands before the HTML document")
    if ends is not None and without[ends.end() :].strip():
        raise _refused(where, without, _first(without, ends.end()), "text stands after the HTML document")


def refuse_uneven_tables(root: etree._Element, where: str) -> None:
    """Errors: `PageError` for a table of parameters with joined cells, other columns, or a row that has not as many cells as its head."""
    for table in root.iter("table"):
        cells = [cell for cell in table.iter("td", "th") if next(cell.iterancestors("table")) is table]
        rows: dict[etree._Element | None, list[etree._Element]] = {}
        for cell in cells:
            rows.setdefault(cell.getparent(), []).append(cell)
        head = next((row for row in rows.values() if ROW_HEAD.fullmatch(" ".join(map(_text, row)).strip())), None)
        if head is None:
            _refuse_other_head(list(rows.values()), where)
            continue
        for row in rows.values():
            name, line = _text(row[0]), row[0].sourceline or 0
            for cell in row:
                joined = [side for side in ("colspan", "rowspan") if (cell.get(side) or "1").strip() != "1"]
                if joined:
                    message = f"the row {name!r} has joined cells: {joined[0]}={cell.get(joined[0])!r}"
                    raise PageError(message, where=f"{where}:{cell.sourceline or line}", hint=_EVEN)
            if len(row) != len(head):
                message = f"the row {name!r} has {len(row)} cells, and its head {len(head)}"
                raise PageError(message, where=f"{where}:{line}", hint=_EVEN)


def _refuse_other_head(rows: list[list[etree._Element]], where: str) -> None:
    """A table that has columns of the template, and is not read for want of others or because of more."""
    for row in rows:
        names = [_text(cell) for cell in row]
        if {"Name", "Type"} <= set(names):
            message = f"a table with the columns {', '.join(names)} cannot be read: {OTHER_HEAD}"
            raise PageError(message, where=f"{where}:{row[0].sourceline or 0}", hint=_EVEN)


def _seen(text: str) -> str:
    """The text with comments, scripts and styles blanked, so that lines stay; each is looked at once."""
    pieces: list[str] = []
    place = 0
    while (opens := _UNSEEN.search(text, place)) is not None:
        closes = _CLOSES[(opens.group(1) or "").lower()].search(text, opens.end())
        if closes is None:
            break
        pieces += [text[place : opens.start()], _blank(text[opens.start() : closes.end()])]
        place = closes.end()
    return "".join([*pieces, text[place:]])


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _text(cell: etree._Element) -> str:
    return " ".join("".join(map(str, cell.itertext())).split())


def _first(text: str, start: int) -> int:
    """The place of the first character from `start` on that is no blank."""
    return start + len(text[start:]) - len(text[start:].lstrip())


def _refused(where: str, text: str, place: int, message: str) -> PageError:
    return PageError(message, where=f"{where}:{text.count(chr(10), 0, place) + 1}", hint=_ONE)
