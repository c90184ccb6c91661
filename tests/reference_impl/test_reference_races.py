"""Faults that show where calls overlap: each is seen in a bout of calls, counted, and not where calls come one by one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pytest
from alphapoint_walk import Walk, walk

from reference_impl.faults import FAULTS, alphapoint_races
from reference_impl.parts import Arrival
from reference_impl.variants import Variant
from reference_impl.wire import OPERATIONS

RACES = [one for one in FAULTS.values() if "-race-" in one.id and one.operation in OPERATIONS.values()]
BRIEF = 6
Step = tuple[str, str, str, Mapping[str, Any]]
"""User, transport, call, members."""


@pytest.fixture(autouse=True)
def _no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alphapoint_races, "_WINDOW_S", 0.0)


def bout(walker: Walk, steps: Sequence[Step]) -> list[Any]:
    """All of them begin before one that is under way for a while ends; what each was answered, and what is open."""

    async def one(user: str, transport: str, call: str, members: Mapping[str, Any]) -> Any:
        body, parts = json.dumps({"OMSId": 1, **members}), walker.parts
        operation = OPERATIONS.get(call.lower(), "")
        if parts.enter is not None and operation:
            walker.parts = await parts.enter(parts, Arrival(operation, transport, body))
        try:
            return walker.http(user, call, body)[-1]
        finally:
            walker.parts = parts

    async def together() -> list[Any]:
        answers = await asyncio.gather(*(one(*step) for step in steps))
        place = {"AccountId": 201, "InstrumentId": 1}
        lists = [walker.call("operator", "GetOpenQuotes", **place) for _ in range(2)]
        lists += [walker.call("operator", "GetOpenOrders", AccountId=account) for account in (101, 301)]
        return [*answers, lists, walker.open_ids()]

    return asyncio.run(together())


def bouts(walker: Walk, operation: str) -> Iterator[list[Any]]:
    """What the server tells of bouts of one operation."""
    for steps in _BOUTS[operation]:
        ids = walker.scene()
        numbered: list[Step] = [
            (user, over, call, {name: ids.get(value, value) for name, value in members.items()})
            for user, over, call, members in steps
        ]
        yield bout(walker, numbered)


def _one(order: str, user: str = "trader01", over: str = "http") -> Step:
    return (user, over, "CancelOrder", {"AccountId": 101, "OrderId": order})


def _every(account: int, user: str = "trader01") -> Step:
    return (user, "http", "CancelAllOrders", {"AccountId": account})


def _quote(instrument: int = 1, user: str = "maker01") -> Step:
    ids = {"bidQuoteId": f"bid201.{instrument}", "askQuoteId": f"ask201.{instrument}"}
    return (user, "http", "CancelQuote", {"omsId": 1, "accountId": 201, "instrumentId": instrument, **ids})


_LISTED = ("trader01", "http", "GetOpenOrders", {"AccountId": 101})
_PLACED = ("trader01", "http", "SendOrder", {"AccountId": 301, "InstrumentId": 1, "Quantity": 1, "LimitPrice": 5})
_NEW_QUOTE = ("maker01", "http", "CreateQuote", {"AccountId": 401, "InstrumentId": 2, "Bid": 1, "Ask": 9})
_BY_CLIENT = ("trader01", "http", "CancelOrder", {"AccountId": 101, "ClientOrderId": 77})
_BOUTS: Mapping[str, Sequence[Sequence[Step]]] = {
    "alphapoint.cancel_order": (
        (_one("mine"), _one("mine", "operator"), _one("mine", over="ws")),
        (_one("client101"), _BY_CLIENT, _one("client101", "operator")),
        (_one("mine"), _one("client101"), _one("client101b"), _LISTED, _PLACED),
    ),
    "alphapoint.cancel_all_orders": (
        (_every(101), _every(101, "operator"), _every(301), _one("mine"), _LISTED, _PLACED),
    ),
    "alphapoint.cancel_quote": (
        (_quote(), _quote(user="operator"), _quote()),
        (_quote(1), _quote(2), _NEW_QUOTE),
    ),
}


@pytest.fixture(scope="module")
def as_it_is() -> Mapping[str, list[Any]]:
    return {name: list(bouts(Walk(), name)) for name in _BOUTS}


def test_there_are_at_least_twenty() -> None:
    assert len(RACES) >= 20


@pytest.mark.parametrize("variant", RACES, ids=lambda variant: variant.id)
def test_a_race_is_seen_and_counted(variant: Variant, as_it_is: Mapping[str, list[Any]]) -> None:
    walker = Walk(variant)
    assert list(bouts(walker, variant.operation)) != as_it_is[variant.operation]
    assert walker.recorders[variant.id].count >= 1


@pytest.mark.parametrize("operation", sorted(_BOUTS))
def test_calls_one_by_one_show_none_of_them(operation: str) -> None:
    plain = list(islice(walk(Walk(), operation), BRIEF))
    for variant in RACES:
        if variant.operation == operation:
            walker = Walk(variant)
            assert list(islice(walk(walker, operation), BRIEF)) == plain, variant.id
            assert walker.recorders[variant.id].count == 0, variant.id


def test_two_default_servers_tell_the_same(as_it_is: Mapping[str, list[Any]]) -> None:
    assert {name: list(bouts(Walk(), name)) for name in _BOUTS} == as_it_is


def test_a_race_names_what_it_breaks() -> None:
    for variant in RACES:
        prefix = variant.id.partition("-")[0].upper()
        assert variant.requirements, variant.id
        assert all(one.startswith(f"{prefix}-") for one in variant.requirements), variant.id
