"""A WebSocket handshake that fails, in any way, sends no message."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from ws_support import LIMITS, asking, problem_of

from conformance.wire import Exchange, Limits, WsTransport, parse_address

pytestmark = pytest.mark.timeout(120)
SHORT = Limits(total_timeout_s=0.15, connect_timeout_s=0.15)


@pytest.mark.parametrize(
    ("wire", "kind"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nNOT FOUND", "handshake-refused"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: ws://192.0.2.1/\r\nContent-Length: 0\r\n\r\n",
            "handshake-refused",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "handshake-refused"),
        (b"complete garbage\r\n\r\n", "malformed"),
        (
            b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
            "malformed",
        ),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "malformed"),
        (b"X" * 70000, "too-large"),
        (b"HTTP/1.1 101 S", "closed-early"),
        (b"", "closed-early"),
    ],
)
def test_a_handshake_that_fails_sends_nothing(run: Any, serve: Any, wire: bytes, kind: str) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        await server.read_request(reader)
        writer.write(wire)

    async def scenario() -> Exchange:
        async with serve(script) as server:
            transport = WsTransport(parse_address(f"ws://127.0.0.1:{server.port}"))
            exchange = await transport.send(asking(1), limits=LIMITS)
            await transport.aclose()
            return exchange

    exchange = run(scenario())
    assert problem_of(exchange) == (kind, "handshake")
    assert exchange.sent == b""
    assert exchange.received == wire[: len(exchange.received)]
    assert bool(exchange.received) == bool(wire)


@pytest.mark.parametrize("path", ["", "/", "/WSGateway", "/WSGateway/", "/a/b/"])
def test_a_websocket_is_asked_for_at_the_path_as_it_was_written(run: Any, serve: Any, path: str) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        await server.read_request(reader)
        writer.write(b"HTTP/1.1 301 Moved Permanently\r\nLocation: /elsewhere/\r\nContent-Length: 0\r\n\r\n")

    async def scenario() -> tuple[Exchange, bytes]:
        async with serve(script) as server:
            transport = WsTransport(parse_address(f"ws://127.0.0.1:{server.port}{path}"))
            exchange = await transport.send(asking(1), limits=LIMITS)
            await transport.aclose()
            return exchange, server.requests[0]

    exchange, request = run(scenario())
    asked = path or "/"
    assert request.startswith(f"GET {asked} HTTP/1.1\r\n".encode())
    assert exchange.problem is not None
    assert exchange.problem.message.endswith(f"status 301: {asked} was asked for, and the answer points to /elsewhere/")


def test_a_handshake_without_an_answer_times_out_once_for_all(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        await reader.read()

    async def scenario() -> Any:
        async with serve(script) as server:
            transport = WsTransport(parse_address(f"ws://127.0.0.1:{server.port}"))
            exchanges = await asyncio.gather(*(transport.send(asking(i), limits=SHORT) for i in range(8)))
            await transport.aclose()
            return exchanges, server.connections

    exchanges, connections = run(scenario())
    assert {problem_of(exchange) for exchange in exchanges} == {("timeout", "handshake")}
    assert connections == 1


def test_a_refused_connection_is_unreachable(run: Any, unused_port: int) -> None:
    async def scenario() -> Exchange:
        transport = WsTransport(parse_address(f"ws://127.0.0.1:{unused_port}"))
        exchange = await transport.send(asking(1), limits=LIMITS)
        await transport.aclose()
        return exchange

    exchange = run(scenario())
    assert problem_of(exchange) == ("connect-refused", "connect")
    assert exchange.problem is not None
    assert exchange.problem.unreachable


def test_a_header_with_a_line_break_is_refused_before_connecting(run: Any, unused_port: int) -> None:
    async def scenario() -> None:
        headers = (("aptoken", "secret\r\nY: b"),)
        transport = WsTransport(parse_address(f"ws://127.0.0.1:{unused_port}"), headers=headers)
        with pytest.raises(ValueError, match="'aptoken' cannot be written") as caught:
            await transport.send(asking(1), limits=LIMITS)
        assert "secret" not in str(caught.value)

    run(scenario())


def test_an_http_address_is_refused() -> None:
    with pytest.raises(ValueError, match="ws or wss"):
        WsTransport(parse_address("http://127.0.0.1"))


def test_closing_while_connecting_interrupts_unsent_requests(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        await reader.read()

    async def scenario() -> list[Exchange]:
        async with serve(script) as server:
            transport = WsTransport(parse_address(f"ws://127.0.0.1:{server.port}"))
            waiting = [asyncio.create_task(transport.send(asking(i), limits=LIMITS)) for i in range(2)]
            await asyncio.sleep(0.05)
            await transport.aclose()
            return list(await asyncio.gather(*waiting))

    exchanges = run(scenario())
    assert [problem_of(exchange) for exchange in exchanges] == [("interrupted", "connect")] * 2
    assert [exchange.sent for exchange in exchanges] == [b"", b""]
