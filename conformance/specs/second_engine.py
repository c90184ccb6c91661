"""The `jsonschema` package's validator over the same files as the first one's: two engines read each schema."""

from __future__ import annotations

from typing import Any

from conformance.specs.validate import DIALECT, SchemaValidator


def second_engine(first: SchemaValidator) -> Any:
    """A `jsonschema` validator of the same schema, its references to other files included."""
    import jsonschema
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    resources = [(uri, DRAFT202012.create_resource(one)) for uri, one in first.files.documents.items()]
    registry: Any = Registry().with_resources(resources)
    schema = {"$schema": DIALECT, "$ref": f"{first.files.start}{first.ref}"}
    return jsonschema.Draft202012Validator(schema, registry=registry)
