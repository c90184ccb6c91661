"""A run that is killed again and again, and goes on each time, ends with the results of one that nobody disturbed.

Three kills; `HOSTILE=all` (`tox -e hostile`) for twenty.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from live_support import ENVIRONMENT, live, pointed, sample

PROGRAM = (sys.executable, "-m", "conformance")
KILLS = 20 if os.environ.get("HOSTILE") == "all" else 3
CASES = ("--generated", "0", "--case", "cao/*@http")
TIMEOUT_S = 120


class Killing:
    """The reference, which kills the process that calls when so many requests have come from it."""

    def __init__(self, app: Any) -> None:
        self.app, self.left, self.requests = app, -1, 0
        self.process: subprocess.Popen[bytes] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests += 1
        self.left -= 1
        if self.left == 0 and self.process is not None:
            self.process.send_signal(signal.SIGKILL)
        await self.app(scope, receive, send)


def results_of(folder: Path) -> Mapping[str, Any]:
    """What a run has found, without what differs between equal runs."""
    results: dict[str, Any] = json.loads((folder / "results.json").read_text("utf-8"))
    for key in ("id", "started_at", "duration_s", "messages_sent"):
        results["run"].pop(key)
    results["summary"].pop("notices", None)
    return results


@pytest.mark.timeout(TIMEOUT_S * 5)
def test_a_run_that_is_killed_and_goes_on_finds_what_an_undisturbed_one_finds(tmp_path: Path) -> None:
    with live(wrap=Killing) as server:
        target = tmp_path / "target.toml"
        target.write_text(pointed(sample("alphapoint"), server.url), "utf-8")
        words = [*PROGRAM, "run", "--target", str(target), "--quiet", *CASES]
        environment = {**os.environ, **ENVIRONMENT}

        def go(folder: str, *more: str, kill_after: int = -1) -> int:
            server.app.left = -1
            with subprocess.Popen([*words, "--report", folder, *more], cwd=tmp_path, env=environment) as process:
                server.app.process, server.app.left = process, kill_after
                return process.wait(TIMEOUT_S)

        assert go("whole") == 0
        step = server.app.requests // (KILLS + 1)
        assert go("cut", kill_after=step) == -signal.SIGKILL
        for _ in range(KILLS - 1):
            assert go("cut", "--resume", kill_after=step) == -signal.SIGKILL
            assert not (tmp_path / "cut" / "results.json").exists()
        assert go("cut", "--resume") == 0
        assert results_of(tmp_path / "cut") == results_of(tmp_path / "whole")
