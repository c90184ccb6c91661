"""The names in a draft: the operation's short name, requirement ids, the fields with a role in an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.derive.page import Field, Page, codes_in, success_code_in
from conformance.derive.siblings import Sibling

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class Names:
    """`short` is the first part of case ids, `operation` the id, `kind` that of the answer, or `unknown`."""

    short: str
    operation: str
    kind: str

    def requirement(self, *parts: str) -> str:
        """The id of a requirement from its parts."""
        words = (re.sub(r"[^A-Z0-9]+", "", part.upper()) or "X" for part in parts)
        return "-".join((self.short.upper(), *words))


@dataclass(frozen=True, slots=True)
class Standard:
    """The members of a standard answer by their roles; None where the page shows none."""

    result: Field | None
    message: Field | None
    code: Field | None


def words_of(name: str) -> list[str]:
    """The words of a name in camel case."""
    return _WORDS.findall(name)


def names_of(page: Page, folder: str, service: str, siblings: Sequence[Sibling]) -> Names:
    """The names of a draft in the folder of this name, none of them a sibling's."""
    words = _WORDS.findall(
        (page.path or page.name).rpartition("/")[2] if page.path is None else page.path.removeprefix("/api")
    )
    short = "".join(word[0] for word in words).lower() or "op"
    taken = {one.operation.short for one in siblings}
    longer = (
        [
            short,
            *(short + words[-1][1:end].lower() for end in range(2, len(words[-1]) + 1)),
            *(f"{short}{number}" for number in range(2, 99)),
        ]
        if words
        else [short]
    )
    name = re.sub(r"[^a-z0-9_]+", "_", folder.casefold()).strip("_") or short
    return Names(next((one for one in longer if one not in taken), short), f"{service}.{name}", _kind(page))


def standard_of(fields: Sequence[Field]) -> Standard:
    """Which fields tell success, the message and the code, as their types and the codes in their rows show."""
    result = next((one for one in fields if one.type.kind == "boolean"), None)
    message = next((one for one in fields if one.type.kind == "string" and codes_in(one.text, one.place)), None)
    code = next(
        (one for one in fields if one.type.kind in ("integer", "int64") and success_code_in(one.text, one.place)), None
    )
    return Standard(result, message, code)


def legs_of(page: Page) -> tuple[Field, ...]:
    """The members of a response that each hold a standard answer."""
    return tuple(one for one in page.response.fields if standard_of(one.members).message is not None)


def answer_of(page: Page) -> Standard:
    """The members of a page's standard answer, or of that in its first leg."""
    legs = legs_of(page)
    return standard_of(legs[0].members if legs else page.response.fields)


def _kind(page: Page) -> str:
    if page.response.shape == "list":
        return "results"
    if standard_of(page.response.fields).message is not None:
        return "standard"
    return "pair" if len(legs_of(page)) == 2 and len(page.response.fields) == 2 else "unknown"
