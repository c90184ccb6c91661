"""What was demanded and what stood there: each in a few words that fit side by side and never read the same."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from itertools import islice
from typing import Any

from conformance.formats.errors import Number

_LONGEST = 120
_WHOLE = 1_000_000
_LONG = 10_000
"""Nobody reads longer texts side by side."""
_BEFORE = 20
"""How many characters stand before the first difference of two texts that begin alike."""
_UNSEEN = frozenset({"Cf", "Mn", "Me"})
"""Unicode categories of what a reader does not see, or not as a letter of its own."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_OVERLOOKED = re.compile(r"""[^\x20-\x7e]|(?:(?<=[ "'])|^) | (?=["']|$)""")
"""All beyond ASCII, and blanks at the ends of a text and after another blank."""
_SAME = " (another value, written the same)"
_MOST_NAMES = 20
_KINDS = {bool: "boolean", int: "integer", str: "string", list: "list", dict: "object"}


def shown(value: Any, most: int = _LONGEST) -> str:
    """A value as JSON, cut to a readable length; numbers as they were written."""
    if isinstance(value, Number):
        return _cut(value.literal, most)
    try:
        return _cut(json.dumps(value, ensure_ascii=False, default=str), most)
    except ValueError:
        return f"a {kind_of(value)} that is too large to show"


def texts_of(keyword: str, detail: Mapping[str, Any], value: Any) -> tuple[str, str]:
    """What the keyword demands and what stood there; of long values the part where they differ."""
    expected, actual = expected_text(keyword, detail), actual_text(keyword, detail, value)
    if keyword == "const" and expected == actual:
        return told_apart(shown(detail["expected_value"], _WHOLE), shown(value, _WHOLE), _LONGEST)
    return told_apart(expected, actual)


def told_apart(expected: str, actual: str, most: int | None = None) -> tuple[str, str]:
    """Both texts, so that nobody takes one for the other; each cut to `most` characters, near their first difference.

    What differs only in blanks, in characters that nobody sees, or in letters that look like those of ASCII is written
    with escapes.
    """
    one, other = expected, actual
    if one and _reads_like(one, other):
        if "\\" in one + other:
            one, other = one.replace("\\", "\\\\"), other.replace("\\", "\\\\")
        one, other = _OVERLOOKED.sub(_escape, one), _OVERLOOKED.sub(_escape, other)
        if one == other:
            other += _SAME
    if most is None:
        return one, other
    one, other = from_difference(one, other, most)
    return _cut(one, most), _cut(other, most)


def from_difference(one: str, other: str, most: int) -> tuple[str, str]:
    """Both texts; where `most` characters do not show that they differ, from a little before the first difference."""
    if one[:most] != other[:most]:
        return one, other
    pairs = zip(one, other, strict=False)
    first = next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
    start = max(0, first - _BEFORE)
    return f"… {one[start:]}", f"… {other[start:]}"


def _reads_like(one: str, other: str) -> bool:
    """Whether a reader may take two texts for the same one, for they differ only in what is overlooked."""
    if max(len(one), len(other)) > _LONG:
        return one == other
    if one.isascii() and other.isascii() and one.isprintable() and other.isprintable():
        return one == other or "".join(one.split()) == "".join(other.split())
    left, right = _seen(one), _seen(other)
    return len(left) == len(right) and all(
        a == b or a.isascii() is not b.isascii() for a, b in zip(left, right, strict=True)
    )


def _seen(text: str) -> str:
    """The characters that a reader sees: controls as the escapes that reports write for them, and no blanks."""
    text = unicodedata.normalize("NFKD", _CONTROL.sub(_escape, text))
    return "".join(one for one in text if not one.isspace() and unicodedata.category(one) not in _UNSEEN)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return _SHORT.get(match.group()) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def actual_text(keyword: str, detail: Mapping[str, Any], value: Any) -> str:
    """What stood there, from the side that the keyword looks at."""
    if keyword == "required":
        return f"members {_names(value)}" if value else "no members"
    if keyword in ("maxItems", "minItems", "contains") and isinstance(value, list):
        return f"{len(value)} item{'s' if len(value) != 1 else ''}: {shown(value)}" if value else "an empty list"
    if keyword == "type":
        return "null" if value is None else f"{shown(value)} ({kind_of(value)})"
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        return f"also {_names(detail.get('unexpected', ()))}"
    return shown(value)


def _names(names: Collection[str]) -> str:
    first = ", ".join(_cut(name, _LONGEST) for name in islice(names, _MOST_NAMES))
    return first if len(names) <= _MOST_NAMES else f"{first} and {len(names) - _MOST_NAMES} more"


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


def kind_of(value: Any) -> str:
    """The JSON type of a value, in the words that expectations use."""
    if value is None:
        return "null"
    return "number" if isinstance(value, float) else _KINDS.get(type(value), type(value).__name__)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"
