"""What the cases of a run need of a target, counted before anything is sent: states, accounts, roles, bindings, addresses.

`run` and `plan` print it, `target check` holds the target file against it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from conformance.cases.families.list.forms import CANARY_ADDRESS, CANARY_FILE
from conformance.cases.message import case_places, places
from conformance.dialects.base import ANONYMOUS, INVENTED
from conformance.endpoint.desks import Desk
from conformance.endpoint.model import ServiceTarget
from conformance.model.case import Case, Transport
from conformance.run.session import Session

_ALWAYS = (ANONYMOUS, INVENTED)
_FRAME_NAMES = ("i", "o", "o_escaped", "body")


@dataclass(slots=True)
class Needs:
    """What cases of one service need; every count but that of states is of the cases that hang on the thing."""

    named: int = 0
    generated: int = 0
    transports: Counter[str] = field(default_factory=Counter)
    roles: Counter[str] = field(default_factory=Counter)
    bindings: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    """State to how many orders or quotes must be set up in it."""
    state_cases: Counter[str] = field(default_factory=Counter)
    """State to how many cases hang on it."""
    accounts: set[str] = field(default_factory=set)
    """Names of the bindings of accounts that orders and quotes are made in."""
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(operation, code) to how many cases provoke it."""

    def add(self, case: Case) -> None:
        """Count one more case."""
        if case.tier == "named":
            self.named += 1
        else:
            self.generated += 1
        self.transports[case.transport] += 1
        self.roles.update({role for role in case.roles if role not in _ALWAYS})
        made = frozenset(case.states)
        self.bindings.update(
            name
            for name in case_places(case)
            if name not in _FRAME_NAMES and name.partition(".")[0].partition("#")[0] not in made
        )
        for need in case.states.values():
            turns = 2 if case.twin is not None else 1
            self.states[need.state] += int(need.params.get("count", 1)) * turns
            self.accounts.update(places(str(need.params.get("account", ""))))
        self.state_cases.update({need.state for need in case.states.values()})
        if case.provoke is not None:
            self.codes[case.operation, case.provoke] += 1


def needs_of(cases: Iterable[Case], service_of: Mapping[str, str]) -> dict[str, Needs]:
    """Service to what its cases need; `service_of` has the service of each operation."""
    found: dict[str, Needs] = {}
    for case in cases:
        found.setdefault(service_of[case.operation], Needs()).add(case)
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Missing:
    """A thing of the target file that cases hang on and that is not there; `lacks` when the file says so itself."""

    thing: str
    cases: int
    lacks: str = ""


def missing_of(
    needs: Needs, service: ServiceTarget, desks: Sequence[Desk], made_by_calls: Sequence[str]
) -> Iterator[Missing]:
    """What the target file does not give, in the order of the file's tables; codes and the length of pools apart."""
    for transport, cases in sorted(needs.transports.items()):
        key = Transport(transport).address_key
        if getattr(service, key) is None:
            yield _missing(service, f"transport.{key}", cases)
    for role, cases in sorted(needs.roles.items()):
        if not all(role in desk.roles for desk in desks):
            yield _missing(service, f"role.{role}", cases)
    for binding, cases in sorted(needs.bindings.items()):
        if not all(binding in desk.bindings for desk in desks):
            yield _missing(service, f"binding.{binding}", cases)
    for state, cases in sorted(needs.state_cases.items()):
        if not brings_about(service, state, made_by_calls) or service.lacks.reason(f"state.{state}"):
            yield _missing(service, f"state.{state}", cases)


def _missing(service: ServiceTarget, thing: str, cases: int) -> Missing:
    return Missing(thing, cases, service.lacks.reason(thing))


def brings_about(service: ServiceTarget, state: str, made_by_calls: Sequence[str]) -> bool:
    """Whether the target file says how a state is set up, or the run makes it itself."""
    if state in (CANARY_ADDRESS, CANARY_FILE):
        return True
    if state in service.states.by_state:
        return service.states.by_state[state].provider != "none"
    if state in service.states.pool:
        return True
    provider = service.states.provider
    return provider in ("hook", "command") or (provider == "calls" and state in made_by_calls)


def all_lines(run: Session, cases: Iterable[Case]) -> Iterator[str]:
    """What the cases of a run need of each service of its target, in words."""
    service_of = {name: one.service for name, one in run.contract.operations.items()}
    for name, needs in needs_of(cases, service_of).items():
        if name in run.services:
            made = run.services[name].sessions.dialect.states
            yield from needs_lines(name, needs, run.target.services[name], run.desks[name], made)


def needs_lines(
    name: str, needs: Needs, service: ServiceTarget, desks: Sequence[Desk], made_by_calls: Sequence[str]
) -> Iterator[str]:
    """In words, for a terminal: what has to be there before the first message, and what is not."""
    yield f"services.{name}: {needs.named:,} named and {needs.generated:,} generated cases need"
    for state, count in sorted(needs.states.items()):
        held = len(service.states.pool[state]) if state in service.states.pool else None
        note = "" if held is None else f", the pool holds {held:,}" + (" (too few)" if held < count else "")
        yield f"  {count:,} × {state}, for {hanging(needs.state_cases[state])}{note}"
    accounts = sorted(needs.accounts)
    if accounts:
        bound = [f"{one} ({', '.join(_values(one, desks))})" for one in accounts]
        yield f"  accounts to make them in: {', '.join(bound)}"
    for one in missing_of(needs, service, desks, made_by_calls):
        why = f"lacking, as the target file says: {one.lacks}" if one.lacks else "missing"
        yield f"  {one.thing}: {why}; {hanging(one.cases)} hang{'s' if one.cases == 1 else ''} on it"


def hanging(cases: int) -> str:
    """How many cases, in words."""
    return f"{cases:,} {'case' if cases == 1 else 'cases'}"


def _values(binding: str, desks: Sequence[Desk]) -> list[str]:
    return list(dict.fromkeys(str(desk.bindings.get(binding, "not bound")) for desk in desks))
