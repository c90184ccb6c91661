"""In which form a value goes out: channel, wire form and headers, from the ones that every reader must take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from conformance.cases import make
from conformance.cases.corpus.forms import HEADERS, JSON_FORMS, XML_FORMS, Text, WireForm
from conformance.cases.corpus.source import accepted, message_in, text_in
from conformance.cases.make import FRAME, Channel
from conformance.cases.trials.rules import Ground
from conformance.model.case import Message

_LEGAL = {
    "json": tuple(form for form in JSON_FORMS if form.standing == "legal"),
    "xml": tuple(form for form in XML_FORMS if form.standing == "legal"),
}


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
        return _LEGAL[self.channel.form][self.form]


def random_wire(ground: Ground, random: Random) -> Wire:
    """Any channel, any form; the simplest form more often, since it can say every value."""
    channel = random.choice(ground.channels)
    forms = _LEGAL[channel.form]
    form = 0 if random.random() < 0.3 else random.randrange(len(forms))
    return Wire(channel, form, random.randrange(len(HEADERS)))


def simpler_wires(wire: Wire) -> Iterator[Wire]:
    """The same channel in its plainest form and headers."""
    if wire.form:
        yield replace(wire, form=0)
    if wire.headers:
        yield replace(wire, headers=0)


def written(ground: Ground, wire: Wire, value: Any) -> Message | None:
    """The message with this value; None when the form cannot say it."""
    body = wire.legal.write(text_in(ground.source, value, wire.channel))
    return None if body is None else message_in(ground.operation, wire.channel, wire.legal, wire.headers, body)


def other_call(ground: Ground, channel: Channel, call: str, value: Any) -> Message:
    """A message to another call of the same service, at the place where the operation's own call stands."""
    operation = ground.operation
    body = JSON_FORMS[0].write(Text(value))
    assert body is not None
    if channel.transport == "ws":
        return make.message(operation, channel, body, frame=FRAME.replace("CALL", call))
    return make.message(operation, channel, body, path=operation.path.replace(operation.call, call))
