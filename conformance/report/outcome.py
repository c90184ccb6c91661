"""The verdict on the run as a whole, its exit code, and the reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conformance.errors import INTERRUPTED
from conformance.model.verdict import CaseResult, Verdict
from conformance.report.gathering import Folded
from conformance.report.rows import CodeRow, RequirementRow, RunVerdict
from conformance.report.settings import SummaryOptions
from conformance.report.text import many

PASS, VIOLATED, UNREACHABLE, INCOMPLETE, BROKEN = 0, 1, 3, 4, 5
_RAN = (Verdict.PASS, Verdict.FAIL, Verdict.WAIVED, Verdict.TARGET_ERROR)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The run's verdict with its exit code."""

    verdict: RunVerdict
    exit_code: int
    reasons: tuple[str, ...]


def outcome(
    results: Sequence[CaseResult],
    requirements: Sequence[RequirementRow],
    codes: Sequence[CodeRow],
    options: SummaryOptions,
    folded: Folded | None = None,
) -> Outcome:
    """Exit 130 when interrupted, else the first that holds of 5 broken, 1 violated, 3 stopped, 4 incomplete.

    All reasons are listed, also those that a stronger one hides.
    """
    crashed = _tally(results, Verdict.HARNESS_ERROR)
    broken = [f"{many(crashed, 'case')} broke the harness"] if crashed else []
    uncounted = (folded or Folded()).verdicts[Verdict.FAIL]
    violated = _violations(results, requirements, options, uncounted)
    stopped = [f"the target stopped: {options.ending.stopped}"] if options.ending.stopped else []
    incomplete = _gaps(results, requirements, codes, options)
    reasons = (*broken, *violated, *stopped, *incomplete)
    if options.ending.interrupted:
        return Outcome("fail" if violated else "incomplete", INTERRUPTED, ("interrupted", *reasons))
    if broken:
        return Outcome("error", BROKEN, reasons)
    if violated:
        return Outcome("fail", VIOLATED, reasons)
    if stopped:
        return Outcome("error", UNREACHABLE, reasons)
    if incomplete:
        return Outcome("incomplete", INCOMPLETE, reasons)
    return Outcome("pass", PASS, ())


def _violations(
    results: Sequence[CaseResult], requirements: Sequence[RequirementRow], options: SummaryOptions, uncounted: int
) -> list[str]:
    reasons = []
    failed = _tally(results, Verdict.FAIL) + uncounted
    if failed or any(row.verdict is Verdict.FAIL for row in requirements):
        rows = sum(row.verdict is Verdict.FAIL for row in requirements)
        reasons.append(f"{many(failed, 'case')} failed, {many(rows, 'requirement')} violated")
    reasons += [f"waiver expired: {waiver}" for waiver in options.ending.waivers_expired]
    if not options.settings.shard:  # in a shard, the case that a waiver names may belong to another one
        reasons += [f"waiver matched nothing: {waiver}" for waiver in options.ending.waivers_unmatched]
    return reasons


def _gaps(
    results: Sequence[CaseResult],
    requirements: Sequence[RequirementRow],
    codes: Sequence[CodeRow],
    options: SummaryOptions,
) -> list[str]:
    reasons = []
    if not any(result.verdict in _RAN for result in results):
        reasons.append("no case ran")
    if options.ending.cut_off:
        planned = options.settings.planned
        reasons.append(
            f"the journal was cut off after {len(results)} of {planned or 'an unknown number of'} cases"
        )
    struck = _tally(results, Verdict.TARGET_ERROR)
    if struck:
        reasons.append(f"the target gave no answer to {many(struck, 'case')}")
    unsure = sum(
        row.verdict is Verdict.NOT_VERIFIED and row.level == "must" and not row.accepted
        for row in requirements
    )
    if unsure:
        reasons.append(f"{many(unsure, 'mandatory requirement')} not verified")
    cells = sum(row.verdict is Verdict.NOT_VERIFIED and not row.accepted for row in codes)
    if cells:
        reasons.append(f"{many(cells, 'error-code cell')} not verified")
    return reasons


def _tally(results: Sequence[CaseResult], verdict: Verdict) -> int:
    return sum(result.verdict is verdict for result in results)
