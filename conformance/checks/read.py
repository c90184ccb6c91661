"""From an exchange to an answer: transport, status, content type and body, down to the kind of the operation."""

from __future__ import annotations

from dataclasses import replace

from conformance.checks import answer as forms
from conformance.checks.answer import Answer
from conformance.checks.data import read_data, read_data_http
from conformance.checks.frames import Reader, read_frame
from conformance.checks.kit import (
    MEDIA_TYPE,
    READABLE,
    STATUS,
    Kit,
    page_or_trace,
    repeated_members,
    server_error,
    shorten,
)
from conformance.checks.results import read_results
from conformance.checks.standard import read_pair, read_standard
from conformance.formats.base import Format
from conformance.formats.errors import BeyondError, CodecError
from conformance.formats.registry import format_for, format_of, formats_for
from conformance.formats.text import MediaType, parse_media_type
from conformance.model.spec import Shape
from conformance.model.verdict import Finding
from conformance.wire.messages import Exchange, HttpReply, header_values

SERVER_ERROR = 102
_READERS: dict[Shape, Reader] = {Shape.STANDARD: read_standard, Shape.PAIR: read_pair, Shape.DATA: read_data}


def read_answer(kit: Kit, exchange: Exchange, frame: bytes, accept: str | None) -> Answer:
    """Everything an outcome can be judged by; `frame` is the text that was sent over WebSocket, if it was.

    An answer that holds more than is read says so, and why.
    """
    unread = 0 if exchange.reply is None else exchange.reply.unread_bytes
    try:
        if unread:
            raise BeyondError(f"the answer has {unread:,} bytes, more than is read of an answer")
        if exchange.closed_unread:
            return Answer(frozenset({forms.CLOSED}), summary="the connection was closed before an answer")
        if not isinstance(exchange.reply, HttpReply):
            return read_frame(kit, exchange, frame, _READERS[kit.operation.shape])
        return _read_http(kit, exchange.reply, accept)
    except BeyondError as error:  # no document sets the limit, so it is no finding
        status = exchange.reply.status if isinstance(exchange.reply, HttpReply) else None
        failures = () if status is None else tuple(server_error(kit, status, excused=False))
        return Answer(frozenset(), status, findings=failures, beyond=error.message, summary=error.message)


def _read_http(kit: Kit, reply: HttpReply, accept: str | None) -> Answer:
    media, media_findings = _media(kit, reply, accept)
    named = _declared(kit, reply, accept)
    answer = kit.memory.recall(reply.status, media, reply.body, lambda: _read_body(kit, reply, media))
    excused = any(leg.code == SERVER_ERROR for leg in answer.legs)
    failures = tuple(server_error(kit, reply.status, excused))
    structured = answer.forms & forms.STRUCTURED
    if failures and not structured:  # one finding for an answer that nobody can read
        return replace(answer, findings=(), unreadable=failures[0])
    if media_findings and answer.unreadable is not None and answer.unreadable.check in (MEDIA_TYPE.id, READABLE.id):
        answer = replace(answer, unreadable=media_findings[0])  # it cannot be read because it is not what was asked for
    of_the_framework = forms.FRAMEWORK in answer.forms  # which has a form of its own
    more = media_findings if structured and not of_the_framework else ()
    if failures or more or named:
        readings = (*answer.readings, *named) if structured else answer.readings
        return replace(answer, findings=(*failures, *answer.findings, *more), readings=readings)
    return answer


def _read_body(kit: Kit, reply: HttpReply, media: MediaType | None) -> Answer:
    """What status, media type and body say; nothing else may go in, for the outcome is remembered by these."""
    if kit.operation.shape.instructs:
        return read_results(kit, reply.status, media, reply.body)
    if kit.operation.shape is Shape.DATA:
        return read_data_http(kit, reply.status, _format(kit, media), media, reply.body)
    return _read_object(kit, reply, media)


def _media(kit: Kit, reply: HttpReply, accept: str | None) -> tuple[MediaType | None, tuple[Finding, ...]]:
    values = header_values(reply.headers, "content-type")
    try:
        media = parse_media_type(values[0]) if values else None
    except CodecError:
        media = None
    if accept is None or (media is not None and media.essence == accept):
        return media, ()
    bodiless = kit.operation.shape is Shape.DATA and not reply.body  # nothing that could have a type
    if not values and (bodiless or not _media_is_documented(kit)):
        return media, ()
    requirement = kit.operation.response_media.get(accept, kit.operation.attribution["media-type"])
    shown = values[0] if values else "no content type"
    message = "the answer is not in the media type that was asked for"
    if not kit.operation.shape.instructs and media is not None and media.essence in format_for(accept).media_types:
        return media, ()
    return media, (MEDIA_TYPE.finding_on(requirement, message, accept, shown, "header Content-Type"),)


def _media_is_documented(kit: Kit) -> bool:
    """Whether the document names the media types of answers; where it does not, one that is missing breaks nothing."""
    return bool(kit.operation.response_media)


def _declared(kit: Kit, reply: HttpReply, accept: str | None) -> tuple[str, ...]:
    """Whether the answer declares a media type, as a reading, where the document does not say that it does."""
    if accept is None or _media_is_documented(kit):
        return ()
    return (f"answer-media-type={'declared' if header_values(reply.headers, 'content-type') else 'absent'}",)


def _read_object(kit: Kit, reply: HttpReply, media: MediaType | None) -> Answer:
    """The standard object in an HTTP answer, or the plain text that gateways give to who has no session."""
    text = reply.body.decode(errors="replace")
    refusal = forms.refusal_forms(reply.status)
    if reply.status == 404 and text.strip().upper() == "NOT FOUND":
        return Answer(refusal | {forms.SESSION_MISSING}, reply.status, summary="HTTP 404 NOT FOUND")
    written_in = _format(kit, media)
    try:
        document = kit.codec(written_in, "response").decode(reply.body, media.charset if media else None)
    except BeyondError:
        raise
    except CodecError as error:
        findings = tuple(page_or_trace(kit, text))
        if findings or reply.status >= 500:
            return Answer(
                refusal, reply.status, value=text, findings=findings, summary=f"HTTP {reply.status} with a page"
            )
        message, shown = f"the answer is no {written_in.label}: {error}", shorten(text) or "nothing"
        finding = READABLE.finding(kit.operation, message, f"a {written_in.label} object", shown, "body")
        return Answer(
            refusal,
            reply.status,
            unreadable=finding,
            summary=f"HTTP {reply.status} with text that is no {written_in.label}",
        )
    found = _READERS[kit.operation.shape](kit, document.value, reply.status)
    if forms.TOO_LONG in refusal and all(leg.code is None for leg in found.legs):  # the framework's own object
        pages = tuple(page_or_trace(kit, text))
        return Answer(refusal, reply.status, value=text, findings=pages, summary=f"HTTP {reply.status}")
    status_findings, readings = _status(kit, reply.status, found)
    return replace(
        found,
        forms=found.forms | refusal,
        findings=(*repeated_members(kit, document.notes), *found.findings, *status_findings),
        readings=(*found.readings, *readings),
        summary=f"HTTP {reply.status}; {found.summary}",
    )


def _format(kit: Kit, media: MediaType | None) -> Format:
    """The format that the answer names, if it is one of the operation's; else the operation's first."""
    known = formats_for(kit.operation.media_types)
    named = None if media is None else format_of(media)
    return named if named is not None and named in known else known[0]


def _status(kit: Kit, status: int, found: Answer) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """An error may come under 200 or 4xx; a success under a status that says otherwise contradicts itself."""
    codes = [leg.code for leg in found.legs]
    failed = any(code not in (0, None) for code in codes)
    right = "a status of 200 or 4xx" if failed else "a status of 2xx"
    if failed and status < 300:
        return (), ("error-status=200",)
    if failed and (400 <= status < 500 or (status >= 500 and SERVER_ERROR in codes)):
        return (), ("error-status=4xx",)
    if status < 300 or status >= 500 or (None in codes and not failed):
        return (), ()
    message = f"{'an error' if failed else 'a success'} under a status that says otherwise"
    return (STATUS.finding(kit.operation, message, right, f"HTTP status {status}", "status"),), ()
