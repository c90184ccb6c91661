"""Runs many cases side by side: desks are lanes, what touches nobody fills the gaps, what touches everybody goes last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.checks.judge import Pins
from conformance.checks.kit import Kit, build_kit
from conformance.engine.desks import Seat, seats
from conformance.engine.execute import Service, execute
from conformance.engine.gate import Gate, Guard, Pace
from conformance.engine.link import Link, open_link
from conformance.engine.sessions import Sessions
from conformance.engine.states.calls import CallStates
from conformance.engine.states.handle import StateProvider
from conformance.engine.states.hook import HookStates
from conformance.engine.states.none import NoStates
from conformance.errors import ConfigurationError, TargetUnreachable
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Verdict
from conformance.target.model import ServiceTarget, TargetFile
from conformance.target.secrets import Vault
from conformance.transport.address import AddressError, parse_address
from conformance.transport.http import HttpTransport
from conformance.transport.messages import HttpRequest

OnResult = Callable[[CaseResult], None]
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
    on_result: OnResult
    stopped: str | None = None
    misses: int = 0

    @property
    def requests(self) -> int:
        """Messages that have passed the gate."""
        return self.gate.requests

    async def case(self, case: Case, seat: Seat) -> None:
        """Carry out one case and hand its result on; stop the run when the target is gone."""
        if self.stopped is not None:
            return
        service_id = self.contract.operations[case.operation].service
        result = await execute(case, self.kits[case.operation], self.services[service_id], seat, self.pins)
        if result.verdict is Verdict.TARGET_ERROR:
            self.misses += 1
            if self.misses >= _PATIENCE:
                self.stopped = result.reason
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
    await asyncio.gather(*workers)
    for service_id, its_cases in by_service.items():
        for case in lanes_of(its_cases).alone:
            await run.case(case, run.seats[service_id][0])


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
    contract: Contract, target: TargetFile, guard: Guard, vault: Vault, on_result: OnResult, operations: Sequence[str]
) -> Run:
    """Put a run together; nothing is sent yet. Raises `ConfigurationError`."""
    limits = target.limits
    paces = tuple(
        Pace(limit, window_s)
        for limit, window_s in ((limits.requests_per_second, 1.0), (limits.requests_per_minute, 60.0))
        if limit is not None
    )
    gate = Gate(guard, target.scope.max_requests, paces)
    needed = {contract.operations[name].service for name in operations}
    services = {
        name: _open_service(name, service, target, gate, vault)
        for name, service in target.services.items()
        if name in needed
    }
    requirements = {reading.id: reading.requirement for reading in contract.readings.values()}
    return Run(
        contract=contract,
        target=target,
        gate=gate,
        services=services,
        seats={name: seats(target.services[name]) for name in services},
        kits={name: build_kit(contract.operations[name]) for name in operations},
        pins=Pins(target.readings, requirements),
        on_result=on_result,
    )


def _open_service(name: str, service: ServiceTarget, target: TargetFile, gate: Gate, vault: Vault) -> Service:
    link = open_link(name, service, target.limits, gate, vault)
    sessions = Sessions(link, vault)
    return Service(link, sessions, _states(name, service, link, sessions), service.errors, target.limits.settle_s)


def _states(name: str, service: ServiceTarget, link: Link, sessions: Sessions) -> StateProvider:
    provider = service.states.provider
    if provider == "calls":
        return CallStates(link, sessions)
    if provider == "hook":
        if service.states.url is None:
            raise ConfigurationError("a hook needs its url", where=f"services.{name}.states")
        try:
            address = parse_address(service.states.url)
        except AddressError as error:
            raise ConfigurationError(str(error), where=f"services.{name}.states.url") from error
        return HookStates(HttpTransport(address), link.limits)
    return NoStates()


async def probe(run: Run) -> None:
    """Reach every service once before the first case. Raises `TargetUnreachable`."""
    for name, service in run.services.items():
        if service.link.http is None:
            continue
        request = HttpRequest("GET", "/", (("Accept", "*/*"),))
        exchange = await service.link.http.send(request, limits=service.link.limits)
        if exchange.problem is not None and exchange.problem.unreachable:
            raise TargetUnreachable(
                exchange.problem.message,
                where=f"services.{name}",
                hint="Nothing was verified. Check the address, and that the endpoint is up.",
            )


async def close_run(run: Run) -> None:
    """Close every connection."""
    for service in run.services.values():
        await service.link.aclose()
        if isinstance(service.states, HookStates):
            await service.states.transport.aclose()
