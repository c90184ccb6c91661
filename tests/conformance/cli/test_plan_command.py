"""`conformance plan`: everything that a run would send, and not a socket opened."""

from __future__ import annotations

import asyncio
import json
import re
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


def _whole_plan(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(main, ["plan", "--json", *words])
    assert done.exit_code == 0, done.output
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def _plan(*words: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = _whole_plan(*words)["messages"]
    return messages


def _judged(*words: str) -> list[dict[str, Any]]:
    return [message for message in _plan(*words) if message["purpose"] == "judged"]


def test_every_named_case_of_the_reference_is_planned() -> None:
    listed = CliRunner().invoke(main, ["list", "cases", "-q"]).stdout.split()
    planned = _plan("--generated", "0")
    assert {message["case"] for message in planned if message["case"]} == set(listed)
    assert {message["purpose"] for message in planned if not message["case"]} == {"observation"}
    assert all(message["scope"]["allowed"] for message in planned)
    assert not [message for message in planned if message["hindrance"]]


def test_ids_of_the_target_are_filled_in_and_ids_made_at_run_time_are_shown_as_places() -> None:
    (message,) = _judged("--case", "tpp/response/three-kinds@application-json")
    assert message["role"] == "client"
    assert (message["method"], message["path"]) == ("POST", "/api/orders/cancellations")
    assert message["states"] == ["order: open-order", "abroad: open-international-order", "gone: cancelled-order"]
    assert '"OrderID":${order.OrderID}' in message["body"]
    assert '"CreatorID":98765' in message["body"]
    assert "${creator}" not in message["body"]


def test_a_frame_is_shown_with_its_payload_in_it() -> None:
    (message,) = _judged("--case", "cao/account/unknown-oms@ws")
    assert message["frame"] == '{"m":0,"i":2,"n":"CancelAllOrders","o":"{\\"OMSId\\":987654,\\"AccountId\\":101}"}'
    assert "headers" not in message


def test_messages_sent_before_and_twins_are_planned_in_order() -> None:
    purposes = [
        message["purpose"] for message in _plan("--case", "tpp/relations/json-and-xml-unknown@application-json")
    ]
    assert purposes == ["judged", "twin"]
    planned = _plan("--case", "tpp/batch/*")
    assert any(message["purpose"] == "earlier" for message in planned)
    assert any(message["purpose"] == "judged" and message["at_least"] > 1 for message in planned)


def test_set_up_observation_and_clean_up_are_planned_as_the_role_that_makes_them() -> None:
    planned = _plan("--case", "cao/codes/20@http")
    shown = {(message["purpose"], message["path"], message["role"]) for message in planned}
    assert {
        ("sign-in", "/AP/Authenticate", "none"),
        ("set-up", "/AP/SendOrder", "trading"),
        ("judged", "/AP/CancelAllOrders", "none"),
        ("probe", "/AP/GetUserAccounts", "none"),
        ("observation", "/AP/GetOpenOrders", "trading"),
        ("clean-up", "/AP/CancelOrder", "trading"),
    } <= shown
    order = [message["purpose"] for message in planned]
    assert order.index("set-up") < order.index("judged") < order.index("clean-up")
    assert "observation" in order[order.index("judged") : order.index("clean-up")]


def test_the_summary_adds_up_by_purpose() -> None:
    plan = _whole_plan("--case", "cao/effects/*")
    for purpose, counts in plan["summary"]["messages"].items():
        for name in ("at_least", "undisturbed", "at_most"):
            assert counts[name] == sum(one[name] for one in plan["messages"] if one["purpose"] == purpose)
    together = plan["summary"]["together"]
    assert together["at_least"] <= together["undisturbed"] == plan["summary"]["max_requests_at_least"]
    assert together["undisturbed"] < together["at_most"]


def test_an_effect_is_looked_for_as_often_as_it_may_take_to_settle(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    looks = {}
    for settle_s in ("0", "0.07"):
        target.write_text(_TARGET.replace("[scope]", f"[limits]\nsettle_s = {settle_s}\n[scope]"), encoding="utf-8")
        planned = _plan("--target", str(target), "--case", "cao/effects/again@http")
        set_up, effect = [one["undisturbed"] for one in planned if one["purpose"] == "observation"][:2]
        assert set_up == 1
        looks[settle_s] = effect
    assert looks["0.07"] == looks["0"] * 4  # after 0.02, 0.04 and 0.01 s


def test_generated_cases_are_planned_as_a_run_would_make_them() -> None:
    wanted = ("--operation", "tpp.create_cancellations")
    named = {message["case"] for message in _plan(*wanted, "--generated", "0")}
    planned = {message["case"] for message in _judged(*wanted, "--generated", "20")}
    assert named < planned
    assert len(planned - named) == 20


_LOGINS = {
    "basic": 'user = "u"\npassword = { env = "NOT_SET" }',
    "signature": 'user_id = "7"\napi_key = { env = "NOT_SET" }\napi_secret = { env = "NOT_SET" }',
    "websocket": 'login = "websocket"\nuser = "u"\npassword = { env = "NOT_SET" }',
    "two-factor": 'login = "two-factor"\nuser = "u"\npassword = { env = "NOT_SET" }\ntotp_seed = { env = "NOT_SET" }',
}


@pytest.mark.parametrize("login", _LOGINS)
def test_every_login_is_planned_without_its_secrets(login: str, tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    keys = _LOGINS[login]
    text = _TARGET.replace('user = "somebody"\npassword = { env = "NOT_SET_ANYWHERE" }', keys)
    text = text.replace('http = "https', 'websocket = "wss://staging.example.test"\nhttp = "https')
    target.write_text(text, encoding="utf-8")
    for transport in ("http", "ws"):
        planned = _plan("--target", str(target), "--case", f"cao/effects/again@{transport}")
        assert not [message["hindrance"] for message in planned if message["hindrance"]]
        sign_ins = [message for message in planned if message["purpose"] == "sign-in" and message["at_least"]]
        assert len(sign_ins) >= (2 if login == "two-factor" else 1)
        assert "STANDIN" not in json.dumps(planned)


def test_a_sign_in_at_another_address_is_shown_and_not_counted(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text(
        """
        name = "staging"
        [scope]
        everything = true
        [services.tpp]
        http = "http://127.0.0.1:9"
        bindings = { creator = 7, unknown_order = 1987654321 }
        [services.tpp.roles.client]
        login = "oauth2"
        token_url = "http://127.0.0.1:8/token"
        client_id = "me"
        client_secret = { env = "NOT_SET" }
        """,
        encoding="utf-8",
    )
    plan = _whole_plan("--target", str(target), "--case", "tpp/list/empty@application-json")
    (sign_in,) = [message for message in plan["messages"] if message["purpose"] == "sign-in" and message["at_least"]]
    assert sign_in["elsewhere"]
    assert plan["summary"]["messages"]["sign-in"] == {"at_least": 0, "undisturbed": 0, "at_most": 0}
    assert plan["summary"]["messages"]["judged"]["at_least"] == 1


def test_the_scope_decides_on_each_message_and_credentials_are_hidden(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text(_TARGET, encoding="utf-8")
    planned = {
        message["case"]: message
        for message in _judged(
            "--target", str(target), "--operation", "alphapoint.cancel_all_orders", "--generated", "0"
        )
    }
    own = planned["cao/effects/again@http"]
    assert own["scope"]["allowed"], own
    assert ["aptoken", "[redacted]"] in own["headers"]
    everybody = planned["cao/fields/accountid-array@http"]
    assert not everybody["scope"]["allowed"]
    assert "AccountId" in everybody["scope"]["reason"]


def test_what_the_target_lacks_is_said(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text(_TARGET, encoding="utf-8")
    planned = {
        message["case"]: message
        for message in _judged(
            "--target", str(target), "--operation", "alphapoint.cancel_all_orders", "--generated", "0"
        )
    }
    assert "no role 'operator'" in planned["cao/account/unknown-oms@http"]["hindrance"]
    assert "no WebSocket address" in planned["cao/effects/nothing-open@ws"]["hindrance"]


def test_a_bare_url_can_be_planned_and_may_touch_nothing() -> None:
    planned = _plan("--target", "http://127.0.0.1:9", "--operation", "tpp.create_cancellations", "--generated", "0")
    assert planned
    assert all(message["hindrance"] or not message["scope"]["allowed"] for message in planned)


def test_text_names_role_states_message_and_scope() -> None:
    done = CliRunner().invoke(main, ["plan", "--case", "tpp/response/three-kinds@text-xml"])
    lines = done.stdout.splitlines()
    assert lines[:2] == ["tpp/response/three-kinds@text-xml", "  judged: as client over http, text/xml"]
    assert "  set up first: gone: cancelled-order" in lines
    assert "  > POST /api/orders/cancellations" in lines
    assert any(line.startswith("  scope: allowed") for line in lines)
    assert lines[-6:] == [
        "",
        "messages  at least  undisturbed  at most",
        "judged    1         1            9",
        "together  1         1            9",
        "1 message planned, nothing sent; 0 outside the scope, 0 that this target cannot be sent",
        "scope.max_requests should be at least 1; throttling and lost sessions or connections can make it up to 9 messages",
    ]


def test_quiet_prints_one_line_for_each_message() -> None:
    done = CliRunner().invoke(main, ["plan", "-q", "--case", "cao/effects/*"])
    lines = done.stdout.splitlines()
    table = next(number for number, line in enumerate(lines) if line.startswith("messages  "))
    assert table
    of_cases = [line for line in lines[:table] if "  observation  " not in line or line.startswith("cao/")]
    assert of_cases
    assert all(line.startswith("cao/effects/") for line in of_cases)
    assert any("  set-up  POST /AP/SendOrder  as trading over http  " in line for line in lines[:table])


def test_a_cap_that_is_too_low_is_said(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text(_TARGET.replace("[scope]", "[scope]\nmax_requests = 3"), encoding="utf-8")
    done = CliRunner().invoke(main, ["plan", "-q", "--target", str(target), "--case", "cao/effects/again@http"])
    assert done.stdout.splitlines()[-1].startswith("warning: it is 3: cases that come after so many messages")


def test_a_scope_that_leaves_too_few_cases_is_said(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text(_TARGET, encoding="utf-8")
    words = ["plan", "-q", "--target", str(target), "--case"]
    few = CliRunner().invoke(main, [*words, "cao/malformed/*"]).stdout.splitlines()[-1]
    assert re.fullmatch(
        r"warning: \d+ of 80 cases are inside the scope, and min_carried_out is 0.9: a run that .* exit code 4", few
    )
    whole = CliRunner().invoke(main, [*words, "cao/effects/again@http"]).stdout
    assert "warning" not in whole


def test_states_of_a_hook_a_command_and_a_pool_are_planned_without_asking(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    marker = tmp_path / "started"
    for states in (
        'provider = "hook"\nurl = "http://127.0.0.1:9"\nclean = true',
        f'provider = "command"\ncommand = ["touch", "{marker}"]',
        'provider = "pool"\n[services.tpp.states.pool]\nopen-order = [{ OrderID = 4711, PIN = { env = "NOT_SET" } }]',
    ):
        text = f"""
            name = "staging"
            [scope]
            everything = true
            [services.tpp]
            http = "http://127.0.0.1:9"
            bindings = {{ creator = 7, pin = {{ env = "NOT_SET" }} }}
            [services.tpp.roles.client]
            [services.tpp.states]
            {states}
            """
        target.write_text(text, encoding="utf-8")
        (message,) = _judged("--target", str(target), "--case", "tpp/response/domestic@application-json")
        assert message["hindrance"] == ""
        assert '"OrderID":' in message["body"]
        assert "NOT_SET" not in json.dumps(message)
    assert not marker.exists()


def test_an_unknown_case_is_a_usage_error() -> None:
    done = CliRunner().invoke(main, ["plan", "--case", "no-such-case"])
    assert done.exit_code == 2
