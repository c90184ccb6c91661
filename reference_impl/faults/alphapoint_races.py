"""Violations that show only where calls overlap: stale looks, lost updates, what two sessions share by mistake."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reference_impl.alphapoint.book import Book, Order
from reference_impl.alphapoint.values import (
    OPERATION_FAILED,
    RESOURCE_NOT_FOUND,
    Answer,
    Call,
    Pair,
    Refused,
    Standard,
)
from reference_impl.changes import CAO, CO, CQ, Operation, fault_of
from reference_impl.parts import Arrival, Handler, Parts, with_call
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant

_WINDOW_S = 0.04
"""How long a call is under way before it is handled: as long as a slow look into a database."""
_LONGEST_ACCOUNT = 19
_STALE_S = 1.0
_IDS = re.compile(r"(?<!\d)64\d{5}(?!\d)")
_ACCOUNT = re.compile(r"accountid\W{1,6}(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Flight:
    """A call under way: how the book stood when it came, what it names, and the calls that it overlaps with."""

    before: Book
    ids: frozenset[int]
    account: int
    transport: str
    by_client: bool
    beside: list[Flight] = field(default_factory=list)
    members: Mapping[str, Any] | None = None
    """As it was handled."""
    result: Answer | None = None
    cancelled: tuple[int, ...] = ()

    @property
    def handled(self) -> list[Flight]:
        """Those of the overlapping calls that came to an end before this one."""
        return [one for one in self.beside if one.result is not None]

    @property
    def rivals(self) -> list[Flight]:
        """Those of the overlapping calls that name the same order or quote."""
        return [one for one in self.beside if one.ids & self.ids or one.by_client or self.by_client]


Act = Callable[[Recorder, Handler, Parts, Call, Flight], Answer]


def _overlapping(operation: Operation, act: Act, more: Change | None = None) -> Change:
    """Every call of the operation is under way for a while, and then handled by `act`."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner, flying = parts.enter, list[Flight]()

        async def enter(p: Parts, arrival: Arrival) -> Parts:
            if inner is not None:
                p = await inner(p, arrival)
            if arrival.operation != operation.id:
                return p
            flight = _flight(p.alphapoint.book, arrival)
            near = _near(p, flight.account)
            for other in flying:
                if other.account in near:
                    other.beside.append(flight)
                    flight.beside.append(other)
            flying.append(flight)
            try:
                await asyncio.sleep(_WINDOW_S)
            finally:
                flying.remove(flight)
            handler = p.alphapoint.calls[operation.call]
            return with_call(p, operation.call, lambda q, call: _handled(act, recorder, handler, q, call, flight))

        parts = replace(parts, enter=enter)
        return parts if more is None else more(parts, recorder)

    return apply


def _flight(book: Book, arrival: Arrival) -> Flight:
    account = _ACCOUNT.search(arrival.text)
    ids = frozenset(int(one) for one in _IDS.findall(arrival.text))
    number = int(account.group(1)) if account else 0
    return Flight(book.snapshot(), ids, number, arrival.transport, "lientOrderId" in arrival.text)


def _near(parts: Parts, account: int) -> frozenset[int]:
    """The account with the other ones of its owner: calls for strangers do not come into each other's way."""
    users = [
        user for user in parts.world.users.values() if account in user.accounts and "Operator" not in user.permissions
    ]
    return frozenset((account, *(number for user in users for number in user.accounts)))


def _handled(act: Act, recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
    flight.members = call.members
    before = parts.alphapoint.book.snapshot()
    try:
        flight.result = act(recorder, inner, parts, call, flight)
    except Refused as refused:
        flight.result = Standard(refused.refusal.code, refused.refusal.detail)
        raise
    finally:
        flight.cancelled = _gone(before, parts.alphapoint.book)
    return flight.result


def _open(book: Book) -> dict[int, Order]:
    """Everything that is open, by id."""
    return {one.order_id: one for one in book.every_open()}


def _gone(before: Book, after: Book) -> tuple[int, ...]:
    return tuple(one for one in _open(before) if one not in _open(after))


def _again(parts: Parts, ids: Any, recorder: Recorder) -> None:
    """Makes these open again."""
    for number in ids:
        order = parts.alphapoint.book.find(number)
        if order is not None and order.state == "Canceled":
            recorder.hit()
            parts.alphapoint.book.reopen(number)


def _refused(answer: Answer) -> bool:
    legs = (answer.bid, answer.ask) if isinstance(answer, Pair) else (answer,)
    return all(isinstance(leg, Standard) and leg.code != 0 for leg in legs)


def _success(call: Call) -> Answer:
    return Pair(Standard(), Standard()) if CQ.is_of(call) else Standard()


def _double(rule: Callable[[Flight], bool]) -> Act:
    """Looks whether the order is open when the call comes, and relies on it when the call is handled."""

    def act(recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
        try:
            return inner(parts, call)
        except Refused:
            stood = _open(flight.before)
            named = [one for one in stood.values() if _names(call, one)]
            if not named or not rule(flight):
                raise
            recorder.hit()
            return _success(call)

    return act


def _names(call: Call, order: Order) -> bool:
    client = call.members.get("clientorderid")
    return order.order_id == call.members.get("orderid") or (bool(client) and order.client_order_id == client)


def _lost_update(recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
    """Writes the whole list back as it was when the call came, but for what the call itself has cancelled."""
    result = inner(parts, call)
    if not _refused(result):
        _again(parts, [number for one in flight.handled for number in one.cancelled], recorder)
    return result


def _resurrects(recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
    """Rolls back to how things stood when the call came, where it is refused."""

    def roll_back() -> None:
        _again(parts, [number for one in flight.handled for number in one.cancelled if number in flight.ids], recorder)

    try:
        result = inner(parts, call)
    except Refused:
        roll_back()
        raise
    if _refused(result):
        roll_back()
    return result


def _shared_request(recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
    """What was read of a request stands where the next one is read to: an overlapping call is carried out twice."""
    other = next((one for one in flight.handled if one.members != call.members), None)
    if other is None or other.members is None:
        return inner(parts, call)
    recorder.hit()
    return inner(parts, replace(call, members=other.members))


def _shared_answer(recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
    """Overlapping calls are told what the first of them came to."""
    try:
        result = inner(parts, call)
    except Refused as refused:
        error = Standard(refused.refusal.code, refused.refusal.detail)
        result = Pair(error, error) if CQ.is_of(call) else error
    first = flight.handled[0].result if flight.handled else None
    return result if first is None else recorder.swap(result, first)


def _both_refused(recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
    """Each of two calls for one thing finds it locked by the other, and takes it for gone."""
    if not flight.rivals:
        return inner(parts, call)
    recorder.hit()
    raise Refused(RESOURCE_NOT_FOUND, "order", "Not found")


def _refused_and_done(recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
    """Where calls overlap, looks behind the cancellation whether the thing is there."""
    result = inner(parts, call)
    if not flight.rivals and not (CAO.is_of(call) and flight.beside):
        return result
    recorder.hit()
    raise Refused(RESOURCE_NOT_FOUND, "order", "Not found")


def _by_place(recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
    """Remembers an order by its place in the list, which another call makes shorter."""
    order = next((one for one in _open(flight.before).values() if _names(call, one)), None)
    if order is None or not flight.handled:
        return inner(parts, call)
    place = (order.oms_id, order.account_id)
    stood = [one.order_id for one in flight.before.open_orders(*place)].index(order.order_id)
    now = [one.order_id for one in parts.alphapoint.book.open_orders(*place)]
    if stood >= len(now) or now[stood] == order.order_id:
        return inner(parts, call)
    recorder.hit()
    parts.alphapoint.book.cancel([now[stood]])
    return Standard()


def _newcomers_lost(recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
    """Writes everything back as it was when the call came, without what was placed meanwhile by the same users."""
    result = inner(parts, call)
    book = parts.alphapoint.book
    near = _near(parts, flight.account)
    new = [
        one.order_id
        for number, one in _open(book).items()
        if flight.before.find(number) is None and one.account_id in near
    ]
    if new and not _refused(result):
        recorder.hit()
        book.cancel(new)
    return result


def _other_account(recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
    """The account is kept where the first of overlapping calls has put its own."""
    first = flight.handled[0].members if flight.handled else None
    number = call.members.get("accountid") if first is None else first.get("accountid")
    if number == call.members.get("accountid"):
        return inner(parts, call)
    recorder.hit()
    call = replace(call, members={**call.members, "accountid": number})
    flight.members = call.members
    return inner(parts, call)


def _busy(recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
    """Of overlapping calls for one account the last is told that the others do it, which give up because of it."""
    rivals = [one for one in flight.beside if one.account == flight.account]
    if not rivals:
        return inner(parts, call)
    recorder.hit()
    if any(one.result is None for one in rivals):
        raise Refused(OPERATION_FAILED, "condition", "Try again")
    return Standard()


def _stops_at_gone(recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
    """Stops at the first order of its list that somebody else has cancelled meanwhile, and reports success."""
    book = parts.alphapoint.book
    stood = flight.before.open_orders(call.members.get("omsid", 1), flight.account)
    now = _open(book)
    if all(one.order_id in now for one in stood):
        return inner(parts, call)
    recorder.hit()
    for one in stood:
        if one.order_id not in now:
            break
        book.cancel([one.order_id])
    return Standard()


def _one_leg(recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
    """The ask of a quote is taken off by the call that came last, which thinks that it is done."""
    result = inner(parts, call)
    if flight.rivals and not _refused(result):
        _again(parts, [call.members.get("askquoteid")], recorder)
    return result


def _slot(recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
    """Keeps the quote that is being cancelled in one place for each account."""
    other = next((one for one in flight.handled if one.account == flight.account and not one.ids & flight.ids), None)
    if other is None or other.members is None:
        return inner(parts, call)
    recorder.hit()
    inner(parts, replace(call, members=other.members))
    return _success(call)


def _account_of(call: Call) -> int:
    """The account that a call names, 0 for none; what is no number is no account, and none of this fault's business."""
    text = str(call.members.get("accountid") or 0)
    return int(text) if text.isdecimal() and len(text) < _LONGEST_ACCOUNT else 0


def _old_lists(call_name: str, part: Callable[[Parts, Call, Book], Answer]) -> Callable[[Operation], Change]:
    """A list that is read while a call is under way is kept, and shown again until something new is placed."""

    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            kept: dict[int, Book] = {}
            flying: dict[int, int] = {}
            inner_enter, inner = parts.enter, parts.alphapoint.calls[call_name]

            async def enter(p: Parts, arrival: Arrival) -> Parts:
                account = _ACCOUNT.search(arrival.text)
                number = int(account.group(1)) if account else 0
                flying[number] = flying.get(number, 0) + 1
                try:
                    assert inner_enter is not None
                    return await inner_enter(p, arrival)
                finally:
                    flying[number] -= 1

            def listed(p: Parts, call: Call) -> Answer:
                number = _account_of(call)
                if flying.get(number) and number not in kept:
                    kept[number] = p.alphapoint.book.snapshot()
                if number not in kept:
                    return inner(p, call)
                return recorder.swap(inner(p, call), part(p, call, kept[number]))

            def forgets(name: str) -> Handler:
                before = parts.alphapoint.calls[name]

                def placed(p: Parts, call: Call) -> Answer:
                    kept.pop(_account_of(call), None)
                    return before(p, call)

                return placed

            for name in ("SendOrder", "CreateQuote"):
                parts = with_call(parts, name, forgets(name))
            return with_call(replace(parts, enter=enter), call_name, listed)

        return _overlapping(operation, lambda _recorder, inner, p, call, _flight: inner(p, call), apply)

    return make


def _flickers(operation: Operation) -> Change:
    """Behind overlapping calls, every second list comes from a copy that has not heard of them yet."""
    copies: dict[int, tuple[float, Book]] = {}
    counts: dict[int, int] = {}

    def act(_recorder: Recorder, inner: Handler, parts: Parts, call: Call, flight: Flight) -> Answer:
        copies[flight.account] = (time.monotonic() + _STALE_S, flight.before)
        return inner(parts, call)

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.alphapoint.calls["GetOpenQuotes"]
        copies.clear()  # another server knows nothing of what stood on this one
        counts.clear()

        def listed(p: Parts, call: Call) -> Answer:
            number = _account_of(call)
            until_s, book = copies.get(number, (0.0, p.alphapoint.book))
            counts[number] = counts.get(number, 0) + 1
            now = inner(p, call)
            if time.monotonic() > until_s or counts[number] % 2:
                return now
            return recorder.swap(now, inner(_reading(p, book), call))

        return with_call(parts, "GetOpenQuotes", listed)

    return _overlapping(operation, act, apply)


def _reading(parts: Parts, book: Book) -> Parts:
    return replace(parts, alphapoint=replace(parts.alphapoint, book=book))


def _list_of(call_name: str) -> Callable[[Parts, Call, Book], Answer]:
    """The answer of a list, from another book."""

    def listed(parts: Parts, call: Call, book: Book) -> Answer:
        from reference_impl.alphapoint.orders import CALLS

        return CALLS[call_name](_reading(parts, book), call)

    return listed


def _fault(operation: Operation, name: str, summary: str, breaks: str, act: Act) -> Variant:
    return fault_of(operation, f"race-{name}", summary, breaks, _overlapping(operation, act))


FAULTS: tuple[Variant, ...] = (
    _fault(CO, "double", "Relies on a look at the order that is older than another call", "AGAIN", _double(lambda _: True)),
    _fault(
        CO,
        "double-across-transports",
        "Knows of the calls of its own transport alone while they are under way",
        "AGAIN",
        _double(lambda flight: any(one.transport != flight.transport for one in flight.handled)),
    ),
    _fault(
        CO,
        "double-by-two-names",
        "Keeps calls by OrderId and by ClientOrderId apart while they are under way",
        "AGAIN",
        _double(lambda flight: any(one.by_client != flight.by_client for one in flight.handled)),
    ),
    _fault(CO, "lost-update", "Writes the account's list back without another call's change", "EFFECT", _lost_update),
    _fault(CO, "resurrects", "Rolls back what another call has done", "EFFECT EFFECT-LASTS AGAIN", _resurrects),
    _fault(
        CO,
        "shared-request",
        "Reads overlapping requests into one place",
        "EFFECT RESP-RESULT-TRUE REFUSED-NO-EFFECT AGAIN CODE-104",
        _shared_request,
    ),
    _fault(
        CO,
        "shared-answer",
        "Gives overlapping calls the answer of the first",
        "RESP-RESULT-TRUE CODE-104 AGAIN EFFECT",
        _shared_answer,
    ),
    _fault(CO, "both-refused", "Refuses both of two calls for one order", "RESP-RESULT-TRUE", _both_refused),
    _fault(CO, "refused-and-done", "Refuses both of two calls, and cancels", "REFUSED-NO-EFFECT", _refused_and_done),
    _fault(CO, "by-place", "Cancels what stands where the order stood", "EFFECT EFFECT-ONLY", _by_place),
    _fault(CO, "newcomers-lost", "Loses orders that are placed meanwhile", "EFFECT-ONLY", _newcomers_lost),
    fault_of(
        CO,
        "race-list-kept",
        "Keeps a list that was read while a cancellation was under way",
        "EFFECT",
        _old_lists("GetOpenOrders", _list_of("GetOpenOrders"))(CO),
    ),
    _fault(CAO, "lost-update", "Writes accounts back without another call's change", "EFFECT-ACCOUNT", _lost_update),
    _fault(
        CAO,
        "other-account",
        "Works on the account of an overlapping call",
        "EFFECT-ACCOUNT EFFECT-ONLY SCOPE-TRADING",
        _other_account,
    ),
    _fault(CAO, "busy", "Says to the last of several calls that it is being done, and gives up", "EFFECT-ACCOUNT", _busy),
    _fault(CAO, "stops-at-gone", "Stops at an order that is gone meanwhile", "EFFECT-ACCOUNT", _stops_at_gone),
    _fault(CAO, "newcomers-lost", "Loses orders placed meanwhile in another account", "EFFECT-ONLY", _newcomers_lost),
    _fault(CAO, "refused-and-done", "Refuses overlapping calls, and cancels", "REFUSED-NO-EFFECT", _refused_and_done),
    fault_of(
        CAO,
        "race-list-kept",
        "Keeps a list that was read while a cancellation was under way",
        "EFFECT-ACCOUNT",
        _old_lists("GetOpenOrders", _list_of("GetOpenOrders"))(CAO),
    ),
    _fault(CQ, "lost-update", "Writes the account's quotes back without another call's change", "EFFECT-PAIR", _lost_update),
    _fault(CQ, "resurrects", "Rolls back what another call has done", "EFFECT-PAIR EFFECT-LASTS", _resurrects),
    _fault(CQ, "both-refused", "Refuses both of two calls for one quote", "RESP-RESULT-TRUE", _both_refused),
    _fault(CQ, "refused-and-done", "Refuses both of two calls, and cancels", "REFUSED-NO-EFFECT", _refused_and_done),
    _fault(CQ, "one-leg", "Leaves the ask open where two calls overlap", "EFFECT-PAIR", _one_leg),
    _fault(CQ, "slot", "Keeps the quote that is cancelled in one place for each account", "EFFECT-PAIR", _slot),
    _fault(CQ, "newcomers-lost", "Loses quotes that are made meanwhile", "EFFECT-ONLY", _newcomers_lost),
    fault_of(CQ, "race-flickers", "Shows a quote again that it has shown as gone", "VERIFY-OPEN EFFECT-PAIR", _flickers(CQ)),
)  # fmt: skip
