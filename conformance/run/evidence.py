"""The exact bytes of an exchange as text for a report: escaped, bounded, and without credentials."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterable
from dataclasses import replace
from enum import Enum
from itertools import islice

from conformance.contract.problem_text import told_apart
from conformance.endpoint.redact import HIDDEN, redact, redact_excerpt
from conformance.guard.gate import OF_A_CASE
from conformance.guard.link import Traced
from conformance.model.verdict import CaseResult, Evidence, Finding, Recorded
from conformance.wire.messages import Exchange
from conformance.wire.ws.session import FrameCutter

FULL_BYTES, SHORT_BYTES = 64 * 1024, 1024
_MARGIN_BYTES = 1024
_MOST_UNPACKED = 1024 * 1024
_MOST_MEMBERS = 16
_GZIP_START, _END_OF_HEAD = re.compile(rb"\x1f\x8b"), b"\r\n\r\n"
_CODED = re.compile(rb"(?im)^content-encoding[ \t]*:[^\r\n]*(?:gzip|deflate)")
_CHUNK_SIZE = re.compile(rb"\r\n[0-9A-Fa-f]{1,8}(?:[ \t;][^\r\n]*)?\r\n")
_LAST, _MASKED, _MASK_BYTES = 0x80, 0x80, 4
_OPCODES = (0x0, 0x1, 0x2, 0x8, 0x9, 0xA)
_EPOCH_S = time.time() - time.monotonic()
"""When the monotonic clock stood at 0. Read once, so that one moment is always written as the same time."""


class Level(Enum):
    """How much of the messages of a case the journal keeps."""

    TIMES = "when each was sent, and how long it took"
    BRIEF = "the beginning of its own messages, too"
    AROUND = "the beginning of every message"
    FULL = "its own messages as a whole, and the beginning of the others"


def evidence_of(
    exchanges: Iterable[Exchange], secrets: Iterable[str], others: Iterable[str] = (), *, full: bool
) -> Evidence:
    """Both directions of all exchanges, one after the other; short where nothing was wrong.

    `secrets` are those of the case, `others` those of the rest of the run, which a target could give away as well.
    """
    limit = FULL_BYTES if full else SHORT_BYTES
    known = tuple(dict.fromkeys((*secrets, *others))) if full else tuple(secrets)
    rest = () if full else tuple(others)
    exchanges = tuple(exchanges)
    sent, sent_cut = _text([unmasked(one.sent) for one in exchanges], limit, known, rest)
    came = [part for one in exchanges for part in _came(one, known, rest)]
    received, received_cut = _text(came, limit, known, rest)
    return Evidence(sent, received, sent_cut or received_cut or any(one.truncated for one in exchanges))


def recorded(
    trace: Iterable[Traced], secrets: Iterable[str], others: Iterable[str] = (), *, level: Level
) -> tuple[Recorded, ...]:
    """The exchanges of a case in the order of their start, each with as much evidence as the level asks for."""
    known, rest = tuple(secrets), tuple(others)
    kept = [
        _recorded(one)
        if level is Level.TIMES and one.exchange.problem is None
        else _with_evidence(one, known, rest, level)
        for one in trace
    ]
    if len(kept) > 1:
        kept.sort(key=lambda one: one.started_s)
    return tuple(kept)


def _recorded(one: Traced) -> Recorded:
    label, exchange = one.label, one.exchange
    started_s, took_s = round(exchange.started_s + _EPOCH_S, 6), round(exchange.elapsed_s, 6)
    return Recorded(label.purpose.value, label.role, one.transport, started_s, took_s, first=label.first)


def _with_evidence(one: Traced, known: tuple[str, ...], rest: tuple[str, ...], level: Level) -> Recorded:
    exchange, own, evidence, problem = one.exchange, one.label.purpose in OF_A_CASE, None, ""
    if level is not Level.TIMES and (own or level is not Level.BRIEF):
        evidence = evidence_of((exchange,), known, rest, full=own and level is Level.FULL)
    if exchange.problem is not None:
        problem = redact_excerpt(exchange.problem.message, (*known, *rest))
    return _recorded(one)._replace(problem=problem, evidence=evidence)


def without_bodies(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """The exchanges as far as evidence needs them: whoever keeps them for later must not keep megabytes."""
    return tuple(
        replace(one, reply=None, received=one.received[: FULL_BYTES + _MARGIN_BYTES])
        if len(one.received) > SHORT_BYTES
        else one
        for one in exchanges
    )


def _came(exchange: Exchange, secrets: tuple[str, ...], others: tuple[str, ...]) -> tuple[bytes, ...]:
    """Everything that came for a message: its reply or unnumbered WebSocket payloads, and further replies."""
    if not exchange.received and exchange.others:
        return (*exchange.others, *exchange.again)
    framed = _is_frame(exchange.sent)
    received = _whole_if_telling(exchange.received, secrets, others) if framed else exchange.received
    return (received, *exchange.again)


def _whole_if_telling(frames: bytes, secrets: tuple[str, ...], others: tuple[str, ...]) -> bytes:
    """What a message in several frames says, where that gives away a secret that its frames part; else what came."""
    pieces = list(FrameCutter().feed(frames))
    if sum(piece.header and not piece.control for piece in pieces) < 2:
        return frames
    whole = b"".join(piece.data for piece in pieces if not piece.header and not piece.control)
    text = whole[: FULL_BYTES + _MARGIN_BYTES].decode("utf-8", "backslashreplace")
    return whole if redact(text, secrets, others) != text else frames


def redacted_finding(finding: Finding, secrets: tuple[str, ...]) -> Finding:
    """The finding with every secret hidden in the words that were taken from the answer, which may be cut short."""
    expected, actual = (redact_excerpt(text, secrets) for text in (finding.expected, finding.actual))
    if (expected, actual) != (finding.expected, finding.actual):
        expected, actual = told_apart(expected, actual)
    return replace(
        finding,
        message=redact_excerpt(finding.message, secrets),
        expected=expected,
        actual=actual,
        at=(redact_excerpt if finding.at.endswith("…") else redact)(finding.at, secrets),
    )


def redacted_result(result: CaseResult, secrets: Iterable[str]) -> CaseResult:
    """The result with every secret hidden in its words; its findings and its evidence have lost theirs before."""
    if not (result.reason or result.notes):
        return result
    known = tuple(secrets)
    notes = tuple(redact_excerpt(note, known) for note in result.notes)
    return replace(result, reason=redact_excerpt(result.reason, known), notes=notes)


def unmasked(sent: bytes) -> bytes:
    """What a client's WebSocket message says, in however many frames, for the mask is random and hides it.

    Pings and pongs beside it are left out; anything that holds no message is given back as it is.
    """
    if not _is_frame(sent):
        return sent
    said: list[bytes] = []
    mask, message = b"", False
    for piece in FrameCutter().feed(sent):
        if piece.header:
            mask, message = piece.data[-_MASK_BYTES:], message or not piece.control
        elif not piece.control:
            size = len(piece.data)
            key = int.from_bytes((mask * (size // _MASK_BYTES + 1))[:size], "big")
            said.append((int.from_bytes(piece.data, "big") ^ key).to_bytes(size, "big"))
    return b"".join(said) if message else sent


def _is_frame(sent: bytes) -> bool:
    """Whether a client wrote this to a WebSocket: a known opcode, no reserved bit, and a mask (RFC 6455, 5.2)."""
    return len(sent) >= 2 + _MASK_BYTES and sent[0] & ~_LAST in _OPCODES and bool(sent[1] & _MASKED)


def _text(parts: list[bytes], limit: int, secrets: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, bool]:
    joined = b"\n".join(_unpacked_is_harmless(part[: limit + _MARGIN_BYTES], secrets, others) for part in parts)
    length = sum(len(part) for part in parts) + len(parts) - 1
    # redact before cutting: half a credential at the edge would not be recognised
    text = joined[: limit + _MARGIN_BYTES].decode("utf-8", "backslashreplace")
    until = len(text) - _MARGIN_BYTES // 2 if length > limit + _MARGIN_BYTES else None
    text = redact(text, secrets, others, until)
    return text[:limit], length > limit


def _unpacked_is_harmless(part: bytes, secrets: tuple[str, ...], others: tuple[str, ...]) -> bytes:
    """What came, without a packed body that gives a secret away once it is unpacked, or is too large to be looked at."""
    head, end, body = part.partition(_END_OF_HEAD)
    if not body or not (_GZIP_START.search(body) or _CODED.search(head)):
        return part
    # a chunk may begin with the body, where its size stands behind the end of the head
    content = _CHUNK_SIZE.sub(b"", b"\r\n" + body).removeprefix(b"\r\n")
    for place in [match.start() for match in islice(_GZIP_START.finditer(content), _MOST_MEMBERS)] or [0]:
        for kind in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
            unpacked = _unpacked(content[place:], kind)
            text = unpacked.decode("utf-8", "backslashreplace")
            if len(unpacked) >= _MOST_UNPACKED or redact(text, secrets, others) != text:
                return head + end + HIDDEN.encode()
    return part


def _unpacked(content: bytes, kind: int) -> bytes:
    """As much as can be read, up to a bound."""
    reader, unpacked = zlib.decompressobj(kind), b""
    for place in range(0, len(content), 256):  # so that what stands before a fault is kept
        try:
            unpacked += reader.decompress(content[place : place + 256], _MOST_UNPACKED - len(unpacked) + 1)
        except zlib.error:
            break
        if len(unpacked) >= _MOST_UNPACKED:
            break
    return unpacked
