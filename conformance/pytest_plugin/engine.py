"""The engine of one pytest process: a loop, a run that stays open, and every result so far."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from conformance.cases.generated.stream import generated_case
from conformance.cases.make import Channel
from conformance.endpoint.choose import is_reference
from conformance.endpoint.model import TargetFile
from conformance.endpoint.redact import redact_error
from conformance.errors import ConformanceError, TargetUnreachable
from conformance.model.case import Case, Transport
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult
from conformance.run.schedule import run_cases, run_generated
from conformance.run.selection import Numbered, Selection, choose_generated
from conformance.run.session import Session, session
from conformance.run.sharing import Room, Share, share_of
from conformance.run.states import Ledger

T = TypeVar("T")
SEED = 0
"""Of what is generated, as `conformance run` has it by default."""


@dataclass(slots=True)
class Bench:
    """Runs cases for items, each at most once; nothing is started before the first of them.

    `results` are as they were judged, without waivers; `fresh` are those that nobody has fetched yet.
    """

    contract: Contract
    target: str
    operations: tuple[str, ...]
    share: Share
    generated: int
    results: dict[str, CaseResult] = field(default_factory=dict)
    with_findings: dict[str, CaseResult] = field(default_factory=dict)
    """Those of `results` that found anything."""
    of_generated: dict[str, list[CaseResult]] = field(default_factory=dict)
    """Operation to the results of its generated cases that did not pass."""
    counts: dict[tuple[str, Channel], int] = field(default_factory=dict)
    """How many generated cases of an operation and format have run."""
    fresh: list[CaseResult] = field(default_factory=list)
    broken: ConformanceError | None = None
    """Why the run could not begin."""
    _loop: asyncio.Runner | None = None
    _open: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    _run: Session | None = None
    _room: Room | None = None
    _finished: set[str] = field(default_factory=set)

    @property
    def stopped(self) -> str:
        """Why the target is not asked any more; empty as long as it is."""
        if isinstance(self.broken, TargetUnreachable):
            return self.broken.message
        return (self._run.stopped or "") if self._run is not None else ""

    @property
    def untrue_lacks(self) -> tuple[str, ...]:
        """What the target file says is lacking and was there all the same."""
        return self._run.untrue_lacks if self._run is not None else ()

    @property
    def left_behind(self) -> tuple[str, ...]:
        """What was set up on the target and not removed; the bundled target ends with the run, so nothing is left there."""
        return self._run.left_behind if self._run is not None and not is_reference(self.target) else ()

    def look_back(self) -> None:
        """Take back what is still open of all that was set up, before it is asked what is left."""
        if self._run is not None:
            self._do(self._run.look_back())

    @property
    def throttled(self) -> int:
        """How many messages the target turned away because it was asked too often."""
        return self._run.gate.throttled if self._run is not None else 0

    @property
    def messages(self) -> dict[str, int]:
        """How many messages passed the gate, by purpose."""
        return self._run.messages if self._run is not None else {}

    @property
    def concurrency(self) -> int:
        """How many cases may be in flight at a time."""
        return self.ready().target.limits.concurrency

    def ready(self) -> Session:
        """The open run. Raises `ConformanceError`, the same each time, when the target cannot be used or reached."""
        if self.broken is not None:
            error = self.broken
            raise type(error)(error.message, where=error.where, hint=error.hint)
        if self._run is None:
            try:
                self._do(self._begin())
            except ConformanceError as error:
                self.broken = error
                raise
        assert self._run is not None
        return self._run

    def serves(self, operation: str) -> bool:
        """Whether the target has the service that the operation belongs to."""
        return self.contract.operations[operation].service in self.ready().target.services

    def run_named(self, cases: Iterable[Case]) -> None:
        """Run the cases that have no result yet, side by side where they may be; those that touch everybody last."""
        run, left = self.ready(), [case for case in cases if case.id not in self.results]
        if left and run.stopped is None:
            self._do(self._named(run, left))

    def run_generated(self, operation: str, channels: Collection[Channel] | None) -> None:
        """Run the operation's generated cases, once; `channels` are the formats that are wanted, None for all."""
        run = self.ready()
        if operation in self._finished or run.stopped is not None:
            return
        self._finished.add(operation)
        numbered = [
            one
            for one in choose_generated(self.contract, Selection(self.operations), self.generated, SEED)
            if one[0].operation.id == operation and (channels is None or _channel(generated_case(*one)) in channels)
        ]
        self.of_generated.setdefault(operation, [])
        self._do(self._numbered(run, numbered))

    def fetch(self) -> list[CaseResult]:
        """The results since the last call."""
        fetched, self.fresh = self.fresh, []
        return fetched

    def close(self) -> None:
        """Close every connection, and end the server that was started."""
        if self._loop is not None:
            loop, self._loop = self._loop, None
            try:
                loop.run(self._end())
            finally:
                loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            self._loop = asyncio.Runner(loop_factory=_loop_factory())
        try:
            return self._loop.run(work)
        except Exception as error:
            redact_error(error, self._run.vault.known if self._run is not None else ())
            raise

    async def _begin(self) -> None:
        ledger = Ledger()

        def share(whole: TargetFile) -> TargetFile:
            self._room = Room(self.share, whole, ledger)
            return share_of(whole, self.share)

        operations = self.operations or tuple(self.contract.operations)
        opened = session(self.contract, self.target, operations, ledger=ledger, share=share)
        run = await self._open.enter_async_context(opened)
        run.on_result = self._keep
        await run.reach()
        self._run = run

    async def _end(self) -> None:
        await self._open.aclose()

    async def _named(self, run: Session, cases: Sequence[Case]) -> None:
        assert self._room is not None
        # connections that were closed while pytest was busy elsewhere are noticed now, not by the next message
        await asyncio.sleep(0)
        beside = [case for case in cases if case.lane != "alone"]
        alone = [case for case in cases if case.lane == "alone"]
        at_desks = sorted({self.contract.operations[case.operation].service for case in beside if case.lane == "desk"})
        for group, by_itself in ((beside, False), (alone, True)):
            if group:
                async with self._room.entered(alone=by_itself, services_with_desks=() if by_itself else at_desks):
                    await run_cases(run, group, run.target.limits.concurrency)

    async def _numbered(self, run: Session, numbered: Sequence[Numbered]) -> None:
        assert self._room is not None
        services = sorted({source.operation.service for source, _ in numbered})
        async with self._room.entered(alone=False, services_with_desks=services):
            await run_generated(run, iter(numbered), run.target.limits.concurrency)

    def _keep(self, result: CaseResult) -> None:
        self.fresh.append(result)
        if result.tier == "named":
            self.results[result.id] = result
            if result.findings:
                self.with_findings[result.id] = result
            return
        where = (result.operation, _channel(result))
        self.counts[where] = self.counts.get(where, 0) + 1
        if result.verdict != "pass":
            self.of_generated[result.operation].append(result)


def _channel(one: Case | CaseResult) -> Channel:
    return Channel(Transport(one.transport), one.media_type)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
