"""Reads a specs folder into a `Contract`; every complaint names the file, the line and the key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

from conformance.contract.forms import read
from conformance.contract.operation import check_operation, names_in
from conformance.contract.source import Source, open_source, raise_faults, suggestion
from conformance.errors import SpecError
from conformance.model.case import Transport, state_names
from conformance.model.scenario import ANSWER_KEYS, Factors, Scenario
from conformance.model.spec import Contract, Operation, PageRecord, Reading, Requirement, Ruling, Service, Spelling
from conformance.plugins import DIALECTS, dialect_names

_NOT_CONTRACT = {"fixtures", "corpus"}
RULINGS = "rulings.yaml"
"""Beside the folders of the services; without it, the rulings of the bundled contract hold."""

SPELLINGS = "spellings.yaml"
"""The table of spellings: of the bundled contract, for all contracts."""


def specs_root() -> Path:
    """The specs folder that belongs to this installation: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "_specs", package.parent / "specs"):
        if candidate.is_dir():
            return candidate
    raise SpecError(
        "the specs folder is missing", where=str(package), hint="Reinstall the package, or give --specs DIR."
    )


def load_contract(root: Path | None = None, extra: Iterable[Path] = ()) -> Contract:
    """The contract under `root` (default: the bundled one) together with those under `extra` folders.

    Raises `SpecError` with every fault that was found: a file that is missing or is no YAML, a key that is missing or
    that nobody reads, a value of another type, a name that nothing has, an id that stands twice.
    """
    base = root or specs_root()
    folders = [base, *extra]
    loading = _Loading()
    for folder in folders:
        if not folder.is_dir():
            raise SpecError("no such folder", where=str(folder), hint="Give a folder with one sub-folder per service.")
        loading.keep_rulings(folder / RULINGS)
    if not loading.rulings:
        loading.rulings.update({one.id: one for one in read_rulings(specs_root() / RULINGS)})
    for folder in folders:
        for service_file in sorted(folder.glob("*/service.yaml")):
            loading.service(service_file)
    raise_faults(loading.faults)
    if not loading.operations:
        raise SpecError("no operation found", where=str(base), hint="Expected <service>/<operation>/operation.yaml.")
    return Contract(
        base,
        digest_of(folders),
        loading.services,
        loading.operations,
        loading.requirements,
        loading.readings,
        loading.rulings,
        frozenset(loading.own_rulings),
    )


def digest_of(folders: Iterable[Path]) -> str:
    """SHA-256 over the names and bytes of every contract file, fixtures left out; the same on every machine."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*"), key=lambda p: p.relative_to(folder).as_posix()):
            relative = path.relative_to(folder)
            if path.is_file() and not _NOT_CONTRACT.intersection(relative.parts) and not path.name.startswith("."):
                digest.update(relative.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def read_yaml(path: Path) -> Any:
    """The plain content of a YAML file that has no model; `SpecError` names file and line."""
    source = open_source(path)
    value = source.json(source.root)
    raise_faults(source.faults)
    return value


def read_operation(folder: Path, *, partial: bool = False) -> Operation:
    """The operation in a folder by itself; with `partial` one that is still a draft, in which keys may be missing.

    Names of requirements, documents and readings are not looked up. Errors: `SpecError` with every fault.
    """
    source = open_source(folder / "operation.yaml", {"folder": folder, "service": folder.parent.name}, partial=partial)
    operation: Operation | None = read(Operation, source)
    if operation is not None and not partial:
        check_operation(operation, source)
        source.resolve(names_in(operation))
    raise_faults(source.faults)
    assert operation is not None
    return operation


def read_requirements(folder: Path, operation: str) -> tuple[Requirement, ...]:
    """The requirements of an operation by themselves. Errors: `SpecError` with every fault."""
    source = open_source(folder / "requirements.yaml", {"operation": operation})
    found = read(tuple[Requirement, ...], source)
    raise_faults(source.faults)
    return tuple(found)


def read_readings(path: Path, service: str) -> tuple[Reading, ...]:
    """The readings of a service by themselves; none without the file. Errors: `SpecError` with every fault."""
    if not path.exists():
        return ()
    source = open_source(path, {"service": service})
    found = read(tuple[Reading, ...], source)
    raise_faults(source.faults)
    return tuple(found)


def read_rulings(path: Path) -> tuple[Ruling, ...]:
    """The rulings of a contract by themselves; none without the file. Errors: `SpecError` with every fault."""
    if not path.exists():
        return ()
    source = open_source(path)
    found = read(tuple[Ruling, ...], source)
    raise_faults(source.faults)
    return tuple(found)


def read_spellings(path: Path) -> tuple[Spelling, ...]:
    """A table of spellings. Errors: `SpecError` with every fault."""
    source = open_source(path)
    found: tuple[Spelling, ...] = read(tuple[Spelling, ...], source)
    raise_faults(source.faults)
    return tuple(found)


@lru_cache(maxsize=1)
def bundled_spellings() -> tuple[Spelling, ...]:
    """The table of spellings of this installation."""
    return read_spellings(specs_root() / SPELLINGS)


def read_page_record(folder: Path) -> PageRecord | None:
    """The folder's page.yaml; None without one. Errors: `SpecError` with every fault."""
    path = folder / "page.yaml"
    if not path.exists():
        return None
    source = open_source(path)
    record: PageRecord | None = read(PageRecord, source)
    raise_faults(source.faults)
    return record


def read_scenarios(operation: Operation) -> tuple[Scenario, ...]:
    """The cases that only this operation has; none without the file. Errors: `SpecError` with every fault."""
    path = operation.folder / "scenarios.yaml"
    if not path.exists():
        return ()
    source = open_source(path)
    found: tuple[Scenario, ...] | None = read(tuple[Scenario, ...], source)
    source.resolve(
        {
            "requirement": operation.requirements,
            "base": operation.bases,
            "code": [one.code for one in operation.codes],
            "edition": operation.editions,
            "reading": [text for one in operation.readings.values() for text in _shown_by(one)],
            "requirement or ruling": operation.requirements | operation.rulings,
        }
    )
    for place, scenario in enumerate(found or ()):
        _check_scenario(operation, scenario, place, source)
    raise_faults(source.faults)
    return tuple(found or ())


def _shown_by(reading: Reading) -> Iterator[str]:
    """What an answer may show of a reading: each alternative, and any two between which it does not decide."""
    for name in (*reading.alternatives, *map("|".join, combinations(reading.alternatives, 2))):
        yield f"{reading.id}={name}"


def read_factors(operation: Operation) -> Factors | None:
    """In what the cases of this operation differ; None without the file. Errors: `SpecError` with every fault."""
    path = operation.folder / "factors.yaml"
    if not path.exists():
        return None
    source = open_source(path)
    found: Factors | None = read(Factors, source)
    if found is not None:
        levels = {one.name: one.levels for one in found.factors}
        source.resolve({"factor": levels, "field": operation.fields})
        for place, one in enumerate(found.factors):
            if one.name in [other.name for other in found.factors[:place]]:
                source.fault_at(("factors", place), f"factor {one.name} is defined twice", "Give it another name.")
        for key, rules in (("impossible", found.impossible), ("refused", found.refused)):
            for place, rule in enumerate(rules):
                for factor, name in ((factor, name) for factor, names in rule.when.items() for name in names):
                    if factor in levels and name not in levels[factor]:
                        what, steps = f"{factor} has no level {name!r}", (key, place, "when", factor)
                        source.fault_at(steps, what, suggestion(name, levels[factor]))
    raise_faults(source.faults)
    return found


def _check_scenario(operation: Operation, scenario: Scenario, place: int, source: Source) -> None:
    """What the types of a scenario cannot tell: effects on things that it sets up, a list with its length."""
    states = scenario.states
    if states is None and (not scenario.base or scenario.base in operation.bases):
        states = operation.with_base(scenario.base).states
    steps = (place, "expect", "any_of")
    source.resolve({"thing": state_names(states or {})}, entry=place)
    for index, one in enumerate(scenario.expect.any_of):
        if all(getattr(one, key) is None for key in ANSWER_KEYS):
            what = f"{scenario.name}: a right answer says nothing of the answer"
            source.fault_at((*steps, index), what, f"One of {', '.join(ANSWER_KEYS)}.")
    if not scenario.expect.any_of:
        source.fault_at((place, "expect"), f"{scenario.name}: no answer is right", "`any_of` lists the right ones.")
    if (scenario.each is ...) is not (scenario.count == 0):
        source.fault_at((place,), f"{scenario.name}: `each` and `count` belong together", "Give both, or neither.")

    for part, other in enumerate(scenario.beside):
        if not other.expect.any_of:
            source.fault_at((place, "beside", part), f"{scenario.name}: no answer is right", "`any_of` lists them.")
    if scenario.earlier is not None and (scenario.repeat or scenario.session is not None):
        what = f"{scenario.name}: `earlier` is one request in a session of the run"
        source.fault_at((place, "earlier"), what, "Leave out `repeat` and `session`.")
    session, ways = scenario.session, scenario.transports or operation.transports
    if session is None:
        return
    framed = any(way.framed for way in ways)
    if framed and (session.token != "whole" or session.over is Transport.HTTP):
        what = f"{scenario.name}: a token goes in a header, which frames do not have"
        source.fault_at((place, "session"), what, "Give `transports: [http]`.")
    if session.first and any(not (session.over or way).framed for way in ways):
        what = f"{scenario.name}: two users can sign in on one WebSocket alone"
        source.fault_at((place, "session"), what, "Give `over: ws`, or `transports: [ws]`.")


def _alternatives_named(operation: Operation) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Where operation.yaml names an alternative: the place, the reading, the alternative."""
    for reading, texts in operation.reading_texts.items():
        for text, alternative in texts.items():
            yield ("readings", reading, text), reading, alternative
    for name, edition in operation.editions.items():
        for reading, alternative in edition.settles.items():
            yield ("editions", name, "settles", reading), reading, alternative


class _Loading:
    """A contract while it is being read: what there is so far, and every fault."""

    def __init__(self) -> None:
        self.services: dict[str, Service] = {}
        self.operations: dict[str, Operation] = {}
        self.requirements: dict[str, Requirement] = {}
        self.readings: dict[str, Reading] = {}
        self.rulings: dict[str, Ruling] = {}
        self.own_rulings: set[str] = set()
        self.faults: list[SpecError] = []

    def keep_rulings(self, path: Path) -> None:
        """Read the rulings of a folder, if it has any."""
        source = self._open(path) if path.exists() else None
        found: tuple[Ruling, ...] | None = None if source is None else read(tuple[Ruling, ...], source)
        for place, one in enumerate(found or ()):
            if one.id in self.rulings and source is not None:
                source.fault_at((place, "id"), f"ruling {one.id} is defined twice", "Give one of them another id.")
            self.rulings[one.id] = one
            self.own_rulings.add(one.id)
        self._keep(source)

    def service(self, file: Path) -> None:
        """Read a service with everything that belongs to it."""
        source = self._open(file)
        service: Service | None = None if source is None else read(Service, source)
        if source is None or service is None:
            self._keep(source)
            return
        if service.dialect not in DIALECTS and service.dialect not in dialect_names():
            what = f"dialect: no such dialect: {service.dialect!r}"
            source.fault_at(("dialect",), what, suggestion(service.dialect, dialect_names()))
        if service.id in self.services:
            source.fault_at(("service",), f"service {service.id!r} is defined twice", "Give it another id.")
        readings_source, readings = self._readings(file.parent / "readings.yaml", service.id)
        paths = sorted(file.parent.glob("*/operation.yaml"))
        read_so_far = [self._operation(path, service, readings) for path in paths]
        found = [one.id for one in read_so_far if one is not None]
        if len(found) == len(paths):  # else one that is there, and cannot be read, would be called missing
            self._listed(source, service, found)
            if readings_source is not None:
                ids = {one for name in found for one in self.operations[name].requirements}
                every = all(self.operations[name].requirements for name in found)
                readings_source.resolve({"operation": found, **({"requirement": ids} if every else {})})
        self.services[service.id] = replace(service, operations=tuple(found), readings=readings or ())
        self._methods_beside(found)
        self._keep(source)
        self._keep(readings_source)

    def _methods_beside(self, found: Sequence[str]) -> None:
        """What else is called at the path of an operation."""
        at: dict[str, set[str]] = {}
        for name in found:
            at.setdefault(self.operations[name].path, set()).add(self.operations[name].method)
        for name in found:
            one = self.operations[name]
            if others := at[one.path] - {one.method}:
                self.operations[name] = replace(one, methods_beside=frozenset(others))

    def _listed(self, source: Source, service: Service, found: list[str]) -> None:
        """The file lists the operations of its folders, and no other."""
        for place, name in enumerate(service.operations):
            if name not in found:
                what, steps = f"operations: no folder has the operation {name!r}", ("operations", place)
                source.fault_at(steps, what, suggestion(name, found))
        for name in found:
            if name not in service.operations:
                what = f"operations: {name!r} is not listed"
                source.fault_at(("operations",), what, "List the operation of each folder.")

    def _readings(self, path: Path, service: str) -> tuple[Source | None, tuple[Reading, ...] | None]:
        """The readings of a service; None where the file cannot be read."""
        if not path.exists():
            return None, ()
        source = self._open(path, {"service": service})
        found: tuple[Reading, ...] | None = None if source is None else read(tuple[Reading, ...], source)
        for place, one in enumerate(found or ()):
            if one.id in self.readings and source is not None:
                source.fault_at((place, "id"), f"reading {one.id} is defined twice", "Give one of them another id.")
            self.readings[one.id] = one
        return source, found

    def _operation(self, path: Path, service: Service, readings: tuple[Reading, ...] | None) -> Operation | None:
        folder = path.parent
        source = self._open(path, {"service": service.id, "folder": folder})
        operation: Operation | None = None if source is None else read(Operation, source)
        if source is None or operation is None:
            self._keep(source)
            return None
        check_operation(operation, source)
        own = {one.id: one for one in readings or () if operation.id in one.operations}
        requirements = self._requirements(folder / "requirements.yaml", operation, service)
        known = {**names_in(operation), "document": service.documents}
        if readings is not None:
            known["reading id"] = own
        if requirements is not None:
            known["requirement"] = requirements
        source.resolve(known)
        for steps, reading, alternative in _alternatives_named(operation):
            if reading in own and alternative not in own[reading].alternatives:
                what = f"{'.'.join(steps[:-1])}: there is no alternative {alternative!r}"
                source.fault_at(steps, what, suggestion(alternative, own[reading].alternatives))
        if operation.id in self.operations:
            source.fault_at(("id",), f"operation {operation.id!r} is defined twice", "Give it another id.")
        self._keep(source)
        self.operations[operation.id] = replace(
            operation, readings=own, requirements=frozenset(requirements or ()), rulings=frozenset(self.rulings)
        )
        return operation

    def _requirements(self, path: Path, operation: Operation, service: Service) -> list[str] | None:
        """The ids of an operation's requirements; None where the file cannot be read."""
        source = self._open(path, {"operation": operation.id})
        found: tuple[Requirement, ...] | None = None if source is None else read(tuple[Requirement, ...], source)
        if source is None or found is None:
            self._keep(source)
            return None
        source.resolve({"document": service.documents, "edition": operation.editions})
        for place, one in enumerate(found):
            if one.id in self.requirements:
                source.fault_at((place, "id"), f"requirement {one.id} is defined twice", "Give one of them another id.")
            if (one.verify == "untested") is not bool(one.untested and one.untested.strip()):
                what = f"{one.id}: `verify: untested` and the reason in `untested` belong together"
                source.fault_at((place, "verify"), what, "Give both, or neither.")
            self.requirements[one.id] = one
        self._keep(source)
        return [one.id for one in found]

    def _open(self, path: Path, given: Mapping[str, Any] | None = None) -> Source | None:
        try:
            return open_source(path, given)
        except SpecError as error:
            self.faults.append(error)
            return None

    def _keep(self, source: Source | None) -> None:
        self.faults.extend(() if source is None else source.faults)
