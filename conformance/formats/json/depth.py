"""JSON from outside, never nested deeper than MAX_DEPTH: where a parser would give up differs from Python to Python."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MAX_DEPTH = 100

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'  # the closing quote is optional: an open string must not be rescanned
_BRACKETS = re.compile(_STRING + r"|[\[{]|[\]}]", re.DOTALL)
_NO_BRACKETS = re.compile(_STRING + r"|[^\[\]{}\"]++", re.DOTALL)


def load_json(data: str | bytes) -> Any:
    """The value of a JSON text as the standard library reads it; `ValueError` also where it is nested too deeply.

    For answers, files and lines that need no strict reading; bodies that are judged go through `decode_json`.
    """
    text = data if isinstance(data, str) else data.decode(json.detect_encoding(data), "surrogatepass")
    if too_deep_at(text) is not None:
        raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
    return json.loads(text)


def load_top(data: str | bytes) -> Any:
    """The same, where a text is nested too deeply with null in place of every container below the top one."""
    text = data if isinstance(data, str) else data.decode(json.detect_encoding(data), "surrogatepass")
    return json.loads(text if too_deep_at(text) is None else "".join(_top(text)))


def _top(text: str) -> Iterator[str]:
    depth = kept = 0
    for match in _BRACKETS.finditer(text):
        character = match.group()[0]
        if character in "[{":
            depth += 1
            if depth == 2:
                yield text[kept : match.start()] + "null"
        elif character != '"':
            depth -= 1
            if depth == 1:
                kept = match.end()
    if depth <= 1:
        yield text[kept:]


def too_deep_at(text: str) -> int | None:
    """The index of the first bracket beyond MAX_DEPTH levels; None where no level is too deep."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return None
    brackets = _NO_BRACKETS.sub("", text)
    for _ in range(MAX_DEPTH):  # each pass takes away the innermost level
        before = len(brackets)
        brackets = brackets.replace("[]", "").replace("{}", "")
        if not brackets:
            return None
        if len(brackets) == before:
            break
    depth = 0
    for match in _BRACKETS.finditer(text):
        character = match.group()[0]
        if character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return match.start()
        elif character != '"':
            depth -= 1
    return None
