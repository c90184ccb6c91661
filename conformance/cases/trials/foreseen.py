"""What a model foretells of one message: every right answer with its effect, and how things stand after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.cases.trials.rules import CANCELLED
from conformance.model.case import Alternative, Expectation

Standing = Mapping[str, str]
"""Name that is watched to how it stands: open, cancelled or executed."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The right answers; `after` is None where the documents leave open how things stand afterwards."""

    expect: Expectation
    after: Standing | None


@dataclass(frozen=True, slots=True)
class Way:
    """One right answer, and how things stand when it was given."""

    answer: Mapping[str, Any]
    after: Standing


def foreseen(requirement: str, ways: tuple[Way, ...], effect: str, outside: str) -> Foreseen:
    """The ways as an expectation: what stands cancelled must be so, everything else as it was."""
    alternatives = tuple(
        Alternative(
            one.answer,
            tuple(name for name, state in one.after.items() if state == CANCELLED),
            tuple(name for name, state in one.after.items() if state != CANCELLED),
        )
        for one in ways
    )
    ends = [dict(one.after) for one in ways]
    after = ends[0] if all(end == ends[0] for end in ends) else None
    return Foreseen(Expectation(requirement, alternatives, effect, outside), after)
