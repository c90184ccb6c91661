"""Frames that a client sends and a scripted server answers, and what comes of them."""

from __future__ import annotations

import json
from typing import Any

from conformance.wire import Exchange, Limits, ReplyMatch, WsReply, WsRequest, WsTransport

LIMITS = Limits(total_timeout_s=3.0, connect_timeout_s=3.0)


def asking(i: int) -> WsRequest:
    return WsRequest(json.dumps({"m": 0, "i": i, "n": "Ping", "o": "{}"}), ReplyMatch(i))


def answer(i: Any, m: int = 1, o: str = "{}") -> bytes:
    return json.dumps({"m": m, "i": i, "n": "Ping", "o": o}).encode()


def reply_of(exchange: Exchange) -> WsReply:
    assert exchange.problem is None
    assert isinstance(exchange.reply, WsReply)
    return exchange.reply


def problem_of(exchange: Exchange) -> tuple[str, str]:
    assert exchange.problem is not None
    return exchange.problem.kind, exchange.problem.phase


def one(i: int = 1, limits: Limits = LIMITS) -> Any:
    async def scenario(transport: WsTransport) -> Exchange:
        return await transport.send(asking(i), limits=limits)

    return scenario


def answering(*payloads: bytes) -> Any:
    async def script(peer: Any) -> None:
        await peer.read()
        await peer.reply(*payloads)
        await peer.linger()

    return script


def writing(*frames: bytes) -> Any:
    async def script(peer: Any) -> None:
        await peer.read()
        await peer.write(*frames)
        await peer.linger()

    return script


def frame(payload: bytes, first: int = 0x81) -> bytes:
    return bytes([first, len(payload)]) + payload
