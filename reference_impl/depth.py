"""JSON of a message, nested at most as deep as common servers allow, whatever the Python would stand."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 64
_BRACKETS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)


def load_json(data: str | bytes, **how: Any) -> Any:
    """The value of a JSON text, read as `json.loads` does; `ValueError` also where it is nested too deeply."""
    return json.loads(not_deep(data), **how)


def first_value(text: str) -> Any:
    """The JSON value that the text begins with; `ValueError` as above."""
    return json.JSONDecoder().raw_decode(not_deep(text))[0]


def not_deep(data: str | bytes) -> str:
    """The text itself; `ValueError` when a bracket in it opens a level beyond MAX_DEPTH."""
    text = data if isinstance(data, str) else data.decode(json.detect_encoding(data), "surrogatepass")
    depth = 0
    for match in _BRACKETS.finditer(text):
        character = match.group()[0]
        depth += (character in "[{") - (character in "]}")
        if depth > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
    return text
