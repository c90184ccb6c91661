"""What is recorded for docs/trust.md: every fault's finders, every equivalent's alarms, and both tools on a sample."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import reference_impl.equivalents
import reference_impl.faults
from conformance.model.case import Case
from conformance.selftest.suspects import family_of
from reference_impl.variants import Variant

RECORD = Path(__file__).parent / "trust.json"
_GATHERING = ("reference_impl.faults.tpp", "reference_impl.equivalents.tpp")
"""Modules that only gather the variants of others."""


@dataclass(frozen=True, slots=True)
class Finders:
    """What found a fault on its own requirements, when every named case of its operation ran."""

    caught: bool
    families: tuple[str, ...]
    checks: tuple[str, ...]
    untried: tuple[str, ...] = ()
    """Families that came after the fault was recorded and were not tried on it."""


@dataclass(frozen=True, slots=True)
class Record:
    """The record. `alarms` counts failed cases by equivalent; `whole` and `tools` are as the commands measured them."""

    faults: Mapping[str, Finders] = field(default_factory=dict)
    alarms: Mapping[str, int] = field(default_factory=dict)
    families: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The families of named cases that each operation had when the record was made; `untried` says of which faults."""
    whole: Mapping[str, Any] = field(default_factory=dict)
    """Of one run of every `step`th variant: wall and processor seconds, the processors."""
    tools: Mapping[str, Any] = field(default_factory=dict)
    """Of both tools: the version of Schemathesis, and what each way found in each variant of a sample."""


def read_record(path: Path = RECORD) -> Record:
    """The record in a file; an empty one where there is none."""
    if not path.exists():
        return Record()
    raw = json.loads(path.read_text(encoding="utf-8"))
    faults = {
        name: Finders(one["caught"], tuple(one["families"]), tuple(one["checks"]), tuple(one.get("untried", ())))
        for name, one in raw["faults"].items()
    }
    return Record(faults, raw["alarms"], raw["families"], raw["whole"], raw["tools"])


def families_of(cases: Iterable[Case]) -> Mapping[str, Sequence[str]]:
    """The families of named cases of each operation, sorted."""
    found: dict[str, set[str]] = {}
    for case in cases:
        found.setdefault(case.operation, set()).add(family_of(case.id))
    return {name: sorted(found[name]) for name in sorted(found)}


def write_record(record: Record, path: Path = RECORD) -> None:
    """Write a record, one variant a line, sorted."""
    parts = [
        f'"faults": {{\n  {_lines({name: _told(one) for name, one in record.faults.items()})}\n }}',
        f'"alarms": {json.dumps(dict(sorted(record.alarms.items())))}',
        f'"families": {json.dumps(record.families)}',
        f'"whole": {json.dumps(record.whole)}',
        f'"tools": {_tools(record.tools)}',
    ]
    path.write_text("{" + ",\n ".join(parts) + "}\n", encoding="utf-8")


def _told(found: Finders) -> Mapping[str, Any]:
    return {name: value for name, value in asdict(found).items() if value or name != "untried"}


def _lines(members: Mapping[str, Any]) -> str:
    return ",\n  ".join(f"{json.dumps(name)}: {json.dumps(members[name])}" for name in sorted(members))


def _tools(tools: Mapping[str, Any]) -> str:
    if not tools:
        return "{}"
    judged = ",\n   ".join(json.dumps(one) for one in tools["judged"])
    rest = ", ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in tools.items() if name != "judged")
    return f'{{{rest},\n  "judged": [\n   {judged}\n  ]}}'


@dataclass(frozen=True, slots=True)
class Group:
    """The variants of one module, and what its first line says of them."""

    name: str
    title: str
    variants: tuple[Variant, ...]


def fault_groups() -> tuple[Group, ...]:
    """The faults by the module that makes them."""
    return tuple(_groups(reference_impl.faults, "FAULTS"))


def equivalent_groups() -> tuple[Group, ...]:
    """The equivalents by the module that makes them."""
    return tuple(_groups(reference_impl.equivalents, "EQUIVALENTS"))


def _groups(package: ModuleType, attribute: str) -> Iterable[Group]:
    for found in sorted(pkgutil.iter_modules(package.__path__, f"{package.__name__}."), key=lambda one: one.name):
        module = importlib.import_module(found.name)
        variants: Sequence[Variant] = getattr(module, attribute, ())
        if variants and found.name not in _GATHERING:
            title = (module.__doc__ or "").partition("\n")[0].rstrip(".")
            yield Group(found.name.rpartition(".")[2], title, tuple(variants))
