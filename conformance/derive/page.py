"""One vendor's page as values that no longer know its dialect: fields, codes, samples, statements, what was not read.

The words of a page for types, requiredness, conditions and codes, and what they mean.

Departures: between two parts of a page, a page and other operations, or a page and a folder; and their covers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Literal

Dialect = Literal["slate", "gitbook", "help-page"]
Part = Literal["request", "response", "error"]
Need = Literal["required", "conditional", "optional", "unsaid"]


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
    """A request, a response or an error: one object, a list of objects, or a bare string."""

    shape: Literal["object", "list", "string"]
    record: str
    fields: tuple[Field, ...]
    media_types: tuple[str, ...]
    samples: tuple[Sample, ...]
    place: Place
    text: str = ""


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
}
"""What the dialects call a type, in lower case, to the kind that it is here."""

_LIST_FORMS = ("collection of ", "array of ", "list of ")
_WORD = re.compile(r"[A-Za-z][\w.]*")
_LABELLED = re.compile(r"\(\s*([A-Za-z]+(?:[ _-][A-Za-z]+)?)\s*[:=#]?\s*(\d{1,9})\s*\)")
_CODE_LABELS = ("errorcode", "code", "error")
_INTRODUCES = re.compile(
    r"^.*\b(?:(?:one of|following|else|null|messages|codes|errors)\b[^:]*:|"
    r"one of(?: the)?(?: following)?(?: (?:messages|codes|errors|texts))?(?=\s))\s*",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"^[\s,;.|*:-]*(?:(?:and|or)\s+)?")
_NAMED = re.compile(r"(?:[A-Z][\w'-]*)(?:\s+(?:(?:of|to|in|the|not|and|or|for|is)\s+)*[A-Z][\w'-]*)*$")
_SUCCESS = re.compile(r"\breturns\s+(\d{1,9})\b", re.IGNORECASE)
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
    """Whether the words are a type that is known here, or one capitalised name such as a page gives its own types."""
    found = type_of(stated)
    return found.kind != "unknown" or bool(_WORD.fullmatch(stated.strip()) and stated.strip()[0].isupper())


def need_of(text: str) -> Need:
    """What the words of a row say of its presence in a request."""
    lower = " ".join(text.casefold().split())
    if "conditionally" in lower or _REQUIRED_THEN.search(lower):
        return "conditional"
    if re.search(r"\boptional(ly)?\b|\bnot required\b", lower):
        return "optional"
    return "required" if re.search(r"(?:^|[.;:]\s*)required\b", lower) else "unsaid"


def condition_of(text: str) -> tuple[str, bool] | None:
    """The adjective of `required if the … is [not] …` and whether it holds then; None without such words."""
    found = _CONDITION.search(text)
    return None if found is None else (found.group(3).casefold(), found.group(2) is None)


_ABSENT = re.compile(
    r"\bmay (?:not |only |also )?(?:be )?(?:null|empty|absent|missing|omitted|left out|blank|send|sent|returned?|present|"
    r"come|appear|contain|included?)\b|\busually (?:is |be )?(?:null|empty|absent|missing|omitted|left out|blank)\b|"
    r"\bif any\b(?=\s*(?:[.,;:)]|$))"
)


def may_be_absent(text: str) -> bool:
    """Whether a row says of its value that it only may come."""
    return _ABSENT.search(" ".join(text.casefold().split())) is not None


def hints_at_absence(text: str) -> bool:
    """Whether a row has a word such as `may`, and nothing says that it is about the value's own presence."""
    return re.search(r"\bmay\b|\busually\b|\bif any\b", text.casefold()) is not None and not may_be_absent(text)


def says_null(text: str) -> bool:
    """Whether a row says that its value is null at times."""
    return re.search(r"\bnull\b", text.casefold()) is not None


@dataclass(frozen=True, slots=True)
class CodeMark:
    """A number that a text labels as a code, as in `(errorcode 20)`: its span, its label, the words in front of it."""

    code: str
    label: str
    before: str
    start: int
    end: int

    @property
    def misspelt(self) -> bool:
        """Whether the label is only nearly one that is known."""
        return _bare(self.label) not in _CODE_LABELS


def code_marks(text: str) -> tuple[CodeMark, ...]:
    """Every labelled code of a text, several on a line or one a line; a label may be misspelt by a letter or two."""
    found, start = [], 0
    for match in _LABELLED.finditer(text):
        label = _bare(match.group(1))
        if label in _CODE_LABELS or SequenceMatcher(None, label, _CODE_LABELS[0]).ratio() >= _ALIKE:
            before = text[start : match.start()].rpartition("\n")[2]
            found.append(CodeMark(match.group(2), match.group(1), before, match.start(), match.end()))
            start = match.end()
    return tuple(found)


_ALIKE = 0.82


def _bare(label: str) -> str:
    return re.sub(r"[ _-]", "", label.casefold())


def codes_in(text: str, place: Place) -> tuple[Code, ...]:
    """The codes and messages that a row lists as `Message (errorcode 20)`, one a line or one behind the other."""
    found = []
    for mark in code_marks(text):
        message = " ".join(_BETWEEN.sub("", _INTRODUCES.sub("", mark.before, count=1), count=1).split()).strip(" -*:")
        if message:
            found.append(Code(mark.code, message, place))
    return tuple(found)


def besides_codes(text: str) -> str:
    """The text of a row without its listed codes and their messages: what else it says."""
    pieces, place = [], 0
    for mark in code_marks(text):
        introduction = _INTRODUCES.match(mark.before)
        pieces += [text[place : mark.start - len(mark.before)], introduction.group(0) if introduction else ""]
        place = mark.end
    return "".join([*pieces, text[place:]])


def codes_told(text: str, place: Place) -> tuple[Code, ...]:
    """The codes that a sentence tells in passing: the message is the run of capitalised words in front, if any."""
    found = []
    for mark in code_marks(text):
        named = _NAMED.search(mark.before.strip(" \"'*_"))
        found.append(Code(mark.code, " ".join(named.group(0).split()) if named else "", place))
    return tuple(found)


def success_code_in(text: str, place: Place) -> tuple[Code, ...]:
    """The code of success that a row names as `returns 0`."""
    found = _SUCCESS.search(text)
    return (Code(found.group(1), "", place),) if found else ()


def codes_of(
    response: tuple[Field, ...], request: tuple[Field, ...], statements: Iterable[Statement]
) -> tuple[Code, ...]:
    """The codes that the rows of a response list, each once, with the code of success in front.

    A code that only a sentence or a row of the request tells is one of them when a message stands with it, so that a
    draft refuses no code of its page; it is asked about all the same.
    """
    found: dict[tuple[str, str], Code] = {}
    for _, one in every_field(response):
        listed = codes_in(one.text, one.place)
        success = success_code_in(one.text, one.place) if one.type.kind in ("integer", "int64") else ()
        for code in (*success, *listed):
            found.setdefault((code.code, code.message), code)
    listed_numbers = {number for number, message in found if message}
    told = [(one.text, one.place) for one in statements]
    told += [(one.text, one.place) for _, one in every_field(request)]
    for code in (code for text, place in told for code in codes_told(text, place)):
        if code.message and code.code not in listed_numbers:
            found.setdefault((code.code, code.message), code)
    ordered = sorted(found.values(), key=lambda one: (one.message != "", int(one.code)))
    return tuple(ordered) if any(one.message for one in ordered) else ()


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
