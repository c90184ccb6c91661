"""Small results documents, and stores to keep them in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.history import pages
from conformance.history.add import add, state_at
from conformance.history.record import Record, record_of
from conformance.history.store import Store
from conformance.history.tables import CHANGE, CONTENT, ENDPOINT, LINE, RUN

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def cause(requirement: str = "R-1", **more: Any) -> dict[str, Any]:
    """A cause as `results.json` has it."""
    finding = {"requirement": requirement, "message": "wrong", "expected": "1", "actual": "2", "at": "/a"}
    return {
        "id": f"{requirement}/check/at", "kind": "form", "operation": "op.call", "requirement": requirement,
        "requirements": [requirement], "check": "schema", "message": "wrong", "document": "doc", "place": "here",
        "text": "It is right.", "cases": 3, "of": 10, "only_when": {"format": "XML"}, "example": "op/x/y@http",
        "finding": finding, "follows": [], **more,
    }  # fmt: skip


def document(
    number: int = 0,
    requirements: Mapping[str, str] | None = None,
    *,
    endpoint: str = "acme",
    causes: Sequence[Mapping[str, Any]] = (),
    readings: Mapping[str, Sequence[str]] | None = None,
    waivers: Sequence[Mapping[str, Any]] = (),
    carried_out: int = 10,
    run_id: str = "",
) -> dict[str, Any]:
    """The results of the run that began `number` days after the first."""
    verdicts = requirements or {"R-1": "pass", "R-2": "pass"}
    count = {name: list(verdicts.values()).count(name) for name in ("pass", "fail", "waived", "not-verified")}
    verdict = "fail" if count["fail"] else "pass"
    return {
        "schema_version": 1,
        "run": {
            "id": run_id or f"{endpoint}-{number:03}", "tool_version": "0.1.0", "specs_digest": "d" * 64, "seed": 0,
            "started_at": (FIRST + timedelta(days=number)).isoformat(), "duration_s": 1.5, "messages_sent": 9,
            "target": {"name": endpoint, "waivers": list(waivers)},
        },
        "summary": {
            "verdict": verdict, "exit_code": int(verdict == "fail"), "reasons": [], "requirements": count,
            "carried_out": {"cases": carried_out, "of": 10, "share": carried_out / 10, "not": {}},
        },
        "requirements": [
            {"id": name, "operation": "op.call", "level": "must", "verdict": one, "reason": ""}
            for name, one in verdicts.items()
        ],
        "error_codes": [
            {"operation": "op.call", "code": "20", "media_type": "application/json", "transport": "http",
             "verdict": "pass", "reason": ""}
        ],
        "readings": [
            {"id": name, "observed": dict.fromkeys(seen, 2), "pinned": None} for name, seen in (readings or {}).items()
        ],
        "waivers": [],
        "causes": list(causes),
        "cases": [],
    }  # fmt: skip


def record(*args: Any, **keys: Any) -> Record:
    """The record of such a document."""
    return record_of(document(*args, **keys), "somewhere")


def keep(store: Store, *records: Record) -> None:
    """Add runs, each with its number as release."""
    for one in records:
        add(store, one, release=f"r{one.id.rpartition('-')[2]}")


def keep_many(store: Store) -> None:
    """200 endpoints with 100 runs each, as rows of runs alone: what the page of all endpoints reads."""
    like = {
        "digest": "d" * 64, "tool_version": "0.1.0", "specs_digest": "0" * 64, "seed": 0, "duration_s": 1.5, "exit_code": 0,
        "started_at": FIRST.isoformat(), "reasons": "[]", "carried_out": 10, "cases": 10, "requirements_pass": 2,
        "requirements_fail": 0, "requirements_waived": 0, "requirements_not_verified": 0,
    }  # fmt: skip
    words = ("pass", "fail", "incomplete")
    with store.writing() as connection:
        connection.execute(ENDPOINT.insert(), [{"id": one + 1, "name": f"vendor-{one:03}"} for one in range(200)])
        rows = [
            {**like, "id": f"{number:032x}", "endpoint_id": number % 200 + 1, "at": number, "release": f"1.{number // 200}",
             "verdict": words[number % 3], "causes": number % 5}
            for number in range(20_000)
        ]  # fmt: skip
        connection.execute(RUN.insert(), rows)


def look_at_many(store: Store) -> None:
    """Assert that the pages of `keep_many` are whole, and that each takes this process less than its promise."""
    with ThreadPoolExecutor(1) as pool:  # a browser of other tests may have an event loop here
        found = pool.submit(pages, store, ["/?last=20", "/?last=100"]).result()
    for last, page in zip((20, 100), found.values(), strict=True):
        assert page.text.count('<a href="/run?id=') == 200 * last
        assert page.text.count("vendor-") == 3 * 200
        assert f'id={19_999:032x}" title="1.99: fail, 4 causes">F</a>' in page.text
        assert f'id={20_000 - last * 200:032x}"' in page.text
        assert f'id={20_000 - last * 200 - 1:032x}"' not in page.text
        assert page.processor_ms < 200, "65 where it was written; the promise is 300 by the clock"


def write(folder: Path, content: Mapping[str, Any] | bytes) -> Path:
    """A report folder with these results."""
    folder.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    (folder / "results.json").write_bytes(data)
    return folder


def said(store: Store) -> dict[str, dict[tuple[str, str], bytes]]:
    """What each run says of every line, read from the changes alone."""
    with store.reading() as connection:
        bodies = {number: bytes(body) for number, body in connection.execute(sa.select(CONTENT.c.id, CONTENT.c.body))}
        lines = {row.id: (row.kind, row.name) for row in connection.execute(sa.select(LINE))}
        return {
            row.id: {
                lines[line]: bodies[value]
                for line, value in state_at(connection, row.endpoint_id, row.at).items()
                if value is not None
            }
            for row in connection.execute(sa.select(RUN)).all()
        }


def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with store.reading() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for table in (ENDPOINT, CONTENT, RUN, LINE, CHANGE)
        }
