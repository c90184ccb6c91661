"""Runs in the store: each kept whole or not at all, once, whatever the order; and the store's own troubles."""

from __future__ import annotations

import itertools
import json
import random
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from history_support import FIRST, cause, document, everything, keep, record, said, write

from conformance.errors import ConformanceError, JournalError, UsageError
from conformance.history.add import add
from conformance.history.keep import forget, forget_reports, outdated
from conformance.history.record import read_record, record_of
from conformance.history.store import Store, StoreError, open_bare, open_store, revisions, upgrade
from conformance.history.tables import CHANGE, CONTENT, LINE, METADATA


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/h.db", create=True) as opened:
        yield opened


def some_runs(seed: int = 3, count: int = 6) -> list[Any]:
    """Runs in which lines come, change, go and come back."""
    dice = random.Random(seed)
    found = []
    for number in range(count):
        names = [name for name in ("R-1", "R-2", "R-3") if dice.random() < 0.7] or ["R-1"]
        verdicts = {name: dice.choice(["pass", "fail", "not-verified"]) for name in names}
        causes = [cause("R-1", cases=dice.randint(1, 2))] if dice.random() < 0.5 else []
        found.append(record(number, verdicts, causes=causes, readings={"q": [dice.choice("ab")]}))
    return found


def test_same_run_twice_changes_nothing(store: Store) -> None:
    assert add(store, record(1, causes=[cause()])) == "added"
    before = everything(store)
    assert add(store, record(1, causes=[cause()])) == "unchanged"
    assert everything(store) == before


def test_only_changes_are_kept(store: Store) -> None:
    keep(store, *(record(number) for number in range(5)))
    with store.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(CHANGE)).scalar() == 3
        assert connection.execute(sa.select(sa.func.count()).select_from(LINE)).scalar() == 3


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_what_each_run_says_does_not_hang_on_order_of_adding(store: Store, order: tuple[int, ...]) -> None:
    runs = some_runs(count=4)
    keep(store, *(runs[number] for number in order))
    assert said(store) == {run.id: dict(run.lines) for run in runs}
    assert_lines_say_the_latest(store, runs[-1])
    assert_changes_are_changes(store)


@pytest.mark.parametrize("seed", range(4))
def test_taking_runs_out_leaves_what_others_say(store: Store, seed: int) -> None:
    runs = some_runs(seed, 7)
    keep(store, *runs)
    dice = random.Random(seed)
    gone = dice.sample(runs, 4)
    forget(store, tuple(run.id for run in gone))
    left = [run for run in runs if run not in gone]
    assert said(store) == {run.id: dict(run.lines) for run in left}
    assert_lines_say_the_latest(store, left[-1])
    assert_changes_are_changes(store)
    with store.reading() as connection:
        used = {body for (body,) in connection.execute(sa.select(CONTENT.c.body))}
    assert {bytes(body) for body in used if bytes(body)[:1] == b"{"} == {
        one for run in left for one in run.lines.values()
    }


def assert_lines_say_the_latest(store: Store, latest: Any) -> None:
    with store.reading() as connection:
        query = sa.select(LINE.c.kind, LINE.c.name, CONTENT.c.body).join(CONTENT, LINE.c.value_id == CONTENT.c.id)
        assert {(kind, name): bytes(body) for kind, name, body in connection.execute(query)} == dict(latest.lines)


def assert_changes_are_changes(store: Store) -> None:
    with store.reading() as connection:
        rows = connection.execute(sa.select(CHANGE).order_by(CHANGE.c.line_id, CHANGE.c.at)).all()
    for one, other in itertools.pairwise(rows):
        assert one.line_id != other.line_id or one.value_id != other.value_id
    firsts = [next(mine) for _, mine in itertools.groupby(rows, key=lambda row: row.line_id)]
    assert all(row.value_id is not None for row in firsts)


def test_evidence_of_cause_is_kept_once(store: Store, tmp_path: Path) -> None:
    keep(store, record(0), record(1, causes=[cause()]), record(2, causes=[cause()]), record(3, causes=[cause(cases=9)]))
    with store.reading() as connection:
        kept = connection.execute(sa.select(CHANGE.c.evidence_id).where(CHANGE.c.evidence_id.is_not(None))).scalars()
        assert len(set(kept.all())) == 1


def test_messages_of_example_come_from_journal(tmp_path: Path) -> None:
    folder = write(tmp_path / "r", document(0, causes=[cause()]))
    evidence = {"sent": "POST /", "received": "HTTP/1.1 200", "truncated": False}
    case = {"type": "case", "id": "op/x/y@http", "exchanges": [{"purpose": "judged", "evidence": evidence}]}
    lines = [{"type": "header", "shard": ""}, {"type": "case", "id": "other"}, case]
    (folder / "journal.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    (packed,) = read_record(folder).evidence.values()
    assert json.loads(zlib.decompress(packed))["messages"] == [{"sent": "POST /", "received": "HTTP/1.1 200"}]


def test_run_continued_takes_place_of_its_first_part(store: Store) -> None:
    part, whole = record(1, {"R-1": "not-verified"}, carried_out=4), record(1, {"R-1": "pass"})
    assert [add(store, one) for one in (part, whole, whole)] == ["added", "replaced", "unchanged"]
    with pytest.raises(JournalError, match="fuller record"):
        add(store, part)
    assert said(store) == {whole.id: dict(whole.lines)}


def test_runs_of_one_second_are_both_kept(store: Store) -> None:
    keep(store, record(1, run_id="a-1"), record(1, {"R-1": "fail"}, run_id="a-2"), record(1, run_id="a-3"))
    assert len(said(store)) == 3


def test_run_of_another_endpoint_is_refused(store: Store) -> None:
    add(store, record(1), endpoint="one")
    with pytest.raises(JournalError, match="of the endpoint one"):
        add(store, record(1), endpoint="two")
    assert add(store, record(1), release="2.0") == "labelled"


HOSTILE = "\x00\x1b[31m\ud800\u202e<script>'; DROP TABLE run; --"


def test_hostile_texts_are_kept_visible(store: Store) -> None:
    hostile = document(1, {HOSTILE: "pass"}, endpoint=HOSTILE, causes=[cause(message=HOSTILE, id=HOSTILE + "x" * 9999)])
    hostile["requirements"][0]["reason"] = HOSTILE * 1000
    add(store, record_of(hostile, "x"), release=HOSTILE)
    names = {name for _, name in next(iter(said(store).values()))}
    assert any(name.startswith("\\u0000\\u001b[31m\\ud800\\u202e<script>") for name in names)
    assert max(map(len, names)) < 400


def broken(**changes: Any) -> dict[str, Any]:
    return {**document(), **changes}


BAD = [
    (broken(schema_version=2), "schema_version 2; this tool reads 1"),
    (json.dumps(document()).encode()[:-40], "not JSON"),
    (b"", "not JSON"),
    (b"[" * 100_000, "not JSON"),
    (b"[]", "no results.json of schema_version 1"),
    (broken(schema_version=True, run=None), "no results.json"),
    (broken(run={}), "no results.json that can be kept: KeyError"),
    (broken(requirements=[{"id": 5}]), "5 is no text"),
    (broken(requirements=[{"id": f"R-{n}", "verdict": "pass", "reason": "", "operation": "o", "level": "must"} for n in range(20_001)]), "lines"),
    (broken(causes=[cause(cases=10**30)]), "no number that a run has"),
    (broken(causes=[cause(cases=True)]), "no number that a run has"),
    (broken(causes={}), "is no list"),
    (broken(summary={**document()["summary"], "verdict": "<b>"}), "is no verdict"),
    (broken(run={**document()["run"], "started_at": "yesterday"}), "ValueError"),
    (broken(run={**document()["run"], "id": ""}), "no id"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "words"), BAD, ids=lambda one: one if isinstance(one, str) else "")
def test_what_is_no_results_file_is_refused(tmp_path: Path, content: Any, words: str) -> None:
    with pytest.raises(ConformanceError, match=words.replace("(", r"\(")) as caught:
        read_record(write(tmp_path / "r", content))
    assert len(str(caught.value)) < 1000


def test_huge_file_is_refused_unread(tmp_path: Path) -> None:
    folder = write(tmp_path / "r", b"{")
    with (folder / "results.json").open("r+b") as file:
        file.truncate(65 * 1024 * 1024)
    with pytest.raises(JournalError, match="too large"):
        read_record(folder)


def test_shard_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "r", document())
    (folder / "journal.jsonl").write_text(json.dumps({"type": "header", "shard": "1/2"}) + "\n", "utf-8")
    with pytest.raises(JournalError, match="shard 1/2"):
        read_record(folder)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nothing", "is no URL"), ("mysql://h/x", "cannot be kept in mysql"), ("sqlite://", "names no file"),
        ("oracle+x:y://", "URL|kept"), ("postgresql://u:p4ssw0rd@h:notaport/x", "is no URL"),
    ],
)  # fmt: skip
def test_url_of_no_store_is_refused(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        open_store(url)
    assert "p4ssw0rd" not in str(caught.value)


def test_store_that_is_not_there_is_not_made_by_a_question(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        open_store(f"sqlite:///{tmp_path}/none.db")
    assert list(tmp_path.iterdir()) == []


def test_store_of_newer_revision_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/h.db"
    with open_store(url, create=True) as store, store.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    for create in (True, False):
        with pytest.raises(StoreError, match="of revision 9999, which this tool does not know"):
            open_store(url, create=create)


def test_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "h.db") as connection:
        connection.execute("CREATE TABLE run (x)")
    with pytest.raises(StoreError, match="of something else"):
        open_store(f"sqlite:///{tmp_path}/h.db", create=True)
    (tmp_path / "text.db").write_text("not a database, but a text that is long enough to be looked at" * 99)
    with pytest.raises(StoreError, match="not a database"):
        open_store(f"sqlite:///{tmp_path}/text.db", create=True)


def test_read_only_store_answers_and_keeps_nothing(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/h.db", create=True) as store:
        keep(store, record(1))
    with open_store(f"sqlite:///file:{tmp_path}/h.db?mode=ro&uri=true", create=True) as store:
        assert len(said(store)) == 1
        with pytest.raises(StoreError, match="readonly"):
            add(store, record(2))


def test_full_store_keeps_nothing_of_a_run(store: Store) -> None:
    keep(store, record(1))
    before = everything(store)
    with store.reading() as connection:
        pages = connection.execute(sa.text("PRAGMA page_count")).scalar_one()

    def limit(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    store.engine.dispose()
    sa.event.listen(store.engine, "connect", limit)
    with pytest.raises(StoreError, match="full") as caught:
        add(store, record(2, {f"R-{n}": "pass" for n in range(3000)}))
    assert "Make room" in caught.value.hint
    assert everything(store) == before


ADD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from history_support import record
from conformance.history.add import add
from conformance.history.store import open_store
with open_store(sys.argv[1], create=True) as store:
    for number in range(7):
        add(store, record(number, {"R-1": "pass" if number % 2 else "fail"}, endpoint=sys.argv[2]))
        add(store, record(number, {"R-1": "pass" if number % 3 else "fail"}, endpoint="both"))
"""


def test_importers_at_once_keep_everything(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/h.db"
    words = [sys.executable, "-c", ADD, url]
    here = str(Path(__file__).parent)
    crew = [subprocess.Popen([*words, name, here], stderr=subprocess.PIPE) for name in ("a", "b")]
    assert [(one.communicate(timeout=100)[1], one.returncode) for one in crew] == [(b"", 0)] * 2
    with open_store(url) as store:
        both = [record(n, {"R-1": "pass" if n % 3 else "fail"}, endpoint="both") for n in range(7)]
        kept = said(store)
        assert len(kept) == 21
        assert {run.id: kept[run.id] for run in both} == {run.id: dict(run.lines) for run in both}
        assert_changes_are_changes(store)


def test_tables_of_queries_are_those_of_the_newest_revision(store: Store) -> None:
    inspector = sa.inspect(store.engine)
    for table in METADATA.sorted_tables:
        there = {column["name"]: column["nullable"] for column in inspector.get_columns(table.name)}
        assert there == {column.name: bool(column.nullable) for column in table.columns}


def test_retention_goes_by_age_and_by_release(store: Store) -> None:
    keep(store, *(record(number) for number in range(6)), record(0, endpoint="old"))
    add(store, record(4, run_id="again"), release="r004")
    now = FIRST + timedelta(days=10)
    assert outdated(store, now, days=7) == ("acme-000", "acme-001", "acme-002")
    assert outdated(store, now, releases=2) == ("acme-000", "acme-001", "acme-002", "acme-003")
    assert outdated(store, now, days=0) == ("acme-000", "acme-001", "acme-002", "acme-003", "acme-004", "again")


def test_reports_go_before_runs(store: Store, tmp_path: Path) -> None:
    for number in range(3):
        folder = write(tmp_path / str(number), document(number))
        (folder / "report.html").write_text(f"<p>{number}" * 5000, "utf-8")
        add(store, read_record(folder))
    forget_reports(store, 1)
    forget(store, ())
    store.vacuum()
    assert len(said(store)) == 3
    with store.reading() as connection:
        bodies = [bytes(body) for (body,) in connection.execute(sa.select(CONTENT.c.body))]
    assert [zlib.decompress(body)[:4] for body in bodies if body[:1] != b"{"] == [b"<p>2"]


@pytest.mark.parametrize("revision", [one.revision for one in revisions()])
def test_store_of_each_revision_is_brought_up_with_its_runs(tmp_path: Path, revision: str) -> None:
    url = f"sqlite:///{tmp_path}/h.db"
    (tmp_path / "h.db").touch()
    with pytest.raises(StoreError, match="holds no runs yet"):
        open_store(url)
    with open_bare(url) as store:
        upgrade(store, revision)
    with sqlite3.connect(tmp_path / "h.db") as connection:
        connection.executescript(RUNS_OF[revision])
    with open_store(url, create=True) as store:
        assert said(store)["old"] == {("requirement", "R-1"): b"{}"}
        keep(store, record(1))
        assert len(said(store)) == 2


RUNS_OF = {
    "0001": """
    INSERT INTO endpoint VALUES (1, 'acme'); INSERT INTO content VALUES (1, x'00', CAST('{}' AS BLOB));
    INSERT INTO run VALUES ('old', 1, 5, '1.0', 'd', '2020-01-01', 1.0, '0.1.0', 'c', 0, 'pass', 0, '[]', 1, 1, 1, 0, 0, 0, 0, NULL);
    INSERT INTO line VALUES (1, 1, 'requirement', 'R-1', 1, 5); INSERT INTO change VALUES (1, 5, 1, NULL);
    """
}
"""A run as each revision kept it."""
