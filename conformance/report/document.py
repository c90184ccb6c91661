"""A report as lines and grids, written as aligned text or, on a terminal, with colours by rich."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console

Style = Literal["plain", "title", "good", "bad", "warn", "dim"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text."""

    text: str = ""
    style: Style = "plain"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a grid, in one style."""

    cells: tuple[str, ...]
    style: Style = "plain"


@dataclass(frozen=True, slots=True)
class Grid:
    """Aligned columns under a head."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]


Block: TypeAlias = Line | Grid
_RICH_STYLES: dict[Style, str] = {
    "plain": "",
    "title": "bold",
    "good": "green",
    "bad": "bold red",
    "warn": "yellow",
    "dim": "dim",
}


def plain_lines(blocks: Iterable[Block]) -> Iterable[str]:
    """The blocks as text, without trailing blanks."""
    for block in blocks:
        if isinstance(block, Line):
            yield block.text
        else:
            yield from _aligned(block)


def print_rich(blocks: Iterable[Block], console: Console) -> None:
    """The blocks on a terminal; nothing in them is taken for markup."""
    from rich.table import Table
    from rich.text import Text

    for block in blocks:
        if isinstance(block, Line):
            console.print(Text(block.text, style=_RICH_STYLES[block.style]), soft_wrap=True)
            continue
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for position, name in enumerate(block.head):
            is_last = position == len(block.head) - 1
            table.add_column(Text(name), overflow="fold", no_wrap=not is_last)
        for row in block.rows:
            table.add_row(*(Text(cell, style=_RICH_STYLES[row.style]) for cell in row.cells))
        console.print(table)


def _aligned(grid: Grid) -> Iterable[str]:
    rows: Sequence[tuple[str, ...]] = [grid.head, *(row.cells for row in grid.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(grid.head))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
