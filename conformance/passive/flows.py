"""Reads the flow files of mitmproxy: typed netstrings, one dictionary for each flow.

Read here and not by mitmproxy's own reader, which takes a flow of any length into memory, and whose pinned versions do not go
together with those of other programs. A typed netstring is `LENGTH:DATA` and a letter for the type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from conformance.model.case import Transport
from conformance.passive.har import Lost, opened, unpacked
from conformance.passive.tapped import MOST_BYTES, Framed, Tapped, frames_tapped
from conformance.wire.messages import Headers, HttpReply

MOST_FLOW_BYTES = 48 * 1024 * 1024
"""A longer flow is passed over, and said."""
_MOST_DIGITS = 12
_DEEPEST = 40
_SKIPPED_AT_ONCE = 1 << 20
_BINARY = 2
_EXCHANGE = "http"
"""The kind of a flow that has a request and an answer, and perhaps the frames of a WebSocket."""


class _BrokenError(ValueError):
    """Bytes that are no typed netstring."""


def read_flows(path: Path) -> Iterator[Tapped | Lost]:
    """Every exchange over HTTP and WebSocket of a file, and what of it is lost. Raises `UsageError`."""
    number = 0
    with opened(path) as file:
        while True:
            source = f"{path.name}#{number + 1}"
            try:
                length = _length(file)
                if length is None:
                    return
                number += 1
                if length > MOST_FLOW_BYTES:
                    _skip(file, length + 1)
                    yield Lost(source, f"the flow is longer than {MOST_FLOW_BYTES:,} bytes")
                    continue
                data = file.read(length + 1)
                if len(data) <= length:
                    raise _BrokenError("the file ends in the middle")
                flow = _value(data[:-1], data[-1:], 0)
            except (_BrokenError, EOFError, OSError) as error:
                yield Lost(source, f"the file cannot be read from here on: {error}")
                return
            yield from flow_tapped(source, flow)


def _length(file: IO[bytes]) -> int | None:
    digits = b""
    while (one := file.read(1)) != b":":
        if not one and not digits:
            return None
        if not one.isdigit() or len(digits) >= _MOST_DIGITS:
            raise _BrokenError("this is no flow")
        digits += one
    if not digits:
        raise _BrokenError("this is no flow")
    return int(digits)


def _skip(file: IO[bytes], count: int) -> None:
    while count > 0:
        data = file.read(min(count, _SKIPPED_AT_ONCE))
        if not data:
            raise _BrokenError("the file ends in the middle")
        count -= len(data)


def _value(data: bytes, kind: bytes, depth: int) -> Any:
    """One value. Bytes are `,`, texts `;`, the others as their letters say."""
    if depth > _DEEPEST:
        raise _BrokenError("it is nested too deep")
    try:
        if kind == b",":
            return data
        if kind == b";":
            return data.decode("utf-8", "replace")
        if kind == b"#":
            return int(data)
        if kind == b"^":
            return float(data)
        if kind == b"!":
            return data == b"true"
    except ValueError:
        raise _BrokenError("a number that is none") from None
    if kind == b"~":
        return None
    if kind == b"]":
        return list(_values(data, depth))
    if kind == b"}":
        items = list(_values(data, depth))
        names = [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in items[::2]]
        return dict(zip(names, items[1::2], strict=False))
    raise _BrokenError("a value of an unknown type")


def _values(data: bytes, depth: int) -> Iterator[Any]:
    place = 0
    while place < len(data):
        colon = data.find(b":", place, place + _MOST_DIGITS + 1)
        if colon < 0 or not data[place:colon].isdigit():
            raise _BrokenError("this is no flow")
        end = colon + 1 + int(data[place:colon])
        if end >= len(data):
            raise _BrokenError("a value is longer than what holds it")
        yield _value(data[colon + 1 : end], data[end : end + 1], depth + 1)
        place = end + 1


def flow_tapped(source: str, flow: Any) -> Iterator[Tapped | Lost]:
    """The exchange of one flow, as mitmproxy writes it down, or those of its socket; none of what is no HTTP."""
    if not isinstance(flow, dict) or _text(flow.get("type")) != _EXCHANGE:
        return
    try:
        yield from _tapped(source, flow)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        yield Lost(source, "the flow is not as mitmproxy writes it")


def _tapped(source: str, flow: Mapping[str, Any]) -> Iterator[Tapped]:
    request, response = flow["request"], flow.get("response")
    headers = _headers(request)
    url, started_s = _url(request), float(request.get("timestamp_start") or 0)
    socket = flow.get("websocket")
    if socket is not None:
        yield from frames_tapped(
            source, url, headers, [_framed(one) for one in socket["messages"] if not _withheld(one)]
        )
        return
    content = request.get("content")
    body = b"" if content is None else unpacked(content, headers)
    request_gap = "the body is missing in the recording" if content is None else ""
    if len(body) > MOST_BYTES:
        body, request_gap = b"", f"the body is longer than {MOST_BYTES:,} bytes"
    reply, gap = _reply(flow, response)
    ended_s = float((response or {}).get("timestamp_end") or started_s)
    yield Tapped(
        source, Transport.HTTP, _text(request["method"]).upper(), url, headers, body, reply=reply,
        started_s=started_s, elapsed_s=max(ended_s - started_s, 0.0), request_gap=request_gap, answer_gap=gap,
    )  # fmt: skip


def _reply(flow: Mapping[str, Any], response: Any) -> tuple[HttpReply | None, str]:
    if response is None:
        why = _text((flow.get("error") or {}).get("msg") or "")
        return None, f"the recording has no answer{': ' + why if why else ''}"
    if response.get("content") is None:
        return None, "the body of the answer is missing in the recording"
    headers = _headers(response)
    body = unpacked(response["content"], headers)
    if len(body) > MOST_BYTES:
        return None, f"the body of the answer is longer than {MOST_BYTES:,} bytes"
    version = _text(response.get("http_version") or "HTTP/1.1")
    return HttpReply(int(response["status_code"]), _text(response.get("reason") or ""), headers, body, version), ""


def _url(request: Mapping[str, Any]) -> str:
    scheme, path = _text(request["scheme"]), _text(request["path"])
    authority = _text(request.get("authority") or "") or f"{_text(request['host'])}:{request['port']}"
    return f"{scheme}://{authority}{path}"


def _headers(message: Mapping[str, Any]) -> Headers:
    return tuple((_text(name), _text(value)) for name, value in message["headers"])


def _framed(raw: Any) -> Framed:
    """A message of a socket: type, whether the client sent it, content, time."""
    kind, from_client, content, time_s = raw[:4]
    data = content if isinstance(content, bytes) else str(content).encode()
    return Framed(bool(from_client), float(time_s), data, binary=int(kind) == _BINARY)


def _withheld(raw: Any) -> bool:
    """Whether the proxy itself dropped a message of the client, or made one of the server's: no word of the service."""
    _, from_client, _, _, *marks = raw
    dropped, injected = (*marks, False, False)[:2]
    return bool(dropped if from_client else injected)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
