"""The values that cross the transport seam: what is sent, what came back, and what went wrong on the way.

Everything here is frozen. A failure on the wire is a `WireProblem` inside an `Exchange`, never an exception.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import field
from functools import cache
from typing import Literal, Protocol, TypeVar

from conformance import DISTRIBUTION, tool_version
from conformance.values import value_class

ProblemKind = Literal[
    "connect-refused",
    "name-resolution",
    "connect-timeout",
    "tls",
    "proxy",
    "timeout",
    "reset",
    "closed-early",
    "too-large",
    "malformed",
    "content-encoding",
    "handshake-refused",
    "ws-closed",
    "ws-goodbye",
    "no-reply",
    "interrupted",
]
Phase = Literal["connect", "handshake", "send", "wait", "headers", "body", "decode"]
Headers = tuple[tuple[str, str], ...]

UNREACHABLE_KINDS: frozenset[ProblemKind] = frozenset(
    {"connect-refused", "name-resolution", "connect-timeout", "tls", "proxy"}
)

TIMED_OUT: frozenset[ProblemKind] = frozenset({"timeout", "no-reply"})
"""An answer was waited for in vain."""


@value_class(frozen=True, slots=True)
class Limits:
    """What one exchange may cost; sizes in bytes, times in seconds.

    `max_body_bytes` bounds an HTTP body (on the wire and decoded) and a WebSocket message.
    `total_timeout_s` runs from the first byte written to the last byte read; connecting has its own time-out.
    `max_kept_bytes` bounds the body or message that a reply brings along; of a longer one it brings the length alone.
    `max_received_evidence_bytes` bounds what is kept as evidence, not what may be read.
    """

    connect_timeout_s: float = 5.0
    total_timeout_s: float = 10.0
    max_body_bytes: int = 8 * 1024 * 1024
    max_kept_bytes: int = 8 * 1024 * 1024
    max_header_bytes: int = 64 * 1024
    max_received_evidence_bytes: int = 256 * 1024
    max_pings: int = 100


@value_class(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request; `path` starts with "/" or is empty, may carry a query, and goes behind the base path.

    The headers are written in this order and spelling; Host, User-Agent and Content-Length are added when they
    are missing. `spelling` names another way to write the same request, one of `conformance.wire.http.spell`; with a
    `place` it goes out in one go with others.
    """

    method: str
    path: str
    headers: Headers = ()
    body: bytes = b""
    spelling: str = ""
    place: Place | None = field(default=None, compare=False, repr=False)


@value_class(frozen=True, slots=True)
class ReplyMatch:
    """Which frame answers a request: the one that echoes sequence number `i` (None: no frame can).

    With `expected` false, silence for `quiet_s` seconds is the observation; a reply that does come ends the
    wait.
    """

    i: int | None
    expected: bool = True
    quiet_s: float = 0.0


@value_class(frozen=True, slots=True)
class WsRequest:
    """One text message; `bytes` are sent as the payload of a text frame even when they are not UTF-8.

    `spelling` names another way to frame it, one of `conformance.wire.ws.spell`.
    """

    text: str | bytes
    reply_to: ReplyMatch
    spelling: str = ""


@value_class(frozen=True, slots=True)
class HttpReply:
    """One complete HTTP response; `body` is after gzip or deflate was undone, or as sent when that failed.

    `trailing_data` says that bytes followed the end of the response in the same read; they stand in the
    evidence. `unread_bytes` is the length of a body that was too long to be kept; `body` is empty then.
    """

    status: int
    reason: str
    headers: Headers
    body: bytes
    http_version: str
    trailing_data: bool = False
    unread_bytes: int = 0


@value_class(frozen=True, slots=True)
class WsReply:
    """The payload that answered; `others` are the payloads seen while waiting that answer nobody.

    `unread_bytes` is the length of a payload that was too long to be kept; `text` is empty then.
    """

    text: bytes
    others: tuple[bytes, ...] = ()
    binary: bool = False
    unread_bytes: int = 0


@value_class(frozen=True, slots=True)
class WireProblem:
    """What kept an exchange from completing, and in which phase of it."""

    kind: ProblemKind
    message: str
    phase: Phase

    @property
    def unreachable(self) -> bool:
        """True when the target cannot be reached at all; false when it answered badly."""
        return self.kind in UNREACHABLE_KINDS


@value_class(frozen=True, slots=True)
class Exchange:
    """One message sent and what came of it.

    `sent` is empty when nothing of the message was written, so it cannot have been carried out. `received`
    is cut at `Limits.max_received_evidence_bytes`, and `truncated` says so. `others` holds the WebSocket
    payloads that came while waiting and answered nobody. `silent` is the observation of a quiet request
    that nothing but events came for. `started_s` is a reading of `time.monotonic`.
    `reused_connection` says that an HTTP connection had served before. `again` gets the WebSocket payloads that
    answer the same message once more, or late, also when they come after the exchange was given out.
    """

    sent: bytes
    received: bytes
    reply: HttpReply | WsReply | None
    problem: WireProblem | None
    started_s: float
    elapsed_s: float
    truncated: bool = False
    others: tuple[bytes, ...] = ()
    silent: bool = False
    reused_connection: bool = False
    again: list[bytes] = field(default_factory=list, compare=False)

    @property
    def closed_unread(self) -> bool:
        """Whether the peer ended an HTTP connection before any byte of the answer."""
        return self.problem is not None and self.problem.kind in ("closed-early", "reset") and not self.received

    @property
    def lost_by_reuse(self) -> bool:
        """True if a reused connection ended without a byte of answer: the peer may have closed it at that moment."""
        lost = (
            self.problem is not None and self.problem.kind in ("closed-early", "reset") and self.problem.phase == "wait"
        )
        return lost and self.reused_connection

    @property
    def lost_by_goodbye(self) -> bool:
        """True if the server ended a WebSocket (1001, 1012) before an answer; it may have read the message."""
        return self.problem is not None and self.problem.kind == "ws-goodbye"


@value_class(frozen=True, slots=True)
class Payload:
    """The bytes of one request, and whether its answer has no body whatever its headers say."""

    data: bytes
    head_only: bool = False


class Together(Protocol):
    """Requests that go out in one go, as `conformance.wire.http.pipeline` has them."""

    over: bool
    """Whether that was done or given up: what is sent again goes out by itself."""

    async def send(
        self, place: int, payload: Payload, write: Callable[[Sequence[Payload]], Awaitable[Sequence[Exchange]]]
    ) -> Exchange:
        """Wait until all have come, and for the answer to this one; the last to come writes."""
        ...


@value_class(frozen=True, slots=True)
class Place:
    """The place of one request among those that go out in one go."""

    pipeline: Together
    number: int


RequestT_contra = TypeVar("RequestT_contra", contravariant=True)


class Transport(Protocol[RequestT_contra]):
    """The one seam to an endpoint: `Transport[HttpRequest]` or `Transport[WsRequest]`."""

    async def send(self, request: RequestT_contra, *, limits: Limits) -> Exchange:
        """Send one message once and wait for what comes of it; wire failures are data in the exchange."""
        ...

    async def connect(self, *, limits: Limits) -> None:
        """Do what a first message would have to wait for, if that is one connection; what fails shows at that message."""
        ...

    async def aclose(self) -> None:
        """Close every connection; exchanges still waiting end as `interrupted`."""
        ...


def header_values(headers: Iterable[tuple[str, str]], name: str) -> tuple[str, ...]:
    """All values of the header `name`, compared without case, in order."""
    wanted = name.lower()
    return tuple([value for key, value in headers if key.lower() == wanted])


@cache
def _user_agent() -> str:
    return f"{DISTRIBUTION}/{tool_version()}"


def with_agent(headers: Headers) -> Headers:
    """The headers with a User-Agent that names tool and version, so that a server's log tells whose messages they are.

    One that is there already stays as it is.
    """
    return headers if header_values(headers, "user-agent") else (("User-Agent", _user_agent()), *headers)
