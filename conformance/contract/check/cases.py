"""Rules on what names what: requirements, cases, readings, states, attributions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.contract.check.problems import CaseSet, Outcomes, Problem, place_in, requirements_of
from conformance.contract.load import read_yaml
from conformance.model.case import Alternative, Case
from conformance.model.spec import Contract, Operation

_PLACE = re.compile(r"\$\{([A-Za-z_]\w*)\.[\w.#]+(?:[+-]\d+|\^)?(?:\|[\w.#]+)?\}")


def requirements_covered(contract: Contract, cases: CaseSet) -> Outcomes:
    """Each requirement has a case or a reason why not; a reason beside cases is out of date."""
    covered = {name for case in cases.cases for name in case.requirements}
    for identifier, requirement in sorted(contract.requirements.items()):
        folder = contract.operations[requirement.operation].folder
        where = f"{place_in(contract.root, folder / 'requirements.yaml')} ({identifier})"
        if requirement.untested is None and identifier not in covered:
            hint = "Name it in a scenario, or give `verify: untested` with the reason."
            yield Problem("coverage", where, "no case verifies it", hint)
        elif requirement.untested is not None and identifier in covered:
            yield Problem("coverage", where, "is called untested, but cases name it", "Remove the reason.")
        else:
            yield None


def case_requirements(contract: Contract, cases: CaseSet) -> Outcomes:
    """Each case names requirements of its own operation, in its list and in its expectation."""
    for case in cases.cases:
        known = requirements_of(contract, case.operation)
        named = [*case.requirements, case.expect.requirement, case.expect.effect, case.expect.outside]
        named += [case.twin.requirement] if case.twin else []
        unknown = [name for name in dict.fromkeys(named) if name and name not in known]
        for name in unknown:
            hint = f"requirements.yaml of {case.operation} has no such id."
            yield Problem("case-requirements", _where(contract, case), f"names {name}, which does not exist", hint)
        if not case.requirements or not case.expect.requirement:
            yield Problem("case-requirements", _where(contract, case), "names no requirement", "Name at least one.")
        elif not unknown:
            yield None


def case_readings(contract: Contract, cases: CaseSet) -> Outcomes:
    """Each reading that an expectation stands for exists, has that alternative, and is of the case's operation."""
    for case, one in _alternatives(cases):
        for name in one.readings:
            reading_id, _, alternative = name.partition("=")
            reading = contract.readings.get(reading_id)
            message = ""
            if reading is None:
                message = f"{reading_id} is no reading"
            elif alternative not in reading.alternatives:
                message = f"{reading_id} has no alternative {alternative!r}, only {', '.join(reading.alternatives)}"
            elif case.operation not in reading.operations:
                message = f"{reading_id} is not a reading of {case.operation}"
            hint = "readings.yaml of the service lists them."
            yield Problem("case-readings", _where(contract, case), message, hint) if message else None


def case_states(contract: Contract, cases: CaseSet) -> Outcomes:
    """What an expectation says is cancelled or untouched, and what a message's places name, is a state of the case."""
    for case, one in _alternatives(cases):
        known = set(_state_names(case))
        for name in (*one.cancelled, *one.untouched):
            hint = f"Its states give {', '.join(sorted(known)) or 'no names'}."
            wrong = Problem("case-states", _where(contract, case), f"expects an effect on {name!r}", hint)
            yield None if name in known else wrong
    given = _given_by_targets(cases)
    for case in cases.cases:
        for message in (case.message, *case.before, *(case.twin.messages if case.twin else ())):
            for name in dict.fromkeys(_PLACE.findall(message.body.text + (message.frame or ""))):
                wrong = Problem("case-states", _where(contract, case), f"sends ${{{name}.…}}, which no state binds")
                yield None if name in case.states or name in given else wrong


def case_codes(contract: Contract, cases: CaseSet) -> Outcomes:
    """The code whose cell a case verifies stands in the operation's table, and every code of the table has a case."""
    seen: set[tuple[str, str]] = set()
    for case in cases.cases:
        table = {one.code for one in contract.operations[case.operation].codes}
        for code in filter(None, dict.fromkeys((case.code, case.provoke))):
            seen.add((case.operation, code))
            wrong = Problem("case-codes", _where(contract, case), f"verifies code {code}, which the table lacks")
            yield None if code in table else wrong
    for name in sorted(contract.operations):
        operation = contract.operations[name]
        for index, one in enumerate(operation.codes):
            where = place_in(contract.root, operation.folder / "operation.yaml", "codes", index)
            wrong = Problem("case-codes", where, f"no case verifies code {one.code}", "Give a scenario its `code`.")
            yield None if (name, one.code) in seen else wrong


def attributions(contract: Contract) -> Outcomes:
    """Every requirement id anywhere in an `operation.yaml` is one of the operation's requirements."""
    for name in sorted(contract.operations):
        operation = contract.operations[name]
        known = requirements_of(contract, name)
        for steps, value in _named(operation):
            where = place_in(contract.root, operation.folder / "operation.yaml", *steps)
            yield None if value in known else Problem("attribution", where, f"{name} has no requirement {value!r}")


def readings_named(contract: Contract) -> Outcomes:
    """Each reading names existing operations, and for each of them an existing requirement."""
    for service in sorted({one.service for one in contract.operations.values()}):
        folder = next(one.folder.parent for one in contract.operations.values() if one.service == service)
        path = folder / "readings.yaml"
        for index, entry in enumerate(read_yaml(path) if path.exists() else ()):
            where = f"{place_in(contract.root, path, index)} ({entry['id']})"
            names = [entry.get("requirement"), *(entry.get("also") or ())]
            for operation, requirement in zip(entry.get("operations") or (), names, strict=False):
                message = ""
                if operation not in contract.operations:
                    message = f"there is no operation {operation!r}"
                elif requirement not in requirements_of(contract, operation):
                    message = f"{operation} has no requirement {requirement!r}"
                yield Problem("reading-requirements", where, message) if message else None


def _named(operation: Operation) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every value that must be a requirement: of the attribution, of the codes, and what has the operation's prefix."""
    for check, value in operation.attribution.items():
        yield ("attribution", check), value
    for index, code in enumerate(operation.codes):
        yield ("codes", index, "requirement"), code.requirement
    prefix = re.compile(rf"{re.escape(operation.short.upper())}(-[A-Z0-9]+)+")
    for steps, value in _texts(operation.raw):
        if steps[0] not in ("attribution", "codes") and (prefix.fullmatch(value) or _asks(steps)):
            yield steps, value


def _asks(steps: tuple[str | int, ...]) -> bool:
    """Whether the place itself says that a requirement stands there."""
    return "requirement" in steps or steps[0] in ("request_media", "response_media", "error_media")


def _texts(node: Any, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(node, Mapping):
        for key, child in node.items():
            yield from _texts(child, (*steps, str(key)))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _texts(child, (*steps, index))
    elif isinstance(node, str):
        yield steps, node


def _alternatives(cases: CaseSet) -> Iterator[tuple[Case, Alternative]]:
    for case in cases.cases:
        for one in case.expect.any_of:
            yield case, one


def _given_by_targets(cases: CaseSet) -> frozenset[str]:
    """First parts of dotted bindings in the parameters of states: a target gives those before any state exists."""
    values = (str(value) for case in cases.cases for need in case.states.values() for value in need.params.values())
    return frozenset(name for value in values for name in _PLACE.findall(value))


def _state_names(case: Case) -> Iterator[str]:
    for name, need in case.states.items():
        if need.state.endswith("-quote"):
            yield from (f"{name}.bid", f"{name}.ask")
        else:
            yield name


def _where(contract: Contract, case: Case) -> str:
    return f"{place_in(contract.root, contract.operations[case.operation].folder)} ({case.id})"
