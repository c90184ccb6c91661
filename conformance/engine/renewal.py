"""Sends messages as a role, and once more when the role's session had run out: what is refused for that was not done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
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
"""How often one message is sent again."""
_BARREN = 3
"""Where the probe finds no session so often in a row, newly signed in, it tells nothing: the service refuses it to all."""
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
    """One HTTP request with the speaker's headers; again with a new session when the old one turns out to be gone.

    Raises `RoleUnavailable` when sessions run out faster than a message can be sent.
    """
    key = speaker.key

    async def attempt() -> tuple[Exchange, bool]:
        headers = await sessions.headers(key, speaker.name, speaker.role)
        token = sessions.tokens.get(key)
        exchange = await sessions.link.send_http(request_of(headers), cleaning=cleaning)
        if token is None or not _may_lack_session(exchange) or not _can_probe(sessions, speaker, key):
            return exchange, False
        return exchange, await _probe_http(sessions, speaker, headers)

    async def stands() -> bool:
        headers = await sessions.headers(key, speaker.name, speaker.role)
        token = sessions.tokens[key]
        if not await _probe_http(sessions, speaker, headers):
            return True
        sessions.forget(key, token)
        return False

    return await _persistently(sessions, speaker, key, attempt, stands)


async def send_ws(
    sessions: Sessions, speaker: Speaker, socket_key: str, text_of: Callable[[int], str | bytes],
    *, quiet: bool, cleaning: bool = False,
) -> Exchange:  # fmt: skip
    """One frame on the speaker's own WebSocket; again after a new sign-in when the session turns out to be gone.

    `text_of` writes the frame for a sequence number. Raises `RoleUnavailable` as `send_http` does.
    """
    socket = sessions.socket(socket_key, speaker.name, speaker.role)

    async def attempt() -> tuple[Exchange, bool]:
        before = socket.signed_in
        exchange = await sessions.link.send_ws(socket, text_of(socket.next_number()), quiet=quiet, cleaning=cleaning)
        if not _may_lack_session(exchange) or not _can_probe(sessions, speaker, socket_key):
            return exchange, False
        replaced = 0 < before < socket.signed_in  # by somebody else, while the message was under way
        return exchange, replaced or await _probe_ws(sessions, speaker, socket)

    async def stands() -> bool:
        generation = socket.signed_in
        if not await _probe_ws(sessions, speaker, socket):
            return True
        async with socket.lock:
            if socket.signed_in == generation and not await sessions.sign_in_again(socket, speaker.name, speaker.role):
                raise RoleUnavailable(f"the session of role {speaker.name!r} ran out, and it was not signed in again")
        return False

    return await _persistently(sessions, speaker, socket_key, attempt, stands)


async def _persistently(
    sessions: Sessions, speaker: Speaker, key: str,
    attempt: Callable[[], Awaitable[tuple[Exchange, bool]]], stands: Callable[[], Awaitable[bool]],
) -> Exchange:  # fmt: skip
    """Sends until a session held. What was refused for want of one goes out again one message at a time.

    `attempt` sends, and tells whether the session was gone; `stands` probes the session, and drops it when it is gone.
    """
    first, gone = await attempt()
    if not gone:
        return first
    async with sessions.renewing.setdefault(key, asyncio.Lock()):
        for _ in range(_RENEWALS):
            for _ in range(_BARREN):
                if await stands():
                    break
            else:
                sessions.unprobed.add(key)
                return first
            exchange, gone = await attempt()
            if not gone:
                return exchange
    raise RoleUnavailable(f"the session of role {speaker.name!r} ran out {_RENEWALS + 1} times in a row")


def _can_probe(sessions: Sessions, speaker: Speaker, key: str) -> bool:
    return speaker.oms is not None and key not in sessions.unprobed and keeps_session(speaker.name, speaker.role)


async def _probe_http(sessions: Sessions, speaker: Speaker, headers: Headers) -> bool:
    """Whether a harmless reading call finds no session either."""
    body = json.dumps({"OMSId": speaker.oms}).encode()
    request = HttpRequest("POST", f"/AP/{_PROBE}", (*_JSON_HEADERS, *headers), body)
    return _may_lack_session(await sessions.link.send_http(request))


async def _probe_ws(sessions: Sessions, speaker: Speaker, socket: Socket) -> bool:
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
    text = reply.body if isinstance(reply, HttpReply) else reply.text
    return b"2" in text and _has_code(reply_value(exchange))  # no other way to write 20 leaves the digit out


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
