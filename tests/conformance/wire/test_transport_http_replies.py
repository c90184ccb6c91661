"""The HTTP transport reads every legal reply exactly and turns every illegal one into one problem."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest

from conformance.wire import HttpReply, HttpRequest

pytestmark = pytest.mark.timeout(120)
GET = HttpRequest("GET", "/x")


def reply_of(exchange: Any) -> HttpReply:
    assert exchange.problem is None
    assert isinstance(exchange.reply, HttpReply)
    return exchange.reply


def problem_of(exchange: Any) -> tuple[str, str]:
    assert exchange.problem is not None
    return exchange.problem.kind, exchange.problem.phase


def test_a_reply_keeps_status_reason_headers_and_body(ask: Any) -> None:
    wire = b"HTTP/1.1 422 Not Like That\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 3\r\n\r\n\xff\x00z"
    exchange = ask(wire)
    assert reply_of(exchange) == HttpReply(
        422, "Not Like That", (("X-A", "1"), ("x-a", "2"), ("Content-Length", "3")), b"\xff\x00z", "1.1"
    )
    assert exchange.received == wire
    assert not exchange.truncated


def test_the_bytes_sent_are_the_evidence(ask: Any) -> None:
    exchange = ask(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", HttpRequest("PUT", "/a?b", (("X-y", "Z"),), b"12"))
    head, body = exchange.sent.split(b"\r\n\r\n")
    assert head.startswith(b"PUT /a?b HTTP/1.1\r\nHost: 127.0.0.1:")
    assert head.endswith(b"\r\nX-y: Z\r\nContent-Length: 2")
    assert body == b"12"


def test_invalid_utf8_in_a_body_is_only_bytes(ask: Any) -> None:
    assert reply_of(ask(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xc3\x28")).body == b"\xc3\x28"


def test_an_empty_reason_is_kept_empty(ask: Any) -> None:
    assert reply_of(ask(b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n")).reason == ""


def test_informational_replies_are_skipped(ask: Any) -> None:
    before = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: a\r\n\r\n"
    wire = before + b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nA"
    reply = reply_of(ask(wire))
    assert (reply.status, reply.reason, reply.headers, reply.body) == (
        200,
        "OK",
        (("Content-Length", "1"),),
        b"A",
    )


def test_a_head_reply_has_no_body_whatever_its_length_says(ask: Any) -> None:
    wire = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
    assert reply_of(ask(wire, HttpRequest("HEAD", "/x"), close=False)).body == b""


@pytest.mark.parametrize("status", [204, 304])
def test_a_bodyless_status_ends_at_its_headers(ask: Any, status: int) -> None:
    wire = f"HTTP/1.1 {status} No\r\n\r\n".encode()
    assert reply_of(ask(wire, GET, close=False)).status == status


def test_a_chunked_body_is_joined(ask: Any) -> None:
    wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n"
    reply = reply_of(ask(wire, close=False))
    assert reply.body == b"abcde"
    assert reply.headers == (("Transfer-Encoding", "chunked"),)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"])
def test_a_body_without_a_length_ends_with_the_connection(ask: Any, head: bytes) -> None:
    assert reply_of(ask(head + b"to the end")).body == b"to the end"


def test_a_redirect_is_only_a_reply(ask: Any) -> None:
    wire = b"HTTP/1.1 307 There\r\nLocation: http://192.0.2.1/steal\r\nContent-Length: 0\r\n\r\n"
    reply = reply_of(ask(wire))
    assert (reply.status, reply.headers[0]) == (307, ("Location", "http://192.0.2.1/steal"))


@pytest.mark.parametrize("junk", [b"junk", b"HTTP/1.1 500 Two\r\nContent-Length: 0\r\n\r\n"])
def test_bytes_behind_the_reply_are_noted(ask: Any, junk: bytes) -> None:
    wire = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    exchange = ask(wire + junk, close=False)
    reply = reply_of(exchange)
    assert (reply.status, reply.body, reply.trailing_data) == (200, b"{}", True)
    assert exchange.received == wire + junk


def test_bytes_behind_a_closing_reply_are_noted(ask: Any) -> None:
    reply = reply_of(ask(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}more"))
    assert (reply.body, reply.trailing_data) == (b"{}", True)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(b"hello", mtime=0)),
        ("X-GZIP", gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo", mtime=0)),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", zlib.compress(b"hello")[2:-4]),
        ("identity", b"hello"),
        ("deflate, gzip", gzip.compress(zlib.compress(b"hello"), mtime=0)),
    ],
)
def test_a_content_coding_is_undone(ask: Any, coding: str, packed: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(packed)}\r\n\r\n"
    assert reply_of(ask(head.encode() + packed)).body == b"hello"


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", b"not gzip"),
        ("gzip", gzip.compress(b"hello", mtime=0)[:-9]),
        ("br", b"xyz"),
        ("deflate", b"\x00\x01"),
        ("gzip,gzip,gzip,gzip,gzip", b"x"),
        ("gzip", gzip.compress(b"", mtime=0) * 100),
    ],
)
def test_a_broken_content_coding_is_a_problem_beside_the_raw_reply(ask: Any, coding: str, packed: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(packed)}\r\n\r\n"
    exchange = ask(head.encode() + packed)
    assert problem_of(exchange) == ("content-encoding", "decode")
    assert exchange.reply.body == packed


@pytest.mark.parametrize(
    "wire",
    [
        b"SSH-2.0-OpenSSH_9.0\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/7.3 200 OK\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 039 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    ],
)
def test_what_is_not_http_is_malformed(ask: Any, wire: bytes) -> None:
    exchange = ask(wire, close=False)
    assert exchange.problem is not None
    assert exchange.problem.kind == "malformed"
    assert not exchange.problem.unreachable
    assert exchange.received == wire


def test_a_coding_is_known_in_any_letter_case_and_told_as_it_came(ask: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Encoding: %b\r\n\r\n"
    packed = gzip.compress(b"{}")
    assert reply_of(ask(head % (len(packed), b"GZip, Identity") + packed)).body == b"{}"
    exchange = ask(head % (2, b"Tr4der-SeCret-77") + b"{}")
    assert exchange.problem is not None
    assert exchange.problem.message.startswith("content coding 'Tr4der-SeCret-77'")


def test_a_body_behind_a_head_reply_is_noted(ask: Any) -> None:
    reply = reply_of(ask(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", HttpRequest("HEAD", "/x")))
    assert (reply.body, reply.trailing_data) == (b"", True)


@pytest.mark.parametrize("codings", ["secret, chunked", "gzip, chunked", "br"])
def test_a_transfer_coding_that_was_not_asked_for_is_a_problem(ask: Any, codings: str) -> None:
    exchange = ask(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {codings}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n".encode())
    assert problem_of(exchange) == ("content-encoding", "decode")
