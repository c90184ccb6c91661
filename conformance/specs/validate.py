"""Compiled JSON Schemas: fast where a value is valid, precise about requirement and place where it is not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.codec.json_pointer import join_pointer
from conformance.codec.values import plain
from conformance.errors import SpecError
from conformance.specs.problem_text import actual_text, expected_text, shown
from conformance.specs.schema_files import SchemaFiles, read_schema_files, references

if TYPE_CHECKING:
    import jsonschema_rs

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class SchemaProblem:
    """One way in which a value breaks a schema.

    `requirement` is the `x-requirement` nearest to the keyword on the way from the schema's root, references
    followed; None when no schema on the way has one. `pointer` is the JSON Pointer of the faulty part.
    """

    requirement: str | None
    pointer: str
    message: str
    expected: str
    actual: str
    keyword: str


@dataclass(frozen=True, slots=True)
class SchemaValidator:
    """One schema, or a part of it, compiled. Values are those of the codecs, `Number` included."""

    path: Path
    ref: str
    files: SchemaFiles
    engine: jsonschema_rs.Draft202012Validator

    def is_valid(self, value: Any) -> bool:
        """Whether the value is an instance; a microsecond or two for a small one."""
        try:
            return self.engine.is_valid(value)
        except ValueError:  # a `Number`, or half a surrogate pair in a key
            return self.engine.is_valid(_engine_value(value))

    def problems(self, value: Any) -> tuple[SchemaProblem, ...]:
        """All that is wrong with the value, by place and then by keyword; empty when it is valid."""
        if self.is_valid(value):
            return ()
        found = {self._problem(error, value) for error in self.engine.iter_errors(_engine_value(value))}
        return tuple(sorted(found, key=lambda one: (one.pointer, one.keyword, one.requirement or "", one.expected)))

    def _problem(self, error: jsonschema_rs.ValidationError, value: Any) -> SchemaProblem:
        place = list(error.instance_path)
        part = _part(value, place)
        keyword, detail = error.kind.name, error.kind.as_dict()
        expected, actual = expected_text(keyword, detail), actual_text(keyword, detail, part)
        pointer = join_pointer(place)
        message = f"{pointer or 'the whole value'}: expected {expected}, found {actual}"
        requirement = nearest_requirement(self.files, self.ref, error.evaluation_path)
        return SchemaProblem(requirement, pointer, message, expected, actual, keyword)


def load_validator(path: Path, ref: str = "#") -> SchemaValidator:
    """Compile the schema file at `path`; `ref` such as `#/$defs/leg` chooses a part of it.

    `$ref` names other files by relative path; nothing is asked of a network. Callers keep the result.
    Errors: `SpecError` for files that cannot be used or references that name nothing.
    """
    import jsonschema_rs

    files = read_schema_files(path)
    files.resolve(ref, files.start)
    for uri, document in files.documents.items():
        for reference in references(document):
            files.resolve(reference, uri)
    resources = [(uri, dict(document)) for uri, document in files.documents.items()]
    registry = jsonschema_rs.Registry(resources, draft=jsonschema_rs.Draft202012)
    try:
        engine = jsonschema_rs.Draft202012Validator(
            {"$schema": DIALECT, "$ref": files.start + ref}, registry=registry, offline=True
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise SpecError(f"the schema does not compile: {error}", where=str(path)) from error
    return SchemaValidator(path, ref, files, engine)


def nearest_requirement(files: SchemaFiles, ref: str, path: Iterable[str | int]) -> str | None:
    """The last `x-requirement` on the way that an engine went from `ref`, its first step, to a keyword."""
    base, node = files.start, dict[str, Any]()
    found: str | None = None
    for place, step in enumerate(path):
        if place == 0:
            base, node = files.resolve(ref, base)
        elif step == "$ref":
            base, node = files.resolve(node["$ref"], base)
        else:
            node = node[step]  # type: ignore[index]  # lists are walked too
        if isinstance(node, dict):
            found = node.get("x-requirement", found)
    return found


def _engine_value(value: Any) -> Any:
    """What jsonschema-rs can take: bare floats, and U+FFFD for half a surrogate pair."""
    return _without_surrogates(plain(value))


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8") if not value.isascii() else value
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    return value


def _part(value: Any, place: Iterable[str | int]) -> Any:
    for token in place:
        try:
            value = value[token]
        except (KeyError, IndexError, TypeError):
            return value  # the key held half a surrogate pair, which the engine saw replaced
    return value


__all__ = ["DIALECT", "SchemaProblem", "SchemaValidator", "load_validator", "nearest_requirement", "shown"]
