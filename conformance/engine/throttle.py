"""Tells that a target turned a message away because it was asked too often, and how long to wait then."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from conformance.transport.messages import Exchange, HttpReply, WsReply, header_values

_TOO_MANY = 429
_WORDS = "too many requests"
_FIRST_WAIT_S = 1.0
_LONGEST_TEXT = 64


def was_throttled(exchange: Exchange) -> bool:
    """Status 429, or the bare text TOO MANY REQUESTS, which live gateways send with status 200, too.

    Such a message was turned away before it was looked at, so it may be sent again.
    """
    reply = exchange.reply
    if isinstance(reply, HttpReply):
        return reply.status == _TOO_MANY or _says_so(reply.body)
    if isinstance(reply, WsReply) and _frame_says_so(reply.text):
        return True
    return any(_says_so(payload) for payload in exchange.others) and not isinstance(reply, WsReply)


def wait_s(exchange: Exchange, attempt: int, longest_s: float, now: datetime | None = None) -> float:
    """Seconds to wait before the next attempt: Retry-After, else 1, 2, 4, ...; never more than `longest_s`."""
    asked = _retry_after_s(exchange, now or datetime.now(UTC))
    return min(longest_s, _FIRST_WAIT_S * 2**attempt if asked is None else asked)


def _says_so(text: bytes) -> bool:
    return len(text) <= _LONGEST_TEXT and text.decode("latin-1").strip().strip('"').lower() == _WORDS


def _frame_says_so(text: bytes) -> bool:
    if len(text) > 4 * _LONGEST_TEXT:
        return False
    try:
        payload = json.loads(text)["o"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return _says_so(text)
    return isinstance(payload, str) and _says_so(payload.encode())


def _retry_after_s(exchange: Exchange, now: datetime) -> float | None:
    """The header Retry-After in seconds from now, whichever of its two forms it has."""
    values = header_values(exchange.reply.headers, "retry-after") if isinstance(exchange.reply, HttpReply) else ()
    if not values:
        return None
    if values[0].strip().isdecimal():
        return float(values[0])
    try:
        at = parsedate_to_datetime(values[0])
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())
