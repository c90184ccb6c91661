"""Values are generated of a schema whose references lead anywhere in the service's folder, or not at all."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from conformance.cases.generated.corpus import content_address
from conformance.cases.generated.generate import generate_values, inlined, second_validator
from conformance.contract.load import load_contract
from conformance.contract.schemas import read_schema_files
from conformance.errors import SpecError
from conformance.model.spec import Operation

ID = {"type": "integer", "minimum": 1}


def put(folder: Path, request: Any, shared: Any = None) -> Path:
    """The file of a request schema in a service's folder, beside a shared one."""
    (folder / "call").mkdir()
    (folder / "shared.json").write_text(json.dumps(shared or {"$defs": {"id": ID}}), "utf-8")
    path = folder / "call" / "request.schema.json"
    path.write_text(json.dumps(request), "utf-8")
    return path


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"$ref": "#/$defs/id", "$defs": {"id": ID}}, ID),
        ({"$ref": "../shared.json#/$defs/id"}, ID),
        (
            {"items": {"$ref": "../shared.json#/$defs/id", "x-requirement": "R"}},
            {"items": {"x-requirement": "R", "allOf": [ID]}},
        ),
        ({"$ref": "#/$defs/a", "allOf": [{"maximum": 9}], "$defs": {"a": ID}}, {"allOf": [ID, {"maximum": 9}]}),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": ID}}, ID),
        ({"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}], "$defs": {"a": ID}}, {"allOf": [ID, ID]}),
        ({"properties": {"$ref": ID}, "$id": "x", "$comment": "y"}, {"properties": {"$ref": ID}}),
        ({"enum": ["#/$defs/a"]}, {"enum": ["#/$defs/a"]}),
    ],
)
def test_a_reference_is_replaced_by_what_it_names(tmp_path: Path, given: Any, found: Any) -> None:
    assert inlined(read_schema_files(put(tmp_path, given))) == found


def test_a_reference_in_another_file_is_followed_from_there(tmp_path: Path) -> None:
    shared = {"$defs": {"id": {"$ref": "#/$defs/number"}, "number": ID}}
    assert inlined(read_schema_files(put(tmp_path, {"$ref": "../shared.json#/$defs/id"}, shared))) == ID


@pytest.mark.parametrize(
    "given",
    [{"items": {"$ref": "#"}}, {"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"x": {"$ref": "#/$defs/a"}}}}}],
)
def test_a_reference_that_comes_back_to_itself_is_refused_with_its_file(tmp_path: Path, given: Any) -> None:
    path = put(tmp_path, given)
    with pytest.raises(SpecError, match="leads back to itself") as caught:
        inlined(read_schema_files(path))
    assert (caught.value.where, bool(caught.value.hint)) == (str(path), True)


def sharing(folder: Path) -> Operation:
    """The list operation with one part of its request schema in a file of the service."""
    root = folder / "tpp"
    shutil.copytree(load_contract().operations["tpp.create_cancellations"].folder, root / "create_cancellations")
    path = root / "create_cancellations" / "request.schema.json"
    schema = json.loads(path.read_text("utf-8"))
    (root / "shared.json").write_text(json.dumps({"$defs": {"id": schema["$defs"].pop("id")}}), "utf-8")
    path.write_text(json.dumps(schema).replace('"#/$defs/id"', '"../shared.json#/$defs/id"'), "utf-8")
    return dataclasses.replace(load_contract().operations["tpp.create_cancellations"], folder=path.parent)


def test_the_same_values_come_of_a_schema_that_shares_a_file(tmp_path: Path) -> None:
    plain, shared = load_contract().operations["tpp.create_cancellations"], sharing(tmp_path)
    assert generate_values(shared, 3, examples=15) == generate_values(plain, 3, examples=15)


def test_the_second_validator_reads_the_shared_file(tmp_path: Path) -> None:
    second = second_validator(sharing(tmp_path).folder)
    item = {"OrderID": 1, "CreatorID": 1, "PIN": None, "IsInternationalOrder": False, "InternationalOrderUID": None}
    assert second.is_valid([item])
    assert not second.is_valid([{**item, "OrderID": "x"}])


def test_a_corpus_is_stale_when_a_file_changes_that_the_schema_refers_to(tmp_path: Path) -> None:
    operation = sharing(tmp_path)
    before = content_address(operation, 1)
    shared = tmp_path / "tpp" / "shared.json"
    assert content_address(operation, 1) == before
    shared.write_text(shared.read_text("utf-8") + "\n", "utf-8")
    assert content_address(operation, 1) != before
