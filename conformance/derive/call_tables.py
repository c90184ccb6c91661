"""The tables of a call's page: rows of key and value to fields, and the codes listed in one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from conformance.derive.inline import Text
from conformance.derive.markdown import Block, Row
from conformance.derive.page import Code, Field, Place, Statement, Type, Unread, every_field
from conformance.derive.terms import codes_in, need_of, success_code_in, type_of
from conformance.errors import PageError

_KEY_WORDS = ("key", "name", "field", "parameter", "property")
_TYPE_WORDS = ("type",)
_TEXT_WORDS = ("value", "description")


def read_table(
    block: Block, section: str, known: tuple[Field, ...] | None, before: Statement | None, where: str
) -> tuple[tuple[Field, ...], list[Unread]]:
    """The fields of the section once this table is read: its own, or members of those that the sentence before it names.

    What stands in other columns, and in cells beyond the head's, comes back as not read, with its place in the contract.
    Errors: `PageError` for a table that is cut off, or repeats a key.
    """
    label = section.capitalize()
    title = f"{label} table" if known is None else f"{label}, second table"
    columns = _columns(block, where)
    closed = any(row.closed for row in block.rows)
    if closed and not block.rows[0].closed:
        raise _half(where, block.line, "half a table: its head has no bar at its end, as the rows have")
    rows = [_field(row, columns, title, where, closed=closed) for row in block.rows[1:]]
    if not rows:
        raise _half(where, block.line, "the table has a head and no row")
    seen: set[str] = set()
    for row in rows:
        if row.name in seen:
            raise _half(where, row.place.line, f"the row {row.name} stands there twice")
        seen.add(row.name)
    beside = list(_beside(block, columns, section))
    if known is None:
        return tuple(rows), beside
    fields, unread = _joined(known, tuple(rows), before, where)
    return fields, [*unread, *beside]


def codes_of(fields: tuple[Field, ...]) -> tuple[Code, ...]:
    """The codes that the rows of a response list, each once, with the code of success in front."""
    found: dict[tuple[str, str], Code] = {}
    for _, field in every_field(fields):
        listed = codes_in(field.text, field.place)
        success = success_code_in(field.text, field.place) if field.type.kind in ("integer", "int64") else ()
        for code in (*success, *listed):
            found.setdefault((code.code, code.message), code)
    ordered = sorted(found.values(), key=lambda one: (one.message != "", int(one.code)))
    return tuple(ordered) if any(one.message for one in ordered) else ()


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
        raise _half(where, row.line, f"half a table: the row {name} has no bar at its end, as the others have")
    if not name or not cell.plain:
        raise _half(where, row.line, f"half a table: a row has no {'text' if name else 'key'}")
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
    words = {word.casefold() for word in before.text.replace(":", " ").replace(",", " ").split()} if before else set()
    owners = {field.name for field in known if field.type.kind in ("object", "list") and field.name.casefold() in words}
    if not owners:
        lines = [
            Unread(
                row.place.line,
                f"{row.name}: {row.text[:60]}",
                "no sentence before the table says whose members these are",
            )
            for row in rows
        ]
        return known, lines
    taken = next((field.name for field in known if field.name in owners and field.members), None)
    if taken is not None:
        raise _half(where, rows[0].place.line, f"a second table for the members of {taken}")
    return tuple(replace(field, members=rows) if field.name in owners else field for field in known), []


def _half(where: str, line: int, message: str) -> PageError:
    return PageError(message, where=f"{where}:{line}", hint="Save the page again: a row of it is cut off or damaged.")
