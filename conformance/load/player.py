"""Plays the legal cases of a contract on an endpoint, one for each time that it is asked, in a session like a run's.

What it sets up stands in a journal before it is asked for, as in a run, and what is still open at the end is taken back.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from conformance.cases.fixtures import load_cases
from conformance.endpoint.desks import Desk
from conformance.endpoint.model import ServiceTarget, TargetFile
from conformance.errors import Hindrance
from conformance.guard.gate import Together
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Finding, Verdict
from conformance.report.journal import FILE_NAME, Header, JournalWriter
from conformance.report.run_info import Ending, Settings, accepted_gaps, run_info
from conformance.report.safe_text import shortened, visible
from conformance.run.execute import execute_judged
from conformance.run.selection import Selection, choose
from conformance.run.session import Session, session
from conformance.run.sharing import Claims, Room, Share, make_room, share_of
from conformance.run.states import Ledger

INCOMPLETE, UNREACHABLE = 4, 3
_MOST_REFUSED = 3
"""How often in a row a case may not be carried out before it is left out."""
_MOST_SHOWN = 200
_NO_DESK = (
    "no desk of {} is free for a load: start it before the run, and give the target file more desks than the run needs"
)


def is_legal(case: Case) -> bool:
    """Whether a case is one plain request in the run's own session, and every right answer to it is a success.

    What is refused, provoked, sent in another session or at the same moment as something else is no everyday traffic,
    and what may touch every account is nothing that may run beside others.
    """
    plain = not (case.before or case.beside or case.race or case.later or case.session or case.provoke or case.twin)
    return (
        plain
        and case.together == 1
        and case.lane != "alone"
        and bool(case.states)
        and all(_succeeds(one.wanted) for one in case.expect.any_of)
    )


def _succeeds(wanted: Mapping[str, Any]) -> bool:
    results = wanted.get("results")
    if results is not None:
        return isinstance(results, list) and bool(results) and all(one is True for one in results)
    codes = [wanted[key] for key in ("code", "bid", "ask") if key in wanted]
    return bool(codes) and all(code in (0, [0]) for code in codes)


def uses_pool(case: Case, service: ServiceTarget) -> bool:
    """Whether a state of the case comes out of a pool of the target file: its ids are for one use, and a run needs them."""
    return any(
        need.state in service.states.pool
        or (service.states.provider == "pool" and need.state not in service.states.by_state)
        for need in case.states.values()
    )


def legal(
    cases: Iterable[Case], services: Mapping[str, ServiceTarget], service_of: Mapping[str, str]
) -> Iterator[Case]:
    """The legal ones of operations that the target offers and for which it makes states; `service_of` by operation."""
    for case in cases:
        service = services.get(service_of[case.operation])
        if service is not None and is_legal(case) and not uses_pool(case, service):
            yield case


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What a process plays; `worker` of `workers` share the limits of the target file, and the desks are their own."""

    target: str
    room: Path
    report: Path
    worker: int = 0
    workers: int = 1
    desks: int = 1
    """How many desks of each service are taken from what a run may use meanwhile."""
    seed: int = 0
    specs: Path | None = None
    operations: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    transports: tuple[str, ...] = ()

    @property
    def selection(self) -> Selection:
        """The filters, as those of a run."""
        return Selection(self.operations, cases=self.cases, transports=self.transports)


@dataclass(slots=True)
class Player:
    """Plays the legal cases, each of them as often as every other, and never the same one twice at once."""

    run: Session
    room: Room
    journal: JournalWriter
    slots: asyncio.Semaphore
    legal: int = 0
    """How many cases there are to play."""
    reason: str = ""
    """Why there are not more."""
    turns: int = 0
    results: Counter[str] = field(default_factory=Counter)
    """How often each verdict was given."""
    _waiting: asyncio.Queue[Case | None] = field(default_factory=asyncio.Queue)
    _refused: Counter[str] = field(default_factory=Counter)
    _written: set[tuple[str, Verdict]] = field(default_factory=set)

    def deal(self, cases: Sequence[Case], random: Random) -> None:
        """Take the cases, in an order of their own for each process."""
        self.legal = len(cases)
        for case in random.sample(cases, len(cases)):
            self._waiting.put_nowait(case)
        if not cases:
            self._waiting.put_nowait(None)

    async def play(self) -> dict[str, Any]:
        """Carry out the next case, and say what came of it."""
        async with self.slots:
            case = await self._waiting.get()
            if case is None:
                self._waiting.put_nowait(None)
                return over(INCOMPLETE, f"no legal case can be carried out on this target: {self.reason}")
            self.turns += 1
            service = self.run.contract.operations[case.operation].service
            desks = self.run.desks[service]
            desk = desks[self.turns % len(desks)]
            try:
                async with contextlib.AsyncExitStack() as held:
                    if case.lane == "desk":
                        await held.enter_async_context(self.run.desk_lock(service, desk.index))
                    await held.enter_async_context(self.room.entered(alone=False))
                    return await self._play(case, desk)
            finally:
                self._put_back(case)

    def _put_back(self, case: Case) -> None:
        if self._refused[case.id] < _MOST_REFUSED:
            self._waiting.put_nowait(case)
            return
        self.legal -= 1
        if not self.legal:
            self._waiting.put_nowait(None)

    async def _play(self, case: Case, desk: Desk) -> dict[str, Any]:
        run = self.run
        kit, service = run.kits[case.operation], run.service_of(case.operation)
        # as one of the generated tier: of a pass, times are kept and no evidence, which would take half of the time
        judged = await execute_judged(replace(case, tier="generated"), kit, service, desk, run.judge)
        run.take(case, desk, judged)
        run.put_off.clear()  # what the infrastructure disturbed is told as it was: there is more where it came from
        result = replace(run.waivers.apply(judged.result), tier=case.tier)
        self._keep(case, result, disturbed=bool(judged.disturbed))
        if run.stopped is not None:
            return over(UNREACHABLE, run.stopped)
        if result.hindrance == Hindrance.CAP:
            return over(INCOMPLETE, result.reason)
        return {
            "case": case.id,
            "operation": case.operation,
            "transport": case.transport.label,
            "verdict": result.verdict.value,
            "reason": result.reason,
            "findings": [[one.requirement, _in_words(one)] for one in result.findings],
            "messages": [[one.purpose, round(one.took_s * 1000, 3)] for one in result.exchanges],
            "bytes": sum(len(one.received) for one in judged.exchanges),
        }

    def _keep(self, case: Case, result: CaseResult, *, disturbed: bool) -> None:
        """Count the result, and write down the first of each kind."""
        verdict = result.verdict
        self.results[verdict.value] += 1
        if not {(case.id, verdict), (case.id, Verdict.FAIL)} & self._written:
            self._written.add((case.id, verdict))
            self.journal.write(result)
        if verdict is Verdict.NOT_VERIFIED and not disturbed:
            self._refused[case.id] += 1
            self.reason = result.reason
        else:
            del self._refused[case.id]


def _in_words(finding: Finding) -> str:
    expected, actual = (shortened(visible(one), _MOST_SHOWN) for one in (finding.expected, finding.actual))
    return f"{finding.message}: expected {expected}, got {actual}"


def over(code: int, words: str) -> dict[str, Any]:
    """The answer that nothing more is sent, with the exit code that fits."""
    return {"over": words, "code": code}


@contextlib.asynccontextmanager
async def player(contract: Contract, options: LoadOptions) -> AsyncIterator[Player]:
    """A session on the target with its claimed desks, and the player of its legal cases.

    Raises `ConfigurationError`, `UsageError` and `TargetUnreachable`.
    """
    make_room(options.room)
    share = Share(options.worker, options.workers, options.room, rates_together=True)
    ledger = Ledger()
    chosen_cases = choose(contract, load_cases(contract, options.operations or None), options.selection)
    with Claims(share) as claims:

        def mine(target: TargetFile) -> TargetFile:
            shared = share_of(target, share)
            return shared.model_copy(update={"services": claims.for_load(target, options.desks)})

        needed = {case.operation for case in chosen_cases}
        async with session(contract, options.target, needed, ledger=ledger, share=mine) as run:
            run.gate.together = Together(options.room / "sent")
            service_of = {name: one.service for name, one in contract.operations.items()}
            every = [one for one in legal(chosen_cases, run.target.services, service_of) if one.operation in run.kits]
            cases = [one for one in every if one.lane != "desk" or claims.holds(service_of[one.operation])]
            without = sorted(
                {service_of[one.operation] for one in every} - {service_of[one.operation] for one in cases}
            )
            reason = _NO_DESK.format(", ".join(without)) if without else ""
            await run.reach()
            info = run_info(contract, run.chosen, options.seed)
            settings = Settings(
                selection=options.selection, accepted_gaps=accepted_gaps(contract, run.chosen.file),
                pinned=run.chosen.file.readings, planned=len(cases),
            )  # fmt: skip
            began_s = time.monotonic()
            with JournalWriter(options.report / FILE_NAME, Header(info, settings)) as journal:
                ledger.on_set_up = journal.note
                slots = asyncio.Semaphore(run.target.limits.concurrency)
                room = Room(Share(options.worker, 1, options.room), run.target)
                reason = reason or ("" if cases else "the contract has none for it")
                one = Player(run, room, journal, slots, reason=reason)
                one.deal(cases, Random(f"{options.seed}/{options.worker}"))
                yield one
                await run.look_back()
                journal.finish(
                    Ending(
                        duration_s=round(time.monotonic() - began_s, 3),
                        enough="the load has ended",
                        left_behind=run.left_behind,
                        unseen=run.unseen,
                        throttled=run.gate.throttled,
                        messages=run.messages,
                    )
                )
