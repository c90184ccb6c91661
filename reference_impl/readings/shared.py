"""Readings that CancelAllOrders, CancelQuote and CancelOrder share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.dispatch import answer
from reference_impl.alphapoint.frames import ERROR, REPLY, error_frame, is_refusal, standard_invalid
from reference_impl.alphapoint.http import JSON
from reference_impl.alphapoint.members import optional_integer
from reference_impl.alphapoint.values import (
    CANCEL_ALL_ORDERS,
    CANCEL_ORDER,
    CANCEL_QUOTE,
    INVALID_REQUEST,
    NOT_AUTHORIZED,
    RESOURCE_NOT_FOUND,
    SERVER_ERROR,
    Answer,
    Call,
    Data,
    Frame,
    Pair,
    Refusal,
    Refused,
    Standard,
)
from reference_impl.parts import Parts, with_alphapoint, with_cancel_all, with_cancel_order, with_frames
from reference_impl.readings.values import CAO, CO, CQ, Reading, as_it_is
from reference_impl.wire import TPP_OPERATIONS, HttpRequest, HttpResponse

_STATUS = {INVALID_REQUEST: 400, NOT_AUTHORIZED: 403, RESOURCE_NOT_FOUND: 404, SERVER_ERROR: 500}
_OTHER_STATUS = 409
_NAMES = {
    "camel": ("result", "errorMsg", "errorCode", "detail", "bidResult", "askResult"),
    "pascal": ("Result", "ErrorMsg", "ErrorCode", "Detail", "BidResult", "AskResult"),
    "lower": ("result", "errormsg", "errorcode", "detail", "bidresult", "askresult"),
}


def _on_success(change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Callable[[Parts], Parts]:
    def apply(parts: Parts) -> Parts:
        inner = parts.alphapoint.render_standard

        def render_standard(p: Parts, call: Call, value: Standard) -> Mapping[str, Any]:
            rendered = inner(p, call, value)
            return rendered if value.code else change(rendered)

        return with_alphapoint(parts, render_standard=render_standard)

    return apply


def _without_detail(rendered: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in rendered.items() if name != "detail"}


def _status_4xx(parts: Parts) -> Parts:
    def http_status(_call: Call, result: Answer) -> int:
        if isinstance(result, Data):
            return 200
        codes = [result.bid.code, result.ask.code] if isinstance(result, Pair) else [result.code]
        return 200 if 0 in codes else _STATUS.get(codes[0], _OTHER_STATUS)

    return with_alphapoint(parts, http_status=http_status)


def _session_standard_20(parts: Parts) -> Parts:
    def http_no_session(p: Parts, call: Call) -> HttpResponse:
        result, text = answer(p, call)
        return HttpResponse(p.alphapoint.http_status(call, result), text.encode(), JSON)

    return with_alphapoint(parts, http_no_session=http_no_session)


def _foreign_104(parts: Parts) -> Parts:
    inner = parts.alphapoint.standard

    def standard(call: Call, refusal: Refusal) -> Standard:
        if refusal.about == "foreign-account":
            return Standard(RESOURCE_NOT_FOUND, "Account not found")
        return inner(call, refusal)

    return with_alphapoint(parts, standard=standard)


def _unknown_100(parts: Parts) -> Parts:
    """An unknown OMS stays 104, since the code must show somewhere."""
    inner = parts.alphapoint.standard

    def standard(call: Call, refusal: Refusal) -> Standard:
        if refusal.code == RESOURCE_NOT_FOUND and refusal.about != "oms":
            return Standard(INVALID_REQUEST, refusal.detail)
        return inner(call, refusal)

    return with_alphapoint(parts, standard=standard)


def _key_case(style: str) -> Callable[[Parts], Parts]:
    names = {name.lower(): name for name in _NAMES[style]}

    def rename(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {names.get(name.lower(), name): rename(member) for name, member in value.items()}

    def apply(parts: Parts) -> Parts:
        inner = parts.alphapoint.finish

        def finish(call: Call, value: Any) -> Any:
            value = inner(call, value)
            return rename(value) if call.name in (CANCEL_ALL_ORDERS, CANCEL_QUOTE, CANCEL_ORDER) else value

        return with_alphapoint(parts, finish=finish)

    return apply


def _honour_instrument(parts: Parts) -> Parts:
    """An instrument id, also under the misspelt name that real clients send, narrows what is cancelled."""
    select_all, select_one = parts.alphapoint.cancel_all.select, parts.alphapoint.cancel_order.select

    def wanted(call: Call) -> int | None:
        return optional_integer(call, "InstrumentId") or optional_integer(call, "IntrumentId")

    def narrowed(p: Parts, call: Call, *rest: Any) -> Any:
        return tuple(o for o in select_all(p, call, *rest) if wanted(call) in (None, 0, o.instrument_id))

    def one(p: Parts, call: Call, *rest: Any) -> Any:
        order = select_one(p, call, *rest)
        if wanted(call) not in (None, 0, order.instrument_id):
            raise Refused(RESOURCE_NOT_FOUND, "order", "Order not found")
        return order

    return with_cancel_order(with_cancel_all(parts, select=narrowed), select=one)


def _without_media_type(parts: Parts) -> Parts:
    inner = parts.http_filter

    def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = inner(request, response)
        return response if request.operation in TPP_OPERATIONS else replace(response, content_type="")

    return replace(parts, http_filter=http_filter)


def _errors_in_error_frames(parts: Parts) -> Parts:
    inner = parts.alphapoint.frames.reply

    def reply(frame: Frame, kind: int, payload: str) -> Frame:
        return inner(frame, ERROR if kind == REPLY and is_refusal(payload) else kind, payload)

    return with_frames(parts, reply=reply)


READINGS: tuple[Reading, ...] = (
    Reading(
        "errormsg-on-success",
        (CAO, CQ, CO),
        {"null": as_it_is, "empty": _on_success(lambda rendered: {**rendered, "errormsg": ""})},
    ),
    Reading(
        "detail-on-success",
        (CAO, CQ, CO),
        {
            "null": as_it_is,
            "empty": _on_success(lambda rendered: {**rendered, "detail": ""}),
            "omitted": _on_success(_without_detail),
        },
    ),
    Reading("error-status", (CAO, CQ, CO), {"200": as_it_is, "4xx": _status_4xx}),
    Reading("session-missing", (CAO, CQ, CO), {"404-text": as_it_is, "standard-20": _session_standard_20}),
    Reading("foreign-account", (CAO, CQ, CO), {"20": as_it_is, "104": _foreign_104}),
    Reading("unknown-id", (CAO, CQ, CO), {"104": as_it_is, "100": _unknown_100}),
    Reading(
        "response-key-case",
        (CAO, CQ, CO),
        {"documented": as_it_is, **{style: _key_case(style) for style in _NAMES}},
    ),
    Reading("answer-media-type", (CAO, CQ, CO), {"declared": as_it_is, "absent": _without_media_type}),
    Reading("error-frame", (CAO, CQ, CO), {"reply": as_it_is, "error": _errors_in_error_frames}),
    Reading("extra-members", (CAO, CQ, CO), {"ignored": as_it_is, "honoured": _honour_instrument}),
    Reading(
        "unparsable-frame",
        (CAO, CQ, CO),
        {
            "silence": as_it_is,
            "error-frame": lambda parts: with_frames(parts, unparsable=error_frame),
            "standard-100": lambda parts: with_frames(parts, unparsable=standard_invalid),
        },
    ),
)
