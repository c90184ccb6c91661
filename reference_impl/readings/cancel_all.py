"""Readings of CancelAllOrders alone."""

from __future__ import annotations

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.members import optional_integer
from reference_impl.alphapoint.values import (
    CANCEL_ALL_ORDERS,
    INVALID_REQUEST,
    NOT_AUTHORIZED,
    RESOURCE_NOT_FOUND,
    Call,
    CancelAllRequest,
    Refused,
)
from reference_impl.parts import Parts, with_alphapoint, with_cancel_all
from reference_impl.readings.values import CAO, Reading, as_it_is
from reference_impl.world.model import Account, User


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


def _by_user(parts: Parts) -> Parts:
    """A user who is named means his accounts; only an operator may name neither a user nor an account."""
    inner = parts.alphapoint.cancel_all.accounts
    every = _all_accessible(parts).alphapoint.cancel_all.omitted_accounts

    def accounts(p: Parts, call: Call, request: CancelAllRequest) -> tuple[Account, ...]:
        user_id = optional_integer(call, "UserId")
        if not user_id:
            return inner(p, call, request)
        named = _user(p, call, user_id)
        if not request.account_id:
            own = (p.world.accounts[account_id] for account_id in named.accounts)
            return tuple(one for one in own if one.oms_id == request.oms_id)
        if request.account_id not in named.accounts:
            raise Refused(RESOURCE_NOT_FOUND, "account", "The user has no such account")
        return inner(p, call, request)

    def omitted_accounts(p: Parts, call: Call, request: CancelAllRequest) -> tuple[int, ...]:
        if "Operator" not in call.user.permissions:
            raise Refused(NOT_AUTHORIZED, "permission", "Neither a user nor an account is named")
        return every(p, call, request)

    return with_cancel_all(parts, accounts=accounts, omitted_accounts=omitted_accounts)


def _user(parts: Parts, call: Call, user_id: int) -> User:
    """The user of that id, if he is the caller or the caller is an operator (else 20); 104 where there is none."""
    if user_id != call.user.user_id and "Operator" not in call.user.permissions:
        raise Refused(NOT_AUTHORIZED, "foreign-account", "The user is another one")
    found = next((one for one in parts.world.users.values() if one.user_id == user_id), None)
    if found is None:
        raise Refused(RESOURCE_NOT_FOUND, "account", "User not found")
    return found


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
        {"own": as_it_is, "all-accessible": _all_accessible, "by-user": _by_user, "refused": _omission_refused},
    ),
    Reading("account-zero", (CAO,), {"as-omitted": as_it_is, "unknown": _zero_unknown}),
    Reading("cancel-all-takes-quotes", (CAO,), {"no": as_it_is, "yes": _takes_quotes}),
)
