"""Schemathesis runs in each way with what the way says, and what it always reports is left out."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from benchmarks import schemathesis_tool as tool
from benchmarks.processes import reference
from benchmarks.schemathesis_tool import BEST, QUICK, look


@pytest.mark.timeout(120)
def test_what_is_said_of_the_right_server_does_not_count_against_a_variant(tmp_path: Path) -> None:
    operation, known = "alphapoint.cancel_quote", tmp_path / "known.json"
    with reference() as address:
        right = look(operation, address, BEST[0], known, 2, learn=True)
    assert "JsonSchemaError" not in right.by
    assert {one["failure"] for one in json.loads(known.read_text())["entries"]} == set(right.by)
    with reference(arguments=("--fault", "cq-error-with-true")) as address:
        wrong = look(operation, address, BEST[0], known, 2)
    assert "JsonSchemaError" in wrong.by
    assert set(right.by).isdisjoint(wrong.by)


@pytest.mark.timeout(120)
def test_a_fault_in_xml_alone_is_seen_with_the_hooks_that_read_it(tmp_path: Path) -> None:
    with reference(arguments=("--fault", "tpp-xml-root-of-request")) as address:
        wrong = look("tpp.create_cancellations", address, BEST[0], tmp_path / "known.json", 2)
    assert "JsonSchemaError" in wrong.by


def test_a_way_with_a_budget_has_the_settings_that_its_pages_advise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "_token", lambda _address, user: f"token-of-{user}")
    settings = tomllib.loads(tool._settings("alphapoint.cancel_quote", "http://127.0.0.1:1", BEST[0], tmp_path))
    assert settings["auth"]["wfc"] == {"path": "users.json", "user": "maker01", "peers": ["maker01", "maker02"]}
    users = json.loads((tmp_path / "users.json").read_text())["auth"]
    assert [one["fixedHeaders"][0]["value"] for one in users] == ["token-of-maker01", "token-of-maker02"]
    assert settings["parameters"]["body.accountId"]["dictionary"] in settings["dictionaries"]
    assert tool._limits(BEST[1], 5)[:2] == ["--max-time", "15"]
    quick = tomllib.loads(tool._settings("alphapoint.cancel_quote", "http://127.0.0.1:1", QUICK[0], tmp_path))
    assert quick == {"auth": {"wfc": {"path": "users.json", "user": "maker01"}}}


def test_the_examples_of_the_document_are_the_known_values() -> None:
    known = dict(tool._known_values("tpp.create_cancellations"))
    assert known["body.[*].OrderID"] == [12345]
    assert known["body.[*].PIN"] == ["1234", "1111"]
    assert dict(tool._known_values("tpp.create_cancellation"))["body.CreatorID"] == [98765]
    assert dict(tool._known_values("alphapoint.cancel_quote"))["body.askQuoteId"] == [2]
