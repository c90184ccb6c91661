"""The corpus of an operation with what its cases are made of, and how one of its values becomes a message."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from math import gcd
from typing import Any

from conformance.cases import make, message
from conformance.cases.generated.corpus import (
    DEFAULT_SEED,
    CorpusValue,
    cache_file,
    carried_file,
    content_address,
    read_values,
    write_values,
)
from conformance.cases.make import Channel, channels
from conformance.formats.base import Codec, Format, WireForm, Writing
from conformance.formats.registry import formats_for
from conformance.model.case import Body, Message
from conformance.model.spec import Contract, Operation, Shape

_FEW = 16
"""Longer lists are few, and would be a burden."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The corpus of one operation with everything that its cases are made of."""

    operation: Operation
    values: Sequence[CorpusValue]
    channels: tuple[Channel, ...]
    codecs: Mapping[Format, Codec]
    """By format: what writes the request."""
    seed: int = 0
    step: int = 7
    """Coprime to the numbers of forms and channels, so that neighbours differ in all of them."""
    written: dict[tuple[int, Format], Writing] = field(default_factory=dict)
    """Short values as they were written before, by place and format."""

    @property
    def size(self) -> int:
        """How many different cases there are."""
        forms = sum(len(one.format.forms) for one in self.channels)
        return len(self.values) * forms

    def writing(self, number: int, channel: Channel) -> Writing:
        """The value of a case's number, to be written for this channel."""
        place = number % len(self.values)
        key = (place, channel.format)
        found = self.written.get(key)
        if found is None:
            value = self.values[place].value
            found = writing_of(self, value, channel)
            if not isinstance(value, list) or len(value) <= _FEW:
                self.written[key] = found
        return found


def sources(contract: Contract, operations: Collection[str] | None, seed: int) -> tuple[Source, ...]:
    """The sources of the chosen operations, in the order of their ids."""
    chosen = [contract.operations[name] for name in sorted(contract.operations) if not operations or name in operations]
    return tuple(_source(operation, seed) for operation in chosen if operation.shape is not Shape.DATA)


def _source(operation: Operation, seed: int) -> Source:
    ways = tuple(channels(operation))
    codecs = {one: message.codec_of(operation, one) for one in formats_for(operation.media_types)}
    counts = (len(ways), *(len(one.forms) for one in codecs))
    step = next(step for step in count(7, 2) if all(gcd(step, number) == 1 for number in counts))
    return Source(operation, load_values(operation, seed), ways, codecs, seed, step)


def only_named(operation: Operation, channel: Channel, value: Any) -> Any:
    """Where the format has no words for others: only the members that the document names."""
    if not channel.format.only_named or not isinstance(value, (list, dict)):
        return value
    names = operation.fields
    items = [
        {key: part for key, part in item.items() if key in names} if isinstance(item, dict) else item
        for item in (value if isinstance(value, list) else [value])
    ]
    return items if isinstance(value, list) else items[0]


def writing_of(source: Source, value: Any, channel: Channel) -> Writing:
    """A value to be written for this channel."""
    return Writing(only_named(source.operation, channel, value), source.codecs[channel.format])


def accepted(channel: Channel, form: WireForm, turn: int) -> str | None:
    """The one media type that an answer must have; None where the headers leave a choice, or the form a doubt."""
    strict = form.standing == "legal" and turn % len(HEADERS) < STRICT_HEADERS
    return channel.transport.accept(channel.media_type) if strict else None


def message_in(operation: Operation, channel: Channel, form: WireForm, turn: int, body: Body) -> Message:
    """The message with this body; `turn` chooses the way in which its headers are written."""
    if channel.transport.framed:
        return make.message(operation, channel, body)
    return Message(
        body, operation.method, operation.path, _headers(channel.media_type, form.charset, turn % len(HEADERS))
    )


HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("Content-Type", "{}"), ("Accept", "{answer}")),
    (("content-type", "{}"), ("accept", "{answer}")),
    (("Accept", "{answer}, */*;q=0.1"), ("Content-Type", "{}")),
    (("Content-Type", "{}"), ("Accept", "{answer};q=0.9"), ("X-Request-Id", "x")),
)
"""Ways to ask for an answer in one media type; `{}` is the content type, `{answer}` the media type asked for."""
STRICT_HEADERS = 2
"""The first so many of them leave a server no other media type."""


@lru_cache(maxsize=256)
def _headers(media_type: str, charset: str, way: int) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, text.replace("{}", media_type + charset).replace("{answer}", media_type)) for name, text in HEADERS[way]
    )


def load_values(operation: Operation, seed: int = DEFAULT_SEED) -> tuple[CorpusValue, ...]:
    """The values of an operation: carried along, cached, or generated now and cached."""
    address = content_address(operation, seed)
    for path in (carried_file(operation), cache_file(operation, seed)):
        if path.exists():
            found_address, values = read_values(path)
            if found_address == address:
                return values
    from conformance.cases.generated.generate import generate_values

    values = generate_values(operation, seed)
    path = cache_file(operation, seed)
    try:
        write_values(path, operation, seed, values)
    except OSError:
        return values  # a cache that cannot be written costs time, nothing else
    return values


def rebuild_corpus(operation: Operation) -> int:
    """Generate the carried corpus of an operation anew; how many values it has."""
    from conformance.cases.generated.generate import generate_values

    values = generate_values(operation, DEFAULT_SEED)
    write_values(carried_file(operation), operation, DEFAULT_SEED, values)
    return len(values)
