"""Shared by the tests of the specs data: which requirement an error of a JSON Schema belongs to."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest

Violations = Callable[..., list[str]]

SPECS = Path(__file__).resolve().parents[2] / "specs"


@functools.cache
def load_schema(path: str) -> dict[str, Any]:
    """The JSON Schema at `path` below the specs folder."""
    schema: dict[str, Any] = json.loads((SPECS / path).read_text(encoding="utf-8"))
    return schema


def nearest_requirement(schema: dict[str, Any], path: Iterable[str | int]) -> str:
    """The `x-requirement` nearest to the end of a schema path, references followed.

    The path may name its `$ref` steps, as jsonschema-rs does in `evaluation_path`, or leave them out, as
    jsonschema does in `absolute_schema_path`.
    """
    node: Any = schema
    found = schema["x-requirement"]

    def enter(child: Any) -> Any:
        nonlocal found
        if isinstance(child, dict):
            found = child.get("x-requirement", found)
        return child

    for step in path:
        while isinstance(node, dict) and step not in node and "$ref" in node:
            node = enter(_target(schema, node["$ref"]))
        node = enter(_target(schema, node["$ref"]) if step == "$ref" else node[step])
    return str(found)


def _target(schema: dict[str, Any], reference: str) -> Any:
    node: Any = schema
    for token in reference.removeprefix("#/").split("/"):
        node = node[token]
    return node


@pytest.fixture(scope="session")
def violations() -> Violations:
    """`violations(path, value, entry=None)`: the requirement id of each error, sorted; both validators agree.

    `entry` is a reference such as `#/$defs/flat` that takes the place of the schema's own root reference.
    """

    def judge(path: str, value: Any, entry: str | None = None) -> list[str]:
        schema = load_schema(path)
        if entry is not None:
            schema = schema | {"$ref": entry}
        slow = sorted(
            nearest_requirement(schema, error.absolute_schema_path)
            for error in jsonschema.Draft202012Validator(schema).iter_errors(value)
        )
        fast = sorted(
            nearest_requirement(schema, error.evaluation_path)
            for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(value)
        )
        assert slow == fast
        return slow

    return judge
