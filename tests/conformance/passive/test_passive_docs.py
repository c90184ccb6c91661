"""The pages on traffic and on the mock, followed literally: each command of theirs runs, on ports that are free."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from reference_impl.serve import ServeOptions

from .passive_support import Client, Socket, served

DOCS = Path(__file__).parents[3] / "docs"
MITMPROXY = os.environ.get("MITMPROXY", "")
MOCK, PROXY = "127.0.0.1:8080", "127.0.0.1:8081"


def commands(page: str) -> list[list[str]]:
    """The commands of a page, in its order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (DOCS / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line.strip()]


def ran(words: list[str], folder: Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    command = [python, "-m", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)


@contextlib.contextmanager
def serving(words: list[str], folder: Path, python: str = sys.executable) -> Iterator[tuple[str, Any]]:
    """A command of a page that serves, on a free port; its address, and the process."""
    words = ["0" if word in ("8080", "8081") else word for word in words]
    process = subprocess.Popen(
        [python, "-m", *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line.startswith("listening on http://"), line or process.communicate(timeout=30)
        yield line.removeprefix("listening on http://"), process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def cancel(host: str) -> Any:
    client = Client(host)
    return client.http("/AP/CancelAllOrders", {"OMSId": 1, "AccountId": 101}, client.token("trader01"))


def test_recording_of_the_page_on_traffic_is_judged(tmp_path: Path) -> None:
    (words,) = (words for words in commands("traffic.md") if words[:2] == ["conformance", "judge"])
    with served(ServeOptions()) as host:
        client = Client(host)
        client.http("/AP/CancelAllOrders", {"OMSId": 1, "AccountId": 101}, client.token("trader01"))
        socket = Socket(client)
        socket.call("AuthenticateUser", {"UserName": "trader01", "Password": "trader01-password"})
        socket.call("CancelAllOrders", {"OMSId": 1, "AccountId": 101})
        socket.close()
        client.har(tmp_path / words[2])
    done = ran(words, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "verdict: pass" in done.stdout
    assert (tmp_path / "conformance-report" / "report.html").exists()
    alone = ran([*words, "--exchange", "shop.har#2"], tmp_path)
    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert (tmp_path / "conformance-exchange" / "results.json").exists()


@pytest.mark.skipif(not MITMPROXY, reason="MITMPROXY names no Python that has it; `tox -e proxy` does")
def test_proxy_of_the_page_judges_what_passes(tmp_path: Path) -> None:
    (words,) = (words for words in commands("traffic.md") if words[:2] == ["conformance", "proxy"])
    serve = commands("mock.md")[0]
    with serving(serve, tmp_path) as (mock, _):
        words = [word.replace(MOCK, mock) for word in words]
        with serving(words, tmp_path, MITMPROXY) as (host, process):
            assert cancel(host) == (200, {"result": True, "errormsg": None, "errorcode": 0, "detail": None})
            process.send_signal(signal.SIGINT)
            printed, errors = process.communicate(timeout=60)
    assert process.returncode == 0, printed + errors
    assert "verdict: pass" in printed
    assert (tmp_path / "conformance-report" / "journal.jsonl").exists()


def test_mock_of_the_page_is_told_by_its_commands(tmp_path: Path) -> None:
    told = [words for words in commands("mock.md") if words[0] == "curl"]
    assert len(told) >= 3
    with serving(commands("mock.md")[0], tmp_path) as (mock, _):
        client = Client(mock)
        for words in told:
            body = words[words.index("-d") + 1].encode() if "-d" in words else b""
            address = urlsplit(words[-1])
            assert address.netloc == MOCK
            status, answer = client.http(address.path, body, method="POST" if body else "GET")
            assert status == 200, answer
        orders = client.http("/_world/next", b"", method="GET")[1]["orders"]
        assert [one["operation"] for one in orders] == ["alphapoint.cancel_order"] * 2
        place = {"OMSId": 1, "AccountId": 101, "OrderId": 5}
        assert client.http("/AP/CancelOrder", place, client.token("trader01"))[1]["errorcode"] == 102


def test_every_request_of_the_page_on_the_mock_is_one_of_its_description() -> None:
    rows = re.findall(r"`(GET|POST) (/_world/[a-z/.]+)`", (DOCS / "mock.md").read_text("utf-8"))
    with served(ServeOptions()) as host:
        described = Client(host).http("/openapi.json", b"", method="GET")[1]["paths"]
    assert {(method, path) for method, path in rows if method.lower() not in described.get(path, {})} == set()
    documented = {path for _, path in rows}
    assert set(described) - documented <= {"/_world/executed", "/_world/openapi.json"}


def test_other_servers_of_the_page_start(tmp_path: Path) -> None:
    others = [words for words in commands("mock.md") if words[:2] == ["conformance", "serve"]][1:]
    assert others
    for words in others:
        with serving(words, tmp_path) as (host, _):
            assert json.loads(json.dumps(cancel(host)[1]))["result"] is True
