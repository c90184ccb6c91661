"""The HTTP transport: one endpoint, a bounded pool of keep-alive connections, no message ever sent twice."""

from __future__ import annotations

import asyncio
import ssl

from conformance.transport.address import Address, Proxy
from conformance.transport.dialing import Route, dial
from conformance.transport.http_connection import HttpConnection
from conformance.transport.messages import Exchange, HttpRequest, Limits, WireProblem
from conformance.transport.rendering import asks_to_close, render

_CLOSE_TIMEOUT_S = 0.5
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
        self._open: set[HttpConnection] = set()
        self._keep_alive = keep_alive
        self._closed = False

    async def send(self, request: HttpRequest, *, limits: Limits) -> Exchange:
        """Send one request once. Raises ValueError for a request that cannot be written as one message."""
        payload = render(request, self._route.address, self._route.proxy)
        async with self._slots:
            connection = self._checkout()
            if connection is None:
                opened = await self._connect(limits)
                if isinstance(opened, Exchange):
                    return opened
                connection = opened
            try:
                exchange = await connection.start(
                    payload, limits, head_only=request.method == "HEAD", close_after=asks_to_close(request)
                )
            except BaseException:
                connection.drop()
                raise
            self._checkin(connection, exchange)
            return exchange

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

    async def _connect(self, limits: Limits) -> HttpConnection | Exchange:
        """A fresh connection, or the exchange that tells why there is none (nothing was sent)."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        connection = HttpConnection(loop)
        problem = None if self._closed else await dial(self._route, connection, limits)
        if problem is None and self._closed:
            connection.drop()
            problem = WireProblem(
                "interrupted", "the transport was closed before the request was sent", "connect"
            )
        if problem is not None:
            return Exchange(b"", b"", None, problem, started_s, loop.time() - started_s)
        self._open.add(connection)
        connection.closed.add_done_callback(lambda _: self._open.discard(connection))
        return connection
