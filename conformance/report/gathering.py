"""Gathers results as they come, in memory that does not grow with the number of generated cases.

Every named case is kept whole. Of generated cases those that passed are counted; of the others the first few hundred by
id are kept, the rest counted. The same results give the same gathering, whatever their order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from conformance.model.verdict import CaseResult, Verdict

MOST_KEPT = 500


@dataclass(slots=True)
class Folded:
    """Counts of the generated cases that are not kept."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    requirements: Counter[tuple[str, str, Verdict]] = field(default_factory=Counter)
    """(operation, requirement, verdict) to how many."""
    readings: Counter[str] = field(default_factory=Counter)
    requests: int = 0

    def add(self, result: CaseResult) -> None:
        """Count one more result."""
        self.verdicts[result.verdict] += 1
        for name in {*result.requirements, *(finding.requirement for finding in result.findings)}:
            self.requirements[result.operation, name, result.verdict] += 1
        self.readings.update(result.readings)
        self.requests += result.requests

    def take_out(self, result: CaseResult) -> None:
        """Undo the counting of this case's earlier pass."""
        self.verdicts[Verdict.PASS] -= 1
        for name in result.requirements:
            self.requirements[result.operation, name, Verdict.PASS] -= 1
        self.readings.subtract(result.readings)
        self.requests -= result.requests

    def for_requirement(self, name: str) -> int:
        """How many counted cases name a requirement."""
        return sum(count for (_, requirement, _), count in self.requirements.items() if requirement == name)


@dataclass(slots=True)
class Gathering:
    """Results of a run so far; a later result of a named case takes the place of an earlier one."""

    named: dict[str, CaseResult] = field(default_factory=dict)
    generated: dict[str, CaseResult] = field(default_factory=dict)
    folded: Folded = field(default_factory=Folded)

    def add(self, result: CaseResult) -> None:
        """Take one finished case."""
        if result.tier == "named":
            self.named[result.id] = result
        elif result.verdict is Verdict.PASS:
            self.folded.add(result)
        else:
            if result.revised:
                self.folded.take_out(result)
            self.generated[result.id] = result
            if len(self.generated) > MOST_KEPT:
                self.folded.add(self.generated.pop(max(self.generated)))

    @property
    def results(self) -> tuple[CaseResult, ...]:
        """What is kept, in the order of ids."""
        kept = {**self.named, **self.generated}
        return tuple(kept[name] for name in sorted(kept))


def gather(results: Iterable[CaseResult]) -> Gathering:
    """All results gathered, each case counted once by its latest result."""
    gathering = Gathering()
    for result in {result.id: result for result in results}.values():
        gathering.add(result)
    return gathering
