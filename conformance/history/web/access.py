"""Who may see the page: on loopback whoever is on the machine, elsewhere who has the token or came through the proxy."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "conformance_history"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_MOST_FORM = 4096
_REQUEST = "http"
"""The kind of ASGI scope that is a request; the others are WebSockets and the start of the program."""
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}
"""What every answer has unless it brings its own. Charts have sizes as `style`, which is what `unsafe-inline` is for."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a request must show: a token, a header that only the reverse proxy sets, or, with neither, a loopback name."""

    token: str = ""
    header: str = ""

    def admits(self, headers: Headers, cookies: Mapping[str, str]) -> bool:
        """Whether the request shows it."""
        if self.header:
            return bool(headers.get(self.header, "").strip())
        if self.token:
            scheme, _, given = headers.get("authorization", "").partition(" ")
            shown = given.strip() if scheme.casefold() == "bearer" else ""
            return _same(shown, self.token) or _same(cookies.get(COOKIE, ""), self.session)
        return True

    @property
    def session(self) -> str:
        """What the cookie of a browser that has given the token holds."""
        return hmac.new(self.token.encode(), b"conformance history", hashlib.sha256).hexdigest()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


class Guarded:
    """The page behind its access rule; adds the headers of every answer and how long it took (`Server-Timing`)."""

    def __init__(self, app: ASGIApp, access: Access, sign_in: Any) -> None:
        self._app, self._access, self._sign_in = app, access, sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != _REQUEST:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def finish(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers["server-timing"] = f"page;dur={(time.perf_counter() - started) * 1000:.1f}"
            await send(message)

        request = Request(scope, receive)
        answer = await self._refusal(request)
        await (answer or self._app)(scope, receive, finish)

    async def _refusal(self, request: Request) -> Response | None:
        """The answer to a request that may not see the page; None for one that may."""
        access = self._access
        if not access.token and not access.header and _host(request.headers.get("host", "")) not in LOOPBACK:
            return PlainTextResponse("Ask for this page by its loopback address.\n", 421)
        if request.method not in ("GET", "HEAD") and not (request.method == "POST" and request.url.path == "/sign-in"):
            return PlainTextResponse("This page is read only.\n", 405, {"allow": "GET, HEAD"})
        if request.url.path.startswith("/static/"):
            return None
        if request.method == "POST":
            return await self._sign(request)
        if access.admits(request.headers, request.cookies):
            return None
        if access.header:
            return PlainTextResponse("The reverse proxy does not name a user.\n", 403)
        page: Response = self._sign_in(request, wrong=False)
        return page

    async def _sign(self, request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _MOST_FORM:
                return PlainTextResponse("Too long.\n", 413)
        given = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0].strip()
        if not self._access.token or not _same(given, self._access.token):
            page: Response = self._sign_in(request, wrong=True)
            return page
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE, self._access.session, httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
        return answer


def _host(header: str) -> str:
    """The host of a Host header, without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.rpartition(":")[0] if ":" in header else header
