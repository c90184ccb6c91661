"""Violations in what CancelQuote does: one leg, other quotes, orders; legs that contradict their report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.values import (
    OPERATION_FAILED,
    Answer,
    Call,
    CancelQuoteRequest,
    Data,
    Pair,
    Refused,
)
from reference_impl.changes import CQ, fault_of, handler, step
from reference_impl.parts import Leg, Legs, Parts, with_alphapoint, with_call, with_cancel_quote
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant

Inner = Callable[[Parts, Call], Answer]
_NO_ORDERS: tuple[Order, ...] = ()


def _effect_on_refused_leg(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.alphapoint.cancel_quote.combine

    def combine(p: Parts, call: Call, legs: Legs) -> Legs:
        combined = inner(p, call, legs)
        for alone, final in zip(legs, combined, strict=True):
            if alone.order and final.refusal and p.alphapoint.book.cancel([alone.order.order_id]):
                recorder.hit()
        return combined

    return with_cancel_quote(parts, combine=combine)


def _success_on_wrong_leg(inner: Any, parts: Parts, call: Call, legs: Legs) -> Legs:
    bid, ask = inner(parts, call, legs)
    if legs[0].order and legs[1].refusal:
        ask = Leg()
    if legs[1].order and legs[0].refusal:
        bid = Leg()
    return bid, ask


def _right_leg_reported(inner: Any, parts: Parts, call: Call, legs: Legs) -> Legs:
    """Reports success on the leg that is right, and leaves it open."""
    bid, ask = inner(parts, call, legs)
    if bool(legs[0].order) is bool(legs[1].order):
        return bid, ask
    return (Leg() if legs[0].order else bid), (Leg() if legs[1].order else ask)


def _legs_swapped(parts: Parts, recorder: Recorder) -> Parts:
    """Judges each leg by itself, and reports each one's result for the other."""

    def alone(_inner: Any, _parts: Parts, _call: Call, legs: Legs) -> Legs:
        return legs

    def run(recorder: Recorder, inner: Inner, p: Parts, call: Call) -> Answer:
        result = inner(p, call)
        return recorder.swap(result, Pair(result.ask, result.bid)) if isinstance(result, Pair) else result

    return handler(CQ, run)(step(CQ, "combine", alone)(parts, Recorder()), recorder)


def _cancels(others: Callable[[Parts, Call, Legs], tuple[Order, ...]], *, own: bool = True) -> Change:
    """Cancels other things when a quote is cancelled, and the quote itself where `own`."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.alphapoint.cancel_quote.effect

        def effect(p: Parts, call: Call, legs: Legs) -> Answer:
            done = all(leg.order and not leg.refusal for leg in legs)
            extra = others(p, call, legs) if done else _NO_ORDERS
            if done and not own:
                recorder.hit()
                legs = (Leg(), Leg())
            result = inner(p, call, legs)
            if p.alphapoint.book.cancel(order.order_id for order in extra):
                recorder.hit()
            return result

        return with_cancel_quote(parts, effect=effect)

    return apply


def _legs_of(legs: Legs) -> tuple[Order, ...]:
    return tuple(leg.order for leg in legs if leg.order)


def _open(parts: Parts, oms_id: int, account_ids: Any) -> tuple[Order, ...]:
    return tuple(order for number in account_ids for order in parts.alphapoint.book.open_orders(oms_id, number))


def _account_quotes(parts: Parts, _call: Call, legs: Legs) -> tuple[Order, ...]:
    first = _legs_of(legs)[0]
    return tuple(order for order in _open(parts, first.oms_id, (first.account_id,)) if order.is_quote)


def _account_orders(parts: Parts, _call: Call, legs: Legs) -> tuple[Order, ...]:
    first = _legs_of(legs)[0]
    return tuple(order for order in _open(parts, first.oms_id, (first.account_id,)) if not order.is_quote)


def _instrument_quotes(parts: Parts, _call: Call, legs: Legs) -> tuple[Order, ...]:
    first = _legs_of(legs)[0]
    everybody = _open(parts, first.oms_id, parts.world.accounts)
    return tuple(order for order in everybody if order.is_quote and order.instrument_id == first.instrument_id)


def _nothing(_parts: Parts, _call: Call, _legs: Legs) -> tuple[Order, ...]:
    return _NO_ORDERS


def _bid(_parts: Parts, _call: Call, legs: Legs) -> tuple[Order, ...]:
    return _legs_of(legs)[:1]


def _ask(_parts: Parts, _call: Call, legs: Legs) -> tuple[Order, ...]:
    return _legs_of(legs)[1:]


def _over_http(_parts: Parts, call: Call, legs: Legs) -> tuple[Order, ...]:
    return _legs_of(legs) if call.transport == "http" else _NO_ORDERS


def _acts_though_refused(abouts: tuple[str, ...]) -> Change:
    """Cancels both ids that are given, and then refuses for its reasons."""

    def run(recorder: Recorder, inner: Inner, parts: Parts, call: Call) -> Answer:
        try:
            return inner(parts, call)
        except Refused as refused:
            given = [call.members.get(name) for name in ("bidquoteid", "askquoteid")]
            if refused.refusal.about in abouts and parts.alphapoint.book.cancel(n for n in given if isinstance(n, int)):
                recorder.hit()
            raise

    return handler(CQ, run)


def _done_but_failed(recorder: Recorder, inner: Inner, parts: Parts, call: Call) -> Answer:
    """Cancels, and reports that it failed."""
    result = inner(parts, call)
    if isinstance(result, Pair) and result.bid.code == 0:
        recorder.hit()
        failed = replace(result.bid, code=OPERATION_FAILED)
        return Pair(failed, failed)
    return result


def _bid_fails(recorder: Recorder, inner: Inner, parts: Parts, call: Call) -> Answer:
    """Cancels both legs, and reports that the bid failed."""
    result = inner(parts, call)
    if isinstance(result, Pair) and result.bid.code == 0:
        return recorder.swap(result, Pair(replace(result.bid, code=OPERATION_FAILED), result.ask))
    return result


def _stale_open_quotes(parts: Parts, recorder: Recorder) -> Parts:
    """GetOpenQuotes shows quotes that CancelQuote took off."""
    inner = parts.alphapoint.calls["GetOpenQuotes"]
    shown: dict[tuple[Any, Any], Any] = {}

    def get_open_quotes(p: Parts, call: Call) -> Answer:
        result: Any = inner(p, call)
        place = (call.members.get("accountid"), call.members.get("instrumentid"))
        if result.value["Bid"] is None and place in shown:
            recorder.hit()
            return Data(shown[place])
        return Data(result.value)

    def create_quote(p: Parts, call: Call) -> Answer:
        result = parts.alphapoint.calls["CreateQuote"](p, call)
        current: Any = inner(p, call)
        shown[call.members.get("accountid"), call.members.get("instrumentid")] = current.value
        return result

    return with_call(with_call(parts, "GetOpenQuotes", get_open_quotes), "CreateQuote", create_quote)


def _gone_takes_another(parts: Parts, recorder: Recorder) -> Parts:
    """Takes the newest open quote of the account when the one named is gone."""
    inner = parts.alphapoint.cancel_quote.judge

    def judge(p: Parts, call: Call, request: CancelQuoteRequest, account: Any) -> Legs:
        legs = inner(p, call, request, account)
        quotes = [order for order in _open(p, request.oms_id, (account.account_id,)) if order.is_quote]
        if all(leg.refusal and leg.refusal.about == "quote" for leg in legs) and len(quotes) > 1:
            recorder.hit()
            return Leg(quotes[-2]), Leg(quotes[-1])
        return legs

    return with_cancel_quote(parts, judge=judge)


def _early_error_with_success(parts: Parts, recorder: Recorder) -> Parts:
    """Gives an early error in the bid alone, and success in the ask."""
    inner = parts.alphapoint.early_error

    def early_error(call: Call, error: Any) -> Answer:
        result = inner(call, error)
        if not isinstance(result, Pair):
            return result
        return recorder.swap(result, Pair(error, replace(error, code=0, detail=None)))

    return with_alphapoint(parts, early_error=early_error)


FAULTS: tuple[Variant, ...] = (
    fault_of(
        CQ,
        "effect-on-refused-leg",
        "Cancels the right leg of a pair that it refuses",
        "LEGS-APART REFUSED-NO-EFFECT",
        _effect_on_refused_leg,
    ),
    fault_of(
        CQ,
        "success-on-wrong-leg",
        "Reports success for the id that was wrong",
        "LEGS-APART",
        step(CQ, "combine", _success_on_wrong_leg),
    ),
    fault_of(
        CQ,
        "success-left-open",
        "Reports success on the right leg of a mixed pair and leaves it open",
        "LEGS-APART EFFECT-PAIR",
        step(CQ, "combine", _right_leg_reported),
    ),
    fault_of(CQ, "legs-swapped", "Reports the result of each leg for the other", "LEGS-APART", _legs_swapped),
    fault_of(CQ, "only-bid", "Cancels the bid alone", "EFFECT-PAIR", _cancels(_bid, own=False)),
    fault_of(CQ, "only-ask", "Cancels the ask alone", "EFFECT-PAIR", _cancels(_ask, own=False)),
    fault_of(
        CQ, "no-effect", "Reports success and cancels nothing", "EFFECT-PAIR VERIFY-OPEN", _cancels(_nothing, own=False)
    ),
    fault_of(
        CQ,
        "no-effect-ws",
        "Reports success over WebSocket and cancels nothing",
        "EFFECT-PAIR SAME-TRANSPORT",
        _cancels(_over_http, own=False),
    ),
    fault_of(CQ, "account-quotes", "Cancels every quote of the account", "EFFECT-ONLY", _cancels(_account_quotes)),
    fault_of(
        CQ,
        "instrument-quotes",
        "Cancels everybody's quotes on the instrument",
        "EFFECT-ONLY",
        _cancels(_instrument_quotes),
    ),
    fault_of(
        CQ, "account-orders", "Cancels the orders of the account as well", "EFFECT-ONLY", _cancels(_account_orders)
    ),
    fault_of(
        CQ,
        "malformed-acts",
        "Cancels although it refuses a malformed request",
        "REFUSED-NO-EFFECT REQ-OMSID-REQUIRED MALFORMED",
        _acts_though_refused(("member",)),
    ),
    fault_of(
        CQ,
        "condition-acts",
        "Cancels although it answers 101 or 102",
        "REFUSED-NO-EFFECT",
        _acts_though_refused(("condition",)),
    ),
    fault_of(
        CQ,
        "foreign-acts",
        "Cancels although it refuses the account as a stranger's",
        "SCOPE-MARKETMAKER REFUSED-NO-EFFECT",
        _acts_though_refused(("foreign-account",)),
    ),
    fault_of(
        CQ,
        "unknown-acts",
        "Cancels although it refuses the system or the account as unknown",
        "REFUSED-NO-EFFECT",
        _acts_though_refused(("oms", "account")),
    ),
    fault_of(
        CQ,
        "done-but-101",
        "Cancels and reports that it failed",
        "RECEIVED RESP-RESULT-TRUE",
        handler(CQ, _done_but_failed),
    ),
    fault_of(
        CQ,
        "bid-101",
        "Cancels both legs and reports that the bid failed",
        "RECEIVED RESP-RESULT-TRUE",
        handler(CQ, _bid_fails),
    ),
    fault_of(CQ, "stale-open-quotes", "Shows a cancelled quote as open", "VERIFY-OPEN EFFECT-PAIR", _stale_open_quotes),
    fault_of(
        CQ,
        "gone-takes-another",
        "Takes another quote of the account when the one named is gone",
        "EFFECT-ONLY GONE",
        _gone_takes_another,
    ),
    fault_of(
        CQ,
        "early-error-half",
        "Gives an early error in the bid and success in the ask",
        "EARLY-ERROR CODE-20 CODE-100 CODE-104",
        _early_error_with_success,
    ),
)
