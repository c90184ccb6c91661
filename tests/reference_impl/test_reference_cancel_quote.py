"""CancelQuote from outside."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from reference_support import Server, fails, standard

pytestmark = pytest.mark.timeout(120)

SUCCESS = {"BidResult": standard(0, None), "AskResult": standard(0, None)}


def _cancel(server: Server, user: str, bid: object, ask: object, **members: object) -> Any:
    return server.call(user, "CancelQuote", **{"omsId": 1, "bidQuoteId": bid, "askQuoteId": ask, **members})


def test_both_legs_go_and_no_other_quote(server: Server) -> None:
    first, second = server.quote("maker01"), server.quote("maker01")
    assert _cancel(server, "maker01", *first) == SUCCESS
    assert set(second) == server.open_ids("maker01", 201)


def test_get_open_quotes_shows_the_newest_quote_and_then_none(server: Server) -> None:
    bid, ask = server.quote("maker02", InstrumentId=2)
    shown = server.call("maker02", "GetOpenQuotes", OMSId=1, AccountId=202, InstrumentId=2)
    assert (bid, ask) == (shown["Bid"]["OrderId"], shown["Ask"]["OrderId"])
    _cancel(server, "maker02", bid, ask)
    shown = server.call("maker02", "GetOpenQuotes", OMSId=1, AccountId=202)
    assert shown == {"Bid": None, "Ask": None}


def test_an_operator_cancels_the_quote_of_another_user(server: Server) -> None:
    assert _cancel(server, "operator", *server.quote("maker03"), accountId=203) == SUCCESS


@pytest.mark.parametrize("members", [{"accountId": 204}, {"instrumentId": 2}, {"accountId": 0, "instrumentId": 0}])
def test_optional_members_may_be_given(server: Server, members: dict[str, int]) -> None:
    assert _cancel(server, "maker04", *server.quote("maker04", InstrumentId=2), **members) == SUCCESS


@pytest.mark.parametrize(
    "change",
    [
        lambda bid, ask: (ask, bid),
        lambda bid, ask: (bid, 1),
        lambda bid, ask: (1, ask),
        lambda bid, ask: (bid, bid),
    ],
)
def test_wrong_ids_refuse_both_legs_and_change_nothing(server: Server, change: Any) -> None:
    legs = server.quote("maker05")
    answer = _cancel(server, "maker05", *change(*legs))
    assert fails(answer["BidResult"], 104, "Resource Not Found")
    assert fails(answer["AskResult"], 104, "Resource Not Found")
    assert set(legs) <= server.open_ids("maker05", 205)


def test_the_legs_of_two_quotes_are_not_one_quote(server: Server) -> None:
    first, second = server.quote("maker06"), server.quote("maker06")
    answer = _cancel(server, "maker06", first[0], second[1])
    assert fails(answer["BidResult"], 104, "Resource Not Found")
    assert fails(answer["AskResult"], 104, "Resource Not Found")
    assert {*first, *second} == server.open_ids("maker06", 206)


def test_a_quote_is_cancelled_once(server: Server) -> None:
    legs = server.quote("maker07")
    assert _cancel(server, "maker07", *legs) == SUCCESS
    assert fails(_cancel(server, "maker07", *legs)["BidResult"], 104, "Resource Not Found")


def test_concurrent_calls_cancel_a_quote_once(server: Server) -> None:
    server.token("maker11")
    for _ in range(3):
        bid, ask = server.quote("maker11")
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _, b=bid, a=ask: _cancel(server, "maker11", b, a), range(8)))
        assert [answer for answer in answers if answer["BidResult"]["result"]] == [SUCCESS]


def test_a_quote_of_another_account_or_instrument_is_not_found(server: Server) -> None:
    legs = server.quote("maker08")
    for user, members in [("maker09", {}), ("maker08", {"instrumentId": 3}), ("maker08", {"accountId": 408})]:
        assert fails(_cancel(server, user, *legs, **members)["AskResult"], 104, "Resource Not Found")
    assert set(legs) == server.open_ids("maker08", 208)


@pytest.mark.parametrize(
    ("user", "members", "code", "text"),
    [
        ("trader10", {}, 20, "Not Authorized"),
        ("nobody", {}, 20, "Not Authorized"),
        ("maker10", {"accountId": 211}, 20, "Not Authorized"),
        ("maker10", {"omsId": None}, 100, "Invalid Request"),
        ("maker10", {"bidQuoteId": None}, 100, "Invalid Request"),
        ("maker10", {"askQuoteId": "x"}, 100, "Invalid Request"),
        ("special", {"accountId": 901}, 101, "Operation Failed"),
        ("special", {"accountId": 902}, 102, "Server Error"),
        ("maker10", {"omsId": 4}, 104, "Resource Not Found"),
        ("operator", {"accountId": 999999}, 104, "Resource Not Found"),
        ("special", {"omsId": 3, "accountId": 703}, 106, "Operation Not Supported"),
    ],
)
def test_each_error_stands_in_both_legs(
    server: Server, user: str, members: dict[str, object], code: int, text: str
) -> None:
    answer = _cancel(server, user, **{"bid": 1, "ask": 2, **members})
    assert fails(answer["BidResult"], code, text)
    assert answer["BidResult"] == answer["AskResult"]


def test_quoting_is_refused_where_it_is_not_supported(server: Server) -> None:
    answer = server.call("special", "CreateQuote", OMSId=3, AccountId=703, InstrumentId=1)
    assert fails(answer, 106, "Operation Not Supported")


def test_an_order_is_no_leg_of_a_quote(server: Server) -> None:
    order = server.order("bystander11")
    bid, _ = server.quote("bystander11")
    assert fails(_cancel(server, "bystander11", bid, order)["AskResult"], 104, "Resource Not Found")
    assert order in server.open_ids("bystander11", 511)
