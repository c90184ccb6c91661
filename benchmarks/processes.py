"""Starts the processes that a measurement needs, on the processors it names, and always ends them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_GREETING = "listening on "
_STOP_TIMEOUT_S = 5.0
_RUN_TIMEOUT_S = 900.0


def _pin(processors: Sequence[int] | None) -> Mapping[str, Any]:
    if not processors or not hasattr(os, "sched_setaffinity"):
        return {}
    return {"preexec_fn": lambda: os.sched_setaffinity(0, processors)}


@contextlib.contextmanager
def reference(processors: Sequence[int] | None = None, arguments: Sequence[str] = ()) -> Iterator[str]:
    """The reference implementation in a process of its own; gives its address."""
    command = [sys.executable, "-m", "reference_impl", "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **_pin(processors))
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if not line.startswith(_GREETING):
            raise RuntimeError(f"the reference implementation did not start: {line!r}")
        yield line.removeprefix(_GREETING)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that came to its end."""

    wall_s: float
    exit_code: int
    output: str


def run(
    command: Sequence[str],
    processors: Sequence[int] | None = None,
    cwd: str | None = None,
    timeout_s: float | None = _RUN_TIMEOUT_S,
    env: Mapping[str, str] | None = None,
) -> Finished:
    """Run a command to its end; output and errors together. `env` is added to the environment."""
    started = time.perf_counter()
    done = subprocess.run(
        list(command), capture_output=True, text=True, timeout=timeout_s, cwd=cwd, check=False,
        env={**os.environ, **(env or {})}, **_pin(processors),
    )  # fmt: skip
    return Finished(time.perf_counter() - started, done.returncode, done.stdout + done.stderr)


def start(command: Sequence[str], processors: Sequence[int] | None = None) -> subprocess.Popen[str]:
    """Start a command whose output is read later."""
    return subprocess.Popen(
        list(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **_pin(processors)
    )


def module(name: str, *arguments: object) -> list[str]:
    """The command line of one of these modules."""
    return [sys.executable, "-W", "ignore", "-m", f"benchmarks.{name}", *map(str, arguments)]


def figures(output: str) -> dict[str, float]:
    """The JSON object that a measuring module prints as its last line."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(f"no figures in the output: {output[-2000:]}")
    found: dict[str, float] = json.loads(lines[-1])
    return found
