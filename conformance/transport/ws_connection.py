"""One WebSocket connection: an asyncio protocol that carries many requests at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from conformance.transport.messages import Exchange, Limits, WireProblem, WsRequest
from conformance.transport.ws_frames import text_frame
from conformance.transport.ws_session import Failed, Message, Opened, ToWrite, WsSession
from conformance.transport.ws_waiting import Waiter, WaitingRoom

_CLOSE_TIMEOUT_S = 0.5
_SLICE_BYTES = 8 * 1024


class WsConnection(asyncio.Protocol):
    """Shakes hands, writes frames, and settles a future for each request; over after the first problem."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        session: WsSession,
        random_bytes: Callable[[int], bytes],
        on_stray: Callable[[bytes], None],
    ) -> None:
        """`on_stray` gets each payload that comes while nobody waits. ValueError: a bad handshake header."""
        self._loop = loop
        self._session = session
        self._greeting = session.handshake()
        self._random_bytes = random_bytes
        self._on_stray = on_stray
        self._room = WaitingRoom()
        self._transport: asyncio.Transport | None = None
        self._backlog = b""
        self._over: WireProblem | None = None
        self._opened: asyncio.Future[tuple[WireProblem | None, bytes]] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()

    @property
    def open(self) -> bool:
        """True when a request can be written."""
        return self._over is None and self._opened.done()

    async def handshake(self, limits: Limits) -> tuple[WireProblem | None, bytes]:
        """Wait for the server to accept; the problem and the evidence when it does not."""
        try:
            async with asyncio.timeout(limits.connect_timeout_s):
                return await self._opened
        except TimeoutError:
            message = f"the handshake was not answered within {limits.connect_timeout_s:g} s"
            problem = WireProblem("timeout", message, "handshake")
            raw = self._session.partial
            self._finish(problem, raw)
            return problem, raw

    async def request(self, request: WsRequest, limits: Limits) -> Exchange:
        """Write one frame and wait for its reply, for a problem, or through the silence asked for."""
        if self._over is not None or self._transport is None:
            unsent = self._over or WireProblem("ws-closed", "the connection was never made", "connect")
            return Exchange(b"", b"", None, unsent, self._loop.time(), 0.0)
        payload = request.text.encode() if isinstance(request.text, str) else request.text
        frame = text_frame(payload, self._random_bytes)
        self._session.limits = limits
        self._session.forget_pings()
        waiter = Waiter(request.reply_to, limits, frame, self._loop.time(), self._loop.create_future())
        wait_s = limits.total_timeout_s if request.reply_to.expected else request.reply_to.quiet_s
        waiter.timer = self._loop.call_later(wait_s, self._expire, waiter)
        self._room.add(waiter)
        self._transport.write(frame)
        try:
            return await waiter.future
        finally:
            waiter.timer.cancel()
            self._room.remove(waiter)

    async def aclose(self) -> None:
        """Say goodbye, wait a moment for the server's, and close; waiting requests end as `interrupted`."""
        problem = WireProblem("interrupted", "the transport was closed while waiting", "wait")
        self._room.fail(problem, self._session.partial, self._loop.time())
        goodbye = self._session.close_frame()
        if goodbye and self._transport is not None and self._over is None:
            self._over = problem
            self._transport.write(goodbye)
            await asyncio.wait([self.closed], timeout=_CLOSE_TIMEOUT_S)
        self._finish(problem, b"")
        if self._transport is not None:
            self._transport.abort()
            await asyncio.wait([self.closed], timeout=_CLOSE_TIMEOUT_S)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of asyncio's
        self._transport.write(self._greeting)

    def data_received(self, data: bytes) -> None:
        if self._backlog or len(data) > _SLICE_BYTES:
            if not self._backlog:
                self._pause()
            self._backlog += data
        else:
            self._take(data)

    def _pause(self) -> None:
        """Stop reading and work in slices: a flood of tiny frames must not hold up the timers of the loop."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
        self._loop.call_soon(self._take_slice)

    def _take_slice(self) -> None:
        part, self._backlog = self._backlog[:_SLICE_BYTES], self._backlog[_SLICE_BYTES:]
        self._take(part)
        if self._backlog and self._over is None:
            self._loop.call_soon(self._take_slice)
        elif self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _take(self, data: bytes) -> None:
        if self._transport is None:
            return
        for event in self._session.feed(data):
            if isinstance(event, Message):
                if not self._room.deliver(event, self._loop.time()):
                    self._on_stray(event.payload)
            elif isinstance(event, ToWrite):
                self._transport.write(event.data)
            elif isinstance(event, Opened):
                if not self._opened.done():
                    self._opened.set_result((None, b""))
            elif isinstance(event, Failed):
                self._finish(event.problem, event.raw)

    def eof_received(self) -> None:
        self._gone("the server closed the connection without a close frame")

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone("the connection was lost" + (f": {exc}" if exc is not None else ""))
        if not self.closed.done():
            self.closed.set_result(None)

    def _gone(self, message: str) -> None:
        rest, self._backlog = self._backlog, b""
        if self._over is None:
            self._take(rest)
        if self._opened.done():
            self._finish(WireProblem("ws-closed", message, "wait"), self._session.partial)
        else:
            during = f"{message}, in answer to the handshake"
            self._finish(WireProblem("closed-early", during, "handshake"), self._session.partial)

    def _expire(self, waiter: Waiter) -> None:
        self._room.remove(waiter)
        now_s = self._loop.time()
        if not waiter.match.expected:
            waiter.settle(now_s)
            return
        half = self._session.within_message
        what = "only part of a message" if half else "no reply"
        message = f"{what} within {waiter.limits.total_timeout_s:g} s"
        problem = WireProblem("no-reply", message, "body" if half else "wait")
        waiter.settle(now_s, problem=problem, raw=self._session.partial)
        if half:
            # Whatever follows would be read as the rest of that message.
            self._finish(WireProblem("ws-closed", "given up in the middle of a message", "body"), b"")

    def _finish(self, problem: WireProblem, raw: bytes) -> None:
        """End the connection: everybody who waits gets `problem`, the socket is closed."""
        if self._over is None:
            self._over = problem
        if not self._opened.done():
            self._opened.set_result((problem, raw))
        self._room.fail(problem, raw, self._loop.time())
        if self._transport is None or self._transport.is_closing():
            return
        if problem.kind == "too-large":
            self._transport.abort()
        else:
            self._transport.close()
            self._loop.call_later(_CLOSE_TIMEOUT_S, self._transport.abort)
