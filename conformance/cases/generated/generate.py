"""Generates request values with Schemathesis and Hypothesis, and edges of every member systematically.

A value is kept only when it proves what it claims: a positive one is valid under the request schema, a negative one
invalid, with every error on one and the same requirement. Ids are put into a range that names nothing on a target.

A request schema with its references put in place, for generators that take one schema alone.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from conformance.cases.generated.corpus import CorpusValue
from conformance.cases.kinds import unknown_place
from conformance.contract.schemas import (
    SchemaFiles,
    SchemaValidator,
    load_validator,
    name_of,
    read_schema_files,
    second_engine,
)
from conformance.errors import SpecError, need
from conformance.formats.base import is_text
from conformance.model.spec import Field, Operation

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
    beside = {
        key: _put(files, content, base, above) for key, content in part.items() if key not in (*_LEFT_OUT, "$ref")
    }
    return {**beside, "allOf": [put, *beside.get("allOf", ())]} if beside else put


EXAMPLES = 700
"""How many values of each kind Schemathesis is asked for; about half of them are repetitions."""
MOST_CHARACTERS = 1500
_ID_SPREAD = 1000
_INT32, _INT64 = 2**31, 2**63
_ODD: tuple[Any, ...] = (
    "", " ", "abc", "1", "-1", "0x1F", "1e3", "null", "true", [], {}, [1], {"a": 1}, True, False, 1.5, -0.5, 1e300,
    "\u00e9\u4e2d\U0001f511", "a" * 300, "\n", "'", '"', "<a/>", "&amp;", "${x", "%00", "../..",
)  # fmt: skip
_EDGES = (
    0, 1, -1, 9, 10, 127, 128, 255, 256, 32767, 32768, 65535, 65536, _INT32 - 1, -_INT32, _INT32, 2 * _INT32,
    2**53, 2**53 + 1, _INT64 - 1, -_INT64, _INT64, 2 * _INT64, 10**30,
)  # fmt: skip


def generate_values(operation: Operation, seed: int, examples: int = EXAMPLES) -> tuple[CorpusValue, ...]:
    """The values of an operation for a seed, without repetitions, mixed in an order that the seed gives."""
    what = f"making values for {operation.id} with the seed {seed}, which no file carries,"
    hint = " `--generated 0` runs the named cases alone."
    need("schemathesis", what, "schemathesis", "hypothesis", "jsonschema", hint=hint)
    validator = load_validator(operation.folder / "request.schema.json")
    second = second_validator(operation.folder)
    found: dict[str, CorpusValue] = {}
    for value in (*_systematic(operation), *_schemathesis(operation, seed, examples)):
        tame = tamed(operation, value)
        text = json.dumps(tame, sort_keys=True)
        if len(text) > MOST_CHARACTERS or text in found:
            continue
        kept = proved(tame, validator, second)
        if kept is not None:
            found[text] = kept
    values = list(found.values())
    random.Random(seed).shuffle(values)
    return tuple(values)


@lru_cache(maxsize=32)
def second_validator(folder: Path) -> Any:
    """The `jsonschema` package's validator of an operation's requests, which has the last word on what is valid."""
    return second_engine(load_validator(folder / "request.schema.json"))


def proved(value: Any, validator: SchemaValidator, second: Any) -> CorpusValue | None:
    """The value with what it proves, by both validators; None when they differ, or when it breaks several rules."""
    legal_ids = concrete(value)
    problems = validator.problems(legal_ids)
    if bool(problems) is second.is_valid(legal_ids):
        return None
    if not problems:
        return CorpusValue(value, positive=True)
    broken = {problem.requirement for problem in problems}
    if len(broken) != 1 or None in broken:
        return None
    return CorpusValue(value, positive=False, breaks=str(broken.pop()))


def concrete(value: Any) -> Any:
    """The value with a legal id in each place, for the validators."""
    if isinstance(value, str) and value.startswith("${") and value.endswith("}"):
        name = value[2:-1].partition("+")[0].lower()
        return (
            "00000000-dead-4bad-8bad-000000000000"
            if name.endswith("uid")
            else "1234"
            if name.endswith("pin")
            else "1987654321"
            if is_text(name)
            else 1987654321
        )
    if isinstance(value, list):
        return [concrete(item) for item in value]
    if isinstance(value, dict):
        return {key: concrete(content) for key, content in value.items()}
    return value


def tamed(operation: Operation, value: Any) -> Any:
    """Ids from the range that names nothing, integral floats as integers, and no undeclared twins of members."""
    if isinstance(value, list):
        return [tamed(operation, item) for item in value]
    if not isinstance(value, dict):
        return value
    fields = operation.fields
    folded = {name.lower() for name in fields}
    tame: dict[str, Any] = {}
    for name, content in value.items():
        if name not in fields:
            if name.lower() not in folded:
                tame[name] = content
            continue
        tame[name] = _tame_member(fields[name], content)
    return tame


def _tame_member(field: Field, content: Any) -> Any:
    if isinstance(content, float) and content.is_integer() and abs(content) < 2**53:
        content = int(content)
    place = field.unknown
    if (
        isinstance(content, bool)
        or not isinstance(content, int)
        or not place
        or content in _EDGES
        or abs(content) >= _INT32
    ):
        return content
    if field.binding == "oms" and content % 2 == 0:
        return "${oms}"
    return f"{place[:-1]}+{content % _ID_SPREAD}}}"


def _systematic(operation: Operation) -> Iterator[Any]:
    """Every member left out, null, at each edge, and of each wrong type, in an otherwise legal request."""
    for base in _bases(operation):
        whole = _named_nothing(operation, base)
        item = whole[0] if isinstance(whole, list) else whole
        variants: list[dict[str, Any]] = [item]
        for name in item:
            variants.append({key: content for key, content in item.items() if key != name})
            variants.extend({**item, name: odd} for odd in (None, *_ODD, *_EDGES))
        for variant in variants:
            yield [variant] if isinstance(whole, list) else variant
        if isinstance(whole, list):
            yield from ([item] * count for count in (0, 2, 3, 10))
            yield from ([item, odd] for odd in _ODD[:12])
    yield from _ODD


def _bases(operation: Operation) -> Iterator[Any]:
    """The legal requests: the base, and the second one where there is one."""
    yield operation.valid
    if operation.second is not None:
        yield operation.bases[operation.second.base].value


def _named_nothing(operation: Operation, base: Any) -> Any:
    """A legal request whose ids name nothing: the places of the operation's own states replaced."""
    if isinstance(base, list):
        return [_named_nothing(operation, item) for item in base]
    item: dict[str, Any] = {}
    for name, content in base.items():
        field = operation.fields[name]
        state = (
            isinstance(content, str)
            and content.startswith("${")
            and content[2:-1].partition(".")[0] in _state_names(operation)
        )
        item[name] = unknown_place(field) if state else content
    return item


def _state_names(operation: Operation) -> frozenset[str]:
    second = {} if operation.second is None else operation.bases[operation.second.base].states
    return frozenset((*operation.states, *second))


def _schemathesis(operation: Operation, seed: int, examples: int) -> Iterator[Any]:
    """Bodies that Schemathesis makes of the request schema, legal and illegal."""
    import schemathesis
    from schemathesis import GenerationMode

    schema = inlined(read_schema_files(operation.folder / "request.schema.json"))
    document = {
        "openapi": "3.1.0",
        "info": {"title": operation.id, "version": "1"},
        "paths": {
            "/call": {
                "post": {
                    "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
                    "responses": {"200": {"description": "answer"}},
                }
            }
        },
    }
    loaded = schemathesis.openapi.from_dict(document)
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        yield from (
            body
            for body in _bodies(loaded["/call"]["POST"].as_strategy(generation_mode=mode), seed, examples)
            if _is_json(body)
        )


def _bodies(strategy: Any, seed: int, examples: int) -> list[Any]:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    bodies: list[Any] = []

    @seeded(seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def gather(case: Any) -> None:
        bodies.append(case.body)

    gather()
    return bodies


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False).encode("ascii")
    except (TypeError, ValueError, RecursionError):
        return False
    return True
