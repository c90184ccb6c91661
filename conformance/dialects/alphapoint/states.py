"""States of AlphaPoint, set up by SendOrder, CreateQuote, CancelOrder, observed by GetOpenOrders, GetOpenQuotes."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.cases.message import fill
from conformance.dialects.alphapoint import members_of
from conformance.dialects.base import CANCELLED, CLIENT_ID, OPEN, Calls, Handle, pauses_s, together
from conformance.endpoint.desks import Desk
from conformance.errors import HarnessError, Hindrance, NotCarriedOut, StateUnavailable
from conformance.formats.json.pointer import load_json
from conformance.guard.gate import Purpose
from conformance.model.case import StateNeed

LIMIT_ORDER, GOOD_TILL_CANCELLED = 2, 1
_BUY, _SELL = 0, 1
_LOW_PRICE, _HIGH_PRICE = 1, 1_000_000
MADE = ("open-order", "open-quote", "cancelled-quote")
"""The states that there are calls for."""


@dataclass(frozen=True, slots=True)
class PlacedOrders:
    """Orders of one account, or the two legs of a quote, by the name they are watched under."""

    ids: Mapping[str, tuple[int, ...]]
    account: int
    oms: int
    instrument: int
    role: str
    quote: bool


@dataclass(frozen=True, slots=True)
class CallStates:
    """The provider; it acts as the owner of an account, or as operator."""

    calls: Calls
    settle_s: float = 0.0
    """How long a cancellation may take to show."""
    client_ids: Iterator[int] = field(default_factory=lambda: itertools.count(time.time_ns() // 1_000))
    """Numbers that orders are placed under where a case asks for one; microseconds, so that each run has its own."""

    async def prepare(self, name: str, need: StateNeed, desk: Desk) -> Handle:
        """`open-order` (account, instrument, side, count, role, client), `open-quote` and `cancelled-quote` (account, instrument)."""
        place = str(need.params.get("account", "${account}"))
        account = self._number(place, desk)
        instrument = self._number(str(need.params.get("instrument", "${instrument}")), desk)
        role = str(need.params.get("role", desk.owner(place, quotes=need.state.endswith("-quote"))))
        base = {"OMSId": self._number("${oms}", desk), "AccountId": account, "InstrumentId": instrument}
        if need.state == "open-order":
            return await self._orders(name, need, desk, role, base)
        if need.state in MADE:
            return await self._quote(name, need, desk, role, base)
        raise StateUnavailable(f"the service has no call that sets up {need.state!r}")

    def _number(self, place: str, desk: Desk) -> int:
        try:
            return int(fill(place, desk.bindings))
        except (HarnessError, ValueError) as error:
            reason, name = f"the target binds no value for {place}", place.strip("${}")
            raise StateUnavailable(reason, why=Hindrance.BINDING, thing=f"binding.{name}") from error

    async def _orders(self, name: str, need: StateNeed, desk: Desk, role: str, base: Mapping[str, int]) -> Handle:
        side = _SELL if need.params.get("side") == "sell" else _BUY
        order = {
            **base, "TimeInForce": GOOD_TILL_CANCELLED, "Side": side, "Quantity": 1, "OrderType": LIMIT_ORDER,
            "LimitPrice": _HIGH_PRICE if side == _SELL else _LOW_PRICE,
        }  # fmt: skip
        count = int(need.params.get("count", 1))
        client = need.params.get("client")  # a number of its own, or that of another state's order
        given = itertools.repeat(self._number(client, desk)) if isinstance(client, str) else self.client_ids
        numbers = [next(given) for _ in range(count)] if client else []
        orders = [{**order, "ClientOrderId": number} for number in numbers] or [order] * count
        answers = await asyncio.gather(
            *(self.calls.call(desk, role, "SendOrder", one, Purpose.SET_UP) for one in orders), return_exceptions=True
        )
        ids = tuple(number for answer in answers if (number := _id_in(answer, "OrderId")) is not None)
        placed_under = {f"{name}.{index}{CLIENT_ID}": number for index, number in enumerate(numbers)}
        self.calls.grant({**{f"{name}.{index}": number for index, number in enumerate(ids)}, **placed_under})
        placed = PlacedOrders({name: ids}, base["AccountId"], base["OMSId"], base["InstrumentId"], role, quote=False)
        if len(ids) < count:
            await self._take_back(placed, desk)
            raise _why(answers, "OrderId", "SendOrder")
        own = {f"{name}{CLIENT_ID}": numbers[0]} if numbers else {}
        return Handle(name, {name: ids[0], **own}, {name: OPEN}, placed)

    async def _quote(self, name: str, need: StateNeed, desk: Desk, role: str, base: Mapping[str, int]) -> Handle:
        sides = {"Bid": _LOW_PRICE, "BidQty": 1, "Ask": _HIGH_PRICE, "AskQty": 1}
        answer = await self.calls.call(desk, role, "CreateQuote", {**base, **sides}, Purpose.SET_UP)
        bid, ask = _id_in(answer, "BidQuoteId"), _id_in(answer, "AskQuoteId")
        if bid is None or ask is None:
            raise _why([answer], "BidQuoteId", "CreateQuote")
        self.calls.grant({f"{name}.bid": bid, f"{name}.ask": ask})
        bid_name, ask_name = f"{name}.bid", f"{name}.ask"
        placed = PlacedOrders(
            {bid_name: (bid,), ask_name: (ask,)},
            base["AccountId"],
            base["OMSId"],
            base["InstrumentId"],
            role,
            quote=True,
        )
        state = OPEN
        if need.state == "cancelled-quote":
            try:
                await self._cancel_quote(placed, desk, Purpose.SET_UP)
            except NotCarriedOut:
                await self._take_back(placed, desk)
                raise
            state = CANCELLED
        handle = Handle(name, {bid_name: bid, ask_name: ask}, {bid_name: state, ask_name: state}, placed)
        if state == CANCELLED:
            for pause_s in (*pauses_s(self.settle_s), 0.0):
                if set((await self.observe((handle,), desk)).values()) == {CANCELLED}:
                    return handle
                await asyncio.sleep(pause_s)
            raise StateUnavailable("the quote that was to be a cancelled one is still open")
        return handle

    async def observe(self, handles: tuple[Handle, ...], desk: Desk) -> Mapping[str, str]:
        """Open or cancelled, for each watched name; one call for each account, or account and instrument."""
        places = {self._place(handle.memory): handle.memory for handle in handles if handle.memory is not None}
        open_ids = dict(
            zip(
                places,
                await asyncio.gather(*(self._open(one, desk, Purpose.OBSERVATION) for one in places.values())),
                strict=True,
            )
        )
        seen: dict[str, str] = {}
        for handle in handles:
            if handle.memory is None:
                continue
            still_open = open_ids[self._place(handle.memory)]
            if still_open is not None:
                for name, ids in handle.memory.ids.items():
                    seen[name] = together([OPEN if one in still_open else CANCELLED for one in ids])
        return seen

    def _place(self, placed: PlacedOrders) -> tuple[Any, ...]:
        return (placed.quote, placed.oms, placed.account, placed.instrument if placed.quote else None, placed.role)

    async def _open(self, placed: PlacedOrders, desk: Desk, purpose: Purpose) -> frozenset[int] | None:
        """The ids that are open in a place; None when the service would not say."""
        where = {"OMSId": placed.oms, "AccountId": placed.account}
        if placed.quote:
            where["InstrumentId"] = placed.instrument
            answer = await self.calls.call(desk, placed.role, "GetOpenQuotes", where, purpose)
            if not isinstance(answer, dict) or not {"bid", "ask"} <= {str(key).lower() for key in answer}:
                return None
            entries = [value for value in answer.values() if isinstance(value, dict)]
        else:
            answer = await self.calls.call(desk, placed.role, "GetOpenOrders", where, purpose)
            if not isinstance(answer, list):
                return None
            entries = [entry for entry in answer if isinstance(entry, dict)]
        return frozenset(
            value
            for entry in entries
            for key, value in entry.items()
            if str(key).lower() == "orderid" and isinstance(value, int)
        )

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], desk: Desk) -> tuple[str, ...]:
        """Cancel what is still open; what the service would not cancel, and does not say is closed, is named."""
        left: list[str] = []
        for handle in handles:
            placed = handle.memory
            if placed is None or all(after.get(name) == CANCELLED for name in placed.ids):
                continue
            still = PlacedOrders(
                {name: ids for name, ids in placed.ids.items() if placed.quote or after.get(name) != CANCELLED},
                placed.account, placed.oms, placed.instrument, placed.role, placed.quote,
            )  # fmt: skip
            left.extend(await self._take_back(still, desk))
        return tuple(left)

    async def _take_back(self, placed: PlacedOrders, desk: Desk) -> tuple[str, ...]:
        """Cancel everything of one place; what is still open afterwards, in words."""
        kind = "quote leg" if placed.quote else "order"
        every = [number for ids in placed.ids.values() for number in ids]
        try:
            if placed.quote:
                done = [_is_success(await self._cancel_quote(placed, desk, Purpose.CLEAN_UP))]
            else:
                where = {"OMSId": placed.oms, "AccountId": placed.account}
                calls = (
                    self.calls.call(desk, placed.role, "CancelOrder", {**where, "OrderId": one}, Purpose.CLEAN_UP)
                    for one in every
                )
                done = [_is_success(answer) for answer in await asyncio.gather(*calls, return_exceptions=True)]
            if all(done):
                return ()
            still_open = await self._open(placed, desk, Purpose.OBSERVATION)
        except NotCarriedOut:
            still_open = None
        left = [number for number in every if still_open is None or number in still_open]
        return tuple(f"{kind} {number} of account {placed.account}" for number in left)

    async def _cancel_quote(self, placed: PlacedOrders, desk: Desk, purpose: Purpose) -> Any:
        (bid,), (ask,) = placed.ids.values()
        # in the document's spelling: the scope guard lets no other pass for the same members
        ids = {"bidQuoteId": bid, "askQuoteId": ask}
        place = {"omsId": placed.oms, "accountId": placed.account, "instrumentId": placed.instrument}
        return await self.calls.call(desk, placed.role, "CancelQuote", {**place, **ids}, purpose)

    async def aclose(self) -> None:
        """The link belongs to the service."""


def _id_in(answer: Any, member: str) -> int | None:
    number = members_of(answer).get(member.lower())
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None


def _why(answers: Sequence[Any], member: str, call: str) -> NotCarriedOut:
    """Why a call brought nothing about: its error, or what it answered instead of an id."""
    bad = next(answer for answer in answers if _id_in(answer, member) is None)
    if isinstance(bad, NotCarriedOut):
        return bad
    if isinstance(bad, BaseException):
        raise bad
    return StateUnavailable(f"{call} was refused: {json.dumps(bad)[:200]}")


def _is_success(answer: Any, names: tuple[str, ...] = ("bidresult", "askresult")) -> bool:
    """Whether a standard response, or both of a pair, say that all went well."""
    if isinstance(answer, str):
        try:
            answer = load_json(answer)
        except ValueError:
            return False
    members = members_of(answer)
    if "result" in members:
        return members["result"] is True
    legs = [members[leg] for leg in names if leg in members]
    return len(legs) == 2 and all(_is_success(leg, ()) for leg in legs)
