"""`conformance plan`: everything that a run would send, and not a socket opened."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.cli.main import main

_TARGET = """
name = "staging"
[scope]
destructive = true
accounts = [7101]
oms = [1]
instruments = [1]
unknown = [987654]
[services.alphapoint]
http = "https://staging.example.test"
bindings = { oms = 1, account = 7101, foreign = 7102, unknown_oms = 987654, instrument = 1 }
[services.alphapoint.roles.trading]
user = "somebody"
password = { env = "NOT_SET_ANYWHERE" }
[services.alphapoint.states]
provider = "calls"
"""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever would reach out fails the test."""

    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError("plan reached out")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", refuse)


def _plan(*words: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(main, ["plan", "--json", *words])
    assert done.exit_code == 0, done.output
    planned: list[dict[str, Any]] = json.loads(done.stdout)
    return planned


def test_every_named_case_of_the_reference_is_planned() -> None:
    listed = CliRunner().invoke(main, ["list", "cases", "-q"]).stdout.split()
    planned = _plan("--generated", "0")
    assert {message["case"] for message in planned} == set(listed)
    assert all(message["scope"]["allowed"] for message in planned)
    assert not [message for message in planned if message["hindrance"]]


def test_ids_of_the_target_are_filled_in_and_ids_made_at_run_time_are_shown_as_places() -> None:
    (message,) = _plan("--case", "tpp/response/three-kinds@application-json")
    assert message["role"] == "client"
    assert (message["method"], message["path"]) == ("POST", "/api/orders/cancellations")
    assert message["states"] == ["order: open-order", "abroad: open-international-order", "gone: cancelled-order"]
    assert '"OrderID":${order.OrderID}' in message["body"]
    assert '"CreatorID":98765' in message["body"]
    assert "${creator}" not in message["body"]


def test_a_frame_is_shown_with_its_payload_in_it() -> None:
    (message,) = _plan("--case", "cao/account/unknown-oms@ws")
    assert message["frame"] == '{"m":0,"i":${i},"n":"CancelAllOrders","o":"{\\"OMSId\\":987654,\\"AccountId\\":101}"}'
    assert "headers" not in message


def test_messages_sent_before_and_twins_are_planned_in_order() -> None:
    parts = [message["part"] for message in _plan("--case", "tpp/relations/json-and-xml-unknown@application-json")]
    assert parts == ["message", "twin"]
    before = [message for message in _plan("--generated", "0") if message["part"] == "before"]
    assert before
    assert any(message["copies"] > 1 for message in _plan("--generated", "0"))


def test_generated_cases_are_planned_as_a_run_would_make_them() -> None:
    wanted = ("--operation", "tpp.create_cancellations")
    named = {message["case"] for message in _plan(*wanted, "--generated", "0")}
    planned = {message["case"] for message in _plan(*wanted, "--generated", "20")}
    assert named < planned
    assert len(planned - named) == 20


def test_the_scope_decides_on_each_message_and_credentials_are_hidden(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text(_TARGET, encoding="utf-8")
    planned = {
        message["case"]: message
        for message in _plan("--target", str(target), "--operation", "alphapoint.cancel_all_orders", "--generated", "0")
    }
    own = planned["cao/effects/many-orders@http"]
    assert own["scope"]["allowed"], own
    assert ["aptoken", "[redacted]"] in own["headers"]
    everybody = planned["cao/account/omitted@http"]
    assert not everybody["scope"]["allowed"]
    assert "AccountId" in everybody["scope"]["reason"]


def test_what_the_target_lacks_is_said(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text(_TARGET, encoding="utf-8")
    planned = {
        message["case"]: message
        for message in _plan("--target", str(target), "--operation", "alphapoint.cancel_all_orders", "--generated", "0")
    }
    assert "no role 'operator'" in planned["cao/account/unknown-oms@http"]["hindrance"]
    assert "no WebSocket address" in planned["cao/effects/many-orders@ws"]["hindrance"]


def test_a_bare_url_can_be_planned_and_may_touch_nothing() -> None:
    planned = _plan("--target", "http://127.0.0.1:9", "--operation", "tpp.create_cancellations", "--generated", "0")
    assert planned
    assert all(message["hindrance"] or not message["scope"]["allowed"] for message in planned)


def test_text_names_role_states_message_and_scope() -> None:
    done = CliRunner().invoke(main, ["plan", "--case", "tpp/response/three-kinds@text-xml"])
    lines = done.stdout.splitlines()
    assert lines[:2] == ["tpp/response/three-kinds@text-xml", "  as client over http, text/xml"]
    assert "  set up first: gone: cancelled-order" in lines
    assert "  > POST /api/orders/cancellations" in lines
    assert any(line.startswith("  scope: allowed") for line in lines)
    assert lines[-1] == "1 message planned, nothing sent; 0 outside the scope, 0 that this target cannot be sent"


def test_quiet_prints_one_line_for_each_message() -> None:
    done = CliRunner().invoke(main, ["plan", "-q", "--case", "cao/effects/*"])
    *lines, _summary = done.stdout.splitlines()
    assert lines
    assert all(line.startswith("cao/effects/") for line in lines)


def test_an_unknown_case_is_a_usage_error() -> None:
    done = CliRunner().invoke(main, ["plan", "--case", "no-such-case"])
    assert done.exit_code == 2
