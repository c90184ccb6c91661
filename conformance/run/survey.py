"""Finds what a target file has and lacks, without touching an order: connections, sign-ins, needs of the cases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from conformance.cases.fixtures import load_cases
from conformance.cases.generated.stream import generated_case
from conformance.checks.kit import telling
from conformance.dialects.base import Inspection, login_named
from conformance.endpoint.choose import ChosenTarget
from conformance.endpoint.desks import OPERATOR, Desk
from conformance.endpoint.model import ServiceTarget
from conformance.endpoint.redact import redact_excerpt
from conformance.errors import NotCarriedOut, Unreached
from conformance.guard.gate import Purpose
from conformance.model.case import Case, Transport
from conformance.model.spec import Contract
from conformance.run.needs import Missing, Needs, hanging, missing_of, needs_of
from conformance.run.plan import outside_scope
from conformance.run.selection import Selection, choose_generated
from conformance.run.session import Session, session
from conformance.run.setting import Service
from conformance.run.states import hooks_of

_FOR_SILENCE, _FOR_AN_ANSWER = 2, 5
"""How many times as long as the slowest answer silence is listened to, and an answer waited for, at least."""
_EVERY = 10
"""Each so-many-th generated case is held against the scope, and stands for the others."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was looked at. `hard`: not a gap in coverage, but something that does not work."""

    what: str
    good: bool
    note: str = ""
    hard: bool = False
    lacks: bool = False
    """Not there, as the target file says itself."""
    notable: bool = False
    """To be shown though it is good."""

    @property
    def word(self) -> str:
        """In one word, for a table."""
        if self.lacks:
            return "lacks"
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
        cases = load_cases(run.contract, operations)
        try:
            for name in sorted(run.services):
                items.extend(await _reachable(name, run.services[name]))
                items.extend(await _hooks(name, run))
                items.extend(await _signed_in(name, run))
                own = [case for case in cases if contract.operations[case.operation].service == name]
                made = run.services[name].sessions.dialect.states
                items.extend(await _inspected(name, run))
                items.extend(_needs(name, run.target.services[name], run.desks[name], own, made))
        except Unreached as error:
            unreachable = redact_excerpt(error.reason, run.vault.known)
        if not unreachable:
            items.extend(await _within_scope(contract, chosen, cases))
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


async def _within_scope(contract: Contract, chosen: ChosenTarget, named: Sequence[Case]) -> list[Item]:
    """By service, what of a run with the defaults the scope forbids: all named cases, and some of the generated ones.

    They are planned on a dry wire, and nothing is sent.
    """
    if chosen.file.scope.everything:
        return []
    numbered = choose_generated(contract, Selection(tuple({case.operation for case in named})), None, seed=0)
    generated = [generated_case(*one) for one in islice(numbered, 0, None, _EVERY)]
    refused = await outside_scope(contract, chosen, [*named, *generated])
    least, items = chosen.file.limits.min_carried_out, []
    for name in sorted(chosen.file.services):
        of_named, of_generated = (
            [case.id in refused for case in cases if contract.operations[case.operation].service == name]
            for cases in (named, generated)
        )
        together = len(of_named) + _EVERY * len(of_generated)
        outside = sum(of_named) + _EVERY * sum(of_generated)
        if not outside:
            continue
        note = f"{sum(of_named):,} of {len(of_named):,} named cases lie outside it"
        if of_generated:
            note += f", and about {sum(of_generated) / len(of_generated):.0%} of the generated ones"
        enough = outside <= (1 - least) * together
        more = (
            "conformance plan shows them"
            if enough
            else f"with so few a run is incomplete (min_carried_out is {least:.0%})"
        )
        items.append(Item(f"services.{name}: [scope]", enough, f"{note}; {more}", notable=True))
    return items


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


async def _hooks(name: str, run: Session) -> list[Item]:
    """Whether each state hook can be connected to; it is asked nothing."""
    items = {}
    for hook in hooks_of(run.services[name].states):
        what = f"services.{name}: {hook.what} answers"
        if what not in items:
            problem = await hook.reach()
            note = "" if problem is None else redact_excerpt(problem.message, run.vault.known)
            items[what] = Item(what, problem is None, note, hard=True)
    return list(items.values())


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


_NOT_ALLOWED, _SERVER_ERROR = 20, 102


async def _inspected(name: str, run: Session) -> list[Item]:
    """Bindings that do not name what cases take them for: an OMS that fails or is not there, an unknown id that exists."""
    service, items = run.services[name], dict[tuple[str, Any], Item]()
    for desk in run.desks[name]:
        if not desk.roles:
            continue
        role = OPERATOR if OPERATOR in desk.roles else min(desk.roles)
        right: dict[str, tuple[Inspection, Any]] = {}
        for one in service.sessions.dialect.inspections(desk.bindings):
            key = (one.binding, desk.bindings[one.binding])
            if key in items:
                continue
            try:
                answer = await service.sessions.call(desk, role, one.call, one.payload, Purpose.PROBE)
            except Unreached:
                raise
            except NotCarriedOut:  # outside the scope, or a role that cannot sign in: said elsewhere
                continue
            if one.there:
                right.setdefault(one.call, (one, answer))
            what = f"services.{name}.bindings.{one.binding} = {desk.bindings[one.binding]}"
            problem = _doubt(one, answer)
            if problem and (other := _answered_alike(one, answer, *right.get(one.call, (one, None)))):
                note = f"{one.call} answers for it as for {other}: it does not look at it, so nobody can tell whether it exists"
                items[key] = Item(what, True, note, notable=True)
            elif problem:
                items[key] = Item(what, False, redact_excerpt(problem, run.vault.known), hard=True)
    return list(items.values())


def _doubt(one: Inspection, answer: Any) -> str:
    """What an answer says against a binding; empty when it says nothing."""
    code = _code_of(answer)
    if code == _SERVER_ERROR:
        return f"{one.call} is answered with code 102, so cases that use it would see nothing else"
    if one.there and code not in (None, _NOT_ALLOWED):
        return f"{one.call} is answered with code {code}, as if it did not exist"
    if not one.there and code is None and answer:
        return f"{one.call} finds it: it exists, and cases take it for an id that does not"
    return ""


def _answered_alike(one: Inspection, answer: Any, right: Inspection, its_answer: Any) -> str:
    """The binding for which the call answers the same as for an id that is not to be there; empty where it tells them apart.

    Where both bindings have one value, the id is there.
    """
    alike = not one.there and _code_of(answer) is None and answer == its_answer and one.payload != right.payload
    return right.binding if alike else ""


def _code_of(answer: Any) -> int | None:
    """The error code of a standard response that refuses; None for any other answer."""
    if not isinstance(answer, dict):
        return None
    members = {str(key).lower(): value for key, value in answer.items()}
    code = members.get("errorcode")
    return code if isinstance(code, int) and not isinstance(code, bool) and code else None


def _needs(
    name: str, service: ServiceTarget, desks: Sequence[Desk], cases: Sequence[Case], made_by_calls: Sequence[str]
) -> Iterator[Item]:
    """What the cases of a service need, each with the number of cases that need it."""
    needs = needs_of(cases, {case.operation: name for case in cases}).get(name, Needs())
    missing = {one.thing: one for one in missing_of(needs, service, desks, made_by_calls)}
    things = [f"transport.{Transport(one).address_key}" for one in sorted(needs.transports)]
    things += [f"role.{one}" for one in sorted(needs.roles)] + [f"binding.{one}" for one in sorted(needs.bindings)]
    for thing in things:
        yield _item(f"services.{name}.{_KEYS[thing.partition('.')[0]]}{thing.partition('.')[2]}", missing.get(thing))
    for state, wanted in sorted(needs.states.items()):
        what, found = f"services.{name}.states: {state}", missing.get(f"state.{state}")
        held = len(service.states.pool.get(state, ()))
        if found is None and state in service.states.pool and state not in service.states.by_state and held < wanted:
            yield Item(what, False, f"the pool holds {held} of {wanted}")
        elif found is None or found.lacks:
            yield _item(what, found)
        else:
            yield Item(what, False, f"needed {wanted} times, for {hanging(found.cases)}")
    yield from _codes(f"services.{name}", service, needs)


_KEYS = {"transport": "", "role": "roles.", "binding": "bindings."}


def _codes(place: str, service: ServiceTarget, needs: Needs) -> Iterator[Item]:
    for (operation, code), cases in sorted(needs.codes.items()):
        missing = None if service.provocation(operation, code) is not None else Missing(code, cases)
        yield _item(f"{place}.errors: {code} of {operation}", missing)


def _item(what: str, missing: Missing | None) -> Item:
    if missing is not None and missing.lacks:
        return Item(what, True, f"{hanging(missing.cases)} left out: {missing.lacks}", lacks=True)
    return Item(what, missing is None, "" if missing is None else f"needed by {hanging(missing.cases)}")
