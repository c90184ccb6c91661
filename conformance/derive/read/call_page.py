"""Blocks of Markdown to a page: a call's name, its header lines, and its Request and Response with samples and tables.

The tables of a call's page: rows of key and value to fields, and the codes listed in one of them.

The dialect of GitBook: the call's name is the page's heading of level 1, its sections are small headings of level 4.

The dialect of Slate: the call's name is a heading of level 2, or of 1 with plain headings of level 2 and 3 below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from conformance.derive.codes import code_marks, codes_of
from conformance.derive.page import (
    Body,
    Code,
    Dialect,
    Field,
    Lack,
    Page,
    Part,
    Place,
    Sample,
    Statement,
    Unread,
    every_field,
)
from conformance.derive.read.markdown import Block, Document
from conformance.derive.read.tables import read_error_table, read_table
from conformance.derive.samples import clean_sample, fields_shown, finished, media_types_of, read_sample
from conformance.errors import PageError

_HEADER = {"category": "category", "permissions": "permissions", "call type": "call_type"}
PARTS: dict[str, Part] = {
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
    codes: list[Code] = field(default_factory=list)
    plain: set[str] = field(default_factory=set)
    routes: list[tuple[str, str]] = field(default_factory=list)


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
            for mark in code_marks(row.text, row.name)
            if mark.misspelt
        ]
    return finished(
        Page(
            dialect=dialect,
            name=name,
            method=found.routes[0][0] if found.routes else None,
            path=found.routes[0][1] if found.routes else None,
            category=found.header.get("category"),
            permissions=_listed(found.header.get("permissions")),
            call_type=found.header.get("call_type"),
            request=bodies["request"],
            response=bodies["response"],
            error=None,
            codes=codes_of(bodies["response"].fields, bodies["request"].fields, found.statements, found.codes),
            statements=tuple(found.statements),
            place=place,
            lacks=tuple(lacks),
            unread=tuple(found.unread),
            read_as=tuple(found.read_as),
        )
    )


def _take(found: _Gathered, block: Block) -> None:
    if block.kind == "heading":
        _begin(found, block, section_word(block.text.plain))
    elif block.kind == "code":
        _take_sample(found, block)
    elif block.kind == "table":
        _take_table(found, block)
    elif block.kind == "paragraph" and block.text.plain.startswith("|"):
        raise _broken(found.where, block.line, "half a table: a row without the line of dashes under its head")
    elif not _take_header(found, block) and not _take_route(found, block.text.plain, block.line):
        _state(found, block)


_BEFORE = frozenset(
    {"http", "json", "query", "url", "uri", "path", "body", "sample", "example", "success", "successful"}
)
_PLAIN_HEADING = re.compile(rf"(?:(?:{'|'.join(sorted(_BEFORE))})\s+)?\w+", re.IGNORECASE)


def section_word(heading: str) -> str:
    """The word by which a heading may begin the request or the response: its first, or that after `HTTP` and the like."""
    words = heading.casefold().split()
    if len(words) > 1 and words[0] in _BEFORE and words[1] in PARTS:
        return words[1]
    return words[0] if words else ""


def _take_route(found: _Gathered, text: str, line: int) -> bool:
    """Whether a text is a route, such as `GET /things` alone; the first is the page's, another one is listed."""
    match = _ROUTE.fullmatch(text.strip().removesuffix("HTTP/1.1").strip())
    if match is None:
        return False
    path = re.sub(r"^https?://[^/\s]+", "", match.group("path")) or "/"
    route = (match.group("method"), path.partition("?")[0])
    if "?" in path:
        found.unread.append(Unread(line, path[path.index("?") :][:80], "the query of a route"))
    if not found.routes:
        found.routes.append(route)
    elif route not in found.routes:
        found.unread.append(Unread(line, text.strip()[:80], "a second route", at="operation/path"))
    return True


def _begin(found: _Gathered, block: Block, word: str) -> None:
    """A heading: a section of the page, or one below it; a second one of the same plain word is refused."""
    found.section = PARTS.get(word, block.text.plain)
    plain = block.text.plain.casefold() == word
    if word in PARTS and PARTS[word] not in found.halves:
        found.halves[PARTS[word]] = _Half(Place(PARTS[word].capitalize(), block.line))
        if not _PLAIN_HEADING.fullmatch(block.text.plain):
            found.unread.append(
                Unread(block.line, block.text.plain, f"more than the word {word.capitalize()} in its heading")
            )
    elif word in found.halves and plain and word in found.plain:
        raise _broken(found.where, block.line, f"a second section {word.capitalize()}")
    elif block.text.plain:
        found.unread.append(Unread(block.line, block.text.plain, "the heading of a section with no part in a contract"))
    if plain and word in PARTS:
        found.plain.add(word)


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
    label = found.section if found.section not in PARTS else found.section.capitalize()
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
    if half is not None and found.section == "request" and _take_route(found, printed, block.line + 1):
        return
    text, oddities = clean_sample(printed, block.line + 1)
    if language == "http" and half is not None and found.routes and not text.strip():
        return
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
        if line.strip() and not (found.section == "request" and _take_route(found, line, number)):
            found.unread.append(Unread(number, line.strip()[:80], "stands in the head of a sample"))
    return "\n".join(lines[start:]), start


_ROUTE = re.compile(r"(?P<method>GET|PUT|POST|PATCH|DELETE)\s+(?P<path>(?:https?://[^/\s]+)?/\S*)")


def _take_table(found: _Gathered, block: Block) -> None:
    half = _half(found)
    errors = read_error_table(block, found.section)
    if errors is not None:
        found.codes += errors[0]
        found.unread += errors[1]
        return
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
    if half.fields is None and not half.samples and _is_nothing(found, part):
        found.read_as.append(Unread(half.place.line, part.capitalize(), "read as a message without a body"))
        return Body("nothing", "", (), (_JSON,), (), half.place), []
    if fields is None and values and (bare := _bare_value(values)) is not None:
        media = tuple(dict.fromkeys(_media(half))) or (_JSON,)
        return Body(bare[0], "", (), media, tuple(half.samples), half.place, item=bare[1]), lacks
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
_NOTHING = re.compile(
    r"(?:^|\b(?:is|are|has|with|returns|gets)\s+)(?:empty|none|nothing|no (?:content|body|answer|response|data))\W*$",
    re.IGNORECASE,
)
_KINDS = {bool: "boolean", int: "integer", float: "number", str: "string"}


def _is_nothing(found: _Gathered, part: Part) -> bool:
    """Whether the section consists of a sentence that says that there is no body."""
    said = [one for one in found.statements if one.place.section.startswith(part.capitalize())]
    return len(said) == 1 and _NOTHING.search(said[0].text) is not None


def _bare_value(values: list[Any]) -> tuple[Literal["list", "value", "string"], str] | None:
    """The shape of samples that hold no object, with the kind of the value or of the items; None for any other."""
    if all(type(one) in _KINDS for one in values) and len({type(one) for one in values}) == 1:
        kind = _KINDS[type(values[0])]
        return ("string", "") if kind == "string" else ("value", kind)
    inner = [item for one in values if isinstance(one, list) for item in one]
    kinds = {_KINDS.get(type(item), "") for item in inner}
    if all(isinstance(one, list) for one in values) and len(kinds) == 1 and kinds != {""}:
        return "list", kinds.pop()
    return None


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
        block.kind == "heading" and block.level >= 3 and block.text.plain.casefold().startswith(tuple(PARTS))
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
        and block.text.plain.casefold().startswith(tuple(PARTS))
        for block in document.blocks
    )
