"""Writes CTRF, the Common Test Report Format (https://ctrf.io): a test for each case that is kept, times in milliseconds."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from conformance.contract.problem_text import told_apart
from conformance.model.spec import Contract
from conformance.model.verdict import FLAKY_NOTE, CaseResult, Finding, Verdict
from conformance.report.causes import replay_name
from conformance.report.formats.junit import family
from conformance.report.rows import ReportFormat, RunSummary, replay_command
from conformance.report.safe_text import json_safe

SPEC_VERSION = "0.0.0"
_STATUS = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "failed",
    Verdict.NOT_VERIFIED: "skipped",
    Verdict.NOT_APPLICABLE: "skipped",
    Verdict.WAIVED: "skipped",
}
_STATUSES = ("passed", "failed", "skipped", "pending", "other")


def to_ctrf(summary: RunSummary, _contract: Contract) -> str:
    """The document as JSON; generated cases that passed are in the summary alone."""
    tests = [_test(result, summary) for result in summary.cases]
    counts = dict.fromkeys(_STATUSES, 0)
    for result in summary.cases:
        counts[_status(result.verdict)] += 1
    for verdict, count in summary.folded.verdicts.items():
        counts[_status(verdict)] += count
    start = round(datetime.fromisoformat(summary.info.started_at).timestamp() * 1000)
    flaky = sum(any(note.startswith(FLAKY_NOTE) for note in result.notes) for result in summary.cases)
    document = {
        "reportFormat": "CTRF",
        "specVersion": SPEC_VERSION,
        "runId": summary.info.id,
        "generatedBy": "order-cancellation-conformance",
        "results": {
            "tool": {"name": "conformance", "version": summary.info.tool_version},
            "summary": {
                "tests": sum(counts.values()),
                **counts,
                "flaky": flaky,
                "start": start,
                "stop": start + round(summary.duration_s * 1000),
                "extra": {
                    "verdict": summary.verdict,
                    "exit_code": summary.exit_code,
                    "carried_out": summary.carried_out.words,
                    "reasons": list(summary.reasons),
                },
            },
            "tests": tests,
        },
    }
    return json_safe(json.dumps(document, indent=1)) + "\n"


def _status(verdict: Verdict) -> str:
    """The word for a verdict; an error of the target or of the tool is neither a failure nor skipped."""
    return _STATUS.get(verdict, "other")


def _test(result: CaseResult, summary: RunSummary) -> dict[str, Any]:
    told = [_told(finding) for finding in result.findings]
    test: dict[str, Any] = {
        "name": result.id,
        "status": _status(result.verdict),
        "rawStatus": result.verdict.value,
        "duration": round(result.took_s * 1000),
        "suite": [result.operation, family(result.id)] if family(result.id) else [result.operation],
        "tags": [*sorted(result.requirements), result.transport, result.media_type],
    }
    if told or result.reason:
        test["message"] = "\n".join(told) or result.reason
    if result.verdict is Verdict.FAIL:
        test["extra"] = {"replay": replay_command(replay_name(result), summary.info)}
    return test


def _told(finding: Finding) -> str:
    """A finding in a line, with both sides where it has them."""
    expected, actual = told_apart(finding.expected, finding.actual)
    sides = (("expected", expected), ("actual", actual), ("at", finding.at))
    return "; ".join([f"{finding.requirement}: {finding.message}", *(f"{name} {text}" for name, text in sides if text)])


CTRF = ReportFormat("ctrf.json", to_ctrf)
