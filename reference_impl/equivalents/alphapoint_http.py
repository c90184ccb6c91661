"""Permitted differences of AlphaPoint's HTTP: headers, chunks, compression, closed connections, status, time."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from dataclasses import replace

from reference_impl.alphapoint.values import Call
from reference_impl.changes import CQ, Make, Operation, equivalent_of, equivalents_of_each, responses
from reference_impl.parts import Parts, with_alphapoint
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse, text_response

_SLOW_S = 0.05


def _response(change: Callable[[HttpResponse], HttpResponse]) -> Make:
    return lambda operation: responses(operation, lambda _request, response: change(response))


def _media(content_type: str) -> Make:
    return _response(
        lambda r: replace(r, content_type=content_type) if r.content_type.startswith("application/json") else r
    )


def _headers(*headers: tuple[str, str]) -> Make:
    return _response(lambda response: replace(response, headers=(*response.headers, *headers)))


def _compressed(response: HttpResponse) -> HttpResponse:
    coding = ("content-encoding", "gzip")
    return replace(response, body=gzip.compress(response.body), headers=(*response.headers, coding))


def _status(success: int, error: int) -> Make:
    """The status of standard answers: one for success, one for errors."""

    def change(response: HttpResponse) -> HttpResponse:
        if not response.content_type.startswith("application/json"):
            return response
        packed = ("content-encoding", "gzip") in response.headers
        value = json.loads(gzip.decompress(response.body) if packed else response.body)
        parts = value.values() if "errorcode" not in value else [value]
        failed = all(part["errorcode"] for part in parts)
        return replace(response, status=error if failed else success)

    return _response(change)


def _slow(operation: Operation) -> Change:
    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner, before = parts.delay_s, parts.hold

        async def hold(request: HttpRequest) -> None:
            await before(request)
            if request.operation == operation.id:
                recorder.hit()
                await asyncio.sleep(_SLOW_S)

        def delay_s(given: str) -> float:
            if given != operation.id:
                return inner(given)
            recorder.hit()
            return _SLOW_S

        return replace(parts, delay_s=delay_s, hold=hold)

    return apply


def _no_session_text(text: str) -> Make:
    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            inner = parts.alphapoint.http_no_session

            def http_no_session(p: Parts, call: Call) -> HttpResponse:
                if not operation.is_of(call):
                    return inner(p, call)
                recorder.hit()
                return text_response(404, text)

            return with_alphapoint(parts, http_no_session=http_no_session)

        return apply

    return make


def _answered_without_body(method: str, status: int) -> Make:
    """A method that only asks is answered, and nothing is done."""
    answer = HttpResponse(status, b"", "", (("allow", "POST, OPTIONS"),))
    return lambda operation: responses(
        operation, lambda request, response: answer if request.method == method else response
    )


_MORE = (
    ("x-request-id", "7f3e"),
    ("cache-control", "no-store"),
    ("set-cookie", "route=1; path=/"),
    ("strict-transport-security", "max-age=1"),
)

EQUIVALENTS: tuple[Variant, ...] = (
    *equivalents_of_each("charset-upper", "Spells the charset UTF-8", _media("application/json; charset=UTF-8")),
    *equivalents_of_each(
        "charset-quoted", "Puts the charset in quotes, without white space", _media('Application/JSON;charset="utf-8"')
    ),
    *equivalents_of_each("media-missing", "Declares no media type", _media("")),
    *equivalents_of_each("charset-none", "Names no charset", _media("application/json")),
    equivalent_of(CQ, "media-text-json", "Calls the JSON text/json", _media("text/json; charset=utf-8")(CQ)),
    *equivalents_of_each("more-headers", "Sends headers of its own", _headers(*_MORE)),
    *equivalents_of_each("closes", "Closes the connection after each answer", _headers(("Connection", "close"))),
    *equivalents_of_each(
        "chunked-answer", "Sends the answer in small chunks", _response(lambda r: replace(r, chunked=True))
    ),
    *equivalents_of_each(
        "gzip", "Compresses the answer, as is allowed where the request names no coding", _response(_compressed)
    ),
    *equivalents_of_each("error-status-400", "Gives every error the status 400", _status(200, 400)),
    *equivalents_of_each("error-status-409", "Gives every error the status 409", _status(200, 409)),
    *equivalents_of_each("success-202", "Gives a success, which is a receipt, the status 202", _status(202, 200)),
    *equivalents_of_each(
        "options-204", "Says to an OPTIONS which methods there are", _answered_without_body("OPTIONS", 204)
    ),
    *equivalents_of_each("head-200", "Answers a HEAD with 200 and no body", _answered_without_body("HEAD", 200)),
    *equivalents_of_each("slow", "Answers after fifty milliseconds", _slow),
    *equivalents_of_each(
        "no-session-line-feed", "Ends the text for a missing session with a line feed", _no_session_text("Not Found\n")
    ),
)
