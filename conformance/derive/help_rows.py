"""The rows of a help page's table, which in the page's text stand as paragraphs one below the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.derive.page import Field, Place
from conformance.derive.terms import looks_like_a_type, need_of, type_of
from conformance.errors import PageError

ROW_HEAD = re.compile(r"Name\s*Description\s*Type\s*Additional information")
OTHER_HEAD = "a help page has Name, Description, Type and Additional information, no more and no less"
_ANNOTATION = re.compile(
    r"None\.|Required|(?:Max length|Min length|String length|Range|Data type|Matching regular expression pattern|Default value is)\b.*"
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


def read_rows(lines: Sequence[Line], section: str, where: str) -> tuple[Field, ...]:
    """The fields of a table that begins with its head. Errors: `PageError` for a row that is cut off or repeated."""
    fields: list[Field] = []
    row: list[Line] = []
    waiting = [line for line in lines[1:] if line.text]
    for number, line in enumerate(waiting):
        row.append(line)
        follows = waiting[number + 1].text if number + 1 < len(waiting) else ""
        if _ANNOTATION.fullmatch(line.text) and not _ANNOTATION.fullmatch(follows):
            fields.append(_field(row, section, where))
            row = []
    if row or not fields:
        line = row[0] if row else lines[0]
        hint = (
            "Save the page again: each row has a name, a description, a type and additional information, if only None."
        )
        raise PageError(f"half a table: the row {line.text!r} is cut off", where=f"{where}:{line.number}", hint=hint)
    seen: set[str] = set()
    for field in fields:
        if field.name in seen:
            hint = "A name stands once in a table; look at the saved page."
            raise PageError(f"the row {field.name} stands there twice", where=f"{where}:{field.place.line}", hint=hint)
        seen.add(field.name)
    return tuple(fields)


def _field(row: list[Line], section: str, where: str) -> Field:
    notes = [line.text for line in row if _ANNOTATION.fullmatch(line.text)]
    head = [line for line in row if not _ANNOTATION.fullmatch(line.text)]
    name = head[0].text if head else ""
    if len(head) < 2 or not name.isidentifier() or not looks_like_a_type(head[-1].text):
        hint = "Each row has a name, a description, a type and additional information, if only None."
        raise PageError(
            f"half a table: the row {name!r} has no type that can be read", where=f"{where}:{row[0].number}", hint=hint
        )
    text = " ".join(line.text for line in head[1:-1])
    facets = " ".join(note for note in notes if note not in ("None.", "Required"))
    need = "required" if "Required" in notes else need_of(text)
    place = Place(f"{section}, row {name}", head[0].number)
    return Field(name, type_of(head[-1].text), need, " ".join(part for part in (text, facets) if part), place)
