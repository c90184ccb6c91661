"""The search: numbered trials for a given time, concurrently; each failure is shrunk, frozen and reported once.

Each number of a stream gives one trial. The same seed gives the same trials on every machine.

Trials with mutated corpus values: members exchanged between two values, numbers and texts changed at random.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from conformance.cases.generated.account_grammar import random_account_trial
from conformance.cases.generated.accounts import MODELS
from conformance.cases.generated.corpus import CorpusValue
from conformance.cases.generated.generate import proved, second_validator, tamed
from conformance.cases.generated.list_grammar import random_list_trial
from conformance.cases.generated.race_trials import random_race_trial
from conformance.cases.generated.rules import SearchSpace, Trial, lane_of, search_space, trial_id
from conformance.cases.generated.source import HEADERS, sources
from conformance.cases.generated.stream import LISTS, value_case
from conformance.cases.make import Channel
from conformance.endpoint.desks import Desk
from conformance.explore.findings import MOST_TRIES, Budget, FindingGroup, Findings, frozen_case, shrink, write_found
from conformance.model.case import Case
from conformance.model.verdict import FROZEN_NOTE, CaseResult, Verdict
from conformance.run.execute import execute
from conformance.run.schedule import side_by_side
from conformance.run.session import Session

_SCALARS: tuple[Any, ...] = (None, True, False, "", " ", "a", 1.5, [], {})


@dataclass(frozen=True, slots=True)
class CorpusTrial:
    """One value in any form, legal or not, and what the generated tier expects of it."""

    space: SearchSpace
    value: CorpusValue
    channel: Channel
    form: int = 0
    headers: int = 0

    def case(self) -> Case | None:
        """The case; None if it would use a channel that the run's filters exclude."""
        form = self.channel.format.forms[self.form]
        made = value_case(self.space.source, self.value, self.channel, form, self.headers)
        channel = Channel(made.transport, made.media_type)
        if channel not in self.space.channels:
            return None
        title = f"found exploring: {made.title}"
        return replace(made, id=trial_id(self.space, channel), title=title, lane=lane_of(self.space))

    def simpler(self) -> Iterator[CorpusTrial]:
        """The plain form; then without one of its parts, as long as it proves the same."""
        if self.form:
            yield replace(self, form=0)
        if self.headers:
            yield replace(self, headers=0)
        for smaller in _smaller(self.value.value):
            kept = judged_value(self.space, smaller)
            if kept is not None and (kept.positive, kept.breaks) == (self.value.positive, self.value.breaks):
                yield replace(self, value=kept)

    def larger(self) -> None:
        """None: a corpus value cannot be enlarged."""


def random_corpus_trial(space: SearchSpace, random: Random) -> CorpusTrial:
    """A value of the corpus, usually changed; if the changed value proves nothing, it is sent unchanged."""
    values = space.source.values
    channel = random.choice(space.channels)
    form, headers = random.randrange(len(channel.format.forms)), random.randrange(len(HEADERS))
    one = random.choice(values)
    if random.random() < 0.75:
        changed = tamed(space.operation, _crossed(one.value, random.choice(values).value, random))
        one = judged_value(space, changed) or one
    return CorpusTrial(space, one, channel, form, headers)


def judged_value(space: SearchSpace, value: Any) -> CorpusValue | None:
    """What a value proves; None when it proves nothing."""
    return proved(value, space.request, second_validator(space.operation.folder))


def _crossed(one: Any, other: Any, random: Random) -> Any:
    """Members of both, or items of both; a scalar becomes another one."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        crossed = dict(one)
        for name, content in other.items():
            if random.random() < 0.5:
                crossed[name] = content
        if crossed and random.random() < 0.3:
            name = random.choice(sorted(crossed))
            crossed[name] = _scalar(crossed[name], random)
        return crossed
    if isinstance(one, list) and isinstance(other, list):
        if one and other and random.random() < 0.6:
            return [_crossed(random.choice(one), random.choice(other), random), *one[1:]]
        return [*one[:2], *other[:2]]
    return _scalar(one, random)


def _scalar(value: Any, random: Random) -> Any:
    """Another scalar; places of ids stay, because a random number could be a real id."""
    if isinstance(value, str) and value.startswith("${"):
        return value
    if isinstance(value, str) and value:
        cut = random.randrange(len(value) + 1)
        return value[:cut] + random.choice(("", " ", "\u00df", "\u4e2d", "'", "0")) + value[cut + 1 :]
    return random.choice(_SCALARS)


def _smaller(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield [*value[:place], *value[place + 1 :]]
            yield from ([*value[:place], smaller, *value[place + 1 :]] for smaller in _smaller(item))
    elif isinstance(value, Mapping):
        for name, content in value.items():
            yield {key: part for key, part in value.items() if key != name}
            yield from ({**value, name: smaller} for smaller in _smaller(content))


@dataclass(frozen=True, slots=True)
class TrialMaker:
    """One way to make trials of an operation, and how often it is chosen."""

    name: str
    space: SearchSpace
    weight: int
    make: Callable[[SearchSpace, Random], Trial]


def makers_of(space: SearchSpace, *, races: bool = False) -> tuple[TrialMaker, ...]:
    """The makers of an operation: that of its model, and that of its corpus if there is one; or that of its races."""
    name = space.operation.short
    makers: list[TrialMaker] = []
    if races:
        known = space.rules.model == LISTS or space.rules.model in MODELS
        return (TrialMaker(f"{name} races", space, 1, random_race_trial),) if known else ()
    if space.rules.model == LISTS:
        makers.append(
            TrialMaker(f"{name} unknown", space, 14, lambda place, random: random_list_trial(place, random, live=False))
        )
        makers.append(
            TrialMaker(f"{name} live", space, 6, lambda place, random: random_list_trial(place, random, live=True))
        )
    elif space.rules.model in MODELS:
        makers.append(TrialMaker(f"{name} accounts", space, 3, random_account_trial))
    if space.source.values:
        makers.append(TrialMaker(f"{name} corpus", space, 2, random_corpus_trial))
    return tuple(makers)


def trial_of(makers: Sequence[TrialMaker], seed: int, stream: str, number: int) -> tuple[TrialMaker, Trial]:
    """The trial of this number. Every number has its own random source, whichever worker tries it."""
    random = Random(f"{seed}/{stream}/{number}")
    maker = random.choices(makers, [one.weight for one in makers])[0]
    return maker, maker.make(maker.space, random)


def streams_of(spaces: Sequence[SearchSpace], *, races: bool = False) -> Mapping[str, tuple[TrialMaker, ...]]:
    """`free`: trials that name only their own orders; `desk`: trials that need accounts for themselves."""
    streams: dict[str, tuple[TrialMaker, ...]] = {"free": (), "desk": ()}
    for space in spaces:
        place = "free" if space.operation.shape.instructs else "desk"
        streams[place] = (*streams[place], *makers_of(space, races=races))
    return {name: makers for name, makers in streams.items() if makers}


_PATIENCE = 40
"""A maker is given up after so many trials that the target did not permit, if it permitted none."""
_SHRINK_S = 10.0
_SPARE_S = 5.0
"""How long a late finding may still be shrunk after the time is up."""
_RACED = 3
"""How often a smaller race is tried: the calls that break something meet in some tries alone."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Duration and seed; the folder for frozen findings; the operations, transports and media types to use."""

    seconds: float
    seed: int
    folder: Path
    operations: tuple[str, ...] = ()
    transports: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    races: bool = False
    """Whether every trial is a race, or none."""
    clock: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class Tally:
    """The outcome of the trials of one maker."""

    done: int = 0
    refused: int = 0
    reason: str = ""

    @property
    def hopeless(self) -> bool:
        """Whether the target permits none of them."""
        return self.done == 0 and self.refused >= _PATIENCE


@dataclass(slots=True)
class Search:
    """A search in progress, and then its outcome."""

    run: Session
    options: SearchOptions
    until_s: float = 0.0
    streams: Mapping[str, tuple[TrialMaker, ...]] = field(default_factory=dict)
    numbers: Mapping[str, Iterator[int]] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    spoilt: dict[str, CaseResult] = field(default_factory=dict)
    """Trials on which the harness itself failed, by reason."""
    took_s: float = 0.0

    @property
    def trials(self) -> int:
        """How many trials were carried out."""
        return sum(tally.done for tally in self.tallies.values())


async def run_search(run: Session, concurrency: int, options: SearchOptions) -> Search:
    """Explore until the time is up, the run stops or the request cap is reached; findings go to `run.on_result`."""
    spaces = _spaces(run, options)
    streams = streams_of(spaces, races=options.races)
    started = options.clock()
    state = Search(run, options, started + options.seconds, streams, {name: itertools.count() for name in streams})
    desks = _desks(run, spaces)
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


def _spaces(run: Session, options: SearchOptions) -> list[SearchSpace]:
    chosen = [name for name in run.kits if not options.operations or name in options.operations]
    if not chosen:
        return []
    found = (search_space(one, options.transports, options.media_types) for one in sources(run.contract, chosen, 0))
    return [one for one in found if one is not None]


def _desks(run: Session, spaces: Sequence[SearchSpace]) -> int:
    """How many workers can have a desk of their own."""
    counts = [len(run.desks[one.operation.service]) for one in spaces if not one.operation.shape.instructs]
    return min(counts, default=0)


def _posts(streams: Iterable[str], concurrency: int, desks: int) -> Iterator[tuple[str, ...]]:
    """The streams of each worker: as many as there are desks, and at most every other one, keep to the desks.

    A case at a desk often waits for silence and for effects. This must not delay the other trials.
    """
    both = tuple(streams)
    for number in range(concurrency):
        if len(both) == 1 or concurrency == 1:
            yield both
        elif number % 2 and number // 2 < desks:
            yield ("desk",)
        else:
            yield ("free",)


async def _work(state: Search, worker: int, names: Sequence[str]) -> None:
    """Take the next number of one stream after the other."""
    for name in itertools.cycle(names):
        if _over(state):
            return
        if not await _try(state, name, worker):
            await asyncio.sleep(0)


def _over(state: Search) -> bool:
    gate = state.run.gate
    capped = gate.max_requests is not None and gate.requests >= gate.max_requests
    hopeless = bool(state.tallies) and all(tally.hopeless for tally in state.tallies.values())
    return state.run.stopped is not None or capped or hopeless or state.options.clock() >= state.until_s


async def _try(state: Search, stream: str, worker: int) -> bool:
    """One trial; whether anything was sent."""
    maker, trial = trial_of(state.streams[stream], state.options.seed, stream, next(state.numbers[stream]))
    tally = state.tallies.setdefault(maker.name, Tally())
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
    for group in state.findings.take(trial, result) if result.findings else ():
        await _settle(state, group, worker)
    return True


async def carry_out(run: Session, case: Case, worker: int) -> CaseResult:
    """The result of one case at the desk of the worker; no other case uses the desk at that time."""
    service = run.contract.operations[case.operation].service
    desks = run.desks[service]
    desk: Desk = desks[worker % len(desks)]
    if case.lane == "shared":
        return await execute(case, run.kits[case.operation], run.services[service], desk, run.judge)
    async with run.desk_lock(service, desk.index):
        return await execute(case, run.kits[case.operation], run.services[service], desk, run.judge)


async def _settle(state: Search, group: FindingGroup, worker: int) -> None:
    """Shrink the first trial of a group, and keep the result of the smallest one that broke."""
    broken = [(group.trial, group.result, group.finding)]
    turns = _RACED if state.options.races else 1

    async def breaks(trial: Trial) -> bool:
        case = trial.case()
        for _ in range(turns):
            if case is None:
                break
            result = await carry_out(state.run, case, worker)
            group.tries += 1
            found = (one for one in result.findings if _is_same(group, result, one.requirement, one.check))
            if finding := next(found, None):
                broken.append((trial, result, finding))
                return True
        return False

    clock = state.options.clock
    until_s = min(clock() + _SHRINK_S, state.until_s + _SPARE_S)
    smallest, group.again = await shrink(group.trial, breaks, Budget(MOST_TRIES, until_s, clock))
    group.trial, group.result, group.finding = next(one for one in reversed(broken) if one[0] is smallest)


def _is_same(group: FindingGroup, result: CaseResult, requirement: str, check: str) -> bool:
    return (result.operation, requirement, check) == (group.key.operation, group.key.requirement, group.key.check)


def _reported(state: Search) -> Iterator[CaseResult]:
    """One result for each group of findings, with its case frozen; then errors of the harness."""
    frozen: dict[str, Case] = {}
    results: list[tuple[FindingGroup, str]] = []
    for group in state.findings.sorted():
        case = frozen_case(group)
        name = group.result.id if case is None else case.id
        if case is not None:
            frozen[f"{group.key.requirement} {case.id}"] = case
        results.append((group, name))
    paths = write_found(state.options.folder, state.run.contract.operations, frozen)
    found: dict[str, CaseResult] = {}
    for group, name in results:
        result = _result(group, name, paths.get(name))
        other = found.get(name)
        found[name] = result if other is None else replace(other, findings=(*other.findings, *result.findings))
    yield from found.values()
    yield from (replace(result, tier="generated") for _, result in sorted(state.spoilt.items()))


def _result(group: FindingGroup, name: str, path: Path | None) -> CaseResult:
    times = "once" if group.count == 1 else f"{group.count} times"
    again = {True: "it happened again from a clean state", False: f"it did not happen again in {group.tries} tries"}
    found = f"found {times} while exploring"
    notes = [found, *([again[group.again]] if group.again is not None else ["not shrunk"])]
    if path is not None:
        notes.append(f"{FROZEN_NOTE}{path}")
    requirements = tuple(dict.fromkeys((*group.result.requirements, group.key.requirement)))
    return replace(
        group.result,
        id=name,
        tier="generated",
        verdict=Verdict.FAIL,
        requirements=requirements,
        findings=(group.finding,),
        reason=found,
        notes=(*group.result.notes, *notes),
    )
