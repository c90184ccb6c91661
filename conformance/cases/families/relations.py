"""Metamorphic relations: the same request said in two ways, over the kinds of answer that a call can give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.cases import expect, make, render
from conformance.cases.make import Channel, channels
from conformance.codec.json_writer import JsonStyle
from conformance.codec.xml_codec import XmlStyle
from conformance.codec.xml_lexical import LexicalStyle
from conformance.model.case import Alternative, Body, Case, Expectation, Message, StateNeed, Twin
from conformance.model.spec import Operation

_SPACED = JsonStyle(indent="\t", newline="\r\n", key_separator=" : ")
_REVERSED = JsonStyle(key_order="reversed")


def object_relation_cases(operation: Operation) -> Iterator[Case]:
    """HTTP with WebSocket, key order, white space, escapes, and what the operator may as well."""
    assert isinstance(operation.valid, Mapping)
    ways = tuple(channels(operation))
    names = make.state_names(make.states_of(operation.raw["states"]))
    form = operation.attribution["malformed"]
    for kind, value, role, right in _object_requests(operation, names):
        for channel in ways:
            sent = make.message(operation, channel, Body(render.json_text(value)))
            for other in ways:
                if channel.transport == "http" and other.transport == "ws":
                    message = make.message(operation, other, Body(render.json_text(value)))
                    twin = Twin("http-and-websocket", operation.attribution["same-transport"], other.transport, other.media_type, (message,))
                    yield _relation(operation, channel, f"http-and-websocket-{kind}", sent, right, twin, role)
            for name, text in (
                ("key-order", render.json_text(value, _REVERSED)),
                ("white-space", render.json_text(value, _SPACED)),
                ("escapes", _first_key_escaped(render.json_text(value))),
            ):
                message = make.message(operation, channel, Body(text))
                if message == sent:  # one member has no other order
                    continue
                twin = Twin(name, form, channel.transport, channel.media_type, (message,))
                yield _relation(operation, channel, f"{name}-{kind}", sent, right, twin, role)
            if kind == "done":
                twin = Twin("role-monotonicity", operation.attribution["operator"], channel.transport, channel.media_type, (sent,), role="operator")
                yield _relation(operation, channel, "role-monotonicity", sent, right, twin, role)


def _first_key_escaped(text: str) -> str:
    """The first letter of the first key written as an escape."""
    return f'{text[:2]}\\u{ord(text[2]):04x}{text[3:]}'


def _object_requests(operation: Operation, names: tuple[str, ...]) -> Iterator[tuple[str, Any, str | None, Expectation]]:
    """A request that is done, one that is incomplete, one without permission, one that names nothing."""
    assert isinstance(operation.valid, Mapping)
    required = next(name for name, field in operation.raw["fields"].items() if field["required"])
    unknown = operation.raw["fields"][required]["unknown"]
    form = operation.attribution["malformed"]
    yield "done", operation.valid, None, expect.done(operation, form, names)
    incomplete = {name: value for name, value in operation.valid.items() if name != required}
    yield "incomplete", incomplete, None, expect.refused(operation, form, names, (100,))
    yield "no-permission", operation.valid, operation.roles_refused[-1], expect.refused(operation, form, names, (20, 104))
    yield "unknown", {**operation.valid, required: unknown}, "operator", expect.refused(operation, form, names, (20, 100, 104))


def _relation(
    operation: Operation, channel: Channel, name: str, sent: Message, right: Expectation, twin: Twin, role: str | None = None, **more: Any
) -> Case:
    title = f"Answered alike: {twin.relation.replace('-', ' ')}"
    return make.case(
        operation, channel, f"relations/{name}", title, (twin.requirement,), sent, right, role=role, twin=twin, **more
    )  # fmt: skip


_STATES = {"order": StateNeed("open-order"), "abroad": StateNeed("open-international-order"), "gone": StateNeed("cancelled-order")}
_DOMESTIC = {"OrderID": "${order.OrderID}", "CreatorID": "${creator}", "PIN": "${pin}", "IsInternationalOrder": False, "InternationalOrderUID": None}
_ABROAD = {**_DOMESTIC, "OrderID": None, "IsInternationalOrder": True, "InternationalOrderUID": "${abroad.InternationalOrderUID}"}
_GONE = {**_DOMESTIC, "OrderID": "${gone.OrderID}"}
_UNKNOWN = {**_DOMESTIC, "OrderID": "${unknown_order}"}
_INCOMPLETE = {**_DOMESTIC, "OrderID": None}


def list_relation_cases(operation: Operation) -> Iterator[Case]:
    """Formats, media types, charset, order of members and of instructions, lists split, forms of nulls and ids."""
    ways = tuple(channels(operation))
    for kind, value, right in _list_requests(operation):
        for channel in ways:
            sent = make.message(operation, channel, render.body(operation, channel, value))
            for twin in _list_twins(operation, channel, ways, value):
                name = f"{twin.relation}-{kind}"
                yield _relation(operation, channel, name, sent, right, twin, states=_STATES, accept=channel.media_type)


def _list_requests(operation: Operation) -> Iterator[tuple[str, list[Any], Expectation]]:
    requirement = operation.attribution["formats-agree"]
    effect = operation.attribution["effect"]

    def right(*alternatives: Alternative) -> Expectation:
        return Expectation(requirement, alternatives, effect=effect)

    failed = Alternative({"results": [False]}, untouched=("order", "abroad"))
    refused = Alternative({"form": "refused"}, untouched=("order", "abroad"))
    yield "done", [_DOMESTIC], right(Alternative({"results": [True]}, ("order",), ("abroad",)))
    yield "done-abroad", [_ABROAD], right(Alternative({"results": [True]}, ("abroad",), ("order",)))
    yield "not-active", [_GONE], right(failed)
    yield "unknown", [_UNKNOWN], right(failed, refused)
    yield "incomplete", [_INCOMPLETE], right(failed, refused)
    yield "three", [_DOMESTIC, _ABROAD, _GONE], right(Alternative({"results": [True, True, False]}, ("order", "abroad")))


def _list_twins(operation: Operation, channel: Channel, ways: tuple[Channel, ...], value: list[Any]) -> Iterator[Twin]:
    agree = operation.attribution["formats-agree"]

    def twin(name: str, other: Channel, *bodies: Body, requirement: str = agree, order: tuple[int, ...] = (), **how: Any) -> Twin:
        messages = tuple(make.message(operation, other, body, **how) for body in bodies)
        return Twin(name, requirement, other.transport, other.media_type, messages, accept=other.media_type, order=order)

    by_type = {way.media_type: way for way in ways}
    if channel.media_type == "application/json":
        yield twin("json-and-xml", by_type["application/xml"], render.body(operation, by_type["application/xml"], value))
        yield twin("key-order", channel, Body(render.json_text(value, _REVERSED)), requirement=operation.attribution["malformed"])
        yield twin("white-space", channel, Body(render.json_text(value, _SPACED)), requirement=operation.attribution["malformed"])
    if channel.media_type.startswith("application/"):
        text = by_type[channel.media_type.replace("application/", "text/")]
        yield twin("application-and-text", text, render.body(operation, text, value), requirement=operation.raw["request_media"][text.media_type])
    if channel.media_type == "application/xml":
        contract = render.xml_contract(operation)
        for name, style, requirement in (
            ("prefix", XmlStyle(prefix="q", nil_prefix="n"), "TPP-REQ-XML-NS"),
            ("comments-and-indentation", XmlStyle(indent="  ", comment=" x ", declaration=True), "TPP-REQ-XML-ITEM"),
            ("nil-or-left-out", XmlStyle(nulls="absent"), "TPP-REQ-XML-NIL"),
            ("cdata", XmlStyle(lexical=LexicalStyle(text="cdata")), "TPP-REQ-PIN-TYPE"),
        ):
            text_of = contract.encode(value, style).decode("utf-8")
            yield twin(name, channel, Body(text_of), requirement=requirement)
    crossed = (("Content-Type", channel.media_type), ("Accept", f"{channel.media_type};q=0.9, image/png"))
    yield twin("accept-with-weights", channel, render.body(operation, channel, value), headers=crossed, requirement=operation.attribution["media-type"])
    charset = (("Content-Type", f"{channel.media_type}; charset=utf-8"), ("Accept", channel.media_type))
    yield twin("charset-named", channel, render.body(operation, channel, value), headers=charset, requirement=operation.raw["request_media"][channel.media_type])
    if len(value) > 1:
        backwards = render.body(operation, channel, list(reversed(value)))
        places = tuple(reversed(range(len(value))))
        yield twin("instructions-permuted", channel, backwards, requirement=operation.attribution["multiple"], order=places)
        apart = [render.body(operation, channel, [item]) for item in value]
        yield twin("list-split", channel, *apart, requirement=operation.attribution["multiple"])

