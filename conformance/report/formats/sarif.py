"""Writes SARIF 2.1.0: a result for each cause, at the line of `requirements.yaml` that it breaks, for code scanning."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from conformance.contract.problem_text import told_apart
from conformance.model.spec import Contract
from conformance.report.causes import Cause
from conformance.report.rows import ReportFormat, RunSummary, replay_command
from conformance.report.safe_text import json_safe, many

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"must": "error", "should": "warning"}
_BUNDLED = "_specs"


def to_sarif(summary: RunSummary, contract: Contract) -> str:
    """One run; its rules are the requirements that its causes break."""
    rules = sorted({cause.requirement for cause in summary.causes})
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "conformance",
                        "semanticVersion": summary.info.tool_version,
                        "rules": [_rule(name, contract) for name in rules],
                    }
                },
                "automationDetails": {"id": f"conformance/{summary.info.id}"},
                "invocations": [
                    {
                        "executionSuccessful": summary.verdict in ("pass", "fail"),
                        "exitCode": summary.exit_code,
                        "toolExecutionNotifications": [
                            {"level": "note", "message": {"text": reason}} for reason in summary.reasons
                        ],
                    }
                ],
                "results": [
                    _result(cause, rules.index(cause.requirement), summary, contract) for cause in summary.causes
                ],
                "columnKind": "unicodeCodePoints",
            }
        ],
    }
    return json_safe(json.dumps(document, indent=1)) + "\n"


def _rule(name: str, contract: Contract) -> dict[str, Any]:
    requirement = contract.requirements.get(name)
    if requirement is None:
        return {"id": name}
    return {
        "id": name,
        "shortDescription": {"text": requirement.text},
        "fullDescription": {"text": f"{requirement.document}, {requirement.place}: {requirement.text}"},
        "defaultConfiguration": {"level": _LEVELS.get(requirement.level, "note")},
    }


def _result(cause: Cause, rule: int, summary: RunSummary, contract: Contract) -> dict[str, Any]:
    requirement = contract.requirements.get(cause.requirement)
    expected, actual = told_apart(cause.finding.expected, cause.finding.actual)
    lines = [
        f"{cause.message} ({many(cause.cases, 'case')} of {cause.of})",
        *(f"{name}: {text}" for name, text in (("expected", expected), ("actual", actual)) if text),
        replay_command(cause.replay, summary.info),
    ]
    result: dict[str, Any] = {
        "ruleId": cause.requirement,
        "ruleIndex": rule,
        "level": "error" if requirement is None else _LEVELS.get(requirement.level, "note"),
        "message": {"text": "\n".join(lines)},
        "partialFingerprints": {"cause/v1": hashlib.sha256(cause.id.encode("utf-8", "surrogatepass")).hexdigest()},
        "occurrenceCount": cause.cases,
        "properties": {"operation": cause.operation, "check": cause.check, "example": cause.example},
    }
    place = place_of(cause, contract)
    if place is not None:
        where = {"artifactLocation": {"uri": place[0]}, "region": {"startLine": place[1]}}
        result["locations"] = [{"physicalLocation": where}]
    return result


def place_of(cause: Cause, contract: Contract) -> tuple[str, int] | None:
    """File and line of the requirement that a cause breaks; None where the file cannot be read."""
    requirement = contract.requirements.get(cause.requirement)
    operation = None if requirement is None else contract.operations.get(requirement.operation)
    if operation is None:
        return None
    path = operation.folder / "requirements.yaml"
    try:
        text = path.read_text("utf-8")
        inside = path.relative_to(contract.root).as_posix()
    except (OSError, ValueError):
        return None
    found = re.search(rf"(?m)^- id: {re.escape(cause.requirement)}\s*$", text)
    root = "specs" if contract.root.name == _BUNDLED else contract.root.name
    return f"{root}/{inside}", 1 if found is None else text.count("\n", 0, found.start()) + 1


SARIF = ReportFormat("results.sarif", to_sarif)
