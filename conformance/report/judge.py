"""The verdict on each requirement, from the cases that name it and the findings on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from conformance.model.spec import Contract, Requirement
from conformance.model.verdict import CaseResult, Verdict
from conformance.report.gathering import Folded
from conformance.report.rows import RequirementRow
from conformance.report.settings import Settings
from conformance.report.text import many

_UNSEEN = "the effect could not be observed"


@dataclass(slots=True)
class _Touching:
    """The results that have to do with one requirement, gathered in one pass over all results."""

    naming: list[CaseResult] = field(default_factory=list)
    finding: list[CaseResult] = field(default_factory=list)


def requirement_rows(
    contract: Contract, results: Sequence[CaseResult], settings: Settings, folded: Folded | None = None
) -> tuple[RequirementRow, ...]:
    """One row for each requirement of the selected operations, sorted by id.

    A narrowed run lists only what it touched: the requirements asked for by id, or else those that its cases
    name, and any requirement with a finding. A finding on an id that the contract lacks keeps its row.
    """
    touching = _gather(results)
    accepted = _accepted_requirements(contract, settings.accepted_gaps)
    rows = [
        _row(requirement, touching.get(requirement.id, _Touching()), accepted)
        for requirement in contract.requirements.values()
        if _is_listed(requirement, touching.get(requirement.id), settings)
    ]
    rows.extend(
        _unknown_row(name, group) for name, group in touching.items() if name not in contract.requirements
    )
    counted = folded or Folded()
    rows = [replace(row, generated=row.generated + counted.for_requirement(row.id)) for row in rows]
    return tuple(sorted(rows, key=lambda row: row.id))


def _gather(results: Sequence[CaseResult]) -> dict[str, _Touching]:
    touching: defaultdict[str, _Touching] = defaultdict(_Touching)
    for result in results:
        for name in result.requirements:
            touching[name].naming.append(result)
        for name in {finding.requirement for finding in result.findings}:
            touching[name].finding.append(result)
    return touching


def _is_listed(requirement: Requirement, group: _Touching | None, settings: Settings) -> bool:
    chosen = settings.selection
    if group is not None and group.finding:
        return True
    if chosen.operations and requirement.operation not in chosen.operations:
        return False
    if chosen.requirements and requirement.id not in chosen.requirements:
        return False
    if settings.narrowed and not chosen.requirements:
        return group is not None
    return True


def _accepted_requirements(contract: Contract, gaps: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """Requirements that stand for nothing but error codes whose gap is accepted, with the reason."""
    codes: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for operation in contract.operations.values():
        for code in operation.codes:
            codes[code.requirement].add((operation.id, code.code))
    return {
        requirement: gaps[min(cells)]
        for requirement, cells in codes.items()
        if all(cell in gaps for cell in cells)
    }


def _row(requirement: Requirement, group: _Touching, accepted: Mapping[str, str]) -> RequirementRow:
    verdict, reason = _judge(requirement, group)
    is_accepted = verdict is Verdict.NOT_VERIFIED and requirement.id in accepted
    return RequirementRow(
        id=requirement.id,
        operation=requirement.operation,
        level=requirement.level,
        verdict=verdict,
        reason=accepted[requirement.id] if is_accepted else reason,
        cases=_case_ids(group),
        generated=sum(result.tier != "named" for result in group.naming),
        accepted=is_accepted,
    )


def _unknown_row(name: str, group: _Touching) -> RequirementRow:
    operation = min(result.operation for result in (*group.naming, *group.finding))
    unknown = Requirement(name, operation, "must", "", "", "not in this contract")
    return _row(unknown, group, {})


def _case_ids(group: _Touching) -> tuple[str, ...]:
    named = {result.id for result in group.naming if result.tier == "named"}
    return tuple(sorted(named | {result.id for result in group.finding}))


def _judge(requirement: Requirement, group: _Touching) -> tuple[Verdict, str]:
    failing = [result for result in group.finding if result.verdict is not Verdict.WAIVED]
    if failing:
        count = sum(
            finding.requirement == requirement.id for result in failing for finding in result.findings
        )
        return Verdict.FAIL, f"{many(count, 'finding')} in {many(len(failing), 'case')}"
    for error in (Verdict.HARNESS_ERROR, Verdict.TARGET_ERROR):
        struck = [result for result in group.naming if result.verdict is error]
        if struck:
            return error, _common_reason(struck) or f"{many(len(struck), 'case')} ended in {error.value}"
    if group.finding:
        return Verdict.WAIVED, _common_reason(group.finding)
    if requirement.untested is not None:
        return Verdict.NOT_APPLICABLE, requirement.untested
    return _judge_without_findings(requirement.id, group)


def _judge_without_findings(requirement: str, group: _Touching) -> tuple[Verdict, str]:
    named = [_for_requirement(requirement, result) for result in group.naming if result.tier == "named"]
    if any(result.verdict is Verdict.PASS for result in named):
        missing = sum(result.verdict is Verdict.NOT_VERIFIED for result in named)
        return Verdict.PASS, f"{missing} of {many(len(named), 'case')} not verified" if missing else ""
    waived = [result for result in group.naming if result.verdict is Verdict.WAIVED]
    if waived:
        return Verdict.WAIVED, _common_reason(waived)
    if not group.naming:
        return Verdict.NOT_VERIFIED, "no case that ran names it"
    if not named:
        return Verdict.NOT_VERIFIED, "only generated cases ran; a named case carries the verdict"
    if all(result.verdict is Verdict.NOT_APPLICABLE for result in named):
        return Verdict.NOT_APPLICABLE, _common_reason(named)
    unsure = [result for result in named if result.verdict is Verdict.NOT_VERIFIED]
    if unsure:
        return Verdict.NOT_VERIFIED, _common_reason(unsure) or "its cases gave no reason"
    return Verdict.NOT_VERIFIED, "each of its cases failed on another requirement"


def _for_requirement(requirement: str, result: CaseResult) -> CaseResult:
    """The result as far as it speaks of one requirement: a case may pass and leave the effect that it names unseen."""
    if result.verdict is Verdict.PASS and requirement in result.unverified:
        return replace(result, verdict=Verdict.NOT_VERIFIED, reason=_UNSEEN)
    return result


def _common_reason(results: Sequence[CaseResult]) -> str:
    """The reason that most results give; of equals the first in the alphabet."""
    tally = Counter(result.reason for result in results if result.reason)
    return min(tally, key=lambda reason: (-tally[reason], reason)) if tally else ""
