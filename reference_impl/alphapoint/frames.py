"""The WebSocket gateway: frames {m, i, n, o} in, replies that echo i and n out."""

from __future__ import annotations

import json
from typing import Any

from reference_impl.alphapoint.dispatch import answer
from reference_impl.alphapoint.events import Events
from reference_impl.alphapoint.values import INVALID_REQUEST, Call, Data, Frame
from reference_impl.depth import load_json
from reference_impl.parts import FrameCodec, Parts
from reference_impl.wire import OPERATIONS, FrameInfo

REQUEST, REPLY, SUBSCRIBE, EVENT, UNSUBSCRIBE, ERROR = range(6)
_ASKING = (REQUEST, SUBSCRIBE, UNSUBSCRIBE)


class Connection:
    """One WebSocket connection: the session that was opened on it, and an answer to each text."""

    def __init__(self, events: Events | None = None) -> None:
        self._token: str | None = None
        self._events = events

    @property
    def token(self) -> str | None:
        """That of the session which was opened on it."""
        return self._token

    def receive(self, parts: Parts, text: str) -> tuple[tuple[str, ...], str]:
        """The texts to send back for one that arrived, and the operation that it names ("" for any other call)."""
        frame = parts.alphapoint.frames.decode(text)
        if frame is None:
            return parts.frame_filter(FrameInfo(text), parts.alphapoint.frames.unparsable(parts, text)), ""
        replies = self._reply(parts, frame) if frame.m in _ASKING else ()
        operation = OPERATIONS.get(frame.n.lower(), "")
        return parts.frame_filter(FrameInfo(text, operation), replies), operation

    def _reply(self, parts: Parts, frame: Frame) -> tuple[str, ...]:
        frames = parts.alphapoint.frames
        name = frame.n
        if name not in parts.alphapoint.calls:
            return (frames.encode(frames.reply(frame, ERROR, "Endpoint Not Found")),)
        caller = parts.alphapoint.sessions.find(self._token) if self._token else None
        if "Authenticate" in name:
            caller = None
        call = Call(name, "ws", _payload(frame.o), "", caller, self._token, follower=self._events)
        result, text = answer(parts, call)
        if isinstance(result, Data) and isinstance(result.value, dict):
            self._token = result.value.get("SessionToken", self._token)
        if self._events is not None:
            self._events.token = self._token
        return (frames.encode(frames.reply(frame, REPLY, text)),)


def operation_in(text: str) -> str:
    """The operation that a frame names; "" for any other text."""
    frame = decode(text)
    return "" if frame is None else OPERATIONS.get(frame.n.lower(), "")


def call_in(text: str) -> str:
    """The name of the call in a frame; "" for a text that is none."""
    frame = decode(text)
    return "" if frame is None else frame.n


def _payload(value: Any) -> str:
    """`o` as text; anything but a string or null becomes a text that no call can read."""
    if value is None:
        return ""
    return value if isinstance(value, str) else "o is not a string"


def decode(text: str) -> Frame | None:
    """The frame in a text: a JSON object with a call name; key case is free, a missing `i` or `m` is 0."""
    try:
        value = load_json(text)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    keys = {key.lower(): member for key, member in value.items()}
    name, kind = keys.get("n", ""), keys.get("m", REQUEST)
    if not isinstance(name, str) or isinstance(kind, bool) or not isinstance(kind, int):
        return None
    return Frame(kind, keys.get("i", 0), name, keys.get("o"))


def reply(frame: Frame, kind: int, payload: str) -> Frame:
    """The frame that answers one, with its sequence number and name."""
    return Frame(kind, frame.i, frame.n, payload)


def encode(frame: Frame) -> str:
    """The frame's text."""
    return json.dumps({"m": frame.m, "i": frame.i, "n": frame.n, "o": frame.o}, separators=(",", ":"))


def is_refusal(payload: str) -> bool:
    """Whether a payload is a standard response that is an error, or a pair of two."""
    try:
        value = load_json(payload)
    except ValueError:
        return False
    members = {key.lower(): member for key, member in value.items()} if isinstance(value, dict) else {}
    if "errorcode" in members:
        return bool(members["errorcode"] != 0)
    legs = [members.get("bidresult"), members.get("askresult")]
    told = [leg if isinstance(leg, str) else json.dumps(leg) for leg in legs if isinstance(leg, (str, dict))]
    return len(told) == len(legs) and all(is_refusal(leg) for leg in told)


def silence(_parts: Parts, _text: str) -> tuple[str, ...]:
    """No answer to what is no frame; the socket stays open."""
    return ()


def _told(text: str) -> tuple[Any, str]:
    """The `i` and `n` that an answer echoes of a JSON object that is no frame; 0 and "" where there are none."""
    try:
        value = load_json(text)
    except ValueError:
        return 0, ""
    keys = {key.lower(): member for key, member in value.items()} if isinstance(value, dict) else {}
    name = keys.get("n", "")
    return keys.get("i", 0), name if isinstance(name, str) else ""


def error_frame(parts: Parts, text: str) -> tuple[str, ...]:
    """A frame of kind 5 for what is no frame."""
    return (parts.alphapoint.frames.encode(Frame(ERROR, *_told(text), "Invalid Frame")),)


def standard_invalid(parts: Parts, text: str) -> tuple[str, ...]:
    """A reply with the standard response 100 for what is no frame."""
    payload = parts.alphapoint.encode(
        {
            "result": False,
            "errormsg": "Invalid Request",
            "errorcode": INVALID_REQUEST,
            "detail": "Not a frame",
        }
    )
    return (parts.alphapoint.frames.encode(Frame(REPLY, *_told(text), payload)),)


CODEC = FrameCodec(decode, reply, encode, silence)
