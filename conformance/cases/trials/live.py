"""The live cases of the generated tier: trials of the operation's model, each by its number the same for everyone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from random import Random

from conformance.cases.corpus.source import Source
from conformance.cases.trials.account_grammar import random_account_trial
from conformance.cases.trials.account_trials import MODELS
from conformance.cases.trials.list_grammar import random_list_trial
from conformance.cases.trials.rules import Ground, ground_of
from conformance.cases.trials.trial import Trial
from conformance.model.case import Case

LISTS = "cancel-list"
_ATTEMPTS = 8
"""A trial whose answer nobody can foretell, or that its form cannot say, gives way to the next."""

_TRIALS: Mapping[str, Callable[[Ground, Random], Trial]] = {
    LISTS: lambda ground, random: random_list_trial(ground, random, live=True),
    **dict.fromkeys(MODELS, random_account_trial),
}


def live_case(source: Source, number: int) -> Case | None:
    """Orders and quotes in some state, calls of some role, and what the model foretells; None without a model."""
    ground = _ground(source)
    make = _TRIALS.get(ground.rules.model) if ground is not None else None
    if ground is None or make is None:
        return None
    for attempt in range(_ATTEMPTS):
        case = make(ground, Random(f"{source.seed}/{source.operation.id}/{number}/{attempt}")).case()
        if case is not None:
            return case
    return None


@lru_cache(maxsize=32)
def _ground(source: Source) -> Ground | None:
    return ground_of(source, (), ())
