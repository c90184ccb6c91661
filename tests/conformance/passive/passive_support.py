"""A scripted client that calls a server as the documents say, and records what it sees as HAR 1.2."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Request, TextMessage

from conformance.endpoint.reference import reference_environment
from reference_impl.serve import ServeOptions, listen, make_app, make_server

TIMEOUT_S = 10.0
QUIET_S = 0.15


@contextlib.contextmanager
def served(options: ServeOptions = ServeOptions()) -> Iterator[str]:  # noqa: B008  a frozen value
    """The reference implementation on a free port of loopback: its host and port."""
    listener = listen("127.0.0.1", 0)
    server = make_server(make_app(options))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    host, port = listener.getsockname()[:2]
    try:
        yield f"{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(TIMEOUT_S)
        listener.close()


def secret(name: str) -> str:
    """A credential of the bundled world."""
    return reference_environment()[name]


@dataclass
class Client:
    """Sends requests to one server, each recorded as an entry."""

    host: str
    entries: list[dict[str, Any]] = field(default_factory=list)

    def http(
        self, path: str, body: bytes | Mapping[str, Any] | Sequence[Any], headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> tuple[int, Any]:  # fmt: skip
        """One request; the status and the answer's value, where it is JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        began = time.time()
        status, reason, answered, answer = 0, "", [], b""
        connection = http.client.HTTPConnection(self.host, timeout=TIMEOUT_S)
        with contextlib.closing(connection), contextlib.suppress(http.client.HTTPException, OSError):
            connection.request(method, path, data, sent)
            reply = connection.getresponse()
            status, reason, answered = reply.status, reply.reason, reply.getheaders()
            answer = reply.read()
        self.entries.append(
            {
                "startedDateTime": datetime.fromtimestamp(began, UTC).isoformat(),
                "time": (time.time() - began) * 1000,
                "request": {
                    "method": method, "url": f"http://{self.host}{path}", "httpVersion": "HTTP/1.1",
                    "headers": pairs(sent.items()), "bodySize": len(data),
                    "postData": {"mimeType": sent["Content-Type"], "text": data.decode("utf-8", "surrogateescape")},
                },
                "response": {
                    "status": status, "statusText": reason, "httpVersion": "HTTP/1.1", "headers": pairs(answered),
                    "content": {"size": len(answer), **content(answer)}, "bodySize": len(answer),
                },
            }
        )  # fmt: skip
        try:
            return status, json.loads(answer)
        except ValueError:
            return status, None

    def token(self, user: str) -> dict[str, str]:
        """Sign in over HTTP; the header of the session."""
        words = base64.b64encode(f"{user}:{user}-password".encode()).decode()
        _, answer = self.http("/AP/Authenticate", {}, {"Authorization": f"Basic {words}"})
        token = next((str(value) for key, value in answer.items() if "token" in key.lower()), "") if answer else ""
        return {"aptoken": token}

    def har(self, path: Path) -> Path:
        """Write what was recorded."""
        log = {"version": "1.2", "creator": {"name": "tests", "version": "1"}, "entries": self.entries}
        path.write_text(json.dumps({"log": log}), encoding="utf-8")
        return path


def pairs(headers: Any) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def content(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode(), "encoding": "base64"}


class Socket:
    """A WebSocket on which calls go out one by one, all of it recorded."""

    def __init__(self, client: Client) -> None:
        self._messages: list[dict[str, Any]] = []
        self._number = 0
        self._socket = socket.create_connection(client.host.split(":"), timeout=TIMEOUT_S)  # type: ignore[arg-type]
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._socket.sendall(self._protocol.send(Request(host=client.host, target="/WSGateway/")))
        self._pending: list[str] = []
        self._closed = False
        while not self._read(TIMEOUT_S):
            pass
        client.entries.append(
            {
                "startedDateTime": datetime.now(UTC).isoformat(), "time": 0,
                "request": {"method": "GET", "url": f"ws://{client.host}/WSGateway/", "headers": []},
                "response": {"status": 101, "headers": [], "content": {}},
                "_webSocketMessages": self._messages,
            }
        )  # fmt: skip

    def _read(self, timeout_s: float) -> bool:
        """Take what comes; whether anything did."""
        self._socket.settimeout(timeout_s)
        try:
            data = self._socket.recv(65536)
        except (TimeoutError, OSError):
            return False
        if not data:
            self._closed = True
            return True
        self._protocol.receive_data(data)
        came = False
        for event in self._protocol.events():
            if isinstance(event, AcceptConnection):
                came = True
            elif isinstance(event, (TextMessage, BytesMessage)):
                text = event.data if isinstance(event.data, str) else bytes(event.data).decode("latin-1")
                self._pending.append(text)
                if event.message_finished:
                    self._note("receive", "".join(self._pending))
                    self._pending.clear()
                    came = True
            elif isinstance(event, CloseConnection):
                self._closed = came = True
        return came

    def _note(self, kind: str, text: str) -> None:
        self._messages.append({"type": kind, "time": time.time(), "opcode": 1, "data": text})

    def call(self, name: str, payload: Any) -> Any:
        """One call; the value of its reply, None without one. Of the numbers, some need more than 32 and 53 bits."""
        self._number += 2 if self._number != 6 else 2**53 - 7
        text = json.dumps({"m": 0, "i": self._number, "n": name, "o": json.dumps(payload)})
        self._note("send", text)
        with contextlib.suppress(OSError):
            self._socket.sendall(self._protocol.send(TextMessage(text)))
        before = len(self._messages)
        deadline = time.monotonic() + TIMEOUT_S
        while not self._closed and time.monotonic() < deadline:
            if not self._read(1.0 if len(self._messages) == before else QUIET_S):
                break
            if len(self._messages) > before:
                break
        for message in self._messages[before:]:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                return json.loads(json.loads(message["data"])["o"])
        return None

    def refused(self, name: str, payload: Any, *, pieces: int = 1, binary: bool = False) -> Any:
        """One call, its message in so many pieces; the frame that came for it."""
        self._number += 2
        text = json.dumps({"m": 0, "i": self._number, "n": name, "o": json.dumps(payload)})
        size = -(-len(text) // pieces)
        for start in range(0, len(text), size):
            piece, last = text[start : start + size], start + size >= len(text)
            event = (
                BytesMessage(piece.encode(), message_finished=last)
                if binary
                else TextMessage(piece, message_finished=last)
            )
            self._socket.sendall(self._protocol.send(event))
        before = len(self._messages)
        while len(self._messages) == before:
            assert self._read(TIMEOUT_S), "nothing came"
        frame = json.loads(self._messages[before]["data"])
        assert frame["i"] == self._number
        return frame

    def close(self) -> None:
        self._read(0.02)  # a second answer, where there is one
        self._socket.close()
