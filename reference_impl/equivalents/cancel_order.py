"""Permitted differences in what CancelOrder does: which of two ids counts, gone orders, strictness, order of checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.values import (
    INVALID_REQUEST,
    NOT_AUTHORIZED,
    OPERATION_FAILED,
    Answer,
    Call,
    CancelOrderRequest,
    Refused,
    Standard,
)
from reference_impl.changes import CO, equivalent_of, handler, step
from reference_impl.parts import Parts, with_alphapoint
from reference_impl.recorder import Recorder
from reference_impl.variants import Variant
from reference_impl.wire import HttpRequest, HttpResponse
from reference_impl.world.model import Account

_Inner = Callable[[Parts, Call], Answer]


def _own(parts: Parts, call: Call, order: Order | None, state: str) -> bool:
    """Whether an order in this state is in an account that the caller may touch."""
    touched = order is not None and parts.alphapoint.policy.may_touch(call.user, order.account_id)
    return order is not None and order.state == state and touched


def _gone(code: int) -> Callable[[Recorder, _Inner, Parts, Call], Answer]:
    """Another answer to a call for an order of the caller's own that is cancelled."""

    def run(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
        try:
            return inner(parts, call)
        except Refused as refused:
            number = call.members.get("orderid")
            order = parts.alphapoint.book.find(number) if isinstance(number, int) else None
            if (
                refused.refusal.about != "order"
                or call.members.get("clientorderid")
                or not _own(parts, call, order, "Canceled")
            ):
                raise
            recorder.hit()
            return Standard(code)

    return run


def _two_refused(inner: Any, parts: Parts, call: Call) -> CancelOrderRequest:
    request: CancelOrderRequest = inner(parts, call)
    if request.order_id and request.client_order_id:
        raise Refused(INVALID_REQUEST, "member", "Name the order once")
    return request


def _client_first(inner: Any, parts: Parts, call: Call) -> CancelOrderRequest:
    request: CancelOrderRequest = inner(parts, call)
    return replace(request, order_id=None) if request.client_order_id else request


def _omitted_any_own(inner: Any, parts: Parts, call: Call, request: CancelOrderRequest, account: Account) -> Order:
    """Where no account is named, the order of the caller's, in whichever of his accounts it stands."""
    order = parts.alphapoint.book.find(request.order_id or 0)
    if (
        request.account_id is None
        and order is not None
        and order.oms_id == account.oms_id
        and _own(parts, call, order, "Working")
    ):
        return order
    found: Order = inner(parts, call, request, account)
    return found


def _strangers_refused(inner: Any, parts: Parts, call: Call, request: CancelOrderRequest, account: Account) -> Order:
    order = parts.alphapoint.book.find(request.order_id or 0)
    if order is not None and not parts.alphapoint.policy.may_touch(call.user, order.account_id):
        raise Refused(NOT_AUTHORIZED, "permission", "The order is not the caller's")
    found: Order = inner(parts, call, request, account)
    return found


def _permission_last(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
    """Looks for the order before it asks for the permission."""
    steps = parts.alphapoint.cancel_order
    try:
        inner(with_alphapoint(parts, cancel_order=replace(steps, permit=lambda _p, _c: None, ready=_stop)), call)
    except _Found:
        return inner(parts, call)
    except Refused:
        if not parts.alphapoint.policy.may_call(call.user, CO.call):
            recorder.hit()
        raise
    raise AssertionError("a call ends where it is ready")


class _Found(Exception):
    """The order was found."""


def _stop(_parts: Parts, _call: Call, _account: Account, _order: Order) -> None:
    raise _Found


def _strict(inner: Any, parts: Parts, call: Call) -> CancelOrderRequest:
    """Takes no number that is written as text, and no account that is null or empty."""
    for name in ("omsid", "accountid", "orderid", "clientorderid"):
        if isinstance(call.members.get(name), str) or (name == "accountid" and call.members.get(name, 0) is None):
            raise Refused(INVALID_REQUEST, "member", f"{name} is not a number")
    request: CancelOrderRequest = inner(parts, call)
    return request


def _only_system(inner: Any, parts: Parts, call: Call) -> CancelOrderRequest:
    request: CancelOrderRequest = inner(parts, call)
    return request if request.oms_id else replace(request, oms_id=1)


def _accepted(parts: Parts, recorder: Recorder) -> Parts:
    """Status 202 for a success on an order of which a part was executed."""
    inner = parts.http_filter

    def answered(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = inner(request, response)
        number = re.search(rb'"OrderId"\s*:\s*(\d+)', request.body)
        order = parts.alphapoint.book.find(int(number[1])) if request.operation == CO.id and number else None
        if order is None or not order.executed or b'"result":true' not in response.body or response.status != 200:
            return response
        recorder.hit()
        return replace(response, status=202)

    return replace(parts, http_filter=answered)


EQUIVALENTS: tuple[Variant, ...] = (
    equivalent_of(CO, "partly-executed-202", "Gives 202 for the rest of an order that was executed in part", _accepted),
    equivalent_of(
        CO, "again-101", "Fails for an order that is cancelled already", handler(CO, _gone(OPERATION_FAILED))
    ),
    equivalent_of(
        CO,
        "again-100",
        "Takes an order that is cancelled already for one that cannot be named",
        handler(CO, _gone(INVALID_REQUEST)),
    ),
    equivalent_of(CO, "two-ids-refused", "Refuses a request that names an order twice", step(CO, "read", _two_refused)),
    equivalent_of(
        CO, "client-first", "Goes by ClientOrderId where both ids are there", step(CO, "read", _client_first)
    ),
    equivalent_of(
        CO,
        "omitted-any-own",
        "Finds an order of the caller's in whichever of his accounts it stands where none is named",
        step(CO, "select", _omitted_any_own),
    ),
    equivalent_of(
        CO, "strangers-order-20", "Refuses a stranger's order with 20", step(CO, "select", _strangers_refused)
    ),
    equivalent_of(
        CO, "permission-last", "Looks for the order before it asks for the permission", handler(CO, _permission_last)
    ),
    equivalent_of(
        CO,
        "strict-numbers",
        "Takes no number that is written as text, and no account that is null",
        step(CO, "read", _strict),
    ),
    equivalent_of(CO, "oms-zero", "Takes OMSId 0 for the first system", step(CO, "read", _only_system)),
)
