"""The corpus of an operation with what its cases are made of, and how one of its values becomes a message."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
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
from conformance.cases.generated.forms import HEADERS, JSON_FORMS, STRICT_HEADERS, XML_FORMS, Text, WireForm
from conformance.cases.make import Channel, channels
from conformance.formats.xml.contract import XmlContract
from conformance.model.case import Body, Message
from conformance.model.spec import Contract, Operation

_FEW = 16
"""Longer lists are few, and would be a burden."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The corpus of one operation with everything that its cases are made of."""

    operation: Operation
    values: Sequence[CorpusValue]
    channels: tuple[Channel, ...]
    contract: XmlContract | None
    seed: int = 0
    texts: dict[tuple[int, str], Text] = field(default_factory=dict)
    """Short values as they were written before, by place and format."""

    @property
    def size(self) -> int:
        """How many different cases there are."""
        forms = sum(len(XML_FORMS if one.form == "xml" else JSON_FORMS) for one in self.channels)
        return len(self.values) * forms

    def text(self, number: int, channel: Channel) -> Text:
        """The value of a case's number, to be written for this channel."""
        place = number % len(self.values)
        key = (place, channel.form)
        found = self.texts.get(key)
        if found is None:
            value = self.values[place].value
            found = text_in(self, value, channel)
            if not isinstance(value, list) or len(value) <= _FEW:
                self.texts[key] = found
        return found


def sources(contract: Contract, operations: Collection[str] | None, seed: int) -> tuple[Source, ...]:
    """The sources of the chosen operations, in the order of their ids."""
    chosen = [contract.operations[name] for name in sorted(contract.operations) if not operations or name in operations]
    return tuple(
        Source(
            operation,
            load_values(operation, seed),
            tuple(channels(operation)),
            message.xml_contract(operation) if operation.xsd else None,
            seed,
        )
        for operation in chosen
    )


def only_named(operation: Operation, channel: Channel, value: Any) -> Any:
    """For XML: only the members that the document names, for an element can have no other name."""
    if channel.form != "xml" or not isinstance(value, list):
        return value
    names = operation.fields
    return [
        {key: part for key, part in item.items() if key in names} if isinstance(item, dict) else item for item in value
    ]


def text_in(source: Source, value: Any, channel: Channel) -> Text:
    """A value to be written for this channel."""
    return Text(only_named(source.operation, channel, value), source.contract if channel.form == "xml" else None)


def accepted(channel: Channel, form: WireForm, turn: int) -> str | None:
    """The one media type that an answer must have; None where the headers leave a choice, or the form a doubt."""
    strict = channel.transport == "http" and form.standing == "legal" and turn % len(HEADERS) < STRICT_HEADERS
    return channel.media_type if strict else None


def message_in(operation: Operation, channel: Channel, form: WireForm, turn: int, body: Body) -> Message:
    """The message with this body; `turn` chooses the way in which its headers are written."""
    if channel.transport == "ws":
        return make.message(operation, channel, body)
    return Message(
        body, operation.method, operation.path, _headers(channel.media_type, form.charset, turn % len(HEADERS))
    )


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
