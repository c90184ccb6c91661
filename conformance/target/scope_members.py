"""The members of a message as every reader may see them: the shape that JSON, XML and query strings share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote

from conformance.target.scope_ids import Literal

Scalar: TypeAlias = "bool | str | Literal | None"


@dataclass(frozen=True, slots=True)
class Container:
    """An object or a list that stands where a scalar is expected."""


CONTAINER = Container()


@dataclass(frozen=True, slots=True)
class Found:
    """One value under a name, wherever it stands; a list's items have the list's name, "" is none."""

    name: str
    value: Scalar | Container


@dataclass(frozen=True, slots=True)
class View:
    """What one reader may see of a message.

    `top` are the members of the object that the call expects, as written, duplicates included; `found` is
    every value at any depth. A reader that sees no such object has no `top`.
    """

    top: tuple[Found, ...] = ()
    found: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """The views of one body, and the texts in it that could not be read as a structure."""

    views: tuple[View, ...] = ()
    unreadable: tuple[str, ...] = ()
    refusal: str = ""
    """Why the body must not be sent whatever it names, "" when there is no such reason."""
    names: tuple[str, ...] = field(default=())
    """Names of elements and members that hold no scalar; a digit in one may be an id."""


NO_CONTENT = Content(views=(View(),))


def query_members(query: str) -> tuple[Found, ...]:
    """The members of a query string or form, decoded once and twice, whichever way they are separated."""
    pairs: dict[tuple[str, str], int] = {}
    for text in dict.fromkeys((query, unquote(query), query.replace(";", "&"))):
        found = parse_qsl(text, keep_blank_values=True)
        for pair in found:
            pairs[pair] = max(pairs.get(pair, 0), found.count(pair))
    return tuple(Found(*pair) for pair, count in pairs.items() for _ in range(count))


def merged(views: Iterable[View], extra: tuple[Found, ...]) -> tuple[View, ...]:
    """The views with members that stand beside the body, in the query or a header."""
    return tuple(View(view.top, view.found + extra) for view in views)
