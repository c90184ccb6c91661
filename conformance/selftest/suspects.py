"""Tries the harness on variants of the reference: it must catch faults, and must not fail equivalents.

Also the result of a self-test as JSON: an attempt as one line between processes, and the whole report.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

from conformance.endpoint.choose import REFERENCE, ChosenTarget, pinned
from conformance.endpoint.file import check_target
from conformance.endpoint.reference import WarmReference, reference_environment, reference_target, warm_reference
from conformance.errors import HarnessError
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Verdict
from conformance.run.schedule import Work, carry_out
from conformance.run.session import session
from conformance.wire.address import parse_address
from conformance.wire.http.client import HttpTransport
from conformance.wire.messages import HttpReply, HttpRequest, Limits

EXECUTED_PATH = "/_world/executed"
_LIMITS = {
    "fault": {"quiet_s": 0.1, "settle_s": 0.15, "total_timeout_s": 1.0},
    "equivalent": {"quiet_s": 0.3, "settle_s": 5.0, "total_timeout_s": 10.0},
}
_PATIENCE_S = 0.15
"""How long the last look at what was left standing waits; no permitted difference changes it later."""
"""The server is on loopback and acts at once, and with some faults nothing comes or nothing happens. An equivalent must
not fail because the machine is busy; it waits only as long as it needs."""
_RIGHT = (Verdict.PASS, Verdict.NOT_APPLICABLE)
"""What a case may come to on a server that is right; it need not have all that a case is about."""
_FEW = 8
"""Concurrency of the cases that name a fault's requirements; cases still running when it is caught are wasted."""
_NEVER = date.min
"""The bundled target has no waivers that a date could end."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """What the harness may know of a variant of the reference implementation."""

    id: str
    kind: Literal["fault", "equivalent"]
    operation: str
    requirements: tuple[str, ...] = ()
    """Of a fault: the requirements that it breaks."""
    edition: str = ""
    """The edition of the vendor's pages that it is of: its server speaks that one, and the target file pins it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One suspect, and the outcome of its operation's named cases."""

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
    findings: tuple[tuple[str, str, str], ...] = ()
    """Each finding as case, check and requirement."""

    @property
    def caught(self) -> bool:
        """Whether the fault was executed and found."""
        return self.executed and bool(self.by)

    @property
    def good(self) -> bool:
        """Whether the harness judged right: the fault is caught, or the equivalent was executed and did not fail."""
        if self.suspect.kind == "fault":
            return self.caught
        return self.executed and not self.alarms and not self.stopped


async def try_suspects(
    contract: Contract,
    cases: Sequence[Case],
    suspects: Sequence[Suspect],
    jobs: int,
    on_attempt: Callable[[Attempt], None],
    *,
    every_case: bool = False,
) -> tuple[Attempt, ...]:
    """Every attempt, in the order of the suspects; at most `jobs` servers run at a time.

    `cases` are those of every edition; a suspect is tried with what its own has.
    A fault's run ends once it is caught, unless `every_case` asks for all that would be found. Raises `HarnessError`
    when a server does not start or does not say what it executed.
    """
    waiting = list(reversed(list(enumerate(suspects))))
    attempts: dict[int, Attempt] = {}

    async def lane() -> None:
        async with warm_reference() as reference:
            while waiting:
                number, suspect = waiting.pop()
                attempts[number] = await try_one(contract, cases, suspect, reference, every_case=every_case)
                on_attempt(attempts[number])

    await _all([lane() for _ in range(min(jobs, len(suspects)))])
    return tuple(attempts[number] for number in sorted(attempts))


async def _all(lanes: Sequence[Awaitable[None]]) -> None:
    """Run all; the first failure ends the others and their servers, then is raised."""
    tasks = [asyncio.ensure_future(lane) for lane in lanes]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def try_one(
    contract: Contract, cases: Sequence[Case], suspect: Suspect, reference: WarmReference, *, every_case: bool
) -> Attempt:
    """The attempt of one suspect on those of the cases that are of its operation. Raises `HarnessError`."""
    broken = frozenset(suspect.requirements)
    results: list[CaseResult] = []
    stopped = ""
    async with reference.serving((f"--{suspect.kind}", suspect.id)) as address:
        chosen = _hurried(contract, address, suspect)

        def caught() -> bool:
            return any(finding.requirement in broken for result in results for finding in result.findings)

        enough = None if every_case or suspect.kind == "equivalent" else caught
        own = _cases_of(suspect, cases)
        for some, concurrency in _rounds(own, broken if enough else frozenset()):
            if not caught():
                results.clear()
                async with session(contract, chosen, {case.operation for case in some}, today=_NEVER) as run:
                    run.on_result = results.append
                    await carry_out(run, Work(some, concurrency=concurrency, enough=enough, patience_s=_PATIENCE_S))
                    stopped = run.stopped or ""
        executed = await _executed(chosen, contract.operations[suspect.operation].service, suspect.id)
    findings = {(result.id, finding.check, finding.requirement) for result in results for finding in result.findings}
    return Attempt(
        suspect=suspect,
        executed=executed > 0,
        by=tuple(sorted({case_id for case_id, _, requirement in findings if requirement in broken})),
        findings_on=tuple(sorted({requirement for _, _, requirement in findings})),
        alarms=tuple(sorted(result.id for result in results if result.verdict not in _RIGHT)),
        stopped=stopped,
        findings=tuple(sorted(findings)),
    )


async def results_of(
    contract: Contract, cases: Sequence[Case], suspect: Suspect, reference: WarmReference
) -> tuple[CaseResult, ...]:
    """What all those of the cases come to on a suspect that are of its operation. Raises `HarnessError`."""
    results: list[CaseResult] = []
    async with reference.serving((f"--{suspect.kind}", suspect.id)) as address:
        chosen = _hurried(contract, address, suspect)
        async with session(contract, chosen, {suspect.operation}, today=_NEVER) as run:
            run.on_result = results.append
            await carry_out(run, Work(_cases_of(suspect, cases), patience_s=_PATIENCE_S))
    return tuple(results)


def _cases_of(suspect: Suspect, cases: Sequence[Case]) -> list[Case]:
    """Those of its operation that every edition has, or its own one."""
    return [one for one in cases if one.operation == suspect.operation and one.edition in ("", suspect.edition)]


def _rounds(cases: Sequence[Case], broken: frozenset[str]) -> tuple[tuple[Sequence[Case], int | None], ...]:
    """The rounds with their concurrency: first the cases that name a broken requirement, then all cases."""
    near = [case for case in cases if not broken.isdisjoint(case.requirements)]
    return ((near, _FEW), (cases, None)) if near else ((cases, None),)


def _hurried(contract: Contract, address: str, suspect: Suspect) -> ChosenTarget:
    """The bundled target there, with as little waiting as it needs."""
    data = pinned(reference_target(address), contract, suspect.edition)
    file = check_target(data, contract, REFERENCE)
    limits = file.limits.model_copy(update=_LIMITS[suspect.kind])
    return ChosenTarget(file.model_copy(update={"limits": limits}), reference_environment(), REFERENCE)


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


def suspect_to_json(suspect: Suspect) -> str:
    """One line that `suspect_from_json` reads."""
    return json.dumps(asdict(suspect))


def suspect_from_json(text: str) -> Suspect:
    """The suspect that a line of `suspect_to_json` stands for."""
    return _suspect(json.loads(text))


def _suspect(members: Mapping[str, Any]) -> Suspect:
    return Suspect(**{**members, "requirements": tuple(members["requirements"])})


def attempt_to_json(attempt: Attempt) -> str:
    """One line that `attempt_from_json` reads."""
    return json.dumps(asdict(attempt))


def attempt_from_json(text: str) -> Attempt:
    """The attempt that a line of `attempt_to_json` stands for."""
    members = json.loads(text)
    return Attempt(
        suspect=_suspect(members["suspect"]),
        executed=bool(members["executed"]),
        by=tuple(members["by"]),
        findings_on=tuple(members["findings_on"]),
        alarms=tuple(members["alarms"]),
        stopped=str(members["stopped"]),
        findings=tuple((case, check, requirement) for case, check, requirement in members["findings"]),
    )


def family_of(case_id: str) -> str:
    """The family of a named case: the second part of its id."""
    return case_id.split("/")[1]


def _own(attempt: Attempt, what: Callable[[str, str], str]) -> list[str]:
    """Something of each case and check that found what the fault breaks, sorted."""
    broken = frozenset(attempt.suspect.requirements)
    return sorted({what(case, check) for case, check, requirement in attempt.findings if requirement in broken})


def summary_of(attempts: Sequence[Attempt]) -> Mapping[str, Any]:
    """The report of a self-test as JSON values: a summary, every fault, every equivalent, each sorted by id."""
    ordered = sorted(attempts, key=lambda attempt: attempt.suspect.id)
    faults = [attempt for attempt in ordered if attempt.suspect.kind == "fault"]
    equivalents = [attempt for attempt in ordered if attempt.suspect.kind == "equivalent"]
    return {
        "summary": {
            "faults": len(faults),
            "caught": sum(attempt.caught for attempt in faults),
            "equivalents": len(equivalents),
            "false_alarms": sum(len(attempt.alarms) for attempt in equivalents),
        },
        "faults": [
            {
                "id": attempt.suspect.id,
                "operation": attempt.suspect.operation,
                "requirements": sorted(attempt.suspect.requirements),
                "executed": attempt.executed,
                "caught": attempt.caught,
                "by": list(attempt.by),
                "findings_on": list(attempt.findings_on),
                "checks": _own(attempt, lambda _case, check: check),
                "families": _own(attempt, lambda case, _check: family_of(case)),
            }
            for attempt in faults
        ],
        "equivalents": [
            {
                "id": attempt.suspect.id,
                "operation": attempt.suspect.operation,
                "executed": attempt.executed,
                "false_alarms": list(attempt.alarms),
            }
            for attempt in equivalents
        ],
    }
