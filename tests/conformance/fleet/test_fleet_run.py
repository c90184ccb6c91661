"""One endpoint judged: cut off and continued, out of reach, its store gone, held by another; shards joined."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fleet_support import CONFORMANCE, environment, fleet_file, results, said, served

from conformance.fleet.due import orders_due, table
from conformance.fleet.file import Fleet, load_fleet
from conformance.fleet.hooks import Teller
from conformance.fleet.judge import BUSY, Judging, Order, Outcome, _held, last_judged, trouble_of, worst
from conformance.history.store import open_store

CASES = ["tpp/response/*"]


def fleet_of(folder: Path, targets: list[Path], more: str = "", **keys: Any) -> Fleet:
    return load_fleet(fleet_file(folder, targets, f'store = "sqlite:///h.db"\n{more}', **{"cases": CASES, **keys}))


def newer(path: Path) -> None:
    with open_store(f"sqlite:///{path}", create=True) as store, store.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'of the future'"))


def judge(fleet: Fleet, *orders: Order, store: str = "") -> list[Outcome]:
    judging = Judging(fleet, store or fleet.store_url(None), Teller(fleet.file.hooks, fleet.root, {}))

    async def one_by_one() -> list[Outcome]:
        return [await judging.judge(order) for order in orders]

    return asyncio.run(one_by_one())


def due(fleet: Fleet) -> tuple[Order, ...]:
    return orders_due(fleet, fleet.store_url(None), datetime.now(UTC))


@pytest.mark.parametrize(
    ("codes", "expected"),
    [((), 0), ((0, 4), 4), ((4, 3), 3), ((3, 2), 2), ((2, 5), 5), ((5, 1, 0), 1), ((0, -9), 5), ((3, 130), 130)],
)
def test_exit_code_is_that_which_says_the_most(codes: tuple[int, ...], expected: int) -> None:
    assert worst(codes) == expected


def test_killed_run_is_continued_as_the_same_run(tmp_path: Path) -> None:
    with served(tmp_path, 1) as targets:
        file = fleet_file(tmp_path, targets, 'store = "sqlite:///h.db"', cases=["tpp/batch/*", "tpp/carried/*"])
        words = [*CONFORMANCE, "fleet", "run", "--fleet", str(file)]
        journal = tmp_path / "fleet" / "e00" / "now" / "journal.jsonl"
        with subprocess.Popen(words, env=environment(), stdout=subprocess.DEVNULL) as process:
            until = time.monotonic() + 60
            while not journal.exists() or not journal.stat().st_size:
                assert time.monotonic() < until
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        begun = json.loads(journal.read_bytes().splitlines()[0])["run"]["id"]
        again = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=100, check=False)
    assert (again.returncode, again.stdout, again.stderr) == (0, "e00: pass (exit 0)\n", "")
    (only,) = results(tmp_path / "fleet" / "e00")
    assert only["run"]["id"] == begun
    assert only["summary"]["carried_out"]["share"] == 1


def test_run_whose_store_is_gone_is_kept_and_added_later(tmp_path: Path) -> None:
    with served(tmp_path, 1) as targets:
        fleet = fleet_of(tmp_path, targets)
        (order,) = due(fleet)
        judging = Judging(fleet, fleet.store_url(None), Teller({}, tmp_path, {}))
        add = judging._add

        def full(*words: Any) -> Any:
            (tmp_path / "h.db").mkdir()
            return add(*words)

        judging._add = full  # type: ignore[method-assign]
        lost = asyncio.run(judging.judge(order))
        assert (lost.code, lost.judged) == (2, False)
        assert lost.again_in_s
        (tmp_path / "h.db").rmdir()
    (kept,) = judge(fleet, order)  # nobody listens there any more: nothing is sent
    assert (kept.code, kept.words) == (0, "is judged already")
    assert len(results(tmp_path / "fleet" / "e00")) == 1
    assert due(fleet) == ()


def test_unreachable_endpoint_is_told_once_and_tried_so_many_times(tmp_path: Path) -> None:
    with served(tmp_path, 1) as targets:
        pass
    hook = '[hooks.x]\ncommand = ["tee", "-a", "events"]\nevents = ["unreachable"]'
    fleet = fleet_of(tmp_path, targets, f"retries = 1\nretry_after_s = 7\n{hook}")
    orders = due(fleet)
    first, second = judge(fleet, *orders, *orders)
    assert (first.code, first.again_in_s) == (3, 7.0)
    assert (second.code, second.again_in_s) == (3, None)
    assert due(fleet) == ()
    assert len((tmp_path / "events").read_text("utf-8").splitlines()) == 1
    assert last_judged(fleet.store_url(None)) == {}
    (forced,) = orders_due(fleet, fleet.store_url(None), datetime.now(UTC), names=["e00"])
    assert forced.endpoint == "e00"


def test_target_that_cannot_be_used_is_told_and_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text("name = 5", "utf-8")
    fleet = fleet_of(tmp_path, [tmp_path / "t.toml"])
    (outcome,) = judge(fleet, *due(fleet))
    assert (outcome.code, outcome.again_in_s) == (2, None)
    assert "t.toml:1:1" in outcome.words
    trouble = trouble_of(tmp_path / "fleet" / "e00")
    assert trouble is not None
    assert trouble.given_up
    assert due(fleet) == ()


def test_endpoint_that_is_being_judged_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "t.toml").touch()
    fleet = fleet_of(tmp_path, [tmp_path / "t.toml"])
    (tmp_path / "fleet" / "e00").mkdir(parents=True)
    with _held(tmp_path / "fleet" / "e00" / "lock"):
        (outcome,) = judge(fleet, *due(fleet))
    assert outcome.code == BUSY


@pytest.mark.timeout(240)
def test_shards_are_joined_into_the_whole_and_a_missing_one_is_named(tmp_path: Path) -> None:
    cases = ["cao/account/*", "cao/effects/*"]
    with served(tmp_path, 1) as targets:
        fleet = fleet_of(tmp_path, targets, cases=cases, shards=2)
        (order,) = due(fleet)
        parts = [Order(order.endpoint, order.since, "r1", number, 2) for number in (1, 2)]
        (first,) = judge(fleet, parts[0])
        assert "missing: shard 2/2" in first.words
        (row,) = table(fleet, fleet.store_url(None), datetime.now(UTC), ())
        assert row["missing"] == ["2/2"]
        again, second = judge(fleet, *parts)
        assert "missing: shard 2/2" in again.words
        assert (second.words, second.judged) == ("pass (exit 0)", True)
        words = [*CONFORMANCE, "run", "-q", "--no-html", "--target", str(targets[0]), "--generated", "0"]
        words += [word for case in cases for word in ("--case", case)]
        subprocess.run([*words, "--report", str(tmp_path / "calm")], check=True, timeout=100, env=environment())
    (only,) = results(tmp_path / "fleet" / "e00")
    assert said(only) == said(json.loads((tmp_path / "calm" / "results.json").read_text("utf-8")))
    assert sorted(path.name for path in (tmp_path / "fleet" / "e00").glob("part-*")) == []


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda path: path.write_bytes(b"no database"), "not a database"),
        (lambda path: path.mkdir(), "does not work"),
        (newer, "a newer version of the tool made it"),
    ],
)
def test_store_that_cannot_be_used_is_told_before_anything_is_judged(tmp_path: Path, prepare: Any, said: str) -> None:
    (tmp_path / "t.toml").touch()
    file = fleet_file(tmp_path, [tmp_path / "t.toml"], 'store = "sqlite:///h.db"')
    prepare(tmp_path / "h.db")
    words = [*CONFORMANCE, "fleet", "run", "--fleet", str(file)]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert said in done.stderr.casefold()
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "fleet").exists()


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "t.toml").touch()
    file = fleet_file(tmp_path, [tmp_path / "t.toml"], 'store = "sqlite:///h.db"')
    words = [*CONFORMANCE, "fleet", "run", "--fleet", str(file), "--dry-run", "--json"]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    (row,) = json.loads(done.stdout)
    assert (done.returncode, row["endpoint"], row["due"], row["last_judged"]) == (0, "e00", True, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fleet.toml", "t.toml"]


def test_interrupted_fleet_ends_its_runs_and_goes_on_later(tmp_path: Path) -> None:
    with served(tmp_path, 1) as targets:
        file = fleet_file(tmp_path, targets, 'store = "sqlite:///h.db"', cases=["tpp/batch/*", "tpp/carried/*"])
        words = [*CONFORMANCE, "fleet", "run", "--fleet", str(file)]
        journal = tmp_path / "fleet" / "e00" / "now" / "journal.jsonl"
        with subprocess.Popen(words, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            until = time.monotonic() + 60
            while not journal.exists() or not journal.stat().st_size:
                assert time.monotonic() < until
                time.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            assert process.stderr.read() == b"interrupted\n"
        assert process.returncode == 130
        again = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=100, check=False)
    assert (again.returncode, again.stdout) == (0, "e00: pass (exit 0)\n")
    assert len(results(tmp_path / "fleet" / "e00")) == 1
