"""Violations of CancelQuote."""

from __future__ import annotations

from functools import partial

from reference_impl.alphapoint.values import Call
from reference_impl.parts import Leg, Legs, Parts, with_cancel_quote
from reference_impl.recorder import Recorder
from reference_impl.variants import Variant, fault

_fault = partial(fault, operation="alphapoint.cancel_quote")


def _effect_on_refused_leg(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.alphapoint.cancel_quote.combine

    def combine(p: Parts, call: Call, legs: Legs) -> Legs:
        combined = inner(p, call, legs)
        for alone, final in zip(legs, combined, strict=True):
            if alone.order and final.refusal and p.alphapoint.book.cancel([alone.order.order_id]):
                recorder.hit()
        return combined

    return with_cancel_quote(parts, combine=combine)


def _success_on_wrong_leg(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.alphapoint.cancel_quote.combine

    def combine(p: Parts, call: Call, legs: Legs) -> Legs:
        bid, ask = inner(p, call, legs)
        if legs[0].order and legs[1].refusal:
            ask = recorder.swap(ask, Leg())
        if legs[1].order and legs[0].refusal:
            bid = recorder.swap(bid, Leg())
        return bid, ask

    return with_cancel_quote(parts, combine=combine)


FAULTS: tuple[Variant, ...] = (
    _fault(
        "cq-effect-on-refused-leg",
        summary="Cancels the right leg of a pair that it refuses",
        apply=_effect_on_refused_leg,
    ),
    _fault(
        "cq-success-on-wrong-leg",
        summary="Reports success for the id that was wrong",
        apply=_success_on_wrong_leg,
    ),
)
