"""Runs of the command line in one process of their own, which says of each how long it took and how much memory.

As a program: reads the words of one command a line, and prints one line for each.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_RESET_PEAK = "5"
"""What proc(5) has for /proc/PID/clear_refs."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to: exit code, output and results; seconds on the clock and of work; memory at its most."""

    exit_code: int
    output: str
    elapsed_s: float
    busy_s: float
    peak_kib: int
    results: dict[str, Any]
    ended: bool
    """Whether the journal has its footer."""

    def case(self, name: str) -> dict[str, Any]:
        """One case of results.json."""
        return next(case for case in self.results["cases"] if case["id"] == name)

    def findings(self, name: str) -> frozenset[tuple[str, str]]:
        """Requirement and check of every finding of a case."""
        return frozenset((one["requirement"], one["check"]) for one in self.case(name)["findings"])

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict of each case."""
        return {case["id"]: case["verdict"] for case in self.results["cases"]}


@dataclass(frozen=True, slots=True)
class Runner:
    """The process; `run` has it carry out one command."""

    process: subprocess.Popen[str]

    def run(self, target: Path, report: Path, cases: Sequence[str]) -> Outcome:
        """`conformance run` of these cases."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        words = ["run", "--target", str(target), "--report", str(report), "--generated", "0"]
        words += [word for case in cases for word in ("--case", case)]
        self.process.stdin.write(f"{json.dumps(words)}\n")
        self.process.stdin.flush()
        told = json.loads(self.process.stdout.readline())
        results, journal = report / "results.json", report / "journal.jsonl"
        return Outcome(
            **told,
            results=json.loads(results.read_text("utf-8")) if results.exists() else {},
            ended=journal.exists()
            and '"type":"footer"' in journal.read_text("utf-8").splitlines()[-1].replace(" ", ""),
        )


@contextlib.contextmanager
def runner(environment: dict[str, str]) -> Iterator[Runner]:
    """The process, for as long as the block lasts."""
    process = subprocess.Popen(
        [sys.executable, __file__], env={**os.environ, **environment},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield Runner(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def _peak_kib() -> int:
    """The most memory since it was reset; VmHWM, for ru_maxrss counts that of the process that forked this one."""
    found = re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text("utf-8"))
    assert found is not None
    return int(found[1])


def _read_once() -> None:
    """Have the contract and its fixtures, which are the same for every run, read for the first one alone."""
    from conformance.cases import fixtures
    from conformance.cli import run

    run.load_contract = functools.cache(run.load_contract)
    kept: dict[str, Any] = {}
    read = fixtures.read_fixtures

    def read_fixtures(operation: Any) -> Any:
        if operation.id not in kept:
            kept[operation.id] = read(operation)
        return kept[operation.id]

    fixtures.read_fixtures = read_fixtures


def _main() -> None:
    from click.testing import CliRunner

    from conformance.cli.main import main

    _read_once()
    for line in sys.stdin:
        with contextlib.suppress(OSError):  # where the kernel cannot, the peak is that of all runs so far
            Path("/proc/self/clear_refs").write_text(_RESET_PEAK, "utf-8")
        began_s, busy_s = time.monotonic(), time.process_time()
        done = CliRunner().invoke(main, json.loads(line))
        told = {
            "exit_code": done.exit_code,
            "output": done.output,
            "elapsed_s": time.monotonic() - began_s,
            "busy_s": time.process_time() - busy_s,
            "peak_kib": _peak_kib(),
        }
        sys.stdout.write(f"{json.dumps(told)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main()
