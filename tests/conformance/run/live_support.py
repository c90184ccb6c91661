"""A reference server in a thread, the sample target files pointed at it, and the command line run against them."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import threading
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from conformance.cli.main import main
from conformance.endpoint.choose import ChosenTarget
from conformance.endpoint.file import check_target
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult
from conformance.run.schedule import Work, carry_out
from conformance.run.session import session
from reference_impl.serve import ServeOptions, listen, make_app, make_server

WORLD = Path(__file__).with_name("staging_world.toml")
ENVIRONMENT = {
    "STAGING_OPERATOR_PASSWORD": "op-Zq8#x1",
    "STAGING_NOBODY_PASSWORD": "no-Zq8#x2",
    "STAGING_TRADER_1_PASSWORD": "t1-Zq8#x3",
    "STAGING_MAKER_1_PASSWORD": "m1-Zq8#x4",
    "STAGING_BYSTANDER_1_PASSWORD": "b1-Zq8#x5",
    "STAGING_TRADER_2_PASSWORD": "t2-Zq8#x6",
    "STAGING_MAKER_2_PASSWORD": "m2-Zq8#x7",
    "STAGING_BYSTANDER_2_PASSWORD": "b2-Zq8#x8",
    "STAGING_PIN": "8642-pin",
    "STAGING_WRONG_PIN": "0000-pin",
}
START_S = 10
_NOBODY = "partly-executed-order"


@dataclass(slots=True)
class Live:
    """A running server by its address; `stop` closes the listener and breaks every connection."""

    port: int
    app: Any
    _loop: asyncio.AbstractEventLoop
    _stop: asyncio.Event
    _thread: threading.Thread

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(START_S)


def start(world: Path | None = WORLD, *, port: int = 0, wrap: Any = None, **options: Any) -> Live:
    """Start a server; `wrap` puts an ASGI application of its own around the reference's."""
    app: Any = make_app(ServeOptions(world=world, **options))
    app = app if wrap is None else wrap(app)
    listener = listen("127.0.0.1", port)
    started = threading.Event()
    box: dict[str, Any] = {}

    async def serve() -> None:
        server = make_server(app)
        box["stop"], box["loop"] = asyncio.Event(), asyncio.get_running_loop()
        task = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.005)
        started.set()
        await box["stop"].wait()
        for one in server.servers:
            one.close()
        server.force_exit = server.should_exit = True
        for protocol in list(server.server_state.connections):
            protocol.transport.abort()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert started.wait(START_S)
    return Live(listener.getsockname()[1], app, box["loop"], box["stop"], thread)


@contextlib.contextmanager
def live(world: Path | None = WORLD, **options: Any) -> Iterator[Live]:
    """A server for the time of a test."""
    server = start(world, **options)
    try:
        yield server
    finally:
        server.stop()


def sample(service: str) -> str:
    """The text that `conformance target init` writes."""
    return resources.files("conformance.endpoint").joinpath("samples", f"{service}.toml").read_text("utf-8")


def pointed(text: str, url: str, *, everything: bool = True) -> str:
    """A sample with its addresses replaced, and its speed set to that of a test."""
    replaced = {
        "https://api.staging.example.com": url,
        "wss://api.staging.example.com": url.replace("http", "ws", 1),
        "https://tpp.staging.example.com": url,
        "http://127.0.0.1:8099/orders": f"{url}/_world/tpp",
        "requests_per_second = 20": "quiet_s = 0.1",
        "requests_per_second = 5": "quiet_s = 0.1",
        "requests_per_minute = 500": "",
        "settle_s = 2": "settle_s = 0.3",
    }
    if everything:
        replaced["# everything = true"] = "everything = true"
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text


@dataclass(frozen=True, slots=True)
class Came:
    """What a command came to."""

    exit_code: int
    output: str
    results: Mapping[str, Any]
    folder: Path

    def case(self, identifier: str) -> Mapping[str, Any]:
        return next(case for case in self.results["cases"] if case["id"] == identifier)

    def verdicts(self) -> dict[str, str]:
        """By case, but for those on an order that was partly executed, which the sample says nobody hands in."""
        return {case["id"]: case["verdict"] for case in self.results["cases"] if _NOBODY not in case["reason"]}

    def reasons(self) -> dict[str, str]:
        return {case["id"]: case["reason"] for case in self.results["cases"]}

    @property
    def files(self) -> str:
        """Everything that stands in the files of the report, packed ones unpacked."""
        packed = {path: path.read_bytes() for path in sorted(self.folder.iterdir())}
        return "".join(
            (gzip.decompress(data) if path.suffix == ".gz" else data).decode() for path, data in packed.items()
        )


def run(
    folder: Path, target: str, *arguments: str, env: Mapping[str, str] = ENVIRONMENT, report: str = "report"
) -> Came:
    """`conformance run` with a target file of this text, or with a target that is no file."""
    name = target
    if "\n" in target:
        file = folder / "target.toml"
        file.write_text(target, encoding="utf-8")
        name = str(file)
    out = folder / report
    command = ["run", "--target", name, "--report", str(out), "-q", *arguments]
    result = CliRunner().invoke(main, command, env=dict(env), catch_exceptions=False)
    path = out / "results.json"
    results = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return Came(result.exit_code, result.output, results, out)


def command(folder: Path, *arguments: str, env: Mapping[str, str] = ENVIRONMENT) -> Came:
    """Any other command of the tool."""
    result = CliRunner().invoke(main, list(arguments), env=dict(env), catch_exceptions=False)
    return Came(result.exit_code, result.output, {}, folder)


def judge_all(
    contract: Contract,
    cases: Sequence[Case],
    target: str | Mapping[str, Any],
    environment: Mapping[str, str] = ENVIRONMENT,
) -> dict[str, CaseResult]:
    """The results of these cases against the target that a text or a mapping describes, without reports."""
    results: dict[str, CaseResult] = {}

    def keep(result: CaseResult) -> None:
        results[result.id] = result

    checked = check_target(tomllib.loads(target) if isinstance(target, str) else target, contract, "target.toml")
    chosen = ChosenTarget(checked, environment, "target.toml")

    async def judge() -> None:
        async with session(contract, chosen, {case.operation for case in cases}, today=date(2030, 1, 1)) as opened:
            opened.on_result = keep
            await carry_out(opened, Work(cases))

    asyncio.run(judge())
    return results
