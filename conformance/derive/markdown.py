"""Markdown to blocks with lines: headings, paragraphs, samples, tables, notes; every line is in one or listed as not read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from conformance.derive.inline import Text, of_html, of_tokens
from conformance.derive.page import Unread
from conformance.derive.table_cells import surplus_cells, with_bars_in_code_escaped

if TYPE_CHECKING:
    from markdown_it.token import Token

_TAG_LINE = re.compile(r"\s*\{%.*%\}\s*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_STRUCTURE = ("blockquote_open", "blockquote_close", "bullet_list_open", "bullet_list_close", "ordered_list_open",
              "ordered_list_close", "list_item_open", "list_item_close", "hr", "paragraph_close", "heading_close")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, its cells in order; `surplus` are those beyond the head's; `closed` when its line ends with a bar."""

    cells: tuple[Text, ...]
    line: int
    closed: bool = True
    surplus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page; `level` is that of a heading, `info` the language of a code block, `rows` those of a table."""

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
