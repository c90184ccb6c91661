"""Shrinks a trial: the smallest one found that still breaks the same requirement, each tried from a clean state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from conformance.cases.generated.lists import ManyTrial
from conformance.cases.generated.trial import Trial

Breaks = Callable[[Trial], Awaitable[bool]]
"""Whether a trial, tried now, breaks what the first one broke."""
MOST_TRIES = 160
CONFIRMATIONS = 3


@dataclass(slots=True)
class Budget:
    """How many trials may still be made, and until when; `clock` gives seconds."""

    tries: int
    until_s: float
    clock: Callable[[], float]

    def spend(self) -> bool:
        """Take one try; False when there is none left."""
        if self.tries <= 0 or self.clock() >= self.until_s:
            return False
        self.tries -= 1
        return True


async def shrink(trial: Trial, breaks: Breaks, budget: Budget) -> tuple[Trial, bool]:
    """The smallest trial, and whether it broke again from a clean state.

    What depends on the ids that the target happens to give may need more orders to come back, not fewer: a trial with
    very many orders is enlarged until it breaks each time.
    """
    if not await _again(trial, breaks, budget):
        return await _enlarged(trial, breaks, budget)
    smallest = trial
    smaller = smallest.simpler()
    while budget.spend():
        candidate = next(smaller, None)
        if candidate is None:
            break
        if await breaks(candidate) and (
            not isinstance(candidate, ManyTrial) or await _always(candidate, breaks, budget)
        ):
            smallest = candidate
            smaller = smallest.simpler()
    if isinstance(smallest, ManyTrial) and not await _always(smallest, breaks, budget):
        return await _enlarged(smallest, breaks, budget)
    return smallest, True


async def _again(trial: Trial, breaks: Breaks, budget: Budget) -> bool:
    for _ in range(CONFIRMATIONS):
        if budget.spend() and await breaks(trial):
            return True
    return False


async def _always(trial: Trial, breaks: Breaks, budget: Budget) -> bool:
    for _ in range(CONFIRMATIONS):
        if not budget.spend() or not await breaks(trial):
            return False
    return True


async def _enlarged(trial: Trial, breaks: Breaks, budget: Budget) -> tuple[Trial, bool]:
    broken, larger = trial, trial.larger()
    while larger is not None:
        if await _always(larger, breaks, budget):
            return larger, True
        broken, larger = larger, larger.larger()
    return (broken, True) if broken is not trial and await _again(broken, breaks, budget) else (trial, False)
