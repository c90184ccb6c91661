"""What does not fit on a page by itself: a table of rules, each a function from the page to departures.

What a caller must know and a page may leave unsaid: statuses, and how a list is treated as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from conformance.derive.codes import code_marks, codes_in, codes_told
from conformance.derive.misfits.prose import PROSE_RULES, sentences, words_in
from conformance.derive.misfits.samples import SAMPLE_RULES
from conformance.derive.page import (
    Departure,
    Field,
    Page,
    Part,
    Place,
    every_field,
    hints_at_absence,
    may_be_absent,
    may_be_null,
)
from conformance.derive.samples import MEMBERS_OF_SAMPLE, flat, values_in

_STATUS = re.compile(r"\b(status code|http status|http \d{3}|status \d{3})\b")
_SAID = {
    "order": re.compile(r"\b(in the same order|in any order|order of the (instructions|request|items))\b"),
    "empty-list": re.compile(r"\bempty (list|array|collection)\b"),
    "broken-item": re.compile(r"\b(the whole list|entire list|the other (instructions|items)|each .* on its own)\b"),
}


def silences(page: Page) -> Iterator[Departure]:
    """The questions that the page does not answer; each is a reading until somebody does."""
    prose = " ".join(" ".join(_prose(page)).casefold().split())
    if not _STATUS.search(prose):
        alternatives = {"200": "always 200", "4xx": "a 4xx that fits the error"}
        yield _silence(
            "error/status" if page.error else "response/error-status",
            "Which HTTP status has an error?",
            page.response.place,
            alternatives,
            "error-status",
        )
        if page.error is not None:
            yield _silence(
                "response/status",
                "Which HTTP status has a success?",
                page.response.place,
                {"200": "200", "201": "201"},
                "processed-status",
            )
    if page.request.shape == "list" and page.response.shape == "list":
        yield from _of_lists(page, prose)
    shown = [path for path, field in every_field(page.response.fields) if field.null and page.dialect == "help-page"]
    shown = list(dict.fromkeys(shown))
    if shown and "left out" not in prose and "omitted" not in prose:
        alternatives = {"present": "written out, as null or as a nil element", "omitted": "left out"}
        yield _silence(
            "response/null-members",
            f"Are null members ({', '.join(shown)}) written or left out?",
            page.response.place,
            alternatives,
            "null-members",
        )


def _of_lists(page: Page, prose: str) -> Iterator[Departure]:
    if not _SAID["order"].search(prose):
        alternatives = {"same": "in the order of the request", "other": "in another order, each with its id"}
        yield _silence(
            "response/order", "In which order do the results come?", page.response.place, alternatives, "result-order"
        )
    if not _SAID["empty-list"].search(prose):
        alternatives = {"empty-result": "an empty list", "refused": "an error"}
        yield _silence(
            "request/empty-list", "What does an empty list get?", page.request.place, alternatives, "empty-list"
        )
    if not _SAID["broken-item"].search(prose):
        alternatives = {"only-itself": "it fails alone", "whole-list": "the whole list is refused"}
        yield _silence(
            "request/broken-item",
            "What does one broken item do to its list?",
            page.request.place,
            alternatives,
            "broken-instruction",
        )


def _prose(page: Page) -> Iterator[str]:
    for statement in page.statements:
        yield statement.text
    for _, body in page.bodies():
        for _, field in every_field(body.fields):
            yield field.text


def _silence(at: str, question: str, place: Place, alternatives: dict[str, str], reading: str) -> Departure:
    return Departure("silence", at, "nothing", "an answer", place, question, alternatives, reading)


Rule = Callable[[Page], Iterator[Departure]]


def misfits(page: Page) -> tuple[Departure, ...]:
    """Every departure of the page from itself, in the order of the rules and of the page."""
    found = [one for rule in RULES for one in rule(page)]
    return tuple(_once(found))


def _once(found: list[Departure]) -> Iterator[Departure]:
    seen: set[tuple[str, str, str, str]] = set()
    for one in found:
        key = (one.kind, one.at, one.says, one.against)
        if key not in seen:
            seen.add(key)
            yield one


def lacking(page: Page) -> Iterator[Departure]:
    """A part that such pages have, and this one has not."""
    for one in page.lacks:
        question = f"The page has no {one.what}: is that all? The draft takes {one.instead}."
        yield Departure("part-missing", one.at, f"no {one.what}", one.instead, one.place, question)


def codes_twice(page: Page) -> Iterator[Departure]:
    """A code with two messages on one page."""
    first: dict[str, str] = {}
    for code in page.codes:
        before = first.setdefault(code.code, code.message)
        if before != code.message:
            alternatives = {"first": before, "second": code.message}
            yield Departure(
                "code-elsewhere",
                f"codes/{code.code}",
                code.message,
                before,
                code.place,
                "Which text comes with the code?",
                alternatives,
                f"code-{code.code}-text",
            )


_VALUES = re.compile(
    r"(?<![\w.,(-])-?\d{1,9}\s*(?:[-\u2013\u2014=:)]|\bis\b|\bfor\b)?\s*[\"']?[A-Z][A-Za-z]+|"
    r"(?i:\bone of(?: the following)?(?: values)?\s*:|\bone of the following\b|"
    r"\b(?:allowed|possible|valid|accepted|permitted) values\b)"
)


def codes_unclear(page: Page) -> Iterator[Departure]:
    """A code whose message is not a short text by itself: in a sentence, in a row of the request, or of many words."""
    listed = {
        code.code
        for _, field in every_field(page.response.fields)
        for code in codes_in(field.text, field.place, field.name)
    }
    told = [(one.text, one.place) for one in page.statements]
    told += [(field.text, field.place) for _, field in every_field(page.request.fields)]
    for text, place in told:
        for code in codes_told(text, place):
            if code.code not in listed:
                question = f"What is the message of code {code.code}, and does it belong to this call?"
                yield Departure(
                    "code-unclear",
                    f"codes/{code.code}",
                    code.message or "no message",
                    "no row lists it",
                    place,
                    question,
                )
    for part, path, field, _ in _shown(page):
        for code in codes_in(field.text, field.place, field.name) if part != "request" else ():
            if len(code.message.split()) > _LONG or ". " in code.message:
                question = f"Which of these words are the message of code {code.code}?"
                yield Departure(
                    "code-unclear", f"codes/{code.code}", code.message, "a short text", field.place, question
                )
        marks = {code.code for code in code_marks(field.text, field.name)} - {
            code.code for code in codes_in(field.text, field.place, field.name)
        }
        for number in sorted(marks if part != "request" else ()):
            question = f"Which message comes with code {number}?"
            yield Departure("code-unclear", f"{part}/{path}", f"code {number}", "no message", field.place, question)


_LONG = 8


def values_listed(page: Page) -> Iterator[Departure]:
    """A row that lists values, such as `0 Unknown, 1 Open`, which a draft does not hold its field to."""
    for part, body in page.bodies():
        for path, field in every_field(body.fields):
            text = field.text
            for mark in reversed(code_marks(text, field.name if part != "request" else "")):
                text = f"{text[: mark.start]}{text[mark.end :]}"
            found = [" ".join(one.group(0).split()) for one in _VALUES.finditer(text)]
            if len(found) > 1 or (found and found[0][0].isalpha() and not code_marks(field.text, field.name)):
                question = f"Is {field.name} held to the values that its row lists?"
                says = ", ".join(found) if len(found) > 1 else found[0]
                yield Departure("values-listed", f"{part}/{path}", says, f"any {field.type}", field.place, question)


def absence_unclear(page: Page) -> Iterator[Departure]:
    """A response row with `may`, `usually` or `if any` where it is not sure that they speak of the value's presence."""
    for part, path, field, _ in _shown(page):
        if part != "request" and page.dialect != "help-page" and hints_at_absence(field.text):
            says, against = "may, usually or if any", "always there, in the draft"
            question = f"Can {field.name} be absent or null, or is the word about something else?"
            yield Departure("absence-unclear", f"{part}/{path}", says, against, field.place, question)


def null_against_empty(page: Page) -> Iterator[Departure]:
    """A text that its row calls null and the sample shows as empty; a list that a sample shows as null."""
    for part, path, field, values in _shown(page):
        if part == "request":
            continue
        if field.type.kind == "string" and field.null and "" in values:
            question = f"What does {field.name} hold when there is nothing to say?"
            alternatives = {"null": "null, as the text says", "empty": "an empty string, as the sample shows"}
            kind = "absence-unsaid" if may_be_absent(field.text) else "null-against-empty"
            yield Departure(
                kind,
                f"{part}/{path}",
                '""',
                "null",
                field.place,
                question,
                alternatives,
                f"{path.rpartition('/')[2].lower()}-on-success",
            )
        elif field.type.kind == "list" and None in values:
            question = f"Is {field.name} null or an empty list when it has no items?"
            alternatives = {"null": "null or left out, as in the sample", "empty": "an empty list"}
            yield Departure(
                "null-against-empty",
                f"{part}/{path}",
                "null",
                "an empty list",
                field.place,
                question,
                alternatives,
                f"empty-{field.name.lower()}",
            )


def absence_unsaid(page: Page) -> Iterator[Departure]:
    """A response member that only may have a value; how its absence looks is not said."""
    for part, path, field, values in _shown(page):
        open_ = may_be_absent(field.text) or may_be_null(field.text)
        if part != "request" and field.type.kind == "string" and open_ and "" not in values:
            question = f"Is {field.name} null, empty or left out when there is nothing to say?"
            alternatives = {"null": "null", "empty": "an empty string", "omitted": "the member is left out"}
            yield Departure(
                "absence-unsaid",
                f"{part}/{path}",
                "may be without a value",
                "not said how",
                field.place,
                question,
                alternatives,
                f"{field.name.lower()}-on-success",
            )


def conditions_unnamed(page: Page) -> Iterator[Departure]:
    """A conditional field whose condition no sentence names, or names by no member."""
    for path, field in every_field(page.request.fields):
        if field.need == "conditional" and field.when is None and not _explained(page, field):
            question = f"What happens without {field.name}, and when must it come?"
            alternatives = {"accepted": "the call works without it", "refused": "the call is refused"}
            at, reading = f"request/{path}", f"{field.name.lower()}-omitted"
            yield Departure(
                "condition-unnamed",
                at,
                "depends on a condition",
                "no condition named",
                field.place,
                question,
                alternatives,
                reading,
            )


def _explained(page: Page, field: Field) -> bool:
    """Whether a sentence with `if` or `without` speaks of the field."""
    for statement in page.statements:
        for sentence in sentences(statement.text):
            words = {word.casefold() for word in words_in(sentence)}
            if field.name.casefold() in words and words & {"if", "without", "when", "unless"}:
                return True
    return False


def needs_unsaid(page: Page) -> Iterator[Departure]:
    """A request field of a call's page that is called neither required nor optional."""
    for path, field in every_field(page.request.fields):
        if field.need == "unsaid" and page.dialect != "help-page":
            yield Departure(
                "need-unsaid",
                f"request/{path}",
                "neither required nor optional",
                "optional in the draft",
                field.place,
                f"Must {field.name} come?",
            )


def _unlisted(field: Field) -> bool:
    """Whether no table lists the members of the field; a sample may show some."""
    return all(one.place.section.endswith(MEMBERS_OF_SAMPLE) for one in field.members)


def _item_unknown(field: Field) -> bool:
    if field.members:
        return _unlisted(field)
    return field.type.item == "unknown" or not field.type.item.islower()


def types_unknown(page: Page) -> Iterator[Departure]:
    """A field of unknown type; an object without members on the page; an integer without the width that XML needs."""
    for part, body in page.bodies():
        wide = any(sample.form == "xml" for sample in body.samples)
        for path, field in every_field(body.fields):
            at = f"{part}/{path}"
            if field.type.kind == "unknown" or (field.type.kind == "list" and _item_unknown(field)):
                yield Departure(
                    "type-unknown",
                    at,
                    field.type.stated or "no type",
                    "no type known here",
                    field.place,
                    f"What does {field.name} hold?",
                )
            elif field.type.kind == "object" and _unlisted(field):
                yield Departure(
                    "type-unknown",
                    at,
                    "object",
                    "no table of its members",
                    field.place,
                    f"Which members has {field.name}?",
                )
            elif field.type.kind == "integer" and wide and not field.values and not field.in_uri:
                alternatives = {"int32": "32 bits, signed", "int64": "64 bits, signed"}
                yield Departure(
                    "width-unsaid",
                    at,
                    "integer",
                    "int32",
                    field.place,
                    "How wide is the integer?",
                    alternatives,
                    "id-width",
                )


def nulls_unshown(page: Page) -> Iterator[Departure]:
    """A request field of a help page that is taken to be nullable though no sample shows it so."""
    for part, path, field, values in _shown(page):
        if page.dialect == "help-page" and part == "request" and field.null and None not in values:
            yield Departure(
                "null-unshown",
                f"{part}/{path}",
                "nullable",
                "no sample shows null",
                field.place,
                f"May {field.name} be null where it is not needed?",
            )


def _shown(page: Page) -> Iterator[tuple[Part, str, Field, tuple[Any, ...]]]:
    """Each field with the values that the samples show for it."""
    for part, body in page.bodies():
        for path, field in every_field(body.fields):
            values: list[Any] = list(values_in(body))
            for name in path.split("/"):
                values = [one[name] for one in flat(values) if isinstance(one, dict) and name in one]
            yield part, path, field, tuple(values)


def cells_unread(page: Page) -> Iterator[Departure]:
    """A cell of a table in a column that is not read, or beyond the columns of the head."""
    for one in page.unread:
        if one.at:
            question = f"What does it mean for the contract? It is {one.why}."
            yield Departure("not-read", one.at, one.text, "no part in a contract", Place("table", one.line), question)


RULES: tuple[Rule, ...] = (
    lacking,
    *SAMPLE_RULES,
    *PROSE_RULES,
    codes_twice,
    codes_unclear,
    values_listed,
    absence_unclear,
    null_against_empty,
    absence_unsaid,
    conditions_unnamed,
    needs_unsaid,
    types_unknown,
    nulls_unshown,
    cells_unread,
    silences,
)
