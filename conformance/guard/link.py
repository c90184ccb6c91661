"""One service of the target on the wire: its HTTP pool, a WebSocket for each user, and the gate before both.

Whoever sends says what for: a `Label` with purpose, role and case goes with every message.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from conformance.endpoint.model import ServiceTarget
from conformance.errors import Hindrance, NotCarriedOut, OutsideScope, Unreached
from conformance.guard.gate import (
    OF_A_CASE,
    Gate,
    Guard,
    Label,
    Purpose,
    handshake_answer,
    hiccup_words,
    is_hiccup,
    wait_s,
    was_throttled,
)
from conformance.wire.address import Address, Proxy, Route, dial, parse_address
from conformance.wire.http.client import HttpTransport
from conformance.wire.messages import (
    Exchange,
    Headers,
    HttpReply,
    HttpRequest,
    Limits,
    ReplyMatch,
    Transport,
    WireProblem,
    WsRequest,
    header_values,
)
from conformance.wire.ws.client import OnConnect, WsTransport

Send = Callable[[WsRequest], Awaitable[Exchange]]
DialHttp = Callable[[Address], Transport[HttpRequest]]
NumberOf = Callable[[str | bytes], int | None]
DialWs = Callable[[Address, OnConnect | None], Transport[WsRequest]]
_LOST = ("reset", "closed-early", "timeout", "malformed", "ws-closed", "ws-goodbye", "no-reply")
"""After these it is open whether one message was treated badly or nobody is there any more."""
MOST_READ_BYTES = 2 * 1024 * 1024
"""Of an answer that is judged: many times the longest list of results."""
_REPEATABLE = (Purpose.PROBE, Purpose.OBSERVATION, Purpose.CLEAN_UP)
"""What does nothing, or nothing more when it is done twice."""
_NOT_FORWARDED = 503
"""The infrastructure had nobody to pass the message on to; after 502 and 504 somebody may have it."""
_REPEAT_PAUSES_S = (0.1, 0.4)
_OTHER_SCHEME = {"http": "https", "https": "http", "ws": "wss", "wss": "ws"}
_KNOCK_PAUSES_S = (0.05, 0.3)
_REMEMBERED = 64
_PATIENCE = 2.0
"""An answer may take so many times as long as the slowest of late before it counts as silence."""
_PAUSE_S = 0.05
"""A process that is being ended may still accept while its connections break."""


class Traced(NamedTuple):
    """One message that was sent for a case, what for, and what came of it. A tuple, for every message makes one."""

    label: Label
    transport: str
    exchange: Exchange


@dataclass(slots=True)
class Socket:
    """One user's WebSocket and its sequence numbers, which count up in twos as real clients do."""

    transport: Transport[WsRequest]
    number: int = 0
    signed_in: int = 0
    """How often the user has signed in on it, over all its connections."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def next_number(self) -> int:
        """A sequence number that no message on this socket has had."""
        self.number += 2
        return self.number


@dataclass(slots=True)
class Link:
    """The wire to one service. This is the one place that sends: every message has a label and passes `gate`."""

    service: ServiceTarget
    limits: Limits
    gate: Gate
    guard: Guard
    """Of this service: what was made here may be touched here alone."""
    headers: Headers
    http: Transport[HttpRequest] | None
    address: Address | None
    ws_address: Address | None
    tls: ssl.SSLContext | None
    proxy: Proxy | None
    quiet_s: float
    connect_retries: int
    throttle_waits: int
    throttle_wait_s: float
    dial_http: DialHttp
    dial_ws: DialWs
    """How a WebSocket is opened; a dry wire puts its own transports here and in `http` and `dial_http`."""
    number_of: NumberOf
    """The sequence number of a frame, by which its reply is known; the service's dialect says it."""
    elsewhere: Gate
    """Before messages to addresses beside the service's own: as slow as `gate`, and counted apart."""
    addresses: frozenset[str]
    """Those addresses, as the logins of the target file name them; a message to any other is refused."""
    others: dict[str, Transport[HttpRequest]] = field(default_factory=dict)
    sockets: dict[str, Socket] = field(default_factory=dict)
    judged_limits: Limits = field(init=False)
    """For the messages of cases: what answers them is read as far as any answer in a document may go."""
    traces: dict[str, list[Traced]] = field(default_factory=dict)
    """By case that is under way: what was sent for it, whatever for, and what came; in the order of the answers."""
    gone: str = ""
    """Why the target cannot be reached any more, once that is known."""
    round_trips: dict[str, deque[float]] = field(default_factory=dict)
    """By transport: how long the latest answers took."""
    _knocking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _there_s: dict[str, float] = field(default_factory=dict)
    """By transport: when somebody was last seen to be there after a message was lost."""

    def __post_init__(self) -> None:
        self.judged_limits = replace(self.limits, max_kept_bytes=min(MOST_READ_BYTES, self.limits.max_body_bytes))

    def _limits(self, label: Label) -> Limits:
        return self.judged_limits if label.purpose in OF_A_CASE else self.limits

    async def send_http(self, request: HttpRequest, label: Label) -> Exchange:
        """Send one HTTP request.

        Setting up the connection may be tried again; the message only when it was throttled, or when the infrastructure
        answered and nothing can have been carried out, or nothing more. Raises `OutsideScope`, `Unreached` for a target
        that does not stop to throttle, `NotCarriedOut` without an address.
        """
        request = self._with_case(request, label)
        http = self.http
        if http is None:
            reason = "the target file names no HTTP address for this service"
            raise NotCarriedOut(reason, why=Hindrance.TRANSPORT, thing="transport.http")

        async def once() -> Exchange:
            await self.gate.admit(request, label, self.guard)
            return self._traced("http", label, await self._connected(http, request, self._limits(label)))

        exchange = await self._unthrottled(once, self.gate)
        reply = exchange.reply
        if isinstance(reply, HttpReply) and reply.status < 500 and not (reply.status == 400 and self._wants_tls(reply)):
            self._note("http", exchange)
            return exchange
        return await self._after_trouble(exchange, once, label, request.path)

    def _with_case(self, request: HttpRequest, label: Label) -> HttpRequest:
        """The request with the id of its case, where the target file names a header for it and the case sets none."""
        name = self.service.case_header
        if name is None or not label.case or header_values(request.headers, name):
            return request
        return replace(request, headers=(*request.headers, (name, label.case)))

    def _traced(self, transport: str, label: Label, exchange: Exchange) -> Exchange:
        """The exchange, once it is kept for the case that it belongs to."""
        trace = self.traces.get(label.case)
        if trace is not None:
            trace.append(Traced(label, transport, exchange))
        return exchange

    async def _connected(self, http: Transport[HttpRequest], request: HttpRequest, limits: Limits) -> Exchange:
        exchange = await http.send(request, limits=limits)
        for _ in range(self.connect_retries):
            if exchange.problem is None or not exchange.problem.unreachable or exchange.sent:
                break
            await asyncio.sleep(0.05)
            exchange = await http.send(request, limits=limits)
        return exchange

    async def send_elsewhere(self, address: str, request: HttpRequest, label: Label) -> Exchange:
        """Send a sign-in to an address that is not the service's, such as a token endpoint.

        Its messages do nothing to orders: they keep the pace of the target file, and no budget is spent on them. Raises
        `OutsideScope` for an address that no login of the target file names, and for any other purpose.
        """
        if address not in self.addresses or label.purpose is not Purpose.SIGN_IN:
            raise OutsideScope(f"outside scope: no login of the target file signs in at {address}")
        if address not in self.others:
            self.others[address] = self.dial_http(parse_address(address))
        http = self.others[address]

        async def once() -> Exchange:
            await self.elsewhere.admit(request, label)
            return self._traced("http", label, await self._connected(http, request, self.limits))

        exchange = await self._unthrottled(once, self.elsewhere)
        for pause_s in _REPEAT_PAUSES_S:
            if not self._may_repeat(exchange, label):
                break
            await asyncio.sleep(pause_s)
            exchange = await self._unthrottled(once, self.elsewhere)
        return exchange

    def socket(
        self, key: str, on_connect: Callable[[Send], Awaitable[WireProblem | None]] | None, label: Label
    ) -> Socket:
        """The WebSocket of one user, connected at its first message.

        What `on_connect` sends passes the gate, too, under this label.
        """
        if key not in self.sockets:
            if self.ws_address is None:
                reason = "the target file names no WebSocket address for this service"
                raise NotCarriedOut(reason, why=Hindrance.TRANSPORT, thing="transport.websocket")

            async def connected(send: Send) -> WireProblem | None:
                async def gated(request: WsRequest) -> Exchange:
                    async def once() -> Exchange:
                        await self.gate.admit(request, label, self.guard)
                        return self._traced("ws", label, await send(request))

                    return await self._after_ws(await self._unthrottled(once, self.gate), once, label)

                return None if on_connect is None else await on_connect(gated)

            self.sockets[key] = Socket(self.dial_ws(self.ws_address, None if on_connect is None else connected))
        return self.sockets[key]

    async def send_ws(
        self, socket: Socket, text: str | bytes, label: Label, *, quiet: bool = False, spelling: str = ""
    ) -> Exchange:
        """Send one frame; `quiet` listens for `patience_s` and takes silence as an observation."""
        number = self.number_of(text)
        match = ReplyMatch(number, expected=not quiet and number is not None, quiet_s=self.patience_s)
        request = WsRequest(text, match, spelling)

        async def once() -> Exchange:
            await self.gate.admit(request, label, self.guard)
            return self._traced("ws", label, await socket.transport.send(request, limits=self._limits(label)))

        return await self._after_ws(await self._unthrottled(once, self.gate), once, label)

    @property
    def patience_s(self) -> float:
        """How long silence is listened to: `quiet_s`, or longer where answers of late took longer."""
        slowest_s = max(self.round_trips.get("ws", ()), default=0.0)
        return max(self.quiet_s, min(_PATIENCE * slowest_s, self.limits.total_timeout_s))

    def _note(self, transport: str, exchange: Exchange) -> None:
        """Remember how long an answer took."""
        kept = self.round_trips.get(transport)
        if kept is None:
            kept = self.round_trips[transport] = deque(maxlen=_REMEMBERED)
        kept.append(exchange.elapsed_s)

    def note_late(self, case: str, silence: Exchange, answer: Exchange) -> None:
        """Learn from an answer that came after its silence had been taken for one, and keep it in that place."""
        self._note("ws", answer)
        trace = self.traces.get(case, [])
        trace[:] = [one._replace(exchange=answer) if one.exchange is silence else one for one in trace]

    async def _after_ws(self, exchange: Exchange, once: Callable[[], Awaitable[Exchange]], label: Label) -> Exchange:
        if exchange.problem is None:
            if exchange.reply is not None:
                self._note("ws", exchange)
            return exchange
        return await self._after_trouble(exchange, once, label, None)

    async def _after_trouble(
        self, exchange: Exchange, once: Callable[[], Awaitable[Exchange]], label: Label, path: str | None
    ) -> Exchange:
        """Once more what may be sent once more; then the exchange, unless nobody is there any more: then `Unreached`.

        `path` is that of an HTTP request; None for a frame.
        """
        for pause_s in _REPEAT_PAUSES_S:
            if not self._may_repeat(exchange, label):
                break
            await asyncio.sleep(pause_s)
            exchange = await self._unthrottled(once, self.gate)
        return await self._still_there(exchange, path)

    def _may_repeat(self, exchange: Exchange, label: Label) -> bool:
        """Whether a message that the infrastructure answered, or a closing connection lost, may go out again."""
        if is_hiccup(exchange):
            reply = exchange.reply
            if not exchange.sent:  # a handshake
                return True
            not_forwarded = isinstance(reply, HttpReply) and reply.status == _NOT_FORWARDED
            known_not_done = not_forwarded and label.purpose in (Purpose.SIGN_IN, Purpose.SET_UP)
            return known_not_done or label.purpose in _REPEATABLE
        return (exchange.lost_by_reuse or exchange.lost_by_goodbye) and label.purpose in _REPEATABLE

    async def _unthrottled(self, send: Callable[[], Awaitable[Exchange]], gate: Gate) -> Exchange:
        """The first exchange that was not throttled; everything behind the gate waits, because it shares the limit."""
        for attempt in range(self.throttle_waits + 1):
            exchange = await send()
            if not was_throttled(exchange):
                return exchange
            gate.throttled += 1
            gate.hold(wait_s(exchange, attempt, self.throttle_wait_s))
        if is_hiccup(exchange):
            return exchange
        raise Unreached(
            f"the target still answered TOO MANY REQUESTS after {self.throttle_waits} waits; "
            "set limits.requests_per_second or requests_per_minute lower"
        )

    async def _still_there(self, exchange: Exchange, path: str | None) -> Exchange:
        """The exchange, unless it was lost because nobody is there any more: then `Unreached`."""
        problem, reply = exchange.problem, exchange.reply
        lost = problem is not None and (problem.unreachable or problem.kind in _LOST)
        wants_tls = isinstance(reply, HttpReply) and self._wants_tls(reply)
        if not lost and not wants_tls and not is_hiccup(exchange):
            return exchange
        async with self._knocking:  # one for all that were lost at the same time
            return await self._unless_gone(exchange, path, lost=lost, wants_tls=wants_tls)

    async def _unless_gone(self, exchange: Exchange, path: str | None, *, lost: bool, wants_tls: bool) -> Exchange:
        problem, transport = exchange.problem, "ws" if path is None else "http"
        if self.gone:
            raise Unreached(self.gone)
        if self._there_s.get(transport, 0.0) > exchange.started_s + exchange.elapsed_s:
            return exchange
        await asyncio.sleep(_PAUSE_S)
        absent = WireProblem("tls", self._elsewise(self.address), "connect") if wants_tls else await self.reach()
        if absent is None:
            absent = await self.answers(None if path is None else path if lost else "")
        if absent is None:
            self._there_s[transport] = time.monotonic()
            return exchange
        before = hiccup_words(exchange) if problem is None else problem.message
        known = problem is not None and problem.unreachable
        self.gone = absent.message if known or wants_tls else f"{absent.message} (before that: {before})"
        raise Unreached(self.gone)

    def _wants_tls(self, reply: HttpReply) -> bool:
        """Whether a port that speaks TLS says so in plain text, and nobody has answered anything else there."""
        if self.address is None or self.address.secure or "http" in self.round_trips:
            return False
        return reply.status == 400 and b"HTTPS" in reply.body[:1000]

    def _elsewise(self, address: Address | None) -> str:
        """The hint at the other scheme of an address."""
        assert address is not None
        other = _OTHER_SCHEME[address.scheme]
        speaks = "TLS" if other in ("https", "wss") else "plain text"
        return f"{address} is a port that speaks {speaks}: write {other}:// in the target file"

    async def answers(self, path: str | None) -> WireProblem | None:
        """Ask for one HTTP answer, or for one WebSocket handshake where `path` is None; the problem when none comes.

        That a connection is accepted proves nothing: a port mapping or a balancer accepts without a server behind it.
        """
        address = self.ws_address if path is None else self.address
        if address is None:
            return None
        problem = await self._knock(address, path)
        for pause_s in _KNOCK_PAUSES_S:
            if problem is None or problem.kind in ("timeout", "connect-timeout", "no-reply"):
                break
            await asyncio.sleep(pause_s)
            problem = await self._knock(address, path)
        if problem is not None and problem.phase in ("connect", "handshake", "wait", "headers"):
            return await self._hinted(address, problem, path)
        return problem

    async def _knock(self, address: Address, path: str | None, *, any_certificate: bool = False) -> WireProblem | None:
        """OPTIONS on a path, which does nothing, or a handshake that is left again; None when it is answered."""
        await self.gate.knock()
        tls = self.tls if address.secure else None
        if any_certificate and address.secure:
            tls = ssl.create_default_context()
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        silent = "accepts connections and answers nothing"
        if path is None:
            ws = WsTransport(address, headers=self.headers, tls=tls, proxy=self.proxy)
            try:
                refused = await ws.knock(self.limits)
            finally:
                await ws.aclose()
            if refused is None or (handshake_answer(refused) is not None and not is_hiccup(refused)):
                return None
            assert refused.problem is not None
            if is_hiccup(refused):
                silent = "answers nothing but pages of the infrastructure"
            if refused.problem.unreachable:
                return refused.problem
            return replace(refused.problem, message=f"{address} {silent}: {refused.problem.message}")
        http = HttpTransport(address, tls=tls, proxy=self.proxy, keep_alive=False)
        try:
            exchange = await http.send(HttpRequest("OPTIONS", path, self.headers), limits=self.limits)
        finally:
            await http.aclose()
        if is_hiccup(exchange):
            return WireProblem("closed-early", f"{address} answers nothing but {hiccup_words(exchange)}", "body")
        if exchange.problem is None:
            if address is self.address and not self._wants_tls_at(address, exchange):
                self._note("http", exchange)
            return None if not self._wants_tls_at(address, exchange) else WireProblem("tls", "", "connect")
        if (exchange.received and b"HTTP/".startswith(exchange.received[:5])) or exchange.problem.kind in (
            "too-large",
            "content-encoding",
        ):
            return None  # somebody speaks HTTP there, well or badly
        if exchange.problem.unreachable:
            return exchange.problem
        return replace(exchange.problem, message=f"{address} {silent}: {exchange.problem.message}")

    def _wants_tls_at(self, address: Address, exchange: Exchange) -> bool:
        return address is self.address and isinstance(exchange.reply, HttpReply) and self._wants_tls(exchange.reply)

    async def reach(self) -> WireProblem | None:
        """Connect to each address once and send nothing; give the problem of the first unreachable one."""
        for address in (self.address, self.ws_address):
            if address is None:
                continue
            problem = await self._dialled(address)
            for _ in range(self.connect_retries):
                if problem is None:
                    break
                await asyncio.sleep(0.05)
                problem = await self._dialled(address)
            if problem is not None:
                tls_failed = problem.kind == "tls" or (address.secure and problem.kind == "connect-timeout")
                return await self._hinted(address, problem, self._path_for(address)) if tls_failed else problem
        return None

    def _path_for(self, address: Address) -> str | None:
        return None if address is self.ws_address else ""

    async def _hinted(self, address: Address, problem: WireProblem, path: str | None) -> WireProblem:
        """The problem, or the hint at the other scheme where that is answered."""
        other = replace(address, scheme=_OTHER_SCHEME[address.scheme])
        if await self._knock(other, path, any_certificate=True) is None:
            return WireProblem("tls", self._elsewise(address), problem.phase)
        return problem

    async def _dialled(self, address: Address) -> WireProblem | None:
        visitor = _Visitor()
        problem = await dial(
            Route(address, self.tls if address.secure else None, self.proxy),
            visitor,
            self.limits,
            tunnel=address is self.ws_address,
        )
        visitor.leave()
        return problem

    async def aclose(self) -> None:
        """Close every connection."""
        if self.http is not None:
            await self.http.aclose()
        for other in self.others.values():
            await other.aclose()
        for socket in self.sockets.values():
            await socket.transport.aclose()


class _Visitor(asyncio.Protocol):
    """A connection that is made only to see that it can be made."""

    def __init__(self) -> None:
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def leave(self) -> None:
        """Close the connection, if there is one."""
        if self._transport is not None:
            self._transport.close()
