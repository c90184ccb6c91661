"""The members of a message as every reader may see them: the shape that JSON, XML and query strings share.

All members of a JSON text: every duplicate, at every depth, in strings that hold JSON again.

All values of an XML text, by local name alone, in pieces as careless readers see them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, TypeAlias
from urllib.parse import parse_qsl, unquote
from xml.parsers import expat

from conformance.formats.json.pointer import MAX_DEPTH, too_deep_at
from conformance.values import value_class


@value_class(frozen=True, slots=True)
class Literal:
    """A JSON number as it was written."""

    text: str


Scalar: TypeAlias = "bool | str | Literal | None"


@value_class(frozen=True, slots=True)
class Container:
    """An object or a list that stands where a scalar is expected."""


CONTAINER = Container()


@value_class(frozen=True, slots=True)
class Found:
    """One value under a name, wherever it stands; a list's items have the list's name, "" is none."""

    name: str
    value: Scalar | Container


@value_class(frozen=True, slots=True)
class View:
    """What one reader may see of a message.

    `top` are the members of the object that the call expects, as written, duplicates included; `found` is
    every value at any depth. A reader that sees no such object has no `top`.
    """

    top: tuple[Found, ...] = ()
    found: tuple[Found, ...] = ()


@value_class(frozen=True, slots=True)
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


def together(contents: Sequence[Content]) -> Content:
    """What several readers may see of one body."""
    return Content(
        tuple(view for content in contents for view in content.views),
        tuple(text for content in contents for text in content.unreadable),
        next((content.refusal for content in contents if content.refusal), ""),
        tuple(name for content in contents for name in content.names),
    )


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
    if too_deep_at(text) is not None:
        raise ValueError("nested too deeply")
    return _DECODER.decode(text)


_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?', re.DOTALL)


def as_written(text: str) -> str:
    """JSON whose names are read as they stand in this one, with their escapes: some readers compare them like that."""
    return _STRING.sub(_name_as_written, text) if "\\" in text else text


def _name_as_written(match: re.Match[str]) -> str:
    name, colon = match.groups()
    if colon is None or "\\" not in name:
        return match[0]
    return json.dumps(name, ensure_ascii=False) + colon


def json_content(text: str) -> Content:
    """The views of a JSON text whose root is expected to be an object or a list. Errors: ValueError."""
    content = content_of(read_json(text))
    written = as_written(text)
    if written == text:
        return content
    value = read_json(written)
    found = tuple(one for one in walk(value, "") if "\\" not in one.name)
    top = tuple(_top(value)) if isinstance(value, Members) else ()
    return replace(content, views=(*content.views, View(top, found)))


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


@dataclass(slots=True)
class _Element:
    name: str
    pieces: list[str] = field(default_factory=list)
    has_children: bool = False


@dataclass(slots=True)
class _Reader:
    """Collects what expat reports; some reader takes each of its text events for the whole."""

    stack: list[_Element] = field(default_factory=lambda: [_Element("")])
    found: list[Found] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: list[str]) -> None:
        local = name.rpartition(":")[2]
        self.stack[-1].has_children = True
        if len(self.stack) > MAX_DEPTH:
            raise ValueError("nested too deeply")
        self.stack.append(_Element(local))
        self.names.append(local)
        for key, value in zip(attributes[::2], attributes[1::2], strict=True):
            if key.partition(":")[0] != "xmlns" and key.rpartition(":")[2] != "nil":
                self.found.append(Found(key.rpartition(":")[2], value))

    def end(self, _name: str) -> None:
        element = self.stack.pop()
        pieces = [piece for piece in element.pieces if piece.strip()]
        if element.has_children:
            self.found.append(Found(element.name, CONTAINER))
        elif not pieces:
            self.found.append(Found(element.name, None))
        whole = ["".join(element.pieces), "".join(pieces)] if pieces else []
        for text in dict.fromkeys([*whole, *pieces]):
            self.found.append(Found(element.name, text))

    def text(self, data: str) -> None:
        self.stack[-1].pieces.append(data)

    def note(self, *texts: str) -> None:
        """A comment or an instruction: a reader that looks for tags alone sees into it."""
        self.found.append(Found("", " ".join(texts)))


def xml_content(text: str) -> Content:
    """The view of a well-formed XML text, namespaces and prefixes ignored. Errors: ValueError."""
    if "<!DOCTYPE" in text.upper():
        return Content(refusal="the body has a DOCTYPE, whose entities may stand for any id")
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.ordered_attributes = True
    parser.buffer_text = False
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.CommentHandler = reader.note
    parser.ProcessingInstructionHandler = reader.note
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError) as error:
        raise ValueError(f"not well-formed XML: {error}") from error
    return Content((View(found=tuple(reader.found)),), names=tuple(reader.names))
