"""Puts a case together: its id, its message over a transport, its expectation for the kind of answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.cases.expect import Ruling
from conformance.cases.paths import legal_path
from conformance.formats.base import Format
from conformance.formats.registry import format_for
from conformance.model.case import Alternative, Body, Case, Expectation, Lane, Message, StateNeed, Transport, media_slug
from conformance.model.spec import Operation, Shape

FRAME = '{"m":0,"i":${i},"n":"CALL","o":${o}}'


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach an operation: a transport with a media type."""

    transport: Transport
    media_type: str

    @property
    def format(self) -> Format:
        """How a body is written here."""
        return format_for(self.media_type)


def channels(operation: Operation) -> Iterator[Channel]:
    """Every transport with every media type of the operation that it carries."""
    for transport in operation.transports:
        for media_type in operation.media_types:
            if transport.carries(media_type):
                yield Channel(transport, media_type)


def suffix(operation: Operation, channel: Channel) -> str:
    """What follows the `@` of a case id: the transport and the media type, each where there is a choice."""
    parts: list[str] = []
    if len(operation.transports) > 1 or len(operation.media_types) == 1:
        parts.append(channel.transport)
    if len(operation.media_types) > 1:
        parts.append(media_slug(channel.media_type))
    return "-".join(parts)


def message(
    operation: Operation,
    channel: Channel,
    body: Body,
    *,
    headers: tuple[tuple[str, str], ...] | None = None,
    method: str | None = None,
    path: str | None = None,
    frame: str | None = None,
) -> Message:
    """The operation's message with this body; over HTTP it asks for the answer in the same media type.

    Arguments in the path are those of the legal request, unless another path is given.
    """
    if channel.transport.framed:
        return Message(body, frame=(FRAME if frame is None else frame).replace("CALL", operation.call))
    if headers is None:
        headers = headers_of(channel, "; charset=utf-16" if body.encoding.startswith("utf-16") else "")
    return Message(body, method or operation.method, path or legal_path(operation), headers)


def headers_of(channel: Channel, charset: str = "") -> tuple[tuple[str, str], ...]:
    """The content type, with what is put behind it, and the same media type for the answer."""
    return (("Content-Type", channel.media_type + charset), ("Accept", channel.media_type))


def case(
    operation: Operation,
    channel: Channel,
    name: str,
    title: str,
    requirements: Iterable[str],
    sent: Message,
    expect: Expectation,
    **more: Any,
) -> Case:
    """A named case; `more` are other members of a `Case`, and one that is None is as if it were not given.

    Role and states are those of the operation unless given; the lane is the one that its states need. Readings that the
    operation's documents do not leave open are taken out of the expectation, and so is what no server can answer.
    """
    given = {name: value for name, value in more.items() if value not in (None, "")}
    members: dict[str, Any] = {"role": operation.role, "states": operation.states, **given}
    members.setdefault("lane", _lane_at(operation, members["states"]))
    return Case(
        id=f"{operation.short}/{name}@{suffix(operation, channel)}",
        operation=operation.id,
        title=title,
        requirements=tuple(dict.fromkeys([*requirements, expect.requirement])),
        transport=channel.transport,
        media_type=channel.media_type,
        message=sent,
        expect=_of_open_questions(operation, possible(operation, expect)),
        **members,
    )


def required_member(operation: Operation) -> str | None:
    """The first member of the base request that must be there; None where there is none."""
    return next((name for name, one in operation.fields.items() if one.required and name in operation.valid), None)


def naming_member(operation: Operation) -> str | None:
    """The first member that names something, one that is required before others; None where none does."""
    named = [name for name, one in operation.fields.items() if one.unknown and name in operation.valid]
    return next((name for name in named if operation.fields[name].required), next(iter(named), None))


def lane_of(shape: Shape) -> Lane:
    """Instructions name nothing but their own things; a call on accounts may touch what others watch."""
    return "shared" if shape.instructs else "desk"


def possible(operation: Operation, expect: Expectation) -> Expectation:
    """The expectation without the answers that no server can give: where one result answers, it cannot be left out.

    A service that drops an instruction from a list has nothing to answer where there is no other, and refuses the call:
    a refusal does not tell which of the two it does.
    """
    if not operation.shape.instructs or operation.shape.listed:
        return expect
    dropped = [reading for one in expect.any_of if one.wanted.get("results") == [] for reading in one.readings]
    kept = (one for one in expect.any_of if one.wanted.get("results") != [])
    return replace(expect, any_of=tuple(_or_dropped(one, dropped) for one in kept))


def _or_dropped(one: Alternative, dropped: Sequence[str]) -> Alternative:
    """The alternative; if it is a refusal, its readings show these as well."""
    if one.wanted.get("form") != "refused":
        return one
    also = dict(reading.split("=", 1) for reading in dropped)
    names = (reading.partition("=")[0] for reading in one.readings)
    told = (f"{one}|{also[name]}" if name in also else one for name, one in zip(names, one.readings, strict=True))
    return replace(one, readings=tuple(told))


def _lane_at(operation: Operation, states: Mapping[str, StateNeed]) -> Lane:
    """The lane of cases with these states; in the account of a role, which no desk has to itself, others may act meanwhile."""
    lane = lane_of(operation.shape)
    of_roles = {f"${{{role}.account}}" for role in (*operation.roles_allowed, *operation.roles_refused)}
    at_desk = of_roles.isdisjoint(str(need.params.get("account", "")) for need in states.values())
    return lane if lane == "shared" or at_desk else "alone"


def _of_open_questions(operation: Operation, expect: Expectation) -> Expectation:
    """The expectation without readings that the operation does not have; a ruling keeps their answers right."""
    if all(_is_open(operation, name) for one in expect.any_of for name in one.readings):
        return expect
    return replace(expect, any_of=tuple(_unlisted(operation, one) for one in expect.any_of))


def _unlisted(operation: Operation, one: Alternative) -> Alternative:
    kept = tuple(name for name in one.readings if _is_open(operation, name))
    lost = len(kept) < len(one.readings)
    return replace(one, readings=kept, because=(*one.because, Ruling.UNLISTED_READING)) if lost else one


def _is_open(operation: Operation, reading: str) -> bool:
    return reading.partition("=")[0] in operation.readings
