"""Writes HAR 1.2: the exchanges of the cases that failed, for browsers and proxies that read such archives.

A message over WebSocket is an entry of its own with the frames in `_webSocketMessages`, as browsers write them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from conformance.model.case import Transport
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Evidence, Recorded, Verdict
from conformance.report.rows import ReportFormat, RunSummary
from conformance.report.safe_text import json_safe

_END_OF_HEAD = "\r\n\r\n"
_VERSION = "HTTP/1.1"
_UNKNOWN = -1
_LOST = "the evidence does not have the bytes of the body"
_INTERIM = re.compile(r"HTTP/1\.[01] 1(?!01)[0-9][0-9]")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s;\"']+)", re.IGNORECASE)
_READ_AS_TEXT = ("utf-8", "utf8", "us-ascii", "ascii")


def to_har(summary: RunSummary, _contract: Contract) -> str:
    """The archive as JSON, its entries in the order of cases and of time. Credentials are hidden in it, as in the journal."""
    secure = _secure_hosts(summary.info.target)
    entries = [
        entry_of(result, one, secure)
        for result in summary.cases
        if result.verdict is Verdict.FAIL
        for one in result.exchanges
        if one.evidence is not None
    ]
    log = {
        "version": "1.2",
        "creator": {"name": "order-cancellation-conformance", "version": summary.info.tool_version},
        "entries": entries,
        "comment": f"verdict {summary.verdict}; run {summary.info.id}",
    }
    return json_safe(json.dumps({"log": log}, indent=1)) + "\n"


def _secure_hosts(value: Any) -> frozenset[str]:
    """Host and port of every address of the target that is reached over TLS."""
    return frozenset(urlsplit(one).netloc for one in _texts(value) if one.startswith(("https://", "wss://")))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for content in value.values():
            yield from _texts(content)
    elif isinstance(value, list):
        for content in value:
            yield from _texts(content)


def entry_of(result: CaseResult, one: Recorded, secure: frozenset[str]) -> dict[str, Any]:
    assert one.evidence is not None
    framed = Transport(one.transport).framed
    sent, received = (
        (_Head("GET / HTTP/1.1"), _Head(f"{_VERSION} 101 Switching Protocols")) if framed else _heads(one.evidence)
    )
    took = round(one.took_s * 1000, 3)
    entry: dict[str, Any] = {
        "startedDateTime": datetime.fromtimestamp(one.started_s, UTC).isoformat(timespec="milliseconds"),
        "time": took,
        "request": _request(sent, secure, framed=framed),
        "response": _response(received, one.problem),
        "cache": {},
        "timings": {"send": 0, "wait": took, "receive": 0},
        "comment": f"{result.id}: {one.purpose}, as {one.role}",
    }
    if framed:
        entry["_resourceType"] = "websocket"
        entry["_webSocketMessages"] = [
            {"type": kind, "time": time_s, "opcode": 1, "data": text}
            for kind, time_s, text in (
                ("send", one.started_s, one.evidence.sent),
                ("receive", round(one.started_s + one.took_s, 6), one.evidence.received),
            )
            if text
        ]
    return entry


class _Head:
    """A start line, headers, and the body behind them, of a message as the evidence shows it.

    What comes before the answer (`100 Continue`) is left out, and chunks are put together. The evidence is text: of a body
    that is packed or in another charset, and of chunks in which something was hidden, it has not the bytes.
    """

    def __init__(self, text: str) -> None:
        while _INTERIM.match(text) and _END_OF_HEAD in text.rstrip():
            text = text.partition(_END_OF_HEAD)[2]
        head, _, self.body = text.partition(_END_OF_HEAD)
        self.start, *lines = head.split("\r\n")
        pairs = (line.partition(":") for line in lines)
        self.headers = [(name.strip(), value.strip()) for name, colon, value in pairs if colon]
        self.head_size = len(head) + len(_END_OF_HEAD) if self.body or text.endswith(_END_OF_HEAD) else _UNKNOWN
        whole = _joined(self.body) if "chunked" in self.header("transfer-encoding").lower() else self.body
        self.is_lost = bool(self.body) and (whole is None or self._is_coded())
        """Whether the body is not what went over the wire."""
        self.body = self.body if whole is None else whole

    def _is_coded(self) -> bool:
        charset = _CHARSET.search(self.header("content-type"))
        packed = self.header("content-encoding").lower() not in ("", "identity")
        return packed or (charset is not None and charset[1].lower() not in _READ_AS_TEXT)

    def word(self, place: int, default: str) -> str:
        """One word of the start line."""
        words = self.start.split(" ", 2)
        return words[place] if len(words) > place and words[place] else default

    def header(self, name: str) -> str:
        """The first header of this name; empty without one."""
        return next((value for key, value in self.headers if key.lower() == name), "")


def _joined(body: str) -> str | None:
    """The content of a chunked body; None where its chunks are not as long as they say."""
    content, rest = b"", body.encode("utf-8", "surrogatepass")
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        digits = size.partition(b";")[0].strip()
        if not _CHUNK_SIZE.fullmatch(digits):
            return None
        length = int(digits, 16)
        if length == 0:
            return content.decode("utf-8", "surrogatepass")
        if rest[length : length + 2] != b"\r\n":
            return None
        content, rest = content + rest[:length], rest[length + 2 :]
    return None


def _heads(evidence: Evidence) -> tuple[_Head, _Head]:
    return _Head(evidence.sent), _Head(evidence.received)


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _request(head: _Head, secure: frozenset[str], *, framed: bool) -> dict[str, Any]:
    host = head.header("host") or "unknown"
    scheme = ("ws" if framed else "http") + ("s" if host in secure else "")
    path = head.word(1, "/")
    request: dict[str, Any] = {
        "method": head.word(0, "UNKNOWN"),
        "url": f"{scheme}://{host}{path}",
        "httpVersion": head.word(2, _VERSION),
        "cookies": [],
        "headers": _pairs(head.headers),
        "queryString": _pairs(parse_qsl(path.partition("?")[2], keep_blank_values=True)),
        "headersSize": head.head_size,
        "bodySize": len(head.body.encode("utf-8", "replace")),
    }
    if head.is_lost:
        request["postData"] = {"mimeType": head.header("content-type"), "comment": _LOST}
    elif head.body:
        request["postData"] = {"mimeType": head.header("content-type"), "text": head.body}
    return request


def _response(head: _Head, problem: str) -> dict[str, Any]:
    """The answer; status 0 where none came, as browsers have it."""
    status = head.word(1, "0")
    answered = head.start.startswith("HTTP/") and status.isdecimal()
    size = len(head.body.encode("utf-8", "replace"))
    response: dict[str, Any] = {
        "status": int(status) if answered else 0,
        "statusText": head.word(2, "") if answered else "",
        "httpVersion": head.word(0, _VERSION) if answered else "",
        "cookies": [],
        "headers": _pairs(head.headers),
        "content": {
            "size": size,
            "mimeType": head.header("content-type"),
            **({"comment": _LOST} if head.is_lost else {"text": head.body}),
        },
        "redirectURL": head.header("location"),
        "headersSize": head.head_size,
        "bodySize": size,
    }
    return response | ({"comment": problem} if problem else {})


HAR = ReportFormat("failures.har", to_har)
