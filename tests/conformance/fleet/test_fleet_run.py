"""One endpoint judged: cut off and continued, out of reach, its store gone, held by another; shards joined."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import struct
import subprocess
import sys
import threading
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fleet_support import CONFORMANCE, calm, environment, fleet_file, results, said, served

from conformance.fleet.due import orders_due, table
from conformance.fleet.file import Fleet, load_fleet
from conformance.fleet.hooks import Teller
from conformance.fleet.judge import BUSY, Judging, Order, Outcome, _held, last_judged, trouble_of, worst
from conformance.history.store import open_store

CASES = ["tpp/response/*"]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("served"), 1) as (path,):
        yield path


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


def cut_off(file: Path, number: int) -> tuple[str, int, bytes]:
    """A fleet run that gets a signal in the middle of its run: the id of that run, the exit code, standard error."""
    journal = file.parent / "fleet" / "e00" / "now" / "journal.jsonl"
    words = [*CONFORMANCE, "fleet", "run", "--fleet", str(file)]
    with subprocess.Popen(words, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 60
        while not journal.exists() or not journal.stat().st_size:
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(number)
        assert process.stderr is not None
        words_of_it = process.stderr.read()
    return json.loads(journal.read_bytes().splitlines()[0])["run"]["id"], process.returncode, words_of_it


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_run_that_was_cut_off_is_continued_as_the_same_run(target: Path, tmp_path: Path, number: int) -> None:
    fleet = fleet_of(tmp_path, [target], cases=["tpp/batch/*"])
    begun, code, words = cut_off(tmp_path / "fleet.toml", number)
    assert (code, words) == ((130, b"interrupted\n") if number == signal.SIGTERM else (-number, b""))
    (again,) = judge(fleet, *due(fleet))
    assert (again.code, again.words, again.judged) == (0, "pass (exit 0)", True)
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
def test_shards_are_joined_into_the_whole_and_a_missing_one_is_named(target: Path, tmp_path: Path) -> None:
    cases = ["cao/account/*"]
    fleet = fleet_of(tmp_path, [target], cases=cases, shards=2)
    (order,) = due(fleet)
    parts = [Order(order.endpoint, order.since, "r1", number, 2) for number in (1, 2)]
    (first,) = judge(fleet, parts[0])
    assert "missing: shard 2/2" in first.words
    (row,) = table(fleet, fleet.store_url(None), datetime.now(UTC), ())
    assert row["missing"] == ["2/2"]
    again, second = judge(fleet, *parts)
    assert "missing: shard 2/2" in again.words
    assert (second.words, second.judged) == ("pass (exit 0)", True)
    (only,) = results(tmp_path / "fleet" / "e00")
    assert said(only) == calm(tmp_path, target, cases)
    assert sorted(path.name for path in (tmp_path / "fleet" / "e00").glob("part-*")) == []


def test_a_shard_that_ends_while_another_joins_is_no_trouble(target: Path, tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path, [target], cases=["tpp/response/documented-pair@*"], shards=2)
    (order,) = due(fleet)
    home = tmp_path / "fleet" / "e00"
    home.mkdir(parents=True)
    with _held(home / "lock-join"):
        (outcome,) = judge(fleet, Order(order.endpoint, order.since, "r1", 2, 2))
    assert (outcome.code, outcome.again_in_s is not None) == (BUSY, True)
    assert trouble_of(home) is None


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


@contextlib.contextmanager
def counted(target: Path, folder: Path, limit: int) -> Iterator[tuple[Path, list[float]]]:
    """A target file with a limit, whose endpoint is behind a server that notes when each request arrives."""
    text = target.read_text("utf-8")
    upstream = tomllib.loads(text)["services"]["tpp"]["http"]
    arrived: list[float] = []

    class Counting(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one packet: two of them wait 40 ms for each other

        def do_POST(self) -> None:
            arrived.append(time.monotonic())
            body = self.rfile.read(int(self.headers["Content-Length"]))
            onward = urllib.request.Request(upstream + self.path, body, dict(self.headers.items()), method="POST")
            with urllib.request.urlopen(onward, timeout=10) as answer:
                content = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Counting) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        before, mark, tpp = text.partition("[services.tpp]")
        tpp = tpp.replace(upstream, f"http://127.0.0.1:{server.server_port}", 1)
        path = folder / "limited.toml"
        limits = f"[limits]\nrequests_per_second = {limit}"
        path.write_text(before.replace("[limits]", limits) + mark + tpp, "utf-8")
        try:
            yield path, arrived
        finally:
            server.shutdown()


def test_shards_of_one_endpoint_keep_its_limit_together(target: Path, tmp_path: Path) -> None:
    limit = 6
    with counted(target, tmp_path, limit) as (path, arrived):
        fleet = fleet_of(tmp_path, [path], cases=["tpp/response/*"], shards=2)
        (order,) = due(fleet)
        judging = Judging(fleet, fleet.store_url(None), Teller({}, fleet.root, {}))

        async def both() -> list[Outcome]:
            parts = (Order(order.endpoint, order.since, "r", number, 2) for number in (1, 2))
            return await asyncio.gather(*map(judging.judge, parts))

        outcomes = asyncio.run(both())
    assert {outcome.code for outcome in outcomes} <= {0, BUSY}, outcomes
    data = (tmp_path / "fleet" / "e00" / "room" / "sent").read_bytes()
    let_go = [moment for (moment,) in struct.iter_unpack("<d", data[8:])]
    assert len(arrived) == 28
    assert len(let_go) >= len(arrived)
    assert min(later - earlier for earlier, later in zip(let_go, let_go[limit:], strict=False)) >= 1
    # a delay makes the whole longer, never shorter; a limit for each shard would take half as long
    assert arrived[-1] - arrived[0] > len(arrived) // limit - 1.5


def limited(most: int, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command for which the disk is full as soon as a file has so many bytes."""
    limit = f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most})); "
    command = [sys.executable, "-c", f"{limit}os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"]
    return subprocess.run(
        [*command, *CONFORMANCE[1:], *words],
        cwd=folder, capture_output=True, text=True, timeout=100, check=False, env=environment(),
    )  # fmt: skip


def test_a_full_disk_is_told_and_the_run_begun_again_once_there_is_room(target: Path, tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path, [target], cases=["tpp/response/documented-pair@*"])
    home = tmp_path / "fleet" / "e00"
    nothing = limited(0, "fleet", "run", folder=tmp_path)
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert f"{home}: cannot be written: File too large; make room there" in nothing.stderr
    some = limited(3000, "fleet", "run", folder=tmp_path)
    assert (some.returncode, some.stdout) == (5, "")
    assert "journal.jsonl" in some.stderr
    assert "Traceback" not in nothing.stderr + some.stderr
    begun = json.loads((home / "now" / "journal.jsonl").read_bytes().splitlines()[0])["run"]["id"]
    (order,) = orders_due(fleet, fleet.store_url(None), datetime.now(UTC), names=["e00"])
    (again,) = judge(fleet, order)
    assert (again.code, again.judged) == (0, True)
    kept = [json.loads(one.read_bytes().splitlines()[0])["run"]["id"] for one in home.glob("runs/*/journal.jsonl")]
    assert len(kept) == 2  # what was cut off stays, for what it may have left open
    assert begun in kept


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.toml").touch()
    (tmp_path / "taken").touch()
    fleet = fleet_of(tmp_path, [tmp_path / "t.toml"], 'folder = "taken/fleet"')
    (outcome,) = judge(fleet, *due(fleet))
    assert (outcome.code, outcome.judged) == (2, False)
    assert f"{tmp_path}/taken/fleet/e00: cannot be written: " in outcome.words


def test_a_store_that_is_read_only_costs_no_run(target: Path, tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path, [target], cases=["tpp/response/documented-pair@*"])
    with open_store(fleet.store_url(None), create=True):
        pass
    (order,) = due(fleet)
    (lost,) = judge(fleet, order, store=f"sqlite:///file:{tmp_path}/h.db?mode=ro&uri=true")
    assert (lost.code, lost.judged) == (2, False)
    assert "attempt to write a readonly database" in lost.words
    verdict = json.loads((tmp_path / "fleet" / "e00" / "now" / "results.json").read_bytes())["summary"]["verdict"]
    assert verdict == "pass"
    (kept,) = judge(fleet, order)
    assert (kept.code, kept.words) == (0, "is judged already")
    assert last_judged(fleet.store_url(None)).keys() == {"e00"}
