"""Sends the calls of a race: its sessions at the same moment, the steps of each one after the other, all with their times."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from copy import copy

from conformance.dialects.base import Handle
from conformance.errors import RoleUnavailable, StateUnavailable
from conformance.model.case import PLACED, Case, RaceStep
from conformance.run.judgement import cases_of_race
from conformance.run.setting import Service, Setting, send_one, set_up

_FOREVER = float("inf")


async def send_race(case: Case, service: Service, setting: Setting) -> None:
    """Carry out all sessions; what came of each step is kept by itself, in the order of the steps in the case.

    Everybody has signed in before, so that the first calls overlap. Raises what the first session raised, when all have
    ended.
    """
    sessions = service.sessions
    for role, framed in dict.fromkeys((one.role, one.transport.framed) for one in case.race):
        await sessions.ready(setting.desk, role, framed=framed)
    singles = iter(cases_of_race(case))
    came: dict[int, tuple[Case, Setting]] = {}
    numbers: Iterator[int] = iter(range(len(case.raced)))

    async def run(steps: list[tuple[int, Case, RaceStep]]) -> None:
        for number, single, step in steps:
            its = copy(setting)
            its.role, its.beside = single.role, ()
            if step.message is None:
                await _set_up_or_look(case, step, service, setting, its)
            else:
                await _call(single, service, its)
            came[number] = (single, its)

    racing = [run([(next(numbers), next(singles), step) for step in session.steps]) for session in case.race]
    outcomes = await asyncio.gather(*racing, return_exceptions=True)
    for one in outcomes:
        if isinstance(one, BaseException):
            raise one
    setting.beside = tuple(came[number] for number in sorted(came))


async def _call(single: Case, service: Service, its: Setting) -> None:
    exchange = await send_one(single, single.message, service, its, its.purpose)
    its.exchanges, its.start_s = (exchange,), exchange.started_s
    its.end_s = _FOREVER if exchange.problem is not None else exchange.started_s + exchange.elapsed_s


async def _set_up_or_look(case: Case, step: RaceStep, service: Service, setting: Setting, its: Setting) -> None:
    """A new thing, or how things stand; what the service does not show is not known."""
    its.start_s = time.monotonic()
    if step.does == "place":
        await set_up({name: case.states[name] for name in step.things}, PLACED, service, setting)
    else:
        its.shown = await _shown(step, service, setting)
    its.end_s = time.monotonic()


async def _shown(step: RaceStep, service: Service, setting: Setting) -> Mapping[str, str]:
    handles: tuple[Handle, ...] = tuple(one for one in setting.handles if one.name in step.things)
    try:
        return await service.states.observe(handles, setting.desk)
    except (StateUnavailable, RoleUnavailable):
        return {}
