"""The sessions of one service: opened at first need, kept for each desk and role, opened again when lost.

Messages are sent as a role from here, and once more when the role's session had run out: what is refused for that was not
done. What a sign-in looks like is the login's affair, what a session looks like the dialect's.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from conformance.dialects.base import (
    ANONYMOUS,
    INVENTED,
    Ask,
    Clock,
    Dialect,
    FrameOf,
    Reply,
    Session,
    Signer,
    Speaker,
    SystemClock,
    login_named,
    login_of,
    offered,
    speaker_at,
)
from conformance.dialects.set_ups import SetUps
from conformance.endpoint.desks import Desk
from conformance.endpoint.model import Binding, Role
from conformance.endpoint.secrets import Vault
from conformance.errors import NotCarriedOut, RoleUnavailable, StateUnavailable, Unreached
from conformance.guard.gate import OF_A_CASE, Label, Purpose, hiccup_words, is_hiccup
from conformance.guard.link import Link, Send, Socket
from conformance.wire.messages import (
    TIMED_OUT,
    Exchange,
    Headers,
    HttpReply,
    HttpRequest,
    ReplyMatch,
    WireProblem,
    WsRequest,
    header_values,
)

_RENEWALS = 3
"""How often one message is sent again."""
BARREN = 3
"""If the probe fails so often in a row after a new sign-in, it is useless: the service refuses it to everyone."""
MOST_ATTEMPTS = 1 + _RENEWALS
"""How often one message is sent at most, where sessions run out all the time."""
MOST_PROBES = 1 + _RENEWALS * (BARREN + 1)
"""How often a session is probed at most for one message."""
MOST_SIGN_INS = _RENEWALS * BARREN
"""How often a role signs in again at most for one message."""
Gone = Literal["", "told", "probed"]
"""Whether a session is gone: not, as the answer said outright, or as a probe found."""


@dataclass(slots=True)
class Sessions:
    """The sessions of a run with one service."""

    link: Link
    vault: Vault
    dialect: Dialect
    clock: Clock = field(default_factory=SystemClock)
    settle_s: float = 0.0
    """How long an effect may take to show."""
    set_ups: SetUps = field(default_factory=SetUps)
    """What was asked of the service to be set up."""
    tries_wrong: bool = False
    """Whether a case may sign in with wrong credentials: a service may count them, and lock the user."""
    nonces: itertools.count[int] = field(default_factory=lambda: itertools.count(time.time_ns() // 1_000_000))
    """Each greater than the one before, in this run and after an earlier one, as a signature asks for."""
    held: dict[str, Session] = field(default_factory=dict)
    lent: set[str] = field(default_factory=set)
    """The tokens of sessions that cases had to themselves."""
    refused: dict[str, str] = field(default_factory=dict)
    refused_over_ws: dict[str, str] = field(default_factory=dict)
    """By session: what the service said to its credentials. They are not tried again: a service may lock the user."""
    unkept: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By role: the cookies that the service set at sign-in and that its login does not keep."""
    called_as: set[tuple[str, str, str]] = field(default_factory=set)
    """Session, first part of a case id, which says the operation, and transport of each message of a case so far."""
    memory: dict[str, Any] = field(default_factory=dict)
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    renewing: dict[str, asyncio.Lock] = field(default_factory=dict)
    """By session: who holds it sends again what a session that was gone refused."""
    unprobed: set[str] = field(default_factory=set)
    """Sessions whose loss nobody can tell on this target: a probe, or the answer itself, says so of fresh ones, too."""
    misled: dict[str, int] = field(default_factory=dict)
    """How often in a row a fresh session was said to be gone."""

    # What the run asks for.

    def secrets_of(self, key: str) -> tuple[str, ...]:
        """What of a session must not come back in an answer."""
        session = self.held.get(key)
        return () if session is None else session.secrets

    def every_secret(self) -> tuple[str, ...]:
        """The secrets of all sessions."""
        return (*(secret for session in self.held.values() for secret in session.secrets), *self.lent)

    async def sign_in(self, desk: Desk, role: str) -> None:
        """Sign a role in over HTTP, if its login does so. Raises `RoleUnavailable` or `Unreached`."""
        speaker = speaker_at(desk, role)
        if login_of(speaker) is not None:
            await self.session(speaker)

    async def ready(self, desk: Desk, role: str, *, framed: bool) -> None:
        """Open what a role's first message would have to open before it goes out. Raises `RoleUnavailable`."""
        speaker = speaker_at(desk, role)
        if framed:
            await self.socket(speaker, f"{speaker.key}#{desk.index}").transport.connect(limits=self.link.limits)
        else:
            await self.sign_in(desk, role)

    async def call(self, desk: Desk, role: str, name: str, payload: Mapping[str, Any], purpose: Purpose) -> Any:
        """The decoded answer of one of the service's own calls; None when it cannot be read."""
        speaker = speaker_at(desk, role)
        if self.link.http is not None:
            exchange = await self.send_http(
                speaker, lambda headers: self.dialect.call_request(name, payload, headers), purpose
            )
        else:
            exchange = await self.send_ws(
                speaker, speaker.key, lambda number: self.dialect.call_frame(number, name, payload), purpose
            )
        if exchange.problem is not None:
            unanswered: NotCarriedOut = StateUnavailable(f"{name} got no answer: {exchange.problem.message}")
            if exchange.problem.unreachable:
                unanswered = Unreached(exchange.problem.message)
            unanswered.timed_out = exchange.problem.kind in TIMED_OUT
            unanswered.unsent = not exchange.sent
            raise unanswered
        if is_hiccup(exchange):
            raise StateUnavailable(f"{name} got no answer: {hiccup_words(exchange)}")
        return self.dialect.value(exchange)

    def grant(self, bindings: Mapping[str, Binding]) -> None:
        """Take ids that the run has just made into the scope."""
        self.link.guard.grant(bindings)

    @property
    def bounded(self) -> bool:
        """Whether there is anything that may not be touched."""
        return self.link.guard.bounded

    def known_as(self, number: int) -> str:
        """What the target file takes an id for, in words; "" for one that may be new."""
        return self.link.guard.known_as(number)

    def dry_answer(
        self, role: Role | None, request: HttpRequest | WsRequest, *, still_open: bool = False
    ) -> Reply | None:
        """What a dry wire answers to a message of the role's login or of the dialect."""
        own = None if role is None else login_named(role.sign_in).dry_answer(role.login_keys, request)
        return self.dialect.dry_answer(request, still_open=still_open) if own is None else own

    def _label(self, speaker: Speaker, purpose: Purpose, transport: str) -> Label:
        """What a message is sent for, and whether it is the first of a case of this operation as this user."""
        key = speaker.key, speaker.case.partition("/")[0], transport
        first = purpose in OF_A_CASE and key not in self.called_as
        if first:
            self.called_as.add(key)
        return Label(purpose, speaker.name, speaker.case, first)

    # Over HTTP.

    async def send_http(
        self, speaker: Speaker, request_of: Callable[[Headers], HttpRequest], purpose: Purpose
    ) -> Exchange:
        """One HTTP request with the speaker's headers; again with a new session when the old one turns out to be gone.

        Raises `RoleUnavailable` when sessions run out faster than a message can be sent.
        """
        login, own, label = login_of(speaker), self.own_headers(speaker), self._label(speaker, purpose, "http")
        if login is None:
            return await self.link.send_http(request_of(own), label)
        used: list[Session] = []

        async def attempt() -> tuple[Exchange, Gone]:
            session = await self.session(speaker)
            used[:] = [session]
            exchange = await self._as(session, request_of((*own, *session.headers)), label)
            if login.lapsed(exchange):
                return exchange, "" if speaker.key in self.unprobed else "told"
            if not self.dialect.may_lack_session(exchange) or not self._can_probe(speaker, speaker.key):
                return exchange, ""
            return exchange, "probed" if await self.probe_http(speaker, own, session) else ""

        async def stands() -> bool:
            session = await self.session(speaker)
            if not await self.probe_http(speaker, own, session):
                return True
            self._forget(speaker.key, session)
            return False

        async def renew() -> None:
            self._forget(speaker.key, used[0])

        try:
            return await self._persistently(speaker, speaker.key, attempt, stands, renew)
        except NotCarriedOut as error:
            error.unsent = not used
            raise

    async def _as(self, session: Session, request: HttpRequest, label: Label) -> Exchange:
        """Send with what the session keeps for this very request, and keep what the reply changes."""
        jar = session.jar
        if jar is None:
            return await self.link.send_http(request, label)
        request = replace(request, headers=(*request.headers, *jar.headers_for(request)))
        exchange = await self.link.send_http(request, label)
        if isinstance(exchange.reply, HttpReply):
            for secret in jar.keep(request, exchange.reply):
                self.vault.learn(secret)
        return exchange

    def own_headers(self, speaker: Speaker) -> Headers:
        """The headers of the service and of the role, without a session. Raises `RoleUnavailable`."""
        if speaker.name == ANONYMOUS:
            return self.link.headers
        if speaker.name == INVENTED:
            return (*self.link.headers, *self.dialect.invented)
        role = offered(speaker)
        own = self.link.headers
        if role.headers:
            where = f"roles.{speaker.name}.headers"
            texts = ((name, self.vault.text(value, f"{where}.{name}")) for name, value in role.headers.items())
            own = (*own, *texts)
        every_message = login_named(role.sign_in).every_message
        return own if every_message is None else (*own, *every_message(self.signer(speaker, role)))

    async def session(self, speaker: Speaker) -> Session:
        """The speaker's session over HTTP, opened when there is none. Raises `RoleUnavailable`."""
        key = speaker.key
        session = self.held.get(key)
        if session is not None and key not in self.refused and not self._ended(session):
            return session
        role = offered(speaker)
        login = login_named(role.sign_in)
        if login.over_http is None:
            raise RoleUnavailable(f"role {speaker.name!r} has a login that serves no HTTP: {login.name}")
        async with self.locks.setdefault(key, asyncio.Lock()):
            if key in self.refused:
                raise RoleUnavailable(self.refused[key])
            session = self.held.get(key)
            if session is None or self._ended(session):
                try:
                    session = await login.over_http(self.signer(speaker, role))
                except RoleUnavailable as error:
                    self.refused[key] = error.reason
                    raise
                self.held[key] = session
                for secret in session.secrets:
                    self.vault.learn(secret)
            return session

    def _ended(self, session: Session) -> bool:
        return session.until_s is not None and self.clock.now_s() >= session.until_s

    def _forget(self, key: str, session: Session) -> None:
        """Drop a session that the service no longer knows; the next use signs in again, unless somebody did before."""
        if self.held.get(key) is session:
            del self.held[key]

    # Over WebSocket.

    async def send_ws(
        self, speaker: Speaker, socket_key: str, text_of: Callable[[int], str | bytes], purpose: Purpose,
        *, quiet: bool = False, spelling: str = "",
    ) -> Exchange:  # fmt: skip
        """One frame on the speaker's own WebSocket; again after a new sign-in when the session turns out to be gone.

        `text_of` writes the frame for a sequence number. Raises `RoleUnavailable` as `send_http` does.
        """
        socket, label = self.socket(speaker, socket_key), self._label(speaker, purpose, "ws")
        if login_of(speaker) is None:
            text = text_of(socket.next_number())
            return await self.link.send_ws(socket, text, label, quiet=quiet, spelling=spelling)

        async def attempt() -> tuple[Exchange, Gone]:
            before = socket.signed_in
            text = text_of(socket.next_number())
            exchange = await self.link.send_ws(socket, text, label, quiet=quiet, spelling=spelling)
            if not self.dialect.may_lack_session(exchange) or not self._can_probe(speaker, socket_key):
                return exchange, ""
            replaced = 0 < before < socket.signed_in  # by somebody else, while the message was under way
            return exchange, "probed" if replaced or await self.probe_ws(speaker, socket) else ""

        async def renew() -> None:
            generation = socket.signed_in
            async with socket.lock:
                if socket.signed_in == generation and not await self._sign_in_again(socket, speaker):
                    raise RoleUnavailable(
                        f"the session of role {speaker.name!r} ran out, and it was not signed in again"
                    )

        async def stands() -> bool:
            if not await self.probe_ws(speaker, socket):
                return True
            await renew()
            return False

        return await self._persistently(speaker, socket_key, attempt, stands, renew)

    async def greet(self, desk: Desk, role: str) -> Exchange:
        """Sign a role in over WebSocket with a frame that asks for nothing; what came of that frame."""
        speaker = speaker_at(desk, role)
        socket = self.socket(speaker, f"{speaker.key}#{desk.index}")
        text = self.dialect.hello(socket.next_number())
        return await self.link.send_ws(socket, text, Label(Purpose.SIGN_IN, role), quiet=True)

    def socket(self, speaker: Speaker, key: str) -> Socket:
        """The WebSocket of one desk and role; it signs in whenever it connects."""
        label = Label(Purpose.SIGN_IN, speaker.name)
        login = login_of(speaker)
        if login is None:
            return self.link.socket(key, None, label)
        over_ws = login.over_ws
        if over_ws is None:
            raise RoleUnavailable(f"role {speaker.name!r} has a login that serves no WebSocket: {login.name}")

        if speaker.key in self.refused_over_ws:
            raise RoleUnavailable(self.refused_over_ws[speaker.key])

        async def sign_in(send: Send) -> WireProblem | None:
            numbers = itertools.chain((0,), iter(socket.next_number, None))

            async def ask(text_of: FrameOf) -> Exchange:
                number = next(numbers)
                return await send(WsRequest(text_of(number), ReplyMatch(number, expected=True)))

            exchange = await over_ws(self.signer(speaker, offered(speaker)), ask)
            problem = exchange.problem
            if problem is not None:
                words = f"role {speaker.name!r} was not signed in over WebSocket: {problem.message}"
                return replace(problem, message=words)
            if not self._signed_in(socket, exchange):
                why = self.dialect.refusal(exchange)
                words = f"role {speaker.name!r} was not signed in over WebSocket: {why}"
                self.refused_over_ws[speaker.key] = words
                return WireProblem("handshake-refused", words, "handshake")
            return None

        socket = self.link.socket(key, sign_in, label)
        return socket

    async def _sign_in_again(self, socket: Socket, speaker: Speaker) -> bool:
        """A new session on a WebSocket that is still open; whether the service gave one."""
        role = offered(speaker)
        over_ws = login_named(role.sign_in).over_ws
        assert over_ws is not None
        exchange = await over_ws(self.signer(speaker, role), self._ask_on(socket, Label(Purpose.SIGN_IN, speaker.name)))
        return self._signed_in(socket, exchange)

    def _ask_on(self, socket: Socket, label: Label) -> Ask:
        return lambda text_of: self.link.send_ws(socket, text_of(socket.next_number()), label)

    def _signed_in(self, socket: Socket, exchange: Exchange) -> bool:
        session = self.dialect.session(exchange)
        if session is None:
            return False
        socket.signed_in += 1
        for secret in session.secrets:
            self.vault.learn(secret)
        return True

    # Both.

    def signer(self, speaker: Speaker, role: Role) -> Signer:
        """What a login signs the role in with."""
        label, login = Label(Purpose.SIGN_IN, speaker.name, speaker.case), login_named(role.sign_in)

        async def send(request: HttpRequest) -> Exchange:
            exchange = await self.link.send_http(request, label)
            if login.header != "Cookie" and isinstance(exchange.reply, HttpReply):
                self._note_cookies(speaker.name, exchange.reply)
            return exchange

        async def ask(text_of: FrameOf) -> Exchange:
            socket = self.link.socket(f"sign-in {speaker.key}", None, label)
            return await self._ask_on(socket, label)(text_of)

        return Signer(
            name=speaker.name, keys=role.login_keys, vault=self.vault, dialect=self.dialect, clock=self.clock,
            nonces=self.nonces, memory=self.memory, send=send,
            elsewhere=lambda address, request: self.link.send_elsewhere(address, request, label), ask=ask,
            base_url="" if self.link.address is None else str(self.link.address),
        )  # fmt: skip

    def _note_cookies(self, role: str, reply: HttpReply) -> None:
        names = tuple(value.partition("=")[0].strip() for value in header_values(reply.headers, "set-cookie"))
        if names:
            self.unkept[role] = tuple(dict.fromkeys((*self.unkept.get(role, ()), *names)))

    async def _persistently(
        self, speaker: Speaker, key: str, attempt: Callable[[], Awaitable[tuple[Exchange, Gone]]],
        stands: Callable[[], Awaitable[bool]], renew: Callable[[], Awaitable[None]],
    ) -> Exchange:  # fmt: skip
        """Sends until a session held. What was refused for want of one goes out again one message at a time.

        `attempt` sends, and tells whether the session was gone; `stands` probes the session, and drops it when it is
        gone; `renew` drops the session that the last attempt used.
        """
        first, gone = await attempt()
        if not gone:
            return first
        async with self.renewing.setdefault(key, asyncio.Lock()):
            if gone == "told":
                return await self._once_more(key, attempt, renew)
            for _ in range(_RENEWALS):
                for _ in range(BARREN):
                    if await stands():
                        break
                else:
                    self.unprobed.add(key)
                    return first
                exchange, gone = await attempt()
                if not gone:
                    return exchange
        raise RoleUnavailable(f"the session of role {speaker.name!r} ran out {_RENEWALS + 1} times in a row")

    async def _once_more(
        self, key: str, attempt: Callable[[], Awaitable[tuple[Exchange, Gone]]], renew: Callable[[], Awaitable[None]]
    ) -> Exchange:
        """Sends again with a new session; what is said to a fresh one is the answer.

        A service that says so of fresh sessions several times in a row speaks of something else than the session.
        """
        await renew()
        exchange, gone = await attempt()
        self.misled[key] = self.misled.get(key, 0) + 1 if gone else 0
        if self.misled[key] >= BARREN:
            self.unprobed.add(key)
        return exchange

    def _can_probe(self, speaker: Speaker, key: str) -> bool:
        return key not in self.unprobed and self.dialect.probe(speaker.bindings) is not None

    async def probe_http(self, speaker: Speaker, own: Headers, session: Session) -> bool:
        """Whether a harmless reading call finds no session either."""
        found = self.dialect.probe(speaker.bindings)
        assert found is not None
        request = self.dialect.call_request(*found, (*own, *session.headers))
        label = Label(Purpose.PROBE, speaker.name, speaker.case)
        return self.dialect.may_lack_session(await self._as(session, request, label))

    async def probe_ws(self, speaker: Speaker, socket: Socket) -> bool:
        """The same on a socket."""
        found = self.dialect.probe(speaker.bindings)
        assert found is not None
        text = self.dialect.call_frame(socket.next_number(), *found)
        label = Label(Purpose.PROBE, speaker.name, speaker.case)
        return self.dialect.may_lack_session(await self.link.send_ws(socket, text, label))
