"""The WebSocket protocol of one connection without I/O: handshake, messages, pings, close, all bounded.

WebSocket frames as bytes: writing a client's text frame, cutting what a server sends at frame borders.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import RemoteProtocolError

from conformance.wire.address import Address
from conformance.wire.messages import Headers, Limits, ProblemKind, WireProblem, with_agent

_CONTROL_BIT = 0x08
_MASK_BIT = 0x80
_FINAL_TEXT = 0x81
_REDIRECTION, _MOST_SHOWN = 3, 200
_GOODBYES = (1001, 1012)
"""The server goes away, or starts again: that says nothing about any message."""


def text_frame(payload: bytes, random_bytes: Callable[[int], bytes]) -> bytes:
    """One final, masked text frame (RFC 6455 section 5.2); the payload is sent as it is, UTF-8 or not."""
    return masked_frame(_FINAL_TEXT, payload, random_bytes)


def masked_frame(first: int, payload: bytes, random_bytes: Callable[[int], bytes]) -> bytes:
    """One masked frame; `first` is its first byte, the bit of the last fragment and the opcode."""
    size = len(payload)
    if size < 126:
        head = bytes((first, _MASK_BIT | size))
    elif size < 65536:
        head = bytes((first, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0xFF)) + size.to_bytes(8, "big")
    mask = random_bytes(4)
    pattern = (mask * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")
    return head + mask + masked.to_bytes(size, "big")


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of one frame as it came: a whole header, or some payload.

    `control` is set for pieces of a ping, a pong or a close; `declared_bytes` is the payload length that a
    header announces, and 0 for payload.
    """

    data: bytes
    header: bool
    control: bool
    declared_bytes: int = 0


class FrameCutter:
    """Cuts a byte stream into pieces that never cross a frame border, without judging what is in them.

    Only the bytes of an unfinished frame header (14 at most) are held back.
    """

    __slots__ = ("_control", "_header", "_payload_left")

    def __init__(self) -> None:
        self._header = b""
        self._payload_left = 0
        self._control = False

    @property
    def within_frame(self) -> bool:
        """True when a frame has begun and not ended."""
        return bool(self._header) or self._payload_left > 0

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The pieces that `data` completes, in order."""
        data = self._header + data
        self._header = b""
        at = 0
        while at < len(data):
            if self._payload_left:
                end = min(len(data), at + self._payload_left)
                self._payload_left -= end - at
                yield Piece(data[at:end], False, self._control)
                at = end
                continue
            size = _header_size(data, at)
            if size is None or len(data) - at < size:
                self._header = data[at:]
                return
            self._control = bool(data[at] & _CONTROL_BIT)
            self._payload_left = declared = _payload_size(data, at)
            yield Piece(data[at : at + size], True, self._control, declared)
            at += size


def _header_size(data: bytes, at: int) -> int | None:
    if len(data) - at < 2:
        return None
    second = data[at + 1]
    extended = {126: 2, 127: 8}.get(second & 0x7F, 0)
    return 2 + extended + (4 if second & _MASK_BIT else 0)


def _payload_size(data: bytes, at: int) -> int:
    short = data[at + 1] & 0x7F
    if short == 126:
        return int.from_bytes(data[at + 2 : at + 4], "big")
    if short == 127:
        return int.from_bytes(data[at + 2 : at + 10], "big")
    return short


_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"([!-~\x80-\xff]+([ \t]+[!-~\x80-\xff]+)*)?")


@dataclass(frozen=True, slots=True)
class Opened:
    """The server accepted the handshake."""


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message: its payload, the frames it came in, byte for byte, and whether they were binary."""

    payload: bytes
    raw: bytes
    binary: bool


@dataclass(frozen=True, slots=True)
class ToWrite:
    """Bytes that the protocol owes the server: a pong, or the answer to a close."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The connection is over; `raw` is the evidence."""

    problem: WireProblem
    raw: bytes


SessionEvent = Opened | Message | ToWrite | Failed


class WsSession:
    """Turns the bytes of one connection into events; after `Failed` it takes no more."""

    def __init__(self, address: Address, headers: Headers, limits: Limits) -> None:
        self.limits = limits
        self._target = address.whole_path
        self._host = address.authority
        self._headers = with_agent(headers)
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._cutter = FrameCutter()
        self._raw = bytearray()
        """What has come of the handshake, or of a message, as far as it is evidence."""
        self._raw_bytes = 0
        self._payload = bytearray()
        self._control = b""
        self._pings = 0
        self._over = False
        self._open = False

    def handshake(self) -> bytes:
        """The upgrade request. Raises ValueError for a header that cannot be written."""
        for name, value in self._headers:
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
                raise ValueError(f"the handshake header {name!r} cannot be written: not a valid name or value")
        extra = [(name.encode("ascii"), value.encode("latin-1")) for name, value in self._headers]
        return self._ws.send(Request(host=self._host, target=self._target, extra_headers=extra))

    @property
    def within_message(self) -> bool:
        """True when part of a message has come and the rest has not."""
        return bool(self._raw_bytes) or self._cutter.within_frame

    @property
    def partial(self) -> bytes:
        """What has come of an unfinished message or handshake, cut to the evidence limit."""
        return bytes(self._raw[: self.limits.max_received_evidence_bytes])

    def forget_pings(self) -> None:
        """Start the count of pings and pongs again: a flood is many within one wait, not many in an hour."""
        self._pings = 0

    def feed(self, data: bytes) -> Iterator[SessionEvent]:
        """The events that `data` completes, in order."""
        if self._over:
            return
        if not self._open:
            self._raw += data
            end = self._raw.find(b"\r\n\r\n")
            if end < 0 and len(self._raw) <= self.limits.max_header_bytes:
                return
            yield from self._shake_hands(end)
            if self._over:
                return
            data = bytes(self._raw[end + 4 :])
            self._forget()
        for piece in self._cutter.feed(data):
            yield from self._take(piece)
            if self._over:
                return

    def _forget(self) -> None:
        self._raw.clear()
        self._raw_bytes = 0

    def drop(self) -> None:
        """Take no more, and let go of what has come of an unfinished message."""
        self._over = True
        self._payload.clear()
        self._forget()

    def close_frame(self) -> bytes:
        """The bytes that end the connection from this side; empty when there is nothing left to say."""
        if not self._open or self._over or self._ws.state is not ConnectionState.OPEN:
            return b""
        return self._ws.send(CloseConnection(code=1000))

    def _shake_hands(self, end: int) -> Iterator[SessionEvent]:
        if end < 0 or end > self.limits.max_header_bytes:
            message = f"the handshake's headers pass {self.limits.max_header_bytes} bytes"
            yield self._fail("too-large", message)
            return
        try:
            self._ws.receive_data(bytes(self._raw[: end + 4]))
            events = list(self._ws.events())
        except (RemoteProtocolError, ValueError) as error:
            yield self._fail("malformed", f"the answer to the handshake is not valid: {error}")
            return
        for event in events:
            if isinstance(event, AcceptConnection):
                self._open = True
                yield Opened()
                return
            if isinstance(event, RejectConnection):
                yield self._fail("handshake-refused", self._refusal(event))
                return
        yield self._fail("malformed", "the answer to the handshake is neither an acceptance nor a refusal")

    def _refusal(self, event: RejectConnection) -> str:
        """The status, and of a redirection what was asked for and where it points: nobody follows it."""
        status = f"the handshake was answered with status {event.status_code}"
        there = next((value for name, value in event.headers if name.lower() == b"location"), None)
        if there is None or event.status_code // 100 != _REDIRECTION:
            return status
        return (
            f"{status}: {self._target} was asked for, and the answer points to {there[:_MOST_SHOWN].decode('latin-1')}"
        )

    def _take(self, piece: Piece) -> Iterator[SessionEvent]:
        if piece.control:
            self._control = piece.data if piece.header else self._control + piece.data
        else:
            self._raw_bytes += len(piece.data)
            if len(self._raw) <= self.limits.max_received_evidence_bytes:
                self._raw += piece.data
            if len(self._payload) + piece.declared_bytes > self.limits.max_body_bytes:
                yield self._fail("too-large", f"a message passes {self.limits.max_body_bytes} bytes")
                return
            if self._raw_bytes - len(self._payload) - len(piece.data) > self.limits.max_header_bytes:
                yield self._fail("too-large", "a message comes in more fragments than can be meant")
                return
        self._ws.receive_data(piece.data)
        for event in self._ws.events():
            if isinstance(event, TextMessage | BytesMessage):
                binary = isinstance(event, BytesMessage)
                self._payload += event.data if isinstance(event, BytesMessage) else event.data.encode()
                if event.message_finished:
                    self._pings = 0
                    yield Message(bytes(self._payload), bytes(self._raw), binary)
                    self._payload.clear()
                    self._forget()
            elif isinstance(event, Ping | Pong):
                self._pings += 1
                if self._pings > self.limits.max_pings:
                    yield self._fail("malformed", f"more than {self.limits.max_pings} pings or pongs and no message")
                    return
                if isinstance(event, Ping) and self._ws.state is ConnectionState.OPEN:
                    yield ToWrite(self._ws.send(event.response()))
            elif isinstance(event, CloseConnection):
                yield from self._closed(event)
                return

    def _closed(self, event: CloseConnection) -> Iterator[SessionEvent]:
        """wsproto reports its own protocol errors as a close too; only a real one changes its state."""
        self._raw += self._control
        if self._ws.state in (ConnectionState.REMOTE_CLOSING, ConnectionState.CLOSED):
            if self._ws.state is ConnectionState.REMOTE_CLOSING:
                yield ToWrite(self._ws.send(event.response()))
            reason = f" {event.reason!r}" if event.reason else ""
            kind: ProblemKind = "ws-goodbye" if event.code in _GOODBYES else "ws-closed"
            yield self._fail(kind, f"the server closed the connection with code {int(event.code)}{reason}")
            return
        if self._ws.state is ConnectionState.OPEN:
            yield ToWrite(self._ws.send(CloseConnection(code=event.code)))
        yield self._fail("malformed", f"the server broke the WebSocket protocol: {event.reason}")

    def _fail(self, kind: ProblemKind, message: str) -> Failed:
        self._over = True
        return Failed(WireProblem(kind, message, "wait" if self._open else "handshake"), self.partial)
