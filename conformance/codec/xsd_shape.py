"""The shape that an XSD gives a document, and the lexical rules of its simple types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

XSI = "http://www.w3.org/2001/XMLSchema-instance"

_XML_SPACE = " \t\r\n"
_INTEGER = re.compile(r"[+-]?[0-9]+")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
INTEGER_BITS: Mapping[str, int] = {"byte": 8, "short": 16, "int": 32, "long": 64}


@dataclass(frozen=True, slots=True)
class Scalar:
    """A simple type: its built-in base, and the facets that a restriction adds (all must hold)."""

    base: Literal["string", "boolean", "byte", "short", "int", "long"]
    patterns: tuple[re.Pattern[str], ...] = ()
    enumeration: frozenset[str] | None = None
    min_length: int = 0
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    name: str = ""

    def read(self, text: str) -> str | int | bool:
        """The value of this text; `ValueError` with a reason if the text is not of the type."""
        if self.base == "string":
            return self._read_string(text)
        word = text.strip(_XML_SPACE)
        if self.base == "boolean":
            if word not in _BOOLEANS:
                raise ValueError(f"{text!a} is not an xs:boolean (true, false, 1 or 0)")
            return _BOOLEANS[word]
        return self._read_integer(word)

    def _read_string(self, text: str) -> str:
        if any(pattern.fullmatch(text) is None for pattern in self.patterns):
            raise ValueError(f"{text!a} does not have the form of {self.name or 'the type'}")
        if self.enumeration is not None and text not in self.enumeration:
            raise ValueError(f"{text!a} is none of the allowed values {sorted(self.enumeration)}")
        if len(text) < self.min_length or (self.max_length is not None and len(text) > self.max_length):
            raise ValueError(
                f"{text!a} has {len(text)} characters, which {self.name or 'the type'} does not allow"
            )
        return text

    def _read_integer(self, word: str) -> int:
        if _INTEGER.fullmatch(word) is None:
            raise ValueError(f"{word!a} is not an xs:{self.base}")
        digits = word.lstrip("+-").lstrip("0")
        limit = 1 << (INTEGER_BITS[self.base] - 1)
        number = int(digits or "0") if len(digits) < 20 else limit + 1
        if word.startswith("-"):
            number = -number
        low = -limit if self.minimum is None else max(-limit, self.minimum)
        high = limit - 1 if self.maximum is None else min(limit - 1, self.maximum)
        if not low <= number <= high:
            raise ValueError(f"{word[:40]} is outside xs:{self.base} ({low} to {high})")
        return number


@dataclass(frozen=True, slots=True)
class Element:
    """An element declaration: its expanded name, its content and whether it may be nil or left out."""

    namespace: str
    name: str
    content: Content
    nillable: bool
    required: bool

    @property
    def tag(self) -> str:
        """The name as lxml writes it: `{namespace}name`."""
        return f"{{{self.namespace}}}{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Record:
    """An `xs:sequence` of elements that occur at most once: a dict in Python."""

    members: tuple[Element, ...]
    index: Mapping[str, int] = field(compare=False, repr=False, default_factory=dict)
    by_name: Mapping[str, Element] = field(compare=False, repr=False, default_factory=dict)

    @staticmethod
    def of(members: tuple[Element, ...]) -> Record:
        """The record of these members, indexed by tag and by local name."""
        places = {member.tag: place for place, member in enumerate(members)}
        return Record(members, places, {member.name: member for member in members})


@dataclass(frozen=True, slots=True)
class ListOf:
    """An `xs:sequence` of one repeated element: a list in Python. `maximum` is None for unbounded."""

    item: Element
    minimum: int
    maximum: int | None


Content: TypeAlias = Scalar | Record | ListOf
