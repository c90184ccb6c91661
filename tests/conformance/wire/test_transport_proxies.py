"""Proxies: tunnels for TLS and WebSocket, absolute targets for plain HTTP, and proxies that refuse."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from typing import Any

import pytest
from dialing_support import WS_REPLY, answering, answering_ws, get, ping, served, unreachable

from conformance.wire import (
    Exchange,
    WsReply,
    parse_proxy,
)

pytestmark = pytest.mark.timeout(120)


async def tunnelling(server: Any, reader: Any, writer: Any) -> None:
    """A proxy that grants every CONNECT."""
    connect = await reader.readuntil(b"\r\n\r\n")
    server.requests.append(connect)
    port = int(connect.split(b" ")[1].rsplit(b":", 1)[1])
    there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                sink.write(data)
        sink.close()

    try:
        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))
    finally:
        there_writer.close()


def test_https_goes_through_a_tunnel(run: Any, serve: Any, server_tls: Any, client_tls: Any) -> None:
    async def scenario() -> tuple[Exchange, list[bytes], int]:
        async with serve(answering, server_tls()) as server, serve(tunnelling) as proxy:
            through = parse_proxy(f"http://user:p%40ss@127.0.0.1:{proxy.port}")
            address = f"https://127.0.0.1:{server.port}"
            return await get(address, tls=client_tls, proxy=through), proxy.requests, server.port

    exchange, requests, port = run(scenario())
    assert served(exchange)
    target = f"127.0.0.1:{port}"
    credentials = base64.b64encode(b"user:p@ss").decode()
    expected = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Authorization: Basic {credentials}\r\n\r\n"
    assert requests == [expected.encode()]
    assert b"Proxy-Authorization" not in exchange.sent


def test_websocket_goes_through_a_tunnel(run: Any, serve: Any, serve_ws: Any, server_tls: Any, client_tls: Any) -> None:
    async def scenario() -> list[Exchange]:
        async with (
            serve_ws(answering_ws) as plain,
            serve_ws(answering_ws, server_tls()) as secure,
            serve(tunnelling) as proxy,
        ):
            through = parse_proxy(f"http://127.0.0.1:{proxy.port}")
            return [
                await ping(f"ws://127.0.0.1:{plain.port}", proxy=through),
                await ping(f"wss://127.0.0.1:{secure.port}", proxy=through, tls=client_tls),
            ]

    assert [exchange.reply for exchange in run(scenario())] == [WsReply(WS_REPLY)] * 2


def test_plain_http_goes_to_a_proxy_in_absolute_form(run: Any, serve: Any) -> None:
    async def scenario() -> tuple[Exchange, list[bytes]]:
        async with serve(answering) as proxy:
            through = parse_proxy(f"http://127.0.0.1:{proxy.port}")
            return await get("http://target.invalid:81/base", proxy=through), proxy.requests

    exchange, requests = run(scenario())
    assert served(exchange)
    assert requests[0].startswith(b"GET http://target.invalid:81/base/x HTTP/1.1\r\nHost: target.invalid:81\r\n")


@pytest.mark.parametrize(
    "wire",
    [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"nonsense\r\n\r\n", b"", b"x" * 70000],
    ids=["refused", "nonsense", "closed", "endless"],
)
def test_a_tunnel_that_is_not_granted_is_a_proxy_problem(run: Any, serve: Any, wire: bytes) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(wire)
        await writer.drain()
        if wire:
            await reader.read()

    async def scenario() -> Exchange:
        async with serve(script) as proxy:
            return await get("https://target.invalid", proxy=parse_proxy(f"http://127.0.0.1:{proxy.port}"))

    assert unreachable(run(scenario())) == "proxy"


@pytest.mark.parametrize("address", ["http://target.invalid", "https://target.invalid"])
def test_a_proxy_that_is_not_there_is_a_proxy_problem(run: Any, unused_port: int, address: str) -> None:
    exchange = run(get(address, proxy=parse_proxy(f"http://127.0.0.1:{unused_port}")))
    assert unreachable(exchange) == "proxy"


def test_bad_tls_behind_a_tunnel_is_a_tls_problem(run: Any, serve: Any, server_tls: Any) -> None:
    async def scenario() -> Exchange:
        async with serve(answering, server_tls()) as server, serve(tunnelling) as proxy:
            through = parse_proxy(f"http://127.0.0.1:{proxy.port}")
            return await get(f"https://127.0.0.1:{server.port}", proxy=through)

    assert unreachable(run(scenario())) == "tls"
