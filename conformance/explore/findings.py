"""Findings of an exploring run: shrunk, grouped and frozen.

A trial is shrunk to the smallest one that still breaks the same requirement; each step starts from a clean state.
Findings that differ only in ids and numbers are one group.
Each group is frozen as one case in a fixture file, which `replay` sends and a fixtures folder can keep.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from conformance.cases.case_data import canonical_text, fixture_text, to_data
from conformance.cases.fixtures import FOUND
from conformance.cases.generated.lists import ManyTrial
from conformance.cases.generated.rules import FAMILY, Trial, trial_id
from conformance.cases.make import Channel
from conformance.formats.registry import format_for
from conformance.model.case import Case, Transport
from conformance.model.spec import Operation
from conformance.model.verdict import CaseResult, Finding

MOST_GROUPS = 40
"""How many groups are kept; an endpoint with more is broken everywhere."""
MOST_CHANCES = 4
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NUMBER = re.compile(r"\d+")
_NAME = re.compile(r"\b(?:many|other|[oq]#)(?:\.(?:bid|ask))?(?= should)")
_CASE_ID = re.compile(r"\b[a-z]+/found/\S+")


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What findings of one group share."""

    operation: str
    requirement: str
    check: str
    form: str
    message: str


def key_of(result: CaseResult, finding: Finding) -> Key:
    """The group of a finding; WebSocket and each format have groups of their own."""
    transport = Transport(result.transport)
    form = str(transport) if transport.framed else format_for(result.media_type).name
    return Key(result.operation, finding.requirement, finding.check, form, normalised(finding.message))


def normalised(message: str) -> str:
    """The message of a finding without ids, numbers and quoted values."""
    text = _GUID.sub("#", _CASE_ID.sub("#", message))
    return _NAME.sub("#", _NUMBER.sub("#", _QUOTED.sub("#", text)))


@dataclass(slots=True)
class FindingGroup:
    """One group: its first trial and result, how often it was found, and the outcome of shrinking it."""

    key: Key
    trial: Trial
    result: CaseResult
    finding: Finding
    count: int = 1
    again: bool | None = None
    """Whether it happened again from a clean state; None before that was tried."""
    tries: int = 0
    chances: int = 1
    """How many trials of the group were used to see it happen again."""


@dataclass(slots=True)
class Findings:
    """Everything that was found so far."""

    groups: dict[Key, FindingGroup] = field(default_factory=dict)
    beyond: int = 0
    """Findings of further groups, which are only counted."""

    def take(self, trial: Trial, result: CaseResult) -> Iterator[FindingGroup]:
        """Note the findings of one trial; give the groups to shrink: new ones, and those that did not happen again."""
        for key, finding in _once(result):
            known = self.groups.get(key)
            if known is not None:
                known.count += 1
                if known.again is False and known.chances < MOST_CHANCES:
                    known.chances += 1
                    known.again = None
                    known.trial, known.result, known.finding = trial, result, finding
                    yield known
            elif len(self.groups) >= MOST_GROUPS:
                self.beyond += 1
            else:
                group = FindingGroup(key, trial, result, finding)
                self.groups[key] = group
                yield group

    def sorted(self) -> Iterable[FindingGroup]:
        """The groups in an order that does not depend on when they were found."""
        return [self.groups[key] for key in sorted(self.groups)]


def _once(result: CaseResult) -> Iterable[tuple[Key, Finding]]:
    found: dict[Key, Finding] = {}
    for finding in result.findings:
        found.setdefault(key_of(result, finding), finding)
    return found.items()


_DIGEST = 8


def frozen_case(group: FindingGroup) -> Case | None:
    """The named case of a group. Its id holds the requirement and a digest of the case, so it is unique."""
    made = group.trial.case()
    if made is None:
        return None
    requirements = tuple(dict.fromkeys((*made.requirements, group.key.requirement)))
    case = replace(made, tier="named", requirements=requirements)
    digest = hashlib.sha256(canonical_text(to_data(case)).encode("ascii")).hexdigest()[:_DIGEST]
    name = f"{group.key.requirement.lower()}-{digest}"
    return replace(case, id=trial_id(group.trial.space, Channel(case.transport, case.media_type), name))


def file_name(operation: Operation, requirement: str, number: int) -> str:
    """`found-tpp-tpp-resp-success-1.json`."""
    return f"{FOUND}{operation.short}-{requirement.lower()}-{number}.json"


def write_found(folder: Path, operations: Mapping[str, Operation], cases: Mapping[str, Case]) -> dict[str, Path]:
    """Write each case, keyed by the requirement that it breaks and its id, into a file of its own; id to path.

    Files of an earlier run stay: a name that is taken by another case is counted on.
    """
    written: dict[str, Path] = {}
    for key in sorted(cases):
        case = cases[key]
        operation = operations[case.operation]
        content = fixture_text({"operation": case.operation, "family": FAMILY, "cases": [to_data(case)]}).encode(
            "utf-8"
        )
        folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            path = folder / file_name(operation, key.partition(" ")[0], number)
            if path in written.values() or (path.exists() and path.read_bytes() != content):
                number += 1
                continue
            path.write_bytes(content)
            written[case.id] = path
            break
    return written


Breaks = Callable[[Trial], Awaitable[bool]]
"""Whether a trial, tried now, breaks what the first one broke."""
MOST_TRIES = 160
CONFIRMATIONS = 3


@dataclass(slots=True)
class Budget:
    """How many trials may still be made, and until when; `clock` gives seconds."""

    tries: int
    until_s: float
    clock: Callable[[], float]

    def spend(self) -> bool:
        """Take one try; False when there is none left."""
        if self.tries <= 0 or self.clock() >= self.until_s:
            return False
        self.tries -= 1
        return True


async def shrink(trial: Trial, breaks: Breaks, budget: Budget) -> tuple[Trial, bool]:
    """The smallest trial, and whether it broke again from a clean state.

    What depends on the ids that the target happens to give may need more orders to come back, not fewer: a trial with
    very many orders is enlarged until it breaks each time.
    """
    if not await _again(trial, breaks, budget):
        return await _enlarged(trial, breaks, budget)
    smallest = trial
    smaller = smallest.simpler()
    while budget.spend():
        candidate = next(smaller, None)
        if candidate is None:
            break
        if await breaks(candidate) and (
            not isinstance(candidate, ManyTrial) or await _always(candidate, breaks, budget)
        ):
            smallest = candidate
            smaller = smallest.simpler()
    if isinstance(smallest, ManyTrial) and not await _always(smallest, breaks, budget):
        return await _enlarged(smallest, breaks, budget)
    return smallest, True


async def _again(trial: Trial, breaks: Breaks, budget: Budget) -> bool:
    for _ in range(CONFIRMATIONS):
        if budget.spend() and await breaks(trial):
            return True
    return False


async def _always(trial: Trial, breaks: Breaks, budget: Budget) -> bool:
    for _ in range(CONFIRMATIONS):
        if not budget.spend() or not await breaks(trial):
            return False
    return True


async def _enlarged(trial: Trial, breaks: Breaks, budget: Budget) -> tuple[Trial, bool]:
    broken, larger = trial, trial.larger()
    while larger is not None:
        if await _always(larger, breaks, budget):
            return larger, True
        broken, larger = larger, larger.larger()
    return (broken, True) if broken is not trial and await _again(broken, breaks, budget) else (trial, False)
