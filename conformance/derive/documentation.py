"""A vendor's whole documentation to pages: many files, folders, and files that hold many calls.

What several calls share is found once: the standard response object, the table of errors, objects that are described by
name. A call that points there gets it, and its page says so.

A later documentation against a service's folder: calls added, removed, changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from conformance.derive.codes import codes_of
from conformance.derive.drift import Comparison, check_page
from conformance.derive.kinds import Enumeration, Kinds, kind_of, with_kinds
from conformance.derive.page import Code, Dialect, Field, Lack, Page, Place, Unread
from conformance.derive.read import call_page, help_page
from conformance.derive.read.call_page import (
    GITBOOK,
    PARTS,
    SLATE,
    is_gitbook,
    section_word,
)
from conformance.derive.read.dialects import check_bounds, page_of_text, read_text
from conformance.derive.read.help_html import lines_of_html, looks_like_html
from conformance.derive.read.help_rows import Line, lines_of
from conformance.derive.read.markdown import Block, Document, parse_markdown
from conformance.derive.read.tables import read_error_table, read_table
from conformance.derive.samples import finished
from conformance.derive.siblings import siblings_in
from conformance.errors import PageError, SpecError

MAX_FILE_BYTES, MAX_FILE_LINES, MAX_FILES = 8 * 1024 * 1024, 100_000, 2_000
SUFFIXES = (".md", ".markdown", ".mdx", ".txt", ".html", ".htm")


@dataclass(frozen=True, slots=True)
class Call:
    """The page of one call: `where` is its file and line."""

    where: str
    page: Page


@dataclass(frozen=True, slots=True)
class Refused:
    """A file, or a part of one, that is no call's page or is damaged."""

    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Shared:
    """What a documentation describes once for several calls, with where it stands."""

    standard: tuple[Field, ...] = ()
    codes: tuple[Code, ...] = ()
    objects: tuple[tuple[str, tuple[Field, ...]], ...] = ()
    enumerations: tuple[tuple[str, Enumeration], ...] = ()
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Documentation:
    """All calls in the order of the files, what was refused, and by file what stands in no call."""

    calls: tuple[Call, ...]
    refused: tuple[Refused, ...] = ()
    unread: tuple[tuple[str, Unread], ...] = ()
    shared: Shared = Shared()


@dataclass(slots=True)
class _Read:
    calls: list[Call] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    unread: list[tuple[str, Unread]] = field(default_factory=list)
    standard: tuple[Field, ...] = ()
    codes: list[Code] = field(default_factory=list)
    kinds: Kinds = field(default_factory=Kinds)
    places: list[str] = field(default_factory=list)


def files_of(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The files of a documentation, each once: those named, and those of a folder whose names end as pages do, sorted.

    Errors: `PageError` for a folder without such a file, and for more than `MAX_FILES`.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.suffix.casefold() in SUFFIXES and one.is_file())
            if not inside:
                hint = f"A page's name ends in {', '.join(SUFFIXES)}."
                raise PageError("no page in the folder", where=str(path), hint=hint)
            found.update(dict.fromkeys(one for one in inside if not _hidden(one, path)))
        else:
            found[path] = None
    if len(found) > MAX_FILES:
        raise PageError(f"more than {MAX_FILES} files", where=str(next(iter(found))), hint="Give one service's pages.")
    return tuple(found)


def _hidden(path: Path, above: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(above).parts)


def calls_in(text: str, where: str) -> int:
    """How many calls a text has, as its headings or titles tell; 0 where it is one page for the usual reader."""
    if looks_like_html(text):
        return 1
    lines = lines_of(text)
    if help_page.looks_like_help_page(lines):
        return len(_titles(lines))
    check_bounds(text, where, MAX_FILE_LINES)
    return len(_heads(parse_markdown(text).blocks))


def read_documentation(paths: Iterable[Path]) -> Documentation:
    """All calls in the files and folders. A file that cannot be read is refused by itself, and the others are read.

    Errors: `PageError` for a folder without pages, and where no call is found at all.
    """
    found = _Read()
    files = files_of(paths)
    for path in files:
        try:
            _file(found, read_text(path, MAX_FILE_BYTES), str(path))
        except PageError as error:
            found.refused.append(Refused(error.where or str(path), error.message))
    objects, values = tuple(found.kinds.objects.items()), tuple(found.kinds.enumerations.items())
    shared = Shared(found.standard, tuple(found.codes), objects, values, tuple(found.places))
    first_of: dict[str, Call] = {}
    for call in found.calls:
        first = first_of.setdefault(call.page.name, call)
        if first is not call:
            found.refused.append(Refused(call.where, f"the call {call.page.name} stands at {first.where} already"))
    calls = tuple(replace(one, page=with_shared(one.page, shared)) for one in first_of.values())
    if not calls:
        why = found.refused[0] if found.refused else Refused(str(files[0]), "no call in it")
        hint = "Give the pages of a vendor's calls."
        raise PageError(f"no call found: {why.message}", where=why.where, hint=hint)
    return Documentation(calls, tuple(found.refused), tuple(found.unread), shared)


def _file(found: _Read, text: str, where: str) -> None:
    lines = lines_of(text)
    if looks_like_html(text):
        of_html, unread = lines_of_html(text, where)
        if not _keep_models(found, of_html, unread, where):
            found.calls.append(Call(f"{where}:1", page_of_text(text, where)))
    elif _keep_models(found, lines, (), where):
        pass
    elif help_page.looks_like_help_page(lines):
        starts = _titles(lines)
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            _one(found, f"{where}:{lines[start].number}", lambda: help_page.page_of(lines[start:end], (), where))  # noqa: B023
        found.unread += [
            (where, Unread(one.number, one.text, "stands before the first operation"))
            for one in lines[: starts[0]]
            if one.text
        ]
    else:
        check_bounds(text, where, MAX_FILE_LINES)
        document = parse_markdown(text)
        if not _heads(document.blocks) and not _keep_shared(found, document.blocks, where):
            page_of_text(text, where)  # says what it looks like
        elif _heads(document.blocks):
            _markdown(found, document, where)


def _keep_models(found: _Read, lines: Sequence[Line], unread: Sequence[Unread], where: str) -> bool:
    """Whether the lines are pages of types, as a help page links to them; the first of a name is kept."""
    if not help_page.looks_like_model_page(lines):
        return False
    kinds, others = help_page.models_of(lines, where)
    for name, fields in kinds.objects.items():
        found.kinds.objects.setdefault(name, fields)
    for name, values in kinds.enumerations.items():
        found.kinds.enumerations.setdefault(name, values)
    found.places.append(f"{where}:{lines[0].number}")
    found.unread += [(where, one) for one in (*unread, *others)]
    return True


def _one(found: _Read, where: str, read: object) -> None:
    try:
        found.calls.append(Call(where, read()))  # type: ignore[operator]
    except PageError as error:
        found.refused.append(Refused(error.where or where, error.message))


def _titles(lines: Sequence[Line]) -> list[int]:
    """The places of the titles of operations that have a Request Information before the next title."""
    titles = [place for place, line in enumerate(lines) if help_page.TITLE.fullmatch(line.text)]
    return [
        start
        for start, end in zip(titles, [*titles[1:], len(lines)], strict=True)
        if any(line.text == "Request Information" for line in lines[start:end])
    ]


def _heads(blocks: Sequence[Block]) -> list[int]:
    """The places of the headings that have a section Request or Response right below them."""
    above: list[tuple[int, int]] = []
    found: dict[int, None] = {}
    for place, block in enumerate(blocks):
        if block.kind != "heading":
            continue
        above = [one for one in above if one[0] < block.level]
        if section_word(block.text.plain) not in PARTS:
            above.append((block.level, place))
        elif above and _has_message(blocks, place):
            found[above[-1][1]] = None
    return sorted(found)


def _has_message(blocks: Sequence[Block], place: int) -> bool:
    """Whether the section of this heading has anything in it."""
    after = blocks[place + 1] if place + 1 < len(blocks) else None
    return after is not None and (after.kind != "heading" or after.level > blocks[place].level)


def _markdown(found: _Read, document: Document, where: str) -> None:
    blocks, heads = document.blocks, _heads(document.blocks)
    inside: set[int] = set()
    for start in heads:
        level = blocks[start].level
        end = next(
            (at for at in range(start + 1, len(blocks)) if blocks[at].kind == "heading" and blocks[at].level <= level),
            len(blocks),
        )
        inside.update(range(start, end))
        first = blocks[start].line
        last = blocks[end].line if end < len(blocks) else 1 << 30
        part = Document(blocks[start:end], tuple(one for one in document.unread if first <= one.line < last))
        dialect: Dialect = GITBOOK if is_gitbook(part) else SLATE
        _one(found, f"{where}:{first}", lambda: call_page.page_of(part, dialect, where))  # noqa: B023
    others = [block for place, block in enumerate(blocks) if place not in inside]
    first_line = blocks[heads[0]].line
    found.unread += [(where, one) for one in document.unread if one.line < first_line]
    _keep_shared(found, others, where)


_STANDARD = re.compile(r"\b(?:standard|common|general|generic)\b.*\b(?:response|answer|reply|object|result)s?\b", re.I)


def _keep_shared(found: _Read, blocks: Sequence[Block], where: str) -> bool:
    """Take the standard response, the codes and the described objects out of what stands in no call; list the rest."""
    heading, kept = "", False
    for block in blocks:
        if block.kind == "heading":
            heading = block.text.plain
            continue
        if block.kind == "table" and _shared_table(found, block, heading, where):
            kept = True
            continue
        rows = [" | ".join(cell.plain for cell in row.cells) for row in block.rows] or [block.text.plain]
        label = f"in the section {heading}, which is no call's" if heading else "before the first heading"
        lines = [row.line for row in block.rows] or [block.line]
        found.unread += [
            (where, Unread(line, " ".join(row.split())[:80], label))
            for line, row in zip(lines, rows, strict=True)
            if row.strip()
        ]
    return kept


def _shared_table(found: _Read, block: Block, heading: str, where: str) -> bool:
    errors = read_error_table(block, heading)
    if errors is not None:
        known = {(one.code, one.message) for one in found.codes}
        found.codes += [one for one in errors[0] if (one.code, one.message) not in known]
        found.unread += [(where, one) for one in errors[1]]
        found.places.append(f"{where}:{block.line}")
        return True
    try:
        fields, beside = read_table(block, heading, None, None, where)
    except PageError:
        return False
    if _STANDARD.search(heading) and not found.standard:
        found.standard = fields
    else:
        found.kinds.objects.setdefault(kind_of(heading), fields)
    found.unread += [(where, one) for one in beside]
    found.places.append(f"{where}:{block.line}")
    return True


def with_shared(page: Page, shared: Shared) -> Page:
    """The page with what it points to: the standard response, and the members of objects that it calls by name."""
    page = _with_standard(page, shared)
    filled = with_kinds(page, dict(shared.objects), dict(shared.enumerations))
    return page if filled is page else finished(filled)


_POINTS = re.compile(r"\b(?:standard|common|general|generic)\b[^.]*\b(?:response|answer|reply|object)\b", re.I)


def _with_standard(page: Page, shared: Shared) -> Page:
    """The page whose response only points to the standard response, with its members and the shared codes.

    A page with members of that name and without a list of codes of its own gets the shared codes as well.
    """
    said = [one for one in page.statements if one.place.section.startswith("Response") and _POINTS.search(one.text)]
    table = next((one for one in page.lacks if one.at == "response/table"), None)
    if shared.standard and said and table is not None:
        response = replace(page.response, fields=shared.standard)
        lacks = tuple(one for one in page.lacks if one is not table)
        note = Unread(
            said[0].place.line, said[0].text[:60], f"read as the object at line {shared.standard[0].place.line}"
        )
        page = replace(page, response=response, lacks=lacks, read_as=(*page.read_as, note))
        page = finished(page)
        return _with_codes(page, shared, asked=False)
    names = {one.name for one in shared.standard}
    if names and names == {one.name for one in page.response.fields} and not page.codes:
        return _with_codes(page, shared, asked=True)
    return page


def _with_codes(page: Page, shared: Shared, *, asked: bool) -> Page:
    codes = [*page.codes, *shared.codes]
    known = codes_of(page.response.fields, page.request.fields, page.statements, codes)
    if not shared.codes or not asked:
        return replace(page, codes=known)
    place = Place("Response", page.response.place.line)
    lack = Lack("codes", "list of codes", "those of the shared table", place)
    return replace(page, codes=known, lacks=(*page.lacks, lack))


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a later documentation has changed: `added` calls no operation has, `removed` operations have no page."""

    service: str
    added: tuple[Call, ...]
    removed: tuple[str, ...]
    changed: tuple[tuple[Call, Comparison], ...]
    same: tuple[tuple[Call, Comparison], ...]

    @property
    def drifted(self) -> bool:
        """Whether anything departs from the service."""
        return bool(self.added or self.removed or self.changed)


def is_service(folder: Path) -> bool:
    """Whether a folder is a service's, and not that of one operation."""
    return not (folder / "operation.yaml").exists() and any(folder.glob("*/operation.yaml"))


def renewal_of(documentation: Documentation, folder: Path, edition: str = "") -> Renewal:
    """Hold a documentation against the operations of the service in `folder`, which its pages name.

    An operation that has the `edition` is compared as that has it.

    Errors: `SpecError` for a folder that cannot be used, and for a page that two operations come from.
    """
    known = siblings_in(folder, besides="")
    by_document = {one.document: one for one in known}
    if len(by_document) != len(known):
        documents = [one.document for one in known]
        twice = next(one for one in documents if documents.count(one) > 1)
        hint = "Compare such operations one by one."
        raise SpecError(f"two operations come from the page {twice}", where=str(folder), hint=hint)
    added, changed, same = list[Call](), list[tuple[Call, Comparison]](), list[tuple[Call, Comparison]]()
    for call in documentation.calls:
        one = by_document.pop(call.page.name, None)
        if one is None:
            added.append(call)
            continue
        others = tuple(sibling for sibling in known if sibling is not one)
        own = edition if edition in one.operation.editions else ""
        found = check_page(call.page, one.operation.folder, siblings=others, edition=own)
        (changed if found.drift else same).append((call, found))
    removed = tuple(one.operation.id for one in by_document.values())
    return Renewal(folder.absolute().name, tuple(added), removed, tuple(changed), tuple(same))
