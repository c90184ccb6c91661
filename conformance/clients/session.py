"""One session with a client: the mock is told what to play, the client is asked, and its outcomes are judged as a run."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from conformance import tool_version
from conformance.clients.driver import Believed, Driver, Failed, Offer
from conformance.clients.judging import ClientJudge, Heard, Outcome
from conformance.clients.trials import LATE_SHARE, Trial, trials_for
from conformance.endpoint.redact import redact
from conformance.errors import Hindrance, UsageError
from conformance.guard.gate import Purpose
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Recorded, RunInfo, Verdict
from conformance.passive.judging import CLIENT, received_of, sent_of
from conformance.passive.session import Recording
from conformance.report.journal import Header, Journal
from conformance.report.run_info import Ending, Settings
from conformance.run.evidence import evidence_of, redacted_finding
from conformance.run.selection import Selection
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.stage import Stage

PATIENCE_S = 5.0
_TURNS = 5
"""A client may take so many of its own time-outs, and `PATIENCE_S`, before it must have answered."""
_SETTLE_S = 0.1
_AMPLE_SHARE = 0.5
"""An answer within this share of the client's time-out is in time, however slow the machine is."""
_MOST_FAILURES = 10
"""After so many failures of the driver in a row nothing more is tried."""
_NOT_AWAITED = "the client gave up before the answer that came; its time-out is short for this machine"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How a client is tried. `timeout_s`: the time-out that the client is told to use for each of its calls, in seconds."""

    command: str
    timeout_s: float = 2.0
    cases: tuple[str, ...] = ()
    """Patterns of the trials to carry out; all without any."""
    operations: tuple[str, ...] = ()
    progress: Progress = lambda _done, _of: None


@dataclass(slots=True)
class _Session:
    contract: Contract
    options: ClientOptions
    stage: Stage
    driver: Driver
    judges: dict[str, ClientJudge] = field(default_factory=dict)
    results: list[CaseResult] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    calls: int = 0
    others: int = 0
    in_a_row: int = 0

    async def start(self) -> tuple[Offer, ...]:
        introduction = {**self.stage.introduction, "timeout_s": self.options.timeout_s}
        known = {
            name: one.media_types for name, one in self.contract.operations.items() if self.stage.scenes(name)
        }  # fmt: skip
        return await self.driver.start(introduction, known)

    async def carry_out(self, trial: Trial) -> CaseResult:
        if not self.driver.runs:
            if self.in_a_row >= _MOST_FAILURES:
                return self._not_carried_out(trial, "the driver failed too often in a row")
            await self.start()
        stage, offer, timeout_s = self.stage, trial.offer, self.options.timeout_s
        scene = stage.set(offer.operation, trial.scene)
        told = {**trial.told, **({"delay_s": timeout_s * LATE_SHARE} if trial.late else {})}
        if told:
            stage.told.tell({"operation": offer.operation, **told})
        if trial.signed_out:
            stage.end_sessions()
        before, began_s = stage.open_things(), time.time()
        request = {
            "do": "cancel", "operation": offer.operation, "transport": offer.transport.value,
            "media_type": offer.media_type, "members": scene.members,
        }  # fmt: skip
        asked_s = time.monotonic()
        reply = await self.driver.ask(request, len(scene.parts), timeout_s * _TURNS + PATIENCE_S)
        late = time.monotonic() - asked_s >= timeout_s
        if isinstance(reply, Failed) or late:
            await asyncio.sleep(_SETTLE_S)  # what it has sent may still wait to be read
        late = late and not asked_s < stage.answered_s < asked_s + timeout_s * _AMPLE_SHARE
        self.in_a_row = self.in_a_row + 1 if isinstance(reply, Failed) and reply.over else 0
        judge = self.judges.setdefault(offer.operation, ClientJudge(self.contract.operations[offer.operation]))
        outcome = judge.judge(trial, scene, tuple(stage.heard), reply, before, stage.open_things(), late=late)
        believed = [str(one) for one in reply.parts] if isinstance(reply, Believed) else []
        return self._result(trial, outcome, believed, began_s, time.time() - began_s)

    def _result(
        self, trial: Trial, outcome: Outcome, believed: Sequence[str], began_s: float, took_s: float
    ) -> CaseResult:
        secrets = self.stage.secrets
        calls = sum(one.request is not None for one in outcome.heard)
        self.calls += calls
        self.others += len(outcome.heard) - calls
        open_ = outcome.late or bool(outcome.unsupported)
        verdict = Verdict.FAIL if outcome.findings else Verdict.NOT_VERIFIED if open_ else Verdict.PASS
        unsupported = (
            redact(f"the client cannot do this: {outcome.unsupported}", secrets) if outcome.unsupported else ""
        )
        why = Hindrance.NOT_APPLICABLE if unsupported else Hindrance.INFRASTRUCTURE if outcome.late else None
        notes = outcome.notes
        if outcome.findings:
            notes += (f"the client believed: {', '.join(believed) or 'nothing'}", *map(redact, self.driver.said))
        return CaseResult(
            id=trial.id,
            operation=trial.offer.operation,
            requirements=outcome.requirements,
            tier="named",
            transport=trial.offer.transport.value,
            media_type=trial.offer.media_type,
            role=CLIENT,
            verdict=verdict,
            findings=tuple(redacted_finding(one, secrets) for one in outcome.findings),
            reason=unsupported or (_NOT_AWAITED if outcome.late else ""),
            accepted=unsupported,
            hindrance=why.value if why is not None else "",
            code_seen=trial.code if verdict is Verdict.PASS else None,
            requests=calls,
            exchanges=tuple(
                _recorded(one, trial, secrets, began_s, took_s, full=bool(outcome.findings)) for one in outcome.heard
            ),
            notes=tuple(redact(one, secrets) for one in dict.fromkeys(notes)),
        )

    def _not_carried_out(self, trial: Trial, reason: str) -> CaseResult:
        operation = self.contract.operations[trial.offer.operation]
        return CaseResult(
            id=trial.id, operation=operation.id, requirements=(operation.attribution["readable"],), tier="named",
            transport=trial.offer.transport.value, media_type=trial.offer.media_type, role=CLIENT,
            verdict=Verdict.NOT_VERIFIED, reason=reason, hindrance=Hindrance.NOT_BEGUN.value,
        )  # fmt: skip


def _recorded(
    one: Heard, trial: Trial, secrets: tuple[str, ...], began_s: float, took_s: float, *, full: bool
) -> Recorded:
    exchange = one.tapped.exchange
    shown = replace(exchange, sent=sent_of(one.tapped), received=received_of(one.tapped))
    purpose = Purpose.JUDGED if one.request is not None else Purpose.OBSERVATION
    problem = "" if one.request is None or one.tapped.reply is not None else "no whole answer was sent"
    evidence = evidence_of([shown], secrets, full=full)
    return Recorded(purpose.value, CLIENT, trial.offer.transport.value, began_s, took_s, problem, evidence)


async def judge_client(contract: Contract, options: ClientOptions) -> Recording:
    """Try a client with everything that it offers. Raises `UsageError` and `TargetUnreachable`; a cancellation ends it early."""
    began_s, started_at, interrupted = time.monotonic(), datetime.now(UTC), False
    for name in options.operations:
        if name not in contract.operations:
            raise UsageError(f"there is no operation {name!r}", where="--operation")
    driver = Driver(options.command)
    async with Stage() as stage:
        session = _Session(contract, options, stage, driver)
        try:
            offers = [
                one for one in await session.start() if not options.operations or one.operation in options.operations
            ]
            trials = _chosen(contract, offers, stage, options.cases)
            for number, trial in enumerate(trials):
                options.progress(number, len(trials))
                session.results.append(await session.carry_out(trial))
        except asyncio.CancelledError:
            interrupted = True
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await driver.stop()
    info = RunInfo(
        uuid.uuid4().hex, tool_version(), contract.digest, 0, started_at.isoformat(timespec="seconds"),
        {"driver": redact(options.command)},
    )  # fmt: skip
    header = Header(info, Settings(Selection(cases=options.cases or ("*",)), planned=len(session.results)))
    ending = Ending(duration_s=time.monotonic() - began_s, interrupted=interrupted)
    results = tuple(sorted(session.results, key=lambda one: one.id))
    return Recording(Journal(header, results, ending), tuple(session.gaps), session.calls, session.others)


def _chosen(contract: Contract, offers: Sequence[Offer], stage: Stage, patterns: Sequence[str]) -> list[Trial]:
    differences: Mapping[str, str] = {name: one.operation for name, one in EQUIVALENTS.items()}
    trials = [
        trial for offer in offers for trial in trials_for(contract, offer, stage.scenes(offer.operation), differences)
    ]
    for pattern in patterns:
        if not any(fnmatchcase(one.id, pattern) for one in trials):
            raise UsageError(f"no trial is called {pattern!r}", where="--case", hint="A report names them.")
    return [one for one in trials if not patterns or any(fnmatchcase(one.id, pattern) for pattern in patterns)]
