"""Strict JSON (RFC 8259) to values, with a note for every legal oddity, so that nothing sent goes unseen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn, TypeAlias

from conformance.formats.errors import BeyondError, CodecError, Note, Number, Pairs, Raw, plain
from conformance.formats.json.pointer import (
    MAX_DEPTH,
    MAX_VALUES,
    first_too_deep,
    holds_more,
    join_pointer,
    locate,
    too_deep_at,
)
from conformance.formats.json.write import JsonStyle, encode_json
from conformance.formats.text import Text, decode_text, position_at
from conformance.values import value_class

__all__ = [
    "JsonDocument", "JsonStyle", "Note", "Number", "Pairs", "Raw",
    "decode_json", "encode_json", "join_pointer", "locate",
]  # fmt: skip

MAX_DIGITS = 4_000
MAX_NOTES = 100
"""Of each kind; what is noted so often is no news any more."""
_MOST_SHOWN, _LONGEST_SHOWN = 10, 120

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'  # the closing quote is optional: an open string must not be rescanned
_RUN = re.compile(rf"[0-9.eE+-]{{{MAX_DIGITS // 2}}}")
_CONSTANT = re.compile(_STRING + r"|NaN|-?Infinity", re.DOTALL)
_LONG_NUMBER = re.compile(_STRING + rf"|-?[0-9][0-9.eE+-]{{{MAX_DIGITS},}}", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_EXPECTED = {
    "Expecting value": "a value is expected",
    "Expecting property name": "a member name in double quotes is expected",
    "Expecting ':'": "':' is expected",
    "Expecting ','": "',' or a closing bracket is expected",
    "Unterminated string": "the string is not closed",
    "Invalid control character": "a control character stands unescaped in a string",
    "Invalid \\escape": "the escape is not one of JSON's",
    "Invalid \\uXXXX": "\\u needs four hexadecimal digits",
}


@value_class(frozen=True, slots=True)
class JsonDocument:
    """A decoded body: dicts, lists, str, int, bool, None and `Number`, and the notes in document order."""

    value: Any
    notes: tuple[Note, ...] = ()

    @property
    def plain(self) -> Any:
        """The value with bare floats, as jsonschema-rs demands; the same object if it holds no `Number`."""
        if any(note.kind == "non-integer-literal" for note in self.notes):
            return plain(self.value)
        return self.value


class _OddError(Exception):
    """The quick decoder met something that needs a note, or a constant that JSON does not have."""


class _Members(list[tuple[str, Any]]):
    """An object's members as they were written."""


def _odd(_: str) -> NoReturn:
    raise _OddError


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _OddError
    return members


def _exact_int(literal: str) -> int | Number:
    return Number(literal) if literal == "-0" else int(literal)


_QUICK = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_odd, parse_constant=_odd)
_THOROUGH = json.JSONDecoder(object_pairs_hook=_Members, parse_float=Number, parse_int=_exact_int, parse_constant=_odd)


def decode_json(data: bytes, charset: str | None = None) -> JsonDocument:
    """Decode one JSON text strictly.

    `charset` is the parameter of the media type; without it a byte order mark decides, then UTF-8.
    Refused with `CodecError`: an empty body, bytes that are not of the charset, anything outside the grammar
    (NaN, comments, single quotes, trailing commas or text, control characters), more than MAX_DEPTH levels
    and numbers of more than MAX_DIGITS characters.
    `BeyondError`: more than MAX_VALUES values.
    Noted, MAX_NOTES times of each kind: a byte order mark, duplicate members (the last one is the value), numbers that are not plain
    integers, escapes that leave half a surrogate pair.
    """
    source = decode_text(data, charset)
    if source.encoding == "latin-1":
        raise CodecError("JSON is never iso-8859-1; the charset must be utf-8 (RFC 8259, section 8.1)", kind="charset")
    text = source.text
    _check_depth(source)
    if len(text) > MAX_DIGITS:
        _check_numbers(source)
    bom = (Note("bom", "", f"the body begins with a {source.encoding} byte order mark"),) if source.bom_length else ()
    thorough = "-0" in text or "\\ud" in text or "\\uD" in text
    try:
        if not thorough:
            try:
                return JsonDocument(_QUICK.decode(text), bom)
            except _OddError:
                pass
        notes = _Notes()
        value = _settle(_THOROUGH.decode(text), None, notes)
    except json.JSONDecodeError as error:
        raise _syntax_error(source, error) from None
    except _OddError:
        raise _constant_error(source) from None
    except ValueError as error:  # an interpreter started with a digit limit below ours
        raise CodecError(f"a number is too long: {error}", position_at(source, 0), "number-too-long") from None
    return JsonDocument(value, (*bom, *notes.kept))


_Path: TypeAlias = "tuple[_Path, str | int] | None"


def _pointer(path: _Path) -> str:
    tokens: list[str | int] = []
    while path is not None:
        path, token = path
        tokens.append(token)
    return join_pointer(reversed(tokens))


class _Notes:
    """The first notes of each kind."""

    def __init__(self) -> None:
        self.kept: list[Note] = []
        self._counts: dict[str, int] = {}

    def take(self, kind: str, path: _Path, text: Callable[[], str]) -> None:
        """Note something at a place; the words are made only when they are kept."""
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count <= MAX_NOTES:
            self.kept.append(Note(kind, _pointer(path), text()))


def _settle(value: Any, path: _Path, notes: _Notes) -> Any:
    """Turn members into dicts, taking a note of each oddity on the way; the depth is bounded by MAX_DEPTH."""
    if isinstance(value, _Members):
        return _settle_members(value, path, notes)
    if isinstance(value, list):
        return [_settle(item, (path, index), notes) for index, item in enumerate(value)]
    if isinstance(value, Number):
        notes.take("non-integer-literal", path, partial(str, value.literal))
    elif isinstance(value, str) and _SURROGATE.search(value):
        notes.take("lone-surrogate", path, partial(_ascii, value))
    return value


def _settle_members(pairs: _Members, path: _Path, notes: _Notes) -> dict[str, Any]:
    last = dict(pairs)
    earlier: dict[str, list[Any]] = {}
    if len(last) != len(pairs):
        for key, value in pairs:
            earlier.setdefault(key, []).append(value)
    members: dict[str, Any] = {}
    for key, value in last.items():
        here = (path, key)
        if _SURROGATE.search(key):
            notes.take("lone-surrogate", here, partial("member name {}".format, _ascii(key)))
        written = earlier.get(key, ())
        if len(written) > 1:
            notes.take("duplicate-key", here, partial(_repeated, key, written))
        members[key] = _settle(value, here, notes)
    return members


def _repeated(key: str, written: Sequence[Any]) -> str:
    before = written[:-1]
    shown = ", ".join(_shown(one) for one in before[:_MOST_SHOWN])
    more = f" and {len(before) - _MOST_SHOWN} more" if len(before) > _MOST_SHOWN else ""
    return f"member {_ascii(key)} is given {len(written)} times; the last is used, before it: {shown}{more}"


def _ascii(text: str) -> str:
    return ascii(text) if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]!a}… ({len(text)} characters)"


def _shown(value: Any) -> str:
    text = encode_json(_as_pairs(value), JsonStyle(ascii_only=True)).decode()
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}… ({len(text)} characters)"


def _as_pairs(value: Any) -> Any:
    if isinstance(value, _Members):
        return Pairs(tuple((key, _as_pairs(member)) for key, member in value))
    return [_as_pairs(item) for item in value] if isinstance(value, list) else value


def _check_depth(source: Text) -> None:
    if len(source.text) > MAX_VALUES and holds_more(source.text, MAX_VALUES):
        place = first_too_deep(source.text, MAX_VALUES)
        if place is None:
            raise BeyondError(f"the JSON holds more than {MAX_VALUES:,} values")
    else:
        place = too_deep_at(source.text)
    if place is not None:
        message = f"the JSON is nested more than {MAX_DEPTH} levels deep"
        raise CodecError(message, position_at(source, place), "too-deep")


def _check_numbers(source: Text) -> None:
    step = MAX_DIGITS // 2
    if not any(_RUN.match(source.text, start) for start in range(0, len(source.text), step)):
        return  # a number that is too long fills at least one whole step
    for match in _LONG_NUMBER.finditer(source.text):
        if match.group()[0] != '"':
            message = f"a number of more than {MAX_DIGITS} characters is not read"
            raise CodecError(message, position_at(source, match.start()), "number-too-long")


def _constant_error(source: Text) -> CodecError:
    found = next(match for match in _CONSTANT.finditer(source.text) if match.group()[0] != '"')
    return CodecError(f"{found.group()} is not JSON; a number must be finite", position_at(source, found.start()))


def _syntax_error(source: Text, error: json.JSONDecodeError) -> CodecError:
    """Our own words and place for a fault: those of the standard library differ between Python versions."""
    text, index = source.text, error.pos
    if not text.strip(" \t\n\r"):
        return CodecError("the body is empty; a JSON value is expected", position_at(source, 0), "empty")
    rest = text[index : index + 2]
    before = text[:index].rstrip(" \t\n\r")
    if rest[:1] in ("]", "}") and before.endswith(","):
        index, what = len(before) - 1, "the comma before a closing bracket is not JSON"
    elif rest[:1] == "," and text[index + 1 :].lstrip(" \t\n\r")[:1] in ("]", "}"):
        what = "the comma before a closing bracket is not JSON"
    elif rest in ("//", "/*") or rest[:1] == "#":
        what = "a comment is not JSON"
    elif rest[:1] == "'":
        what = "single quotes are not JSON; strings take double quotes"
    elif error.msg.startswith("Extra data"):
        what = "text follows the JSON value"
    else:
        what = next((ours for theirs, ours in _EXPECTED.items() if error.msg.startswith(theirs)), error.msg)
    found = f", found {text[index]!a}" if index < len(text) else ", found the end"
    return CodecError(f"not valid JSON: {what}{found}", position_at(source, index))
