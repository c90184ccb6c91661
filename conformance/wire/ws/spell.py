"""Other ways to frame one text message (RFC 6455): every server must find the same message in each.

A spelling is made of the payload and gives the pieces that are written one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from conformance.wire.ws.session import masked_frame

_TEXT, _CONTINUED, _PING, _PONG, _FINAL = 0x1, 0x0, 0x9, 0xA, 0x80
RandomBytes = Callable[[int], bytes]
Spelled = Callable[[bytes, RandomBytes], tuple[bytes, ...]]


def _fragments(
    payload: bytes, random_bytes: RandomBytes, *, cut: Callable[[bytes], tuple[bytes, ...]], between: int = 0
) -> tuple[bytes, ...]:
    """One message in several frames (5.4), with a control frame `between` them (5.5)."""
    parts = cut(payload)
    frames = []
    for place, part in enumerate(parts):
        first = (_CONTINUED if place else _TEXT) | (_FINAL if place == len(parts) - 1 else 0)
        if place and between:
            frames.append(masked_frame(_FINAL | between, b"between", random_bytes))
        frames.append(masked_frame(first, part, random_bytes))
    return (b"".join(frames),)


def _halves(payload: bytes) -> tuple[bytes, ...]:
    middle = len(payload) // 2
    return payload[:middle], payload[middle:]


def _each_byte(payload: bytes) -> tuple[bytes, ...]:
    return tuple(payload[place : place + 1] for place in range(len(payload)))


def _beside(payload: bytes, random_bytes: RandomBytes, *, control: int) -> tuple[bytes, ...]:
    """A control frame in front of the message, in the same piece."""
    before = masked_frame(_FINAL | control, b"", random_bytes)
    return (before + masked_frame(_FINAL | _TEXT, payload, random_bytes),)


def _unmasked_bits(payload: bytes, _random_bytes: RandomBytes) -> tuple[bytes, ...]:
    """A mask of zeros, which leaves the payload as it is (5.3)."""
    return (masked_frame(_FINAL | _TEXT, payload, bytes),)


def _in_pieces(payload: bytes, random_bytes: RandomBytes) -> tuple[bytes, ...]:
    frame = masked_frame(_FINAL | _TEXT, payload, random_bytes)
    return (frame[:1], frame[1:5], frame[5:20], frame[20:])


SPELLINGS: Mapping[str, Spelled] = {
    "ws-in-two-fragments": partial(_fragments, cut=_halves),
    "ws-fragments-of-one-byte": partial(_fragments, cut=_each_byte),
    "ws-empty-fragment-first": partial(_fragments, cut=lambda payload: (b"", payload)),
    "ws-empty-fragment-last": partial(_fragments, cut=lambda payload: (payload, b"")),
    "ws-empty-fragment-between": partial(_fragments, cut=lambda payload: (payload[:9], b"", payload[9:])),
    "ws-ping-between-fragments": partial(_fragments, cut=_halves, between=_PING),
    "ws-pong-between-fragments": partial(_fragments, cut=_halves, between=_PONG),
    "ws-ping-before": partial(_beside, control=_PING),
    "ws-pong-before": partial(_beside, control=_PONG),
    "ws-mask-of-zeros": _unmasked_bits,
    "ws-frame-in-pieces": _in_pieces,
}
"""By the id of their row in the table of spellings."""
PAUSE_S = 0.002
"""Between two pieces."""
