"""Endpoints that send without end do not fill the memory of the harness."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_support import JSON_CASE, Script, answer, read_request, scripted, write_target

MOST_KIB = 300 * 1024
# VmHWM and not ru_maxrss: the latter is inherited from the process that forked this one
_MEASURED = """
import pathlib, re, sys
from click.testing import CliRunner
from conformance.cli.main import main
done = CliRunner().invoke(main, sys.argv[1:])
print(done.exit_code, re.search(r"VmHWM:\\s*(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
"""


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10000000000\r\n\r\n[")
    while True:
        writer.write(b" " * 1_000_000)
        await writer.drain()


def _list() -> bytes:
    entry = b'{"OrderID":1,"InternationalOrderUID":null,"Success":true,"Errors":null}'
    return b"[" + b",".join([entry] * (7_000_000 // len(entry))) + b"]"


async def _long_list(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await read_request(reader)
        writer.write(answer(_list()))
        await writer.drain()


@pytest.mark.parametrize("script", [_endless, _long_list], ids=["endless", "long-list"])
def test_the_harness_stays_below_300_megabytes(tmp_path: Path, script: Script) -> None:
    with scripted(script) as server:
        target = write_target(tmp_path, server.port)
        words = ["run", "--target", str(target), "--case", JSON_CASE, "--report", str(tmp_path / "report"), "-q"]
        done = subprocess.run(
            [sys.executable, "-c", _MEASURED, *words], capture_output=True, text=True, timeout=20, check=True
        )
    exit_code, peak_kib = done.stdout.split()
    assert exit_code == "1"
    assert int(peak_kib) < MOST_KIB
