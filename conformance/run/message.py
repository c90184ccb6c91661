"""From a case's message to the bytes of one request: bindings filled in, the frame put around the body, headers added."""

from __future__ import annotations

import json

from conformance.cases.message import Bindings, fill, fill_body
from conformance.errors import HarnessError
from conformance.formats.json.format import JSON
from conformance.formats.registry import format_for
from conformance.model.case import Message
from conformance.wire.messages import Headers, HttpRequest

_CHUNK_BYTES = 64


def http_request(message: Message, bindings: Bindings, media_type: str, headers: Headers) -> HttpRequest:
    """The HTTP request of a message; a `Transfer-Encoding: chunked` header puts the body into chunks."""
    body = fill_body(message.body, bindings, format_for(media_type))
    if any(name.lower() == "transfer-encoding" and "chunked" in value for name, value in message.headers):
        body = _chunked(body)
    return HttpRequest(message.method, message.path, (*message.headers, *headers), body)


def _chunked(body: bytes) -> bytes:
    pieces = [body[place : place + _CHUNK_BYTES] for place in range(0, len(body), _CHUNK_BYTES)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def frame_text(message: Message, bindings: Bindings, number: int) -> tuple[bytes, bytes]:
    """The bytes of a frame, and of the payload in it."""
    assert message.frame is not None
    if message.body.data is not None:
        raise HarnessError("a frame carries its body as text; a body of bytes cannot be sent over a WebSocket")
    body = fill_body(message.body, bindings, JSON)
    text = body.decode(message.body.encoding, "surrogatepass" if message.body.encoding.startswith("utf") else "strict")
    inserts: Bindings = {"i": number, "o": json.dumps(text, ensure_ascii=False), "body": text}
    return fill(message.frame, inserts).encode("utf-8", "surrogatepass"), body
