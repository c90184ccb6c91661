"""A help page saved as HTML to the lines that its text has, so that one parser reads both.

What of a saved HTML help page is refused, since it would be read wrongly: text beside the document, uneven tables.
"""

from __future__ import annotations

import re

from lxml import etree
from lxml import html as lxml_html

from conformance.derive.page import Unread
from conformance.derive.read.help_rows import OTHER_HEAD, Line, is_head
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
    """Errors: `PageError` for a table of parameters with joined cells, other columns, or a row of another length."""
    for table in root.iter("table"):
        cells = [cell for cell in table.iter("td", "th") if next(cell.iterancestors("table")) is table]
        rows: dict[etree._Element | None, list[etree._Element]] = {}
        for cell in cells:
            rows.setdefault(cell.getparent(), []).append(cell)
        head = next((row for row in rows.values() if is_head(" ".join(map(_text, row)).strip())), None)
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


_SKIPPED = frozenset(
    {"script", "style", "iframe", "object", "embed", "noscript", "template", "head", "svg", "form", "nav", "footer"}
)
_BLOCKS = frozenset(
    {
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "div",
        "td",
        "tr",
        "table",
        "li",
        "ul",
        "section",
        "header",
        "body",
        "pre",
        "br",
        "caption",
    }
)
_MAX_DEPTH = 200


def looks_like_html(text: str) -> bool:
    """Whether a text begins as an HTML document or a part of one."""
    return (
        text.lstrip()
        .casefold()
        .startswith(("<!doctype html", "<html", "<body", "<div", "<section", "<h1", "<header", "<head"))
    )


def lines_of_html(text: str, where: str) -> tuple[list[Line], list[Unread]]:
    """The lines of the page, numbered as in the HTML, and what in it is not read: scripts, styles, comments, forms.

    Nothing is fetched or carried out. Errors: `PageError` for what the HTML parser refuses, for deep nesting, for text
    beside the document and for uneven tables.
    """
    lower = text.casefold()
    if any(f"<{tag}" in lower and f"</{tag}>" not in lower for tag in ("html", "body")):
        line = text.count("\n") + 1
        raise PageError("the HTML is cut off", where=f"{where}:{line}", hint="Save the page again: it has no end tag.")
    refuse_text_beside(text, where)
    try:
        parser = lxml_html.HTMLParser(no_network=True, huge_tree=False, encoding="utf-8")
        root = lxml_html.document_fromstring(text.encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise PageError(
            f"the HTML cannot be read: {error}", where=where, hint="Save the page again, or save its text."
        ) from None
    refuse_uneven_tables(root, where)
    made = _Lines(where)
    made.walk(root)
    beside = [*root.itersiblings(preceding=True), *root.itersiblings()]
    return made.lines, [*made.unread, *(_unseen(node) for node in beside)]


def _unseen(node: etree._Element) -> Unread:
    """A comment or a script that stands outside the document."""
    shown = node.itertext() if isinstance(node.tag, str) else (node.text or "",)
    line = getattr(node, "sourceline", 0) or 0
    text = " ".join(" ".join(map(str, shown)).split())[:80]
    return Unread(line, text, "stands outside the HTML document", shown=False)


class _Lines:
    """Collects lines: a block element begins a new one, a `pre` keeps its own."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.lines: list[Line] = []
        self.unread: list[Unread] = []
        self._open: list[str] = []

    def walk(self, root: etree._Element) -> None:
        skipping: etree._Element | None = None
        depth = 0
        for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
            line = getattr(node, "sourceline", 0) or 0
            if event in ("comment", "pi"):
                self.unread.append(Unread(line, (node.text or "").strip()[:80], "a comment is not read", shown=False))
                self._add(node.tail if skipping is None else "")
                continue
            depth += 1 if event == "start" else -1
            if depth > _MAX_DEPTH:
                hint = "A help page is shallow: save the text of the page instead."
                raise PageError(f"elements nest more than {_MAX_DEPTH} deep", where=f"{self.where}:{line}", hint=hint)
            if skipping is None and event == "start" and node.tag in _SKIPPED:
                skipping = node
                self.unread.append(
                    Unread(
                        line,
                        f"<{node.tag}> {' '.join(' '.join(map(str, node.itertext())).split())[:60]}",
                        "the element is not read",
                        shown=False,
                    )
                )
            if skipping is None:
                self._event(event, node, line)
            elif event == "end" and node is skipping:
                skipping = None
                self._add(node.tail)
        self._flush(0)

    def _event(self, event: str, node: etree._Element, line: int) -> None:
        tag = str(node.tag)
        inside_pre = tag == "pre" or any(one.tag == "pre" for one in node.iterancestors("pre"))
        if tag == "th" and event == "start":
            self._add(node.text)
        elif tag == "pre":
            self._flush(line)
            if event == "start":
                text = "".join(map(str, node.itertext())).strip("\n")
                self.lines += [
                    Line(line + number, " ".join(one.split()), one) for number, one in enumerate(text.split("\n"))
                ]
            else:
                self._add(node.tail)
        elif not inside_pre:
            if tag in _BLOCKS:
                self._flush(line)
            self._add(node.text if event == "start" else node.tail)
        if tag == "th" and event == "end":
            self._add(node.tail)

    def _add(self, text: str | None) -> None:
        if text:
            self._open.append(text)

    def _flush(self, line: int) -> None:
        text = " ".join("".join(self._open).split())
        self._open = []
        if text:
            self.lines.append(Line(line, text, text))
