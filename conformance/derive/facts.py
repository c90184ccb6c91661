"""A page as a flat table of facts, each under one key, so that two of them can be laid side by side.

The facts in a JSON Schema: shape, members, types, which must come, which may be null.

The same facts from an operation's folder: its schemas, XSDs, operation.yaml, page.yaml and recorded samples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from lxml import etree

from conformance.contract.load import read_operation, read_page_record
from conformance.contract.schemas import SchemaFiles, name_of, read_schema_files
from conformance.derive.page import Body, Field, Page, Part, Place, Sample, every_field
from conformance.derive.samples import canonical, read_sample
from conformance.errors import SpecError
from conformance.formats.errors import XsdError
from conformance.formats.xml.contract import XmlContract
from conformance.formats.xml.xsd import ListOf, Record
from conformance.model.spec import Operation, Shape

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
    yield Key(part, "shape"), Fact(body.described, body.place)
    yield Key(part, "media-types"), Fact(in_order(body.media_types), body.place)
    if body.record and body.shape != "string":
        yield Key(part, "record"), Fact(body.record, body.place)
    for path, field in every_field(body.fields):
        at = f"{part}/{path}"
        yield Key(at, "type"), Fact(str(field.type), field.place)
        yield Key(at, "need"), Fact(need_text(field), field.place)
        yield Key(at, "null"), Fact("yes" if field.null else "no", field.place)
        if field.values:
            yield Key(at, "values"), Fact(in_order(tuple(values_of(field)), " "), field.place)
        if limits := _limits(dict(field.limits)):
            yield Key(at, "limits"), Fact(limits, field.place)
    yield from _sample_facts(body.samples)
    for sample in body.samples:
        tree = read_sample(sample.text).tree
        if tree is not None:
            yield from _xml_of(part, body, sample, tree)


def _limits(schema: Mapping[str, Any]) -> str:
    """Length, range and pattern of a value, as a schema states them; the bounds of a width and the form of a GUID are a type's."""
    stated = [name for name in LIMITS if name in schema and schema[name] not in _OF_A_WIDTH]
    kept = [name for name in stated if name != "pattern" or schema.get("format") != "uuid"]
    return in_order((f"{name} {schema[name]}" for name in kept), ", ")


LIMITS = ("minLength", "maxLength", "minimum", "maximum", "pattern")
_OF_A_WIDTH = frozenset(bound for bits in (31, 63) for bound in (-(2**bits), 2**bits - 1))


def values_of(field: Field) -> Iterator[str]:
    """The values of an enumeration as JSON has them, written as texts."""
    by_name = "string" in (field.type.kind, field.type.item)
    return (one.name if by_name or one.number is None else str(one.number) for one in field.values)


def _sample_facts(samples: tuple[Sample, ...]) -> Iterator[tuple[Key, Fact]]:
    for sample in samples:
        yield Key(f"samples/{sample.part}-{sample.number}", "sample"), Fact(canonical(sample.text), sample.place)


def _xml_of(part: Part, body: Body, sample: Sample, tree: etree._Element) -> Iterator[tuple[Key, Fact]]:
    items = [child for child in tree if isinstance(child.tag, str)] if body.shape == "list" else [tree]
    members = members_in_order(items) if body.fields else ()
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


_KINDS: Mapping[tuple[str, str], str] = {
    ("string", "uuid"): "guid",
    ("string", "date-time"): "date-time",
    ("integer", "int32"): "int32",
    ("integer", "int64"): "int64",
}
_SHAPES = {"array": "list", "object": "object", "string": "string", "null": "nothing"} | dict.fromkeys(
    ("boolean", "integer", "number"), "value"
)


def schema_facts(part: Part, path: Path, *, alone: bool = False) -> Iterator[tuple[Key, Fact]]:
    """The facts of the request, the response or the error whose schema is at `path`.

    `alone`: it is of one record that a list call has many of, whose name is a fact as that of a list's records is.
    Errors: `SpecError` for a schema that cannot be read, or whose references lead back to themselves.
    """
    files = read_schema_files(path)
    reader = _Reader(files, path)
    root = reader.joined((files.start, files.documents[files.start]), ())
    types = reader.types(root)
    shape = next((_SHAPES[one] for one in sorted(types) if one in _SHAPES), "unknown")
    if shape == "value":
        yield Key(part, "shape"), Fact(f"value of {reader.kind(root, types, ())}")
        return
    items = reader.items(root, ()) if shape == "list" else []
    kind = reader.kind(items, reader.types(items), ())
    yield (
        Key(part, "shape"),
        Fact(f"list of {kind}" if shape == "list" and kind not in ("object", "unknown") else shape),
    )
    if shape == "list":
        root = items
    if shape == "list" or alone:
        title = next((str(node["title"]) for _, node in root if "title" in node), "")
        if title:
            yield Key(part, "record"), Fact(title)
    yield from reader.members(part, root, ())


_Node = tuple[str, Mapping[str, Any]]


class _Reader:
    """Follows references inside one set of files, and refuses a path that meets itself."""

    def __init__(self, files: SchemaFiles, path: Path) -> None:
        self.files = files
        self.path = path

    def joined(self, node: _Node, above: tuple[int, ...]) -> list[_Node]:
        """The schema and all that it joins by `$ref` and `allOf`."""
        base, schema = node
        if not isinstance(schema, Mapping):
            return []
        if id(schema) in above:
            hint = "A reference that comes back to its own schema describes no value: break the circle."
            raise SpecError("a $ref leads back to itself", where=name_of(base), hint=hint)
        inner = (*above, id(schema))
        found = [node]
        if "$ref" in schema:
            found += self.joined(self.files.resolve(str(schema["$ref"]), base), inner)
        for child in schema.get("allOf") or ():
            found += self.joined((base, child), inner)
        return found

    def types(self, nodes: list[_Node]) -> frozenset[str]:
        """The types that every joined schema allows."""
        found: frozenset[str] | None = None
        for _, schema in nodes:
            if "type" in schema:
                named = frozenset([schema["type"]] if isinstance(schema["type"], str) else map(str, schema["type"]))
                found = named if found is None else found & named
        return found or frozenset()

    def items(self, nodes: list[_Node], above: tuple[int, ...]) -> list[_Node]:
        """The schemas of a list's items."""
        return [
            one
            for base, schema in nodes
            if isinstance(schema.get("items"), Mapping)
            for one in self.joined((base, schema["items"]), above)
        ]

    def members(self, at: str, nodes: list[_Node], above: tuple[int, ...]) -> Iterator[tuple[Key, Fact]]:
        """The facts of each member, and of the members of members."""
        required = {str(name) for _, schema in nodes for name in schema.get("required") or ()}
        inner = (*above, *(id(schema) for _, schema in nodes))
        children: dict[str, list[_Node]] = {}
        for base, schema in nodes:
            for name, child in (schema.get("properties") or {}).items():
                children.setdefault(str(name), []).extend(self.joined((base, child), inner))
        for name, child_nodes in children.items():
            place = f"{at}/{name}"
            types = self.types(child_nodes)
            yield Key(place, "type"), Fact(self.kind(child_nodes, types, inner))
            yield Key(place, "need"), Fact("required" if name in required else "optional")
            yield Key(place, "null"), Fact("yes" if "null" in types else "no")
            listed = [one["enum"] for _, one in (*child_nodes, *self.items(child_nodes, inner)) if "enum" in one]
            if listed:
                yield Key(place, "values"), Fact(in_order({str(one) for one in listed[0] if one is not None}, " "))
            limits = _limits({name: value for _, schema in child_nodes for name, value in schema.items()})
            if limits:
                yield Key(place, "limits"), Fact(limits)
            yield from self.members(place, [*child_nodes, *self.items(child_nodes, inner)], inner)

    def kind(self, nodes: list[_Node], types: frozenset[str], above: tuple[int, ...]) -> str:
        """The type in the words of a page's facts."""
        name = next(iter(sorted(types - {"null"})), "unknown")
        formats = [str(schema["format"]) for _, schema in nodes if "format" in schema]
        if name == "array":
            items = self.items(nodes, above)
            return f"list of {self.kind(items, self.types(items), above)}"
        return next((_KINDS[(name, one)] for one in formats if (name, one) in _KINDS), name)


_PARTS: tuple[Part, ...] = ("request", "response", "error")
_MAX_SAMPLE_BYTES = 1 << 20
PAGE_KEYS = ("dialect", "call_type", "category", "wording", "settled")


def facts_of_folder(folder: Path, edition: str = "") -> dict[Key, Fact]:
    """Every fact of an operation's folder, a draft's or a curated one's.

    Facts on samples and on wording are there only when the folder records them, in `samples/` and `page.yaml`; those
    are of the page that the contract is made from, so that an `edition` has none.
    Errors: `SpecError` for a missing or unusable file, a schema that never ends, an XSD that is not local.
    """
    if not folder.is_dir():
        raise SpecError(
            "no such folder", where=str(folder), hint="Give the folder of an operation, with its operation.yaml."
        )
    operation = replace(read_operation(folder, partial=True), edition=edition)
    facts: dict[Key, Fact] = {Key("operation", "document"): Fact(operation.document)}
    for kind, value in (("method", operation.method), ("path", operation.path)):
        facts[Key("operation", kind)] = Fact(value)
    facts[Key("operation", "permissions")] = Fact(in_order({one.casefold() for one in operation.roles_allowed}))
    for part in _PARTS:
        schema = operation.request_schema if part == "request" else folder / f"{part}.schema.json"
        if schema.exists() or part != "error":
            alone = operation.shape is Shape.RESULT and part != "error"
            facts.update(schema_facts(part, schema, alone=alone))
            facts[Key(part, "media-types")] = Fact(in_order(_media_types(operation, part)))
    _tie_conditions(operation, facts)
    for part in _PARTS:
        if part in operation.xsd:
            facts.update(_xsd_facts(part, folder / operation.xsd[part]))
    for code in operation.codes:
        if code.code.isdecimal():
            facts[Key(f"codes/{code.code}", "message")] = Fact(in_order(set(code.messages), " | "))
    if not edition:
        facts.update(_samples(folder))
        facts.update(_recorded(folder))
    return facts


def _recorded(folder: Path) -> Iterator[tuple[Key, Fact]]:
    record = read_page_record(folder)
    if record is None:
        return
    for kind, value in (("call-type", record.call_type), ("category", record.category)):
        if value is not None:
            yield Key("operation", kind), Fact(value)
    for section, digests in record.wording.items():
        for digest in digests:
            yield Key(f"wording/{section}", digest), Fact("stated")


def _samples(folder: Path) -> Iterator[tuple[Key, Fact]]:
    for path in sorted((folder / "samples").glob("*")):
        if path.suffix in (".json", ".xml"):
            try:
                data = path.read_bytes()[:_MAX_SAMPLE_BYTES].decode("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise SpecError(
                    f"the sample cannot be read: {error}", where=str(path), hint="A sample is a file in UTF-8."
                ) from None
            yield Key(f"samples/{path.stem}", "sample"), Fact(canonical(data))


def _media_types(operation: Operation, part: Part) -> set[str]:
    own = {"request": operation.request_media, "response": operation.response_media}.get(part)
    return set(own or operation.media_types)


def _tie_conditions(operation: Operation, facts: dict[Key, Fact]) -> None:
    """A member that the condition of operation.yaml needs is required when the flag has that value."""
    condition = operation.condition
    if condition is not None:
        for word, half in (("true", condition.when_true), ("false", condition.when_false)):
            for name in half.needs:
                facts[Key(f"request/{name}", "need")] = Fact(f"required when {condition.flag} is {word}")


def _xsd_facts(part: Part, path: Path) -> Iterator[tuple[Key, Fact]]:
    try:
        root = XmlContract.load(path).root
    except XsdError as error:
        hint = "An XSD lies in the operation's folder, imports only files beside it, and is never fetched."
        raise SpecError(str(error), where=str(path), hint=hint) from None
    item = root.content.item if isinstance(root.content, ListOf) else None
    record = item.content if item is not None else root.content
    members = tuple(member.tag for member in record.members) if isinstance(record, Record) else ()
    yield from xml_facts(part, root.tag, item.tag if item else "", members, None)
