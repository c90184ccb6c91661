"""Violations of a reader that takes too much: flags and lists for ids, names of calls in any case, 100 without a word."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.http import JSON
from reference_impl.alphapoint.values import INVALID_REQUEST, RESOURCE_NOT_FOUND, Call, Frame, Refusal, Standard
from reference_impl.changes import CAO, CO, CQ, Make, Members, Operation, fault_of, refusals, reply_members
from reference_impl.faults.misreading import misread, reads_unreadable
from reference_impl.parts import Parts, with_frames
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse


def _flag_as_number(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _first_of_list(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _request_in_list(text: str) -> Any:
    try:
        return _first_of_list(json.loads(text))
    except ValueError:
        return None


def _reads_frames(operation: Operation, change: Callable[[Frame | None, str, Parts], Frame | None]) -> Change:
    """Another frame is seen in a text, where it is one for this operation."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.alphapoint.frames.decode

        def decode(text: str) -> Frame | None:
            found = inner(text)
            changed = change(found, text, parts)
            mine = changed is not None and changed.n == operation.call
            return recorder.swap(found, changed) if mine else found

        return with_frames(parts, decode=decode)

    return apply


def _call_in_any_case(found: Frame | None, _text: str, parts: Parts) -> Frame | None:
    if found is None:
        return None
    name = next((one for one in parts.alphapoint.calls if one.lower() == found.n.lower()), found.n)
    return replace(found, n=name)


def _frame_in_list(found: Frame | None, text: str, parts: Parts) -> Frame | None:
    try:
        first = _first_of_list(json.loads(text))
    except (ValueError, RecursionError):
        return found
    return parts.alphapoint.frames.decode(json.dumps(first)) if isinstance(first, dict) else found


def _without_a_word(refusal: Refusal, _call: Call) -> Standard | None:
    """The OMS keeps its 104, since the code must show somewhere."""
    return Standard(INVALID_REQUEST) if refusal.code == RESOURCE_NOT_FOUND and refusal.about != "oms" else None


def _twice_is_success(refusal: Refusal, _call: Call) -> Standard | None:
    return Standard(0) if "given twice" in (refusal.detail or "") else None


def _success_for_other_types(operation: Operation) -> Change:
    """Says success to a body of another media type, and does not read it."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.refuse

        def refuse(request: HttpRequest) -> HttpResponse | None:
            media_type = request.header("content-type") or "application/json"
            if request.operation != operation.id or request.method != "POST" or "json" in media_type:
                return inner(request)
            recorder.hit()
            done = '{"result":true,"errormsg":null,"errorcode":0,"detail":null}'
            return HttpResponse(200, done.encode(), JSON)

        return replace(parts, refuse=refuse)

    return apply


def _rounded(members: Members) -> Members:
    number = members["i"]
    return {**members, "i": int(float(number))} if isinstance(number, int) and abs(number) > 2**53 else members


def _each(name: str, summary: str, breaks: str, make: Make) -> tuple[Variant, ...]:
    return tuple(fault_of(operation, name, summary, breaks, make(operation)) for operation in (CAO, CQ, CO))


def _in_list(operation: Operation, name: str, member: str, breaks: str) -> Variant:
    summary = f"Takes the first of a list for {member}"
    return fault_of(operation, name, summary, breaks, misread(operation, member, _first_of_list))


FAULTS: tuple[Variant, ...] = (
    *_each(
        "oms-true",
        "Takes true for the OMSId 1",
        "REQ-OMSID-TYPE",
        lambda operation: misread(operation, "OMSId", _flag_as_number),
    ),
    *(_in_list(operation, "oms-from-list", "OMSId", "REQ-OMSID-TYPE") for operation in (CAO, CQ, CO)),
    *(_in_list(operation, "account-from-list", "AccountId", "REQ-ACCOUNTID-TYPE") for operation in (CAO, CQ, CO)),
    _in_list(CO, "order-from-list", "OrderId", "REQ-ORDERID-TYPE"),
    _in_list(CO, "client-from-list", "ClientOrderId", "REQ-CLIENTORDERID-TYPE"),
    _in_list(CQ, "bid-from-list", "BidQuoteId", "REQ-BIDQUOTEID-TYPE"),
    _in_list(CQ, "ask-from-list", "AskQuoteId", "REQ-ASKQUOTEID-TYPE"),
    _in_list(CQ, "instrument-from-list", "InstrumentId", "REQ-INSTRUMENTID-TYPE"),
    *_each(
        "request-from-list",
        "Takes the first of a list for the request",
        "REQ-FORM",
        reads_unreadable(_request_in_list),
    ),
    *(
        fault_of(
            operation,
            "repeated-member-success",
            "Says success, and does nothing, where a member stands twice with two values",
            "REQ-FORM REFUSED-NO-EFFECT EFFECT-ACCOUNT" if operation is CAO else "REQ-FORM REFUSED-NO-EFFECT EFFECT",
            refusals(operation, _twice_is_success),
        )
        for operation in (CAO, CO)
    ),
    *(
        fault_of(
            operation,
            "other-type-success",
            "Says success to a body of another media type, and does nothing",
            "HTTP-ROUTE REFUSED-NO-EFFECT EFFECT-ACCOUNT" if operation is CAO else "HTTP-ROUTE EFFECT",
            _success_for_other_types(operation),
        )
        for operation in (CAO, CO)
    ),
    *_each(
        "ws-i-as-double",
        "Keeps the sequence number as a floating-point number, which has 53 bits",
        "WS-I",
        lambda operation: reply_members(operation, _rounded),
    ),
    *_each(
        "ws-n-lower-case",
        "Names the call of a reply in lower case",
        "WS-N",
        lambda operation: reply_members(operation, lambda members: {**members, "n": members["n"].lower()}),
    ),
    *_each(
        "ws-o-marked",
        "Writes a byte order mark before the payload",
        "WS-O",
        lambda operation: reply_members(operation, lambda members: {**members, "o": f"\ufeff{members['o']}"}),
    ),
    *_each(
        "ws-call-in-any-case",
        "Knows the call in any letter case of n",
        "WS-N",
        lambda operation: _reads_frames(operation, _call_in_any_case),
    ),
    *_each(
        "ws-frame-from-list",
        "Takes a frame out of a list",
        "WS-MALFORMED",
        lambda operation: _reads_frames(operation, _frame_in_list),
    ),
    *_each(
        "unknown-100-without-detail",
        "Calls an id that names nothing invalid, and says no more",
        "CODE-104",
        lambda operation: refusals(operation, _without_a_word),
    ),
)
