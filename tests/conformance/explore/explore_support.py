"""Servers with a deep fault, and runs of the command line against them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from conformance.contract.load import load_contract
from conformance.endpoint.choose import ChosenTarget
from conformance.endpoint.file import check_target
from conformance.endpoint.reference import reference_environment, reference_target
from conformance.explore.search import Search, SearchOptions, run_search
from conformance.model.verdict import CaseResult
from conformance.run.schedule import Work, carry_out
from conformance.run.session import Session, session

_SERVER = Path(__file__).parent / "deep_fault_server.py"
_TARGET = """
name = "deep"
[limits]
settle_s = 0.1
quiet_s = 0.1
[scope]
destructive = true
everything = true
[services.tpp]
http = "{address}"
[services.tpp.bindings]
creator = 98765
pin = {{ env = "DEEP_PIN" }}
wrong_pin = {{ env = "DEEP_WRONG_PIN" }}
unknown_order = 1987654321
unknown_uid = "00000000-dead-4bad-8bad-000000000000"
[services.tpp.roles.client]
login = "none"
[services.tpp.states]
provider = "hook"
url = "{address}/_world/tpp"
"""


@contextlib.contextmanager
def serving(fault: str) -> Iterator[str]:
    """The address of a server with that fault, while the block runs."""
    process = subprocess.Popen(
        [sys.executable, str(_SERVER), fault], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("listening on ").strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()


def target_file(folder: Path, address: str) -> Path:
    """A target file for the TPP side of a server."""
    path = folder / "target.toml"
    path.write_text(_TARGET.format(address=address), encoding="utf-8")
    return path


def conformance(folder: Path, *arguments: str, timeout_s: float = 50) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    environment = {**os.environ, "DEEP_PIN": "1234", "DEEP_WRONG_PIN": "9999", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "conformance", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explored:
    """What an exploring run gave: its results, and the search."""

    results: tuple[CaseResult, ...]
    search: Search


def search(
    address: str,
    folder: Path,
    *,
    seconds: float,
    seed: int,
    operations: tuple[str, ...] = (),
    concurrency: int = 8,
    races: bool = False,
) -> Explored:
    """Explore a server with the bundled world, in this process."""
    contract = load_contract()
    target = check_target(reference_target(address), contract, "deep")
    results: list[CaseResult] = []
    searches: list[Search] = []

    async def explore(run: Session, workers: int) -> None:
        searches.append(await run_search(run, workers, SearchOptions(seconds, seed, folder, operations, races=races)))

    chosen = ChosenTarget(target, reference_environment(), "deep")

    async def run() -> None:
        async with session(contract, chosen, operations or contract.operations, today=date(2026, 1, 1)) as opened:
            opened.on_result = results.append
            await carry_out(opened, Work(concurrency=concurrency, explore=explore))

    asyncio.run(run())
    return Explored(tuple(results), searches[0])
