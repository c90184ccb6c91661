"""Runs many cases concurrently: one at a time at each desk, shared cases beside them, cases for every account last.

Runs generated cases at wire speed: made one by one, judged like any other, and compared across wire forms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.cases.generated.stream import generated_case, relation_key
from conformance.checks.outcome import forms_differ, told_apart
from conformance.endpoint.desks import Desk
from conformance.errors import TargetUnreachable
from conformance.model.case import Case
from conformance.model.verdict import FLAKY_NOTE, CaseResult, Verdict
from conformance.run.blame import balance, look_at_all
from conformance.run.evidence import Level, recorded, redacted_finding
from conformance.run.execute import Judged, always_disturbed, execute_judged, unsent
from conformance.run.selection import ManyNumbered, Numbered
from conformance.run.session import Session
from conformance.run.sharing import Room

FLAKY_ATTEMPTS = 3
_LAST_TRIES = 2


@dataclass(frozen=True, slots=True)
class Work:
    """What a session is to do; results go to its `on_result` as they come."""

    cases: Sequence[Case] = ()
    generated: ManyNumbered = ()
    concurrency: int | None = None
    """How many cases may be in flight; None for what the target allows."""
    done: frozenset[str] = frozenset()
    """Ids of generated cases that an earlier part of the run has finished."""
    earlier: Sequence[CaseResult] = ()
    """Results that the run goes on with; a waiver may have matched there."""
    explore: Callable[[Session, int], Awaitable[object]] | None = None
    """What goes on with the session when its cases are done, at most so many at a time."""
    enough: Callable[[], bool] | None = None
    """Asked after each result; once it says so, nothing more is begun."""
    patience_s: float | None = None
    """How long the last look at what was left standing waits for changes, where not as long as an effect may take."""
    wait_s: float = 0.0
    """How long a target that cannot be reached may take to come up."""
    room: Room | None = None
    """What processes share that judge the target at once; None for one that is alone."""
    reached: Callable[[], None] = lambda: None
    """Called once every service was reached, before the first case."""


async def carry_out(session: Session, work: Work) -> None:
    """Run every case. What stops the run is kept in `session.stopped`; results that came before it stand."""
    hand_on = session.on_result

    def report(result: CaseResult) -> None:
        hand_on(session.waivers.apply(result))
        if session.stopped is None and work.enough is not None and work.enough():
            session.stopped, session.sated = "enough was seen", True

    for result in work.earlier:
        session.waivers.note(result)
    session.on_result = report
    try:
        await session.reach(work.wait_s)
        work.reached()
        for name, service in session.services.items():
            service.books.begin(session.desks[name])
        concurrency = work.concurrency or session.target.limits.concurrency
        cases = [case for case in work.cases if case.operation in session.kits]
        numbered = (one for one in work.generated if one[0].operation.id in session.kits)
        if work.room is None:
            await run_cases(session, cases, concurrency)
            await run_generated(session, numbered, concurrency, work.done)
            await balance(session, work.patience_s)
        else:
            await _in_turn(session, work.room, cases, concurrency)
            async with work.room.entered(alone=False, services_with_desks=tuple(session.services)):
                await run_generated(session, numbered, concurrency, work.done)
                await balance(session, work.patience_s)
        if work.explore is not None and session.stopped is None:
            await work.explore(session, concurrency)
    except TargetUnreachable as error:
        session.stopped = error.message
    finally:
        for service in session.services.values():
            service.books.open = False
        session.on_result = hand_on


async def _in_turn(session: Session, room: Room, cases: Sequence[Case], concurrency: int) -> None:
    """Run the cases that others may run beside, then those that nobody may, once no other process is at work."""
    beside = [case for case in cases if case.lane != "alone"]
    at_desks = sorted({session.contract.operations[case.operation].service for case in beside if case.lane == "desk"})
    async with room.entered(alone=False, services_with_desks=at_desks):
        await run_cases(session, beside, concurrency)
    async with room.entered(alone=True):
        await run_cases(session, [case for case in cases if case.lane == "alone"], concurrency)


async def run_case(session: Session, case: Case, desk: Desk, parked: Callable[[], None] = lambda: None) -> None:
    """Carry out one case and hand its result on; stop the run when the target is gone.

    `parked` is told when all that is left is a second look, some time later.
    """
    if session.stopped is not None:
        return
    kit, service = session.kits[case.operation], session.service_of(case.operation)
    reason = session.given_up(case)
    if reason:
        session.note(unsent(case, reason))
        return
    judged = await execute_judged(case, kit, service, desk, session.judge, parked)
    attempt = 1
    while case.id in session.target.flaky and judged.result.verdict is Verdict.FAIL and attempt < FLAKY_ATTEMPTS:
        judged = await execute_judged(case, kit, service, desk, session.judge)
        attempt += 1
    result = judged.result
    if attempt > 1:
        outcome = (
            "failed on each of" if result.verdict is Verdict.FAIL else f"{result.verdict.value} on attempt {attempt} of"
        )
        result = replace(result, notes=(*result.notes, f"{FLAKY_NOTE}{outcome} {FLAKY_ATTEMPTS}"))
        judged = replace(judged, result=result)
    session.take(case, desk, judged)


async def try_again(session: Session) -> None:
    """The cases that the infrastructure disturbed, once everything else is done.

    One that it disturbs every time, while the service answers others, fails: that is no chance any more.
    """
    for name in sorted(session.put_off):
        case, desk, judged = session.put_off.pop(name)
        if session.sated:
            continue
        kit, service = session.kits[case.operation], session.service_of(case.operation)
        attempts = 2
        for _ in range(_LAST_TRIES):
            if session.stopped is not None or not judged.disturbed or not judged.undone:
                break
            judged = await execute_judged(case, kit, service, desk, session.judge)
            attempts += 2
        if not judged.disturbed or not judged.undone:
            session.note(judged.result)
        elif session.stopped is None and session.answered and not any(one.sent for one in judged.exchanges):
            session.note(judged.result)  # what never left says nothing about the contract, however often it is tried
        elif session.stopped is None and session.answered:
            session.note(always_disturbed(kit, judged, attempts, service.sessions.vault.known))
        else:
            session.note(replace(judged.result, verdict=Verdict.TARGET_ERROR))


@dataclass(frozen=True, slots=True)
class Lanes:
    """The cases of one service by who may run beside them."""

    shared: tuple[Case, ...] = ()
    desk: tuple[Case, ...] = ()
    alone: tuple[Case, ...] = ()


def lanes_of(cases: Sequence[Case]) -> Lanes:
    """Cases sorted into lanes, each in the order of ids."""
    ordered = sorted(cases, key=lambda case: case.id)
    return Lanes(*(tuple(case for case in ordered if case.lane == lane) for lane in ("shared", "desk", "alone")))


async def run_cases(session: Session, cases: Sequence[Case], concurrency: int) -> None:
    """Run all cases, at most `concurrency` at a time; results go to `session.on_result` as they come."""
    by_service: dict[str, list[Case]] = {}
    for case in cases:
        by_service.setdefault(session.contract.operations[case.operation].service, []).append(case)
    slots = asyncio.Semaphore(concurrency)
    workers: list[Coroutine[Any, Any, None]] = []
    for service_id, its_cases in by_service.items():
        lanes = lanes_of(its_cases)
        its_desks = session.desks[service_id]
        shared, waiting = _queue(lanes.shared), _queue(lanes.desk)
        workers.extend(_work(session, waiting, desk, slots) for desk in its_desks[:concurrency])
        workers.extend(_work(session, shared, its_desks[0], slots) for _ in range(min(concurrency, len(lanes.shared))))
    await side_by_side(workers)
    for service_id, its_cases in by_service.items():
        alone, desk = lanes_of(its_cases).alone, session.desks[service_id][0]
        if alone:
            await look_at_all(session, service_id, everything=True)
        provoked = sorted((case for case in alone if case.provoke is not None), key=_turn)
        await _one_after_another(session, provoked, desk)
        for case in alone:
            if case.provoke is None:
                await run_case(session, case, desk)
    await try_again(session)


async def _one_after_another(session: Session, cases: Sequence[Case], desk: Desk) -> None:
    """Cases that must not cancel anything: each begins once the one before has only its second look ahead of it.

    So all of them together wait as long as one would. What they have set up stays until then; a quote that would take
    the place of another one waits for that.
    """
    running: list[asyncio.Task[None]] = []
    quoting: list[asyncio.Task[None]] = []
    try:
        for case in cases:
            if _quotes(case):
                await asyncio.gather(*quoting)
            parked = asyncio.Event()
            task = asyncio.ensure_future(run_case(session, case, desk, parked.set))
            running.append(task)
            quoting += [task] if _quotes(case) else []
            waiting = asyncio.ensure_future(parked.wait())
            await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if task.done():
                task.result()
        await asyncio.gather(*running)
    finally:
        await _all_ended(running)


def _turn(case: Case) -> int:
    """A quote that is looked at twice comes first, so that orders fill the time; then those, then other quotes."""
    return 1 if not _quotes(case) else 0 if case.later else 2


def _quotes(case: Case) -> bool:
    return any(need.state.endswith("-quote") for need in case.states.values())


async def side_by_side(workers: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run all to their end; when one fails, or on Ctrl-C, wait until the others have cleaned up as well."""
    tasks = [asyncio.ensure_future(worker) for worker in workers]
    try:
        await asyncio.gather(*tasks)
    finally:
        await _all_ended(tasks)


async def _all_ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel those that are under way, and wait until they have cleaned up."""
    for task in tasks:
        if not task.cancelling():  # a second time would break into the cleaning up
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _queue(cases: Sequence[Case]) -> asyncio.Queue[Case]:
    queue: asyncio.Queue[Case] = asyncio.Queue()
    for case in cases:
        queue.put_nowait(case)
    return queue


async def _work(session: Session, queue: asyncio.Queue[Case], desk: Desk, slots: asyncio.Semaphore) -> None:
    while not queue.empty() and session.stopped is None:
        case = queue.get_nowait()
        async with slots:
            await run_case(session, case, desk)


@dataclass(slots=True)
class FormMemory:
    """How each value was answered: for each different gist, known by its hash, the lowest case that gave it."""

    gists: dict[tuple[str, int], dict[int, tuple[int, Judged]]] = field(default_factory=dict)

    def note(self, key: tuple[str, int], number: int, judged: Judged) -> None:
        """Remember an answer; of one that failed, which is compared with none, only that it was there."""
        found, gist = self.gists.setdefault(key, {}), hash(judged.gist)
        known = found.get(gist)
        if known is not None and known[0] <= number:
            return
        if judged.result.verdict is not Verdict.PASS:
            judged = replace(
                judged, gist=(), exchanges=(), earlier=(), result=replace(judged.result, exchanges=(), seen=())
            )
        found[gist] = (number, judged)

    def broken(self, secrets: tuple[str, ...]) -> Iterator[CaseResult]:
        """For each value that was answered in two ways: the later case, with a finding, and both exchanges."""
        for _, found in sorted(self.gists.items()):
            (_, first), *others = sorted(found.values(), key=lambda entry: entry[0])
            for _, other in others:
                result = other.result
                if result.verdict is Verdict.PASS and first.result.verdict is Verdict.PASS:
                    summaries = told_apart(first.summary, first.gist, other.summary, other.gist)
                    finding = redacted_finding(
                        forms_differ(result.requirements[0], first.result.id, *summaries), secrets
                    )
                    exchanges = recorded((*first.traced, *other.traced), secrets, level=Level.FULL)
                    yield replace(result, verdict=Verdict.FAIL, findings=(finding,), exchanges=exchanges, revised=True)


async def run_generated(
    session: Session, numbered: Iterator[Numbered], concurrency: int, done: frozenset[str] = frozenset()
) -> None:
    """Run the numbered cases, at most `concurrency` at a time; `done` ones are left out.

    Live cases take a desk where their operation needs one: worker and desk have the same number there, and the
    workers beyond the desks leave live cases to them.
    """
    memory = FormMemory()
    workers = [_work_numbered(session, numbered, number, memory, done) for number in range(concurrency)]
    await side_by_side(workers)
    await try_again(session)
    for result in memory.broken(tuple(session.vault.known)):
        session.on_result(result)


async def _work_numbered(
    session: Session, numbered: Iterator[Numbered], worker: int, memory: FormMemory, done: frozenset[str]
) -> None:
    for source, number in numbered:
        if session.stopped is not None:
            return
        case = generated_case(source, number)
        if case.id in done:
            continue
        reason = session.given_up(case)
        if reason:
            session.note(unsent(case, reason))
            continue
        service = session.services[source.operation.service]
        desks = session.desks[source.operation.service]
        desk = desks[worker % len(desks)]
        if case.lane == "desk":
            async with session.desk_lock(source.operation.service, desk.index):
                judged = await execute_judged(case, session.kits[case.operation], service, desk, session.judge)
        else:
            judged = await execute_judged(case, session.kits[case.operation], service, desk, session.judge)
        session.take(case, desk, judged)
        key = relation_key(source, number, case)
        if key is not None and judged.gist:
            memory.note(key, number, judged)
