"""A server may drip, stop, break off or flood: the HTTP transport ends in time and within its bounds."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
import zlib
from typing import Any

import pytest

from conformance.wire import HttpReply, HttpRequest, Limits

pytestmark = pytest.mark.timeout(120)
SHORT = Limits(total_timeout_s=0.15)
GET = HttpRequest("GET", "/x")


def reply_of(exchange: Any) -> HttpReply:
    assert exchange.problem is None
    assert isinstance(exchange.reply, HttpReply)
    return exchange.reply


def problem_of(exchange: Any) -> tuple[str, str]:
    assert exchange.problem is not None
    return exchange.problem.kind, exchange.problem.phase


def test_a_reply_that_never_comes_times_out(ask: Any) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    exchange = ask(script, limits=SHORT)
    assert problem_of(exchange) == ("timeout", "wait")
    assert 0.14 < exchange.elapsed_s < 1.5


@pytest.mark.parametrize(
    ("drops", "phase"), [(b"HTTP/1.1 200 OK\r\nX: aaaaaaaaaaaaaaaaaaaaaa", "headers"), (None, "body")]
)
def test_a_slow_drip_cannot_stretch_the_deadline(ask: Any, drops: bytes | None, phase: str) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if drops is None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for drop in (drops or b"x" * 1000) * 100:
            writer.write(bytes([drop]))
            await asyncio.sleep(0.02)

    exchange = ask(script, limits=SHORT)
    assert problem_of(exchange) == ("timeout", phase)
    assert exchange.elapsed_s < 1.5


def test_a_body_shorter_than_its_length_is_closed_early(ask: Any) -> None:
    exchange = ask(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}")
    assert problem_of(exchange) == ("closed-early", "body")
    assert exchange.received.endswith(b"{}")


def test_a_body_shorter_than_its_length_on_an_open_connection_times_out(ask: Any) -> None:
    exchange = ask(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", limits=SHORT, close=False)
    assert problem_of(exchange) == ("timeout", "body")


@pytest.mark.parametrize(
    ("wire", "phase"),
    [
        (b"", "wait"),
        (b"HTTP/1.1 200 OK\r\nX", "headers"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "body"),
    ],
)
def test_a_close_in_the_middle_is_closed_early(ask: Any, wire: bytes, phase: str) -> None:
    assert problem_of(ask(wire)) == ("closed-early", phase)


def test_a_reset_is_told_from_a_close(ask: Any) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab")
        await writer.drain()
        await asyncio.sleep(0.05)
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    assert problem_of(ask(script)) == ("reset", "body")


@pytest.mark.parametrize(
    ("start", "more", "kind_and_phase"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n", b"x" * 65536, ("too-large", "body")),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536, ("too-large", "body")),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"4\r\nabcd\r\n" * 8192,
            ("too-large", "body"),
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"e" * 65536, ("too-large", "body")),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            b"T: v\r\n" * 9000,
            ("too-large", "body"),
        ),
        (b"HTTP/1.1 200 OK\r\n", b"X-Y: zzzz\r\n" * 6000, ("too-large", "headers")),
        (b"HTTP/1.1 200 OK\r\nX-Y: ", b"z" * 65536, ("too-large", "headers")),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 3000, ("too-large", "headers")),
    ],
    ids=[
        "10-GB",
        "no-length",
        "chunks",
        "chunk-extension",
        "trailers",
        "headers",
        "one-header",
        "informational",
    ],
)
def test_an_endless_reply_is_dropped_within_its_bounds(
    ask: Any, start: bytes, more: bytes, kind_and_phase: tuple[str, str]
) -> None:
    written = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(start)
        while True:
            writer.write(more)
            written += len(more)
            await writer.drain()

    limits = Limits(total_timeout_s=5.0, max_body_bytes=1024 * 1024)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began_s = time.monotonic()
    exchange = ask(script, limits=limits)
    assert problem_of(exchange) == kind_and_phase
    assert time.monotonic() - began_s < 4.0
    assert written < 64 * 1024 * 1024
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 64 * 1024
    assert len(exchange.received) <= limits.max_received_evidence_bytes


def test_headers_past_the_limit_are_too_large_even_with_an_end(ask: Any) -> None:
    wire = b"HTTP/1.1 200 OK\r\nX: " + b"z" * 70000 + b"\r\nContent-Length: 0\r\n\r\n"
    assert problem_of(ask(wire)) == ("too-large", "headers")


def test_evidence_is_cut_and_says_so(ask: Any) -> None:
    wire = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
    exchange = ask(wire, limits=Limits(total_timeout_s=2.0, max_received_evidence_bytes=100))
    assert len(reply_of(exchange).body) == 5000
    assert exchange.received == wire[:100]
    assert exchange.truncated


def test_a_gzip_bomb_is_too_large_and_costs_little(ask: Any) -> None:
    packer = zlib.compressobj(1, wbits=31)
    bomb = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(200)) + packer.flush()
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wire = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
    exchange = ask(wire)
    assert problem_of(exchange) == ("too-large", "decode")
    assert exchange.reply is None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 64 * 1024
