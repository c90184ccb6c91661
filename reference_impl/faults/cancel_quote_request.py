"""Violations in how CancelQuote understands its request: defaults of account and instrument, and the two ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.values import INVALID_REQUEST, Call, CancelQuoteRequest, Refused
from reference_impl.changes import CQ, fault_of, step
from reference_impl.faults.misreading import instead_of_unusable, leading_digits, misread, unsigned, wrapped
from reference_impl.parts import Leg, Legs, Parts
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.world.model import Account


def _required(member: str) -> Change:
    """Asks for a member that may be left out."""

    def read(inner: Any, parts: Parts, call: Call) -> Any:
        if member.lower() not in call.members:
            raise Refused(INVALID_REQUEST, "member", f"{member} is Required")
        return inner(parts, call)

    return step(CQ, "read", read)


def _account(change: Callable[[Parts, Call, Order | None], int | None]) -> Change:
    """Whose quote is meant when no account is named; None leaves it."""

    def account(inner: Any, parts: Parts, call: Call, request: CancelQuoteRequest) -> Account:
        bid = parts.alphapoint.book.find(request.bid_quote_id)
        changed = change(parts, call, bid) if request.account_id is None else None
        if changed is not None and changed in parts.world.accounts:
            return parts.world.accounts[changed]
        meant: Account = inner(parts, call, request)
        return meant

    return step(CQ, "account", account)


def _any_own(_parts: Parts, call: Call, bid: Order | None) -> int | None:
    return bid.account_id if bid and bid.account_id in call.user.accounts else None


def _anybodys(_parts: Parts, _call: Call, bid: Order | None) -> int | None:
    return bid.account_id if bid else None


def _anybodys_for_operator(_parts: Parts, call: Call, bid: Order | None) -> int | None:
    return bid.account_id if bid and "Operator" in call.user.permissions else None


def _second(_parts: Parts, call: Call, _bid: Order | None) -> int | None:
    return call.user.accounts[-1]


def _first_instrument(inner: Any, parts: Parts, call: Call, request: CancelQuoteRequest, account: Account) -> Legs:
    changed = replace(request, instrument_id=request.instrument_id or 1)
    legs: Legs = inner(parts, call, changed, account)
    return legs


def _partner_for(absent: str, given: str) -> Change:
    """Takes the partner of the id that is given for the one that is not."""

    def read(inner: Any, parts: Parts, call: Call) -> Any:
        found = parts.alphapoint.book.find(_number(call.members.get(given)))
        if call.members.get(absent) in (None, "") and found and found.partner_id:
            call = replace(call, members={**call.members, absent: found.partner_id})
        return inner(parts, call)

    return step(CQ, "read", read)


def _partner_for_unusable(member: str, given: str) -> Change:
    """Takes the partner of the other id for one that is no number."""

    def read(inner: Any, parts: Parts, call: Call) -> Any:
        found = parts.alphapoint.book.find(_number(call.members.get(given)))
        value = call.members.get(member)
        if isinstance(value, list | dict | str) and value and found and found.partner_id:
            call = replace(call, members={**call.members, member: found.partner_id})
        return inner(parts, call)

    return step(CQ, "read", read)


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _one_id_decides(side: str) -> Change:
    """Looks at one of the two ids and takes the other for granted."""

    def judge(inner: Any, parts: Parts, call: Call, request: CancelQuoteRequest, account: Account) -> Legs:
        given = request.bid_quote_id if side == "bid" else request.ask_quote_id
        order = parts.alphapoint.book.find(given)
        if order is None or order.partner_id is None:
            return _legs(inner(parts, call, request, account))
        pair = (order.order_id, order.partner_id) if order.side == "Buy" else (order.partner_id, order.order_id)
        return _legs(inner(parts, call, replace(request, bid_quote_id=pair[0], ask_quote_id=pair[1]), account))

    return step(CQ, "judge", judge)


def _legs(legs: Any) -> Legs:
    bid, ask = legs
    return bid, ask


def _either_way_round(inner: Any, parts: Parts, call: Call, request: CancelQuoteRequest, account: Account) -> Legs:
    """Takes the ids in either order."""
    legs = _legs(inner(parts, call, request, account))
    if all(leg.order for leg in legs):
        return legs
    swapped = replace(request, bid_quote_id=request.ask_quote_id, ask_quote_id=request.bid_quote_id)
    other = _legs(inner(parts, call, swapped, account))
    return other if all(leg.order for leg in other) else legs


def _of_any_two(inner: Any, parts: Parts, call: Call, legs: Legs) -> Legs:
    """Takes a bid and an ask of two quotes."""
    return legs if all(leg.order for leg in legs) else _legs(inner(parts, call, legs))


def _of_any_two_instruments(parts: Parts, recorder: Recorder) -> Parts:
    def judge(inner: Any, p: Parts, call: Call, request: CancelQuoteRequest, account: Account) -> Legs:
        return _legs(inner(p, call, replace(request, instrument_id=None), account))

    return step(CQ, "combine", _of_any_two)(step(CQ, "judge", judge)(parts, recorder), recorder)


def _orders_as_legs(inner: Any, parts: Parts, call: Call, request: CancelQuoteRequest, account: Account) -> Legs:
    """Takes an ordinary order of the account for a leg, and judges each leg by itself."""
    legs = list(_legs(inner(parts, call, request, account)))
    for place, number in enumerate((request.bid_quote_id, request.ask_quote_id)):
        order = parts.alphapoint.book.find(number)
        if order and not order.is_quote and order.state == "Working" and order.account_id == account.account_id:
            legs[place] = Leg(order)
    return legs[0], legs[1]


def _each_alone(_inner: Any, _parts: Parts, _call: Call, legs: Legs) -> Legs:
    return legs


def _orders_cancelled(parts: Parts, recorder: Recorder) -> Parts:
    return step(CQ, "judge", _orders_as_legs)(step(CQ, "combine", _each_alone)(parts, recorder), recorder)


FAULTS: tuple[Variant, ...] = (
    fault_of(CQ, "account-required", "Asks for AccountId", "REQ-ACCOUNTID-DEFAULT", _required("AccountId")),
    fault_of(CQ, "instrument-required", "Asks for InstrumentId", "REQ-INSTRUMENTID-DEFAULT", _required("InstrumentId")),
    fault_of(
        CQ,
        "omitted-any-own",
        "Without AccountId finds the quote in any account of the caller",
        "REQ-ACCOUNTID-DEFAULT",
        _account(_any_own),
    ),
    fault_of(
        CQ,
        "omitted-anybodys",
        "Without AccountId finds the quote in anybody's account",
        "SCOPE-MARKETMAKER REQ-ACCOUNTID-DEFAULT",
        _account(_anybodys),
    ),
    fault_of(
        CQ,
        "default-anybodys-for-operator",
        "Takes the quote's own account for an operator who names none",
        "REQ-ACCOUNTID-DEFAULT",
        _account(_anybodys_for_operator),
    ),
    fault_of(
        CQ,
        "omitted-second",
        "Without AccountId looks into the caller's last account",
        "REQ-ACCOUNTID-DEFAULT",
        _account(_second),
    ),
    fault_of(
        CQ,
        "instrument-first",
        "Without InstrumentId looks on the first instrument alone",
        "REQ-INSTRUMENTID-DEFAULT",
        step(CQ, "judge", _first_instrument),
    ),
    fault_of(
        CQ,
        "instrument-unusable",
        "Takes an InstrumentId that is no number for none",
        "REQ-INSTRUMENTID-TYPE",
        misread(CQ, "InstrumentId", instead_of_unusable(None)),
    ),
    fault_of(
        CQ,
        "bid-from-ask",
        "Without BidQuoteId takes the partner of the ask",
        "REQ-BIDQUOTEID-REQUIRED",
        _partner_for("bidquoteid", "askquoteid"),
    ),
    fault_of(
        CQ,
        "ask-from-bid",
        "Without AskQuoteId takes the partner of the bid",
        "REQ-ASKQUOTEID-REQUIRED",
        _partner_for("askquoteid", "bidquoteid"),
    ),
    fault_of(
        CQ,
        "bid-unusable",
        "Takes the partner of the ask for a BidQuoteId of another type",
        "REQ-BIDQUOTEID-TYPE",
        _partner_for_unusable("bidquoteid", "askquoteid"),
    ),
    fault_of(
        CQ,
        "ask-unusable",
        "Takes the partner of the bid for an AskQuoteId of another type",
        "REQ-ASKQUOTEID-TYPE",
        _partner_for_unusable("askquoteid", "bidquoteid"),
    ),
    fault_of(
        CQ, "bid-32-bits", "Keeps 32 bits of BidQuoteId", "REQ-BIDQUOTEID-TYPE", misread(CQ, "BidQuoteId", wrapped(32))
    ),
    fault_of(
        CQ, "ask-32-bits", "Keeps 32 bits of AskQuoteId", "REQ-ASKQUOTEID-TYPE", misread(CQ, "AskQuoteId", wrapped(32))
    ),
    fault_of(
        CQ, "bid-unsigned", "Drops the sign of BidQuoteId", "REQ-BIDQUOTEID-TYPE", misread(CQ, "BidQuoteId", unsigned)
    ),
    fault_of(
        CQ,
        "ask-leading-digits",
        "Takes the digits that the text of AskQuoteId starts with",
        "REQ-ASKQUOTEID-TYPE",
        misread(CQ, "AskQuoteId", leading_digits),
    ),
    fault_of(CQ, "bid-decides", "Looks at the bid's id alone", "REQ-BOTH LEGS-APART", _one_id_decides("bid")),
    fault_of(CQ, "ask-decides", "Looks at the ask's id alone", "REQ-BOTH LEGS-APART", _one_id_decides("ask")),
    fault_of(
        CQ,
        "either-way-round",
        "Takes the two ids in either order",
        "LEGS-APART REQ-BOTH",
        step(CQ, "judge", _either_way_round),
    ),
    fault_of(
        CQ,
        "two-quotes",
        "Takes the bid of one quote with the ask of another",
        "REQ-BOTH LEGS-APART",
        _of_any_two_instruments,
    ),
    fault_of(
        CQ,
        "order-as-leg",
        "Cancels an ordinary order that is given as a leg",
        "LEGS-APART EFFECT-ONLY",
        _orders_cancelled,
    ),
)
