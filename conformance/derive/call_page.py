"""Blocks of Markdown to a page: a call's name, its header lines, and its Request and Response with samples and tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from conformance.derive.call_tables import codes_of, read_table
from conformance.derive.finish import finished
from conformance.derive.markdown import Block, Document
from conformance.derive.page import Body, Dialect, Field, Page, Part, Place, Sample, Statement, Unread
from conformance.derive.samples import clean_sample, media_types_of
from conformance.errors import PageError

_HEADER = {"category": "category", "permissions": "permissions", "call type": "call_type"}
_PARTS: dict[str, Part] = {"request": "request", "response": "response"}


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
    bodies = {part: _body(found, part) for part in _PARTS.values()}
    missing = [label for label, key in _HEADER.items() if key not in found.header]
    if missing:
        raise _broken(where, blocks[0].line, f"the page has no line {', '.join(missing)} under its name")
    return finished(
        Page(
            dialect=dialect,
            name=name,
            method=None,
            path=None,
            category=found.header["category"],
            permissions=tuple(one.strip() for one in found.header["permissions"].split(",") if one.strip()),
            call_type=found.header["call_type"],
            request=bodies["request"],
            response=bodies["response"],
            error=None,
            codes=codes_of(bodies["response"].fields),
            statements=tuple(found.statements),
            place=Place("heading", blocks[0].line),
            unread=tuple(found.unread),
            read_as=tuple(found.read_as),
        )
    )


def _take(found: _Gathered, block: Block) -> None:
    if block.kind == "heading":
        word = (block.text.plain.split() or [""])[0].casefold()
        found.section = _PARTS.get(word, block.text.plain)
        if word in _PARTS and _PARTS[word] not in found.halves:
            found.halves[_PARTS[word]] = _Half(Place(word.capitalize(), block.line))
            if block.text.plain.casefold() != word:
                found.unread.append(
                    Unread(block.line, block.text.plain, f"more than the word {word.capitalize()} in its heading")
                )
        elif word in _PARTS:
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
    found.statements.append(Statement(" ".join(block.text.plain.split()), place, block.text.marked))


def _half(found: _Gathered) -> _Half | None:
    return next((half for part, half in found.halves.items() if part == found.section), None)


def _take_sample(found: _Gathered, block: Block) -> None:
    half = _half(found)
    language = block.info.split()[0].casefold() if block.info else ""
    text, oddities = clean_sample(block.text.plain, block.line + 1)
    if half is None or language not in ("", "json", "xml", "javascript") or not text.strip():
        why = f"a sample in {language}" if language else "a code block outside Request and Response, or an empty one"
        found.unread.append(Unread(block.line, block.text.plain.strip()[:80], why))
        return
    found.read_as.extend(oddities)
    part: Literal["request", "response"] = "request" if found.section == "request" else "response"
    number = len(half.samples) + 1
    place = Place(f"{part.capitalize()} sample" + (f" {number}" if number > 1 else ""), block.line)
    half.samples.append(Sample(part, number, media_types_of(text), text, place))


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


def _body(found: _Gathered, part: Part) -> Body:
    half = found.halves.get(part)
    if half is None:
        raise _broken(found.where, 1, f"the page has no section {part.capitalize()}")
    if half.fields is None:
        raise _broken(found.where, half.place.line, f"the section {part.capitalize()} has no table")
    if not half.samples:
        raise _broken(found.where, half.place.line, f"the section {part.capitalize()} has no sample")
    shape: Literal["list", "object"] = "list" if half.samples[0].text.lstrip().startswith("[") else "object"
    media = tuple(dict.fromkeys(_media(half)))
    return Body(shape, "", half.fields, media, tuple(half.samples), half.place)


def _media(half: _Half) -> Iterator[str]:
    for sample in half.samples:
        yield from sample.media_types


def _broken(where: str, line: int, message: str) -> PageError:
    hint = "A page of this dialect has a name, Category, Permissions, Call Type, Request and Response with sample and table."
    return PageError(message, where=f"{where}:{line}", hint=hint)
