"""Readings of CancelAllOrders alone."""

from __future__ import annotations

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.values import (
    CANCEL_ALL_ORDERS,
    INVALID_REQUEST,
    RESOURCE_NOT_FOUND,
    Call,
    CancelAllRequest,
    Refused,
)
from reference_impl.parts import Parts, with_alphapoint, with_cancel_all
from reference_impl.readings.values import CAO, Reading, as_it_is
from reference_impl.world.model import Account


def _invalid_response(parts: Parts) -> Parts:
    inner = parts.alphapoint.error_text

    def error_text(call: Call, code: int) -> str:
        if call.name == CANCEL_ALL_ORDERS and code == INVALID_REQUEST:
            return "Invalid Response"
        return inner(call, code)

    return with_alphapoint(parts, error_text=error_text)


def _all_accessible(parts: Parts) -> Parts:
    """Every account of the system that the caller may touch and on which cancelling works."""

    def omitted_accounts(p: Parts, call: Call, request: CancelAllRequest) -> tuple[int, ...]:
        return tuple(
            account.account_id
            for account in p.world.accounts.values()
            if account.oms_id == request.oms_id
            and account.on_cancel == "succeed"
            and p.alphapoint.policy.may_touch(call.user, account.account_id)
        )

    return with_cancel_all(parts, omitted_accounts=omitted_accounts)


def _omission_refused(parts: Parts) -> Parts:
    def omitted_accounts(_parts: Parts, _call: Call, _request: CancelAllRequest) -> tuple[int, ...]:
        raise Refused(INVALID_REQUEST, "member", "AccountId is Required")

    return with_cancel_all(parts, omitted_accounts=omitted_accounts)


def _zero_unknown(parts: Parts) -> Parts:
    inner = parts.alphapoint.cancel_all.accounts

    def accounts(p: Parts, call: Call, request: CancelAllRequest) -> tuple[Account, ...]:
        if request.account_id == 0:
            raise Refused(RESOURCE_NOT_FOUND, "account", "Account not found")
        return inner(p, call, request)

    return with_cancel_all(parts, accounts=accounts)


def _takes_quotes(parts: Parts) -> Parts:
    def select(p: Parts, _call: Call, request: CancelAllRequest, meant: tuple[Account, ...]) -> tuple[Order, ...]:
        book = p.alphapoint.book
        return tuple(o for account in meant for o in book.open_orders(request.oms_id, account.account_id))

    return with_cancel_all(parts, select=select)


READINGS: tuple[Reading, ...] = (
    Reading("code-100-text", (CAO,), {"invalid-request": as_it_is, "invalid-response": _invalid_response}),
    Reading(
        "account-omitted",
        (CAO,),
        {"own": as_it_is, "all-accessible": _all_accessible, "refused": _omission_refused},
    ),
    Reading("account-zero", (CAO,), {"as-omitted": as_it_is, "unknown": _zero_unknown}),
    Reading("cancel-all-takes-quotes", (CAO,), {"no": as_it_is, "yes": _takes_quotes}),
)
