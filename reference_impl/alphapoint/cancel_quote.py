"""CancelQuote, step by step."""

from __future__ import annotations

from reference_impl.alphapoint.book import Side
from reference_impl.alphapoint.members import optional_integer, required_integer
from reference_impl.alphapoint.scope import (
    find_account,
    find_oms,
    permit,
    refuse_by_condition,
    refuse_unsupported,
)
from reference_impl.alphapoint.values import (
    RESOURCE_NOT_FOUND,
    Answer,
    Call,
    CancelQuoteRequest,
    Pair,
    Refusal,
    Standard,
)
from reference_impl.parts import CancelQuoteSteps, Leg, Legs, Parts
from reference_impl.world.model import Account


def cancel_quote(parts: Parts, call: Call) -> Answer:
    """Cancels both legs of one quote; refusals leave everything as it was."""
    steps = parts.alphapoint.cancel_quote
    request = steps.read(parts, call)
    steps.permit(parts, call)
    account = steps.account(parts, call, request)
    steps.ready(parts, call, request, account)
    legs = steps.combine(parts, call, steps.judge(parts, call, request, account))
    return steps.effect(parts, call, legs)


def read(_parts: Parts, call: Call) -> CancelQuoteRequest:
    """OMSId and both quote ids are required, AccountId and InstrumentId optional (CancelQuote, Request)."""
    return CancelQuoteRequest(
        oms_id=required_integer(call, "OMSId"),
        account_id=optional_integer(call, "AccountId"),
        instrument_id=optional_integer(call, "InstrumentId"),
        bid_quote_id=required_integer(call, "BidQuoteId"),
        ask_quote_id=required_integer(call, "AskQuoteId"),
    )


def account_meant(parts: Parts, call: Call, request: CancelQuoteRequest) -> Account:
    """The account named, else the caller's default one; 0, as in the document's sample, names none."""
    oms = find_oms(parts, request.oms_id)
    account_id = request.account_id or parts.alphapoint.policy.default_account(call.user)
    return find_account(parts, call, oms.oms_id, account_id)


def ready(parts: Parts, _call: Call, request: CancelQuoteRequest, account: Account) -> None:
    """106 on a system without quoting, 101 and 102 on the accounts that are made for them."""
    refuse_unsupported(find_oms(parts, request.oms_id).quoting_supported)
    refuse_by_condition(account)


def judge(parts: Parts, _call: Call, request: CancelQuoteRequest, account: Account) -> Legs:
    """Each leg by itself: an open leg of that side, account, system and, if named, instrument; else 104."""
    bid = judge_leg(parts, request, account, request.bid_quote_id, "Buy")
    ask = judge_leg(parts, request, account, request.ask_quote_id, "Sell")
    return bid, ask


def judge_leg(parts: Parts, request: CancelQuoteRequest, account: Account, quote_id: int, side: Side) -> Leg:
    """One leg; the refusal is about "quote" for an id unknown or cancelled, else about "pair"."""
    order = parts.alphapoint.book.find(quote_id)
    name = "Bid quote" if side == "Buy" else "Ask quote"
    if order is None or (order.is_quote and order.side == side and order.state != "Working"):
        return Leg(refusal=Refusal(RESOURCE_NOT_FOUND, "quote", f"{name} not found"))
    fits = (
        order.is_quote
        and order.side == side
        and (order.oms_id, order.account_id) == (request.oms_id, account.account_id)
        and request.instrument_id in (None, 0, order.instrument_id)
    )
    if not fits:
        return Leg(refusal=Refusal(RESOURCE_NOT_FOUND, "pair", f"{name} not found"))
    return Leg(order)


def both_or_none(_parts: Parts, _call: Call, legs: Legs) -> Legs:
    """Both legs of one quote, else both refused; a leg that is right says that its partner is not."""
    bid, ask = legs
    if bid.order and ask.order and bid.order.partner_id == ask.order.order_id:
        return legs
    stray = Leg(refusal=Refusal(RESOURCE_NOT_FOUND, "pair", "The other quote id is not of the same quote"))
    return (bid if bid.refusal else stray), (ask if ask.refusal else stray)


def effect(parts: Parts, call: Call, legs: Legs) -> Answer:
    """Cancels the legs that are not refused, all at once."""
    parts.alphapoint.book.cancel(leg.order.order_id for leg in legs if leg.order and not leg.refusal)
    bid, ask = (parts.alphapoint.standard(call, leg.refusal) if leg.refusal else Standard() for leg in legs)
    return Pair(bid, ask)


STEPS = CancelQuoteSteps(read, permit, account_meant, ready, judge, both_or_none, effect)
