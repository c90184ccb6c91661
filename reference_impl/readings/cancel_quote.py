"""Readings of CancelQuote alone."""

from __future__ import annotations

from typing import Any

from reference_impl.alphapoint.values import CANCEL_QUOTE, RESOURCE_NOT_FOUND, Answer, Call, Refusal, Standard
from reference_impl.parts import Leg, Legs, Parts, with_alphapoint, with_cancel_quote
from reference_impl.readings.values import CQ, Reading, as_it_is


def _each_alone(parts: Parts) -> Parts:
    def combine(_parts: Parts, _call: Call, legs: Legs) -> Legs:
        """A bid and an ask that are each open are one quote, or the ask is that of another one."""
        bid, ask = legs
        if bid.order and ask.order and bid.order.partner_id != ask.order.order_id:
            return bid, Leg(refusal=Refusal(RESOURCE_NOT_FOUND, "pair", "The other quote id is not of the same quote"))
        return legs

    return with_cancel_quote(parts, combine=combine)


def _gone_success(parts: Parts) -> Parts:
    """A quote of which neither leg is known or open any more is received without effect."""
    inner = parts.alphapoint.cancel_quote.combine

    def combine(p: Parts, call: Call, legs: Legs) -> Legs:
        if all(leg.refusal is not None and leg.refusal.about == "quote" for leg in legs):
            return Leg(), Leg()
        return inner(p, call, legs)

    return with_cancel_quote(parts, combine=combine)


def _flat_early_error(parts: Parts) -> Parts:
    def early_error(_call: Call, error: Standard) -> Answer:
        return error

    return with_alphapoint(parts, early_error=early_error)


def _legs_as_strings(parts: Parts) -> Parts:
    inner = parts.alphapoint.finish

    def finish(call: Call, value: Any) -> Any:
        value = inner(call, value)
        if call.name != CANCEL_QUOTE or not isinstance(value, dict):
            return value
        encode = parts.alphapoint.encode
        return {name: encode(leg) if isinstance(leg, dict) else leg for name, leg in value.items()}

    return with_alphapoint(parts, finish=finish)


READINGS: tuple[Reading, ...] = (
    Reading("mixed-legs", (CQ,), {"both-refused": as_it_is, "each-alone": _each_alone}),
    Reading("quote-gone", (CQ,), {"104": as_it_is, "success": _gone_success}),
    Reading("early-error", (CQ,), {"pair": as_it_is, "flat": _flat_early_error}),
    Reading("leg-form", (CQ,), {"object": as_it_is, "string": _legs_as_strings}),
)
