"""The same store in a real PostgreSQL, started for these tests as an unprivileged user and thrown away."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from history_support import cause, document, everything, keep, keep_many, look_at_many, record, said
from postgresql_server import Server, running

from conformance.history.add import add
from conformance.history.keep import forget
from conformance.history.questions import blame, due, find_run, of_latest, runs
from conformance.history.record import record_of
from conformance.history.store import Store, StoreError, open_store
from conformance.history.tables import METADATA, RUN

HOSTILE = "\x00\x1b[31m\ud800\u202e'; DROP TABLE run; --"
ADD = """
import sys
sys.path.insert(0, sys.argv[2])
from history_support import record
from conformance.history.add import add
from conformance.history.store import open_store
with open_store(sys.argv[1], create=True) as store:
    for number in range(8):
        add(store, record(number, {"R-1": "pass" if number % 3 else "fail"}))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as one:
        yield one


@pytest.fixture
def url(server: Server) -> str:
    with open_store(server.url, create=True) as store, store.writing() as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(table.delete())
    return server.url


def test_runs_are_kept_once_and_questions_answered(url: str) -> None:
    days = [
        record(0, readings={"q": ["a"]}),
        record(1, {"R-1": "fail", "R-2": "not-verified"}, causes=[cause()], readings={"q": ["b"]}),
        record(2),
    ]
    with open_store(url) as store:
        keep(store, *(days[number] for number in (2, 0, 1)))
        before = everything(store)
        assert [add(store, one) for one in days] == ["unchanged"] * 3
        assert everything(store) == before
        assert said(store) == {run.id: dict(run.lines) for run in days}
        with store.reading() as connection:
            (one,) = blame(connection, "R-1")
            assert (one["broke_in"]["release"], one["mended_in"]["release"]) == ("r001", "r002")
            assert find_run(connection, "acme@r001").before == "acme-000"
            assert len(runs(connection, last=2)) == 2
            now = record(30).started_at
            assert [one["in"]["release"] for one in due(connection, now, 60)["readings"]] == ["r001"]
        forget(store, ("acme-001",))
        store.vacuum()
        assert said(store) == {run.id: dict(run.lines) for run in (days[0], days[2])}


def test_hostile_texts_are_kept(url: str) -> None:
    with open_store(url) as store:
        bad = document(0, {HOSTILE: "fail"}, endpoint=HOSTILE, causes=[cause(message=HOSTILE, id=HOSTILE)])
        assert add(store, record_of(bad, "x"), release=HOSTILE) == "added"


def test_importers_at_once_keep_everything(url: str) -> None:
    words = [sys.executable, "-c", ADD, url, str(Path(__file__).parent)]
    crew = [subprocess.Popen(words, stderr=subprocess.PIPE) for _ in range(2)]
    assert [(one.communicate(timeout=100)[1], one.returncode) for one in crew] == [(b"", 0)] * 2
    with open_store(url) as store:
        kept = [record(n, {"R-1": "pass" if n % 3 else "fail"}) for n in range(8)]
        assert said(store) == {run.id: dict(run.lines) for run in kept}


def test_pages_of_many_endpoints_are_quick(url: str) -> None:
    with open_store(url) as store:
        keep_many(store)
        look_at_many(store)


def test_where_last_runs_begin_is_looked_up_once_for_each_endpoint(url: str) -> None:
    with open_store(url) as store:
        keep_many(store)
        with store.reading() as connection:
            query = of_latest([RUN.c.id], 20).compile(connection, compile_kwargs={"literal_binds": True})
            plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, TIMING OFF) {query}").scalars().all()
    (loops,) = {int(one) for line in plan if " on run mine" in line for one in re.findall(r"loops=(\d+)", line)}
    assert loops == 200, plan


def test_store_that_another_process_makes_meanwhile_is_no_foreign_database(server: Server) -> None:
    server.use_new_database()
    asked: list[str] = []

    def other(*args: Any) -> None:
        asked.append(str(args[2]))
        if len(asked) == 1:
            with open_store(server.url, create=True):
                pass

    sa.event.listen(sa.Engine, "after_cursor_execute", other)
    try:
        with open_store(server.url, create=True) as store:
            assert add(store, record(0)) == "added"
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", other)


_GONE_S = 30


def write_and_lose(store: Store, server: Server) -> None:
    with store.writing() as connection:
        connection.execute(METADATA.tables["endpoint"].insert().values(name="half"))
        server.kill()
        until = time.monotonic() + _GONE_S
        while time.monotonic() < until:  # the process of this connection lives until it sees that the server does not
            connection.execute(METADATA.tables["endpoint"].update().values(name="more"))
            time.sleep(0.1)


def test_database_gone_in_the_middle_loses_nothing_that_was_kept(url: str, server: Server) -> None:
    with open_store(url) as store:
        keep(store, record(0))
        with pytest.raises(StoreError, match="does not work"):
            write_and_lose(store, server)
        with pytest.raises(StoreError, match="does not work"):
            add(store, record(1))
        server.start()
        keep(store, record(1))
        assert len(said(store)) == 2
        assert [row[1] for row in everything(store)["endpoint"]] == ["acme"]
