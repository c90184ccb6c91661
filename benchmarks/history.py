"""`python -m benchmarks.history`: how fast runs are imported, how large the store gets, how long the pages take.

Makes runs of `--endpoints` by `--releases`, each of the size of a whole run of the bundled contract, adds them to a store
(SQLite in a temporary folder, or `--store URL`), and asks each page in this process. Times are by the clock and of
the processor, of this process alone.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from conformance.contract.load import load_contract
from conformance.history.add import add
from conformance.history.record import read_record
from conformance.history.store import Store, open_store
from conformance.history.web.access import Access
from conformance.history.web.app import make_app

_FLIPS = 6
"""How many requirements change their verdict from one release to the next, on average."""


def documents(endpoints: int, releases: int, seed: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Release and results of each run: verdicts wander, causes come and go, readings flip now and then."""
    contract, dice = load_contract(), random.Random(seed)
    names = [(one.id, one.operation, one.level) for one in contract.requirements.values()]
    codes = [(name, code.code) for name, one in contract.operations.items() for code in one.codes]
    state = {number: dict.fromkeys((name for name, _, _ in names), "pass") for number in range(endpoints)}
    chosen = {number: {one.id: sorted(one.alternatives)[:1] for one in contract.readings.values()} for number in state}
    for release in range(releases):
        for number, verdicts in state.items():
            for name in dice.sample(sorted(verdicts), dice.randint(0, 2 * _FLIPS)):
                verdicts[name] = "pass" if verdicts[name] != "pass" else dice.choice(["fail", "not-verified"])
            if dice.random() < 0.02:
                one = dice.choice(sorted(chosen[number]))
                chosen[number][one] = [dice.choice(sorted(contract.readings[one].alternatives))]
            began = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=release, seconds=number)
            yield f"1.{release}", _document(f"vendor-{number:03}", began, names, verdicts, codes, chosen[number], dice)


def _document(
    endpoint: str, began: datetime, names: Any, verdicts: dict[str, str], codes: Any, chosen: Any, dice: random.Random
) -> dict[str, Any]:
    failing = sorted(name for name, verdict in verdicts.items() if verdict == "fail")
    words = list(verdicts.values())
    count = {word: words.count(word) for word in ("pass", "fail", "waived", "not-verified")}
    verdict = "fail" if failing else "incomplete" if count["not-verified"] else "pass"
    return {
        "schema_version": 1,
        "run": {
            "id": f"{dice.getrandbits(128):032x}", "tool_version": "0.1.0", "specs_digest": "0" * 64, "seed": 0,
            "started_at": began.isoformat(), "duration_s": round(dice.uniform(20, 40), 3), "messages_sent": 19405,
            "target": {"name": endpoint},
        },
        "summary": {
            "verdict": verdict, "exit_code": {"fail": 1, "incomplete": 4}.get(verdict, 0), "reasons": [],
            "requirements": count, "carried_out": {"cases": 4426, "of": 4426, "share": 1.0, "not": {}},
        },
        "requirements": [
            {"id": name, "operation": operation, "level": level, "verdict": verdicts[name], "reason": ""}
            for name, operation, level in names
        ],
        "error_codes": [
            {"operation": operation, "code": code, "transport": "http", "media_type": "application/json",
             "verdict": "pass", "reason": ""}
            for operation, code in codes
        ],
        "readings": [{"id": name, "observed": dict.fromkeys(seen, 3), "pinned": None} for name, seen in chosen.items()],
        "waivers": [],
        "causes": [_cause(name, dice) for name in failing[:8]],
        "cases": [],
    }  # fmt: skip


def _cause(name: str, dice: random.Random) -> dict[str, Any]:
    finding = {
        "requirement": name,
        "message": "wrong",
        "expected": "4xx",
        "actual": f"{dice.randint(1, 9)}",
        "at": "status",
    }
    return {
        "id": f"{name}/status/status", "kind": "form", "operation": "op", "requirement": name, "requirements": [name],
        "check": "status", "message": "an error under a status of success", "document": "page", "place": "Errors",
        "text": "An error has a status of its own.", "cases": dice.choice([3, 3, 3, 4]), "of": 100,
        "only_when": {"format": "XML"}, "example": "op/x@http", "finding": finding, "follows": [],
    }  # fmt: skip


def fill(store: Store, endpoints: int, releases: int, folder: Path) -> dict[str, float]:
    """Write each run as a file and add it; what reading and adding took."""
    file = folder / "results.json"
    spent = {"processor_s": 0.0, "clock_s": 0.0, "runs": 0.0}
    for release, document in documents(endpoints, releases):
        file.write_bytes(orjson.dumps(document))
        clock, processor = time.perf_counter(), time.process_time()
        add(store, read_record(file), release=release)
        spent["processor_s"] += time.process_time() - processor
        spent["clock_s"] += time.perf_counter() - clock
        spent["runs"] += 1
    return spent


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was sent, and what it took: by the clock, and of this process alone; the best of three."""

    text: str
    clock_ms: float
    processor_ms: float


def pages(store: Store, paths: list[str]) -> dict[str, Page]:
    """Each path asked for three times, as a server in this process would be. Raises `SystemExit` unless the answer is 200."""
    app = make_app(store, Access())

    async def ask(path: str) -> Page:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        plain, _, query = path.partition("?")
        clock, processor = time.perf_counter(), time.process_time()
        await app(
            {"type": "http", "method": "GET", "path": plain, "raw_path": plain.encode(), "query_string": query.encode(),
             "root_path": "", "scheme": "http", "headers": [(b"host", b"127.0.0.1")], "server": ("127.0.0.1", 80),
             "http_version": "1.1"}, receive, send,
        )  # fmt: skip
        took = [(now - then) * 1000 for now, then in ((time.perf_counter(), clock), (time.process_time(), processor))]
        if sent[0]["status"] != 200:
            raise SystemExit(f"{path}: {sent[0]['status']}")
        return Page(b"".join(one.get("body", b"") for one in sent).decode(), *took)

    found = {}
    for path in paths:
        tries = [asyncio.run(ask(path)) for _ in range(3)]
        best = [min(one.clock_ms for one in tries), min(one.processor_ms for one in tries)]
        found[path] = Page(tries[-1].text, *best)
    return found


def size_of(store: Store) -> int:
    """How many bytes the store takes."""
    with store.reading() as connection:
        if not store.is_sqlite:
            return int(connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one())
        (file,) = connection.execute(sa.text("SELECT file FROM pragma_database_list WHERE name = 'main'")).scalars()
    return sum(Path(f"{file}{end}").stat().st_size for end in ("", "-wal") if Path(f"{file}{end}").exists())


def main() -> None:
    """Measure, and print each figure on a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__.partition("\n")[0])
    parser.add_argument("--endpoints", type=int, default=200)
    parser.add_argument("--releases", type=int, default=100)
    parser.add_argument("--store", help="a URL; default: SQLite in a temporary folder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open_store(chosen.store or f"sqlite:///{folder}/h.db", create=True) as store:
            spent = fill(store, chosen.endpoints, chosen.releases, folder)
            say = sys.stdout.write
            say(
                f"imported {spent['runs']:.0f} runs: {spent['runs'] / spent['processor_s']:.0f} a second of processor time, "
            )
            say(f"{spent['runs'] / spent['clock_s']:.0f} by the clock\n")
            say(f"the store has {size_of(store) / 1e6:.0f} MB\n")
            requirement = next(iter(load_contract().requirements))
            of = "vendor-000"
            paths = [
                "/", "/?last=100", f"/endpoint?name={of}", f"/endpoint?name={of}&last=100", f"/run?id={of}@1.1",
                f"/requirements?endpoint={of}&last=100", f"/cause?id={requirement}", "/due", "/search?q=TPP",
                f"/compare?old={of}@1.0&new={of}",
            ]  # fmt: skip
            say("   clock  processor\n")
            for path, page in pages(store, paths).items():
                say(f"{page.clock_ms:5.0f} ms  {page.processor_ms:6.0f} ms  {path}\n")


if __name__ == "__main__":
    main()
