"""The listener notes what is asked for, whoever asks however badly, and waits for nobody for long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from conformance.wire import HttpRequest, HttpTransport, Limits, parse_address
from conformance.wire.listener import Listener


def with_listener(run: Any, scenario: Callable[[Listener], Awaitable[None]]) -> None:
    async def listened() -> None:
        listener = Listener()
        await listener.open("127.0.0.1")
        try:
            await scenario(listener)
        finally:
            await listener.aclose()

    run(listened())


async def said(listener: Listener, text: bytes, *, waits: bool = True) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    try:
        writer.write(text)
        await writer.drain()
        return await reader.read() if waits else b""
    finally:
        writer.close()


def test_path_that_was_asked_for_is_heard_and_answered(run: Any) -> None:
    async def scenario(listener: Listener) -> None:
        transport = HttpTransport(parse_address(f"http://127.0.0.1:{listener.port}"))
        answer = await transport.send(HttpRequest("GET", "/5f0c"), limits=Limits())
        await transport.aclose()
        assert answer.problem is None
        assert (answer.reply.status, answer.reply.body) == (200, b"<!-- -->")  # type: ignore[union-attr]
        assert await listener.heard("/5f0c", 0.1)
        assert not await listener.heard("/5f0d", 0.1)

    with_listener(run, scenario)


def test_request_that_breaks_off_behind_its_first_line_is_heard(run: Any) -> None:
    async def scenario(listener: Listener) -> None:
        await said(listener, b"GET /one HTTP/1.0\r\nHost", waits=False)
        for _ in range(100):
            if await listener.heard("/one", 0.05):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("not heard")

    with_listener(run, scenario)


def test_look_waits_for_a_request_that_is_being_read_and_no_longer_than_it_is_told(run: Any) -> None:
    async def scenario(listener: Listener) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET /two")
        await asyncio.sleep(0.05)
        began = time.monotonic()
        assert not await listener.heard("/two", 0.05)
        assert time.monotonic() - began < 1.0
        looking = asyncio.ensure_future(listener.heard("/two", 3.0))
        await asyncio.sleep(0.01)
        writer.write(b" HTTP/1.1\r\n\r\n")
        assert await looking
        writer.close()

    with_listener(run, scenario)


def test_what_is_no_request_is_left_and_the_next_is_heard(run: Any) -> None:
    async def scenario(listener: Listener) -> None:
        assert await said(listener, b"x" * 100_000) == b""
        assert await said(listener, b"\r\n\r\n") != b""
        await said(listener, b"GET /three HTTP/1.1\r\n\r\n")
        assert await listener.heard("/three", 0.1)

    with_listener(run, scenario)


def test_listener_that_is_closed_hears_nobody(run: Any) -> None:
    async def scenario(listener: Listener) -> None:
        hanging = asyncio.ensure_future(said(listener, b"GET /four"))
        await asyncio.sleep(0.05)
        await listener.aclose()
        assert await asyncio.wait_for(hanging, 1.0) == b""
        refused = HttpTransport(parse_address(f"http://127.0.0.1:{listener.port}"))
        exchange = await refused.send(HttpRequest("GET", "/"), limits=Limits())
        assert exchange.problem is not None
        assert exchange.problem.unreachable

    with_listener(run, scenario)
