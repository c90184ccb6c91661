"""What an operation's file says to an exploring run: its model, its things, and the requirement of each departure.

Also what a model predicts for one message: every right answer with its effect, and the states after it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.cases.generated.source import Source
from conformance.cases.make import Channel
from conformance.contract.schemas import SchemaValidator, load_validator
from conformance.model.case import Alternative, Expectation
from conformance.model.spec import Deviation, ExploredThing, Operation

OPEN, CANCELLED, EXECUTED = "open", "cancelled", "executed"


@dataclass(frozen=True, slots=True)
class StateKind:
    """A thing that can be set up: its state, how it stands then, and the instruction that is for it.

    `secret` is a member that must hold what the thing binds under its name; each of `wrong` is something else.
    `without` is a secret that things of the other kinds may need and this one does not.
    """

    state: str
    stands: str
    instruction: Mapping[str, Any]
    secret: str = ""
    wrong: tuple[Any, ...] = ()
    without: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether it is open, and nothing special about it: such things there are on every target."""
        return self.stands == OPEN and not self.secret and not self.without


@dataclass(frozen=True, slots=True)
class Rules:
    """The `explore` table of an operation."""

    model: str = ""
    requirement: Mapping[Deviation, str] = field(default_factory=dict)
    kinds: Mapping[str, StateKind] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, int] = field(default_factory=dict)
    """Each role that is tried, and how often beside the others."""
    every: tuple[str, ...] = ()
    accounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cancel: str = ""
    """The service's call that cancels one order; empty where there is none."""


def rules_of(operation: Operation) -> Rules:
    """The rules of an operation; without an `explore` table there is no model, and only values are varied."""
    explored = operation.explore
    if explored is None:
        return Rules()
    kinds = {one.state: _kind(operation, one) for one in explored.things}
    return Rules(
        explored.model,
        explored.requirement,
        kinds,
        explored.members,
        explored.roles,
        explored.every,
        explored.accounts,
        explored.cancel,
    )


def _kind(operation: Operation, one: ExploredThing) -> StateKind:
    base: Any = operation.valid if one.base == "base" else operation.bases[one.base].value
    return StateKind(one.state, one.stands, base[0], one.secret, one.wrong, one.without)


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """One operation with everything that its trials are made from; `channels` are those that the filters leave."""

    source: Source
    rules: Rules
    channels: tuple[Channel, ...]
    request: SchemaValidator
    """Of the request schema."""

    @property
    def operation(self) -> Operation:
        """The operation."""
        return self.source.operation


def search_space(source: Source, transports: Collection[str], media_types: Collection[str]) -> SearchSpace | None:
    """The search space of an operation; None if the filters leave no channel."""
    channels = tuple(
        one
        for one in source.channels
        if (not transports or one.transport in transports) and (not media_types or one.media_type in media_types)
    )
    if not channels:
        return None
    validator = load_validator(source.operation.folder / "request.schema.json")
    return SearchSpace(source, rules_of(source.operation), channels, validator)


Standing = Mapping[str, str]
"""Name that is watched to how it stands: open, cancelled or executed."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """The right answers; `after` is None where the documents leave open how things stand afterwards."""

    expect: Expectation
    after: Standing | None


@dataclass(frozen=True, slots=True)
class PossibleAnswer:
    """One right answer, and how things stand when it was given."""

    wanted: Mapping[str, Any]
    after: Standing
    because: tuple[str, ...] = ()
    """The rulings that allow it beside others."""


def prediction(requirement: str, answers: tuple[PossibleAnswer, ...], effect: str, outside: str) -> Predicted:
    """The answers as an expectation: what stands cancelled must be so, everything else as it was."""
    alternatives = tuple(
        Alternative(
            one.wanted,
            tuple(name for name, state in one.after.items() if state == CANCELLED),
            tuple(name for name, state in one.after.items() if state != CANCELLED),
            because=one.because or (requirement,),
        )
        for one in answers
    )
    ends = [dict(one.after) for one in answers]
    after = ends[0] if all(end == ends[0] for end in ends) else None
    return Predicted(Expectation(requirement, alternatives, effect, outside), after)
