"""Counts combinations: how many of the levels of any two, three or four factors meet in some case.

A combination is possible if some row covers it in which no levels stand that cannot meet. Covering arrays are made here as
well: few rows in which every possible combination stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, combinations, pairwise, product
from math import prod
from random import Random
from typing import TypeAlias

from conformance.model.scenario import Factors, Meeting

Row = tuple[int, ...]
"""Of each factor, the number of its level. Levels are numbered through, those of the first factor first."""
Combination = tuple[int, ...]
"""Numbers of levels of different factors, in their order."""


@dataclass(frozen=True, eq=False)
class Grid:
    """The factors of an operation, by number."""

    factors: Factors

    @cached_property
    def levels(self) -> tuple[range, ...]:
        """The numbers of the levels of each factor."""
        starts = accumulate((len(one.levels) for one in self.factors.factors), initial=0)
        return tuple(range(start, end) for start, end in pairwise(starts))

    @cached_property
    def _names(self) -> tuple[tuple[str, str], ...]:
        """Factor and name of each level."""
        return tuple((one.name, level) for one in self.factors.factors for level in one.levels)

    @cached_property
    def _number(self) -> Mapping[tuple[str, str], int]:
        return {names: number for number, names in enumerate(self._names)}

    @cached_property
    def _rules(self) -> _Rules:
        """What cannot meet."""
        return self._numbered(self.factors.impossible)

    @cached_property
    def _refused(self) -> _Rules:
        """What a call is refused for."""
        return self._numbered(self.factors.refused)

    def _numbered(self, meetings: Sequence[Meeting]) -> _Rules:
        return tuple(
            tuple(frozenset(self._number[factor, level] for level in levels) for factor, levels in one.when.items())
            for one in meetings
        )

    @cached_property
    def _rules_of(self) -> tuple[tuple[int, ...], ...]:
        """For each level, the rules that it is part of."""
        return tuple(
            tuple(place for place, rule in enumerate(self._rules) if any(number in part for part in rule))
            for number in range(len(self._names))
        )

    @cached_property
    def _ruled(self) -> tuple[int, ...]:
        """The places of factors that are in some rule, those with few levels first."""
        ruled = {self._place[one] for rule in (*self._rules, *self._refused) for part in rule for one in part}
        return tuple(sorted(ruled, key=lambda place: len(self.levels[place])))

    def row(self, levels: Mapping[str, str]) -> Row | None:
        """The row of these levels; None where one of them is no level of its factor, or where they cannot meet."""
        found = [self._number.get((one.name, levels.get(one.name, ""))) for one in self.factors.factors]
        row = tuple(number for number in found if number is not None)
        return None if len(row) < len(found) or self.forbids(row) else row

    def named(self, row: Row) -> dict[str, str]:
        """The levels of a row, or of a combination, by the name of their factor."""
        return dict(self._names[number] for number in row)

    def words(self, combination: Combination) -> str:
        """`media=text/xml, thing=twice`."""
        return ", ".join(f"{factor}={level}" for factor, level in self.named(combination).items())

    def forbids(self, combination: Combination) -> Meeting | None:
        """The rule that these levels break by themselves."""
        for place in {place for number in combination for place in self._rules_of[number]}:
            if all(not part.isdisjoint(combination) for part in self._rules[place]):
                return self.factors.impossible[place]
        return None

    def refuses(self, combination: Collection[int]) -> bool:
        """Whether a call is refused for these levels, whatever else it is."""
        return any(all(not part.isdisjoint(combination) for part in rule) for rule in self._refused)

    def extended(self, combination: Combination, *, refused: bool) -> Row | None:
        """The first row with this combination, if need be one for which a call is refused; None where there is none."""
        met: dict[int, int] = {}
        for number in combination:
            met[self._place[number]] = number
        free = [place for place in self._ruled if place not in met]
        if self.forbids(combination) or not self._fill(met, free, refused=refused):
            return None
        return tuple(met.get(place, numbers[0]) for place, numbers in enumerate(self.levels))

    @cached_property
    def _place(self) -> tuple[int, ...]:
        """For each level, the place of its factor."""
        return tuple(place for place, numbers in enumerate(self.levels) for _ in numbers)

    def _fill(self, met: dict[int, int], free: list[int], *, refused: bool) -> bool:
        if not free:
            return True
        place, *rest = free
        for number in self.levels[place]:
            met[place] = number
            fits = not self._breaks(met, number) and (refused or not self.refuses(met.values()))
            if fits and self._fill(met, rest, refused=refused):
                return True
        del met[place]
        return False

    def _breaks(self, met: Mapping[int, int], added: int) -> bool:
        levels = met.values()
        return any(all(not part.isdisjoint(levels) for part in self._rules[place]) for place in self._rules_of[added])

    def every(self, strength: int) -> Iterator[Combination]:
        """All combinations of so many factors, possible or not."""
        for chosen in combinations(self.levels, strength):
            yield from product(*chosen)

    def size(self, strength: int) -> int:
        """How many combinations of so many factors there are, possible or not."""
        return sum(prod(len(numbers) for numbers in chosen) for chosen in combinations(self.levels, strength))

    def possible(self, strength: int) -> frozenset[Combination]:
        """The combinations of so many factors that some row covers.

        Each row that is found shows all that it covers to be possible, so that few are looked for.
        """
        shown: set[Combination] = set()
        for one in self.every(strength):
            if one not in shown and (row := self.extended(one, refused=self.refuses(one))) is not None:
                shown |= self.covered((row,), strength)
        return frozenset(shown)

    def covered(self, rows: Iterable[Row], strength: int) -> set[Combination]:
        """The combinations of so many factors that these rows cover.

        A row for which a call is refused covers only the combinations that have a reason for it: nothing else was
        looked at there.
        """
        found: set[Combination] = set()
        for row in rows:
            reasons = [rule for rule in self._refused if all(not part.isdisjoint(row) for part in rule)]
            if not reasons:
                found.update(combinations(row, strength))
            for rule in reasons:
                why = {number for part in rule for number in part}.intersection(row)
                others = [number for number in row if number not in why]
                if len(why) <= strength:
                    found.update(tuple(sorted((*why, *more))) for more in combinations(others, strength - len(why)))
        return found


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the combinations of so many factors of an operation were covered, and what became of the others."""

    operation: str
    strength: int
    size: int
    """How many there are, possible or not."""
    possible: int
    covered: int
    hindered: Mapping[str, int]
    """Of those that were not covered, how many are only in cases that were not carried out; by the reason."""

    @property
    def share(self) -> float:
        """Of the possible ones; 1 where there are none."""
        return self.covered / self.possible if self.possible else 1.0

    @property
    def uncovered(self) -> int:
        """How many are in no case at all."""
        return self.possible - self.covered - sum(self.hindered.values())


_Rules: TypeAlias = tuple[tuple[frozenset[int], ...], ...]
"""One level each of these sets."""
_CANDIDATES = 6
"""Rows that are tried for each one that is taken."""


def covering_rows(grid: Grid, strength: int) -> tuple[Row, ...]:
    """Few rows that cover every possible combination of so many factors; the same on every machine.

    Row by row: one combination that is still wanted, then factor by factor, in some order, the level that brings most
    of what is wanted. Of several such rows the best one is taken. First those in which nothing is refused.
    """
    possible = sorted(grid.possible(strength))
    random = Random(strength)
    rows: list[Row] = []
    for refused in (False, True):
        wanted = {one for one in possible if grid.refuses(one) is refused}
        for seed in sorted(wanted):
            while seed in wanted:
                tried = [_grown(grid, seed, wanted, random, refused=refused) for _ in range(_CANDIDATES)]
                best = max(tried, key=lambda row: len(wanted & grid.covered((row,), strength)))
                wanted -= grid.covered((best,), strength)
                rows.append(best)
    return tuple(rows)


def worthwhile(grid: Grid, rows: Sequence[Row], strength: int, share: float) -> tuple[Row, ...]:
    """The rows that cover most, until this share of all that they cover is covered, and every pair: the last ones bring little."""
    whole, pairs = grid.covered(rows, strength), grid.covered(rows, 2)
    left = {row: grid.covered((row,), strength) for row in rows}
    kept: list[Row] = []
    missing = set(whole)
    while left and (len(missing) > (1 - share) * len(whole) or pairs):
        best = max(left, key=lambda row: len(left[row] & missing))
        missing -= left.pop(best)
        pairs -= grid.covered((best,), 2)
        kept.append(best)
    return tuple(kept)


def _grown(grid: Grid, seed: Combination, wanted: Set[Combination], random: Random, *, refused: bool) -> Row:
    met = list(seed)
    free = [numbers for numbers in grid.levels if not any(number in numbers for number in seed)]
    random.shuffle(free)
    for numbers in free:
        gains = {number: _gain(met, number, wanted, len(seed)) for number in numbers}
        for number in sorted(numbers, key=lambda number: (-gains[number], random.random())):
            grown = tuple(sorted((*met, number)))
            fits = refused or not grid.refuses(grown)
            if fits and grid.extended(grown, refused=refused) is not None:
                met = list(grown)
                break
    return tuple(met)


def _gain(met: Sequence[int], number: int, wanted: Set[Combination], strength: int) -> int:
    """How many of the wanted combinations a level makes with the others."""
    before = [one for one in met if one < number]
    behind = [one for one in met if one > number]
    return sum(
        (*low, number, *high) in wanted
        for count in range(strength)
        for low in combinations(before, count)
        for high in combinations(behind, strength - 1 - count)
    )
