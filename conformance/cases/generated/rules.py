"""What an operation's file says to an exploring run: its model, its things, and the requirement of each departure.

Also what a model predicts for one message: every right answer with its effect, and the states after it.

A trial: structured choices that become a case, and the smaller choices that may still break the same requirement; and
the form in which a value goes out: channel, wire form and headers, from the ones that every reader must take.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import field, replace
from functools import lru_cache
from random import Random
from typing import Any, Protocol

from conformance.cases import make
from conformance.cases.generated.source import HEADERS, Source, accepted, message_in, writing_of
from conformance.cases.kinds import first_of, renamed
from conformance.cases.make import FRAME, Channel
from conformance.contract.schemas import SchemaValidator, load_validator
from conformance.formats.base import WireForm, Writing
from conformance.model.case import Alternative, Case, Expectation, Lane, Message
from conformance.model.spec import Deviation, ExploredThing, Operation
from conformance.values import value_class

OPEN, CANCELLED, EXECUTED = "open", "cancelled", "executed"
FAMILY = "found"
THING = "order"
"""What an instruction of a model acts on is called, whatever its operation calls it."""


@value_class(frozen=True, slots=True)
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


@value_class(frozen=True, slots=True)
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
    quoting: tuple[str, ...] = ()
    """The accounts in which quotes stand."""
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
        explored.quoting or tuple(name for names in explored.accounts.values() for name in names),
        explored.cancel,
    )


def _kind(operation: Operation, one: ExploredThing) -> StateKind:
    seen = operation if one.base == "base" else operation.with_base(one.base)
    thing = next(iter(seen.states), THING)
    item = {member: renamed(value, thing, THING) for member, value in first_of(operation, seen.valid).items()}
    return StateKind(one.state, one.stands, item, one.secret, one.wrong, one.without)


@value_class(frozen=True, slots=True)
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


@value_class(frozen=True, slots=True)
class Predicted:
    """The right answers; `after` is None where the documents leave open how things stand afterwards."""

    expect: Expectation
    after: Standing | None


@value_class(frozen=True, slots=True)
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


class Trial(Protocol):
    """What is tried once; frozen, so that the smaller ones can be made of it."""

    @property
    def space(self) -> SearchSpace:
        """The operation that is tried."""
        ...

    def case(self) -> Case | None:
        """The case to send; None if the choices cannot be written, or no model can predict the answer."""
        ...

    def simpler(self) -> Iterator[Trial]:
        """Trials with less in them, the greatest steps first."""
        ...

    def larger(self) -> Trial | None:
        """A trial with more orders, for a fault that only some ids show; None if there is none."""
        ...


def trial_id(space: SearchSpace, channel: Channel, name: str = "trial") -> str:
    """The id of a case of an exploring run: `tpp/found/<name>@application-json`."""
    return f"{space.operation.short}/{FAMILY}/{name}@{make.suffix(space.operation, channel)}"


def lane_of(space: SearchSpace) -> Lane:
    """Instructions name only their own orders; calls on accounts need a desk."""
    return make.lane_of(space.operation.shape)


@lru_cache(maxsize=64)
def legal_forms(channel: Channel) -> tuple[WireForm, ...]:
    """The forms of the channel's format that every reader must take."""
    return tuple(form for form in channel.format.forms if form.standing == "legal")


@value_class(frozen=True, slots=True)
class Wire:
    """A channel, the place of a legal form among those of its format, and of a way to write the headers."""

    channel: Channel
    form: int = 0
    headers: int = 0

    @property
    def accept(self) -> str | None:
        """The media type that the answer must have; None where the headers leave a choice."""
        return accepted(self.channel, self.legal, self.headers)

    @property
    def legal(self) -> WireForm:
        """The form that is meant."""
        return legal_forms(self.channel)[self.form]


def random_wire(space: SearchSpace, random: Random) -> Wire:
    """Any channel, any form; the simplest form more often, since it can say every value."""
    channel = random.choice(space.channels)
    forms = legal_forms(channel)
    form = 0 if random.random() < 0.3 else random.randrange(len(forms))
    return Wire(channel, form, random.randrange(len(HEADERS)))


def simpler_wires(wire: Wire) -> Iterator[Wire]:
    """The same channel in its plainest form and headers."""
    if wire.form:
        yield replace(wire, form=0)
    if wire.headers:
        yield replace(wire, headers=0)


def written(space: SearchSpace, wire: Wire, value: Any) -> Message | None:
    """The message with this value; None when the form cannot say it."""
    body = wire.legal.write(writing_of(space.source, value, wire.channel))
    return None if body is None else message_in(space.operation, wire.channel, wire.legal, wire.headers, body)


def other_call(space: SearchSpace, channel: Channel, call: str, value: Any) -> Message:
    """A message to another call of the same service, at the place where the operation's own call stands."""
    operation = space.operation
    body = channel.format.forms[0].write(Writing(value, space.source.codecs[channel.format]))
    assert body is not None
    if channel.transport.framed:
        return make.message(operation, channel, body, frame=FRAME.replace("CALL", call))
    return make.message(operation, channel, body, path=operation.path.replace(operation.call, call))
