"""A server that answers one kind of message with a hostile behaviour, and passes all others on to the reference.

Bytes on sockets, without a framework: the reference's would mend what is to be broken.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from behaviour import Behaviour, Hit, keep

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_UNKNOWN = b"1987654321"
_GONE = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, RuntimeError)


@dataclass(slots=True)
class RudeServer:
    """Serves on a port of its own; `behaviour` may be exchanged between two runs."""

    upstream: int
    behaviour: Behaviour | None = None
    hits: int = 0
    port: int = 0
    listener: asyncio.Server = field(init=False)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, and one to the reference behind it."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        behind: asyncio.StreamWriter | None = None
        pump: asyncio.Task[None] | None = None
        try:
            back, behind = await asyncio.open_connection("127.0.0.1", self.upstream)
            pump = asyncio.create_task(_copy(back, writer))
            await self._requests(reader, writer, behind)
        except _GONE:
            pass
        finally:
            self.tasks.discard(task)
            if pump is not None:
                pump.cancel()
            for one in (behind, writer):
                if one is not None:
                    with contextlib.suppress(ConnectionError, RuntimeError):
                        one.close()

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, behind: asyncio.StreamWriter
    ) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await _body(head, reader)
            key = re.search(rb"(?i)\r\nsec-websocket-key:\s*(\S+)", head)
            accept = base64.b64encode(hashlib.sha1(key[1] + _MAGIC).digest()) if key else b""
            if self._strikes(_place_of(head, body)):
                await self._strike(Hit(0, accept, reader, writer))
                if not self._keeps:
                    return
                continue
            behind.write(head + body)
            await behind.drain()
            if key:
                await self._frames(reader, writer, behind)
                return

    async def _frames(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, behind: asyncio.StreamWriter
    ) -> None:
        while True:
            raw, text = await _frame(reader)
            call = re.search(rb'"n"\s*:\s*"(\w+)"', text)
            place = {b"CancelAllOrders": "frame", b"WebAuthenticateUser": "frame-sign-in"}.get(call[1] if call else b"")
            if self._strikes(place):
                number = json.loads(text).get("i", 0)
                await self._strike(Hit(number, b"", reader, writer))
                if not self._keeps:
                    return
                continue
            behind.write(raw)
            await behind.drain()

    def _strikes(self, place: str | None) -> bool:
        return self.behaviour is not None and place == self.behaviour.place

    @property
    def _keeps(self) -> bool:
        """Whether the connection stays open after the behaviour, for the messages of others."""
        return self.behaviour is not None and keep in self.behaviour.acts

    async def _strike(self, hit: Hit) -> None:
        assert self.behaviour is not None
        self.hits += 1
        for act in self.behaviour.acts:
            await act(hit)
        await hit.writer.drain()


def _place_of(head: bytes, body: bytes) -> str | None:
    """Where a behaviour that strikes at this request would be said to strike."""
    if head.startswith(b"POST /AP/CancelAllOrders "):
        return "standard"
    if re.match(rb"(?:GET|POST) /AP/Authenticate ", head):
        return "sign-in"
    if re.search(rb"(?i)\r\nupgrade:\s*websocket", head):
        return "handshake"
    if head.startswith(b"POST /api/orders/cancellations ") and _UNKNOWN in body:
        kind = re.search(rb"(?i)\r\ncontent-type:\s*application/(json|xml)", head)
        return kind[1].decode() if kind else None
    return None


async def _body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    length = re.search(rb"(?i)\r\ncontent-length:\s*(\d+)", head)
    return await reader.readexactly(int(length[1])) if length else b""


async def _frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """One frame of a client, as it came and unmasked."""
    raw = await reader.readexactly(2)
    size = raw[1] & 0x7F
    if size >= 126:
        longer = await reader.readexactly(2 if size == 126 else 8)
        raw, size = raw + longer, int.from_bytes(longer, "big")
    mask, payload = await reader.readexactly(4), await reader.readexactly(size)
    text = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return raw + mask + payload, text


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What the reference answers, to the client."""
    with contextlib.suppress(*_GONE):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()


@contextlib.contextmanager
def rude_server(upstream: int) -> Iterator[RudeServer]:
    """The server, in a thread with an event loop of its own."""
    server, loop, ready = RudeServer(upstream), asyncio.new_event_loop(), threading.Event()

    async def listen() -> None:
        server.listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        server.port = server.listener.sockets[0].getsockname()[1]
        ready.set()

    async def end() -> None:
        server.listener.close()
        tasks = list(server.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(lambda _loop, _context: None)
        loop.run_until_complete(listen())
        loop.run_forever()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        assert ready.wait(10)
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
