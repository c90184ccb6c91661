"""Fills the `${binding}` places of a message when the ids of the target are known.

Writes a request value with `${binding}` places as a body, in the format of its channel.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import quote

from conformance.cases import make
from conformance.cases.make import Channel
from conformance.cases.paths import NO_SEGMENT, beside_path, is_segment, path_of, quoted
from conformance.errors import HarnessError
from conformance.formats.base import PLACE, Codec, Format, body_of, is_text, places
from conformance.formats.errors import CodecError
from conformance.formats.json.format import JSON
from conformance.formats.xml.contract import XmlContract
from conformance.formats.xml.format import XML, XmlCodec
from conformance.model.case import Body, Case, Message
from conformance.model.spec import Document, Operation

__all__ = [
    "Bindings",
    "MissingBinding",
    "body",
    "body_text",
    "codec_of",
    "fill",
    "fill_body",
    "fill_path",
    "is_text",
    "legal_body",
    "places",
    "places_of",
    "request_of",
    "writable",
    "xml_contract",
]


class MissingBinding(HarnessError):
    """A message names an id that neither the target nor the case's states give; `name` is that of the binding."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the target binds no value for ${{{name}}}")
        self.name = name


class UnfitBinding(MissingBinding):
    """A value that cannot stand in its place: with it the message would be no JSON, or go to another path."""

    def __init__(self, name: str, value: str, why: str = "is no integer, and the message has a number there") -> None:
        super().__init__(name)
        self.message = f"{value!r}, which ${{{name}}} stands for, {why}"


Bindings: TypeAlias = Mapping[str, "int | str"]


def case_places(case: Case) -> tuple[str, ...]:
    """The names of the bindings that the messages and the states of a case use."""
    params = "".join(str(value) for need in case.states.values() for value in need.params.values())
    names = [name for one in case.messages for name in places_of(one)]
    return tuple(dict.fromkeys((*names, *places(params))))


def fill(
    text: str,
    bindings: Bindings,
    *,
    into: Format | None = None,
    keep: bool = False,
    escape: Callable[[str], str] | None = None,
) -> str:
    """Put values in place of `${name}`; `${name+N}` adds N to an integer or a GUID, `${name^}` writes a text in capitals.

    `${name!}` writes a text with another last character, `${name~}` with its letters in the other case, or, where it
    has none, with another first character. `${name|other}` is the value of `name`, or that of `other` if there is none.

    Text values are escaped as the format demands that they are filled `into`, or by `escape`; without either they stay
    as they are.
    Raises `HarnessError` for a name that has no value, since a case must not be sent half filled; with `keep`, which is
    for showing it, such a place stays as it is. Raises it, too, for a text where JSON has a number.
    """
    if "${" not in text:
        return text

    def value_of(match: re.Match[str]) -> str:
        name, offset, other = match.groups()
        if name not in bindings and other in bindings:
            name = other
        if name not in bindings:
            if keep:
                return match.group()
            raise MissingBinding(other or name)
        value = bindings[name]
        if into is JSON and isinstance(value, str) and not keep and not _fits(value, name, match):
            raise UnfitBinding(name, value)
        if offset in _CHANGES:
            value = _CHANGES[offset](str(value))
        elif offset:
            return _shifted(value, int(offset))
        if isinstance(value, int):
            return str(value)
        escaped = escape or (None if into is None else into.escape)
        return value if escaped is None else escaped(value)

    return PLACE.sub(value_of, text)


def fill_path(path: str, bindings: Bindings, *, keep: bool = False) -> str:
    """As `fill`, of a path and its query: a text is percent-encoded, letters, digits and `-._~` apart (RFC 3986, 2.3).

    Raises `HarnessError`, too, for a text that is no segment of a path, since the message would go elsewhere.
    """
    if "${" not in path:
        return path
    head, mark, query = path.partition("?")
    for match in () if keep else PLACE.finditer(head):
        name = match.group(1) if match.group(1) in bindings else match.group(3) or match.group(1)
        value = bindings.get(name)
        if isinstance(value, str) and not is_segment(value):
            raise UnfitBinding(name, value, NO_SEGMENT)
    return fill(head, bindings, keep=keep, escape=quoted) + mark + fill(query, bindings, keep=keep, escape=quoted)


def _fits(value: str, name: str, place: re.Match[str]) -> bool:
    """Whether a text may stand at its place in a JSON template; most stand in quotes of their own."""
    text, start = place.string, place.start()
    return text[start - 1 : start] == '"' or is_whole(value) or name not in number_places(text)


def is_whole(value: str) -> bool:
    """Whether a text is an integer as JSON and XML write it."""
    return _WHOLE.fullmatch(value) is not None


@lru_cache(maxsize=256)
def number_places(text: str) -> frozenset[str]:
    """The names of the bindings that stand where a JSON template has a number; none in what is no JSON when it is filled."""
    found = {match.group(name) for match in _TEXT_OR_PLACE.finditer(text) for name in (1, 3) if match.group(name)}
    try:
        json.loads(PLACE.sub("0", text))
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(found)


_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_TEXT_OR_PLACE = re.compile(rf'"(?:[^"\\]|\\.)*"|{PLACE.pattern}', re.DOTALL)


def _last_changed(text: str) -> str:
    return text[:-1] + _neighbour(text[-1:])


def _case_changed(text: str) -> str:
    """Letters in the other case; a text that this leaves as it is gets another first character."""
    other = text.swapcase()
    return other if other != text else _neighbour(text[:1]) + text[1:]


def _neighbour(character: str) -> str:
    """Another character of the same kind; of none, a digit."""
    if not character.isascii() or not character.isalnum():
        return "0"
    return {"9": "0", "z": "a", "Z": "A"}.get(character) or chr(ord(character) + 1)


_CHANGES = {"^": str.upper, "!": _last_changed, "~": _case_changed}


def _shifted(value: int | str, offset: int) -> str:
    """The integer that much further on; of a GUID, the next one in its own form."""
    if isinstance(value, str) and "-" in value[1:]:
        return str(uuid.UUID(int=(uuid.UUID(value).int + offset) % 2**128))
    return str(int(value) + offset)


def fill_body(body: Body, bindings: Bindings, into: Format) -> bytes:
    """The bytes of a body; a repeated part is filled once for each index, `#` standing for the index."""
    if body.data is not None:
        return _filled_bytes(body.data, bindings, into, keep=False)
    text = body_text(body, bindings, into)
    return text.encode(body.encoding, "surrogatepass" if body.encoding.startswith("utf") else "strict")


def body_text(body: Body, bindings: Bindings, into: Format | None, *, keep: bool = False) -> str:
    """The text of a body before it becomes bytes; one of bytes as the characters of the same numbers."""
    if body.data is not None:
        return _filled_bytes(body.data, bindings, into, keep=keep).decode("latin-1")
    repeat = body.repeat
    if repeat is None:
        return fill(body.text, bindings, into=into, keep=keep)
    items = (fill(body.text.replace("#", str(index)), bindings, into=into, keep=keep) for index in range(repeat.count))
    return repeat.head + repeat.separator.join(items) + repeat.tail


def _filled_bytes(data: bytes, bindings: Bindings, into: Format | None, *, keep: bool) -> bytes:
    """Bytes that are no places stay as they are; what is filled in is written in UTF-8."""
    parts: list[bytes] = []
    end = 0
    for match in _PLACE_IN_BYTES.finditer(data):
        parts.append(data[end : match.start()])
        parts.append(fill(match.group().decode("ascii"), bindings, into=into, keep=keep).encode())
        end = match.end()
    return b"".join((*parts, data[end:]))


_PLACE_IN_BYTES = re.compile(PLACE.pattern.replace(r"\w", "A-Za-z0-9_").encode())


def places_of(message: Message) -> tuple[str, ...]:
    """The names of the bindings that a message uses, in its body, its path and the frame around it."""
    return places(message.body.template + message.path + (message.frame or ""))


_codecs: dict[tuple[str, Format, str], Codec] = {}
"""By folder of the operation, format and document: what was compiled so far, for writing alone."""


def codec_of(operation: Operation, written_in: Format, document: Document = "request") -> Codec:
    """What writes the operation's document in a format; compiled once."""
    key = (str(operation.folder), written_in, document)
    found = _codecs.get(key)
    if found is None:
        found = _codecs[key] = written_in.codec(operation, document)
    return found


def xml_contract(operation: Operation, document: Document = "request") -> XmlContract:
    """The compiled XSD of one of the operation's documents."""
    codec = codec_of(operation, XML, document)
    assert isinstance(codec, XmlCodec)
    return codec.contract


def body(operation: Operation, channel: Channel, value: Any) -> Body:
    """The value as a body for this channel. Errors: `CodecError` for one that its format cannot say."""
    return body_of(codec_of(operation, channel.format).encode(value))


def request_of(operation: Operation, channel: Channel, value: Any) -> Message | None:
    """The operation's message with this request in its path, and in its body or query; None for what cannot stand there."""
    if channel.transport.framed:
        written = writable(operation, channel, value)
        return None if written is None else make.message(operation, channel, written)
    path = path_of(operation, value)
    if path is None:
        return None
    rest = beside_path(operation, value)
    if operation.has_body:
        written = writable(operation, channel, rest)
        return None if written is None else make.message(operation, channel, written, path=path)
    query = query_of(rest)
    if query is None:
        return None
    path = f"{path}?{query}" if query else path
    return make.message(operation, channel, Body(""), path=path, headers=(("Accept", channel.media_type),))


def legal_body(operation: Operation, channel: Channel) -> Body:
    """The body of the legal request: without what stands in its path, where there is one."""
    whole = channel.transport.framed
    return body(operation, channel, operation.valid if whole else beside_path(operation, operation.valid))


def query_of(value: Any) -> str | None:
    """The members of a request as a query, places left as they are; None for what no query can say."""
    pairs: list[str] = []
    for name, one in value.items() if isinstance(value, Mapping) else ():
        for item in one if isinstance(one, list) and one else (one,):
            if isinstance(item, Mapping | list):
                return None
            if item is not None:
                text = item if isinstance(item, str) else json.dumps(item)
                pairs.append(f"{quote(name)}={text if PLACE.fullmatch(text) else quote(text, safe='')}")
    return "&".join(pairs)


def writable(operation: Operation, channel: Channel, value: Any) -> Body | None:
    """As `body`; None for a value that the channel's format has no words for.

    A format with documents of its own has the words that the contract gives it: there it is the contract that is wrong.
    """
    try:
        return body(operation, channel, value)
    except CodecError as error:
        if error.kind == "value" and not channel.format.documents:
            return None
        raise
