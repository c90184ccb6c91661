"""Reads a WebSocket reply: the four members of its frame, then the payload as any other answer."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from conformance.checks import answer as forms
from conformance.checks.answer import Answer
from conformance.checks.kit import Kit, page_or_trace, repeated_members, shorten
from conformance.checks.outcome import SHAPELESS
from conformance.checks.registry import BEHIND_READING, Check, Stage
from conformance.contract.operation import AppliesTo, RequirementKey
from conformance.formats.errors import BeyondError, CodecError
from conformance.formats.frames import ERROR, EVENT, REPLY, decode_frame
from conformance.formats.json.read import decode_json
from conformance.model.case import Transport
from conformance.model.spec import Shape
from conformance.model.verdict import Finding
from conformance.wire.messages import Exchange, WsReply

_FRAMED = AppliesTo(transport=Transport.WS)
_MARK = "\ufeff"
FRAME = Check(
    "frame",
    "a WebSocket reply is a frame of m, i, n and o that repeats the number and the call of its request, and comes once",
    Stage.READING,
    (*(RequirementKey(f"frame-{member}", _FRAMED) for member in "mino"), RequirementKey("answered")),
    of=_FRAMED,
    blocks=BEHIND_READING,
)
Reader = Callable[[Kit, Any, "int | None"], Answer]


def read_frame(kit: Kit, exchange: Exchange, sent: bytes, read_payload: Reader) -> Answer:
    """The answer in a reply frame, an error frame, or the silence that was listened to.

    Only a request with a proper sequence number, or call name, can have it echoed; a reply to another one is judged
    without it.
    """
    members = decode_frame(sent).members
    call = members["n"] if isinstance(members.get("n"), str) else ""
    demanded = {"m", "o"} | ({"n"} if call else set()) | ({"i"} if type(members.get("i")) is int else set())
    if isinstance(exchange.reply, WsReply):
        found = _read(kit, exchange.reply.text, call, read_payload, demanded)
        return replace(found, findings=(*found.findings, *_answered_again(kit, exchange)))
    answering = [text for text in exchange.others if _answers(text, call)]
    if answering:
        found = _read(kit, answering[0], call, read_payload, demanded)
        wrong = (_wrong_number(kit, answering[0]),) if "i" in demanded else ()
        return replace(found, findings=(*found.findings, *wrong))
    return Answer(frozenset({forms.SILENCE}), summary="no reply, the socket stays open")


def _read(kit: Kit, text: bytes, call: str, read_payload: Reader, demanded: Collection[str]) -> Answer:
    frame = decode_frame(text)
    for problem in frame.problems:
        if problem.kind == "beyond":
            raise BeyondError(problem.message)
    shown = shorten(text.decode(errors="replace"))
    findings = [
        _finding(kit, problem.member or "o", problem.message, "a frame of m, i, n and o", shown)
        for problem in frame.problems
        if problem.kind not in ("extra-member", "unknown-m") and (problem.member or "o") in demanded
    ]
    kind, name, payload = (frame.members.get(member) for member in "mno")
    if not isinstance(kind, int) or not isinstance(payload, str):
        return Answer(frozenset(), unreadable=findings[0] if findings else None, summary="a frame that cannot be read")
    if kind == ERROR:
        refusal = _refusal(kit, payload, read_payload)
        if refusal is not None:
            return replace(refusal, findings=(*findings, *refusal.findings))
        findings.extend(page_or_trace(kit, payload, "o"))
        shown = f"error frame: {shorten(payload, 60)}"
        told = {forms.ERROR_FRAME} | ({forms.FAILURE} if kit.operation.shape is Shape.DATA else set())
        return Answer(frozenset(told), value=payload, findings=tuple(findings), summary=shown)
    if kind != REPLY:
        findings.append(_finding(kit, "m", "the reply has another message type than 1", "m 1", f"m {kind}"))
    if "n" in demanded and isinstance(name, str) and not _same_call(kit, name, call):
        findings.append(
            _finding(kit, "n", "the reply does not repeat the name of the call", f"n {call!r}", f"n {name!r}")
        )
    try:
        document = decode_json(payload.encode(errors="surrogatepass"))
    except CodecError as error:
        finding = _finding(kit, "o", f"the payload is no JSON: {error}", "JSON as text", shorten(payload) or "nothing")
        finding = replace(finding, way=SHAPELESS)
        return Answer(frozenset(), unreadable=finding, summary="a payload that is no JSON")
    found = read_payload(kit, document.value, None)
    readings = (*found.readings, "error-frame=reply") if _is_refusal(found) else found.readings
    found = replace(found, readings=readings)
    findings.extend(_marked(kit, payload))
    return replace(found, findings=(*findings, *repeated_members(kit, document.notes), *found.findings))


def _same_call(kit: Kit, name: str, call: str) -> bool:
    """Whether a reply names the call; that of a request in another letter case may correct it."""
    return name == call or (call != kit.operation.call and name.lower() == call.lower())


def _marked(kit: Kit, payload: str) -> tuple[Finding, ...]:
    """RFC 8259 (8.1): no byte order mark before JSON that is sent; inside a text it says nothing of bytes."""
    if not payload.startswith(_MARK):
        return ()
    found = shorten(payload)
    return (_finding(kit, "o", "the payload begins with a byte order mark", "JSON as text", found),)


def _refusal(kit: Kit, payload: str, read_payload: Reader) -> Answer | None:
    """The standard response in an error frame; None for the bare text that an unknown call gets, or for a success."""
    try:
        document = decode_json(payload.encode(errors="surrogatepass"))
    except CodecError:
        return None
    found = read_payload(kit, document.value, None)
    if not _is_refusal(found):
        return None
    return replace(
        found,
        forms=found.forms | {forms.ERROR_FRAME},
        findings=(*_marked(kit, payload), *repeated_members(kit, document.notes), *found.findings),
        readings=(*found.readings, "error-frame=error"),
    )


def _is_refusal(found: Answer) -> bool:
    """Whether every part of an answer is an error."""
    if forms.FAILURE in found.forms:
        return True
    return bool(found.legs) and all(leg.code not in (0, None) for leg in found.legs)


def _answers(text: bytes, call: str) -> bool:
    """Whether an uncorrelated frame looks like the answer to this call: a reply of its name, or an error.

    A text that names no call can have a reply of any name.
    """
    document = decode_frame(text)
    kind, name = document.members.get("m"), document.members.get("n")
    if kind == EVENT:
        return False
    if not call:
        return kind in (REPLY, ERROR)
    return kind == ERROR or (isinstance(name, str) and name.lower() == call.lower())


def _wrong_number(kit: Kit, text: bytes) -> Finding:
    number = decode_frame(text).members.get("i")
    return _finding(
        kit, "i", "the reply does not repeat the sequence number of its request", "i of the request", f"i {number!r}"
    )


def _answered_again(kit: Kit, exchange: Exchange) -> tuple[Finding, ...]:
    """A client takes the second reply to one request for the reply to another."""
    if not exchange.again:
        return ()
    second = shorten(exchange.again[0].decode(errors="replace"))
    message = "the request was answered a second time"
    return (FRAME.finding(kit.operation, message, "one reply to a request", second, "i", key="answered"),)


def _finding(kit: Kit, member: str, message: str, expected: str, actual: str) -> Finding:
    return FRAME.finding(kit.operation, message, expected, actual, member, key=f"frame-{member}")
