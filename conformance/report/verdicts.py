"""The verdict on each requirement, from the cases that name it and the findings on it.

The matrix of error codes and the table of readings: what was shown, cell by cell.

The verdict on the run as a whole, its exit code, and the reasons in words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from conformance.cases.make import channels
from conformance.errors import INTERRUPTED, Hindrance
from conformance.model.spec import Contract, ErrorCode, Operation, Requirement
from conformance.model.verdict import CaseResult, Verdict
from conformance.report.rows import CarriedOut, CodeRow, Folded, ReadingRow, RequirementRow, RunVerdict, carried_out
from conformance.report.run_info import Settings, SummaryOptions
from conformance.report.safe_text import many

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
        if _is_listed(contract, requirement, touching.get(requirement.id), settings)
    ]
    rows.extend(_unknown_row(name, group) for name, group in touching.items() if name not in contract.requirements)
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


def _is_listed(contract: Contract, requirement: Requirement, group: _Touching | None, settings: Settings) -> bool:
    chosen = settings.selection
    if group is not None and group.finding:
        return True
    if not contract.operations[requirement.operation].has_edition(requirement.edition):
        return False
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
        requirement: gaps[min(cells)] for requirement, cells in codes.items() if all(cell in gaps for cell in cells)
    }


def _row(requirement: Requirement, group: _Touching, accepted: Mapping[str, str]) -> RequirementRow:
    verdict, reason = _judge(requirement, group)
    words = accepted.get(requirement.id) or _lacking(requirement.id, group)
    is_accepted = verdict is Verdict.NOT_VERIFIED and bool(words)
    return RequirementRow(
        id=requirement.id,
        operation=requirement.operation,
        level=requirement.level,
        verdict=verdict,
        reason=words if is_accepted else reason,
        cases=_case_ids(group),
        generated=sum(result.tier != "named" for result in group.naming),
        accepted=is_accepted,
    )


def _lacking(requirement: str, group: _Touching) -> str:
    """The target file's words for the lack that every named case of a requirement hangs on; empty when one does not."""
    named = [_for_requirement(requirement, result) for result in group.naming if result.tier == "named"]
    unsure = [result for result in named if result.verdict is not Verdict.NOT_APPLICABLE]
    return _common_words(unsure)


def _common_words(results: Sequence[CaseResult]) -> str:
    """Of results that are all not verified for an accepted lack the words of the first; empty otherwise."""
    if not results or any(not one.accepted or one.verdict is not Verdict.NOT_VERIFIED for one in results):
        return ""
    return min(results, key=lambda one: one.id).accepted


def _unknown_row(name: str, group: _Touching) -> RequirementRow:
    operation = min(result.operation for result in (*group.naming, *group.finding))
    unknown = Requirement(name, operation, "must", "", "", "not in this contract", "cases")
    return _row(unknown, group, {})


def _case_ids(group: _Touching) -> tuple[str, ...]:
    named = {result.id for result in group.naming if result.tier == "named"}
    return tuple(sorted(named | {result.id for result in group.finding}))


def _judge(requirement: Requirement, group: _Touching) -> tuple[Verdict, str]:
    failing = [result for result in group.finding if result.verdict is not Verdict.WAIVED]
    if failing:
        count = sum(finding.requirement == requirement.id for result in failing for finding in result.findings)
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


_Cell = tuple[str, str, str, str]


def code_rows(contract: Contract, results: Iterable[CaseResult], settings: Settings) -> tuple[CodeRow, ...]:
    """One row for each operation, code, media type and transport, sorted by these.

    A cell passes only when a case meant for it passed *and* the answer carried that very code. A run
    narrowed by requirement, case or shard lists only the cells that one of its cases was meant for.
    """
    by_cell: defaultdict[_Cell, list[CaseResult]] = defaultdict(list)
    for result in results:
        if result.code is not None:
            by_cell[result.operation, result.code, result.media_type, result.transport].append(result)
    chosen = settings.selection
    only_met = bool(chosen.requirements or chosen.cases or settings.shard)
    needed = {(one.id, code.code): code.requirement for one in contract.operations.values() for code in one.codes}
    rows = []
    for cell in _cells(contract, settings):
        found = by_cell.get(cell, [])
        if found or not only_met:
            requirement = needed.get(cell[:2], "")
            rows.append(
                _code_row(cell, found, requirement, settings.accepted_gaps.get(cell[:2]) or _common_words(found))
            )
    return tuple(sorted(rows, key=lambda row: (row.operation, code_key(row.code), row.media_type, row.transport)))


def reading_rows(
    contract: Contract, results: Iterable[CaseResult], settings: Settings, folded: Folded | None = None
) -> tuple[ReadingRow, ...]:
    """One row for each reading that was observed or belongs to the selected operations, sorted by id.

    An answer that does not decide between alternatives (`a|b`) counts for the pinned one, else for the one that others
    show, else for the first.
    """
    tally = Counter(observed for result in results for observed in result.readings)
    tally.update((folded or Folded()).readings)
    seen: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for text in sorted(tally):
        reading, _, alternative = text.partition("=")
        seen[reading][alternative] = tally[text]
    for name, shown in seen.items():
        _decide(shown, settings.pinned.get(name))
    wanted = settings.selection.operations
    names = {
        reading.id
        for reading in contract.readings.values()
        if not wanted or not reading.operations or not set(wanted).isdisjoint(reading.operations)
    }
    return tuple(
        ReadingRow(name, dict(seen.get(name, {})), settings.pinned.get(name)) for name in sorted(names | set(seen))
    )


def _decide(shown: dict[str, int], pinned: str | None) -> None:
    """Give the count of each undecided alternative to one that it may be: the pinned one, one that others show, the first."""
    for text in [text for text in shown if "|" in text]:
        count, possible = shown.pop(text), text.split("|")
        chosen = pinned if pinned in possible else next((one for one in possible if one in shown), possible[0])
        shown[chosen] = shown.get(chosen, 0) + count


def _cells(contract: Contract, settings: Settings) -> Iterable[_Cell]:
    chosen = settings.selection
    for operation in contract.operations.values():
        if chosen.operations and operation.id not in chosen.operations:
            continue
        for code in operation.codes:
            yield from _cells_of(operation, code, chosen.media_types, chosen.transports)


def _cells_of(
    operation: Operation, code: ErrorCode, media_types: Sequence[str], transports: Sequence[str]
) -> Iterable[_Cell]:
    for channel in channels(operation):
        if media_types and channel.media_type not in media_types:
            continue
        if transports and channel.transport not in transports:
            continue
        yield operation.id, code.code, channel.media_type, channel.transport


def code_key(code: str) -> tuple[int, str]:
    """Numbers in their own order, before words."""
    return (int(code), "") if code.isdecimal() else (1 << 31, code)


def _code_row(cell: _Cell, found: Sequence[CaseResult], requirement: str, accepted: str) -> CodeRow:
    operation, code, media_type, transport = cell
    verdict, reason, case = _judge_cell(code, requirement, sorted(found, key=lambda result: result.id))
    is_accepted = verdict is Verdict.NOT_VERIFIED and bool(accepted)
    shown = accepted if is_accepted else reason
    return CodeRow(operation, code, media_type, transport, verdict, shown, case, is_accepted)


def _judge_cell(code: str, requirement: str, found: Sequence[CaseResult]) -> tuple[Verdict, str, str | None]:
    """Verdict, reason and deciding case: a failure or an error decides, else one proof is enough to pass."""
    for verdict in (Verdict.FAIL, Verdict.HARNESS_ERROR, Verdict.TARGET_ERROR):
        for result in found:
            if result.verdict is verdict and not _shown_in_passing(code, requirement, result):
                return verdict, result.reason, result.id
    for result in found:
        if result.verdict in (Verdict.PASS, Verdict.FAIL) and result.code_seen == code:
            return Verdict.PASS, "", result.id
    for verdict in (Verdict.WAIVED, Verdict.PASS, Verdict.NOT_VERIFIED, Verdict.NOT_APPLICABLE):
        for result in found:
            if result.verdict is verdict:
                return _unproven(result)
    return Verdict.NOT_VERIFIED, "no case provokes it", None


_OUTCOME_CHECKS = frozenset({"outcome", "effect", "answered", "together", "relation"})


def _shown_in_passing(code: str, requirement: str, result: CaseResult) -> bool:
    """Whether a failed case got the very code that it was to provoke, and its findings are on something else.

    A fault in the form of an answer is a finding on its own requirement. It does not turn every cell red in which the
    answer came.
    """
    if result.verdict is not Verdict.FAIL or result.code_seen != code:
        return False
    return not any(one.requirement == requirement or one.check in _OUTCOME_CHECKS for one in result.findings)


def _unproven(result: CaseResult) -> tuple[Verdict, str, str | None]:
    if result.verdict is Verdict.PASS:
        seen = "answered with no code" if result.code_seen is None else f"answered {result.code_seen}"
        return Verdict.NOT_VERIFIED, seen, result.id
    return result.verdict, result.reason, result.id


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
    done: CarriedOut | None = None,
) -> Outcome:
    """Exit 130 when interrupted, else the first that holds of 5 broken, 1 violated, 3 stopped, 4 incomplete.

    All reasons are listed, also those that a stronger one hides.
    """
    crashed = _tally(results, Verdict.HARNESS_ERROR)
    broken = [f"{many(crashed, 'case')} broke the harness"] if crashed else []
    broken += [options.ending.broken] if options.ending.broken else []
    uncounted = (folded or Folded()).verdicts[Verdict.FAIL]
    violated = _violations(results, requirements, options, uncounted)
    stopped = [f"the run stopped: {options.ending.stopped}"] if options.ending.stopped else []
    done = done or carried_out(results, folded or Folded(), options.settings.planned)
    incomplete = _gaps(results, requirements, codes, options)
    least = options.settings.min_carried_out
    if not done.reaches(least):
        incomplete.append(f"{done.words}; at least {_percent(least)} have to be")
        told = []
    else:
        told = [done.words] if done.hindered else []
    ended = [f"ended early: {options.ending.enough}"] if options.ending.enough else []
    reasons = (*broken, *violated, *stopped, *ended, *incomplete, *told)
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
    return Outcome("pass", PASS, reasons)


def _percent(share: float) -> str:
    return f"{share * 100:g}%"


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
        reasons.append(f"the journal was cut off after {len(results)} of {planned or 'an unknown number of'} cases")
    struck = _tally(results, Verdict.TARGET_ERROR)
    unasked = sum(result.hindrance is Hindrance.HOOK for result in results if result.verdict is Verdict.TARGET_ERROR)
    if struck > unasked:
        reasons.append(f"the target gave no answer to {many(struck - unasked, 'case')}")
    if unasked:
        reasons.append(f"the state hook gave no answer for {many(unasked, 'case')}")
    unsure = sum(
        row.verdict is Verdict.NOT_VERIFIED and row.level == "must" and not row.accepted for row in requirements
    )
    if unsure:
        reasons.append(f"{many(unsure, 'mandatory requirement')} not verified")
    cells = sum(row.verdict is Verdict.NOT_VERIFIED and not row.accepted for row in codes)
    if cells:
        reasons.append(f"{many(cells, 'error-code cell')} not verified")
    return reasons


def _tally(results: Sequence[CaseResult], verdict: Verdict) -> int:
    return sum(result.verdict is verdict for result in results)
