"""Violations in how CancelOrder reads its request: members left out or misread, numbers taken for each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.values import (
    INVALID_REQUEST,
    RESOURCE_NOT_FOUND,
    Answer,
    Call,
    CancelOrderRequest,
    Refused,
    Standard,
)
from reference_impl.changes import CO, fault_of, handler, refusals, step
from reference_impl.faults.misreading import instead_of_absent, instead_of_unusable, leading_digits, misread, wrapped
from reference_impl.parts import Parts, with_alphapoint
from reference_impl.recorder import Recorder
from reference_impl.variants import Variant
from reference_impl.world.model import Account

_Inner = Callable[[Parts, Call], Answer]


def _no_client_ids(inner: Any, parts: Parts, call: Call) -> CancelOrderRequest:
    request: CancelOrderRequest = replace(inner(parts, call), client_order_id=None)
    if not request.order_id:
        raise Refused(INVALID_REQUEST, "member", "OrderId is Required")
    return request


def _either_number(inner: Any, parts: Parts, call: Call, request: CancelOrderRequest, account: Account) -> Order:
    """Takes each kind of number for the other where nothing is found under it."""
    try:
        found: Order = inner(parts, call, request, account)
    except Refused:
        found = inner(
            parts, call, replace(request, order_id=request.client_order_id, client_order_id=request.order_id), account
        )
    return found


def _client_as(kept: Callable[[int], float]) -> Any:
    """Keeps a client's number in a narrower type, and finds the order that comes first."""

    def select(inner: Any, parts: Parts, call: Call, request: CancelOrderRequest, account: Account) -> Order:
        wanted = kept(request.client_order_id or 0)
        if not request.order_id:
            for order in parts.alphapoint.book.open_orders(account.oms_id, account.account_id):
                if order.client_order_id and kept(order.client_order_id) == wanted:
                    return order
        found: Order = inner(parts, call, request, account)
        return found

    return step(CO, "select", select)


def _demands_account(inner: Any, parts: Parts, call: Call) -> CancelOrderRequest:
    request: CancelOrderRequest = inner(parts, call)
    if request.account_id is None:
        raise Refused(INVALID_REQUEST, "member", "AccountId is Required")
    return request


def _extra_nothing(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
    """Reports success and does nothing when there is a member that it does not know."""
    known = {"omsid", "accountid", "orderid", "clientorderid", "clordid"}
    if not call.members.keys() - known:
        return inner(parts, call)
    idle = replace(parts.alphapoint.cancel_order, effect=lambda _parts, _call, _order: Standard())
    result = inner(with_alphapoint(parts, cancel_order=idle), call)
    recorder.hit()
    return result


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


FAULTS: tuple[Variant, ...] = (
    fault_of(
        CO,
        "either-number",
        "Takes OrderId for ClientOrderId, and the other way round, where nothing is found",
        "REQ-CLIENTORDERID",
        step(CO, "select", _either_number),
    ),
    fault_of(CO, "no-client-ids", "Knows no ClientOrderId", "REQ-CLIENTORDERID", step(CO, "read", _no_client_ids)),
    fault_of(
        CO,
        "account-demanded",
        "Refuses a request without AccountId",
        "REQ-ACCOUNTID-OPTIONAL",
        step(CO, "read", _demands_account),
    ),
    fault_of(
        CO, "account-32-bits", "Keeps 32 bits of AccountId", "REQ-ACCOUNTID-TYPE", misread(CO, "AccountId", wrapped(32))
    ),
    fault_of(
        CO,
        "account-leading-digits",
        "Takes the digits that the text of AccountId starts with",
        "REQ-ACCOUNTID-TYPE",
        misread(CO, "AccountId", leading_digits),
    ),
    fault_of(
        CO,
        "oms-absent-1",
        "Takes system 1 when OMSId is left out",
        "REQ-OMSID-REQUIRED CODE-100",
        misread(CO, "OMSId", instead_of_absent(1)),
    ),
    fault_of(
        CO,
        "oms-unusable-1",
        "Takes system 1 when OMSId is no number",
        "REQ-OMSID-TYPE",
        misread(CO, "OMSId", instead_of_unusable(1)),
    ),
    fault_of(CO, "order-32-bits", "Keeps 32 bits of OrderId", "REQ-ORDERID-TYPE", misread(CO, "OrderId", wrapped(32))),
    fault_of(
        CO,
        "order-leading-digits",
        "Takes the digits that the text of OrderId starts with",
        "REQ-ORDERID-TYPE",
        misread(CO, "OrderId", leading_digits),
    ),
    fault_of(
        CO,
        "client-64-bits",
        "Keeps 64 bits of ClientOrderId",
        "REQ-CLIENTORDERID-TYPE",
        misread(CO, "ClientOrderId", wrapped(64)),
    ),
    fault_of(
        CO,
        "client-as-double",
        "Compares the numbers of clients as doubles",
        "REQ-CLIENTORDERID-TYPE EFFECT-ONLY REQ-CLIENTORDERID",
        _client_as(float),
    ),
    fault_of(
        CO,
        "client-32-bits",
        "Compares 32 bits of the numbers of clients",
        "REQ-CLIENTORDERID-TYPE EFFECT-ONLY REQ-CLIENTORDERID",
        _client_as(lambda number: number & 0xFFFFFFFF),
    ),
    fault_of(
        CO,
        "neither-104",
        "Answers 104 when no order is named",
        "REQ-ID-REQUIRED CODE-100",
        refusals(CO, lambda r, _c: Standard(RESOURCE_NOT_FOUND) if r.detail == "OrderId is Required" else None),
    ),
    fault_of(
        CO,
        "neither-success",
        "Reports success when no order is named",
        "REQ-ID-REQUIRED",
        refusals(CO, lambda r, _c: Standard() if r.detail == "OrderId is Required" else None),
    ),
    fault_of(
        CO,
        "unreadable-success",
        "Reports success, without effect, for what it cannot read",
        "REQ-FORM CODE-100",
        refusals(CO, lambda r, _c: Standard(0, r.detail) if r.about == "member" else None),
    ),
    fault_of(
        CO,
        "extra-nothing",
        "Reports success and does nothing when there is a member that it does not know",
        "EXTRA-MEMBERS",
        handler(CO, _extra_nothing),
    ),
    fault_of(CO, "keys-exact", "Knows members in the documented spelling alone", "KEY-CASE", _exact_keys),
)
