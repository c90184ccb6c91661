"""What a case brings about on the target around its message: states before, a look afterwards, and clean-up in any event."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from conformance.cases.message import places
from conformance.dialects.base import CANCELLED, OPEN, Handle, StateProvider
from conformance.dialects.sessions import Sessions
from conformance.endpoint.model import Provocation, is_pin
from conformance.endpoint.seats import Seat
from conformance.errors import NotCarriedOut, RoleUnavailable, StateUnavailable
from conformance.guard.link import Link
from conformance.model.case import Case, StateNeed
from conformance.wire.messages import Exchange

_GRACE_S = 5.0
"""How long an interrupted case waits for the states that are under way."""
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
    secrets: dict[tuple[object, ...], tuple[str, ...]] = field(default_factory=dict)
    """What cases without states must not see again, by who sends and what he has; most cases have the same."""

    def provocation(self, operation: str, code: str) -> Provocation | None:
        """How a code is brought about for an operation: its own entry, else the one for any."""
        return self.errors.get(operation, {}).get(code) or self.errors.get("any", {}).get(code)


@dataclass(slots=True)
class Course:
    """What a case has come to so far."""

    origin: Seat
    """The seat as it was given, before states bound their ids."""
    role: str
    handles: tuple[Handle, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    body: bytes = b""
    frame: bytes = b""
    secrets: tuple[str, ...] | None = None
    """What must not come back, once it was asked for."""
    seat: Seat = field(init=False)

    def __post_init__(self) -> None:
        self.seat = self.origin


async def set_up(
    states: Mapping[str, StateNeed], turn: int, service: Service, course: Course, spare: Collection[str] = ()
) -> None:
    """Bring about what is due after so many of the messages before the judged one, and bind its ids.

    A `spare` state that this target cannot bring about is gone without; its effect is then not observed.
    """
    due = {name: need for name, need in states.items() if need.params.get("after", 0) == turn}
    for handle in await _prepare(due, service, course, spare) if due else ():
        course.seat = course.seat.with_bindings(handle.bindings)
        service.link.gate.guard.grant(handle.bindings)


def spare_states(case: Case) -> frozenset[str]:
    """States that are only looked at, in a case that must cancel nothing: the answer can be judged without them."""
    if any(one.cancelled for one in case.expect.any_of):
        return frozenset()
    messages = (*case.before, case.message, *(case.twin.messages if case.twin else ()))
    used = {name.partition(".")[0] for one in messages for name in places(one.body.text + (one.frame or ""))}
    return frozenset(case.states) - used


async def _prepare(
    states: Mapping[str, StateNeed], service: Service, course: Course, spare: Collection[str]
) -> tuple[Handle, ...]:
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
        made = tuple(
            task.result() for task in tasks if task.done() and not task.cancelled() and task.exception() is None
        )
        course.handles = (*course.handles, *made)
    return tuple(
        task.result()
        for name, task in zip(states, tasks, strict=True)
        if name not in spare or not isinstance(task.exception(), StateUnavailable)
    )


async def observe(service: Service, course: Course) -> Mapping[str, str]:
    """How the watched things stand now; nothing where nobody can tell."""
    if not course.handles:
        return {}
    try:
        return await service.states.observe(course.handles, course.seat)
    except (StateUnavailable, RoleUnavailable):
        return {}


async def clean(service: Service, course: Course, after: Mapping[str, str]) -> None:
    """Take back what the case set up, in bounded time, also when Ctrl-C comes while that is under way."""
    if not course.handles:
        return
    cleaning = asyncio.ensure_future(_take_back(service, course, after))
    try:
        await asyncio.shield(cleaning)
    except asyncio.CancelledError:
        await asyncio.wait((cleaning,))
        raise


async def _take_back(service: Service, course: Course, after: Mapping[str, str]) -> None:
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


def secrets_of(service: Service, course: Course) -> tuple[str, ...]:
    """What the message carried, or its caller signed in with, that must not come back."""
    if course.secrets is None:
        key, bindings = course.seat.key(course.role), course.seat.bindings
        tokens = service.sessions.secrets_of(key)
        own = (key, tokens, *[bindings.get(name) for name in _PIN_NAMES])
        if not course.handles:
            course.secrets = service.secrets.get(own)
        if course.secrets is None:
            role = course.seat.roles.get(course.role)
            signed = () if role is None else service.sessions.vault.of_role(role)
            placed = [bindings.get(f"{handle.name}.PIN") for handle in course.handles]
            course.secrets = tuple(dict.fromkeys([str(one) for one in (*tokens, *signed, *own[2:], *placed) if one]))
            if not course.handles:
                service.secrets[own] = course.secrets
    return course.secrets
