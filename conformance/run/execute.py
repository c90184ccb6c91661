"""Carries out one case: states, message, observation, judgement, clean-up; always ends in a result."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from conformance.cases.message import MissingBinding, case_places
from conformance.checks.answer import Judgement, Observation
from conformance.checks.judge import ANSWERED
from conformance.checks.kit import Kit
from conformance.checks.outcome import EFFECT, OUTCOME
from conformance.checks.races import RACE
from conformance.dialects.base import CANCELLED, UNKNOWN, pauses_s
from conformance.dialects.own import close_own
from conformance.endpoint.desks import Desk
from conformance.endpoint.redact import redact, redact_error, redact_excerpt
from conformance.errors import (
    DESCRIPTORS,
    HarnessError,
    Hindrance,
    NotCarriedOut,
    StateUnavailable,
    Unreached,
    out_of_descriptors,
)
from conformance.guard.gate import Label, Purpose, hiccup_words, is_hiccup
from conformance.guard.link import Traced
from conformance.model.case import Case, StateNeed, Twin
from conformance.model.verdict import CaseResult, Verdict
from conformance.run.evidence import Level, recorded, redacted_finding, redacted_result, without_bodies
from conformance.run.judgement import Judge, came_to, cases_of_twin, side_by_side, to_judge, with_twin
from conformance.run.race import send_race
from conformance.run.reconcile import hand_over, make_way
from conformance.run.setting import (
    Service,
    Setting,
    all_under_way,
    clean,
    observe,
    secret_name,
    secrets_of,
    send_messages,
    set_up,
    spare_states,
)  # fmt: skip
from conformance.run.states import unset_names
from conformance.values import value_class
from conformance.wire.messages import TIMED_OUT, Exchange, HttpReply, WsReply

_LONG_BYTES = 16 * 1024
_LOST_REASON = "the server closed a kept connection as the message was sent, and no message is sent twice"
INFRASTRUCTURE = "the infrastructure answered or hung up in place of the service: "
"""How the reason begins of a case whose message was disturbed on its way."""
_LATE_LOOK_S = 0.02
_NOT_FORWARDED = 503
_NO_DESK = Desk(0, {}, {})
_EFFECTS = (EFFECT.id, RACE.id, OUTCOME.id)
"""The checks that look what became of things, which takes time; the one of outcomes where an earlier one was refused."""


@value_class(frozen=True, slots=True)
class Judged:
    """A result, with what a metamorphic relation over several cases compares."""

    result: CaseResult
    gist: tuple[Any, ...] = ()
    summary: str = ""
    exchanges: tuple[Exchange, ...] = ()
    """As far as evidence needs them."""
    earlier: tuple[Exchange, ...] = ()
    """The same of the messages before the judged one."""
    secrets: tuple[str, ...] = ()
    """What the message carried that no output may show."""
    disturbed: str = ""
    """What the infrastructure did to a message of the case, in words: such a case says nothing about the contract."""
    undone: bool = True
    """Nothing of the disturbed messages can have been carried out, as far as anybody can tell."""
    timed_out: bool = False
    """An answer was waited for in vain, for the whole time that one may take."""

    @property
    def traced(self) -> tuple[Traced, ...]:
        """Its own messages, with what they were sent for."""
        label = Label(Purpose.JUDGED, self.result.role, self.result.id)
        return tuple(Traced(label, self.result.transport, one) for one in self.exchanges)


def unsent(case: Case, reason: str) -> CaseResult:
    """The result of a case that was not begun."""
    result = _result(
        case, Setting(_NO_DESK, case.role), Verdict.NOT_VERIFIED, reason=reason, hindrance=Hindrance.NOT_BEGUN
    )
    return replace(result, requests=0)


async def execute(case: Case, kit: Kit, service: Service, desk: Desk, judge: Judge) -> CaseResult:
    """The result of one case; nothing that the target does makes this raise."""
    return (await execute_judged(case, kit, service, desk, judge)).result


async def execute_judged(
    case: Case, kit: Kit, service: Service, desk: Desk, judge: Judge, parked: Callable[[], None] = lambda: None
) -> Judged:
    """The result of one case, and the gist of the answer; `parked` is told when only a second look is left.

    A server may close a connection that it kept open at any moment, also when a message is on its way (RFC 9112,
    9.5). What was lost there may have been carried out: it is neither a violation nor sent again.
    """
    judged = await _execute_once(case, kit, service, desk, judge, parked)
    if judged.disturbed and judged.undone:
        judged = await _execute_once(case, kit, service, desk, judge)
    if judged.disturbed:
        outcome = "it may have been carried out" if not judged.undone else "it was tried twice"
        result = replace(
            judged.result, verdict=Verdict.NOT_VERIFIED, findings=(), readings=(), code_seen=None,
            reason=f"{INFRASTRUCTURE}{judged.disturbed}; {outcome}", hindrance=Hindrance.INFRASTRUCTURE,
        )  # fmt: skip
        return replace(judged, result=result, gist=())
    lost = any(exchange.lost_by_reuse for exchange in judged.exchanges)
    if lost and all(finding.check == ANSWERED.id for finding in judged.result.findings):
        result = replace(
            judged.result, verdict=Verdict.NOT_VERIFIED, findings=(), reason=_LOST_REASON, hindrance=Hindrance.LOST
        )
        return replace(judged, result=result)
    return judged


async def _execute_once(
    case: Case, kit: Kit, service: Service, desk: Desk, judge: Judge, parked: Callable[[], None] = lambda: None
) -> Judged:
    """What came of it, with every message that was sent for it, clean-up included."""
    setting = Setting(desk.for_case(case.id), case.role, parked)
    trace = service.link.traces[case.id] = []
    try:
        judged = await _undertake(case, kit, service, setting, judge)
    finally:
        service.link.traces.pop(case.id, None)
    if trace and not judged.result.exchanges:  # it was broken off
        exchanges = recorded(trace, secrets_of(service, setting), service.sessions.vault.known, level=Level.AROUND)
        judged = replace(judged, result=replace(judged.result, exchanges=exchanges))
    return judged


async def _undertake(case: Case, kit: Kit, service: Service, setting: Setting, judge: Judge) -> Judged:
    vault = service.sessions.vault
    after: Mapping[str, str] = {}
    came: Judgement | None = None
    began_s = asyncio.get_running_loop().time()
    try:
        _demand(case, service)
        await make_way(case, kit.operation, service, setting.origin)
        judgement, after = await _carry_out(case, kit, service, setting, judge)
        if case.twin is not None:
            judgement = await _with_twin(case, case.twin, kit, service, setting, judge, judgement)
        came = judgement
    except NotCarriedOut as error:
        known = vault.known
        reason = redact_excerpt(error.reason, known)
        accepted = error.accepted or service.link.service.lacks.reason(error.thing)
        verdict = Verdict.TARGET_ERROR if isinstance(error, Unreached) else Verdict.NOT_VERIFIED
        if error.hindrance is Hindrance.NOT_APPLICABLE:
            verdict = Verdict.NOT_APPLICABLE
        result = _result(case, setting, verdict, reason=reason, hindrance=error.hindrance, accepted=accepted)
        words = redact_excerpt(setting.disturbed, known) if setting.disturbed else ""
        return Judged(result, disturbed=words, undone=setting.undone, timed_out=error.timed_out)
    except MissingBinding as error:
        result = _result(case, setting, Verdict.NOT_VERIFIED, reason=error.message, hindrance=Hindrance.BINDING)
        return Judged(redacted_result(result, vault.known))
    except HarnessError as error:
        result = _result(case, setting, Verdict.HARNESS_ERROR, reason=error.message, hindrance=Hindrance.HARNESS)
        return Judged(redacted_result(result, vault.known))
    except Exception as error:  # one case that breaks the harness must not cost the results of all others
        return Judged(_broken(case, setting, error, vault.known))
    finally:
        if setting.own is not None:
            await close_own(service.sessions, setting.own)
        await hand_over(case, kit.operation, service, setting, came, after, began_s)
    secrets = secrets_of(service, setting)
    trace = service.link.traces.get(case.id, ())
    result = redacted_result(_judged(case, setting, judgement, trace, secrets, vault.known), (*secrets, *vault.known))
    unseen = service.link.service.lacks.observer
    if unseen and result.unverified:
        result = replace(result, accepted=unseen)
    words = redact_excerpt(setting.disturbed, vault.known) if setting.disturbed else ""
    timed_out = any(_timed_out(one, service) for one in setting.exchanges)
    gist, summary = judgement.gist, judgement.summary
    return Judged(
        result, gist, summary, setting.exchanges, setting.earlier, secrets, words, setting.undone, timed_out
    )  # fmt: skip


def _disturbs(exchange: Exchange) -> bool:
    """Whether the infrastructure answered in place of the service, or said goodbye."""
    if exchange.problem is None:
        return isinstance(exchange.reply, HttpReply) and is_hiccup(exchange)
    unsent = not exchange.sent and exchange.problem.kind == "ws-closed"
    return exchange.lost_by_goodbye or unsent or is_hiccup(exchange)


def _disturbance(exchange: Exchange) -> str:
    return hiccup_words(exchange) if exchange.problem is None else exchange.problem.message


def disturbance(exchange: Exchange) -> str:
    """What the infrastructure did to a message, in words; empty when it did nothing."""
    return _disturbance(exchange) if _disturbs(exchange) else ""


def _undone(case: Case, setting: Setting, after: Mapping[str, str], exchange: Exchange) -> bool:
    """Whether a disturbed message certainly had no effect: not written, not passed on, or harmless."""
    if not exchange.sent:
        return True
    before = {name: state for handle in setting.handles for name, state in handle.before.items()}
    if any(after.get(name) != state for name, state in before.items()):
        return False
    if isinstance(exchange.reply, HttpReply) and exchange.reply.status == _NOT_FORWARDED:
        return True
    return bool(before) or not case.cancels


def always_disturbed(kit: Kit, judged: Judged, times: int, known: Iterable[str]) -> CaseResult:
    """The result of a case that the infrastructure answers every time, while it lets others pass: a finding."""
    message = f"no answer of the service in any of {times} attempts: {judged.disturbed}"
    finding = ANSWERED.finding(kit.operation, message, "an answer", judged.disturbed, "every attempt")
    exchanges = recorded(judged.traced, judged.secrets, known, level=Level.FULL)
    return replace(judged.result, verdict=Verdict.FAIL, findings=(finding,), reason="", exchanges=exchanges)


def _demand(case: Case, service: Service) -> None:
    """Raises `StateUnavailable`, before anything is set up, for a case that hangs on what the target file says it lacks.

    States are tried all the same: if one can be set up, the target file is wrong, and the case is carried out.
    """
    lacks = service.link.service.lacks
    if not lacks:
        return
    twin = case.twin
    transports = {case.transport, *((twin.transport,) if twin is not None else ())}
    roles = {*case.roles, *((twin.role,) if twin is not None and twin.role else ())}
    things = [f"operation.{case.operation}", *(f"transport.{one.address_key}" for one in sorted(transports))]
    things += [f"role.{name}" for name in sorted(roles)]
    if lacks.binding:
        things += [f"binding.{name}" for name in case_places(case)]
    for thing in things:
        if words := lacks.reason(thing):
            reason = f"the target lacks {thing}: {words}"
            raise StateUnavailable(reason, why=Hindrance.ACCEPTED, accepted=words)


def _broken(case: Case, setting: Setting, error: Exception, secrets: Iterable[str]) -> CaseResult:
    """A defect of the harness, or a limit of its machine, with the place where it showed in the notes."""
    redact_error(error, secrets)
    limited = isinstance(error, OSError) and out_of_descriptors(error)
    reason = DESCRIPTORS if limited else f"{type(error).__name__}: {error}"
    result = _result(case, setting, Verdict.HARNESS_ERROR, reason=reason, hindrance=Hindrance.HARNESS)
    return replace(result, notes=(redact("".join(traceback.format_exception(error)), secrets),))


async def _carry_out(
    case: Case, kit: Kit, service: Service, setting: Setting, judge: Judge
) -> tuple[Judgement, Mapping[str, str]]:
    states = case.states
    if case.provoke is not None:
        states = _provoke(case, service, setting)
    spare = spare_states(case) if states else frozenset()
    if states:
        await set_up(states, 0, service, setting, spare)
    if case.provoke is not None and not states:
        unknown = setting.desk.bindings.get("unknown_order", 0)
        setting.desk = setting.desk.with_bindings(dict.fromkeys(unset_names(case.states), unknown))
    if case.race:
        await send_race(case, service, setting)
    else:
        await send_messages(case, states, service, setting, spare)
    for its in all_under_way(setting):
        _demand_sent(setting, (*its.earlier, *its.exchanges), service)
    if any(exchange.again and exchange.reply is None for exchange in setting.exchanges):
        _take_late(setting, service)
    judgement, after = await _observe_and_judge(case, kit, service, setting, judge)
    if service.recorder is not None:
        who = (setting.desk.key(setting.role), *(handle.name for handle in setting.handles))
        setting.seen = (*setting.seen, service.recorder.turn(kit, setting.observations, who))
    setting.observations = ()
    if setting.beside:
        setting.exchanges = tuple(one for its in all_under_way(setting) for one in its.exchanges)
    for exchange in (*setting.earlier, *setting.exchanges):
        if _disturbs(exchange):
            setting.disturbed = setting.disturbed or _disturbance(exchange)
            setting.undone = setting.undone and _undone(case, setting, after, exchange)
    for its in all_under_way(setting):
        its.earlier, its.exchanges = without_bodies(its.earlier), without_bodies(its.exchanges)
    return judgement, after


def _demand_sent(setting: Setting, exchanges: Iterable[Exchange], service: Service) -> None:
    """Raises `NotCarriedOut` where a message of the case never left, whatever kept it: such a case is not judged."""
    for exchange in exchanges:
        problem = exchange.problem
        if problem is not None and problem.unreachable:
            raise Unreached(problem.message)
        if exchange.sent:
            continue
        if _disturbs(exchange):
            setting.disturbed = setting.disturbed or _disturbance(exchange)
        words = "the wire does not say why" if problem is None else problem.message
        unsent = NotCarriedOut(f"nothing was sent: {words}", why=Hindrance.NOT_SENT)
        unsent.timed_out = _timed_out(exchange, service)
        raise unsent


def _timed_out(exchange: Exchange, service: Service) -> bool:
    """Whether an answer was waited for in vain, for long: a wait that was cut short costs nothing."""
    long_s = service.link.limits.total_timeout_s / 2
    return exchange.problem is not None and exchange.problem.kind in TIMED_OUT and exchange.elapsed_s >= long_s


async def _with_twin(
    case: Case, twin: Twin, kit: Kit, service: Service, setting: Setting, judge: Judge, first: Judgement
) -> Judgement:
    """Say the same in the other way, in states of its own, and hold the two answers together.

    Where the other way cannot be gone, what the first answer broke is broken all the same.
    """
    seconds: list[Judgement] = []
    other = Setting(setting.origin, twin.role or case.role, purpose=Purpose.TWIN)
    after: Mapping[str, str] = {}
    try:
        for again in cases_of_twin(case, twin):
            judgement, after = await _carry_out(again, kit, service, other, judge)
            seconds.append(judgement)
    except NotCarriedOut:
        if first.findings and not setting.disturbed:
            return first
        setting.disturbed, setting.undone = setting.disturbed or other.disturbed, setting.undone and other.undone
        raise
    finally:
        await clean(service, other, after)
    setting.exchanges = (*setting.exchanges, *other.exchanges)
    setting.seen = (*setting.seen, *other.seen)
    setting.disturbed = setting.disturbed or other.disturbed
    setting.undone = setting.undone and other.undone
    return with_twin(twin, first, seconds)


def _provoke(case: Case, service: Service, setting: Setting) -> Mapping[str, StateNeed]:
    assert case.provoke is not None
    provocation = service.link.service.provocation(case.operation, case.provoke)
    if provocation is None:
        reason = f"the target file does not say how to trigger code {case.provoke}"
        raise StateUnavailable(reason, why=Hindrance.CODE)
    if provocation.unreachable is not None:
        words = provocation.unreachable
        raise StateUnavailable(f"unreachable: {words}", why=Hindrance.ACCEPTED, accepted=words)
    setting.desk = setting.desk.with_bindings(provocation.bindings)
    setting.role = provocation.role or setting.role
    if provocation.without_states:
        return {}
    # the account of a provocation belongs to no desk, so whoever provokes also sets it up
    return {name: replace(need, params={"role": setting.role, **need.params}) for name, need in case.states.items()}


async def _observe_and_judge(
    case: Case, kit: Kit, service: Service, setting: Setting, judge: Judge
) -> tuple[Judgement, Mapping[str, str]]:
    """Judge as soon as the effect is right, and at the latest when it had time to settle: received is not yet cancelled.

    Where an effect shows after silence, the answer to it is late: it is listened for, and then judged. Of a case that
    is looked at `later`, what is right is looked at once more when that time is over.
    """
    secrets = secrets_of(service, setting)
    if not setting.handles:  # nothing is watched
        return await _judge_all(case, kit, service, setting, judge, {}, {}, secrets), {}
    before: dict[str, str] = {}
    for handle in setting.handles:
        before.update(handle.before)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    deadline_s = began_s + service.settle_s
    for pause_s in (*pauses_s(service.settle_s), 0.0):
        looked_s = loop.time()
        judgement, after = await _look(case, kit, service, setting, judge, before, secrets)
        waiting = any(one.check in _EFFECTS and one.expected == CANCELLED for one in judgement.findings)
        if judgement.unsettled and looked_s < began_s + service.settling_s:
            waiting = True
        if not waiting or looked_s >= deadline_s:  # a look tells how things stood when it began
            break
        _note_gone(case, setting, before, after)
        await asyncio.sleep(pause_s)
    if any(state == CANCELLED != before.get(name) for name, state in after.items()):
        service.note_settled(loop.time() - began_s)
    if case.later and not judgement.findings:
        _note_gone(case, setting, before, after)
        setting.parked()
        await asyncio.sleep(service.settle_s)
        judgement, after = await _look(case, kit, service, setting, judge, before, secrets)
    return judgement, after


def _note_gone(case: Case, setting: Setting, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Keep what was seen cancelled, for a later look that sees it otherwise; the steps of a race look for themselves."""
    gone = {name: state for name, state in after.items() if state == CANCELLED != before.get(name)}
    if gone and not case.race:
        for its in all_under_way(setting):
            its.shown = {**its.shown, **gone}


async def _look(
    case: Case,
    kit: Kit,
    service: Service,
    setting: Setting,
    judge: Judge,
    before: Mapping[str, str],
    secrets: tuple[str, ...],
) -> tuple[Judgement, Mapping[str, str]]:
    """What the answer and a look at the watched things come to."""
    after = await observe(service, setting)
    if any(one.silent for one in setting.exchanges) and any(
        after.get(name, state) != state for name, state in before.items()
    ):
        await _listen_on(service, setting)
    if service.link.service.lacks.observer and any(word != UNKNOWN for word in after.values()):
        service.untrue_lacks.add("observer")
    return await _judge_all(case, kit, service, setting, judge, before, after, secrets), after


async def _judge_all(
    case: Case, kit: Kit, service: Service, setting: Setting, judge: Judge,
    before: Mapping[str, str], after: Mapping[str, str], secrets: tuple[str, ...],
) -> Judgement:  # fmt: skip
    """What the answer comes to, and those to the messages beside it; the gist and the code are those of the case."""
    name_of = partial(secret_name, service, setting)
    ways = setting.beside if case.race else ((case, setting), *setting.beside)
    setting.observations = tuple(
        Observation(
            its.exchanges,
            its.body,
            its.frame,
            before,
            after,
            secrets,
            name_of,
            its.start_s,
            its.end_s,
            its.shown,
            its.earlier,
        )
        for _, its in ways
    )
    pairs = to_judge(case, setting.observations)
    return side_by_side(case, [await _in_turn(service, judge, kit, one, observation) for one, observation in pairs])


async def _in_turn(service: Service, judge: Judge, kit: Kit, case: Case, observation: Observation) -> Judgement:
    """Judge; where an answer is long, one at a time, and then let the event loop hear what has come meanwhile."""
    if all(len(one.received) < _LONG_BYTES for one in observation.exchanges):
        return judge(kit, case, observation)
    async with service.judging:
        judgement = judge(kit, case, observation)
        await asyncio.sleep(0)
    return judgement


async def _listen_on(service: Service, setting: Setting) -> None:
    """Wait for the answers to messages that had an effect and seemed to get silence, as long as an answer may take."""
    silent = [one for one in setting.exchanges if one.silent]
    until_s = max(one.started_s for one in silent) + service.link.limits.total_timeout_s
    while time.monotonic() < until_s and not any(one.again for one in silent):
        await asyncio.sleep(_LATE_LOOK_S)
    _take_late(setting, service)


def _take_late(setting: Setting, service: Service) -> None:
    """Put late answers in the place of the silence before them."""
    now_s = time.monotonic()
    exchanges = []
    for one in setting.exchanges:
        if one.reply is None and one.again:
            silence, text, elapsed_s = one, one.again[0], now_s - one.started_s
            one = replace(
                one, reply=WsReply(text, one.others), received=text, problem=None, silent=False, elapsed_s=elapsed_s, again=one.again[1:]
            )  # fmt: skip
            service.link.note_late(setting.desk.case, silence, one)
        exchanges.append(one)
    setting.exchanges = tuple(exchanges)


def _judged(
    case: Case, setting: Setting, judgement: Judgement, trace: Iterable[Traced],
    secrets: tuple[str, ...], known: Collection[str],
) -> CaseResult:  # fmt: skip
    came = came_to(case, judgement)
    level = Level.FULL if came.verdict is Verdict.FAIL else Level.AROUND
    if came.verdict is Verdict.PASS:
        level = Level.BRIEF if case.tier == "named" else Level.TIMES
    return _result(
        case,
        setting,
        came.verdict,
        reason=came.reason,
        hindrance=came.hindrance,
        findings=tuple(redacted_finding(finding, (*secrets, *known)) for finding in judgement.findings),
        blocked=judgement.blocked,
        readings=judgement.readings,
        code_seen=judgement.code_seen,
        unverified=judgement.unverified,
        notes=judgement.notes,
        exchanges=recorded(trace, secrets, known, level=level),
        seen=setting.seen,
        history=judgement.history,
    )


def _result(case: Case, setting: Setting, verdict: Verdict, *, reason: str, **more: Any) -> CaseResult:
    return CaseResult(
        id=case.id,
        operation=case.operation,
        requirements=case.requirements,
        tier=case.tier,
        transport=case.transport,
        media_type=case.media_type,
        role=setting.role,
        verdict=verdict,
        reason=reason,
        code=case.code,
        rows=case.rows,
        requests=sum(1 for one in (*setting.earlier, *setting.exchanges) if one.sent),
        **more,
    )
