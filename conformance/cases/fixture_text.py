"""JSON text of a fixture file: readable, one small value a line, and the same bytes on every machine."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_UNSEEN = re.compile("[\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ud800-\udfff]")
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "))
_CANONICAL = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


def fixture_text(value: Any, width: int = 110) -> str:
    """Indented by one space a level; from the third level on, what fits into `width` columns takes one line.

    Ends in a line feed. Characters that an eye cannot see, and halves of surrogate pairs, are escaped.
    """
    parts: list[str] = []
    _write(value, 0, 0, width, parts)
    parts.append("\n")
    return _UNSEEN.sub(_escape, "".join(parts))


def canonical_text(value: Any) -> str:
    """One line of ASCII without spaces, members in the order given: what a digest is taken of."""
    return _CANONICAL.encode(value)


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


def _write(value: Any, level: int, before: int, width: int, parts: list[str]) -> None:
    text = _COMPACT.encode(value)
    if not isinstance(value, (Mapping, list)) or not value or (level > 1 and level + before + len(text) <= width):
        parts.append(text)
        return
    opening, closing = "{}" if isinstance(value, Mapping) else "[]"
    items = value.items() if isinstance(value, Mapping) else ((None, item) for item in value)
    lead = opening
    for key, item in items:
        label = "" if key is None else f"{_COMPACT.encode(key)}: "
        parts.append(f"{lead}\n{' ' * (level + 1)}{label}")
        _write(item, level + 1, len(label), width, parts)
        lead = ","
    parts.append(f"\n{' ' * level}{closing}")
