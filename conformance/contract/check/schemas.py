"""Rules on the JSON Schemas and the OpenAPI document, each taken by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.contract.check.problems import Outcomes, Problem, place_in, schema_paths, within
from conformance.contract.load import read_yaml
from conformance.contract.schemas import (
    DIALECT,
    SchemaFiles,
    circles,
    load_validator,
    name_of,
    read_schema,
    read_schema_files,
    subschemas,
)
from conformance.errors import SpecError
from conformance.formats.json.pointer import join_pointer
from conformance.model.spec import Contract, Operation

_OWN_KEYWORD = "x-"


def schemas_valid(root: Path) -> Outcomes:
    """Each schema is valid against its meta-schema, and uses no keyword that nothing would heed."""
    import jsonschema

    meta = jsonschema.Draft202012Validator(jsonschema.Draft202012Validator.META_SCHEMA)
    known = _known_keywords()
    for path in schema_paths(root):
        try:
            schema = read_schema(path)
        except SpecError as error:
            yield Problem("schemas", place_in(root, path), error.message, error.hint)
            continue
        errors = sorted(meta.iter_errors(schema), key=lambda one: list(map(str, one.absolute_path)))
        for found in errors:
            yield Problem("schemas", place_in(root, path, *found.absolute_path), found.message, "Mend the keyword.")
        if schema.get("$schema") != DIALECT:
            yield Problem("schemas", place_in(root, path, "$schema"), f"is not {DIALECT}", "Name that dialect.")
        for place, node in subschemas(schema):
            for keyword in sorted(set(node) - known) if isinstance(node, Mapping) else ():
                if not keyword.startswith(_OWN_KEYWORD):
                    hint = "A validator would ignore it in silence."
                    yield Problem("schemas", place_in(root, path, *place, keyword), "is no keyword", hint)
        if not errors:
            yield None


def references_resolve(root: Path) -> Outcomes:
    """Each `$ref` names a place in a file of the same service, and none leads back to itself without a step down."""
    for path in schema_paths(root):
        try:
            files = read_schema_files(path)
            for uri, document in files.documents.items():
                yield from _resolved(root, files, uri, document)
        except SpecError as error:
            yield Problem("references", within(root, error.where), error.message, error.hint)
            continue
        yield from _circles(root, files)
        try:
            load_validator(path)
        except SpecError as error:
            yield Problem("references", place_in(root, path), error.message, error.hint)


def _resolved(root: Path, files: SchemaFiles, uri: str, document: Mapping[str, Any]) -> Outcomes:
    for place, node in subschemas(document):
        if not isinstance(node, Mapping) or "$ref" not in node:
            continue
        try:
            files.resolve(node["$ref"], uri)
        except SpecError as error:
            where = place_in(root, Path(name_of(uri)), *place, "$ref")
            yield Problem("references", where, error.message, error.hint)
        else:
            yield None


def _circles(root: Path, files: SchemaFiles) -> Outcomes:
    """A circle of `$ref` and applicators that stay at one value: a validator would accept anything, or never end."""
    for place, reference in circles(files):
        where = place_in(root, Path(name_of(files.start)), *place, "$ref")
        yield Problem("references", where, f"{reference} leads back here", "Step into a member or an item.")


def schema_requirements(contract: Contract) -> Outcomes:
    """Each `x-requirement` is a requirement of the schema's operation, and each schema has one at its root."""
    for name in sorted(contract.operations):
        operation = contract.operations[name]
        known = contract.operations[name].requirements
        for path in sorted(operation.folder.glob("*.schema.json")):
            schema = read_schema(path)
            if "x-requirement" not in schema:
                hint = "What breaks the schema would belong to no requirement."
                yield Problem("schema-requirements", place_in(contract.root, path), "the root names none", hint)
            for place, node in subschemas(schema):
                if not isinstance(node, Mapping) or "x-requirement" not in node:
                    continue
                where = place_in(contract.root, path, *place, "x-requirement")
                wrong = Problem("schema-requirements", where, f"{name} has no requirement {node['x-requirement']!r}")
                yield None if node["x-requirement"] in known else wrong


def openapi_valid(contract: Contract) -> Outcomes:
    """Each service's document is valid OpenAPI, and describes the service's operations as `operation.yaml` does.

    So does that of each edition in which a request has a schema of its own: `openapi-EDITION.yaml`.
    """
    for service in sorted(contract.services):
        operations = [one for _, one in sorted(contract.operations.items()) if one.service == service]
        if not operations:
            continue
        folder = operations[0].folder.parent
        yield from _openapi(contract, folder / "openapi.yaml", operations)
        for edition in sorted({name for one in operations for name, has in one.editions.items() if has.request}):
            path = folder / f"openapi-{edition}.yaml"
            own = [replace(one, edition=edition) for one in operations if edition in one.editions]
            if path.is_file():
                yield from _openapi(contract, path, [one for one in own if one.editions[edition].request])
            else:
                what = f"the edition {edition} of {own[0].id} is not described"
                yield Problem("openapi", place_in(contract.root, path), what, "Describe its request there.")


def _openapi(contract: Contract, path: Path, operations: Sequence[Operation]) -> Outcomes:
    """One document, which describes these operations."""
    from openapi_spec_validator import OpenAPIV31SpecValidator
    from referencing.exceptions import Unresolvable

    where = place_in(contract.root, path)
    document = read_yaml(path)
    try:
        errors = list(OpenAPIV31SpecValidator(document, base_uri=path.resolve().as_uri()).iter_errors())
    except (Unresolvable, LookupError, TypeError, AttributeError, ValueError, OSError) as error:
        what = f"cannot be read as OpenAPI: {type(error).__name__} {error}"
        yield Problem("openapi", where, what, "Check the files it refers to.")
        return
    for found in errors:
        place = join_pointer(getattr(found, "absolute_path", ()))
        yield Problem("openapi", f"{where}#{place}", str(found.message).partition("\n")[0], "Mend the document.")
    yield from _operations_described(operations, document, where)


def _operations_described(operations: Sequence[Operation], document: Mapping[str, Any], where: str) -> Outcomes:
    paths = document.get("paths") or {}
    for operation in operations:
        name = operation.id
        described = (paths.get(operation.path) or {}).get(operation.method.lower())
        place = f"{where}#{join_pointer(('paths', operation.path, operation.method.lower()))}"
        if not isinstance(described, Mapping):
            yield Problem("openapi", place, f"{name} is not described", "Path and method are those of operation.yaml.")
            continue
        if described.get("operationId") != name:
            yield Problem("openapi", place, f"operationId is {described.get('operationId')!r}", f"It must be {name}.")
        whole, media = "request", set(described.get("requestBody", {}).get("content", {}))
        if not operation.has_body:
            answers = [one for code, one in described.get("responses", {}).items() if str(code).startswith("2")]
            whole, media = "answer", {name for one in answers for name in one.get("content", {})}
        if media != set(operation.media_types) and (media or operation.has_body):
            hint = f"operation.yaml has {', '.join(operation.media_types)}."
            yield Problem("openapi", place, f"the {whole} comes in {', '.join(sorted(media)) or 'no media type'}", hint)
        schema = f"{operation.folder.name}/{operation.request_schema.name}"
        if operation.edition and schema not in _request_schemas(described):
            yield Problem("openapi", place, f"no request is of {schema}", "It is the schema of this edition's request.")
        yield None


def _request_schemas(described: Mapping[str, Any]) -> set[Any]:
    """The files to which the request's media types refer."""
    contents = described.get("requestBody", {}).get("content", {}).values()
    return {one.get("schema", {}).get("$ref") for one in contents}


def _known_keywords() -> frozenset[str]:
    import jsonschema
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it comes with jsonschema

    found: set[str] = set()
    for name in jsonschema.Draft202012Validator.META_SCHEMA["allOf"]:
        uri = "https://json-schema.org/draft/2020-12/" + name["$ref"]
        found.update(REGISTRY.contents(uri).get("properties", {}))
    return frozenset(found)
