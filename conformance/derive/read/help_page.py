"""The lines of an ASP.NET help page to a page, by the headings of the help page's own template.

The rows of a help page's table, which in the page's text stand as paragraphs one below the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from conformance.derive.page import (
    Body,
    Field,
    Page,
    Part,
    Place,
    Sample,
    Statement,
    Unread,
    looks_like_a_type,
    need_of,
    type_of,
)
from conformance.derive.samples import clean_sample, finished
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
    for one in fields:
        if one.name in seen:
            hint = "A name stands once in a table; look at the saved page."
            raise PageError(f"the row {one.name} stands there twice", where=f"{where}:{one.place.line}", hint=hint)
        seen.add(one.name)
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


TITLE = re.compile(r"(GET|PUT|POST|PATCH|DELETE) (\S+)")
_SECTIONS: Mapping[str, Part] = {
    "Request Information": "request",
    "Response Information": "response",
    "Error Response Information": "error",
}
_FORMATS = ("Request Formats", "Response Formats", "Error Response Formats")
_PARAMETERS = ("URI Parameters", "Body Parameters", "Resource Description")
_COLLECTION = re.compile(r"Collection of (\w+)")
_MEDIA = re.compile(r"[\w.+-]+/[\w.+-]+(?:, [\w.+-]+/[\w.+-]+)*")
_HINT = "A help page has a title such as POST api/things, Request Information and Response Information, each with formats and samples."


@dataclass(slots=True)
class _Half:
    """What was gathered of one part."""

    place: Place
    record: str = ""
    shape: Literal["object", "list", "string"] = "object"
    text: str = ""
    fields: tuple[Field, ...] = ()
    media: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


@dataclass(slots=True)
class _Gathered:
    where: str
    statements: list[Statement] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    read_as: list[Unread] = field(default_factory=list)


def looks_like_help_page(lines: Sequence[Line]) -> bool:
    """Whether some line is a title of the template and another its first heading."""
    texts = [line.text for line in lines]
    return "Request Information" in texts and any(TITLE.fullmatch(text) for text in texts)


def page_of(lines: Sequence[Line], unread: Sequence[Unread], where: str) -> Page:
    """The page that the lines are. Errors: `PageError` when a part of the template is missing or cut off."""
    found = _Gathered(where, unread=list(unread))
    start = next(place for place, line in enumerate(lines) if TITLE.fullmatch(line.text))
    found.unread += [
        Unread(line.number, line.text, "stands before the title of the operation")
        for line in lines[:start]
        if line.text
    ]
    title = TITLE.fullmatch(lines[start].text)
    assert title is not None
    heads = [place for place in range(start, len(lines)) if lines[place].text in _SECTIONS]
    again = [lines[place] for place in heads if [lines[other].text for other in heads].count(lines[place].text) > 1]
    if again:
        raise _broken(where, again[-1].number, f"{again[-1].text} stands there twice; derive one operation at a time")
    for number, line in enumerate((one for one in lines[start + 1 : heads[0]] if one.text), 1):
        found.statements.append(Statement(line.text, Place(f"description, paragraph {number}", line.number)))
    halves: dict[Part, Body] = {}
    for head, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        halves[_SECTIONS[lines[head].text]] = _read_half(found, lines[head:end], _SECTIONS[lines[head].text])
    for heading, part in _SECTIONS.items():
        if part not in halves and part != "error":
            raise _broken(where, lines[-1].number, f"the page has no {heading}")
    if tuple(halves) != tuple(part for part in _SECTIONS.values() if part in halves):
        raise _broken(where, lines[heads[0]].number, "the sections are not in the template's order")
    return finished(
        Page(
            dialect="help-page",
            name=lines[start].text,
            method=title.group(1),
            path="/" + title.group(2).lstrip("/"),
            category=None,
            permissions=None,
            call_type=None,
            request=halves["request"],
            response=halves["response"],
            error=halves.get("error"),
            codes=(),
            statements=tuple(found.statements),
            place=Place("heading", lines[start].number),
            unread=tuple(found.unread),
            read_as=tuple(found.read_as),
        )
    )


def _read_half(found: _Gathered, lines: Sequence[Line], part: Part) -> Body:
    half = _Half(Place(lines[0].text, lines[0].number))
    formats = next((place for place, line in enumerate(lines) if line.text in _FORMATS), None)
    if formats is None:
        raise _broken(found.where, half.place.line, f"{lines[0].text} has no formats with samples")
    _read_description(found, half, lines[1:formats], part)
    _read_formats(found, half, lines[formats:], part)
    if not half.media or len(half.samples) == 0:
        raise _broken(
            found.where, lines[formats].number, f"{lines[formats].text} names no media type, or shows no sample"
        )
    if half.shape != "string" and not half.fields:
        raise _broken(found.where, half.place.line, f"{lines[0].text} has no table")
    return Body(half.shape, half.record, half.fields, tuple(half.media), tuple(half.samples), half.place, half.text)


def _read_description(found: _Gathered, half: _Half, lines: Sequence[Line], part: Part) -> None:
    """URI parameters, body parameters or resource description: sentences, the name of the type, its table."""
    section, counts = half.place.section, dict[str, int]()
    if not any(line.text in _PARAMETERS for line in lines):
        why = "without a heading of the template such as Body Parameters or Resource Description"
        found.read_as.append(Unread(half.place.line, section, why))
    place = 0
    while place < len(lines):
        line = lines[place]
        collection = _COLLECTION.fullmatch(line.text)
        if line.text in _PARAMETERS:
            section = line.text if part == "request" else half.place.section
        elif ROW_HEAD.fullmatch(line.text):
            if section == "URI Parameters":
                raise _broken(
                    found.where, line.number, "a table of URI parameters, which an operation here cannot have"
                )
            half.fields = read_rows(lines[place:], section, found.where)
            return
        elif ROW_HEAD.search(line.text):
            raise _broken(found.where, line.number, f"the head of the table is {line.text!r}: {OTHER_HEAD}")
        elif collection:
            half.shape, half.record = "list", collection.group(1)
        elif line.text and _names_type(lines, place):
            half.record = line.text
            half.shape = "string" if type_of(line.text).kind == "string" else "object"
        elif line.text:
            counts[section] = counts.get(section, 0) + 1
            half.text = half.text or (line.text if line.text != "None." else "")
            found.statements.append(Statement(line.text, Place(f"{section}, paragraph {counts[section]}", line.number)))
        place += 1


def _names_type(lines: Sequence[Line], place: int) -> bool:
    """Whether a line is the name of the type: alone a `string`, or one word right before a table."""
    text = lines[place].text
    if type_of(text).kind == "string":
        return True
    after = next((line.text for line in lines[place + 1 :] if line.text), "")
    return text.isidentifier() and ROW_HEAD.fullmatch(after) is not None


def _read_formats(found: _Gathered, half: _Half, lines: Sequence[Line], part: Part) -> None:
    media: tuple[str, ...] = ()
    place = 1
    while place < len(lines):
        text = lines[place].text
        if _MEDIA.fullmatch(text):
            media = tuple(text.split(", "))
            half.media += [one for one in media if one not in half.media]
        elif text == "Sample:":
            end = next((at for at in range(place + 1, len(lines)) if _MEDIA.fullmatch(lines[at].text)), len(lines))
            _keep_sample(found, half, lines[place:end], media, part)
            place = end - 1
        elif text:
            found.unread.append(
                Unread(
                    lines[place].number, text[:80], "stands among the formats and is neither a media type nor a sample"
                )
            )
        place += 1
    unshown = [one for one in half.media if not any(one in sample.media_types for sample in half.samples)]
    if unshown:
        raise _broken(found.where, lines[-1].number, f"no sample for {', '.join(unshown)}")


def _keep_sample(found: _Gathered, half: _Half, lines: Sequence[Line], media: tuple[str, ...], part: Part) -> None:
    text, oddities = clean_sample("\n".join(line.raw for line in lines[1:]).strip("\n"), lines[0].number + 1)
    if not media or not text.strip():
        raise _broken(found.where, lines[0].number, "a sample without its media types, or an empty one")
    found.read_as.extend(oddities)
    name = "XML sample" if text.lstrip().startswith("<") else "JSON sample"
    place = Place(f"{half.place.section.replace('Information', 'formats')}, {name}", lines[0].number)
    half.samples.append(Sample(part, len(half.samples) + 1, media, text, place))


def _broken(where: str, line: int, message: str) -> PageError:
    return PageError(message, where=f"{where}:{line}", hint=_HINT)
