"""Samples against the tables of their page: form, members, types, letter case, and JSON against XML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree

from conformance.derive.facts import NIL
from conformance.derive.page import Body, Departure, Field, Page, Part, Place, Sample
from conformance.derive.samples import read_sample

_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,), "int64": (int,), "boolean": (bool,), "string": (str,), "guid": (str,), "number": (int, float),
    "date-time": (str,), "object": (dict,), "list": (list,),
}  # fmt: skip
_NAMES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "list",
    dict: "object",
    type(None): "null",
}


def malformed_samples(page: Page) -> Iterator[Departure]:
    """A sample that is no JSON or no XML, each member that stands twice, and each whose object is put in quotes."""
    for part, body in page.bodies():
        for sample in body.samples:
            found = read_sample(sample.text)
            for name, line in found.twice:
                yield Departure(
                    "invalid-sample",
                    _at(sample),
                    f"the member {name} stands twice",
                    "each member once",
                    Place(sample.place.section, sample.place.line + line),
                    f"Which {name} does the wire carry? The sample has the member twice in one object.",
                )
            if not found.fault:
                continue
            place = Place(sample.place.section, sample.place.line + found.line)
            question = f"What does the wire carry? The sample cannot be read: {found.fault}"
            yield Departure(
                "invalid-sample",
                _at(sample),
                f"not {sample.form.upper()}",
                f"well-formed {sample.form.upper()}",
                place,
                question,
            )
            for name in found.quoted:
                alternatives = {
                    "object": "a nested object, as the table says",
                    "string": "a string that holds the JSON of the object",
                }
                yield Departure(
                    "sample-against-table",
                    f"{part}/{name}",
                    "string",
                    "object",
                    place,
                    f"In which form does {name} come?",
                    alternatives,
                    "leg-form",
                )


def json_against_tables(page: Page) -> Iterator[Departure]:
    """Members that only the sample or only the table has, in another letter case, or of another type."""
    for part, body in page.bodies():
        for sample in body.samples:
            found = read_sample(sample.text)
            if sample.form == "json" and not (found.fault and found.value is None):
                yield from _shape(part, body, sample, found.value)
                values = found.value if isinstance(found.value, list) else [found.value]
                for value in values if body.shape in ("object", "list") and not body.item else ():
                    if isinstance(value, dict):
                        yield from _members(part, body.fields, value, sample)


def xml_against_tables(page: Page) -> Iterator[Departure]:
    """Elements that only the XML or only the table has, in wrong order, or of another type; XML against JSON."""
    for part, body in page.bodies():
        for sample in body.samples:
            tree = read_sample(sample.text).tree
            if tree is None or body.shape == "string":
                continue
            items = [child for child in tree if isinstance(child.tag, str)] if body.shape == "list" else [tree]
            for item in items:
                yield from _elements(part, body, item, sample)
            yield from _as_many(part, body, items, sample)


SAMPLE_RULES: tuple[Callable[[Page], Iterator[Departure]], ...] = (
    malformed_samples,
    json_against_tables,
    xml_against_tables,
)


def _at(sample: Sample) -> str:
    return f"samples/{sample.part}-{sample.number}"


def _shape(part: Part, body: Body, sample: Sample, value: Any) -> Iterator[Departure]:
    wanted = {"object": (dict,), "list": (list,), "string": (str,), "nothing": ()}.get(
        body.shape, _JSON_TYPES.get(body.item)
    )
    if wanted is not None and not isinstance(value, wanted):
        yield _differs(
            part, _NAMES.get(type(value), "another value"), body.shape, sample, f"Is the {part} {body.shape} or not?"
        )


def _members(at: str, fields: tuple[Field, ...], value: dict[str, Any], sample: Sample) -> Iterator[Departure]:
    folded = {field.name.casefold(): field for field in fields}
    for name in value:
        field = folded.get(name.casefold())
        if field is None:
            yield _differs(f"{at}/{name}", "a member", "no row", sample, f"Is {name} a member that the table lacks?")
        elif field.name != name:
            question = f"Does the letter case of {field.name} matter?"
            alternatives = {"documented": "as the table prints it", "any": "letter case has no meaning"}
            yield Departure(
                "key-case", f"{at}/{field.name}", name, field.name, sample.place, question, alternatives, "key-case"
            )
    shown = {name.casefold(): one for name, one in value.items()}
    for field in fields:
        if field.name.casefold() not in shown:
            if field.in_uri:  # it stands in the address
                continue
            yield _differs(
                f"{at}/{field.name}",
                "no member",
                "a row",
                sample,
                f"Is {field.name} missing in the sample, or left out on purpose?",
            )
        else:
            yield from _value(f"{at}/{field.name}", field, shown[field.name.casefold()], sample)


def _value(at: str, field: Field, value: Any, sample: Sample) -> Iterator[Departure]:
    wanted = _JSON_TYPES.get(field.type.kind)
    if value is None or wanted is None:
        return
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        shown = _NAMES.get(type(value), type(value).__name__)
        alternatives = {"table": f"{field.type}, as the table says", "sample": f"{shown}, as the sample shows"}
        yield Departure(
            "sample-against-table",
            at,
            shown,
            str(field.type),
            _line_of(sample, at),
            f"Of which type is {field.name}?",
            alternatives,
            f"{field.name.lower()}-type",
        )
    elif isinstance(value, dict) and field.members:
        yield from _members(at, field.members, value, sample)
    elif isinstance(value, list) and field.members:
        for item in value:
            if isinstance(item, dict):
                yield from _members(at, field.members, item, sample)


def _elements(part: Part, body: Body, item: etree._Element, sample: Sample) -> Iterator[Departure]:
    folded = {field.name.casefold(): field for field in body.fields}
    names = []
    for child in item:
        if not isinstance(child.tag, str):
            continue
        name = str(etree.QName(child).localname)
        names.append(name)
        field = folded.get(name.casefold())
        if field is None:
            yield _differs(
                f"{part}/{name}", "an element", "no row", sample, f"Is {name} a member that the table lacks?"
            )
        elif field.name != name:
            yield Departure(
                "key-case", f"{part}/{field.name}", name, field.name, sample.place, "Which letter case is right?"
            )
        elif child.get(NIL) != "true" and not _fits(field, child):
            yield _differs(
                f"{part}/{name}",
                (child.text or "").strip()[:40] or "empty",
                str(field.type),
                sample,
                f"Of which type is {name}?",
            )
    for field in body.fields:
        if field.name.casefold() not in (name.casefold() for name in names) and not field.in_uri:
            yield _differs(
                f"{part}/{field.name}",
                "no element",
                "a row",
                sample,
                f"Is {field.name} missing in the XML, or left out on purpose?",
            )
    if names != sorted(names):
        yield _differs(
            f"{part}/xml", " ".join(names), "alphabetical order", sample, "In which order do the elements come?"
        )


def _fits(field: Field, child: etree._Element) -> bool:
    text = (child.text or "").strip()
    if field.values and field.type.kind != "list":
        return text in {one.name for one in field.values}
    if field.type.kind in ("integer", "int64"):
        return text.lstrip("+-").isdecimal()
    if field.type.kind == "boolean":
        return text in ("true", "false", "1", "0")
    return field.type.kind != "list" or not text


def _as_many(part: Part, body: Body, items: list[etree._Element], sample: Sample) -> Iterator[Departure]:
    for other in body.samples:
        value = read_sample(other.text).value
        if other.form == "json" and isinstance(value, list) and len(value) != len(items) and body.shape == "list":
            yield _differs(
                part,
                f"{len(items)} items in XML",
                f"{len(value)} items in JSON",
                sample,
                "Do the two samples show the same message?",
            )


def _differs(at: str, says: str, against: str, sample: Sample, question: str) -> Departure:
    return Departure("sample-against-table", at, says, against, _line_of(sample, at), question)


def _line_of(sample: Sample, at: str) -> Place:
    """The line of the sample that names the member, the sample's own where none does."""
    name = at.rpartition("/")[2]
    marks = (f'"{name}"', f"<{name}>", f"<{name} ")
    inside = next(
        (number for number, line in enumerate(sample.text.split("\n"), 1) if any(mark in line for mark in marks)), 0
    )
    return Place(sample.place.section, sample.place.line + inside)
