"""A listener that notes which paths somebody asks for, and answers each with an empty document. It sends nothing itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

_MOST_HEAD_BYTES = 16 * 1024
_MOST_AT_ONCE, _MOST_PATHS = 64, 4096
_READ_TIMEOUT_S = 2.0
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 8\r\nConnection: close\r\n\r\n<!-- -->"


class Listener:
    """Listens on one address until it is closed; `paths` are those that were asked for, the oldest of very many left out."""

    def __init__(self) -> None:
        self.paths: deque[str] = deque(maxlen=_MOST_PATHS)
        self.port = 0
        self._server: asyncio.Server | None = None
        self._reading: set[asyncio.Task[None]] = set()

    async def open(self, host: str, port: int = 0) -> None:
        """Listen; port 0 takes any free one. Raises OSError."""
        self._server = await asyncio.start_server(self._heard, host, port, limit=_MOST_HEAD_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]

    async def heard(self, path: str, patience_s: float) -> bool:
        """Whether somebody has asked for a path; a request that is still being read is waited for, that long at most."""
        await asyncio.sleep(0)
        if path not in self.paths and self._reading:
            await asyncio.wait(tuple(self._reading), timeout=patience_s)
        return path in self.paths

    async def aclose(self) -> None:
        """Stop listening, and leave whoever is connected."""
        if self._server is not None:
            self._server.close()
            self._server = None
        reading = tuple(self._reading)
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)

    async def _heard(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._reading.add(task)
        try:
            if len(self._reading) <= _MOST_AT_ONCE:
                await self._read(reader, writer)
        finally:
            self._reading.discard(task)
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Note the path as soon as the first line is there, then answer."""
        with contextlib.suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_READ_TIMEOUT_S):
                line = await reader.readuntil(b"\r\n")
                _, _, target = line.decode("latin-1").partition(" ")
                self.paths.append(target.partition(" ")[0])
                while (await reader.readuntil(b"\r\n")) != b"\r\n":
                    pass
                writer.write(_ANSWER)
                await writer.drain()
