"""Small servers on loopback that answer as a test says, a clock that a test moves, and one service's sessions over them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from conformance.contract.load import load_contract
from conformance.dialects.base import Speaker, speaker_at
from conformance.dialects.sessions import Sessions
from conformance.endpoint.desks import desks_of
from conformance.endpoint.file import check_target
from conformance.endpoint.secrets import Vault, with_secrets
from conformance.guard.gate import Gate, Purpose
from conformance.guard.guard import guard_for
from conformance.guard.opening import open_link
from conformance.plugins import find_dialect
from conformance.wire.messages import Exchange, HttpReply, HttpRequest


@dataclass(frozen=True)
class Asked:
    """A request as a server read it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str


JSON = [("Content-Type", "application/json")]
Answer = tuple[int, list[tuple[str, str]], str]


@dataclass
class Loopback:
    """A server and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextlib.contextmanager
def serving(answer: Callable[[Asked], Answer]) -> Iterator[Loopback]:
    """A server whose every answer comes from a function."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one packet: two of them wait 40 ms for each other

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body)
            box.asked.append(asked)
            status, sent, text = answer(asked)
            self.send_response(status)
            for name, value in (*sent, ("Content-Length", str(len(text.encode())))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    box = Loopback(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield box
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@dataclass
class HandClock:
    """A clock that stands still until it is moved; sleeping moves it."""

    seconds: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def now_s(self) -> float:
        return self.seconds

    def epoch_s(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@dataclass
class Caller:
    """The sessions of one service, and one role that sends."""

    sessions: Sessions
    speaker: Speaker

    async def get(self, path: str = "/api/Thing", role: str = "") -> HttpReply:
        exchange = await self.exchange(path)
        assert isinstance(exchange.reply, HttpReply), exchange.problem
        return exchange.reply

    async def exchange(self, path: str = "/api/Thing") -> Exchange:
        return await self.sessions.send_http(
            self.speaker, lambda headers: HttpRequest("GET", path, headers), Purpose.JUDGED
        )


@contextlib.asynccontextmanager
async def calling(
    role: Mapping[str, Any],
    url: str,
    *,
    service: str = "tpp",
    environment: Mapping[str, str] | None = None,
    clock: HandClock | None = None,
    scope: Mapping[str, Any] | None = None,
    **more: Any,
) -> AsyncIterator[Caller]:
    """A caller in one role against a service at this address."""
    name = "client" if service == "tpp" else "operator"
    part = {"http": url, "roles": {name: role}, **more}
    limits = {"connect_timeout_s": 2.0, "total_timeout_s": 5.0, "connect_retries": 0, "throttle_wait_s": 0.05}
    data = {"name": "x", "scope": scope or {"everything": True}, "limits": limits, "services": {service: part}}
    contract = load_contract()
    vault = Vault(environment or {"SECRET": "s3cret-Zq8+/x"})
    target = with_secrets(check_target(data, contract, "target.toml"), vault)
    dialect = find_dialect(contract.services[service].dialect)()
    gate = Gate(guard_for(target, contract))
    link = open_link(service, target.services[service], target.limits, gate, vault, dialect.number_of)
    sessions = Sessions(link, vault, dialect, clock or HandClock())
    try:
        yield Caller(sessions, speaker_at(desks_of(target.services[service])[0], name))
    finally:
        await link.aclose()
