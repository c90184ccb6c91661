"""Rules on the JSON Schemas and the OpenAPI document, each taken by itself."""

from __future__ import annotations

from collections.abc import Mapping
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
from conformance.model.spec import Contract

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
    """Each service's document is valid OpenAPI, and describes the service's operations as `operation.yaml` does."""
    from openapi_spec_validator import OpenAPIV31SpecValidator
    from referencing.exceptions import Unresolvable

    for service in sorted(contract.services):
        folders = [one.folder for one in contract.operations.values() if one.service == service]
        if not folders:
            continue
        path = folders[0].parent / "openapi.yaml"
        where = place_in(contract.root, path)
        document = read_yaml(path)
        try:
            errors = list(OpenAPIV31SpecValidator(document, base_uri=path.resolve().as_uri()).iter_errors())
        except (Unresolvable, LookupError, TypeError, AttributeError, ValueError, OSError) as error:
            yield Problem(
                "openapi",
                where,
                f"cannot be read as OpenAPI: {type(error).__name__} {error}",
                "Check the files it refers to.",
            )
            continue
        for found in errors:
            place = join_pointer(getattr(found, "absolute_path", ()))
            yield Problem("openapi", f"{where}#{place}", str(found.message).partition("\n")[0], "Mend the document.")
        yield from _operations_described(contract, service, document, where)


def _operations_described(contract: Contract, service: str, document: Mapping[str, Any], where: str) -> Outcomes:
    paths = document.get("paths") or {}
    for name in sorted(contract.operations):
        operation = contract.operations[name]
        if operation.service != service:
            continue
        described = (paths.get(operation.path) or {}).get(operation.method.lower())
        place = f"{where}#{join_pointer(('paths', operation.path, operation.method.lower()))}"
        if not isinstance(described, Mapping):
            yield Problem("openapi", place, f"{name} is not described", "Path and method are those of operation.yaml.")
            continue
        if described.get("operationId") != name:
            yield Problem("openapi", place, f"operationId is {described.get('operationId')!r}", f"It must be {name}.")
        media = set(described.get("requestBody", {}).get("content", {}))
        if media != set(operation.media_types):
            hint = f"operation.yaml has {', '.join(operation.media_types)}."
            yield Problem("openapi", place, f"the request comes in {', '.join(sorted(media)) or 'no media type'}", hint)
        yield None


def _known_keywords() -> frozenset[str]:
    import jsonschema
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it comes with jsonschema

    found: set[str] = set()
    for name in jsonschema.Draft202012Validator.META_SCHEMA["allOf"]:
        uri = "https://json-schema.org/draft/2020-12/" + name["$ref"]
        found.update(REGISTRY.contents(uri).get("properties", {}))
    return frozenset(found)
