"""The HTTP transport: one endpoint, a bounded pool of keep-alive connections, no message ever sent twice.

One HTTP/1.1 connection: an asyncio protocol with at most one request in flight.

The exact bytes of an HTTP/1.1 request.
"""

from __future__ import annotations

import asyncio
import select
import ssl
import time
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import cast

from conformance.wire.address import Address, Proxy, Route, dial
from conformance.wire.http.pipeline import PipelinedConnection
from conformance.wire.http.reply import ReplyReader
from conformance.wire.http.spell import SPELLINGS, Spelling
from conformance.wire.messages import (
    Exchange,
    Headers,
    HttpReply,
    HttpRequest,
    Limits,
    Payload,
    Phase,
    WireProblem,
    with_agent,
)


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

    def start(self, payload: bytes, limits: Limits, *, head_only: bool, close_after: bool) -> asyncio.Future[Exchange]:
        """Write `payload` and return the future of its exchange. Only for a connection that is `usable`."""
        if self._transport is None or self._waiter is not None:
            raise RuntimeError("a request was started on a connection that is not free")
        self._limits = limits
        self._close_after = close_after
        self._sent = payload
        self._received = []
        self._received_bytes = 0
        self._reader = ReplyReader(limits, head_only=head_only)
        self._started_s = time.monotonic()
        self._deadline_s = self._loop.time() + limits.total_timeout_s
        if self._timer is None or self._timer_at_s > self._deadline_s:
            self._arm()
        waiter: asyncio.Future[Exchange] = self._loop.create_future()
        self._waiter = waiter
        self._transport.write(payload)
        return waiter

    async def write_later(self, pieces: Sequence[bytes], spelling: Spelling) -> bool:
        """Write the rest of the request that was started, piece by piece; False when it was answered before its end."""
        waiter = self._waiter
        for piece in pieces:
            if spelling.after_continue:
                await self._interim(spelling.pause_s)
            else:
                await asyncio.sleep(spelling.pause_s)
            if self._transport is None or not self._alive or waiter is None or self._waiter is not waiter:
                return False
            self._sent += piece
            self._transport.write(piece)
        return True

    async def _interim(self, at_most_s: float) -> None:
        """Wait until the server has said anything."""
        until_s = self._loop.time() + at_most_s
        while not self._received_bytes and self._alive and self._loop.time() < until_s:
            await asyncio.sleep(_LOOK_S)

    def drop(self, problem: WireProblem | None = None) -> None:
        """Close at once; a request in flight ends with `problem`, or as `interrupted`."""
        if self._waiter is not None:
            phase = self._phase()
            self._settle(problem or WireProblem("interrupted", "the transport was closed while waiting", phase))
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
        return "send" if phase == "wait" and self._alive and self._transport.get_write_buffer_size() > 0 else phase

    def _settle(self, problem: WireProblem | None) -> None:
        """End the request in flight; keep the connection only when its next use is certain to be clean."""
        waiter, reader = self._waiter, self._reader
        if waiter is None or reader is None or self._transport is None:
            return
        self._waiter = self._reader = None  # the reader's buffer may be large, and the connection may live for long
        reply: HttpReply | None = None
        if problem is None:
            reply, problem = reader.reply()
        reader.drop()
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
            elapsed_s=time.monotonic() - self._started_s,
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


_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


def render(request: HttpRequest, address: Address, proxy: Proxy | None = None) -> bytes:
    """The bytes to write for `request`; through a plain proxy the target is in absolute form.

    Host comes first and then User-Agent, unless the caller gives them; Content-Length is added for a body, and for
    methods that usually have one, unless the caller frames the body. Raises ValueError for a request that cannot be one
    message: a line break in a name or value, a space in the path, a character outside Latin-1.
    """
    head, framed = _head(request.method, request.path, request.headers, address, proxy)
    if framed or not (request.body or request.method in _BODY_METHODS):
        return head + b"\r\n" + request.body
    return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(request.body), request.body)


@lru_cache(maxsize=256)
def _head(method: str, path: str, headers: Headers, address: Address, proxy: Proxy | None) -> tuple[bytes, bool]:
    """The request line and the headers given, without the empty line; and whether they frame a body."""
    names = {name.lower() for name, _ in headers}
    if (path and path[0] != "/") or " " in path or " " in method:
        raise ValueError(f"cannot send {method} {path!r}: a path starts with '/' and holds no space")
    target = address.base_path + path or "/"
    plain_proxy = proxy if not address.secure else None
    if plain_proxy is not None:
        target = f"{address.scheme}://{address.authority}{target}"
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in names:
        lines.append(f"Host: {address.authority}")
    if plain_proxy is not None and plain_proxy.authorization is not None and "proxy-authorization" not in names:
        lines.append(f"Proxy-Authorization: {plain_proxy.authorization}")
    lines.extend(f"{name}: {value}" for name, value in with_agent(headers))
    count = len(lines)
    head = "".join(f"{line}\r\n" for line in lines)
    if head.count("\n") != count or head.count("\r") != count:
        raise ValueError(f"cannot send {method} {path!r}: a header or the path holds a line break")
    return head.encode("latin-1"), not names.isdisjoint(("content-length", "transfer-encoding"))


def asks_to_close(request: HttpRequest) -> bool:
    """True when the request tells the server to close the connection after the reply."""
    return any(name.lower() == "connection" and "close" in value.lower() for name, value in request.headers)


_CLOSE_TIMEOUT_S = 0.5
_LOOK_S = 0.002
_MOST_CONNECTS = 3
"""How often one request connects at most, where the server ends each connection before anything is written."""
MAX_IDLE_S = 2.0
"""After this a connection is not used again: servers close idle ones, the common ones after five seconds and more."""


class HttpTransport:
    """`Transport[HttpRequest]` over HTTP/1.1; redirects are replies like any other.

    At most `max_connections` requests are in flight; more wait their turn, and that wait counts against no
    time-out. An idle connection is used again only within `MAX_IDLE_S` and when the peer has not closed it,
    so nothing has to be sent twice. When a peer still closes one in the moment of use, the exchange ends as `closed-early` or
    `reset` with `reused_connection` set, and from then on every request gets a connection of its own.
    """

    def __init__(
        self,
        address: Address,
        *,
        tls: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
        max_connections: int = 16,
        keep_alive: bool = True,
    ) -> None:
        """`tls` may hold a private CA or a client certificate; by default the system's CAs are trusted."""
        if address.scheme not in ("http", "https"):
            raise ValueError(f"an HTTP transport needs an http or https address, not {address}")
        self._route = Route(address, tls or (ssl.create_default_context() if address.secure else None), proxy)
        self._slots = asyncio.Semaphore(max_connections)
        self._idle: list[tuple[HttpConnection, float]] = []
        self._open: set[HttpConnection | PipelinedConnection] = set()
        self._keep_alive = keep_alive
        self._closed = False

    async def send(self, request: HttpRequest, *, limits: Limits) -> Exchange:
        """Send one request once. Raises ValueError for a request that cannot be written as one message."""
        payload = render(request, self._route.address, self._route.proxy)
        if request.place is not None and not request.place.pipeline.over:
            one = Payload(payload, request.method == "HEAD")
            return await request.place.pipeline.send(request.place.number, one, partial(self._in_one_go, limits=limits))
        async with self._slots:
            connection = self._checkout()
            if connection is None:
                opened = await self._opened(limits)
                if isinstance(opened, Exchange):
                    return opened
                connection = opened
            try:
                exchange = await self._exchanged(connection, request, payload, limits)
            except BaseException:
                connection.drop()
                raise
            self._checkin(connection, exchange)
            return exchange

    async def _exchanged(
        self, connection: HttpConnection, request: HttpRequest, payload: bytes, limits: Limits
    ) -> Exchange:
        head_only, close_after = request.method == "HEAD", asks_to_close(request)
        if not request.spelling:
            return await connection.start(payload, limits, head_only=head_only, close_after=close_after)
        spelling = SPELLINGS[request.spelling]
        first, *rest = spelling.pieces(payload)
        answer = connection.start(first, limits, head_only=head_only, close_after=close_after)
        whole = await connection.write_later(rest, spelling)
        exchange = await answer
        if not whole:  # what was not sent would be missed by the next request
            connection.drop()
        return exchange

    async def _in_one_go(self, payloads: Sequence[Payload], *, limits: Limits) -> Sequence[Exchange]:
        """Write several requests on a connection of their own; the exchanges in their order."""
        async with self._slots:
            connection, started_s = PipelinedConnection(payloads, limits), time.monotonic()
            problem = await dial(self._route, connection, limits)
            if problem is not None:
                return [Exchange(b"", b"", None, problem, started_s, time.monotonic() - started_s)] * len(payloads)
            self._open.add(connection)
            connection.closed.add_done_callback(lambda _: self._open.discard(connection))
            return await connection.exchange()

    async def connect(self, *, limits: Limits) -> None:
        """Nothing: each message takes one of many connections."""

    async def reach(self, *, limits: Limits) -> WireProblem | None:
        """Connect once and send nothing; what is wrong when that fails."""
        opened = await self._connect(limits)
        if isinstance(opened, Exchange):
            return opened.problem
        opened.drop()
        return None

    async def aclose(self) -> None:
        """Close every connection; requests in flight end as `interrupted`, and so do later ones."""
        self._closed = True
        self._idle.clear()
        leaving = list(self._open)
        for connection in leaving:
            connection.drop()
        if leaving:
            await asyncio.wait([connection.closed for connection in leaving], timeout=_CLOSE_TIMEOUT_S)

    def _checkout(self) -> HttpConnection | None:
        while self._idle:
            connection, since_s = self._idle.pop()
            if asyncio.get_running_loop().time() - since_s < MAX_IDLE_S and connection.usable():
                return connection
            connection.drop()
        return None

    def _checkin(self, connection: HttpConnection, exchange: Exchange) -> None:
        if exchange.lost_by_reuse:
            self._keep_alive = False
        if self._keep_alive and not self._closed and connection.alive:
            self._idle.append((connection, asyncio.get_running_loop().time()))
        else:
            connection.drop()

    async def _opened(self, limits: Limits) -> HttpConnection | Exchange:
        """A fresh connection that still stands when it is to be written on, or the exchange of which nothing was sent."""
        started_s = time.monotonic()
        for _ in range(_MOST_CONNECTS):
            opened = await self._connect(limits)
            if isinstance(opened, Exchange) or opened.alive:
                return opened
        message = "the server ends each connection before the request is written"
        problem = WireProblem("closed-early", message, "connect")
        return Exchange(b"", b"", None, problem, started_s, time.monotonic() - started_s)

    async def _connect(self, limits: Limits) -> HttpConnection | Exchange:
        """A fresh connection, or the exchange that tells why there is none (nothing was sent)."""
        started_s = time.monotonic()
        connection = HttpConnection(asyncio.get_running_loop())
        problem = None if self._closed else await dial(self._route, connection, limits)
        if problem is None and self._closed:
            connection.drop()
            problem = WireProblem("interrupted", "the transport was closed before the request was sent", "connect")
        if problem is not None:
            return Exchange(b"", b"", None, problem, started_s, time.monotonic() - started_s)
        self._open.add(connection)
        connection.closed.add_done_callback(lambda _: self._open.discard(connection))
        return connection
