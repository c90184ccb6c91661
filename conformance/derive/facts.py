"""A page as a flat table of facts, each under one key, so that two of them can be laid side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from lxml import etree

from conformance.derive.page import Body, Field, Page, Part, Place, Sample, every_field
from conformance.derive.samples import canonical, read_sample

NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


@dataclass(frozen=True, slots=True)
class Key:
    """What a fact is about: its place in the contract, such as `request/OMSId`, and which of its sides."""

    at: str
    kind: str


@dataclass(frozen=True, slots=True)
class Fact:
    """The value of a fact in words, and where the page says it (None for a folder)."""

    value: str
    place: Place | None = None


Facts: TypeAlias = Mapping[Key, Fact]


def facts_of_page(page: Page) -> dict[Key, Fact]:
    """Every fact of a page: name, route, permissions, fields, codes, media types, forms of XML, samples, wording."""
    facts: dict[Key, Fact] = {Key("operation", "document"): Fact(page.name, page.place)}
    for kind, value in (
        ("method", page.method),
        ("path", page.path),
        ("call-type", page.call_type),
        ("category", page.category),
    ):
        if value is not None:
            facts[Key("operation", kind)] = Fact(value, page.place)
    if page.permissions is not None:
        facts[Key("operation", "permissions")] = Fact(in_order(one.casefold() for one in page.permissions), page.place)
    for part, body in page.bodies():
        facts.update(_body_facts(part, body))
    for code in page.codes:
        key = Key(f"codes/{code.code}", "message")
        before = facts[key].value if key in facts else None
        facts[key] = Fact(
            code.message if before is None else in_order({*before.split(" | "), code.message}, " | "), code.place
        )
    facts.update(wording_facts(page))
    return facts


def in_order(words: Iterator[str] | set[str] | tuple[str, ...], between: str = ", ") -> str:
    """Words in alphabetical order as one text, since their order says nothing."""
    return between.join(sorted(words))


def need_text(field: Field) -> str:
    """Whether a member must come, in the words that a folder's facts use as well."""
    if field.when is not None:
        return f"required when {field.when.flag} is {str(field.when.value).lower()}"
    return "required" if field.need == "required" else "optional"


def digest_of(text: str) -> str:
    """Twelve hex digits that change with the words, and not with spaces or line breaks."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:12]


def wording_facts(page: Page) -> Iterator[tuple[Key, Fact]]:
    """A digest of every sentence of the page, of tables as well, and of what was not read; by section, not by number.

    What was not read though it belongs to a place in the contract is a departure of its own.
    """
    seen: dict[Key, Fact] = {}
    for statement in page.statements:
        section = statement.place.section.partition(", paragraph")[0].rstrip("0123456789 ")
        seen[Key(f"wording/{section}", digest_of(statement.text))] = Fact("stated", statement.place)
    for part, body in page.bodies():
        for path, field in every_field(body.fields):
            seen[Key(f"wording/{part}/{path}", digest_of(f"{field.type.stated}. {field.text}"))] = Fact(
                "stated", field.place
            )
    for unread in (one for one in page.unread if one.shown and not one.at):
        place = Place("not read", unread.line)
        seen[Key("wording/not read", digest_of(unread.text))] = Fact("stated", place)
    return iter(seen.items())


def xml_facts(
    part: Part, root: str, item: str, members: tuple[str, ...], place: Place | None
) -> Iterator[tuple[Key, Fact]]:
    """The form of an XML document: its root, the element of an item, the members in their order, as expanded names."""
    yield Key(f"{part}/xml", "root"), Fact(root, place)
    if item:
        yield Key(f"{part}/xml", "item"), Fact(item, place)
    if members:
        yield Key(f"{part}/xml", "members"), Fact(" ".join(members), place)


def _body_facts(part: Part, body: Body) -> Iterator[tuple[Key, Fact]]:
    yield Key(part, "shape"), Fact(body.shape, body.place)
    yield Key(part, "media-types"), Fact(in_order(body.media_types), body.place)
    if body.record and body.shape != "string":
        yield Key(part, "record"), Fact(body.record, body.place)
    for path, field in every_field(body.fields):
        at = f"{part}/{path}"
        yield Key(at, "type"), Fact(str(field.type), field.place)
        yield Key(at, "need"), Fact(need_text(field), field.place)
        yield Key(at, "null"), Fact("yes" if field.null else "no", field.place)
    yield from _sample_facts(body.samples)
    for sample in body.samples:
        tree = read_sample(sample.text).tree
        if tree is not None:
            yield from _xml_of(part, body, sample, tree)


def _sample_facts(samples: tuple[Sample, ...]) -> Iterator[tuple[Key, Fact]]:
    for sample in samples:
        yield Key(f"samples/{sample.part}-{sample.number}", "sample"), Fact(canonical(sample.text), sample.place)


def _xml_of(part: Part, body: Body, sample: Sample, tree: etree._Element) -> Iterator[tuple[Key, Fact]]:
    items = [child for child in tree if isinstance(child.tag, str)] if body.shape == "list" else [tree]
    members = members_in_order(items) if body.shape != "string" else ()
    item = str(items[0].tag) if body.shape == "list" and items else ""
    yield from xml_facts(part, str(tree.tag), item, members, sample.place)


def members_in_order(items: list[etree._Element]) -> tuple[str, ...]:
    """The members of the items in the order in which the samples have them, as expanded names, each once."""
    found: list[str] = []
    for item in items:
        last = -1
        for child in item:
            if isinstance(child.tag, str):
                tag = str(child.tag)
                if tag not in found:
                    found.insert(last + 1, tag)
                last = found.index(tag)
    return tuple(found)
