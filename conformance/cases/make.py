"""Puts a case together: its id, its message over a transport, its expectation for the kind of answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.errors import SpecError
from conformance.model.case import Alternative, Body, Case, Expectation, Lane, Message, StateNeed, Transport, media_slug
from conformance.model.spec import Operation

_ANSWER_KEYS = {"code", "bid", "ask", "results", "form"}
_EFFECT_KEYS = {"cancelled", "untouched", "readings"}
FRAME = '{"m":0,"i":${i},"n":"CALL","o":${o}}'


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach an operation: a transport with a media type."""

    transport: Transport
    media_type: str

    @property
    def form(self) -> str:
        """`json` or `xml`: how a body is written here."""
        return "xml" if self.media_type.endswith("xml") else "json"


def channels(operation: Operation) -> Iterator[Channel]:
    """Every transport with every media type of the operation; frames carry JSON only."""
    for transport in operation.transports:
        for media_type in operation.media_types:
            if transport == "http" or media_type == "application/json":
                yield Channel("ws" if transport == "ws" else "http", media_type)


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
    """The operation's message with this body; over HTTP it asks for the answer in the same media type."""
    if channel.transport == "ws":
        return Message(body, frame=(FRAME if frame is None else frame).replace("CALL", operation.call))
    if headers is None:
        content_type = channel.media_type + ("; charset=utf-16" if body.encoding.startswith("utf-16") else "")
        headers = (("Content-Type", content_type), ("Accept", channel.media_type))
    return Message(body, method or operation.method, path or operation.path, headers)


def states_of(raw: Mapping[str, Any]) -> dict[str, StateNeed]:
    """States as an operation file or a scenario writes them."""
    return {
        name: StateNeed(str(need["state"]), {key: value for key, value in need.items() if key != "state"})
        for name, need in raw.items()
    }


def state_names(states: Mapping[str, StateNeed]) -> tuple[str, ...]:
    """The names under which effects are watched: a quote has two legs, everything else is one thing."""
    names: list[str] = []
    for name, need in states.items():
        names.extend((f"{name}.bid", f"{name}.ask") if need.state.endswith("-quote") else (name,))
    return tuple(names)


def case(
    operation: Operation,
    channel: Channel,
    name: str,
    title: str,
    requirements: Iterable[str],
    sent: Message,
    expect: Expectation,
    *,
    role: str | None = None,
    states: Mapping[str, StateNeed] | None = None,
    lane: Lane | None = None,
    as_written: bool = False,
    **more: Any,
) -> Case:
    """A named case; its lane follows from its states unless it says otherwise.

    Readings that the operation's documents do not leave open are taken out of the expectation, unless it is one that
    the contract's author has written.
    """
    needed = states_of(operation.raw.get("states", {})) if states is None else dict(states)
    named = tuple(dict.fromkeys([*requirements, expect.requirement]))
    return Case(
        id=f"{operation.short}/{name}@{suffix(operation, channel)}",
        operation=operation.id,
        title=title,
        requirements=named,
        role=role or str(operation.raw["role"]),
        transport=channel.transport,
        media_type=channel.media_type,
        message=sent,
        expect=expect if as_written else _of_open_questions(operation, expect),
        states=needed,
        lane=lane or ("desk" if operation.answer != "results" else "shared"),
        **more,
    )


def _of_open_questions(operation: Operation, expect: Expectation) -> Expectation:
    """The expectation without the readings that the operation's documents do not leave open; their answers stay right."""
    if all(_is_open(operation, name) for one in expect.any_of for name in one.readings):
        return expect
    kept = tuple(
        replace(one, readings=tuple(name for name in one.readings if _is_open(operation, name)))
        for one in expect.any_of
    )
    return replace(expect, any_of=kept)


def _is_open(operation: Operation, reading: str) -> bool:
    return reading.partition("=")[0] in operation.readings


def alternative(raw: Mapping[str, Any]) -> Alternative:
    """An alternative as a scenario writes it: answer keys, `cancelled`, `untouched`, `readings` side by side.

    Raises `SpecError` for an unknown key, which would let any answer pass.
    """
    unknown = sorted(set(raw) - _ANSWER_KEYS - _EFFECT_KEYS)
    if unknown:
        raise SpecError(
            f"an alternative has the unknown key {unknown[0]!r}",
            hint=f"Known: {', '.join(sorted(_ANSWER_KEYS | _EFFECT_KEYS))}.",
        )
    answer = {key: value for key, value in raw.items() if key in _ANSWER_KEYS}
    return Alternative(
        answer,
        tuple(raw.get("cancelled", ())),
        tuple(raw.get("untouched", ())),
        tuple(raw.get("readings", ())),
    )
