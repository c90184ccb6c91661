"""The queue of a fleet in PostgreSQL: any number of workers on any machines, through the library procrastinate.

An order is a job with the lock of its endpoint, so that one worker at a time has it. A worker's heartbeat says that it
lives. One that cannot reach the database ends its runs before others take it for lost, and its jobs are then put back;
the next worker continues the run from the journal in the folder that all of them share.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import procrastinate
import psycopg
import psycopg_pool
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from conformance.errors import ConfigurationError
from conformance.fleet.due import orders_due, parts_of
from conformance.fleet.file import Fleet
from conformance.fleet.judge import Judging, Order, Outcome, say
from conformance.history.store import Store, StoreError, open_store, parsed_url
from conformance.report.safe_text import shortened, visible

_TASK, _QUEUE = "judge", "conformance"
_RESCUE_LOCK = 0x0C10
"""The number of the advisory lock that one worker at a time holds when it puts lost jobs back."""
_LOST = (ConnectorException, psycopg.Error, psycopg_pool.PoolTimeout, StoreError, OSError)
"""What a database that is gone is told by."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a worker looks for what is due, and after how long without a heartbeat one is taken for lost."""

    poll_s: float = 30.0
    lost_after_s: float = 30.0

    @property
    def heartbeat_s(self) -> float:
        """Six heartbeats are missed before a worker is taken for lost; by half of that it has ended its runs."""
        return self.lost_after_s / 6

    @property
    def stop_s(self) -> float:
        """How long a run may take to end when its worker cannot reach the database."""
        return self.lost_after_s / 3


class _Retries(BaseRetryStrategy):
    """Again for a worker that ends; never for a verdict."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002
        return RetryDecision(retry_in={"seconds": 0}) if isinstance(exception, asyncio.CancelledError) else None


def _app(url: str, wait_s: float) -> procrastinate.App:
    conninfo = parsed_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    options = {
        "connect_timeout": max(2, round(wait_s)),
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
    }
    connector = procrastinate.PsycopgConnector(
        conninfo=conninfo, kwargs=options, min_size=1, max_size=6, timeout=wait_s
    )
    return procrastinate.App(connector=connector)


def _prepared(url: str) -> None:
    """Make the store and the tables of the queue. Raises `ConfigurationError` for a store that has no queue."""
    with open_store(url, create=True) as store:
        if store.is_sqlite:
            raise ConfigurationError(
                "workers need a store in PostgreSQL", where="--store", hint="With SQLite, call `conformance fleet run`."
            )
        _make_tables(store)


def _make_tables(store: Store) -> None:
    with store.writing() as connection:
        if connection.exec_driver_sql("SELECT to_regclass('procrastinate_jobs')").scalar() is None:
            raw: Any = connection.connection.driver_connection
            raw.execute(procrastinate.schema.SchemaManager.get_schema())


def enqueue(fleet: Fleet, url: str, orders: Sequence[Order]) -> int:
    """Leave orders to the workers; how many jobs are waiting for them now. One that waits already is not put twice."""
    _prepared(url)

    async def put() -> int:
        app = _app(url, 10.0)
        app.task(name=_TASK, queue=_QUEUE)(_nothing)
        async with app.open_async():
            await _put(app, fleet, orders)
            return len(list(await app.job_manager.list_jobs_async(queue=_QUEUE, status=Status.TODO.value)))

    return asyncio.run(put())


async def _nothing(**_order: object) -> None:
    """The task as those know it who only put orders."""


def _lock(order: Order) -> str:
    return f"{order.endpoint}/{order.part}" if order.parts > 1 else order.endpoint


async def _put(app: procrastinate.App, fleet: Fleet, orders: Sequence[Order]) -> None:
    running = {job.lock for job in await app.job_manager.list_jobs_async(queue=_QUEUE, status=Status.DOING.value)}
    for whole in orders:
        for order in parts_of(fleet, whole):
            if _lock(order) in running:
                continue
            await _put_one(app, order)


async def _put_one(app: procrastinate.App, order: Order, after_s: float | None = None) -> None:
    """Put it into the queue, to be taken after so many seconds, unless the same is waiting there."""
    wait = None if after_s is None else {"seconds": max(1, round(after_s))}
    lock = _lock(order)
    job = app.configure_task(_TASK, queue=_QUEUE, lock=lock, queueing_lock=lock, schedule_in=wait)
    args = {"endpoint": order.endpoint, "since": order.since.isoformat(), "release": order.release}
    with contextlib.suppress(AlreadyEnqueued):
        await job.defer_async(**args, part=order.part, parts=order.parts)


@dataclass(slots=True)
class Worker:
    """A worker: judges what is due until it is stopped, or with `until_idle` until nothing is left to do."""

    fleet: Fleet
    url: str
    judging: Judging
    pace: Pace = field(default_factory=Pace)
    jobs: int = 1
    until_idle: bool = False
    quiet: bool = False
    _running: set[int] = field(default_factory=set)
    _strays: set[int] = field(default_factory=set)
    _worker_ids: set[int] = field(default_factory=set)
    _idle: bool = False

    async def work(self) -> None:
        """Work, and go on when the database is back after it was gone. Raises `ConformanceError` where it never was there."""
        for name in (
            "procrastinate",
            "psycopg",
            "psycopg.pool",
        ):  # what they say of a database that is gone is said here
            logging.getLogger(name).setLevel(logging.CRITICAL)
        await asyncio.to_thread(_prepared, self.url)
        while not self._idle:
            try:
                await self._work()
            except _LOST as error:
                self._say(f"the database is gone, waiting for it: {type(error).__name__}")
            except BaseExceptionGroup as group:
                if group.split(_LOST)[1] is not None:
                    raise
                self._say("the database is gone, waiting for it")
            else:
                if not self._idle:
                    return  # stopped by a signal
            await asyncio.sleep(0 if self._idle else min(1.0, self.pace.heartbeat_s))

    async def _work(self) -> None:
        app = _app(self.url, self.pace.stop_s)
        app.task(name=_TASK, queue=_QUEUE, pass_context=True, retry=_Retries())(self._judge)
        async with app.open_async(), self._beside(app):
            await app.run_worker_async(
                queues=[_QUEUE], concurrency=self.jobs, wait=True, shutdown_graceful_timeout=0,
                fetch_job_polling_interval=min(5.0, self.pace.heartbeat_s), delete_jobs="successful",
                update_heartbeat_interval=self.pace.heartbeat_s, stalled_worker_timeout=self.pace.lost_after_s,
            )  # fmt: skip

    @contextlib.asynccontextmanager
    async def _beside(self, app: procrastinate.App) -> AsyncIterator[None]:
        """Look for what is due, and put back what was lost, while the worker works; either failing ends the worker."""
        me = asyncio.current_task()
        assert me is not None
        beside = asyncio.create_task(self._look(app))
        beside.add_done_callback(lambda done: None if done.cancelled() else me.cancel())
        try:
            yield
        except asyncio.CancelledError:
            if not beside.done():  # cancelled from outside
                raise
        finally:
            if beside.done():
                me.uncancel()
            beside.cancel()
            (came,) = await asyncio.gather(beside, return_exceptions=True)
        if isinstance(came, Exception):
            raise came

    async def _look(self, app: procrastinate.App) -> None:
        """Every now and then, until nothing is left to do."""
        loop = asyncio.get_running_loop()
        next_poll = loop.time()
        while True:
            await self._rescue(app)
            if loop.time() >= next_poll:
                orders = await asyncio.to_thread(orders_due, self.fleet, self.url, datetime.now(UTC))
                await _put(app, self.fleet, orders)
                next_poll = loop.time() + self.pace.poll_s
            if self.until_idle and not self._running and await self._nothing_left(app):
                self._idle = True
                return
            await asyncio.sleep(min(self.pace.heartbeat_s, self.pace.poll_s))

    async def _nothing_left(self, app: procrastinate.App) -> bool:
        for status in (Status.TODO, Status.DOING):
            if list(await app.job_manager.list_jobs_async(queue=_QUEUE, status=status.value)):
                return False
        return not await asyncio.to_thread(orders_due, self.fleet, self.url, datetime.now(UTC))

    async def _rescue(self, app: procrastinate.App) -> None:
        """Put back the jobs of workers that are lost, and those of this one whose end could not be written down."""
        pool: Any = app.connector.pool  # type: ignore[attr-defined]
        async with pool.connection() as connection, connection.transaction():
            cursor = await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (_RESCUE_LOCK,))
            if not (await cursor.fetchone())[0]:
                return
            manager = app.job_manager
            lost = list(await manager.get_stalled_jobs(queue=_QUEUE, seconds_since_heartbeat=self.pace.lost_after_s))
            doing = await manager.list_jobs_async(queue=_QUEUE, status=Status.DOING.value)
            strays = {job.id for job in doing if job.worker_id in self._worker_ids} - self._running
            lost += [job for job in doing if job.id in strays & self._strays]  # twice in a row
            self._strays = {number for number in strays if number is not None}
            for job in {job.id: job for job in lost}.values():
                assert job.id is not None
                try:
                    await manager.retry_job(job, retry_at=datetime.now(UTC))
                    self._say(f"{job.lock}: taken over from a worker that was lost")
                except UniqueViolation:  # the same is waiting already, until this one gives its lock back
                    await manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
                except ConnectorException:  # it has ended after all
                    continue

    async def _judge(
        self, context: Any, endpoint: str, since: str, release: str, part: int, parts: int
    ) -> None:  # fmt: skip
        number = context.job.id
        self._running.add(number)
        self._worker_ids.add(context.job.worker_id)
        try:
            if endpoint not in self.fleet.endpoints:
                return self._say(f"{endpoint}: is not in the fleet file any more")
            order = Order(endpoint, datetime.fromisoformat(since), release, part, parts)
            outcome = await self.judging.judge(order)
            self._told(outcome)
            if outcome.again_in_s is not None:
                await _put_one(context.app, order, outcome.again_in_s)
        finally:
            self._running.discard(number)
        return None

    def _told(self, outcome: Outcome) -> None:
        say(outcome, quiet=self.quiet)

    def _say(self, text: str) -> None:
        sys.stderr.write(shortened(visible(text), 300) + "\n")
        sys.stderr.flush()
