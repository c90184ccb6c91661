"""One whole run: reach the target, run the chosen cases, and give every result away as it comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from conformance.engine.generated import run_generated
from conformance.engine.run import Run, close_run, probe, run_cases, start_run
from conformance.engine.selection import ManyNumbered
from conformance.engine.states.pool import Ledger
from conformance.engine.waivers import Waivers
from conformance.errors import TargetUnreachable
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Verdict
from conformance.target.choose import ChosenTarget
from conformance.target.guard import guard_for
from conformance.target.redact import redact_error
from conformance.target.secrets import Vault, with_secrets

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

    operations = sorted({case.operation for case in campaign.cases} | {one.operation.id for one, _ in campaign.generated} | set(campaign.explored))
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

