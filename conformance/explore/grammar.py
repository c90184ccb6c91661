"""What is tried next: a trial for each number of a stream, the same for the same seed on every machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from conformance.cases.trials.account_grammar import random_account_trial
from conformance.cases.trials.account_trials import MODELS
from conformance.cases.trials.list_grammar import random_list_trial
from conformance.cases.trials.live import LISTS
from conformance.cases.trials.rules import Ground
from conformance.cases.trials.trial import Trial
from conformance.explore.corpus_trials import random_corpus_trial


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
        ways.append(Way(f"{name} unknown", ground, 14, lambda place, random: random_list_trial(place, random, live=False)))
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
        place = "free" if ground.operation.answer == "results" else "desk"
        streams[place] = (*streams[place], *ways_of(ground))
    return {name: ways for name, ways in streams.items() if ways}
