"""Hostile behaviours over WebSocket: at the handshake, at the sign-in, and in answer to a message."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence

from behaviour import Act, Behaviour, Hit, drip, flood, half_close, hold, keep, reset, send

CLOSED = frozenset({("CAO-SYNC", "answered")})
NOT_SENT = "nothing of the case was sent, so nothing is judged: not verified"
NOBODY = "connections are accepted and no handshake is ever answered: nobody is there"
NO_ANSWER = "the message left and no answer to it came: one finding that the call was not answered"
NOT_RIGHT = "a frame came, and the page has no such answer to this message"
TOO_LONG = "more than is read of an answer says nothing of the contract: not verified; ten of eleven cases are enough"
FINE = "RFC 6455 permits it, so it is no finding"
EVENT = b'{"m":3,"i":99,"n":"OrderStateEvent","o":"{}"}'
STANDARD = json.dumps({"result": True, "errormsg": None, "errorcode": 0, "detail": None})
WRONG = {
    "for-another": ("CAO-WS-I", "frame"),
    "for-two-others": ("CAO-WS-I", "frame"),
    "no-json": ("CAO-AGAIN", "outcome"),
    "error-frame-of-bare-text": ("CAO-AGAIN", "outcome"),
    "bare-text": ("CAO-WS-O", "frame"),
    "another-name": ("CAO-WS-N", "frame"),
    "deep": ("CAO-WS-O", "frame"),
    "huge-number": ("CAO-AGAIN", "outcome"),
    "answered-twice": ("CAO-SYNC", "frame"),
    "equal-members": ("CAO-WS-M", "frame"),
    "event-flood": ("CAO-AGAIN", "outcome"),
    "binary-flood": ("CAO-AGAIN", "outcome"),
    "frames-of-nothing": ("CAO-AGAIN", "outcome"),
}
"""What is found in frames that are no right answer. One that may be meant for nobody leaves the case without one."""


def frame(payload: bytes, first: int = 0x81) -> bytes:
    """A server's frame, which carries no mask."""
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def reply(hit: Hit, *, payload: str = STANDARD, kind: int = 1, name: str = "CancelAllOrders", shift: int = 0) -> bytes:
    """A right answer, unless told otherwise."""
    return json.dumps({"m": kind, "i": hit.number + shift, "n": name, "o": payload}).encode()


def framed(hit: Hit) -> bytes:
    """A right answer in one frame."""
    return frame(reply(hit))


def _shaken(
    *more: bytes, accept: Callable[[Hit], bytes] | None = None, status: bytes = b"101 Switching Protocols"
) -> Act:
    def lines(hit: Hit) -> bytes:
        key = hit.accept if accept is None else accept(hit)
        parts = [b"HTTP/1.1 " + status, b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Accept: " + key]
        return b"\r\n".join([*parts, *more, b"", b""])

    return send(lines)


def _handshakes() -> Iterator[Behaviour]:
    answers: dict[str, tuple[Act, ...]] = {
        "handshake-silent": (hold,),
        "handshake-half-closed": (half_close,),
        "handshake-reset": (reset,),
        "handshake-closed": (),
        "handshake-forbidden": (send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),),
        "handshake-ok": (send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), hold),
        "handshake-redirected": (
            send(b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"),
        ),
        "handshake-garbage": (send(b"220 mail.example ESMTP\r\n\r\n"),),
        "handshake-nul": (send(b"\x00" * 500),),
        "handshake-wrong-accept": (_shaken(accept=lambda _: b"AAAAAAAAAAAAAAAAAAAAAAAAAAA="), hold),
        "handshake-no-accept": (send(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"), hold),
        "handshake-no-upgrade": (send(b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\n\r\n"), hold),
        "handshake-unasked-protocol": (_shaken(b"Sec-WebSocket-Protocol: secret"), hold),
        "handshake-unasked-extension": (_shaken(b"Sec-WebSocket-Extensions: permessage-deflate"), hold),
        "handshake-endless-headers": (send(b"HTTP/1.1 101 X\r\n"), flood(b"X: y\r\n")),
        "handshake-endless-informational": (flood(b"HTTP/1.1 100 Continue\r\n\r\n"),),
        "handshake-byte-by-byte": (drip(b"HTTP/1.1 101 X\r\n", 0.6),),
        "handshake-headers-byte-by-byte": (send(b"HTTP/1.1 101 X\r\n"), drip(b"Upgrade: websocket\r\n" * 9)),
        "handshake-endless-refusal": (send(b"HTTP/1.1 403 Forbidden\r\n\r\n"), flood(b"no ")),
    }
    nobody = ("silent", "half-closed", "reset", "closed", "garbage", "nul", "byte-by-byte")
    for name, acts in answers.items():
        if name.removeprefix("handshake-") in nobody:
            yield Behaviour(name, "handshake", acts, 3, "target-error", NOBODY, timeouts=3)
        else:
            timeouts = 6 if name == "handshake-headers-byte-by-byte" else 0
            yield Behaviour(name, "handshake", acts, 4, "not-verified", NOT_SENT, timeouts=timeouts)


def _sign_ins() -> Iterator[Behaviour]:
    answers: dict[str, tuple[Act, ...]] = {
        "sign-in-unanswered": (keep,),
        "sign-in-reset": (reset,),
        "sign-in-closed": (send(frame(b"\x03\xe8", 0x88)),),
        "sign-in-refused": (
            send(lambda hit: frame(reply(hit, name="WebAuthenticateUser", payload='{"Authenticated": false}'))),
            keep,
        ),
        "sign-in-no-json": (send(frame(b"{nope")), keep),
        "sign-in-ping-flood": (flood(frame(b"", 0x89)),),
        "sign-in-for-another": (
            send(lambda hit: frame(reply(hit, name="WebAuthenticateUser", payload='{"Authenticated": true}', shift=2))),
            keep,
        ),
        "sign-in-masked": (send(bytes((0x81, 0x84)) + b"mask" + b"text"), keep),
        "sign-in-of-a-gigabyte": (send(b"\x81\x7f" + (1 << 30).to_bytes(8, "big")), flood(b" ")),
    }
    waits = {
        "sign-in-unanswered": 3,
        "sign-in-for-another": 2,
        "sign-in-no-json": 2,
        "sign-in-reset": 1,
        "sign-in-closed": 1,
    }
    for name, acts in answers.items():
        yield Behaviour(name, "frame-sign-in", acts, 4, "not-verified", NOT_SENT, timeouts=waits.get(name, 0))


def _packed(payload: bytes) -> bytes:
    """As permessage-deflate would have it, which nobody asked for (RFC 7692)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def _split(hit: Hit) -> bytes:
    """The answer in as many fragments as it has bytes."""
    whole = reply(hit)
    return b"".join(
        frame(whole[n : n + 1], (0x01 if n == 0 else 0x00) | (0x80 if n == len(whole) - 1 else 0))
        for n in range(len(whole))
    )


def _messages() -> Iterator[Behaviour]:
    lost: dict[str, tuple[Act, ...]] = {
        "silent": (keep,),
        "reset": (reset,),
        "closed-without-goodbye": (),
        "half-closed": (half_close,),
        "half-a-frame": (send(lambda hit: framed(hit)[:20]), keep),
        "half-a-frame-and-closed": (send(lambda hit: framed(hit)[:20]),),
        "first-byte-alone": (send(b"\x81"), keep),
        "byte-by-byte": (drip(framed),),
        "masked": (send(bytes((0x81, 0x84)) + b"mask" + b"text"), keep),
        "reserved-bit-1": (send(lambda hit: frame(reply(hit), 0xC1)), keep),
        "reserved-bits-2-and-3": (send(lambda hit: frame(reply(hit), 0xB1)), keep),
        "reserved-opcode-3": (send(frame(b"", 0x83)), keep),
        "reserved-control-11": (send(frame(b"", 0x8B)), keep),
        "fragmented-ping": (send(frame(b"", 0x09)), keep),
        "ping-of-126-bytes": (send(frame(b"x" * 126, 0x89)), keep),
        "continuation-of-nothing": (send(frame(b"x", 0x80)), keep),
        "text-within-fragments": (send(frame(b"{", 0x01), framed), keep),
        "endless-fragments": (send(frame(b"[", 0x01)), flood(frame(b" " * 100, 0x00))),
        "endless-empty-fragments": (send(frame(b"", 0x01)), flood(frame(b"", 0x00))),
        "ping-flood": (flood(frame(b"", 0x89)),),
        "flood-of-long-pings": (flood(frame(b"x" * 125, 0x89)),),
        "pings-among-fragments": (send(frame(b"{", 0x01)), flood(frame(b"?", 0x89) + frame(b" ", 0x00))),
        "packed": (send(lambda hit: frame(_packed(reply(hit)), 0xC1)), keep),
        "packed-bomb": (send(lambda hit: frame(_packed(b" " * 100_000_000), 0xC1)), keep),
        "reserved-bit-on-ping": (send(frame(b"", 0xC9)), keep),
        "close-twice": (send(frame(b"\x03\xe8", 0x88) * 2), keep),
        "close-of-126-bytes": (send(frame(b"\x03\xe8" + b"x" * 124, 0x88)), keep),
        "close-in-fragments": (send(frame(b"\x03\xe8", 0x08), frame(b"", 0x80)), keep),
        "second-handshake": (send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"), keep),
        "pong-flood": (flood(frame(b"x", 0x8A)),),
        "length-with-highest-bit": (send(b"\x81\x7f" + (1 << 63).to_bytes(8, "big")), keep),
        "length-of-2-to-62": (send(b"\x81\x7f" + (1 << 62).to_bytes(8, "big")), flood(b" ")),
        "one-gigabyte": (send(b"\x81\x7f" + (1 << 30).to_bytes(8, "big")), flood(b" ")),
        "length-in-too-many-bytes": (
            send(lambda hit: b"\x81\x7f" + len(reply(hit)).to_bytes(8, "big") + reply(hit)),
            keep,
        ),
        "invalid-utf-8": (send(frame(b"\xff\xfe")), keep),
        "utf-8-cut-at-the-end": (send(frame(b"{\xe2\x82")), keep),
        "utf-8-broken-over-fragments": (send(frame(b"\xe2\x82", 0x01), frame(b"\x28", 0x80)), keep),
        "close-1000": (send(frame(b"\x03\xe8", 0x88)), keep),
        "close-of-one-byte": (send(frame(b"\x03", 0x88)), keep),
        "close-999": (send(frame(b"\x03\xe7", 0x88)), keep),
        "close-1005": (send(frame(b"\x03\xed", 0x88)), keep),
        "close-65535": (send(frame(b"\xff\xffbye", 0x88)), keep),
        "close-reason-no-utf-8": (send(frame(b"\x03\xe8\xff\xfe", 0x88)), keep),
        "close-never-answered": (send(frame(b"\x03\xe8", 0x88)), flood(b"\x00")),
        "http-in-between": (send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), keep),
        "tls-in-between": (send(b"\x15\x03\x03\x00\x02\x02\x50"), keep),
        "nul-bytes": (send(b"\x00" * 100), keep),
    }
    for name, acts in lost.items():
        timeouts = int(name in ("silent", "half-a-frame", "first-byte-alone", "byte-by-byte", "endless-fragments"))
        yield Behaviour(f"frame-{name}", "frame", acts, 1, "fail", NO_ANSWER, CLOSED, timeouts)
    wrong: dict[str, tuple[Act, ...]] = {
        "event-flood": (flood(frame(EVENT)),),
        "binary-flood": (flood(frame(b"\x00" * 1_000, 0x82)),),
        "frames-of-nothing": (flood(frame(b"", 0x81)),),
        "for-another": (send(lambda hit: frame(reply(hit, shift=2))), keep),
        "for-two-others": (send(lambda hit: frame(reply(hit, shift=-2)) + frame(reply(hit, shift=2))), keep),
        "no-json": (send(frame(b"{nope")), keep),
        "error-frame-of-bare-text": (send(lambda hit: frame(reply(hit, kind=5, payload="went wrong"))), keep),
        "bare-text": (send(lambda hit: frame(reply(hit, payload="no object"))), keep),
        "another-name": (send(lambda hit: frame(reply(hit, name="CancelQuote"))), keep),
        "deep": (
            send(
                lambda hit: frame(
                    b'{"m":1,"i":%d,"n":"CancelAllOrders","o":' % hit.number + b"[" * 40_000 + b"]" * 40_000 + b"}"
                )
            ),
            keep,
        ),
        "huge-number": (send(lambda hit: frame(reply(hit).replace(b'"i": ', b'"i": 1' + b"0" * 4000))), keep),
        "answered-twice": (send(framed, framed), keep),
        "equal-members": (
            send(lambda hit: frame(reply(hit)[:-1] + b"".join(b',"m":%d' % n for n in range(5_000)) + b"}")),
            keep,
        ),
    }
    for name, acts in wrong.items():
        requirement, check = WRONG[name]
        checks, timeouts = frozenset({(requirement, check)}), int(name.endswith(("flood", "of-nothing")))
        yield Behaviour(f"frame-{name}", "frame", acts, 1, "fail", NOT_RIGHT, checks, timeouts)
    fine: dict[str, tuple[Act, ...]] = {
        "binary": (send(lambda hit: frame(reply(hit), 0x82)), keep),
        "split-at-each-byte": (send(_split), keep),
        "fifty-pings-before": (send(frame(b"?", 0x89) * 50, framed), keep),
        "events-around": (send(frame(EVENT), framed, frame(EVENT)), keep),
        "goodbye-with-answer": (send(framed, frame((1001).to_bytes(2, "big"), 0x88)), keep),
    }
    for name, acts in fine.items():
        yield Behaviour(f"frame-{name}", "frame", acts, 0, "pass", FINE)
    yield Behaviour(
        "frame-of-seven-megabytes",
        "frame",
        (send(lambda hit: frame(reply(hit, payload="x" * 7_000_000))), keep),
        0,
        "not-verified",
        TOO_LONG,
    )


WEBSOCKET: Sequence[Behaviour] = (*_handshakes(), *_sign_ins(), *_messages())
