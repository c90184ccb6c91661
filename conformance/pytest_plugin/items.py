"""The items of one process: runs the cases of each, and says what it came to.

A finding belongs to the item of its requirement, in the format of its case, also when the case is about something else.
Where that item cannot show it (it was not selected, has ended, or runs in another worker), an item of the case does.

What a failing item says: the words of the terminal report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from conformance.cases.make import Channel, channels
from conformance.endpoint.model import Waiver
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Finding, RunInfo, Verdict
from conformance.pytest_plugin.engine import Bench
from conformance.pytest_plugin.layout import Entry
from conformance.report.formats.text import finding_section, plain_lines
from conformance.report.run_info import Settings
from conformance.report.safe_text import visible
from conformance.report.summary import summarise
from conformance.report.verdicts import requirement_rows
from conformance.run.selection import Selection
from conformance.run.session import Waivers

_ERRORS = (Verdict.HARNESS_ERROR, Verdict.TARGET_ERROR)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an item came to. `broken` are results with the findings that this item shows, and no others."""

    verdict: Verdict
    reason: str = ""
    broken: tuple[CaseResult, ...] = ()
    complaints: tuple[str, ...] = ()
    """What is wrong with the waivers on the item's cases."""


@dataclass(slots=True)
class Docket:
    """The selected items of one process, and which of them have ended."""

    bench: Bench
    waivers: Sequence[Waiver]
    today: date
    gaps: dict[tuple[str, str], str]
    selected: tuple[Entry, ...] = ()
    _at: dict[tuple[str, str, str], Entry] = field(default_factory=dict)
    _ended: set[tuple[str, str, str]] = field(default_factory=set)
    _shown: set[tuple[str, Finding]] = field(default_factory=set)

    def select(self, entries: Iterable[Entry]) -> None:
        """Take note of the items that will run, in their order."""
        self.selected = tuple(entries)
        self._at = {entry.key: entry for entry in self.selected}

    def run(self, entry: Entry) -> Outcome:
        """Run what the item needs and has not run yet, and judge it. Raises `ConformanceError`."""
        if entry.channel is not None and not self.bench.serves(entry.operation):
            service = self.bench.contract.operations[entry.operation].service
            return Outcome(Verdict.NOT_VERIFIED, f"the target has no service {service!r}")
        try:
            return self._generated(entry) if entry.generated else self._named(entry)
        finally:
            self._ended.add(entry.key)

    def _named(self, entry: Entry) -> Outcome:
        if entry.cases:
            self.bench.run_named(self._batch(entry))
        named = [self.bench.results[case.id] for case in entry.cases if case.id in self.bench.results]
        results = {result.id: self._waived(result) for result in (*named, *self._of_other_cases(entry))}
        settings = Settings(selection=Selection(requirements=(entry.subject,)), accepted_gaps=self.gaps)
        rows = requirement_rows(self.bench.contract, tuple(results.values()), settings)
        row = next(row for row in rows if row.id == entry.subject)
        broken = self._broken(entry, [results[name] for name in sorted(results)])
        complaints = self._complaints(entry)
        if broken or complaints:
            return Outcome(Verdict.FAIL, row.reason, broken, complaints)
        if len(named) < len(entry.cases) and self.bench.stopped:
            return Outcome(Verdict.TARGET_ERROR, f"the run stopped: {self.bench.stopped}")
        return Outcome(row.verdict, row.reason)

    def _of_other_cases(self, entry: Entry) -> list[CaseResult]:
        """Results of any case in the item's format that have a finding on its requirement."""
        return [
            result
            for result in self.bench.with_findings.values()
            if _is_of(result, entry) and any(finding.requirement == entry.subject for finding in result.findings)
        ]

    def _broken(self, entry: Entry, results: Sequence[CaseResult]) -> tuple[CaseResult, ...]:
        """The failed results with the findings that this item shows, which no other item shows from now on."""
        failing = [result for result in results if result.verdict is Verdict.FAIL]
        own = [
            _with(result, [one for one in result.findings if one.requirement == entry.subject]) for result in failing
        ]
        of_cases = {case.id for case in entry.cases}
        strays = [_with(result, self._strays(entry, result)) for result in failing if result.id in of_cases]
        broken = tuple(result for result in (*own, *strays) if result.findings)
        self._shown.update((result.id, finding) for result in broken for finding in result.findings)
        return broken

    def _generated(self, entry: Entry) -> Outcome:
        wanted = {one.channel for one in self.selected if one.generated and one.operation == entry.operation}
        every = set(channels(self.bench.contract.operations[entry.operation]))
        self.bench.run_generated(entry.operation, None if wanted >= every else every & wanted)
        own = [self._waived(one) for one in self.bench.of_generated.get(entry.operation, []) if _is_of(one, entry)]
        broken = tuple(sorted((one for one in own if one.verdict is Verdict.FAIL), key=lambda one: one.id))
        if broken:
            return Outcome(Verdict.FAIL, "", broken)
        for verdict in (*_ERRORS, Verdict.WAIVED):
            struck = [one.reason for one in own if one.verdict is verdict]
            if struck:
                return Outcome(verdict, min(struck))
        assert entry.channel is not None
        ran = self.bench.counts.get((entry.operation, entry.channel), 0)
        if ran > len(own):
            return Outcome(Verdict.PASS)
        if self.bench.stopped:
            return Outcome(Verdict.TARGET_ERROR, f"the run stopped: {self.bench.stopped}")
        return Outcome(
            Verdict.NOT_VERIFIED, min((one.reason for one in own), default="no generated case has this format")
        )

    def _batch(self, entry: Entry) -> list[Case]:
        """The item's cases; when they are few and some are left, those of the next items of its scope as well."""
        known = self.bench.results
        batch = {case.id: case for case in entry.cases if case.id not in known}
        if batch and self.bench.share.whole_scopes:
            for other in self.selected:
                if len(batch) >= self.bench.concurrency:
                    break
                if other.scope == entry.scope and other.key not in self._ended:
                    batch.update((case.id, case) for case in other.cases if case.id not in known)
        return list(batch.values())

    def _strays(self, entry: Entry, result: CaseResult) -> list[Finding]:
        """Findings of one of the item's cases on other requirements, which no other item shows."""
        return [
            finding
            for finding in result.findings
            if finding.requirement != entry.subject
            and (result.id, finding) not in self._shown
            and not self._has_home(finding, result, entry)
        ]

    def _has_home(self, finding: Finding, result: CaseResult, entry: Entry) -> bool:
        home = self._at.get((entry.operation, finding.requirement, entry.format))
        if home is None:
            return False
        return result.id in {case.id for case in home.cases} or (
            self.bench.share.whole_scopes and home.key not in self._ended
        )

    def _waived(self, result: CaseResult) -> CaseResult:
        return Waivers(self.waivers, self.today).apply(result)

    def _complaints(self, entry: Entry) -> tuple[str, ...]:
        """Waivers on this requirement in these cases that have expired, or that matched nothing.

        Whether a pattern of cases matched nothing is only known at the end of the session.
        """
        found: list[str] = []
        requirements = {case.id: case.requirements for case in entry.cases}
        for waiver in self.waivers:
            result = self.bench.results.get(waiver.case)
            if result is None or waiver.case not in requirements:
                continue
            named = requirements[waiver.case]
            if entry.subject != (waiver.requirement if waiver.requirement in named else named[0]):
                continue
            one = Waivers((waiver,), self.today)
            one.note(result)
            found.extend(f"waiver expired: {text}" for text in one.expired())
            found.extend(f"waiver matched nothing: {text}" for text in one.unmatched())
        return tuple(found)


def _is_of(result: CaseResult, entry: Entry) -> bool:
    if entry.channel is None or result.operation != entry.operation:
        return False
    return (
        Channel(entry.channel.transport, result.media_type) == entry.channel
        and result.transport == entry.channel.transport
    )


def _with(result: CaseResult, findings: Sequence[Finding]) -> CaseResult:
    return replace(result, findings=tuple(findings))


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
