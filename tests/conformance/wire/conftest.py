"""Servers on loopback that follow a script, and a runner for both event loops that ends in time."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trustme
import uvloop

from conformance.wire import Exchange, HttpRequest, HttpTransport, Limits, WsTransport, parse_address

sys.path.append(str(Path(__file__).parent))

ResultT = TypeVar("ResultT")
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
SCENARIO_TIMEOUT_S = 8.0


@dataclass(slots=True)
class ScriptedServer:
    """A running server: where it listens, and the heads and bodies of the requests it has read."""

    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    async def read_request(self, reader: asyncio.StreamReader) -> bytes:
        """Read one request, head and body, and remember it."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":", 1)[1])
        request = head + await reader.readexactly(length)
        self.requests.append(request)
        return request


@contextlib.asynccontextmanager
async def running(
    script: Callable[[ScriptedServer, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[ScriptedServer]:
    """Serve `script` for every connection until the block ends."""
    server = ScriptedServer()
    handlers: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        server.connections += 1
        try:
            await script(server, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            handlers.discard(task)
            with contextlib.suppress(ConnectionError, RuntimeError):
                writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(handlers):
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)
        await asyncio.sleep(0)


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, ResultT]], ResultT]:
    """Run a scenario to its end on one of the two event loops, with a time-out."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def run_scenario(scenario: Coroutine[Any, Any, ResultT]) -> ResultT:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(asyncio.wait_for(scenario, SCENARIO_TIMEOUT_S))

    return run_scenario


@pytest.fixture
def serve() -> Any:
    """The `running` context manager."""
    return running


@pytest.fixture
def ask(run: Any) -> Callable[..., Exchange]:
    """Send one request to a server that answers with given bytes, then closes if told; or with a script."""

    def ask_once(
        answer: Any,
        request: HttpRequest | None = None,
        *,
        limits: Limits | None = None,
        close: bool = True,
    ) -> Exchange:
        async def script(server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read_request(reader)
            if not isinstance(answer, bytes):
                await answer(reader, writer)
                return
            writer.write(answer)
            await writer.drain()
            if not close:
                await reader.read()

        async def scenario() -> Exchange:
            async with running(script) as server:
                transport = HttpTransport(parse_address(f"http://127.0.0.1:{server.port}"))
                try:
                    sent = request or HttpRequest("POST", "/x", body=b"{}")
                    return await transport.send(sent, limits=limits or Limits(total_timeout_s=2.0))
                finally:
                    await transport.aclose()

        exchange: Exchange = run(scenario())
        return exchange

    return ask_once


class WsServer:
    """The server side of a WebSocket connection, spoken by hand so that it can be spoken wrongly."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number
        self.upgrade = b""

    async def accept(self) -> None:
        """Read the upgrade request and accept it."""
        self.upgrade = await self.reader.readuntil(b"\r\n\r\n")
        key = re.search(rb"(?i)sec-websocket-key: (\S+)", self.upgrade)
        assert key is not None
        token = base64.b64encode(hashlib.sha1(key.group(1) + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.writer.write(head + b"Sec-WebSocket-Accept: " + token + b"\r\n\r\n")

    @staticmethod
    def frame(payload: bytes, opcode: int = 1, *, fin: bool = True) -> bytes:
        """An unmasked frame."""
        first = bytes([(0x80 if fin else 0) | opcode])
        if len(payload) < 126:
            return first + bytes([len(payload)]) + payload
        if len(payload) < 65536:
            return first + b"\x7e" + len(payload).to_bytes(2, "big") + payload
        return first + b"\x7f" + len(payload).to_bytes(8, "big") + payload

    async def read(self) -> tuple[int, bytes]:
        """The opcode and the unmasked payload of the next frame."""
        first, second = await self.reader.readexactly(2)
        assert second & 0x80, "a client masks its frames"
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
        mask = await self.reader.readexactly(4)
        masked = await self.reader.readexactly(size)
        return first & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked))

    async def linger(self) -> None:
        """Take in whatever comes, and answer a close."""
        while True:
            opcode, payload = await self.read()
            if opcode == 8:
                await self.write(self.frame(payload, 8))
                return

    async def write(self, *frames: bytes) -> None:
        """Write frames in one go."""
        self.writer.write(b"".join(frames))
        await self.writer.drain()

    async def reply(self, *payloads: bytes) -> None:
        """Write each payload as a text frame, all in one go."""
        await self.write(*(self.frame(payload) for payload in payloads))


@pytest.fixture
def serve_ws() -> Any:
    """A context manager that accepts WebSocket connections and lets a script talk on each."""

    @contextlib.asynccontextmanager
    async def serving(script: Callable[[WsServer], Awaitable[None]], tls: ssl.SSLContext | None = None) -> Any:
        async def talk(server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peer = WsServer(reader, writer, server.connections)
            await peer.accept()
            await script(peer)

        async with running(talk, tls) as server:
            yield server

    return serving


@pytest.fixture
def talk(run: Any, serve_ws: Any) -> Callable[..., Any]:
    """Run a scenario with a WsTransport that is connected to a server with the given script."""

    def talk_to(
        script: Callable[[WsServer], Awaitable[None]],
        scenario: Callable[[WsTransport], Awaitable[Any]],
        **options: Any,
    ) -> Any:
        async def whole() -> Any:
            async with serve_ws(script) as server:
                transport = WsTransport(parse_address(f"ws://127.0.0.1:{server.port}/WSGateway"), **options)
                try:
                    return await scenario(transport)
                finally:
                    await transport.aclose()

        return run(whole())

    return talk_to


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A private certificate authority."""
    return trustme.CA()


@pytest.fixture
def unused_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server_tls(authority: trustme.CA) -> Callable[..., ssl.SSLContext]:
    """Settings for a server with a certificate for a name, issued by the private authority."""

    def settings(name: str = "127.0.0.1") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        return context

    return settings


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    """Settings for a client that trusts the private authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
