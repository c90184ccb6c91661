"""Two calls over HTTP and one over WebSocket, servers that answer them, and what comes of them."""

from __future__ import annotations

from typing import Any

from conformance.wire import (
    Exchange,
    HttpReply,
    HttpRequest,
    HttpTransport,
    Limits,
    ReplyMatch,
    WsRequest,
    WsTransport,
    parse_address,
)

LIMITS = Limits(total_timeout_s=3.0, connect_timeout_s=3.0)
GET = HttpRequest("GET", "/x")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
WS_REPLY = b'{"m":1,"i":1}'


async def answering(server: Any, reader: Any, writer: Any) -> None:
    while True:
        await server.read_request(reader)
        writer.write(OK)


async def answering_ws(peer: Any) -> None:
    await peer.read()
    await peer.reply(WS_REPLY)
    await peer.linger()


async def get(address: str, **options: Any) -> Exchange:
    transport = HttpTransport(parse_address(address), **options)
    try:
        await transport.send(GET, limits=LIMITS)
        return await transport.send(GET, limits=LIMITS)
    finally:
        await transport.aclose()


async def ping(address: str, **options: Any) -> Exchange:
    transport = WsTransport(parse_address(address), **options)
    try:
        return await transport.send(WsRequest("{}", ReplyMatch(1)), limits=LIMITS)
    finally:
        await transport.aclose()


def unreachable(exchange: Exchange) -> str:
    assert exchange.problem is not None
    assert exchange.problem.unreachable
    assert exchange.problem.phase == "connect"
    assert exchange.reply is None
    return exchange.problem.kind


def served(exchange: Exchange) -> bool:
    assert exchange.problem is None
    return isinstance(exchange.reply, HttpReply) and exchange.reply.body == b"{}"
