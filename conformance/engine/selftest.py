"""Tries the harness on variants of the reference implementation: faults must be caught, equivalents must not be failed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from conformance.engine.campaign import Campaign, carry_out
from conformance.errors import HarnessError
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Verdict
from conformance.target.choose import REFERENCE, ChosenTarget, chosen_target
from conformance.transport.address import parse_address
from conformance.transport.http import HttpTransport
from conformance.transport.messages import HttpReply, HttpRequest, Limits

EXECUTED_PATH = "/_world/executed"
_FAST = {"quiet_s": 0.1, "settle_s": 0.15}
"""The server is on loopback and does at once what it does, so little waiting is enough."""
_REPLY_TIMEOUT_S = {"fault": 1.0, "equivalent": 5.0}
"""A fault may be that no answer comes; an equivalent must not fail because the machine is busy."""
_ENOUGH_S = 8.0
"""How long a fault's cases run on once it is caught: one that leaves every message unanswered would take minutes."""
_NEVER = date.min
"""The bundled target has no waivers that a date could end."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A variant of the reference implementation, as far as the harness may know it."""

    id: str
    kind: Literal["fault", "equivalent"]
    operation: str
    requirements: tuple[str, ...] = ()
    """Of a fault: the requirements that it breaks."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of the named cases of one suspect's operation."""

    suspect: Suspect
    executed: bool
    """Whether the variant made a difference at all while the cases ran."""
    by: tuple[str, ...]
    """Cases with a finding on a requirement that the fault breaks."""
    findings_on: tuple[str, ...]
    """Every requirement with a finding."""
    alarms: tuple[str, ...]
    """Cases that did not pass."""
    stopped: str = ""
    """Why the run ended early, when it did."""

    @property
    def caught(self) -> bool:
        """Whether the fault was seen for what it is; one that never executed was not."""
        return self.executed and bool(self.by)

    @property
    def good(self) -> bool:
        """Whether the harness judged right: a fault caught, an equivalent at work and not failed."""
        if self.suspect.kind == "fault":
            return self.caught
        return self.executed and not self.alarms and not self.stopped


async def try_suspects(
    contract: Contract,
    cases: Sequence[Case],
    suspects: Sequence[Suspect],
    jobs: int,
    on_trial: Callable[[Trial], None],
) -> tuple[Trial, ...]:
    """Every trial, in the order of the suspects; at most `jobs` servers run at a time.

    Raises `HarnessError` when a server does not start or does not say what it executed.
    """
    slots = asyncio.Semaphore(jobs)

    async def one(suspect: Suspect) -> Trial:
        async with slots:
            trial = await _try(contract, [case for case in cases if case.operation == suspect.operation], suspect)
        on_trial(trial)
        return trial

    return await _all([one(suspect) for suspect in suspects])


async def _all(trials: Sequence[Awaitable[Trial]]) -> tuple[Trial, ...]:
    """The first failure ends the others, and their servers with them, before it goes on."""
    tasks = [asyncio.ensure_future(trial) for trial in trials]
    try:
        return tuple(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _try(contract: Contract, cases: Sequence[Case], suspect: Suspect) -> Trial:
    results: list[CaseResult] = []
    broken = frozenset(suspect.requirements)
    async with chosen_target(REFERENCE, contract, f"--{suspect.kind}", suspect.id) as started:
        chosen = _hurried(started, suspect)
        enough_at = asyncio.get_running_loop().time() + _ENOUGH_S

        def enough() -> bool:
            late = asyncio.get_running_loop().time() > enough_at
            return late and any(finding.requirement in broken for result in results for finding in result.findings)

        campaign = Campaign(contract, cases, chosen, _NEVER, results.append, enough=enough)
        await carry_out(campaign)
        executed = await _executed(chosen, contract.operations[suspect.operation].service, suspect.id)
    findings = [(result.id, finding.requirement) for result in results for finding in result.findings]
    return Trial(
        suspect=suspect,
        executed=executed > 0,
        by=tuple(sorted({case_id for case_id, requirement in findings if requirement in broken})),
        findings_on=tuple(sorted({requirement for _, requirement in findings})),
        alarms=tuple(sorted(result.id for result in results if result.verdict is not Verdict.PASS)),
        stopped=campaign.stopped,
    )


def _hurried(chosen: ChosenTarget, suspect: Suspect) -> ChosenTarget:
    fast = {**_FAST, "total_timeout_s": _REPLY_TIMEOUT_S[suspect.kind]}
    limits = chosen.file.limits.model_copy(update=fast)
    return replace(chosen, file=chosen.file.model_copy(update={"limits": limits}))


async def _executed(chosen: ChosenTarget, service: str, suspect_id: str) -> int:
    """How often the variant made a difference; the server counts."""
    address = chosen.file.services[service].http or ""
    transport = HttpTransport(parse_address(address), keep_alive=False)
    try:
        exchange = await transport.send(HttpRequest("GET", EXECUTED_PATH), limits=Limits())
    finally:
        await transport.aclose()
    try:
        if not isinstance(exchange.reply, HttpReply):
            raise ValueError(exchange.problem.message if exchange.problem else "no reply")
        return int(json.loads(exchange.reply.body)[suspect_id])
    except (ValueError, KeyError, TypeError) as error:
        raise HarnessError(
            f"the reference implementation does not say how often {suspect_id} executed: {error}",
            where=f"{address}{EXECUTED_PATH}",
            hint="`conformance serve` with the same variant shows whether it works.",
        ) from error


def summary_of(trials: Sequence[Trial]) -> Mapping[str, Any]:
    """The report of a self-test as JSON values: a summary, every fault, every equivalent, each sorted by id."""
    ordered = sorted(trials, key=lambda trial: trial.suspect.id)
    faults = [trial for trial in ordered if trial.suspect.kind == "fault"]
    equivalents = [trial for trial in ordered if trial.suspect.kind == "equivalent"]
    return {
        "summary": {
            "faults": len(faults),
            "caught": sum(trial.caught for trial in faults),
            "equivalents": len(equivalents),
            "false_alarms": sum(len(trial.alarms) for trial in equivalents),
        },
        "faults": [
            {
                "id": trial.suspect.id,
                "operation": trial.suspect.operation,
                "requirements": sorted(trial.suspect.requirements),
                "executed": trial.executed,
                "caught": trial.caught,
                "by": list(trial.by),
                "findings_on": list(trial.findings_on),
            }
            for trial in faults
        ],
        "equivalents": [
            {
                "id": trial.suspect.id,
                "operation": trial.suspect.operation,
                "executed": trial.executed,
                "false_alarms": list(trial.alarms),
            }
            for trial in equivalents
        ],
    }
