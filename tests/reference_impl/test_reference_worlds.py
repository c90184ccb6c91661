"""World files: the schema says what the loader takes, one service is enough, states by name, control on a port of its own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from reference_support import Server, Socket, running

from reference_impl.errors import WorldError
from reference_impl.serve import ServeOptions, listen, serve
from reference_impl.world.load import load_world, parse_world, world_schema

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads(world_schema())
VALID = Draft202012Validator(SCHEMA)
FULL = """
session_lifetime_s = 60.5
oms.1 = { name = "one", cancel_supported = true, quoting_supported = true }
instruments.1 = { symbol = "AB", base = "A", quote = "B", oms = [1] }
accounts.1 = { oms = 1, on_cancel = "succeed", on_cancel_order = "server-error" }
tpp = { persons = [1], pin = "0000", orders = [{ order_id = 5, state = "executed", pin_required = true }] }
[users.a]
user_id = 1
password = "p"
api_key = "k"
api_secret = "s"
permissions = ["Trading", "MarketMaker"]
accounts = [1]
default_account = 1
oms = 1
[[orders]]
account = 1
instrument = 1
side = "Sell"
quantity = 2.5
price = 0
client_order_id = 8
state = "Working"
order_id = 11
[[quotes]]
account = 1
instrument = 1
bid = 1
bid_quantity = 2
ask = 3
ask_quantity = 4
state = "Working"
bid_quote_id = 12
ask_quote_id = 13
[states.later]
orders = [{ account = 1, instrument = 1, state = "FullyExecuted", order_id = 11 }]
quotes = [{ account = 1, instrument = 1, state = "Canceled", bid_quote_id = 12, ask_quote_id = 13 }]
tpp_orders = [{ uid = "6269C403-5b9f-47dd-b8c3-7ecbef8f686d" }]
next = [{ operation = "alphapoint.cancel_order", code = 101 }]
"""
TPP_ALONE = 'tpp = { persons = [7], orders = [{ order_id = 5 }] }\n'  # fmt: skip
ALPHAPOINT_ALONE = FULL.replace("tpp = {", "#").replace("tpp_orders", "# tpp_orders")
KEYS = {
    "": SCHEMA, "oms.1.": SCHEMA["properties"]["oms"]["additionalProperties"],
    "instruments.1.": SCHEMA["properties"]["instruments"]["additionalProperties"],
    "accounts.1.": SCHEMA["properties"]["accounts"]["additionalProperties"],
    "users.a.": SCHEMA["properties"]["users"]["additionalProperties"], "tpp.": SCHEMA["properties"]["tpp"],
    "tpp.orders.": SCHEMA["$defs"]["tpp_orders"]["items"], "orders.": SCHEMA["$defs"]["orders"]["items"],
    "quotes.": SCHEMA["$defs"]["quotes"]["items"],
    "states.later.": SCHEMA["properties"]["states"]["additionalProperties"],
}  # fmt: skip


def world_with(place: str, key: str, value: Any) -> dict[str, Any]:
    """The full world as values, with one more key at a place; "." ends each name on the way."""
    world: dict[str, Any] = tomllib.loads(FULL)
    at: Any = world
    for name in place.split(".")[:-1]:
        at = at[name]
        at = at[0] if isinstance(at, list) else at
    at[key] = value
    return world


def loaded(values: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("reference_impl.world.load.tomllib.loads", lambda _text: values)
    return parse_world("", "my.toml")


@pytest.mark.parametrize("text", [FULL, TPP_ALONE, ALPHAPOINT_ALONE, "oms.1 = {}"])
def test_worlds_that_schema_and_loader_both_take(text: str) -> None:
    VALID.validate(tomllib.loads(text))
    parse_world(text, "my.toml")


def test_the_bundled_world_keeps_the_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    VALID.validate(tomllib.loads((ROOT / "reference_impl" / "default_world.toml").read_text("utf-8")))


@pytest.mark.parametrize("place", KEYS)
def test_schema_and_loader_know_the_same_keys(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WorldError) as caught:
        loaded(world_with(place, "colour", 1), monkeypatch)
    known = caught.value.hint.removeprefix("Remove it or spell it as one of: ").rstrip(".").split(", ")
    assert known == sorted(KEYS[place]["properties"])
    assert not VALID.is_valid(world_with(place, "colour", 1))


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        ("", "session_lifetime_s", 0), ("", "session_lifetime_s", "1"), ("oms.1.", "name", ""), ("", "oms", {"one": {}}),
        ("oms.1.", "cancel_supported", 1), ("instruments.1.", "oms", [True]), ("instruments.1.", "base", 5),
        ("accounts.1.", "on_cancel", "fail"), ("accounts.1.", "oms", None), ("users.a.", "accounts", []),
        ("users.a.", "permissions", ["Admin"]), ("users.a.", "user_id", True), ("tpp.", "persons", [1.5]),
        ("tpp.", "pin", 1234), ("tpp.orders.", "uid", "6269c403-5b9f-47dd-b8c3-7ecbef8f686d"), ("tpp.orders.", "state", "Open"),
        ("orders.", "side", "buy"), ("orders.", "quantity", 0), ("orders.", "price", -1), ("orders.", "order_id", 6400001),
        ("orders.", "order_id", 0), ("orders.", "state", "open"), ("quotes.", "bid", 0), ("quotes.", "ask_quote_id", "13"),
        ("states.", "start", {}), ("states.", "Later", {}), ("states.", "", {}), ("states.later.", "next", [1]),
    ],
)  # fmt: skip
def test_values_that_schema_and_loader_both_refuse(
    place: str, key: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_with(place, key, value)
    assert not VALID.is_valid(world)
    with pytest.raises(WorldError):
        loaded(world, monkeypatch)


@pytest.mark.parametrize(
    ("place", "key", "value", "says"),
    [
        ("orders.", "account", 9, "orders[0].account: expected an account that"),
        ("quotes.", "instrument", 9, "quotes[0].instrument: expected an instrument of OMS 1"),
        ("quotes.", "bid_quote_id", 11, "two orders or legs have the id 11"),
        ("orders.", "quantity", float("nan"), "orders[0].quantity: expected a number above zero"),
        ("orders.", "quantity", float("inf"), "orders[0].quantity: expected a number above zero"),
    ],
)
def test_what_only_the_loader_sees_is_named(
    place: str, key: str, value: Any, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WorldError) as caught:
        loaded(world_with(place, key, value), monkeypatch)
    assert says in str(caught.value)


def test_file_without_a_service_and_leg_without_its_partner_are_refused() -> None:
    for text in ("", "session_lifetime_s = 5", FULL.replace("ask_quote_id = 13\n[states", "[states")):
        assert not VALID.is_valid(tomllib.loads(text))
        with pytest.raises(WorldError):
            parse_world(text, "my.toml")


def test_the_file_of_the_page_is_a_world(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "world.md").read_text("utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    VALID.validate(tomllib.loads(text))
    path = tmp_path / "my-world.toml"
    path.write_text(text, encoding="utf-8")
    with running(world=path, state="late") as server:
        server._tokens["alice"] = signed_in(server, "alice", "open-sesame")
        assert server.call("alice", "GetOrderStatus", OMSId=1, OrderId=501)["OrderState"] == "FullyExecuted"
        assert server.request("GET", "/_world/next").json["orders"][0]["delay_s"] == 3
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(SCHEMA["properties"])
    for name in re.findall(r"`([a-z_]+)`", page.partition("| key |")[2].partition("\n\n")[0]):
        assert f'"{name}"' in world_schema(), name


def test_states_of_the_bundled_world_are_on_the_page() -> None:
    page = (ROOT / "docs" / "mock.md").read_text("utf-8")
    assert [name for name in load_world().states if name != "start" and f"`{name}`" not in page] == []


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = tmp_path_factory.mktemp("world") / "full.toml"
    path.write_text(FULL, encoding="utf-8")
    with running(world=path) as server:
        yield server


def test_what_the_file_says_stands_at_the_start(full: Server) -> None:
    full.request("POST", "/_world/reset", '{"state": "start"}')
    full._tokens["a"] = signed_in(full, "a", "p")
    assert full.open_ids("a", 1) == {11, 12, 13}
    order = full.call("a", "GetOrderStatus", OMSId=1, OrderId=11)
    assert [order[key] for key in ("Side", "Quantity", "Price", "ClientOrderId")] == ["Sell", 2.5, 0, 8]
    legs = {"OMSId": 1, "BidQuoteId": 12, "AskQuoteId": 13}
    assert full.call("a", "CancelQuote", **legs)["BidResult"]["result"] is True


def signed_in(server: Server, user: str, password: str) -> str:
    reply = server.request(
        "POST", "/AP/AuthenticateUser", json.dumps({"UserName": user, "Password": password})
    )  # fmt: skip
    return str(reply.json["SessionToken"])


def test_reset_puts_the_world_into_a_state_by_name(full: Server) -> None:
    reply = full.request("POST", "/_world/reset", '{"state": "later"}')
    assert reply.json == {"dropped": 0, "state": "later", "orders": [11], "quotes": [[12, 13]]}
    assert full.request("GET", "/_world/states").json == {"states": ["start", "later"], "state": "later"}
    full._tokens["a"] = signed_in(full, "a", "p")
    assert full.open_ids("a", 1) == set()
    assert full.call("a", "GetOrderStatus", OMSId=1, OrderId=11)["OrderState"] == "FullyExecuted"
    assert full.call("a", "CancelOrder", OMSId=1, OrderId=11)["errorcode"] == 101
    assert full.call("a", "CancelOrder", OMSId=1, OrderId=11)["errorcode"] == 104
    assert full.observe({"InternationalOrderUID": "6269c403-5b9f-47dd-b8c3-7ecbef8f686d"}, {"OrderID": 5}) == [
        "open", "unknown",
    ]  # fmt: skip
    assert full.request("POST", "/_world/reset", "{}").json["state"] == "later"
    for body in ('{"state": "none"}', '{"state": 5}', '{"name": "later"}', '{"state": ["later"]}'):
        assert full.request("POST", "/_world/reset", body).status == 400
    assert full.request("GET", "/_world/states").json["state"] == "later"


@pytest.mark.parametrize("state", ["empty", "open", "filled", "failing"])
def test_server_starts_in_a_state_of_the_bundled_world(state: str) -> None:
    with running(state=state) as server:
        expected = {"open": {1001, 1002}, "failing": {1001}}.get(state, set())
        assert server.open_ids("trader01", 101) == expected
        code = server.call("trader01", "CancelOrder", OMSId=1, AccountId=101, OrderId=1001)["errorcode"]
        assert code == {"open": 0, "failing": 102}.get(state, 104)
        assert server.request("GET", "/_world/states").json["state"] == state


def test_failing_state_fails_without_a_control_address_too() -> None:
    with running(state="failing", control=False) as server:
        assert server.call("trader01", "CancelAllOrders", OMSId=1, AccountId=101)["errorcode"] == 102
        assert server.request("GET", "/_world/states").status == 404


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"state": "none"}, "there is no state 'none'"),
        ({"text": FULL.replace("code = 101", "code = 7")}, "states.later.next[0]: code must be one of"),
        ({"text": FULL.replace("code = 101", "coed = 101")}, "states.later.next[0]: coed is no part of an order"),
    ],
)
def test_state_that_cannot_be_had_stops_the_start(options: dict[str, str], says: str, tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(options.get("text", FULL), encoding="utf-8")
    with pytest.raises(Exception, match=re.escape(says)):
        serve(ServeOptions(world=path, state=options.get("state", "start")))


def test_world_of_one_service_serves_that_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "tpp.toml"
    path.write_text(TPP_ALONE, encoding="utf-8")
    with running(world=path) as server:
        instruction = {"OrderID": 5, "CreatorID": 7, "IsInternationalOrder": False}
        assert server.cancel_json(instruction).json[0]["Success"] is True
        assert server.request("POST", "/AP/Authenticate", "{}").status == 404
        with Socket(server) as socket:
            assert not socket.accepted
        page = server.request("GET", "/").text
        assert ("/AP/" in page, "/api/orders" in page) == (False, True)
    path.write_text(ALPHAPOINT_ALONE, encoding="utf-8")
    with running(world=path) as server:
        server._tokens["a"] = signed_in(server, "a", "p")
        assert server.call("a", "CancelAllOrders", OMSId=1)["result"] is True
        reply = server.cancel_json({"OrderID": 5})
        assert (reply.status, reply.text) == (404, "NOT FOUND")


def started(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "conformance", "serve", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_control_has_a_port_of_its_own(number: signal.Signals, tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    process = started("--control-port", "0", "--write-target", str(target))
    try:
        api, control = (Server(int(re.findall(r":(\d+)", line_of(process))[0])) for _ in range(2))
        for path in ("/_world/received", "/_world/openapi.json", "/openapi.json", "/"):
            assert api.request("GET", path).status == 404, path
            assert control.request("GET", path).status == 200, path
        assert control.request("GET", "/AP/Ping").status == 404
        told = {"operation": "alphapoint.cancel_all_orders", "code": 106}
        control.request("POST", "/_world/next", json.dumps(told))
        assert api.call("trader01", "CancelAllOrders", OMSId=1, AccountId=101)["errorcode"] == 106
        assert len(control.request("GET", "/_world/received").json["received"]) == 1
        services = tomllib.loads(target.read_text("utf-8"))["services"]
        assert services["tpp"]["http"] == api.url
        assert f"{control.url}/_world/tpp" in target.read_text("utf-8")
        process.send_signal(number)
        rest, errors = process.communicate(timeout=10)
        assert (process.returncode, rest, errors) == (0, "", "")
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_taken_control_port_is_named() -> None:
    with listen("127.0.0.1", 0) as taken:
        process = started("--control-port", str(taken.getsockname()[1]))
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "--control-port" in errors
    assert "cannot listen" in errors


def test_schema_is_printed() -> None:
    process = started("--world-schema")
    text, _ = process.communicate(timeout=30)
    assert (process.returncode, json.loads(text)) == (0, SCHEMA)


def test_description_is_where_programs_look_for_it(full: Server) -> None:
    assert full.request("GET", "/openapi.json").json == full.request("GET", "/_world/openapi.json").json
