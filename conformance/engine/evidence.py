"""The exact bytes of an exchange as text for a report: escaped, bounded, and without credentials."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.model.verdict import Evidence
from conformance.target.redact import redact
from conformance.transport.messages import Exchange

FULL_BYTES, SHORT_BYTES = 64 * 1024, 1024


def evidence_of(exchanges: Iterable[Exchange], secrets: Iterable[str], *, full: bool) -> Evidence:
    """Both directions of all exchanges, one after the other; short where nothing was wrong."""
    limit = FULL_BYTES if full else SHORT_BYTES
    known = tuple(secrets)
    exchanges = tuple(exchanges)
    sent, sent_cut = _text([one.sent for one in exchanges], limit, known)
    received, received_cut = _text([one.received for one in exchanges], limit, known)
    return Evidence(sent, received, sent_cut or received_cut or any(one.truncated for one in exchanges))


def _text(parts: list[bytes], limit: int, secrets: tuple[str, ...]) -> tuple[str, bool]:
    joined = b"\n".join(parts)
    # redact before cutting: half a credential at the edge would not be recognised
    text = redact(joined[: limit * 2].decode("utf-8", "backslashreplace"), secrets)
    return text[:limit], len(joined) > limit
