"""Whether what a target file binds can stand where messages name it: a number for a number, and a value that the schema has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.cases.fixtures import load_cases
from conformance.cases.message import is_text, is_whole, number_places, places
from conformance.cases.paths import NO_SEGMENT, is_segment
from conformance.contract.schemas import load_validator
from conformance.endpoint.model import ServiceTarget, TargetFile
from conformance.errors import ConfigurationError
from conformance.formats.base import PLACE
from conformance.formats.json.pointer import join_pointer
from conformance.model.case import Case, StateNeed
from conformance.model.spec import Contract, Operation

Table = tuple[str, str, Mapping[str, object]]
"""Where a table of bindings stands, the state whose ids it gives in a pool or "", and what it binds."""
_MADE_UP: Mapping[bool, object] = {False: 1001, True: "1001"}
"""What stands for a place that no table of the file fills, by whether it holds text; nothing is said of that."""


def tables_of(service: ServiceTarget) -> Iterator[Table]:
    """Every table of the file that binds values: of the service, its desks, its error codes and its pools."""
    yield "bindings", "", service.bindings
    for number, desk in enumerate(service.desks):
        yield f"desks.{number}.bindings", "", desk.bindings
    for operation, codes in service.errors.items():
        for code, one in codes.items():
            yield f"errors.{operation}.{code}.bindings", "", one.bindings
    for state, entries in service.states.pool.items():
        for number, ids in enumerate(entries):
            yield f"states.pool.{state}.{number}", state, ids


def refuse_unfit(target: TargetFile, contract: Contract, where: str) -> None:
    """What would be sent with such a value is no message of the contract, and an endpoint that refuses it is right.

    Raises `ConfigurationError` for a text where messages have a number, or that is no argument of a path, and for a value that the schema of a legal
    request refuses in its place: a date that is none, a word that is not listed, a text that is too long.
    """
    for service_id, service in target.services.items():
        _refuse_texts(contract, service_id, service, where)
        for name in contract.services[service_id].operations:
            _refuse_by_schema(contract.operations[name], service_id, service, where)


def _refuse_texts(contract: Contract, service_id: str, service: ServiceTarget, where: str) -> None:
    texts = [
        (place, state, name, value)
        for place, state, bindings in tables_of(service)
        for name, value in bindings.items()
        if isinstance(value, str) and not is_whole(value)
    ]
    numbers: dict[tuple[str, str], str] = {}
    segments: dict[tuple[str, str], str] = {}
    for case in load_cases(contract, contract.services[service_id].operations) if texts else ():
        for one in case.messages:
            _keep(case, number_places(one.body.text), numbers)
            _keep(case, places(one.path.partition("?")[0]), segments)
    for place, state, name, value in texts:
        what, case_id = "is no integer, and a message has a number there", numbers.get((state, name))
        if case_id is None and not is_segment(value):
            what, case_id = NO_SEGMENT, segments.get((state, name))
        if case_id is not None:
            raise ConfigurationError(
                f"services.{service_id}.{place}.{name}: {value!r} {what}",
                where=where, hint=f"For example that of {case_id}.",
            )  # fmt: skip


def _keep(case: Case, names: Iterable[str], asked: dict[tuple[str, str], str]) -> None:
    """Note for each name, by the state that gives it, the first case that asks for it."""
    for name in names:
        head, _, member = name.partition(".")
        need = case.states.get(head)
        asked.setdefault((need.state, member or "id") if need is not None else ("", name), case.id)


def _refuse_by_schema(operation: Operation, service_id: str, service: ServiceTarget, where: str) -> None:
    """Each legal request, filled from each table; only what stands in the place of a value of that table counts."""
    validator = load_validator(operation.request_schema, formats=True)
    requests = [(operation.valid, operation.states), *((one.value, one.states) for one in operation.bases.values())]
    for place, state, bindings in tables_of(service):
        for value, states in requests:
            filled = _Filled(dict(_named(state, states, bindings)))
            whole = filled.value(value, ())
            found = validator.problems(whole) if filled.names else ()
            for problem in (one for one in found if one.pointer in filled.names):
                name = filled.names[problem.pointer]
                own = name.partition(".")[2] or "id" if state else name
                raise ConfigurationError(
                    f"services.{service_id}.{place}.{own}: cannot stand in a message: expected {problem.expected}, found {problem.actual}",
                    where=where, hint=f"It is {problem.pointer[1:]} in a legal request of {operation.id}.",
                )  # fmt: skip


def _named(state: str, states: Mapping[str, StateNeed], bindings: Mapping[str, object]) -> Iterator[tuple[str, Any]]:
    """What a table binds, by the names that stand in messages; a secret is no value yet."""
    for name, value in bindings.items():
        if not isinstance(value, int | str):
            continue
        if not state:
            yield name, value
        for thing in (one for one, need in states.items() if state and need.state == state):
            yield thing if name == "id" else f"{thing}.{name}", value


@dataclass(slots=True)
class _Filled:
    """Fills the places of a request, and keeps by JSON Pointer which name of the table stands where."""

    bindings: Mapping[str, int | str]
    names: dict[str, str] = field(default_factory=dict)

    def value(self, value: Any, at: tuple[str | int, ...]) -> Any:
        """A part of the request with its places filled."""
        if isinstance(value, Mapping):
            return {name: self.value(inner, (*at, name)) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner, (*at, index)) for index, inner in enumerate(value)]
        place = PLACE.fullmatch(value) if isinstance(value, str) else None
        return value if place is None else self._bound(place[1], place[3], changed=place[2] is not None, at=at)

    def _bound(self, name: str, other: str | None, *, changed: bool, at: tuple[str | int, ...]) -> Any:
        chosen = other if other is not None and other in self.bindings and name not in self.bindings else name
        text = is_text(name)
        if chosen not in self.bindings or changed:
            return _MADE_UP[text]
        self.names[join_pointer(at)] = chosen
        bound = self.bindings[chosen]
        if text:
            return str(bound)
        return int(bound) if not isinstance(bound, str) or is_whole(bound) else bound
