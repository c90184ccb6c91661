"""Expands the scenarios of an operation over its transports and media types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from conformance.cases import make, message
from conformance.cases.make import Channel, channels
from conformance.contract.load import read_scenarios
from conformance.errors import SpecError
from conformance.model.case import Beside, Body, Case, Expectation, Message
from conformance.model.scenario import Expected, Scenario
from conformance.model.spec import Operation


def scenario_cases(operation: Operation) -> Iterator[Case]:
    """The cases of `scenarios.yaml`; none where the operation has no such file."""
    for scenario in read_scenarios(operation):
        for channel in channels(operation):
            if channel.transport in (scenario.transports or operation.transports):
                try:
                    sent = _message(operation.with_base(scenario.base), channel, scenario)
                    if sent is not None:
                        yield _case(operation, channel, scenario, sent)
                except (LookupError, TypeError, AttributeError, ValueError) as error:
                    what = f"{scenario.name}: cannot be built: {type(error).__name__} {error}"
                    where, hint = operation.folder / "scenarios.yaml", "Its request has a form that cannot be written."
                    raise SpecError(what, where=str(where), hint=hint) from error


def _case(operation: Operation, channel: Channel, scenario: Scenario, sent: Message) -> Case:
    seen = operation.with_base(scenario.base)
    right = _expectation(scenario.expect, channel)
    made = make.case(
        operation,
        channel,
        scenario.name,
        scenario.title,
        (*scenario.requirements, *_added(operation, channel, scenario)),
        sent,
        right,
        role=scenario.role,
        states=seen.states if scenario.states is None else scenario.states,
        lane=scenario.lane,
        before=(sent,) * scenario.repeat,
        together=scenario.together,
        later=scenario.later,
        code=scenario.code,
        accept=channel.transport.accept(channel.media_type),
    )
    beside = tuple(
        Beside(
            _said(operation, channel, one.value),
            _expectation(one.expect, channel),
        )
        for one in scenario.beside
    )
    # with the readings that its author has written
    made = replace(made, expect=right, session=scenario.session, beside=beside, edition=scenario.edition)
    earlier = scenario.earlier
    if earlier is None:
        return made
    other = sent if earlier.value is ... else _said(operation, channel, earlier.value)
    return replace(made, before=(other,), before_role=earlier.role)


def _message(operation: Operation, channel: Channel, scenario: Scenario) -> Message | None:
    """The message of a scenario; None where the channel's format has no words for it."""
    if scenario.each is not ...:
        return make.message(operation, channel, repeated(operation, channel, scenario.each, scenario.count))
    value = operation.valid if scenario.value is ... else scenario.value
    found = message.request_of(operation, channel, value)
    if found is None and (operation.in_path or operation.in_query) and not channel.transport.framed:
        raise ValueError(f"neither the path {operation.path} nor a query can say it")
    return found


def _said(operation: Operation, channel: Channel, value: Any) -> Message:
    """The message with this request. Errors: ValueError where it cannot be written."""
    found = message.request_of(operation, channel, value)
    if found is None:
        raise ValueError("it has no form here")
    return found


def repeated(operation: Operation, channel: Channel, item: Mapping[str, Any], count: int) -> Body:
    """A list of that many items, `#` in a place standing for the index of its item."""
    return channel.format.repeated(message.codec_of(operation, channel.format), item, count)


def _added(operation: Operation, channel: Channel, scenario: Scenario) -> list[str]:
    name = channel.format.name
    added = [one for way, names in scenario.add.items() if way in (channel.transport, name) for one in names]
    if scenario.add_media:
        added.append(operation.request_media[channel.media_type])
        added.append(operation.response_media[channel.media_type])
        rules = operation.attribution.items()
        added.extend(rule for part in (f"request-{name}-", f"{name}-") for key, rule in rules if key.startswith(part))
    return added


def _expectation(expected: Expected, channel: Channel) -> Expectation:
    """What is expected over a channel: a requirement may be given for each transport, or for each format."""
    requirement = expected.requirement
    if not isinstance(requirement, str):
        name = channel.transport if channel.transport in requirement else channel.format.name
        if name not in requirement:
            raise ValueError(f"expect.requirement names none for {channel.transport} or {name}")
        requirement = requirement[name]
    right = tuple(one.alternative for one in expected.any_of)
    return Expectation(requirement, right, effect=expected.effect, outside=expected.outside)
