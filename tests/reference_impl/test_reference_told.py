"""The control address: the next answers are as told, what has arrived is listed, and nothing of an order is left behind."""

from __future__ import annotations

import http.client
import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from reference_support import Server, Socket, running

from conformance.contract.load import load_contract
from conformance.passive.served import verdict_on
from reference_impl.control import DOCUMENT
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.world.load import load_world


@pytest.fixture
def server() -> Iterator[Server]:
    with running(verdict=verdict_on(lambda: load_contract(None))) as started:
        yield started


def tell(server: Server, **order: Any) -> Any:
    return server.request("POST", "/_world/next", json.dumps(order))


def cancel_all(server: Server) -> Any:
    return server.call("trader01", "CancelAllOrders", OMSId=1, AccountId=101)


@pytest.mark.parametrize("code", [20, 100, 101, 102, 104, 106])
def test_next_answer_has_the_code_and_changes_nothing(server: Server, code: int) -> None:
    order = server.order("trader01", 101)
    assert tell(server, operation="alphapoint.cancel_all_orders", code=code).status == 200
    assert cancel_all(server)["errorcode"] == code
    assert order in server.open_ids("trader01", 101)
    assert cancel_all(server)["errorcode"] == 0
    assert order not in server.open_ids("trader01", 101)


def test_order_of_another_operation_waits_for_its_call(server: Server) -> None:
    tell(server, operation="alphapoint.cancel_order", code=106)
    assert cancel_all(server)["errorcode"] == 0
    order = server.order("trader01", 101)
    assert server.call("trader01", "CancelOrder", OMSId=1, AccountId=101, OrderId=order)["errorcode"] == 106


def test_quote_is_told_the_code_in_both_legs(server: Server) -> None:
    bid, ask = server.quote("maker01", 201)
    tell(server, operation="alphapoint.cancel_quote", code=102)
    answer = server.call("maker01", "CancelQuote", OMSId=1, AccountId=201, BidQuoteId=bid, AskQuoteId=ask)
    assert [answer[leg]["errorcode"] for leg in ("BidResult", "AskResult")] == [102, 102]


def test_orders_are_taken_in_turn_and_as_often_as_they_say(server: Server) -> None:
    tell(server, operation="alphapoint.cancel_all_orders", code=104, times=2)
    tell(server, operation="alphapoint.cancel_all_orders", code=20)
    assert [cancel_all(server)["errorcode"] for _ in range(4)] == [104, 104, 20, 0]


def test_list_is_refused_or_its_orders_are_not_active(server: Server) -> None:
    (order,) = server.state("open-order")
    tell(server, operation="tpp.create_cancellations", code="error-string")
    tell(server, operation="tpp.create_cancellations", code="order-not-active")
    refused, failed, done = (server.cancel_json({"OrderID": order["OrderID"], "PIN": order["PIN"]}) for _ in range(3))
    assert (refused.status, type(refused.json)) == (400, str)
    assert failed.json[0]["Success"] is False
    assert done.json[0]["Success"] is True


def test_fault_reading_and_equivalent_hold_for_one_call(server: Server) -> None:
    assert tell(server, fault="cao-ws-event", equivalent=next(iter(EQUIVALENTS))).status == 200
    tell(server, reading="errormsg-on-success=empty")
    assert cancel_all(server)["errormsg"] is None
    assert cancel_all(server)["errormsg"] == ""
    assert cancel_all(server)["errormsg"] is None


def test_answer_comes_late(server: Server) -> None:
    tell(server, operation="alphapoint.cancel_all_orders", delay_s=0.4)
    server.token("trader01")
    began = time.monotonic()
    assert cancel_all(server)["errorcode"] == 0
    assert time.monotonic() - began >= 0.4


@pytest.mark.parametrize(
    "order",
    [
        {"operation": "alphapoint.cancel_everything"},
        {"operation": "alphapoint.cancel_order", "code": 7},
        {"operation": "alphapoint.cancel_order", "code": True},
        {"operation": "tpp.create_cancellations", "code": 100},
        {"code": 100},
        {"fault": "none-such"},
        {"equivalent": "none-such"},
        {"reading": "errormsg-on-success=full"},
        {"delay_s": 1e9},
        {"delay_s": "1"},
        {"times": 0},
        {"times": True},
        {"coed": 100},
        {"user": "nobody-else"},
        {"order": True},
        {"connection": "slow"},
        {"status": 99},
        {"status": True},
        {"connection": "reset", "status": 500},
        {"carried_out": True},
        {"connection": "reset", "carried_out": 1},
    ],
)
def test_order_that_means_nothing_is_400_and_is_not_kept(server: Server, order: dict[str, Any]) -> None:
    reply = server.request("POST", "/_world/next", json.dumps(order))
    assert reply.status == 400
    assert reply.json["error"]
    assert server.request("GET", "/_world/next").json == {"orders": []}


def test_what_arrived_is_listed_with_the_verdict_on_each_request(server: Server) -> None:
    cancel_all(server)
    server.call("trader01", "CancelAllOrders", AcountId=101)
    server.cancel_json({"OrderID": 12345, "PIN": "1234"})
    good, wrong, listed = server.request("GET", "/_world/received").json["received"]
    assert (good["operation"], good["transport"], good["verdict"]) == ("alphapoint.cancel_all_orders", "http", "pass")
    assert wrong["verdict"] == "fail"
    assert {one["requirement"] for one in wrong["findings"]} == {"CAO-REQ-OMSID-REQUIRED", "CAO-REQ-ACCOUNTID-OPTIONAL"}
    assert "names no account (AccountId), which may mean every one" in wrong["notes"]
    assert listed["verdict"] == "pass"
    assert "1234" not in listed["text"].replace("12345", "")


def test_an_order_is_named_by_the_call_that_took_it_and_forget_drops_all(server: Server) -> None:
    number = tell(server, operation="alphapoint.cancel_all_orders", code=20).json["order"]
    tell(server, operation="alphapoint.cancel_all_orders", code=100, times=3)
    cancel_all(server)
    assert [one["order"] for one in server.request("GET", "/_world/received").json["received"]] == [number]
    assert server.request("POST", "/_world/forget").json == {"dropped": 1}
    assert server.request("GET", "/_world/received").json == {"received": []}
    assert cancel_all(server)["errorcode"] == 0


def test_control_describes_itself_in_openapi(server: Server) -> None:
    document = server.request("GET", "/_world/openapi.json").json
    assert document == json.loads(json.dumps(DOCUMENT))
    validate(document)
    for path, methods in document["paths"].items():
        for method in methods:
            assert server.request(method.upper(), path, "{}" if method == "post" else None).status in (200, 400)


def test_the_page_names_users_and_accounts_that_are_in_the_world() -> None:
    page = (Path(__file__).parents[2] / "docs" / "mock.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    users = {name: user.accounts for name, user in load_world().users.items()}
    for names, accounts in rows:
        first = re.findall(r"`(\w+)`", names)[0]
        assert str(users[first][0]) in accounts, first
    assert {re.sub(r"\d+$", "", name) for name in users} == {
        re.sub(r"\d+$", "", one) for names, _ in rows for one in re.findall(r"`(\w+)`", names)
    }


@pytest.mark.parametrize(("account", "code"), [(901, 101), (902, 102)])
def test_the_special_accounts_answer_as_the_page_says(server: Server, account: int, code: int) -> None:
    assert server.call("operator", "CancelAllOrders", OMSId=1, AccountId=account)["errorcode"] == code
    page = (Path(__file__).parents[2] / "docs" / "mock.md").read_text(encoding="utf-8")
    assert f"| account {account} | code {code} |" in page


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("connection", ["reset", "silent"])
def test_connection_fails_and_the_call_is_carried_out_if_said(
    server: Server, connection: str, carried_out: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = server.order("trader01", 101)
    tell(server, operation="alphapoint.cancel_all_orders", connection=connection, carried_out=carried_out)
    monkeypatch.setattr("reference_support.TIMEOUT_S", 0.5)
    with pytest.raises(TimeoutError if connection == "silent" else ConnectionResetError):
        cancel_all(server)
    monkeypatch.undo()
    assert (order in server.open_ids("trader01", 101)) is not carried_out
    assert cancel_all(server)["errorcode"] == 0


def test_answer_is_cut_and_the_call_is_carried_out(server: Server) -> None:
    order = server.order("trader01", 101)
    tell(server, operation="alphapoint.cancel_all_orders", connection="cut")
    with pytest.raises(http.client.IncompleteRead) as caught:
        cancel_all(server)
    assert caught.value.partial.startswith(b'{"result":true')
    assert order not in server.open_ids("trader01", 101)


def test_gateway_in_front_answers_with_a_page(server: Server) -> None:
    order = server.order("trader01", 101)
    tell(server, operation="alphapoint.cancel_all_orders", status=502)
    reply = server.send("trader01", "CancelAllOrders", '{"OMSId": 1, "AccountId": 101}')
    assert (reply.status, reply.type) == (502, "text/html")
    assert order in server.open_ids("trader01", 101)


@pytest.mark.parametrize("told", [{"connection": "reset"}, {"connection": "cut"}, {"status": 503}])
def test_socket_ends_with_the_failure(server: Server, told: dict[str, Any]) -> None:
    with Socket(server) as socket:
        socket.sign_in("trader01")
        tell(server, operation="alphapoint.cancel_all_orders", **told)
        socket.send(json.dumps({"m": 0, "i": 4, "n": "CancelAllOrders", "o": '{"OMSId":1,"AccountId":101}'}))
        if "status" in told:
            assert socket.closed_with() == 1011
        elif told["connection"] == "reset":
            with pytest.raises(ConnectionResetError):
                socket.receive()
        else:
            with pytest.raises(AssertionError, match="CloseConnection"):  # what came before it is half of the answer
                socket.receive()


def test_silent_socket_stays_open(server: Server) -> None:
    with Socket(server) as socket:
        socket.sign_in("trader01")
        tell(server, operation="alphapoint.cancel_all_orders", connection="silent")
        socket.send(json.dumps({"m": 0, "i": 4, "n": "CancelAllOrders", "o": '{"OMSId":1,"AccountId":101}'}))
        assert socket.quiet_until_ping()


def test_order_of_one_user_or_of_one_id_waits_for_it(server: Server) -> None:
    one, other = server.order("trader01", 101), server.order("trader01", 101)
    tell(server, operation="alphapoint.cancel_order", user="trader02", code=106)
    tell(server, operation="alphapoint.cancel_order", order=other, code=102)
    answers = [
        server.call("trader01", "CancelOrder", OMSId=1, AccountId=101, OrderId=order)["errorcode"]
        for order in (one, other)
    ]
    assert answers == [0, 102]
    assert server.call("trader02", "CancelOrder", OMSId=1, AccountId=102, OrderId=one)["errorcode"] == 106


def test_filled_order_and_quote_are_not_cancelled_any_more(server: Server) -> None:
    order = server.order("trader01", 101)
    bid, ask = server.quote("maker01", 201)
    reply = server.request("POST", "/_world/fill", json.dumps({"orders": [order, bid, 5]}))
    assert reply.json == {"filled": [order, bid]}
    assert server.call("trader01", "CancelOrder", OMSId=1, AccountId=101, OrderId=order)["errorcode"] == 104
    members = {"OMSId": 1, "AccountId": 201, "BidQuoteId": bid, "AskQuoteId": ask}
    tell(server, reading="quote-gone=success")
    server.call("maker01", "CancelQuote", **members)
    shown = {
        one: server.call(user, "GetOrderStatus", OMSId=1, AccountId=account, OrderId=one)
        for one, user, account in ((order, "trader01", 101), (bid, "maker01", 201))
    }
    assert {one["OrderState"] for one in shown.values()} == {"FullyExecuted"}
    assert shown[order]["QuantityExecuted"] == shown[order]["Quantity"]
    assert server.request("POST", "/_world/fill", '{"orders": ["x"]}').status == 400


def test_reset_puts_the_world_back(server: Server) -> None:
    server.order("trader01", 101)
    (made,) = server.state("open-order")
    tell(server, operation="alphapoint.cancel_all_orders", code=104)
    assert server.cancel_json({"OrderID": 1234, "CreatorID": 98765, "IsInternationalOrder": False}).json[0]["Success"]
    assert server.request("POST", "/_world/reset", "{}").status == 200
    assert server.send("trader01", "GetOpenOrders", '{"OMSId": 1}').status == 404
    server.forget_sessions()
    assert server.open_ids("trader01", 101) == set()
    assert server.observe({"OrderID": 1234}, made) == ["open", "unknown"]
    assert cancel_all(server)["errorcode"] == 0


def test_first_page_names_what_there_is(server: Server) -> None:
    reply = server.request("GET", "/")
    assert (reply.status, "/_world/openapi.json" in reply.text) == (200, True)


@pytest.mark.parametrize("members", [{"Quantity": 0}, {"Quantity": -1}, {"LimitPrice": -5}])
def test_order_without_sense_is_refused(server: Server, members: dict[str, Any]) -> None:
    assert server.call("trader01", "SendOrder", OMSId=1, InstrumentId=1, **members)["errorcode"] == 100


def test_session_ends_by_get_too(server: Server) -> None:
    token = {"aptoken": server.token("trader01")}
    assert server.request("GET", "/AP/LogOut", headers=token).json["result"] is True
    assert server.request("GET", "/AP/GetOpenOrders?OMSId=1", headers=token).status == 404


def test_pages_of_any_origin_may_call_if_asked() -> None:
    asked = {
        "Origin": "http://shop.test",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "aptoken",
    }
    with running(cors=True) as open_one, running() as closed_one:
        answered = [one.request("OPTIONS", "/AP/CancelOrder", headers=asked) for one in (open_one, closed_one)]
        called = open_one.request("GET", "/AP/Ping", headers={"Origin": "http://shop.test"})
    assert [one.headers.get("access-control-allow-origin") for one in answered] == ["*", None]
    assert answered[0].status == 200
    assert called.headers["access-control-allow-origin"] == "*"


def test_each_request_is_logged_without_its_secrets() -> None:
    log = io.StringIO()
    with running(log=log) as server:
        server.order("trader01", 101)
        server.request("GET", "/AP/Ping?apikey=hidden", headers={"aptoken": "hidden"})
        with Socket(server) as socket:
            socket.sign_in("trader01")
    lines = [line[len("00:00:00 ") :] for line in log.getvalue().splitlines()]
    assert lines == [
        "GET /AP/Authenticate -> 200", "POST /AP/SendOrder -> 200", "GET /AP/Ping -> 200", "WS WebAuthenticateUser -> 1 sent",
    ]  # fmt: skip
