"""Charts as SVG and strips as table cells, drawn by the server."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 560, 170, 52, 24


def chart(title: str, values: Sequence[float], labels: Sequence[str], kind: str) -> Markup:
    """A line chart of one value over runs, the oldest left; each point names its run. `kind` is its class."""
    top = max(max(values, default=0), 1)
    step = (_WIDTH - _LEFT - 10) / max(len(values) - 1, 1)
    points = [
        (_LEFT + number * step, 8 + (_HEIGHT - _BOTTOM - 8) * (1 - value / top)) for number, value in enumerate(values)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = Markup("").join(
        Markup('<circle cx="{}" cy="{}" r="3"><title>{}: {:g}</title></circle>').format(
            f"{x:.1f}", f"{y:.1f}", label, one
        )
        for (x, y), label, one in zip(points, labels, values, strict=True)
    )
    ends = (labels[0], labels[-1]) if labels else ("", "")
    return Markup(
        '<figure class="chart"><figcaption>{title}: <b>{now:g}</b></figcaption>'
        '<svg viewBox="0 0 {w} {h}" role="img" aria-label="{title}, from {first:g} to {now:g}" class="{kind}">'
        '<line x1="{left}" y1="{floor}" x2="{w}" y2="{floor}" class="axis"/><line x1="{left}" y1="8" x2="{w}" y2="8" class="axis"/>'
        '<text x="{gap}" y="{floor}" text-anchor="end">0</text><text x="{gap}" y="16" text-anchor="end">{top:g}</text>'
        '<text x="{left}" y="{foot}">{one}</text><text x="{w}" y="{foot}" text-anchor="end">{other}</text>'
        '<polyline points="{path}"/>{dots}</svg></figure>'
    ).format(
        title=title, now=values[-1] if values else 0, first=values[0] if values else 0, w=_WIDTH, h=_HEIGHT, kind=kind,
        left=_LEFT, gap=_LEFT - 6, floor=_HEIGHT - _BOTTOM, foot=_HEIGHT - 5, top=top, one=_short(ends[0]), other=_short(ends[1]),
        path=path, dots=dots,
    )  # fmt: skip


def _short(label: str) -> str:
    return label if len(label) <= 24 else f"{label[:23]}…"


def strip(spans: Sequence[tuple[int, Any]], runs: Sequence[Mapping[str, Any]], word: Callable[[Any], str]) -> Markup:
    """Table cells for what a line says at each run (the oldest first, with `at`), one cell for runs that say the same.

    `word` gives what stands for a value, which is also the class of the cell: a verdict, or "" for what is not listed.
    """
    cells = []
    for said, mine in groupby(zip(_at_each(spans, runs), runs, strict=True), key=lambda pair: word(pair[0])):
        several = [run for _, run in mine]
        first, last = several[0]["release"], several[-1]["release"]
        told = first if len(several) == 1 else f"{first} to {last}"
        cells.append(
            Markup('<td colspan="{}" class="{} cell" title="{}: {}"><span>{}</span></td>').format(
                len(several), said or "none", told, said or "not listed", _letter(said)
            )
        )
    return Markup("").join(cells)


def _at_each(spans: Sequence[tuple[int, Any]], runs: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    left, value = list(spans), None
    for run in runs:
        while left and left[0][0] <= run["at"]:
            value = left.pop(0)[1]
        yield value


LETTERS = {
    "pass": "·", "fail": "F", "waived": "W", "not-verified": "?", "not-applicable": "-", "incomplete": "?", "error": "E",
    "target-error": "E", "harness-error": "E",
}  # fmt: skip
"""One letter for each verdict, so that nobody needs to see colours."""


def _letter(word: str) -> str:
    return LETTERS.get(word, "")


def matrix_row(runs: Sequence[tuple[str, str, str, int]], width: int) -> str:
    """The cells of an endpoint as escaped HTML: its runs (id, release, verdict, causes) as links; empty cells up to `width`.

    A page may have 20,000, so what cells share is written once.
    """
    cells = []
    for identity, release, verdict, causes in runs:
        start, end = _ends_of(verdict)
        cells.append(f"{start}{_in_address(identity)}{_titled(release)}{end[0]}{causes}{end[1]}")
    return "".join(cells) + '<td class="none cell"></td>' * (width - len(runs))


def _in_address(text: str) -> str:
    return text if text.isascii() and text.isalnum() else quote(text, safe="")


@functools.lru_cache(1024)
def _titled(release: str) -> str:
    return f'" title="{escape(release)}'


@functools.lru_cache(64)
def _ends_of(verdict: str) -> tuple[str, tuple[str, str]]:
    """What a cell begins with, and what stands before and after the number of its causes."""
    kind = verdict if verdict in LETTERS else "error"
    start = f'<td class="{kind} cell"><a href="/run?id='
    return start, (f": {escape(verdict)}, ", f' causes">{LETTERS[kind]}</a></td>')
