"""Serving: from options to a listening socket to a clean exit."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import ipaddress
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TextIO

import uvicorn
from starlette.applications import Starlette

from reference_impl.app import build_app, build_control_app
from reference_impl.beginning import begin, check_states, state_of
from reference_impl.clock import Clock
from reference_impl.control import Control
from reference_impl.defaults import default_parts
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.errors import OptionError
from reference_impl.faults import FAULTS
from reference_impl.mishaps import Reachable
from reference_impl.readings import choose, readings_of
from reference_impl.told import Told, Verdict
from reference_impl.variants import Variant, apply_variants
from reference_impl.wire import Passage
from reference_impl.world.load import load_world
from reference_impl.world.model import START

MAX_MESSAGE_BYTES = 1024 * 1024
SHUTDOWN_TIMEOUT_S = 1
BACKLOG = 1024
CONTROL_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What to serve, and where. `port` 0 takes any free one; `world` None is the bundled world."""

    host: str = "127.0.0.1"
    port: int = 0
    world: Path | None = None
    faults: tuple[str, ...] = ()
    equivalents: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    """Each `ID=ALTERNATIVE`."""
    edition: str | None = None
    """The edition of the vendor's pages that it speaks, if not that of its variants; `readings` are chosen besides."""
    control: bool = True
    """Whether /_world/ is there; on an address that is not loopback it never is."""
    control_port: int | None = None
    """Where it is instead, on 127.0.0.1; 0 takes any free port, None is the port of the API."""
    state: str = START
    """The state of the world at the start."""
    ready: Callable[[str, str], None] | None = None
    """Told the addresses of the API and of /_world/ once the sockets listen, before they are printed."""
    verdict: Verdict | None = None
    """What is said of each request in the list of those that have arrived; None says nothing of them."""
    cors: bool = False
    """Whether the page of any origin may call it."""
    log: TextIO | None = None
    """Where a line goes for each request; None writes none."""
    until_eof: bool = False
    """Whether the end of standard input ends the server as SIGTERM does: so it goes when whoever started it is gone."""


def serve(options: ServeOptions) -> None:
    """Serves until SIGINT or SIGTERM; prints the address once the socket listens.

    Raises `WorldError` or `OptionError` before anything listens.
    """
    apps = make_apps(options)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(listen(options.host, options.port))
        told: _Server | None = None
        lines = [f"listening on {address_of(listener)}"]
        control = address_of(listener)
        if apps.control is not None:
            beside = stack.enter_context(listen(CONTROL_HOST, options.control_port or 0, "--control-port"))
            control = address_of(beside)
            lines.append(f"control at {control}/_world/")
            told = make_server(apps.control, signals=False)
        if options.until_eof:
            threading.Thread(target=_end_with_input, daemon=True).start()
        if options.ready is not None:
            options.ready(address_of(listener), control)
        server = make_server(apps.api, lines)
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(_serve_both(server, listener, told, beside if told is not None else None))


async def _serve_both(
    server: _Server, listener: socket.socket, told: _Server | None, beside: socket.socket | None
) -> None:
    """Serve the API, and the control address beside it, until the API ends."""
    if told is None or beside is None:
        await server.serve([listener])
        return
    telling = asyncio.create_task(told.serve([beside]))
    try:
        await server.serve([listener])
    finally:
        told.should_exit = True
        await telling


def _end_with_input() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Apps:
    """The applications of one server."""

    api: Starlette
    control: Starlette | None = None
    """Where /_world/ has a port of its own."""


def make_app(options: ServeOptions) -> Starlette:
    """The application of the API that the options ask for; raises `WorldError` or `OptionError`."""
    return make_apps(options).api


def make_apps(options: ServeOptions) -> Apps:
    """The applications that the options ask for; raises `WorldError` or `OptionError`."""
    clock = Clock()
    readings = (*readings_of(edition_of(options)), *options.readings)
    parts = choose(default_parts(load_world(options.world), clock=clock.now), readings)
    variants = _variants(options)
    check_states(parts)
    state = state_of(parts.world, options.state)
    parts, recorders = apply_variants(parts, variants)
    if options.log is not None:
        parts = replace(parts, passed=partial(_write_line, options.log))
    beside = options.control and options.control_port is not None
    if not beside and not (options.control and is_loopback(options.host)) and not state.told:
        begin(parts, None, options.state)
        return Apps(build_app(parts, None, cors=options.cors))
    told = Told(parts, clock, options.verdict)
    begin(parts, told, options.state)
    control = Control(parts, recorders, told, options.state)
    entered = replace(parts, enter=told.entering(parts.enter))
    on_port = options.control and not beside and is_loopback(options.host)
    api = build_app(entered, control if on_port else None, cors=options.cors)
    return Apps(api, build_control_app(entered, control) if beside else None)


def edition_of(options: ServeOptions) -> str | None:
    """The edition that is asked for, or that a variant is of. Raises `OptionError` where these are not one."""
    edition = options.edition
    for variant in _variants(options):
        if variant.edition not in ("", edition or variant.edition):
            what = f"{variant.id} is of the edition {variant.edition}, and not of {edition}"
            raise OptionError(
                what, where=f"--{variant.kind}", hint="A server speaks one edition: choose variants of it."
            )
        edition = variant.edition or edition
    return edition


def _variants(options: ServeOptions) -> list[Variant]:
    return [
        *(_variant(EQUIVALENTS, "--equivalent", variant_id) for variant_id in options.equivalents),
        *(_variant(FAULTS, "--fault", variant_id) for variant_id in options.faults),
    ]


_UNPRINTABLE = re.compile(r"[^ -~]")
_LONGEST_NAME = 100


def _write_line(log: TextIO, passage: Passage) -> None:
    """Time, way, call and outcome of one request; no header, query or body, where secrets may stand."""
    request = passage.request
    what = f"WS {passage.call or '(no frame)'}" if request is None else f"{request.method} {request.sent_path}"
    answered = "no whole answer"
    if passage.whole:
        answered = str(passage.response.status) if passage.response is not None else f"{len(passage.replies)} sent"
    line = _UNPRINTABLE.sub("?", f"{time.strftime('%H:%M:%S')} {what[:_LONGEST_NAME]} -> {answered}")
    with contextlib.suppress(OSError, ValueError):  # the terminal is gone: serving goes on
        print(line, file=log, flush=True)


def _variant(known: Mapping[str, Variant], option: str, variant_id: str) -> Variant:
    if variant_id not in known:
        close = difflib.get_close_matches(variant_id, known, n=3)
        hint = f"Did you mean {', '.join(close)}?" if close else f"Known: {', '.join(known)}."
        raise OptionError(f"unknown id {variant_id!r}", where=option, hint=hint)
    return known[variant_id]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int, option: str = "--host, --port") -> socket.socket:
    """A listening socket; `option` is what asked for it. Raises `OptionError` when the address cannot be had."""
    if not 0 <= port < 65536:
        raise _cannot_listen(host, port, option, ValueError("a port is between 0 and 65535"))
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _cannot_listen(host, port, option, error) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, option, error) from error
    return listener


def _cannot_listen(host: str, port: int, option: str, error: Exception) -> OptionError:
    return OptionError(
        f"cannot listen on {host} port {port}: {error}",
        where=option,
        hint="Give an address of this machine and a free port; --port 0 takes any.",
    )


def make_server(app: Starlette, announced: Sequence[str] = (), *, signals: bool = True) -> _Server:
    """A uvicorn server, which prints the lines `announced` once it serves.

    With `signals` those that end a program end the server.
    """
    config = uvicorn.Config(
        app,
        http=Reachable,
        ws="wsproto",
        ws_max_size=MAX_MESSAGE_BYTES,
        lifespan="off",
        access_log=False,
        log_level="error",
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
    )
    return _Server(config, announced, signals=signals)


def address_of(listener: socket.socket) -> str:
    """The address of a listening socket, as a URL."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """Announces its address, and ends cleanly on a signal instead of dying of it."""

    def __init__(self, config: uvicorn.Config, announced: Sequence[str], *, signals: bool = True) -> None:
        super().__init__(config)
        self._signals = signals
        self._announced = announced

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write("".join(f"{line}\n" for line in self._announced))
        sys.stdout.flush()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if not self._signals or threading.current_thread() is not threading.main_thread():
            yield
            return
        wanted = (getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP"))
        heeded = [one for one in wanted if one is not None and signal.getsignal(one) is not signal.SIG_IGN]
        previous = {number: signal.signal(number, self._stop) for number in heeded}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.should_exit = True
