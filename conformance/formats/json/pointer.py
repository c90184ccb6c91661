"""JSON Pointers (RFC 6901), and the place in a text that one of them names.

JSON from outside, never nested deeper than MAX_DEPTH: where a parser would give up differs from Python to Python.
Nor is anything parsed that holds more values than are read: a body within its limit of bytes may hold millions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from conformance.formats.text import decode_text, line_column

MAX_DEPTH = 100
MAX_VALUES = 30_000
"""In a body that is judged: many times what the longest list of results holds."""
MAX_VALUES_READ = 500_000
"""In any other text, such as the list of all open orders."""

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'  # the closing quote is optional: an open string must not be rescanned
_BRACKETS = re.compile(_STRING + r"|[\[{]|[\]}]", re.DOTALL)
_NO_BRACKETS = re.compile(_STRING + r"|[^\[\]{}\"]++", re.DOTALL)
_STRINGS = re.compile(_STRING, re.DOTALL)
_LONGEST_TOKEN = 200
_SPACE = re.compile(r"[ \t\n\r]*")
_SCAN: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().raw_decode


def join_pointer(tokens: Iterable[str | int]) -> str:
    """The pointer of these member names and indices: `["a/b", 0]` gives `/a~1b/0`. A name of 200 characters is cut."""
    return "".join("/" + _shortened(str(token)).replace("~", "~0").replace("/", "~1") for token in tokens)


def _shortened(token: str) -> str:
    return token if len(token) <= _LONGEST_TOKEN else f"{token[:_LONGEST_TOKEN]}…"


def split_pointer(pointer: str) -> tuple[str, ...]:
    """The tokens of a pointer; `ValueError` if it is neither empty nor begins with a slash."""
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise ValueError(f"JSON Pointer {pointer!r} must be empty or begin with '/'")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/"))


def locate(data: bytes, pointer: str, charset: str | None = None) -> tuple[int, int] | None:
    """Line and column, from 1, where the value at `pointer` begins; None if the text has no such value.

    Of duplicate members the last is meant, as in `decode_json`.
    """
    try:
        text = decode_text(data, charset).text
        if too_deep_at(text) is not None:
            return None
        index: int | None = _skip_space(text, 0)
        for token in split_pointer(pointer):
            if index is None:
                return None
            index = _child(text, index, token)
        if index is None or index >= len(text):
            return None
        _SCAN(text, index)
    except (ValueError, IndexError):
        return None
    return line_column(text, index)


def _skip_space(text: str, index: int) -> int:
    match = _SPACE.match(text, index)
    return match.end() if match else index


def _child(text: str, index: int, token: str) -> int | None:
    """The index where the member or item `token` of the container at `index` begins."""
    opening = text[index]
    if opening not in "{[":
        return None
    closing = "}" if opening == "{" else "]"
    found = None
    count = 0
    index = _skip_space(text, index + 1)
    while text[index] != closing:
        key = str(count)
        if opening == "{":
            key, index = _SCAN(text, index)
            index = _skip_space(text, _skip_space(text, index) + 1)
        if key == token:
            found = index
            if opening == "[":
                return found
        index = _skip_space(text, _SCAN(text, index)[1])
        if text[index] == ",":
            index = _skip_space(text, index + 1)
        count += 1
    return found


def load_json(data: str | bytes) -> Any:
    """The value of a JSON text as the standard library reads it; `ValueError` also where it is nested too deeply.

    For answers, files and lines that need no strict reading; bodies that are judged go through `decode_json`. What holds
    more than MAX_VALUES_READ values is refused as well.
    """
    text = data if isinstance(data, str) else data.decode(json.detect_encoding(data), "surrogatepass")
    if holds_more(text, MAX_VALUES_READ):
        raise ValueError(f"holds more than {MAX_VALUES_READ} values, or is nested more than {MAX_DEPTH} levels deep")
    if too_deep_at(text) is not None:
        raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
    return json.loads(text)


def load_top(data: str | bytes) -> Any:
    """The same, where a text is nested too deeply with null in place of every container below the top one."""
    text = data if isinstance(data, str) else data.decode(json.detect_encoding(data), "surrogatepass")
    if holds_more(text, MAX_VALUES_READ):
        raise ValueError(f"holds more than {MAX_VALUES_READ} values")
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


def holds_more(text: str, most: int) -> bool:
    """Whether a text would make more than so many values, counted by its commas and opening brackets.

    Nothing is parsed for it, and no string is looked into twice.
    """
    if len(text) <= most or text.count(",") + text.count("[") + text.count("{") <= most:
        return False
    if text.count('"') - text.count('\\"') > 4 * most:  # a value has two strings at most, itself and its name
        return True
    bare = _STRINGS.sub("", text) if '"' in text else text
    return bare.count(",") + bare.count("[") + bare.count("{") > most


def too_deep_at(text: str) -> int | None:
    """The index of the first bracket beyond MAX_DEPTH levels; None where no level is too deep.

    For texts that do not hold too much: it looks at each bracket up to a hundred times.
    """
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
    return first_too_deep(text, len(text))


def first_too_deep(text: str, most: int) -> int | None:
    """The same, looking at no more than so many strings and brackets from the start."""
    depth = 0
    for match in islice(_BRACKETS.finditer(text), most):
        character = match.group()[0]
        if character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return match.start()
        elif character != '"':
            depth -= 1
    return None
