"""Permitted differences of CancelAllOrders and CancelQuote."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.values import CANCEL_ALL_ORDERS, CANCEL_QUOTE, Call
from reference_impl.parts import Parts, with_alphapoint
from reference_impl.recorder import Recorder
from reference_impl.variants import Variant, equivalent
from reference_impl.wire import FrameInfo


def _reversed_members(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.alphapoint.finish

    def finish(call: Call, value: Any) -> Any:
        value = inner(call, value)
        if call.name != CANCEL_ALL_ORDERS or not isinstance(value, dict):
            return value
        recorder.hit()
        return dict(reversed(value.items()))

    return with_alphapoint(parts, finish=finish)


def _frame_keys_reordered(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.frame_filter

    def frame_filter(info: FrameInfo, replies: tuple[str, ...]) -> tuple[str, ...]:
        replies = inner(info, replies)
        if info.operation != "alphapoint.cancel_quote":
            return replies
        recorder.hit()
        return tuple(json.dumps(dict(sorted(json.loads(text).items())), indent=1) for text in replies)

    return replace(parts, frame_filter=frame_filter)


def _detail_on_success(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.alphapoint.render_standard

    def render_standard(p: Parts, call: Call, value: Any) -> Any:
        rendered = inner(p, call, value)
        if call.name != CANCEL_QUOTE or value.code != 0:
            return rendered
        return recorder.swap(rendered, {**rendered, "detail": "Cancel request received"})

    return with_alphapoint(parts, render_standard=render_standard)


EQUIVALENTS: tuple[Variant, ...] = (
    equivalent(
        "cao-members-reversed",
        "alphapoint.cancel_all_orders",
        "Writes the members of the standard response in the opposite order",
        _reversed_members,
    ),
    equivalent(
        "cq-detail-on-success",
        "alphapoint.cancel_quote",
        "Says something in detail on success",
        _detail_on_success,
    ),
    equivalent(
        "cq-ws-frame-keys-reordered",
        "alphapoint.cancel_quote",
        "Writes the keys of a frame in alphabetical order, with white space",
        _frame_keys_reordered,
    ),
)
