"""A call whose answer its schema describes: its legal request, every member of it wrong, broken bodies, HTTP forms, roles.

A value is wrong only if the request schema refuses it, so a call without such a rule has no such case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.cases import expect, make, message
from conformance.cases.expect import Ruling
from conformance.cases.families.object.malformed import malformed_object_cases
from conformance.cases.families.object.wire_forms import http_form_cases
from conformance.cases.make import Channel, channels
from conformance.contract.schemas import SchemaValidator, load_validator
from conformance.formats.base import PLACE, is_text
from conformance.model.case import Case, Expectation
from conformance.model.spec import Operation

_ID, _UID = 1001, "6269c403-5b9f-47dd-b8c3-000000001001"
_Odd = tuple[str, str, Any]
_WORD: _Odd = ("word", "a word", "abc")
_TRUE: _Odd = ("true", "true", True)
_OBJECT: _Odd = ("object", "an object", {})
_LIST: _Odd = ("list", "a list", [])
_NULL: _Odd = ("null", "null", None)
_WRONG: Mapping[type, tuple[_Odd, ...]] = {
    int: (_WORD, _TRUE, _OBJECT, _LIST),
    float: (_WORD, _TRUE, _OBJECT, _LIST),
    str: (_OBJECT, _LIST),
    bool: (_WORD, _OBJECT, _LIST),
    dict: (_WORD, ("number", "a number", 12), _LIST),
    list: (_WORD, ("number", "a number", 12)),
    type(None): (_OBJECT,),
}
"""Values that no reader turns into one of the type; digits in a text and the like are left to the endpoint."""


def data_cases(operation: Operation) -> Iterator[Case]:
    """The cases that every such call has."""
    validator = load_validator(operation.folder / "request.schema.json")
    for channel in channels(operation):
        yield from _legal(operation, channel)
        if isinstance(operation.valid, Mapping):
            yield from _members(operation, channel, operation.valid, validator)
        yield from _roles(operation, channel)
    if not operation.in_query and isinstance(operation.valid, Mapping):
        if not validator.is_valid({}):  # without a member that must come, a call may pass its body over
            yield from malformed_object_cases(operation)
        yield from http_form_cases(operation)


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
    right = expect.done(operation, operation.attribution["schema"], operation.acted_on)
    accept = channel.transport.accept(channel.media_type)
    media = [one[channel.media_type] for one in (operation.request_media, operation.response_media) if one]
    more: dict[str, Any] = {"requirements": (*attributed, *media, *rules, *types), "accept": accept, "code": "success"}
    known = {one.code for one in operation.codes}
    if "success" not in known:
        del more["code"]
    yield from _case(operation, channel, "answer/legal", "The legal request", operation.valid, right, **more)


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


def _members(
    operation: Operation, channel: Channel, valid: Mapping[str, Any], validator: SchemaValidator
) -> Iterator[Case]:
    """Each member left out, null, and of a wrong type, where the request schema refuses that."""

    def refused(value: Mapping[str, Any]) -> bool:
        return not validator.is_valid(_made_up(value))

    if refused(valid):
        return  # specs check names it; what a change makes of it tells nothing
    for member, field in operation.fields.items():
        if member not in valid:
            continue
        rest = {name: value for name, value in valid.items() if name != member}
        if refused(rest):
            right = expect.refused(operation, field.requirement.absent, operation.acted_on)
            yield from _case(operation, channel, f"fields/{_slug(member)}-absent", f"{member}: left out", rest, right)
        odd = _WRONG[type(_made_up(valid[member]))]
        for name, title, value in (*odd, _NULL) if refused(rest) else odd:
            changed = {**valid, member: value}
            if refused(changed):
                because = (Ruling.CODE_OF_UNUSABLE,)
                right = expect.refused(operation, field.requirement.type, operation.acted_on, because=because)
                yield from _case(
                    operation, channel, f"fields/{_slug(member)}-{name}", f"{member}: {title}", changed, right
                )


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
