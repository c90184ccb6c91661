"""The JSON Schemas for editors are what the models give, take every bundled file, and refuse what the loader refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from conformance.cases.generated.accounts import MODELS
from conformance.cases.generated.stream import LISTS
from conformance.cli.main import main
from conformance.contract.load import specs_root
from conformance.contract.published import FILES, schema_file, schema_text
from conformance.model.spec import Explored

Edit = Callable[[str, str, str], None]
BUNDLED = sorted(path for path in specs_root().rglob("*.yaml") if not path.stem.startswith("openapi"))


def validator(kind: str) -> jsonschema.Draft202012Validator:
    schema = json.loads(schema_file(kind).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("kind", FILES)
def test_published_schema_is_what_the_models_give(kind: str) -> None:
    assert schema_file(kind).read_text(encoding="utf-8") == schema_text(kind)


@pytest.mark.parametrize("kind", FILES)
def test_command_prints_the_published_schema(kind: str) -> None:
    done = CliRunner().invoke(main, ["specs", "schema", kind])
    assert (done.exit_code, done.stdout) == (0, schema_file(kind).read_text(encoding="utf-8"))


def test_command_suggests_the_kinds_that_there_are() -> None:
    done = CliRunner().invoke(main, ["specs", "schema", "operations"])
    assert done.exit_code == 2
    assert all(f"'{kind}'" in done.stderr for kind in FILES)


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.relative_to(specs_root()).as_posix())
def test_bundled_file_follows_its_schema(path: Path) -> None:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert [one.message for one in validator(path.stem).iter_errors(data)] == []


@pytest.mark.parametrize(
    ("kind", "file", "change"),
    [
        ("operation", "alphapoint/cancel_order/operation.yaml", lambda data: data.pop("short")),
        ("operation", "alphapoint/cancel_order/operation.yaml", lambda data: data.update(shirt="co")),
        ("operation", "alphapoint/cancel_order/operation.yaml", lambda data: data.update(answer="standart")),
        ("operation", "alphapoint/cancel_order/operation.yaml", lambda data: data["attribution"].pop("frame-m")),
        ("operation", "alphapoint/cancel_order/operation.yaml", lambda data: data["attribution"].update(odd="CO-SYNC")),
        ("operation", "alphapoint/cancel_quote/operation.yaml", lambda data: data.pop("legs")),
        ("operation", "tpp/create_cancellations/operation.yaml", lambda data: data["attribution"].pop("xml-nil")),
        ("operation", "tpp/create_cancellations/operation.yaml", lambda data: data.update(base={})),
        ("requirements", "tpp/create_cancellations/requirements.yaml", lambda data: data[0].update(level="shall")),
        ("scenarios", "tpp/create_cancellations/scenarios.yaml", lambda data: data[0]["expect"].pop("requirement")),
        ("service", "tpp/service.yaml", lambda data: data.update(documents=[])),
        ("readings", "tpp/readings.yaml", lambda data: data[0].pop("alternatives")),
        ("page", "tpp/create_cancellations/page.yaml", lambda data: data["settled"][0].pop("because")),
    ],
)
def test_schema_refuses_what_the_loader_refuses(kind: str, file: str, change: Callable[[Any], object]) -> None:
    data = yaml.safe_load((specs_root() / file).read_text(encoding="utf-8"))
    change(data)
    assert list(validator(kind).iter_errors(data))


def test_schema_of_an_operation_explains_its_keys() -> None:
    operation = json.loads(schema_text("operation"))["$defs"]["Operation"]
    assert operation["properties"]["gone"]["description"] == "A state in which the call can no longer act on a thing."
    assert (
        operation["properties"]["attribution"]["properties"]["one-each"]["description"]
        == "one result for each instruction"
    )
    assert not {"service", "folder", "readings_", "requirements"} & set(operation["properties"])


def test_models_of_exploring_runs_are_those_that_there_are() -> None:
    assert set(get_args(get_type_hints(Explored)["model"])) == {*MODELS, LISTS}
