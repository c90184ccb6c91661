"""Violations in WebSocket frames: m, i, n and o of the reply; replies that are lost, doubled, mixed up or early."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

from reference_impl.alphapoint.values import INVALID_REQUEST, RESOURCE_NOT_FOUND, Call, Frame, Refusal, Standard
from reference_impl.changes import (
    CAO,
    CO,
    CQ,
    Make,
    Members,
    Operation,
    fault_of,
    faults_of_both,
    frames,
    refusals,
    reply_members,
    without,
)
from reference_impl.parts import Parts, with_frames
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.wire import FrameInfo

_DONE = '{"result":true,"errormsg":null,"errorcode":0,"detail":null}'
_SUCCESS = {CAO.call: _DONE, CQ.call: f'{{"BidResult":{_DONE},"AskResult":{_DONE}}}'}
_LARGE = 2**31 - 1_000_000


def _with(**changes: Any) -> Make:
    return _changed(lambda members: {**members, **changes})


def _changed(change: Callable[[Members], Members]) -> Make:
    return lambda operation: reply_members(operation, change)


def _payload(members: Members) -> Any:
    try:
        return json.loads(members["o"])
    except (ValueError, TypeError):
        return members["o"]


def _failed(members: Members) -> bool:
    payload = _payload(members)
    parts = payload.values() if isinstance(payload, dict) and "errorcode" not in payload else [payload]
    return all(isinstance(part, dict) and part.get("errorcode") for part in parts)


def _first_text(members: Members) -> str:
    payload = _payload(members)
    part = payload if "errormsg" in payload else next(iter(payload.values()))
    return str(part["errormsg"])


def _error_frame(members: Members) -> Members:
    return {**members, "m": 5, "o": _first_text(members)} if _failed(members) else members


def _event(members: Members) -> Members:
    return {**members, "m": 3}


def _silent_on(condition: Callable[[Members], bool]) -> Make:
    def change(_info: FrameInfo, replies: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(text for text in replies if not condition(json.loads(text)))

    return lambda operation: frames(operation, change)


def _previous_number(operation: Operation) -> Change:
    """Each reply has the sequence number of the request before it, whoever sent that."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        numbers: list[Any] = [0]

        def shifted(members: Members) -> Members:
            numbers.append(members["i"])
            return {**members, "i": numbers.pop(0)}

        return reply_members(operation, shifted)(parts, recorder)

    return apply


def _others_payload(operation: Operation) -> Change:
    """Each reply has the payload of the reply before it, whoever that was for."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        payloads: list[Any] = []

        def shifted(members: Members) -> Members:
            payloads.append(members["o"])
            return {**members, "o": payloads.pop(0) if len(payloads) > 1 else members["o"]}

        return reply_members(operation, shifted)(parts, recorder)

    return apply


def _twice_at_times(operation: Operation) -> Change:
    """The first reply goes out twice, and then every tenth."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        numbers = itertools.count()
        return frames(operation, lambda _info, replies: replies + replies if next(numbers) % 10 == 0 else replies)(
            parts, recorder
        )

    return apply


def _unknown_as_invalid(operation: Operation) -> Change:
    """Either code may be read into the documents; the same request has the same one on both ways."""

    def change(refusal: Refusal, call: Call) -> Standard | None:
        told = refusal.code == RESOURCE_NOT_FOUND and call.transport == "ws"
        return Standard(INVALID_REQUEST, refusal.detail or "Not found") if told else None

    return refusals(operation, change)


def _success_for_no_frame(operation: Operation) -> Change:
    """Says success to a text that is no frame."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        def unparsable(p: Parts, _text: str) -> tuple[str, ...]:
            recorder.hit()
            return (p.alphapoint.frames.encode(Frame(1, 0, operation.call, _SUCCESS[operation.call])),)

        return with_frames(parts, unparsable=unparsable)

    return apply


FAULTS: tuple[Variant, ...] = (
    *faults_of_both("ws-m-0", "Answers with m 0, the request's", "WS-M", _with(m=0)),
    *faults_of_both("ws-m-text", "Writes m as text", "WS-M", _with(m="1")),
    fault_of(CAO, "ws-m-missing", "Leaves m out", "WS-M", reply_members(CAO, without("m"))),
    fault_of(
        CQ, "ws-m-2", "Answers with m 2, a subscription's", "WS-M", reply_members(CQ, lambda frame: {**frame, "m": 2})
    ),
    *faults_of_both("ws-event", "Answers with an event, m 3", "WS-M SYNC", _changed(_event)),
    *faults_of_both(
        "ws-error-bare",
        "Answers refusals with an error frame that holds the bare text",
        "CODE-20 CODE-100 CODE-104",
        _changed(_error_frame),
    ),
    *faults_of_both("ws-i-missing", "Leaves i out", "WS-I", _changed(without("i"))),
    fault_of(
        CAO,
        "ws-i-off-by-one",
        "Answers with the next sequence number",
        "WS-I",
        reply_members(CAO, lambda frame: {**frame, "i": frame["i"] + 1 if isinstance(frame["i"], int) else frame["i"]}),
    ),
    fault_of(
        CQ, "ws-i-text", "Writes i as text", "WS-I", reply_members(CQ, lambda frame: {**frame, "i": str(frame["i"])})
    ),
    fault_of(
        CAO,
        "ws-i-zero",
        "Answers with i 0 whatever was sent",
        "WS-I",
        reply_members(CAO, lambda frame: {**frame, "i": 0}),
    ),
    *faults_of_both(
        "ws-i-16-bits",
        "Keeps sixteen bits of i",
        "WS-I",
        _changed(lambda frame: {**frame, "i": frame["i"] & 0xFFFF if isinstance(frame["i"], int) else frame["i"]}),
    ),
    fault_of(CQ, "ws-i-previous", "Answers with the number of the request before", "WS-I", _previous_number(CQ)),
    fault_of(
        CAO,
        "ws-large-i-silent",
        "Leaves large sequence numbers unanswered",
        "WS-I SYNC",
        _silent_on(lambda frame: isinstance(frame["i"], int) and frame["i"] > _LARGE)(CAO),
    ),
    fault_of(
        CQ,
        "ws-zero-i-silent",
        "Leaves sequence number 0 unanswered",
        "WS-I SYNC",
        _silent_on(lambda frame: frame["i"] == 0)(CQ),
    ),
    *faults_of_both(
        "ws-n-response",
        "Calls the reply by another name",
        "WS-N",
        _changed(lambda frame: {**frame, "n": f"{frame['n']}Response"}),
    ),
    *faults_of_both("ws-n-missing", "Leaves n out", "WS-N", _changed(without("n"))),
    fault_of(CAO, "ws-n-empty", "Leaves n empty", "WS-N", reply_members(CAO, lambda frame: {**frame, "n": ""})),
    fault_of(
        CQ,
        "ws-n-other-call",
        "Answers under the name of CancelOrder",
        "WS-N",
        reply_members(CQ, lambda frame: {**frame, "n": "CancelOrder"}),
    ),
    *faults_of_both(
        "ws-o-object", "Writes o as a bare object", "WS-O", _changed(lambda frame: {**frame, "o": _payload(frame)})
    ),
    *faults_of_both("ws-o-missing", "Leaves o out", "WS-O", _changed(without("o"))),
    *faults_of_both(
        "ws-o-twice-encoded",
        "Encodes o twice",
        "WS-O RESP-STANDARD cq:RESP-PAIR",
        _changed(lambda frame: {**frame, "o": json.dumps(frame["o"])}),
    ),
    fault_of(
        CAO,
        "ws-o-no-json",
        "Writes text in o that is no JSON",
        "WS-O",
        reply_members(CAO, lambda frame: {**frame, "o": "cancelled"}),
    ),
    fault_of(CQ, "ws-o-empty", "Leaves o empty", "WS-O", reply_members(CQ, lambda frame: {**frame, "o": ""})),
    *faults_of_both(
        "ws-answers-twice",
        "Sends each reply over WebSocket twice",
        "SYNC",
        lambda operation: frames(operation, lambda _info, replies: replies + replies),
    ),
    *faults_of_both(
        "ws-answers-twice-at-times", "Sends every tenth reply over WebSocket twice", "SYNC", _twice_at_times
    ),
    *faults_of_both(
        "ws-unknown-100",
        "Answers unknown ids with 104 over HTTP and with 100 over WebSocket",
        "SAME-TRANSPORT",
        _unknown_as_invalid,
    ),
    fault_of(
        CO,
        "ws-unknown-100",
        "Answers unknown ids with 104 over HTTP and with 100 over WebSocket",
        "SAME-TRANSPORT",
        _unknown_as_invalid(CO),
    ),
    *faults_of_both("ws-silent-refusals", "Leaves refusals over WebSocket unanswered", "SYNC", _silent_on(_failed)),
    fault_of(
        CAO,
        "ws-silent-success",
        "Leaves successes over WebSocket unanswered",
        "SYNC",
        _silent_on(lambda frame: not _failed(frame))(CAO),
    ),
    fault_of(
        CQ,
        "ws-others-payload",
        "Answers with the payload of the reply before",
        "CODE-20 CODE-100 RESP-RESULT-TRUE",
        _others_payload(CQ),
    ),
    fault_of(
        CAO,
        "ws-success-for-errors",
        "Says success over WebSocket where HTTP says the error",
        "SAME-TRANSPORT CODE-20 CODE-100 CODE-104",
        reply_members(CAO, lambda frame: {**frame, "o": _DONE}),
    ),
    *faults_of_both(
        "ws-success-for-no-frame", "Says success to a text that is no frame", "WS-MALFORMED", _success_for_no_frame
    ),
)
