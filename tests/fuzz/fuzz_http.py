"""The reader of HTTP replies: in any pieces, within its limits, as h11 reads."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import second_readers as second
from fuzz_kit import SMALL, Look, bounded, chosen, picked, pieces

from conformance.wire.http.reply import ReplyReader, decode_content
from conformance.wire.messages import HttpReply, Limits, WireProblem

_LIMITS = Limits(**SMALL)


def _read(parts: Iterable[bytes], head_only: bool) -> tuple[HttpReply | None, WireProblem | None, bool]:
    """Reply, problem, and whether the reply was whole before the connection ended."""
    reader = ReplyReader(_LIMITS, head_only=head_only)
    for part in parts:
        assert reader.phase in ("wait", "headers", "body")
        problem = reader.feed(part)
        if problem is not None:
            return None, problem, False
        if reader.done:
            return *reader.reply(), True
    problem = reader.end()
    if problem is not None:
        return None, problem, False
    return *reader.reply(), False


def look(data: bytes) -> None:
    choice, wire = picked(data, tuple(range(64)))
    step, head_only = choice % 32, choice >= 32 and choice % 2 == 0
    reply, problem, whole = _read(pieces(wire, step), head_only)
    again, other, _ = _read((wire,), head_only)
    assert (reply is None) is (again is None) or _idle(problem, other), f"{problem} in pieces, {other} at once"
    if problem is not None:
        assert len(problem.message) <= 2_000
    if reply is None or again is None:
        return
    assert (reply.status, reply.reason, reply.headers, reply.body) == (
        again.status,
        again.reason,
        again.headers,
        again.body,
    )
    assert len(reply.body) <= _LIMITS.max_body_bytes
    assert sum(len(name) + len(value) for name, value in reply.headers) <= _LIMITS.max_header_bytes
    assert 200 <= reply.status <= 999
    if reply.headers and problem is None:
        _unpacked(reply)
    if whole and not head_only:
        wanted = second.http_reply(wire)
        assert wanted is None or wanted[0] == reply.status, (
            f"h11 reads status {wanted and wanted[0]}, not {reply.status}"
        )
        coded = any(name.lower() == "content-encoding" for name, _ in reply.headers)
        assert wanted is None or coded or wanted[1] == reply.body, (
            f"h11 reads {wanted and wanted[1]!r}, not {reply.body!r}"
        )


def _idle(*problems: WireProblem | None) -> bool:
    """A limit on bytes that bring nothing is counted by read, and bytes behind a reply are not read."""
    return any(one is not None and one.kind == "too-large" for one in problems)


def _unpacked(reply: HttpReply) -> None:
    """What was packed once more comes out the same."""
    for coding, wbits in (("gzip", 31), ("deflate", 15), ("deflate", -15)):
        packer = zlib.compressobj(wbits=wbits)
        packed = packer.compress(reply.body) + packer.flush()
        undone = decode_content((("Content-Encoding", coding),), packed, _LIMITS.max_body_bytes)
        assert undone == reply.body


def harness(_folder: Path) -> Look:
    """The reader, in bounded time."""
    return bounded(look)


def seeds() -> Iterator[bytes]:
    body = b'{"result": true, "errormsg": null, "errorcode": 0, "detail": null}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    length = head + b"Content-Length: %d\r\n\r\n"
    packed = zlib.compressobj(wbits=31)
    squeezed = packed.compress(body) + packed.flush()
    for choice in (0, 1, 9, 34):
        yield chosen(choice, length % len(body) + body)
    yield chosen(
        0,
        head
        + b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\n"
        + body[:5]
        + b"\r\n3\r\n"
        + body[5:8]
        + b"\r\n0\r\nX: y\r\n\r\n",
    )
    yield chosen(4, head + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(squeezed) + squeezed)
    yield chosen(0, head + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(body))
    yield chosen(0, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 204 No Content\r\nConnection: keep-alive\r\n\r\n")
    yield chosen(2, b"HTTP/1.1 404 Not Found\r\nServer: a\r\n b\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
    yield chosen(0, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
    yield chosen(0, head + b"Content-Encoding: gzip, deflate, identity, br\r\nContent-Length: 3\r\n\r\nabc")
