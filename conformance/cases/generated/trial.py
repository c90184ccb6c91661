"""A trial: structured choices that become a case, and the smaller choices that may still break the same requirement.

In which form a value goes out: channel, wire form and headers, from the ones that every reader must take.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Any, Protocol

from conformance.cases import make
from conformance.cases.generated.rules import SearchSpace
from conformance.cases.generated.source import HEADERS, accepted, message_in, writing_of
from conformance.cases.make import FRAME, Channel
from conformance.formats.base import WireForm, Writing
from conformance.model.case import Case, Lane, Message

FAMILY = "found"


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
    """Lists name only their own orders; calls on accounts need a desk."""
    return make.lane_of(space.operation.shape)


@lru_cache(maxsize=64)
def legal_forms(channel: Channel) -> tuple[WireForm, ...]:
    """The forms of the channel's format that every reader must take."""
    return tuple(form for form in channel.format.forms if form.standing == "legal")


@dataclass(frozen=True, slots=True)
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
