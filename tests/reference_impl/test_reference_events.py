"""SubscribeAccountEvents: who is told what of which orders, and until when; and the clock by which sessions end."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from reference_support import Server, Socket, running

from reference_impl.alphapoint import events
from reference_impl.clock import Clock


@pytest.fixture(autouse=True)
def fresh(server: Server) -> None:
    server.request("POST", "/_world/reset", "{}")
    server.forget_sessions()


def subscribed(server: Server, user: str, account: int, m: int = 0) -> Socket:
    """A socket of that user that follows the account."""
    socket = Socket(server)
    socket.sign_in(user)
    reply = socket.frame("SubscribeAccountEvents", {"OMSId": 1, "AccountId": account}, m=m)
    assert (reply["m"], reply["n"], reply["o"]) == (1, "SubscribeAccountEvents", '{"Subscribed":true}')
    return socket


def told(socket: Socket) -> tuple[Any, ...]:
    """The next event, in short."""
    frame = json.loads(socket.receive())
    assert (frame["m"], frame["n"]) == (3, "OrderStateEvent"), frame
    order = json.loads(frame["o"])
    return frame["i"], order["OrderId"], order["Account"], order["OrderState"], order["ChangeReason"]


@pytest.mark.parametrize("m", [0, 2])
def test_subscriber_is_told_of_each_change_of_an_order(server: Server, m: int) -> None:
    with subscribed(server, "trader01", 101, m) as socket:
        one, other = server.order("trader01", 101), server.order("trader01", 101)
        server.call("trader01", "CancelOrder", OMSId=1, AccountId=101, OrderId=one)
        server.request("POST", "/_world/fill", json.dumps({"orders": [other]}))
        assert [told(socket) for _ in range(4)] == [
            (2, one, 101, "Working", "NewInputAccepted"),
            (4, other, 101, "Working", "NewInputAccepted"),
            (6, one, 101, "Canceled", "UserModified"),
            (8, other, 101, "FullyExecuted", "Trade"),
        ]


def test_subscriber_that_cancels_gets_reply_and_events(server: Server) -> None:
    orders = {server.order("trader01", 101) for _ in range(3)}
    with subscribed(server, "trader01", 101) as socket:
        socket.send(json.dumps({"m": 0, "i": 8, "n": "CancelAllOrders", "o": '{"OMSId":1,"AccountId":101}'}))
        frames = [json.loads(socket.receive()) for _ in range(4)]
        reply = next(one for one in frames if one["m"] == 1)
        assert (reply["i"], json.loads(reply["o"])["result"]) == (8, True)
        states = {
            json.loads(one["o"])["OrderId"]: json.loads(one["o"])["OrderState"] for one in frames if one["m"] == 3
        }
        assert states == dict.fromkeys(orders, "Canceled")


def test_legs_of_quotes_are_told_of_too(server: Server) -> None:
    with subscribed(server, "maker01", 201) as socket:
        bid, ask = server.quote("maker01", 201)
        server.call("maker01", "CancelQuote", OMSId=1, AccountId=201, BidQuoteId=bid, AskQuoteId=ask)
        assert [told(socket)[1::2] for _ in range(4)] == [
            (bid, "Working"), (ask, "Working"), (bid, "Canceled"), (ask, "Canceled"),
        ]  # fmt: skip


def test_refused_cancellation_and_other_accounts_are_no_news(server: Server) -> None:
    with subscribed(server, "trader01", 101) as socket:
        server.call("trader01", "CancelOrder", OMSId=1, AccountId=101, OrderId=5)
        server.order("trader01", 301)
        server.order("trader02", 102)
        assert socket.quiet_until_ping()


@pytest.mark.parametrize(
    ("members", "code"), [({"OMSId": 1, "AccountId": 102}, 20), ({"OMSId": 9}, 104), ({"AccountId": 101}, 100)]
)
def test_subscription_to_what_is_not_the_callers_is_refused(server: Server, members: Any, code: int) -> None:
    with Socket(server) as socket:
        socket.sign_in("trader01")
        assert socket.call("SubscribeAccountEvents", **members)["errorcode"] == code
        server.order("trader02", 102)
        server.order("trader01", 101)
        assert socket.quiet_until_ping()


def test_events_end_with_the_subscription_the_session_and_the_reset(server: Server) -> None:
    with subscribed(server, "trader01", 101) as socket, subscribed(server, "trader01", 101) as other:
        assert socket.call("UnsubscribeAccountEvents", OMSId=1, AccountId=101) == {"Subscribed": False}
        first = server.order("trader01", 101)
        assert told(other)[1] == first
        other.call("LogOut")
        server.order("trader01", 101)
        assert socket.quiet_until_ping()
        assert other.quiet_until_ping()
    with subscribed(server, "trader02", 102) as socket:
        server.request("POST", "/_world/reset", "{}")
        server.forget_sessions()
        server.order("trader02", 102)
        assert socket.quiet_until_ping()


def test_socket_without_session_hears_nothing_and_http_has_no_such_call(server: Server) -> None:
    with Socket(server) as socket:
        assert socket.call("SubscribeAccountEvents", OMSId=1, AccountId=101)["errorcode"] == 20
    reply = server.send("trader01", "SubscribeAccountEvents", '{"OMSId": 1}')
    assert (reply.status, reply.text) == (404, "NOT FOUND")


def test_peer_that_leaves_costs_nobody_an_event(server: Server) -> None:
    with subscribed(server, "trader01", 101):
        pass
    with subscribed(server, "trader01", 101) as socket:
        order = server.order("trader01", 101)
        assert told(socket)[1] == order


def test_peer_that_reads_too_little_is_closed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_WAITING", 3)
    with running() as server:
        for _ in range(8):
            server.order("trader01", 101)
        with subscribed(server, "trader01", 101) as socket:
            server.call("trader01", "CancelAllOrders", OMSId=1, AccountId=101)  # eight events in one step
            assert [told(socket)[0] for _ in range(3)] == [2, 4, 6]
            assert socket.closed_with() == 1013


def clock(server: Server, **body: Any) -> Any:
    return server.request("POST", "/_world/clock", json.dumps(body))


def test_sessions_end_by_the_clock_that_is_told(server: Server) -> None:
    server.token("trader01")
    assert clock(server, advance_s=3500).json["ahead_s"] == 3500
    assert server.send("trader01", "GetOpenOrders", '{"OMSId": 1}').status == 200  # which prolongs it
    clock(server, advance_s=3500)
    assert server.send("trader01", "GetOpenOrders", '{"OMSId": 1}').status == 200
    with subscribed(server, "trader01", 101) as socket:
        assert clock(server, set="2099-01-31T12:00:00Z").json["now"].startswith("2099-01-31T12:00:00")
        assert server.send("trader01", "GetOpenOrders", '{"OMSId": 1}').status == 404
        server.forget_sessions()
        server.order("trader01", 101)
        assert socket.quiet_until_ping()
    server.call("trader01", "CancelAllOrders", OMSId=1, AccountId=101)
    (seen,) = server.request("GET", "/_world/received").json["received"]
    assert 0 <= seen["at"] - 4073544000 < 60
    server.request("POST", "/_world/reset", "{}")
    assert server.request("GET", "/_world/clock").json["ahead_s"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {}, {"advance_s": 1, "set": "2030-01-01T00:00:00Z"}, {"advance_s": "1"}, {"advance_s": True}, {"advance_s": 1e12},
        {"set": "tomorrow"}, {"set": "2030-01-01T00:00:00"}, {"set": 5}, {"set": None}, {"set": "9999-12-31T00:00:00Z"},
        {"hours": 1},
    ],
)  # fmt: skip
def test_clock_that_is_told_nonsense_stays(server: Server, body: dict[str, Any]) -> None:
    assert clock(server, **body).status == 400
    assert server.request("GET", "/_world/clock").json["ahead_s"] == 0


def test_clock_that_is_told_no_number_stays(server: Server) -> None:
    for body in ('{"advance_s": NaN}', '{"advance_s": Infinity}', '{"advance_s": 1e999}'):
        assert server.request("POST", "/_world/clock", body).status == 400


def test_the_machines_time_may_jump() -> None:
    now = [100.0]
    clock = Clock(lambda: now[0], lambda: 1e9)
    now[0] += 5
    assert clock.now() == 1e9 + 5
    with contextlib.suppress(ValueError):
        clock.tell({"advance_s": -1e12})
    assert clock.now() == 1e9 + 5
