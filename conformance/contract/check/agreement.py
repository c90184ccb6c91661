"""Rules that hold JSON Schema and XSD of one document against each other, field by field.

What a JSON Schema demands of a value whatever its other members hold: type, bounds, members, items.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from conformance.contract.check.problems import Outcomes, Problem, place_in
from conformance.contract.schemas import LIST_OF_SCHEMAS, MAP_OF_SCHEMAS, ONE_SCHEMA, SchemaFiles, read_schema_files
from conformance.errors import SpecError
from conformance.formats.errors import XsdError
from conformance.formats.xml.contract import XmlContract
from conformance.formats.xml.xsd import INTEGER_BITS, NUMBERS, Content, Element, ListOf, Record, Scalar
from conformance.model.spec import Contract, Operation

LocatedSchema: TypeAlias = tuple[str, Mapping[str, Any]]
"""A subschema, and the URI of the document that its references start from."""

CONDITIONAL = frozenset(
    {
        "if", "then", "else", "not", "required", "dependentRequired", "dependentSchemas", "anyOf", "oneOf",
        "contains", "minContains", "maxContains", "minLength", "minItems", "minProperties",
    }
)  # fmt: skip
"""Keywords that say when a value makes sense, not which form it has: no XSD of this kind can say the same."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The unconditional part of a schema and of all that it joins by `$ref` and `allOf`."""

    types: frozenset[str]
    minimum: int | None
    maximum: int | None
    max_length: int | None
    min_length: int
    patterns: tuple[str, ...]
    options: tuple[Any, ...] | None
    formats: frozenset[str]
    members: Mapping[str, tuple[LocatedSchema, ...]]
    items: tuple[LocatedSchema, ...]
    required: frozenset[str]

    @property
    def nullable(self) -> bool:
        """Whether null is of one of the types."""
        return "null" in self.types


def facts_of(files: SchemaFiles, schemas: Iterable[LocatedSchema]) -> Facts:
    """The facts of a value that all these schemas apply to. Errors: `SpecError` for a reference to nothing."""
    nodes = [one for schema in schemas for one in _joined(files, schema)]
    types: frozenset[str] | None = None
    for _, node in nodes:
        if "type" in node:
            named = frozenset([node["type"]] if isinstance(node["type"], str) else node["type"])
            types = named if types is None else types & named
    members: dict[str, tuple[LocatedSchema, ...]] = {}
    for uri, node in nodes:
        for name, child in node.get("properties", {}).items():
            members[name] = (*members.get(name, ()), (uri, child))
    return Facts(
        types=types or frozenset(),
        minimum=max((node["minimum"] for _, node in nodes if "minimum" in node), default=None),
        maximum=min((node["maximum"] for _, node in nodes if "maximum" in node), default=None),
        max_length=min((node["maxLength"] for _, node in nodes if "maxLength" in node), default=None),
        min_length=max((node["minLength"] for _, node in nodes if "minLength" in node), default=0),
        patterns=tuple(node["pattern"] for _, node in nodes if "pattern" in node),
        options=_options(nodes),
        formats=frozenset(str(node["format"]) for _, node in nodes if "format" in node),
        members=members,
        items=tuple((uri, node["items"]) for uri, node in nodes if isinstance(node.get("items"), Mapping)),
        required=frozenset(name for _, node in nodes for name in node.get("required", ())),
    )


def structural(files: SchemaFiles) -> dict[str, dict[str, Any]]:
    """The documents without their conditional keywords, by URI: what a value's form alone must satisfy."""
    return {uri: _without_conditions(document) for uri, document in files.documents.items()}


def _without_conditions(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    kept: dict[str, Any] = {}
    for key, child in schema.items():
        if key in CONDITIONAL:
            continue
        if key in ONE_SCHEMA:
            kept[key] = _without_conditions(child)
        elif key in LIST_OF_SCHEMAS:
            kept[key] = [_without_conditions(item) for item in child]
        elif key in MAP_OF_SCHEMAS:
            kept[key] = {name: _without_conditions(item) for name, item in child.items()}
        else:
            kept[key] = child
    return kept


def _joined(files: SchemaFiles, schema: LocatedSchema, depth: int = 0) -> Iterator[LocatedSchema]:
    uri, node = schema
    if not isinstance(node, Mapping) or depth > 32:  # a circle is reported by another rule
        return
    yield uri, node
    if "$ref" in node:
        yield from _joined(files, files.resolve(node["$ref"], uri), depth + 1)
    for child in node.get("allOf", ()):
        yield from _joined(files, (uri, child), depth + 1)


def _options(nodes: Iterable[LocatedSchema]) -> tuple[Any, ...] | None:
    found: tuple[Any, ...] | None = None
    for _, node in nodes:
        named = node.get("enum", [node["const"]] if "const" in node else None)
        if named is not None:
            found = tuple(named) if found is None else tuple(one for one in found if one in named)
    return found


@dataclass(frozen=True, slots=True)
class Pair:
    """One document of an operation in its two contracts; `where` names both."""

    name: str
    where: str
    files: SchemaFiles
    xml: XmlContract
    beside: frozenset[str] = frozenset()
    """Members of the schema that stand in the path, so that no XML has them."""

    @property
    def start(self) -> LocatedSchema:
        """The root of the JSON Schema."""
        return self.files.start, self.files.documents[self.files.start]


def pairs_of(contract: Contract) -> Iterator[tuple[Operation, str, Pair | Problem]]:
    """Every document that has both contracts; a problem in the place of one that cannot be loaded."""
    for name in sorted(contract.operations):
        operation = contract.operations[name]
        for document, xsd in sorted(operation.xsd.items()):
            folder = operation.folder
            where = f"{place_in(contract.root, folder / f'{document}.schema.json')} and {xsd}"
            try:
                files = read_schema_files(folder / f"{document}.schema.json")
                beside = frozenset(operation.in_path if document == "request" else ())
                pair = Pair(f"{name} {document}", where, files, XmlContract.load(folder / xsd), beside)
            except (SpecError, XsdError) as error:
                yield operation, document, Problem("fields-agree", where, str(error), "Mend the file first.")
            else:
                yield operation, document, pair


def fields_agree(contract: Contract) -> Outcomes:
    """Names, types, nullability and bounds are the same; what the XSD demands, the schema demands too.

    A DataContract XSD lets every root and every item of a class be nil and knows no least length: there the
    schema may say more.
    """
    for _, _, pair in pairs_of(contract):
        if isinstance(pair, Problem):
            yield pair
            continue
        for path, message in _compare(pair, pair.xml.root, (pair.start,), "", lenient_nil=True):
            hint = "Change the one that departs from the document."
            yield Problem("fields-agree", f"{pair.where}, at {path or '/'}", message, hint) if message else None


def _compare(
    pair: Pair, element: Element, schemas: tuple[LocatedSchema, ...], path: str, lenient_nil: bool
) -> Iterator[tuple[str, str]]:
    """Path and complaint for each thing compared; the complaint is empty where both agree."""
    facts = facts_of(pair.files, schemas)
    yield path, _nullability(element, facts, lenient_nil)
    content = element.content
    yield path, _type(content, facts)
    if isinstance(content, Record):
        yield from _members(pair, content, facts, path)
    elif isinstance(content, ListOf):
        item_is_class = not isinstance(content.item.content, Scalar)
        yield from _compare(pair, content.item, facts.items, f"{path}/*", lenient_nil=item_is_class)
    else:
        for complaint in _scalar(content, facts):
            yield path, complaint


def _members(pair: Pair, record: Record, facts: Facts, path: str) -> Iterator[tuple[str, str]]:
    in_xsd = {member.name: member for member in record.members}
    for name in sorted(in_xsd.keys() - facts.members.keys()):
        yield f"{path}/{name}", "the XSD has this member, the schema has not"
    for name in sorted(facts.members.keys() - in_xsd.keys() - (frozenset() if path else pair.beside)):
        yield f"{path}/{name}", "the schema has this member, the XSD has not"
    for name in sorted(in_xsd.keys() & facts.members.keys()):
        member = in_xsd[name]
        missing = member.required and name not in facts.required
        yield f"{path}/{name}", "the XSD demands this member, the schema does not" if missing else ""
        yield from _compare(pair, member, facts.members[name], f"{path}/{name}", lenient_nil=False)


def _nullability(element: Element, facts: Facts, lenient_nil: bool) -> str:
    if facts.nullable and not element.nillable:
        return "the schema allows null, the XSD does not"
    if element.nillable and not facts.nullable and not lenient_nil:
        return "the XSD allows nil, the schema does not"
    return ""


def _type(content: Content, facts: Facts) -> str:
    wanted = _json_type(content)
    found = facts.types - {"null"}
    return "" if found == {wanted} else f"the XSD's type is {wanted}, the schema's {_listed(found)}"


def _json_type(content: Content) -> str:
    if isinstance(content, Record):
        return "object"
    if isinstance(content, ListOf):
        return "array"
    if content.numbers or content.base in INTEGER_BITS:
        return "integer"
    return "number" if content.base in NUMBERS else "string" if content.base == "dateTime" else content.base


def _scalar(scalar: Scalar, facts: Facts) -> Iterator[str]:
    if scalar.base in INTEGER_BITS:
        limit = 1 << (INTEGER_BITS[scalar.base] - 1)
        low = -limit if scalar.minimum is None else max(-limit, scalar.minimum)
        high = limit - 1 if scalar.maximum is None else min(limit - 1, scalar.maximum)
        yield _same("least value", low, facts.minimum)
        yield _same("greatest value", high, facts.maximum)
    elif scalar.numbers:
        known = None if facts.options is None else sorted(one for one in facts.options if isinstance(one, int))
        yield _same("allowed values", sorted(scalar.numbers.values()), known)
    elif scalar.base == "dateTime":
        yield "" if "date-time" in facts.formats else "only the XSD says that it is a date and time"
    elif scalar.base == "string":
        yield _same("greatest length", scalar.max_length, facts.max_length)
        if bool(scalar.patterns) != bool(facts.patterns):
            yield f"only the {'XSD' if scalar.patterns else 'schema'} has a pattern"
        options = None if scalar.enumeration is None else sorted(scalar.enumeration)
        words = None if facts.options is None else sorted(str(one) for one in facts.options if one is not None)
        yield _same("allowed values", options, words)


def _same(what: str, in_xsd: object, in_schema: object) -> str:
    if in_xsd == in_schema:
        return ""
    return f"{what}: {_shown(in_xsd)} in the XSD, {_shown(in_schema)} in the schema"


def _shown(value: object) -> str:
    return "none" if value is None else str(value)


def _listed(names: frozenset[str]) -> str:
    return " or ".join(sorted(names)) or "not named"
