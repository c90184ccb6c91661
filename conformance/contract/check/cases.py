"""Rules on what names what: requirements, cases, readings, states, attributions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

from conformance.contract.check.problems import CaseSet, Outcomes, Problem, place_in
from conformance.contract.load import SPELLINGS, bundled_spellings
from conformance.contract.operation import RequirementKey, missing_keys
from conformance.model.case import Alternative, Case, Expectation, state_names
from conformance.model.spec import Contract, Service

_ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)+")
_READING = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PLACE = re.compile(r"\$\{([A-Za-z_]\w*)\.[\w.#]+(?:[+-]\d+|[\^~!])?(?:\|[\w.#]+)?\}")


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
        known = contract.operations[case.operation].requirements
        named = [*case.requirements]
        named += [name for one in case.expectations for name in (one.requirement, one.effect, one.outside)]
        named += [case.twin.requirement] if case.twin else []
        unknown = [name for name in dict.fromkeys(named) if name and name not in known]
        for name in (one for one in dict.fromkeys(named) if one and one not in unknown):
            only = contract.requirements[name].edition
            if only not in ("", case.edition):
                message = f"names {name}, which only the edition {only} has"
                yield Problem("case-requirements", _where(contract, case), message, f"Give it `edition: {only}`.")
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
            elif not set(alternative.split("|")) <= reading.alternatives.keys():
                message = f"{reading_id} has no alternative {alternative!r}, only {', '.join(reading.alternatives)}"
            elif case.operation not in reading.operations:
                message = f"{reading_id} is not a reading of {case.operation}"
            hint = "readings.yaml of the service lists them."
            yield Problem("case-readings", _where(contract, case), message, hint) if message else None


def case_grounds(contract: Contract, cases: CaseSet) -> Outcomes:
    """Where an expectation allows several answers, each names a reading, a requirement of its operation or a ruling."""
    for case in cases.cases:
        known = contract.operations[case.operation].requirements | contract.rulings.keys()
        for one in (one for expect in case.expectations for one in groundless(expect, known)):
            what = f"nothing says that {dict(one.wanted)} is right as well"
            hint = "Name in `because` the requirement or the ruling that allows it, or take it out."
            yield Problem("case-grounds", _where(contract, case), what, hint)
        yield None


def groundless(expect: Expectation, known: Collection[str]) -> Iterator[Alternative]:
    """The alternatives that neither a reading nor something `known` allows; one alone stands on its requirement.

    That one of several codes will do is no part of a reading.
    """
    for one in expect.any_of:
        needed = one.several or one.wanted.get("form") == "served" or len(expect.any_of) > 1
        named = one.because or (one.readings and not one.several)
        if (needed and not named) or not set(one.because) <= set(known):
            yield one


def rulings_held(contract: Contract, cases: CaseSet) -> Outcomes:
    """Each ruling has words and cases: every pattern matches one, else nobody would see the ruling broken."""
    identifiers = tuple(case.id for case in cases.cases)
    for name in sorted(contract.own_rulings):
        ruling = contract.rulings[name]
        where = f"rulings.yaml ({name})"
        if not _READING.fullmatch(name):
            yield Problem("rulings", where, "the id is malformed", "Lower case words joined by hyphens.")
        if not (ruling.text.strip() and ruling.source.strip()):
            yield Problem("rulings", where, "text or source is empty", "Say what is right, and what that rests on.")
        if not ruling.cases:
            hint = "`cases` lists patterns of the cases that fail where it is broken."
            yield Problem("rulings", where, "no case holds it", hint)
        for reading in ruling.readings:
            wrong = Problem("rulings", where, f"{reading!r} is no reading", "readings.yaml of a service lists them.")
            yield None if reading in contract.readings else wrong
        for pattern in ruling.cases:
            wrong = Problem("rulings", where, f"no case matches {pattern!r}", "`conformance list cases` shows the ids.")
            yield None if any(fnmatchcase(one, pattern) for one in identifiers) else wrong


def spellings_held(contract: Contract, cases: CaseSet) -> Outcomes:
    """Each production of the table has its clause, and is written by cases of its own, held by others, or excused.

    A folder without a table of its own uses the bundled one, and need not have calls on which each row can be tried.
    """
    identifiers = tuple(case.id for case in cases.cases)
    rows = bundled_spellings() if (contract.root / SPELLINGS).is_file() else ()
    for row in rows:
        where = f"spellings.yaml ({row.id})"
        if [one.id for one in rows].count(row.id) > 1:
            yield Problem("spellings", where, "two rows have this id", "Give one of them another id.")
        if not (row.clause.strip() and row.text.strip()):
            yield Problem(
                "spellings", where, "clause or text is empty", "Say what is written, and where it is allowed."
            )
        if sum(bool(one) for one in (row.headers, row.path, row.frame, row.cases, row.unwritten)) > 1:
            yield Problem("spellings", where, "it is written in two ways", "Keep one of headers, path, frame, cases.")
        for pattern in () if row.unwritten else row.cases or (f"*/{row.cases_of_its_own}*",):
            wrong = Problem(
                "spellings", where, f"no case matches {pattern!r}", "`conformance list cases` shows the ids."
            )
            yield None if any(fnmatchcase(one, pattern) for one in identifiers) else wrong


def case_states(contract: Contract, cases: CaseSet) -> Outcomes:
    """What an expectation says is cancelled or untouched, and what a message's places name, is a state of the case."""
    for case, one in _alternatives(cases):
        known = set(state_names(case.states))
        for name in (*one.cancelled, *one.untouched):
            hint = f"Its states give {', '.join(sorted(known)) or 'no names'}."
            wrong = Problem("case-states", _where(contract, case), f"expects an effect on {name!r}", hint)
            yield None if name in known else wrong
    given = _given_by_targets(cases)
    for case in cases.cases:
        for message in case.messages:
            for name in dict.fromkeys(_PLACE.findall(message.body.template + message.path + (message.frame or ""))):
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


def requirement_ids(contract: Contract) -> Outcomes:
    """Ids are well formed and begin with the operation's short name; each statement has a place and words."""
    for identifier, one in sorted(contract.requirements.items()):
        operation = contract.operations[one.operation]
        where = f"{place_in(contract.root, operation.folder / 'requirements.yaml')} ({identifier})"
        prefix = f"{operation.short.upper()}-"
        if not _ID.fullmatch(identifier):
            hint = "Capitals and digits, joined by hyphens, as in ABC-RESP-RESULT."
            yield Problem("requirement-ids", where, f"{identifier!r} is no requirement id", hint)
        elif not identifier.startswith(prefix):
            yield Problem("requirement-ids", where, f"{identifier} does not begin with {prefix}", "Rename it.")
        elif not one.place.strip() or not one.text.strip():
            hint = "Say where the document makes the statement, and paraphrase it."
            yield Problem("requirement-ids", where, "place or text is empty", hint)
        else:
            yield None


def readings_well_formed(contract: Contract) -> Outcomes:
    """A reading has a well-formed id, at least two alternatives, and one requirement for each of its operations."""
    for service in contract.services.values():
        for one in service.readings:
            where = f"{_readings_file(contract, service)} ({one.id})"
            if not _READING.fullmatch(one.id):
                yield Problem("readings", where, "the id is malformed", "Lower case words joined by hyphens.")
            elif len(one.alternatives) < 2:
                yield Problem("readings", where, "fewer than two alternatives", "A question with one answer is a rule.")
            elif len(one.operations) != 1 + len(one.also):
                hint = "`requirement` is that of the first operation, `also` has those of the others, in their order."
                yield Problem("readings", where, "not one requirement for each operation", hint)
            else:
                yield None


def attribution_keys(contract: Contract, keys: Collection[RequirementKey]) -> Outcomes:
    """Each operation has every requirement key that its checks and cases need, and none that nobody reads."""
    for name in sorted(contract.operations if keys else ()):
        operation = contract.operations[name]
        where = place_in(contract.root, operation.folder / "operation.yaml", "attribution")
        missing = [Problem("attribution-keys", where, one.message, one.hint) for one in missing_keys(operation, keys)]
        yield from missing or (None,)
        known = sorted({key.name for key in keys if key.of.includes(operation)})
        for key in operation.attribution:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else "`conformance list checks` shows the keys."
            wrong = Problem("attribution-keys", f"{where}/{key}", f"no check and no case reads the key {key!r}", hint)
            yield None if key in known else wrong


def readings_named(contract: Contract) -> Outcomes:
    """Each reading has for each of its operations a requirement of that operation."""
    for service in contract.services.values():
        for reading in service.readings:
            where = f"{_readings_file(contract, service)} ({reading.id})"
            for operation, requirement in reading.requirements.items():
                wrong = requirement not in contract.operations[operation].requirements
                message = f"{operation} has no requirement {requirement!r}"
                yield Problem("reading-requirements", where, message) if wrong else None


def _readings_file(contract: Contract, service: Service) -> str:
    folder = contract.operations[service.operations[0]].folder.parent
    return place_in(contract.root, folder / "readings.yaml")


def _alternatives(cases: CaseSet) -> Iterator[tuple[Case, Alternative]]:
    for case in cases.cases:
        for one in (one for expect in case.expectations for one in expect.any_of):
            yield case, one


def _given_by_targets(cases: CaseSet) -> frozenset[str]:
    """First parts of dotted bindings in the parameters of states: a target gives those before any state exists."""
    values = (str(value) for case in cases.cases for need in case.states.values() for value in need.params.values())
    return frozenset(name for value in values for name in _PLACE.findall(value))


def _where(contract: Contract, case: Case) -> str:
    return f"{place_in(contract.root, contract.operations[case.operation].folder)} ({case.id})"
