"""Metamorphic relations of a call whose request is an object: the same request said in two ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.cases import expect, make
from conformance.cases import message as render
from conformance.cases.expect import Ruling
from conformance.cases.make import Channel, channels
from conformance.formats.json.format import JSON, json_text
from conformance.formats.json.write import JsonStyle
from conformance.model.case import Body, Case, Expectation, Message, Twin
from conformance.model.spec import Operation

SPACED = JsonStyle(indent="\t", newline="\r\n", key_separator=" : ")
REVERSED = JsonStyle(key_order="reversed")


def object_relation_cases(operation: Operation) -> Iterator[Case]:
    """HTTP with WebSocket, key order, white space, escapes, and what the role that may touch every account may as well."""
    assert isinstance(operation.valid, Mapping)
    ways = tuple(channels(operation))
    names = operation.acted_on
    form = operation.attribution["malformed"]
    for kind, value, role, right in _object_requests(operation, names):
        for channel in ways:
            sent = make.message(operation, channel, render.body(operation, channel, value))
            for other in ways:
                if other.transport.framed and not channel.transport.framed and channel.format is other.format:
                    message = make.message(operation, other, render.body(operation, other, value))
                    twin = Twin(
                        "http-and-websocket",
                        operation.attribution["same-transport"],
                        other.transport,
                        other.media_type,
                        (message,),
                    )
                    yield relation_case(operation, channel, f"http-and-websocket-{kind}", sent, right, twin, role)
            for name, text in _other_texts(value) if channel.format is JSON else ():
                message = make.message(operation, channel, Body(text))
                if message == sent:  # one member has no other order
                    continue
                twin = Twin(name, form, channel.transport, channel.media_type, (message,))
                yield relation_case(operation, channel, f"{name}-{kind}", sent, right, twin, role)
            if kind == "done" and operation.elevated:
                twin = Twin(
                    "role-monotonicity",
                    operation.attribution["operator"],
                    channel.transport,
                    channel.media_type,
                    (sent,),
                    role=operation.elevated,
                )
                yield relation_case(operation, channel, "role-monotonicity", sent, right, twin, role)


def _other_texts(value: Any) -> Iterator[tuple[str, str]]:
    """What JSON lets a writer choose."""
    yield "key-order", json_text(value, REVERSED)
    yield "white-space", json_text(value, SPACED)
    if value:
        yield "escapes", _first_key_escaped(json_text(value))


def _first_key_escaped(text: str) -> str:
    """The first letter of the first key written as an escape."""
    return f"{text[:2]}\\u{ord(text[2]):04x}{text[3:]}"


def _object_requests(
    operation: Operation, names: tuple[str, ...]
) -> Iterator[tuple[str, Any, str | None, Expectation]]:
    """A request that is done, one that is incomplete, one without permission, one that names nothing.

    The second takes a member that is required, the third a role that is refused: without these, it is left out.
    """
    assert isinstance(operation.valid, Mapping)
    form, required = operation.attribution["malformed"], make.required_member(operation)
    yield "done", operation.valid, None, expect.done(operation, form, names)
    if required is not None:
        incomplete = {name: value for name, value in operation.valid.items() if name != required}
        yield "incomplete", incomplete, None, expect.refused(operation, form, names, (100,))
    for role in operation.roles_refused[-1:]:
        right = expect.refused(operation, form, names, (20, 104), (Ruling.HIDDEN_PLACE,))
        yield "no-permission", operation.valid, role, right
    naming = make.naming_member(operation)
    if naming is not None:
        yield (
            "unknown",
            {**operation.valid, naming: operation.fields[naming].unknown},
            operation.elevated or None,
            expect.refused(operation, form, names, (20, 100, 104), (Ruling.CODE_OF_UNKNOWN,)),
        )


def relation_case(
    operation: Operation,
    channel: Channel,
    name: str,
    sent: Message,
    right: Expectation,
    twin: Twin,
    role: str | None = None,
    **more: Any,
) -> Case:
    """A case that is answered like its twin."""
    title = f"Answered alike: {twin.relation.replace('-', ' ')}"
    return make.case(
        operation, channel, f"relations/{name}", title, (twin.requirement,), sent, right, role=role, twin=twin, **more
    )  # fmt: skip
