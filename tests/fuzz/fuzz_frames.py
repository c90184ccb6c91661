"""The reader of WebSocket frames: in any pieces, within its limits, as a second reader reads."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import second_readers as second
from fuzz_kit import SMALL, Look, bounded, chosen, picked, pieces

from conformance.formats.frames import decode_frame
from conformance.wire.address import parse_address
from conformance.wire.messages import Limits
from conformance.wire.ws.session import Failed, FrameCutter, Message, Opened, SessionEvent, ToWrite, WsSession

_OPENED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n"
)
_LIMITS, _ADDRESS = Limits(**SMALL), parse_address("ws://127.0.0.1:9/gateway")


def _session() -> tuple[WsSession, bytes]:
    fresh = WsSession(_ADDRESS, (), _LIMITS)
    found = re.search(rb"Sec-WebSocket-Key: (\S+)", fresh.handshake(), re.IGNORECASE)
    assert found is not None
    digest = hashlib.sha1(found[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return fresh, _OPENED % base64.b64encode(digest)


def _events_of(fresh: WsSession, parts: Iterable[bytes]) -> list[SessionEvent]:
    events: list[SessionEvent] = []
    for part in parts:
        for event in fresh.feed(part):
            assert not events or not isinstance(events[-1], Failed), "an event after the end"
            events.append(event)
        assert len(fresh.partial) <= _LIMITS.max_received_evidence_bytes
    return events


def _told(events: list[SessionEvent]) -> list[object]:
    """What is the same however the bytes come: answers are masked at random, and evidence is cut."""
    return [
        (one.payload, one.binary) if isinstance(one, Message)
        else one.problem.kind if isinstance(one, Failed)
        else len(one.data) if isinstance(one, ToWrite) else "opened"
        for one in events
    ]  # fmt: skip


def _cut(data: bytes, step: int) -> None:
    cutter = FrameCutter()
    parts = [piece for part in pieces(data, step) for piece in cutter.feed(part)]
    whole = b"".join(piece.data for piece in parts)
    assert data.startswith(whole)
    assert len(data) - len(whole) <= 14
    assert cutter.within_frame or whole == data


def _handshake(data: bytes, step: int) -> None:
    fresh, _ = _session()
    events = _events_of(fresh, pieces(data, step))
    assert not any(isinstance(one, Opened | Message) for one in events), "a handshake that proves nothing"
    assert len(events) <= 1


def _stream(data: bytes, step: int) -> None:
    fresh, opening = _session()
    events = _events_of(fresh, (opening, *pieces(data, step)))
    other, opening = _session()
    at_once = _events_of(other, (opening + data,))
    assert _told(events) == _told(at_once), "the same bytes in other pieces are read as something else"
    messages = tuple((one.binary, one.payload) for one in events if isinstance(one, Message))
    for _, payload in messages:
        assert len(payload) <= _LIMITS.max_body_bytes
        decode_frame(payload)
    assert all(len(one.raw) <= len(data) for one in events if isinstance(one, Message))
    _as_documented(data, messages, next((one for one in events if isinstance(one, Failed)), None), fresh)


def _as_documented(
    data: bytes, messages: tuple[tuple[bool, bytes], ...], failed: Failed | None, fresh: WsSession
) -> None:
    wanted = second.web_socket_stream(data)
    own_limit = failed is not None and (failed.problem.kind == "too-large" or "pings" in failed.problem.message)
    if own_limit:
        assert messages == wanted.messages[: len(messages)]
        return
    early = (
        failed is not None and wanted.end == second.OPEN and wanted.unfinished
    )  # a fault is told before its frame ends
    assert messages == wanted.messages, f"{messages} instead of {wanted.messages}"
    if failed is None:
        assert wanted.end == second.OPEN, f"the stream is {wanted.end}, and goes on"
        assert fresh.within_message is wanted.unfinished
    elif not early:
        closed = failed.problem.kind in ("ws-closed", "ws-goodbye")
        assert wanted.end == (second.CLOSED if closed else second.BROKEN), f"{wanted.end}: {failed.problem.message}"


def look(data: bytes) -> None:
    step, rest = picked(data, tuple(range(32)))
    _cut(rest, step)
    (_handshake if data[:1] >= b"\xe0" else _stream)(rest, step)


def harness(_folder: Path) -> Look:
    """The reader, in bounded time."""
    return bounded(look)


def _frame(code: int, payload: bytes, final: bool = True) -> bytes:
    size = bytes((len(payload),)) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big")
    return bytes((code | (0x80 if final else 0),)) + size + payload


def seeds() -> Iterator[bytes]:
    reply = b'{"m":1,"i":2,"n":"CancelAllOrders","o":"{\\"result\\":true}"}'
    long = b'{"m":1,"i":2,"n":"CancelAllOrders","o":"' + b"a" * 200 + b'"}'
    yield from (chosen(step, _frame(1, reply)) for step in (0, 1, 7))
    yield chosen(0, _frame(1, long) + _frame(9, b"ping") + _frame(1, reply))
    yield chosen(3, _frame(1, reply[:20], False) + _frame(10, b"") + _frame(0, reply[20:]))
    yield chosen(0, _frame(2, b"\x00\xff") + _frame(8, b"\x03\xe8bye"))
    yield chosen(5, _frame(1, "größe €".encode()) + _frame(8, b""))
    yield chosen(0, _frame(8, b"\x03\xe9"))
    yield chosen(0, b"\x81\x7f" + (70_000).to_bytes(8, "big"))
    yield chosen(0xE0, b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\nno")
    yield chosen(0xE1, _OPENED % b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
