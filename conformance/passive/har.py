"""Reads HAR 1.2 as browsers and proxies write it, an entry at a time, so that a file of any size fits into memory.

The bodies are those that the program saw: `content.text` is decoded already, or Base64. `_webSocketMessages` holds the
frames of a socket, as Chromium writes them.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import orjson

from conformance.errors import UsageError
from conformance.model.case import Transport
from conformance.passive.tapped import MOST_BYTES, Framed, Tapped, frames_tapped
from conformance.wire.messages import Headers, HttpReply, header_values

_CHUNK_BYTES = 1 << 18
MOST_ENTRY_BYTES = 48 * 1024 * 1024
"""A longer entry is passed over, and said."""
_MARK = re.compile(rb'[{}\[\]"]')
_TEXT = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
"""What stands inside a text, escapes with what they escape, up to its end or that of the chunk."""
_QUOTE = ord('"')
_LOG_DEPTH, _ENTRY_DEPTH = 2, 3
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Lost:
    """Something of a file that cannot be judged: where, and why."""

    source: str
    why: str


class _Cutter:
    """Cuts the objects of `log.entries` out of a stream of JSON without holding more than one of them."""

    def __init__(self) -> None:
        self.depth = 0
        self.in_entries = False
        self.whole = False
        """Whether the end of the document was seen."""
        self.number = 0
        self.begun = False
        """Whether an entry has begun and has not ended."""
        self._in_text = self._escaped = False
        self._name = b""
        self._entry = bytearray()
        self._too_long = False
        self._opened: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[bytes | None]:
        """The entries that end in this chunk; None for one that is too long to be held."""
        place = 0
        while place < len(chunk):
            if self._in_text:
                place = self._pass_text(chunk, place)
                continue
            match = _MARK.search(chunk, place)
            end = len(chunk) if match is None else match.end()
            self._take(chunk[place:end])
            place = end
            if match is not None and self._meet(match.group()):
                yield None if self._too_long else bytes(self._entry)
                self._entry.clear()
                self._too_long = self.begun = False

    def _pass_text(self, chunk: bytes, place: int) -> int:
        """Take what this chunk has of a text, its closing mark too; where that ends."""
        start, place = place, place + self._escaped
        self._escaped = False
        match = _TEXT.match(chunk, place)
        end = place if match is None else match.end()
        open_ = end == len(chunk)
        self._take(chunk[start : end + 1])
        if not open_:  # at the mark that closes it, or at a backslash that ends the chunk
            self._in_text = self._escaped = chunk[end] != _QUOTE
        return end + (not open_)

    def _take(self, part: bytes) -> None:
        if self.begun and not self._too_long:
            self._entry += part
            if len(self._entry) > MOST_ENTRY_BYTES:
                self._too_long = True
                self._entry.clear()
        elif self._in_text and self.depth <= _LOG_DEPTH:
            self._name = (self._name + part)[-_LONGEST_NAME:]

    def _meet(self, mark: bytes) -> bool:
        """Take one mark of the grammar; whether an entry has ended with it."""
        if mark == b'"':
            self._in_text, self._name = True, b""
        elif mark in b"{[":
            self._open(mark)
        else:
            return self._close()
        return False

    def _open(self, mark: bytes) -> None:
        self.depth += 1
        self._opened.append(mark)
        if self.depth == _LOG_DEPTH + 1 and mark == b"[":
            self.in_entries = self._name == b'entries"'
        elif self.depth == _ENTRY_DEPTH + 1 and self.in_entries and mark == b"{":
            self.number += 1
            self.begun = True
            self._entry += mark

    def _close(self) -> bool:
        self.depth -= 1
        if self._opened:
            self._opened.pop()
        self.whole = self.whole or self.depth == 0
        if self.depth == _ENTRY_DEPTH - 1:
            self.in_entries = False
        return self.begun and self.depth == _ENTRY_DEPTH


def read_har(path: Path) -> Iterator[Tapped | Lost]:
    """Every exchange of a file, in its order, and what of it is lost. Raises `UsageError` for a file that is no HAR."""
    cutter, name = _Cutter(), path.name
    with opened(path) as file:
        for chunk in chunks(file, path):
            for entry in cutter.feed(chunk):
                source = f"{name}#{cutter.number}"
                if entry is None:
                    yield Lost(source, f"the entry is longer than {MOST_ENTRY_BYTES:,} bytes")
                    continue
                yield from entry_tapped(source, _parsed(entry))
    if not cutter.number and not cutter.whole:
        raise UsageError("is no HAR: there are no log.entries in it", where=str(path))
    if not cutter.whole:
        yield Lost(f"{name}#{cutter.number + (not cutter.begun)}", "the file ends in the middle; what follows is lost")


def opened(path: Path) -> IO[bytes]:
    """The file for reading, unpacked where it is gzip. Raises `UsageError`."""
    try:
        file = path.open("rb")
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    return gzip.open(file) if packed else file  # type: ignore[return-value]  # it reads bytes as any file does


def chunks(file: IO[bytes], path: Path) -> Iterator[bytes]:
    """The file in pieces; one that is packed and cut off ends where it is cut. Raises `UsageError`."""
    while True:
        try:
            chunk = file.read(_CHUNK_BYTES)
        except (EOFError, zlib.error):
            return
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
        if not chunk:
            return
        yield chunk


def _parsed(entry: bytes) -> Any:
    try:
        return orjson.loads(entry)
    except ValueError:
        return None


def entry_tapped(source: str, entry: Any) -> Iterator[Tapped | Lost]:
    """The exchange of one entry, or those of its socket."""
    try:
        request, response = entry["request"], entry.get("response") or {}
        url, headers = str(request["url"]), _headers(request)
        messages = entry.get("_webSocketMessages")
        if isinstance(messages, list):
            yield from frames_tapped(source, url, headers, [_framed(one) for one in messages])
            return
        body, request_gap = _request_body(request, headers)
        reply, answer_gap = _reply(entry, response)
        yield Tapped(
            source, Transport.HTTP, str(request.get("method", "")).upper(), url, headers, body, reply=reply,
            started_s=_seconds(entry.get("startedDateTime")), elapsed_s=max(float(entry.get("time") or 0) / 1000, 0.0),
            request_gap=request_gap, answer_gap=answer_gap,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        yield Lost(source, "the entry is not as HAR 1.2 has it")


def _headers(part: Mapping[str, Any]) -> Headers:
    """The headers; the names of HTTP/2 that stand for the start line are none."""
    pairs = ((str(one["name"]), str(one["value"])) for one in part.get("headers") or ())
    return tuple(pair for pair in pairs if not pair[0].startswith(":"))


def _seconds(text: Any) -> float:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def _framed(raw: Mapping[str, Any]) -> Framed:
    """One message of a socket; a binary one is Base64."""
    text, binary = str(raw["data"]), raw.get("opcode") == 2
    data = _unbased(text) if binary else text.encode("utf-8", "surrogatepass")
    return Framed(raw.get("type") == "send", float(raw.get("time") or 0), data, binary)


def _unbased(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        return text.encode()


def _request_body(request: Mapping[str, Any], headers: Headers) -> tuple[bytes, str]:
    posted = request.get("postData")
    told = header_values(headers, "content-length")
    expected = int(told[0]) if told and told[0].isdecimal() else int(request.get("bodySize") or 0)
    if not isinstance(posted, dict) or posted.get("text") is None:
        if isinstance(posted, dict) and posted.get("params"):
            return b"", "the recording has the parameters of a form in place of the body"
        return b"", "the body is missing in the recording" if expected > 0 else ""
    text = str(posted["text"])
    based = posted.get("encoding") == "base64" or posted.get("_encoding") == "base64"
    body = _unbased(text) if based else text.encode("utf-8", "surrogatepass")
    if len(body) > MOST_BYTES:
        return b"", f"the body is longer than {MOST_BYTES:,} bytes"
    if header_values(headers, "content-encoding"):
        body = unpacked(body, headers)
    elif told and len(body) < expected:
        return body, f"the recording has {len(body):,} of the {expected:,} bytes of the body"
    return body, ""


def _reply(entry: Mapping[str, Any], response: Mapping[str, Any]) -> tuple[HttpReply | None, str]:
    status = int(response.get("status") or 0)
    if not 100 <= status < 1000:
        why = response.get("_error") or entry.get("_failureText") or response.get("comment") or ""
        return None, f"the recording has no answer{': ' + str(why) if why else ''}"
    content = response.get("content") or {}
    headers = _headers(response)
    text, size = content.get("text"), int(content.get("size") or 0)
    if text is None:
        if size > 0 or int(response.get("bodySize") or 0) > 0:
            return None, "the body of the answer is missing in the recording"
        told = header_values(headers, "content-length")
        if size < 0 or (told and told[0].isdecimal() and int(told[0]) > 0):
            return None, "the body of the answer is missing in the recording"
        text = ""
    body = _unbased(str(text)) if content.get("encoding") == "base64" else str(text).encode("utf-8", "surrogatepass")
    body = unpacked(body, headers)
    if len(body) > MOST_BYTES:
        return None, f"the body of the answer is longer than {MOST_BYTES:,} bytes"
    if 0 < len(body) < size and content.get("comment") is not None:
        return None, "the body of the answer was cut off in the recording"
    version = str(response.get("httpVersion") or "HTTP/1.1")
    return HttpReply(status, str(response.get("statusText") or ""), headers, body, version), ""


def unpacked(body: bytes, headers: Headers) -> bytes:
    """The body with gzip or deflate undone, for recorders that keep what the wire had; bounded, else as it is."""
    codings = ",".join(header_values(headers, "content-encoding")).lower()
    kinds = (
        [zlib.MAX_WBITS | 32]
        if "gzip" in codings
        else [zlib.MAX_WBITS, -zlib.MAX_WBITS]
        if "deflate" in codings
        else []
    )
    for kind in kinds:
        try:
            whole = zlib.decompressobj(kind).decompress(body, MOST_BYTES + 1)
        except zlib.error:
            continue
        return whole or body
    return body
