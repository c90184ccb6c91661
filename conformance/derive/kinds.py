"""Kinds that a page or a documentation describes once: objects and enumerations, put in where a row calls them by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from conformance.derive.page import Field, Page, Type, Unread, Value

_KIND_WORDS = re.compile(r"\b(?:objects?|types?|records?|structures?|the|an?)\b", re.I)
_LIST = re.compile(r"\b(?:array|list|collection) of\b", re.I)
_MOST_FIELDS, _DEEPEST = 2_000, 12


@dataclass(frozen=True, slots=True)
class Enumeration:
    """The values of an enumeration, and the line at which they stand."""

    values: tuple[Value, ...]
    line: int


@dataclass(slots=True)
class Kinds:
    """Objects and enumerations by the name that `kind_of` gives them."""

    objects: dict[str, tuple[Field, ...]] = field(default_factory=dict)
    enumerations: dict[str, Enumeration] = field(default_factory=dict)


def kind_of(words: str) -> str:
    """The name of a kind in what a heading or a row calls it: letters alone, one of several."""
    return re.sub(r"\W+", "", _KIND_WORDS.sub("", words)).casefold().rstrip("s")


def with_kinds(page: Page, objects: Mapping[str, tuple[Field, ...]], enumerations: Mapping[str, Enumeration]) -> Page:
    """The page with members and values in the rows that name a kind, each told in `read_as`; itself where none does.

    A kind that comes back to itself is not opened again, and no more than 2,000 rows are put in: the type of what is
    left is a question.
    """
    told: list[Unread] = []
    count = [0]

    def filled(fields: tuple[Field, ...], above: tuple[str, ...]) -> Iterator[Field]:
        for one in fields:
            count[0] += 1
            name = kind_of(_LIST.sub("", one.type.stated))
            listed = one.type.kind == "list"
            named = enumerations.get(name) if name and one.type.kind in ("unknown", "list") else None
            if named is not None:
                told.append(Unread(one.place.line, one.type.stated, f"read as the values at line {named.line}"))
                kind = Type("list", "integer", one.type.stated) if listed else Type("integer", "", one.type.stated)
                yield replace(one, type=kind, values=named.values)
                continue
            free = name and not one.members and name not in above and len(above) < _DEEPEST
            inside = objects.get(name, ()) if free and count[0] < _MOST_FIELDS else ()
            if inside:
                told.append(
                    Unread(one.place.line, one.type.stated, f"read as the object at line {inside[0].place.line}")
                )
                one = replace(
                    one, type=replace(one.type, kind="list" if listed else "object", item="object" if listed else "")
                )
            yield replace(one, members=tuple(filled(inside or one.members, (*above, name))))

    request = replace(page.request, fields=tuple(filled(page.request.fields, ())))
    response = replace(page.response, fields=tuple(filled(page.response.fields, ())))
    if not told:
        return page
    return replace(page, request=request, response=response, read_as=(*page.read_as, *told))
