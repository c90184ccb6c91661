"""Sentences against the tables of their page: required or optional, names that no table has, letter case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from conformance.derive.page import Departure, Field, Page, Place, every_field

_IDENTIFIER = re.compile(r"[A-Za-z]+[a-z][A-Z]\w*|[A-Z]{2,}[a-z]\w*|[a-z]+_\w+")


def sentences(text: str) -> list[str]:
    """The sentences and half sentences of a text."""
    return re.split(r"(?<=[.!?;])\s+", text)


def words_in(text: str) -> list[str]:
    """The words of a text, without punctuation."""
    return re.findall(r"\w+", text)


def prose_against_tables(page: Page) -> Iterator[Departure]:
    """A sentence that calls a field required or optional where its row says the other; a name that no table has."""
    fields = {
        field.name.casefold(): (f"{part}/{path}", field)
        for part, body in page.bodies()
        for path, field in every_field(body.fields)
    }
    for statement in page.statements:
        for sentence in sentences(statement.text):
            for word in dict.fromkeys(words_in(sentence)):
                if word.casefold() in fields:
                    at, field = fields[word.casefold()]
                    yield from _need_in_prose(at, field, sentence, statement.place)
        for name in dict.fromkeys(statement.marked):
            if (
                _IDENTIFIER.fullmatch(name)
                and name.casefold() not in fields
                and name.casefold() != page.name.casefold()
            ):
                question = f"Is {name} a member that the tables lack, or a name of something else?"
                yield Departure(
                    "table-against-prose",
                    f"prose/{name}",
                    "named in a sentence",
                    "in no table",
                    statement.place,
                    question,
                )


def _need_in_prose(at: str, field: Field, sentence: str, place: Place) -> Iterator[Departure]:
    if not at.startswith("request/"):
        return
    lower = " ".join(sentence.casefold().split())
    optional = re.search(r"\boptional(ly)?\b|\bneed not\b|\bmay be (omitted|left out)\b", lower)
    required = re.search(r"\bmust\b|\brequired\b|\bmandatory\b", lower)
    question = f"Must {field.name} come or not?"
    if optional and not required and field.need == "required":
        yield Departure(
            "table-against-prose",
            at,
            "optional",
            "required",
            place,
            question,
            {"required": "it must come", "optional": "it may be left out"},
            "presence",
        )
    if required and not optional and field.need == "optional":
        yield Departure(
            "table-against-prose",
            at,
            "required",
            "optional",
            place,
            question,
            {"required": "it must come", "optional": "it may be left out"},
            "presence",
        )


def error_text_against_type(page: Page) -> Iterator[Departure]:
    """An error that is a string under a description that speaks of a list."""
    if (
        page.error is not None
        and page.error.shape == "string"
        and re.search(r"\blist\b|\bcollection\b", page.error.text.casefold())
    ):
        question = "Is an error a string, as its type and samples say, or the list that its description speaks of?"
        yield Departure("table-against-prose", "error", "a list", "string", page.error.place, question)


def key_case(page: Page) -> Iterator[Departure]:
    """One name in two letter cases: in the samples, the tables or the prose."""
    tables = {
        field.name.casefold(): (f"{part}/{path}", field.name)
        for part, body in page.bodies()
        for path, field in every_field(body.fields)
    }
    for statement in page.statements:
        for name in dict.fromkeys(
            (*statement.marked, *(word for word in words_in(statement.text) if _IDENTIFIER.fullmatch(word)))
        ):
            at, known = tables.get(name.casefold(), ("", name))
            if known != name:
                yield _case(at, name, known, statement.place)
    for part, body in page.bodies():
        named: dict[str, str] = {}
        for path, field in every_field(body.fields):
            before = named.setdefault(path.casefold(), field.name)
            if before != field.name:
                yield _case(f"{part}/{path}", field.name, before, field.place)


def _case(at: str, says: str, against: str, place: Place) -> Departure:
    question = f"Does the letter case of {against} matter?"
    alternatives = {"documented": "as the table prints it", "any": "letter case has no meaning"}
    return Departure("key-case", at, says, against, place, question, alternatives, "key-case")


PROSE_RULES: tuple[Callable[[Page], Iterator[Departure]], ...] = (
    prose_against_tables,
    error_text_against_type,
    key_case,
)
