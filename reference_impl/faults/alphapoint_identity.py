"""Violations in what a request names: other accounts, instruments, numbers, calls; and effects that do not last."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.http import JSON
from reference_impl.alphapoint.values import (
    INVALID_REQUEST,
    Answer,
    Call,
    CancelAllRequest,
    CancelOrderRequest,
    CancelQuoteRequest,
    Pair,
    Refusal,
    Refused,
    Standard,
)
from reference_impl.changes import (
    CAO,
    CO,
    CQ,
    Make,
    Operation,
    fault_of,
    frames,
    handler,
    refusals,
    reply_members,
    step,
)
from reference_impl.faults.misreading import misread, wrapped
from reference_impl.parts import Legs, Parts, with_call
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.wire import FrameInfo, HttpRequest, HttpResponse
from reference_impl.world.model import Account

_Inner = Callable[[Parts, Call], Answer]
_KNOWN = {
    CAO: {"omsid", "accountid"},
    CO: {"omsid", "accountid", "orderid", "clientorderid", "clordid"},
    CQ: {"omsid", "accountid", "instrumentid", "bidquoteid", "askquoteid"},
}
_OPENS_AGAIN_S = 0.08
_DONE = Standard()


def _each(name: str, summary: str, breaks: str, make: Make) -> tuple[Variant, ...]:
    return tuple(fault_of(operation, name, summary, breaks, make(operation)) for operation in (CAO, CQ, CO))


def _own_elsewhere(parts: Parts, call: Call, number: int | None, account: Account) -> Account:
    """The caller's account in which an open order of this number stands, else the account named."""
    order = parts.alphapoint.book.find(number or 0)
    if order is None or order.state != "Working" or order.oms_id != account.oms_id:
        return account
    touched = parts.alphapoint.policy.may_touch(call.user, order.account_id)
    return parts.world.accounts[order.account_id] if touched else account


def _any_account_of_quotes(inner: Any, parts: Parts, call: Call, request: CancelQuoteRequest, account: Account) -> Legs:
    where = _own_elsewhere(parts, call, request.bid_quote_id, account) if request.account_id else account
    found: Legs = inner(parts, call, request, where)
    return found


def _any_instrument(inner: Any, parts: Parts, call: Call, request: CancelQuoteRequest, account: Account) -> Legs:
    """Leaves an instrument unread, as long as there is such a one."""
    if request.instrument_id in parts.world.instruments:
        request = replace(request, instrument_id=None)
    found: Legs = inner(parts, call, request, account)
    return found


def _newest_there(inner: Any, parts: Parts, call: Call, request: CancelQuoteRequest, account: Account) -> Legs:
    """Goes by account and instrument: of several quotes there, the newest is meant."""
    found: Legs = inner(parts, call, request, account)
    bid, ask = found
    if not bid.order or not ask.order:
        return found
    place = bid.order.oms_id, bid.order.account_id
    there = [one for one in parts.alphapoint.book.open_orders(*place) if one.is_quote]
    there = [one for one in there if one.instrument_id == bid.order.instrument_id]
    bids, asks = ([one for one in there if one.side == side] for side in ("Buy", "Sell"))
    return replace(bid, order=bids[-1]), replace(ask, order=asks[-1])


def _of_two(inner: Any, parts: Parts, call: Call, legs: Legs) -> Legs:
    """Without an instrument, takes a bid and an ask that are both open, whichever quotes they are of."""
    if all(leg.order for leg in legs) and not call.members.get("instrumentid"):
        return legs
    found: Legs = inner(parts, call, legs)
    return found


def _every_quote(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
    """Without an instrument, cancels every quote of the account."""
    result = inner(parts, call)
    bid = call.members.get("bidquoteid")
    named = parts.alphapoint.book.find(bid) if isinstance(bid, int) else None
    if result == Pair(_DONE, _DONE) and named is not None and not call.members.get("instrumentid"):
        others = parts.alphapoint.book.open_orders(named.oms_id, named.account_id)
        if parts.alphapoint.book.cancel(order.order_id for order in others if order.is_quote):
            recorder.hit()
    return result


def _account_of_order(inner: Any, parts: Parts, call: Call, request: CancelOrderRequest, account: Account) -> Order:
    where = _own_elsewhere(parts, call, request.order_id, account) if request.account_id else account
    found: Order = inner(parts, call, request, where)
    return found


def _client_elsewhere(inner: Any, parts: Parts, call: Call, request: CancelOrderRequest, account: Account) -> Order:
    """Of two orders that have the number, takes the one in another account."""
    found: Order = inner(parts, call, request, account)
    if request.order_id:
        return found
    others = [number for number in parts.world.accounts if number != account.account_id]
    twins = [
        order
        for number in others
        for order in parts.alphapoint.book.open_orders(account.oms_id, number)
        if order.client_order_id == found.client_order_id
    ]
    return twins[0] if twins else found


def _received_again(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
    """Reports success for an order of the caller's that is cancelled already."""
    number = call.members.get("orderid")
    order = parts.alphapoint.book.find(number) if isinstance(number, int) else None
    try:
        return inner(parts, call)
    except Refused as refused:
        gone = order is not None and order.state == "Canceled"
        own = order is not None and parts.alphapoint.policy.may_touch(call.user, order.account_id)
        if refused.refusal.about != "order" or not gone or not own or call.members.get("clientorderid"):
            raise
        recorder.hit()
        return _DONE


def _without_client_numbers(
    inner: Any, parts: Parts, call: Call, request: CancelAllRequest, accounts: tuple[Account, ...]
) -> tuple[Order, ...]:
    return tuple(order for order in inner(parts, call, request, accounts) if not order.client_order_id)


def _last_of_each_number(
    inner: Any, parts: Parts, call: Call, request: CancelAllRequest, accounts: tuple[Account, ...]
) -> tuple[Order, ...]:
    """Collects orders by the number of their client: of several with the same one, the last is left."""
    orders = inner(parts, call, request, accounts)
    return tuple({order.client_order_id or f"none {order.order_id}": order for order in orders}.values())


def _last_of_those_without(
    inner: Any, parts: Parts, call: Call, request: CancelAllRequest, accounts: tuple[Account, ...]
) -> tuple[Order, ...]:
    orders = inner(parts, call, request, accounts)
    without = [order for order in orders if not order.client_order_id]
    return tuple(order for order in orders if order.client_order_id or order is without[-1])


def _opens_again(operation: Operation, observing: str) -> Change:
    """What was cancelled last is open again a moment later."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        due: list[tuple[float, int]] = []
        book = parts.alphapoint.book

        def run(_recorder: Recorder, inner: _Inner, p: Parts, call: Call) -> Answer:
            before = {order.order_id for order in _open_anywhere(p)}
            result = inner(p, call)
            gone = before - {order.order_id for order in _open_anywhere(p)}
            if gone:
                due.append((time.monotonic() + _OPENS_AGAIN_S, max(gone)))
            return result

        def observed(p: Parts, call: Call) -> Answer:
            now = time.monotonic()
            for entry in [one for one in due if one[0] <= now]:
                due.remove(entry)
                book.reopen(entry[1])
                recorder.hit()
            return inner_observing(p, call)

        inner_observing = parts.alphapoint.calls[observing]
        return with_call(handler(operation, run)(parts, recorder), observing, observed)

    return apply


def _open_anywhere(parts: Parts) -> list[Order]:
    return [
        order
        for account in parts.world.accounts.values()
        for order in parts.alphapoint.book.open_orders(account.oms_id, account.account_id)
    ]


def _extra_refused(operation: Operation) -> Change:
    def run(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
        if set(call.members) - _KNOWN[operation]:
            recorder.hit()
            raise Refused(INVALID_REQUEST, "member", "Unknown member")
        return inner(parts, call)

    return handler(operation, run)


def _text_is_success(operation: Operation) -> Change:
    def change(refusal: Refusal, call: Call) -> Standard | None:
        of_text = refusal.about == "account" and isinstance(call.members.get("omsid"), str)
        return _DONE if of_text else None

    return refusals(operation, change)


def _without_fraction(value: Any) -> Any:
    return int(value) if isinstance(value, float) and abs(value) < 1e15 else value


def _acts_unanswered(operation: Operation) -> Change:
    """Carries a subscription that names the call out, and says that there is no such subscription."""

    def change(info: FrameInfo, replies: tuple[str, ...]) -> tuple[str, ...]:
        if json.loads(info.text).get("m") not in (2, 4):
            return replies
        members = [json.loads(text) for text in replies]
        return tuple(json.dumps({**one, "m": 5, "o": "Endpoint Not Found"}) for one in members)

    return frames(operation, change)


def _any_call(operation: Operation) -> Change:
    """Reports success for a call that does not exist, if its name starts with that of the operation's."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.http_filter
        done = {"result": True, "errormsg": None, "errorcode": 0, "detail": None}
        told = {"BidResult": done, "AskResult": done} if operation is CQ else done

        def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
            response = inner(request, response)
            if request.operation or not request.path.lower().startswith(f"/ap/{operation.call.lower()}"):
                return response
            return recorder.swap(response, HttpResponse(200, json.dumps(told).encode(), JSON))

        return replace(parts, http_filter=http_filter)

    return apply


FAULTS: tuple[Variant, ...] = (
    fault_of(
        CAO,
        "keeps-client-numbers",
        "Leaves orders that their client has given a number",
        "EFFECT-ACCOUNT",
        step(CAO, "select", _without_client_numbers),
    ),
    fault_of(
        CAO,
        "last-of-each-number",
        "Leaves all but the last of the orders to which their client gave the same number",
        "EFFECT-ACCOUNT",
        step(CAO, "select", _last_of_each_number),
    ),
    fault_of(
        CAO,
        "last-of-those-without",
        "Leaves all but the last of the orders that their client gave no number",
        "EFFECT-ACCOUNT",
        step(CAO, "select", _last_of_those_without),
    ),
    fault_of(
        CO,
        "any-own-account",
        "Finds an order of the caller's whichever of his accounts is named",
        "REQ-ACCOUNTID-IDENTIFIES",
        step(CO, "select", _account_of_order),
    ),
    fault_of(
        CO,
        "client-elsewhere",
        "Takes the order of another account for a number that both accounts use",
        "REQ-CLIENTORDERID SCOPE-TRADING EFFECT-ONLY",
        step(CO, "select", _client_elsewhere),
    ),
    fault_of(
        CO,
        "again-received",
        "Reports success for an order that is cancelled already",
        "AGAIN",
        handler(CO, _received_again),
    ),
    fault_of(
        CQ,
        "any-own-account",
        "Finds a quote of the caller's whichever of his accounts is named",
        "REQ-ACCOUNTID-IDENTIFIES",
        step(CQ, "judge", _any_account_of_quotes),
    ),
    fault_of(
        CQ,
        "any-instrument",
        "Finds a quote whichever instrument is named",
        "REQ-INSTRUMENTID-IDENTIFIES",
        step(CQ, "judge", _any_instrument),
    ),
    fault_of(
        CQ,
        "newest-there",
        "Cancels the newest quote of the account on the instrument, whichever is named",
        "EFFECT-ONLY EFFECT-PAIR",
        step(CQ, "judge", _newest_there),
    ),
    fault_of(
        CQ,
        "legs-of-two",
        "Cancels the bid of one quote and the ask of another where no instrument is named",
        "LEGS-OF-ONE",
        step(CQ, "combine", _of_two),
    ),
    fault_of(
        CQ,
        "quotes-of-any-instrument",
        "Cancels every quote of the account where no instrument is named",
        "EFFECT-ONLY",
        handler(CQ, _every_quote),
    ),
    fault_of(CAO, "opens-again", "Opens the last order again", "EFFECT-LASTS", _opens_again(CAO, "GetOpenOrders")),
    fault_of(CO, "opens-again", "Opens the order again", "EFFECT-LASTS", _opens_again(CO, "GetOpenOrders")),
    fault_of(CQ, "opens-again", "Opens a leg again", "EFFECT-LASTS", _opens_again(CQ, "GetOpenQuotes")),
    *_each("extra-100", "Refuses a member that it does not know with 100", "EXTRA-MEMBERS", _extra_refused),
    *_each(
        "text-success",
        "Reports success for an unknown account when OMSId is text",
        "CODE-104",
        _text_is_success,
    ),
    *_each(
        "account-fraction",
        "Cuts a fraction off from AccountId",
        "REQ-ACCOUNTID-TYPE",
        lambda operation: misread(operation, "AccountId", _without_fraction),
    ),
    *_each(
        "ws-subscribe-acts",
        "Carries a subscription out that names the call, and answers that there is none",
        "WS-M-REQUEST",
        _acts_unanswered,
    ),
    *_each(
        "ws-i-32-bits",
        "Keeps 32 bits of the sequence number",
        "WS-I",
        lambda operation: reply_members(operation, lambda frame: {**frame, "i": wrapped(32)(frame["i"])}),
    ),
    *_each("any-call", "Reports success for a call that does not exist", "HTTP-ROUTE", _any_call),
)
