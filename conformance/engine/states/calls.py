"""States of AlphaPoint by its own calls: SendOrder, CreateQuote, CancelOrder; observed by GetOpenOrders and GetOpenQuotes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.cases.template import fill
from conformance.engine.desks import Seat
from conformance.engine.link import Link
from conformance.engine.problems import StateUnavailable, Unreached
from conformance.engine.sessions import Sessions
from conformance.errors import HarnessError
from conformance.engine.states.handle import CANCELLED, OPEN, Handle, together
from conformance.model.case import StateNeed
from conformance.transport.messages import HttpReply, HttpRequest, WsReply

LIMIT_ORDER, GOOD_TILL_CANCELLED = 2, 1
_BUY, _SELL = 0, 1
_LOW_PRICE, _HIGH_PRICE = 1, 1_000_000
_HEADERS = (("Content-Type", "application/json"), ("Accept", "application/json"))


@dataclass(frozen=True, slots=True)
class Placed:
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

    link: Link
    sessions: Sessions

    async def prepare(self, name: str, need: StateNeed, seat: Seat) -> Handle:
        """`open-order` (account, instrument, side, count, role), `open-quote` and `cancelled-quote` (account, instrument)."""
        place = str(need.params.get("account", "${account}"))
        account = self._number(place, seat)
        instrument = self._number(str(need.params.get("instrument", "${instrument}")), seat)
        role = str(need.params.get("role", seat.owner(place, quotes=need.state.endswith("-quote"))))
        base = {"OMSId": self._number("${oms}", seat), "AccountId": account, "InstrumentId": instrument}
        if need.state == "open-order":
            return await self._orders(name, need, seat, role, base)
        if need.state in ("open-quote", "cancelled-quote"):
            return await self._quote(name, need, seat, role, base)
        raise StateUnavailable(f"the service has no call that brings about {need.state!r}")

    def _number(self, place: str, seat: Seat) -> int:
        try:
            return int(fill(place, seat.bindings))
        except (HarnessError, ValueError) as error:
            raise StateUnavailable(f"the target binds no value for {place}") from error

    async def _orders(
        self, name: str, need: StateNeed, seat: Seat, role: str, base: Mapping[str, int]
    ) -> Handle:
        side = _SELL if need.params.get("side") == "sell" else _BUY
        order = {
            **base, "TimeInForce": GOOD_TILL_CANCELLED, "Side": side, "Quantity": 1, "OrderType": LIMIT_ORDER,
            "LimitPrice": _HIGH_PRICE if side == _SELL else _LOW_PRICE,
        }  # fmt: skip
        count = int(need.params.get("count", 1))
        answers = await asyncio.gather(*(self.call(seat, role, "SendOrder", order) for _ in range(count)))
        ids = tuple(self._id(answer, "OrderId", "SendOrder") for answer in answers)
        placed = Placed({name: ids}, base["AccountId"], base["OMSId"], base["InstrumentId"], role, quote=False)
        return Handle(name, {name: ids[0]}, {name: OPEN}, placed)

    async def _quote(self, name: str, need: StateNeed, seat: Seat, role: str, base: Mapping[str, int]) -> Handle:
        sides = {"Bid": _LOW_PRICE, "BidQty": 1, "Ask": _HIGH_PRICE, "AskQty": 1}
        answer = await self.call(seat, role, "CreateQuote", {**base, **sides})
        bid, ask = self._id(answer, "BidQuoteId", "CreateQuote"), self._id(answer, "AskQuoteId", "CreateQuote")
        bid_name, ask_name = f"{name}.bid", f"{name}.ask"
        placed = Placed(
            {bid_name: (bid,), ask_name: (ask,)}, base["AccountId"], base["OMSId"], base["InstrumentId"], role, quote=True
        )
        state = OPEN
        if need.state == "cancelled-quote":
            await self._cancel_quote(placed, seat)
            state = CANCELLED
        handle = Handle(name, {bid_name: bid, ask_name: ask}, {bid_name: state, ask_name: state}, placed)
        if state == CANCELLED and set((await self.observe((handle,), seat)).values()) != {CANCELLED}:
            raise StateUnavailable("the quote that was to be a cancelled one is still open")
        return handle

    def _id(self, answer: Any, member: str, call: str) -> int:
        folded = {str(key).lower(): value for key, value in answer.items()} if isinstance(answer, dict) else {}
        number = folded.get(member.lower())
        if isinstance(number, int) and not isinstance(number, bool) and number > 0:
            return number
        raise StateUnavailable(f"{call} was refused: {json.dumps(answer)[:200]}")

    async def observe(self, handles: tuple[Handle, ...], seat: Seat) -> Mapping[str, str]:
        """Open or cancelled, for each watched name; one call for each account, or account and instrument."""
        places = {self._place(handle.memory): handle.memory for handle in handles if handle.memory is not None}
        open_ids = dict(zip(places, await asyncio.gather(*(self._open(one, seat) for one in places.values())), strict=True))
        seen: dict[str, str] = {}
        for handle in handles:
            if handle.memory is None:
                continue
            still_open = open_ids[self._place(handle.memory)]
            if still_open is not None:
                for name, ids in handle.memory.ids.items():
                    seen[name] = together([OPEN if one in still_open else CANCELLED for one in ids])
        return seen

    def _place(self, placed: Placed) -> tuple[Any, ...]:
        return (placed.quote, placed.oms, placed.account, placed.instrument if placed.quote else None, placed.role)

    async def _open(self, placed: Placed, seat: Seat) -> frozenset[int] | None:
        """The ids that are open in a place; None when the service would not say."""
        where = {"OMSId": placed.oms, "AccountId": placed.account}
        if placed.quote:
            answer = await self.call(seat, placed.role, "GetOpenQuotes", {**where, "InstrumentId": placed.instrument})
            if not isinstance(answer, dict) or not {"bid", "ask"} <= {str(key).lower() for key in answer}:
                return None
            entries = [value for value in answer.values() if isinstance(value, dict)]
        else:
            answer = await self.call(seat, placed.role, "GetOpenOrders", where)
            if not isinstance(answer, list):
                return None
            entries = [entry for entry in answer if isinstance(entry, dict)]
        return frozenset(
            value for entry in entries for key, value in entry.items() if str(key).lower() == "orderid" and isinstance(value, int)
        )

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], seat: Seat) -> tuple[str, ...]:
        """Cancel what is still open."""
        left: list[str] = []
        for handle in handles:
            placed = handle.memory
            if placed is None or all(after.get(name) == CANCELLED for name in placed.ids):
                continue
            if placed.quote:
                await self._cancel_quote(placed, seat)
            else:
                where = {"OMSId": placed.oms, "AccountId": placed.account}
                orders = [order for name, ids in placed.ids.items() if after.get(name) != CANCELLED for order in ids]
                await asyncio.gather(
                    *(self.call(seat, placed.role, "CancelOrder", {**where, "OrderId": order}) for order in orders)
                )
        return tuple(left)

    async def _cancel_quote(self, placed: Placed, seat: Seat) -> None:
        (bid,), (ask,) = placed.ids.values()
        ids = {"BidQuoteId": bid, "AskQuoteId": ask}
        place = {"OMSId": placed.oms, "AccountId": placed.account, "InstrumentId": placed.instrument}
        await self.call(seat, placed.role, "CancelQuote", {**place, **ids})

    async def call(self, seat: Seat, role: str, name: str, payload: Mapping[str, Any]) -> Any:
        """The decoded answer of one of the service's calls; None when it is no JSON."""
        key = seat.key(role)
        if self.link.http is not None:
            headers = await self.sessions.headers(key, role, seat.roles.get(role))
            request = HttpRequest("POST", f"/AP/{name}", (*_HEADERS, *headers), json.dumps(payload).encode())
            exchange = await self.link.send_http(request)
        else:
            socket = self.sessions.socket(key, role, seat.roles.get(role))
            frame = {"m": 0, "i": socket.next_number(), "n": name, "o": json.dumps(payload)}
            exchange = await self.link.send_ws(socket, json.dumps(frame), quiet=False)
        if exchange.problem is not None:
            if exchange.problem.unreachable:
                raise Unreached(exchange.problem.message)
            raise StateUnavailable(f"{name} got no answer: {exchange.problem.message}")
        try:
            if isinstance(exchange.reply, HttpReply):
                return json.loads(exchange.reply.body)
            assert isinstance(exchange.reply, WsReply)
            return json.loads(json.loads(exchange.reply.text)["o"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

