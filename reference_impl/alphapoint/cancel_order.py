"""CancelOrder, step by step."""

from __future__ import annotations

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.members import optional_integer, required_integer
from reference_impl.alphapoint.scope import find_account, find_oms, permit, refuse_unsupported
from reference_impl.alphapoint.values import (
    INVALID_REQUEST,
    OPERATION_FAILED,
    RESOURCE_NOT_FOUND,
    SERVER_ERROR,
    Answer,
    Call,
    CancelOrderRequest,
    Refused,
    Standard,
)
from reference_impl.parts import CancelOrderSteps, Parts
from reference_impl.world.model import Account


def cancel_order(parts: Parts, call: Call) -> Answer:
    """Cancels one order; refusals leave everything as it was."""
    steps = parts.alphapoint.cancel_order
    request = steps.read(parts, call)
    steps.permit(parts, call)
    account = steps.account(parts, call, request)
    order = steps.select(parts, call, request, account)
    steps.ready(parts, call, account, order)
    return steps.effect(parts, call, order)


def read(_parts: Parts, call: Call) -> CancelOrderRequest:
    """OMSId, and OrderId or one of the names of ClientOrderId, are required, AccountId is optional; 0 names nothing."""
    request = CancelOrderRequest(
        oms_id=required_integer(call, "OMSId"),
        account_id=optional_integer(call, "AccountId"),
        order_id=optional_integer(call, "OrderId"),
        client_order_id=optional_integer(call, "ClientOrderId") or optional_integer(call, "ClOrderId"),
    )
    if not request.order_id and not request.client_order_id:
        raise Refused(INVALID_REQUEST, "member", "OrderId is Required")
    return request


def account_meant(parts: Parts, call: Call, request: CancelOrderRequest) -> Account:
    """The account named, else the caller's default one, on a system that supports cancellation."""
    oms = find_oms(parts, request.oms_id)
    refuse_unsupported(oms.cancel_supported)
    account_id = request.account_id or parts.alphapoint.policy.default_account(call.user)
    return find_account(parts, call, oms.oms_id, account_id)


def select(parts: Parts, _call: Call, request: CancelOrderRequest, account: Account) -> Order:
    """The order of the account that OrderId names, or else ClientOrderId; 104 when there is none."""
    book = parts.alphapoint.book
    if request.order_id:
        order = book.find(request.order_id)
        found = order is not None and (order.oms_id, order.account_id) == (account.oms_id, account.account_id)
        if order is not None and found and order.state == "Working":
            return order
    else:
        for order in book.open_orders(account.oms_id, account.account_id):
            if order.client_order_id == request.client_order_id:
                return order
    raise Refused(RESOURCE_NOT_FOUND, "order", "Order not found")


def ready(parts: Parts, _call: Call, account: Account, order: Order) -> None:
    """101 and 102 at the first attempt for each order of the accounts that are made for them; a later one succeeds."""
    if account.on_cancel_order == "succeed" or not parts.alphapoint.book.first_attempt(order.order_id):
        return
    if account.on_cancel_order == "operation-failed":
        raise Refused(OPERATION_FAILED, "condition", "The matching engine refused the cancellation")
    raise Refused(SERVER_ERROR, "condition", "The matching engine did not answer")


def effect(parts: Parts, _call: Call, order: Order) -> Answer:
    """Cancels it."""
    parts.alphapoint.book.cancel([order.order_id])
    return Standard()


STEPS = CancelOrderSteps(read, permit, account_meant, select, ready, effect)
