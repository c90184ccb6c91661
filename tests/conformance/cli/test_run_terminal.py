"""On a terminal a run shows within a second that it has begun; what is said first is written over."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

RUN = ("run", "--operation", "alphapoint.cancel_order", "--case", "co/codes/104@http", "--generated", "0", "--no-html")
TICKS = os.sysconf("SC_CLK_TCK")


def _begun(folder: Path, *words: str) -> tuple[subprocess.Popen[bytes], int]:
    """A run whose standard error is a terminal, and the other end of that."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "conformance", *RUN, "--report", str(folder), *words]
    environment = {**os.environ, "TERM": "xterm"}
    process = subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL, env=environment)
    os.close(theirs)
    return process, ours


def _rest(terminal: int) -> bytes:
    found = b""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            data = b""
        if not data:
            os.close(terminal)
            return found
        found += data


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads processor times in /proc")
def test_a_run_shows_within_a_second_that_it_has_begun(tmp_path: Path) -> None:
    process, terminal = _begun(tmp_path)
    assert select.select([terminal], [], [], 30)[0]
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    used_s = (int(fields[11]) + int(fields[12])) / TICKS  # of the processor: others may be at work on this machine
    out = _rest(terminal)
    assert process.wait(60) == 0
    assert used_s < 0.7
    first, _, rest = out.partition(b"\r")
    assert first == b"starting"
    assert b"\x1b[2K" in rest, "the bar clears the line"


@pytest.mark.parametrize("words", [("--quiet",), ("--json",)])
def test_a_quiet_run_says_nothing_on_a_terminal(tmp_path: Path, words: tuple[str, ...]) -> None:
    process, terminal = _begun(tmp_path, *words)
    assert _rest(terminal) == b""
    assert process.wait(60) == 0
