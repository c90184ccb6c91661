"""Workers on one real PostgreSQL: killed, their runs are continued; the database restarted, nothing is lost or judged twice.

`FLEET=all` judges 40 endpoints with three kills and one restart of the database.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from fleet_support import CONFORMANCE, calm, environment, fleet_file, results, said, served
from postgresql_server import Server, running

from conformance.cli.main import main
from conformance.history.questions import runs
from conformance.history.store import open_store

ALL = os.environ.get("FLEET") == "all"
ENDPOINTS, KILLS, WORKERS = (40, 3, 4) if ALL else (3, 1, 2)
CASES = ["tpp/response/*", *(["tpp/carried/*", "tpp/batch/*", "cao/account/*"] if ALL else [])]
FLAGS = ["--poll", "1", "--lost-after", "9", "--until-idle"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as one:
        yield one


@pytest.fixture(autouse=True)
def _store_of_its_own(server: Server) -> None:
    """What one test has judged is not due in another."""
    server.use_new_database()


def worker(file: Path, url: str, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [*CONFORMANCE, "fleet", "worker", "--fleet", str(file), "--store", url, *FLAGS],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment(),
        )  # fmt: skip


def judging(folder: Path) -> int:
    """How many runs are under way, some cases done."""
    journals = folder.glob("fleet/*/now/journal.jsonl")
    return sum(path.stat().st_size > 2000 for path in journals if path.exists())


def wait_for(folder: Path, until: float) -> None:
    while not judging(folder):
        assert time.monotonic() < until, "no run is under way"
        time.sleep(0.02)


@pytest.mark.timeout(1500 if ALL else 300)
def test_killed_workers_and_a_restarted_database_lose_nothing(tmp_path: Path, server: Server) -> None:
    log, until = tmp_path / "log", time.monotonic() + (1400 if ALL else 250)
    with served(tmp_path, ENDPOINTS) as targets:
        for target in targets:  # so that every run takes a while, and a signal meets one that is under way
            slower = f"[limits]\nrequests_per_second = {30 if ALL else 8}"
            target.write_text(target.read_text("utf-8").replace("[limits]", slower, 1), "utf-8")
        file = fleet_file(tmp_path, targets, cases=CASES)
        crew = [worker(file, server.url, log) for _ in range(WORKERS)]
        try:
            for number in range(KILLS):
                wait_for(tmp_path, until)
                crew[number].send_signal(signal.SIGKILL)
                crew[number].wait(30)
                crew.append(worker(file, server.url, log))
            wait_for(tmp_path, until)
            server.kill()
            time.sleep(0.5)
            server.start()
            for one in crew[KILLS:]:
                assert one.wait(max(1.0, until - time.monotonic())) == 0, log.read_text("utf-8")
        finally:
            for one in crew:
                if one.poll() is None:
                    one.kill()
                    one.wait(30)
        expected = calm(tmp_path, targets[0], CASES)
    for number in range(ENDPOINTS):
        (only,) = results(tmp_path / "fleet" / f"e{number:02}")
        assert said(only) == expected
    with open_store(server.url) as store, store.reading() as connection:
        kept = runs(connection)
    assert sorted(one["endpoint"] for one in kept) == [f"e{number:02}" for number in range(ENDPOINTS)]
    assert {(one["verdict"], one["carried_out"]) for one in kept} == {("pass", kept[0]["cases"])}


def test_worker_tries_an_unreachable_endpoint_again_and_then_lets_it_be(tmp_path: Path, server: Server) -> None:
    with served(tmp_path, 1) as targets:
        pass
    hook = '[hooks.x]\ncommand = ["tee", "-a", "events"]'
    file = fleet_file(tmp_path, targets, f"retries = 1\nretry_after_s = 1\n{hook}", cases=["tpp/response/*"])
    done = subprocess.run(
        [*CONFORMANCE, "fleet", "worker", "--fleet", str(file), "--store", server.url, *FLAGS],
        capture_output=True, text=True, timeout=100, check=False, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0
    # on a slow machine it comes up once more, and is let be
    assert done.stdout in ("", "e00: could not be judged (exit 3), and waits until it is due again\n")
    assert len([line for line in done.stderr.splitlines() if line.startswith("e00: ")]) == 2
    (event,) = map(json.loads, (tmp_path / "events").read_text("utf-8").splitlines())
    assert "connect" in event["words"]
    assert list((tmp_path / "fleet" / "e00").glob("runs/*")) == []


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("sqlite:///x.db", "workers need a store in PostgreSQL"),
        ("postgresql://u:hunter2@127.0.0.1:9/x", "does not work"),
    ],
)
def test_store_that_workers_cannot_use_is_told(tmp_path: Path, store: str, said: str) -> None:
    file = fleet_file(tmp_path, [], '[endpoints.a]\ntarget = "reference"\nowner = "o"')
    done = subprocess.run(
        [*CONFORMANCE, "fleet", "worker", "--fleet", str(file), "--store", store],
        cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False, env=environment(),
    )  # fmt: skip
    assert done.returncode == 2
    assert said in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_enqueued_twice_is_judged_once(tmp_path: Path, server: Server) -> None:
    file = fleet_file(tmp_path, [], '[endpoints.a]\ntarget = "reference"\nowner = "o"\ncases = ["tpp/response/*"]')
    for _ in range(2):
        put = CliRunner().invoke(
            main, ["fleet", "run", "--fleet", str(file), "--store", server.url, "--all", "--enqueue"]
        )
        assert put.stdout == "1 waiting for workers\n", put.output
    work = [*CONFORMANCE, "fleet", "worker", "--fleet", str(file), "--store", server.url, *FLAGS]
    done = subprocess.run(work, capture_output=True, text=True, timeout=100, check=False, env=environment())
    assert (done.returncode, done.stdout, done.stderr) == (0, "a: pass (exit 0)\n", "")
    assert len(results(tmp_path / "fleet" / "a")) == 1


def test_a_lost_job_whose_order_waits_once_more_holds_nothing_up(tmp_path: Path, server: Server) -> None:
    file = fleet_file(tmp_path, [], '[endpoints.a]\ntarget = "reference"\nowner = "o"\ncases = ["tpp/response/d*"]')
    words = ["--fleet", str(file), "--store", server.url]
    assert CliRunner().invoke(main, ["fleet", "run", *words, "--all", "--enqueue"]).exit_code == 0
    with open_store(server.url) as store, store.writing() as connection:
        connection.execute(sa.text("UPDATE procrastinate_jobs SET status = 'doing'"))
        names = "queue_name, task_name, lock, queueing_lock, args"
        again = f"INSERT INTO procrastinate_jobs ({names}, status) SELECT {names}, 'todo' FROM procrastinate_jobs"
        connection.execute(sa.text(again))
    done = subprocess.run(
        [*CONFORMANCE, "fleet", "worker", *words, *FLAGS],
        capture_output=True, text=True, timeout=100, check=False, env=environment(),
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "a: pass (exit 0)\n", "")


@pytest.mark.timeout(240)
def test_shards_of_one_endpoint_are_judged_by_several_workers_and_joined(tmp_path: Path, server: Server) -> None:
    cases = ["cao/account/*"]
    with served(tmp_path, 1) as targets:
        text = f'[endpoints.split]\ntarget = "{targets[0]}"\nowner = "o"\nschedule = "every 9 d"\nshards = 2\ngenerated = 0\n'
        file = tmp_path / "fleet.toml"
        file.write_text(f"{text}cases = {json.dumps(cases)}\n", "utf-8")
        crew = [worker(file, server.url, tmp_path / "log") for _ in range(2)]
        assert [one.wait(200) for one in crew] == [0, 0], (tmp_path / "log").read_text("utf-8")
        expected = calm(tmp_path, targets[0], cases)
    (only,) = results(tmp_path / "fleet" / "split")
    assert said(only) == expected
    log = (tmp_path / "log").read_text("utf-8")
    told = [line for line in log.splitlines() if not line.endswith("another process joins them")]  # told at every try
    assert len([line for line in told if line.startswith(("split 1/2: ", "split 2/2: "))]) <= 4
    assert log.count("pass (exit 0)") == 1
