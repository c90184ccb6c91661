"""States of AlphaPoint, set up by SendOrder, CreateQuote, CancelOrder, observed by GetOpenOrders, GetOpenQuotes.

An id is the run's own when it is new, and stands open in the account used, as far as the service shows that. Orders are
placed under numbers of the client's own: by these they are found again where no id was answered that can be trusted.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.cases.message import fill
from conformance.dialects.alphapoint import (
    NUMBER,
    Listing,
    id_in,
    is_refusal,
    is_success,
    listing_of,
    shows_numbers,
    under,
)
from conformance.dialects.alphapoint.left import (
    SHOWN,
    PlacedOrders,
    Shown,
    agrees,
    order_shown,
    place_in,
    quote_shown,
    words_of,
)
from conformance.dialects.base import CANCELLED, CLIENT_ID, OPEN, Calls, Handle, pauses_s, together
from conformance.dialects.set_ups import Fate, Found, SetUp
from conformance.endpoint.desks import Desk
from conformance.errors import (
    HarnessError,
    Hindrance,
    NotCarriedOut,
    OutsideScope,
    RoleUnavailable,
    StateUnavailable,
    Unreached,
)
from conformance.guard.gate import Purpose
from conformance.model.case import StateNeed

LIMIT_ORDER, GOOD_TILL_CANCELLED = 2, 1
_BUY, _SELL = 0, 1
_LOW_PRICE, _HIGH_PRICE = 1, 1_000_000
_WIDEST = 2**63 - 1
_LATE_S = 1.0
"""How long an order whose answer never came is given to appear, before it counts as not there."""
MADE = ("open-order", "open-quote", "cancelled-quote")
"""The states that there are calls for."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One order or quote that was asked for: its key, its client's number if it has one, and what came of it."""

    key: str
    number: int | None
    answer: Any
    ids: tuple[int, ...]
    """As answered; empty when there are none that could be ids."""


@dataclass(frozen=True, slots=True)
class CallStates:
    """The provider; it acts as the owner of an account, or as operator."""

    calls: Calls
    settle_s: float = 0.0
    """How long a cancellation may take to show."""
    client_ids: Iterator[int] = field(default_factory=lambda: itertools.count(time.time_ns() // 1_000))
    """Numbers that orders are placed under; microseconds, so that each run has its own."""
    given: set[int] = field(default_factory=set)
    """Every id that this run was given and trusts."""

    async def prepare(self, name: str, need: StateNeed, desk: Desk) -> Handle:
        """`open-order` (account, instrument, side, count, role, client), `open-quote` and `cancelled-quote` (account, instrument).

        `client`: true binds the order's own number as `NAME.client`, a text is the number to use, false leaves it out.
        """
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
        count, client = int(need.params.get("count", 1)), need.params.get("client")
        numbers: list[int | None] = [None] * count
        if client is not False:  # a number of its own, or that of another state's order
            given = itertools.repeat(self._number(client, desk)) if isinstance(client, str) else self.client_ids
            numbers = [next(given) for _ in range(count)]
        what = {"thing": "order", **_place_of(base), "side": side}
        keys = self.calls.set_ups.begin(need.state, desk.index, role, ({**what, "client": one} for one in numbers))
        asked = await asyncio.gather(
            *(
                self._ask(desk, role, "SendOrder", order if number is None else {**order, "ClientOrderId": number}, key)
                for number, key in zip(numbers, keys, strict=True)
            )
        )
        whole = PlacedOrders({}, base["AccountId"], base["OMSId"], base["InstrumentId"], role, quote=False)
        good, why = await self._trusted(asked, whole, desk)
        ids = tuple(number for one in good for number in one.ids)
        bound = {f"{name}.{index}": number for index, number in enumerate(ids)}
        if client:
            bound.update({f"{name}.{index}{CLIENT_ID}": one.number for index, one in enumerate(asked) if one.number})
        self.calls.grant(bound)
        placed = replace(whole, ids={name: ids}, keys={number: one.key for one in good for number in one.ids})
        if len(ids) < count:
            await self._take_back(placed, desk)
            await self._find_again([one for one in asked if one not in good], whole, desk)
            raise why or _why(asked, "SendOrder")
        own = {f"{name}{CLIENT_ID}": numbers[0]} if client and numbers[0] is not None else {}
        return Handle(name, {name: ids[0], **own}, {name: OPEN}, placed)

    async def _quote(self, name: str, need: StateNeed, desk: Desk, role: str, base: Mapping[str, int]) -> Handle:
        sides = {"Bid": _LOW_PRICE, "BidQty": 1, "Ask": _HIGH_PRICE, "AskQty": 1}
        whole = PlacedOrders({}, base["AccountId"], base["OMSId"], base["InstrumentId"], role, quote=True)
        (key,) = self.calls.set_ups.begin(need.state, desk.index, role, [{"thing": "quote", **_place_of(base)}])
        asked = await self._ask(desk, role, "CreateQuote", {**base, **sides}, key)
        good, why = await self._trusted([asked], whole, desk)
        if not good:
            await self._find_again([asked], whole, desk)
            raise why or _why([asked], "CreateQuote")
        bid, ask = asked.ids
        self.calls.grant({f"{name}.bid": bid, f"{name}.ask": ask})
        bid_name, ask_name = f"{name}.bid", f"{name}.ask"
        placed = replace(whole, ids={bid_name: (bid,), ask_name: (ask,)}, keys={bid: key, ask: key})
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

    # What was answered, and whether it can be trusted.

    async def _ask(self, desk: Desk, role: str, call: str, payload: Mapping[str, Any], key: str) -> _Asked:
        """Ask for one order or quote; what went wrong is the answer. What was not sent, or refused, is over."""
        set_ups, number = self.calls.set_ups, payload.get("ClientOrderId")
        try:
            answer = await self.calls.call(desk, role, call, payload, Purpose.SET_UP)
        except (OutsideScope, RoleUnavailable) as error:
            set_ups.over([key])
            return _Asked(key, number, error, ())
        except asyncio.CancelledError:
            set_ups.lost.append(_perhaps(call != "SendOrder", payload["AccountId"], number))
            raise
        except Exception as error:  # who asks for several waits for all of them before anything is raised
            return _Asked(key, number, error, ())
        members = ("OrderId",) if call == "SendOrder" else ("BidQuoteId", "AskQuoteId")
        ids = [id_in(answer, member) for member in members]
        if any(ids):
            set_ups.made(key, ids)
        elif is_refusal(answer):
            set_ups.over([key])
        return _Asked(key, number, answer, tuple(one for one in ids if one is not None) if all(ids) else ())

    async def _trusted(
        self, asked: Sequence[_Asked], place: PlacedOrders, desk: Desk
    ) -> tuple[list[_Asked], NotCarriedOut | None]:
        """Those whose ids are new and stand open in the account; of another one with ids, why it is not trusted."""
        why: NotCarriedOut | None = None
        good: list[_Asked] = []
        for one in asked:
            doubt = next((words for number in one.ids if (words := self._doubt(number))), "")
            if len(set(one.ids)) < len(one.ids):
                doubt = "both legs have the same id"
            if doubt:
                why = why or _untrusted(one, place, doubt)
            elif one.ids:
                self.given.update(one.ids)
                good.append(one)
        if not good or not self.calls.bounded:
            return good, why
        try:
            standing = await self._standing(good, place, desk)
        except NotCarriedOut as error:
            self.given.difference_update(number for one in good for number in one.ids)
            return [], error
        for one in good:
            if one not in standing:
                self.given.difference_update(one.ids)
                why = why or _untrusted(one, place, "nothing that this run asked for is open there under it")
        return standing, why

    def _doubt(self, number: int) -> str:
        """Why an id cannot be that of something new; "" when it can."""
        if number > _WIDEST:
            return "it has more than 64 bits"
        known = self.calls.known_as(number)
        return "this run was given it before" if number in self.given else f"it is {known}" if known else ""

    async def _standing(self, asked: Sequence[_Asked], place: PlacedOrders, desk: Desk) -> list[_Asked]:
        """Those that the service shows as open, given the time that an effect may take; all where it shows nothing."""
        batch = {number for one in asked for number in one.ids}
        standing: list[_Asked] = []
        for pause_s in (*pauses_s(self.settle_s), 0.0):
            listing = await self._listed(place, desk, Purpose.OBSERVATION)
            if listing is None:
                self.calls.set_ups.unseen += len(asked)
                return list(asked)
            if place.quote and not batch <= listing.keys():
                # GetOpenQuotes shows the newest legs alone
                more = await self._listed(replace(place, quote=False), desk, Purpose.OBSERVATION)
                hidden = listing.keys() & (self.given - batch)
                if hidden and not batch <= (more or {}).keys():
                    self.calls.set_ups.unseen += len(asked)
                    return list(asked)
                listing = {**listing, **(more or {})}
            standing = [one for one in asked if all(_stands(number, one, place, listing, batch) for number in one.ids)]
            if len(standing) == len(asked):
                break
            await asyncio.sleep(pause_s)
        return standing

    async def _find_again(self, asked: Sequence[_Asked], place: PlacedOrders, desk: Desk) -> None:
        """Take back what was made under a number of this run, whatever id was answered; what nobody can tell is kept."""
        asked = [one for one in asked if self.calls.set_ups.stands(one.key)]
        if not asked:
            return
        listing: Listing | None = None
        with contextlib.suppress(NotCarriedOut):
            listing = await self._listed(place, desk, Purpose.CLEAN_UP)
        for one in asked:
            found = self._own_among(one, listing or {})
            if len(found) == 2 if place.quote else found:
                names = ("bid", "ask") if place.quote else tuple(map(str, found))
                ids = {name: (number,) for name, number in zip(names, found, strict=True)}
                self.calls.grant({f"again.{name}": number for name, (number,) in ids.items()})
                again = replace(place, ids=ids, keys=dict.fromkeys(found, one.key))
                self.calls.set_ups.lost.extend(await self._take_back(again, desk))
            elif listing is not None and one.number is not None and shows_numbers(listing):
                self.calls.set_ups.over([one.key])
            else:
                self.calls.set_ups.lost.append(_perhaps(place.quote, place.account, one.number))

    def _own_among(self, one: _Asked, listing: Listing) -> list[int]:
        """What is open of what was asked for: under its number, or, where it has none, under the ids that were answered."""
        found = (
            [number for number in one.ids if number in listing] if one.number is None else under(one.number, listing)
        )
        return [number for number in dict.fromkeys(found) if not self._doubt(number)]

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
        listing = await self._listed(placed, desk, purpose)
        return None if listing is None else frozenset(listing)

    async def _listed(self, placed: PlacedOrders, desk: Desk, purpose: Purpose) -> Listing | None:
        """What is open in a place; None when the service would not say."""
        where = {"OMSId": placed.oms, "AccountId": placed.account}
        if placed.quote:
            where["InstrumentId"] = placed.instrument
            answer = await self.calls.call(desk, placed.role, "GetOpenQuotes", where, purpose)
            if not isinstance(answer, dict) or not {"bid", "ask"} <= {str(key).lower() for key in answer}:
                return None
            legs = [value for name, value in answer.items() if str(name).lower() in ("bid", "ask")]
            entries = [leg for leg in legs if leg not in (None, {})]
        else:
            answer = await self.calls.call(desk, placed.role, "GetOpenOrders", where, purpose)
            if not isinstance(answer, list):
                return None
            entries = answer
        return listing_of(entries)  # one that cannot be read shows nothing, which is not that nothing is open

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], desk: Desk) -> tuple[str, ...]:
        """Cancel what is still open; what the service would not cancel, and does not say is closed, is named."""
        left: list[str] = []
        for handle in handles:
            placed = handle.memory
            if placed is None:
                continue
            if all(after.get(name) == CANCELLED for name in placed.ids):
                self.calls.set_ups.over(placed.keys.values())
                continue
            closed = (
                {} if placed.quote else {name: ids for name, ids in placed.ids.items() if after.get(name) == CANCELLED}
            )
            self.calls.set_ups.over(placed.keys[number] for ids in closed.values() for number in ids)
            still = replace(placed, ids={name: ids for name, ids in placed.ids.items() if name not in closed})
            left.extend(await self._take_back(still, desk))
        return tuple(left)

    async def _take_back(self, placed: PlacedOrders, desk: Desk) -> tuple[str, ...]:
        """Cancel everything of one place; what is still open afterwards, in words."""
        kind = "quote leg" if placed.quote else "order"
        left, _ = await self._cancel(placed, desk)
        return tuple(f"{kind} {number} of account {placed.account}" for number in left)

    async def _cancel(self, placed: PlacedOrders, desk: Desk) -> tuple[list[int], str]:
        """Cancel everything of one place; what is still open afterwards, and why, where that is known."""
        every = [number for ids in placed.ids.values() for number in ids]
        where = {"OMSId": placed.oms, "AccountId": placed.account}
        if placed.quote:
            calls = [self._cancel_quote(placed, desk, Purpose.CLEAN_UP)]
        else:
            calls = [
                self.calls.call(desk, placed.role, "CancelOrder", {**where, "OrderId": one}, Purpose.CLEAN_UP)
                for one in every
            ]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        if all(is_success(answer) for answer in answers):
            self.calls.set_ups.over(placed.keys.values())
            return [], ""
        why = next((error.reason for error in answers if isinstance(error, NotCarriedOut)), "")
        try:
            still_open = await self._open(placed, desk, Purpose.OBSERVATION)
        except NotCarriedOut as error:
            still_open, why = None, why or error.reason
        left = [number for number in every if still_open is None or number in still_open]
        kept = {placed.keys.get(number) for number in left}
        self.calls.set_ups.over(key for key in placed.keys.values() if key not in kept)
        return left, why

    async def _cancel_quote(self, placed: PlacedOrders, desk: Desk, purpose: Purpose) -> Any:
        (bid,), (ask,) = placed.ids.values()
        # in the document's spelling: the scope guard lets no other pass for the same members
        ids = {"bidQuoteId": bid, "askQuoteId": ask}
        place = {"omsId": placed.oms, "accountId": placed.account, "instrumentId": placed.instrument}
        return await self.calls.call(desk, placed.role, "CancelQuote", {**place, **ids}, purpose)

    # What a run that was killed may have left.

    async def reclaim(self, set_ups: Sequence[SetUp], desks: Sequence[Desk]) -> tuple[Found, ...]:
        """Look what of it stands open, and cancel that; only what stands there as the run asked for it is the run's own."""
        found: list[Found] = []
        places: dict[tuple[Any, ...], list[tuple[SetUp, PlacedOrders]]] = {}
        for one in set_ups:
            place = place_in(one, desks)
            if isinstance(place, str):
                found.append(Found(one.key, Fate.UNKNOWN, place))
            else:
                places.setdefault((one.desk, *self._place(place)), []).append((one, place))
        for several in places.values():
            first, place = several[0]
            desk = desks[first.desk]
            shown = await self._shown(place, desk)
            if not isinstance(shown, str) and any(not one.ids for one, _ in several):
                # an order whose answer never came may still be on its way
                await asyncio.sleep(max(self.settle_s, _LATE_S))
                shown = await self._shown(place, desk)
            for one, its in several:
                found.append(await self._reclaimed(one, its, shown, desk))
        return tuple(found)

    async def _shown(self, place: PlacedOrders, desk: Desk) -> Shown | str:
        """What the service shows as open in a place, or why it does not."""
        try:
            orders = await self._listed(replace(place, quote=False), desk, Purpose.OBSERVATION)
            quotes = await self._listed(place, desk, Purpose.OBSERVATION) if place.quote else None
        except Unreached:
            raise
        except NotCarriedOut as error:
            return error.reason
        if (quotes if place.quote else orders) is None:
            return "the service does not show what is open there"
        return Shown(orders or {}, quotes or {})

    async def _reclaimed(self, one: SetUp, place: PlacedOrders, shown: Shown | str, desk: Desk) -> Found:
        thing = words_of(one, place)
        if isinstance(shown, str):
            return Found(one.key, Fate.UNKNOWN, f"{thing}: {shown}")
        ids = quote_shown(one, place, shown) if place.quote else order_shown(one, place, shown.orders)
        if isinstance(ids, str):
            return Found(one.key, Fate.UNKNOWN, f"{thing}: {ids}")
        if not ids:
            return Found(one.key, Fate.CLOSED, f"{thing}: not open")
        names = ("bid", "ask") if place.quote else tuple(f"order{index}" for index in range(len(ids)))
        by_name = dict(zip(names, ids, strict=True))
        self.calls.grant({f"reclaimed.{name}": number for name, number in by_name.items()})
        placed = replace(place, ids={name: (number,) for name, number in by_name.items()})
        left, why = await self._cancel(placed, desk)
        if left and self.settle_s:  # a cancellation that was accepted may only need time
            await asyncio.sleep(self.settle_s)
            left, why = await self._cancel(placed, desk)
        thing = words_of(replace(one, ids=ids), place)
        if not left:  # the endpoint under test cancels: its word is not enough
            for pause_s in (*pauses_s(self.settle_s), 0.0):
                after = await self._shown(place, desk)
                if isinstance(after, str):
                    return Found(one.key, Fate.UNKNOWN, f"{thing}: cancelled, as the service says, and {after}")
                left = [number for number in ids if number in after.orders or number in after.quotes]
                if not left:
                    break
                await asyncio.sleep(pause_s)
            why = "the service says that it is cancelled, and shows it as open" if left else why
        if left:
            return Found(one.key, Fate.OPEN, f"{thing}: still open{f': {why}' if why else ''}")
        return Found(one.key, Fate.TAKEN_BACK, f"{thing}: taken back")

    async def aclose(self) -> None:
        """The link belongs to the service."""


def _place_of(base: Mapping[str, int]) -> dict[str, int]:
    """Where something is set up, as the journal has it."""
    return {"oms": base["OMSId"], "account": base["AccountId"], "instrument": base["InstrumentId"]}


def _perhaps(quote: bool, account: int, number: int | None) -> str:
    """What may be open, and has no id that could be trusted, in words."""
    by = "" if number is None else f" under ClientOrderId {number}"
    return f"perhaps {'a quote' if quote else 'an order'} of account {account}, asked for{by}; no id of it is known"


def _stands(number: int, one: _Asked, place: PlacedOrders, listing: Listing, batch: Collection[int]) -> bool:
    """Whether an id stands open as that of the thing asked for, there, and no other one does under its client's number."""
    entry = listing.get(number)
    if entry is None or not agrees(entry, place) or (place.quote and entry.get("isquote") is False):
        return False
    if one.number is None:
        return True
    return entry.get(NUMBER) in (None, one.number) and set(under(one.number, listing)) <= set(batch)


def _untrusted(one: _Asked, place: PlacedOrders, why: str) -> StateUnavailable:
    did, thing = ("CreateQuote answered ", "quote") if place.quote else ("SendOrder answered ", "order")
    ids = " and ".join(map(str, one.ids))[:SHOWN]
    return StateUnavailable(f"{did}{ids} for a new {thing} of account {place.account}: {why}")


def _why(asked: Sequence[_Asked], call: str) -> NotCarriedOut:
    """Why a call brought nothing about: its error, or what it answered instead of an id."""
    bad = next(one.answer for one in asked if not one.ids)
    if isinstance(bad, NotCarriedOut):
        return bad
    if isinstance(bad, BaseException):
        raise bad
    did = "was refused: " if is_refusal(bad) else "answered no id: "
    return StateUnavailable(f"{call} {did}{json.dumps(bad)[:SHOWN]}")
