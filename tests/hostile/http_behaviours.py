"""Hostile behaviours over HTTP: in time, in bytes on the wire, and in what a body holds."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from functools import partial

from behaviour import Act, Behaviour, Place, drip, flood, half_close, hold, keep, pause, reset, send

UNKNOWN = 1987654321
GOOD = json.dumps(
    [{"OrderID": UNKNOWN, "InternationalOrderUID": None, "Success": False, "Errors": ["no such order"]}]
).encode()
RESULT = GOOD[1:-1]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_XML = (
    b'<ArrayOfCancellationCreationResult xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
    b' xmlns="http://schemas.datacontract.org/2004/07/TPP.Contracts.Services.Order">%s</ArrayOfCancellationCreationResult>'
)

ANSWERED = frozenset({("TPP-ANSWERED", "answered")})
SYNC, FLAT = frozenset({("CAO-SYNC", "answered")}), frozenset({("CAO-RESP-STANDARD", "readable")})
READABLE = frozenset({("TPP-RESP-LIST", "readable")})
FOUND = {
    "huge-exponent": {("TPP-RESP-IDENTITY", "identity"), ("TPP-RESP-ORDERID", "schema")},
    "equal-keys": {
        ("TPP-RESP-LIST", "members"),
        ("TPP-RESP-SUCCESS", "outcome"),
        ("TPP-RESP-ERRORS-ON-FAILURE", "schema"),
    },
    "5000-results": {("TPP-RESP-ONE-EACH", "one-each")},
    "unknown-members": {("TPP-RESP-IDENTITY", "identity"), ("TPP-RESP-SUCCESS", "schema")},
    "page": {("TPP-MALFORMED", "bad-input")},
    "5000-namespaces": {("TPP-RESP-ONE-EACH", "one-each"), ("TPP-RESP-XML-ITEM", "xml-item")},
    "20000-instructions": {("TPP-RESP-ONE-EACH", "one-each")},
}
"""What is found in answers that can be read after all, but are not right."""
NO_ANSWER = "no whole answer came although others get theirs: one finding that the call was not answered"
UNREADABLE = "what came is a whole answer in no form that the page has"
NOT_SENT = "nobody was signed in, so nothing of the case was sent and nothing is judged"
TOO_LONG = "more than is read of an answer says nothing of the contract: not verified; ten of eleven cases are enough"
FINE = "HTTP permits it, so it is no finding"


def answer(body: bytes, *headers: str, media: str = "application/json", status: str = "200 OK") -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media}; charset=utf-8", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _unanswered(name: str, *acts: Act, timeouts: int = 0, place: Place = "json") -> Behaviour:
    return Behaviour(name, place, acts, 1, "fail", NO_ANSWER, ANSWERED, timeouts)


def _fine(name: str, *acts: Act) -> Behaviour:
    return Behaviour(name, "json", (*acts, keep), 0, "pass", FINE)


def _too_long(name: str, *acts: Act, place: Place = "json") -> Behaviour:
    return Behaviour(name, place, (*acts, keep), 0, "not-verified", TOO_LONG)


def _bomb(layers: int = 1, coding: int = 31) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, coding)
    packed = b"".join([*(packer.compress(b" " * 1_000_000) for _ in range(200)), packer.flush()])
    for _ in range(layers - 1):
        packed = gzip.compress(packed, 9)
    return packed


def _never_ends() -> Iterator[Behaviour]:
    """Answers that take for ever, or have no end."""
    late = partial(_unanswered, timeouts=1)
    yield late("silence", hold)
    yield late("head-byte-by-byte", drip(answer(GOOD)))
    yield late("body-byte-by-byte", send(answer(GOOD)[:-100]), drip(GOOD[-100:]))
    yield late("chunks-byte-by-byte", send(CHUNKED), drip(b"1\r\n[\r\n" * 50))
    yield late("head-without-end", send(HEAD), hold)
    yield late("status-line-without-end", send(b"HTTP/1.1 200 O"), hold)
    yield late("body-that-stops", send(answer(GOOD)[:-10]), hold)
    yield late("chunk-that-stops", send(CHUNKED + b"50\r\n[{"), hold)
    yield late("no-last-chunk", send(CHUNKED + b"%x\r\n%s\r\n" % (len(GOOD), GOOD)), hold)
    yield late("trailers-that-stop", send(CHUNKED + b"%x\r\n%s\r\n0\r\nX: y\r\n" % (len(GOOD), GOOD)), hold)
    yield late("half-closed-after-head", send(HEAD + b"Content-Length: 90\r\n\r\n"), half_close)
    yield _unanswered("endless-status-line", send(b"HTTP/1.1 200 "), flood(b"O"))
    yield _unanswered("endless-header", send(HEAD + b"X: "), flood(b"y"))
    yield _unanswered("endless-headers", send(HEAD), flood(b"X-More: and more\r\n"))
    yield _unanswered("endless-informational", flood(b"HTTP/1.1 100 Continue\r\n\r\n"))
    yield _unanswered("endless-early-hints", flood(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"))
    yield _unanswered("endless-body", send(HEAD + b"Content-Length: 10000000000\r\n\r\n["), flood(b" "))
    yield _unanswered("endless-body-until-close", send(HEAD + b"\r\n["), flood(b" "))
    yield _unanswered("endless-chunks", send(CHUNKED), flood(b"1000\r\n" + b" " * 4096 + b"\r\n"))
    yield late("endless-one-byte-chunks", send(CHUNKED), flood(b"1\r\n \r\n"))
    yield _unanswered("endless-chunk-extension", send(CHUNKED + b"1;"), flood(b"x"))
    yield _unanswered("endless-chunk-size", send(CHUNKED), flood(b"0"))
    yield _unanswered("endless-trailers", send(CHUNKED + b"1\r\n[\r\n0\r\n"), flood(b"X: y\r\n"))


def _broken_off() -> Iterator[Behaviour]:
    """Connections that end at each kind of place."""
    whole, chunked = answer(GOOD), CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)
    places = {
        "before": b"",
        "in-version": whole[:6],
        "in-status": whole[:11],
        "in-headers": whole[:40],
        "before-blank-line": whole[: whole.index(b"\r\n\r\n") + 2],
        "after-head": whole[: -len(GOOD)],
        "in-body": whole[:-1],
        "in-chunk-size": chunked[: len(CHUNKED) + 1],
        "in-chunk": chunked[:-20],
        "before-last-chunk": chunked[:-5],
        "in-trailers": chunked[:-2],
    }
    for name, part in places.items():
        yield _unanswered(f"closed-{name}", send(part))
        yield _unanswered(f"reset-{name}", send(part), pause(0.03), reset)
    close = answer(GOOD, "Connection: close")
    yield Behaviour("reset-after-answer", "json", (send(close), pause(0.1), reset), 0, "pass", FINE)


def _badly_framed() -> Iterator[Behaviour]:
    """Bytes that are no HTTP, or HTTP that contradicts itself."""
    body = b"\r\n\r\n" + GOOD
    bad = {
        "two-lengths": HEAD + b"Content-Length: 3\r\nContent-Length: %d" % len(GOOD) + body,
        "negative-length": HEAD + b"Content-Length: -5" + body,
        "signed-length": HEAD + b"Content-Length: +5" + body,
        "listed-lengths": HEAD + b"Content-Length: 5, 5" + body,
        "length-in-words": HEAD + b"Content-Length: all" + body,
        "length-of-thirty-digits": HEAD + b"Content-Length: " + b"9" * 30 + body,
        "length-and-chunks": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked" + body,
        "chunk-size-in-words": CHUNKED + b"five\r\n[   ]\r\n0\r\n\r\n",
        "chunk-size-negative": CHUNKED + b"-5\r\n[   ]\r\n0\r\n\r\n",
        "chunk-size-beyond-64-bits": CHUNKED + b"1" + b"0" * 17 + b"\r\n[   ]\r\n0\r\n\r\n",
        "chunk-longer-than-it-says": CHUNKED + b"2\r\n[   ]\r\n0\r\n\r\n",
        "status-in-words": b"HTTP/1.1 good\r\n\r\n",
        "status-of-four-digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        "status-of-two-digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        "another-protocol": b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n",
        "a-mail-server": b"220 mail.example ESMTP ready\r\n",
        "tls-alert": b"\x15\x03\x01\x00\x02\x02\x50",
        "http-2-frames": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00\x03\x00\x00\x00\x64" * 3,
        "nul-bytes": b"\x00" * 1000,
        "nul-in-header": HEAD + b"X: a\x00b\r\nContent-Length: %d" % len(GOOD) + body,
        "header-without-colon": HEAD + b"nonsense\r\nContent-Length: %d" % len(GOOD) + body,
        "blank-in-header-name": HEAD + b"X y: z\r\nContent-Length: %d" % len(GOOD) + body,
        "switching-protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x00",
    }
    for name, data in bad.items():
        yield _unanswered(name, send(data), pause(0.02))
    more = {
        "body-without-head": GOOD,
        "early-hints-and-no-answer": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3,
        "6000-headers": answer(GOOD, *["X-More: and more"] * 6_000),
        "folded-header": answer(GOOD, "X: a", " b", "\tc"),
        "line-feeds-alone": answer(GOOD).replace(b"\r\n", b"\n"),
    }
    for name, data in more.items():
        yield _unanswered(name, send(data), pause(0.02))
    fine = {
        "header-of-60000-bytes": answer(GOOD, "X-More: " + "x" * 60_000),
        "20000-blank-lines-before": b"\r\n" * 20_000 + answer(GOOD),
        "http-1-0": answer(GOOD).replace(b"HTTP/1.1", b"HTTP/1.0"),
        "media-type-of-20000-bytes": answer(GOOD).replace(b"charset", b"a=b;" * 5_000 + b"charset"),
        "long-chunk-extensions": CHUNKED
        + (b"1;" + b"e" * 4_000 + b"\r\n \r\n") * 500
        + b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD),
    }
    for name, data in fine.items():
        yield _fine(name, send(data))
    other = {
        "identity-after-chunked": CHUNKED.replace(b"chunked", b"chunked, identity") + b"2\r\n[]\r\n0\r\n\r\n",
        "length-and-no-body-in-204": answer(GOOD, status="204 No Content"),
        "charset-of-no-text": answer(GOOD).replace(b"utf-8", b"idna"),
    }
    for name, data in other.items():
        yield Behaviour(name, "json", (send(data), pause(0.02)), 1, "fail", UNREADABLE, READABLE)
    secret = HEAD + b"Transfer-Encoding: secret, chunked\r\n\r\n5\r\n[   ]\r\n0\r\n\r\n"
    yield _unanswered("unknown-transfer-coding", send(secret), keep)
    yield _fine("early-hints-before", send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 20, answer(GOOD)))
    yield _fine("no-reason-phrase", send(answer(GOOD).replace(b"200 OK", b"200 ")))
    yield _fine("answer-in-one-byte-chunks", send(CHUNKED, *[b"1\r\n%c\r\n" % one for one in GOOD], b"0\r\n\r\n"))
    yield _fine("trailers", send(CHUNKED, b"%x;a=b\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(GOOD), GOOD)))
    yield _fine("two-answers-to-one-request", send(answer(GOOD), answer(b"[]")))
    yield _fine("noise-behind-answer", send(answer(GOOD), b"\x00\xffnoise" * 20))
    yield _fine("packed", send(answer(gzip.compress(GOOD), "Content-Encoding: gzip")))


def _packed() -> Iterator[Behaviour]:
    """Contents that are coded."""
    packed = gzip.compress(GOOD)
    coded = {
        "gzip-bomb": (_bomb(), "gzip"),
        "gzip-bomb-in-gzip": (_bomb(2), "gzip, gzip"),
        "no-gzip": (GOOD, "gzip"),
        "gzip-cut": (packed[:-10], "gzip"),
        "gzip-checksum-wrong": (packed[:-8] + bytes(8), "gzip"),
        "unknown-coding": (GOOD, "br"),
        "fifty-codings": (GOOD, ", ".join(["gzip"] * 50)),
        "deflate-bomb": (_bomb(coding=15), "deflate"),
        "bare-deflate-bomb": (_bomb(coding=-15), "deflate"),
        "deflate-bomb-in-gzip": (_bomb(2, coding=15), "deflate, gzip"),
        "300000-gzip-members": (gzip.compress(b"") * 300_000, "gzip"),
        "deflate-cut": (zlib.compress(GOOD)[:-10], "deflate"),
    }
    for name, (body, coding) in coded.items():
        yield _unanswered(name, send(answer(body, f"Content-Encoding: {coding}")), keep)


def _json() -> Iterator[Behaviour]:
    """JSON that nobody should read."""
    deep = 100_000
    read = {
        "deep-lists": b"[" * deep + b"]" * deep,
        "deep-objects": b'{"a":' * deep + b"1" + b"}" * deep,
        "unclosed-lists": b"[" * 1_000_000,
        "invalid-utf-8": GOOD.replace(b"no such", b"\xff\xfe\xc0"),
        "cut-json": GOOD[:-5],
        "empty": b"",
        "nul-body": b"\x00" * 1000,
        "integer-of-10000-digits": GOOD.replace(b"1987654321", b"9" * 10_000),
        "huge-exponent": GOOD.replace(b"1987654321", b"1e999999999"),
        "nan": GOOD.replace(b"1987654321", b"NaN"),
        "equal-keys": GOOD.replace(b'"Success": false', b'"Success": false, "Success": true'),
        "two-values": GOOD + GOOD,
        "comment": b"/* */" + GOOD,
        "utf-16": GOOD.decode().encode("utf-16"),
        "5000-results": b"[" + b",".join([RESULT] * 5000) + b"]",
        "unknown-members": b'[{"OrderID":1,' + b",".join(b'"k%d":0' % n for n in range(20_000)) + b"}]",
        "page": b"<html><body>" + b"<p>sorry" * 1000,
    }
    for name, body in read.items():
        yield Behaviour(
            name, "json", (send(answer(body)), keep), 1, "fail", UNREADABLE, frozenset(FOUND.get(name, READABLE))
        )
    yield _fine("half-a-surrogate", send(answer(GOOD.replace(b"no such", b"\\ud800"))))
    long = {
        "half-a-million-equal-keys": b"{" + b",".join([b'"a":0'] * 500_000) + b"}",
        "seven-megabytes-of-results": b"[" + b",".join([RESULT] * (7_000_000 // len(RESULT))) + b"]",
        "a-million-numbers": b"[" + b"0," * 1_000_000 + b"0]",
        "seven-megabytes-of-text": b'["' + b"\\u0041" * 1_200_000 + b'"]',
        "seven-megabytes-of-blanks": b" " * 7_000_000 + GOOD,
    }
    for name, body in long.items():
        yield _too_long(name, send(answer(body)))
    yield _too_long("a-million-chunks", send(CHUNKED, b"1\r\n[\r\n", b"1\r\n0\r\n1\r\n,\r\n" * 1_100_000, b"0\r\n\r\n"))


def _xml() -> Iterator[Behaviour]:
    """XML that nobody should read."""
    deep = 100_000
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (n + 1, b"&l%d;" % n * 10) for n in range(12))
    outside = b'<!DOCTYPE x [<!ENTITY out SYSTEM "http://127.0.0.1:9/leak">]>'
    read = {
        "entity-bomb": b'<!DOCTYPE x [<!ENTITY l0 "ha">' + laughs + b"]>" + _XML % b"&l12;",
        "quadratic-entities": b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 50_000 + b'">]>' + _XML % (b"&a;" * 20_000),
        "outside-entity": outside + _XML % b"&out;",
        "outside-dtd": b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">' + _XML % b"",
        "deep-elements": _XML % (b"<a>" * deep + b"</a>" * deep),
        "xml-invalid-utf-8": b"\xff" + _XML % b"",
        "cut-xml": b"<",
        "empty-xml": b"",
        "40000-attributes": _XML % (b"<a" + b"".join(b' a%d=""' % n for n in range(40_000)) + b"/>"),
        "equal-attributes": _XML % b'<a b="" b=""/>',
        "undeclared-prefix": _XML % b"<q:a/>",
        "utf-7": b'<?xml version="1.0" encoding="utf-7"?>' + _XML % b"+ADw-",
        "unknown-encoding": b'<?xml version="1.0" encoding="x-secret"?>' + _XML % b"",
        "xml-nul": _XML % b"\x00",
        "5000-namespaces": _XML % b"".join(b'<p%d:a xmlns:p%d="urn:%d"/>' % (n, n, n) for n in range(5_000)),
        "20000-instructions": _XML % (b"<?a b?>" * 20_000),
    }
    for name, body in read.items():
        acts = (send(answer(body, media="application/xml")), keep)
        yield Behaviour(name, "xml", acts, 1, "fail", UNREADABLE, frozenset(FOUND.get(name, READABLE)))
    long = {
        "400000-attributes": _XML % (b"<a" + b"".join(b' a%d=""' % n for n in range(400_000)) + b"/>"),
        "half-a-million-elements": _XML % (b"<a/>" * 500_000),
        "long-comment": _XML % (b"<!--" + b"x" * 5_000_000 + b"-->"),
        "long-cdata": _XML % (b"<![CDATA[" + b"]" * 5_000_000 + b"]]>"),
        "long-name": _XML % (b"<" + b"a" * 3_000_000 + b"/>"),
    }
    for name, body in long.items():
        yield _too_long(name, send(answer(body, media="application/xml")), place="xml")


def _standard() -> Iterator[Behaviour]:
    """The call of another service, and what the sessions of its cases need."""
    page = answer(b"<html><body><h1>Bad Gateway</h1></body></html>", status="502 Bad Gateway", media="text/html")
    elsewhere = answer(b"", "Location: http://127.0.0.1:9/", status="307 Temporary Redirect")
    yield Behaviour("balancers-page-each-time", "standard", (send(page), keep), 1, "fail", NO_ANSWER, SYNC)
    yield Behaviour("redirect-elsewhere", "standard", (send(elsewhere), keep), 1, "fail", UNREADABLE, FLAT)
    yield Behaviour("sign-in-silent-over-http", "sign-in", (hold,), 4, "not-verified", NOT_SENT, timeouts=6)
    yield Behaviour("sign-in-reset-over-http", "sign-in", (reset,), 4, "not-verified", NOT_SENT)
    yield Behaviour("sign-in-deep", "sign-in", (send(answer(b"[" * 200_000)), keep), 4, "not-verified", NOT_SENT)
    for status in ("302 Found", "307 Temporary Redirect"):
        moved = answer(b"", "Location: http://127.0.0.1:9/AP/Authenticate", status=status)
        yield Behaviour(f"sign-in-redirected-{status[:3]}", "sign-in", (send(moved), keep), 4, "not-verified", NOT_SENT)
    yield Behaviour(
        "sign-in-bomb", "sign-in", (send(answer(_bomb(), "Content-Encoding: gzip")), keep), 4, "not-verified", NOT_SENT
    )
    hints = flood(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    yield Behaviour("sign-in-endless-hints", "sign-in", (hints,), 4, "not-verified", NOT_SENT)
    yield Behaviour("sign-in-byte-by-byte", "sign-in", (drip(answer(b"{}")),), 4, "not-verified", NOT_SENT, timeouts=6)
    yield Behaviour(
        "sign-in-token-of-a-megabyte",
        "sign-in",
        (send(answer(b'{"Authenticated":true,"SessionToken":"' + b"x" * 1_000_000 + b'"}')), keep),
        4,
        "not-verified",
        NOT_SENT,
    )
    yield Behaviour(
        "sign-in-token-of-two-lines",
        "sign-in",
        (send(answer(b'{"Authenticated":true,"SessionToken":"a\\r\\nX-Evil: 1"}')), keep),
        4,
        "not-verified",
        NOT_SENT,
    )
    yield Behaviour(
        "sign-in-token-beyond-latin-1",
        "sign-in",
        (send(answer(b'{"Authenticated":true,"SessionToken":"\\u20ac"}')), keep),
        4,
        "not-verified",
        NOT_SENT,
    )
    yield Behaviour("sign-in-endless", "sign-in", (send(HEAD + b"\r\n["), flood(b" ")), 4, "not-verified", NOT_SENT)


HTTP: Sequence[Behaviour] = (
    *_never_ends(), *_broken_off(), *_badly_framed(), *_packed(), *_json(), *_xml(), *_standard(),
)  # fmt: skip
