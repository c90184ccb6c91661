"""Reads a WebSocket reply: the four members of its frame, then the payload as any other answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.checks import answer as forms
from conformance.checks.answer import Answer
from conformance.checks.bad_input import page_or_trace, shorten
from conformance.checks.kit import Kit
from conformance.codec.errors import CodecError
from conformance.codec.frames import ERROR, EVENT, REPLY, decode_frame
from conformance.codec.json_codec import decode_json
from conformance.model.verdict import Finding
from conformance.transport.messages import Exchange, WsReply

Reader = Callable[[Kit, Any, "int | None"], Answer]


def read_frame(kit: Kit, exchange: Exchange, sent: bytes, read_payload: Reader) -> Answer:
    """The answer in a reply frame, an error frame, or the silence that was listened to.

    Only a request with a proper sequence number can have it echoed; a reply to another one is judged without it.
    """
    members = decode_frame(sent).members
    call = members.get("n") if isinstance(members.get("n"), str) else ""
    numbered = isinstance(members.get("i"), int) and not isinstance(members["i"], bool)
    if isinstance(exchange.reply, WsReply):
        return _read(kit, exchange.reply.text, str(call), read_payload, numbered)
    answering = [text for text in exchange.others if _answers(text, str(call))]
    if answering:
        found = _read(kit, answering[0], str(call), read_payload, numbered)
        wrong = (_wrong_number(kit, answering[0]),) if numbered else ()
        return replace(found, findings=(*found.findings, *wrong))
    return Answer(frozenset({forms.SILENCE}), summary="no reply, the socket stays open")


def _read(kit: Kit, text: bytes, call: str, read_payload: Reader, numbered: bool) -> Answer:
    document = decode_frame(text)
    shown = shorten(text.decode("utf-8", "replace"))
    findings = [
        _finding(kit, problem.member or "o", problem.message, "a frame of m, i, n and o", shown)
        for problem in document.problems
        if problem.kind not in ("extra-member", "unknown-m") and (numbered or problem.member != "i")
    ]
    kind, name, payload = (document.members.get(member) for member in "mno")
    if not isinstance(kind, int) or not isinstance(payload, str):
        return Answer(frozenset(), unreadable=findings[0] if findings else None, summary="a frame that cannot be read")
    if kind == ERROR:
        findings.extend(page_or_trace(kit, payload, "o"))
        return Answer(frozenset({forms.ERROR_FRAME}), findings=tuple(findings), summary=f"error frame: {shorten(payload, 60)}")
    if kind != REPLY:
        findings.append(_finding(kit, "m", "a reply has message type 1", "m 1", f"m {kind}"))
    if isinstance(name, str) and name.lower() != call.lower():
        findings.append(_finding(kit, "n", "a reply echoes the name of the call", f"n {call!r}", f"n {name!r}"))
    try:
        value = decode_json(payload.encode("utf-8", "surrogatepass")).value
    except CodecError as error:
        finding = _finding(kit, "o", f"the payload is no JSON: {error}", "JSON as text", shorten(payload) or "nothing")
        return Answer(frozenset(), unreadable=finding, summary="a payload that is no JSON")
    found = read_payload(kit, value, None)
    return replace(found, findings=(*findings, *found.findings))


def _answers(text: bytes, call: str) -> bool:
    """Whether an uncorrelated frame looks like the answer to this call: a reply of its name, or an error."""
    document = decode_frame(text)
    kind, name = document.members.get("m"), document.members.get("n")
    if kind == EVENT:
        return False
    return kind == ERROR or (isinstance(name, str) and name.lower() == call.lower())


def _wrong_number(kit: Kit, text: bytes) -> Finding:
    number = decode_frame(text).members.get("i")
    return _finding(kit, "i", "a reply echoes the sequence number of its request", "i of the request", f"i {number!r}")


def _finding(kit: Kit, member: str, message: str, expected: str, actual: str) -> Finding:
    return Finding(kit.requirement(f"frame-{member}"), "frame", message, expected, actual, member)
