"""What `conformance proxy` adds to a call beside mitmproxy alone: one client, all ways in turn, in one run.

mitmproxy has an environment of its own (`pip install '.[proxy]'` there); MITMPROXY names its Python.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.measures import Measured
from benchmarks.processes import reference

PYTHON = "MITMPROXY"
CALLS, WARM_UP = 600, 50
_STOP_S, _START_S = 20.0, 60.0
_SCOPE = """schema_version = 1
name = "shop"
[scope]
destructive = true
accounts = [101]
oms = [1]
[services.alphapoint]
http = "{address}"
"""


def cost_of_proxy() -> Measured:
    """Milliseconds of one call, straight and through each proxy. Raises `RuntimeError` where there is no mitmproxy."""
    python = os.environ.get(PYTHON)
    if not python:
        raise RuntimeError(f"{PYTHON} names no Python that has mitmproxy")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        address = stack.enter_context(reference())
        target = Path(folder) / "target.toml"
        target.write_text(_SCOPE.format(address=address), encoding="utf-8")
        alone = [str(Path(python).with_name("mitmdump")), "--mode", f"reverse:{address}", "--listen-host", "127.0.0.1"]
        judged = [python, "-m", "conformance", "proxy", "--upstream", address, "--no-html"]
        blocking = ["--target", str(target), "--block-unsafe"]
        ways = {
            "straight": address,
            "mitmproxy": stack.enter_context(_running([*alone, "--listen-port", "0"])),
            "proxy": stack.enter_context(_running([*judged, "--report", f"{folder}/plain"])),
            "proxy_blocking": stack.enter_context(_running([*judged, *blocking, "--report", f"{folder}/blocking"])),
        }
        took_ms = _in_turn(ways)
    base = took_ms["mitmproxy"]
    return Measured(
        {f"{name}_vs_mitmproxy": took_ms[name] / base for name in ("proxy", "proxy_blocking")},
        {
            **{f"call_{name}": (value, "ms") for name, value in took_ms.items()},
            **{f"added_by_{name}": (took_ms[name] - base, "ms") for name in ("proxy", "proxy_blocking")},
        },
    )


def _in_turn(ways: dict[str, str]) -> dict[str, float]:
    """The median of each way, a call each in every round, all on connections that stay open."""
    lines = {name: http.client.HTTPConnection(urlsplit(address).netloc, timeout=30) for name, address in ways.items()}
    words = {"Authorization": f"Basic {base64.b64encode(b'trader01:trader01-password').decode()}"}
    token = json.loads(_call(lines["straight"], "/AP/Authenticate", "{}", words))["SessionToken"]
    headers = {"Content-Type": "application/json", "aptoken": token}
    body = json.dumps({"OMSId": 1, "AccountId": 101})
    seen: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(CALLS + WARM_UP):
        for name, line in lines.items():
            began = time.perf_counter()
            _call(line, "/AP/CancelAllOrders", body, headers)
            if number >= WARM_UP:
                seen[name].append((time.perf_counter() - began) * 1000)
    for line in lines.values():
        line.close()
    return {name: statistics.median(values) for name, values in seen.items()}


def _call(line: http.client.HTTPConnection, path: str, body: str, headers: dict[str, str]) -> bytes:
    line.request("POST", path, body, headers)
    reply = line.getresponse()
    data = reply.read()
    if reply.status != 200:
        raise RuntimeError(f"{path}: {reply.status} {data!r}")
    return data


@contextlib.contextmanager
def _running(command: Sequence[str]) -> Iterator[str]:
    """A proxy in a process of its own; its address."""
    with tempfile.TemporaryFile() as errors:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if found := re.search(r"(?:listening on http://|listening at )\*?:?([\d.]*:?\d+)", line):
                    yield f"http://{found[1]}"
                    break
            else:
                errors.seek(0)
                raise RuntimeError(f"{command[0]} did not start: {errors.read().decode('utf-8', 'replace')}")
        finally:
            process.terminate()
            try:
                process.communicate(timeout=_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
