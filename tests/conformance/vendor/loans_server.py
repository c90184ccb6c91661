"""A small server of a library's loans: correct, or one that ends no loan; real sockets, loopback alone."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH, STATES, JSON = "/api/recalls", "/states", "application/json"
TEXTS = {0: None, 100: "Invalid Request", 104: "Resource Not Found"}
RIGHT: dict[str, Callable[[str], bool]] = {
    "Day": lambda text: re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None,
    "Hall": lambda text: text in ("north", "south"),
    "Note": lambda text: len(text) < 6,
}


@dataclass(slots=True)
class Loans:
    """Loans by number: whether each still runs."""

    ends: bool = True
    """Whether a loan that is reported recalled really ends."""
    open: dict[int, bool] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def recall(self, body: bytes) -> int:
        """The code of the answer."""
        try:
            asked = json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return 100
        ticket = asked.get("Ticket") if isinstance(asked, dict) else None
        if type(ticket) is not int or not 1 <= ticket < 2**31:
            return 100
        for name, right in RIGHT.items():
            if name in asked and not (isinstance(asked[name], str) and right(asked[name])):
                return 100
        with self.lock:
            if ticket not in self.open:
                return 104
            self.open[ticket] = self.open[ticket] and not self.ends
        return 0

    def state(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        """What the state hook answers."""
        with self.lock:
            if action == "state":
                made = [7_001 + len(self.open) + number for number in range(asked["count"])]
                self.open.update(dict.fromkeys(made, True))
                return {"orders": [{"Ticket": one} for one in made]}
            words = {True: "open", False: "cancelled", None: "unknown"}
            return {"orders": [{**one, "state": words[self.open.get(one["Ticket"])]} for one in asked["orders"]]}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a member stands twice")
    return dict(pairs)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    loans: Loans

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is printed."""

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length")
        body = b"".join(self._chunks()) if length is None else self.rfile.read(int(length))
        if self.path.startswith(STATES):
            self._answer(200, json.dumps(self.loans.state(self.path.rpartition("/")[2], json.loads(body))), JSON)
        elif self.path.partition("?")[0] != PATH:
            self._answer(404, "no such call", "text/plain")
        else:
            code = self.loans.recall(body)
            detail = None if code == 0 else "see the table"
            answer = {"result": code == 0, "errormsg": TEXTS[code], "errorcode": code, "detail": detail}
            self._answer(200, json.dumps(answer), JSON)

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _not_served(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(405, "not served", "text/plain")

    do_GET = do_HEAD = do_OPTIONS = do_PUT = do_PATCH = do_DELETE = _not_served

    def _answer(self, status: int, text: str, media_type: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def served(*, ends: bool = True) -> Iterator[str]:
    """A server in a thread; its address."""
    handler = type("Own", (Handler,), {"loans": Loans(ends)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
