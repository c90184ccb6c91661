"""Values to JSON bytes under exact control of every character, broken forms included."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any, Literal

from conformance.formats.errors import CodecError, Number, Pairs, Raw
from conformance.formats.text import encode_text

MAX_LEVELS = 200
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """How to write a value. The default is the compact form: no white space, given order, UTF-8.

    `indent`: text of one level, None for one line. `key_order` rules dicts; `Pairs` keep their own order.
    `ascii_only` escapes all beyond ASCII; `escape_all` writes every character of every string as \\uXXXX.
    `charset` and `bom` choose the bytes; `before` and `after` are put around the value as they are.
    """

    item_separator: str = ","
    key_separator: str = ":"
    indent: str | None = None
    newline: str = "\n"
    key_order: Literal["given", "sorted", "reversed"] = "given"
    ascii_only: bool = False
    escape_all: bool = False
    charset: str = "utf-8"
    bom: bool = False
    before: str = ""
    after: str = ""


COMPACT = JsonStyle()


def encode_json(value: Any, style: JsonStyle = COMPACT) -> bytes:
    """Write dicts, lists, tuples, str, int, bool, None, finite floats, `Number`, `Pairs` and `Raw`.

    Errors: `CodecError` of kind "value" for anything else (NaN and infinities included: use `Raw`),
    "charset" or "encoding" for bytes that cannot be made, "too-deep" for a value of more than MAX_LEVELS
    levels, such as one without an end.
    """
    parts: list[str] = [style.before]
    _write(value, style, 0, parts)
    parts.append(style.after)
    return encode_text("".join(parts), style.charset, style.bom)


def _write(value: Any, style: JsonStyle, level: int, parts: list[str]) -> None:
    if isinstance(value, str):
        parts.append(_string(value, style))
    elif value is None or isinstance(value, bool):
        parts.append("null" if value is None else "true" if value else "false")
    elif isinstance(value, int):
        parts.append(_integer(value))
    elif isinstance(value, Number):
        parts.append(value.literal)
    elif isinstance(value, float):
        parts.append(_float(value))
    elif isinstance(value, Raw):
        parts.append(value.text)
    elif level >= MAX_LEVELS:
        raise CodecError(f"the value is nested in itself, or more than {MAX_LEVELS} levels deep", kind="too-deep")
    elif isinstance(value, dict):
        _write_members(_ordered(value, style), style, level, parts)
    elif isinstance(value, Pairs):
        _write_members(value.members, style, level, parts)
    elif isinstance(value, (list, tuple)):
        _write_items(value, style, level, parts)
    else:
        raise CodecError(f"a {type(value).__name__} has no JSON form; convert it, or use Raw", kind="value")


def _ordered(value: dict[Any, Any], style: JsonStyle) -> Iterable[tuple[Any, Any]]:
    if style.key_order == "sorted":
        return sorted(value.items(), key=lambda member: str(member[0]))
    return reversed(value.items()) if style.key_order == "reversed" else value.items()


def _write_members(members: Iterable[tuple[Any, Any]], style: JsonStyle, level: int, parts: list[str]) -> None:
    parts.append("{")
    first = True
    for key, value in members:
        if not first:
            parts.append(style.item_separator)
        first = False
        _break(style, level + 1, parts)
        if not isinstance(key, (str, Raw)):
            raise CodecError(f"member name {key!r} is not a string; JSON has no other names", kind="value")
        parts.append(key.text if isinstance(key, Raw) else _string(key, style))
        parts.append(style.key_separator)
        _write(value, style, level + 1, parts)
    if not first:
        _break(style, level, parts)
    parts.append("}")


def _write_items(items: Iterable[Any], style: JsonStyle, level: int, parts: list[str]) -> None:
    parts.append("[")
    first = True
    for item in items:
        if not first:
            parts.append(style.item_separator)
        first = False
        _break(style, level + 1, parts)
        _write(item, style, level + 1, parts)
    if not first:
        _break(style, level, parts)
    parts.append("]")


def _break(style: JsonStyle, level: int, parts: list[str]) -> None:
    if style.indent is not None:
        parts.append(style.newline + style.indent * level)


def _integer(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:
        raise CodecError("an integer has too many digits to write; use Raw", kind="value") from None


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise CodecError(f"{value!r} has no JSON form; use Raw to send it", kind="value")
    return float.__repr__(value)


def _escape(unit: int) -> str:
    return f"\\u{unit:04x}"


def _string(value: str, style: JsonStyle) -> str:
    if style.escape_all:
        units = value.encode("utf-16-be", "surrogatepass")
        escapes = (_escape(units[i] << 8 | units[i + 1]) for i in range(0, len(units), 2))
        return '"' + "".join(escapes) + '"'
    if style.ascii_only:
        return encode_basestring_ascii(value)
    # half a surrogate pair has no UTF form, so only the escape can carry it
    return _SURROGATE.sub(lambda match: _escape(ord(match.group())), encode_basestring(value))
