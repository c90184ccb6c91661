"""Violations on AlphaPoint's wire: bodies that are not JSON, HTTP status and headers, pages and traces, lost answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from reference_impl.alphapoint.dispatch import answer
from reference_impl.alphapoint.values import Call, Standard
from reference_impl.changes import (
    CAO,
    CQ,
    Make,
    Members,
    Operation,
    but,
    fault_of,
    faults_of_both,
    on_error,
    refusals,
    responses,
    standards,
    texts,
)
from reference_impl.depth import load_json
from reference_impl.parts import Parts, with_alphapoint
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse, text_response

_PAGE = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Error</h1></body></html>"
_TRACE = "System.NullReferenceException: Object reference not set\n   at OMS.Orders.CancelAll(Request request) in Orders.cs:line 42"
Change1 = Callable[[HttpRequest, HttpResponse], HttpResponse]


def _text(change: Callable[[str], str]) -> Make:
    return lambda operation: texts(operation, change)


def _response(change: Change1) -> Make:
    return lambda operation: responses(operation, change)


def _if(condition: Callable[[HttpRequest, HttpResponse], bool], change: Callable[[HttpResponse], HttpResponse]) -> Make:
    return _response(lambda request, response: change(response) if condition(request, response) else response)


def _is_json(_request: HttpRequest, response: HttpResponse) -> bool:
    return response.content_type.startswith("application/json")


def _has(text: bytes) -> Callable[[HttpRequest, HttpResponse], bool]:
    return lambda _request, response: text in response.body


def _bad_request(_request: HttpRequest, response: HttpResponse) -> bool:
    return b'"errorcode":100' in response.body


def _unreadable(request: HttpRequest, response: HttpResponse) -> bool:
    try:
        load_json(request.body)
    except ValueError:
        return response.content_type.startswith("application/json")
    return False


def _page(_response: HttpResponse) -> HttpResponse:
    return HttpResponse(500, _PAGE.encode(), "text/html; charset=utf-8")


def _media(content_type: str) -> Make:
    return _if(_is_json, lambda response: replace(response, content_type=content_type))


def _status(status: int) -> Callable[[HttpResponse], HttpResponse]:
    return lambda response: replace(response, status=status)


def _refuses(condition: Callable[[HttpRequest], bool], status: int, text: str) -> Make:
    """Refuses before anything is done: the outermost layer answers, and the inner one never knew."""

    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            return replace(parts, refuse=_first(parts, recorder))

        def _first(parts: Parts, recorder: Recorder) -> Callable[[HttpRequest], HttpResponse | None]:
            inner = parts.refuse

            def refuse(request: HttpRequest) -> HttpResponse | None:
                if request.operation == operation.id and condition(request):
                    recorder.hit()
                    return text_response(status, text)
                return inner(request)

            return refuse

        return apply

    return make


def _upper_case_header(request: HttpRequest) -> bool:
    return any(key == "accept-language" for key, _ in request.headers)


def _charset_named(request: HttpRequest) -> bool:
    return "charset" in (request.header("content-type") or "")


def _chunked(request: HttpRequest) -> bool:
    return request.header("transfer-encoding") is not None


def _other_method(method: str) -> Make:
    """Takes a method for POST, and says afterwards that it did not."""

    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            inner = parts.refuse

            def refuse(request: HttpRequest) -> HttpResponse | None:
                if request.operation == operation.id and request.method == method:
                    recorder.hit()
                    user = parts.alphapoint.sessions.find(request.header("aptoken") or "")
                    answer(parts, Call(operation.call, "http", request.body, request.query, user))
                    return text_response(405, "METHOD NOT ALLOWED", ("allow", "POST"))
                return inner(request)

            return replace(parts, refuse=refuse)

        return apply

    return make


def _case_sensitive(operation: Operation) -> Change:
    """Knows the members by their documented spelling alone."""
    known = (
        {"OMSId", "AccountId"}
        if operation is CAO
        else {"omsId", "accountId", "instrumentId", "bidQuoteId", "askQuoteId"}
    )

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.alphapoint.read_members

        def read_members(p: Parts, call: Call) -> Members:
            members = dict(inner(p, call))
            if not operation.is_of(call):
                return members
            text = call.payload.decode("utf-8", "replace") if isinstance(call.payload, bytes) else call.payload
            spelt = {name.lower() for name in known if f'"{name}"' in text}
            return recorder.swap(members, {name: value for name, value in members.items() if name in spelt})

        return with_alphapoint(parts, read_members=read_members)

    return apply


FAULTS: tuple[Variant, ...] = (
    *faults_of_both(
        "trailing-comma",
        "Ends the object with a comma, as the sample does",
        "RESP-STANDARD cq:RESP-PAIR",
        _text(lambda text: text[:-1] + ",}"),
    ),
    *faults_of_both(
        "single-quotes",
        "Quotes with apostrophes",
        "RESP-STANDARD cq:RESP-PAIR",
        _text(lambda text: text.replace('"', "'")),
    ),
    *faults_of_both(
        "python-words",
        "Writes True, False and None",
        "RESP-STANDARD cq:RESP-PAIR",
        _text(lambda text: text.replace("true", "True").replace("false", "False").replace("null", "None")),
    ),
    *faults_of_both(
        "cut-off", "Leaves the last brace out", "RESP-STANDARD cq:RESP-PAIR", _text(lambda text: text[:-1])
    ),
    *faults_of_both(
        "twice-json", "Writes the object twice in a row", "RESP-STANDARD cq:RESP-PAIR", _text(lambda text: text + text)
    ),
    fault_of(
        CAO,
        "guard-prefix",
        "Writes a guard before the object",
        "RESP-STANDARD",
        texts(CAO, lambda text: ")]}',\n" + text),
    ),
    fault_of(CAO, "json-as-text", "Writes the object as a JSON string", "RESP-STANDARD", texts(CAO, json.dumps)),
    *faults_of_both(
        "empty-body",
        "Answers a success with an empty body",
        "RESP-STANDARD cq:RESP-PAIR",
        _if(_has(b'"errorcode":0'), lambda r: replace(r, body=b"")),
    ),
    *faults_of_both(
        "no-content",
        "Answers a success with 204 and no body",
        "RESP-STANDARD cq:RESP-PAIR",
        _if(_has(b'"errorcode":0'), lambda r: replace(r, status=204, body=b"", content_type="")),
    ),
    *faults_of_both(
        "utf-16",
        "Answers in UTF-16 while it says UTF-8",
        "RESP-STANDARD cq:RESP-PAIR",
        _if(_is_json, lambda r: replace(r, body=r.body.decode().encode("utf-16"))),
    ),
    *faults_of_both("media-html", "Calls the JSON text/html", "HTTP-MEDIA", _media("text/html; charset=utf-8")),
    fault_of(CAO, "media-plain", "Calls the JSON text/plain", "HTTP-MEDIA", _media("text/plain")(CAO)),
    fault_of(
        CQ,
        "media-octets",
        "Calls the JSON application/octet-stream",
        "HTTP-MEDIA",
        _media("application/octet-stream")(CQ),
    ),
    *faults_of_both(
        "success-400", "Gives a success the status 400", "HTTP-STATUS", _if(_has(b'"errorcode":0'), _status(400))
    ),
    *faults_of_both(
        "success-302", "Gives a success the status 302", "HTTP-STATUS", _if(_has(b'"errorcode":0'), _status(302))
    ),
    *faults_of_both(
        "status-500-code-100", "Gives code 100 the status 500", "MALFORMED HTTP-STATUS", _if(_bad_request, _status(500))
    ),
    *faults_of_both(
        "status-503-code-104",
        "Gives code 104 the status 503",
        "MALFORMED HTTP-STATUS",
        _if(_has(b'"errorcode":104'), _status(503)),
    ),
    *faults_of_both(
        "page-for-unreadable", "Answers 500 with a page to what is no JSON", "MALFORMED", _if(_unreadable, _page)
    ),
    *faults_of_both(
        "page-status-400",
        "Answers 400 with a page to what is no JSON",
        "MALFORMED REQ-FORM",
        _if(_unreadable, lambda _r: HttpResponse(400, _PAGE.encode(), "text/html")),
    ),
    *faults_of_both(
        "trace-in-detail",
        "Shows a stack trace in detail",
        "MALFORMED",
        lambda o: standards(o, on_error(but(detail=_TRACE), 100)),
    ),
    *faults_of_both(
        "trace-for-type",
        "Shows a trace for a value of another type",
        "MALFORMED",
        lambda o: refusals(
            o,
            lambda r, _c: (
                Standard(r.code, "java.lang.NumberFormatException: For input string")
                if r.detail and r.detail.endswith("is not an integer")
                else None
            ),
        ),
    ),
    *faults_of_both(
        "unreadable-silent",
        "Answers what is no JSON with an empty 200",
        "REQ-FORM RESP-STANDARD cq:RESP-PAIR",
        _if(_unreadable, lambda r: replace(r, body=b"")),
    ),
    *faults_of_both(
        "put-acts", "Carries PUT out and answers 405", "HTTP-ROUTE REFUSED-NO-EFFECT", _other_method("PUT")
    ),
    *faults_of_both(
        "get-acts", "Carries GET out and answers 405", "HTTP-ROUTE REFUSED-NO-EFFECT", _other_method("GET")
    ),
    *faults_of_both(
        "head-acts", "Carries HEAD out and answers 405", "HTTP-ROUTE REFUSED-NO-EFFECT", _other_method("HEAD")
    ),
    *faults_of_both(
        "options-acts", "Carries OPTIONS out and answers 405", "HTTP-ROUTE REFUSED-NO-EFFECT", _other_method("OPTIONS")
    ),
    *faults_of_both(
        "charset-415",
        "Refuses a content type that names its charset",
        "HTTP-MEDIA HTTP-ROUTE RESP-STANDARD cq:RESP-PAIR",
        _refuses(_charset_named, 415, "UNSUPPORTED MEDIA TYPE"),
    ),
    *faults_of_both(
        "chunked-411",
        "Refuses a body in chunks",
        "HTTP-MEDIA HTTP-ROUTE RESP-STANDARD cq:RESP-PAIR",
        _refuses(_chunked, 411, "LENGTH REQUIRED"),
    ),
    fault_of(
        CAO,
        "language-406",
        "Refuses a language that it does not speak",
        "HTTP-MEDIA HTTP-ROUTE RESP-STANDARD",
        _refuses(_upper_case_header, 406, "NOT ACCEPTABLE")(CAO),
    ),
    *faults_of_both("keys-exact", "Knows members in the documented spelling alone", "KEY-CASE", _case_sensitive),
)
