"""One HTTP/1.1 connection: an asyncio protocol with at most one request in flight."""

from __future__ import annotations

import asyncio
import select
import ssl
from typing import cast

from conformance.transport.messages import Exchange, HttpReply, Limits, Phase, WireProblem
from conformance.transport.reply_reader import ReplyReader


class HttpConnection(asyncio.Protocol):
    """Writes a request, reads its reply, settles a future with the exchange; over after any problem."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._poll: select.poll | None = None
        self._waiter: asyncio.Future[Exchange] | None = None
        self._reader: ReplyReader | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_s = 0.0
        self._deadline_s = 0.0
        self._started_s = 0.0
        self._sent = b""
        self._received: list[bytes] = []
        self._received_bytes = 0
        self._limits = Limits()
        self._served = 0
        self._close_after = False
        self._alive = False
        self.closed: asyncio.Future[None] = loop.create_future()

    def usable(self) -> bool:
        """True when a request can be written: connected, and nothing unread from the peer."""
        if not self._alive or self._waiter is not None or self._poll is None:
            return False
        return not self._poll.poll(0)

    @property
    def alive(self) -> bool:
        """True while nothing is known that forbids another request."""
        return self._alive

    def start(
        self, payload: bytes, limits: Limits, *, head_only: bool, close_after: bool
    ) -> asyncio.Future[Exchange]:
        """Write `payload` and return the future of its exchange. Only for a connection that is `usable`."""
        if self._transport is None or self._waiter is not None:
            raise RuntimeError("a request was started on a connection that is not free")
        self._limits = limits
        self._close_after = close_after
        self._sent = payload
        self._received = []
        self._received_bytes = 0
        self._reader = ReplyReader(limits, head_only=head_only)
        self._started_s = self._loop.time()
        self._deadline_s = self._started_s + limits.total_timeout_s
        if self._timer is None or self._timer_at_s > self._deadline_s:
            self._arm()
        waiter: asyncio.Future[Exchange] = self._loop.create_future()
        self._waiter = waiter
        self._transport.write(payload)
        return waiter

    def drop(self, problem: WireProblem | None = None) -> None:
        """Close at once; a request in flight ends with `problem`, or as `interrupted`."""
        if self._waiter is not None:
            phase = self._phase()
            self._settle(
                problem or WireProblem("interrupted", "the transport was closed while waiting", phase)
            )
        self._discard()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of asyncio's
        self._alive = True
        self._poll = select.poll()
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        if self._waiter is None or reader is None:
            self._discard()
            return
        if self._received_bytes <= self._limits.max_received_evidence_bytes:
            self._received.append(data)
        self._received_bytes += len(data)
        problem = reader.feed(data)
        if problem is not None or reader.done:
            self._settle(problem)

    def eof_received(self) -> None:
        self._peer_closed(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._peer_closed(exc)
        self._discard()
        if not self.closed.done():
            self.closed.set_result(None)

    def _peer_closed(self, exc: Exception | None) -> None:
        self._alive = False
        if self._waiter is None or self._reader is None:
            return
        if exc is None:
            self._settle(self._reader.end())
        elif isinstance(exc, ssl.SSLError) and self._received_bytes == 0 and self._served == 0:
            self._settle(WireProblem("tls", f"TLS failed: {exc.reason or exc}", "connect"))
        else:
            self._settle(WireProblem("reset", f"the connection broke: {exc}", self._phase()))

    def _arm(self) -> None:
        """One timer serves many requests: it looks at the current deadline when it fires."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at_s = self._deadline_s
        self._timer = self._loop.call_at(self._deadline_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() < self._deadline_s:
            self._arm()
            return
        phase = self._phase()
        what = {"send": "the request was not taken in", "wait": "no byte of a reply"}.get(
            phase, f"the reply was not complete (in its {phase})"
        )
        self._settle(WireProblem("timeout", f"{what} within {self._limits.total_timeout_s:g} s", phase))

    def _phase(self) -> Phase:
        if self._reader is None or self._transport is None:
            return "connect"
        phase = self._reader.phase
        return (
            "send"
            if phase == "wait" and self._alive and self._transport.get_write_buffer_size() > 0
            else phase
        )

    def _settle(self, problem: WireProblem | None) -> None:
        """End the request in flight; keep the connection only when its next use is certain to be clean."""
        waiter, reader = self._waiter, self._reader
        if waiter is None or reader is None or self._transport is None:
            return
        self._waiter = None
        reply: HttpReply | None = None
        if problem is None:
            reply, problem = reader.reply()
        keep = reader.done and reader.keep_alive and not reader.trailing and not self._close_after
        if not keep or problem is not None or self._transport.get_write_buffer_size() > 0:
            self._discard()
        limit = self._limits.max_received_evidence_bytes
        received = self._received[0] if len(self._received) == 1 else b"".join(self._received)
        exchange = Exchange(
            sent=self._sent,
            received=received[:limit],
            reply=reply,
            problem=problem,
            started_s=self._started_s,
            elapsed_s=self._loop.time() - self._started_s,
            truncated=self._received_bytes > limit,
            reused_connection=self._served > 0,
        )
        self._received = []
        if not waiter.done():
            waiter.set_result(exchange)
        self._served += 1 if self._alive else 0

    def _discard(self) -> None:
        self._alive = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()
