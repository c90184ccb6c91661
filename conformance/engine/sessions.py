"""Sign-in to a service: sessions by HTTP Basic, by signature headers, by a WebSocket call; or Basic with every message."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.engine.link import Link, Send, Socket
from conformance.engine.problems import NotCarriedOut, RoleUnavailable, Unreached
from conformance.target.model import Role
from conformance.target.secrets import Vault
from conformance.transport.messages import (
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
            call, payload = "AuthenticateUser", {"APIKey": key, "Signature": signature, "UserId": user_id, "Nonce": nonce}
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
            return json.loads(exchange.reply.body)
        if isinstance(exchange.reply, WsReply):
            return json.loads(json.loads(exchange.reply.text)["o"])
    except (ValueError, KeyError, TypeError, RecursionError):
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
