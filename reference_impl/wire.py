"""What arrives at and leaves the outermost layer: HTTP messages and WebSocket frames as plain values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

OPERATIONS = {
    "cancelallorders": "alphapoint.cancel_all_orders",
    "cancelquote": "alphapoint.cancel_quote",
    "cancelorder": "alphapoint.cancel_order",
}
TPP_OPERATION, TPP_ONE = "tpp.create_cancellations", "tpp.create_cancellation"
TPP_OPERATIONS = (TPP_OPERATION, TPP_ONE)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, its body read in full; header names in lower case, in the order of arrival."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    operation: str = ""
    """Id of the operation that the path names; empty for every other path."""
    sent_path: str = ""
    """The path in the letter case in which it came, with what stood behind it."""
    first_bytes: int = 0
    """How many bytes of the body came in the first piece that was read."""

    def header(self, name: str) -> str | None:
        """The value of a header given in lower case, several joined by a comma; None when it is absent."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One response; the length header is added when it is sent."""

    status: int
    body: bytes
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    chunked: bool = False
    """Whether the body goes out in chunks, without a length."""


@dataclass(frozen=True, slots=True)
class FrameInfo:
    """One WebSocket text that arrived, and the operation it names ("" for any other call)."""

    text: str
    operation: str = ""


@dataclass(frozen=True, slots=True)
class Mishap:
    """What goes wrong on the way of one call, whatever the service makes of it."""

    connection: Literal["", "reset", "cut", "silent"] = ""
    """reset: it is reset before the answer; cut: it ends in the middle of the answer; silent: no answer comes."""
    status: int = 0
    """A gateway in front answers with this HTTP status, in words of its own; over WebSocket the socket closes with 1011."""
    carried_out: bool = False
    """Whether the service has the call and acts on it all the same."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One call that has passed: as it arrived, and what went back of it."""

    request: HttpRequest | None = None
    """Over HTTP."""
    frame: str = ""
    """Over WebSocket, the text."""
    operation: str = ""
    call: str = ""
    """Its name as it was sent; over HTTP the last part of the path."""
    response: HttpResponse | None = None
    replies: tuple[str, ...] = ()
    whole: bool = True
    """Whether the answer has gone out, all of it."""


HttpFilter = Callable[[HttpRequest, HttpResponse], HttpResponse]
Hold = Callable[[HttpRequest], Awaitable[None]]
"""Awaited between the arrival of a request and its handling; handling follows in the same turn of the loop."""
FrameFilter = Callable[[FrameInfo, tuple[str, ...]], tuple[str, ...]]
"""The texts to send for one that arrived: none is silence, two are a repeated reply."""


Pipelined = Callable[[Sequence[HttpRequest], Callable[[HttpRequest], HttpResponse]], Sequence[HttpResponse | Mishap]]
"""Requests that have come on one connection before the first was answered, and who answers one; the answers in their order."""
UnderWay = Callable[[Sequence[tuple[FrameInfo, tuple[str, ...]]]], Sequence[tuple[FrameInfo, tuple[str, ...]]]]
"""Texts that arrived together on a socket, each with those that answer it; what is sent, in this order."""


def text_response(status: int, text: str, *headers: tuple[str, str]) -> HttpResponse:
    """A plain text response, the form in which an AlphaPoint gateway reports an unknown path."""
    return HttpResponse(status, text.encode(), "text/plain; charset=utf-8", headers)


async def at_once(_request: HttpRequest) -> None:
    """The hold that holds nothing up."""


def keep_response(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The filter that changes no response."""
    return response


def keep_frames(_info: FrameInfo, replies: tuple[str, ...]) -> tuple[str, ...]:
    """The filter that changes no frame."""
    return replies


def keep_each(
    answered: Sequence[tuple[FrameInfo, tuple[str, ...]]],
) -> Sequence[tuple[FrameInfo, tuple[str, ...]]]:
    """Each text gets its own answers, in the order of arrival."""
    return answered


def never_hangs_up(_info: FrameInfo) -> bool:
    """The hook that keeps sockets open."""
    return False


def refuse_nothing(_request: HttpRequest) -> None:
    """The hook that lets every request in."""
    return


def tell_nobody(_passage: Passage) -> None:
    """The hook that lets calls pass unnoticed."""


def no_delay_s(_operation: str) -> float:
    """The hook that holds nothing back."""
    return 0.0
