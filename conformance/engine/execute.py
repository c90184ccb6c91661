"""Carries out one case: states, message, observation, judgement, clean-up; always ends in a result."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.cases.template import MissingBinding
from conformance.checks.judge import Pins, judge
from conformance.checks.kit import Kit
from conformance.checks.observation import Judgement, Observation
from conformance.checks.relations import compare
from conformance.engine.desks import Seat
from conformance.engine.evidence import evidence_of, redacted_finding
from conformance.engine.link import Link
from conformance.engine.message import frame_text, http_request
from conformance.engine.problems import NotCarriedOut, RoleUnavailable, StateUnavailable, Unreached
from conformance.engine.renewal import Speaker, send_http, send_ws
from conformance.engine.sessions import Sessions
from conformance.engine.states.handle import CANCELLED, OPEN, Handle, StateProvider
from conformance.errors import HarnessError
from conformance.model.case import Alternative, Case, Expectation, Message, StateNeed, Twin
from conformance.model.verdict import CaseResult, Verdict
from conformance.target.model import Provocation, is_pin
from conformance.target.redact import redact, redact_error, redact_excerpt
from conformance.transport.messages import Exchange, Headers, HttpRequest

_POLL_S = 0.02
_GRACE_S = 5.0
"""How long an interrupted case waits for the states that are under way."""
_ANY_RESULT = Alternative({"results": ["any"]})
_PIN_NAMES = ("pin", "wrong_pin")


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the target, ready to be used."""

    link: Link
    sessions: Sessions
    states: StateProvider
    errors: Mapping[str, Mapping[str, Provocation]]
    settle_s: float
    clean_timeout_s: float = 5.0
    left_behind: list[str] = field(default_factory=list)
    """What was set up on the target and could not be taken back, in words."""

    def provocation(self, operation: str, code: str) -> Provocation | None:
        """How a code is brought about for an operation: its own entry, else the one for any."""
        return self.errors.get(operation, {}).get(code) or self.errors.get("any", {}).get(code)


@dataclass(slots=True)
class _Course:
    """What a case has come to so far."""

    origin: Seat
    """The seat as it was given, before states bound their ids."""
    role: str
    handles: tuple[Handle, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    body: bytes = b""
    frame: bytes = b""
    seat: Seat = field(init=False)

    def __post_init__(self) -> None:
        self.seat = self.origin


@dataclass(frozen=True, slots=True)
class Judged:
    """A result, with what a metamorphic relation over several cases compares."""

    result: CaseResult
    gist: tuple[Any, ...] = ()
    summary: str = ""
    exchanges: tuple[Exchange, ...] = ()
    secrets: tuple[str, ...] = ()
    """What the message carried that no output may show."""


async def execute(case: Case, kit: Kit, service: Service, seat: Seat, pins: Pins) -> CaseResult:
    """The result of one case; nothing that the target does makes this raise."""
    return (await execute_judged(case, kit, service, seat, pins)).result


async def execute_judged(case: Case, kit: Kit, service: Service, seat: Seat, pins: Pins) -> Judged:
    """The result of one case, and the gist of the answer."""
    course = _Course(seat, case.role)
    after: Mapping[str, str] = {}
    try:
        judgement, after = await _carry_out(case, kit, service, course, pins)
        if case.twin is not None:
            judgement = await _with_twin(case, case.twin, kit, service, course, pins, judgement)
    except Unreached as error:
        return Judged(_result(case, course, Verdict.TARGET_ERROR, reason=redact_excerpt(error.reason, service.sessions.vault.known)))
    except NotCarriedOut as error:
        return Judged(_result(case, course, Verdict.NOT_VERIFIED, reason=redact_excerpt(error.reason, service.sessions.vault.known)))
    except MissingBinding as error:
        return Judged(_result(case, course, Verdict.NOT_VERIFIED, reason=error.message))
    except HarnessError as error:
        return Judged(_result(case, course, Verdict.HARNESS_ERROR, reason=error.message))
    except Exception as error:  # one case that breaks the harness must not cost the results of all others
        return Judged(_broken(case, course, error, service.sessions.vault.known))
    finally:
        await _clean(service, course, after)
    secrets = _secrets(service, course)
    result = _judged(case, course, judgement, secrets, service.sessions.vault.known)
    return Judged(result, judgement.gist, judgement.summary, course.exchanges, secrets)


def _broken(case: Case, course: _Course, error: Exception, secrets: Iterable[str]) -> CaseResult:
    """A defect of the harness, with the place where it showed in the notes."""
    redact_error(error, secrets)
    result = _result(case, course, Verdict.HARNESS_ERROR, reason=f"{type(error).__name__}: {error}")
    return replace(result, notes=(redact("".join(traceback.format_exception(error)), secrets),))


async def _carry_out(
    case: Case, kit: Kit, service: Service, course: _Course, pins: Pins
) -> tuple[Judgement, Mapping[str, str]]:
    states = case.states
    if case.provoke is not None:
        states = _provoke(case, service, course)
    await _set_up(states, 0, service, course)
    if case.provoke is not None and not states:
        unknown = course.seat.bindings.get("unknown_order", 0)
        course.seat = course.seat.with_bindings({f"{name}.{leg}": unknown for name in case.states for leg in ("bid", "ask")})
    for number, message in enumerate(case.before, 1):
        await _send(case, message, service, course)
        await _set_up(states, number, service, course)
    if case.together == 1:
        course.exchanges = (await _send(case, case.message, service, course),)
    else:
        copies = (_send(case, case.message, service, course) for _ in range(case.together))
        course.exchanges = tuple(await asyncio.gather(*copies))
    for exchange in course.exchanges:
        if exchange.problem is not None and exchange.problem.unreachable:
            raise Unreached(exchange.problem.message)
    return await _observe_and_judge(case, kit, service, course, pins)


async def _set_up(states: Mapping[str, StateNeed], turn: int, service: Service, course: _Course) -> None:
    """Bring about what is due after so many of the messages before the judged one, and bind its ids."""
    due = {name: need for name, need in states.items() if need.params.get("after", 0) == turn}
    for handle in await _prepare(due, service, course) if due else ():
        course.seat = course.seat.with_bindings(handle.bindings)
        service.link.gate.guard.grant(handle.bindings)


async def _prepare(states: Mapping[str, StateNeed], service: Service, course: _Course) -> tuple[Handle, ...]:
    """Bring all states about side by side; what came about is known to `course`, whatever becomes of the others."""
    tasks = [asyncio.ensure_future(service.states.prepare(name, need, course.seat)) for name, need in states.items()]
    try:
        await asyncio.shield(asyncio.wait(tasks))
    except asyncio.CancelledError:
        await asyncio.wait(tasks, timeout=_GRACE_S)  # an order that is under way could not be taken back otherwise
        for task in tasks:
            task.cancel()
        raise
    finally:
        made = tuple(task.result() for task in tasks if task.done() and not task.cancelled() and task.exception() is None)
        course.handles = (*course.handles, *made)
    return tuple(task.result() for task in tasks)


async def _with_twin(
    case: Case, twin: Twin, kit: Kit, service: Service, course: _Course, pins: Pins, first: Judgement
) -> Judgement:
    """Say the same in the other way, in states of its own, and hold the two answers together."""
    seconds: list[Judgement] = []
    origin = replace(
        case, twin=None, role=twin.role or case.role, transport=twin.transport, media_type=twin.media_type, accept=twin.accept
    )  # fmt: skip
    split = len(twin.messages) > 1
    other = _Course(course.origin, origin.role)
    after: Mapping[str, str] = {}
    try:
        for number, message in enumerate(twin.messages):
            again = replace(origin, message=message, states=case.states if number == 0 else {})
            if split:
                again = replace(again, expect=replace(case.expect, any_of=(_ANY_RESULT,)))
            elif twin.order:
                again = replace(again, expect=_permuted(case.expect, twin.order))
            judgement, after = await _carry_out(again, kit, service, other, pins)
            seconds.append(judgement)
    finally:
        await _clean(service, other, after)
    course.exchanges = (*course.exchanges, *other.exchanges)
    findings = [finding for judgement in (first, *seconds) for finding in judgement.findings]
    return replace(first, findings=tuple(dict.fromkeys((*findings, *compare(twin, first, seconds)))))


def _permuted(expect: Expectation, order: tuple[int, ...]) -> Expectation:
    """The same expectation for the instructions in another order; `order` gives the new place of each."""
    places = sorted(range(len(order)), key=order.__getitem__)
    moved = (
        replace(one, answer={**one.answer, "results": [one.answer["results"][place] for place in places]})
        if isinstance(one.answer.get("results"), list) and len(one.answer["results"]) == len(order)
        else one
        for one in expect.any_of
    )
    return replace(expect, any_of=tuple(moved))


def _provoke(case: Case, service: Service, course: _Course) -> Mapping[str, StateNeed]:
    assert case.provoke is not None
    provocation = service.provocation(case.operation, case.provoke)
    if provocation is None:
        raise StateUnavailable(f"the target file does not say how code {case.provoke} is brought about")
    if provocation.unreachable is not None:
        raise StateUnavailable(f"unreachable: {provocation.unreachable}")
    course.seat = course.seat.with_bindings(provocation.bindings)
    course.role = provocation.role or course.role
    if provocation.without_states:
        return {}
    # the account of a provocation belongs to no desk, so whoever provokes also sets it up
    return {name: replace(need, params={"role": course.role, **need.params}) for name, need in case.states.items()}


async def _send(case: Case, message: Message, service: Service, course: _Course) -> Exchange:
    seat, key = course.seat, course.seat.key(course.role)
    speaker = Speaker(key, course.role, seat.roles.get(course.role), seat.bindings.get("oms"))
    if case.transport == "http":

        def request_of(headers: Headers) -> HttpRequest:
            request = http_request(message, seat.bindings, case.media_type, headers)
            course.body = request.body
            return request

        return await send_http(service.sessions, speaker, request_of)

    def text_of(number: int) -> bytes:
        text, course.body = frame_text(message, seat.bindings, number)
        course.frame = text
        return text

    quiet = any(one.answer.get("form") == "silence" for one in case.expect.any_of)
    exchange = await send_ws(service.sessions, speaker, f"{key}#{seat.index}", text_of, quiet=quiet)
    if exchange.problem is not None and exchange.problem.kind == "handshake-refused":
        raise RoleUnavailable(exchange.problem.message)
    return exchange


async def _observe_and_judge(
    case: Case, kit: Kit, service: Service, course: _Course, pins: Pins
) -> tuple[Judgement, Mapping[str, str]]:
    """Judge as soon as the effect is right, and at the latest when it had time to settle: received is not yet cancelled."""
    before: dict[str, str] = {}
    for handle in course.handles:
        before.update(handle.before)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + service.settle_s
    pause_s = _POLL_S
    secrets = _secrets(service, course)
    while True:
        after = await _observe(service, course)
        observation = Observation(course.exchanges, course.body, course.frame, before, after, secrets)
        judgement = judge(kit, case, observation, pins)
        waiting = any(finding.check == "effect" and finding.expected == CANCELLED for finding in judgement.findings)
        left_s = deadline - loop.time()
        if not waiting or left_s <= 0:
            return judgement, after
        await asyncio.sleep(min(pause_s, left_s))
        pause_s *= 2


async def _observe(service: Service, course: _Course) -> Mapping[str, str]:
    if not course.handles:
        return {}
    try:
        return await service.states.observe(course.handles, course.seat)
    except (StateUnavailable, RoleUnavailable):
        return {}


async def _clean(service: Service, course: _Course, after: Mapping[str, str]) -> None:
    """Take back what the case set up, in bounded time, also when Ctrl-C comes while that is under way."""
    if not course.handles:
        return
    cleaning = asyncio.ensure_future(_take_back(service, course, after))
    try:
        await asyncio.shield(cleaning)
    except asyncio.CancelledError:
        await asyncio.wait((cleaning,))
        raise


async def _take_back(service: Service, course: _Course, after: Mapping[str, str]) -> None:
    """What stays open is remembered for the end of the run."""
    try:
        async with asyncio.timeout(service.clean_timeout_s):
            left = await service.states.clean(course.handles, after, course.seat)
    except (NotCarriedOut, TimeoutError):
        left = tuple(
            f"{name} {value}"
            for handle in course.handles
            if OPEN in handle.before.values() and any(after.get(name) != CANCELLED for name in handle.before)
            for name, value in handle.bindings.items()
            if not is_pin(name)
        )
    service.left_behind.extend(left)


def _secrets(service: Service, course: _Course) -> tuple[str, ...]:
    """What the message carried that must not come back."""
    token = service.sessions.tokens.get(course.seat.key(course.role))
    pins = [course.seat.bindings.get(name) for name in (*_PIN_NAMES, *(f"{h.name}.PIN" for h in course.handles))]
    return tuple(dict.fromkeys(str(secret) for secret in (token, *pins) if secret))


def _judged(
    case: Case, course: _Course, judgement: Judgement, secrets: tuple[str, ...], known: Collection[str]
) -> CaseResult:
    verdict, reason = Verdict.PASS, ""
    if judgement.findings:
        verdict = Verdict.FAIL
    elif judgement.unverified and set(case.requirements) <= set(judgement.unverified):
        verdict, reason = Verdict.NOT_VERIFIED, "the effect could not be observed"
    kept = case.tier == "named" or verdict is Verdict.FAIL
    return _result(
        case,
        course,
        verdict,
        reason=reason,
        findings=tuple(redacted_finding(finding, (*secrets, *known)) for finding in judgement.findings),
        blocked=judgement.blocked,
        readings=judgement.readings,
        code_seen=judgement.code_seen,
        unverified=judgement.unverified,
        notes=judgement.notes,
        evidence=evidence_of(course.exchanges, secrets, known, full=verdict is Verdict.FAIL) if kept else None,
    )


def _result(case: Case, course: _Course, verdict: Verdict, *, reason: str, **more: Any) -> CaseResult:
    return CaseResult(
        id=case.id,
        operation=case.operation,
        requirements=case.requirements,
        tier=case.tier,
        transport=case.transport,
        media_type=case.media_type,
        role=course.role,
        verdict=verdict,
        reason=reason,
        code=case.code,
        requests=len(course.exchanges) + len(case.before),
        **more,
    )
