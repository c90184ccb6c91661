"""The cells of a pipe table's row as they stand in its line, since the Markdown parser drops those beyond the head."""

from __future__ import annotations

import re

_BAR = re.compile(r"(?<!\\)\|")
_QUOTE_MARKS = re.compile(r"[ \t>]*")
_CODE = re.compile(r"(?<![`\\])(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def surplus_cells(line: str, columns: int) -> tuple[str, ...]:
    """The cells of the line behind the first `columns` ones; an escaped bar ends no cell, and empty cells are left out."""
    return tuple(cell.strip() for cell in _cells(line)[columns:] if cell.strip())


def with_bars_in_code_escaped(line: str, columns: int) -> str:
    """The line with the bars inside its code spans escaped, where it has too many cells before and enough after that."""
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
