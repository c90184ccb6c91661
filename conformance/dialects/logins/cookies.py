"""A session in cookies: user and password go to a path of the service, and the role has a jar for what that sets.

The jar keeps cookies by domain, path, Secure and expiry as `http.cookiejar` does, takes in what every later answer sets,
and sends what fits the request. An answer 401 means that the session is gone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Literal, cast
from urllib.parse import urlencode
from urllib.request import Request

from pydantic import Field

from conformance.dialects.base import Login, Reply, Session, Signer, answered
from conformance.dialects.logins.basic import basic
from conformance.dialects.logins.oauth2 import lapsed
from conformance.endpoint.model import LoginKeys, Secret, Text
from conformance.errors import NotCarriedOut
from conformance.wire.messages import Headers, HttpReply, HttpRequest, WsRequest, header_values

_SERVER, _BAD_REQUEST = 500, 400
_SESSION_ID = 12
"""Shorter values, such as `en`, are no session ids and may stand in right answers."""
_SAFE_PATH = r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+"
"""What every reader takes for the same path: no query, no escapes, no `..` and no empty step."""


class CookieKeys(LoginKeys):
    """User and password, and where and how they are sent for a cookie."""

    implied_by = "sign_in_path"

    user: Text
    password: Secret
    sign_in_path: str = Field(pattern=rf"^{_SAFE_PATH}$", description="A path of the service; it is sent a POST.")
    sign_in_form: Literal["form", "json", "basic"] = Field("form", description="How user and password are sent.")
    user_field: Text = "username"
    password_field: Text = "password"

    def paths(self) -> tuple[tuple[str, str], ...]:
        """The one request that signs in."""
        return (("POST", self.sign_in_path),)


class _Answer:
    """A reply as `http.cookiejar` reads one."""

    def __init__(self, reply: HttpReply) -> None:
        self._message = Message()
        for value in header_values(reply.headers, "set-cookie"):
            self._message["Set-Cookie"] = value

    def info(self) -> Message:
        """The headers."""
        return self._message


@dataclass(frozen=True, slots=True)
class CookiesOfRole:
    """The jar of a role, for one address."""

    base_url: str
    jar: CookieJar = field(default_factory=lambda: CookieJar(DefaultCookiePolicy(strict_ns_domain=0)))

    def _asked(self, request: HttpRequest) -> Request:
        return Request(self.base_url + (request.path or "/"), method=request.method)

    def headers_for(self, request: HttpRequest) -> Headers:
        """The header Cookie with everything that fits the request; none when nothing does."""
        asked = self._asked(request)
        self.jar.add_cookie_header(asked)
        value = asked.get_header("Cookie")
        return (("Cookie", value),) if value else ()

    def keep(self, request: HttpRequest, reply: HttpReply) -> tuple[str, ...]:
        """Take in what an answer sets; the values of all cookies, for each may be the session."""
        if header_values(reply.headers, "set-cookie"):
            self.jar.extract_cookies(cast(Any, _Answer(reply)), self._asked(request))
        return self.values()

    def values(self) -> tuple[str, ...]:
        """The values of all cookies in the jar."""
        return tuple(cookie.value for cookie in self.jar if cookie.value)

    def life_s(self, now_epoch_s: float) -> float | None:
        """How long until the last cookie has expired; None while one is there that the service has not dated."""
        ends = [cookie.expires for cookie in self.jar]
        return None if None in ends else max((end for end in ends if end is not None), default=0) - now_epoch_s


async def over_http(signer: Signer) -> Session:
    """Sign in, and keep what the answer sets. Raises `RoleUnavailable` when that is nothing."""
    request = _request(signer)
    exchange = await signer.send(request)
    answered(signer, exchange)
    assert isinstance(exchange.reply, HttpReply)
    reply, where = exchange.reply, f"POST {request.path}"
    if reply.status >= _SERVER:  # it may hold the next time, so this is not remembered
        raise NotCarriedOut(f"role {signer.name!r} could not sign in: {where} was answered with status {reply.status}")
    if reply.status >= _BAD_REQUEST:
        raise signer.refused(f"{where} was answered with status {reply.status}; check user, password and sign_in_path")
    jar = CookiesOfRole(signer.base_url)
    secrets = jar.keep(request, reply)
    if not secrets:
        raise signer.refused(_why_none(reply, where, signer.base_url))
    if all(cookie.secure for cookie in jar.jar) and not signer.base_url.startswith("https"):
        raise signer.refused(f"{where} set only cookies for https (Secure), and {signer.base_url} is not; use https")
    life_s = jar.life_s(signer.clock.epoch_s())
    telling = tuple(secret for secret in secrets if len(secret) >= _SESSION_ID)
    return Session((), telling, None if life_s is None else signer.clock.now_s() + life_s, jar)


def _request(signer: Signer) -> HttpRequest:
    keys, accept = signer.keys, ("Accept", "*/*")
    if keys.sign_in_form == "basic":
        return HttpRequest("POST", keys.sign_in_path, (("Authorization", basic(signer)), accept))
    members = {keys.user_field: keys.user, keys.password_field: signer.secret("password")}
    kind, text = ("application/json", json.dumps(members))
    if keys.sign_in_form == "form":
        kind, text = "application/x-www-form-urlencoded", urlencode(members)
    return HttpRequest("POST", keys.sign_in_path, (("Content-Type", kind), accept), text.encode())


def _why_none(reply: HttpReply, where: str, base_url: str) -> str:
    names = ", ".join(value.partition("=")[0].strip() for value in header_values(reply.headers, "set-cookie"))
    if names:
        return (
            f"{where} set the cookie {names}, but not for {base_url} or already expired; "
            "check its Domain, Path and Expires, and the address under `http`"
        )
    return (
        f"{where} was answered with status {reply.status} and no Set-Cookie; check user, password, sign_in_path and "
        "sign_in_form, or use the login that the service has"
    )


def dry_answer(keys: CookieKeys, request: HttpRequest | WsRequest) -> Reply | None:
    """A cookie for the whole service."""
    if not isinstance(request, HttpRequest) or (request.method, request.path) not in keys.paths():
        return None
    return HttpReply(200, "OK", (("Set-Cookie", "session=dry-cookie; Path=/"),), b"", "1.1")


LOGIN = Login("cookies", CookieKeys, over_http, lapsed=lapsed, header="Cookie", dry_answer=dry_answer)
