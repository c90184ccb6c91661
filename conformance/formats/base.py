"""A wire format: its media types, values to bytes and back, legal and broken forms, and what the guard sees.

A format is one `Format`, in one package below `conformance.formats`; `registry` knows all of them. JSON and
DataContract XML are the first two. A text that a format writes may hold `${name}` places, which `escape` fills.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from conformance.formats.errors import CodecError, Note, Pairs, Raw
from conformance.formats.members import Content
from conformance.formats.text import MediaType
from conformance.model.case import Body
from conformance.model.spec import Document, Operation
from conformance.values import value_class

PLACE = re.compile(r"\$\{([A-Za-z_][\w.#]*)([+-]\d+|[\^~!])?(?:\|([A-Za-z_][\w.#]*))?\}")
_TEXT_ENDINGS = ("uid", "pin", "text")


def is_text(name: str) -> bool:
    """Whether a binding of this name holds text (a GUID, a PIN, some other text) rather than an integer id."""
    return name.lower().endswith(_TEXT_ENDINGS)


def places(text: str) -> tuple[str, ...]:
    """The names of the bindings that a template uses, in order of first use."""
    return tuple(dict.fromkeys(match.group(1) for match in PLACE.finditer(text)))


class Problem(Protocol):
    """One way in which a body departs from its documented form; `type` is the kind that the JSON Schema judges too."""

    @property
    def kind(self) -> str:
        """One word for programs."""
        ...

    @property
    def message(self) -> str:
        """A sentence for people."""
        ...


@value_class(frozen=True, slots=True)
class Decoded:
    """A body as the value that JSON gives for it, and what was remarkable or wrong about its form."""

    value: Any
    notes: tuple[Note, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def plainly(self) -> bool:
        """Whether every reader sees this value: no member stands twice, and nothing but a type is wrong."""
        return not any(note.kind == "duplicate-key" for note in self.notes) and not any(
            problem.kind != "type" for problem in self.problems
        )


class Codec(Protocol):
    """One document of one operation in a format: its request, its response or its error.

    What is written is text where the format is text, else bytes. `CodecError` (kind "value") says that the format has
    no words for a value.
    """

    def encode(self, value: Any) -> str | bytes:
        """Write a value in the usual form; it may hold `Pairs`, and what the format's `raw` makes."""
        ...

    def plain(self, value: Any) -> str | bytes:
        """As `encode`, for values that are nothing but data, and many times as fast where that is possible."""
        ...

    def decode(self, data: bytes, charset: str | None = None) -> Decoded:
        """Read a body. Errors: `CodecError` for bytes that nobody can read."""
        ...


def body_of(written: str | bytes) -> Body:
    """What a codec has written, as the body of a message."""
    return Body(written) if isinstance(written, str) else Body(data=written)


_SHORT = 2048
"""Longer plain texts are few, and would be a burden."""


@dataclass(slots=True)
class Writing:
    """A value that is to be written in one of a format's forms; half of all forms begin with its plain text."""

    value: Any
    codec: Codec
    short: str | None = None
    """The plain text once it was needed, unless it is a long one."""
    binary: bool = False
    """Whether the format is no text; its bytes are then handled as the characters of the same numbers."""

    def plain(self) -> str:
        """The plain text. Errors: `CodecError` for what has no form."""
        if self.short is not None:
            return self.short
        written = self.codec.plain(self.value)
        if isinstance(written, str):
            text = written
        else:
            text, self.binary = written.decode("latin-1"), True
        if len(text) <= _SHORT:
            self.short = text
        return text

    def body(self, text: str, encoding: str = "utf-8") -> Body:
        """A body of this text, which was made of the plain one."""
        return Body(data=text.encode("latin-1")) if self.binary else Body(text, encoding)


Standing = Literal["legal", "lenient", "broken"]
"""legal: every reader must take it; lenient: real stacks differ; broken: nobody can read a request in it."""


@value_class(frozen=True, slots=True)
class WireForm:
    """One way to write a body; `write` gives None where a value has no such form."""

    name: str
    standing: Standing
    write: Callable[[Writing], Body | None]
    charset: str = ""
    """What is put behind the content type."""
    sure: bool = True
    """Whether a broken form breaks any text, whatever stands in it."""

    @property
    def title(self) -> str:
        """The form in words."""
        return self.name.replace("-", " ")


def as_written(writing: Writing) -> Body | None:
    """The plain form; None for a value that the format cannot say."""
    try:
        return writing.body(writing.plain())
    except CodecError:
        return None


def changed(change: Callable[[str], str], encoding: str = "utf-8") -> Callable[[Writing], Body | None]:
    """The plain text with a change made to it."""
    return lambda writing: change_of(writing, change, encoding)


def change_of(writing: Writing, change: Callable[[str], str], encoding: str = "utf-8") -> Body | None:
    """The plain text of this value with a change made to it; None for a value that the format cannot say."""
    try:
        return writing.body(change(writing.plain()), encoding)
    except CodecError:
        return None


def twice(item: Mapping[str, Any], member: str, first: Any, last: Any) -> Any:
    """The item with a member that stands first and last, with a value each."""
    others = tuple((name, value) for name, value in item.items() if name != member)
    return Pairs(((member, first), *others, (member, last)))


def beside(item: Mapping[str, Any], _member: str, spare: str) -> Any:
    """The item with one member more."""
    return {**item, spare: "test"}


def written_out(codec: Codec, item: Mapping[str, Any], count: int) -> Body:
    """A list of that many items, `#` in a place standing for the index of its item."""
    return body_of(codec.encode([_numbered(item, index) for index in range(count)]))


def _numbered(item: Mapping[str, Any], index: int) -> dict[str, Any]:
    return {
        name: PLACE.sub(lambda match: match.group().replace("#", str(index)), value)
        if isinstance(value, str)
        else value
        for name, value in item.items()
    }


@dataclass(frozen=True, slots=True, eq=False)
class Format:
    """One way to write values as bodies; everything that a body's format decides is asked here.

    The fields without a default are what every format must say; the others fit a text that can say any value.
    """

    name: str
    """One word, as contracts (`error_media`), scenarios and case ids have it."""
    label: str
    """As it stands in a sentence."""
    media_types: tuple[str, ...]
    """The types that it owns; the first is the usual one."""
    codec: Callable[[Operation, Document], Codec]
    """Of an operation's document: "request", "response" or "error". Errors: `SpecError` for one that cannot be used."""
    escape: Callable[[str], str]
    """A text value as it stands in a place of a body."""
    members: Callable[[str], Content]
    """All that any reader may see in a text, for the scope guard. Errors: `ValueError` for another format."""
    forms: tuple[WireForm, ...]
    """Legal, lenient and broken forms, the plain one first; one broken form at least breaks any text (`sure`)."""
    suffix: str = ""
    """The structured suffix of media types that mean this format as well: `+json`."""
    evident: bool = False
    """Whether a body shows by itself that it is in this format: the guard then looks for it under any content type."""
    any_value: bool = False
    """Whether it says every JSON value, types and unknown members included."""
    only_named: bool = False
    """Whether its bodies can only hold the members that the contract names."""
    documents: str = ""
    """The key of `operation.yaml` under which the format's own contract files are named, where it has such."""
    attributions: tuple[str, ...] = ()
    """The general checks of this format, for each of which `attribution` names a requirement."""
    raw: Callable[[str], Any] = Raw
    """A text that is written as it stands where a value belongs."""
    twice: Callable[[Mapping[str, Any], str, Any, Any], Any] = twice
    """An item in which a member stands twice: the item, the member, its first and its last value."""
    beside: Callable[[Mapping[str, Any], str, str], Any] = beside
    """An item with a member that no document names, close to another one: the item, that other one, the name."""
    repeated: Callable[[Codec, Mapping[str, Any], int], Body] = written_out
    """A list of many alike items."""

    spellings: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    """Other legal spellings of a text that is about to be sent, by the id of their row in the table of spellings."""
    template_spellings: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    """As `spellings`, of a text whose places are not filled yet."""

    def owns(self, media: MediaType) -> bool:
        """Whether a body of this media type is in this format."""
        if media.essence in self.media_types:
            return True
        return bool(self.suffix) and media.type in ("application", "text") and media.subtype.endswith(self.suffix)
