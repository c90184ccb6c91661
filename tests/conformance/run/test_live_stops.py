"""Targets that are not there, stop in mid-run, or may not be touched; and runs that go on."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from live_support import WORLD, command, live, pointed, run, sample, start

CAO = ("--generated", "0", "--operation", "alphapoint.cancel_all_orders")


def _dead_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.mark.parametrize("service", ["alphapoint", "tpp"])
def test_a_dead_port_is_exit_3(tmp_path: Path, service: str) -> None:
    came = run(tmp_path, pointed(sample(service), f"http://127.0.0.1:{_dead_port()}"), "--generated", "0")
    assert came.exit_code == 3
    assert came.results["cases"] == []
    assert "no connection to" in " ".join(came.results["summary"]["reasons"])


def test_state_hook_that_is_down_is_named_with_its_address(tmp_path: Path) -> None:
    hook = f"http://127.0.0.1:{_dead_port()}/hook"
    with live() as server:
        text = pointed(sample("tpp"), server.url).replace(f"{server.url}/_world/tpp", hook)
        came = run(tmp_path, text, "--generated", "0", "--case", "tpp/response/*@*")
        (tmp_path / "target.toml").write_text(text, "utf-8")
        checked = command(tmp_path, "target", "check", str(tmp_path / "target.toml"), "--json")
    assert came.exit_code == 3
    reasons = came.results["summary"]["reasons"]
    assert any(re.match(rf"the run stopped: the state hook at {hook}: no connection to", one) for one in reasons), (
        reasons
    )
    assert any(re.match("the state hook gave no answer for [0-9]+ case", one) for one in reasons), reasons
    assert not any("the target" in one for one in reasons), reasons
    assert came.results["summary"]["carried_out"]["not"].keys() <= {"hook unreachable", "not begun"}
    wrong = [one for one in json.loads(checked.output)["checks"] if one["result"] == "wrong"]
    assert [one["what"] for one in wrong] == [f"services.tpp: the state hook at {hook} answers"]
    assert checked.exit_code == 4


def test_state_hook_that_answers_is_said(tmp_path: Path) -> None:
    with live() as server:
        (tmp_path / "target.toml").write_text(pointed(sample("tpp"), server.url), "utf-8")
        checked = command(tmp_path, "target", "check", str(tmp_path / "target.toml"), "--json")
    found = {one["what"]: one["result"] for one in json.loads(checked.output)["checks"]}
    assert found[f"services.tpp: the state hook at {server.url}/_world/tpp answers"] == "ok"


def test_a_target_that_comes_up_late_is_waited_for(tmp_path: Path) -> None:
    port, started = _dead_port(), []
    text = pointed(sample("alphapoint"), f"http://127.0.0.1:{port}")
    words = ("--generated", "0", "--case", "cao/response/sample@http")
    late = threading.Timer(0.6, lambda: started.append(start(WORLD, port=port)))
    late.start()
    try:
        came = run(tmp_path, text, *words, "--wait", "60")
    finally:
        late.join()
        for server in started:
            server.stop()
    assert came.exit_code == 0, came.output


def test_the_wait_for_a_target_that_never_comes_up_ends(tmp_path: Path) -> None:
    began = time.monotonic()
    came = run(tmp_path, pointed(sample("alphapoint"), f"http://127.0.0.1:{_dead_port()}"), *CAO, "--wait", "0.5")
    assert came.exit_code == 3
    assert time.monotonic() - began >= 0.5


class _Dying:
    """Calls `stop` when so many HTTP requests have come."""

    def __init__(self, app: Any, after: int) -> None:
        self.app, self.left = app, after
        self.stop: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.left -= 1
        if self.left == 0:
            threading.Thread(target=self.stop).start()
        await self.app(scope, receive, send)


def test_a_server_that_dies_in_mid_run_is_exit_3_and_the_run_goes_on_after_its_return(tmp_path: Path) -> None:
    server = start(wrap=lambda app: _Dying(app, 300))
    server.app.stop = server.stop
    text = pointed(sample("alphapoint"), server.url)
    cut = run(tmp_path, text, *CAO)
    assert cut.exit_code == 3
    assert cut.output.startswith("verdict: error (exit 3) · cut short: ")
    done = [name for name, verdict in cut.verdicts().items() if verdict == "pass"]
    assert done
    assert "fail" not in cut.verdicts().values()
    lines = [json.loads(line) for line in (cut.folder / "journal.jsonl").read_text("utf-8").splitlines()]
    assert lines[-1]["type"] == "footer"
    assert lines[-1]["stopped"]

    with live(WORLD, port=server.port):
        resumed = run(tmp_path, text, *CAO, "--resume")
    before, both = cut.results["run"]["messages_sent"], resumed.results["run"]["messages_sent"]
    assert both > before > 0, "the messages of both parts are counted"
    assert resumed.exit_code == 0, resumed.output
    with live(WORLD, port=server.port):
        whole = run(tmp_path, text, *CAO, report="whole")
    for came in (resumed, whole):
        for key in ("id", "started_at", "duration_s", "messages_sent"):
            came.results["run"].pop(key)
        came.results["summary"].pop("notices")
    assert resumed.results == whole.results


@pytest.mark.parametrize("change", [
    ("destructive = true ", "destructive = false "),
    ("accounts = [4101, 4102, 4201, 4202, 4501, 4111, 4112, 4211, 4212, 4511, 4601, 4901, 4902, 4903, 4904, 4905]", "accounts = []"),
])  # fmt: skip
def test_an_address_off_loopback_without_permission_is_exit_2_and_never_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str]
) -> None:
    connects = _watch_connects(monkeypatch)
    text = pointed(sample("alphapoint"), "http://192.0.2.1:1", everything=False)
    assert change[0] in text
    came = run(tmp_path, text.replace(*change), *CAO)
    assert came.exit_code == 2
    assert "is not a loopback address" in came.output
    assert not connects
    assert not came.folder.exists()


def test_a_loopback_address_behind_a_proxy_elsewhere_is_not_loopback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connects = _watch_connects(monkeypatch)
    text = pointed(sample("tpp"), "http://127.0.0.1:1", everything=False).replace(
        "destructive = true", "destructive = false"
    )
    text = text.replace("[services.tpp]\n", '[services.tpp]\nproxy = { url = "http://192.0.2.1:3128" }\n')
    came = run(tmp_path, text, "--generated", "0")
    assert came.exit_code == 2
    assert not connects


def test_a_bare_address_off_loopback_is_exit_2_and_never_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connects = _watch_connects(monkeypatch)
    assert run(tmp_path, "http://192.0.2.1:1").exit_code == 2
    assert not connects


def _watch_connects(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that an event loop or a socket is asked to connect to from now on."""
    import uvloop

    connects: list[Any] = []

    async def refuse(_self: Any, _factory: Any, host: Any = None, port: Any = None, **_options: Any) -> Any:
        connects.append((host, port))
        raise OSError("no connection in this test")

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", refuse)
    monkeypatch.setattr(uvloop, "run", asyncio.run)
    return connects


def test_a_bare_url_on_loopback_touches_nothing_and_is_incomplete(tmp_path: Path) -> None:
    with live() as server:
        came = run(tmp_path, server.url, "--generated", "0", "--operation", "tpp.create_cancellations")
    assert came.exit_code == 4
    assert "fail" not in came.verdicts().values()


@pytest.mark.parametrize(
    ("key", "rate", "at_least_s"), [("requests_per_second", 20, 0.9), ("requests_per_minute", 2400, 0.0)]
)
def test_the_rate_limit_holds_over_all_lanes(tmp_path: Path, key: str, rate: int, at_least_s: float) -> None:
    times: list[float] = []
    with live(wrap=lambda app: _Clocked(app, times)) as server:
        text = pointed(sample("tpp"), server.url).replace("settle_s", f"{key} = {rate}\nsettle_s")
        came = run(
            tmp_path,
            text,
            "--generated",
            "0",
            "--case",
            "tpp/fields/*@application-json",
            "--shard",
            "1/2",
            "--concurrency",
            "24",
        )
    assert set(came.verdicts().values()) == {"pass"}
    assert len(times) > 30
    if key == "requests_per_second":
        assert max(sum(first <= one < first + 0.9 for one in times) for first in times) <= rate
        assert times[-1] - times[0] >= at_least_s


class _Clocked:
    """Notes when each request to the TPP resource came."""

    def __init__(self, app: Any, times: list[float]) -> None:
        self.app, self.times = app, times

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith("/api/"):
            self.times.append(time.monotonic())
        await self.app(scope, receive, send)
