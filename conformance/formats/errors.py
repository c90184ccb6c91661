"""What the codecs raise.

    ValueError
    ├── CodecError   the bytes (or the value) cannot be read (or written) at all; says where and of what kind
    │   └── BeyondError   the bytes hold more than is read, which no document forbids
    └── XsdError     a contract's schema cannot be used: remote import, unsupported construct, unknown root

Both are `ValueError`, since callers such as Schemathesis' deserializers expect no other type.

The value classes that the codecs share: notes, exact numbers, and what a plain value cannot say.
"""

from __future__ import annotations

from typing import Any, Self

from conformance.values import value_class


@value_class(frozen=True, slots=True)
class Position:
    """Where in a text: line and column from 1 in characters, offset from 0 in bytes (None where unknown)."""

    line: int
    column: int
    offset: int | None = None

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class CodecError(ValueError):
    """The bytes cannot be read, or the value cannot be written.

    `kind` is one word for programs: "empty", "encoding", "charset", "syntax", "too-deep", "too-large",
    "number-too-long", "beyond", "doctype", "entity", "root", "value" or "media-type". `position` is None when no
    place applies (an unknown charset, a value that has no written form).
    """

    def __init__(self, message: str, position: Position | None = None, kind: str = "syntax") -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.kind = kind

    def __str__(self) -> str:
        return self.message if self.position is None else f"{self.message} (at {self.position})"


class BeyondError(CodecError):
    """The bytes hold more parts than are read; whether they are right is then open."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind="beyond")


class XsdError(ValueError):
    """A schema file cannot serve as a contract; the message names the file and the construct."""


@value_class(frozen=True, slots=True)
class Note:
    """Something legal but remarkable about a document: its kind, a JSON Pointer to the value, and a sentence.

    JSON kinds: "bom", "duplicate-key", "non-integer-literal", "lone-surrogate".
    XML adds: "processing-instruction", "xml-version", "encoding-mismatch", "schema-location", "xsi-type",
    and every kind of `XmlProblem`.
    """

    kind: str
    pointer: str
    text: str


class Number(float):
    """A JSON number that is not a plain integer, with its text: 1.0, 1e2 and -0 stay visible."""

    __slots__ = ("literal",)
    literal: str

    def __new__(cls, literal: str) -> Self:
        number = super().__new__(cls, literal)
        number.literal = literal
        return number

    def __reduce__(self) -> tuple[type[Number], tuple[str]]:
        return (Number, (self.literal,))

    def __repr__(self) -> str:
        return f"Number({self.literal!r})"


@value_class(frozen=True, slots=True)
class Raw:
    """Text written as it stands where a JSON value (or key) is expected; it need not be valid JSON."""

    text: str


@value_class(frozen=True, slots=True)
class Pairs:
    """An object written as these members in this order, duplicates included."""

    members: tuple[tuple[str | Raw, Any], ...]


def plain(value: Any) -> Any:
    """The same value with each `Number` as a bare float, for engines that refuse subclasses."""
    if isinstance(value, Number):
        return float(value)
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
