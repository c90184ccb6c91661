"""What a command prints arrives whole, also under `python -u` and when the process is held up while it writes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest


@pytest.mark.timeout(120)
def test_long_output_is_whole_although_a_write_was_interrupted() -> None:
    command = [sys.executable, "-u", "-m", "conformance", "list", "cases", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        first = process.stdout.read(1)
        time.sleep(0.5)  # the pipe is full now, and the rest of the text waits in one write
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        process.send_signal(signal.SIGCONT)
        time.sleep(0.1)
        rest = process.stdout.read()
        process.wait(30)
    assert len(rest) > 1_000_000 // 4
    assert isinstance(json.loads(first + rest), list)
