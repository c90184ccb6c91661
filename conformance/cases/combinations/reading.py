"""Reads the message of a case back into the value that it says, with the names of what it names.

Each place of the message is filled with an id of its own; the codec of the format reads the bytes, as a service would,
and each id becomes the name of its place again. So every wire form is understood, and no case needs to say what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.cases.make import FRAME, Channel
from conformance.cases.message import codec_of, fill_body
from conformance.formats.base import PLACE, is_text
from conformance.formats.errors import CodecError
from conformance.formats.text import parse_media_type
from conformance.model.case import Body, Case, Message
from conformance.model.spec import Operation

_FIRST, _APART = 1_500_000_000, 4_000
_MOST = 100_000
"""More places than this would not fit into 32 bits."""
_TEXT = "made-up-"
_USUAL = frozenset({"content-type", "accept", "x-request-id", "connection", "user-agent"})
"""Headers beside which a message is what its body says."""


@dataclass(frozen=True, slots=True)
class Ref:
    """The value of a place: its name, and whether it stands there as the target gave it."""

    name: str
    shifted: bool = False
    capitals: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What a message says: its value, and the media type that it asks for (`any`, `none`, or "" for anything else)."""

    value: Any
    accept: str


def read_request(operation: Operation, case: Case, message: Message) -> Request | None:
    """What a message of the case says; None for one that is not the documented call, or that nobody can read plainly."""
    channel = Channel(case.transport, case.media_type)
    accept, charset = "", None
    if channel.transport.framed:
        if message.frame != FRAME.replace("CALL", operation.call):
            return None
    else:
        if message.method != operation.method or message.path != operation.path:
            return None
        headers = [(name.lower(), value) for name, value in message.headers]
        if not _USUAL.issuperset(name for name, _ in headers) or [name for name, _ in headers].count("accept") > 1:
            return None
        try:
            media_type = parse_media_type(next((value for name, value in headers if name == "content-type"), ""))
        except CodecError:
            return None
        if media_type.essence != channel.media_type:
            return None
        charset = media_type.charset
        accept = _asked(next((value for name, value in headers if name == "accept"), None))
    value = _value(operation, channel, message.body, charset)
    return None if value is _UNREADABLE else Request(value, accept)


def _asked(accept: str | None) -> str:
    """The one media type that is wanted before any other."""
    if accept is None:
        return "none"
    first, _, rest = accept.partition(",")
    if rest and not rest.strip().startswith("*/*;q="):
        return ""
    try:
        essence = parse_media_type(first.strip()).essence
    except CodecError:
        return ""
    return "any" if essence == "*/*" else essence


_UNREADABLE = object()


def _value(operation: Operation, channel: Channel, body: Body, charset: str | None) -> Any:
    names = _places(body)
    if len(names) > _MOST:
        return _UNREADABLE
    bindings = {name: _made_up(name, number) for number, name in enumerate(names)}
    try:
        data = fill_body(body, bindings, channel.format)
        read = codec_of(operation, channel.format).decode(data, charset)
    except (CodecError, ValueError, OverflowError):
        return _UNREADABLE
    if not read.plainly or read.problems:
        return _UNREADABLE
    return _named(read.value, names)


def _places(body: Body) -> list[str]:
    """The names of the places of a body, in the order in which they are numbered."""
    count = body.repeat.count if body.repeat else 1
    found: dict[str, None] = {}
    for match in PLACE.finditer(body.template):
        name = match.group(1)
        for index in range(count if "#" in name else 1):
            found.setdefault(name.replace("#", str(index)))
    return list(found)


def _made_up(name: str, number: int) -> int | str:
    if not is_text(name):
        return _FIRST + number * _APART
    if name.lower().endswith("uid"):
        return f"{number + 1:08x}-0000-4abc-8def-{_SHIFT:012x}"
    return f"{_TEXT}{number}"


_SHIFT = 0x10_0000_0000
"""What stands at the end of a made-up GUID, so that a place that is further on is known by another end."""


def _named(value: Any, names: list[str]) -> Any:
    """The value with the names of places where their ids stand."""
    if isinstance(value, Mapping):
        return {key: _named(member, names) for key, member in value.items()}
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        place, off = divmod(value - _FIRST + _APART // 2, _APART)
        return Ref(names[place], off != _APART // 2) if 0 <= place < len(names) else value
    return _of_text(value, names) if isinstance(value, str) else value


def _of_text(text: str, names: list[str]) -> Any:
    if text.startswith(_TEXT) and text.removeprefix(_TEXT).isdecimal():
        place = int(text.removeprefix(_TEXT))
        return Ref(names[place]) if place < len(names) else text
    folded = text.lower()
    if len(text) == 36 and folded[8:24] == "-0000-4abc-8def-":
        place = int(folded[:8], 16) - 1
        if 0 <= place < len(names):
            return Ref(names[place], folded[24:] != f"{_SHIFT:012x}", text != folded)
    return text
