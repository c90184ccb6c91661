"""The rows of a summary: one for each requirement, error-code cell and reading, and the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from conformance.model.verdict import CaseResult, RunInfo, Verdict
from conformance.report.gathering import Folded

RunVerdict = Literal["pass", "fail", "incomplete", "error"]


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """The verdict on one requirement; `cases` are the named ones of it and all that found against it."""

    id: str
    operation: str
    level: str
    verdict: Verdict
    reason: str
    cases: tuple[str, ...]
    generated: int
    """How many generated cases name it."""
    accepted: bool = False
    """A gap that the configuration accepts; it leaves the run complete."""


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One cell of the matrix: an error code of an operation in one media type over one transport."""

    operation: str
    code: str
    media_type: str
    transport: str
    verdict: Verdict
    reason: str
    case: str | None
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """How often each alternative of a reading was observed."""

    id: str
    observed: Mapping[str, int]
    pinned: str | None

    @property
    def mixed(self) -> bool:
        """Whether the endpoint showed more than one alternative."""
        return len(self.observed) > 1


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run came to; `reasons` says in words why the verdict is what it is."""

    info: RunInfo
    duration_s: float
    verdict: RunVerdict
    exit_code: int
    reasons: tuple[str, ...]
    requests_sent: int
    requirements: tuple[RequirementRow, ...]
    error_codes: tuple[CodeRow, ...]
    readings: tuple[ReadingRow, ...]
    cases: tuple[CaseResult, ...]
    notices: tuple[str, ...] = ()
    """What is to be known beside the verdict, in words: unchecked TLS, flaky cases, things left on the target."""
    left_behind: tuple[str, ...] = ()
    """What the run could not take back, by ids that differ from run to run: printed, and in the journal's footer."""
    folded: Folded = field(default_factory=Folded)
    """Generated cases that are counted but not in `cases`: those that passed, and failures beyond the first few hundred."""

    @property
    def requirement_counts(self) -> dict[str, int]:
        """How many requirements have each verdict; every verdict is a key."""
        return count_verdicts(row.verdict for row in self.requirements)

    @property
    def case_counts(self) -> dict[str, int]:
        """How many cases have each verdict; every verdict is a key."""
        counts = count_verdicts(result.verdict for result in self.cases)
        return {name: count + self.folded.verdicts[Verdict(name)] for name, count in counts.items()}


SHOWN_ORDER = (
    Verdict.PASS,
    Verdict.FAIL,
    Verdict.WAIVED,
    Verdict.NOT_VERIFIED,
    Verdict.NOT_APPLICABLE,
    Verdict.TARGET_ERROR,
    Verdict.HARNESS_ERROR,
)
"""The order in which counts of verdicts are written."""


def count_verdicts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Tally of verdicts in `SHOWN_ORDER`, zeros included."""
    tally = Counter(verdicts)
    return {verdict.value: tally[verdict] for verdict in SHOWN_ORDER}
