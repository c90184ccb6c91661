"""A body or a message that is longer than is kept brings its length along, and nothing else."""

from __future__ import annotations

import gzip

from conformance.wire.http.reply import ReplyReader
from conformance.wire.messages import HttpReply, Limits

LIMITS = Limits(max_kept_bytes=1_000)


def _read(body: bytes, *headers: bytes, step: int = 300) -> HttpReply:
    reader = ReplyReader(LIMITS)
    whole = b"\r\n".join([b"HTTP/1.1 200 OK", *headers, b"Content-Length: %d" % len(body), b"", b""]) + body
    for place in range(0, len(whole), step):
        assert reader.feed(whole[place : place + step]) is None
    assert reader.done
    reply, problem = reader.reply()
    assert problem is None
    assert reply is not None
    return reply


def test_as_much_as_is_kept_is_kept() -> None:
    assert (_read(b"x" * 1_000).body, _read(b"x" * 1_000).unread_bytes) == (b"x" * 1_000, 0)
    assert (_read(b"x" * 1_001).body, _read(b"x" * 1_001).unread_bytes) == (b"", 1_001)
    assert (_read(b"x" * 90_000, step=7_000).body, _read(b"x" * 90_000).unread_bytes) == (b"", 90_000)


def test_a_packed_body_counts_as_it_is_unpacked() -> None:
    small, long = gzip.compress(b"x" * 900), gzip.compress(b"x" * 50_000)
    assert _read(small, b"Content-Encoding: gzip").body == b"x" * 900
    assert (_read(long, b"Content-Encoding: gzip").body, _read(long, b"Content-Encoding: gzip").unread_bytes) == (
        b"",
        50_000,
    )
