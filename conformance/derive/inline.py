"""The running text of Markdown and of HTML inside it: plain words, the strong words in front, the words set off as names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree
from lxml import html as lxml_html

from conformance.derive.page import Unread

if TYPE_CHECKING:
    from markdown_it.token import Token

_HTML_TAG = re.compile(r"<\s*(/?)\s*([A-Za-z][\w-]*)[^>]*?(/?)>")
_STRONG, _MARK = frozenset({"strong", "b"}), frozenset({"em", "i", "code"})
_PLAIN = frozenset(
    {
        "p",
        "span",
        "a",
        "div",
        "aside",
        "u",
        "sup",
        "sub",
        "ul",
        "ol",
        "li",
        "table",
        "td",
        "tr",
        "mark",
        "h4",
        "h5",
        "h6",
    }
)
_SILENT = frozenset({"script", "style", "iframe", "object", "embed", "template", "noscript"})


@dataclass(frozen=True, slots=True)
class Text:
    """Words with line breaks kept as line feeds; `lead` is the strong text in front, `marked` the emphasised words."""

    plain: str
    lead: str = ""
    marked: tuple[str, ...] = ()


class _Builder:
    """Puts a text together from pieces, each strong, emphasised or neither."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.pieces: list[tuple[str, bool, bool]] = []
        self.strong = self.mark = self.silent = 0
        self.unread: list[Unread] = []

    def add(self, text: str) -> None:
        if self.silent:
            if text.strip():
                self.unread.append(
                    Unread(self.line, text.strip()[:80], "inside an element that is not read", shown=False)
                )
        else:
            self.pieces.append((text, self.strong > 0, self.mark > 0))

    def tag(self, name: str, *, closes: bool, empty: bool = False) -> None:
        step = -1 if closes else 1
        if name == "br" or (name in ("p", "li") and closes):
            self.add("\n")
        elif name in _STRONG:
            self.strong = max(0, self.strong + step)
        elif name in _MARK:
            self.mark = max(0, self.mark + step)
        elif name in _SILENT:
            self.silent = max(0, self.silent + step) if not empty else self.silent
            if not closes:
                self.unread.append(Unread(self.line, f"<{name}>", "the element is not read", shown=False))
        elif name not in _PLAIN and not closes:
            self.unread.append(Unread(self.line, f"<{name}>", "the element is not read; the text in it is"))

    def text(self) -> Text:
        lead, started = "", False
        for piece, strong, _ in self.pieces:
            if strong and (not piece.strip() or not started or lead):
                lead, started = lead + piece, True
            elif piece.strip():
                break
        marked = tuple(piece.strip(" \t\n.;:,") for piece, _, mark in self.pieces if mark and piece.strip(" \t\n.;:,"))
        return Text(_tidy("".join(piece for piece, _, _ in self.pieces)), " ".join(lead.split()), marked)


def of_tokens(token: Token, line: int) -> tuple[Text, list[Unread]]:
    """The text of an `inline` token, and what in it is not read."""
    made = _Builder(line)
    for child in token.children or ():
        if child.type in ("text", "code_inline", "text_special"):
            made.mark += child.type == "code_inline"
            made.add(child.content)
            made.mark -= child.type == "code_inline"
        elif child.type == "softbreak":
            made.add(" ")
        elif child.type == "hardbreak":
            made.add("\n")
        elif child.type in ("strong_open", "strong_close", "em_open", "em_close"):
            made.tag(child.tag, closes=child.nesting < 0)
        elif child.type == "html_inline":
            _html_tag(made, child.content)
        elif child.type == "link_open":
            made.unread.append(
                Unread(line, str(child.attrGet("href"))[:80], "where a link leads is not read", shown=False)
            )
        elif child.type != "link_close":
            made.unread.append(Unread(line, child.content[:80], f"a Markdown {child.type} is not read"))
    return made.text(), made.unread


def of_html(source: str, line: int) -> tuple[Text, list[Unread]]:
    """The text of a block of HTML, and what in it is not read: scripts, styles, comments."""
    made = _Builder(line)
    try:
        roots: Iterable[object] = lxml_html.fragments_fromstring(source)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return Text(""), [Unread(line, source.strip()[:80], "the HTML cannot be read")]
    for root in roots:
        if isinstance(root, str):
            made.add(root)
        elif isinstance(root, etree._Comment | etree._ProcessingInstruction):
            _html_node(made, "comment", root)
        elif isinstance(root, etree._Element):
            for event, node in etree.iterwalk(root, events=("start", "end", "comment")):
                _html_node(made, event, node)
    return made.text(), made.unread


def _html_node(made: _Builder, event: str, node: etree._Element) -> None:
    if event == "comment":
        made.unread.append(Unread(made.line, (node.text or "").strip()[:80], "a comment is not read", shown=False))
    elif isinstance(node.tag, str):
        made.tag(node.tag, closes=event == "end")
        if event == "start" and node.text:
            made.add(node.text)
    if event in ("end", "comment") and node.tail:
        made.add(node.tail)


def _html_tag(made: _Builder, source: str) -> None:
    found = _HTML_TAG.fullmatch(source.strip())
    if found is None:
        made.unread.append(Unread(made.line, source[:80], "a comment or a broken tag is not read"))
        return
    name = found.group(2).lower()
    made.tag(name, closes=bool(found.group(1)), empty=bool(found.group(3)))


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
