"""Undoing a content coding (gzip, deflate) within a bound."""

from __future__ import annotations

import zlib

from conformance.transport.messages import Headers, WireProblem, header_values

_GZIP, _ZLIB, _RAW = 31, 15, -15
_MAX_CODINGS = 4
_MAX_MEMBERS = 64


def decode_content(headers: Headers, body: bytes, max_bytes: int) -> bytes | WireProblem:
    """The body with its Content-Encoding undone, at most `max_bytes` long.

    Returns a problem of kind `too-large` for a body that would unpack to more, and `content-encoding` for a
    coding that is unknown, broken or cut off. An empty body has nothing to undo.
    """
    values = header_values(headers, "content-encoding")
    if not values:
        return body
    codings = [coding for coding in (part.strip().lower() for part in ",".join(values).split(",")) if coding]
    if not body or all(coding == "identity" for coding in codings):
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
    if coding == "identity":
        return body
    try:
        if coding in ("gzip", "x-gzip"):
            unpacked = _inflate(body, _GZIP, max_bytes)
        elif coding == "deflate":
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


def _broken(message: str) -> WireProblem:
    return WireProblem("content-encoding", message, "decode")
