"""The OpenAPI documents are valid, complete, and usable by Schemathesis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    },
    "tpp": {"/api/orders/cancellations": "tpp.create_cancellations"},
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
