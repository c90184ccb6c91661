"""The two seams of a vendor's protocol: `Dialect`, what it brings beyond its contract, and `Login`, one way to sign in.

A contract says what a call takes and answers. How a caller is known, how a frame is wrapped, which calls set up an order
and show what became of it: that is the dialect. How a role proves who it is: that is the login. A dialect is one package
or module under `dialects/`, a login a value in a module of `logins`; `conformance.plugins` names them all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cache
from typing import Any, Literal, Protocol

from conformance.dialects.set_ups import Found, SetUp, SetUps
from conformance.endpoint.desks import Desk
from conformance.endpoint.model import Binding, LoginKeys, Role
from conformance.endpoint.secrets import Vault
from conformance.errors import Hindrance, NotCarriedOut, RoleUnavailable, Unreached
from conformance.guard.gate import Purpose, hiccup_words, is_hiccup
from conformance.model.case import StateNeed
from conformance.plugins import find_login
from conformance.values import value_class
from conformance.wire.messages import Exchange, Headers, HttpReply, HttpRequest, WsReply, WsRequest

ANONYMOUS, INVENTED = "anonymous", "invented"
"""Roles that no target file names: a caller without a session, and one whose session nobody gave out."""
CREDENTIALS = "the service refused its credentials"
Reply = HttpReply | WsReply
FrameOf = Callable[[int], str]
"""Writes a frame for a sequence number."""
Ask = Callable[[FrameOf], Awaitable[Exchange]]
"""Sends a frame on the WebSocket that signs in, and waits for its reply."""

OPEN, CANCELLED, EXECUTED, MIXED, UNKNOWN = "open", "cancelled", "executed", "mixed", "unknown"
CLIENT_ID = ".client"
"""What follows the name of an order that was placed under a number of the client's own."""


@value_class(frozen=True, slots=True)
class Handle:
    """A state that was set up: `bindings` fill the message, `before` is the state of each watched name."""

    name: str
    bindings: Mapping[str, Binding]
    before: Mapping[str, str]
    memory: Any = None
    """What the provider needs to observe and to clean up."""
    provider: StateProvider | None = None
    """Who made it, where several providers share the states of a service."""
    keys: tuple[str, ...] = ()
    """Of its set-ups in the journal, where the provider has no better place for them."""

    def renamed(self, prefix: str) -> Handle:
        """The same under another name, so that it can be looked at together with those of other cases."""
        before = {prefix + name: state for name, state in self.before.items()}
        memory = self.memory.renamed(prefix) if hasattr(self.memory, "renamed") else self.memory
        return replace(self, name=prefix + self.name, before=before, memory=memory)


class StateProvider(Protocol):
    """One way to set up and observe the states of a service."""

    async def prepare(self, name: str, need: StateNeed, desk: Desk) -> Handle:
        """Set up a state. Raises `StateUnavailable` with the reason, or `Unreached`."""
        ...

    async def observe(self, handles: tuple[Handle, ...], desk: Desk) -> Mapping[str, str]:
        """How each watched name stands now; names that cannot be observed are left out."""
        ...

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], desk: Desk) -> tuple[str, ...]:
        """Take back what is still open; what could not be taken back is named in the answer."""
        ...

    async def reclaim(self, set_ups: Sequence[SetUp], desks: Sequence[Desk]) -> tuple[Found, ...]:
        """Take back what a run that was killed may have left open; an answer for each. Raises `Unreached`."""
        ...

    async def aclose(self) -> None:
        """Close what the provider has opened for itself."""
        ...


def together(states: list[str]) -> str:
    """One word for a group: all alike, or mixed."""
    return states[0] if len(set(states)) == 1 else MIXED


_FIRST_PAUSE_S = 0.02


def pauses_s(settle_s: float) -> tuple[float, ...]:
    """The pauses between looks at an effect that does not show: twice as long each time, `settle_s` together."""
    pauses: list[float] = []
    while settle_s > 0:
        pauses.append(min(_FIRST_PAUSE_S * 2 ** len(pauses), settle_s))
        settle_s -= pauses[-1]
    return tuple(pauses)


class Jar(Protocol):
    """What a session keeps that depends on the request, such as cookies."""

    def headers_for(self, request: HttpRequest) -> Headers:
        """The headers that this request needs."""
        ...

    def keep(self, request: HttpRequest, reply: HttpReply) -> tuple[str, ...]:
        """Take in what a reply changes; the secrets in it."""
        ...


@value_class(frozen=True, slots=True)
class Session:
    """What makes later HTTP requests those of a role that has signed in."""

    headers: Headers = ()
    secrets: tuple[str, ...] = ()
    """What of it no output may show and no answer may repeat."""
    until_s: float | None = None
    """When it ends, as a reading of `Clock.now_s`; None when only the service knows."""
    jar: Jar | None = None


class Clock(Protocol):
    """Time for logins: `now_s` measures expiry, `epoch_s` is the time of day that both sides compute with."""

    def now_s(self) -> float:
        """Seconds that only grow."""
        ...

    def epoch_s(self) -> float:
        """Seconds since 1970."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now_s(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def epoch_s(self) -> float:
        """Seconds since 1970."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@value_class(frozen=True, slots=True)
class Inspection:
    """A harmless reading call that tells whether a binding names what cases take it for."""

    binding: str
    call: str
    payload: Mapping[str, Any]
    there: bool
    """Whether what it names has to be there; of an unknown id, that it must not."""


@value_class(frozen=True, slots=True)
class Signer:
    """Who signs in, and the ways to ask. `send` and `elsewhere` pass the gate as messages of the purpose sign-in."""

    name: str
    keys: Any
    """The keys of the role, an instance of the login's own class."""
    vault: Vault
    dialect: Dialect
    clock: Clock
    nonces: Iterator[int]
    """Each greater than the one before, in this run and after an earlier one."""
    memory: dict[str, Any]
    """What logins remember in this run, whichever role signs in."""
    send: Callable[[HttpRequest], Awaitable[Exchange]]
    """To the service."""
    elsewhere: Callable[[str, HttpRequest], Awaitable[Exchange]]
    """To an address of `keys.addresses()`; the request's path is a part of the address and stays empty."""
    ask: Ask
    """On a WebSocket that is there for signing in alone."""
    base_url: str = ""
    """The address of the service over HTTP."""
    spoil: Literal["right", "changed", "shorter"] = "right"
    """How its secrets are wrong, in a case that wants them so; what only names the caller is right."""

    def secret(self, key: str) -> str:
        """The secret that stands under a key of the role."""
        right = self.vault.get(getattr(self.keys, key), f"roles.{self.name}.{key}")
        if self.spoil == "right" or key in self.keys.shown:
            return right
        wrong = altered(right) if self.spoil == "changed" else right[:-1]
        self.vault.learn(wrong)
        return wrong

    def refused(self, why: str = CREDENTIALS) -> RoleUnavailable:
        """The error of a role that the service does not let in; it is remembered, and the role not tried again."""
        return RoleUnavailable(f"role {self.name!r} could not sign in: {why}")


def altered(text: str) -> str:
    """A text with another character of the same kind in its middle: at the end of Base64, one may have no meaning."""
    middle = len(text) // 2
    old = text[middle : middle + 1]
    new = {"9": "0", "z": "a", "Z": "A"}.get(old) or (chr(ord(old) + 1) if old.isascii() and old.isalnum() else "0")
    return text[:middle] + new + text[middle + 1 :]


@value_class(frozen=True, slots=True)
class Login:
    """One way to sign in. What a way does not have stays None: it then has no session, or none over that transport."""

    name: str
    keys: type[LoginKeys] = LoginKeys
    over_http: Callable[[Signer], Awaitable[Session]] | None = None
    """Signs in for HTTP. Raises `RoleUnavailable` when refused, `NotCarriedOut` when the wire failed."""
    over_ws: Callable[[Signer, Ask], Awaitable[Exchange]] | None = None
    """Signs in on a WebSocket; the exchange that decided, in which the dialect finds the session."""
    every_message: Callable[[Signer], Headers] | None = None
    """The headers that go with every HTTP request, where there is no session."""
    lapsed: Callable[[Exchange], bool] = lambda _exchange: False
    """Whether an answer says outright that the session is gone."""
    through_dialect: bool = False
    """Whether it needs the sign-in calls of a dialect."""
    used_up: bool = False
    """Whether a sign-in uses something up that takes time to come again, such as a code."""
    header: str = ""
    """The header that carries it; "" for the one of the dialect's sessions."""
    dry_answer: Callable[[Any, HttpRequest | WsRequest], Reply | None] = lambda _keys, _request: None
    """What a dry wire answers to its own messages, given its keys; None for a message that is not its own."""

    @property
    def keeps_session(self) -> bool:
        """Whether messages need a session that may run out."""
        return self.over_http is not None or self.over_ws is not None


class Calls(Protocol):
    """The service's own calls, made as a role: what a dialect's states are set up with."""

    settle_s: float
    """How long a cancellation may take to show after its answer."""
    set_ups: SetUps
    """Where it is written down what is set up."""

    @property
    def bounded(self) -> bool:
        """Whether there is anything that may not be touched."""
        ...

    def known_as(self, number: int) -> str:
        """What the target file takes an id for, in words; "" for one that may be new."""
        ...

    async def call(self, desk: Desk, role: str, name: str, payload: Mapping[str, Any], purpose: Purpose) -> Any:
        """The decoded answer of a call; None when it cannot be read. Raises `NotCarriedOut` when there is none."""
        ...

    def grant(self, bindings: Mapping[str, Binding]) -> None:
        """Take ids that the run has just made into the scope."""
        ...


class Dialect(Protocol):
    """What a vendor's protocol brings beyond its contract. A run makes one for each service that speaks it."""

    name: str
    signs_in: bool
    """Whether it has sign-in calls for logins with `through_dialect`."""
    states: tuple[str, ...]
    """The states that its own calls can set up."""
    session_header: str
    """The header that carries a session over HTTP."""
    invented: Headers
    """The headers of a caller whose session nobody gave out."""
    sign_out: str
    """The call that ends a session; "" where there is none."""

    def sign_in_request(self, headers: Headers) -> HttpRequest:
        """The request that turns credentials in headers into a session."""
        ...

    def sign_in_frame(self, number: int, members: Mapping[str, str]) -> str:
        """The frame that turns credentials into a session. `members` are those of the login, under its own names."""
        ...

    def session(self, exchange: Exchange) -> Session | None:
        """The session in the answer to a sign-in; None when it was refused. Over WebSocket it may have no headers."""
        ...

    def refusal(self, exchange: Exchange) -> str:
        """Why a sign-in was refused, and what to do, in words."""
        ...

    def signed_out(self, exchange: Exchange) -> bool:
        """Whether the answer to `sign_out` says that the session is over."""
        ...

    def call_request(self, name: str, payload: Mapping[str, Any], headers: Headers) -> HttpRequest:
        """One of the service's own calls over HTTP."""
        ...

    def call_frame(self, number: int, name: str, payload: Mapping[str, Any]) -> str:
        """One of the service's own calls in a frame."""
        ...

    def number_of(self, frame: str | bytes) -> int | None:
        """The sequence number of a frame; None when the text has none."""
        ...

    def value(self, exchange: Exchange) -> Any:
        """The value in an answer; None when there is none."""
        ...

    def hello(self, number: int) -> str:
        """A harmless frame that makes a WebSocket connect and sign in."""
        ...

    def probe(self, bindings: Mapping[str, Binding]) -> tuple[str, Mapping[str, Any]] | None:
        """A harmless reading call that fails without a session; None when there is none, or an id for it is missing."""
        ...

    def inspections(self, bindings: Mapping[str, Binding]) -> tuple[Inspection, ...]:
        """Reading calls for a look at the bindings, as far as they are given."""
        ...

    def may_lack_session(self, exchange: Exchange) -> bool:
        """Whether an answer looks like that to a missing session; other answers may look so, too."""
        ...

    def provider(self, calls: Calls) -> StateProvider | None:
        """The states that the service's own calls set up; None when it has no such calls."""
        ...

    def dry_answer(self, request: HttpRequest | WsRequest, *, still_open: bool = False) -> Reply | None:
        """What the service would answer to one of the dialect's own messages, on a dry wire.

        Sign-in succeeds, an order gets a fresh id; `still_open` says whether observation finds what was set up open or
        cancelled. None for any other message.
        """
        ...


@value_class(frozen=True, slots=True)
class Speaker:
    """Who sends: the session's key, the role, the ids that a probe may name, and the case that it is for."""

    key: str
    name: str
    role: Role | None
    bindings: Mapping[str, Binding] = field(default_factory=dict)
    case: str = ""


def speaker_at(desk: Desk, role: str) -> Speaker:
    """A role at a desk, as it sends."""
    return Speaker(desk.key(role), role, desk.roles.get(role), desk.bindings, desk.case)


@cache
def login_named(name: str) -> Login:
    """The login of this name; a role is only made with a login that is there."""
    found: Login = find_login(name)
    return found


def login_of(speaker: Speaker) -> Login | None:
    """The login that keeps a session for the speaker's messages; None when they need none. Raises `RoleUnavailable`."""
    if speaker.name in (ANONYMOUS, INVENTED):
        return None
    login = login_named(offered(speaker).sign_in)
    return login if login.keeps_session else None


def offered(speaker: Speaker) -> Role:
    """The role that speaks. Raises `RoleUnavailable` when the target file has none of that name."""
    if speaker.role is None:
        reason = f"the target offers no role {speaker.name!r}"
        raise RoleUnavailable(reason, why=Hindrance.NO_ROLE, thing=f"role.{speaker.name}")
    return speaker.role


def session_of(signer: Signer, exchange: Exchange) -> Session:
    """The session in an HTTP answer. Raises `RoleUnavailable` if refused, `NotCarriedOut` if the wire failed."""
    session = signer.dialect.session(exchange)
    if session is not None and session.headers:
        return session
    answered(signer, exchange)
    raise signer.refused(signer.dialect.refusal(exchange))


def answered(signer: Signer, exchange: Exchange) -> None:
    """Raises what a sign-in without an answer means; a wire that failed once may hold the next time."""
    if is_hiccup(exchange):
        raise NotCarriedOut(f"role {signer.name!r} could not sign in: {hiccup_words(exchange)}")
    problem = exchange.problem
    if problem is None:
        return
    if problem.unreachable:
        raise Unreached(problem.message)
    raise NotCarriedOut(f"role {signer.name!r} could not sign in: {problem.message}")
