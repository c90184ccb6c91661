"""What a failing item says: the words of the terminal report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, RunInfo
from conformance.report.document import plain_lines
from conformance.report.results import summarise
from conformance.report.sections import finding_section
from conformance.report.text import visible

_WIDTH = 110


def finding_words(contract: Contract, info: RunInfo, broken: Sequence[CaseResult], complaints: Iterable[str]) -> str:
    """Each requirement with its place in the document, its findings, expected beside actual, and how to replay them."""
    by_id: dict[str, CaseResult] = {}
    for result in broken:
        known = by_id.get(result.id)
        by_id[result.id] = result if known is None else _joined(known, result)
    lines = [visible(complaint) for complaint in complaints]
    if by_id:
        lines.extend(plain_lines(finding_section(summarise(contract, info, tuple(by_id.values())), contract, _WIDTH)))
    return "\n".join(lines)


def first_words(broken: Sequence[CaseResult], complaints: Sequence[str]) -> str:
    """One line for the short summary: the first finding, and how many there are."""
    findings = [finding for result in broken for finding in result.findings]
    if not findings:
        return visible(complaints[0]) if complaints else ""
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return visible(f"{findings[0].requirement}: {findings[0].message}{more}")


def _joined(one: CaseResult, other: CaseResult) -> CaseResult:
    return replace(one, findings=(*one.findings, *other.findings))
