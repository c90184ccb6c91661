"""One vendor's page as values that no longer know its dialect: fields, codes, samples, statements, what was not read.

The words of a page for types, requiredness and conditions, and what they mean.

Departures: between two parts of a page, a page and other operations, or a page and a folder; and their covers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Dialect = Literal["slate", "gitbook", "help-page"]
Part = Literal["request", "response", "error"]
Need = Literal["required", "conditional", "optional", "unsaid"]
Limits: TypeAlias = tuple[tuple[str, int | float | str], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where on the page: section and row in words, and the line from 1."""

    section: str
    line: int

    def __str__(self) -> str:
        return f"{self.section} (line {self.line})"


@dataclass(frozen=True, slots=True)
class Type:
    """What a field holds: a kind or `unknown`; `item` is the kind of a list's items; `stated` is the page's word."""

    kind: str
    item: str = ""
    stated: str = ""

    def __str__(self) -> str:
        item = self.item if self.item.islower() else "unknown"
        return f"list of {item}" if self.kind == "list" else self.kind


@dataclass(frozen=True, slots=True)
class When:
    """The condition of a conditional field: this boolean field has this value."""

    flag: str
    value: bool


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an enumeration: its name, and the number that JSON has for it where the page gives one."""

    name: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a table, and the fields of the object that it holds."""

    name: str
    type: Type
    need: Need
    text: str
    place: Place
    null: bool = False
    when: When | None = None
    members: tuple[Field, ...] = ()
    values: tuple[Value, ...] = ()
    """Those of its enumeration, where a table of the page lists them."""
    in_uri: bool = False
    """Whether it stands in the path or the query, so that no body has it."""
    limits: Limits = ()
    """Length, range and pattern of its value as the page states them, by the keyword of JSON Schema."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample as it is printed, with its media types; `text` has typographic spaces read as spaces."""

    part: Part
    number: int
    media_types: tuple[str, ...]
    text: str
    place: Place

    @property
    def form(self) -> Literal["json", "xml"]:
        """The format, as its first character shows."""
        return "xml" if self.text.lstrip().startswith("<") else "json"


@dataclass(frozen=True, slots=True)
class Body:
    """A request, a response or an error: an object, a list, a bare string or other value, or nothing at all.

    `item` is the kind of the value, or of each item of a list that is no object.
    """

    shape: Literal["object", "list", "string", "value", "nothing"]
    record: str
    fields: tuple[Field, ...]
    media_types: tuple[str, ...]
    samples: tuple[Sample, ...]
    place: Place
    text: str = ""
    item: str = ""

    @property
    def described(self) -> str:
        """The shape with the kind of what is no object."""
        return f"{self.shape} of {self.item}" if self.item else self.shape


@dataclass(frozen=True, slots=True)
class Code:
    """One code of an error table, as a number in text, and its message; the code of success has none."""

    code: str
    message: str
    place: Place


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence or a paragraph outside tables; `marked` are the words that the page sets off as names."""

    text: str
    place: Place
    marked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """Something on the page that went into nothing, or not as it stands: its line, its beginning, and why.

    `shown` is False for what a reader does not see, such as a script: it is listed, but is no change of the page.
    `at` is its place in the contract, if a table says so: such a thing is a departure by itself.
    """

    line: int
    text: str
    why: str
    shown: bool = True
    at: str = ""


@dataclass(frozen=True, slots=True)
class Lack:
    """A part that such pages have, and this one has not; `instead` is what the draft takes in its place."""

    at: str
    what: str
    instead: str
    place: Place


@dataclass(frozen=True, slots=True)
class Page:
    """All that was read from one page. `permissions` and `call_type` are None where the dialect has no such line."""

    dialect: Dialect
    name: str
    method: str | None
    path: str | None
    category: str | None
    permissions: tuple[str, ...] | None
    call_type: str | None
    request: Body
    response: Body
    error: Body | None
    codes: tuple[Code, ...]
    statements: tuple[Statement, ...]
    place: Place
    unread: tuple[Unread, ...] = ()
    read_as: tuple[Unread, ...] = ()
    lacks: tuple[Lack, ...] = ()

    def bodies(self) -> Iterator[tuple[Part, Body]]:
        """The parts that the page has, in its order."""
        yield "request", self.request
        yield "response", self.response
        if self.error is not None:
            yield "error", self.error


def every_field(fields: tuple[Field, ...], above: str = "") -> Iterator[tuple[str, Field]]:
    """Each field with the path of names that leads to it, outer fields first."""
    for one in fields:
        path = f"{above}/{one.name}" if above else one.name
        yield path, one
        yield from every_field(one.members, path)


KINDS: dict[str, str] = {
    "integer": "integer",
    "int": "integer",
    "long integer": "int64",
    "long": "int64",
    "boolean": "boolean",
    "bool": "boolean",
    "string": "string",
    "globally unique identifier": "guid",
    "guid": "guid",
    "uuid": "guid",
    "decimal": "number",
    "decimal number": "number",
    "real": "number",
    "double": "number",
    "number": "number",
    "date": "date-time",
    "datetime": "date-time",
    "object": "object",
    "unsigned integer": "integer",
    "byte": "integer",
    "signed byte": "integer",
    "character": "string",
    "uri": "string",
    "time interval": "string",
}
"""What the dialects call a type, in lower case, to the kind that it is here."""

_LIST_FORMS = ("collection of ", "array of ", "list of ")
_WORD = re.compile(r"[A-Za-z][\w.]*")
_OF_KINDS = re.compile(r"(?:Dictionary|Pair) of .+ and .+|Nullable of .+", re.IGNORECASE)
"""Types of a help page that no schema here can hold: they are asked about."""
_CONDITION = re.compile(r"\brequired (?:if|when) (?:the )?(?:\w+ )?(is|are|has|have)( not)? (\w+)", re.IGNORECASE)


_REQUIRED_THEN = re.compile(
    r"(?<!not )\b(?:required|mandatory)\b,?\s+(?:only\s+)?(?:if|when|whenever|where|for|with|unless|except|only|once|on|in case|by)\b"
)


def type_of(stated: str) -> Type:
    """The type that a page's words name; kind `unknown` when nothing here knows them."""
    words = " ".join(stated.strip().rstrip(".:;").split())
    lower = words.casefold()
    for form in _LIST_FORMS:
        if lower.startswith(form):
            item = words[len(form) :]
            other = item if item[:1].isupper() else "unknown"
            return Type("list", KINDS.get(item.casefold().rstrip("s"), KINDS.get(item.casefold(), other)), words)
    if lower in ("array", "list"):
        return Type("list", "unknown", words)
    return Type(KINDS.get(lower, "unknown"), "", words)


def looks_like_a_type(stated: str) -> bool:
    """Whether the words are a type that is known here, or one name such as a page gives its own types: `enSide`, `Leg`."""
    found, word = type_of(stated), stated.strip()
    named = _WORD.fullmatch(word) is not None and any(one.isupper() for one in word)
    return found.kind != "unknown" or named or _OF_KINDS.fullmatch(word) is not None


def need_of(text: str) -> Need:
    """What the words of a row say of its presence in a request."""
    lower = " ".join(re.sub(r"\s*\n\s*", " ; ", text.casefold()).split())
    if "conditionally" in lower or _REQUIRED_THEN.search(lower):
        return "conditional"
    if re.search(r"\boptional(ly)?\b|\bnot required\b", lower):
        return "optional"
    return "required" if re.search(r"(?:^|[.;:]\s*)(?:required|mandatory)\b", lower) else "unsaid"


def condition_of(text: str) -> tuple[str, bool] | None:
    """The adjective of `required if the … is [not] …` and whether it holds then; None without such words."""
    found = _CONDITION.search(text)
    return None if found is None else (found.group(3).casefold(), found.group(2) is None)


_LEFT_OUT = re.compile(r"\b(?:may|can|usually)(?: be| is)? (?:absent|missing|omitted|left out)\b")
_ABSENT = re.compile(
    r"\bmay (?:not |only |also )?(?:be )?(?:absent|missing|omitted|left out|send|sent|returned?|present|"
    r"come|appear|contain|included?)\b|\busually (?:is |be )?(?:absent|missing|omitted|left out)\b|"
    r"\bif any\b(?=\s*(?:[.,;:)]|$))"
)
_NULL = re.compile(r"\b(?:may|can|usually)(?: also)?(?: is| be)? null\b")


def may_be_absent(text: str) -> bool:
    """Whether a row says of its value that it only may come."""
    return _ABSENT.search(" ".join(text.casefold().split())) is not None


def is_left_out(text: str) -> bool:
    """Whether a row says of its member that it is left out at times, so that null is not what stands for no value."""
    return _LEFT_OUT.search(" ".join(text.casefold().split())) is not None


def may_be_null(text: str) -> bool:
    """Whether a row says of its value that it is null at times, with a word such as `may`."""
    return _NULL.search(" ".join(text.casefold().split())) is not None


def hints_at_absence(text: str) -> bool:
    """Whether a row has a word such as `may`, and nothing says that it is about the value's own presence."""
    words = re.search(r"\bmay\b|\busually\b|\bif any\b", text.casefold())
    return words is not None and not may_be_absent(text) and not may_be_null(text)


def says_null(text: str) -> bool:
    """Whether a row says that its value is null at times."""
    return re.search(r"\bnull\b", text.casefold()) is not None


@dataclass(frozen=True, slots=True)
class Departure:
    """One thing that does not fit: where in the contract, of which kind, what stands there and against what.

    `question` asks the author; `alternatives` are those of the reading that would keep both, where one suggests itself.
    """

    kind: str
    at: str
    says: str
    against: str
    place: Place | None = None
    question: str = ""
    alternatives: Mapping[str, str] = field(default_factory=dict)
    reading: str = ""


MISFITS: Mapping[str, str] = {
    "invalid-sample": "a sample is not well-formed",
    "sample-against-table": "a sample and a table do not agree on a member",
    "table-against-prose": "a table and a sentence do not agree",
    "key-case": "one name in two letter cases",
    "code-unclear": "a code stands in a sentence, and it is not sure which words are its message",
    "code-elsewhere": "a code has two messages, on the page or in two operations of the service",
    "null-against-empty": "the text says null, and the sample shows something else that is empty",
    "silence": "the page does not say what a caller must know",
    "condition-unnamed": "a field depends on a condition, and the page does not name it or its member",
    "absence-unclear": "a word such as may or usually stands in a row, and it is not sure that it is about presence",
    "absence-unsaid": "a member may have no value, and the page does not say how that looks",
    "null-unshown": "the draft reads a field as nullable, though no sample shows it null",
    "not-read": "a cell of a table is in a column that a contract does not have",
    "type-unknown": "the command does not know the type of a field, or the page does not list its members",
    "values-listed": "a row lists the values of its field, and the draft takes every value of the type",
    "need-unsaid": "the page calls a request field neither required nor optional",
    "part-missing": "the page has no line, section, table or sample that such pages have",
    "width-unsaid": "an integer has no width, and the XML type needs one",
}
"""Kinds of departures that show on the page alone, and what each means."""
