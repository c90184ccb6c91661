"""The same thing found many times is one thing: findings by what they have in common, ids and numbers left aside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from conformance.cases.trials.trial import Trial
from conformance.model.verdict import CaseResult, Finding

MOST_GROUPS = 40
"""How many different things are kept; an endpoint with more than that is broken everywhere."""
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
    """The group of a finding; over WebSocket and in each format a thing is one of its own."""
    form = result.transport if result.transport == "ws" else "xml" if result.media_type.endswith("xml") else "json"
    return Key(result.operation, finding.requirement, finding.check, form, normalised(finding.message))


def normalised(message: str) -> str:
    """A finding's message without what differs from one time to the next."""
    text = _GUID.sub("#", _CASE_ID.sub("#", message))
    return _NAME.sub("#", _NUMBER.sub("#", _QUOTED.sub("#", text)))


@dataclass(slots=True)
class Caught:
    """One group: its first trial and result, how often it was found, and what came of shrinking it."""

    key: Key
    trial: Trial
    result: CaseResult
    finding: Finding
    count: int = 1
    again: bool | None = None
    """Whether it happened again from a clean state; None before that was tried."""
    tries: int = 0
    chances: int = 1
    """How many trials of the group were taken up to see it happen again."""


@dataclass(slots=True)
class Catch:
    """Everything that was found so far."""

    groups: dict[Key, Caught] = field(default_factory=dict)
    beyond: int = 0
    """Findings of further groups, which are only counted."""

    def take(self, trial: Trial, result: CaseResult) -> Iterator[Caught]:
        """Note the findings of one trial; gives the groups that are new with it, and those that did not happen again."""
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
                caught = Caught(key, trial, result, finding)
                self.groups[key] = caught
                yield caught

    def sorted(self) -> Iterable[Caught]:
        """The groups in an order that does not depend on when they were found."""
        return [self.groups[key] for key in sorted(self.groups)]


def _once(result: CaseResult) -> Iterable[tuple[Key, Finding]]:
    found: dict[Key, Finding] = {}
    for finding in result.findings:
        found.setdefault(key_of(result, finding), finding)
    return found.items()
