"""The server that a run starts for itself does not outlive the run, however that ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

_SCRIPT = """
import asyncio
from conformance.endpoint.reference import serve_reference

async def main():
    async with serve_reference() as address:
        print(address, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def _answers(address: str) -> bool:
    place = urlsplit(address)
    try:
        with socket.create_connection((str(place.hostname), place.port or 0), timeout=2):
            return True
    except OSError:
        return False


def test_a_killed_run_leaves_no_server_behind() -> None:
    with subprocess.Popen([sys.executable, "-c", _SCRIPT], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert _answers(address)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        deadline = time.monotonic() + 60
        while _answers(address) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _answers(address)


def test_a_served_reference_goes_on_when_its_input_is_empty() -> None:
    """Only `--until-eof` ends it; a service manager gives it no standard input at all."""
    command = [sys.executable, "-m", "reference_impl", "--port", "0"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip().removeprefix("listening on ")
        time.sleep(0.3)
        still_there = _answers(address)
        process.terminate()
        process.wait(10)
    assert still_there
