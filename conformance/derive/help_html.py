"""A help page saved as HTML to the lines that its text has, so that one parser reads both."""

from __future__ import annotations

from lxml import etree
from lxml import html as lxml_html

from conformance.derive.help_rows import Line
from conformance.derive.html_form import refuse_text_beside, refuse_uneven_tables
from conformance.derive.page import Unread
from conformance.errors import PageError

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
