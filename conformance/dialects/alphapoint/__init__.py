"""AlphaPoint's protocol: sessions on two transports, and states made by its own calls.

Its frame envelope is here: an object of m (kind), i (sequence number), n (call) and o (the payload as text).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from conformance.formats.json.pointer import load_json
from conformance.wire.messages import Exchange, HttpReply, WsReply

REQUEST, REPLY = 0, 1


def frame(number: int, call: str, payload: Mapping[str, Any]) -> str:
    """A request in a frame."""
    return json.dumps({"m": REQUEST, "i": number, "n": call, "o": json.dumps(payload)})


def reply_frame(number: int, call: str, payload: str) -> str:
    """The reply to the request of this number."""
    return json.dumps({"m": REPLY, "i": number, "n": call, "o": payload})


def opened(text: str | bytes) -> tuple[str, Any] | None:
    """Call and payload of a frame; None when the text is no frame whose payload is JSON."""
    try:
        members = load_json(text)
        return str(members["n"]), load_json(members["o"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def number_of(text: str | bytes) -> int | None:
    """The `i` of a frame; None when the text is no frame or has none."""
    try:
        members = load_json(text)
    except ValueError:
        return None
    number = members.get("i") if isinstance(members, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def reply_value(exchange: Exchange) -> Any:
    """The JSON value of an answer, of a frame's payload over WebSocket; None when there is none."""
    try:
        if isinstance(exchange.reply, HttpReply):
            return load_json(exchange.reply.body)
        if isinstance(exchange.reply, WsReply):
            return load_json(load_json(exchange.reply.text)["o"])
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


def members_of(value: Any) -> Mapping[str, Any]:
    """The members of an object by their names in lower case: the case of keys is declared unimportant."""
    return {str(name).lower(): content for name, content in value.items()} if isinstance(value, dict) else {}
