"""Metamorphic relations of a call that takes instructions: the same ones said in two ways, or in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.cases import make, message
from conformance.cases.expect import Ruling
from conformance.cases.families.object.relations import REVERSED, SPACED, relation_case
from conformance.cases.kinds import (
    GONE,
    InstructionKind,
    first_kind,
    gone_state,
    members_of_type,
    naming_member,
    second_kind,
    unknown_place,
)
from conformance.cases.make import Channel, channels
from conformance.formats.base import Format
from conformance.formats.json.format import JSON, json_text
from conformance.formats.xml.contract import XmlStyle
from conformance.formats.xml.format import XML
from conformance.formats.xml.write import LexicalStyle
from conformance.model.case import Alternative, Body, Case, Expectation, StateNeed, Twin
from conformance.model.spec import Operation


@dataclass(frozen=True, slots=True)
class Scene:
    """The kinds of instruction, and everything that is set up side by side for them."""

    first: InstructionKind
    second: InstructionKind | None
    gone: Mapping[str, StateNeed]

    @property
    def states(self) -> dict[str, StateNeed]:
        """One thing of each kind, and one on which the call can no longer act."""
        second = {} if self.second is None else {self.second.alias: self.second.need}
        return {self.first.thing: self.first.need, **second, **self.gone}

    @property
    def gone_too(self) -> dict[str, StateNeed]:
        """A second thing on which the call can no longer act."""
        return dict(zip((_GONE_TOO,), self.gone.values(), strict=False))

    @property
    def things(self) -> tuple[str, ...]:
        """The names of what the call can act on."""
        return (self.first.thing,) if self.second is None else (self.first.thing, self.second.alias)


def list_relation_cases(operation: Operation) -> Iterator[Case]:
    """Formats, media types, charset, order of members and of instructions, lists split, forms of nulls and ids."""
    ways = tuple(channels(operation))
    scene = Scene(first_kind(operation), second_kind(operation), gone_state(operation))
    for kind, items, right in _list_requests(operation, scene):
        if len(items) > 1 and not operation.shape.listed:
            continue
        value = operation.shape.request(items)
        states = {**scene.states, **scene.gone_too} if kind == _BOTH_FAIL else scene.states
        for channel in ways:
            sent = make.message(operation, channel, message.body(operation, channel, value))
            for twin in _list_twins(operation, channel, ways, value):
                name = f"{twin.relation}-{kind}"
                yield relation_case(
                    operation, channel, name, sent, right, twin, states=states, accept=channel.media_type
                )


def _list_requests(operation: Operation, scene: Scene) -> Iterator[tuple[str, list[Any], Expectation]]:
    """Lists that are done, that fail, and one that is done in part; the last also has a thing of every kind."""
    requirement = operation.attribution.get("formats-agree", operation.attribution["malformed"])
    effect = operation.attribution["effect"]
    first, second, things = scene.first, scene.second, scene.things

    def right(*alternatives: Alternative) -> Expectation:
        return Expectation(requirement, alternatives, effect=effect)

    named = naming_member(first, operation)
    because = (Ruling.LIST_OR_ITEM,)
    failed = Alternative({"results": [False]}, untouched=things, because=because)
    refused = Alternative({"form": "refused"}, untouched=things, because=because)
    three, results = [first.item], [True]
    yield "done", [first.item], right(Alternative({"results": [True]}, (first.thing,), things[1:]))
    if second is not None:
        abroad = second.named(second.alias)
        three, results = [*three, abroad], [*results, True]
        yield f"done-{second.alias}", [abroad], right(Alternative({"results": [True]}, (second.alias,), things[:1]))
    if scene.gone:
        gone = first.named(GONE)
        three, results = [*three, gone], [*results, False]
        yield "not-active", [gone], right(failed)
        both = Alternative({"results": [False, False]}, untouched=things, because=because)
        yield _BOTH_FAIL, [gone, first.named(_GONE_TOO)], right(both)
    yield "unknown", [{**first.item, named: unknown_place(operation.fields[named])}], right(failed, refused)
    if operation.fields[named].nullable:
        yield "incomplete", [{**first.item, named: None}], right(failed, refused)
    if len(three) > 1:
        yield _COUNTED.get(len(three), "several"), three, right(Alternative({"results": results}, things))


_COUNTED = {2: "two", 3: "three"}
_BOTH_FAIL, _GONE_TOO = "both-not-active", f"{GONE}2"


def _list_twins(operation: Operation, channel: Channel, ways: tuple[Channel, ...], value: Any) -> Iterator[Twin]:
    rules, request_media = operation.attribution, operation.request_media
    here = channel.format
    if channel == _usual(here, ways):
        if here is ways[0].format and "formats-agree" in rules:
            for other in dict.fromkeys(way.format for way in ways):
                if other is not here:
                    name = f"{here.name}-and-{other.name}"
                    yield _twin(operation, name, _usual(other, ways), rules["formats-agree"], value)
        for name, speaks, body in _REWRITTEN.get(here, _not_rewritten)(operation, value):
            yield _twin(operation, name, channel, speaks, body=body)
    text = next((way for way in ways if way.media_type == channel.media_type.replace("application/", "text/")), channel)
    if text != channel:
        yield _twin(operation, "application-and-text", text, request_media[text.media_type], value)
    crossed = (("Content-Type", channel.media_type), ("Accept", f"{channel.media_type};q=0.9, image/png"))
    yield _twin(operation, "accept-with-weights", channel, rules["media-type"], value, headers=crossed)
    charset = (("Content-Type", f"{channel.media_type}; charset=utf-8"), ("Accept", channel.media_type))
    yield _twin(operation, "charset-named", channel, request_media[channel.media_type], value, headers=charset)
    if operation.shape.listed and len(value) > 1 and "multiple" in rules:
        order = tuple(reversed(range(len(value))))
        backwards = list(reversed(value))
        yield _twin(operation, "instructions-permuted", channel, rules["multiple"], backwards, order=order)
        yield _twin(operation, "list-split", channel, rules["multiple"], *([item] for item in value))


def _usual(written_in: Format, ways: tuple[Channel, ...]) -> Channel:
    """The first channel of a format."""
    return next(way for way in ways if way.format is written_in)


_Rewritten = Iterator[tuple[str, str, Body]]


def _not_rewritten(_operation: Operation, _value: Any) -> _Rewritten:
    return iter(())


def _json_texts(operation: Operation, value: Any) -> _Rewritten:
    for name, style in (("key-order", REVERSED), ("white-space", SPACED)):
        yield name, operation.attribution["malformed"], Body(json_text(value, style))


def _xml_texts(operation: Operation, value: Any) -> _Rewritten:
    contract, rules = message.xml_contract(operation), operation.attribution
    styles: list[tuple[str, XmlStyle, str | None]] = [
        ("prefix", XmlStyle(prefix="q", nil_prefix="n"), rules.get("request-xml-namespace")),
        (
            "comments-and-indentation",
            XmlStyle(indent="  ", comment=" x ", declaration=True),
            rules.get("request-xml-item"),
        ),
        ("nil-or-left-out", XmlStyle(nulls="absent"), rules.get("request-xml-nil")),
    ]
    for member in members_of_type(operation, "string"):
        requirement = operation.fields[member].requirement.type
        styles.append(("cdata", XmlStyle(lexical=LexicalStyle(text="cdata")), requirement))
        break
    for name, style, speaks in styles:
        if speaks is not None:
            yield name, speaks, Body(contract.encode(value, style).decode("utf-8"))


_REWRITTEN: Mapping[Format, Callable[[Operation, Any], _Rewritten]] = {JSON: _json_texts, XML: _xml_texts}
"""What each format lets a writer choose: the name of the relation, the requirement that speaks for it, the body."""


def _twin(
    operation: Operation,
    name: str,
    channel: Channel,
    requirement: str,
    *values: Any,
    body: Body | None = None,
    order: tuple[int, ...] = (),
    headers: tuple[tuple[str, str], ...] | None = None,
) -> Twin:
    """The relation to these requests, or to this body, sent over the channel."""
    bodies = [message.body(operation, channel, value) for value in values] if body is None else [body]
    messages = tuple(make.message(operation, channel, one, headers=headers) for one in bodies)
    return Twin(
        name, requirement, channel.transport, channel.media_type, messages, accept=channel.media_type, order=order
    )
