"""The hunt: trials by number for a given time, side by side; what breaks is shrunk, frozen and reported once.

What is tried next: a trial for each number of a stream, the same for the same seed on every machine.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from conformance.cases.generated.account_grammar import random_account_trial
from conformance.cases.generated.accounts import MODELS
from conformance.cases.generated.list_grammar import random_list_trial
from conformance.cases.generated.rules import Ground, ground_of
from conformance.cases.generated.source import sources
from conformance.cases.generated.stream import LISTS
from conformance.cases.generated.trial import Trial
from conformance.endpoint.desks import Desk
from conformance.explore.corpus_trials import random_corpus_trial
from conformance.explore.findings import MOST_TRIES, Budget, Catch, Caught, frozen_case, shrink, write_found
from conformance.model.case import Case
from conformance.model.verdict import FROZEN_NOTE, CaseResult, Verdict
from conformance.run.execute import execute
from conformance.run.schedule import side_by_side
from conformance.run.session import Session


@dataclass(frozen=True, slots=True)
class Way:
    """One way to make up trials of one operation, and how often it is gone beside the others."""

    name: str
    ground: Ground
    weight: int
    make: Callable[[Ground, Random], Trial]


def ways_of(ground: Ground) -> tuple[Way, ...]:
    """The ways of an operation: its model's, and the corpus where it has values."""
    name = ground.operation.short
    ways: list[Way] = []
    if ground.rules.model == LISTS:
        ways.append(
            Way(f"{name} unknown", ground, 14, lambda place, random: random_list_trial(place, random, live=False))
        )
        ways.append(Way(f"{name} live", ground, 6, lambda place, random: random_list_trial(place, random, live=True)))
    elif ground.rules.model in MODELS:
        ways.append(Way(f"{name} accounts", ground, 3, random_account_trial))
    if ground.source.values:
        ways.append(Way(f"{name} corpus", ground, 2, random_corpus_trial))
    return tuple(ways)


def trial_of(ways: Sequence[Way], seed: int, stream: str, number: int) -> tuple[Way, Trial]:
    """The trial of this number: every number has a random source of its own, whoever comes to try it."""
    random = Random(f"{seed}/{stream}/{number}")
    way = random.choices(ways, [one.weight for one in ways])[0]
    return way, way.make(way.ground, random)


def streams_of(grounds: Sequence[Ground]) -> Mapping[str, tuple[Way, ...]]:
    """`free`: what names nothing but its own orders; `desk`: what needs accounts of its own while it runs."""
    streams: dict[str, tuple[Way, ...]] = {"free": (), "desk": ()}
    for ground in grounds:
        place = "free" if ground.operation.shape.listed else "desk"
        streams[place] = (*streams[place], *ways_of(ground))
    return {name: ways for name, ways in streams.items() if ways}


_PATIENCE = 40
"""After so many trials of one way that the target did not let happen, and none that it did, the way is left."""
_SHRINK_S = 10.0
_SPARE_S = 5.0
"""How long what was found in the last moment may still be shrunk after the time is up."""


@dataclass(frozen=True, slots=True)
class HuntOptions:
    """How long and from which seed; where findings are frozen; the operations, transports and media types to keep to."""

    seconds: float
    seed: int
    folder: Path
    operations: tuple[str, ...] = ()
    transports: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    clock: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class Tally:
    """What came of the trials of one way."""

    done: int = 0
    refused: int = 0
    reason: str = ""

    @property
    def hopeless(self) -> bool:
        """Whether the target lets none of them happen."""
        return self.done == 0 and self.refused >= _PATIENCE


@dataclass(slots=True)
class Hunt:
    """A hunt in progress, and afterwards what came of it."""

    run: Session
    options: HuntOptions
    until_s: float = 0.0
    streams: Mapping[str, tuple[Way, ...]] = field(default_factory=dict)
    numbers: Mapping[str, Iterator[int]] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    catch: Catch = field(default_factory=Catch)
    spoilt: dict[str, CaseResult] = field(default_factory=dict)
    """Trials on which the harness itself failed, by reason."""
    took_s: float = 0.0

    @property
    def trials(self) -> int:
        """How many trials were carried out."""
        return sum(tally.done for tally in self.tallies.values())


async def hunt(run: Session, concurrency: int, options: HuntOptions) -> Hunt:
    """Explore until the time is up, the run is stopped, or the request cap is reached; findings go to `run.on_result`."""
    grounds = _grounds(run, options)
    streams = streams_of(grounds)
    started = options.clock()
    state = Hunt(run, options, started + options.seconds, streams, {name: itertools.count() for name in streams})
    desks = _desks(run, grounds)
    try:
        if streams:
            await side_by_side(
                [_work(state, number, names) for number, names in enumerate(_posts(streams, concurrency, desks))]
            )
    finally:
        state.took_s = options.clock() - started
        for result in _reported(state):
            run.on_result(result)
    return state


def _grounds(run: Session, options: HuntOptions) -> list[Ground]:
    chosen = [name for name in run.kits if not options.operations or name in options.operations]
    if not chosen:
        return []
    found = (ground_of(one, options.transports, options.media_types) for one in sources(run.contract, chosen, 0))
    return [one for one in found if one is not None]


def _desks(run: Session, grounds: Sequence[Ground]) -> int:
    """How many workers can have a desk of their own."""
    counts = [len(run.desks[one.operation.service]) for one in grounds if not one.operation.shape.listed]
    return min(counts, default=0)


def _posts(streams: Iterable[str], concurrency: int, desks: int) -> Iterator[tuple[str, ...]]:
    """The streams of each worker: as many as there are desks, and at most every other one, keep to the desks.

    What a desk does waits a lot, for silence and for effects; the others are not held up by it.
    """
    both = tuple(streams)
    for number in range(concurrency):
        if len(both) == 1 or concurrency == 1:
            yield both
        elif number % 2 and number // 2 < desks:
            yield ("desk",)
        else:
            yield ("free",)


async def _work(state: Hunt, worker: int, names: Sequence[str]) -> None:
    """Take the next number of one stream after the other."""
    for name in itertools.cycle(names):
        if _over(state):
            return
        if not await _try(state, name, worker):
            await asyncio.sleep(0)


def _over(state: Hunt) -> bool:
    gate = state.run.gate
    capped = gate.max_requests is not None and gate.requests >= gate.max_requests
    hopeless = bool(state.tallies) and all(tally.hopeless for tally in state.tallies.values())
    return state.run.stopped is not None or capped or hopeless or state.options.clock() >= state.until_s


async def _try(state: Hunt, stream: str, worker: int) -> bool:
    """One trial; whether anything was sent."""
    way, trial = trial_of(state.streams[stream], state.options.seed, stream, next(state.numbers[stream]))
    tally = state.tallies.setdefault(way.name, Tally())
    case = None if tally.hopeless else trial.case()
    if case is None:
        return False
    result = await carry_out(state.run, case, worker)
    if result.verdict in (Verdict.PASS, Verdict.FAIL):
        tally.done += 1
    elif result.verdict is Verdict.NOT_VERIFIED:
        tally.refused += 1
        tally.reason = result.reason
    elif result.verdict is Verdict.HARNESS_ERROR:
        state.spoilt.setdefault(result.reason, result)
    elif result.verdict is Verdict.TARGET_ERROR:
        state.run.note(replace(result, tier="generated"))
    for caught in state.catch.take(trial, result) if result.findings else ():
        await _settle(state, caught, worker)
    return True


async def carry_out(run: Session, case: Case, worker: int) -> CaseResult:
    """The result of one case at the worker's desk, which nobody else uses meanwhile."""
    service = run.contract.operations[case.operation].service
    desks = run.desks[service]
    desk: Desk = desks[worker % len(desks)]
    if case.lane == "shared":
        return await execute(case, run.kits[case.operation], run.services[service], desk, run.judge)
    async with run.desk_lock(service, desk.index):
        return await execute(case, run.kits[case.operation], run.services[service], desk, run.judge)


async def _settle(state: Hunt, caught: Caught, worker: int) -> None:
    """Shrink the first trial of a group, and keep the result of the smallest one that broke."""
    broken = [(caught.trial, caught.result, caught.finding)]

    async def breaks(trial: Trial) -> bool:
        case = trial.case()
        if case is None:
            return False
        result = await carry_out(state.run, case, worker)
        caught.tries += 1
        finding = next((one for one in result.findings if _is_same(caught, result, one.requirement, one.check)), None)
        if finding is None:
            return False
        broken.append((trial, result, finding))
        return True

    clock = state.options.clock
    until_s = min(clock() + _SHRINK_S, state.until_s + _SPARE_S)
    smallest, caught.again = await shrink(caught.trial, breaks, Budget(MOST_TRIES, until_s, clock))
    caught.trial, caught.result, caught.finding = next(one for one in reversed(broken) if one[0] is smallest)


def _is_same(caught: Caught, result: CaseResult, requirement: str, check: str) -> bool:
    return (result.operation, requirement, check) == (caught.key.operation, caught.key.requirement, caught.key.check)


def _reported(state: Hunt) -> Iterator[CaseResult]:
    """One result for each thing found, its case frozen; then what the harness could not do."""
    frozen: dict[str, Case] = {}
    results: list[tuple[Caught, str]] = []
    for caught in state.catch.sorted():
        case = frozen_case(caught)
        name = caught.result.id if case is None else case.id
        if case is not None:
            frozen[f"{caught.key.requirement} {case.id}"] = case
        results.append((caught, name))
    paths = write_found(state.options.folder, state.run.contract.operations, frozen)
    found: dict[str, CaseResult] = {}
    for caught, name in results:
        result = _result(caught, name, paths.get(name))
        other = found.get(name)
        found[name] = result if other is None else replace(other, findings=(*other.findings, *result.findings))
    yield from found.values()
    yield from (replace(result, tier="generated") for _, result in sorted(state.spoilt.items()))


def _result(caught: Caught, name: str, path: Path | None) -> CaseResult:
    times = "once" if caught.count == 1 else f"{caught.count} times"
    again = {True: "it happened again from a clean state", False: f"it did not happen again in {caught.tries} tries"}
    found = f"found {times} while exploring"
    notes = [found, *([again[caught.again]] if caught.again is not None else ["not shrunk"])]
    if path is not None:
        notes.append(f"{FROZEN_NOTE}{path}")
    requirements = tuple(dict.fromkeys((*caught.result.requirements, caught.key.requirement)))
    return replace(
        caught.result,
        id=name,
        tier="generated",
        verdict=Verdict.FAIL,
        requirements=requirements,
        findings=(caught.finding,),
        reason=found,
        notes=(*caught.result.notes, *notes),
    )
