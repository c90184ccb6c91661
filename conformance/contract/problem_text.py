"""What a JSON Schema demanded and what stood there, each in a few words that fit side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from conformance.formats.errors import Number

_LONGEST = 120
_KINDS = {bool: "boolean", int: "integer", str: "string", list: "list", dict: "object"}


def shown(value: Any) -> str:
    """A value as JSON, cut to a readable length; numbers as they were written."""
    if isinstance(value, Number):
        return _cut(value.literal)
    try:
        return _cut(json.dumps(value, ensure_ascii=False, default=str))
    except ValueError:
        return f"a {_kind(value)} that is too large to show"


def actual_text(keyword: str, detail: Mapping[str, Any], value: Any) -> str:
    """What stood there, from the side that the keyword looks at."""
    if keyword == "required":
        return f"members {', '.join(value)}" if value else "no members"
    if keyword in ("maxItems", "minItems", "contains") and isinstance(value, list):
        return f"{len(value)} item{'s' if len(value) != 1 else ''}: {shown(value)}" if value else "an empty list"
    if keyword == "type":
        return "null" if value is None else f"{shown(value)} ({_kind(value)})"
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        return f"also {', '.join(detail.get('unexpected', ()))}"
    return shown(value)


def expected_text(keyword: str, detail: Mapping[str, Any]) -> str:
    """What the keyword demands; the keyword's own name where there are no better words."""
    words = _WORDS.get(keyword)
    return words(detail) if words else keyword


def _not(schema: Any) -> str:
    if isinstance(schema, Mapping) and set(schema) == {"const"}:
        return f"anything but {shown(schema['const'])}"
    if isinstance(schema, Mapping) and set(schema) == {"enum"}:
        return f"none of {_listed(schema['enum'])}"
    return f"nothing that matches {shown(schema)}"


def _limit(words: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda detail: words.format(detail["limit"])


def _max_items(detail: Mapping[str, Any]) -> str:
    return "an empty list" if detail["limit"] == 0 else f"at most {detail['limit']} items"


def _enum(detail: Mapping[str, Any]) -> str:
    return f"one of {_listed(detail['options'])}"


def _types(detail: Mapping[str, Any]) -> str:
    order = ["object", "array", "string", "integer", "number", "boolean", "null"]
    names = sorted(detail["types"], key=lambda name: order.index(name) if name in order else len(order))
    return " or ".join("list" if name == "array" else name for name in names)


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "type": _types,
    "required": lambda detail: f"the member {detail['property']}",
    "const": lambda detail: shown(detail["expected_value"]),
    "enum": _enum,
    "not": lambda detail: _not(detail["schema"]),
    "maximum": _limit("at most {}"),
    "minimum": _limit("at least {}"),
    "exclusiveMaximum": _limit("less than {}"),
    "exclusiveMinimum": _limit("more than {}"),
    "maxItems": _max_items,
    "minItems": _limit("at least {} items"),
    "maxLength": _limit("at most {} characters"),
    "minLength": _limit("at least {} characters"),
    "maxProperties": _limit("at most {} members"),
    "minProperties": _limit("at least {} members"),
    "pattern": lambda detail: f"text of the form {detail['pattern']}",
    "format": lambda detail: f"text of the format {detail['format']}",
    "contains": lambda _: "a list with an item of the demanded kind",
    "additionalProperties": lambda _: "no members beyond those named",
    "unevaluatedProperties": lambda _: "no members beyond those named",
    "uniqueItems": lambda _: "items that differ",
    "multipleOf": lambda detail: f"a multiple of {detail['multiple_of']}",
    "falseSchema": lambda _: "nothing here",
    "anyOf": lambda _: "one of several forms",
    "oneOf": lambda _: "exactly one of several forms",
}


def _listed(values: list[Any]) -> str:
    return ", ".join(shown(value) for value in values)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return "number" if isinstance(value, float) else _KINDS.get(type(value), type(value).__name__)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
