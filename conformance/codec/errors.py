"""What the codecs raise.

    ValueError
    ├── CodecError   the bytes (or the value) cannot be read (or written) at all; says where and of what kind
    └── XsdError     a contract's schema cannot be used: remote import, unsupported construct, unknown root

Both are `ValueError`, since callers such as Schemathesis' deserializers expect no other type.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
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
    "number-too-long", "doctype", "entity", "root", "value" or "media-type". `position` is None when no
    place applies (an unknown charset, a value that has no written form).
    """

    def __init__(self, message: str, position: Position | None = None, kind: str = "syntax") -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.kind = kind

    def __str__(self) -> str:
        return self.message if self.position is None else f"{self.message} (at {self.position})"


class XsdError(ValueError):
    """A schema file cannot serve as a contract; the message names the file and the construct."""
