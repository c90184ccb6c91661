"""AlphaPoint orders and quotes out of a pool that the target file lists."""

from __future__ import annotations

import base64
import http.client
import json
from pathlib import Path
from typing import Any

import pytest
from live_support import ENVIRONMENT, Live, live, pointed, run, sample

QUICK = ("--generated", "0")
_SIDES = {"Bid": 1, "BidQty": 1, "Ask": 1000, "AskQty": 1}
_ORDER = {"TimeInForce": 1, "Side": 0, "Quantity": 1, "OrderType": 2, "LimitPrice": 1}


def _ask(server: Live, call: str, headers: dict[str, str], body: Any = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET" if body is None else "POST", f"/AP/{call}", json.dumps(body) if body else None, headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def _session(server: Live, user: str, password: str) -> dict[str, str]:
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    token = _ask(server, "Authenticate", {"Authorization": f"Basic {basic}"})["SessionToken"]
    return {"aptoken": token, "Content-Type": "application/json"}


def _place(account: int) -> dict[str, int]:
    return {"OMSId": 7, "AccountId": account, "InstrumentId": 31}


def _orders(server: Live, account: int, count: int) -> str:
    session = _session(server, "qa-trader-1", ENVIRONMENT["STAGING_TRADER_1_PASSWORD"])
    ids = [_ask(server, "SendOrder", session, {**_place(account), **_ORDER})["OrderId"] for _ in range(count)]
    return ", ".join(f"{{ id = {one}, account = {account} }}" for one in ids)


def _quote(server: Live, account: int) -> str:
    session = _session(server, "qa-maker-1", ENVIRONMENT["STAGING_MAKER_1_PASSWORD"])
    answer = _ask(server, "CreateQuote", session, {**_place(account), **_SIDES})
    return f"{{ bid = {answer['BidQuoteId']}, ask = {answer['AskQuoteId']}, account = {account} }}"


def _with_pool(server: Live, pool: str) -> str:
    text = pointed(sample("alphapoint"), server.url)
    place = text.index("[services.alphapoint.states]")
    end = text.find("\n[", place + 1)
    return text[:place] + f'[services.alphapoint.states]\nprovider = "pool"\npool = {{ {pool} }}\n' + text[end:]


def test_a_listed_quote_is_cancelled_once_and_then_the_pool_is_used_up(tmp_path: Path) -> None:
    with live() as server:
        pool = f"open-quote = [{_quote(server, 4201)}]"
        came = run(tmp_path, _with_pool(server, pool), *QUICK, "--concurrency", "1", "--case", "cq/response/sample@*")
        session = _session(server, "qa-maker-1", ENVIRONMENT["STAGING_MAKER_1_PASSWORD"])
        left = _ask(server, "GetOpenQuotes", session, _place(4201))
    assert sorted(came.verdicts().values()) == ["not-verified", "pass"]
    assert "pool of open-quote is used up" in came.reasons().values()
    assert not any(leg for leg in left.values() if leg and leg.get("OrderId"))


@pytest.mark.parametrize(("account", "verdict"), [(4101, "pass"), (4102, "not-verified")])
def test_orders_are_kept_for_cases_on_their_own_account(tmp_path: Path, account: int, verdict: str) -> None:
    """The one desk's account is 4101; without an observer the answer is judged, and the effect is not."""
    with live() as server:
        pool = f"open-order = [{_orders(server, account, 1)}]"
        came = run(
            tmp_path, _with_pool(server, pool), *QUICK, "--concurrency", "1", "--case", "cao/response/sample@http"
        )
    assert set(came.verdicts().values()) == {verdict}
    assert ("pool of open-order is used up" in came.reasons().values()) == (verdict == "not-verified")
