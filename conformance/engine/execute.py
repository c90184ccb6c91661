"""Carries out one case: states, message, observation, judgement, clean-up; always ends in a result."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from conformance.checks.judge import Pins, judge
from conformance.checks.kit import Kit
from conformance.checks.relations import compare
from conformance.checks.observation import Judgement, Observation
from conformance.engine.desks import Seat
from conformance.engine.evidence import evidence_of
from conformance.engine.link import Link
from conformance.engine.message import frame_text, http_request
from conformance.engine.problems import NotCarriedOut, RoleUnavailable, StateUnavailable, Unreached
from conformance.engine.sessions import Sessions
from conformance.engine.states.handle import CANCELLED, Handle, StateProvider
from conformance.errors import HarnessError
from conformance.model.case import Alternative, Case, Expectation, Message, StateNeed, Twin
from conformance.model.verdict import CaseResult, Verdict
from conformance.target.model import Binding, Provocation
from conformance.transport.messages import Exchange

_POLL_S = 0.02
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


async def execute(case: Case, kit: Kit, service: Service, seat: Seat, pins: Pins) -> CaseResult:
    """The result of one case; nothing that the target does makes this raise."""
    course = _Course(seat, case.role)
    after: Mapping[str, str] = {}
    try:
        judgement, after = await _carry_out(case, kit, service, course, pins)
        if case.twin is not None:
            judgement = await _with_twin(case, case.twin, kit, service, course, pins, judgement)
    except Unreached as error:
        return _result(case, course, Verdict.TARGET_ERROR, reason=error.reason)
    except NotCarriedOut as error:
        return _result(case, course, Verdict.NOT_VERIFIED, reason=error.reason)
    except HarnessError as error:
        return _result(case, course, Verdict.HARNESS_ERROR, reason=error.message)
    finally:
        await _clean(service, course, after)
    return _judged(case, course, judgement, _secrets(service, course))


async def _carry_out(
    case: Case, kit: Kit, service: Service, course: _Course, pins: Pins
) -> tuple[Judgement, Mapping[str, str]]:
    states = case.states
    if case.provoke is not None:
        states = _provoke(case, service, course)
    prepared = await asyncio.gather(*(service.states.prepare(name, need, course.seat) for name, need in states.items()))
    course.handles = (*course.handles, *prepared)
    ids: dict[str, Binding] = {}
    for handle in prepared:
        ids.update(handle.bindings)
    if case.provoke is not None and not states:
        unknown = course.seat.bindings.get("unknown_order", 0)
        ids.update({f"{name}.{leg}": unknown for name in case.states for leg in ("bid", "ask")})
    course.seat = course.seat.with_bindings(ids)
    _demand(case, course.seat)
    for message in case.before:
        await _send(case, message, service, course)
    course.exchanges = tuple(
        await asyncio.gather(*(_send(case, case.message, service, course) for _ in range(case.together)))
    )
    for exchange in course.exchanges:
        if exchange.problem is not None and exchange.problem.unreachable:
            raise Unreached(exchange.problem.message)
    return await _observe_and_judge(case, kit, service, course, pins)


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


def _demand(case: Case, seat: Seat) -> None:
    from conformance.engine.message import bindings_used

    for name in bindings_used(case.message):
        if name not in seat.bindings and name not in ("i", "o", "body") and "#" not in name:
            raise StateUnavailable(f"the target binds no value for ${{{name}}}")


async def _send(case: Case, message: Message, service: Service, course: _Course) -> Exchange:
    seat, key = course.seat, course.seat.key(course.role)
    if case.transport == "http":
        headers = await service.sessions.headers(key, course.role, seat.roles.get(course.role))
        request = http_request(message, seat.bindings, case.media_type, headers)
        course.body = request.body
        return await service.link.send_http(request)
    own_key = f"{key}#{seat.index}"
    socket = service.sessions.socket(own_key, course.role, seat.roles.get(course.role))
    text, course.body = frame_text(message, seat.bindings, socket.next_number())
    course.frame = text
    quiet = any(one.answer.get("form") == "silence" for one in case.expect.any_of)
    exchange = await service.link.send_ws(socket, text, quiet=quiet)
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
    while True:
        after = await _observe(service, course)
        observation = Observation(
            course.exchanges, course.body, course.frame, before, after, _secrets(service, course)
        )
        judgement = judge(kit, case, observation, pins)
        waiting = any(finding.check == "effect" and finding.expected == CANCELLED for finding in judgement.findings)
        if not waiting or loop.time() + pause_s > deadline:
            return judgement, after
        await asyncio.sleep(pause_s)
        pause_s *= 2


async def _observe(service: Service, course: _Course) -> Mapping[str, str]:
    if not course.handles:
        return {}
    try:
        return await service.states.observe(course.handles, course.seat)
    except (StateUnavailable, RoleUnavailable):
        return {}


async def _clean(service: Service, course: _Course, after: Mapping[str, str]) -> None:
    if course.handles:
        try:
            await service.states.clean(course.handles, after, course.seat)
        except NotCarriedOut:
            return


def _secrets(service: Service, course: _Course) -> tuple[str, ...]:
    """What the message carried that must not come back."""
    token = service.sessions.tokens.get(course.seat.key(course.role))
    pins = [course.seat.bindings.get(name) for name in (*_PIN_NAMES, *(f"{h.name}.PIN" for h in course.handles))]
    return tuple(dict.fromkeys(str(secret) for secret in (token, *pins) if secret))


def _judged(case: Case, course: _Course, judgement: Judgement, secrets: tuple[str, ...]) -> CaseResult:
    verdict, reason = Verdict.PASS, ""
    if judgement.findings:
        verdict = Verdict.FAIL
    elif judgement.unverified and set(case.requirements) <= set(judgement.unverified):
        verdict, reason = Verdict.NOT_VERIFIED, "the effect could not be observed"
    result = _result(case, course, verdict, reason=reason)
    return replace(
        result,
        findings=judgement.findings,
        blocked=judgement.blocked,
        readings=judgement.readings,
        code_seen=judgement.code_seen,
        unverified=judgement.unverified,
        notes=judgement.notes,
        evidence=evidence_of(course.exchanges, secrets, full=verdict is Verdict.FAIL),
    )


def _result(case: Case, course: _Course, verdict: Verdict, *, reason: str) -> CaseResult:
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
    )
