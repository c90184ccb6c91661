"""Judges one endpoint: a run of its own process in a folder of its own, kept in the store, changes told.

The folder of an endpoint holds `now`, the run that is under way or was cut off, and `runs`, those that are kept in the
store. A run that was cut off is continued. Whatever is killed at whatever moment, the next one finds it: `now` is moved
to `runs` last, after the store has the run and the hooks were told.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.endpoint.reference import program
from conformance.errors import INTERRUPTED, ConfigurationError, ConformanceError, JournalError
from conformance.fleet.events import Told, events_of, unreachable
from conformance.fleet.file import Endpoint, Fleet, options_of
from conformance.fleet.hooks import Teller
from conformance.report.journal import FILE_NAME as JOURNAL
from conformance.report.journal import hold
from conformance.report.safe_text import shortened, visible

if TYPE_CHECKING:
    from conformance.history.record import Record

JUDGED = (0, 1, 4)
"""The exit codes of a run that gave a verdict on the endpoint."""
UNREACHABLE, BUSY = 3, -1
_WORST = (1, 5, 2, INTERRUPTED, UNREACHABLE, 4, 0)
_LONGEST_END_S = 20.0
_MOST_SAID = 4_000


@dataclass(frozen=True, slots=True)
class Order:
    """That an endpoint is to be judged, unless a run that began at `since` or later has judged it."""

    endpoint: str
    since: datetime
    release: str = ""
    part: int = 1
    parts: int = 1

    @property
    def shard(self) -> str:
        """As `--shard` has it; empty for the whole."""
        return f"{self.part}/{self.parts}" if self.parts > 1 else ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an order: the exit code of the run, or `BUSY`; `words` for whoever watches."""

    order: Order
    code: int
    words: str
    judged: bool = False
    """Whether a run gave a verdict now, and the store has it."""
    again_in_s: float | None = None
    """After how long it is to be tried again; None where that is no use."""


def worst(codes: Sequence[int]) -> int:
    """The exit code that says the most: violated, failed, unusable, interrupted, unreachable, incomplete, conformant."""
    return min((code if code in _WORST else 5 for code in codes), key=_WORST.index, default=0)


class Judging:
    """Judges endpoints of a fleet; `store` is the URL of the store."""

    def __init__(self, fleet: Fleet, store: str, teller: Teller, *, stop_s: float = 10.0) -> None:
        """`stop_s` is how long a run that is ended may take to clean up."""
        self.fleet, self.store, self.teller, self._stop_s = fleet, store, teller, stop_s

    async def judge(self, order: Order) -> Outcome:
        """Judge an endpoint. A cancelled one has ended its run, which the next order continues."""
        endpoint = self.fleet.endpoints[order.endpoint]
        home = self.fleet.folder / order.endpoint
        try:
            home.mkdir(parents=True, exist_ok=True)
            return await self._judge_alone(order, endpoint, home)
        except OSError as error:  # a run that has ended stays where it is, and the next call keeps it
            where, why = error.filename or home, error.strerror or error
            words = f"{where}: cannot be written: {why}; make room there, or give another folder in the fleet file"
            return Outcome(order, ConfigurationError.exit_code, words)

    async def _judge_alone(self, order: Order, endpoint: Endpoint, home: Path) -> Outcome:
        with contextlib.ExitStack() as held:
            mine = held.enter_context(_held(home / "lock", shared=order.parts > 1))
            if mine and order.parts > 1:
                mine = held.enter_context(_held(home / f"lock-{order.part}"))
            if not mine:
                return Outcome(order, BUSY, "is being judged by another process", again_in_s=_BUSY_S)
            try:
                outcome = await self._judge(order, endpoint, home)
            except ConformanceError as error:
                store = _is_of_store(error)
                outcome = Outcome(order, error.exit_code, str(error), again_in_s=_BUSY_S if store else None)
            if outcome.code not in (*JUDGED, INTERRUPTED, BUSY) and not (outcome.code == 2 and outcome.again_in_s):
                return await self._failed(outcome, endpoint, home)
            return outcome

    async def _judge(self, order: Order, endpoint: Endpoint, home: Path) -> Outcome:
        now = _part(home, order.part, order.parts) if order.parts > 1 else home / "now"
        if order.parts == 1 and _code_of(now) in JUDGED:  # killed before the store had it
            await self._keep(order, endpoint, home, now)
        if await asyncio.to_thread(self._is_judged, order):
            return Outcome(order, 0, "is judged already")
        trouble = trouble_of(home)
        if trouble is not None and trouble.given_up and datetime.fromisoformat(trouble.at) >= order.since:
            return Outcome(order, 0, f"could not be judged (exit {trouble.code}), and waits until it is due again")
        if order.parts > 1 and _code_of(now) in JUDGED and _is_of(now, order):
            return await self._join(order, endpoint, home)
        resumed = self._prepare(order, now)
        code, said = await self._run(order, endpoint, now)
        if code == 2 and resumed:  # another tool, contract or target than when it began
            _put_away(now, home)
            self._prepare(order, now)
            code, said = await self._run(order, endpoint, now)
        if code == UNREACHABLE:
            said = _reason_of(now) or said
        if code not in JUDGED or _code_of(now) is None:
            return Outcome(order, code if code not in JUDGED else 5, said)
        if order.parts > 1:
            return await self._join(order, endpoint, home)
        return await self._keep(order, endpoint, home, now)

    def _is_judged(self, order: Order) -> bool:
        last = last_judged(self.store, order.endpoint).get(order.endpoint)
        return last is not None and last >= order.since.replace(microsecond=0)  # a run tells whole seconds

    def _prepare(self, order: Order, now: Path) -> bool:
        """Make the folder of the run, or leave the one that is continued; whether it is continued."""
        bound = timedelta(minutes=self.fleet.file.resume_within_min)
        journal = now / JOURNAL
        if journal.exists():
            age = datetime.now(UTC) - datetime.fromtimestamp(journal.stat().st_mtime, UTC)
            if age <= bound and _is_of(now, order):
                return True
        _put_away(now, now.parent)
        now.mkdir(parents=True)
        note = {"release": order.release, "begun": datetime.now(UTC).isoformat(), "shard": order.shard}
        _write(now / _NOTE, note)
        return False

    async def _run(self, order: Order, endpoint: Endpoint, now: Path) -> tuple[int, str]:
        await _free(now / JOURNAL)
        words = ["run", "--quiet", "--resume", "--report", str(now), "--room", str(now.parent / "room")]
        words += options_of(self.fleet, endpoint)
        return await self._finish(words + (["--shard", order.shard] if order.shard else []))

    async def _failed(self, outcome: Outcome, endpoint: Endpoint, home: Path) -> Outcome:
        """Note that the endpoint could not be judged; one that is out of reach is told of once, and tried again."""
        trouble = trouble_of(home)
        again = outcome.code == UNREACHABLE and (trouble is None or trouble.code == UNREACHABLE)
        tries = trouble.tries + 1 if trouble is not None and again else 1
        now = datetime.now(UTC)
        if outcome.code == UNREACHABLE and (trouble is None or not trouble.told):
            name = outcome.order.endpoint
            await self.teller.tell((unreachable(name, endpoint.owner, outcome.words, now),))
        told = outcome.code == UNREACHABLE or (trouble is not None and trouble.told)
        given_up = outcome.code != UNREACHABLE or tries > self.fleet.file.retries
        _write(home / _TROUBLE, asdict(Trouble(outcome.code, tries, now.isoformat(), given_up, told)))
        if given_up:
            return outcome
        return replace(outcome, again_in_s=self.fleet.file.retry_after_s * 2.0 ** (tries - 1))

    async def _join(self, order: Order, endpoint: Endpoint, home: Path) -> Outcome:
        """Join the parts of a run once all are there, and keep the whole; until then say which are missing."""
        parts = [_part(home, number, order.parts) for number in range(1, order.parts + 1)]
        with _held(home / "lock-join") as mine:
            if not mine:  # it may have looked before this part was there
                said = f"shard {order.shard} is judged; another process joins them"
                return Outcome(order, BUSY, said, again_in_s=_BUSY_S)
            missing = missing_parts(home, order)
            if missing:
                said = f"shard {order.shard} is judged; missing: shard {', '.join(missing)}"
                return Outcome(order, _code_of(parts[order.part - 1]) or 0, said)
            now = home / "now"
            _put_away(now, home)
            words = ["report", "merge", *map(str, parts), "--out", str(now)]
            specs = self.fleet.specs_of(endpoint)
            code, said = await self._finish([*words, *([] if specs is None else ["--specs", str(specs)])])
            if _code_of(now) is None:
                return Outcome(order, 5 if code in JUDGED else code, f"the shards cannot be joined: {said}")
            shutil.copy(parts[0] / _NOTE, now / _NOTE)
            outcome = await self._keep(order, endpoint, home, now)
            for part in parts:
                shutil.rmtree(part, ignore_errors=True)
            return outcome

    async def _finish(self, words: Sequence[str]) -> tuple[int, str]:
        """Run a command to its end: its exit code, and the end of what it said on standard error."""
        async with _process(words, self.fleet.root, self._stop_s) as process:
            assert process.stderr is not None
            said = b""
            while piece := await process.stderr.read(65536):
                said = (said + piece)[-_MOST_SAID:]
            code = await process.wait()
        return (5 if code < 0 else code), said.decode("utf-8", "replace").strip() or f"exit {code}"

    async def _keep(self, order: Order, endpoint: Endpoint, home: Path, now: Path) -> Outcome:
        """Add the run to the store, tell the hooks, and move its folder to those that are done with."""
        release = _note(now).get("release", "") or order.release
        record, told = await asyncio.to_thread(self._add, order.endpoint, endpoint.owner, release, now)
        await self.teller.tell(told)
        (now / "told").touch()
        (home / _TROUBLE).unlink(missing_ok=True)
        _put_away(now, home, record.id)
        _prune(home, self.fleet.file.keep_runs)
        code, verdict = int(record.run["exit_code"]), record.run["verdict"]
        return Outcome(replace(order, release=release), code, f"{verdict} (exit {code})", judged=True)

    def _add(self, endpoint: str, owner: str, release: str, now: Path) -> tuple[Record, tuple[Told, ...]]:
        """Add a run to the store: its record, and the events of it that were not told yet."""
        from conformance.history.add import add
        from conformance.history.record import read_record
        from conformance.history.store import open_store

        record = read_record(now)
        with open_store(self.store, create=True) as store:
            add(store, record, endpoint=endpoint, release=release)
            return record, () if (now / "told").exists() else events_of(store, record.id, endpoint, owner)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an endpoint could not be judged when it was last tried; gone once it was judged."""

    code: int
    tries: int
    at: str
    given_up: bool
    """Not tried again before it is due the next time."""
    told: bool


def trouble_of(home: Path) -> Trouble | None:
    """The trouble that is noted in the folder of an endpoint."""
    try:
        return Trouble(**json.loads((home / _TROUBLE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _is_of_store(error: ConformanceError) -> bool:
    from conformance.history.store import StoreError

    return isinstance(error, StoreError)


def _write(path: Path, value: Mapping[str, object]) -> None:
    """Write it whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(value), "utf-8")
    part.replace(path)


_TROUBLE = "trouble.json"
_BUSY_S = 2.0
_NOTE = "order.json"


def last_judged(url: str, *endpoints: str) -> dict[str, datetime]:
    """When the last run that gave a verdict began, by endpoint. Raises `StoreError`."""
    import sqlalchemy as sa

    from conformance.history.store import open_store, parsed_url
    from conformance.history.tables import ENDPOINT, RUN

    parsed = parsed_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).exists():
        return {}
    with open_store(url, create=True) as store, store.reading() as connection:
        query = (
            sa.select(ENDPOINT.c.name, sa.func.max(RUN.c.at))
            .join(RUN)
            .where(RUN.c.exit_code.in_(JUDGED))
            .group_by(ENDPOINT.c.name)
        )
        if endpoints:
            query = query.where(ENDPOINT.c.name.in_(endpoints))
        return {name: datetime.fromtimestamp(at / 1e6, UTC) for name, at in connection.execute(query)}


def _code_of(folder: Path) -> int | None:
    """The exit code of a run that has written its results; None for one that has not."""
    try:
        return int(json.loads((folder / "results.json").read_bytes())["summary"]["exit_code"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _reason_of(folder: Path) -> str:
    """What a run says of how it ended; empty where it says nothing."""
    try:
        return "; ".join(map(str, json.loads((folder / "results.json").read_bytes())["summary"]["reasons"]))
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _note(folder: Path) -> dict[str, str]:
    try:
        note = json.loads((folder / _NOTE).read_bytes())
        return {str(key): str(value) for key, value in note.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _is_of(folder: Path, order: Order) -> bool:
    """Whether a run that was begun is for this order: its release, its part, and not begun before it was due."""
    note = _note(folder)
    with contextlib.suppress(KeyError, ValueError, TypeError):
        begun = datetime.fromisoformat(note["begun"])
        return (note["release"], note["shard"]) == (order.release, order.shard) and begun >= order.since
    return False


def _part(home: Path, number: int, parts: int) -> Path:
    return home / f"part-{number}-of-{parts}"


def begun_parts(home: Path, order: Order) -> Order | None:
    """The order for the release of the shards that were begun; None where there are none."""
    notes = [_note(_part(home, number, order.parts)) for number in range(1, order.parts + 1)]
    return next((replace(order, release=note["release"]) for note in notes if "release" in note), None)


def missing_parts(home: Path, order: Order) -> list[str]:
    """The shards of a run that have no verdict yet."""
    orders = [replace(order, part=number) for number in range(1, order.parts + 1)]
    folders = {one.shard: _part(home, one.part, one.parts) for one in orders}
    return [
        one.shard for one in orders if _code_of(folders[one.shard]) not in JUDGED or not _is_of(folders[one.shard], one)
    ]


def _put_away(folder: Path, home: Path, run: str = "") -> None:
    """Move a run to those that are done with; what it left open at the target can still be taken back from there."""
    if not (folder / JOURNAL).exists():
        shutil.rmtree(folder, ignore_errors=True)  # it has sent nothing
        return
    begun = datetime.fromtimestamp(folder.stat().st_mtime, UTC).strftime("%Y%m%dT%H%M%S%f")
    to = home / "runs" / "-".join([begun, re.sub(r"[^A-Za-z0-9-]", "", run)[:36] or "cut-off"])
    to.parent.mkdir(exist_ok=True)
    folder.rename(to)


def _prune(home: Path, most: int) -> None:
    done = sorted(path for path in (home / "runs").iterdir() if path.is_dir())
    for path in done[:-most]:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _held(path: Path, *, shared: bool = False) -> Iterator[bool]:
    """Hold a lock file, alone or with others that share it; whether that could be."""
    import fcntl

    with path.open("ab") as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


async def _free(journal: Path) -> None:
    """Wait until the run of a worker that was killed has ended; it does so by itself."""
    until = asyncio.get_running_loop().time() + _LONGEST_END_S
    while journal.exists():
        try:
            hold(journal).close()
            return
        except JournalError:
            if asyncio.get_running_loop().time() > until:
                raise
            await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def _process(words: Sequence[str], folder: Path, stop_s: float) -> AsyncIterator[asyncio.subprocess.Process]:
    """A run in a process that ends when this one does, however this one ends; its standard input is ours."""
    process = await asyncio.create_subprocess_exec(
        *program("conformance.cli.child", *words), cwd=folder, start_new_session=True,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
            try:
                await asyncio.wait_for(process.communicate(), stop_s)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


def say(outcome: Outcome, *, quiet: bool = False) -> None:
    """A line for whoever watches: what came of an order."""
    if quiet and outcome.code in (0, BUSY):
        return
    shard = f" {outcome.order.shard}" if outcome.order.shard else ""
    text = shortened(visible(outcome.words.replace("\n", "; ")), 600)
    stream: Any = sys.stdout if outcome.judged or outcome.code in (0, BUSY) else sys.stderr
    stream.write(f"{outcome.order.endpoint}{shard}: {text}\n")
    stream.flush()
