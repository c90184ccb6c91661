"""The AlphaPoint gateway around the two operations: sessions, routes, the other calls, frames."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from reference_support import Server, Socket, fails, running, standard

pytestmark = pytest.mark.timeout(120)


def _signature(user: str, user_id: int, nonce: str = "7") -> dict[str, str]:
    signed = f"{nonce}{user_id}{user}-key".encode()
    signature = hmac.new(f"{user}-secret".encode(), signed, hashlib.sha256).hexdigest()
    return {"APIKey": f"{user}-key", "Signature": signature, "UserId": str(user_id), "Nonce": nonce}


def test_signature_headers_stand_in_for_a_token(server: Server) -> None:
    reply = server.request("POST", "/AP/CancelAllOrders", '{"OMSId":1}', _signature("trader01", 101))
    assert standard(0, None) == reply.json


def test_signature_headers_sign_in(server: Server) -> None:
    reply = server.request("POST", "/AP/AuthenticateUser", None, _signature("trader01", 101))
    assert (reply.json["Authenticated"], reply.json["User"]["AccountId"]) == (True, 101)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"aptoken": "0" * 64},
        {**_signature("trader01", 101), "Nonce": "8"},
        _signature("trader01", 102),
        {"Authorization": "Basic dHJhZGVyMDE6dHJhZGVyMDEtcGFzc3dvcmQ="},
    ],
)
def test_a_private_call_without_a_session_is_404_text(server: Server, headers: dict[str, str]) -> None:
    reply = server.request("POST", "/AP/CancelQuote", '{"OMSId":1}', headers)
    assert (reply.status, reply.text) == (404, "NOT FOUND")


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Basic eDp5"}, {"Authorization": "Basic !"}, {"Authorization": "Bearer x"}]
)
def test_wrong_credentials_do_not_sign_in(server: Server, headers: dict[str, str]) -> None:
    reply = server.request("GET", "/AP/Authenticate", headers=headers)
    assert (reply.status, reply.json["Authenticated"]) == (200, False)
    assert "SessionToken" not in reply.json


def test_a_session_ends_with_log_out(server: Server) -> None:
    token = server.request("POST", "/AP/Authenticate", '{"UserName":"trader02","Password":"trader02-password"}').json[
        "SessionToken"
    ]
    headers = {"AptOken": token}
    assert standard(0, None) == server.request("POST", "/AP/LogOut", "{}", headers).json
    assert server.request("POST", "/AP/CancelAllOrders", '{"OMSId":1}', headers).status == 404


def test_a_session_can_be_made_to_expire(server: Server) -> None:
    headers = {"aptoken": server.token("trader12")}
    assert server.request("POST", "/_world/sessions/expire", '{"user":"trader12"}').json == {"expired": 1}
    assert server.request("POST", "/AP/CancelAllOrders", '{"OMSId":1}', headers).status == 404


def test_a_session_lasts_as_long_as_the_world_says(tmp_path: Path) -> None:
    world = tmp_path / "world.toml"
    world.write_text(
        "session_lifetime_s = 1e-9\noms.1 = {}\naccounts.1.oms = 1\ntpp.persons = []\n"
        'users.trader01 = { user_id = 1, accounts = [1], permissions = ["Trading"] }\n'
    )
    with running(world=world) as server:
        reply = server.send("trader01", "CancelAllOrders", '{"OMSId":1}')
        assert (reply.status, reply.text) == (404, "NOT FOUND")


def test_an_unknown_call_is_404_text(server: Server) -> None:
    reply = server.send("trader01", "CancelEverything", "{}")
    assert (reply.status, reply.text) == (404, "NOT FOUND")


@pytest.mark.parametrize(
    ("method", "call", "allow"), [("GET", "CancelAllOrders", "POST"), ("PUT", "GetOpenOrders", "GET, POST")]
)
def test_another_method_is_405_and_acts_on_nothing(server: Server, method: str, call: str, allow: str) -> None:
    order = server.order("trader03")
    reply = server.request(method, f"/AP/{call}?OMSId=1", headers={"aptoken": server.token("trader03")})
    assert (405, allow) == (reply.status, reply.headers["allow"])
    assert order in server.open_ids("trader03", 103)


def test_call_names_are_taken_in_any_case(server: Server) -> None:
    assert server.request("GET", "/ap/ping/").json == {"msg": "PONG"}


def test_answers_are_json_with_a_charset(server: Server) -> None:
    assert server.send("trader01", "CancelAllOrders", "{").type == "application/json; charset=utf-8"


def test_a_body_beyond_the_bound_is_413(server: Server) -> None:
    reply = server.send("trader01", "CancelAllOrders", b" " * (8 * 1024 * 1024 + 1))
    assert reply.status == 413


def test_an_order_is_found_by_id_and_cancelled_by_client_id(server: Server) -> None:
    order = server.order("trader04", ClientOrderId=99)
    server.call("trader04", "CancelOrder", OMSId=1, ClOrderId=99)
    status = server.call("trader04", "GetOrderStatus", OMSId=1, OrderId=order)
    assert (status["OrderState"], status["IsQuote"]) == ("Canceled", False)


@pytest.mark.parametrize(
    ("call", "members", "code"),
    [
        ("CancelOrder", {"OMSId": 1, "OrderId": 5}, 104),
        ("CancelOrder", {"OMSId": 1, "ClientOrderId": 5}, 104),
        ("CancelOrder", {"OMSId": 1}, 100),
        ("SendOrder", {"OMSId": 1, "InstrumentId": 9}, 104),
        ("SendOrder", {"OMSId": 1, "InstrumentId": 1, "Side": 7}, 100),
        ("SendOrder", {"OMSId": 1, "InstrumentId": 1, "Quantity": "many"}, 100),
        ("SendOrder", {"OMSId": 1, "InstrumentId": 1, "AccountId": 501}, 20),
        ("CreateQuote", {"OMSId": 1, "InstrumentId": 1}, 20),
        ("GetOpenOrders", {"OMSId": 1, "AccountId": 501}, 20),
        ("GetUserAccounts", {"OMSId": 1, "UserId": 102}, 20),
        ("GetUserAccounts", {"OMSId": 9}, 104),
    ],
)
def test_the_other_calls_refuse_in_the_same_form(server: Server, call: str, members: dict[str, Any], code: int) -> None:
    assert code == server.call("trader01", call, **members)["errorcode"]


def test_accounts_are_those_of_the_user_on_the_system(server: Server) -> None:
    assert server.call("special", "GetUserAccounts", OMSId=1) == [901, 902]
    assert server.call("special", "GetUserAccounts", OMSId=3) == [703]
    assert server.call("operator", "GetUserAccounts", OMSId=1, UserId=101) == [101, 301]
    assert server.call("operator", "GetUserAccounts", OMSId=1, UserId=4242)["errorcode"] == 104


def test_ccxt_signs_in_and_cancels_all_orders(server: Server) -> None:
    import ccxt  # a real client library; slow to import

    exchange = ccxt.ndax(
        {
            "apiKey": "trader06-key", "secret": "trader06-secret", "uid": "106",
            "login": "trader06", "password": "trader06-password", "timeout": 5000, "enableRateLimit": False,
        }
    )  # fmt: skip
    exchange.urls["api"] = {"public": f"{server.url}/AP", "private": f"{server.url}/AP"}
    server.order("trader06")
    exchange.cancel_all_orders()
    assert set() == server.open_ids("trader06", 106)
    exchange.sign_in()
    other = server.order("trader06")
    assert [str(other)] == [order["id"] for order in exchange.fetch_open_orders("BTC/USD")]
    exchange.cancel_order(str(other))
    assert exchange.fetch_open_orders("BTC/USD") == []


@pytest.mark.parametrize("path", ["/WSGateway/", "/WSGateway", "/wsgateway/"])
def test_frames_are_answered_with_their_number_and_name(server: Server, path: str) -> None:
    with Socket(server, path) as socket:
        reply = socket.frame("Ping", i=0)
    assert reply == {"m": 1, "i": 0, "n": "Ping", "o": '{"msg":"PONG"}'}


def test_a_socket_elsewhere_is_refused(server: Server) -> None:
    with Socket(server, "/elsewhere") as socket:
        assert not socket.accepted


def test_both_operations_answer_in_frames(server: Server) -> None:
    with Socket(server) as socket:
        assert socket.sign_in("bystander05")["Authenticated"]
        order, legs = server.order("bystander05"), server.quote("bystander05")
        assert standard(0, None) == socket.call("CancelAllOrders", omsId="1")
        assert {"BidResult": standard(0, None), "AskResult": standard(0, None)} == socket.call(
            "CancelQuote", OMSId=1, BidQuoteId=legs[0], AskQuoteId=legs[1]
        )
        assert not {order, *legs} & server.open_ids("bystander05", 505)


def test_a_call_without_a_session_is_20_in_frames(server: Server) -> None:
    with Socket(server) as socket:
        assert fails(socket.call("CancelAllOrders", OMSId=1), 20, "Not Authorized")
        pair = socket.call("CancelQuote", OMSId=1, BidQuoteId=1, AskQuoteId=2)
        assert fails(pair["BidResult"], 20, "Not Authorized")
        assert pair["BidResult"] == pair["AskResult"]


def test_a_token_from_http_opens_a_socket_session(server: Server) -> None:
    with Socket(server) as socket:
        answer = socket.call("AuthenticateUser", SessionToken=server.token("trader07"))
        assert answer["Authenticated"]
        assert standard(0, None) == socket.call("CancelAllOrders", OMSId=1)
        assert standard(0, None) == socket.call("LogOut")
        assert fails(socket.call("CancelAllOrders", OMSId=1), 20, "Not Authorized")


def test_an_unknown_call_is_an_error_frame_with_bare_text(server: Server) -> None:
    with Socket(server) as socket:
        assert socket.frame("Nope", i=3) == {"m": 5, "i": 3, "n": "Nope", "o": "Endpoint Not Found"}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "7", '{"n":5}', '{"m":"0","n":"Ping"}', '{"m":1,"n":"Ping"}', b"\xff", "[" * 99999]
)
def test_what_is_no_request_frame_gets_no_answer_and_the_socket_stays(server: Server, text: str | bytes) -> None:
    with Socket(server) as socket:
        socket.send(text)
        assert socket.quiet_until_ping()


@pytest.mark.parametrize("o", [{"OMSId": 1}, 1, "{", "[]", ["x"]])
def test_a_payload_that_is_no_text_of_an_object_is_100(server: Server, o: Any) -> None:
    with Socket(server) as socket:
        socket.sign_in("trader08")
        socket.send(json.dumps({"m": 0, "i": 1, "n": "CancelAllOrders", "o": o}))
        assert fails(json.loads(json.loads(socket.receive())["o"]), 100, "Invalid Request")


def test_frame_keys_may_have_any_case_and_order(server: Server) -> None:
    with Socket(server) as socket:
        socket.send('{"O":null,"N":"Ping","I":9}')
        assert json.loads(socket.receive()) == {"m": 1, "i": 9, "n": "Ping", "o": '{"msg":"PONG"}'}


def test_the_name_of_a_call_counts_in_its_own_letter_case(server: Server) -> None:
    with Socket(server) as socket:
        socket.send('{"m":0,"i":9,"n":"ping","o":"{}"}')
        assert json.loads(socket.receive()) == {"m": 5, "i": 9, "n": "ping", "o": "Endpoint Not Found"}


def test_a_message_beyond_the_bound_closes_the_socket(server: Server) -> None:
    with Socket(server) as socket:
        socket.send(" " * (1024 * 1024 + 1))
        assert socket.closed_with() == 1009


def test_calls_that_look_back_show_orders_trades_and_holdings(server: Server) -> None:
    server.request("POST", "/_world/reset", "{}")
    server.forget_sessions()
    gone, done, left = (server.order("trader09", 109, Quantity=2, LimitPrice=n) for n in (3, 4, 5))
    other = server.order("trader09", 309, Side=1)
    server.call("trader09", "CancelOrder", OMSId=1, AccountId=109, OrderId=gone)
    server.request("POST", "/_world/fill", json.dumps({"orders": [done]}))
    orders = server.call("trader09", "GetOrdersHistory", OMSId=1, AccountId=109)
    assert [(one["OrderId"], one["OrderState"]) for one in orders] == [
        (left, "Working"), (done, "FullyExecuted"), (gone, "Canceled"),
    ]  # fmt: skip
    one = server.call("trader09", "GetOrderHistoryByOrderId", OMSId=1, AccountId=109, OrderId=gone)
    assert [order["OrderId"] for order in one] == [gone]
    assert server.call("trader09", "GetOrderHistory", OMSId=1, AccountId=109, InstrumentId=2) == []
    assert [one["OrderId"] for one in server.call("trader09", "GetTradesHistory", OMSId=1)] == [done]
    held = {one["ProductSymbol"]: one["Hold"] for one in server.call("trader09", "GetAccountPositions", OMSId=1)}
    assert held == {"BTC": 0, "ETH": 0, "LTC": 0, "USD": 10}
    held = {
        one["ProductSymbol"]: one["Hold"]
        for one in server.call("trader09", "GetAccountPositions", OMSId=1, AccountId=309)
    }
    assert (held["BTC"], held["USD"]) == (1, 0)
    assert server.call("trader10", "GetOrdersHistory", OMSId=1, AccountId=109)["errorcode"] == 20
    token = {"aptoken": server.token("trader09")}
    shown = server.request("GET", "/AP/GetOrdersHistory?OMSId=1&AccountId=309", headers=token).json
    assert [one["OrderId"] for one in shown] == [other]
