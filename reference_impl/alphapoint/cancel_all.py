"""CancelAllOrders, step by step."""

from __future__ import annotations

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.members import optional_integer, required_integer
from reference_impl.alphapoint.scope import (
    find_account,
    find_oms,
    permit,
    refuse_by_condition,
    refuse_unsupported,
)
from reference_impl.alphapoint.values import Answer, Call, CancelAllRequest, Standard
from reference_impl.parts import CancelAllSteps, Parts
from reference_impl.world.model import Account


def cancel_all_orders(parts: Parts, call: Call) -> Answer:
    """Cancels the open orders of the account that the request means; refusals leave everything as it was."""
    steps = parts.alphapoint.cancel_all
    request = steps.read(parts, call)
    steps.permit(parts, call)
    accounts = steps.accounts(parts, call, request)
    steps.ready(parts, call, request, accounts)
    return steps.effect(parts, call, steps.select(parts, call, request, accounts))


def read(_parts: Parts, call: Call) -> CancelAllRequest:
    """OMSId is required, AccountId conditionally optional (CancelAllOrders, Request table)."""
    return CancelAllRequest(oms_id=required_integer(call, "OMSId"), account_id=optional_integer(call, "AccountId"))


def accounts(parts: Parts, call: Call, request: CancelAllRequest) -> tuple[Account, ...]:
    """The account named, or those that an omitted or zero AccountId stands for."""
    oms = find_oms(parts, request.oms_id)
    if request.account_id:
        return (find_account(parts, call, oms.oms_id, request.account_id),)
    account_ids = parts.alphapoint.cancel_all.omitted_accounts(parts, call, request)
    return tuple(find_account(parts, call, oms.oms_id, account_id) for account_id in account_ids)


def own_account(parts: Parts, call: Call, _request: CancelAllRequest) -> tuple[int, ...]:
    """The caller's default account, the narrowest meaning of a request that names none."""
    return (parts.alphapoint.policy.default_account(call.user),)


def ready(parts: Parts, _call: Call, request: CancelAllRequest, meant: tuple[Account, ...]) -> None:
    """106 on a system without cancellation, 101 and 102 on the accounts that are made for them."""
    refuse_unsupported(find_oms(parts, request.oms_id).cancel_supported)
    for account in meant:
        refuse_by_condition(account)


def select(parts: Parts, _call: Call, request: CancelAllRequest, meant: tuple[Account, ...]) -> tuple[Order, ...]:
    """Every open order of those accounts; legs of quotes are left alone."""
    return tuple(
        order
        for account in meant
        for order in parts.alphapoint.book.open_orders(request.oms_id, account.account_id)
        if not order.is_quote
    )


def effect(parts: Parts, _call: Call, orders: tuple[Order, ...]) -> Answer:
    """Cancels them all at once."""
    parts.alphapoint.book.cancel(order.order_id for order in orders)
    return Standard()


STEPS = CancelAllSteps(read, permit, accounts, own_account, ready, select, effect)
