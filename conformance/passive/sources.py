"""Which kind of recording a file is, and its exchanges: HAR, the journal of a run, or flows of mitmproxy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.errors import UsageError
from conformance.formats.json.pointer import load_json
from conformance.model.case import Transport
from conformance.model.verdict import CaseResult, Recorded
from conformance.passive.flows import read_flows
from conformance.passive.har import Lost, chunks, entry_tapped, opened, read_har
from conformance.passive.tapped import Framed, Tapped, frames_tapped
from conformance.report.formats.har import entry_of
from conformance.report.journal import FILE_NAME, result_from

_HEAD_BYTES = 4096
_MOST_LINE_BYTES = 64 * 1024 * 1024


def exchanges_of(path: Path) -> Iterator[Tapped | Lost]:
    """The exchanges of a recording, in its order. Raises `UsageError` for a file of no known kind."""
    path = path / FILE_NAME if path.is_dir() else path
    with opened(path) as file:
        head = next(chunks(file, path), b"")[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"{") and b'"header"' in head.partition(b"\n")[0]:
        return _read_journal(path)
    if head.startswith(b"{"):
        return read_har(path)
    if head[:1].isdigit() and b":" in head[:20]:
        return read_flows(path)
    raise UsageError(
        "is no recording that is known",
        where=str(path),
        hint="A HAR file, the journal of a run or its folder, or a flow file of mitmproxy.",
    )


def _read_journal(path: Path) -> Iterator[Tapped | Lost]:
    """The messages whose bytes a journal has; their secrets are hidden in it."""
    without, again = 0, False
    met: set[tuple[float, str]] = set()
    with opened(path) as file:
        for number, line in enumerate(_lines(file, path), 1):
            try:
                raw = load_json(line)
                result = result_from(raw) if raw.get("type") == "case" else None
                if raw.get("type") == "header":
                    again = "recording" in raw["run"]["target"]
            except (ValueError, KeyError, TypeError, AttributeError):
                yield Lost(f"{path.name}:{number}", "the line cannot be read")
                continue
            for place, one in enumerate(result.exchanges if result else (), 1):
                assert result is not None
                source = result.id.rpartition("/")[0] if again else f"{path.name}#{number}.{place}"
                if one.evidence is None:
                    without += 1
                elif again and (one.started_s, one.evidence.sent) in met:
                    continue  # the journal of a recording has an exchange for its request, its answer and its effect
                elif one.evidence.truncated:
                    yield Lost(source, "the journal has only the beginning of the message")
                else:
                    yield from _exchange(result, one, source, again=again)
                if again and one.evidence is not None:
                    met.add((one.started_s, one.evidence.sent))
    if without:
        yield Lost(path.name, f"the journal has no bytes of {without:,} exchanges")


def _exchange(result: CaseResult, one: Recorded, source: str, *, again: bool) -> Iterator[Tapped | Lost]:
    """The exchange of a case. The lines of a journal are in the order in which cases ended, not in that of time."""
    found: Iterator[Tapped | Lost]
    if Transport(one.transport).framed:
        found = frames_tapped(source, "ws://recorded/", (), _frames(one.evidence, one.started_s, one.took_s))
    else:
        found = entry_tapped(source, entry_of(result, one, frozenset()))
    for tapped in found:
        if isinstance(tapped, Lost):
            yield tapped
        else:
            yield replace(tapped, source=source if again else tapped.source, in_order=False)


def _lines(file: Any, path: Path) -> Iterator[bytes]:
    """The lines of a file; one that is too long to be held ends it."""
    held = b""
    for chunk in chunks(file, path):
        *lines, held = (held + chunk).split(b"\n")
        yield from (line for line in lines if line.strip())
        if len(held) > _MOST_LINE_BYTES:
            return
    if held.strip():
        yield held


def _frames(evidence: Any, started_s: float, took_s: float) -> Iterator[Framed]:
    """The texts of a message over WebSocket; what came has the marks of its frames between them."""
    yield Framed(True, started_s, evidence.sent.encode("utf-8", "surrogatepass"))
    decoder, text, place = json.JSONDecoder(), evidence.received, 0
    while (start := text.find("{", place)) >= 0:
        try:
            _, place = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            place = start + 1
            continue
        yield Framed(False, started_s + took_s, text[start:place].encode("utf-8", "surrogatepass"))
