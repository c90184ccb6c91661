"""Requests that are written in one go on one connection (RFC 9112, 9.3.2), and their answers in the same order.

Each is sent by somebody of its own, who passes the gate by himself; whoever comes last writes. Where one of them does not
come, nothing is written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import cast

from conformance.wire.http.reply import ReplyReader
from conformance.wire.messages import Exchange, HttpReply, Limits, Payload, WireProblem

Write = Callable[[Sequence[Payload]], Awaitable[Sequence[Exchange]]]


class Pipeline:
    """So many requests that go out together."""

    def __init__(self, count: int) -> None:
        self._payloads: list[Payload | None] = [None] * count
        self._answers: list[asyncio.Future[Exchange]] = []
        self.over = False
        """Whether it was written or given up: what is sent again goes out by itself."""

    async def send(self, place: int, payload: Payload, write: Write) -> Exchange:
        """Wait until all have come, and for the answer to this one; the last to come writes."""
        if not self._answers:
            self._answers = [asyncio.get_running_loop().create_future() for _ in self._payloads]
        self._payloads[place] = payload
        ready = [one for one in self._payloads if one is not None]
        if len(ready) == len(self._payloads):
            self.over = True
            try:
                exchanges = await write(ready)
            except BaseException:
                self._settle([_unsent("the requests beside it could not be written")] * len(ready))
                raise
            self._settle(exchanges)
        return await self._answers[place]

    def give_up(self) -> None:
        """One of them does not come: whoever waits is told that nothing was sent. Nothing if all have been written."""
        if not self.over:
            self.over = True
            self._settle([_unsent("a request that goes out with it was not sent")] * len(self._answers))

    def _settle(self, exchanges: Sequence[Exchange]) -> None:
        for answer, exchange in zip(self._answers, exchanges, strict=True):
            if not answer.done():
                answer.set_result(exchange)


def _unsent(message: str) -> Exchange:
    return Exchange(b"", b"", None, WireProblem("interrupted", message, "send"), time.monotonic(), 0.0)


class PipelinedConnection(asyncio.Protocol):
    """A fresh connection that writes several requests at once, and is closed behind the last answer."""

    def __init__(self, payloads: Sequence[Payload], limits: Limits) -> None:
        loop = asyncio.get_running_loop()
        self._payloads, self._limits = payloads, limits
        self._transport: asyncio.Transport | None = None
        self._exchanges: list[Exchange] = []
        self._over = loop.create_future()
        self._started_s = 0.0
        self.closed: asyncio.Future[None] = loop.create_future()
        self._read: list[bytes] = []
        """What has come of the answer that is being read."""
        self._reader = self._next_reader()

    async def exchange(self) -> Sequence[Exchange]:
        """Write everything, and read an answer to each; one that does not come is an exchange with a problem."""
        assert self._transport is not None
        self._started_s = time.monotonic()
        self._transport.write(b"".join(one.data for one in self._payloads))
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.total_timeout_s):
                    await self._over
        finally:
            self._transport.abort()
        message = f"no whole reply within {self._limits.total_timeout_s:g} s"
        self._end(WireProblem("timeout", message, self._reader.phase))
        return self._exchanges

    def drop(self) -> None:
        """Close at once; what is not answered ends as `interrupted`."""
        self._end(WireProblem("interrupted", "the transport was closed while waiting", self._reader.phase))
        if self._transport is not None:
            self._transport.abort()

    def _next_reader(self) -> ReplyReader:
        place = min(len(self._exchanges), len(self._payloads) - 1)
        return ReplyReader(self._limits, head_only=self._payloads[place].head_only)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of asyncio's

    def data_received(self, data: bytes) -> None:
        rest = data
        while rest and not self._over.done():
            rest = self._take(rest)

    def eof_received(self) -> None:
        self._peer_closed(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._peer_closed(exc)
        if not self.closed.done():
            self.closed.set_result(None)

    def _take(self, data: bytes) -> bytes:
        """Feed the answer that is being read; what is left belongs to the next one."""
        problem = self._reader.feed(data)
        if problem is not None:
            self._read.append(data)
            self._end(problem)
            return b""
        if not self._reader.done:
            self._read.append(data)
            return b""
        last = len(self._exchanges) == len(self._payloads) - 1
        closes, size = not self._reader.keep_alive, len(data)
        if self._reader.trailing and not last and not closes:
            size = self._size(data)
        self._read.append(data[:size])
        self._settle(None)
        if closes:  # nothing may come behind it (RFC 9112, 9.6)
            self._end(_CLOSED_BEHIND)
        return data[size:]

    def _size(self, data: bytes) -> int:
        """How much of these bytes belongs to the answer that ends in them: the parser does not tell."""
        reader = self._next_reader()
        for part in self._read:
            reader.feed(part)
        for place in range(len(data)):
            if reader.feed(data[place : place + 1]) is not None:
                break
            if reader.done:
                self._reader = reader
                return place + 1
        return len(data)

    def _peer_closed(self, exc: Exception | None) -> None:
        if self._over.done():
            return
        if exc is not None:
            self._end(WireProblem("reset", f"the connection broke: {exc}", self._reader.phase))
            return
        self._end(self._reader.end())

    def _settle(self, problem: WireProblem | None) -> None:
        """End the answer that is being read."""
        reply: HttpReply | None = None
        if problem is None:
            reply, problem = self._reader.reply()
        self._reader.drop()
        limit, received = self._limits.max_received_evidence_bytes, b"".join(self._read)
        self._exchanges.append(
            Exchange(
                sent=self._payloads[len(self._exchanges)].data,
                received=received[:limit],
                reply=reply,
                problem=problem,
                started_s=self._started_s,
                elapsed_s=time.monotonic() - self._started_s,
                truncated=len(received) > limit,
            )
        )
        self._read, self._reader = [], self._next_reader()
        if len(self._exchanges) == len(self._payloads) and not self._over.done():
            self._over.set_result(None)

    def _end(self, problem: WireProblem | None) -> None:
        """End the answer that is being read and, as nothing comes any more, all behind it."""
        while len(self._exchanges) < len(self._payloads):
            self._settle(problem)
            problem = problem if problem is not None and problem.kind in _FOR_ALL else _CLOSED_BEHIND


_FOR_ALL = ("timeout", "interrupted")
_CLOSED_BEHIND = WireProblem("closed-early", "the connection was closed behind the answer before", "wait")
