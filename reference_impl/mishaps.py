"""What may go wrong on the way of a call: the connection is reset, ends in the middle of the answer, or stays silent.

ASGI has no words for it, so that each connection leaves its transport in the scope, under "state". So it does with what
has come behind a request before that one was answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Sequence

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from reference_impl.wire import HttpResponse, Mishap

LONGEST_SILENCE_S = 60.0
_ERROR_CLOSE = 1011
_WITHOUT_LINGER = struct.pack("ii", 1, 0)
_TEXT_FRAME, _TWO_BYTES = 0x81, 126
_SHORT = 125


class Reachable(HttpToolsProtocol):
    """A connection whose transport the application finds in the scope; that of a WebSocket is made of it, too."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {**self.app_state, "transport": transport, "behind": self._behind}
        super().connection_made(transport)

    def _behind(self) -> list[tuple[Scope, bytes]]:
        """The requests that wait for the answer to the one before, whole ones alone, in the order of arrival."""
        waiting = [cycle for cycle, _ in reversed(self.pipeline)]
        return [(cycle.scope, bytes(cycle.body)) for cycle in waiting if not cycle.more_body]


def behind(scope: Scope) -> list[tuple[Scope, bytes]]:
    """What has come on the same connection behind a request, with their bodies, and waits for its answer."""
    found: Callable[[], list[tuple[Scope, bytes]]] = scope["state"]["behind"]
    return found()


def prepare(scope: Scope, answer: HttpResponse | Mishap) -> None:
    """Keep what a request that waits is to be answered, in its scope."""
    scope["state"]["prepared"] = answer


def prepared(scope: Scope) -> HttpResponse | Mishap | None:
    """What was kept for a request while it waited."""
    answer: HttpResponse | Mishap | None = scope["state"].get("prepared")
    return answer


def gateway_response(status: int) -> HttpResponse:
    """What a gateway says that stands in front of a service."""
    text = f"<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>\n"
    return HttpResponse(status, text.encode(), "text/html")


async def end_http(mishap: Mishap, scope: Scope, receive: Receive, send: Send, response: HttpResponse | None) -> None:
    """End the connection of a request without the whole answer."""
    if mishap.connection == "silent":
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_SILENCE_S):
                while (await receive())["type"] != "http.disconnect":
                    pass
    if mishap.connection == "cut" and response is not None:
        headers = [(b"content-type", response.content_type.encode()), (b"content-length", b"%d" % len(response.body))]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        half = response.body[: len(response.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        _transport(scope).close()
    else:
        _reset(_transport(scope))
    while (await receive())["type"] != "http.disconnect":  # else the server takes the silence for an error of ours
        pass


async def end_ws(mishap: Mishap, peer: WebSocket, replies: Sequence[str]) -> bool:
    """Do to a socket what the mishap is; whether it is over."""
    if mishap.connection == "silent":
        return False
    if mishap.status:
        await peer.close(_ERROR_CLOSE)
    elif mishap.connection == "cut" and replies:
        payload = replies[0].encode()
        length = bytes([len(payload)]) if len(payload) <= _SHORT else struct.pack("!BH", _TWO_BYTES, len(payload))
        transport = _transport(peer.scope)
        transport.write(bytes([_TEXT_FRAME]) + length + payload[: len(payload) // 2])
        transport.close()
    else:
        _reset(_transport(peer.scope))
    return True


def _transport(scope: Scope) -> asyncio.Transport:
    found: asyncio.Transport = scope["state"]["transport"]
    return found


def _reset(transport: asyncio.Transport) -> None:
    """Close so that the peer is told of a reset, not of an end."""
    if transport.is_closing():
        return
    with contextlib.suppress(OSError):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _WITHOUT_LINGER)
    transport.abort()
