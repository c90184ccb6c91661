"""Reads YAML nodes into frozen dataclasses: a class is a `Record` with a form for each annotated attribute."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Protocol, Union, get_args, get_origin, get_type_hints

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from conformance.contract.source import (
    A_TEXT,
    BOOL,
    HINT,
    INT,
    NULL,
    STR,
    At,
    Mention,
    Source,
    entries,
    place_text,
    refuse,
    suggestion,
    unknown_key,
)
from conformance.model import GIVEN, REST, Key, Names, OneOf


def read(kind: Any, source: Source) -> Any:
    """The content of a file as a value of this type; None, and faults in the source, where it is none."""
    before = len(source.faults)
    value = form_of(kind).read(source.root, None, source)
    return value if len(source.faults) == before else None


class Form(Protocol):
    """What may stand at a place of a file, and how it is read; `contract.published` makes a JSON Schema of it."""

    @property
    def words(self) -> str:
        """What is expected, in words."""

    def takes(self, node: Node) -> bool:
        """Whether a node has this shape, whatever is in it."""

    def read(self, node: Node, at: At, source: Source) -> Any:
        """The value of a node; faults go to the source."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Scalar:
    """A text, a whole number or a flag."""

    tag: str
    words: str
    json_type: str

    def takes(self, node: Node) -> bool:
        """By its tag."""
        return node.tag == self.tag

    def read(self, node: Node, at: At, source: Source) -> Any:
        """The value."""
        if node.tag != self.tag:
            return refuse(self.words, node, at, source)
        return node.value if self.tag == STR else source.json(node)


TEXT = Scalar(STR, A_TEXT, "string")
_SCALARS: Mapping[Any, Scalar] = {
    str: TEXT,
    int: Scalar(INT, "a whole number", "integer"),
    bool: Scalar(BOOL, "true or false", "boolean"),
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Choice:
    """One of a few words."""

    options: tuple[str, ...]
    of: Callable[[str], Any] = str

    @property
    def words(self) -> str:
        """The words themselves."""
        return " or ".join(self.options)

    def takes(self, node: Node) -> bool:
        """Any text: another word is a fault of its own."""
        return bool(node.tag == STR)

    def read(self, node: Node, at: At, source: Source) -> Any:
        """The word."""
        if node.tag == STR and node.value in self.options:
            return self.of(node.value)
        if not isinstance(node, ScalarNode):
            return refuse(self.words, node, at, source)
        what = f"{place_text(at)}{node.value!r} is none of {', '.join(self.options)}"
        source.fault(node, what, suggestion(node.value, self.options))
        return None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Name:
    """A text that names something."""

    kind: str

    @property
    def words(self) -> str:
        """A text."""
        return f"the name of a {self.kind}"

    def takes(self, node: Node) -> bool:
        """Any text."""
        return bool(node.tag == STR)

    def read(self, node: Node, at: At, source: Source) -> Any:
        """The name, which is looked up when everything is read."""
        if node.tag != STR:
            return refuse(self.words, node, at, source)
        source.mentions.append(Mention(self.kind, node.value, node, at))
        return node.value


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Anything:
    """A JSON value."""

    words: str = "a JSON value"

    def takes(self, node: Node) -> bool:  # noqa: ARG002  the protocol's signature
        """Everything."""
        return True

    def read(self, node: Node, at: At, source: Source) -> Any:  # noqa: ARG002  the protocol's signature
        """The plain value."""
        return source.json(node)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Nothing:
    """Null, in the place of a value that may be left out."""

    words: str = "nothing"

    def takes(self, node: Node) -> bool:
        """By its tag."""
        return bool(node.tag == NULL)

    def read(self, node: Node, at: At, source: Source) -> Any:
        """None."""
        return None if node.tag == NULL else refuse(self.words, node, at, source)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Several:
    """A list of things of one form."""

    item: Form
    kind: type[tuple[Any, ...]] | type[list[Any]] = tuple
    words: str = "a list"

    def takes(self, node: Node) -> bool:
        """By its shape."""
        return isinstance(node, SequenceNode)

    def read(self, node: Node, at: At, source: Source) -> Any:
        """Every item."""
        if not isinstance(node, SequenceNode):
            return refuse(self.words, node, at, source)
        return self.kind(
            [self.item.read(child, (at, (place, child)), source) for place, child in enumerate(node.value)]
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Table:
    """A mapping whose keys are names or words."""

    key: Form
    value: Form
    words: str = "a mapping"

    def takes(self, node: Node) -> bool:
        """By its shape."""
        return isinstance(node, MappingNode)

    def read(self, node: Node, at: At, source: Source) -> Any:
        """Every entry."""
        if not isinstance(node, MappingNode):
            return refuse(self.words, node, at, source)
        found = {}
        for key_node, value_node in entries(node, at, source):
            if isinstance(self.key, Choice) and key_node.value not in self.key.options:
                unknown_key(key_node, at, self.key.options, source)
                continue
            self.key.read(key_node, at, source)
            found[key_node.value] = self.value.read(value_node, (at, key_node.value), source)
        return found


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OneForm:
    """One of several forms, told apart by their shapes."""

    forms: tuple[Form, ...]

    @property
    def words(self) -> str:
        """All of them."""
        return " or ".join(one.words for one in self.forms if not isinstance(one, Nothing))

    def takes(self, node: Node) -> bool:
        """What one of them takes."""
        return any(one.takes(node) for one in self.forms)

    def read(self, node: Node, at: At, source: Source) -> Any:
        """By the first that takes the node."""
        for one in self.forms:
            if one.takes(node):
                return one.read(node, at, source)
        return refuse(self.words, node, at, source)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Member:
    """One attribute of a class, and the key that it is read from."""

    attribute: str
    form: Form
    needed: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Record:
    """A mapping that becomes a frozen class; a key that no attribute has is an error."""

    of: Any
    members: Mapping[str, Member]
    given: tuple[str, ...]
    rest: str
    words: str = "a mapping"

    def takes(self, node: Node) -> bool:
        """By its shape."""
        return isinstance(node, MappingNode)

    def read(self, node: Node, at: At, source: Source) -> Any:
        """The value; None where something is wrong with it."""
        if not isinstance(node, MappingNode):
            return refuse(self.words, node, at, source)
        before = len(source.faults)
        values: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for key_node, value_node in entries(node, at, source):
            key = key_node.value
            member = self.members.get(key)
            if member is not None:
                values[member.attribute] = member.form.read(value_node, (at, key), source)
            elif self.rest:
                rest[key] = source.json(value_node)
            else:
                unknown_key(key_node, at, self.members, source)
        for key, member in self.members.items():
            if member.needed and member.attribute not in values:
                if source.partial and at is None:
                    values[member.attribute] = _empty(member.form)
                else:
                    source.fault(node, f"{place_text(at)}key {key!r} is missing", HINT)
        if len(source.faults) > before:
            return None
        if self.rest:
            values[self.rest] = rest
        values.update({name: source.given[name] for name in self.given if name in source.given})
        return self.of(**values)


@cache
def form_of(kind: Any) -> Form:
    """The form of a type, as the attributes of models have it."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _marked(arguments[0], arguments[1:])
    if kind in _SCALARS:
        return _SCALARS[kind]
    if kind is Any:
        return Anything()
    if kind is type(None):
        return Nothing()
    if origin is Literal:
        return Choice(arguments)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return Choice(tuple(str(one) for one in kind), kind)
    if origin in (tuple, list):
        return Several(form_of(arguments[0]), origin)
    if origin is Mapping:
        return Table(form_of(arguments[0]), form_of(arguments[1]))
    if origin in (Union, types.UnionType):
        return OneForm(tuple(form_of(one) for one in arguments))
    if is_dataclass(kind):
        return _record(kind)
    raise TypeError(f"no file is read into a {kind!r}")


def _marked(kind: Any, marks: tuple[Any, ...]) -> Form:
    for mark in marks:
        if isinstance(mark, Names):
            return Name(mark.kind)
        if isinstance(mark, OneOf):
            return Choice(mark.words)
    return form_of(kind)


def _record(kind: Any) -> Record:
    members: dict[str, Member] = {}
    given: list[str] = []
    rest = ""
    hints = get_type_hints(kind, include_extras=True)
    for one in fields(kind):
        hint = hints[one.name]
        marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        if GIVEN in marks:
            given.append(one.name)
        elif REST in marks:
            rest = one.name
        else:
            key = next((mark.name for mark in marks if isinstance(mark, Key)), one.name)
            needed = one.default is MISSING and one.default_factory is MISSING
            members[key] = Member(one.name, form_of(hint), needed)
    return Record(kind, members, tuple(given), rest)


def _empty(form: Form) -> Any:
    """What stands for a key that a draft does not have yet."""
    if isinstance(form, Several):
        return form.kind()
    if isinstance(form, Table):
        return {}
    return "" if isinstance(form, Scalar | Name | Choice) else None
