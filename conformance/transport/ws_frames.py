"""WebSocket frames as bytes: writing a client's text frame, cutting what a server sends at frame borders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

_CONTROL_BIT = 0x08
_MASK_BIT = 0x80


def text_frame(payload: bytes, random_bytes: Callable[[int], bytes]) -> bytes:
    """One final, masked text frame (RFC 6455 section 5.2); the payload is sent as it is, UTF-8 or not."""
    size = len(payload)
    if size < 126:
        head = bytes((0x81, _MASK_BIT | size))
    elif size < 65536:
        head = b"\x81\xfe" + size.to_bytes(2, "big")
    else:
        head = b"\x81\xff" + size.to_bytes(8, "big")
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
