"""Other ways to write one HTTP/1.1 request (RFC 9110, RFC 9112): every recipient must find the same request in each.

A spelling is made of the bytes that would be sent, framed by Content-Length, and gives the pieces that are written one
after the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

Pieces = tuple[bytes, ...]
_WORD = re.compile(rb"[A-Za-z0-9_-]+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a request is written: `pieces` are apart in time by `pause_s`.

    With `after_continue` what follows the first piece waits for an interim answer, or for `pause_s` where none comes.
    """

    pieces: Callable[[bytes], Pieces]
    pause_s: float = 0.002
    after_continue: bool = False


def _parts(payload: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Request line, header lines and body."""
    head, _, body = payload.partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    return line, headers, body


def _joined(line: bytes, headers: list[bytes], body: bytes) -> bytes:
    return b"\r\n".join((line, *headers)) + b"\r\n\r\n" + body


def _headers(payload: bytes, change: Callable[[bytes, bytes], bytes]) -> Pieces:
    """Each header line written anew from its name and value."""
    line, headers, body = _parts(payload)
    split = (one.partition(b":") for one in headers)
    return (_joined(line, [change(name, value.strip()) for name, _, value in split], body),)


def _line(payload: bytes, change: Callable[[bytes, bytes, bytes, bytes], bytes]) -> Pieces:
    """The request line written anew from method, target, version and the host of the request."""
    line, headers, body = _parts(payload)
    method, target, version = line.split(b" ")
    host = next((one.partition(b":")[2].strip() for one in headers if one.lower().startswith(b"host:")), b"")
    return (_joined(change(method, target, version, host), headers, body),)


def _with(payload: bytes, *lines: bytes) -> Pieces:
    line, headers, body = _parts(payload)
    return (_joined(line, [*headers, *lines], body),)


def _expects(payload: bytes) -> Pieces:
    line, headers, body = _parts(payload)
    return (_joined(line, [*headers, b"Expect: 100-continue"], b""), body)


def cut_between_words(body: bytes, size: int) -> list[bytes]:
    """The body in pieces of that many bytes at least, but for the last.

    No word is cut, so that a secret is still seen to be one in the evidence.
    """
    pieces: list[bytes] = []
    held = b""
    for word in _WORD.findall(body):
        held += word
        if len(held) >= size:
            pieces, held = [*pieces, held], b""
    return [*pieces, held] if held else pieces


def _chunks(
    payload: bytes,
    *,
    size: int = 16,
    written: str = "x",
    extension: bytes = b"",
    trailer: bytes = b"",
    coding: bytes = b"chunked",
    apart: bool = False,
) -> Pieces:
    """The body in chunks of so many bytes or a few more (RFC 9112, 7.1)."""
    line, headers, body = _parts(payload)
    kept = [one for one in headers if not one.lower().startswith(b"content-length:")]
    head = _joined(line, [*kept, b"Transfer-Encoding: " + coding], b"")
    chunks = [
        b"%b%b\r\n%b\r\n" % (format(len(one), written).encode(), extension, one)
        for one in cut_between_words(body, size)
    ]
    last = b"0%b\r\n%b\r\n" % (extension, trailer)
    return (head, *chunks, last) if apart else (b"".join((head, *chunks, last)),)


def _blank(name: bytes, value: bytes, *, length: bool) -> bytes:
    """Blanks and tabs around the value of Content-Length, or around all others."""
    around = b"\t " if (name.lower() == b"content-length") is length else b""
    return name + b": " + around + value + around[::-1]


def _length_with_zeros(name: bytes, value: bytes) -> bytes:
    return name + b": " + (value.rjust(8, b"0") if name.lower() == b"content-length" else value)


def _cut(payload: bytes, size: int) -> Pieces:
    return tuple(payload[place : place + size] for place in range(0, len(payload), size))


def _body_apart(payload: bytes) -> Pieces:
    head, gap, body = payload.partition(b"\r\n\r\n")
    return (head + gap, *_cut(body, max(1, len(body) // 4)))


SPELLINGS: Mapping[str, Spelling] = {
    "http-names-in-capitals": Spelling(partial(_headers, change=lambda name, value: name.upper() + b": " + value)),
    "http-names-in-lower-case": Spelling(partial(_headers, change=lambda name, value: name.lower() + b": " + value)),
    "http-no-blank-before-values": Spelling(partial(_headers, change=lambda name, value: name + b":" + value)),
    "http-blanks-around-values": Spelling(partial(_headers, change=partial(_blank, length=False))),
    "http-blanks-around-length": Spelling(partial(_headers, change=partial(_blank, length=True))),
    "http-length-with-zeros": Spelling(partial(_headers, change=_length_with_zeros)),
    "http-unknown-headers": Spelling(lambda payload: _with(payload, b"X-Empty:", b"X-Quoted: \"a, b\"; c=1", b"X-Text: \xe4")),
    "http-many-headers": Spelling(lambda payload: _with(payload, *(b"X-Header-%d: %b" % (n, b"v" * 64) for n in range(40)))),
    "http-target-absolute": Spelling(
        partial(_line, change=lambda method, target, version, host: b"%b http://%b%b %b" % (method, host, target, version))
    ),
    "http-version-1-0": Spelling(
        partial(_line, change=lambda method, target, _version, _host: b"%b %b HTTP/1.0" % (method, target))
    ),
    "http-empty-line-before": Spelling(lambda payload: (b"\r\n" + payload,)),
    "http-expect-continue": Spelling(_expects, pause_s=0.25, after_continue=True),
    "http-chunks": Spelling(_chunks),
    "http-chunks-of-one-word": Spelling(partial(_chunks, size=1)),
    "http-chunks-apart": Spelling(partial(_chunks, size=24, apart=True)),
    "http-chunk-sizes-in-capitals": Spelling(partial(_chunks, size=43, written="X")),
    "http-chunk-sizes-with-zeros": Spelling(partial(_chunks, written="06x")),
    "http-chunk-extensions": Spelling(partial(_chunks, extension=b';name=value;other="a b;\\"c"')),
    "http-chunk-trailers": Spelling(partial(_chunks, trailer=b"X-Trailer: 1\r\nX-Other: 2\r\n")),
    "http-coding-in-capitals": Spelling(partial(_chunks, coding=b"CHUNKED")),
    "http-head-in-pieces": Spelling(partial(_cut, size=120)),
    "http-body-in-pieces": Spelling(_body_apart),
}  # fmt: skip
"""By the id of their row in the table of spellings."""
