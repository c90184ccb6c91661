"""Sessions that a case has to itself: signed in anew, with wrong credentials, ended, or with a token nobody gave out.

They are apart from the sessions of the run. Where the case waits for it that there is no session, nobody signs in again,
and no message goes out twice. A session that is to last may end all the same, such as when the same user signs in
elsewhere: what was refused for that goes out once more, in a session opened anew. Wrong credentials are tried once for
each user and transport.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from conformance.dialects.base import FrameOf, Login, Session, Signer, Speaker, altered, login_of, offered
from conformance.dialects.sessions import BARREN, Sessions
from conformance.errors import Hindrance, NotCarriedOut, RoleUnavailable, StateUnavailable, Unreached
from conformance.guard.gate import Label, Purpose, hiccup_words, is_hiccup
from conformance.guard.link import Socket
from conformance.model.case import OwnSession, Transport
from conformance.wire.messages import Exchange, Headers, HttpRequest

_CLOSED = ("ws-closed", "ws-goodbye", "reset", "closed-early")
"""A socket that the server closes has no session any more."""
_CUT = 4
"""Padding of Base64 has at most two characters: what lacks so many at its end, or has more, is another token."""
ENDED = (
    "the service ended the session that the case has to itself while the case was under way, and the next one as well"
)
UNTRIED = "wrong credentials are tried on loopback, and where scope.wrong_credentials allows it"


@dataclass(frozen=True, slots=True)
class AtMost:
    """How often a message goes out in such a session at most, and what goes out around it."""

    attempts: int = 1
    new_sign_ins: int = 0
    probes: int = 0


MOST_OWN = AtMost(attempts=2, new_sign_ins=BARREN, probes=2 + BARREN)
"""Of a session that is to last."""


@dataclass(slots=True)
class Own:
    """What the messages of such a case are sent with; `socket` and its `key` over WebSocket."""

    headers: Headers = ()
    secrets: tuple[str, ...] = ()
    socket: Socket | None = None
    key: str = ""
    kept: bool = False
    """Whether other cases use it, too."""
    anew: Callable[[], Awaitable[Own]] | None = None
    """Opens another one like it; None where the case waits for it that there is no session."""
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def take_over(self, fresh: Own) -> None:
        """Go on with another session; the secrets of this one stay secret."""
        self.headers, self.socket, self.key = fresh.headers, fresh.socket, fresh.key
        self.secrets = (*self.secrets, *fresh.secrets)


async def open_own(
    sessions: Sessions, need: OwnSession, transport: Transport, speaker: Speaker, first: Speaker | None
) -> Own:
    """Bring the session about as far as the message. Raises `NotCarriedOut` where the target cannot have such a one."""
    login = login_of(speaker)
    if login is None or not login.through_dialect:
        raise _not_here(f"role {speaker.name!r} does not sign in with a call of the service")
    if need.token != "whole":
        return await _with_token(sessions, need, speaker)
    if login.used_up:
        raise _not_here(f"the login {login.name} of role {speaker.name!r} is not spent on one case")

    def opened() -> Awaitable[Own]:
        key = f"own {next(sessions.nonces)} {speaker.key}"
        return _Opening(sessions, need, need.over or transport, speaker, key).opened(login, transport, first)

    if need.credentials == "right":
        own = await opened()
        own.anew = opened if need.lasts else None
        return own
    if not sessions.tries_wrong:
        raise StateUnavailable(UNTRIED, why=Hindrance.ACCEPTED, accepted=UNTRIED)
    key = f"wrong credentials, {need.over or transport}, {speaker.key}"
    async with sessions.locks.setdefault(key, asyncio.Lock()):
        if key not in sessions.memory:
            sessions.memory[key] = replace(await opened(), kept=True)
        kept: Own = sessions.memory[key]
        return kept


async def send_own_http(
    sessions: Sessions, own: Own, speaker: Speaker, request_of: Callable[[Headers], HttpRequest], purpose: Purpose
) -> Exchange:
    """One HTTP request in such a session, whatever comes. Raises `RoleUnavailable` where no session lasts."""
    label, headers = Label(purpose, speaker.name, speaker.case), sessions.own_headers(speaker)

    async def send() -> Exchange:
        return await sessions.link.send_http(request_of((*headers, *own.headers)), label)

    async def probe() -> bool:
        return await sessions.probe_http(speaker, headers, Session(own.headers))

    return await _sent(sessions, own, speaker, send, probe)


async def send_own_ws(
    sessions: Sessions, own: Own, speaker: Speaker, text_of: Callable[[int], str | bytes], purpose: Purpose,
    *, quiet: bool,
) -> Exchange:  # fmt: skip
    """One frame on the socket of such a session, or on a new one where the server has closed it. Raises as above."""
    label = Label(purpose, speaker.name, speaker.case)

    async def send() -> Exchange:
        assert own.socket is not None
        return await sessions.link.send_ws(own.socket, text_of(own.socket.next_number()), label, quiet=quiet)

    async def probe() -> bool:
        assert own.socket is not None
        return await sessions.probe_ws(speaker, own.socket)

    return await _sent(sessions, own, speaker, send, probe)


async def _sent(
    sessions: Sessions, own: Own, speaker: Speaker, send: Callable[[], Awaitable[Exchange]],
    probe: Callable[[], Awaitable[bool]],
) -> Exchange:  # fmt: skip
    """What came of a message; of a second attempt, where a session that is to last had ended."""
    unprobed = f"own {speaker.key}"

    async def lost(exchange: Exchange) -> bool:
        can_tell = unprobed not in sessions.unprobed and sessions.dialect.probe(speaker.bindings) is not None
        return can_tell and sessions.dialect.may_lack_session(exchange) and await probe()

    used = own.key
    exchange = await send()
    if own.anew is None or not await lost(exchange):
        return exchange
    async with own.renewing:
        for _ in range(BARREN):
            if own.key != used and not await probe():
                break
            fresh = await own.anew()
            await close_own(sessions, own)
            own.take_over(fresh)
        else:
            if await probe():  # the service refuses it to a fresh session, too
                sessions.unprobed.add(unprobed)
                return exchange
    exchange = await send()
    if await lost(exchange):
        raise RoleUnavailable(ENDED)
    return exchange


async def close_own(sessions: Sessions, own: Own) -> None:
    """Close its socket, unless other cases use it."""
    if own.socket is not None and not own.kept:
        sessions.link.sockets.pop(own.key, None)
        await own.socket.transport.aclose()


def _not_here(reason: str) -> StateUnavailable:
    return StateUnavailable(reason, why=Hindrance.NOT_APPLICABLE)


async def _with_token(sessions: Sessions, need: OwnSession, speaker: Speaker) -> Own:
    """The token of the run's own session, so changed that nobody gave it out; that session is left alone."""
    session, carrier = await sessions.session(speaker), sessions.dialect.session_header.lower()
    token = next((value for name, value in session.headers if name.lower() == carrier), "")
    if len(token) <= 2 * _CUT:
        raise _not_here(f"the login of role {speaker.name!r} gives no token that could be changed")
    more = "0" * _CUT
    padded = token.endswith("=")
    made = {"changed": altered(token), "shorter": token[:-_CUT], "longer": more + token if padded else token + more}
    wrong = made[need.token]
    sessions.vault.learn(wrong)
    sessions.lent.add(wrong)
    return Own(((sessions.dialect.session_header, wrong),), (wrong, *session.secrets))


@dataclass(frozen=True, slots=True)
class _Opening:
    """One session that is being opened. What is sent for it counts as sign-in, under a name of its own."""

    sessions: Sessions
    need: OwnSession
    over: Transport
    speaker: Speaker
    key: str

    async def opened(self, login: Login, transport: Transport, first: Speaker | None) -> Own:
        """Sign in, and out again where the case wants that."""
        if self.over.framed:
            session, socket = await self._over_ws(login, first)
        else:
            session, socket = await self._over_http(login), None
        for secret in session.secrets:
            self.sessions.vault.learn(secret)
        self.sessions.lent.update(session.secrets)
        own = Own(session.headers, session.secrets, socket, self.key)
        if not transport.framed and self.over.framed and not session.headers:
            raise _not_here("the sign-in over WebSocket gives no token that HTTP could use")
        if self.need.ended:
            await self._log_out(own)
        return own

    def _label(self, speaker: Speaker) -> Label:
        return Label(Purpose.SIGN_IN, f"{speaker.name} (in a session of the case's own)", speaker.case)

    def _socket(self) -> Socket:
        return self.sessions.link.socket(self.key, None, self._label(self.speaker))

    def _signer(self, speaker: Speaker) -> Signer:
        link, label = self.sessions.link, self._label(speaker)

        async def ask(text_of: FrameOf) -> Exchange:
            socket = self._socket()
            return await link.send_ws(socket, text_of(socket.next_number()), label)

        made = self.sessions.signer(speaker, offered(speaker))
        spoil = self.need.credentials if speaker is self.speaker else "right"
        return replace(made, send=lambda request: link.send_http(request, label), ask=ask, spoil=spoil)

    async def _over_http(self, login: Login) -> Session:
        if login.over_http is None:
            raise _not_here(f"role {self.speaker.name!r} has a login that serves no HTTP: {login.name}")
        try:
            session = await login.over_http(self._signer(self.speaker))
        except RoleUnavailable:
            if self.need.credentials == "right":
                raise
            return Session()
        if session.jar is not None:
            raise _not_here(f"role {self.speaker.name!r} has a session that is no token")
        return session

    async def _over_ws(self, login: Login, first: Speaker | None) -> tuple[Session, Socket]:
        """The session of the last who signed in, and the socket; of one that was refused, there is nothing in it."""
        session = Session()
        for who in (first, self.speaker):
            own_login = login if who is self.speaker else None if who is None else login_of(who)
            if who is None:
                continue
            if own_login is None or own_login.over_ws is None:
                raise _not_here(f"role {who.name!r} has a login that serves no WebSocket")
            signer = self._signer(who)
            exchange = await own_login.over_ws(signer, signer.ask)
            session = self._let_in(who, exchange, again=first is not None and who is self.speaker)
        if self.need.credentials != "right":
            await self._settle()
        return session, self._socket()

    def _let_in(self, who: Speaker, exchange: Exchange, *, again: bool) -> Session:
        wrong = self.need.credentials != "right" and who is self.speaker
        if not (wrong and _is_closed(exchange)):
            _answered(exchange, f"the sign-in of role {who.name!r}")
            session = self.sessions.dialect.session(exchange)
            if session is not None:
                return session
        if again:
            raise _not_here("the service refuses a second sign-in on one socket")
        if not wrong:
            raise RoleUnavailable(f"role {who.name!r} was not signed in: {self.sessions.dialect.refusal(exchange)}")
        return Session()

    async def _log_out(self, own: Own) -> None:
        """End the session. What is on its way after it, such as the closing of the socket, has come before this ends."""
        link, dialect, label = self.sessions.link, self.sessions.dialect, self._label(self.speaker)
        name = dialect.sign_out
        if own.socket is None:
            headers = (*self.sessions.own_headers(self.speaker), *own.headers)
            exchange = await link.send_http(dialect.call_request(name, {}, headers), label)
        else:
            text = dialect.call_frame(own.socket.next_number(), name, {})
            exchange = await link.send_ws(own.socket, text, label)
        if own.socket is None or not _is_closed(exchange):
            _answered(exchange, name)
            if not dialect.signed_out(exchange):
                raise _not_here(f"the service does not say that {name} has ended the session")
        await self._settle()

    async def _settle(self) -> None:
        """A server may close a socket that has no session; the next message then finds another one."""
        if self.over.framed:
            socket = self._socket()
            hello = self.sessions.dialect.hello(socket.next_number())
            await self.sessions.link.send_ws(socket, hello, self._label(self.speaker), quiet=True)


def _is_closed(exchange: Exchange) -> bool:
    return exchange.problem is not None and exchange.problem.kind in _CLOSED


def _answered(exchange: Exchange, what: str) -> None:
    """Raises what no answer means."""
    if is_hiccup(exchange):
        raise NotCarriedOut(f"{what} got no answer: {hiccup_words(exchange)}")
    if exchange.problem is not None and exchange.problem.unreachable:
        raise Unreached(exchange.problem.message)
    if exchange.problem is not None:
        raise NotCarriedOut(f"{what} got no answer: {exchange.problem.message}")
