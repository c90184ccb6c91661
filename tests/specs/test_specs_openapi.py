"""The OpenAPI documents are valid, complete, and usable by Schemathesis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

SPECS = Path(__file__).resolve().parents[2] / "specs"
MEDIA_TYPES = {
    "alphapoint": {"application/json"},
    "tpp": {"application/json", "text/json", "application/xml", "text/xml"},
}
PATHS = {
    "alphapoint": {
        "/AP/CancelAllOrders": "alphapoint.cancel_all_orders",
        "/AP/CancelOrder": "alphapoint.cancel_order",
        "/AP/CancelQuote": "alphapoint.cancel_quote",
        "/AP/SendOrder": "alphapoint.send_order",
        "/AP/CreateQuote": "alphapoint.create_quote",
    },
    "tpp": {
        "/api/orders/cancellation": "tpp.create_cancellation",
        "/api/orders/cancellations": "tpp.create_cancellations",
    },
}
SERVICES = sorted(PATHS)


def document(service: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((SPECS / service / "openapi.yaml").read_text(encoding="utf-8"))
    return loaded


def values_of(node: Any, key: str) -> Iterator[str]:
    """Every value that stands under `key` anywhere in a document."""
    if isinstance(node, dict):
        for name, child in node.items():
            if name == key:
                yield child
            yield from values_of(child, key)
    elif isinstance(node, list):
        for child in node:
            yield from values_of(child, key)


@pytest.mark.parametrize("service", SERVICES)
def test_document_is_valid_openapi(service: str) -> None:
    base_uri = (SPECS / service / "openapi.yaml").as_uri()
    assert list(OpenAPIV31SpecValidator(document(service), base_uri=base_uri).iter_errors()) == []


@pytest.mark.parametrize("service", SERVICES)
def test_paths_have_the_operation_ids_of_the_project(service: str) -> None:
    paths = document(service)["paths"]
    assert {path: methods["post"]["operationId"] for path, methods in paths.items()} == PATHS[service]


@pytest.mark.parametrize("service", SERVICES)
def test_only_post_is_described(service: str) -> None:
    assert all(list(methods) == ["post"] for methods in document(service)["paths"].values())


@pytest.mark.parametrize("service", SERVICES)
def test_requests_come_in_every_documented_media_type(service: str) -> None:
    for methods in document(service)["paths"].values():
        assert set(methods["post"]["requestBody"]["content"]) == MEDIA_TYPES[service]


@pytest.mark.parametrize("response", ["Results", "Refused", "Early"])
def test_tpp_responses_come_in_every_documented_media_type(response: str) -> None:
    assert set(document("tpp")["components"]["responses"][response]["content"]) == MEDIA_TYPES["tpp"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_file_that_is_named_exists(service: str) -> None:
    loaded = document(service)
    references = {reference.partition("#")[0] for reference in values_of(loaded, "$ref")} - {""}
    files = references | set(values_of(loaded, "x-xsd"))
    assert files
    assert [name for name in sorted(files) if not (SPECS / service / name).is_file()] == []


def test_alphapoint_calls_need_the_session_token() -> None:
    loaded = document("alphapoint")
    scheme = loaded["components"]["securitySchemes"]["session"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "aptoken")
    assert loaded["security"] == [{"session": []}]


@pytest.mark.parametrize("service", SERVICES)
def test_schemathesis_finds_the_operations(service: str) -> None:
    loaded = schemathesis.openapi.from_path(str(SPECS / service / "openapi.yaml"))
    assert {path: loaded[path]["POST"].label for path in PATHS[service]} == {
        path: f"POST {path}" for path in PATHS[service]
    }
    assert loaded.statistic.operations.total == len(PATHS[service])


@pytest.mark.parametrize("edition", ["3.2", "later"])
def test_an_edition_has_a_document_whose_request_has_its_members(edition: str) -> None:
    path = SPECS / "alphapoint" / f"openapi-{edition}.yaml"
    shown = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert list(OpenAPIV31SpecValidator(shown, base_uri=path.as_uri()).iter_errors()) == []
    loaded = schemathesis.openapi.from_path(str(path))
    assert loaded.statistic.operations.total == len(PATHS["alphapoint"])
    (body,) = loaded["/AP/CancelAllOrders"]["POST"].body
    validator = jsonschema.Draft202012Validator(body.optimized_schema)
    assert validator.is_valid({"OMSId": 1, "InstrumentId": 1})
    assert not validator.is_valid({"OMSId": 1, "InstrumentId": "BTC"})
    examples = shown["paths"]["/AP/CancelAllOrders"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert all(validator.is_valid(example["value"]) for example in examples.values())


@pytest.mark.parametrize("service", SERVICES)
def test_every_request_has_an_example_that_is_valid(service: str) -> None:
    loaded = schemathesis.openapi.from_path(str(SPECS / service / "openapi.yaml"))
    shown = document(service)
    for path, methods in shown["paths"].items():
        for media_type, content in methods["post"]["requestBody"]["content"].items():
            examples = [resolved(shown, example)["value"] for example in content["examples"].values()]
            assert examples
            (body,) = [one for one in loaded[path]["POST"].body if one.media_type == media_type]
            validator = jsonschema.Draft202012Validator(body.optimized_schema)
            assert [error.message for example in examples for error in validator.iter_errors(example)] == []


def resolved(shown: dict[str, Any], example: dict[str, Any]) -> Any:
    node: Any = shown
    for name in example.get("$ref", "").removeprefix("#/").split("/") if "$ref" in example else ():
        node = node[name]
    return example if node is shown else node


def test_every_call_that_cancels_is_led_to_by_a_link() -> None:
    links = [
        link["operationId"]
        for service in SERVICES
        for links in values_of(document(service), "links")
        for link in links.values()
    ]
    assert set(links) == {
        "alphapoint.cancel_all_orders", "alphapoint.cancel_order", "alphapoint.cancel_quote", "tpp.create_cancellation",
        "tpp.create_cancellations",
    }  # fmt: skip


def test_the_examples_of_tpp_are_those_of_its_page() -> None:
    sample = json.loads((SPECS / "tpp" / "create_cancellations" / "samples" / "request-1.json").read_text("utf-8"))
    assert document("tpp")["components"]["examples"]["Two"]["value"] == sample
