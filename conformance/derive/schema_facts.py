"""The facts in a JSON Schema: shape, members, types, which must come, which may be null."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.derive.facts import Fact, Key
from conformance.derive.page import Part
from conformance.errors import SpecError
from conformance.specs.schema_files import SchemaFiles, name_of, read_schema_files

_KINDS: Mapping[tuple[str, str], str] = {
    ("string", "uuid"): "guid",
    ("string", "date-time"): "date-time",
    ("integer", "int32"): "int32",
    ("integer", "int64"): "int64",
}
_SHAPES = {"array": "list", "object": "object", "string": "string"}


def schema_facts(part: Part, path: Path) -> Iterator[tuple[Key, Fact]]:
    """The facts of the request, the response or the error whose schema is at `path`.

    Errors: `SpecError` for a schema that cannot be read, or whose references lead back to themselves.
    """
    files = read_schema_files(path)
    reader = _Reader(files, path)
    root = reader.joined((files.start, files.documents[files.start]), ())
    types = reader.types(root)
    shape = next((_SHAPES[one] for one in sorted(types) if one in _SHAPES), "unknown")
    yield Key(part, "shape"), Fact(shape)
    if shape == "list":
        root = reader.items(root, ())
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
            yield from self.members(place, child_nodes, inner)

    def kind(self, nodes: list[_Node], types: frozenset[str], above: tuple[int, ...]) -> str:
        """The type in the words of a page's facts."""
        name = next(iter(sorted(types - {"null"})), "unknown")
        formats = [str(schema["format"]) for _, schema in nodes if "format" in schema]
        if name == "array":
            items = self.items(nodes, above)
            return f"list of {self.kind(items, self.types(items), above)}"
        return next((_KINDS[(name, one)] for one in formats if (name, one) in _KINDS), name)
