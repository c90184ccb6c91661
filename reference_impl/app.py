"""The application: HTTP and WebSocket in, the answers of the parts out, with bounds on both."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from reference_impl.alphapoint import http as alphapoint_http
from reference_impl.alphapoint.events import Events
from reference_impl.alphapoint.frames import Connection, call_in, operation_in
from reference_impl.mishaps import behind, end_http, end_ws, gateway_response, prepare, prepared
from reference_impl.parts import Arrival, Parts
from reference_impl.tpp import http as tpp_http
from reference_impl.wire import (
    OPERATIONS,
    TPP_ONE,
    TPP_OPERATION,
    FrameInfo,
    HttpRequest,
    HttpResponse,
    Mishap,
    Passage,
    Pipelined,
    text_response,
)

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_DRAINED_BYTES = 8 * MAX_BODY_BYTES
PIECE_BYTES = 37
WEBSOCKET_PATH = "/wsgateway"
CONTROL_PREFIX = "/_world/"
Control = Callable[[HttpRequest], HttpResponse]
_DESCRIPTION = "/openapi.json"
_HELP = """A mock of order cancellation, with data of its own.

"""
_HELP_ALPHAPOINT = """POST /AP/CancelAllOrders, /AP/CancelOrder, /AP/CancelQuote   AlphaPoint; sign in at /AP/Authenticate
     /WSGateway/                                             the same over WebSocket
"""
_HELP_TPP = """POST /api/orders/cancellations, /api/orders/cancellation     TPP
"""
_TPP = {tpp_http.PATH: TPP_OPERATION, tpp_http.PATH_OF_ONE: TPP_ONE}
_HELP_CONTROL = """GET  /_world/openapi.json                                    what a test may tell this server
GET  /_world/received                                        what has arrived, with the verdict on each request
"""


def build_app(parts: Parts, control: Control | None = None, *, cors: bool = False) -> Starlette:
    """The ASGI application of those parts; `control` answers what is under /_world/, 404 without it.

    With `cors` the page of any origin may call it.
    """

    async def websocket(socket: WebSocket) -> None:
        await _serve_frames(parts, socket)

    return Starlette(
        routes=[Route("/{path:path}", _HttpGate(parts, control)), WebSocketRoute("/{path:path}", websocket)],
        middleware=[Middleware(CORSMiddleware, **_ANY_ORIGIN)] if cors else [],
    )


def build_control_app(parts: Parts, control: Control) -> Starlette:
    """The control address alone, for a port of its own."""
    return Starlette(routes=[Route("/{path:path}", _ControlGate(parts, control))])


_ANY_ORIGIN: dict[str, Any] = {"allow_origins": ["*"], "allow_methods": ["*"], "allow_headers": ["*"]}


class _Gate(ABC):
    """One HTTP endpoint; an object, not a function, so that every method reaches it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body, first = await _read_body(Request(scope, receive))
        except ClientDisconnect:
            return
        if body is None:
            await _answer(_TOO_LARGE, scope, receive, send)
        else:
            await self._handle(_request(scope, body, first), scope, receive, send)

    @abstractmethod
    async def _handle(self, request: HttpRequest, scope: Scope, receive: Receive, send: Send) -> None: ...


class _HttpGate(_Gate):
    """The endpoint of the API and, unless it has a port of its own, of the control address."""

    def __init__(self, parts: Parts, control: Control | None) -> None:
        super().__init__(parts)
        self._control = control

    async def _handle(self, request: HttpRequest, scope: Scope, receive: Receive, send: Send) -> None:
        parts = await self._entered(request)
        if self._parts.pipelined is not None:
            answer = prepared(scope) or self._of_several(self._parts.pipelined, parts, request, scope)
            if answer is not None:
                await _sent(answer, scope, receive, send)
                return
        mishap = parts.mishap
        told: HttpResponse | None = None
        if mishap is None or mishap.carried_out:
            told = respond(parts, self._control, request)
        if mishap is not None and mishap.status:
            told = gateway_response(mishap.status)
        whole = mishap is None or not mishap.connection
        if not request.path.startswith(CONTROL_PREFIX):
            call = request.sent_path.rstrip("/").rpartition("/")[2]
            parts.passed(Passage(request, "", request.operation, call, told, whole=whole))
        if mishap is not None and (not whole or told is None):
            await end_http(mishap, scope, receive, send, told)
            return
        assert told is not None
        await _answer(told, scope, receive, send)

    def _of_several(
        self, pipelined: Pipelined, parts: Parts, request: HttpRequest, scope: Scope
    ) -> HttpResponse | Mishap | None:
        """The answer to a request behind which others of its operation wait, those to them kept; None where none wait."""
        waiting = [(its, _request(its, body, len(body))) for its, body in behind(scope)]
        if not request.operation or not waiting or {one.operation for _, one in waiting} != {request.operation}:
            return None
        requests = (request, *(one for _, one in waiting))
        first, *others = pipelined(requests, lambda one: respond(parts, self._control, one))
        for (its, _), answer in zip(waiting, others, strict=True):
            prepare(its, answer)
        return first

    async def _entered(self, request: HttpRequest) -> Parts:
        """The parts that a request is handled by."""
        parts = self._parts
        if not request.operation:
            return parts
        await parts.hold(request)
        if parts.enter is None:
            return parts
        text, path = request.body.decode("latin-1"), request.sent_path
        user = parts.alphapoint.sessions.owner((request.header("aptoken") or "").strip())
        arrival = Arrival(request.operation, "http", text, request.method, path, request.headers, user)
        return await parts.enter(parts, arrival)


class _ControlGate(_Gate):
    """The endpoint of the control address on a port of its own."""

    def __init__(self, parts: Parts, control: Control) -> None:
        super().__init__(parts)
        self._control = control

    async def _handle(self, request: HttpRequest, scope: Scope, receive: Receive, send: Send) -> None:
        response = _helped(self._parts, self._control, request) or self._control(request)
        await _answer(response, scope, receive, send)


_TOO_LARGE = text_response(413, "REQUEST ENTITY TOO LARGE", ("connection", "close"))


async def _sent(answer: HttpResponse | Mishap, scope: Scope, receive: Receive, send: Send) -> None:
    if isinstance(answer, Mishap):
        await end_http(answer, scope, receive, send, None)
    else:
        await _answer(answer, scope, receive, send)


async def _answer(response: HttpResponse, scope: Scope, receive: Receive, send: Send) -> None:
    headers = dict(response.headers)
    if response.content_type:
        headers["content-type"] = response.content_type
    if response.chunked:
        await StreamingResponse(_pieces(response.body), response.status, headers)(scope, receive, send)
    else:
        await Response(response.body, response.status, headers)(scope, receive, send)


async def _entered(parts: Parts, operation: str, text: str, token: str | None) -> Parts:
    """The parts that a frame of an operation is handled by."""
    if parts.enter is None or not operation:
        return parts
    user = parts.alphapoint.sessions.owner(token or "")
    return await parts.enter(parts, Arrival(operation, "ws", text, user=user))


async def _hold_back(parts: Parts, operation: str) -> None:
    delay_s = parts.delay_s(operation)
    if delay_s:
        await asyncio.sleep(delay_s)


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    """A body in small pieces, each of which becomes a chunk."""
    for start in range(0, len(body), PIECE_BYTES):
        yield body[start : start + PIECE_BYTES]


def respond(parts: Parts, control: Control | None, request: HttpRequest) -> HttpResponse:
    """The response to one request: control, gateway, resource, or not found; then the outermost filter."""
    if control is not None and request.path.startswith(CONTROL_PREFIX):
        return control(request)
    help_ = None if control is None else _helped(parts, control, request)
    if help_ is not None:
        return help_
    refusal = parts.refuse(request)
    if refusal is not None:
        return refusal
    if request.path.startswith(alphapoint_http.PREFIX) and parts.world.alphapoint_served:
        response = alphapoint_http.handle(parts, request)
    elif request.path in _TPP and parts.world.tpp_served:
        response = tpp_http.handle(parts, request)
    elif parts.world.tpp_served:
        response = tpp_http.not_found(parts, request)
    else:
        response = text_response(404, "NOT FOUND")
    return parts.http_filter(request, response)


def _helped(parts: Parts, control: Control, request: HttpRequest) -> HttpResponse | None:
    """What is there for someone who looks around: `/` in words, `/openapi.json` for programs."""
    if request.method != "GET":
        return None
    if request.path == "/":
        served = (_HELP_ALPHAPOINT * parts.world.alphapoint_served) + (_HELP_TPP * parts.world.tpp_served)
        return text_response(200, _HELP + served + _HELP_CONTROL)
    return control(replace(request, path=CONTROL_PREFIX + "openapi.json")) if request.path == _DESCRIPTION else None


async def _read_body(request: Request) -> tuple[bytes | None, int]:
    """The body, and how much of it came first; None when it is beyond the bound.

    What is too much is still read, up to a bound, and dropped: closing on a peer that is still sending would
    cost it the answer.
    """
    body = bytearray()
    received = first = 0
    async for chunk in request.stream():
        received += len(chunk)
        first = first or received
        if received <= MAX_BODY_BYTES:
            body += chunk
        elif received > MAX_DRAINED_BYTES:
            break
    return (bytes(body) if received <= MAX_BODY_BYTES else None), first


def _request(scope: Scope, body: bytes, first: int) -> HttpRequest:
    sent = str(scope["path"])
    path = sent.lower().removesuffix("/") or "/"
    operation = _TPP.get(path, "")
    if path.startswith(alphapoint_http.PREFIX):
        operation = OPERATIONS.get(path[len(alphapoint_http.PREFIX) :], "")
    headers = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in scope["headers"])
    query = scope["query_string"].decode("latin-1")
    return HttpRequest(scope["method"], path, query, headers, body, operation, sent, first)


async def _serve_frames(parts: Parts, socket: WebSocket) -> None:
    """Answers frames until the peer leaves; a connection to any other path is refused."""
    if socket.url.path.lower().rstrip("/") != WEBSOCKET_PATH or not parts.world.alphapoint_served:
        await socket.close()
        return
    await socket.accept()
    with contextlib.suppress(WebSocketDisconnect), Events(parts, socket) as events:
        connection = Connection(events)
        while True:
            arrived = await _arrived(parts, socket)
            answered = []
            for text in arrived:
                entered = parts
                if parts.enter is not None:
                    entered = await _entered(parts, operation_in(text), text, connection.token)
                mishap, operation = entered.mishap, operation_in(text)
                replies: tuple[str, ...] = ()
                if mishap is None or mishap.carried_out:
                    replies, operation = connection.receive(entered, text)
                entered.passed(Passage(None, text, operation, call_in(text), None, replies, whole=mishap is None))
                if mishap is not None:
                    if await end_ws(mishap, socket, replies):
                        return
                    replies = ()
                answered.append((FrameInfo(text, operation), replies))
            for info, replies in parts.under_way(answered) if len(answered) > 1 else answered:
                await _hold_back(parts, info.operation)
                for reply in replies:
                    await socket.send_text(reply)
                if parts.hangs_up(info):
                    await socket.close()
                    return


async def _arrived(parts: Parts, socket: WebSocket) -> list[str]:
    """The next text, and those that come while it waits. Raises `WebSocketDisconnect` when the peer has left."""
    texts = [await _text(socket)]
    with contextlib.suppress(TimeoutError):
        while parts.window_s and operation_in(texts[0]):
            texts.append(await asyncio.wait_for(_text(socket), parts.window_s))
    return texts


async def _text(socket: WebSocket) -> str:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    text = message.get("text")
    return str(message["bytes"], "utf-8", "replace") if text is None else str(text)
