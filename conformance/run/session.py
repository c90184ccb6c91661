"""One whole run: reach the target, run the chosen cases, and give every result away as it comes.

Waivers: narrow, owned, with an expiry; one that matched nothing, or expired, fails the run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from conformance.endpoint.choose import ChosenTarget
from conformance.endpoint.model import Waiver
from conformance.endpoint.redact import redact_error
from conformance.endpoint.secrets import Vault, with_secrets
from conformance.errors import TargetUnreachable
from conformance.guard.guard import guard_for
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Finding, Verdict
from conformance.run.schedule import Run, close_run, probe, run_cases, run_generated, start_run
from conformance.run.selection import ManyNumbered
from conformance.run.states.pool import Ledger


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


_JUDGED = (Verdict.PASS, Verdict.FAIL, Verdict.WAIVED)
"""A case that could not be carried out says nothing about the waivers on it."""


@dataclass(slots=True)
class Campaign:
    """What a run was asked to do, and what came of it so far."""

    contract: Contract
    cases: Sequence[Case]
    chosen: ChosenTarget
    today: date
    on_result: Callable[[CaseResult], None]
    concurrency: int | None = None
    generated: ManyNumbered = ()
    done: frozenset[str] = frozenset()
    """Ids of generated cases that an earlier part of the run has finished."""
    explore: Callable[[Run, int], Awaitable[object]] | None = None
    """What goes on with the run when its cases are done, at most so many at a time."""
    explored: Sequence[str] = ()
    """The operations that are needed for that."""
    enough: Callable[[], bool] | None = None
    """Asked after each result; once it says so, nothing more is begun."""
    stopped: str = ""
    requests: int = 0
    throttled: int = 0
    earlier: Sequence[CaseResult] = ()
    """Results that the run goes on with; a waiver may have matched there."""
    left_behind: tuple[str, ...] = ()
    ledger: Ledger = field(default_factory=Ledger)
    unmatched: tuple[str, ...] = ()
    expired: tuple[str, ...] = ()


async def carry_out(campaign: Campaign) -> None:
    """Run every case. What stops the run is kept in `campaign.stopped`; results that came before it stand."""
    vault = Vault(campaign.chosen.environment)
    target = with_secrets(campaign.chosen.file, vault)
    waivers = Waivers(target.waivers, campaign.today)
    waived = {waiver.case for waiver in target.waivers}
    ran: set[str] = set()

    def note_ran(result: CaseResult) -> None:
        if result.id in waived and result.verdict in _JUDGED:
            ran.add(result.id)

    for result in campaign.earlier:
        waivers.note(result)
        note_ran(result)

    def report(result: CaseResult) -> None:
        note_ran(result)
        campaign.on_result(waivers.apply(result))
        if campaign.enough is not None and campaign.enough():
            run.stopped = run.stopped or "enough was seen"

    operations = sorted(
        {case.operation for case in campaign.cases}
        | {one.operation.id for one, _ in campaign.generated}
        | set(campaign.explored)
    )
    reachable = [name for name in operations if campaign.contract.operations[name].service in target.services]
    guard = guard_for(target, campaign.contract)
    run = start_run(campaign.contract, target, guard, vault, report, reachable, campaign.ledger)
    try:
        await probe(run)
        cases = [case for case in campaign.cases if case.operation in reachable]
        concurrency = campaign.concurrency or target.limits.concurrency
        await run_cases(run, cases, concurrency)
        numbered = (one for one in campaign.generated if one[0].operation.id in reachable)
        await run_generated(run, numbered, concurrency, campaign.done)
        if campaign.explore is not None and run.stopped is None:
            await campaign.explore(run, concurrency)
        campaign.stopped = run.stopped or ""
    except TargetUnreachable as error:
        campaign.stopped = error.message
    except Exception as error:
        redact_error(error, vault.known)
        raise
    finally:
        campaign.requests = run.requests
        campaign.throttled = run.gate.throttled
        campaign.left_behind = tuple(sorted(one for service in run.services.values() for one in service.left_behind))
        campaign.unmatched = waivers.unmatched(frozenset(ran)) if not campaign.stopped else ()
        campaign.expired = waivers.expired()
        await close_run(run)
