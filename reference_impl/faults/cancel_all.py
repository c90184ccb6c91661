"""Violations in what CancelAllOrders does: too few, too many or other orders; effect and success that disagree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.values import (
    NOT_AUTHORIZED,
    OPERATION_NOT_SUPPORTED,
    SERVER_ERROR,
    Answer,
    Call,
    CancelAllRequest,
    Refused,
    Standard,
)
from reference_impl.changes import CAO, fault_of, handler, step
from reference_impl.parts import Parts
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.world.model import Account

Orders = tuple[Order, ...]
Meant = tuple[Account, ...]


def _fewer(keep: Callable[[Orders], Orders]) -> Change:
    """Some of the orders that are meant."""

    def select(inner: Any, parts: Parts, call: Call, request: CancelAllRequest, meant: Meant) -> Orders:
        return keep(inner(parts, call, request, meant))

    return step(CAO, "select", select)


def _each(keep: Callable[[Order], bool]) -> Change:
    return _fewer(lambda orders: tuple(order for order in orders if keep(order)))


def _more(others: Callable[[Parts, Call, CancelAllRequest, Meant], list[Order]]) -> Change:
    """Orders of others besides those that are meant."""

    def select(inner: Any, parts: Parts, call: Call, request: CancelAllRequest, meant: Meant) -> Orders:
        found = inner(parts, call, request, meant)
        return tuple(dict.fromkeys((*found, *others(parts, call, request, meant))))

    return step(CAO, "select", select)


def _of(parts: Parts, oms_id: int, account_ids: Any) -> list[Order]:
    return [order for number in account_ids for order in parts.alphapoint.book.open_orders(oms_id, number)]


def _callers_accounts(parts: Parts, call: Call, request: CancelAllRequest, _meant: Meant) -> list[Order]:
    return [order for order in _of(parts, request.oms_id, call.user.accounts) if not order.is_quote]


def _default_account(parts: Parts, call: Call, request: CancelAllRequest, _meant: Meant) -> list[Order]:
    return _of(parts, request.oms_id, (call.user.default_account,))


def _operators_own(parts: Parts, call: Call, request: CancelAllRequest, _meant: Meant) -> list[Order]:
    return _of(parts, request.oms_id, call.user.accounts) if "Operator" in call.user.permissions else []


def _everybody(parts: Parts, _call: Call, request: CancelAllRequest, _meant: Meant) -> list[Order]:
    return _of(parts, request.oms_id, parts.world.accounts)


def _everybodys_quotes(parts: Parts, call: Call, request: CancelAllRequest, meant: Meant) -> list[Order]:
    return [order for order in _everybody(parts, call, request, meant) if order.is_quote]


def _by_operator(parts: Parts, call: Call, request: CancelAllRequest, meant: Meant) -> list[Order]:
    return _everybody(parts, call, request, meant) if "Operator" in call.user.permissions else []


def _same_price(parts: Parts, call: Call, request: CancelAllRequest, meant: Meant) -> list[Order]:
    """One order of somebody else, on the instrument of the first that is meant."""
    own = {account.account_id for account in meant}
    mine = _of(parts, request.oms_id, own)
    level = {(order.instrument_id, order.price) for order in mine if not order.is_quote}
    others = [o for o in _everybody(parts, call, request, meant) if o.account_id not in own and not o.is_quote]
    return [order for order in others if (order.instrument_id, order.price) in level]


def _own_bids(parts: Parts, _call: Call, request: CancelAllRequest, meant: Meant) -> list[Order]:
    """The bid legs of the account's quotes, and not their ask legs."""
    legs = _of(parts, request.oms_id, (account.account_id for account in meant))
    return [order for order in legs if order.is_quote and order.side == "Buy"]


def _default_instead(inner: Any, parts: Parts, call: Call, request: CancelAllRequest) -> Meant:
    meant: Meant = inner(parts, call, request)
    default = parts.world.accounts[call.user.default_account]
    return (default,) if all(account.account_id in call.user.accounts for account in meant) else meant


def _any_oms(inner: Any, parts: Parts, call: Call, request: CancelAllRequest) -> Meant:
    """Looks an account up whatever the system."""
    account = parts.world.accounts.get(request.account_id or 0)
    known = account is not None and request.oms_id in parts.world.oms
    if account is not None and known and parts.alphapoint.policy.may_touch(call.user, account.account_id):
        return (account,)
    return tuple(inner(parts, call, request))


def _of_its_own_oms(_inner: Any, parts: Parts, _call: Call, _request: CancelAllRequest, meant: Meant) -> Orders:
    found = [
        order for account in meant for order in parts.alphapoint.book.open_orders(account.oms_id, account.account_id)
    ]
    return tuple(order for order in found if not order.is_quote)


def _every_oms(parts: Parts, recorder: Recorder) -> Parts:
    return step(CAO, "select", _of_its_own_oms)(step(CAO, "accounts", _any_oms)(parts, recorder), recorder)


def _over(transport: str) -> Change:
    """Reports success without effect over one transport."""

    def select(inner: Any, parts: Parts, call: Call, *rest: Any) -> Orders:
        return () if call.transport == transport else tuple(inner(parts, call, *rest))

    return step(CAO, "select", select)


def _acts_though_refused(abouts: tuple[str, ...]) -> Change:
    """Cancels the orders of the account named, and then refuses for its reasons."""

    def run(recorder: Recorder, inner: Callable[[Parts, Call], Answer], parts: Parts, call: Call) -> Answer:
        try:
            return inner(parts, call)
        except Refused as refused:
            account_id = call.members.get("accountid")
            if refused.refusal.about in abouts and isinstance(account_id, int):
                account = parts.world.accounts.get(account_id)
                orders = _of(parts, account.oms_id, (account_id,)) if account else []
                if parts.alphapoint.book.cancel(order.order_id for order in orders):
                    recorder.hit()
            raise

    return handler(CAO, run)


def _done_but_failed(recorder: Recorder, inner: Callable[[Parts, Call], Answer], parts: Parts, call: Call) -> Answer:
    """Cancels, and reports a server error."""
    result = inner(parts, call)
    recorder.hit()
    return replace(result, code=SERVER_ERROR) if isinstance(result, Standard) else result


def _nothing_open(code: int) -> Change:
    def run(recorder: Recorder, inner: Callable[[Parts, Call], Answer], parts: Parts, call: Call) -> Answer:
        account_id = call.members.get("accountid")
        before = _of(parts, 1, (account_id,)) if isinstance(account_id, int) else [None]
        result = inner(parts, call)
        if before:
            return result
        recorder.hit()
        raise Refused(code, "condition", "Nothing to cancel")

    return handler(CAO, run)


FAULTS: tuple[Variant, ...] = (
    fault_of(
        CAO, "only-first-order", "Cancels the oldest order alone", "EFFECT-ACCOUNT", _fewer(lambda orders: orders[:1])
    ),
    fault_of(
        CAO,
        "last-left",
        "Leaves the newest of several orders open",
        "EFFECT-ACCOUNT",
        _fewer(lambda orders: orders[:-1] or orders),
    ),
    fault_of(CAO, "at-most-ten", "Cancels at most ten orders", "EFFECT-ACCOUNT", _fewer(lambda orders: orders[:10])),
    fault_of(
        CAO,
        "first-page",
        "Cancels the twenty orders of the first page",
        "EFFECT-ACCOUNT",
        _fewer(lambda orders: orders[:20]),
    ),
    fault_of(CAO, "only-buys", "Cancels buy orders alone", "EFFECT-ACCOUNT", _each(lambda order: order.side == "Buy")),
    fault_of(
        CAO,
        "only-instrument-1",
        "Cancels on the first instrument alone",
        "EFFECT-ACCOUNT",
        _each(lambda order: order.instrument_id == 1),
    ),
    fault_of(
        CAO,
        "one-instrument",
        "Cancels on the instrument of the oldest order alone",
        "EFFECT-ACCOUNT SCOPE-OPERATOR",
        _fewer(lambda orders: tuple(o for o in orders if o.instrument_id == orders[0].instrument_id)),
    ),
    fault_of(CAO, "no-effect", "Reports success and cancels nothing", "EFFECT-ACCOUNT", _fewer(lambda _orders: ())),
    fault_of(
        CAO,
        "no-effect-ws",
        "Reports success over WebSocket and cancels nothing",
        "EFFECT-ACCOUNT SAME-TRANSPORT",
        _over("ws"),
    ),
    fault_of(
        CAO,
        "no-effect-http",
        "Reports success over HTTP and cancels nothing",
        "EFFECT-ACCOUNT SAME-TRANSPORT",
        _over("http"),
    ),
    fault_of(
        CAO, "callers-accounts", "Cancels in every account of the caller", "EFFECT-ONLY", _more(_callers_accounts)
    ),
    fault_of(CAO, "default-too", "Cancels in the caller's default account too", "EFFECT-ONLY", _more(_default_account)),
    fault_of(
        CAO,
        "default-instead",
        "Cancels in the default account whichever own one is named",
        "EFFECT-ONLY EFFECT-ACCOUNT",
        step(CAO, "accounts", _default_instead),
    ),
    fault_of(CAO, "everybody", "Cancels everybody's orders", "EFFECT-ONLY", _more(_everybody)),
    fault_of(CAO, "everybodys-quotes", "Cancels everybody's quotes as well", "EFFECT-ONLY", _more(_everybodys_quotes)),
    fault_of(
        CAO,
        "operator-everybody",
        "Cancels everybody's orders when an operator calls",
        "EFFECT-ONLY SCOPE-OPERATOR",
        _more(_by_operator),
    ),
    fault_of(
        CAO,
        "operators-own-too",
        "Cancels in an operator's own account as well, whichever is named",
        "EFFECT-ONLY SCOPE-OPERATOR",
        _more(_operators_own),
    ),
    fault_of(CAO, "price-level", "Cancels strangers' orders of the same price", "EFFECT-ONLY", _more(_same_price)),
    fault_of(
        CAO,
        "own-bids",
        "Cancels the bid legs of the account's quotes and leaves the ask legs",
        "QUOTES",
        _more(_own_bids),
    ),
    fault_of(CAO, "every-oms", "Looks an account up whatever the system", "EFFECT-OMS", _every_oms),
    fault_of(
        CAO,
        "malformed-acts",
        "Cancels although it refuses a malformed request",
        "REFUSED-NO-EFFECT MALFORMED REQ-OMSID-REQUIRED",
        _acts_though_refused(("member",)),
    ),
    fault_of(
        CAO,
        "condition-acts",
        "Cancels although it answers 101 or 102",
        "REFUSED-NO-EFFECT",
        _acts_though_refused(("condition",)),
    ),
    fault_of(
        CAO,
        "unknown-oms-acts",
        "Cancels although it refuses the system as unknown",
        "REFUSED-NO-EFFECT EFFECT-OMS",
        _acts_though_refused(("oms",)),
    ),
    fault_of(
        CAO,
        "done-but-102",
        "Cancels and reports a server error",
        "RESP-RESULT-TRUE REFUSED-NO-EFFECT",
        handler(CAO, _done_but_failed),
    ),
    fault_of(CAO, "again-20", "Answers 20 when nothing is open", "AGAIN", _nothing_open(NOT_AUTHORIZED)),
    fault_of(CAO, "again-106", "Answers 106 when nothing is open", "AGAIN", _nothing_open(OPERATION_NOT_SUPPORTED)),
)
