"""States of AlphaPoint, set up by SendOrder, CreateQuote, CancelOrder, observed by GetOpenOrders, GetOpenQuotes.

An id is the run's own when it is new, and stands open in the account used, as far as the service shows that. Orders are
placed under numbers of the client's own: by these they are found again where no id was answered that can be trusted.

The endpoint under test cancels what is taken back, so its word is not enough: what was set up is over when it is not shown
as open in a place that was asked for afterwards. A place that never showed anything of the run shows nothing by being empty.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
    under,
)
from conformance.dialects.alphapoint.left import (
    PlacedOrders,
    Shown,
    agrees,
    order_shown,
    place_in,
    quote_shown,
)
from conformance.dialects.base import CANCELLED, CLIENT_ID, OPEN, Calls, Handle, pauses_s, together
from conformance.dialects.set_ups import SHOWN, Fate, Found, SetUp, words_of
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
_WIDE, _DOUBLES = "wide", 2**53
"""How a scenario asks for a client's number that a double cannot tell from its neighbours; up to here it can."""
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
    shown: set[tuple[Any, ...]] = field(default_factory=set)
    """The places where one of these was seen to stand open: only there does an empty list say that nothing is open."""
    ended: dict[tuple[Any, ...], dict[str, PlacedOrders]] = field(default_factory=dict)
    """By place, and by key of the set-up: orders that must not be open any more, and were not looked for since."""

    async def prepare(self, name: str, need: StateNeed, desk: Desk) -> Handle:
        """`open-order` (account, instrument, side, count, role, client), `open-quote` and `cancelled-quote` (account, instrument).

        `client`: true binds the order's own number as `NAME.client`, false leaves it out; `wide` is one beyond what a
        double tells apart, and any other text is the number to use, such as `${NAME.client}+1`.
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

    def _client_numbers(self, client: str, desk: Desk) -> Iterator[int]:
        """The numbers that a text asks for. The two behind a wide one are the same double as itself, 4k - 1, 4k, 4k + 1."""
        if client == _WIDE:
            return (_DOUBLES + 4 * number - 1 for number in self.client_ids)
        number, _, further = client.partition("+")
        return itertools.repeat(self._number(number, desk) + int(further or 0))

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
            given = self._client_numbers(client, desk) if isinstance(client, str) else self.client_ids
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
                seen = set((await self.observe((handle,), desk)).values())
                if seen == {CANCELLED}:
                    return handle
                await asyncio.sleep(pause_s)
            came = "is still open" if seen else "is not shown by the service, open or cancelled"
            raise StateUnavailable(f"the quote that was to be a cancelled one {came}")
        return handle

    # What was answered, and whether it can be trusted.

    async def _ask(self, desk: Desk, role: str, call: str, payload: Mapping[str, Any], key: str) -> _Asked:
        """Ask for one order or quote; what went wrong is the answer. What was not sent is over.

        What was refused is over where it has no number by which it could be found all the same.
        """
        set_ups, number = self.calls.set_ups, payload.get("ClientOrderId")
        try:
            answer = await self.calls.call(desk, role, call, payload, Purpose.SET_UP)
        except (OutsideScope, RoleUnavailable) as error:
            set_ups.over([key])
            return _Asked(key, number, error, ())
        except Exception as error:  # who asks for several waits for all of them before anything is raised
            if isinstance(error, NotCarriedOut) and error.unsent:
                set_ups.over([key])
            return _Asked(key, number, error, ())
        members = ("OrderId",) if call == "SendOrder" else ("BidQuoteId", "AskQuoteId")
        ids = [id_in(answer, member) for member in members]
        if any(ids):
            set_ups.made(key, ids)
        elif is_refusal(answer) and number is None:
            set_ups.over([key])
        elif is_refusal(answer):
            set_ups.refused(key)
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
                self.calls.set_ups.made(one.key, ())
                why = why or _untrusted(one, place, doubt)
            elif one.ids:
                self.given.update(one.ids)
                good.append(one)
        if not good or not (self.calls.bounded or self._place(place) not in self.shown):
            return good, why
        try:
            standing = await self._standing(good, place, desk)
        except NotCarriedOut as error:
            self.given.difference_update(number for one in good for number in one.ids)
            return [], error
        for one in good:
            if one not in standing:
                self.given.difference_update(one.ids)
                self.calls.set_ups.made(one.key, ())
                self.calls.set_ups.not_shown([one.key])
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
                return self._unseen(asked)
            if place.quote and not batch <= listing.keys():
                # GetOpenQuotes shows the newest legs alone
                more = await self._listed(replace(place, quote=False), desk, Purpose.OBSERVATION)
                hidden = listing.keys() & (self.given - batch)
                if hidden and not batch <= (more or {}).keys():
                    return self._unseen(asked)
                listing = {**listing, **(more or {})}
            own = batch | self.given  # a case may give several orders one number
            standing = [one for one in asked if all(_stands(number, one, place, listing, own) for number in one.ids)]
            if len(standing) == len(asked):
                break
            await asyncio.sleep(pause_s)
        return standing if self.calls.bounded or standing else self._unseen(asked)

    def _unseen(self, asked: Sequence[_Asked]) -> list[_Asked]:
        """All of them, taken as answered: the service does not show whether they stand open."""
        self.calls.set_ups.not_shown(one.key for one in asked)
        return list(asked)

    async def observe(self, handles: tuple[Handle, ...], desk: Desk) -> Mapping[str, str]:
        """Open or cancelled, for each watched name; one call for each account, or account and instrument."""
        asked: dict[tuple[Any, ...], set[int]] = {}
        places: dict[tuple[Any, ...], PlacedOrders] = {}
        for placed in (handle.memory for handle in handles if handle.memory is not None):
            places.setdefault(self._place(placed), placed)
            asked.setdefault(self._place(placed), set()).update(number for ids in placed.ids.values() for number in ids)
        looks = (self._open(one, desk, Purpose.OBSERVATION, asked[place]) for place, one in places.items())
        open_ids = dict(zip(places, await asyncio.gather(*looks), strict=True))
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

    async def _open(
        self, placed: PlacedOrders, desk: Desk, purpose: Purpose, asked: Collection[int]
    ) -> frozenset[int] | None:
        """The ids that are open in a place; None when the service would not say, or never showed any of this run there.

        GetOpenQuotes shows one quote, and no page says which where several stand: what it does not show while it shows
        another one is looked for among the orders, and where these show no quotes, nobody can tell.
        """
        listing = await self._listed(placed, desk, purpose)
        if listing is None or self._place(placed) not in self.shown:
            return None
        others = listing.keys() - asked
        if placed.quote and others and not set(asked) <= listing.keys():
            orders = await self._listed(replace(placed, quote=False), desk, purpose)
            return None if not orders or others.isdisjoint(orders) else frozenset((*listing, *orders))
        return frozenset(listing)

    async def _listed(self, placed: PlacedOrders, desk: Desk, purpose: Purpose) -> Listing | None:
        """What is open in a place; None when the service would not say."""
        where = {"OMSId": placed.oms, "AccountId": placed.account}
        if placed.quote:
            where["InstrumentId"] = placed.instrument
            answer = await self.calls.call(desk, placed.role, "GetOpenQuotes", where, purpose)
            if not isinstance(answer, dict) or not {"bid", "ask"} <= {str(key).lower() for key in answer}:
                return None
            legs = [value for name, value in answer.items() if str(name).lower() in ("bid", "ask")]
            return self._noted(placed, listing_of([leg for leg in legs if leg not in (None, {})]))
        ended = dict(self.ended.get(self._place(placed), {}))
        answer = await self.calls.call(desk, placed.role, "GetOpenOrders", where, purpose)
        # one that cannot be read shows nothing, which is not that nothing is open
        listing = self._noted(placed, listing_of(answer) if isinstance(answer, list) else None)
        if ended and listing is not None:
            self._note_over(ended, listing)
        return listing

    def _noted(self, placed: PlacedOrders, listing: Listing | None) -> Listing | None:
        """The listing, and whether it shows what this run set up."""
        if listing and not self.given.isdisjoint(listing):
            self.shown.add(self._place(placed))
        return listing

    def _note_over(self, ended: Mapping[str, PlacedOrders], listing: Listing) -> None:
        """Of what was to be closed before a place was asked for: what is not open there is over."""
        set_ups = self.calls.set_ups
        over = [one.key for one in set_ups.standing(ended) if order_shown(one, ended[one.key], listing) == ()]
        set_ups.over(over)
        for key in over:
            self.ended[self._place(ended[key])].pop(key, None)

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], desk: Desk) -> tuple[str, ...]:
        """Cancel what is still open; what the service would not cancel, and does not say is closed, is named."""
        left: list[str] = []
        for handle in handles:
            placed = handle.memory
            if placed is None:
                continue
            closed = [name for name in placed.ids if after.get(name) == CANCELLED]
            if len(closed) == len(placed.ids) or not placed.quote:
                self._note_ended(placed, [number for name in closed for number in placed.ids[name]])
                placed = replace(placed, ids={name: ids for name, ids in placed.ids.items() if name not in closed})
            left.extend(await self._take_back(placed, desk) if placed.ids else ())
        return tuple(left)

    def _note_ended(self, placed: PlacedOrders, numbers: Iterable[int]) -> None:
        """The service says that these are open no more: the next look at their place shows whether that is so."""
        keys = {placed.keys[number]: placed for number in numbers}
        self.calls.set_ups.said.update(keys)
        self.ended.setdefault(self._place(placed), {}).update(keys)

    async def _take_back(self, placed: PlacedOrders, desk: Desk) -> tuple[str, ...]:
        """Cancel everything of one place; what is shown as open afterwards, in words. The look at the end has the rest."""
        every, named = [number for ids in placed.ids.values() for number in ids], self.calls.set_ups.named
        named.difference_update(placed.keys[number] for number in every)
        answers = await self._cancel(placed, desk)
        each = answers if len(answers) == len(every) else answers * len(every)  # one for both legs of a quote
        self._note_ended(placed, [number for number, answer in zip(every, each, strict=True) if is_success(answer)])
        if all(is_success(answer) for answer in answers):
            return ()
        still_open = None
        with contextlib.suppress(NotCarriedOut):
            still_open = await self._open(placed, desk, Purpose.OBSERVATION, every)
        kind = "quote leg" if placed.quote else "order"
        left = [number for number in every if number in (still_open or ())]
        named.update(placed.keys[number] for number in left)
        return tuple(f"{kind} {number} of account {placed.account}" for number in left)

    async def _cancel(self, placed: PlacedOrders, desk: Desk) -> list[Any]:
        """What was answered to the cancellations of everything in one place, or what went wrong."""
        where = {"OMSId": placed.oms, "AccountId": placed.account}
        if placed.quote:
            calls = [self._cancel_quote(placed, desk, Purpose.CLEAN_UP)]
        else:
            calls = [
                self.calls.call(desk, placed.role, "CancelOrder", {**where, "OrderId": one}, Purpose.CLEAN_UP)
                for ids in placed.ids.values()
                for one in ids
            ]
        return await asyncio.gather(*calls, return_exceptions=True)

    async def _cancel_quote(self, placed: PlacedOrders, desk: Desk, purpose: Purpose) -> Any:
        (bid,), (ask,) = placed.ids.values()
        # in the document's spelling: the scope guard lets no other pass for the same members
        ids = {"bidQuoteId": bid, "askQuoteId": ask}
        place = {"omsId": placed.oms, "accountId": placed.account, "instrumentId": placed.instrument}
        return await self.calls.call(desk, placed.role, "CancelQuote", {**place, **ids}, purpose)

    # What may be left open at the end of a run, or after one that was killed.

    async def reclaim(self, set_ups: Sequence[SetUp], desks: Sequence[Desk]) -> tuple[Found, ...]:
        """Look what of it stands open, and cancel that; only what stands there as the run asked for it is the run's own.

        Places are looked at side by side, and each as a whole, however much was set up there.
        """
        found: list[Found] = []
        places: dict[tuple[Any, ...], list[tuple[SetUp, PlacedOrders]]] = {}
        for one in set_ups:
            place = place_in(one, desks)
            if isinstance(place, str):
                found.append(Found(one.key, Fate.UNKNOWN, place))
            else:
                places.setdefault((one.desk, *self._place(place)), []).append((one, place))
        looks = [self._reclaim_at(several, desks[several[0][0].desk]) for several in places.values()]
        for came in await asyncio.gather(*looks, return_exceptions=True):
            if isinstance(came, BaseException):
                raise came
            found.extend(came)
        return tuple(found)

    async def _reclaim_at(self, several: Sequence[tuple[SetUp, PlacedOrders]], desk: Desk) -> list[Found]:
        """The same for what was set up in one place."""
        place = several[0][1]
        shown = await self._shown(place, desk)
        if not isinstance(shown, str) and any(one.ids is None and not one.refused for one, _ in several):
            # an order whose answer never came may still be on its way
            await asyncio.sleep(max(self.settle_s, _LATE_S))
            shown = await self._shown(place, desk)
        found: list[Found] = []
        standing: list[tuple[SetUp, PlacedOrders]] = []
        for one, its in several:
            ids = shown if isinstance(shown, str) else _shown_of(one, its, shown)
            if ids == () and one.not_shown and self._place(its) not in self.shown:
                ids = "the service did not show it as open when it was new"
            if isinstance(ids, str) and one.key in self.calls.set_ups.said:
                self.calls.set_ups.unseen.add(one.key)
                found.append(Found(one.key, Fate.CLOSED, f"{words_of(one)}: closed, as the service says; {ids}"))
            elif isinstance(ids, str):
                found.append(Found(one.key, Fate.UNKNOWN, f"{words_of(one)}: {ids}"))
            elif not ids:
                found.append(Found(one.key, Fate.CLOSED, f"{words_of(one)}: not open"))
            else:
                names = ("bid", "ask") if its.quote else tuple(f"order{index}" for index in range(len(ids)))
                by_name = dict(zip(names, ids, strict=True))
                self.calls.grant({f"reclaimed.{name}": number for name, number in by_name.items()})
                placed = replace(its, ids={name: (number,) for name, number in by_name.items()})
                standing.append((replace(one, ids=ids), placed))
        return found + (await self._taken_back(standing, desk) if standing else [])

    async def _taken_back(self, standing: Sequence[tuple[SetUp, PlacedOrders]], desk: Desk) -> list[Found]:
        """Cancel what stands open in one place, and look whether it is gone, as long as that may take."""
        answers = await asyncio.gather(*(self._cancel(placed, desk) for _, placed in standing))
        left: Sequence[tuple[SetUp, PlacedOrders]] = standing
        for pause_s in (*pauses_s(self.settle_s), 0.0):
            after = await self._shown(standing[0][1], desk)
            if isinstance(after, str):
                return [
                    Found(one.key, Fate.UNKNOWN, f"{words_of(one)}: asked to be cancelled, and {after}")
                    for one, _ in standing
                ]
            left = [pair for pair in left if any(number in after for number in pair[0].ids or ())]
            if not left:
                break
            await asyncio.sleep(pause_s)
        still = {one.key for one, _ in left}
        return [
            Found(one.key, Fate.OPEN, f"{words_of(one)}: still open: {_why_open(answer)}")
            if one.key in still
            else Found(one.key, Fate.TAKEN_BACK, f"{words_of(one)}: taken back")
            for (one, _), answer in zip(standing, answers, strict=True)
        ]

    async def _shown(self, place: PlacedOrders, desk: Desk) -> Shown | str:
        """What the service shows as open in a place, or why it does not."""
        try:
            orders = await self._listed(replace(place, quote=False), desk, Purpose.CLEAN_UP)
            quotes = await self._listed(place, desk, Purpose.CLEAN_UP) if place.quote else None
        except Unreached:
            raise
        except NotCarriedOut as error:
            return error.reason
        if (quotes if place.quote else orders) is None:
            return "the service does not show what is open there"
        return Shown(orders or {}, quotes or {})

    async def aclose(self) -> None:
        """The link belongs to the service."""


def _place_of(base: Mapping[str, int]) -> dict[str, int]:
    """Where something is set up, as the journal has it."""
    return {"oms": base["OMSId"], "account": base["AccountId"], "instrument": base["InstrumentId"]}


def _shown_of(one: SetUp, place: PlacedOrders, shown: Shown) -> tuple[int, ...] | str:
    """The ids under which a set-up stands open; in words, why that cannot be told."""
    return quote_shown(one, place, shown) if place.quote else order_shown(one, place, shown.orders)


def _why_open(answers: Sequence[Any]) -> str:
    """Why something is still open that was to be cancelled, in words."""
    for answer in answers:
        if isinstance(answer, NotCarriedOut):
            return answer.reason
        if not is_success(answer):
            return "the service does not cancel it"
    return "the service says that it is cancelled, and shows it as open"


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
