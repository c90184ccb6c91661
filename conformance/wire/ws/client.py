"""The WebSocket transport: one endpoint, one connection for many requests, made anew when it is lost."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import Awaitable, Callable

from conformance.wire.address import Address, Proxy, Route, dial
from conformance.wire.messages import Exchange, Headers, Limits, WireProblem, WsRequest
from conformance.wire.ws.connection import WsConnection
from conformance.wire.ws.session import WsSession

Send = Callable[[WsRequest], Awaitable[Exchange]]
OnConnect = Callable[[Send], Awaitable[WireProblem | None]]

_MOST_CONNECTS = 4
"""How often one message connects at most, where the server ends each connection before anything is written."""
_MAX_STRAY_PAYLOADS = 256
_MAX_STRAY_BYTES = 256 * 1024


class WsTransport:
    """`Transport[WsRequest]` over one WebSocket connection.

    Requests share the connection and are told apart by the sequence number their reply echoes. After a
    loss, the next request connects again, and so does one that finds the server's goodbye before it is written;
    a request that was written is never written again. `on_connect`
    runs on each new connection before any request, with a function that sends on that very connection: the
    place to log in. A problem that it returns becomes the outcome of the requests that wait for the
    connection, unsent.
    """

    def __init__(
        self,
        address: Address,
        *,
        headers: Headers = (),
        tls: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
        on_connect: OnConnect | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """`headers` go with the handshake; `random_bytes` makes the masks of frames."""
        if address.scheme not in ("ws", "wss"):
            raise ValueError(f"a WebSocket transport needs a ws or wss address, not {address}")
        self._route = Route(address, tls or (ssl.create_default_context() if address.secure else None), proxy)
        self._headers = headers
        self._on_connect = on_connect
        self._random_bytes = random_bytes
        self._connection: WsConnection | None = None
        self._connecting: asyncio.Task[WsConnection | tuple[WireProblem, bytes]] | None = None
        self._stray: list[bytes] = []
        self._stray_bytes = 0
        self._closed = False

    @property
    def stray(self) -> tuple[bytes, ...]:
        """Payloads that came while no request waited, such as duplicates; only the first 256 are kept."""
        return tuple(self._stray)

    async def send(self, request: WsRequest, *, limits: Limits) -> Exchange:
        """Send one frame once and wait for what comes of it."""
        for _ in range(_MOST_CONNECTS):
            connection = self._connection
            if connection is None or not connection.open:
                started_s = time.monotonic()
                outcome = await self._connect_once(limits)
                if not isinstance(outcome, WsConnection):
                    problem, raw = outcome
                    exchange = Exchange(b"", raw, None, problem, started_s, time.monotonic() - started_s)
                    if problem.kind == "ws-goodbye":
                        continue
                    return exchange
                connection = outcome
            exchange = await connection.request(request, limits)
            if exchange.sent or self._closed or exchange.problem is None:
                break
        return exchange

    async def connect(self, *, limits: Limits) -> None:
        """Connect and sign in, unless that is done."""
        if self._connection is None or not self._connection.open:
            await self._connect_once(limits)

    async def knock(self, limits: Limits) -> Exchange | None:
        """Connect and shake hands, with no message after it; None when that was done, else what came instead."""
        outcome = await self._connect_once(limits)
        if isinstance(outcome, WsConnection):
            return None
        return Exchange(b"", outcome[1], None, outcome[0], 0.0, 0.0)

    async def aclose(self) -> None:
        """Close with a close frame; requests in flight end as `interrupted`, and so do later ones."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        if self._connection is not None:
            await self._connection.aclose()

    async def _connect_once(self, limits: Limits) -> WsConnection | tuple[WireProblem, bytes]:
        """Connect, or wait for the connecting that another request began."""
        if self._closed:
            return _interrupted()
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect(limits))
            self._connecting.add_done_callback(self._connected)
        connecting = self._connecting
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            if connecting.cancelled() and self._closed:
                return _interrupted()
            raise

    def _connected(self, _task: asyncio.Task[WsConnection | tuple[WireProblem, bytes]]) -> None:
        self._connecting = None

    async def _connect(self, limits: Limits) -> WsConnection | tuple[WireProblem, bytes]:
        loop = asyncio.get_running_loop()
        session = WsSession(self._route.address, self._headers, limits)
        connection = WsConnection(loop, session, self._random_bytes, self._keep_stray)
        try:
            problem, raw = await dial(self._route, connection, limits, tunnel=True), b""
            if problem is None:
                problem, raw = await connection.handshake(limits)
            if problem is None and self._on_connect is not None:
                problem = await self._on_connect(lambda request: connection.request(request, limits))
        except BaseException:
            await connection.aclose()
            raise
        if problem is not None:
            await connection.aclose()
            return problem, raw
        self._connection = connection
        return connection

    def _keep_stray(self, payload: bytes) -> None:
        self._stray_bytes += len(payload)
        if len(self._stray) < _MAX_STRAY_PAYLOADS and self._stray_bytes <= _MAX_STRAY_BYTES:
            self._stray.append(payload)


def _interrupted() -> tuple[WireProblem, bytes]:
    return WireProblem("interrupted", "the transport was closed before the message was sent", "connect"), b""
