"""Expands the scenarios of an operation over its transports and media types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.cases import make, message
from conformance.cases.make import Channel, channels
from conformance.contract.load import read_yaml
from conformance.errors import SpecError
from conformance.model.case import Body, Case, Expectation, Repeat
from conformance.model.spec import Operation

_KNOWN = {
    "name", "title", "requirements", "add", "add_media", "code", "states", "base", "value", "each", "count", "role",
    "lane", "repeat", "together", "transports", "expect",
}  # fmt: skip


def scenario_cases(operation: Operation) -> Iterator[Case]:
    """The cases of `scenarios.yaml`; none where the operation has no such file."""
    path = operation.folder / "scenarios.yaml"
    if not path.exists():
        return
    for scenario in read_yaml(path):
        if not isinstance(scenario, Mapping) or "name" not in scenario:
            raise SpecError("a scenario has no name", where=str(path))
        unknown = set(scenario) - _KNOWN
        if unknown:
            raise SpecError(f"{scenario['name']}: unknown key {sorted(unknown)[0]!r}", where=str(path))
        for channel in channels(operation):
            if channel.transport in scenario.get("transports", operation.transports):
                try:
                    yield _case(operation, channel, scenario)
                except (LookupError, TypeError, AttributeError, ValueError) as error:
                    what = f"{scenario['name']}: cannot be built: {type(error).__name__} {error}"
                    raise SpecError(
                        what, where=str(path), hint="docs/authoring.md lists the keys of a scenario."
                    ) from error


def _case(operation: Operation, channel: Channel, scenario: Mapping[str, Any]) -> Case:
    sent = make.message(operation, channel, _body(operation, channel, scenario))
    states = scenario.get("states", _default_states(operation, scenario))
    return make.case(
        operation,
        channel,
        scenario["name"],
        scenario["title"],
        (*scenario["requirements"], *_added(operation, channel, scenario)),
        sent,
        expectation(scenario["expect"], channel),
        role=scenario.get("role"),
        states=make.states_of(states),
        lane=scenario.get("lane"),
        as_written=True,
        before=(sent,) * int(scenario.get("repeat", 0)),
        together=int(scenario.get("together", 1)),
        code=scenario.get("code"),
        accept=channel.media_type if channel.transport == "http" else None,
    )


def _default_states(operation: Operation, scenario: Mapping[str, Any]) -> Mapping[str, Any]:
    key = f"{scenario['base']}_states" if "base" in scenario else "states"
    found: Mapping[str, Any] = operation.raw.get(key, {})
    return found


def _body(operation: Operation, channel: Channel, scenario: Mapping[str, Any]) -> Body:
    if "each" in scenario:
        return repeated(operation, channel, scenario["each"], int(scenario["count"]))
    value = scenario.get("value", operation.raw[scenario["base"]] if "base" in scenario else operation.valid)
    return message.body(operation, channel, value)


def repeated(operation: Operation, channel: Channel, item: Mapping[str, Any], count: int) -> Body:
    """One item's text, and the text around the list: found by writing a list of one and of none."""
    one = message.body(operation, channel, [item]).text
    none = message.body(operation, channel, []).text
    if channel.form == "json":
        return Body(one[1:-1], repeat=Repeat("[", ",", "]", count))
    root = none.removesuffix("/>")
    name = root[1:].split()[0]
    head = f"{root.rstrip()}>"
    tail = f"</{name}>"
    return Body(one[one.index(">") + 1 : -len(tail)], repeat=Repeat(head, "", tail, count))


def _added(operation: Operation, channel: Channel, scenario: Mapping[str, Any]) -> list[str]:
    added: list[str] = []
    for key, requirements in scenario.get("add", {}).items():
        if key in (channel.transport, channel.form):
            added.extend(requirements)
    if scenario.get("add_media"):
        added.append(operation.raw["request_media"][channel.media_type])
        added.append(operation.raw["response_media"][channel.media_type])
        if channel.form == "xml":
            rules = operation.attribution.items()
            added.extend(value for part in ("request-xml-", "xml-") for key, value in rules if key.startswith(part))
    return added


def expectation(raw: Mapping[str, Any], channel: Channel) -> Expectation:
    """An expectation as a scenario writes it; a requirement may be given for each transport, or for each format."""
    requirement = raw["requirement"]
    if isinstance(requirement, Mapping):
        requirement = requirement[channel.transport if channel.transport in requirement else channel.form]
    return Expectation(
        requirement,
        tuple(make.alternative(one) for one in raw["any_of"]),
        effect=str(raw.get("effect", "")),
        outside=str(raw.get("outside", "")),
    )
