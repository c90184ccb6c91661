"""Faults that show later or elsewhere: each changes what no message may change, and counts it; the default server does not."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from typing import Any

import pytest
from alphapoint_walk import Walk
from reference_support import CANCELLATIONS, running

from reference_impl.faults import books
from reference_impl.variants import Variant
from reference_impl.wire import TPP_OPERATION

ALPHAPOINT = [one for one in books.FAULTS if one.operation != TPP_OPERATION]
TPP = [one for one in books.FAULTS if one.operation == TPP_OPERATION]
ROUNDS = 9
NOBODY = 999_999
WAIT_S = 0.015


@pytest.fixture(autouse=True)
def _little_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "LATER_S", WAIT_S)
    monkeypatch.setattr(books, "FIRST", 0)


def placed(walker: Walk, account: int, instrument: int = 1) -> int:
    return int(walker.call("operator", "SendOrder", OMSId=1, AccountId=account, InstrumentId=instrument)["OrderId"])


def quoted(walker: Walk, account: int, instrument: int = 1) -> dict[str, int]:
    made = walker.call("operator", "CreateQuote", OMSId=1, AccountId=account, InstrumentId=instrument)
    return {"BidQuoteId": made["BidQuoteId"], "AskQuoteId": made["AskQuoteId"]}


async def scene(walker: Walk, operation: str) -> list[list[int]]:
    """What stands open after each of some successes, refusals and goodbyes, and after a while."""
    for account in (101, 301, 501):
        placed(walker, account)
    for account, instrument in ((201, 1), (401, 2)):
        quoted(walker, account, instrument)
    told = []
    for _ in range(ROUNDS):
        order, quote = placed(walker, 101), quoted(walker, 201)
        calls: dict[str, tuple[str, str, dict[str, Any]]] = {
            "alphapoint.cancel_all_orders": ("trader01", "CancelAllOrders", {"OMSId": 1, "AccountId": 101}),
            "alphapoint.cancel_order": ("trader01", "CancelOrder", {"OMSId": 1, "AccountId": 101, "OrderId": order}),
            "alphapoint.cancel_quote": (
                "maker01", "CancelQuote", {"OMSId": 1, "AccountId": 201, "InstrumentId": 1, **quote},
            ),
        }  # fmt: skip
        user, call, members = calls[operation]
        walker.http("bystander01", call, json.dumps(members))
        for oms in ("x", 777):
            walker.http(user, call, json.dumps({**members, "OMSId": oms}))
        await asyncio.sleep(2 * WAIT_S)
        told.append(walker.open_ids())
        walker.http(user, call, json.dumps(members))
        told.append(walker.open_ids())
        await asyncio.sleep(2 * WAIT_S)
        walker.http(user, "LogOut", "{}")
        walker.forget(user)
        told.append(walker.open_ids())
    return told


@cache
def of_right_server(operation: str) -> list[list[int]]:
    return asyncio.run(scene(Walk(), operation))


@pytest.mark.parametrize("variant", ALPHAPOINT, ids=lambda variant: variant.id)
def test_fault_changes_what_no_message_may_change(variant: Variant) -> None:
    faulty = Walk(variant)
    assert asyncio.run(scene(faulty, variant.operation)) != of_right_server(variant.operation)
    assert faulty.recorders[variant.id].count >= 1


@pytest.mark.parametrize("variant", TPP, ids=lambda variant: variant.id)
def test_tpp_fault_changes_what_no_message_may_change(variant: Variant) -> None:
    with running(faults=(variant.id,)) as server:

        def asked(action: str, body: Any) -> Any:
            return server.request("POST", f"/_world/tpp/{action}", json.dumps(body)).json["orders"]

        orders = asked("state", {"state": "open-order", "count": 1 + 2 * ROUNDS})
        for order, other in zip(orders[1 : 1 + ROUNDS], orders[1 + ROUNDS :], strict=True):
            right = {name: order[name] for name in ("OrderID", "CreatorID")}
            for one in ({"OrderID": other["OrderID"], "CreatorID": NOBODY}, right):
                server.request(
                    "POST", CANCELLATIONS, json.dumps([{**one, "IsInternationalOrder": False}]),
                    {"Content-Type": "application/json", "Accept": "application/json"},
                )  # fmt: skip
        asyncio.run(asyncio.sleep(4 * WAIT_S))
        states = [one["state"] for one in asked("observe", {"orders": orders})]
        assert server.executed()[variant.id] >= 1
        assert states != ["open"] + ["cancelled"] * ROUNDS + ["open"] * ROUNDS
