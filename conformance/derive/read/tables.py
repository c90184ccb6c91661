"""The tables of a call's page: rows of key and value to fields, rows of code and message to codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from conformance.derive.codes import is_success
from conformance.derive.page import Code, Field, Place, Statement, Type, Unread, every_field, need_of, type_of
from conformance.derive.read.markdown import Block, Row, Text
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
                yield Unread(row.line, text, _NO_PART, at=at)
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
    able = [field for _, field in every_field(known) if field.type.kind in ("object", "list")]
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
    taken = next((field.name for field in able if field.name in owners and field.members), None)
    if taken is not None:
        raise _half_table(where, rows[0].place.line, f"a second table for the members of {taken}")
    return _given(known, owners, rows), []


def _given(fields: tuple[Field, ...], owners: set[str], rows: tuple[Field, ...]) -> tuple[Field, ...]:
    """The fields, at any depth, with the rows as members of those that are named."""
    return tuple(
        _with_members(one, rows)
        if one.name in owners and one.type.kind in ("object", "list")
        else replace(one, members=_given(one.members, owners, rows))
        for one in fields
    )


_FOLLOWS = re.compile(r"\b(?:of|with) the following\b|\b(?:described|listed|shown|explained) below\b", re.IGNORECASE)


def _with_members(field: Field, rows: tuple[Field, ...]) -> Field:
    """The field with the members of its object, or of each object in its list."""
    kind = replace(field.type, item="object") if field.type.kind == "list" else field.type
    return replace(field, type=kind, members=rows)


def _half_table(where: str, line: int, message: str) -> PageError:
    return PageError(message, where=f"{where}:{line}", hint="Save the page again: a row of it is cut off or damaged.")


_CODE_HEADS = ("code", "error code", "errorcode", "error", "error number", "number", "no.", "#")
_MESSAGE_HEADS = (
    "message",
    "error message",
    "errormsg",
    "text",
    "error text",
    "meaning",
    "description",
    "reason",
    "error",
)


def read_error_table(block: Block, section: str) -> tuple[list[Code], list[Unread]] | None:
    """The codes of a table with one column of numbers and one of messages, and its other cells; None for another table."""
    heads = [cell.plain.casefold() for cell in block.rows[0].cells]
    code = next((heads.index(word) for word in _CODE_HEADS if word in heads), None)
    text = next((heads.index(word) for word in _MESSAGE_HEADS if word in heads and heads.index(word) != code), None)
    rows = [row for row in block.rows[1:] if any(cell.plain for cell in row.cells)]
    if code is None or text is None or not rows:
        return None
    if not all(row.cells[code].plain.isdecimal() and row.cells[text].plain for row in rows):
        return None
    codes, beside = [], []
    for row in rows:
        number, message = row.cells[code].plain, row.cells[text].plain
        place = Place(f"{section.capitalize()}, {ERROR_TABLE}, row {number}", row.line)
        codes.append(Code(number, "" if is_success(number, message) else message, place))
        others = [(heads[at], cell.plain) for at, cell in enumerate(row.cells) if at not in (code, text) and cell.plain]
        more = [f"{head}: {words}" for head, words in others] + list(row.surplus)
        beside += [Unread(row.line, words, _NO_PART, at=f"codes/{number}") for words in more]
    return codes, beside


ERROR_TABLE = "table of errors"
_NO_PART = "a column that has no part in a contract"
