"""A call whose answer its schema describes: its legal request, every member wrong, broken bodies, HTTP forms, frames, roles.

A value is wrong only if the request schema refuses it, so a call without such a rule has no such case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.cases import expect, make, message
from conformance.cases.expect import Ruling
from conformance.cases.families.list.negotiation import described_negotiation_cases
from conformance.cases.families.object.malformed import malformed_object_cases
from conformance.cases.families.object.relations import relation_case
from conformance.cases.families.object.wire_forms import frame_cases, http_form_cases
from conformance.cases.make import Channel, channels
from conformance.contract.schemas import SchemaValidator, load_validator
from conformance.formats.base import PLACE, is_text
from conformance.model.case import Case, Expectation, Twin
from conformance.model.spec import Operation

_ID, _UID = 1001, "6269c403-5b9f-47dd-b8c3-000000001001"
_Odd = tuple[str, str, Any]
_WORD: _Odd = ("word", "a word", "abc")
_TRUE: _Odd = ("true", "true", True)
_OBJECT: _Odd = ("object", "an object", {})
_LIST: _Odd = ("list", "a list", [])
_NULL: _Odd = ("null", "null", None)
_NUMBER: _Odd = ("number", "a number", 12)
_UNLISTED: _Odd = ("unlisted", "a number that its list lacks", 2147483647)
_WRONG: Mapping[type, tuple[_Odd, ...]] = {
    int: (_WORD, _TRUE, _OBJECT, _LIST, _UNLISTED),
    float: (_WORD, _TRUE, _OBJECT, _LIST),
    str: (_OBJECT, _LIST),
    bool: (_WORD, _OBJECT, _LIST),
    dict: (_WORD, _NUMBER, _LIST),
    list: (_WORD, _NUMBER),
    type(None): (_OBJECT,),
}
"""Values that no reader turns into one of the type; digits in a text and the like are left to the endpoint."""


def data_cases(operation: Operation) -> Iterator[Case]:
    """The cases that every such call has."""
    validator = load_validator(operation.request_schema)
    for channel in channels(operation):
        yield from _legal(operation, channel)
        yield from _members(operation, channel, validator)
        yield from _roles(operation, channel)
    yield from _answered_alike(operation)
    yield from http_form_cases(operation)
    yield from described_negotiation_cases(operation)
    yield from frame_cases(operation)
    valid = operation.valid if isinstance(operation.valid, Mapping) else {}
    bare = {name: _made_up(value) for name, value in valid.items() if name in operation.in_path}
    if operation.has_body and not validator.is_valid(
        bare
    ):  # without a member that must come, a body may be passed over
        yield from malformed_object_cases(operation)


def _case(
    operation: Operation, channel: Channel, name: str, title: str, value: Any, right: Expectation, **more: Any
) -> Iterator[Case]:
    sent = message.request_of(operation, channel, value)
    if sent is not None:
        yield make.case(operation, channel, name, title, more.pop("requirements", ()), sent, right, **more)


def _legal(operation: Operation, channel: Channel) -> Iterator[Case]:
    """The legal request: its answer is judged by the whole response schema."""
    schema = load_validator(operation.folder / "response.schema.json")
    rules = dict.fromkeys(_requirements_in(list(schema.files.documents.values())))
    types = [field.requirement.type for field in operation.fields.values()]
    attributed = [operation.attribution[key] for key in _OF_EVERY_ANSWER]
    forms = ("frame-",) if channel.transport.framed else (f"request-{channel.format.name}-", f"{channel.format.name}-")
    attributed += [one for key, one in operation.attribution.items() if key.startswith(forms)]
    right = expect.done(operation, operation.attribution["schema"], operation.acted_on)
    accept = channel.transport.accept(channel.media_type)
    named = (operation.request_media, operation.response_media)
    media = [] if channel.transport.framed else [one[channel.media_type] for one in named if one]
    more: dict[str, Any] = {"requirements": (*attributed, *media, *rules, *types), "accept": accept}
    codes = [one.code for one in operation.codes if one.code in _OF_SUCCESS]
    if codes:
        more["code"] = codes[0]
    yield from _case(operation, channel, "answer/legal", "The legal request", operation.valid, right, **more)


_OF_SUCCESS = ("0", "success")
_OF_EVERY_ANSWER = ("answered", "readable", "media-type", "schema", "status", "secrets", "route")


def _requirements_in(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        if isinstance(part.get("x-requirement"), str):
            yield part["x-requirement"]
        for inner in part.values():
            yield from _requirements_in(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _requirements_in(inner)


def _members(operation: Operation, channel: Channel, validator: SchemaValidator) -> Iterator[Case]:
    """Each member left out, null, and of a wrong type, where the request schema refuses that and the channel can say it.

    Of a request that is a list, each member of its one record.
    """
    items: Sequence[Mapping[str, Any]] = operation.valid if isinstance(operation.valid, list) else [operation.valid]
    listed, valid = isinstance(operation.valid, list), items[0]
    if len(items) > 1:
        return

    def whole(value: Mapping[str, Any]) -> Any:
        return [value] if listed else value

    def refused(value: Mapping[str, Any]) -> bool:
        return not validator.is_valid(_made_up(whole(value)))

    if refused(valid):
        return  # specs check names it; what a change makes of it tells nothing
    said = _of_refusals(operation)
    for member, field in operation.fields.items():
        if member not in valid:
            continue
        slug = _slug(member)
        rest = {name: value for name, value in valid.items() if name != member}
        if refused(rest):
            right = expect.refused(operation, field.requirement.absent, operation.acted_on)
            title = f"{member}: left out"
            yield from _case(operation, channel, f"fields/{slug}-absent", title, whole(rest), right, requirements=said)
        value = _made_up(valid[member])
        odd = (
            *_odd_values(operation, channel, member, value),
            *_beyond(_limits_of(validator, member, listed=listed), value),
        )
        for name, title, value in (*odd, _NULL) if refused(rest) else odd:
            changed, title = {**valid, member: value}, f"{member}: {title}"
            if refused(changed):
                because = (Ruling.CODE_OF_UNUSABLE,)
                right = expect.refused(operation, field.requirement.type, operation.acted_on, because=because)
                sent = whole(changed)
                yield from _case(operation, channel, f"fields/{slug}-{name}", title, sent, right, requirements=said)


def _of_refusals(operation: Operation) -> tuple[str, ...]:
    """What a refused request shows: no crash, no effect, and the form of an error where a schema gives it."""
    path = operation.folder / "error.schema.json"
    rules = _requirements_in(list(load_validator(path).files.documents.values())) if path.is_file() else ()
    general = (operation.attribution["bad-input"], operation.attribution["effect"])
    return tuple(dict.fromkeys((*general, *rules)))


def _odd_values(operation: Operation, channel: Channel, member: str, value: Any) -> tuple[_Odd, ...]:
    """Values of another type; where a format has documents of its own, an empty element would be one of the right type."""
    odd = _WRONG[type(value)]
    written = operation.has_body and member not in operation.in_path
    if channel.format.documents and written and not channel.transport.framed:
        odd = tuple(one for one in odd if not isinstance(one[2], dict | list))
    return odd


def _limits_of(validator: SchemaValidator, member: str, *, listed: bool) -> Mapping[str, Any]:
    """Length and range of a member, where the request schema states them at its very place."""
    schema: Any = validator.files.documents[validator.files.start]
    if listed:
        schema = schema.get("items", {})
        place = str(schema.get("$ref", ""))
        schema = validator.files.resolve(place, validator.files.start)[1] if place else schema
    found = schema.get("properties", {}).get(member)
    return found if isinstance(found, Mapping) else {}


def _beyond(limits: Mapping[str, Any], value: Any) -> Iterator[_Odd]:
    """Values just beyond the length or the range of a member. The ends of a width are left to the endpoint."""
    least, most = (limits.get(name) for name in ("minimum", "maximum"))
    if isinstance(value, int | float) and not isinstance(value, bool):
        if least is not None and least not in _ENDS:
            yield "below-range", "less than its range", least - 1
        if most is not None and most not in _ENDS:
            yield "above-range", "more than its range", most + 1
    if isinstance(value, str) and value:
        shortest, longest = limits.get("minLength", 0), limits.get("maxLength", _LONGEST)
        if shortest > 1:
            yield "too-short", "a shorter text", value[: shortest - 1]
        if longest < _LONGEST:
            yield "too-long", "a longer text", (value * (longest + 1))[: longest + 1]


_ENDS = frozenset(bound for bits in (31, 63) for bound in (-(2**bits), 2**bits - 1))
_LONGEST = 10_000


def _slug(member: str) -> str:
    return member.lower().replace("_", "-")


def _made_up(value: Any) -> Any:
    """A value with its places filled by ids of the right kind."""
    if isinstance(value, str) and PLACE.fullmatch(value):
        name = value[2:-1]
        return (_UID if name.lower().endswith("uid") else "1001") if is_text(name) else _ID
    if isinstance(value, Mapping):
        return {name: _made_up(inner) for name, inner in value.items()}
    return [_made_up(inner) for inner in value] if isinstance(value, list) else value


def _roles(operation: Operation, channel: Channel) -> Iterator[Case]:
    """The last of the roles that may not call is refused."""
    if operation.roles_refused and "roles" in operation.attribution:
        role = operation.roles_refused[-1]
        right = expect.refused(operation, operation.attribution["roles"], operation.acted_on)
        title = f"A caller in the role {role}, which may not call"
        yield from _case(operation, channel, f"roles/{_slug(role)}", title, operation.valid, right, role=role)


def _answered_alike(operation: Operation) -> Iterator[Case]:
    """The legal request over HTTP and as a frame, and, where the contract says that formats agree, in two formats."""
    ways = tuple(channels(operation))
    first = ways[0]
    for other in ways[1:]:
        framed = other.transport.framed and not first.transport.framed
        if framed:
            name, key = "http-and-websocket", "same-transport"
        elif other.format is not first.format and not other.transport.framed:
            name, key = f"{first.format.name}-and-{other.format.name}", "formats-agree"
        else:
            continue
        right = expect.done(operation, operation.attribution["schema"], operation.acted_on)
        sent, said = (message.request_of(operation, way, operation.valid) for way in (first, other))
        if sent is not None and said is not None and key in operation.attribution:
            accept = other.transport.accept(other.media_type)
            twin = Twin(name, operation.attribution[key], other.transport, other.media_type, (said,), accept=accept)
            yield relation_case(operation, first, f"{name}-{make.suffix(operation, other)}", sent, right, twin)
