"""Whether some order explains calls that overlapped, and the smallest part of a history that none explains.

After Wing and Gong (1993): of what is left, a call may come next if no other had been answered before it was sent. What
the object may be like after the calls taken so far is remembered, so that no such state is searched from twice. Each
object has a history of its own: no document promises that a call for several reaches them all at one moment.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

MOST_STEPS = 200_000
"""After so many looks at a call the search is given up."""
_MOST_SMALL = 12
"""Of a longer history that nothing explains, calls are forgotten one after the other."""

What = TypeVar("What")
Told = TypeVar("Told")
State = TypeVar("State", bound=Hashable)
What_contra = TypeVar("What_contra", contravariant=True)
Told_contra = TypeVar("Told_contra", contravariant=True)


class GaveUp(Exception):
    """The search would cost more than it may: nothing is known of the history."""


@dataclass(frozen=True, slots=True)
class Call(Generic[What, Told]):
    """What was asked and answered, and between which moments it took effect.

    Without an answer it may have taken effect at any time after it was sent, or never.
    """

    what: What
    told: Told | None
    start_s: float
    end_s: float

    @property
    def forgotten(self) -> Call[What, Told]:
        """The same call, as if its answer had never come."""
        return replace(self, told=None, end_s=float("inf"))


class Model(Protocol[State, What_contra, Told_contra]):
    """How one object behaves when calls come one at a time."""

    @property
    def first(self) -> State:
        """How it stands before all calls."""
        ...

    def after(self, state: State, what: What_contra, told: Told_contra | None) -> Iterable[State]:
        """How it may stand behind a call with this answer; nothing where the answer is wrong. None is no answer."""
        ...


@dataclass(slots=True)
class Search(Generic[State, What, Told]):
    """Searches of one model, which share what they may cost."""

    model: Model[State, What, Told]
    most_steps: int = MOST_STEPS
    steps: int = field(default=0, init=False)

    def explains(self, calls: Sequence[Call[What, Told]]) -> bool:
        """Whether there is an order of these calls in which each answer is right. Raises `GaveUp`."""
        answered = sum(1 << number for number, one in enumerate(calls) if one.told is not None)
        every = sum(1 << number for number in range(len(calls)))
        waiting: list[tuple[int, State]] = [(every, self.model.first)]
        known = set(waiting)
        while waiting:
            left, state = waiting.pop()
            if not left & answered:
                return True
            for number in self._next(calls, left, answered):
                one = calls[number]
                for after in self.model.after(state, one.what, one.told):
                    step = (left & ~(1 << number), after)
                    if step not in known:
                        known.add(step)
                        waiting.append(step)
        return False

    def _next(self, calls: Sequence[Call[What, Told]], left: int, answered: int) -> list[int]:
        """The calls that may come next: those that were sent before any other that is left had its answer."""
        self.steps += len(calls)
        if self.steps > self.most_steps:
            raise GaveUp
        numbers = [number for number in range(len(calls)) if left >> number & 1]
        until_s = min(calls[number].end_s for number in numbers if answered >> number & 1)
        return [number for number in numbers if calls[number].start_s <= until_s]

    def smallest(self, calls: Sequence[Call[What, Told]], together: Sequence[Collection[int]]) -> tuple[int, ...]:
        """Which few answers no order explains, whatever became of the other calls; the fewest that there are.

        The history must be one that nothing explains. `together` has the numbers of the calls whose answers were given
        at once; the result names places in it. Calls that are left out may have taken effect or not, like those without
        an answer. What costs too much is left as it is: then there are more than need be.
        """
        self.steps = 0
        known = [place for place, one in enumerate(together) if any(calls[number].told is not None for number in one)]

        def explained(kept: Collection[int]) -> bool:
            return self.explains(_only(calls, {number for place in kept for number in together[place]}))

        try:
            if len(known) <= _MOST_SMALL:
                smaller = (kept for size in range(1, len(known)) for kept in itertools.combinations(known, size))
                return next((kept for kept in smaller if not explained(kept)), tuple(known))
            for place in known[::-1]:
                fewer = [one for one in known if one != place]
                if not explained(fewer):
                    known = fewer
        except GaveUp:
            pass
        return tuple(known)


def _only(calls: Sequence[Call[What, Told]], kept: Collection[int]) -> list[Call[What, Told]]:
    """The history in which only these calls have their answers."""
    return [one if number in kept else one.forgotten for number, one in enumerate(calls)]
