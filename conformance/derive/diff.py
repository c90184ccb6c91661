"""A departure in lines that a person can read: where, what the page says, what stands against it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator

from conformance.derive.departures import MISFITS, Departure

_WIDE = 80


def departure_lines(one: Departure, by: str, *, verbose: bool) -> Iterator[str]:
    """One line for a short departure, a diff for a long one; `by` says what accounts for it, or is empty for drift."""
    word = "covered" if by else "drift  "
    place = f", {one.place}" if one.place else ""
    head = f"{word}  {one.at}: {one.kind}{place}"
    if by:
        yield f"{head}: {_cut(one.says)} against {_cut(one.against)}, {by}"
        return
    if one.kind == "ground-gone":
        yield f"{head}: {one.question} rests on what the page no longer shows ({one.against})"
        return
    if one.kind in MISFITS or one.kind in ("added", "removed"):
        asked = f" ({one.question})" if one.question and verbose else ""
        yield f"{head}: {_cut(one.says)} against {_cut(one.against)}{asked}"
        return
    yield head
    if max(len(one.says), len(one.against)) <= _WIDE:
        yield f"  - {one.against}"
        yield f"  + {one.says}"
        return
    lines = difflib.unified_diff(_lines(one.against), _lines(one.says), n=1, lineterm="")
    yield from (f"  {line}" for line in list(lines)[2:] if not line.startswith("@@"))


def _lines(text: str) -> list[str]:
    """A long value in lines: JSON and XML by their parts, anything else by words."""
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False).splitlines()
    except (ValueError, RecursionError):
        return (text.replace("><", ">\n<") if text.startswith("<") else text.replace(" ", "\n")).splitlines()


def _cut(text: str) -> str:
    return (text if len(text) <= _WIDE else f"{text[:_WIDE]}…") or "nothing"
