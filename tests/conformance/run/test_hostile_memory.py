"""Endpoints that send much, or without end, neither fill the memory of the harness nor make it deaf."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hostile_support import JSON_CASE, Script, answer, read_frame, read_request, scripted, shake_hands, write_target

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


@pytest.mark.parametrize(("script", "expected"), [(_endless, "1"), (_long_list, "4")], ids=["endless", "long-list"])
def test_the_harness_stays_below_300_megabytes(tmp_path: Path, script: Script, expected: str) -> None:
    with scripted(script) as server:
        target = write_target(tmp_path, server.port)
        words = ["run", "--target", str(target), "--case", JSON_CASE, "--report", str(tmp_path / "report"), "-q"]
        done = subprocess.run(
            [sys.executable, "-c", _MEASURED, *words], capture_output=True, text=True, timeout=100, check=True
        )
    exit_code, peak_kib = done.stdout.split()
    assert exit_code == expected
    assert int(peak_kib) < MOST_KIB


_WHOLE, _READ = 8 * 1024 * 1024 - 1024, 2 * 1024 * 1024 - 1024
"""Just what the wire reads of a body, and just what is read of a case's answer."""
_SIXTEEN = """
name = "sixteen"
limits = {{ total_timeout_s = 20, concurrency = 16, settle_s = 0.2, quiet_s = 0.2 }}
scope = {{ destructive = true, everything = true }}
[services.tpp]
http = "http://127.0.0.1:{port}"
bindings = {{ creator = 1, unknown_order = 1987654321, unknown_uid = "00000000-dead-4bad-8bad-000000000000" }}
roles = {{ client = {{ login = "none" }} }}
states = {{ provider = "hook", url = "http://127.0.0.1:{port}/hook", timeout_s = 10 }}
[services.alphapoint]
websocket = "ws://127.0.0.1:{port}/WSGateway/"
bindings = {{ oms = 1, account = 101 }}
roles = {{ trading = {{ login = "none" }} }}
"""
_IDS = itertools.count(1_000)


def _hook(request: bytes) -> bytes:
    """The state hook's answer, which is a right one."""
    asked = json.loads(request.partition(b"\r\n\r\n")[2])
    if b"/hook/state" in request:
        uid = "00000000-0000-4000-8000-{:012d}".format
        orders: list[Any] = [
            {"OrderID": next(_IDS), "CreatorID": 1, "PIN": "4821", "InternationalOrderUID": uid(next(_IDS))}
            for _ in range(asked["count"])
        ]
    else:
        orders = [{**order, "state": "open"} for order in asked["orders"]]
    return answer(json.dumps({"orders": orders}).encode())


def _answering(whole: bytes) -> Script:
    """Answers every call of the operation with these bytes, and the hook rightly."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await read_request(reader)
            writer.write(_hook(request) if request.startswith(b"POST /hook/") else whole)
            await writer.drain()

    return script


def _chunks() -> bytes:
    chunk = b"".join(b"1\r\n%c\r\n" % byte for byte in b"[" + b"0," * 500 + b"0]")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + chunk * 1_000 + b"0\r\n\r\n"


def _packed(body: bytes) -> bytes:
    return answer(gzip.compress(body, 1), "Content-Encoding: gzip")


async def _long_frames(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await shake_hands(reader, writer)
    while True:
        number = json.loads(await read_frame(reader)).get("i", 0)
        text = json.dumps({"m": 1, "i": number, "n": "CancelAllOrders", "o": "x" * (_WHOLE - 200)}).encode()
        writer.write(b"\x81\x7f" + len(text).to_bytes(8, "big") + text)
        await writer.drain()


_BODIES: dict[str, Script] = {
    "equal-keys": _answering(answer(b"{" + b",".join([b'"a":0'] * (_WHOLE // 6)) + b"}")),
    "equal-keys-that-are-read": _answering(answer(b"[{" + b",".join([b'"OrderID":1'] * 29_000) + b"}]")),
    "one-byte-chunks": _answering(_chunks()),
    "long-string": _answering(answer(b'"' + b"a" * _WHOLE + b'"')),
    "wide-string": _answering(answer(b'["\xf0\x9f\x98\x80' + b"a" * _READ + b'"]')),
    "packed": _answering(_packed(b'["' + b"a" * _WHOLE + b'"]')),
    "long-frames": _long_frames,
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", _BODIES)
def test_sixteen_long_answers_at_a_time_leave_memory_and_the_hook_alone(tmp_path: Path, name: str) -> None:
    cases = "cao/malformed/*@ws" if name == "long-frames" else "tpp/[ep]*@application-json"
    with scripted(_BODIES[name]) as server:
        target = tmp_path / "target.toml"
        target.write_text(_SIXTEEN.format(port=server.port), encoding="utf-8")
        words = [
            "run",
            "--target",
            str(target),
            "--case",
            cases,
            "--generated",
            "0",
            "--report",
            str(tmp_path / "r"),
            "-q",
        ]
        done = subprocess.run(
            [sys.executable, "-c", _MEASURED, *words], capture_output=True, text=True, timeout=110, check=True
        )
    exit_code, peak_kib = done.stdout.split()
    results = json.loads((tmp_path / "r" / "results.json").read_text())
    assert exit_code in ("1", "4")
    assert int(peak_kib) < MOST_KIB
    assert len(results["cases"]) > 20
    assert not [case["reason"] for case in results["cases"] if re.search("hook|reach|target-error", case["reason"])]


@pytest.mark.timeout(120)
def test_sigterm_is_heard_between_long_answers(tmp_path: Path) -> None:
    body = b"[" + b",".join([b'{"OrderID":"x","Success":3,"Errors":"e"}'] * 7_000) + b"]"
    with scripted(_answering(answer(body))) as server:
        target = tmp_path / "target.toml"
        target.write_text(_SIXTEEN.format(port=server.port), encoding="utf-8")
        words = [
            "run",
            "--target",
            str(target),
            "--case",
            "tpp/*",
            "--generated",
            "0",
            "--report",
            str(tmp_path / "r"),
            "-q",
        ]
        command = [sys.executable, "-m", "conformance", *words]
        journal = tmp_path / "r" / "journal.jsonl"
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            until_s = time.monotonic() + 60
            while time.monotonic() < until_s and (not journal.exists() or journal.read_bytes().count(b"\n") < 10):
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            began_s = time.monotonic()
            process.communicate(timeout=100)
            took_s = time.monotonic() - began_s
    assert process.returncode == 130
    assert took_s < 20
    assert json.loads(journal.read_text().splitlines()[-1])["type"] == "footer"
