"""One WebSocket connection: an asyncio protocol that carries many requests at once.

Who waits for which frame on a WebSocket connection, and what each has seen meanwhile.
"""

from __future__ import annotations

import asyncio
import select
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from conformance.formats.json.pointer import load_top
from conformance.wire.messages import Exchange, Limits, ReplyMatch, WireProblem, WsReply, WsRequest
from conformance.wire.ws.session import Failed, Message, Opened, ToWrite, WsSession, text_frame
from conformance.wire.ws.spell import PAUSE_S, SPELLINGS

_REPLY, _EVENT, _ERROR = 1, 3, 5
_WATCHED = 64
_GRACE_S, _FIRST_GRACE_S = 0.05, 1.0
"""How long a right answer may follow a frame that nobody can match; longer for the first message, before a greeting."""
_MOST_LOOKS = 8
_PAYLOAD_OVERHEAD_BYTES = 64  # what an empty payload costs to keep


@dataclass(slots=True, eq=False)
class Waiter:
    """One request in flight. Unlike the values of this package it changes while it waits."""

    match: ReplyMatch
    limits: Limits
    sent: bytes
    started_s: float
    future: asyncio.Future[Exchange]
    timer: asyncio.TimerHandle | None = None
    others: list[bytes] = field(default_factory=list)
    others_bytes: int = 0
    again: list[bytes] = field(default_factory=list)
    disturbed: bool = False
    truncated: bool = False
    taken_for_answer: Message | None = None
    """The first frame that answers nobody and that, with one message in flight, can only be the answer to it."""

    def notice(self, payload: bytes, is_event: bool) -> None:
        """Remember a payload that answers nobody, as far as the evidence limit goes."""
        self.disturbed = self.disturbed or not is_event
        self.others_bytes += len(payload) + _PAYLOAD_OVERHEAD_BYTES
        if self.others_bytes > self.limits.max_received_evidence_bytes:
            self.truncated = True
        else:
            self.others.append(payload)

    def settle(
        self,
        now_s: float,
        *,
        message: Message | None = None,
        problem: WireProblem | None = None,
        raw: bytes = b"",
    ) -> None:
        """End the wait with a reply, a problem, or (neither) the silence that was asked for."""
        if self.timer is not None:
            self.timer.cancel()
        if self.future.done():
            return
        limit = self.limits.max_received_evidence_bytes
        received = raw if message is None else message.raw
        others = tuple(self.others)
        reply = None
        if message is not None:
            size = len(message.payload)
            kept, unread = (message.payload, 0) if size <= self.limits.max_kept_bytes else (b"", size)
            reply = WsReply(kept, others, message.binary, unread)
        self.future.set_result(
            Exchange(
                sent=self.sent,
                received=received[:limit],
                reply=reply,
                problem=problem,
                started_s=self.started_s,
                elapsed_s=now_s - self.started_s,
                truncated=self.truncated or len(received) > limit,
                others=others,
                silent=message is None and problem is None and not self.disturbed,
                again=self.again,
            )
        )


class WaitingRoom:
    """The requests in flight on one connection, by the sequence number that their reply has to echo.

    What comes for a number that was given up, or answered before, belongs to that message and to no later one.
    """

    def __init__(self, hurry: Callable[[Waiter], None]) -> None:
        """`hurry` is told of a request whose answer seems to have come in a frame that nobody can match."""
        self._waiters: list[Waiter] = []
        self._answered: OrderedDict[int, list[bytes]] = OrderedDict()
        self._owed: list[tuple[float, list[bytes]]] = []
        self._hurry = hurry

    def __len__(self) -> int:
        return len(self._waiters)

    def add(self, waiter: Waiter) -> None:
        """Let `waiter` see what comes from now on."""
        self._waiters.append(waiter)

    def remove(self, waiter: Waiter) -> None:
        """Forget `waiter`, if it still waits."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def give_up(self, waiter: Waiter, now_s: float) -> None:
        """Forget a request that was not answered; an answer that comes later still belongs to it."""
        self.remove(waiter)
        if waiter.match.i is not None:
            self._remember(waiter.match.i, waiter.again)
        else:  # an answer without a number may come for as long again as was waited
            self._owed.append((2 * now_s - waiter.started_s, waiter.again))

    def deliver(self, message: Message, now_s: float) -> bool:
        """Give `message` to the first request that it answers, or show it to all; False when nobody waits."""
        i, kind = sequence_number(message.payload)
        is_event = kind == _EVENT
        numbered = all(waiter.match.i is not None for waiter in self._waiters)
        if i is not None and not is_event:
            for waiter in self._waiters:
                if waiter.match.i == i:
                    self._waiters.remove(waiter)
                    waiter.settle(now_s, message=message)
                    self._remember(i, waiter.again)
                    return True
            again = self._answered.get(i)
            if again is not None:
                if not again:
                    again.append(message.payload)
                elif numbered:
                    self._may_answer(message)  # a third answer: rather one to this message, with a wrong number
                if numbered:  # a message without a number may be answered with any
                    return bool(self._waiters)
        if self._owed:
            self._owed = [one for one in self._owed if one[0] > now_s]
        if self._owed and not is_event and i is None and numbered:
            self._owed.pop(0)[1].append(message.payload)
            return bool(self._waiters)
        for waiter in self._waiters:
            waiter.notice(message.payload, is_event)
        if not self._owed and kind in (None, _REPLY, _ERROR):
            self._may_answer(message)
        return bool(self._waiters)

    def _may_answer(self, message: Message) -> None:
        """Take a frame for the answer to the one message in flight, should no other come."""
        if len(self._waiters) != 1:
            return
        waiter = self._waiters[0]
        if waiter.match.expected and waiter.taken_for_answer is None:
            waiter.taken_for_answer = message
            self._hurry(waiter)

    def _remember(self, i: int, again: list[bytes]) -> None:
        """Where a second answer to that number goes; only the last answers are watched."""
        self._answered[i] = again
        self._answered.move_to_end(i)
        if len(self._answered) > _WATCHED:
            self._answered.popitem(last=False)

    def fail(self, problem: WireProblem, raw: bytes, now_s: float) -> None:
        """End every wait with `problem`."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.settle(now_s, problem=problem, raw=raw)


def sequence_number(payload: bytes) -> tuple[int | None, float | None]:
    """The integer `i` and the number `m` of a frame, None for one that it does not have.

    Key case is free, as AlphaPoint declares; anything else about the frame is left to the checks, and so is what is
    nested too deeply.
    """
    try:
        frame = load_top(payload)
    except ValueError:
        return None, None
    if not isinstance(frame, dict):
        return None, None
    i, m = _member(frame, "i"), _member(frame, "m")
    return (i if type(i) is int else None), (m if type(m) in (int, float) else None)


def _member(frame: dict[str, Any], name: str) -> Any:
    return frame[name] if name in frame else frame.get(name.upper())


_CLOSE_TIMEOUT_S = 0.5
_MOST_MESSAGES, _MANY_MESSAGES = 100_000, 1_000
"""In one wait: more than these end the connection at once; more than those, when an answer is waited for in vain."""
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
        self._room = WaitingRoom(self._hurry)
        self._transport: asyncio.Transport | None = None
        self._poll: select.poll | None = None
        self._slowest_s: float | None = None
        self._backlog = b""
        self._messages = 0
        """How many have come since the last request."""
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
        """Write one frame and wait for its reply, for a problem, or through the silence asked for.

        What the server has said by then is read first: after its goodbye nothing is written.
        """
        for _ in range(_MOST_LOOKS):
            if self._over is not None or self._poll is None or not self._poll.poll(0):
                break
            await asyncio.sleep(0)
        if self._over is not None or self._transport is None:
            unsent = self._over or WireProblem("ws-closed", "the connection was never made", "connect")
            return Exchange(b"", b"", None, unsent, time.monotonic(), 0.0)
        payload = request.text.encode() if isinstance(request.text, str) else request.text
        pieces: tuple[bytes, ...] = (text_frame(payload, self._random_bytes),)
        if request.spelling:
            pieces = SPELLINGS[request.spelling](payload, self._random_bytes)
        frame = b"".join(pieces)
        self._session.limits = limits
        self._session.forget_pings()
        self._messages = 0
        waiter = Waiter(request.reply_to, limits, frame, time.monotonic(), self._loop.create_future())
        wait_s = limits.total_timeout_s if request.reply_to.expected else request.reply_to.quiet_s
        waiter.timer = self._loop.call_later(wait_s, self._expire, waiter)
        self._room.add(waiter)
        self._transport.write(pieces[0])
        try:
            for piece in pieces[1:]:
                await asyncio.sleep(PAUSE_S)
                if self._over is None:
                    self._transport.write(piece)
            exchange = await waiter.future
            if exchange.reply is not None:
                self._slowest_s = max(exchange.elapsed_s, self._slowest_s or 0.0)
            return exchange
        finally:
            waiter.timer.cancel()
            self._room.remove(waiter)

    async def aclose(self) -> None:
        """Say goodbye, wait a moment for the server's, and close; waiting requests end as `interrupted`."""
        problem = WireProblem("interrupted", "the transport was closed while waiting", "wait")
        self._room.fail(problem, self._session.partial, time.monotonic())
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
        self._poll = select.poll()
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
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
                if not self._room.deliver(event, time.monotonic()):
                    self._on_stray(event.payload)
                self._messages += 1
                if self._messages > _MOST_MESSAGES:
                    many = f"more than {_MOST_MESSAGES} messages that nobody asked for"
                    self._finish(WireProblem("too-large", many, "wait"), b"")
                    return
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

    def _hurry(self, waiter: Waiter) -> None:
        """Wait no longer than a right answer would take that is under way beside the frame that came."""
        grace_s = _FIRST_GRACE_S if self._slowest_s is None else max(_GRACE_S, 2 * self._slowest_s)
        if waiter.timer is not None and waiter.timer.when() > self._loop.time() + grace_s:
            waiter.timer.cancel()
            until_s = waiter.timer.when()
            waiter.timer = self._loop.call_later(grace_s, self._give_up_hurried, waiter, until_s)

    def _give_up_hurried(self, waiter: Waiter, until_s: float) -> None:
        """As `_expire`, once everything was read that has come, and at the latest when its time is over."""
        if self._backlog and self._loop.time() < until_s:
            waiter.timer = self._loop.call_later(_GRACE_S, self._give_up_hurried, waiter, until_s)
        else:
            self._expire(waiter)

    def _expire(self, waiter: Waiter) -> None:
        now_s = time.monotonic()
        self._room.give_up(waiter, now_s)
        if not waiter.match.expected:
            waiter.settle(now_s)
            self._leave_flood()
            return
        half = self._session.within_message and not self._flooded  # where a flood is cut says nothing of a message
        what = "only part of a message" if half else "no reply"
        message = f"{what} within {waiter.limits.total_timeout_s:g} s"
        raw = self._session.partial
        if waiter.taken_for_answer is not None:
            message, raw = "a frame came that answers no message, and nothing else did", waiter.taken_for_answer.raw
            if waiter.taken_for_answer.payload not in waiter.others:
                waiter.notice(waiter.taken_for_answer.payload, is_event=False)
        problem = WireProblem("no-reply", message, "body" if half else "wait")
        waiter.settle(now_s, problem=problem, raw=raw)
        if half:
            # Whatever follows would be read as the rest of that message.
            self._finish(WireProblem("ws-closed", "given up in the middle of a message", "body"), b"")
        self._leave_flood()

    @property
    def _flooded(self) -> bool:
        return self._messages > _MANY_MESSAGES

    def _leave_flood(self) -> None:
        """Close a connection on which nobody would find the answers to later messages."""
        if self._flooded:
            self._finish(WireProblem("ws-closed", "given up in a flood of messages that nobody asked for", "wait"), b"")

    def _finish(self, problem: WireProblem, raw: bytes) -> None:
        """End the connection: everybody who waits gets `problem`, the socket is closed."""
        if self._over is None:
            self._over = problem
        if not self._opened.done():
            self._opened.set_result((problem, raw))
        self._room.fail(problem, raw, time.monotonic())
        self._session.drop()
        self._backlog = b""
        if self._transport is None or self._transport.is_closing():
            return
        if problem.kind == "too-large":
            self._transport.abort()
        else:
            self._transport.close()
            self._loop.call_later(_CLOSE_TIMEOUT_S, self._transport.abort)
