"""A server in a thread that follows a script, a target file that points at it, and a run of a few cases against it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import re
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from conformance.cli.main import main

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
UNKNOWN = 1987654321
JSON_CASE = "tpp/effects/unknown-order@application-json"
XML_CASE = "tpp/effects/unknown-order@application-xml"
WS_CASE = "cao/effects/nothing-open@ws"
GOOD = json.dumps(
    [{"OrderID": UNKNOWN, "InternationalOrderUID": None, "Success": False, "Errors": ["no such order"]}]
).encode()
_TARGET = """
name = "scripted"
[limits]
connect_timeout_s = 0.5
total_timeout_s = 0.6
quiet_s = 0.1
settle_s = 0.05
concurrency = 1
[scope]
destructive = true
everything = true
[services.tpp]
http = "{scheme}://127.0.0.1:{port}"
bindings = {{ creator = 98765, pin = {{ file = "{folder}/pin" }}, unknown_order = {unknown} }}
[services.tpp.roles.client]
login = "none"
[services.tpp.states]
provider = "pool"
[services.tpp.states.pool]
open-order = [{{ OrderID = 11, CreatorID = 98765 }}, {{ OrderID = 12, CreatorID = 98765 }}, {{ OrderID = 13, CreatorID = 98765 }}]
[services.alphapoint]
http = "{scheme}://127.0.0.1:{port}"
websocket = "ws://127.0.0.1:{port}/WSGateway/"
bindings = {{ oms = 1, account = 101 }}
[services.alphapoint.roles.trading]
login = "none"
"""


@dataclass(slots=True)
class Server:
    """A running server; `stop` closes the listening socket and every connection."""

    port: int
    stop: Callable[[], None]


async def shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a WebSocket handshake."""
    head = await reader.readuntil(b"\r\n\r\n")
    key = re.search(rb"(?i)sec-websocket-key:\s*(\S+)", head)
    assert key is not None
    accept = base64.b64encode(hashlib.sha1(key[1] + _MAGIC).digest()).decode()
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept}",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())


@contextlib.contextmanager
def scripted(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve `script` for each connection, in a thread with an event loop of its own."""
    loop = asyncio.new_event_loop()
    ready: threading.Event = threading.Event()
    port = 0
    listener: asyncio.Server | None = None
    tasks: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            tasks.discard(task)
            with contextlib.suppress(ConnectionError, RuntimeError):
                writer.close()

    async def listen() -> None:
        nonlocal port, listener
        listener = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
        port = listener.sockets[0].getsockname()[1]
        ready.set()

    async def end() -> None:
        if listener is not None:
            listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def stop() -> None:
        asyncio.run_coroutine_threadsafe(end(), loop)

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(lambda _loop, _context: None)
        loop.run_until_complete(listen())
        loop.run_forever()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert ready.wait(5)
        yield Server(port, stop)
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One whole request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":", 1)[1])
    return head + await reader.readexactly(length)


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """The payload of the next text frame."""
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size >= 126:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
    mask = await reader.readexactly(4)
    payload = bytes(byte ^ mask[place % 4] for place, byte in enumerate(await reader.readexactly(size)))
    return payload if first & 0x0F == 1 else await read_frame(reader)


def frame(payload: bytes, first: int = 0x81) -> bytes:
    """A server's frame, which carries no mask."""
    size = len(payload)
    return bytes((first, size)) + payload if size < 126 else bytes((first, 126)) + size.to_bytes(2, "big") + payload


def answer(body: bytes, *headers: str, media: str = "application/json") -> bytes:
    """A whole HTTP answer."""
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {media}; charset=utf-8", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    exit_code: int
    output: str
    results: dict[str, Any]
    journal: list[dict[str, Any]]
    elapsed_s: float
    busy_s: float

    def case(self, name: str) -> dict[str, Any]:
        """One case of results.json."""
        return next(case for case in self.results["cases"] if case["id"] == name)


def write_target(folder: Path, port: int, *, scheme: str = "http", more: str = "") -> Path:
    """The target file of a scripted server."""
    (folder / "pin").write_text("48213", encoding="utf-8")
    path = folder / "target.toml"
    path.write_text(_TARGET.format(port=port, unknown=UNKNOWN, scheme=scheme, folder=folder) + more, encoding="utf-8")
    return path


def run(folder: Path, port: int, *cases: str, scheme: str = "http") -> Outcome:
    """`conformance run` of the named cases, in this process."""
    target = write_target(folder, port, scheme=scheme)
    report = folder / "report"
    words = [word for case in cases for word in ("--case", case)]
    started, started_busy = time.monotonic(), time.process_time()
    done = CliRunner().invoke(main, ["run", "--target", str(target), "--report", str(report), "-v", *words])
    elapsed_s, busy_s = time.monotonic() - started, time.process_time() - started_busy
    results = json.loads((report / "results.json").read_text()) if (report / "results.json").exists() else {}
    lines = (report / "journal.jsonl").read_text().splitlines() if (report / "journal.jsonl").exists() else []
    return Outcome(done.exit_code, done.output, results, [json.loads(line) for line in lines], elapsed_s, busy_s)
