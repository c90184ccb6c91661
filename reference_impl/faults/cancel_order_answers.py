"""Violations in the form of CancelOrder's answers: codes and their texts, members, HTTP, frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from reference_impl.alphapoint.dispatch import answer
from reference_impl.alphapoint.http import JSON
from reference_impl.alphapoint.values import (
    INVALID_REQUEST,
    NOT_AUTHORIZED,
    OPERATION_FAILED,
    OPERATION_NOT_SUPPORTED,
    RESOURCE_NOT_FOUND,
    SERVER_ERROR,
    About,
    Call,
    Frame,
    Standard,
)
from reference_impl.changes import (
    CO,
    but,
    code_texts,
    fault_of,
    on_error,
    on_success,
    payloads,
    refusals,
    reply_members,
    responses,
    standards,
    texts,
    without,
)
from reference_impl.parts import Parts, with_frames
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse

_DONE = '{"result":true,"errormsg":null,"errorcode":0,"detail":null}'


def _other_code(about: About, code: int) -> Change:
    """Answers one kind of refusal with another code."""
    return refusals(CO, lambda refusal, _call: Standard(code, refusal.detail) if refusal.about == about else None)


def _success_for_no_frame(parts: Parts, recorder: Recorder) -> Parts:
    def unparsable(p: Parts, _text: str) -> tuple[str, ...]:
        recorder.hit()
        return (p.alphapoint.frames.encode(Frame(1, 0, CO.call, _DONE)),)

    return with_frames(parts, unparsable=unparsable)


def _put_acts(parts: Parts, recorder: Recorder) -> Parts:
    """Carries PUT out, and says afterwards that it did not."""
    inner = parts.refuse

    def refuse(request: HttpRequest) -> HttpResponse | None:
        if request.operation == CO.id and request.method == "PUT":
            recorder.hit()
            user = parts.alphapoint.sessions.find(request.header("aptoken") or "")
            answer(parts, Call(CO.call, "http", request.body, request.query, user))
        return inner(request)

    return replace(parts, refuse=refuse)


def _on(code: int, change: Callable[[HttpResponse], HttpResponse]) -> Change:
    mark = f'"errorcode":{code},'.encode()
    return responses(CO, lambda _request, response: change(response) if mark in response.body else response)


def _media(response: HttpResponse) -> HttpResponse:
    return replace(response, content_type="text/html") if response.content_type == JSON else response


FAULTS: tuple[Variant, ...] = (
    fault_of(
        CO, "text-20", "Writes Unauthorized with code 20", "CODE-20", code_texts(CO, NOT_AUTHORIZED, "Unauthorized")
    ),
    fault_of(
        CO,
        "text-100",
        "Writes Invalid Response with code 100, which is another page's",
        "CODE-100",
        code_texts(CO, INVALID_REQUEST, "Invalid Response"),
    ),
    fault_of(
        CO,
        "text-101",
        "Ends the text of code 101 with a full stop",
        "CODE-101",
        code_texts(CO, OPERATION_FAILED, "Operation Failed."),
    ),
    fault_of(
        CO,
        "text-102",
        "Writes Internal Server Error with code 102",
        "CODE-102",
        code_texts(CO, SERVER_ERROR, "Internal Server Error"),
    ),
    fault_of(
        CO, "text-104", "Writes Not Found with code 104", "CODE-104", code_texts(CO, RESOURCE_NOT_FOUND, "Not Found")
    ),
    fault_of(
        CO,
        "text-106",
        "Writes Not Supported with code 106",
        "CODE-106",
        code_texts(CO, OPERATION_NOT_SUPPORTED, "Not Supported"),
    ),
    fault_of(
        CO,
        "unknown-order-success",
        "Reports success for an order that does not exist",
        "CODE-104",
        _other_code("order", 0),
    ),
    fault_of(
        CO, "unsupported-101", "Answers 101 where 106 belongs", "CODE-106", _other_code("support", OPERATION_FAILED)
    ),
    fault_of(
        CO,
        "result-missing",
        "Leaves result out on success",
        "RESP-RESULT",
        standards(CO, on_success(without("result"))),
    ),
    fault_of(
        CO,
        "errormsg-missing",
        "Leaves errormsg out on success",
        "RESP-ERRORMSG",
        standards(CO, on_success(without("errormsg"))),
    ),
    fault_of(
        CO,
        "errormsg-success",
        "Says Success in errormsg",
        "RESP-ERRORMSG-SUCCESS",
        standards(CO, on_success(but(errormsg="Success"))),
    ),
    fault_of(
        CO,
        "errorcode-as-text",
        "Writes the error code as text",
        "RESP-ERRORCODE",
        standards(CO, on_error(lambda m: {**m, "errorcode": str(m["errorcode"])})),
    ),
    fault_of(
        CO,
        "errorcode-200",
        "Reports success with errorcode 200",
        "RESP-ERRORCODE-SUCCESS RESP-ERRORCODE-LISTED AGREE",
        standards(CO, on_success(but(errorcode=200))),
    ),
    fault_of(
        CO,
        "error-with-true",
        "Says result true in an error",
        "AGREE RESP-RESULT-FALSE",
        standards(CO, on_error(but(result=True))),
    ),
    fault_of(
        CO,
        "success-with-false",
        "Says result false beside errorcode 0",
        "AGREE RESP-RESULT-TRUE",
        standards(CO, on_success(but(result=False))),
    ),
    fault_of(
        CO,
        "detail-as-number",
        "Writes detail as the number 0 on success",
        "RESP-DETAIL",
        standards(CO, on_success(but(detail=0))),
    ),
    fault_of(
        CO, "in-a-list", "Puts the answer into a list", "RESP-STANDARD", payloads(CO, lambda value, _call: [value])
    ),
    fault_of(CO, "cut-off", "Leaves the last brace out", "RESP-STANDARD", texts(CO, lambda text: text[:-1])),
    fault_of(
        CO,
        "echoes-token",
        "Repeats the session token in detail",
        "SECRETS",
        standards(CO, lambda m, call: {**m, "detail": f"session {call.session_token}"} if call.session_token else m),
    ),
    fault_of(CO, "put-acts", "Carries PUT out and answers 405", "HTTP-ROUTE REFUSED-NO-EFFECT", _put_acts),
    fault_of(
        CO,
        "media-html",
        "Calls the JSON text/html",
        "HTTP-MEDIA",
        responses(CO, lambda _request, response: _media(response)),
    ),
    fault_of(
        CO,
        "success-400",
        "Gives a success the status 400",
        "HTTP-STATUS",
        _on(0, lambda response: replace(response, status=400)),
    ),
    fault_of(
        CO,
        "status-500-code-100",
        "Gives code 100 the status 500",
        "MALFORMED",
        _on(100, lambda response: replace(response, status=500)),
    ),
    fault_of(
        CO, "ws-m-0", "Answers with m 0, the request's", "WS-M", reply_members(CO, lambda frame: {**frame, "m": 0})
    ),
    fault_of(
        CO, "ws-event", "Answers with an event, m 3", "WS-M SYNC", reply_members(CO, lambda frame: {**frame, "m": 3})
    ),
    fault_of(CO, "ws-i-missing", "Leaves i out", "WS-I", reply_members(CO, without("i"))),
    fault_of(CO, "ws-n-missing", "Leaves n out", "WS-N", reply_members(CO, without("n"))),
    fault_of(
        CO,
        "ws-o-object",
        "Writes o as a bare object",
        "WS-O",
        reply_members(CO, lambda frame: {**frame, "o": json.loads(frame["o"])}),
    ),
    fault_of(
        CO, "ws-success-for-no-frame", "Says success to a text that is no frame", "WS-MALFORMED", _success_for_no_frame
    ),
)
