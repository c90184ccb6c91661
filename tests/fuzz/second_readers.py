"""Small readers of our own, slow and plain, that say what a stream of bytes means: what the fuzzed readers are held against."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Any

CLOSED, BROKEN, OPEN = "closed", "broken", "open"
_KNOWN_CODES = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})


@dataclass(frozen=True, slots=True)
class Stream:
    """The messages of a WebSocket stream in order, how it ended, and whether a frame or message is unfinished."""

    messages: tuple[tuple[bool, bytes], ...]
    end: str
    unfinished: bool


def web_socket_stream(data: bytes) -> Stream:
    """What a server has sent behind its handshake, by RFC 6455; a stream is read up to its first fault."""
    messages: list[tuple[bool, bytes]] = []
    parts: list[bytes] = []
    binary: bool | None = None
    at = 0
    while at < len(data):
        size, fault = _head(data, at)
        if fault:
            return Stream(tuple(messages), BROKEN, False)
        if size is None or at + sum(size) > len(data):
            return Stream(tuple(messages), OPEN, True)
        final, code = bool(data[at] & 0x80), data[at] & 0x0F
        payload = data[at + size[0] : at + sum(size)]
        at += sum(size)
        if code == 8:
            return Stream(tuple(messages), CLOSED if _is_close(payload) else BROKEN, False)
        if code >= 8:
            continue
        if (code == 0) != (binary is not None):
            return Stream(tuple(messages), BROKEN, False)
        binary = code == 2 if binary is None else binary
        parts.append(payload)
        if not binary and not _begins_utf8(b"".join(parts), final):
            return Stream(tuple(messages), BROKEN, False)
        if final:
            messages.append((binary, b"".join(parts)))
            parts, binary = [], None
    return Stream(tuple(messages), OPEN, binary is not None)


def _head(data: bytes, at: int) -> tuple[tuple[int, int] | None, bool]:
    """The sizes of the header and the payload of a frame, None where the header is not whole; and whether it is faulty."""
    if len(data) - at < 2:
        return None, False
    first, second = data[at], data[at + 1]
    code, length = first & 0x0F, second & 0x7F
    extended = {126: 2, 127: 8}.get(length, 0)
    if len(data) - at < 2 + extended + (4 if second & 0x80 else 0):
        return None, False
    control = code >= 8
    if first & 0x70 or code not in (0, 1, 2, 8, 9, 10) or second & 0x80:
        return None, True
    if control and (length > 125 or not first & 0x80):
        return None, True
    if extended:
        length = int.from_bytes(data[at + 2 : at + 2 + extended], "big")
        if length >> 63 or length < (126 if extended == 2 else 65536):
            return None, True
    return (2 + extended, length), False


def _is_close(payload: bytes) -> bool:
    if not payload:
        return True
    code = int.from_bytes(payload[:2], "big")
    return len(payload) >= 2 and (code in _KNOWN_CODES or 3000 <= code <= 4999) and _is_utf8(payload[2:])


def _begins_utf8(data: bytes, final: bool) -> bool:
    """Whether the bytes are UTF-8, of which the end may be missing unless they are final."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final)
    except UnicodeDecodeError:
        return False
    return True


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def last_of_pairs(value: Any) -> Any:
    """A value of the scope guard's JSON reader (members as pairs, numbers as their text) as a plain one."""
    from conformance.formats.members import Literal, Members

    if isinstance(value, Members):
        return {key: last_of_pairs(member) for key, member in value}
    if isinstance(value, list):
        return [last_of_pairs(item) for item in value]
    return float(value.text) if isinstance(value, Literal) else value


def as_floats(value: Any) -> Any:
    """A decoded value with each number as a float: engines differ in what they make of long integers."""
    if isinstance(value, dict):
        return {key: as_floats(member) for key, member in value.items()}
    if isinstance(value, list):
        return [as_floats(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return float(str(value)) if isinstance(value, int) else float(value)


def http_reply(data: bytes) -> tuple[int, bytes] | None:
    """Status and body that h11 reads from a whole reply to a POST; None where it refuses it or wants more."""
    import h11

    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    client.send(h11.Request(method="POST", target="/", headers=[("Host", "a"), ("Content-Length", "0")]))
    client.send(h11.EndOfMessage())
    status, body = 0, bytearray()
    try:
        client.receive_data(data)
        closed = False
        while True:
            event = client.next_event()
            if event is h11.NEED_DATA:
                if closed:
                    return None
                client.receive_data(b"")
                closed = True
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return status, bytes(body)
            elif not isinstance(event, h11.InformationalResponse):
                return None
    except h11.ProtocolError:
        return None
