"""Requirements of a draft: one for each statement of the page, with document and place; prose is left to word.

The account of a page: what became of each of its facts, so that none is lost unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from conformance.derive.codes import besides_codes, code_marks
from conformance.derive.draft.schemas import Names, answer_of, member_requirement, presence_requirement
from conformance.derive.limits import limit_words, told_by
from conformance.derive.misfits.prose import sentences
from conformance.derive.page import Body, Departure, Field, Page, Part, Place, every_field
from conformance.derive.read.tables import ERROR_TABLE

Requirement = dict[str, Any]
_XML = {
    "ROOT": "The XML document's root is the element of the sample.",
    "NS": "The elements are in the namespaces of the sample, whichever prefixes stand for them.",
    "ITEM": "Each item of the XML list is the element of the sample.",
    "ORDER": "The members of an item come in the order of the sample.",
    "NIL": "A null member is an empty element with i:nil set to true.",
    "ARRAYS": "The entries of a list inside an item are elements of the Arrays namespace.",
}


def requirements_of(page: Page, names: Names, points: Sequence[Departure]) -> list[Requirement]:
    """Every requirement, each id once, in the order of the page; those of proposed readings at the end."""
    found: dict[str, Requirement] = {}
    for one in (
        *_heading(page, names),
        *_prose(page, names),
        *_bodies(page, names),
        *_codes(page, names),
        *_readings(page, names, points),
    ):
        found.setdefault(one["id"], one)
    return list(found.values())


def reading_requirement(point: Departure, names: Names) -> str:
    """The requirement that a proposed reading belongs to."""
    return names.requirement("OPEN", point.reading)


def statement_requirement(number: int, names: Names) -> str:
    """The requirement of the page's statement with this number, from 1."""
    return names.requirement("TEXT", str(number))


def text_requirement(field: Field, part: Part, names: Names) -> str:
    """The requirement of what a row says beyond type and presence."""
    return names.requirement({"request": "REQ", "response": "RESP", "error": "ERR"}[part], field.name, "TEXT")


def _one(page: Page, identifier: str, place: str, text: str, level: str = "must") -> Requirement:
    return {"id": identifier, "level": level, "document": page.name, "place": place, "text": text, "verify": "cases"}


_UNWORDED = {"verify": "untested", "untested": "still to be put in our own words; then a case verifies it"}


def _heading(page: Page, names: Names) -> Iterator[Requirement]:
    if page.category is not None:
        reason = "it names the vendor's grouping of pages; nothing on the wire shows it"
        entry = _one(
            page,
            names.requirement("CATEGORY"),
            "heading, Category",
            f"The call belongs to the vendor's group {page.category}.",
        )
        yield {**entry, "verify": "untested", "untested": reason}
    for role in page.permissions or ():
        yield _one(
            page,
            names.requirement("PERM", role),
            "heading, Permissions",
            f"A user with the permission {role} may make the call.",
        )
    if page.permissions:
        yield _one(
            page,
            names.requirement("PERM", "OTHERS"),
            "heading, Permissions",
            "A user who has none of the permissions is refused.",
        )
    if page.call_type is not None:
        text = "The outcome comes back on the exchange that carried the request."
        odd = f"The call is of the type {page.call_type}; each request is answered on the exchange that carried it."
        yield _one(
            page,
            names.requirement("SYNC"),
            "heading, Call Type",
            text if page.call_type.casefold() == "synchronous" else odd,
        )
    if page.method is not None:
        yield _one(page, names.requirement("ROUTE"), "heading", f"The operation is served at the path {page.path}.")
        yield _one(
            page,
            names.requirement("METHOD"),
            "heading",
            f"The operation is called with {page.method}; no other method acts.",
        )


def _prose(page: Page, names: Names) -> Iterator[Requirement]:
    for number, statement in enumerate(page.statements, 1):
        text = f"Line {statement.place.line} of the page, to be put in our own words."
        yield _one(page, statement_requirement(number, names), statement.place.section, text) | _UNWORDED


def _bodies(page: Page, names: Names) -> Iterator[Requirement]:
    for part, body in page.bodies():
        yield from _body(page, part, body, names)


_SHAPES = {
    "object": "one object",
    "list": "a list of objects",
    "string": "one string with a text in it",
    "nothing": "without a body",
}


def _body(page: Page, part: Part, body: Body, names: Names) -> Iterator[Requirement]:
    label = body.place.section
    tag = {"request": "REQ", "response": "RESP", "error": "ERR"}[part]
    shape = _SHAPES.get(body.shape, f"one value of type {body.item}")
    shape = f"a list of values of type {body.item}" if body.shape == "list" and body.item else shape
    form = names.requirement(tag, "STRING" if body.shape == "string" else "FORM")
    yield _one(page, form, label, f"The {part} is {shape}.")
    for _, field in every_field(body.fields):
        yield from _member(page, part, field, names)
    for media in body.media_types:
        yield _one(page, names.requirement(tag, media), f"{label}, formats", f"The {part} comes in {media}.")
    for form_name in dict.fromkeys(sample.form for sample in body.samples):
        place = next(sample.place.section for sample in body.samples if sample.form == form_name)
        yield _one(
            page,
            names.requirement(tag, "SAMPLE", form_name),
            place,
            f"The {part} has the form of the {form_name.upper()} sample.",
        )
        if form_name == "xml" and body.shape != "string":
            yield from (_one(page, names.requirement(tag, "XML", word), place, text) for word, text in _XML.items())
    if part == "error":
        yield from (
            _one(
                page, names.requirement("ERR", form_name), label, f"In {form_name.upper()} the error is a bare string."
            )
            for form_name in ("json", "xml")
        )


def _member(page: Page, part: Part, field: Field, names: Names) -> Iterator[Requirement]:
    null = " or null" if field.null else ""
    kind = "a value of a type still to be named" if field.type.kind == "unknown" else f"of type {field.type}"
    yield _one(
        page,
        member_requirement(field, part, names),
        field.place.section,
        f"{field.name} is {kind}{null}{limit_words(field)}.",
    )
    if field.text:
        yield (
            _one(
                page,
                text_requirement(field, part, names),
                field.place.section,
                f"What line {field.place.line} says of {field.name}, to be put in our own words.",
            )
            | _UNWORDED
        )
    if part != "request":
        return
    if field.when is not None:
        text = f"{field.name} must come when {field.when.flag} is {str(field.when.value).lower()}."
    elif field.need == "required":
        text = f"{field.name} is required; a request without it is refused."
    else:
        text = f"{field.name} may be left out."
    level = "open" if field.need == "conditional" and field.when is None else "must"
    yield _one(page, presence_requirement(field, part, names), field.place.section, text, level)


def _codes(page: Page, names: Names) -> Iterator[Requirement]:
    standard = answer_of(page)
    if standard.code is None or not page.codes:
        return
    place, name = standard.code.place.section, standard.code.name
    yield _one(
        page, names.requirement("RESP", name, "LISTED"), place, f"{name} is the code of success or one of those listed."
    )
    if standard.result is not None:
        yield _one(page, names.requirement("AGREE"), place, f"{standard.result.name} and {name} tell one story.")
        yield _one(
            page,
            names.requirement("RESP", standard.result.name, "FALSE"),
            standard.result.place.section,
            f"{standard.result.name} is false when an error is reported.",
        )
    for code in page.codes:
        if code.message:
            text = f"Code {code.code} comes with the text {code.message}."
            yield _one(page, names.requirement("CODE", code.code), code.place.section, text)
        else:
            yield _one(
                page,
                names.requirement("RESP", name, "SUCCESS"),
                code.place.section,
                f"On success {name} is {code.code}.",
            )


def _readings(page: Page, names: Names, points: Sequence[Departure]) -> Iterator[Requirement]:
    for point in points:
        if point.reading:
            place = point.place.section if point.place else "page"
            yield _one(
                page, reading_requirement(point, names), place, f"{point.question} (reading {point.reading}).", "open"
            )


Fate = Literal["used", "asked about", "to word", "not read"]
FATES: tuple[Fate, ...] = ("used", "asked about", "to word", "not read")


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of a page and what became of it; `begins` are its first words, since a draft copies no sentences."""

    fate: Fate
    line: int
    place: str
    begins: str


def account_of(page: Page, points: Sequence[Departure]) -> tuple[Entry, ...]:
    """Every fact of the page in its order: name, header lines, rows, sentences, codes, samples, and what was not read.

    A sentence that the draft does not understand as a whole is to be worded, whatever else was taken from it.
    """
    asked = {point.at for point in points}
    found = [Entry("used", page.place.line, page.place.section, page.name)]
    header = (page.category, page.call_type, *(page.permissions or ()))
    found += [Entry("used", page.place.line, "heading", value) for value in header if value is not None]
    for statement in page.statements:
        found += [_to_word(one, statement.place) for one in _pieces(statement.text)]
    for part, body in page.bodies():
        for path, field in every_field(body.fields):
            found += _of_row(field, part, open_=f"{part}/{path}" in asked)
        for sample in body.samples:
            known = f"samples/{part}-{sample.number}" in asked
            found.append(Entry("asked about" if known else "used", sample.place.line, sample.place.section, "a sample"))
    tabled = [one for one in page.codes if ERROR_TABLE in one.place.section]
    found += [Entry("used", one.place.line, one.place.section, f"code {one.code}") for one in tabled]
    found += [Entry("not read", one.line, one.why, one.text) for one in page.unread]
    return tuple(sorted(found, key=lambda one: (one.line, FATES.index(one.fate))))


_WORDS = re.compile(r"\w")
_UNDERSTOOD = re.compile(r"(?:(?:not )?required|optional|conditionally (?:optional|required)|none)[.;]?", re.IGNORECASE)
_FIRST = 4


def _of_row(field: Field, part: Part, *, open_: bool) -> Iterator[Entry]:
    line, section = field.place.line, field.place.section
    yield Entry("asked about" if open_ else "used", line, section, field.name)
    text = field.text
    if part != "request":
        yield from (Entry("used", line, section, f"code {mark.code}") for mark in code_marks(text, field.name))
        text = besides_codes(text, field.name)
    for one in _pieces(text):
        understood = _UNDERSTOOD.fullmatch(one.strip()) or told_by(one, field)
        yield Entry("used", line, section, one) if understood else _to_word(one, field.place)


def _pieces(text: str) -> list[str]:
    """The sentences of a text, each line of a list by itself."""
    return [one for row in text.split("\n") for one in sentences(row) if _WORDS.search(one)]


def _to_word(sentence: str, place: Place) -> Entry:
    words = sentence.split()
    begins = " ".join(words[:_FIRST]) + (" \u2026" if len(words) > _FIRST else "")
    return Entry("to word", place.line, place.section, begins)
