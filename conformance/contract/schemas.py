"""JSON Schema files that hang together by relative references, read from one service's folder alone.

Compiled JSON Schemas: fast where a value is valid, precise about requirement and place where it is not.

The `jsonschema` package's validator over the same files as the first one's: two engines read each schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

from conformance.contract.problem_text import shown, texts_of
from conformance.errors import SpecError
from conformance.formats.errors import plain
from conformance.formats.json.pointer import join_pointer, load_json, split_pointer

if TYPE_CHECKING:
    import jsonschema_rs


ONE_SCHEMA = frozenset(
    {
        "items", "contains", "not", "if", "then", "else", "additionalProperties", "propertyNames",
        "unevaluatedItems", "unevaluatedProperties", "contentSchema",
    }
)  # fmt: skip
LIST_OF_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
MAP_OF_SCHEMAS = frozenset({"properties", "patternProperties", "$defs", "dependentSchemas"})
_IN_PLACE = ("not", "if", "then", "else")
_IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")
_LOCATING = ("$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef")


@dataclass(frozen=True, slots=True)
class SchemaFiles:
    """The files reachable from one, by `file:` URI; the root `$id` of each is that URI."""

    start: str
    documents: Mapping[str, Mapping[str, Any]]

    def resolve(self, reference: str, base: str) -> tuple[str, Any]:
        """The document's URI and the subschema that a `$ref` in the document `base` names.

        Errors: `SpecError` when the file or the place inside it does not exist.
        """
        uri, fragment = urldefrag(urljoin(base, reference))
        if uri not in self.documents:
            raise SpecError(f"$ref {reference!r}: no such schema file", where=name_of(base))
        node: Any = self.documents[uri]
        try:
            for token in split_pointer(unquote(fragment)):
                node = node[int(token)] if isinstance(node, list) else node[token]
        except (KeyError, IndexError, ValueError):
            hint = "A fragment is empty or a JSON Pointer such as #/$defs/name."
            raise SpecError(f"$ref {reference!r} names nothing", where=name_of(base), hint=hint) from None
        return uri, node


def read_schema_files(path: Path) -> SchemaFiles:
    """The schema at `path` and every schema file that its references reach.

    References are relative and stay below the folder two levels up, which is the service's.
    Errors: `SpecError` for a file that is missing or no JSON object, or a reference that leaves the folder.
    """
    start = path.resolve()
    folder = start.parent.parent
    documents: dict[str, Mapping[str, Any]] = {}
    waiting = [start]
    while waiting:
        file = waiting.pop()
        if file.as_uri() in documents:
            continue
        document = read_schema(file)
        documents[file.as_uri()] = {**document, "$id": file.as_uri()}
        waiting.extend(_targets(document, file, folder))
    return SchemaFiles(start.as_uri(), documents)


def read_schema(path: Path) -> dict[str, Any]:
    """One schema file as it stands; `SpecError` names file and line when it cannot be read."""
    try:
        document = load_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SpecError("file is missing", where=str(path)) from None
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise SpecError("not UTF-8 text", where=str(path), hint=f"Byte {error.start} is the first bad one.") from None
    except json.JSONDecodeError as error:
        raise SpecError(f"not JSON: {error.msg}", where=f"{path}:{error.lineno}") from None
    except ValueError:
        raise SpecError("nested too deeply", where=str(path), hint="No schema needs a hundred levels.") from None
    if not isinstance(document, dict):
        raise SpecError("a schema file must hold an object", where=str(path))
    return document


def subschemas(schema: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every schema inside a schema, itself first, with its place; what stands in const, enum and the like is none."""
    yield place, schema
    if not isinstance(schema, Mapping):
        return
    for key, child in schema.items():
        if key in ONE_SCHEMA:
            yield from subschemas(child, (*place, key))
        elif key in LIST_OF_SCHEMAS and isinstance(child, list):
            for index, item in enumerate(child):
                yield from subschemas(item, (*place, key, index))
        elif key in MAP_OF_SCHEMAS and isinstance(child, Mapping):
            for name, item in child.items():
                yield from subschemas(item, (*place, key, name))


def references(schema: Any) -> Iterator[str]:
    """Every `$ref` in a schema, in document order."""
    for _, node in subschemas(schema):
        if isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
            yield node["$ref"]


def circles(files: SchemaFiles) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Place and text of each `$ref` of the first file that leads back to itself without a step into the value."""
    document = files.documents[files.start]
    for place, node in subschemas(document):
        if isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
            try:
                back = _returns(files, files.start, node, node, set())
            except SpecError:
                continue  # a reference that names nothing, which others report
            if back:
                yield place, node["$ref"]


def _returns(files: SchemaFiles, base: str, node: Any, target: Any, seen: set[int]) -> bool:
    for uri, child in _same_value(files, base, node):
        if child is target:
            return True
        if id(child) not in seen:
            seen.add(id(child))
            if _returns(files, uri, child, target, seen):
                return True
    return False


def _same_value(files: SchemaFiles, base: str, node: Any) -> Iterator[tuple[str, Any]]:
    """The schemas that a schema applies to the very value that it is applied to."""
    if not isinstance(node, Mapping):
        return
    if isinstance(node.get("$ref"), str):
        yield files.resolve(node["$ref"], base)
    for key in _IN_PLACE:
        if key in node:
            yield base, node[key]
    for key in _IN_PLACE_LISTS:
        for child in node.get(key, ()):
            yield base, child


def usable_schemas(folder: Path) -> None:
    """Read every schema of an operation's folder. Raises `SpecError` for a missing, remote or circular one."""
    wanted = {folder / f"{document}.schema.json" for document in ("request", "response")}
    for path in sorted(wanted.union(folder.glob("*.schema.json"))):
        files = read_schema_files(path)
        for uri, document in files.documents.items():
            for reference in references(document):
                files.resolve(reference, uri)
        for place, reference in circles(files):
            where = f"{path}#{join_pointer((*place, '$ref'))}"
            raise SpecError(
                f"$ref {reference!r} leads back to itself", where=where, hint="Step into a member or an item."
            )


def name_of(uri: str) -> str:
    """The path of a `file:` URI."""
    return url2pathname(urlsplit(uri).path)


def _targets(document: Mapping[str, Any], file: Path, folder: Path) -> Iterator[Path]:
    _refuse_unknown(document, file)
    for reference in references(document):
        location = urldefrag(reference).url
        if not location:
            continue
        parts = urlsplit(location)
        target = (file.parent / unquote(parts.path)).resolve()
        if parts.scheme or parts.netloc or parts.path.startswith("/") or not target.is_relative_to(folder):
            hint = f"Name a file below {folder.name}/ by its relative path."
            raise SpecError(f"$ref {reference!r} leaves the service's folder", where=str(file), hint=hint)
        yield target


def _refuse_unknown(document: Mapping[str, Any], file: Path) -> None:
    """References are followed by file and JSON Pointer alone; other ways to name a place are refused."""
    for place, node in subschemas(document):
        for key in (*_LOCATING, *(("$id",) if place else ())):
            if isinstance(node, Mapping) and key in node:
                hint = "Use $ref with a relative path and a JSON Pointer."
                raise SpecError(f"{key} is not supported", where=f"{file}#{join_pointer(place)}", hint=hint)


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
        """All that is wrong with the value, by place and then by keyword; empty when it is valid.

        Of a list with more than a thousand items, the first thousand in which anything is wrong speak for the others: the
        engine takes its time for each error, and a body can hold many.
        """
        if self.is_valid(value):
            return ()
        longest = _longest_list(value)
        for start in range(0, longest, _WINDOW) if longest > _WINDOW else ():
            part = _window(value, start)
            if not self.is_valid(part):
                errors = self.engine.iter_errors(_engine_value(part))
                placed = [(error, _moved(error.instance_path, value, start)) for error in errors]
                found = {
                    self._problem(error, place, value)
                    for error, place in placed
                    if error.kind.name not in _OF_WHOLE_LISTS or not _is_long(_part(value, place))
                }
                if found:
                    return _in_order(found)
        errors = self.engine.iter_errors(_engine_value(value))
        return _in_order({self._problem(error, list(error.instance_path), value) for error in errors})

    def _problem(self, error: jsonschema_rs.ValidationError, place: list[str | int], value: Any) -> SchemaProblem:
        part = _part(value, place)
        keyword, detail = error.kind.name, error.kind.as_dict()
        expected, actual = texts_of(keyword, detail, part)
        pointer = join_pointer(place)
        message = f"{pointer or 'the whole value'}: expected {expected}, found {actual}"
        requirement = nearest_requirement(self.files, self.ref, error.evaluation_path)
        return SchemaProblem(requirement, pointer, message, expected, actual, keyword)


_WINDOW = 1000
_OF_WHOLE_LISTS = frozenset(
    {
        "contains", "minContains", "maxContains", "minItems", "maxItems", "uniqueItems", "unevaluatedItems",
        "anyOf", "oneOf", "not", "if",
    }
)  # fmt: skip
"""What a part of a list may break although the whole does not."""


def _in_order(found: Iterable[SchemaProblem]) -> tuple[SchemaProblem, ...]:
    return tuple(sorted(found, key=lambda one: (one.pointer, one.keyword, one.requirement or "", one.expected)))


def _is_long(value: Any) -> bool:
    return isinstance(value, list) and len(value) > _WINDOW


def _longest_list(value: Any) -> int:
    """The length of the longest list in a value."""
    if isinstance(value, dict):
        return max(map(_longest_list, value.values()), default=0)
    return max(len(value), *map(_longest_list, value)) if isinstance(value, list) and value else 0


def _window(value: Any, start: int) -> Any:
    """The value, with no more than a thousand items of each longer list, from this one on."""
    if isinstance(value, dict):
        return {name: _window(member, start) for name, member in value.items()}
    if not isinstance(value, list):
        return value
    return [_window(item, start) for item in (value[start : start + _WINDOW] if len(value) > _WINDOW else value)]


def _moved(place: Iterable[str | int], value: Any, start: int) -> list[str | int]:
    """The place in the whole value of what stands here in a window of it."""
    moved: list[str | int] = []
    for token in place:
        if isinstance(token, int) and _is_long(value):
            token += start
        value = _part(value, (token,))
        moved.append(token)
    return moved


def load_validator(path: Path, ref: str = "#", *, formats: bool = False) -> SchemaValidator:
    """Compile the schema file at `path`; `ref` such as `#/$defs/leg` chooses a part of it.

    With `formats` a `format` such as `date` is a rule; else it is only told, as the standard has it.

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
            {"$schema": DIALECT, "$ref": files.start + ref},
            registry=registry,
            offline=True,
            validate_formats=formats,
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


def second_engine(first: SchemaValidator) -> Any:
    """A `jsonschema` validator of the same schema, its references to other files included."""
    import jsonschema
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    resources = [(uri, DRAFT202012.create_resource(one)) for uri, one in first.files.documents.items()]
    registry: Any = Registry().with_resources(resources)
    schema = {"$schema": DIALECT, "$ref": f"{first.files.start}{first.ref}"}
    return jsonschema.Draft202012Validator(schema, registry=registry)
