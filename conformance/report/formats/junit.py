"""Writes JUnit XML: a test case for each named case, and one for each requirement's generated cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from conformance.contract.problem_text import told_apart
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Finding, RunInfo, Verdict
from conformance.report.causes import replay_name
from conformance.report.rows import ReportFormat, RunSummary, replay_command
from conformance.report.safe_text import many, xml_safe

_MOST_FINDINGS = 20
_HOST = "localhost"
"""What Ant writes where it does not know: the reports of two machines are the same."""
_TAGS = {
    Verdict.FAIL: "failure",
    Verdict.TARGET_ERROR: "error",
    Verdict.HARNESS_ERROR: "error",
    Verdict.NOT_VERIFIED: "skipped",
    Verdict.NOT_APPLICABLE: "skipped",
    Verdict.WAIVED: "skipped",
}


@dataclass(frozen=True, slots=True)
class _Test:
    """One `testcase` element."""

    suite: str
    classname: str
    name: str
    verdict: Verdict
    message: str
    body: str
    took_s: float


def to_junit(summary: RunSummary, contract: Contract) -> bytes:
    """The document as UTF-8, suites by operation; a time is that of the exchanges, and a suite begins with its first."""
    tests = [_named(result, contract, summary.info) for result in summary.cases if result.tier == "named"]
    tests.extend(_generated(summary, contract))
    by_suite: defaultdict[str, list[_Test]] = defaultdict(list)
    for test in tests:
        by_suite[test.suite].append(test)
    root = etree.Element("testsuites")  # Ant's schema lets it have no attribute
    started = _started(summary)
    for number, name in enumerate(sorted(by_suite)):
        suite = etree.SubElement(
            root, "testsuite", name=xml_safe(name), package="conformance", id=str(number), hostname=_HOST
        )
        _count_into(suite, by_suite[name])
        suite.set("timestamp", started[name])
        _properties(suite, summary if name == min(by_suite) else None)
        for test in sorted(by_suite[name], key=lambda test: (test.classname, test.name)):
            _element(suite, test)
        etree.SubElement(suite, "system-out")
        etree.SubElement(suite, "system-err")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def family(case_id: str) -> str:
    """The family in a case id `short/family/name@...`; empty when the id has none."""
    parts = case_id.partition("@")[0].split("/")
    return parts[1] if len(parts) > 1 else ""


def _named(result: CaseResult, contract: Contract, info: RunInfo) -> _Test:
    group = family(result.id)
    return _Test(
        suite=result.operation,
        classname=f"{result.operation}.{group}" if group else result.operation,
        name=result.id,
        verdict=result.verdict,
        message=_message(result.verdict, result.findings, result.reason),
        body=_body([(result, finding) for finding in result.findings], contract, info),
        took_s=result.took_s,
    )


def _generated(summary: RunSummary, contract: Contract) -> Iterable[_Test]:
    groups: defaultdict[tuple[str, str], list[CaseResult]] = defaultdict(list)
    for result in summary.cases:
        if result.tier != "named":
            for name in {*result.requirements, *(finding.requirement for finding in result.findings)}:
                groups[result.operation, name].append(result)
    counted = {(operation, name) for operation, name, verdict in summary.folded.requirements if verdict is Verdict.PASS}
    for operation, name in sorted({*groups, *counted}):
        results = groups[operation, name]
        verdict = _group_verdict(name, results, passed=(operation, name) in counted)
        failing = [result for result in results if result.verdict is not Verdict.WAIVED]
        found = [(one, finding) for one in failing for finding in one.findings if finding.requirement == name]
        reason = next((one.reason for one in results if one.verdict is verdict and one.reason), "")
        yield _Test(
            suite=operation,
            classname=f"{operation}.generated",
            name=name,
            verdict=verdict,
            message=_message(verdict, [finding for _, finding in found], reason),
            body=_body(found, contract, summary.info),
            took_s=sum(one.took_s for one in results) + summary.folded.took_s.get((operation, name), 0.0),
        )


def _group_verdict(name: str, results: Sequence[CaseResult], *, passed: bool) -> Verdict:
    """Fail only for a finding on this very requirement; else an error, or one pass that counts for all."""
    is_hit = any(
        finding.requirement == name for one in results if one.verdict is not Verdict.WAIVED for finding in one.findings
    )
    if is_hit:
        return Verdict.FAIL
    verdicts = {one.verdict for one in results} | ({Verdict.PASS} if passed else set())
    for verdict in (Verdict.HARNESS_ERROR, Verdict.TARGET_ERROR, Verdict.PASS, Verdict.WAIVED):
        if verdict in verdicts:
            return verdict
    return Verdict.NOT_APPLICABLE if verdicts == {Verdict.NOT_APPLICABLE} else Verdict.NOT_VERIFIED


def _message(verdict: Verdict, findings: Sequence[Finding], reason: str) -> str:
    if verdict is Verdict.FAIL and findings:
        more = f" (and {many(len(findings) - 1, 'more finding')})" if len(findings) > 1 else ""
        return f"{findings[0].requirement}: {findings[0].message}{more}"
    return f"{verdict.value}: {reason}" if reason else verdict.value


def _body(found: Sequence[tuple[CaseResult, Finding]], contract: Contract, info: RunInfo) -> str:
    blocks = [_finding_text(result, finding, contract, info) for result, finding in found[:_MOST_FINDINGS]]
    if len(found) > _MOST_FINDINGS:
        blocks.append(f"and {many(len(found) - _MOST_FINDINGS, 'more finding')}, in results.json")
    return "\n\n".join(blocks)


def _finding_text(result: CaseResult, finding: Finding, contract: Contract, info: RunInfo) -> str:
    requirement = contract.requirements.get(finding.requirement)
    lines = [f"{finding.requirement}: {finding.message}"]
    if requirement is not None:
        lines += [f"requirement: {requirement.text}", f"place: {requirement.document}, {requirement.place}"]
    expected, actual = told_apart(finding.expected, finding.actual)
    named = (("expected", expected), ("actual", actual), ("at", finding.at))
    lines += [f"{name}: {text}" for name, text in named if text]
    lines += [f"  {line}" for line in result.history.splitlines()]
    lines.append(f"replay: {replay_command(replay_name(result), info)}")
    return "\n".join(lines)


def _count_into(element: etree._Element, tests: Sequence[_Test]) -> None:
    tags = [_TAGS.get(test.verdict) for test in tests]
    element.set("tests", str(len(tests)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(tags.count(tag)))
    element.set("time", f"{sum(test.took_s for test in tests):.3f}")  # Jenkins' schema has no more places


def _started(summary: RunSummary) -> Mapping[str, str]:
    """When the first message for each operation went out; for one that got none, when the run began."""
    begun: dict[str, float] = {}
    for result in summary.cases:
        for one in result.exchanges[:1]:
            begun[result.operation] = min(one.started_s, begun.get(result.operation, one.started_s))
    at_first = datetime.fromisoformat(summary.info.started_at)
    return defaultdict(
        lambda: _timestamp(at_first), {name: _timestamp(datetime.fromtimestamp(at, UTC)) for name, at in begun.items()}
    )


def _timestamp(at: datetime) -> str:
    """As JUnit's schema has it: UTC, without saying so."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _properties(suite: etree._Element, summary: RunSummary | None) -> None:
    """What the test cases cannot say: the verdict on the run, and why; once, and empty in the other suites."""
    holder = etree.SubElement(suite, "properties")
    if summary is None:
        return
    values = [("verdict", summary.verdict), ("exit_code", str(summary.exit_code))]
    values += [("specs_digest", summary.info.specs_digest), ("seed", str(summary.info.seed))]
    done = summary.carried_out
    values += [("cases_carried_out", str(done.cases)), ("cases", str(done.of))]
    values += [(f"not carried out: {reason}", str(count)) for reason, count in done.hindered.items()]
    values += [("reason", reason) for reason in summary.reasons]
    values += [("notice", notice) for notice in summary.notices]
    for name, value in values:
        etree.SubElement(holder, "property", name=name, value=xml_safe(value))


def _element(suite: etree._Element, test: _Test) -> None:
    case = etree.SubElement(suite, "testcase", classname=xml_safe(test.classname), name=xml_safe(test.name))
    case.set("time", f"{test.took_s:.6f}")
    tag = _TAGS.get(test.verdict)
    if tag is None:
        return
    child = etree.SubElement(case, tag, message=xml_safe(test.message))
    if tag != "skipped":
        child.set("type", test.verdict.value)
    if test.body:
        child.text = xml_safe(test.body)


JUNIT = ReportFormat("junit.xml", to_junit)
