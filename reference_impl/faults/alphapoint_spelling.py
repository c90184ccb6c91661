"""Violations by readers of AlphaPoint's calls who know one spelling of JSON, of a header or of a frame, and not another."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

from reference_impl.alphapoint.http import JSON
from reference_impl.alphapoint.values import INVALID_REQUEST, Call, Refused
from reference_impl.changes import CAO, CO, CQ, Operation, fault_of, frames
from reference_impl.parts import Parts, with_alphapoint
from reference_impl.pipelined import first_again, first_for_all, joined, lost, on_pipelined, swapped, unanswered
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.wire import FrameInfo, HttpRequest, HttpResponse

_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*):')
_BUFFER = 8192
_MOST_HEADERS = 32


def _read_as(operation: Operation, change: Callable[[str], str | None]) -> Change:
    """A payload is read as another text; None: it is refused."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.alphapoint.read_members

        def read_members(p: Parts, call: Call) -> dict[str, object]:
            text = call.payload.decode() if isinstance(call.payload, bytes) else call.payload
            read = change(text) if operation.is_of(call) else text
            if read != text:
                recorder.hit()
            if read is None:
                raise Refused(INVALID_REQUEST, "member", "The request is not read")
            return dict(inner(p, replace(call, payload=read)))

        return with_alphapoint(parts, read_members=read_members)

    return apply


def _unless(pattern: str) -> Callable[[str], str | None]:
    found = re.compile(pattern).search
    return lambda text: None if found(text) else text


def _names_lost(lost: Callable[[str, str], object]) -> Callable[[str], str]:
    """Members whose name, or the white space behind it, the reader does not take for what it is."""
    return lambda text: _NAME.sub(lambda name: f'"?{name.start()}":' if lost(name[1], name[2]) else name[0], text)


def _by_place(text: str) -> str:
    """Values go to the members in the order of the document, whatever their names."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    names = ("OMSId", "AccountId")
    if not isinstance(value, dict) or set(value) != set(names):
        return text
    return json.dumps(dict(zip(names, value.values(), strict=True)))


def _error(operation: Operation) -> str:
    """Code 100 in the form of the operation."""
    error = {"result": False, "errormsg": "Invalid Request", "errorcode": 100, "detail": "The request is not read"}
    return json.dumps({"BidResult": error, "AskResult": error} if operation is CQ else error)


def _refuses(operation: Operation, unwanted: Callable[[HttpRequest], object]) -> Change:
    """Refuses a request for the way in which it is written."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.refuse

        def refuse(request: HttpRequest) -> HttpResponse | None:
            if request.operation != operation.id or not unwanted(request):
                return inner(request)
            recorder.hit()
            return HttpResponse(200, _error(operation).encode(), JSON)

        return replace(parts, refuse=refuse)

    return apply


def _typed(pattern: str) -> Callable[[HttpRequest], object]:
    found = re.compile(pattern).search
    return lambda request: found(request.header("content-type") or "")


def _cut_short(request: HttpRequest) -> bool:
    """Whether there was more of the body than came first."""
    return 0 < request.first_bytes < len(request.body)


def _said_refused(operation: Operation, pattern: str) -> Change:
    """Calls a frame that is written so invalid, once it has been carried out."""
    found = re.compile(pattern).search

    def change(info: FrameInfo, replies: tuple[str, ...]) -> tuple[str, ...]:
        if not found(info.text):
            return replies
        return tuple(json.dumps({**json.loads(reply), "o": _error(operation)}) for reply in replies)

    return frames(operation, change)


FAULTS: tuple[Variant, ...] = (
    fault_of(CAO, "spelled-tabs", "Refuses tabs between tokens", "SPELLED-JSON", _read_as(CAO, _unless("\t"))),
    fault_of(CQ, "spelled-returns", "Refuses carriage returns", "SPELLED-JSON", _read_as(CQ, _unless("\r"))),
    fault_of(CAO, "spelled-before", "Refuses white space in front", "SPELLED-JSON", _read_as(CAO, _unless(r"\A\s"))),
    fault_of(CQ, "spelled-behind", "Refuses white space at the end", "SPELLED-JSON", _read_as(CQ, _unless(r"\s\Z"))),
    fault_of(CO, "spelled-long", "Reads the first 8,192 characters", "SPELLED-JSON",
             _read_as(CO, lambda text: text[:_BUFFER])),
    fault_of(CAO, "spelled-escaped-account", "Does not find AccountId when its name has an escape", "SPELLED-JSON",
             _read_as(CAO, _names_lost(lambda name, _: "\\" in name and name[-2:] in ("64", "4D", "4d")))),
    fault_of(CO, "spelled-escaped-names", "Does not find members whose names have escapes", "SPELLED-JSON",
             _read_as(CO, _names_lost(lambda name, _: "\\" in name))),
    fault_of(CQ, "spelled-escape-capitals", "Reads escapes in lower-case digits alone", "SPELLED-JSON",
             _read_as(CQ, _names_lost(lambda name, _: re.search(r"\\u[0-9a-f]*[A-F]", name)))),
    fault_of(CO, "spelled-before-colons", "Does not find members with white space before the colon", "SPELLED-JSON",
             _read_as(CO, _names_lost(lambda _, space: space))),
    fault_of(CAO, "spelled-by-place", "Gives values to members by their places", "SPELLED-JSON",
             _read_as(CAO, _by_place)),
    fault_of(CQ, "spelled-type-capitals", "Refuses a media type in capitals", "SPELLED-HTTP",
             _refuses(CQ, _typed(r"\A[A-Z]"))),
    fault_of(CO, "spelled-parameter-space", "Refuses white space before the semicolon", "SPELLED-HTTP",
             _refuses(CO, _typed(r"\s;"))),
    fault_of(CAO, "spelled-parameter-unknown", "Refuses a parameter that it does not know", "SPELLED-HTTP",
             _refuses(CAO, _typed(r";\s*profile"))),
    fault_of(CO, "spelled-many-headers", "Refuses more than 32 headers", "SPELLED-HTTP",
             _refuses(CO, lambda request: len(request.headers) > _MOST_HEADERS)),
    fault_of(CAO, "spelled-header-bytes", "Refuses a header with a byte beyond ASCII", "SPELLED-HTTP",
             _refuses(CAO, lambda request: any(not value.isascii() for _, value in request.headers))),
    fault_of(CQ, "spelled-body-in-pieces", "Reads what comes of the body first", "SPELLED-HTTP",
             _refuses(CQ, _cut_short)),
    fault_of(CAO, "pipelined-swapped", "Answers the second of two requests that came in one go first", "SPELLED-HTTP",
             on_pipelined(CAO.id, swapped)),
    fault_of(CAO, "pipelined-first-again", "Reads the first of two requests that came in one go twice", "SPELLED-HTTP",
             on_pipelined(CAO.id, first_again)),
    fault_of(CQ, "pipelined-first-for-all", "Gives the answer of the first of two requests that came in one go to both",
             "SPELLED-HTTP", on_pipelined(CQ.id, first_for_all)),
    fault_of(CQ, "pipelined-unanswered", "Carries out both of two requests that came in one go, and answers one",
             "SPELLED-HTTP", on_pipelined(CQ.id, unanswered)),
    fault_of(CO, "pipelined-lost", "Drops the second of two requests that came in one go, and leaves the connection open",
             "SPELLED-HTTP SYNC", on_pipelined(CO.id, lost)),
    fault_of(CO, "pipelined-joined", "Joins the answers to two requests that came in one go",
             "SPELLED-HTTP RESP-STANDARD", on_pipelined(CO.id, joined)),
    fault_of(CAO, "spelled-frame-tabs", "Calls a frame with tabs invalid", "SPELLED-WS", _said_refused(CAO, "\t")),
    fault_of(CQ, "spelled-frame-names", "Calls a frame with escaped names invalid", "SPELLED-WS",
             _said_refused(CQ, r'"\\u006')),
    fault_of(CO, "spelled-frame-call", "Calls a frame with an escape in the call's name invalid", "SPELLED-WS",
             _said_refused(CO, r'"n":"\\u')),
    fault_of(CO, "spelled-frame-payload", "Calls a frame with an escaped payload invalid", "SPELLED-WS",
             _said_refused(CO, r'"o":"\\u')),
)  # fmt: skip
