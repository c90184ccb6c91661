"""A request schema with its references put in place, for generators that take one schema alone."""

from __future__ import annotations

from typing import Any

from conformance.errors import SpecError
from conformance.specs.schema_files import SchemaFiles, name_of

_LEFT_OUT = ("$id", "$schema", "$defs", "$comment")


def inlined(files: SchemaFiles) -> Any:
    """The schema that the files start with; what stands beside a reference is joined with its target by `allOf`.

    Errors: `SpecError` for a reference that comes back to itself, for its values have no end.
    """
    start = files.documents[files.start]
    return _put(files, start, files.start, (id(start),))


def _put(files: SchemaFiles, part: Any, base: str, above: tuple[int, ...]) -> Any:
    if isinstance(part, list):
        return [_put(files, item, base, above) for item in part]
    if not isinstance(part, dict):
        return part
    reference = part.get("$ref")
    if not isinstance(reference, str):
        return {key: _put(files, content, base, above) for key, content in part.items() if key not in _LEFT_OUT}
    uri, target = files.resolve(reference, base)
    if id(target) in above:
        hint = "Values are generated of schemas that end: write out as many levels as the document has."
        raise SpecError(f"$ref {reference!r} leads back to itself", where=name_of(base), hint=hint)
    put = _put(files, target, uri, (*above, id(target)))
    beside = {key: _put(files, content, base, above) for key, content in part.items() if key not in (*_LEFT_OUT, "$ref")}
    return {**beside, "allOf": [put, *beside.get("allOf", ())]} if beside else put
