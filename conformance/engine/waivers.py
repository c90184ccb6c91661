"""Waivers: narrow, owned, with an expiry; one that matched nothing, or expired, fails the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from conformance.model.verdict import CaseResult, Finding, Verdict
from conformance.target.model import Waiver


@dataclass(slots=True)
class Waivers:
    """The waivers of a target file, and which of them have matched so far."""

    waivers: Sequence[Waiver]
    today: date
    matched: set[int] = field(default_factory=set)

    def apply(self, result: CaseResult) -> CaseResult:
        """The result, waived when every one of its findings is covered by a waiver that has not expired."""
        if result.verdict is not Verdict.FAIL:
            return result
        covered = [self._covers(result.id, finding) for finding in result.findings]
        if any(number is None for number in covered):
            return result
        reasons = dict.fromkeys(self.waivers[number].reason for number in covered if number is not None)
        return replace(result, verdict=Verdict.WAIVED, reason="; ".join(reasons))

    def note(self, result: CaseResult) -> None:
        """Take a result of an earlier part of the run into account: what it matched is matched."""
        for finding in result.findings:
            self._covers(result.id, finding)

    def _covers(self, case: str, finding: Finding) -> int | None:
        found = None
        for number, waiver in enumerate(self.waivers):
            if waiver.case == case and waiver.requirement == finding.requirement and waiver.finding in finding.message:
                self.matched.add(number)
                if waiver.expires >= self.today:
                    found = number if found is None else found
        return found

    def unmatched(self, ran: frozenset[str]) -> tuple[str, ...]:
        """Waivers of cases that ran without showing what was waived."""
        return tuple(
            f"{waiver.case} {waiver.requirement}: matched nothing (owner {waiver.owner})"
            for number, waiver in enumerate(self.waivers)
            if number not in self.matched and waiver.case in ran
        )

    def expired(self) -> tuple[str, ...]:
        """Waivers whose day has passed."""
        return tuple(
            f"{waiver.case} {waiver.requirement}: expired on {waiver.expires} (owner {waiver.owner})"
            for waiver in self.waivers
            if waiver.expires < self.today
        )
