"""One whole run: reach the target, run the chosen cases, and give every result away as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from conformance.engine.run import close_run, probe, run_cases, start_run
from conformance.engine.waivers import Waivers
from conformance.errors import TargetUnreachable
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult
from conformance.target.choose import ChosenTarget
from conformance.target.guard import guard_for
from conformance.target.secrets import Vault


@dataclass(slots=True)
class Campaign:
    """What a run was asked to do, and what came of it so far."""

    contract: Contract
    cases: Sequence[Case]
    chosen: ChosenTarget
    today: date
    on_result: Callable[[CaseResult], None]
    concurrency: int | None = None
    stopped: str = ""
    requests: int = 0
    unmatched: tuple[str, ...] = ()
    expired: tuple[str, ...] = ()
    ran: set[str] = field(default_factory=set)


async def carry_out(campaign: Campaign) -> None:
    """Run every case. What stops the run is kept in `campaign.stopped`; results that came before it stand."""
    target = campaign.chosen.file
    waivers = Waivers(target.waivers, campaign.today)

    def report(result: CaseResult) -> None:
        campaign.ran.add(result.id)
        campaign.on_result(waivers.apply(result))

    operations = sorted({case.operation for case in campaign.cases})
    reachable = [name for name in operations if campaign.contract.operations[name].service in target.services]
    guard = guard_for(target, campaign.contract)
    vault = Vault(campaign.chosen.environment)
    run = start_run(campaign.contract, target, guard, vault, report, reachable)
    try:
        await probe(run)
        cases = [case for case in campaign.cases if case.operation in reachable]
        await run_cases(run, cases, campaign.concurrency or target.limits.concurrency)
        campaign.stopped = run.stopped or ""
    except TargetUnreachable as error:
        campaign.stopped = error.message
    finally:
        campaign.requests = run.requests
        campaign.unmatched = waivers.unmatched(frozenset(campaign.ran)) if not campaign.stopped else ()
        campaign.expired = waivers.expired()
        await close_run(run)

