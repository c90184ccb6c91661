"""What a JSON Schema demands of a value whatever its other members hold: type, bounds, members, items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from conformance.specs.schema_files import LIST_OF_SCHEMAS, MAP_OF_SCHEMAS, ONE_SCHEMA, SchemaFiles

Placed: TypeAlias = tuple[str, Mapping[str, Any]]
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
    patterns: tuple[str, ...]
    options: tuple[Any, ...] | None
    members: Mapping[str, tuple[Placed, ...]]
    items: tuple[Placed, ...]
    required: frozenset[str]

    @property
    def nullable(self) -> bool:
        """Whether null is of one of the types."""
        return "null" in self.types


def facts_of(files: SchemaFiles, schemas: Iterable[Placed]) -> Facts:
    """The facts of a value that all these schemas apply to. Errors: `SpecError` for a reference to nothing."""
    nodes = [one for schema in schemas for one in _joined(files, schema)]
    types: frozenset[str] | None = None
    for _, node in nodes:
        if "type" in node:
            named = frozenset([node["type"]] if isinstance(node["type"], str) else node["type"])
            types = named if types is None else types & named
    members: dict[str, tuple[Placed, ...]] = {}
    for uri, node in nodes:
        for name, child in node.get("properties", {}).items():
            members[name] = (*members.get(name, ()), (uri, child))
    return Facts(
        types=types or frozenset(),
        minimum=max((node["minimum"] for _, node in nodes if "minimum" in node), default=None),
        maximum=min((node["maximum"] for _, node in nodes if "maximum" in node), default=None),
        max_length=min((node["maxLength"] for _, node in nodes if "maxLength" in node), default=None),
        patterns=tuple(node["pattern"] for _, node in nodes if "pattern" in node),
        options=_options(nodes),
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


def _joined(files: SchemaFiles, schema: Placed, depth: int = 0) -> Iterator[Placed]:
    uri, node = schema
    if not isinstance(node, Mapping) or depth > 32:  # a circle is reported by another rule
        return
    yield uri, node
    if "$ref" in node:
        yield from _joined(files, files.resolve(node["$ref"], uri), depth + 1)
    for child in node.get("allOf", ()):
        yield from _joined(files, (uri, child), depth + 1)


def _options(nodes: Iterable[Placed]) -> tuple[Any, ...] | None:
    found: tuple[Any, ...] | None = None
    for _, node in nodes:
        named = node.get("enum", [node["const"]] if "const" in node else None)
        if named is not None:
            found = tuple(named) if found is None else tuple(one for one in found if one in named)
    return found
