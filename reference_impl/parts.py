"""The collaborators that the server is put together from; a fault, an equivalent or a reading replaces some.

Every function is given the `Parts` in force at the call, so whatever replaced a collaborator is seen by all
the others. Replace with `with_alphapoint`, `with_cancel_all`, `with_cancel_quote`, `with_cancel_order` and `with_tpp`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reference_impl.alphapoint.book import Book, Order
from reference_impl.alphapoint.sessions import Sessions
from reference_impl.alphapoint.values import (
    Answer,
    Call,
    CancelAllRequest,
    CancelOrderRequest,
    CancelQuoteRequest,
    Frame,
    Pair,
    Refusal,
    Standard,
)
from reference_impl.tpp.orders import TppOrders
from reference_impl.tpp.values import Charset, Format, Instruction, Media, Result
from reference_impl.wire import (
    FrameFilter,
    FrameInfo,
    Hold,
    HttpFilter,
    HttpRequest,
    HttpResponse,
    Mishap,
    Passage,
    Pipelined,
    UnderWay,
    at_once,
    keep_each,
    keep_frames,
    keep_response,
    never_hangs_up,
    no_delay_s,
    refuse_nothing,
    tell_nobody,
)
from reference_impl.world.model import Account, User, World


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of a quote, judged: the order to cancel, or why not; neither is a receipt without effect."""

    order: Order | None = None
    refusal: Refusal | None = None


Legs = tuple[Leg, Leg]
Handler = Callable[["Parts", Call], Answer]


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may do what."""

    may_call: Callable[[User, str], bool]
    """Whether a user's permissions allow the call of that name."""
    may_touch: Callable[[User, int], bool]
    """Whether a user may address an account that exists."""
    default_account: Callable[[User], int]


@dataclass(frozen=True, slots=True)
class CancelAllSteps:
    """CancelAllOrders in the order in which it is done; each but the last may raise `Refused`."""

    read: Callable[[Parts, Call], CancelAllRequest]
    permit: Callable[[Parts, Call], None]
    accounts: Callable[[Parts, Call, CancelAllRequest], tuple[Account, ...]]
    """The accounts meant; one that the caller may not touch, or that is unknown, is refused."""
    omitted_accounts: Callable[[Parts, Call, CancelAllRequest], tuple[int, ...]]
    """Whose orders are meant when the request names no account."""
    ready: Callable[[Parts, Call, CancelAllRequest, tuple[Account, ...]], None]
    """Whether the system and the accounts can do it at all: 106, 101, 102."""
    select: Callable[[Parts, Call, CancelAllRequest, tuple[Account, ...]], tuple[Order, ...]]
    effect: Callable[[Parts, Call, tuple[Order, ...]], Answer]


@dataclass(frozen=True, slots=True)
class CancelOrderSteps:
    """CancelOrder in the order in which it is done; each but the last may raise `Refused`."""

    read: Callable[[Parts, Call], CancelOrderRequest]
    permit: Callable[[Parts, Call], None]
    account: Callable[[Parts, Call, CancelOrderRequest], Account]
    select: Callable[[Parts, Call, CancelOrderRequest, Account], Order]
    ready: Callable[[Parts, Call, Account, Order], None]
    """Whether the matching engine takes the order off: 101, 102."""
    effect: Callable[[Parts, Call, Order], Answer]


@dataclass(frozen=True, slots=True)
class CancelQuoteSteps:
    """CancelQuote in the order in which it is done; `read` to `ready` may raise `Refused`."""

    read: Callable[[Parts, Call], CancelQuoteRequest]
    permit: Callable[[Parts, Call], None]
    account: Callable[[Parts, Call, CancelQuoteRequest], Account]
    ready: Callable[[Parts, Call, CancelQuoteRequest, Account], None]
    judge: Callable[[Parts, Call, CancelQuoteRequest, Account], Legs]
    """Each leg by itself."""
    combine: Callable[[Parts, Call, Legs], Legs]
    """What the state of one leg means for the other."""
    effect: Callable[[Parts, Call, Legs], Answer]


@dataclass(frozen=True, slots=True)
class FrameCodec:
    """WebSocket frames to and from text."""

    decode: Callable[[str], Frame | None]
    """None when the text is no frame."""
    reply: Callable[[Frame, int, str], Frame]
    """The frame that answers one: kind and payload text are given."""
    encode: Callable[[Frame], str]
    unparsable: Callable[[Parts, str], tuple[str, ...]]
    """The texts that answer something that is no frame."""


@dataclass(frozen=True, slots=True)
class AlphaPointParts:
    """The gateway."""

    policy: Policy
    book: Book
    sessions: Sessions
    calls: Mapping[str, Handler]
    """By call name in the vendor's spelling."""
    public_calls: frozenset[str]
    """Calls that need no session."""
    reading_calls: frozenset[str]
    """Calls that HTTP also takes as GET."""
    cancel_all: CancelAllSteps
    cancel_quote: CancelQuoteSteps
    cancel_order: CancelOrderSteps
    login: Callable[[Parts, Mapping[str, str]], User | None]
    """The user whose credentials (headers by lower-case name) these are."""
    read_members: Callable[[Parts, Call], Mapping[str, Any]]
    """The members of a call by folded name."""
    standard: Callable[[Call, Refusal], Standard]
    """The standard response to a refusal."""
    early_error: Callable[[Call, Standard], Answer]
    """The answer when a call is refused before its legs, if it has any, are looked at."""
    error_text: Callable[[Call, int], str]
    render_standard: Callable[[Parts, Call, Standard], Mapping[str, Any]]
    render_pair: Callable[[Parts, Call, Pair], Mapping[str, Any]]
    finish: Callable[[Call, Any], Any]
    """The last word on a payload before it becomes text."""
    encode: Callable[[Any], str]
    http_status: Callable[[Call, Answer], int]
    http_no_session: Callable[[Parts, Call], HttpResponse]
    frames: FrameCodec


@dataclass(frozen=True, slots=True)
class Writer:
    """The three kinds of answer in one format, as text."""

    results: Callable[[Sequence[Result]], str]
    error: Callable[[str], str]
    framework: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class TppParts:
    """The cancellations resource."""

    orders: TppOrders
    decode: Callable[[HttpRequest, Format], str]
    """The text of a body; raises `UnreadableList`."""
    readers: Mapping[Format, Callable[[str], list[Instruction]]]
    """The list in a text; each raises `UnreadableList`."""
    request_format: Callable[[HttpRequest], Format | None]
    """What the Content-Type says the body is; None when it says nothing of use."""
    negotiate: Callable[[HttpRequest], Media]
    problem: Callable[[Instruction], str | None]
    """What breaks an instruction before any order is looked for."""
    admit: Callable[[Parts, Sequence[Instruction]], None]
    """Whether a list that could be read is taken on; raises `UnreadableList`."""
    judge: Callable[[Parts, Instruction], tuple[str, ...]]
    """The errors of one instruction, none when it may be carried out."""
    effect: Callable[[Parts, Instruction], None]
    carry_out: Callable[[Parts, Instruction], Result]
    arrange: Callable[[Sequence[Result]], Sequence[Result]]
    """The order of the results."""
    writers: Mapping[Format, Writer]
    as_list: Mapping[Format, Callable[[str], str]]
    """A body with one instruction as a list of it; each raises `UnreadableList`."""
    of_one: Mapping[Format, Callable[[str], str]]
    """The text of the one result of a list of results."""
    encode: Callable[[str, Charset], bytes]
    processed_status: int
    refused_status: int
    answer_error: Callable[[Parts, Media, int, str], HttpResponse]
    answer_framework: Callable[[Parts, Media, int, str], HttpResponse]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call of an operation before it is read: over which transport it came, and its text.

    Over HTTP the text is the body, each byte as the character of its number, and method, path and headers are beside it.
    """

    operation: str
    transport: str
    text: str
    method: str = ""
    path: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    user: str = ""
    """The name of the caller, where a session says it."""


Enter = Callable[["Parts", Arrival], Awaitable["Parts"]]
"""Awaited between the arrival of a call and its handling, which follows in the same turn of the loop, by these parts."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything, and the hold and the two filters of the outermost layer."""

    world: World
    alphapoint: AlphaPointParts
    tpp: TppParts
    hold: Hold = at_once
    enter: Enter | None = None
    http_filter: HttpFilter = keep_response
    frame_filter: FrameFilter = keep_frames
    refuse: Callable[[HttpRequest], HttpResponse | None] = refuse_nothing
    """An answer given before anything is done; None goes on."""
    delay_s: Callable[[str], float] = no_delay_s
    """How long the frames that answer an operation, by id, are held back once they are ready."""
    window_s: float = 0.0
    """How long a frame that names an operation waits for others on its socket, which are then under way with it."""
    under_way: UnderWay = keep_each
    hangs_up: Callable[[FrameInfo], bool] = never_hangs_up
    """Whether the socket is closed once a text was answered."""
    pipelined: Pipelined | None = None
    """How requests are answered of which one has come before the other had its answer; None: one by one, in their order."""
    mishap: Mishap | None = None
    """What goes wrong on the way of a call of an operation."""
    passed: Callable[[Passage], None] = tell_nobody
    """Told of each call once it was handled, before its answer leaves; not of those to the control address."""


def with_alphapoint(parts: Parts, **changes: Any) -> Parts:
    """Parts with some of the gateway's collaborators replaced, by field name."""
    return replace(parts, alphapoint=replace(parts.alphapoint, **changes))


def with_policy(parts: Parts, **changes: Any) -> Parts:
    """Parts with some of the policy replaced, by field name."""
    return with_alphapoint(parts, policy=replace(parts.alphapoint.policy, **changes))


def with_cancel_all(parts: Parts, **changes: Any) -> Parts:
    """Parts with some steps of CancelAllOrders replaced, by field name."""
    return with_alphapoint(parts, cancel_all=replace(parts.alphapoint.cancel_all, **changes))


def with_cancel_quote(parts: Parts, **changes: Any) -> Parts:
    """Parts with some steps of CancelQuote replaced, by field name."""
    return with_alphapoint(parts, cancel_quote=replace(parts.alphapoint.cancel_quote, **changes))


def with_cancel_order(parts: Parts, **changes: Any) -> Parts:
    """Parts with some steps of CancelOrder replaced, by field name."""
    return with_alphapoint(parts, cancel_order=replace(parts.alphapoint.cancel_order, **changes))


def with_frames(parts: Parts, **changes: Any) -> Parts:
    """Parts with some of the frame codec replaced, by field name."""
    return with_alphapoint(parts, frames=replace(parts.alphapoint.frames, **changes))


def with_call(parts: Parts, name: str, handler: Handler) -> Parts:
    """Parts with another handler for one AlphaPoint call."""
    return with_alphapoint(parts, calls={**parts.alphapoint.calls, name: handler})


def with_tpp(parts: Parts, **changes: Any) -> Parts:
    """Parts with some collaborators of the cancellations resource replaced, by field name."""
    return replace(parts, tpp=replace(parts.tpp, **changes))


def with_writer(parts: Parts, of: Format, **changes: Any) -> Parts:
    """Parts with some of one format's writer replaced, by field name."""
    writers = {**parts.tpp.writers, of: replace(parts.tpp.writers[of], **changes)}
    return with_tpp(parts, writers=writers)
