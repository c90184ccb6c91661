"""Sign-in to AlphaPoint: by HTTP Basic, by signature headers, by a WebSocket call; renewed when a session is gone."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.engine.link import Link, Send, Socket
from conformance.engine.problems import RoleUnavailable, Unreached
from conformance.target.model import Role
from conformance.target.secrets import Vault
from conformance.transport.messages import Exchange, Headers, HttpReply, HttpRequest, ReplyMatch, WireProblem, WsReply, WsRequest

ANONYMOUS, INVENTED = "anonymous", "invented"
_INVENTED_TOKEN = "00000000-0000-4000-8000-00000000c0de"
_SIGN_IN_PATH = "/AP/Authenticate"


@dataclass(slots=True)
class Sessions:
    """The sessions of a run, one for each desk and role, got when they are first needed."""

    link: Link
    vault: Vault
    nonces: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    tokens: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def headers(self, key: str, name: str, role: Role | None) -> Headers:
        """The headers that make an HTTP request one of this role. Raises `RoleUnavailable` or `Unreached`."""
        if name == ANONYMOUS:
            return self.link.headers
        if name == INVENTED:
            return (*self.link.headers, ("aptoken", _INVENTED_TOKEN))
        if role is None:
            raise RoleUnavailable(f"the target offers no role {name!r}")
        own = tuple(
            (header, self.vault.text(value, f"roles.{name}.headers.{header}")) for header, value in role.headers.items()
        )
        if role.login == "none":
            return (*self.link.headers, *own)
        return (*self.link.headers, *own, ("aptoken", await self._token(key, name, role)))

    async def _token(self, key: str, name: str, role: Role) -> str:
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

    def forget(self, key: str) -> None:
        """Drop a session that the service no longer knows; the next use signs in again."""
        self.tokens.pop(key, None)

    async def _sign_in(self, name: str, role: Role) -> str:
        if role.login == "websocket":
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
        where = f"roles.{name}"
        if role.login == "basic":
            if role.user is None or role.password is None:
                raise RoleUnavailable(f"role {name!r} has no user and password for Basic sign-in")
            pair = f"{role.user}:{self.vault.get(role.password, where)}"
            encoded = base64.b64encode(pair.encode()).decode()
            self.vault.learn(encoded)
            return (("Authorization", f"Basic {encoded}"),)
        key, user_id, nonce, signature = self._signature(name, role)
        return (("APIKey", key), ("Signature", signature), ("UserId", user_id), ("Nonce", nonce))

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
        if role.login == "signature":
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
        if role is None:
            raise RoleUnavailable(f"the target offers no role {name!r}")
        wanted: Role = role

        async def sign_in(send: Send) -> WireProblem | None:
            match = ReplyMatch(0, expected=True)
            exchange = await send(WsRequest(self._frame(name, wanted, 0), match))
            if exchange.problem is not None:
                return exchange.problem
            if not _authenticated(exchange):
                return WireProblem("handshake-refused", f"role {name!r} was not signed in over WebSocket", "handshake")
            return None

        return self.link.socket(key, sign_in if role.login != "none" else None)


def _reply_value(exchange: Exchange) -> Mapping[str, Any]:
    try:
        if isinstance(exchange.reply, HttpReply):
            value = json.loads(exchange.reply.body)
        elif isinstance(exchange.reply, WsReply):
            value = json.loads(json.loads(exchange.reply.text)["o"])
        else:
            return {}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return {str(name).lower(): content for name, content in value.items()} if isinstance(value, dict) else {}


def _authenticated(exchange: Exchange) -> bool:
    value = _reply_value(exchange)
    return bool(value.get("authenticated")) or isinstance(value.get("sessiontoken"), str)


def _session_token(exchange: Exchange) -> str | None:
    token = _reply_value(exchange).get("sessiontoken")
    return token if isinstance(token, str) and token else None


def _complain(name: str, exchange: Exchange) -> None:
    if exchange.problem is not None:
        if exchange.problem.unreachable:
            raise Unreached(exchange.problem.message)
        raise RoleUnavailable(f"role {name!r} could not sign in: {exchange.problem.message}")
    raise RoleUnavailable(f"role {name!r} could not sign in: the service refused its credentials")

