"""Violations of CancelAllOrders."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.values import (
    CANCEL_ALL_ORDERS,
    Call,
    CancelAllRequest,
    Frame,
    Refusal,
    Standard,
)
from reference_impl.parts import Parts, with_alphapoint, with_cancel_all, with_frames
from reference_impl.recorder import Recorder
from reference_impl.variants import Variant, fault
from reference_impl.world.model import Account

_fault = partial(fault, operation="alphapoint.cancel_all_orders")


def _only_first_order(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.alphapoint.cancel_all.select

    def select(p: Parts, call: Call, request: CancelAllRequest, meant: tuple[Account, ...]) -> tuple[Order, ...]:
        orders = inner(p, call, request, meant)
        return recorder.swap(orders, orders[:1])

    return with_cancel_all(parts, select=select)


def _wrong_code_for_unknown_account(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.alphapoint.standard

    def standard(call: Call, refusal: Refusal) -> Standard:
        value = inner(call, refusal)
        if call.name == CANCEL_ALL_ORDERS and refusal.about == "account":
            return recorder.swap(value, replace(value, code=101))
        return value

    return with_alphapoint(parts, standard=standard)


def _sequence_number_off_by_one(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.alphapoint.frames.reply

    def reply(frame: Frame, kind: int, payload: str) -> Frame:
        answer = inner(frame, kind, payload)
        if frame.n.lower() != CANCEL_ALL_ORDERS.lower() or not isinstance(answer.i, int):
            return answer
        return recorder.swap(answer, replace(answer, i=answer.i + 1))

    return with_frames(parts, reply=reply)


FAULTS: tuple[Variant, ...] = (
    _fault("cao-only-first-order", summary="Cancels the oldest order alone", apply=_only_first_order),
    _fault(
        "cao-unknown-account-101",
        summary="Refuses an unknown account with 101 in place of 104",
        apply=_wrong_code_for_unknown_account,
    ),
    _fault(
        "cao-ws-i-off-by-one",
        summary="Answers with the next sequence number",
        apply=_sequence_number_off_by_one,
    ),
)
