"""Blocks of Markdown to a page: a call's name, its header lines, and its Request and Response with samples and tables.

The tables of a call's page: rows of key and value to fields, and the codes listed in one of them.

The dialect of GitBook: the call's name is the page's heading of level 1, its sections are small headings of level 4.

The dialect of Slate: the call's name is a heading of level 2, or of 1 with plain headings of level 2 and 3 below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from conformance.derive.page import (
    Body,
    Dialect,
    Field,
    Lack,
    Page,
    Part,
    Place,
    Sample,
    Statement,
    Type,
    Unread,
    code_marks,
    codes_of,
    every_field,
    need_of,
    type_of,
)
from conformance.derive.read.markdown import Block, Document, Row, Text
from conformance.derive.samples import clean_sample, fields_shown, finished, media_types_of, read_sample
from conformance.errors import PageError

_KEY_WORDS = ("key", "name", "field", "parameter", "property")
_TYPE_WORDS = ("type",)
_TEXT_WORDS = ("value", "description")


def read_table(
    block: Block, section: str, known: tuple[Field, ...] | None, before: Statement | None, where: str
) -> tuple[tuple[Field, ...], list[Unread]]:
    """The fields of the section after this table: its own, or members of those that the sentence before it names.

    Other columns, and cells beyond the head, are returned as not read, with their place in the contract.
    Errors: `PageError` for a table that is cut off, or repeats a key.
    """
    label = section.capitalize()
    title = f"{label} table" if known is None else f"{label}, second table"
    columns = _columns(block, where)
    closed = any(row.closed for row in block.rows)
    if closed and not block.rows[0].closed:
        raise _half_table(where, block.line, "half a table: its head has no bar at its end, as the rows have")
    blank = [row for row in block.rows[1:] if not any(cell.plain for cell in row.cells) and not row.surplus]
    rows = [_field(row, columns, title, where, closed=closed) for row in block.rows[1:] if row not in blank]
    if not rows:
        raise _half_table(where, block.line, "the table has a head and no row")
    beside = [Unread(row.line, "a row", "the row is blank", shown=False) for row in blank]
    seen: dict[str, Field] = {}
    for row in tuple(rows):
        first = seen.setdefault(row.name, row)
        if first is not row:
            if (row.type, row.text) != (first.type, first.text):
                raise _half_table(where, row.place.line, f"the row {row.name} stands there twice")
            beside.append(Unread(row.place.line, f"{row.name}: {row.text[:60]}".replace("\n", " "), _TWICE))
            rows.remove(row)
    beside += _beside(block, columns, section)
    if known is None:
        return tuple(rows), beside
    fields, unread = _joined(known, tuple(rows), before, where)
    return fields, [*unread, *beside]


_TWICE = "the row stands there twice, word by word"


def _columns(block: Block, where: str) -> tuple[int, int | None, int]:
    """The columns of key, type (None when it leads the text) and text."""
    heads = [cell.plain.casefold() for cell in block.rows[0].cells]

    def one(words: tuple[str, ...]) -> int | None:
        return next((place for place, head in enumerate(heads) if head in words), None)

    key, text = one(_KEY_WORDS), one(_TEXT_WORDS)
    if key is None or text is None:
        hint = "Such a table has the columns Key and Value, or Name, Type and Description."
        raise PageError(
            f"a table with the columns {', '.join(heads)} cannot be read", where=f"{where}:{block.line}", hint=hint
        )
    return key, one(_TYPE_WORDS), text


def _beside(block: Block, columns: tuple[int, int | None, int], section: str) -> Iterator[Unread]:
    """Each cell in a column that is not read, its head's own as well, and each cell beyond the head's."""
    heads = [cell.plain for cell in block.rows[0].cells]
    for number, row in enumerate(block.rows):
        name = row.cells[columns[0]].plain
        at = f"{section}/{name}" if number else section
        for place, cell in enumerate(row.cells):
            if place not in columns and cell.plain:
                text = f"{heads[place]}: {cell.plain}" if number else f"the column {cell.plain}"
                yield Unread(row.line, text, "a column that has no part in a contract", at=at)
        for text in row.surplus:
            yield Unread(row.line, text, "a cell beyond those of the head", at=at)


def _field(row: Row, columns: tuple[int, int | None, int], title: str, where: str, *, closed: bool) -> Field:
    key, kind, text = columns
    name, cell = row.cells[key].plain, row.cells[text]
    if closed and not row.closed:
        raise _half_table(where, row.line, f"half a table: the row {name} has no bar at its end, as the others have")
    if not name or not cell.plain:
        raise _half_table(where, row.line, f"half a table: a row has no {'text' if name else 'key'}")
    stated, rest = _split(cell) if kind is None else (row.cells[kind].plain, cell.plain)
    found = type_of(stated) if stated else Type("unknown")
    return Field(name, found, need_of(rest), rest, Place(f"{title}, row {name}", row.line))


def _split(cell: Text) -> tuple[str, str]:
    """The type in front of a cell's text, strong or as its first sentence, and the rest."""
    plain = " ".join(cell.plain.split(" "))
    if cell.lead and plain.startswith(cell.lead):
        return cell.lead, plain[len(cell.lead) :].strip()
    first, dot, rest = plain.partition(".")
    return (first, rest.strip()) if dot and type_of(first).kind != "unknown" else ("", plain)


def _joined(
    known: tuple[Field, ...], rows: tuple[Field, ...], before: Statement | None, where: str
) -> tuple[tuple[Field, ...], list[Unread]]:
    words = {word.casefold() for word in re.findall(r"\w+", before.text)} if before else set()
    able = [field for field in known if field.type.kind in ("object", "list")]
    owners = {field.name for field in able if field.name.casefold() in words}
    announced = [
        field.name for field in able if not field.members and _FOLLOWS.search(f"{field.type.stated} {field.text}")
    ]
    if not owners and len(announced) == 1:
        owners = {*announced}
    if not owners:
        lines = [
            Unread(
                row.place.line,
                f"{row.name}: {row.text[:60]}".replace("\n", " "),
                "no sentence before the table says whose members these are",
            )
            for row in rows
        ]
        return known, lines
    taken = next((field.name for field in known if field.name in owners and field.members), None)
    if taken is not None:
        raise _half_table(where, rows[0].place.line, f"a second table for the members of {taken}")
    return tuple(_with_members(field, rows) if field.name in owners else field for field in known), []


_FOLLOWS = re.compile(r"\b(?:of|with) the following\b|\b(?:described|listed|shown|explained) below\b", re.IGNORECASE)


def _with_members(field: Field, rows: tuple[Field, ...]) -> Field:
    """The field with the members of its object, or of each object in its list."""
    kind = replace(field.type, item="object") if field.type.kind == "list" else field.type
    return replace(field, type=kind, members=rows)


def _half_table(where: str, line: int, message: str) -> PageError:
    return PageError(message, where=f"{where}:{line}", hint="Save the page again: a row of it is cut off or damaged.")


_HEADER = {"category": "category", "permissions": "permissions", "call type": "call_type"}
_PARTS: dict[str, Part] = {
    "request": "request", "parameters": "request", "arguments": "request",
    "response": "response", "reply": "response", "result": "response", "returns": "response", "answer": "response",
}  # fmt: skip
"""The words that head the two sections; a page has one for each."""


@dataclass(slots=True)
class _Half:
    """What was gathered of the request or the response."""

    place: Place
    samples: list[Sample] = field(default_factory=list)
    fields: tuple[Field, ...] | None = None


@dataclass(slots=True)
class _Gathered:
    """What was gathered of the page so far."""

    where: str
    dialect: Dialect
    section: str = "description"
    header: dict[str, str] = field(default_factory=dict)
    halves: dict[Part, _Half] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    read_as: list[Unread] = field(default_factory=list)


def page_of(document: Document, dialect: Dialect, where: str) -> Page:
    """The page that the blocks are. Errors: `PageError` when a part that every such page has is missing or cut off."""
    blocks = document.blocks
    if not blocks or blocks[0].kind != "heading" or not blocks[0].text.plain:
        raise _broken(where, blocks[0].line if blocks else 1, "the page does not begin with the name of its call")
    name, top = blocks[0].text.plain, blocks[0].level
    found = _Gathered(where, dialect, unread=list(document.unread))
    for block in blocks[1:]:
        if block.kind == "heading" and block.level <= top:
            hint = "Cut the page at its headings and derive one call at a time."
            raise PageError(f"a second call begins: {block.text.plain}", where=f"{where}:{block.line}", hint=hint)
        _take(found, block)
    if not found.halves:
        raise _broken(where, blocks[0].line, f"no page of a call: {name} has neither a section Request nor Response")
    place = Place("heading", blocks[0].line)
    lacks = [
        Lack(f"operation/{key}", f"line {label.title()}", _WITHOUT[key], place)
        for label, key in _HEADER.items()
        if key not in found.header
    ]
    bodies: dict[Part, Body] = {}
    for part in ("request", "response"):
        bodies[part], more = _body(found, part, place)
        lacks += more
    for _, row in every_field(bodies["response"].fields):
        found.read_as += [
            Unread(row.place.line, mark.label, f"read as the label of code {mark.code}")
            for mark in code_marks(row.text)
            if mark.misspelt
        ]
    return finished(
        Page(
            dialect=dialect,
            name=name,
            method=None,
            path=None,
            category=found.header.get("category"),
            permissions=_listed(found.header.get("permissions")),
            call_type=found.header.get("call_type"),
            request=bodies["request"],
            response=bodies["response"],
            error=None,
            codes=codes_of(bodies["response"].fields, bodies["request"].fields, found.statements),
            statements=tuple(found.statements),
            place=place,
            lacks=tuple(lacks),
            unread=tuple(found.unread),
            read_as=tuple(found.read_as),
        )
    )


def _take(found: _Gathered, block: Block) -> None:
    if block.kind == "heading":
        word = (block.text.plain.split() or [""])[0].casefold()
        found.section = _PARTS.get(word, block.text.plain)
        if word in _PARTS and _PARTS[word] not in found.halves:
            found.halves[_PARTS[word]] = _Half(Place(_PARTS[word].capitalize(), block.line))
            if block.text.plain.casefold() != word:
                found.unread.append(
                    Unread(block.line, block.text.plain, f"more than the word {word.capitalize()} in its heading")
                )
        elif word in found.halves:
            raise _broken(found.where, block.line, f"a second section {word.capitalize()}")
        elif block.text.plain:
            found.unread.append(
                Unread(block.line, block.text.plain, "the heading of a section with no part in a contract")
            )
    elif block.kind == "code":
        _take_sample(found, block)
    elif block.kind == "table":
        _take_table(found, block)
    elif block.kind == "paragraph" and block.text.plain.startswith("|"):
        raise _broken(found.where, block.line, "half a table: a row without the line of dashes under its head")
    elif not _take_header(found, block):
        _state(found, block)


def _take_header(found: _Gathered, block: Block) -> bool:
    """Whether the block is the lines `Category:`, `Permissions:`, `Call Type:`, which are then kept."""
    if found.section != "description" or block.text.lead.rstrip(":").casefold() not in _HEADER:
        return False
    for line in block.text.plain.split("\n"):
        label, _, value = line.partition(":")
        key = _HEADER.get(label.strip().casefold())
        if key is not None:
            found.header[key] = value.strip()
        else:
            found.statements.append(Statement(line, Place(f"heading, {label.strip()}", block.line), block.text.marked))
    return True


def _state(found: _Gathered, block: Block) -> None:
    note = block.kind == "note" or block.text.lead.rstrip(":").casefold() in ("note", "notice", "warning")
    label = found.section if found.section not in _PARTS else found.section.capitalize()
    label = f"{label}, note" if note and label != "description" else ("note" if note else label)
    found.counts[label] = found.counts.get(label, 0) + 1
    kind = "" if note else ", paragraph"
    place = Place(f"{label}{kind} {found.counts[label]}", block.line)
    found.statements.append(Statement(block.text.plain, place, block.text.marked))


def _half(found: _Gathered) -> _Half | None:
    return next((half for part, half in found.halves.items() if part == found.section), None)


def _take_sample(found: _Gathered, block: Block) -> None:
    half = _half(found)
    language = block.info.split()[0].casefold() if block.info else ""
    printed, head = block.text.plain, 0
    if language == "http" and half is not None:
        printed, head = _without_http_head(found, block)
    text, oddities = clean_sample(printed, block.line + 1)
    if half is None or language not in ("", "json", "xml", "javascript", "http") or not text.strip():
        why = f"a sample in {language}" if language else "a code block outside Request and Response, or an empty one"
        found.unread.append(Unread(block.line, block.text.plain.strip()[:80], why))
        return
    found.read_as.extend(oddities)
    part: Literal["request", "response"] = "request" if found.section == "request" else "response"
    number = len(half.samples) + 1
    place = Place(f"{part.capitalize()} sample" + (f" {number}" if number > 1 else ""), block.line + head)
    half.samples.append(Sample(part, number, media_types_of(text), text, place))


def _without_http_head(found: _Gathered, block: Block) -> tuple[str, int]:
    """The body of a message that is printed with its head, and the lines before it, each listed as not read."""
    lines = block.text.plain.split("\n")
    start = next((at for at, line in enumerate(lines) if line.lstrip()[:1] in ("{", "[", "<", '"')), len(lines))
    for number, line in enumerate(lines[:start], block.line + 1):
        if line.strip():
            route = _ROUTE.match(line.strip())
            why = "a route, in the head of a sample" if route else "stands in the head of a sample"
            found.unread.append(Unread(number, line.strip()[:80], why))
    return "\n".join(lines[start:]), start


_ROUTE = re.compile(r"(?:GET|PUT|POST|PATCH|DELETE) \S+")


def _take_table(found: _Gathered, block: Block) -> None:
    half = _half(found)
    if half is None:
        found.unread.extend(
            Unread(
                row.line,
                " | ".join([*(cell.plain for cell in row.cells), *row.surplus]),
                "a table outside Request and Response",
            )
            for row in block.rows
        )
        return
    last = found.statements[-1] if found.statements and found.statements[-1].place.line < block.line else None
    fields, unread = read_table(block, found.section, half.fields, last, found.where)
    half.fields = fields
    found.unread.extend(unread)


_WITHOUT = {
    "category": "no requirement on the group of the call",
    "permissions": "the roles of a sibling, or one of its own",
    "call_type": "no requirement on how the call is made",
}


def _listed(words: str | None) -> tuple[str, ...] | None:
    return None if words is None else tuple(one.strip() for one in words.split(",") if one.strip())


def _body(found: _Gathered, part: Literal["request", "response"], top: Place) -> tuple[Body, list[Lack]]:
    """The request or the response, and what of it the page does not have: the other of sample and table stands for it."""
    half = found.halves.get(part)
    if half is None:
        lack = Lack(part, f"section {part.capitalize()}", "an object without members", top)
        return Body("object", "", (), (_JSON,), (), top), [lack]
    lacks = []
    fields, shape = half.fields, "object"
    values = [read_sample(one.text).value for one in half.samples if one.form == "json"]
    if not half.samples:
        lacks.append(Lack(f"{part}/sample", "sample", "the members of the table as one object", half.place))
    elif half.samples[0].text.lstrip().startswith("["):
        shape = "list"
    if fields is None:
        shown = [one for value in values for one in (value if isinstance(value, list) else [value])]
        line = half.samples[0].place.line if half.samples else half.place.line
        fields = fields_shown(shown, Place(f"{part.capitalize()} sample", line))
        what = "the members of the sample" if fields else "an object without members"
        if shown not in ([{}], [], [[]]) or not half.samples:
            lacks.append(Lack(f"{part}/table", "table of members", what, half.place))
    media = tuple(dict.fromkeys(_media(half))) or (_JSON,)
    return Body("list" if shape == "list" else "object", "", fields, media, tuple(half.samples), half.place), lacks


_JSON = "application/json"


def _media(half: _Half) -> Iterator[str]:
    for sample in half.samples:
        yield from sample.media_types


def _broken(where: str, line: int, message: str) -> PageError:
    hint = "A page of this dialect has a name, Category, Permissions, Call Type, Request and Response with sample and table."
    return PageError(message, where=f"{where}:{line}", hint=hint)


GITBOOK: Dialect = "gitbook"


def is_gitbook(document: Document) -> bool:
    """Whether the page begins with a heading of level 1 and has a section Request or Response of level 3 or more."""
    if not document.blocks or document.blocks[0].kind != "heading" or document.blocks[0].level != 1:
        return False
    return any(
        block.kind == "heading" and block.level >= 3 and block.text.plain.casefold().startswith(tuple(_PARTS))
        for block in document.blocks
    )


SLATE: Dialect = "slate"


def is_slate(document: Document) -> bool:
    """Whether the page begins with a heading and has a section Request or Response at most two levels below it."""
    if not document.blocks or document.blocks[0].kind != "heading":
        return False
    top = document.blocks[0].level
    return any(
        block.kind == "heading"
        and top < block.level <= top + 2
        and block.text.plain.casefold().startswith(tuple(_PARTS))
        for block in document.blocks
    )
