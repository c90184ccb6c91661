"""Permitted differences in AlphaPoint's answers: order and spelling of members, white space, texts in detail."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from reference_impl.alphapoint.frames import ERROR, REPLY, is_refusal
from reference_impl.alphapoint.values import Call, Standard
from reference_impl.changes import (
    CAO,
    CQ,
    Make,
    Members,
    Operation,
    but,
    equivalent_of,
    equivalents_of_each,
    frames,
    on_error,
    on_success,
    payloads,
    refusals,
    reply_members,
    standards,
    texts,
)
from reference_impl.variants import Change, Variant
from reference_impl.wire import FrameInfo


def _text(change: Callable[[str], str]) -> Make:
    return lambda operation: texts(operation, change)


def _escaped(text: str) -> str:
    """Every letter of a text value escaped."""

    def escape(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ",".join(f"{json.dumps(name)}:{escape(member)}" for name, member in value.items()) + "}"
        if isinstance(value, str):
            return '"' + "".join(f"\\u{ord(letter):04x}" for letter in value) + '"'
        return json.dumps(value)

    return escape(json.loads(text))


def _code_forms(text: str) -> str:
    """The error code as a number with an exponent, which is the same number."""
    return text.replace('"errorcode":100', '"errorcode":1e2').replace('"errorcode":0', '"errorcode":0.0')


def _reversed(value: Any, _call: Call) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _reversed(member, _call) for name, member in reversed(value.items())}


def _extra(members: Members, _call: Call) -> Members:
    return {**members, "requestId": 17, "timestamp": "2024-01-01T00:00:00Z", "links": []}


def _extra_beside_legs(value: Any, _call: Call) -> Any:
    return {**value, "QuoteStatus": "Received"} if isinstance(value, dict) else value


def _detail(text: str | None) -> Make:
    return lambda operation: standards(operation, on_error(but(detail=text)))


def _longer_details(operation: Operation) -> Change:
    return refusals(
        operation,
        lambda refusal, _call: Standard(
            refusal.code, f"{refusal.detail}. Contact support@example.test, reference 0x1F."
        ),
    )


def _spaced(_info: FrameInfo, replies: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(json.dumps(json.loads(text), indent=2) + "\n" for text in replies)


def _event(before: bool) -> Callable[[FrameInfo, tuple[str, ...]], tuple[str, ...]]:
    """An event of the user's account beside each reply, with a sequence number of the server's own."""
    event = json.dumps({"m": 3, "i": 2, "n": "OrderStateEvent", "o": '{"OrderState":"Canceled"}'})

    def change(_info: FrameInfo, replies: tuple[str, ...]) -> tuple[str, ...]:
        return (event, *replies) if before else (*replies, event)

    return change


def _in_error_frame(members: Members) -> Members:
    """A standard response that is an error, under the message type of errors."""
    payload = members.get("o")
    return {**members, "m": ERROR} if members.get("m") == REPLY and is_refusal(str(payload)) else members


EQUIVALENTS: tuple[Variant, ...] = (
    *equivalents_of_each(
        "ws-error-frame",
        "Sends the standard response of an error under the message type of errors",
        lambda operation: reply_members(operation, _in_error_frame),
    ),
    *equivalents_of_each(
        "members-reversed", "Writes the members of the answer in the opposite order", lambda o: payloads(o, _reversed)
    ),
    *equivalents_of_each(
        "white-space", "Writes the answer with white space", _text(lambda text: json.dumps(json.loads(text), indent=4))
    ),
    *equivalents_of_each("line-feeds", "Ends the answer with a line feed", _text(lambda text: f"\n{text}\r\n")),
    *equivalents_of_each("escapes", "Writes every letter as an escape", _text(_escaped)),
    *equivalents_of_each("number-forms", "Writes error codes as 0.0 and 1e2", _text(_code_forms)),
    *equivalents_of_each(
        "extra-answer-members", "Adds members of its own to each standard response", lambda o: standards(o, _extra)
    ),
    equivalent_of(
        CQ, "extra-beside-legs", "Adds a member of its own beside the two results", payloads(CQ, _extra_beside_legs)
    ),
    *equivalents_of_each(
        "detail-on-success",
        "Says something in detail on success",
        lambda o: standards(o, on_success(but(detail="Cancel request received"))),
    ),
    *equivalents_of_each("detail-other-words", "Says other things in detail of an error", _longer_details),
    *equivalents_of_each("detail-null", "Says nothing in detail of an error", _detail(None)),
    *equivalents_of_each(
        "detail-other-language", "Writes detail in another alphabet", _detail("Запрос отклонён – 拒绝 \U0001f6ab")
    ),
    *equivalents_of_each(
        "ws-frame-keys-reordered",
        "Writes the keys of a frame in alphabetical order",
        lambda o: reply_members(o, lambda frame: dict(sorted(frame.items()))),
    ),
    *equivalents_of_each("ws-frame-white-space", "Writes frames with white space", lambda o: frames(o, _spaced)),
    *equivalents_of_each(
        "ws-frame-extra-member",
        "Adds a member of its own to frames",
        lambda o: reply_members(o, lambda frame: {**frame, "t": 1700000000}),
    ),
    *equivalents_of_each(
        "ws-event-before", "Sends an event before each reply", lambda o: frames(o, _event(before=True))
    ),
    *equivalents_of_each(
        "ws-event-after", "Sends an event after each reply", lambda o: frames(o, _event(before=False))
    ),
    equivalent_of(
        CAO,
        "ws-n-documented-case",
        "Spells the call's name as documented, however it was asked",
        reply_members(CAO, lambda frame: {**frame, "n": CAO.call}),
    ),
)
