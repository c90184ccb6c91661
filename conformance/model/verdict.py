"""What came out: findings, the result of a case, the result of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import NamedTuple

from conformance.values import value_class

FLAKY_NOTE = "flaky: "
"""How the note on a case begins that was run more than once."""
FROZEN_NOTE = "frozen in "
"""The start of the note on a case that an exploring run made and wrote into the file that the note names."""


class Verdict(StrEnum):
    """The verdict on a case or a requirement, the worst last."""

    PASS = "pass"
    NOT_APPLICABLE = "not-applicable"
    NOT_VERIFIED = "not-verified"
    WAIVED = "waived"
    TARGET_ERROR = "target-error"
    HARNESS_ERROR = "harness-error"
    FAIL = "fail"


@value_class(frozen=True, slots=True)
class Finding:
    """One way in which an answer breaks a requirement; `at` is a JSON Pointer, an XPath with line, or a part's name."""

    requirement: str
    check: str
    message: str
    expected: str = ""
    actual: str = ""
    at: str = ""
    way: str = field(default="", compare=False)
    """In one word in which of its ways it is wrong, where a check knows several; what a report groups findings by."""


@value_class(frozen=True, slots=True)
class Evidence:
    """The exact bytes both ways, already redacted, as text with escapes; bounded."""

    sent: str = ""
    received: str = ""
    truncated: bool = False


class Recorded(NamedTuple):
    """One exchange of a case as the journal keeps it: what it was sent for, and when; with its bytes as evidence.

    A tuple, for every message of a run makes one.
    """

    purpose: str
    role: str
    transport: str
    started_s: float
    """Seconds since 1970."""
    took_s: float
    problem: str = ""
    """What kept it from completing, in words."""
    evidence: Evidence | None = None
    first: bool = False
    """Whether it is the first message of a case of the operation that went out as this user over its transport."""


@value_class(frozen=True, slots=True)
class CaseResult:
    """The verdict on one case, with what is needed to believe it."""

    id: str
    operation: str
    requirements: tuple[str, ...]
    tier: str
    transport: str
    media_type: str
    role: str
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    blocked: tuple[str, ...] = ()
    """Checks that could not be made because an earlier one found the answer unreadable."""
    readings: tuple[str, ...] = ()
    """Observed alternatives, as `reading=alternative`."""
    code: str | None = None
    code_seen: str | None = None
    requests: int = 0
    exchanges: tuple[Recorded, ...] = ()
    """Every message that was sent for it, set-up and observation included, in the order of their start."""
    history: str = ""
    """Of a race with a finding: the calls that no order explains, one a line with its interval."""
    notes: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    """Requirements that the case names but could not verify here, such as an effect nobody could observe."""

    hindrance: str = ""
    """Why it was not carried out, in the one word that reports count by; empty for a case that was."""
    accepted: str = ""
    """The target file's words for what it lacks, when the case hangs on that."""

    rows: tuple[str, ...] = ()
    """Those of its case: the levels of the operation's factors that it has."""

    revised: bool = False
    """It takes the place of a pass that was reported earlier; stands in no file."""
    seen: tuple[bytes, ...] = field(default=(), compare=False, repr=False)
    """What its judgement rests on, as it is recorded in a file of its own; in no report."""

    @property
    def took_s(self) -> float:
        """How long its exchanges took, added up."""
        return sum([one.took_s for one in self.exchanges])


@value_class(frozen=True, slots=True)
class RunInfo:
    """What identifies a run; `target` is the redacted description of the endpoint."""

    id: str
    tool_version: str
    specs_digest: str
    seed: int
    started_at: str
    target: Mapping[str, object] = field(default_factory=dict)
    explore_seed: int | None = None
    """Of the exploring; None for a run that did not explore."""
