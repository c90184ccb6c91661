"""Sign-in to a service: sessions by HTTP Basic, by signature headers, by a WebSocket call; or Basic with every message.

Sends messages as a role, and once more when the role's session had run out: what is refused for that was not done.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.endpoint.model import Role
from conformance.endpoint.secrets import Vault
from conformance.errors import NotCarriedOut, RoleUnavailable, Unreached
from conformance.formats.json.pointer import load_json
from conformance.run.link import Link, Send, Socket
from conformance.wire.messages import (
    Exchange,
    Headers,
    HttpReply,
    HttpRequest,
    ReplyMatch,
    WireProblem,
    WsReply,
    WsRequest,
)

ANONYMOUS, INVENTED = "anonymous", "invented"
_INVENTED_TOKEN = "00000000-0000-4000-8000-00000000c0de"
_SIGN_IN_PATH = "/AP/Authenticate"
_TOKEN = re.compile(r"[!-~]{1,4096}")
"""What can stand in a header; a line break in it would be a request of the target's own making."""
_WITHOUT_SESSION = ("none", "each-message")


@dataclass(slots=True)
class Sessions:
    """The sessions of a run, one for each desk and role, got when they are first needed."""

    link: Link
    vault: Vault
    nonces: itertools.count[int] = field(default_factory=lambda: itertools.count(time.time_ns() // 1_000_000))
    """Each greater than the one before, in this run and after an earlier one, as a signature asks for."""
    tokens: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    renewing: dict[str, asyncio.Lock] = field(default_factory=dict)
    """By session: who holds it sends again what a session that was gone refused."""
    unprobed: set[str] = field(default_factory=set)
    """Sessions whose probe tells nothing on this target."""

    async def headers(self, key: str, name: str, role: Role | None) -> Headers:
        """The headers that make an HTTP request one of this role. Raises `RoleUnavailable` or `Unreached`."""
        if name == ANONYMOUS:
            return self.link.headers
        if name == INVENTED:
            return (*self.link.headers, ("aptoken", _INVENTED_TOKEN))
        wanted = _offered(name, role)
        own = (*self.link.headers, *(self._own_headers(name, wanted) if wanted.headers else ()))
        if wanted.sign_in == "each-message":
            return (*own, ("Authorization", self._basic(name, wanted)))
        if wanted.sign_in == "none":
            return own
        return (*own, ("aptoken", await self._token(key, name, wanted)))

    def _own_headers(self, name: str, role: Role) -> Headers:
        where = f"roles.{name}.headers"
        return tuple((header, self.vault.text(value, f"{where}.{header}")) for header, value in role.headers.items())

    async def _token(self, key: str, name: str, role: Role) -> str:
        if key in self.tokens and key not in self.refused:
            return self.tokens[key]
        async with self.locks.setdefault(key, asyncio.Lock()):
            if key in self.refused:
                raise RoleUnavailable(self.refused[key])
            if key not in self.tokens:
                try:
                    self.tokens[key] = await self._sign_in(name, role)
                except RoleUnavailable as error:
                    self.refused[key] = error.reason
                    raise
                self.vault.learn(self.tokens[key])
            return self.tokens[key]

    def forget(self, key: str, token: str) -> None:
        """Drop a session that the service no longer knows; the next use signs in again, unless somebody did before."""
        if self.tokens.get(key) == token:
            del self.tokens[key]

    async def _sign_in(self, name: str, role: Role) -> str:
        if role.sign_in == "websocket":
            socket = self.link.socket(f"sign-in {name} {role.user}", None)
            exchange = await self.link.send_ws(socket, self._frame(name, role, socket.next_number()), quiet=False)
        else:
            headers = (*self.link.headers, *self._credentials(name, role), ("Accept", "application/json"))
            exchange = await self.link.send_http(HttpRequest("GET", _SIGN_IN_PATH, headers))
        token = _session_token(exchange)
        if token is None:
            _complain(name, exchange)
        assert token is not None
        return token

    def _credentials(self, name: str, role: Role) -> Headers:
        if role.sign_in == "basic":
            return (("Authorization", self._basic(name, role)),)
        key, user_id, nonce, signature = self._signature(name, role)
        return (("APIKey", key), ("Signature", signature), ("UserId", user_id), ("Nonce", nonce))

    def _basic(self, name: str, role: Role) -> str:
        if role.user is None or role.password is None:
            raise RoleUnavailable(f"role {name!r} has no user and password")
        pair = f"{role.user}:{self.vault.get(role.password, f'roles.{name}')}"
        encoded = base64.b64encode(pair.encode()).decode()
        self.vault.learn(encoded)
        return f"Basic {encoded}"

    def _signature(self, name: str, role: Role) -> tuple[str, str, str, str]:
        """Signature = hex HMAC-SHA256(secret, Nonce + UserId + APIKey), as published AlphaPoint documents have it."""
        if role.api_key is None or role.api_secret is None or role.user_id is None:
            raise RoleUnavailable(f"role {name!r} has no user_id, api_key and api_secret for signed sign-in")
        where = f"roles.{name}"
        key, secret = self.vault.get(role.api_key, where), self.vault.get(role.api_secret, where)
        nonce = str(next(self.nonces))
        signed = f"{nonce}{role.user_id}{key}"
        signature = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        self.vault.learn(signature)
        return key, role.user_id, nonce, signature

    def _frame(self, name: str, role: Role, number: int) -> str:
        if role.sign_in == "signature":
            key, user_id, nonce, signature = self._signature(name, role)
            call, payload = (
                "AuthenticateUser",
                {"APIKey": key, "Signature": signature, "UserId": user_id, "Nonce": nonce},
            )
        else:
            if role.user is None or role.password is None:
                raise RoleUnavailable(f"role {name!r} has no user and password for WebSocket sign-in")
            password = self.vault.get(role.password, f"roles.{name}")
            call, payload = "WebAuthenticateUser", {"UserName": role.user, "Password": password}
        return json.dumps({"m": 0, "i": number, "n": call, "o": json.dumps(payload)})

    def socket(self, key: str, name: str, role: Role | None) -> Socket:
        """The WebSocket of one desk and role; it signs in whenever it connects."""
        if name == ANONYMOUS:
            return self.link.socket(key, None)
        wanted = _offered(name, role)
        if wanted.sign_in in _WITHOUT_SESSION:
            return self.link.socket(key, None)

        async def sign_in(send: Send) -> WireProblem | None:
            exchange = await send(WsRequest(self._frame(name, wanted, 0), ReplyMatch(0, expected=True)))
            if exchange.problem is not None:
                return exchange.problem
            if not _authenticated(exchange):
                return WireProblem("handshake-refused", f"role {name!r} was not signed in over WebSocket", "handshake")
            socket.signed_in += 1
            self._learn(exchange)
            return None

        socket = self.link.socket(key, sign_in)
        return socket

    async def sign_in_again(self, socket: Socket, name: str, role: Role | None) -> bool:
        """A new session on a WebSocket that is still open; whether the service gave one."""
        frame = self._frame(name, _offered(name, role), socket.next_number())
        exchange = await self.link.send_ws(socket, frame, quiet=False)
        if not _authenticated(exchange):
            return False
        socket.signed_in += 1
        self._learn(exchange)
        return True

    def _learn(self, exchange: Exchange) -> None:
        self.vault.learn(_session_token(exchange) or "")


def keeps_session(name: str, role: Role | None) -> bool:
    """Whether messages of this role need a session that may run out."""
    return name not in (ANONYMOUS, INVENTED) and role is not None and role.sign_in not in _WITHOUT_SESSION


def _offered(name: str, role: Role | None) -> Role:
    if role is None:
        raise RoleUnavailable(f"the target offers no role {name!r}")
    return role


def reply_value(exchange: Exchange) -> Any:
    """The JSON value of an answer, of a frame's payload over WebSocket; None when there is none."""
    try:
        if isinstance(exchange.reply, HttpReply):
            return load_json(exchange.reply.body)
        if isinstance(exchange.reply, WsReply):
            return load_json(load_json(exchange.reply.text)["o"])
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


def _members(exchange: Exchange) -> Mapping[str, Any]:
    value = reply_value(exchange)
    return {str(name).lower(): content for name, content in value.items()} if isinstance(value, dict) else {}


def _authenticated(exchange: Exchange) -> bool:
    value = _members(exchange)
    return bool(value.get("authenticated")) or isinstance(value.get("sessiontoken"), str)


def _session_token(exchange: Exchange) -> str | None:
    token = _members(exchange).get("sessiontoken")
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None


def _complain(name: str, exchange: Exchange) -> None:
    problem = exchange.problem
    if problem is None:
        raise RoleUnavailable(f"role {name!r} could not sign in: the service refused its credentials")
    if problem.unreachable:
        raise Unreached(problem.message)
    # a wire that failed once may hold the next time, so this is not remembered as a refusal
    raise NotCarriedOut(f"role {name!r} could not sign in: {problem.message}")


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


def _has_code(value: Any, legs: tuple[str, ...] = ("bidresult", "askresult")) -> bool:
    """Whether a standard response, or one of the two of a pair, says Not Authorized; a pair may hold JSON in strings."""
    if isinstance(value, str):
        try:
            value = load_json(value)
        except ValueError:
            return False
    if not isinstance(value, dict):
        return False
    members = {str(name).lower(): content for name, content in value.items()}
    if "errorcode" in members:
        return bool(members["errorcode"] == _NOT_AUTHORIZED)
    return any(_has_code(members.get(leg), ()) for leg in legs)
