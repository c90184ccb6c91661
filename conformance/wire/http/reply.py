"""Reading one HTTP/1.1 reply from bytes, without I/O and within bounds.

Undoing a content coding (gzip, deflate) within a bound.
"""

from __future__ import annotations

import zlib

import httptools

from conformance.wire.messages import Headers, HttpReply, Limits, Phase, ProblemKind, WireProblem, header_values

_GZIP, _ZLIB, _RAW = 31, 15, -15
_MAX_CODINGS = 4
_MAX_MEMBERS = 64
_LARGE_BYTES = 64 * 1024


def decode_content(headers: Headers, body: bytes, max_bytes: int) -> bytes | WireProblem:
    """The body with its Content-Encoding undone, at most `max_bytes` long.

    Returns a problem of kind `too-large` for a body that would unpack to more, and `content-encoding` for a
    coding that is unknown, broken or cut off. An empty body has nothing to undo.
    """
    values = header_values(headers, "content-encoding")
    if not values:
        return body
    codings = [coding for coding in (part.strip() for part in ",".join(values).split(",")) if coding]
    if not body or all(coding.lower() == "identity" for coding in codings):
        return body
    if len(codings) > _MAX_CODINGS:
        return _broken(f"{len(codings)} content codings on top of each other")
    for coding in reversed(codings):
        outcome = _undo(coding, body, max_bytes)
        if isinstance(outcome, WireProblem):
            return outcome
        body = outcome
    return body


def _undo(coding: str, body: bytes, max_bytes: int) -> bytes | WireProblem:
    """The coding stands in problems as it came: in small letters a secret in it would not be known again."""
    known = coding.lower()
    if known == "identity":
        return body
    try:
        if known in ("gzip", "x-gzip"):
            unpacked = _inflate(body, _GZIP, max_bytes)
        elif known == "deflate":
            unpacked = _inflate_deflate(body, max_bytes)
        else:
            return _broken(f"content coding {coding!r} was not asked for and cannot be undone")
    except zlib.error as error:
        return _broken(f"the body is not valid {coding}: {error}")
    if unpacked is None:
        return _broken(f"the {coding} body is cut off")
    if len(unpacked) > max_bytes:
        return WireProblem("too-large", f"the {coding} body unpacks to more than {max_bytes} bytes", "decode")
    return unpacked


def _inflate_deflate(body: bytes, max_bytes: int) -> bytes | None:
    """`deflate` is zlib by its standard and raw deflate by the habit of some servers; both are read."""
    try:
        return _inflate(body, _ZLIB, max_bytes)
    except zlib.error:
        return _inflate(body, _RAW, max_bytes)


def _inflate(body: bytes, wbits: int, max_bytes: int) -> bytes | None:
    """Unpack at most one byte more than `max_bytes`; None when the stream ends too early."""
    unpacked = bytearray()
    rest = body
    for _ in range(_MAX_MEMBERS):
        stream = zlib.decompressobj(wbits)
        unpacked += stream.decompress(rest, max_bytes + 1 - len(unpacked))
        if len(unpacked) > max_bytes:
            break
        if not stream.eof:
            return None
        rest = stream.unused_data if wbits == _GZIP else b""
        if not rest:
            break
    else:
        raise zlib.error(f"more than {_MAX_MEMBERS} members")
    return bytes(unpacked)


def _transfer_coding(headers: Headers) -> str:
    """The first transfer coding that is none of HTTP's framing; "" for none. None is asked for (RFC 9112, 7.4)."""
    codings = (one.strip().lower() for one in ",".join(header_values(headers, "transfer-encoding")).split(","))
    return next((one for one in codings if one not in ("", "chunked", "identity")), "")


def _broken(message: str) -> WireProblem:
    return WireProblem("content-encoding", message, "decode")


class _StopParsingError(Exception):
    """Stops the parser when bytes follow the end of the reply."""


class ReplyReader:
    """Reads one reply: `feed` bytes until `done` or a problem, `end` when the peer closes, then `reply`.

    Informational replies (1xx) are skipped. Memory is bounded by `max_body_bytes` and `max_header_bytes`:
    bytes that bring no body (endless headers, trailers, chunk extensions, 1xx) are counted against the
    latter.
    """

    __slots__ = (
        "_body",
        "_body_bytes",
        "_dropped",
        "_fresh",
        "_head_only",
        "_header_bytes",
        "_headers",
        "_headers_done",
        "_idle_bytes",
        "_informational",
        "_limits",
        "_parser",
        "_problem",
        "_reason",
        "_status",
        "_version",
        "done",
        "keep_alive",
        "trailing",
    )

    def __init__(self, limits: Limits, *, head_only: bool = False) -> None:
        """`head_only`: the reply answers HEAD and has no body, whatever its headers promise."""
        self._limits = limits
        self._head_only = head_only
        self._headers: list[tuple[str, str]] = []
        self._body = bytearray()
        self._body_bytes = 0
        self._dropped = False
        self._header_bytes = 0
        self._idle_bytes = 0
        self._fresh = True
        self._headers_done = False
        self._informational = False
        self._reason = b""
        self._status = 0
        self._version = ""
        self._problem: WireProblem | None = None
        self.done = False
        self.keep_alive = False
        self.trailing = False
        self._parser = httptools.HttpResponseParser(self)

    @property
    def phase(self) -> Phase:
        """How far the reply has come."""
        if self._headers_done:
            return "body"
        return "wait" if self._fresh else "headers"

    def feed(self, data: bytes) -> WireProblem | None:
        """Take bytes in; the problem they show, or None. Not to be called after a problem or `done`."""
        self._fresh = False
        before = self._body_bytes
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("malformed", "the reply switches to another protocol unasked (status 101)")
        except httptools.HttpParserError as error:
            if self.done:
                self.trailing = True
            elif self._problem is None:
                self._fail("malformed", f"not a valid HTTP/1.1 reply: {error}")
        if self.done or self._problem is not None:
            return self._problem
        self._idle_bytes = self._idle_bytes + len(data) if self._body_bytes == before else 0
        if self._idle_bytes > self._limits.max_header_bytes:
            what = "trailers or chunk headers" if self._headers_done else "headers"
            self._fail("too-large", f"{what} pass {self._limits.max_header_bytes} bytes without an end")
        return self._problem

    def end(self) -> WireProblem | None:
        """The peer closed: the end of a reply without a length, or a problem."""
        if self.done:
            return None
        if not self._headers_done:
            what = "before any byte of a reply" if self._fresh else "in the middle of the headers"
            return WireProblem("closed-early", f"the connection was closed {what}", self.phase)
        if self._framed():
            message = f"the connection was closed after {self._body_bytes} bytes of a body that is longer"
            return WireProblem("closed-early", message, "body")
        self.done = True
        self.keep_alive = False
        return None

    def reply(self) -> tuple[HttpReply | None, WireProblem | None]:
        """The finished reply, its content coding undone; as sent beside a `content-encoding` problem.

        A body that is longer than is kept is left out, and its length told. Not to be called after `drop`.
        """
        headers = tuple(self._headers)
        if coding := _transfer_coding(headers):
            return None, _broken(f"transfer coding {coding!r} was not asked for and cannot be undone")
        raw = bytes(self._body)
        if len(raw) > _LARGE_BYTES:
            self._body.clear()
        body = decode_content(headers, raw, self._limits.max_body_bytes)
        problem = None
        if isinstance(body, WireProblem):
            problem, body = body, raw
            if problem.kind == "too-large":
                return None, problem
        reason, unread = self._reason.decode("latin-1"), 0
        if self._dropped:
            unread = self._body_bytes
        elif len(body) > self._limits.max_kept_bytes:
            body, unread = b"", len(body)
        return HttpReply(self._status, reason, headers, body, self._version, self.trailing, unread), problem

    def drop(self) -> None:
        """Let go of everything, now that nobody reads on: the parser holds this reader's methods, and that is a cycle."""
        del self._parser
        self._body.clear()

    def _framed(self) -> bool:
        names = {name.lower(): value.lower() for name, value in self._headers}
        if "transfer-encoding" in names:
            return names["transfer-encoding"].split(",")[-1].strip() == "chunked"
        return "content-length" in names

    def _fail(self, kind: ProblemKind, message: str) -> None:
        self._problem = WireProblem(kind, message, self.phase)

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self.done:
            self.trailing = True
            raise _StopParsingError

    def on_status(self, status: bytes) -> None:
        self._reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._headers_done:
            return
        self._header_bytes += len(name) + len(value) + 4
        if self._header_bytes > self._limits.max_header_bytes:
            self._fail("too-large", f"the headers pass {self._limits.max_header_bytes} bytes")
            raise _StopParsingError
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            self._informational = True
            return
        if status < 100:  # three digits, of which the first is a class (RFC 9110, section 15)
            self._fail("malformed", f"not a valid HTTP/1.1 reply: there is no status {status:03}")
            raise _StopParsingError
        self._status = status
        self._version = self._parser.get_http_version()
        self._headers_done = True
        self._idle_bytes = 0
        if self._head_only:
            self.keep_alive = self._parser.should_keep_alive()
            self.done = True

    def on_body(self, body: bytes) -> None:
        if self.done:
            self.trailing = True
            raise _StopParsingError
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.max_body_bytes:
            self._fail("too-large", f"the body passes {self._limits.max_body_bytes} bytes")
            raise _StopParsingError
        if self._body_bytes <= self._limits.max_kept_bytes or not self._drops():
            self._body += body

    def _drops(self) -> bool:
        """Whether a body that is longer than is kept is left out: one with a coding is needed to be undone."""
        if not self._dropped and not header_values(self._headers, "content-encoding"):
            self._dropped = True
            self._body.clear()
        return self._dropped

    def on_message_complete(self) -> None:
        if self._informational:
            self._informational = False
            self._headers.clear()
            self._reason = b""
        elif not self.done:
            self.keep_alive = self._parser.should_keep_alive()
            self.done = True
