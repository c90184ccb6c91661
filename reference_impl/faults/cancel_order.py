"""Violations in CancelOrder: what it cancels, by which id, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.dispatch import answer
from reference_impl.alphapoint.http import JSON
from reference_impl.alphapoint.values import (
    INVALID_REQUEST,
    NOT_AUTHORIZED,
    RESOURCE_NOT_FOUND,
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
    refusals,
    step,
)
from reference_impl.faults.misreading import instead_of_absent, instead_of_unusable, leading_digits, misread, wrapped
from reference_impl.parts import Parts, with_alphapoint, with_policy
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpResponse
from reference_impl.world.model import Account, User

_DONE = '{"result":true,"errormsg":null,"errorcode":0,"detail":null}'
_Inner = Callable[[Parts, Call], Answer]


def _other_code(about: About, code: int) -> Change:
    """Answers one kind of refusal with another code."""
    return refusals(CO, lambda refusal, _call: Standard(code, refusal.detail) if refusal.about == about else None)


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
    every = [order for account in parts.world.accounts for order in parts.alphapoint.book.open_orders(named.oms_id, account)]
    return [o for o in every if (o.instrument_id, o.price) == (named.instrument_id, named.price) and not o.is_quote]


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


def _no_client_ids(inner: Any, parts: Parts, call: Call) -> CancelOrderRequest:
    request: CancelOrderRequest = replace(inner(parts, call), client_order_id=None)
    if not request.order_id:
        raise Refused(INVALID_REQUEST, "member", "OrderId is Required")
    return request


def _both_cancelled(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
    """With both ids, cancels both orders, and one more of the account."""
    result = inner(parts, call)
    account = call.members.get("accountid")
    if call.members.get("orderid") and call.members.get("clientorderid") and isinstance(account, int):
        recorder.hit()
        parts.alphapoint.book.cancel(order.order_id for order in parts.alphapoint.book.open_orders(1, account))
    return result


def _demands_account(inner: Any, parts: Parts, call: Call) -> CancelOrderRequest:
    request: CancelOrderRequest = inner(parts, call)
    if request.account_id is None:
        raise Refused(INVALID_REQUEST, "member", "AccountId is Required")
    return request


def _again_20(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
    order = parts.alphapoint.book.find(call.members.get("orderid") or 0)
    if order is not None and order.state != "Working":
        recorder.hit()
        raise Refused(NOT_AUTHORIZED, "permission", "The order is not open")
    return inner(parts, call)


def _extra_nothing(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
    """Reports success and does nothing when there is a member that it does not know."""
    known = {"omsid", "accountid", "orderid", "clientorderid", "clordid"}
    return _not_done(recorder, inner, parts, call) if call.members.keys() - known else inner(parts, call)


def _exact_keys(parts: Parts, recorder: Recorder) -> Parts:
    """Knows the members in the documented spelling alone."""
    inner = parts.alphapoint.read_members
    known = ("OMSId", "AccountId", "OrderId", "ClientOrderId")

    def read_members(p: Parts, call: Call) -> Any:
        members = dict(inner(p, call))
        text = call.payload.decode("utf-8", "replace") if isinstance(call.payload, bytes) else call.payload
        spelt = {name.lower() for name in known if f'"{name}"' in text}
        return recorder.swap(members, {k: v for k, v in members.items() if k in spelt}) if CO.is_of(call) else members

    return with_alphapoint(parts, read_members=read_members)


def _every_account(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
    return inner(with_policy(parts, may_touch=lambda user, account: recorder.swap(_may_touch(parts, user, account), True)), call)


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
    fault_of(CO, "no-effect-ws", "Reports success over WebSocket and cancels nothing", "EFFECT SAME-TRANSPORT", _not_done_over("ws")),
    fault_of(CO, "whole-account", "Cancels every order of the account", "EFFECT-ONLY", _also(_of_account)),
    fault_of(CO, "next-too", "Cancels the next order of the account as well", "EFFECT-ONLY", _also(_next_one)),
    fault_of(CO, "price-level", "Cancels every order at the same price", "EFFECT-ONLY", _also(_same_price)),
    fault_of(CO, "newest-instead", "Takes the newest order for one that it cannot find", "REFUSED-NO-EFFECT CODE-104 SCOPE-TRADING REQ-CLIENTORDERID", step(CO, "select", _newest)),
    fault_of(CO, "every-oms", "Looks an account up whatever the system", "EFFECT-OMS", step(CO, "account", _any_oms)),
    fault_of(CO, "by-number-alone", "Finds an order by its number, whoever's it is", "SCOPE-TRADING", step(CO, "select", _any_account)),
    fault_of(CO, "any-client", "Looks a client's number up in every account", "SCOPE-TRADING", step(CO, "select", _any_client)),
    fault_of(CO, "foreign-allowed", "Lets a trader address any account", "SCOPE-TRADING", handler(CO, _every_account)),
    fault_of(CO, "operator-own-only", "Lets an operator address his own account alone", "SCOPE-OPERATOR PERM-OPERATOR", handler(CO, _own_accounts)),
    fault_of(CO, "operator-refused", "Refuses operators", "PERM-OPERATOR SCOPE-OPERATOR", may_call(CO, lambda user: False if "Operator" in user.permissions else None)),
    fault_of(CO, "trading-refused", "Refuses users with Trading permission", "PERM-TRADING RESP-RESULT-TRUE", may_call(CO, lambda user: False if "Trading" in user.permissions else None)),
    fault_of(CO, "marketmaker-allowed", "Serves market makers", "PERM-OTHERS", may_call(CO, lambda user: True if user.permissions == {"MarketMaker"} else None)),
    fault_of(CO, "nobody-allowed", "Serves users who have no permission", "PERM-OTHERS CODE-20", may_call(CO, lambda user: True if not user.permissions else None)),
    fault_of(CO, "permission-acts", "Cancels although it refuses a foreign account", "REFUSED-NO-EFFECT SCOPE-TRADING", _done_but_refused(("foreign-account",))),
    fault_of(CO, "condition-acts", "Cancels although it answers 101 or 102", "REFUSED-NO-EFFECT", _done_but_refused(("condition",))),
    fault_of(CO, "malformed-acts", "Cancels although it refuses a malformed request", "REFUSED-NO-EFFECT MALFORMED REQ-OMSID-REQUIRED REQ-OMSID-TYPE", _done_but_refused(("member",))),
    fault_of(CO, "no-session-served", "Serves a request without a session as the operator", "HTTP-SESSION REFUSED-NO-EFFECT", _without_session),
    fault_of(CO, "ws-no-session-served", "Serves a socket that has not signed in", "WS-SESSION", _socket_without_session),
    fault_of(CO, "no-client-ids", "Knows no ClientOrderId", "REQ-CLIENTORDERID", step(CO, "read", _no_client_ids)),
    fault_of(CO, "both-cancelled", "Cancels the whole account when both ids are there", "REQ-BOTH EFFECT-ONLY", handler(CO, _both_cancelled)),
    fault_of(CO, "account-demanded", "Refuses a request without AccountId", "REQ-ACCOUNTID-OPTIONAL", step(CO, "read", _demands_account)),
    fault_of(CO, "account-32-bits", "Keeps 32 bits of AccountId", "REQ-ACCOUNTID-TYPE", misread(CO, "AccountId", wrapped(32))),
    fault_of(CO, "account-leading-digits", "Takes the digits that the text of AccountId starts with", "REQ-ACCOUNTID-TYPE", misread(CO, "AccountId", leading_digits)),
    fault_of(CO, "oms-absent-1", "Takes system 1 when OMSId is left out", "REQ-OMSID-REQUIRED CODE-100", misread(CO, "OMSId", instead_of_absent(1))),
    fault_of(CO, "oms-unusable-1", "Takes system 1 when OMSId is no number", "REQ-OMSID-TYPE", misread(CO, "OMSId", instead_of_unusable(1))),
    fault_of(CO, "order-32-bits", "Keeps 32 bits of OrderId", "REQ-ORDERID-TYPE", misread(CO, "OrderId", wrapped(32))),
    fault_of(CO, "order-leading-digits", "Takes the digits that the text of OrderId starts with", "REQ-ORDERID-TYPE", misread(CO, "OrderId", leading_digits)),
    fault_of(CO, "client-64-bits", "Keeps 64 bits of ClientOrderId", "REQ-CLIENTORDERID-TYPE", misread(CO, "ClientOrderId", wrapped(64))),
    fault_of(CO, "neither-104", "Answers 104 when no order is named", "REQ-ID-REQUIRED CODE-100", refusals(CO, lambda r, _c: Standard(RESOURCE_NOT_FOUND) if r.detail == "OrderId is Required" else None)),
    fault_of(CO, "neither-success", "Reports success when no order is named", "REQ-ID-REQUIRED", refusals(CO, lambda r, _c: Standard() if r.detail == "OrderId is Required" else None)),
    fault_of(CO, "unreadable-success", "Reports success, without effect, for what it cannot read", "REQ-FORM CODE-100", _other_code("member", 0)),
    fault_of(CO, "again-20", "Answers 20 for an order that is cancelled", "AGAIN", handler(CO, _again_20)),
    fault_of(CO, "extra-nothing", "Reports success and does nothing when there is a member that it does not know", "EXTRA-MEMBERS", handler(CO, _extra_nothing)),
    fault_of(CO, "keys-exact", "Knows members in the documented spelling alone", "KEY-CASE", _exact_keys),
)
