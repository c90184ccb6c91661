"""Reads Markdown into blocks: headings, paragraphs, samples, tables, notes; any other line is listed as not read.

The running text of Markdown and of HTML inside it: plain words, the strong words in front, the words set off as names.

The cells of a pipe table's row as they stand in its line, since the Markdown parser drops those beyond the head.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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
        "thead",
        "tbody",
        "td",
        "th",
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
        if name == "br" or (name in ("p", "li", "tr") and closes):
            self.add("\n")
        elif name in ("td", "th") and closes:
            self.add(" ")
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


_BAR = re.compile(r"(?<!\\)\|")
_QUOTE_MARKS = re.compile(r"[ \t>]*")
_CODE = re.compile(r"(?<![`\\])(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def surplus_cells(line: str, columns: int) -> tuple[str, ...]:
    """The cells of the line after the first `columns`; an escaped bar ends no cell; empty cells are left out."""
    return tuple(cell.strip() for cell in _cells(line)[columns:] if cell.strip())


def with_bars_in_code_escaped(line: str, columns: int) -> str:
    """The line with the bars in its code spans escaped, if it had too many cells before and has enough then."""
    if len(_cells(line)) <= columns:
        return line
    mended = _CODE.sub(lambda span: _BAR.sub(r"\|", span.group(0)), line)
    return mended if len(_cells(mended)) >= columns else line


def _cells(line: str) -> list[str]:
    """The parts between the bars, without the empty ones outside the first and the last bar."""
    parts = _BAR.split(_QUOTE_MARKS.sub("", line, count=1).strip())
    if parts and not parts[0]:
        parts = parts[1:]
    return parts[:-1] if parts and not parts[-1] else parts


_TAG_LINE = re.compile(r"\s*\{%.*%\}\s*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_STRUCTURE = ("blockquote_open", "blockquote_close", "bullet_list_open", "bullet_list_close", "ordered_list_open",
              "ordered_list_close", "list_item_open", "list_item_close", "hr", "paragraph_close", "heading_close")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table; `surplus` are cells beyond the head; `closed` says whether its line ends with a bar."""

    cells: tuple[Text, ...]
    line: int
    closed: bool = True
    surplus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page: the `level` of a heading, the `info` (language) of a code block, the `rows` of a table."""

    kind: Literal["heading", "paragraph", "code", "table", "note"]
    line: int
    text: Text
    level: int = 0
    info: str = ""
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """The blocks of a page in order, and the lines that are in none."""

    blocks: tuple[Block, ...]
    unread: tuple[Unread, ...]


def parse_markdown(text: str) -> Document:
    """The blocks of a Markdown text with pipe tables; nothing is fetched and no HTML is carried out."""
    from markdown_it import MarkdownIt

    lines, unread = _without_markup_of_sites(text.split("\n"))
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse("\n".join(lines))
    mended = _with_bars_in_code(tokens, lines)
    if mended != lines:
        tokens, lines = parser.parse("\n".join(mended)), mended
    seen: set[int] = set()
    blocks: list[Block] = []
    for block, span, left_out in _blocks(tokens, lines):
        seen.update(range(*span))
        unread.extend(left_out)
        if block is not None:
            blocks.append(block)
    for number, line in enumerate(lines):
        if line.strip(" \t>*-_#") and number not in seen:
            unread.append(Unread(number + 1, line.strip(), "the Markdown parser made no block of it"))
    return Document(tuple(blocks), tuple(sorted(unread, key=lambda one: one.line)))


def _without_markup_of_sites(lines: list[str]) -> tuple[list[str], list[Unread]]:
    """The lines with front matter and `{% … %}` blanked, so that line numbers stay."""
    kept, unread, fence = list(lines), list[Unread](), ""
    start = 0
    if kept and kept[0].strip() == "---" and "---" in (line.strip() for line in kept[1:]):
        start = next(place for place, line in enumerate(kept[1:], 2) if line.strip() == "---")
        unread += [
            Unread(number, line.strip(), "front matter of the site", shown=False)
            for number, line in enumerate(kept[:start], 1)
            if line.strip(" -")
        ]
        kept[:start] = [""] * start
    for number, line in enumerate(kept[start:], start):
        mark = _FENCE.match(line)
        if mark and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark.group(1)
        elif not fence and _TAG_LINE.fullmatch(line):
            unread.append(Unread(number + 1, line.strip(), "a tag of the site's own"))
            kept[number] = ""
    return kept, unread


def _blocks(
    tokens: Sequence[Token], lines: Sequence[str]
) -> Iterator[tuple[Block | None, tuple[int, int], list[Unread]]]:
    """Each block with its span of lines, from 0, and what in it was left out."""
    place = 0
    while place < len(tokens):
        token = tokens[place]
        span = (token.map[0], token.map[1]) if token.map else (0, 0)
        line = span[0] + 1
        if token.type in ("heading_open", "paragraph_open"):
            text, left_out = of_tokens(tokens[place + 1], line)
            level = int(token.tag[1:]) if token.type == "heading_open" else 0
            yield Block("heading" if level else "paragraph", line, text, level), span, left_out
            place += 2
        elif token.type in ("fence", "code_block"):
            yield Block("code", line, Text(token.content), info=token.info.strip()), span, []
        elif token.type == "html_block":
            text, left_out = of_html(token.content, line)
            yield (Block("note", line, text) if text.plain else None), span, left_out
        elif token.type == "table_open":
            end = next(number for number in range(place, len(tokens)) if tokens[number].type == "table_close")
            rows, left_out = _rows(tokens[place:end], lines)
            yield Block("table", line, Text(""), rows=rows), span, left_out
            place = end
        elif token.type not in _STRUCTURE:
            yield None, span, [Unread(line, token.content[:80] or token.type, f"a Markdown {token.type} is not read")]
        elif token.type == "hr":
            yield None, span, []
        place += 1


def _with_bars_in_code(tokens: Sequence[Token], lines: list[str]) -> list[str]:
    """The lines with the bars in code spans of table rows escaped, which would else end a cell."""
    mended, columns = list(lines), 0
    for token in tokens:
        if token.type in ("thead_open", "th_open"):
            columns = 0 if token.type == "thead_open" else columns + 1
        elif token.type == "tr_open" and token.map and columns:
            mended[token.map[0]] = with_bars_in_code_escaped(lines[token.map[0]], columns)
        elif token.type == "table_close":
            columns = 0
    return mended


def _rows(tokens: Sequence[Token], lines: Sequence[str]) -> tuple[tuple[Row, ...], list[Unread]]:
    rows: list[Row] = []
    left_out: list[Unread] = []
    cells: list[Text] = []
    line = 0
    for token in tokens:
        if token.type == "tr_open":
            cells, line = [], (token.map[0] + 1 if token.map else 0)
        elif token.type == "inline":
            text, unread = of_tokens(token, line)
            cells.append(text)
            left_out.extend(unread)
        elif token.type == "tr_close":
            source = lines[line - 1]
            surplus = surplus_cells(source, len(cells))
            rows.append(Row(tuple(cells), line, source.rstrip().endswith("|"), surplus))
    return tuple(rows), left_out
