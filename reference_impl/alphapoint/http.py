"""The HTTP gateway: `POST /AP/<Call>`, and GET for the calls that only read."""

from __future__ import annotations

from reference_impl.alphapoint.dispatch import answer, find_call
from reference_impl.alphapoint.events import SOCKET_CALLS
from reference_impl.alphapoint.values import Call
from reference_impl.parts import Parts
from reference_impl.wire import HttpRequest, HttpResponse, text_response
from reference_impl.world.model import User

JSON = "application/json; charset=utf-8"
PREFIX = "/ap/"
_SIGN_IN = ("Authenticate", "AuthenticateUser", "WebAuthenticateUser")


def handle(parts: Parts, request: HttpRequest) -> HttpResponse:
    """Answers one request under /AP/; an unknown call is 404, another method 405, both plain text."""
    name = find_call(parts, request.path[len(PREFIX) :].rstrip("/"))
    if name is None or name in SOCKET_CALLS:
        return text_response(404, "NOT FOUND")
    reads = name in parts.alphapoint.reading_calls
    if request.method != "POST" and not (reads and request.method == "GET"):
        return text_response(405, "METHOD NOT ALLOWED", ("allow", "GET, POST" if reads else "POST"))
    caller, token = find_caller(parts, request, name)
    call = Call(name, "http", request.body, request.query, caller, token)
    if caller is None and name not in parts.alphapoint.public_calls:
        return parts.alphapoint.http_no_session(parts, call)
    result, text = answer(parts, call)
    return HttpResponse(parts.alphapoint.http_status(call, result), text.encode(), JSON)


def find_caller(parts: Parts, request: HttpRequest, name: str) -> tuple[User | None, str | None]:
    """Whose request it is, by session token, else by signature headers, or, to sign in, by HTTP Basic."""
    token = request.header("aptoken")
    if token is not None and name not in _SIGN_IN:
        return parts.alphapoint.sessions.find(token.strip()), token.strip()
    wanted = {"apikey", "signature", "userid", "nonce"}
    if name in _SIGN_IN:
        wanted.add("authorization")
    credentials = {key: value for key, value in request.headers if key in wanted}
    return (parts.alphapoint.login(parts, credentials) if credentials else None), None


def no_session(_parts: Parts, _call: Call) -> HttpResponse:
    """What live gateways say to a private call without a session."""
    return text_response(404, "NOT FOUND")
