"""What a target file has and lacks, found out without touching an order: connections, sign-ins, and the needs of the cases."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.cases.fixtures import load_cases
from conformance.cases.message import places, places_of
from conformance.checks.kit import telling
from conformance.dialects.base import ANONYMOUS, INVENTED, login_named
from conformance.endpoint.choose import ChosenTarget
from conformance.endpoint.desks import Desk
from conformance.endpoint.model import ServiceTarget
from conformance.endpoint.redact import redact_excerpt
from conformance.errors import NotCarriedOut, Unreached
from conformance.model.case import Case, Transport
from conformance.model.spec import Contract
from conformance.run.session import Session, session
from conformance.run.setting import Service

_FOR_SILENCE, _FOR_AN_ANSWER = 2, 5
"""How many times as long as the slowest answer silence is listened to, and an answer waited for, at least."""
_ALWAYS = (ANONYMOUS, INVENTED)
_FRAME_NAMES = ("i", "o", "body")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was looked at. `hard`: not a gap in coverage, but something that does not work."""

    what: str
    good: bool
    note: str = ""
    hard: bool = False

    @property
    def word(self) -> str:
        """In one word, for a table."""
        return "ok" if self.good else "wrong" if self.hard else "missing"


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything that was looked at, in a fixed order."""

    items: tuple[Item, ...]
    unreachable: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[Item, ...]:
        """What is not as a run with full coverage needs it."""
        return tuple(item for item in self.items if not item.good)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "unreachable": self.unreachable or None,
            "warnings": list(self.warnings),
            "checks": [{"what": item.what, "result": item.word, "note": item.note} for item in self.items],
        }


async def survey(contract: Contract, chosen: ChosenTarget) -> Survey:
    """Look at a target. Raises `ConfigurationError` for a file, secret or certificate that cannot be used."""
    operations = tuple(name for service in chosen.file.services for name in contract.services[service].operations)
    items: list[Item] = []
    unreachable = ""
    async with session(contract, chosen, operations) as run:
        cases = load_cases(contract, operations)
        try:
            for name in sorted(run.services):
                items.extend(await _reachable(name, run.services[name]))
                items.extend(await _signed_in(name, run))
                own = [case for case in cases if contract.operations[case.operation].service == name]
                made = run.services[name].sessions.dialect.states
                items.extend(_needs(name, run.target.services[name], run.desks[name], own, made))
        except Unreached as error:
            unreachable = redact_excerpt(error.reason, run.vault.known)
        return Survey(tuple(items), unreachable, _warnings(run))


def _warnings(run: Session) -> tuple[str, ...]:
    unchecked = (
        f"TLS of services.{name} is not checked (verify = false)"
        for name, service in sorted(run.target.services.items())
        if not service.tls.verify
    )
    return (*unchecked, *dict.fromkeys(_words(run)), *_cookies(run), *_slow(run))


def _slow(run: Session) -> Iterator[str]:
    """Limits that are too short for the round trips that were seen."""
    limits = run.target.limits
    for name, service in sorted(run.services.items()):
        trips = service.link.round_trips
        slowest_s = max((one for kept in trips.values() for one in kept), default=0.0)
        silence_s = max(trips.get("ws", ()), default=0.0)
        advice = []
        if _FOR_SILENCE * silence_s > limits.quiet_s:
            advice.append(f"quiet_s = {_rounded(_FOR_SILENCE * silence_s)}")
        if _FOR_AN_ANSWER * slowest_s > limits.total_timeout_s:
            advice.append(f"total_timeout_s = {_rounded(_FOR_AN_ANSWER * slowest_s)}")
        if advice:
            yield f"services.{name}: answers took up to {slowest_s:.2g} s; set {' and '.join(advice)} in [limits]"


def _rounded(seconds: float) -> str:
    """Up to the next half second."""
    return f"{math.ceil(seconds * 2) / 2:g}"


def _cookies(run: Session) -> Iterator[str]:
    """Roles whose login keeps no cookies, on a service that sets some."""
    for name, service in sorted(run.services.items()):
        for role, cookies in sorted(service.sessions.unkept.items()):
            yield (
                f"services.{name}: the service set the cookie {', '.join(cookies)} when {role} signed in, and the login "
                'of that role keeps none; use login = "cookies" if the session is in it'
            )


def _words(run: Session) -> Iterator[str]:
    """Roles with a credential that right answers hold by chance."""
    for name in sorted(run.desks):
        vocabularies = [run.kits[operation].vocabulary for operation in run.contract.services[name].operations]
        for desk in run.desks[name]:
            for role_name, role in sorted(desk.roles.items()):
                secrets = run.vault.of_role(role)
                if any(telling(vocabulary, secrets) != secrets for vocabulary in vocabularies):
                    yield (
                        f"services.{name}: {desk.key(role_name)} signs in with a word that right answers hold, too, "
                        "so nobody looks whether it comes back; another password would be looked for"
                    )


async def _reachable(name: str, service: Service) -> list[Item]:
    problem = await service.link.reach()
    if problem is not None:
        raise Unreached(f"services.{name}: {problem.message}")
    for path in ("", None):
        problem = await service.link.answers(path)
        if problem is not None:
            raise Unreached(f"services.{name}: {problem.message}")
    addresses = [str(one) for one in (service.link.address, service.link.ws_address) if one is not None]
    return [Item(f"services.{name}: {address} answers", True) for address in addresses]


async def _signed_in(name: str, run: Session) -> list[Item]:
    """Every role of every desk, over every transport that there is."""
    service, items = run.services[name], []
    for desk in run.desks[name]:
        for role_name, role in sorted(desk.roles.items()):
            login = login_named(role.sign_in)
            if not login.keeps_session or (desk.index and role_name in desk.common):
                continue
            place = f"services.{name}: {desk.key(role_name)}"
            if service.link.http is not None and login.over_http is not None:
                items.append(await _over_http(f"{place} signs in over HTTP", service, desk, role_name))
            if service.link.ws_address is not None and login.over_ws is not None:
                items.append(await _over_ws(f"{place} signs in over WebSocket", service, desk, role_name))
    return items


async def _over_http(what: str, service: Service, desk: Desk, role: str) -> Item:
    try:
        await service.sessions.sign_in(desk, role)
    except Unreached:
        raise
    except NotCarriedOut as error:
        return Item(what, False, redact_excerpt(error.reason, service.sessions.vault.known), hard=True)
    return Item(what, True)


async def _over_ws(what: str, service: Service, desk: Desk, role: str) -> Item:
    try:
        exchange = await service.sessions.greet(desk, role)
    except Unreached:
        raise
    except NotCarriedOut as error:
        return Item(what, False, redact_excerpt(error.reason, service.sessions.vault.known), hard=True)
    problem = exchange.problem
    why = "" if problem is None else redact_excerpt(problem.message, service.sessions.vault.known)
    return Item(what, problem is None, why, hard=True)


def _needs(
    name: str, service: ServiceTarget, desks: Sequence[Desk], cases: Sequence[Case], made_by_calls: Sequence[str]
) -> Iterator[Item]:
    """What the cases of a service need, each with the number of cases that need it."""
    place = f"services.{name}"
    for transport in Transport:
        wanted = sum(case.transport is transport for case in cases)
        if wanted:
            key = transport.address_key
            yield _item(f"{place}.{key}", getattr(service, key) is not None, wanted)
    for role, wanted in _counted(case.role for case in cases if case.role not in _ALWAYS):
        yield _item(f"{place}.roles.{role}", all(role in desk.roles for desk in desks), wanted)
    made = {state for case in cases for state in case.states}
    names = (name for case in cases for name in _places(case) if name.partition(".")[0] not in made)
    for binding, wanted in _counted(one for one in names if one not in _FRAME_NAMES):
        yield _item(f"{place}.bindings.{binding}", all(binding in desk.bindings for desk in desks), wanted)
    yield from _states(place, service, cases, made_by_calls)
    yield from _codes(place, service, cases)


def _places(case: Case) -> tuple[str, ...]:
    accounts = "".join(str(value) for need in case.states.values() for value in need.params.values())
    return tuple(dict.fromkeys((*places_of(case.message), *places(accounts))))


def _states(place: str, service: ServiceTarget, cases: Sequence[Case], made_by_calls: Sequence[str]) -> Iterator[Item]:
    uses: Counter[str] = Counter()
    for case in cases:
        for need in case.states.values():
            uses[need.state] += int(need.params.get("count", 1)) * (2 if case.twin is not None else 1)
    for state, wanted in sorted(uses.items()):
        if state in service.states.by_state:
            good, note = service.states.by_state[state].provider != "none", ""
        elif state in service.states.pool:
            held = len(service.states.pool[state])
            good, note = held >= wanted, f"the pool holds {held} of {wanted}"
        else:
            provider = service.states.provider
            good, note = provider in ("hook", "command") or (provider == "calls" and state in made_by_calls), ""
        yield Item(f"{place}.states: {state}", good, "" if good else note or f"needed {wanted} times")


def _codes(place: str, service: ServiceTarget, cases: Sequence[Case]) -> Iterator[Item]:
    wanted: Mapping[tuple[str, str], int] = Counter(
        (case.operation, case.provoke) for case in cases if case.provoke is not None
    )
    for (operation, code), count in sorted(wanted.items()):
        found = service.provocation(operation, code)
        yield _item(f"{place}.errors: {code} of {operation}", found is not None, count)


def _item(what: str, good: bool, wanted: int) -> Item:
    return Item(what, good, "" if good else f"{wanted} cases need it")


def _counted(names: Iterator[str]) -> list[tuple[str, int]]:
    return sorted(Counter(names).items())
