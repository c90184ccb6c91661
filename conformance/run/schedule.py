"""Runs many cases side by side: desks are lanes, what touches nobody fills the gaps, what touches everybody goes last.

Runs generated cases at wire speed: made one by one, judged like any other, and compared across wire forms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.cases.generated.source import Source
from conformance.cases.generated.stream import generated_case, relation_key
from conformance.checks.judge import Pins
from conformance.checks.kit import Kit, build_kit
from conformance.checks.outcome import forms_differ
from conformance.dialects.sessions import Sessions
from conformance.endpoint.model import ServiceTarget, TargetFile
from conformance.endpoint.seats import Seat, seats
from conformance.endpoint.secrets import Vault
from conformance.errors import TargetUnreachable
from conformance.guard.gate import Gate, Guard, paces_of
from conformance.guard.link import open_link
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.spec import Service as ServiceSpec
from conformance.model.verdict import FLAKY_NOTE, CaseResult, Verdict
from conformance.plugins import find_dialect
from conformance.run.evidence import evidence_of
from conformance.run.execute import Judged, execute, execute_judged
from conformance.run.setting import Service
from conformance.run.states.build import build_states
from conformance.run.states.pool import Ledger

OnResult = Callable[[CaseResult], None]
_FLAKY_ATTEMPTS = 3
_PATIENCE = 3
"""Target errors in a row after which the run stops."""


@dataclass(slots=True)
class Run:
    """A run in progress: everything that its cases share."""

    contract: Contract
    target: TargetFile
    gate: Gate
    services: Mapping[str, Service]
    seats: Mapping[str, tuple[Seat, ...]]
    kits: Mapping[str, Kit]
    pins: Pins
    vault: Vault
    on_result: OnResult
    stopped: str | None = None
    misses: int = 0
    locks: dict[tuple[str, int], asyncio.Lock] = field(default_factory=dict)

    def desk_lock(self, service: str, index: int) -> asyncio.Lock:
        """Who holds it has a desk to himself, among cases that are not in the lane of desks."""
        return self.locks.setdefault((service, index), asyncio.Lock())

    @property
    def requests(self) -> int:
        """Messages that have passed the gate."""
        return self.gate.requests

    async def case(self, case: Case, seat: Seat) -> None:
        """Carry out one case and hand its result on; stop the run when the target is gone."""
        if self.stopped is not None:
            return
        service_id = self.contract.operations[case.operation].service
        kit, service = self.kits[case.operation], self.services[service_id]
        result = await execute(case, kit, service, seat, self.pins)
        attempt = 1
        while case.id in self.target.flaky and result.verdict is Verdict.FAIL and attempt < _FLAKY_ATTEMPTS:
            result = await execute(case, kit, service, seat, self.pins)
            attempt += 1
        if attempt > 1:
            outcome = (
                "failed on each of"
                if result.verdict is Verdict.FAIL
                else f"{result.verdict.value} on attempt {attempt} of"
            )
            result = replace(result, notes=(*result.notes, f"{FLAKY_NOTE}{outcome} {_FLAKY_ATTEMPTS}"))
        self.note(result)

    def note(self, result: CaseResult) -> None:
        """Hand a result on; several target errors in a row stop the run."""
        if result.verdict is Verdict.TARGET_ERROR:
            self.misses += 1
            lost = any(service.link.gone for service in self.services.values())
            if lost or self.misses >= _PATIENCE:
                self.stopped = self.stopped or result.reason
        else:
            self.misses = 0
        self.on_result(result)


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


async def run_cases(run: Run, cases: Sequence[Case], concurrency: int) -> None:
    """Run all cases, at most `concurrency` at a time; results go to `run.on_result` as they come."""
    by_service: dict[str, list[Case]] = {}
    for case in cases:
        by_service.setdefault(run.contract.operations[case.operation].service, []).append(case)
    slots = asyncio.Semaphore(concurrency)
    workers: list[Coroutine[Any, Any, None]] = []
    for service_id, its_cases in by_service.items():
        lanes = lanes_of(its_cases)
        its_seats = run.seats[service_id]
        shared, desk = _queue(lanes.shared), _queue(lanes.desk)
        workers.extend(_work(run, desk, seat, slots) for seat in its_seats[:concurrency])
        workers.extend(_work(run, shared, its_seats[0], slots) for _ in range(min(concurrency, len(lanes.shared))))
    await side_by_side(workers)
    for service_id, its_cases in by_service.items():
        for case in lanes_of(its_cases).alone:
            await run.case(case, run.seats[service_id][0])


async def side_by_side(workers: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run all to their end; when one fails, or on Ctrl-C, wait until the others have cleaned up as well."""
    tasks = [asyncio.ensure_future(worker) for worker in workers]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            if not task.cancelling():  # a second time would break into the cleaning up
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _queue(cases: Sequence[Case]) -> asyncio.Queue[Case]:
    queue: asyncio.Queue[Case] = asyncio.Queue()
    for case in cases:
        queue.put_nowait(case)
    return queue


async def _work(run: Run, queue: asyncio.Queue[Case], seat: Seat, slots: asyncio.Semaphore) -> None:
    while not queue.empty() and run.stopped is None:
        case = queue.get_nowait()
        async with slots:
            await run.case(case, seat)


def start_run(
    contract: Contract,
    target: TargetFile,
    guard: Guard,
    vault: Vault,
    on_result: OnResult,
    operations: Sequence[str],
    ledger: Ledger | None = None,
) -> Run:
    """Put a run together; nothing is sent yet. Raises `ConfigurationError`."""
    limits = target.limits
    gate = Gate(guard, target.scope.max_requests, paces_of(limits))
    needed = {contract.operations[name].service for name in operations}
    services = {
        name: _open_service(contract.services[name], service, target, gate, vault, ledger or Ledger())
        for name, service in target.services.items()
        if name in needed
    }
    requirements = {
        (operation, reading.id): reading.requirements[operation]
        for reading in contract.readings.values()
        for operation in reading.operations
    }
    return Run(
        contract=contract,
        target=target,
        gate=gate,
        services=services,
        seats={name: seats(target.services[name]) for name in services},
        kits={name: build_kit(contract.operations[name]) for name in operations},
        pins=Pins(target.readings, requirements),
        vault=vault,
        on_result=on_result,
    )


def _open_service(
    spec: ServiceSpec, service: ServiceTarget, target: TargetFile, gate: Gate, vault: Vault, ledger: Ledger
) -> Service:
    name, dialect = spec.id, find_dialect(spec.dialect)()
    link = open_link(name, service, target.limits, gate, vault, dialect.number_of)
    sessions = Sessions(link, vault, dialect)
    states = build_states(service.states, f"services.{name}.states", link, sessions, ledger)
    return Service(link, sessions, states, service.errors, target.limits.settle_s, target.limits.clean_timeout_s)


async def probe(run: Run) -> None:
    """Reach every service once before the first case. Raises `TargetUnreachable`."""
    for name, service in run.services.items():
        problem = await service.link.reach()
        if problem is not None:
            raise TargetUnreachable(
                problem.message,
                where=f"services.{name}",
                hint="Nothing was verified. Check the address, and that the endpoint is up.",
            )


async def close_run(run: Run) -> None:
    """Close every connection."""
    for service in run.services.values():
        await service.link.aclose()
        await service.states.aclose()


Numbered = tuple[Source, int]


@dataclass(slots=True)
class FormMemory:
    """How each value was answered: for each different gist the lowest case that gave it."""

    gists: dict[tuple[str, int], dict[tuple[object, ...], tuple[int, Judged]]] = field(default_factory=dict)

    def note(self, key: tuple[str, int], number: int, judged: Judged) -> None:
        """Remember an answer; the first one's exchange is kept only when another gist turns up."""
        found = self.gists.setdefault(key, {})
        known = found.get(judged.gist)
        if known is not None and known[0] <= number:
            return
        found[judged.gist] = (number, judged)

    def broken(self, secrets: tuple[str, ...]) -> Iterator[CaseResult]:
        """For each value that was answered in two ways: the later case, with a finding, and both exchanges."""
        for _, found in sorted(self.gists.items()):
            (_, first), *others = sorted(found.values(), key=lambda entry: entry[0])
            for _, other in others:
                result = other.result
                if result.verdict is Verdict.PASS and first.result.verdict is Verdict.PASS:
                    finding = forms_differ(result.requirements[0], first.result.id, first.summary, other.summary)
                    evidence = evidence_of((*first.exchanges, *other.exchanges), secrets, full=True)
                    yield replace(result, verdict=Verdict.FAIL, findings=(finding,), evidence=evidence, revised=True)


async def run_generated(
    run: Run, numbered: Iterator[Numbered], concurrency: int, done: frozenset[str] = frozenset()
) -> None:
    """Run the numbered cases, at most `concurrency` at a time; `done` ones are left out.

    Live cases take a desk where their operation needs one: worker and desk have the same number there, and the
    workers beyond the desks leave live cases to them.
    """
    memory = FormMemory()
    workers = [_work_numbered(run, numbered, number, memory, done) for number in range(concurrency)]
    await side_by_side(workers)
    for result in memory.broken(tuple(run.vault.known)):
        run.on_result(result)


async def _work_numbered(
    run: Run, numbered: Iterator[Numbered], worker: int, memory: FormMemory, done: frozenset[str]
) -> None:
    for source, number in numbered:
        if run.stopped is not None:
            return
        case = generated_case(source, number)
        if case.id in done:
            continue
        service = run.services[source.operation.service]
        seats = run.seats[source.operation.service]
        seat = seats[worker % len(seats)]
        if case.lane == "desk":
            async with run.desk_lock(source.operation.service, seat.index):
                judged = await execute_judged(case, run.kits[case.operation], service, seat, run.pins)
        else:
            judged = await execute_judged(case, run.kits[case.operation], service, seat, run.pins)
        run.note(judged.result)
        key = relation_key(source, number, case)
        if key is not None and judged.gist:
            memory.note(key, number, judged)
