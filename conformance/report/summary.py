"""Summarises the results of a run and writes the summary as `results.json`.

What every report says beside the verdict: unchecked TLS, flaky cases, throttling, and what was left on the target.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from conformance.cases.combinations.arrays import counted, coverage
from conformance.cases.combinations.count import Coverage
from conformance.contract.problem_text import told_apart
from conformance.model.spec import Contract
from conformance.model.verdict import FLAKY_NOTE, CaseResult, Finding, RunInfo
from conformance.report.causes import Cause, causes
from conformance.report.editions import edition_rows
from conformance.report.factors import Common
from conformance.report.rows import (
    CodeRow,
    EditionRow,
    Gathering,
    ReadingRow,
    ReportFormat,
    RequirementRow,
    RunSummary,
    carried_out,
    gather,
    hindrance_of,
)
from conformance.report.run_info import Ending, SummaryOptions
from conformance.report.safe_text import json_safe, many
from conformance.report.verdicts import code_rows, outcome, reading_rows, requirement_rows


def notices(info: RunInfo, cases: Sequence[CaseResult], ending: Ending) -> tuple[str, ...]:
    """One line each, in a fixed order."""
    return (
        *_unchecked_tls(info.target),
        *(f"waiver {waiver}" for waiver in ending.waivers_beyond),
        *(
            f"{note.removeprefix(FLAKY_NOTE)} attempts, flaky: {result.id}"
            for result in cases
            for note in result.notes
            if note.startswith(FLAKY_NOTE)
        ),
        *(
            f"{key} is not true: it was there, and the cases that hang on it were carried out"
            for key in ending.untrue_lacks
        ),
        *(["the target turned messages away with TOO MANY REQUESTS; they were sent again"] if ending.throttled else ()),
        *(
            [f"{many(len(ending.left_behind), 'thing')} left behind on the target; the journal's last line names them"]
            if ending.left_behind
            else ()
        ),
        *(
            [f"the target would not show whether {many(ending.unseen, 'thing')} that it made for this run stood open"]
            if ending.unseen
            else ()
        ),
    )


def _pinned_otherwise(rows: Iterable[EditionRow]) -> Iterator[str]:
    for row in rows:
        if row.pinned is not None and row.spoken and row.pinned not in row.spoken:
            yield f"{row.operation} speaks the edition {row.words}, and the target file pins {row.pinned}"


def _unchecked_tls(target: Mapping[str, object]) -> list[str]:
    services = target.get("services")
    if not isinstance(services, Mapping):
        return []
    return [
        f"TLS of services.{name} was not checked (verify = false): anybody may have answered"
        for name, service in sorted(services.items())
        if isinstance(service, Mapping)
        and isinstance(service.get("tls"), Mapping)
        and service["tls"].get("verify") is False
    ]


SCHEMA_VERSION = 1


def summarise(
    contract: Contract,
    info: RunInfo,
    results: Sequence[CaseResult] | Gathering,
    options: SummaryOptions | None = None,
) -> RunSummary:
    """All that the reports say, in one order whatever that of `results`; a case's later result wins."""
    chosen = options or SummaryOptions()
    contract = contract.in_editions(chosen.settings.editions)
    gathering = results if isinstance(results, Gathering) else gather(results)
    folded = gathering.folded
    cases = tuple(_tidy(result) for result in gathering.results)
    requirements = requirement_rows(contract, cases, chosen.settings, folded)
    codes = code_rows(contract, cases, chosen.settings)
    done = carried_out(cases, folded, chosen.settings.planned)
    editions = edition_rows(contract, cases)
    came_to = outcome(cases, requirements, codes, chosen, folded, done)
    return RunSummary(
        info=info,
        duration_s=chosen.ending.duration_s,
        verdict=came_to.verdict,
        exit_code=came_to.exit_code,
        reasons=came_to.reasons,
        requests_sent=sum(result.requests for result in cases) + folded.requests,
        requirements=requirements,
        error_codes=codes,
        readings=reading_rows(contract, cases, chosen.settings, folded),
        editions=editions,
        cases=cases,
        carried_out=done,
        messages_sent=chosen.ending.messages_sent,
        waivers=dict(sorted(chosen.ending.waivers_matched.items())),
        notices=(*_pinned_otherwise(editions), *notices(info, cases, chosen.ending)),
        cut_short=chosen.ending.cut_short,
        left_behind=tuple(sorted(chosen.ending.left_behind)),
        causes=causes(cases, contract, folded.wrong, folded.carried_out),
        folded=folded,
        coverage=tuple(_coverage_rows(contract, gathering, chosen.settings.selection.strength)),
        chosen=chosen.settings.selection.words,
    )


def _coverage_rows(contract: Contract, gathering: Gathering, most: int) -> Iterator[Coverage]:
    """For each operation whose cases were read, the combinations of one, two and three factors, and more if asked for."""
    for name in sorted(gathering.rows):
        operation = contract.operations.get(name)
        found = None if operation is None else counted(operation)
        if found is not None:
            yield from (coverage(found, gathering.rows[name], strength) for strength in range(1, most + 1))


def to_json(summary: RunSummary) -> str:
    """`results.json` as text: ASCII, two spaces of indent, a newline at the end.

    The same results give the same text but for `run.id`, `run.started_at`, `run.duration_s` and
    `run.messages_sent`. What differs from run to run by nature (evidence, notes) stays in the journal.
    """
    return json_safe(json.dumps(_document(summary), indent=2)) + "\n"


def _document(summary: RunSummary) -> dict[str, Any]:
    info = summary.info
    return {
        "schema_version": SCHEMA_VERSION,
        "run": {
            "id": info.id,
            "tool_version": info.tool_version,
            "specs_digest": info.specs_digest,
            "seed": info.seed,
            "started_at": info.started_at,
            "duration_s": round(summary.duration_s, 3),
            "messages_sent": summary.messages_sent,
            "target": _sorted(info.target),
            **({} if info.explore_seed is None else {"explore_seed": info.explore_seed}),
        },
        "summary": {
            "verdict": summary.verdict,
            "exit_code": summary.exit_code,
            "reasons": list(summary.reasons),
            "notices": list(summary.notices),
            "requests_sent": summary.requests_sent,
            "carried_out": {
                "cases": summary.carried_out.cases,
                "of": summary.carried_out.of,
                "share": round(summary.carried_out.share, 4),
                "not": dict(summary.carried_out.hindered),
            },
            "requirements": summary.requirement_counts,
            "cases": summary.case_counts,
            "generated_not_listed": sum(summary.folded.verdicts.values()),
        },
        "requirements": [_requirement(row) for row in summary.requirements],
        "error_codes": [_code(row) for row in summary.error_codes],
        "readings": [_reading(row) for row in summary.readings],
        "editions": [_edition(row) for row in summary.editions],
        "coverage": {name: _coverage(rows) for name, rows in groupby(summary.coverage, lambda one: one.operation)},
        "waivers": [{"waiver": label, "cases": count} for label, count in summary.waivers.items()],
        "causes": [_cause(cause) for cause in summary.causes],
        "cases": [_case(result) for result in summary.cases],
    }


def _requirement(row: RequirementRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "operation": row.operation,
        "level": row.level,
        "verdict": row.verdict.value,
        "reason": row.reason,
        "accepted": row.accepted,
        "cases": list(row.cases),
        "generated_cases": row.generated,
    }


def _code(row: CodeRow) -> dict[str, Any]:
    return {
        "operation": row.operation,
        "code": row.code,
        "media_type": row.media_type,
        "transport": row.transport,
        "verdict": row.verdict.value,
        "reason": row.reason,
        "accepted": row.accepted,
        "case": row.case,
    }


def _reading(row: ReadingRow) -> dict[str, Any]:
    return {"id": row.id, "observed": dict(row.observed), "mixed": row.mixed, "pinned": row.pinned}


def _edition(row: EditionRow) -> dict[str, Any]:
    told = {name: {"for": list(one.speaks_for), "against": list(one.against)} for name, one in row.told.items()}
    return {"operation": row.operation, "pinned": row.pinned, "spoken": list(row.spoken), "told_by": told}


def _numbers(common: Common | None) -> dict[str, int]:
    """How many of the cases that show a cause, and of the others, have what `only_when` says."""
    if common is None:
        return {}
    return {
        "failing_with": common.failing_with,
        "failing": common.failing,
        "others_with": common.others_with,
        "others": common.others,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "id": cause.id,
        "kind": cause.kind.value,
        "operation": cause.operation,
        "requirement": cause.requirement,
        "requirements": list(cause.requirements),
        "check": cause.check,
        "message": cause.message,
        "document": cause.document,
        "place": cause.place,
        "text": cause.text,
        "cases": cause.cases,
        "of": cause.of,
        "only_when": dict(cause.only_when),
        "numbers": _numbers(cause.common),
        "example": cause.example,
        "finding": _finding(cause.finding),
        "follows": list(cause.follows),
    }


_WAYS = {1: "one_way", 2: "two_way", 3: "three_way", 4: "four_way"}


def _coverage(rows: Iterable[Coverage]) -> dict[str, Any]:
    """The shares of one operation; `possible` and `excluded` are the combinations of most factors, `counts` all numbers."""
    counts = {_WAYS[one.strength]: one for one in rows}
    most = max(counts.values(), key=lambda one: one.strength)
    shares = {way: round(one.share, 4) for way, one in counts.items()}
    whole = {way: coverage_object(one) for way, one in counts.items()}
    return {**shares, "possible": most.possible, "excluded": most.size - most.possible, "counts": whole}


def coverage_object(one: Coverage) -> dict[str, Any]:
    """The coverage of an operation, as reports for programs have it."""
    return {
        "operation": one.operation,
        "strength": one.strength,
        "combinations": one.size,
        "impossible": one.size - one.possible,
        "possible": one.possible,
        "covered": one.covered,
        "share": round(one.share, 4),
        "not_carried_out": dict(one.hindered),
        "uncovered": one.uncovered,
    }


def _case(result: CaseResult) -> dict[str, Any]:
    return {
        "id": result.id,
        "operation": result.operation,
        "requirements": list(result.requirements),
        "tier": result.tier,
        "transport": result.transport,
        "media_type": result.media_type,
        "role": result.role,
        "verdict": result.verdict.value,
        "reason": result.reason,
        "hindrance": hindrance_of(result),
        "code": result.code,
        "code_seen": result.code_seen,
        "readings": list(result.readings),
        "blocked": list(result.blocked),
        "findings": [_finding(finding) for finding in result.findings],
    }


def _finding(finding: Finding) -> dict[str, str]:
    expected, actual = told_apart(finding.expected, finding.actual)
    return {
        "requirement": finding.requirement,
        "check": finding.check,
        "message": finding.message,
        "expected": expected,
        "actual": actual,
        "at": finding.at,
    }


def _tidy(result: CaseResult) -> CaseResult:
    """The result with what a scheduler may have ordered put in order."""
    return replace(
        result,
        requirements=tuple(sorted(result.requirements)),
        findings=tuple(sorted(result.findings, key=_finding_key)),
        readings=tuple(sorted(result.readings)),
        blocked=tuple(sorted(result.blocked)),
    )


def _finding_key(finding: Finding) -> tuple[str, str, str, str, str, str]:
    return (finding.requirement, finding.at, finding.check, finding.message, finding.expected, finding.actual)


def _sorted(value: Any) -> Any:
    """The value with the keys of every mapping in order."""
    if isinstance(value, Mapping):
        return {str(key): _sorted(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return [_sorted(item) for item in value]
    return value


JSON = ReportFormat("results.json", lambda summary, _contract: to_json(summary))
