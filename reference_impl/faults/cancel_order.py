"""Violations in CancelOrder: what it cancels, by which id, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.dispatch import answer
from reference_impl.alphapoint.http import JSON
from reference_impl.alphapoint.values import (
    NOT_AUTHORIZED,
    About,
    Answer,
    Call,
    CancelOrderRequest,
    Refused,
    Standard,
)
from reference_impl.changes import (
    CO,
    fault_of,
    handler,
    may_call,
    step,
)
from reference_impl.parts import Parts, with_alphapoint, with_policy
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpResponse
from reference_impl.world.model import Account, User

_Inner = Callable[[Parts, Call], Answer]


def _also(others: Callable[[Parts, Order], list[Order]]) -> Change:
    """Cancels other orders besides the one that is named."""

    def run(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
        result = inner(parts, call)
        named = parts.alphapoint.book.find(call.members.get("orderid") or 0)
        if named is not None and parts.alphapoint.book.cancel(order.order_id for order in others(parts, named)):
            recorder.hit()
        return result

    return handler(CO, run)


def _of_account(parts: Parts, named: Order) -> list[Order]:
    return parts.alphapoint.book.open_orders(named.oms_id, named.account_id)


def _next_one(parts: Parts, named: Order) -> list[Order]:
    return [order for order in _of_account(parts, named) if order.order_id > named.order_id][:1]


def _same_price(parts: Parts, named: Order) -> list[Order]:
    every = [
        order for account in parts.world.accounts for order in parts.alphapoint.book.open_orders(named.oms_id, account)
    ]
    return [o for o in every if (o.instrument_id, o.price) == (named.instrument_id, named.price) and not o.is_quote]


def _same_number(parts: Parts, named: Order) -> list[Order]:
    orders = parts.alphapoint.book.open_orders(named.oms_id, named.account_id)
    return [order for order in orders if named.client_order_id and order.client_order_id == named.client_order_id]


def _not_done(recorder: Recorder, _inner: _Inner, parts: Parts, call: Call) -> Answer:
    """Does all but the effect."""
    kept = replace(parts.alphapoint.cancel_order, effect=lambda _parts, _call, _order: Standard())
    result = _inner(with_alphapoint(parts, cancel_order=kept), call)
    recorder.hit()
    return result


def _not_done_over(transport: str) -> Change:
    def run(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
        return _not_done(recorder, inner, parts, call) if call.transport == transport else inner(parts, call)

    return handler(CO, run)


def _done_but_refused(abouts: tuple[About, ...]) -> Change:
    """Cancels the order that the request names, and then refuses for its reasons."""

    def run(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
        try:
            return inner(parts, call)
        except Refused as refused:
            number = call.members.get("orderid")
            acts = refused.refusal.about in abouts and isinstance(number, int)
            if acts and parts.alphapoint.book.cancel([number]):  # type: ignore[list-item]  # an int by the line above
                recorder.hit()
            raise

    return handler(CO, run)


def _any_account(inner: Any, parts: Parts, call: Call, request: CancelOrderRequest, account: Account) -> Order:
    """Finds an order by its number alone, whoever's it is."""
    order = parts.alphapoint.book.find(request.order_id or 0)
    open_one = order is not None and order.state == "Working" and order.oms_id == account.oms_id
    found: Order = order if order is not None and open_one else inner(parts, call, request, account)
    return found


def _any_client(inner: Any, parts: Parts, call: Call, request: CancelOrderRequest, account: Account) -> Order:
    """Looks a client's number up in every account."""
    for number in parts.world.accounts if not request.order_id else ():
        for order in parts.alphapoint.book.open_orders(account.oms_id, number):
            if order.client_order_id == request.client_order_id:
                return order
    found: Order = inner(parts, call, request, account)
    return found


def _any_oms(inner: Any, parts: Parts, call: Call, request: CancelOrderRequest) -> Account:
    """Looks an account up whatever the system."""
    account = parts.world.accounts.get(request.account_id or 0)
    known = account is not None and request.oms_id in parts.world.oms
    touched = account is not None and parts.alphapoint.policy.may_touch(call.user, account.account_id)
    found: Account = account if account is not None and known and touched else inner(parts, call, request)
    return found


def _newest(inner: Any, parts: Parts, call: Call, request: CancelOrderRequest, account: Account) -> Order:
    """Takes the newest open order for one that it cannot find."""
    try:
        found: Order = inner(parts, call, request, account)
    except Refused:
        still_open = parts.alphapoint.book.open_orders(account.oms_id, account.account_id)
        if not still_open:
            raise
        return still_open[-1]
    return found


def _next_for_gone(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
    """Refuses an order that is cancelled already, and cancels the next one of the account."""
    try:
        return inner(parts, call)
    except Refused:
        number = call.members.get("orderid")
        gone = parts.alphapoint.book.find(number) if isinstance(number, int) else None
        if (
            gone is not None
            and gone.state != "Working"
            and parts.alphapoint.book.cancel(o.order_id for o in _next_one(parts, gone))
        ):
            recorder.hit()
        raise


def _omitted_anybodys(inner: Any, parts: Parts, call: Call, request: CancelOrderRequest, account: Account) -> Order:
    """Without an account, finds an order by its number alone."""
    if request.account_id is None:
        return _any_account(inner, parts, call, request, account)
    found: Order = inner(parts, call, request, account)
    return found


def _both_cancelled(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
    """With both ids, cancels both orders, and one more of the account."""
    result = inner(parts, call)
    account = call.members.get("accountid")
    if call.members.get("orderid") and call.members.get("clientorderid") and isinstance(account, int):
        recorder.hit()
        parts.alphapoint.book.cancel(order.order_id for order in parts.alphapoint.book.open_orders(1, account))
    return result


def _again_20(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
    number = call.members.get("orderid")
    order = parts.alphapoint.book.find(number) if isinstance(number, int) else None
    if order is not None and order.state != "Working":
        recorder.hit()
        raise Refused(NOT_AUTHORIZED, "permission", "The order is not open")
    return inner(parts, call)


def _every_account(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
    return inner(
        with_policy(parts, may_touch=lambda user, account: recorder.swap(_may_touch(parts, user, account), True)), call
    )


def _own_accounts(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
    def may_touch(user: User, account: int) -> bool:
        return bool(recorder.swap(_may_touch(parts, user, account), account in user.accounts))

    return inner(with_policy(parts, may_touch=may_touch), call)


def _may_touch(parts: Parts, user: User, account: int) -> bool:
    return parts.alphapoint.policy.may_touch(user, account)


def _without_session(parts: Parts, recorder: Recorder) -> Parts:
    """Serves a request without a session as the operator."""
    inner = parts.alphapoint.http_no_session

    def http_no_session(p: Parts, call: Call) -> HttpResponse:
        if not CO.is_of(call):
            return inner(p, call)
        recorder.hit()
        return HttpResponse(200, answer(p, replace(call, caller=p.world.users["operator"]))[1].encode(), JSON)

    return with_alphapoint(parts, http_no_session=http_no_session)


def _socket_without_session(parts: Parts, recorder: Recorder) -> Parts:
    def run(told: Recorder, inner: _Inner, p: Parts, call: Call) -> Answer:
        if call.caller is None:
            told.hit()
            call = replace(call, caller=p.world.users["operator"])
        return inner(p, call)

    public = parts.alphapoint.public_calls | {CO.call}
    return handler(CO, run)(with_alphapoint(parts, public_calls=public), recorder)


FAULTS: tuple[Variant, ...] = (
    fault_of(CO, "no-effect", "Reports success and cancels nothing", "EFFECT", handler(CO, _not_done)),
    fault_of(
        CO,
        "no-effect-ws",
        "Reports success over WebSocket and cancels nothing",
        "EFFECT SAME-TRANSPORT",
        _not_done_over("ws"),
    ),
    fault_of(CO, "whole-account", "Cancels every order of the account", "EFFECT-ONLY", _also(_of_account)),
    fault_of(CO, "next-too", "Cancels the next order of the account as well", "EFFECT-ONLY", _also(_next_one)),
    fault_of(CO, "price-level", "Cancels every order at the same price", "EFFECT-ONLY", _also(_same_price)),
    fault_of(
        CO,
        "same-number-too",
        "Cancels every order of the account to which its client gave the same number",
        "EFFECT-ONLY",
        _also(_same_number),
    ),
    fault_of(
        CO,
        "newest-instead",
        "Takes the newest order for one that it cannot find",
        "REFUSED-NO-EFFECT CODE-104 SCOPE-TRADING REQ-CLIENTORDERID",
        step(CO, "select", _newest),
    ),
    fault_of(CO, "every-oms", "Looks an account up whatever the system", "EFFECT-OMS", step(CO, "account", _any_oms)),
    fault_of(
        CO,
        "by-number-alone",
        "Finds an order by its number, whoever's it is",
        "SCOPE-TRADING",
        step(CO, "select", _any_account),
    ),
    fault_of(
        CO,
        "omitted-anybodys",
        "Finds an order by its number, whoever's it is, when no account is named",
        "SCOPE-TRADING",
        step(CO, "select", _omitted_anybodys),
    ),
    fault_of(
        CO,
        "next-for-gone",
        "Cancels the next order when the one that is named is cancelled already",
        "EFFECT-ONLY",
        handler(CO, _next_for_gone),
    ),
    fault_of(
        CO,
        "any-client",
        "Looks a client's number up in every account",
        "SCOPE-TRADING",
        step(CO, "select", _any_client),
    ),
    fault_of(CO, "foreign-allowed", "Lets a trader address any account", "SCOPE-TRADING", handler(CO, _every_account)),
    fault_of(
        CO,
        "operator-own-only",
        "Lets an operator address his own account alone",
        "SCOPE-OPERATOR PERM-OPERATOR",
        handler(CO, _own_accounts),
    ),
    fault_of(
        CO,
        "operator-refused",
        "Refuses operators",
        "PERM-OPERATOR SCOPE-OPERATOR",
        may_call(CO, lambda user: False if "Operator" in user.permissions else None),
    ),
    fault_of(
        CO,
        "trading-refused",
        "Refuses users with Trading permission",
        "PERM-TRADING RESP-RESULT-TRUE",
        may_call(CO, lambda user: False if "Trading" in user.permissions else None),
    ),
    fault_of(
        CO,
        "marketmaker-allowed",
        "Serves market makers",
        "PERM-OTHERS",
        may_call(CO, lambda user: True if user.permissions == {"MarketMaker"} else None),
    ),
    fault_of(
        CO,
        "nobody-allowed",
        "Serves users who have no permission",
        "PERM-OTHERS CODE-20",
        may_call(CO, lambda user: True if not user.permissions else None),
    ),
    fault_of(
        CO,
        "permission-acts",
        "Cancels although it refuses a foreign account",
        "REFUSED-NO-EFFECT SCOPE-TRADING",
        _done_but_refused(("foreign-account",)),
    ),
    fault_of(
        CO,
        "condition-acts",
        "Cancels although it answers 101 or 102",
        "REFUSED-NO-EFFECT",
        _done_but_refused(("condition",)),
    ),
    fault_of(
        CO,
        "malformed-acts",
        "Cancels although it refuses a malformed request",
        "REFUSED-NO-EFFECT MALFORMED REQ-OMSID-REQUIRED REQ-OMSID-TYPE",
        _done_but_refused(("member",)),
    ),
    fault_of(
        CO,
        "no-session-served",
        "Serves a request without a session as the operator",
        "HTTP-SESSION REFUSED-NO-EFFECT",
        _without_session,
    ),
    fault_of(
        CO, "ws-no-session-served", "Serves a socket that has not signed in", "WS-SESSION", _socket_without_session
    ),
    fault_of(
        CO,
        "both-cancelled",
        "Cancels the whole account when both ids are there",
        "REQ-BOTH EFFECT-ONLY",
        handler(CO, _both_cancelled),
    ),
    fault_of(CO, "again-20", "Answers 20 for an order that is cancelled", "AGAIN", handler(CO, _again_20)),
)
