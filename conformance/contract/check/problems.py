"""The words of `conformance specs check`: what a rule looks at, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from conformance.formats.json.pointer import join_pointer
from conformance.model.case import Case


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a contract: the rule that it breaks, file and place, what is wrong, what to do."""

    rule: str
    where: str
    message: str
    hint: str = ""


Outcomes: TypeAlias = Iterator["Problem | None"]
"""What a rule yields: one item for each thing that it looked at, None where the thing is right."""


@dataclass(frozen=True, slots=True)
class Specimen:
    """The body of a named case with made-up ids in its places, as bytes; `format` is the name of its format."""

    case_id: str
    operation: str
    format: str
    body: bytes


@dataclass(frozen=True, slots=True)
class CaseSet:
    """The named cases that the contract's data gives, and their bodies."""

    cases: tuple[Case, ...]
    specimens: tuple[Specimen, ...]


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What came of one rule; `blocked` says why it could not be applied, else it is empty."""

    rule: str
    checked: int = 0
    problems: tuple[Problem, ...] = ()
    blocked: str = ""


def place_in(root: Path, path: Path, *steps: str | int) -> str:
    """A file below the specs folder, and the JSON Pointer of a place in it."""
    try:
        name = path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        name = str(path)
    return f"{name}#{join_pointer(steps)}" if steps else name


def within(root: Path, where: str) -> str:
    """A place that an error names, from the specs folder on."""
    for prefix in (f"{root}/", f"{root.resolve()}/"):
        where = where.removeprefix(prefix)
    return where


def schema_paths(root: Path) -> tuple[Path, ...]:
    """Every JSON Schema of every operation, by name."""
    return tuple(sorted(root.glob("*/*/*.schema.json")))
