"""All members of a JSON text: every duplicate, at every depth, in strings that hold JSON again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from conformance.target.scope_ids import Literal
from conformance.target.scope_members import CONTAINER, Content, Found, View

_MAX_NESTED_TEXTS = 5


class Members(list[tuple[str, Any]]):
    """An object's members as they were written."""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=Members, parse_int=Literal, parse_float=Literal, parse_constant=_no_constant
)


def read_json(text: str) -> Any:
    """The value, objects as `Members` and numbers as `Literal`; ValueError for anything but strict JSON."""
    try:
        return _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def json_content(text: str) -> Content:
    """The views of a JSON text whose root is expected to be an object or a list. Errors: ValueError."""
    value = read_json(text)
    return content_of(value)


def content_of(value: Any) -> Content:
    """The views of a JSON value that was read already."""
    found = tuple(walk(value, ""))
    top = tuple(_top(value)) if isinstance(value, Members) else ()
    views = [View(top, found)]
    inner = value
    for _ in range(_MAX_NESTED_TEXTS):  # JSON that was encoded twice
        if not isinstance(inner, str):
            break
        try:
            inner = read_json(inner)
        except ValueError:
            return Content(tuple(views), (inner,))
        views.append(View(tuple(_top(inner)) if isinstance(inner, Members) else (), tuple(walk(inner, ""))))
    return Content(tuple(views), names=tuple(keys(value)))


def _top(members: Members) -> Iterator[Found]:
    for key, value in members:
        yield Found(key, CONTAINER if isinstance(value, list) else value)


def walk(value: Any, name: str) -> Iterator[Found]:
    """Every scalar below a value, and every container that has a name, under the nearest name."""
    if isinstance(value, list) and name:  # an object is a list of its members
        yield Found(name, CONTAINER)
    if isinstance(value, Members):
        for key, member in value:
            yield from walk(member, key)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item, name)
    else:
        yield Found(name, value)


def keys(value: Any) -> Iterator[str]:
    """Every member name at any depth."""
    if isinstance(value, Members):
        for key, member in value:
            yield key
            yield from keys(member)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item)
