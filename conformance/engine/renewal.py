"""Sends messages as a role, and once more when the role's session had run out: what is refused for that was not done."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.engine.link import Socket
from conformance.engine.problems import RoleUnavailable
from conformance.engine.sessions import Sessions, keeps_session, reply_value
from conformance.target.model import Role
from conformance.transport.messages import Exchange, Headers, HttpReply, HttpRequest

_NOT_AUTHORIZED = 20
_NOT_FOUND = 404
_RENEWALS = 3
"""A session that is gone this often in a row is a probe that tells nothing: the service refuses it to everybody."""
_PROBE = "GetUserAccounts"
_JSON_HEADERS = (("Content-Type", "application/json"), ("Accept", "application/json"))


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who sends: the session's key, the role, and the system that a probe of the session may ask about."""

    key: str
    name: str
    role: Role | None
    oms: int | str | None


async def send_http(
    sessions: Sessions, speaker: Speaker, request_of: Callable[[Headers], HttpRequest], *, cleaning: bool = False
) -> Exchange:
    """One HTTP request with the speaker's headers; again with a new session when the old one turns out to be gone."""
    for _ in range(_RENEWALS + 1):
        headers = await sessions.headers(speaker.key, speaker.name, speaker.role)
        token = sessions.tokens.get(speaker.key)
        exchange = await sessions.link.send_http(request_of(headers), cleaning=cleaning)
        if token is None or not _may_lack_session(exchange) or not keeps_session(speaker.name, speaker.role):
            return exchange
        if not await _is_gone(sessions, speaker, headers):
            return exchange
        sessions.forget(speaker.key, token)
    sessions.unprobed.add(speaker.key)
    return exchange


async def send_ws(
    sessions: Sessions, speaker: Speaker, socket_key: str, text_of: Callable[[int], str | bytes],
    *, quiet: bool, cleaning: bool = False,
) -> Exchange:  # fmt: skip
    """One frame on the speaker's own WebSocket; again after a new sign-in when the session turns out to be gone.

    `text_of` writes the frame for a sequence number.
    """
    socket = sessions.socket(socket_key, speaker.name, speaker.role)
    for _ in range(_RENEWALS + 1):
        exchange = await sessions.link.send_ws(socket, text_of(socket.next_number()), quiet=quiet, cleaning=cleaning)
        generation = socket.signed_in
        if speaker.role is None or not _may_lack_session(exchange) or not keeps_session(speaker.name, speaker.role):
            return exchange
        if not await _is_gone_on(sessions, speaker, socket, socket_key):
            return exchange
        async with socket.lock:
            if socket.signed_in == generation and not await sessions.sign_in_again(socket, speaker.name, speaker.role):
                raise RoleUnavailable(f"the session of role {speaker.name!r} ran out, and it was not signed in again")
    sessions.unprobed.add(socket_key)
    return exchange


async def _is_gone(sessions: Sessions, speaker: Speaker, headers: Headers) -> bool:
    """Asks a harmless reading call whether the session still stands; False when that cannot be told."""
    if speaker.oms is None or speaker.key in sessions.unprobed:
        return False
    body = json.dumps({"OMSId": speaker.oms}).encode()
    request = HttpRequest("POST", f"/AP/{_PROBE}", (*_JSON_HEADERS, *headers), body)
    return _may_lack_session(await sessions.link.send_http(request))


async def _is_gone_on(sessions: Sessions, speaker: Speaker, socket: Socket, socket_key: str) -> bool:
    if speaker.oms is None or socket_key in sessions.unprobed:
        return False
    payload = json.dumps({"OMSId": speaker.oms})
    text = json.dumps({"m": 0, "i": socket.next_number(), "n": _PROBE, "o": payload})
    return _may_lack_session(await sessions.link.send_ws(socket, text, quiet=False))


def _may_lack_session(exchange: Exchange) -> bool:
    """Status 404 with a text, or code 20 in a standard response: a missing session looks so, and other things do, too."""
    reply = exchange.reply
    if reply is None:
        return False
    if isinstance(reply, HttpReply) and reply.status == _NOT_FOUND:
        return True
    return _has_code(reply_value(exchange))


def _has_code(value: Any) -> bool:
    """Whether a standard response, or one of the two of a pair, says Not Authorized; a pair may hold JSON in strings."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return False
    if not isinstance(value, dict):
        return False
    members = {str(name).lower(): content for name, content in value.items()}
    if "errorcode" in members:
        return bool(members["errorcode"] == _NOT_AUTHORIZED)
    return any(_has_code(members.get(leg)) for leg in ("bidresult", "askresult"))
