"""A run in several processes comes to what one process comes to, and ends as one does, however it is ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.cli.running import workers as subject
from conformance.contract.load import load_contract
from conformance.endpoint.reference import reference_environment, write_target
from conformance.errors import UsageError

CASES = ("--case", "co/codes/*", "--case", "tpp/batch/*", "--generated", "60")
START_S, END_S = 20.0, 60.0


def _command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "conformance", "run", "--report", str(folder), *words]


def _run(folder: Path, *words: str) -> SimpleNamespace:
    environment = {**os.environ, **reference_environment()}
    done = subprocess.run(_command(folder, *words), capture_output=True, text=True, timeout=END_S, env=environment)
    path = folder / "results.json"
    results = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr, results=results, folder=folder)


def _gist(results: dict[str, Any]) -> dict[str, Any]:
    cases = {
        one["id"]: (one["verdict"], [found["requirement"] for found in one["findings"]]) for one in results["cases"]
    }
    requirements = {one["id"]: one["verdict"] for one in results["requirements"]}
    return {"cases": cases, "requirements": requirements, "verdict": results["summary"]["verdict"]}


@contextmanager
def _served(*words: str) -> Iterator[str]:
    command = [sys.executable, "-m", "conformance", "serve", "--port", "0", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip().rpartition(" ")[2]
        finally:
            server.terminate()


def test_two_processes_come_to_what_one_comes_to(tmp_path: Path) -> None:
    fault = ("--fault", "co-text-101")
    one = _run(tmp_path / "one", *CASES, *fault, "--workers", "1", "--no-html")
    two = _run(tmp_path / "two", *CASES, *fault, "--workers", "2")
    assert (one.code, two.code) == (1, 1), two.err
    assert _gist(one.results) == _gist(two.results)
    assert sorted(path.name for path in two.folder.iterdir()) == [
        "journal.jsonl", "junit.xml", "observations.jsonl.gz", "report.html", "results.json",
    ]  # fmt: skip
    assert two.results["run"]["duration_s"] > 0
    assert "fail: co/codes/101" in two.err, "what is wrong is said as soon as it is seen"
    assert "100%" in two.err
    bundle = tmp_path / "bundle.zip"
    made = [sys.executable, "-m", "conformance", "report", "bundle", str(two.folder), "--out", str(bundle)]
    assert subprocess.run(made, timeout=END_S, check=False, capture_output=True).returncode == 0
    checked = [sys.executable, "-m", "conformance", "verify", str(bundle)]
    assert subprocess.run(checked, timeout=END_S, check=False, capture_output=True).returncode == 1


def test_a_target_of_ones_own_is_shared_out_by_desks(tmp_path: Path) -> None:
    with _served("--fault", "co-text-104") as address:
        target = tmp_path / "target.toml"
        write_target(target, address)
        came = _run(tmp_path / "report", *CASES, "--target", str(target), "--workers", "3", "--quiet", "--no-html")
    assert came.code == 1, came.err
    failed = {one["id"].rpartition("@")[0] for one in came.results["cases"] if one["verdict"] == "fail"}
    assert "co/codes/104" in failed
    assert {one["verdict"] for one in came.results["cases"]} == {"pass", "fail"}
    assert sorted(path.name for path in came.folder.iterdir()) == [
        "journal.jsonl", "junit.xml", "observations.jsonl.gz", "results.json",
    ]  # fmt: skip


def _workers_of(process: subprocess.Popen[str]) -> list[int]:
    """The processes that it started and that have begun to write a journal."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in children]


def _begun(folder: Path, count: int) -> tuple[subprocess.Popen[str], list[int]]:
    """A long run in so many processes, each of which is in the middle of its cases."""
    words = ("--operation", "alphapoint.cancel_order", "--workers", str(count), "--quiet", "--no-html")
    process = subprocess.Popen(_command(folder, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until_s = time.monotonic() + START_S
    journals = [folder / "parts" / str(number + 1) / "journal.jsonl" for number in range(count)]
    while not all(one.exists() and one.stat().st_size > 20_000 for one in journals):
        assert time.monotonic() < until_s
        assert process.poll() is None
        time.sleep(0.02)
    return process, _workers_of(process)


def _gone(pids: list[int]) -> bool:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        if not any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids):
            return True
        time.sleep(0.05)
    return False


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_them_and_costs_no_result(tmp_path: Path, number: signal.Signals) -> None:
    process, children = _begun(tmp_path / "report", 2)
    process.send_signal(number)
    out, err = process.communicate(timeout=END_S)
    assert process.returncode == 130, err
    assert "interrupted" in out
    assert _gone(children)
    results = json.loads((tmp_path / "report" / "results.json").read_text("utf-8"))
    assert sum(one["verdict"] == "pass" for one in results["cases"]) > 20
    assert not (tmp_path / "report" / "parts").exists()


@needs_proc
def test_they_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    process, children = _begun(tmp_path / "report", 2)
    process.kill()
    process.communicate(timeout=END_S)
    assert _gone(children)
    for number in (1, 2):
        last = (tmp_path / "report" / "parts" / str(number) / "journal.jsonl").read_text("utf-8").splitlines()[-1]
        assert json.loads(last)["interrupted"] is True, "each has cleaned up and ended its journal"


@needs_proc
def test_where_one_is_killed_the_others_end_and_what_was_seen_stays(tmp_path: Path) -> None:
    process, children = _begun(tmp_path / "report", 2)
    os.kill(children[0], signal.SIGKILL)
    _, err = process.communicate(timeout=END_S)
    assert process.returncode == 5
    assert "ended without a word" in err
    assert str(tmp_path / "report" / "parts") in err.replace("\n", "")
    assert _gone(children)
    assert (tmp_path / "report" / "parts" / "1" / "journal.jsonl").stat().st_size > 20_000


def test_an_error_of_the_target_file_is_said_once(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text("nothing = true\n", encoding="utf-8")
    came = _run(tmp_path / "report", "--target", str(target), "--workers", "2")
    assert came.code == 2
    assert came.err.count("error:") == 1, came.err


class _Pipe(Connection):
    """A pipe that says this, and then no more."""

    def __init__(self, *said: object) -> None:
        ours, theirs = Pipe(duplex=False)
        for one in said:
            theirs.send(one)
        theirs.close()
        super().__init__(os.dup(ours.fileno()), writable=False)
        ours.close()


def test_one_that_was_told_to_end_need_not_say_a_word() -> None:
    workers = subject._Workers()
    workers.asked = True
    workers.pipes = {_Pipe(): 1, _Pipe(UsageError("no such thing")): 2}
    workers.follow(lambda _result: None)
    assert workers.ended[1] == 130
    assert isinstance(workers.ended[2], UsageError), "this is what is told"


def test_one_that_ends_by_itself_without_a_word_is_told() -> None:
    workers = subject._Workers(pipes={_Pipe(): 1, _Pipe(0): 2})
    workers.follow(lambda _result: None)
    assert str(workers.ended[1]) == "worker 1 ended without a word"


def test_what_nobody_expected_in_a_worker_is_one_line(tmp_path: Path) -> None:
    code = (
        "import conformance.run.schedule as schedule\n"
        "import conformance.cli.running.one as one\n"
        "from conformance.cli.main import main\n"
        "async def carry_out(*_): raise ZeroDivisionError('by nothing')\n"
        "one.carry_out = carry_out\n"
        f"main(['run', '--workers', '2', '-q', '--case', 'co/codes/*', '--report', {str(tmp_path / 'report')!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=END_S, check=False
    )
    assert done.returncode == 5
    assert done.stderr.startswith("error: unexpected ZeroDivisionError: by nothing")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("asked", "target", "each"), [(None, "t.toml", None), (9, "t.toml", 4), (1, "t.toml", 1), (9, "reference", 9)]
)
def test_what_may_be_in_flight_is_for_all_of_them(asked: int | None, target: str, each: int | None) -> None:
    assert subject._share_of(asked, target, 2) == each


OPTIONS: dict[str, Any] = {
    "target": "reference", "operations": (), "requirements": (), "cases": (), "media_types": (), "transports": (),
    "strength": 3, "generated": None, "seed": 0, "explore": None, "races": None, "resume": False, "shard": None,
    "max_failures": None, "room": None, "workers": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, 4),
        ({"cases": ("co/*",)}, 1),
        ({"generated": 50_000}, 4),
        ({"workers": 1}, 1),
        ({"workers": 7, "cases": ("co/*",)}, 7),
        ({"target": "reference+fault:co-text-104"}, 1),
        ({"target": "target.toml"}, 1),
        ({"target": "target.toml", "workers": 2}, 2),
        ({"explore": 3.0}, 1),
        ({"resume": True}, 1),
        ({"max_failures": 1}, 1),
        ({"shard": "1/2"}, 1),
    ],
)
def test_a_run_takes_as_many_processes_as_pay(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], expected: int
) -> None:
    monkeypatch.setattr(subject, "_processors", lambda: 8)
    monkeypatch.setattr(subject.threading, "active_count", lambda: 1)
    assert subject.workers_of(load_contract(), {**OPTIONS, **change})[1] == expected


def test_one_processor_takes_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "_processors", lambda: 1)
    assert subject.workers_of(load_contract(), OPTIONS)[1] == 1


@pytest.mark.parametrize("name", ["explore", "races", "resume", "shard", "max_failures", "room"])
def test_workers_do_not_go_with_what_one_process_alone_knows(name: str) -> None:
    with pytest.raises(UsageError, match="--workers does not go with --" + name.replace("_", "-")):
        subject.workers_of(load_contract(), {**OPTIONS, "workers": 2, name: "1/2"})
