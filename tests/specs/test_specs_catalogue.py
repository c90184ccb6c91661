"""Requirements, readings and schemas name each other correctly, and every statement is well formed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

SPECS = Path(__file__).resolve().parents[2] / "specs"
PREFIXES = {
    "alphapoint.cancel_all_orders": "CAO",
    "alphapoint.cancel_order": "CO",
    "alphapoint.cancel_quote": "CQ",
    "tpp.create_cancellation": "TPP1",
    "tpp.create_cancellations": "TPP",
}
SCHEMAS = sorted(path.relative_to(SPECS).as_posix() for path in SPECS.glob("*/*/*.schema.json"))
READING_KEYS = {"id", "operations", "requirement", "question", "alternatives", "source"}
CONSTRAINTS = {
    "type", "enum", "const", "required", "properties", "items", "allOf", "anyOf", "if", "then", "not", "contains",
    "pattern", "minimum", "maximum", "minLength", "maxItems",
}  # fmt: skip


def read(path: str) -> Any:
    return yaml.safe_load((SPECS / path).read_text(encoding="utf-8"))


def folder_of(operation: str) -> str:
    return operation.replace(".", "/")


def requirements_of(operation: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = read(f"{folder_of(operation)}/requirements.yaml")
    return entries


REQUIREMENTS = {
    (operation, entry["id"]): entry for operation in sorted(PREFIXES) for entry in requirements_of(operation)
}
TEXTS = {name: entry["text"] for (_, name), entry in REQUIREMENTS.items()}
SERVICES = {service: read(f"{service}/service.yaml") for service in ("alphapoint", "tpp")}
READINGS = [(service, entry) for service in sorted(SERVICES) for entry in read(f"{service}/readings.yaml")]


def subschemas(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield path, node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from subschemas(child, (*path, key))


def load(path: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SPECS / path).read_text(encoding="utf-8"))
    return schema


@pytest.mark.parametrize("operation", sorted(PREFIXES))
def test_requirement_ids_are_unique(operation: str) -> None:
    names = [entry["id"] for entry in requirements_of(operation)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("operation", "name"), sorted(REQUIREMENTS))
def test_requirement_is_well_formed(operation: str, name: str) -> None:
    entry = REQUIREMENTS[operation, name]
    assert re.fullmatch(rf"{PREFIXES[operation]}(-[A-Z0-9]+)+", name)
    assert entry["level"] in {"must", "should", "open"}
    assert entry["document"] in SERVICES[operation.partition(".")[0]]["documents"]
    assert entry["place"]
    assert re.fullmatch(r"[A-Za-z].+\.", entry["text"])
    assert entry["verify"] == ("untested" if entry.get("untested") else "cases")
    assert set(entry) - {"untested", "edition"} == {"id", "level", "document", "place", "text", "verify"}


@pytest.mark.parametrize("path", SCHEMAS)
def test_schema_is_valid_against_its_meta_schema(path: str) -> None:
    jsonschema.Draft202012Validator.check_schema(load(path))


@pytest.mark.parametrize("path", SCHEMAS)
def test_schema_id_follows_from_its_place(path: str) -> None:
    service, operation, part = path.removesuffix(".schema.json").split("/")
    assert load(path)["$id"] == f"urn:order-cancellation:{service}:{operation}:{part}"


@pytest.mark.parametrize("path", SCHEMAS)
def test_schema_attributes_to_requirements_of_its_operation(path: str) -> None:
    service, operation, _ = path.split("/")
    named = {node for place, node in subschemas(load(path)) if place[-1:] == ("x-requirement",)}
    assert named
    assert named - {name for owner, name in REQUIREMENTS if owner == f"{service}.{operation}"} == set()


@pytest.mark.parametrize("path", SCHEMAS)
def test_no_keyword_stands_beside_a_reference_that_also_uses_it(path: str) -> None:
    """Otherwise the schema path of an error would not say which of the two failed."""
    schema = load(path)
    for _, node in subschemas(schema):
        if isinstance(node, dict) and "$ref" in node:
            file, _, pointer = node["$ref"].partition("#")
            target: Any = load(f"{path.rpartition('/')[0]}/{file}") if file else schema
            for token in pointer.removeprefix("/").split("/") if pointer else ():
                target = target[token]
            assert not CONSTRAINTS & set(node) & set(target)


@pytest.mark.parametrize("path", SCHEMAS)
def test_every_property_names_its_requirement(path: str) -> None:
    schema = load(path)
    conditions = {"if", "then", "not"}
    for place, node in subschemas(schema):
        if len(place) > 1 and place[-2] == "properties" and not conditions & set(place):
            assert "x-requirement" in node, place


@pytest.mark.parametrize(("service", "reading"), READINGS, ids=[entry["id"] for _, entry in READINGS])
def test_reading_is_well_formed(service: str, reading: dict[str, Any]) -> None:
    assert set(reading) - {"also", "covers"} == READING_KEYS
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", reading["id"])
    assert set(reading["operations"]) <= set(SERVICES[service]["operations"])
    assert len(reading["alternatives"]) >= 2
    assert {type(part) for pair in reading["alternatives"].items() for part in pair} == {str}


@pytest.mark.parametrize(("service", "reading"), READINGS, ids=[entry["id"] for _, entry in READINGS])
def test_reading_and_requirements_name_each_other(service: str, reading: dict[str, Any]) -> None:
    names = [reading["requirement"], *reading.get("also", [])]
    for operation, name in zip(reading["operations"], names, strict=True):
        assert (operation, name) in REQUIREMENTS
        assert f"(reading {reading['id']})" in TEXTS[name]


def test_reading_ids_are_unique() -> None:
    names = [entry["id"] for _, entry in READINGS]
    assert len(names) == len(set(names))


def test_requirements_mention_existing_readings_only() -> None:
    mentioned = {name for text in TEXTS.values() for name in re.findall(r"\(reading ([a-z0-9-]+)\)", text)}
    assert mentioned == {entry["id"] for _, entry in READINGS}


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_service_lists_the_folders_below_it(service: str) -> None:
    data = SERVICES[service]
    folders = sorted(path.parent.name for path in (SPECS / service).glob("*/requirements.yaml"))
    assert data["service"] == service
    assert data["operations"] == [f"{service}.{name}" for name in folders]
