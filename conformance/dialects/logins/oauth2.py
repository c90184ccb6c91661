"""OAuth 2.0 client credentials (RFC 6749, 4.4): a token from a token endpoint, sent as `Authorization: Bearer` (RFC 6750).

The token endpoint may be on another host. It is asked again before a token ends, and when an answer is 401.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote_plus, urlencode

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from conformance.dialects.base import Login, Reply, Session, Signer
from conformance.endpoint.model import LoginKeys, Secret, Text
from conformance.errors import NotCarriedOut
from conformance.formats.json.pointer import load_json
from conformance.wire.address import AddressError, parse_address
from conformance.wire.messages import Exchange, HttpReply, HttpRequest, WsRequest

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,8192}=*")
"""What may follow `Bearer` (RFC 6750, 2.1)."""
_LONGEST_SPARE_S = 30.0
_SPARE = 0.1
"""A token is replaced when a tenth of its life is left, and at the latest 30 s before its end."""
_LONGEST = 200
_UNAUTHORIZED, _BAD_REQUEST, _SERVER = 401, 400, 500
_WORDS = {
    "invalid_request": "it finds the request incomplete or malformed; check audience and scope",
    "invalid_client": "it does not know the client; check client_id and client_secret, or try the other client_auth",
    "invalid_grant": "it takes the credentials for invalid or expired",
    "unauthorized_client": "this client may not use client credentials; have the grant allowed for it",
    "unsupported_grant_type": "it does not serve client credentials; check token_url",
    "invalid_scope": "it does not grant the scope; check scope",
}
"""The errors of RFC 6749, 5.2, in words."""


class ClientKeys(LoginKeys):
    """A client and the token endpoint that knows it."""

    implied_by = "token_url"

    token_url: Text = Field(description="https, or http on loopback; no query.")
    client_id: Text
    client_secret: Secret
    client_auth: Literal["basic", "body"] = Field("basic", description="Where the client's id and secret are sent.")
    scope: Text | None = None
    audience: Text | None = None

    @field_validator("token_url")
    @classmethod
    def _safe(cls, url: str) -> str:
        try:
            address = parse_address(url)
        except AddressError as error:
            raise PydanticCustomError("address", "{text}", {"text": str(error)}) from None
        if address.scheme not in ("http", "https") or (address.scheme == "http" and not _loopback(address.host)):
            raise PydanticCustomError("address", "a secret goes there; use https://")
        return url

    def addresses(self) -> tuple[str, ...]:
        """The token endpoint."""
        return (self.token_url,)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


async def over_http(signer: Signer) -> Session:
    """Get a token."""
    asked_s = signer.clock.now_s()
    return _session(signer, await signer.elsewhere(signer.keys.token_url, _request(signer)), asked_s)


def _request(signer: Signer) -> HttpRequest:
    keys, secret = signer.keys, signer.secret("client_secret")
    form = {"grant_type": "client_credentials", "scope": keys.scope, "audience": keys.audience}
    headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")]
    if keys.client_auth == "body":
        form.update(client_id=keys.client_id, client_secret=secret)
    else:  # both are form-encoded first (2.3.1)
        encoded = base64.b64encode(f"{quote_plus(keys.client_id)}:{quote_plus(secret)}".encode()).decode()
        signer.vault.learn(encoded)
        headers.append(("Authorization", f"Basic {encoded}"))
    signer.vault.learn(quote_plus(secret))
    body = urlencode({name: value for name, value in form.items() if value is not None})
    return HttpRequest("POST", "", tuple(headers), body.encode())


def _session(signer: Signer, exchange: Exchange, asked_s: float) -> Session:
    """The token in an answer; `expires_in` counts from when it was asked for."""
    reply = exchange.reply
    where = f"the token endpoint {signer.keys.token_url}"
    if not isinstance(reply, HttpReply):
        problem = exchange.problem.message if exchange.problem else "no answer"
        raise NotCarriedOut(f"role {signer.name!r} could not sign in: {where} gave no answer: {problem}")
    if reply.status >= _SERVER:  # it may hold the next time, so this is not remembered
        raise NotCarriedOut(f"role {signer.name!r} could not sign in: {where} answered with status {reply.status}")
    members = _members(reply.body)
    if reply.status >= _BAD_REQUEST or "error" in members:
        raise signer.refused(f"{where} refused: {_refusal(reply.status, members)}")
    token, kind = members.get("access_token"), members.get("token_type")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise signer.refused(f"{where} answered status {reply.status} without an access_token that can be sent")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise signer.refused(f"{where} gave a token of the type {kind!r}; only Bearer is known")
    return Session((("Authorization", f"Bearer {token}"),), (token,), _until_s(members.get("expires_in"), asked_s))


def _until_s(expires_in: Any, asked_s: float) -> float | None:
    """When to ask again; None where the endpoint does not say how long a token lives, or not in a number."""
    try:
        life_s = float(expires_in)
    except (TypeError, ValueError):
        return None
    if isinstance(expires_in, bool) or not 0 < life_s < float("inf"):
        return None
    return asked_s + life_s - min(_LONGEST_SPARE_S, _SPARE * life_s)


def _refusal(status: int, members: Mapping[str, Any]) -> str:
    code, said = members.get("error"), members.get("error_description")
    words = _WORDS.get(code, f"error {code[:_LONGEST]!r}") if isinstance(code, str) else f"status {status}"
    name = f"{code}: {words}" if isinstance(code, str) and code in _WORDS else words
    return f"{name} ({said[:_LONGEST]})" if isinstance(said, str) and said else name


def _members(body: bytes) -> Mapping[str, Any]:
    try:
        value = load_json(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def lapsed(exchange: Exchange) -> bool:
    """Whether an answer is 401: the token is not taken any more (RFC 6750, 3.1)."""
    return isinstance(exchange.reply, HttpReply) and exchange.reply.status == _UNAUTHORIZED


def dry_answer(keys: ClientKeys, request: HttpRequest | WsRequest) -> Reply | None:
    """A token that lives for an hour."""
    if not isinstance(request, HttpRequest) or request.path or b"client_credentials" not in request.body:
        return None
    body = {"access_token": f"dry-token-of-{quote_plus(keys.client_id)}", "token_type": "Bearer", "expires_in": 3600}
    return HttpReply(200, "OK", (("Content-Type", "application/json"),), json.dumps(body).encode(), "1.1")


LOGIN = Login(
    "oauth2", ClientKeys, over_http, lapsed=lapsed, header="Authorization", dry_answer=dry_answer,
)  # fmt: skip
