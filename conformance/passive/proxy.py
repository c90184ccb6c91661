"""Taps traffic in mitmproxy: everything goes through as it came, and is judged beside it, in a thread of its own.

An exchange is handed over once it is complete, so that judging holds no message back, and an error of the judge loses none.
Where requests are to be blocked, the scope of the target file is asked before one goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from conformance.endpoint.redact import redact
from conformance.errors import JournalError, UsageError, need
from conformance.formats.frames import ERROR, decode_frame
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult
from conformance.passive.flows import flow_tapped
from conformance.passive.har import Lost
from conformance.passive.judging import Judging, Options
from conformance.passive.session import Recording, header_of, recording_of
from conformance.passive.tapped import Framed, SocketFrames, Tapped, frames_tapped
from conformance.report.journal import JournalWriter
from conformance.wire.messages import Headers

REFUSED = 403
_MOST_WAITING = 10_000
_LARGEST = "8m"
"""A longer body goes through in pieces, and is not judged."""
_MOST_GAPS = 1000
_TURN_S = 0.0002
"""How long the thread that judges may keep the one that passes messages on waiting, once that has something to do."""
Scope = Callable[[Tapped], str]


@dataclass(frozen=True, slots=True)
class _Heard:
    """A message of a socket; without one, its end."""

    socket: str
    framed: Framed | None = None
    url: str = ""
    headers: Headers = ()


@dataclass
class Tap:
    """The addon: takes flows, judges them beside the traffic, and refuses what `block` finds out of scope."""

    contract: Contract
    options: Options
    scope: Scope | None = None
    block: bool = False
    journal: Path | None = None
    """Where each result is written as soon as it is there; `finish` knows more of some."""
    target: Mapping[str, object] = field(default_factory=dict)
    """What is judged, for the header of a journal."""
    gaps: list[str] = field(default_factory=list)
    blocked: int = 0
    _number: int = 0
    _judged: int = 0
    _waiting: queue.Queue[Mapping[str, Any] | _Heard | None] = field(default_factory=lambda: queue.Queue(_MOST_WAITING))

    def __post_init__(self) -> None:
        self._judging = Judging(self.contract, self.options, self.scope)
        self._started_at, self._began_s = datetime.now(UTC), time.monotonic()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    # What mitmproxy calls.

    def request(self, flow: Any) -> None:
        """Refuse a request that the scope does not allow."""
        reason = self._reason(flow.get_state()) if self.block else ""
        if reason:
            from mitmproxy.http import Response

            self.blocked += 1
            text = f"refused by the proxy: {redact(reason)}\n"
            flow.response = Response.make(REFUSED, text, {"Content-Type": "text/plain; charset=utf-8"})
            flow.metadata["blocked"] = True

    def websocket_message(self, flow: Any) -> None:
        """Drop a frame of the client that the scope does not allow, and tell it so in an error frame."""
        message = flow.websocket.messages[-1]
        text = bytes(message.content)
        if self.block and message.from_client:
            self._refuse(flow, message, text)
        if not (message.dropped if message.from_client else message.injected):
            self._hand_over_frame(flow, message, text)
        del flow.websocket.messages[:-1]  # a socket may stay open for days

    def _refuse(self, flow: Any, message: Any, text: bytes) -> None:
        reason = self._frame_reason(flow.request.url, text)
        if reason:
            self.blocked += 1
            message.drop()
            try:
                _tell(flow, refusal_of(text, f"refused by the proxy: {redact(reason)}"))
            except Exception as error:  # it has not gone on, which is what matters
                self._gap(f"the client was not told of a refused frame: {type(error).__name__}")

    def response(self, flow: Any) -> None:
        """Hand a complete exchange over; the handshake of a socket is followed by its end."""
        if flow.websocket is None and not flow.metadata.get("blocked"):
            self._hand_over(flow)

    def websocket_end(self, flow: Any) -> None:
        """The socket is closed: what has no answer yet gets none."""
        self._put(_Heard(flow.id))

    def error(self, flow: Any) -> None:
        """Hand over what got no answer."""
        if flow.websocket is None:
            self._hand_over(flow)

    # Judging.

    def _hand_over(self, flow: Any) -> None:
        try:
            state = flow.get_state()
        except Exception as error:  # whatever the flow is like, its answer goes on
            self._gap(f"an exchange could not be taken: {type(error).__name__}")
        else:
            self._put(state)

    def _hand_over_frame(self, flow: Any, message: Any, text: bytes) -> None:
        try:
            framed = Framed(bool(message.from_client), float(message.timestamp), text, not message.is_text)
            self._put(_Heard(flow.id, framed, flow.request.url, tuple(flow.request.headers.items(multi=True))))
        except Exception as error:  # the message goes on all the same
            self._gap(f"a frame could not be taken: {type(error).__name__}")

    def _put(self, one: Mapping[str, Any] | _Heard) -> None:
        try:
            self._waiting.put_nowait(one)
        except queue.Full:
            self._gap("more traffic than is judged at once: an exchange was passed over")

    def _work(self) -> None:
        with contextlib.ExitStack() as stack:
            self._judge_all(self._writer(stack))

    def _writer(self, stack: contextlib.ExitStack) -> JournalWriter | None:
        if self.journal is None:
            return None
        header = header_of(self.contract, self.options, self.target, self._started_at)
        try:
            return stack.enter_context(JournalWriter(self.journal, header))
        except JournalError as error:
            self._gap(f"the journal is written at the end alone: {error.message}")
            return None

    def _keep(self, writer: JournalWriter | None, made: Sequence[CaseResult]) -> JournalWriter | None:
        """Write results down; without a writer from now on if they cannot be written."""
        if writer is None:
            return None
        try:
            for result in made:
                writer.write(result)
            if self._waiting.empty():
                writer.flush()
        except JournalError as error:
            self._gap(f"the journal is written at the end alone: {error.message}")
            return None
        return writer

    def _judge_all(self, writer: JournalWriter | None) -> None:
        sockets: dict[str, SocketFrames] = {}
        while (one := self._waiting.get()) is not None:
            writer = self._judged_all(self._complete(one, sockets), writer)
        for left in sockets.values():
            writer = self._judged_all(left.rest(), writer)

    def _complete(self, one: Mapping[str, Any] | _Heard, sockets: dict[str, SocketFrames]) -> Iterator[Tapped | Lost]:
        """The exchanges that are complete with what was handed over; each socket and each other flow has a number."""
        if not isinstance(one, _Heard):
            self._number += 1
            yield from flow_tapped(f"proxy#{self._number}", one)
        elif one.framed is None:
            if one.socket in sockets:
                yield from sockets.pop(one.socket).rest()
        else:
            if one.socket not in sockets:
                self._number += 1
                source = f"proxy#{self._number}"
                sockets[one.socket] = SocketFrames(source, one.url, one.headers, self.options.settle_s)
            yield from sockets[one.socket].take(one.framed)

    def _judged_all(self, found: Iterator[Tapped | Lost], writer: JournalWriter | None) -> JournalWriter | None:
        try:
            for one in found:
                if isinstance(one, Lost):
                    self._gap(f"{one.source}: {one.why}")
                else:
                    made = self._judging.take(one)
                    self._judged += bool(made)
                    writer = self._keep(writer, made)
        except Exception as error:  # the traffic has gone through already, and goes on
            self._gap(f"proxy#{self._number}: could not be judged: {type(error).__name__}")
        return self._keep(writer, ())

    def _gap(self, text: str) -> None:
        if len(self.gaps) < _MOST_GAPS:
            self.gaps.append(redact(text))

    def _reason(self, state: Mapping[str, Any]) -> str:
        """Why a request is out of scope; one that cannot be looked at is."""
        if self.scope is None:
            return ""
        try:
            request = {**state, "response": None, "websocket": None}
            found = [one for one in flow_tapped("proxy", request) if isinstance(one, Tapped)]
            if not found or found[0].request_gap:
                return "the request cannot be looked at"
            if found[0].method == "GET" and "upgrade" in {name.lower() for name, _ in found[0].headers}:
                return ""  # what goes over the socket is asked for frame by frame
            return self.scope(found[0])
        except Exception as error:
            return f"the request cannot be looked at: {type(error).__name__}"

    def _frame_reason(self, url: str, text: bytes) -> str:
        if self.scope is None:
            return ""
        try:
            return self.scope(next(frames_tapped("proxy", url, (), [Framed(True, 0.0, text)])))
        except Exception as error:
            return f"the frame cannot be looked at: {type(error).__name__}"

    def finish(self, target: Mapping[str, object]) -> Recording:
        """Judge what is still waiting, and what only the whole shows."""
        self._waiting.put(None)
        self._thread.join()
        results = self._judging.finish()
        if self.blocked:
            self._gap(f"{self.blocked:,} requests were out of scope and did not go on")
        return recording_of(
            self.contract, self._judging, results, target, self.gaps, self._judged, self._started_at,
            time.monotonic() - self._began_s,
        )  # fmt: skip


def refusal_of(frame: bytes, text: str) -> bytes:
    """The error frame that answers one which does not go on, with its number and its name as far as it has them."""
    members = decode_frame(frame).members
    number, name = members.get("i"), members.get("n")
    told = {
        "m": ERROR,
        "i": number if type(number) is int else 0,
        "n": name if isinstance(name, str) else "",
        "o": text,
    }
    return json.dumps(told).encode()


def _tell(flow: Any, frame: bytes) -> None:
    from mitmproxy import ctx

    ctx.master.commands.call("inject.websocket", flow, True, frame, True)


def serve_proxy(tap: Tap, upstream: str, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Run mitmproxy in reverse mode until SIGINT or SIGTERM. Raises `UsageError` where it is not installed or cannot listen."""
    need("proxy", "`conformance proxy`", "mitmproxy")
    from mitmproxy.options import Options as ProxyOptions
    from mitmproxy.tools.dump import DumpMaster

    if urlsplit(upstream).scheme not in ("http", "https"):
        raise UsageError(f"{upstream!r} is no address of HTTP", where="--upstream")

    sys.setswitchinterval(_TURN_S)
    for name in ("asyncio", "mitmproxy"):  # sockets that are open at the end are no news; what matters is a gap
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False

    async def run() -> None:
        options = ProxyOptions(listen_host=host, listen_port=port, mode=[f"reverse:{upstream}"])
        master = DumpMaster(options, with_termlog=False, with_dumper=False)
        options.update(stream_large_bodies=_LARGEST, keep_host_header=False)
        master.addons.add(tap, _Listening(ready))
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM"):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(getattr(signal, name), master.shutdown)
        await master.run()

    asyncio.run(run())


@dataclass
class _Listening:
    """Says where the proxy listens, once it does."""

    ready: Callable[[str], None]

    def running(self) -> None:
        """mitmproxy has begun to listen."""
        from mitmproxy import ctx

        servers = ctx.master.addons.get("proxyserver").servers
        addresses = [address for server in servers for address in server.listen_addrs]
        if addresses:
            self.ready(f"http://{addresses[0][0]}:{addresses[0][1]}")
        else:
            ctx.master.shutdown()
