"""What a case does on the target around its message: states before, a look afterwards, and always the clean-up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from conformance.cases.message import places, places_of
from conformance.dialects.base import CANCELLED, OPEN, Handle, StateProvider
from conformance.dialects.sessions import Sessions
from conformance.endpoint.desks import Desk
from conformance.endpoint.model import is_pin
from conformance.errors import NotCarriedOut, RoleUnavailable, StateUnavailable
from conformance.guard.gate import Purpose
from conformance.guard.link import Link
from conformance.model.case import Case, StateNeed
from conformance.wire.messages import Exchange

_GRACE_S = 5.0
"""How long an interrupted case waits for the states that are under way."""
_REMEMBERED, _ENOUGH, _FACTOR, _AT_ONCE_S = 64, 3, 3.0, 0.1
_PIN_NAMES = ("pin", "wrong_pin")


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the target, ready to be used."""

    link: Link
    sessions: Sessions
    states: StateProvider
    settle_s: float
    clean_timeout_s: float = 5.0
    left_behind: list[str] = field(default_factory=list)
    """What was set up on the target and could not be taken back, in words."""
    settled: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """How long after the answer the latest cancellations were seen."""
    untrue_lacks: set[str] = field(default_factory=set)
    """What the target file says the service lacks, and what was there all the same."""
    secrets: dict[tuple[object, ...], tuple[str, ...]] = field(default_factory=dict)
    """What cases without states must not see again, by who sends and what he has; most cases have the same."""

    def note_settled(self, seconds: float) -> None:
        """Remember how long a cancellation took to show."""
        self.settled.append(seconds)

    @property
    def settles_slowly(self) -> bool:
        """Whether cancellations were seen to take their time on this service."""
        return len(self.settled) >= _ENOUGH and max(self.settled) > _AT_ONCE_S

    @property
    def settling_s(self) -> float:
        """How long to wait before a thing that is still open counts as left alone, where both would be right.

        As long as it may take, until it is known how long it takes here.
        """
        if len(self.settled) < _ENOUGH:
            return self.settle_s
        slowest_s = max(self.settled)
        return min(self.settle_s, _FACTOR * slowest_s) if slowest_s > _AT_ONCE_S else 0.0


@dataclass(slots=True)
class Setting:
    """What a case has come to so far."""

    origin: Desk
    """The desk as it was given, before states bound their ids."""
    role: str
    purpose: Purpose = Purpose.JUDGED
    """What its own message is sent for: to be judged, or to be compared with another."""
    handles: tuple[Handle, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    earlier: tuple[Exchange, ...] = ()
    """What came of the messages before the judged one."""
    disturbed: str = ""
    """What the infrastructure did to a message, in words."""
    undone: bool = True
    """Nothing that it disturbed can have been carried out, as far as anybody can tell."""
    body: bytes = b""
    frame: bytes = b""
    secrets: tuple[str, ...] | None = None
    """What must not come back, once it was asked for."""
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.desk = self.origin


async def set_up(
    states: Mapping[str, StateNeed], turn: int, service: Service, setting: Setting, spare: Collection[str] = ()
) -> None:
    """Set up what is due after so many of the messages before the judged one, and bind its ids.

    A `spare` state that this target cannot set up is left out; its effect is then not observed.
    """
    due = {name: need for name, need in states.items() if need.params.get("after", 0) == turn}
    first = {name: need for name, need in due.items() if not _names_another(need, due)}
    for wave in (first, {name: need for name, need in due.items() if name not in first}):
        for handle in await _prepare(wave, service, setting, spare) if wave else ():
            if service.link.service.lacks.reason(f"state.{wave[handle.name].state}"):
                service.untrue_lacks.add(f"state.{wave[handle.name].state}")
            setting.desk = setting.desk.with_bindings(handle.bindings)
            service.link.gate.guard.grant(handle.bindings)


def _names_another(need: StateNeed, others: Collection[str]) -> bool:
    """Whether a parameter stands for an id that another state binds."""
    texts = [value for value in need.params.values() if isinstance(value, str)]
    return any(name.partition(".")[0] in others for text in texts for name in places(text))


def spare_states(case: Case) -> frozenset[str]:
    """States that are only looked at, in a case that must cancel nothing: the answer can be judged without them."""
    if any(one.cancelled for one in case.expect.any_of):
        return frozenset()
    messages = (*case.before, case.message, *(case.twin.messages if case.twin else ()))
    used = {name.partition(".")[0] for one in messages for name in places_of(one)}
    return frozenset(case.states) - used


async def _prepare(
    states: Mapping[str, StateNeed], service: Service, setting: Setting, spare: Collection[str]
) -> tuple[Handle, ...]:
    """Bring all states about side by side; what came about is known to `setting`, whatever becomes of the others."""
    tasks = [asyncio.ensure_future(service.states.prepare(name, need, setting.desk)) for name, need in states.items()]
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
        setting.handles = (*setting.handles, *made)
    for need, task in zip(states.values(), tasks, strict=True):
        error = task.exception()
        if isinstance(error, StateUnavailable) and not error.thing:
            error.thing = f"state.{need.state}"
    return tuple(
        task.result()
        for name, task in zip(states, tasks, strict=True)
        if name not in spare or not isinstance(task.exception(), StateUnavailable)
    )


async def observe(service: Service, setting: Setting) -> Mapping[str, str]:
    """How the watched things stand now; nothing where nobody can tell."""
    if not setting.handles:
        return {}
    try:
        return await service.states.observe(setting.handles, setting.desk)
    except (StateUnavailable, RoleUnavailable):
        return {}


async def clean(service: Service, setting: Setting, after: Mapping[str, str]) -> None:
    """Take back what the case set up, in bounded time, also when Ctrl-C comes while that is under way."""
    if not setting.handles:
        return
    cleaning = asyncio.ensure_future(_take_back(service, setting, after))
    try:
        await asyncio.shield(cleaning)
    except asyncio.CancelledError:
        await asyncio.wait((cleaning,))
        raise


async def _take_back(service: Service, setting: Setting, after: Mapping[str, str]) -> None:
    """What stays open is remembered for the end of the run. Time that the gate holds messages back does not count."""
    left = await _cleaned(service, setting, after)
    if left and service.settles_slowly:  # a cancellation that was accepted may only need time
        await asyncio.sleep(service.settling_s)
        left = await _cleaned(service, setting, after)
    service.left_behind.extend(left)


async def _cleaned(service: Service, setting: Setting, after: Mapping[str, str]) -> tuple[str, ...]:
    """Take back what is open; what could not be taken back in the time for it, in words."""
    gate, loop, case = service.link.gate, asyncio.get_running_loop(), setting.desk.case
    cleaning = asyncio.ensure_future(service.states.clean(setting.handles, after, setting.desk))
    until_s = loop.time() + service.clean_timeout_s - gate.waited.get(case, 0.0)
    while not cleaning.done() and (rest_s := until_s + gate.waited.get(case, 0.0) - loop.time()) > 0:
        await asyncio.wait((cleaning,), timeout=rest_s)
    if not cleaning.done():
        cleaning.cancel()
        await asyncio.wait((cleaning,))
    try:
        return cleaning.result()
    except (NotCarriedOut, asyncio.CancelledError):
        return tuple(
            f"{name} {value}"
            for handle in setting.handles
            if OPEN in handle.before.values() and any(after.get(name) != CANCELLED for name in handle.before)
            for name, value in handle.bindings.items()
            if not is_pin(name)
        )


def secret_name(service: Service, setting: Setting, secret: str) -> str:
    """What a secret of the case is, as the target file calls it: a key of the role, its session, a PIN."""
    role = setting.desk.roles.get(setting.role)
    named = {} if role is None else service.sessions.vault.named(role)
    for key, value in named.items():
        if value == secret:
            return f"{key} of role {setting.role}"
    if secret in service.sessions.secrets_of(setting.desk.key(setting.role)):
        return f"session of role {setting.role}"
    for name in (*_PIN_NAMES, *(f"{handle.name}.PIN" for handle in setting.handles)):
        if str(setting.desk.bindings.get(name, "")) == secret:
            return f"binding {name}"
    return ""


def secrets_of(service: Service, setting: Setting) -> tuple[str, ...]:
    """What the message carried, or its caller signed in with, that must not come back."""
    if setting.secrets is None:
        key, bindings = setting.desk.key(setting.role), setting.desk.bindings
        tokens = service.sessions.secrets_of(key)
        own = (key, tokens, *[bindings.get(name) for name in _PIN_NAMES])
        if not setting.handles:
            setting.secrets = service.secrets.get(own)
        if setting.secrets is None:
            role = setting.desk.roles.get(setting.role)
            signed = () if role is None else service.sessions.vault.of_role(role)
            placed = [bindings.get(f"{handle.name}.PIN") for handle in setting.handles]
            setting.secrets = tuple(dict.fromkeys([str(one) for one in (*tokens, *signed, *own[2:], *placed) if one]))
            if not setting.handles:
                service.secrets[own] = setting.secrets
    return setting.secrets
