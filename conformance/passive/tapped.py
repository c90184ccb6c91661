"""One recorded exchange, whatever file it came from, and what of it is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from conformance.dialects.alphapoint.session import SESSION_HEADER
from conformance.formats.frames import ERROR, EVENT, REPLY, decode_frame
from conformance.model.case import Transport
from conformance.wire.messages import Exchange, Headers, HttpReply, WsReply, header_values

MOST_BYTES = 8 * 1024 * 1024
"""A longer body is not judged, as in a run."""
_MOST_PENDING = 10_000
_BACK_S = 1.0
"""Recorders write exchanges by their start or by their end, and not to the millisecond."""
_MOST_TOLD = 100


@dataclass(frozen=True, slots=True)
class Tapped:
    """One message and what answered it. Times are in seconds since 1970, 0.0 where the recording has none.

    `body` is what a request carried, of a frame its payload; `frame` is the whole text that was sent over WebSocket.
    """

    source: str
    """Where it stands: `shop.har#12`, and `shop.har#12.3` for the third message of a socket."""
    transport: Transport
    method: str
    url: str
    headers: Headers
    body: bytes = b""
    frame: bytes = b""
    reply: HttpReply | WsReply | None = None
    others: tuple[bytes, ...] = ()
    again: tuple[bytes, ...] = ()
    started_s: float = 0.0
    elapsed_s: float = 0.0
    request_gap: str = ""
    """Why the request cannot be judged, in words; empty when it can."""
    answer_gap: str = ""
    """The same of the answer."""
    socket: str = ""
    """The WebSocket that it came over."""
    in_order: bool = True
    """Whether the recording has its exchanges in the order of time, as far as its clock allows."""
    era: int = 0
    """How often the clock of the recording has gone back before it."""

    @property
    def origin(self) -> str:
        """Host and port, in lower case."""
        return urlsplit(self.url).netloc.rpartition("@")[2].lower()

    @property
    def world(self) -> str:
        """What stands in one world is compared: one service, as long as the clock of the recording goes on."""
        return f"{self.origin} {self.era}" if self.era else self.origin

    @property
    def path(self) -> str:
        """The path without its query."""
        return urlsplit(self.url).path

    @property
    def session(self) -> str:
        """What tells one caller from another: the token, or the socket; empty where the recording has lost it."""
        tokens = (*header_values(self.headers, SESSION_HEADER), *header_values(self.headers, "authorization"))
        return tokens[0] if tokens else self.socket

    @property
    def exchange(self) -> Exchange:
        """The same as the checks have it; the bytes of the wire are not known."""
        received = self.reply.body if isinstance(self.reply, HttpReply) else self.reply.text if self.reply else b""
        return Exchange(
            self.frame or self.body or b"(recorded)", received, self.reply, None, 0.0, self.elapsed_s,
            others=self.others, silent=self.reply is None, again=list(self.again),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Framed:
    """One message of a socket as it was recorded: who sent it, when, and its text."""

    sent: bool
    time_s: float
    text: bytes
    binary: bool = False


def frames_tapped(source: str, url: str, headers: Headers, messages: Iterable[Framed]) -> Iterator[Tapped]:
    """Each request of a socket with the frame that answers it; events and what nobody asked for are left out."""
    heard = SocketFrames(source, url, headers)
    for message in messages:
        yield from heard.take(message)
    yield from heard.rest()


class SocketFrames:
    """Takes the messages of a socket one by one, and gives each request with the frame that answers it.

    A frame answers the oldest request of its number that has no answer yet. One more frame of a number that was answered is
    that request's second answer. A reply of the right call with a number that nobody has sent is `others` of the oldest
    request of that call that is without an answer.

    With `settle_s` a request is given so long after its answer, as soon as another message comes; else at the end.
    """

    def __init__(self, source: str, url: str, headers: Headers, settle_s: float | None = None) -> None:
        self._place = (source, url, headers)
        self._settle_s = settle_s
        self._number = 0
        self._asked: list[_Asked] = []
        self._waiting: dict[Any, list[_Asked]] = {}
        self._answered: dict[Any, _Asked] = {}

    def take(self, message: Framed) -> Iterator[Tapped]:
        """What is complete once this message has come."""
        self._number += 1
        members = decode_frame(message.text).members
        if self._settle_s is not None:
            yield from self._settled(message.time_s - self._settle_s)
        if message.sent:
            if len(self._asked) >= _MOST_PENDING:
                yield from self.rest()
            one = _Asked(self._number, message, members)
            self._asked.append(one)
            self._waiting.setdefault(one.key, []).append(one)
        else:
            self._answer(members, message)

    def rest(self) -> Iterator[Tapped]:
        """What is left, answered or not."""
        yield from (one.tapped(*self._place) for one in self._asked)
        self._asked, self._waiting, self._answered = [], {}, {}

    def _settled(self, until_s: float) -> Iterator[Tapped]:
        """The requests that were answered by then; the answers of later ones may still be followed by others."""
        done = [one for one in self._asked if one.is_answered_by(until_s)]
        if done:
            self._asked = [one for one in self._asked if not one.is_answered_by(until_s)]
            for one in done:
                if self._answered.get(one.key) is one:
                    del self._answered[one.key]
                if not self._waiting.get(one.key):
                    self._waiting.pop(one.key, None)
            yield from (one.tapped(*self._place) for one in done)

    def _answer(self, members: Any, message: Framed) -> None:
        key = _key(members.get("i"))
        waiting = self._waiting.get(key, [])
        if members.get("m") not in (REPLY, ERROR) and not _is_answer(members, waiting):
            if members.get("m") != EVENT:
                _to_the_oldest(self._asked, members, message)
        elif waiting:
            found = waiting.pop(0)
            found.reply = message
            self._answered[key] = found
        elif key in self._answered:
            self._answered[key].again.append(message.text)
        else:
            _to_the_oldest(self._asked, members, message)


def _is_answer(members: Any, waiting: Sequence[_Asked]) -> bool:
    """Whether a frame of another type has the number and the call of a request that waits: an answer in a wrong form."""
    name = members.get("n")
    return bool(waiting) and isinstance(name, str) and waiting[0].members.get("n") == name


def _key(number: Any) -> Any:
    """A sequence number as it is looked up: 1 and true are two, and what cannot be one is its text."""
    return number if type(number) is int else repr(number)


class _Asked:
    """A frame that was sent, and what has come for it so far."""

    def __init__(self, number: int, message: Framed, members: Any) -> None:
        self.number, self.message, self.members = number, message, members
        self.key = _key(members.get("i"))
        self.reply: Framed | None = None
        self.others: list[bytes] = []
        self.again: list[bytes] = []

    def is_answered_by(self, time_s: float) -> bool:
        """Whether its answer had come by then."""
        return self.reply is not None and self.reply.time_s <= time_s

    def tapped(self, source: str, url: str, headers: Headers) -> Tapped:
        payload = self.members.get("o")
        body = payload.encode(errors="surrogatepass") if isinstance(payload, str) else b""
        reply, gap = self.reply, ""
        if reply is None and not self.others:
            gap = "the recording has no answer to it"
        elapsed = reply.time_s - self.message.time_s if reply is not None else 0.0
        return Tapped(
            f"{source}.{self.number}", Transport.WS, "", url, headers, body, self.message.text,
            None if reply is None else WsReply(reply.text, binary=reply.binary), tuple(self.others), tuple(self.again),
            self.message.time_s, max(elapsed, 0.0), answer_gap=gap, socket=source,
        )  # fmt: skip


def _to_the_oldest(asked: Sequence[_Asked], members: Any, message: Framed) -> None:
    """A reply whose number nobody has sent belongs to the oldest request of its call that waits."""
    name = members.get("n")
    if not isinstance(name, str):
        return
    for one in asked:
        call = one.members.get("n")
        if one.reply is None and isinstance(call, str) and call.lower() == name.lower():
            one.others.append(message.text)
            return


class Eras:
    """Counts for each recording how often its clock has gone back, and says where.

    What stands before and what follows cannot be put in order, and is not compared.
    """

    def __init__(self) -> None:
        self._latest_s: dict[str, float] = {}
        self._eras: dict[str, int] = {}
        self.told: list[str] = []

    def of(self, tapped: Tapped) -> int:
        """The era of an exchange; they come in the order of the recording."""
        file = tapped.source.partition("#")[0]
        if tapped.in_order and tapped.started_s > 0:
            line = tapped.socket or file
            back_s = self._latest_s.get(line, 0.0) - (tapped.started_s + tapped.elapsed_s)
            if back_s > _BACK_S:
                self._eras[file] = self._eras.get(file, 0) + 1
                self._latest_s[line] = tapped.started_s
                if len(self.told) < _MOST_TOLD:
                    what = "what stands before is not compared with what follows"
                    self.told.append(f"{tapped.source}: the clock goes back by {back_s:,.0f} s; {what}")
            self._latest_s[line] = max(self._latest_s.get(line, 0.0), tapped.started_s)
        return self._eras.get(file, 0)
