"""Who may do what, and which system and account a call means; the default policy."""

from __future__ import annotations

from reference_impl.alphapoint.members import optional_integer, required_integer
from reference_impl.alphapoint.values import (
    CANCEL_ALL_ORDERS,
    CANCEL_ORDER,
    CANCEL_QUOTE,
    NOT_AUTHORIZED,
    OPERATION_FAILED,
    OPERATION_NOT_SUPPORTED,
    RESOURCE_NOT_FOUND,
    SERVER_ERROR,
    Call,
    Refused,
)
from reference_impl.parts import Parts
from reference_impl.world.model import Account, Oms, Permission, User

CALL_PERMISSIONS: dict[str, frozenset[Permission]] = {
    CANCEL_ALL_ORDERS: frozenset({"Operator", "Trading"}),
    CANCEL_QUOTE: frozenset({"Operator", "MarketMaker"}),
    "SendOrder": frozenset({"Operator", "Trading"}),
    CANCEL_ORDER: frozenset({"Operator", "Trading"}),
    "CreateQuote": frozenset({"Operator", "MarketMaker"}),
}
"""CancelAllOrders, CancelQuote and CancelOrder, Permissions; calls that are not here need a session alone."""


def may_call(user: User, call_name: str) -> bool:
    """Whether the user has one of the permissions that the call asks for."""
    needed = CALL_PERMISSIONS.get(call_name)
    return needed is None or bool(needed & user.permissions)


def may_touch(user: User, account_id: int) -> bool:
    """An operator may address any account, anybody else his own ones."""
    return "Operator" in user.permissions or account_id in user.accounts


def default_account(user: User) -> int:
    """The account meant when a call names none."""
    return user.default_account


def permit(parts: Parts, call: Call) -> None:
    """Raises `Refused` (20) when the caller's permissions do not allow the call."""
    if not parts.alphapoint.policy.may_call(call.user, call.name):
        raise Refused(NOT_AUTHORIZED, "permission", "The call asks for a permission that the user has not")


def find_oms(parts: Parts, oms_id: int) -> Oms:
    """The system of that id; 104 when there is none."""
    oms = parts.world.oms.get(oms_id)
    if oms is None:
        raise Refused(RESOURCE_NOT_FOUND, "oms", "OMS not found")
    return oms


def find_account(parts: Parts, call: Call, oms_id: int, account_id: int) -> Account:
    """The account of that id, if the caller may touch it (else 20) and it is on that system (else 104)."""
    account = parts.world.accounts.get(account_id)
    if not parts.alphapoint.policy.may_touch(call.user, account_id):
        raise Refused(NOT_AUTHORIZED, "foreign-account", "The account is not the caller's")
    if account is None or account.oms_id != oms_id:
        raise Refused(RESOURCE_NOT_FOUND, "account", "Account not found")
    return account


def call_account(parts: Parts, call: Call) -> Account:
    """The account of a call around the two operations: `AccountId`, else the default one."""
    oms = find_oms(parts, required_integer(call, "OMSId"))
    account_id = optional_integer(call, "AccountId") or parts.alphapoint.policy.default_account(call.user)
    return find_account(parts, call, oms.oms_id, account_id)


def refuse_unsupported(supported: bool) -> None:
    """Raises `Refused` (106) unless the system supports the operation."""
    if not supported:
        raise Refused(OPERATION_NOT_SUPPORTED, "support", "This OMS does not support the call")


def refuse_by_condition(account: Account) -> None:
    """Raises `Refused` (101 or 102) for an account on which cancelling fails."""
    if account.on_cancel == "operation-failed":
        raise Refused(OPERATION_FAILED, "condition", "The matching engine refused the cancellation")
    if account.on_cancel == "server-error":
        raise Refused(SERVER_ERROR, "condition", "The matching engine did not answer")
