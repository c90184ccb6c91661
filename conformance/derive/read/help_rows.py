"""The rows of a help page's tables, which in the page's text stand as paragraphs one below the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.derive.limits import limits_in
from conformance.derive.page import Field, Place, Type, Value, looks_like_a_type, need_of, type_of
from conformance.errors import PageError

ROW_HEAD = re.compile(r"Name\s*Description\s*Type\s*Additional information")
OLD_HEAD = re.compile(r"Name\s*Description\s*Additional information")
"""Of the template's first edition, which names no types."""
VALUES_HEAD = re.compile(r"Name\s*Value\s*Description")
"""Of the values of an enumeration."""
OTHER_HEAD = "a help page has Name, Description, Type and Additional information, no more and no less"
_IN_URI = re.compile(r"Define this parameter in the request URI\.")
_IN_BODY = re.compile(r"Define this parameter inside the request body\.")
_ANNOTATION = re.compile(
    r"None\.|Required|(?:Max length|Min length|String length|Range|Data type|Matching regular expression pattern|Default value is)\b.*"
    rf"|{_IN_URI.pattern}|{_IN_BODY.pattern}"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page: its number from 1, its text without outer blanks, and as it stands."""

    number: int
    text: str
    raw: str


def lines_of(text: str) -> list[Line]:
    """The lines of a text."""
    return [Line(number, " ".join(line.split()), line) for number, line in enumerate(text.split("\n"), 1)]


def is_head(text: str) -> bool:
    """Whether a line is the head of one of the template's tables."""
    return any(one.fullmatch(text) for one in (ROW_HEAD, OLD_HEAD, VALUES_HEAD))


def read_rows(
    lines: Sequence[Line], section: str, where: str, *, ends: bool = True
) -> tuple[tuple[Field, ...], Sequence[Line]]:
    """The fields of a table that begins with its head, and the lines behind its last row, none where the part `ends` there.

    Errors: `PageError` for a row that is cut off or repeated.
    """
    typed = ROW_HEAD.fullmatch(lines[0].text) is not None
    fields: list[Field] = []
    row: list[Line] = []
    waiting = [line for line in lines[1:] if line.text]
    for number, line in enumerate(waiting):
        row.append(line)
        follows = waiting[number + 1].text if number + 1 < len(waiting) else ""
        if _ANNOTATION.fullmatch(line.text) and not _ANNOTATION.fullmatch(follows):
            fields.append(_field(row, section, where, typed=typed))
            row = []
    if (row and ends) or not fields:
        line = row[0] if row else lines[0]
        hint = (
            "Save the page again: each row has a name, a description, a type and additional information, if only None."
        )
        raise PageError(f"half a table: the row {line.text!r} is cut off", where=f"{where}:{line.number}", hint=hint)
    _refuse_twice([(one.name, one.place.line) for one in fields], where)
    return tuple(fields), row


def _refuse_twice(rows: Sequence[tuple[str, int]], where: str) -> None:
    seen: set[str] = set()
    for name, line in rows:
        if name in seen:
            hint = "A name stands once in a table; look at the saved page."
            raise PageError(f"the row {name} stands there twice", where=f"{where}:{line}", hint=hint)
        seen.add(name)


def _field(row: list[Line], section: str, where: str, *, typed: bool) -> Field:
    notes = [line.text for line in row if _ANNOTATION.fullmatch(line.text)]
    head = [line for line in row if not _ANNOTATION.fullmatch(line.text)]
    name = head[0].text if head else ""
    if not name.isidentifier() or (typed and (len(head) < 2 or not looks_like_a_type(head[-1].text))):
        hint = "Each row has a name, a description, a type and additional information, if only None."
        raise PageError(
            f"half a table: the row {name!r} has no type that can be read", where=f"{where}:{row[0].number}", hint=hint
        )
    text = " ".join(line.text for line in (head[1:-1] if typed else head[1:]))
    in_uri = any(_IN_URI.fullmatch(note) for note in notes)
    facets = "\n".join(
        note
        for note in notes
        if note not in ("None.", "Required") and not _IN_URI.fullmatch(note) and not _IN_BODY.fullmatch(note)
    )
    need = "required" if "Required" in notes else need_of(text)
    if any(note.startswith("Default value is") for note in notes) and need == "unsaid":
        need = "optional"
    place = Place(f"{section}, row {name}", head[0].number)
    kind = type_of(head[-1].text) if typed else Type("unknown")
    words = "\n".join(part for part in (text, facets) if part)
    return Field(name, kind, need, words, place, in_uri=in_uri, limits=limits_in(notes, kind))


def of_body(lines: Sequence[Line], name: str) -> bool:
    """Whether a row of the first edition says that its parameter is the body itself."""
    told = [one.text for one in lines if one.text]
    at = told.index(name)
    end = next((place for place in range(at, len(told)) if _ANNOTATION.fullmatch(told[place])), at)
    return _IN_BODY.fullmatch(told[end]) is not None


def read_values(lines: Sequence[Line], where: str) -> tuple[tuple[Value, ...], list[Line], Sequence[Line]]:
    """The values of an enumeration whose table begins with its head, the lines of their descriptions, and what follows.

    Errors: `PageError` for a table without a row, and for one that has a name twice.
    """
    waiting = [line for line in lines[1:] if line.text]
    starts = [
        place
        for place, line in enumerate(waiting)
        if line.text.isidentifier() and place + 1 < len(waiting) and _NUMBER.fullmatch(waiting[place + 1].text)
    ]
    if not starts or starts[0] != 0:
        line = waiting[0] if waiting else lines[0]
        hint = "Each row has a name, a number and a description, if only an empty one."
        raise PageError(
            f"half a table: no value can be read in {line.text!r}", where=f"{where}:{line.number}", hint=hint
        )
    _refuse_twice([(waiting[place].text, waiting[place].number) for place in starts], where)
    values = tuple(Value(waiting[place].text, int(waiting[place + 1].text)) for place in starts)
    told = [
        line
        for start, end in zip(starts, [*starts[1:], len(waiting)], strict=True)
        for line in waiting[start + 2 : min(end, start + 3)]
    ]
    return values, told, waiting[starts[-1] + 3 :]


_NUMBER = re.compile(r"-?\d{1,18}")
