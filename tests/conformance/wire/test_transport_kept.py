"""A body or a message that is longer than is kept brings its length along, and nothing else."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import gzip
import hashlib
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.wire import HttpRequest, HttpTransport, parse_address
from conformance.wire.http.reply import ReplyReader
from conformance.wire.messages import HttpReply, Limits
from conformance.wire.ws.session import Opened, WsSession

LIMITS = Limits(max_kept_bytes=1_000)


def _read(body: bytes, *headers: bytes, step: int = 300) -> HttpReply:
    reader = ReplyReader(LIMITS)
    whole = b"\r\n".join([b"HTTP/1.1 200 OK", *headers, b"Content-Length: %d" % len(body), b"", b""]) + body
    for place in range(0, len(whole), step):
        assert reader.feed(whole[place : place + step]) is None
    assert reader.done
    reply, problem = reader.reply()
    assert problem is None
    assert reply is not None
    return reply


def test_as_much_as_is_kept_is_kept() -> None:
    assert (_read(b"x" * 1_000).body, _read(b"x" * 1_000).unread_bytes) == (b"x" * 1_000, 0)
    assert (_read(b"x" * 1_001).body, _read(b"x" * 1_001).unread_bytes) == (b"", 1_001)
    assert (_read(b"x" * 90_000, step=7_000).body, _read(b"x" * 90_000).unread_bytes) == (b"", 90_000)


def test_a_packed_body_counts_as_it_is_unpacked() -> None:
    small, long = gzip.compress(b"x" * 900), gzip.compress(b"x" * 50_000)
    assert _read(small, b"Content-Encoding: gzip").body == b"x" * 900
    assert (_read(long, b"Content-Encoding: gzip").body, _read(long, b"Content-Encoding: gzip").unread_bytes) == (
        b"",
        50_000,
    )


@pytest.fixture
def traced() -> Iterator[None]:
    """Memory is traced, and nothing is freed but what nobody refers to."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()
        gc.enable()


WHOLE = 8 * 1024 * 1024
SIZES = {"longer": WHOLE + 1, "cut off": WHOLE - 1}


@pytest.mark.parametrize("kind", SIZES)
def test_answer_that_is_given_up_is_freed_at_once(run: Any, serve: Any, traced: None, kind: str) -> None:
    body = b" " * SIZES[kind]

    async def script(server: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
        writer.write(body)
        with contextlib.suppress(ConnectionError):
            await writer.drain()

    async def scenario() -> None:
        async with serve(script) as server:
            transport = HttpTransport(parse_address(f"http://127.0.0.1:{server.port}"))
            for _ in range(6):
                exchange = await transport.send(HttpRequest("GET", "/"), limits=Limits())
                assert exchange.problem is not None
            await transport.aclose()
            held, _ = tracemalloc.get_traced_memory()
            assert held < 3 * WHOLE, "six answers, and what the server itself has buffered"

    run(scenario())


@pytest.mark.parametrize("kind", SIZES)
def test_message_that_is_given_up_is_freed_at_once(traced: None, kind: str) -> None:
    sessions = []
    for _ in range(6):
        session = WsSession(parse_address("ws://127.0.0.1:9/"), (), Limits())
        greeting = session.handshake()
        key = next(line[19:] for line in greeting.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        head = b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        assert isinstance(next(session.feed(head + accept + b"\r\n\r\n")), Opened)
        piece = b"\x01\x7f" + (100_000).to_bytes(8, "big") + b" " * 100_000
        list(session.feed(piece))
        for _ in range(SIZES[kind] // 100_000):
            list(session.feed(b"\x00" + piece[1:]))
        session.drop()
        sessions.append(session)
        assert list(session.feed(b"\x81\x00")) == []
    held, _ = tracemalloc.get_traced_memory()
    assert held < WHOLE
