"""The value classes that the codecs share: notes, exact numbers, and what a plain value cannot say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Raw:
    """Text written as it stands where a JSON value (or key) is expected; it need not be valid JSON."""

    text: str


@dataclass(frozen=True, slots=True)
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
