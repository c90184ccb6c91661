"""The last gate before the wire: scope, request cap and rate limit, for every message of a run.

Tells what turned a message away before the service saw it: a limit, and how long to wait then, or the infrastructure.
"""

from __future__ import annotations

import asyncio
import math
import re
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Protocol

from conformance.endpoint.model import Limits, RateWindow
from conformance.errors import Hindrance, OutsideScope
from conformance.formats.json.pointer import load_json
from conformance.values import value_class
from conformance.wire.messages import Exchange, HttpReply, HttpRequest, WsReply, WsRequest, header_values

Clock = Callable[[], float]
Message = HttpRequest | WsRequest
_HOUR_S = 3600.0
_LONGEST_SLEEP_S = 30.0
_MOMENT = struct.Struct("<d")
_MOST_TOGETHER = 8 * 1024 * 1024


class Purpose(StrEnum):
    """What a message is sent for."""

    SIGN_IN = "sign-in"
    PROBE = "probe"
    """A harmless call that tells whether a session is still known."""
    SET_UP = "set-up"
    """Makes the orders and quotes that a case needs."""
    EARLIER = "earlier"
    """A message of the case before the judged one."""
    JUDGED = "judged"
    TWIN = "twin"
    """The same request in another form; its answer is compared with the judged one."""
    OBSERVATION = "observation"
    """Looks what became of orders and quotes."""
    CLEAN_UP = "clean-up"


OF_A_CASE = frozenset({Purpose.EARLIER, Purpose.JUDGED, Purpose.TWIN})
"""What the messages of a case itself are sent for."""


@value_class(frozen=True, slots=True)
class Label:
    """What a message is sent for, as which role, and in which case (empty: in none)."""

    purpose: Purpose
    role: str = ""
    case: str = ""
    first: bool = False
    """Whether it is the first message of a case of the operation that goes out as this user over its transport."""


class Decision(Protocol):
    """What the scope guard says of one message."""

    @property
    def allowed(self) -> bool: ...

    @property
    def reason(self) -> str: ...


Witness = Callable[[Message, Label, Decision], None]


class Guard(Protocol):
    """The scope guard of a run."""

    def __call__(self, sent: Message) -> Decision:
        """Whether the message may be written."""
        ...

    def grant(self, bindings: Mapping[str, int | str]) -> None:
        """Take the ids of a state that this run has made into the scope."""
        ...

    @property
    def bounded(self) -> bool:
        """Whether there is anything that may not be touched."""
        ...

    def known_as(self, number: int) -> str:
        """What the target file takes an id of an order for, in words; "" for one that may be new."""
        ...


@dataclass(slots=True)
class Pace:
    """A sliding window: at most `limit` messages in `window_s` seconds."""

    limit: float
    window_s: float
    sent: deque[float] = field(default_factory=deque)
    only: RateWindow | None = None
    """The times of day at which it holds; messages of other times count, too."""
    today: Callable[[], datetime] = lambda: datetime.now(UTC)

    def wait_s(self, now: float) -> float:
        """How long to wait before the next message may go; 0 when it may go now."""
        while self.sent and self.sent[0] <= now - self.window_s:
            self.sent.popleft()
        if len(self.sent) < max(1, int(self.limit)):
            return 0.0
        if self.only is not None and not self.only.holds(self.today()):
            return 0.0
        return self.sent[0] + self.window_s - now


def paces_of(limits: Limits) -> tuple[Pace, ...]:
    """The windows of a target file; a rate below one message in a window becomes one message in a longer window."""
    paces = [
        Pace(max(rate, 1.0), window_s / min(rate, 1.0), only=only)
        for only, rate, window_s in _rates(limits)
        if rate is not None
    ]
    return tuple(paces)


def _rates(limits: Limits) -> Iterator[tuple[RateWindow | None, float | None, float]]:
    """Every rate, the seconds it is for, and the times of day at which it holds."""
    yield None, limits.requests_per_second, 1.0
    yield None, limits.requests_per_minute, 60.0
    yield None, limits.requests_per_hour, _HOUR_S
    yield None, limits.requests_per_day, 24 * _HOUR_S
    for window in limits.windows:
        yield window, window.requests_per_second, 1.0
        yield window, window.requests_per_minute, 60.0
        yield window, window.requests_per_hour, _HOUR_S


def planned_s(limits: Limits, messages: int, now: datetime) -> float | None:
    """How long so many messages take at these limits when they begin now, however fast the target is.

    None when that is more than a month. Minute by minute, for limits change with the time of day.
    """
    rates = [(only, rate, window_s) for only, rate, window_s in _rates(limits) if rate is not None]
    totals = [0.0]
    for minute in range(31 * 24 * 60):
        at = now + timedelta(minutes=minute)
        room = math.inf
        for only, rate, window_s in rates:
            if only is not None and not only.holds(at):
                continue
            before = max(0, minute + 1 - max(1, round(window_s / 60)))
            room = min(room, rate * 60 / window_s if window_s <= 60 else rate - (totals[minute] - totals[before]))
        room = max(room, 0.0)
        left = messages - totals[minute]
        if left <= room:
            return minute * 60 + (60 * left / room if room < math.inf and left else 0.0)
        totals.append(totals[minute] + room)
    return None


@dataclass(slots=True)
class Together:
    """When messages were sent to one target by several processes, in a file that they share, in seconds since 1970.

    Each locks it for its turn. A run that continues another, or begins after it, keeps the limits of an hour and a day
    with it. The clocks of machines that share it must agree.
    """

    path: Path
    clock: Clock = time.time
    _read: int = 0
    _begun: float = 0.0
    """What the file began with: another number when it was written anew."""

    def turn(self, paces: tuple[Pace, ...]) -> float:
        """How long to wait; 0 when a message goes now, and is written down."""
        import fcntl

        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._catch_up(file, paces)
            now = self.clock()
            wait_s = max(pace.wait_s(now) for pace in paces)
            if wait_s > 0:
                return wait_s
            file.write(_MOMENT.pack(now))
            self._read += _MOMENT.size
            for pace in paces:
                pace.sent.append(now)
            if self._read > _MOST_TOGETHER:
                self._shorten(file, now)
            return 0.0

    def _catch_up(self, file: IO[bytes], paces: tuple[Pace, ...]) -> None:
        """Take in what others have sent since the last turn."""
        file.seek(0)
        head = file.read(_MOMENT.size)
        if len(head) < _MOMENT.size:
            file.truncate(0)
            file.write(head := _MOMENT.pack(self.clock()))
            file.flush()
        (begun,) = _MOMENT.unpack(head)
        if begun != self._begun:
            self._begun, self._read = begun, _MOMENT.size
            for pace in paces:
                pace.sent.clear()
        file.seek(self._read)
        data = file.read()
        whole = len(data) - len(data) % _MOMENT.size  # a killed process may have left a part of one
        if whole < len(data):
            file.truncate(self._read + whole)
        for (moment,) in _MOMENT.iter_unpack(data[:whole]):
            for pace in paces:
                pace.sent.append(moment)
        self._read += whole

    def _shorten(self, file: IO[bytes], now: float) -> None:
        """Write the file anew with the messages of the last day; others see by its first number that it is another."""
        file.seek(_MOMENT.size)
        kept = [moment for (moment,) in _MOMENT.iter_unpack(file.read()) if moment > now - 24 * _HOUR_S]
        file.truncate(0)
        file.write(b"".join(map(_MOMENT.pack, (now, *kept))))
        self._begun, self._read = now, (len(kept) + 1) * _MOMENT.size


@dataclass(slots=True)
class Gate:
    """Counts, slows and refuses; nothing is written to a socket of the target that did not pass `admit`."""

    guard: Guard
    max_requests: int | None = None
    paces: tuple[Pace, ...] = ()
    clock: Clock = lambda: asyncio.get_running_loop().time()
    requests: int = 0
    throttled: int = 0
    """How many messages the target has turned away with TOO MANY REQUESTS."""
    held_until: float = 0.0
    waited: dict[str, float] = field(default_factory=dict)
    """By case: for how many seconds its messages have waited here, which says nothing about the target's speed."""
    passed: dict[Purpose, int] = field(default_factory=lambda: dict.fromkeys(Purpose, 0))
    """How many messages have passed, by what for."""
    together: Together | None = None
    """Keeps the paces together with other processes that send to the same target."""
    witness: Witness | None = None
    """Told of every message and what the guard said of it; a plan listens here."""

    async def admit(self, request: Message, label: Label, guard: Guard | None = None) -> None:
        """Return when the message may be written. Raises `OutsideScope` when it must not.

        `guard` is that of the service which the message goes to: ids that were made on one are nothing to another.
        What takes back a state that the run has set up still passes when the cap is reached.
        """
        decision = (guard or self.guard)(request)
        if self.witness is not None:
            self.witness(request, label, decision)
        if not decision.allowed:
            raise OutsideScope(f"outside scope: {decision.reason}")
        purpose = label.purpose
        if self.max_requests is not None and self.requests >= self.max_requests and purpose is not Purpose.CLEAN_UP:
            raise OutsideScope(f"the cap of {self.max_requests} requests is reached", why=Hindrance.CAP)
        self.requests += 1
        self.passed[purpose] += 1
        while (wait_s := self._turn()) > 0:
            wait_s = min(wait_s, _LONGEST_SLEEP_S)  # a window of the day may end meanwhile
            self.waited[label.case] = self.waited.get(label.case, 0.0) + wait_s
            await asyncio.sleep(wait_s)

    async def knock(self) -> None:
        """Return when a message may go that only asks whether anybody is there; it names no operation and no id."""
        self.requests += 1
        self.passed[Purpose.PROBE] += 1
        while (wait_s := self._turn()) > 0:
            await asyncio.sleep(min(wait_s, _LONGEST_SLEEP_S))

    def hold(self, seconds: float) -> None:
        """Let nothing pass for so long: the target said that it is asked too often."""
        self.held_until = max(self.held_until, self.clock() + seconds)

    def _turn(self) -> float:
        """How long to wait before the next message may go; 0 when it goes now, and is counted."""
        if not self.paces and not self.held_until:
            return 0.0
        now = self.clock()
        if self.held_until > now or not self.paces:
            return max(0.0, self.held_until - now)
        if self.together is not None:
            return self.together.turn(self.paces)
        wait_s = max(pace.wait_s(now) for pace in self.paces)
        if wait_s <= 0:
            for pace in self.paces:
                pace.sent.append(now)
        return max(0.0, wait_s)


_TOO_MANY = 429
_WORDS = "too many requests"
_FIRST_WAIT_S = 1.0
_LONGEST_TEXT = 64


def was_throttled(exchange: Exchange) -> bool:
    """Status 429, or the bare text TOO MANY REQUESTS, which live gateways send with status 200, too.

    A page of status 503 that says when to come back means the same, and so do both in answer to a handshake. Such a
    message was turned away before it was looked at, so it may be sent again.
    """
    reply = exchange.reply
    if exchange.problem is not None and exchange.problem.kind == "handshake-refused":
        reply = handshake_answer(exchange)
    if isinstance(reply, HttpReply):
        return reply.status == _TOO_MANY or _says_so(reply.body) or (reply.status == 503 and _says_when(reply))
    if isinstance(reply, WsReply) and _frame_says_so(reply.text):
        return True
    return any(_says_so(payload) for payload in exchange.others) and not isinstance(reply, WsReply)


def wait_s(exchange: Exchange, attempt: int, longest_s: float, now: datetime | None = None) -> float:
    """Seconds to wait before the next attempt: Retry-After, else 1, 2, 4, ...; never more than `longest_s`."""
    asked = _retry_after_s(exchange, now or datetime.now(UTC))
    return min(longest_s, _FIRST_WAIT_S * 2**attempt if asked is None else asked)


_BALANCER = (502, 503, 504)
_PAGE = re.compile(rb"(?i)<(?:!doctype\s+)?(?:html|head|body|error)\b")
_OF_A_PROXY = frozenset(
    {
        "message",
        "error",
        "status",
        "statuscode",
        "code",
        "path",
        "timestamp",
        "requestid",
        "request_id",
        "title",
        "type",
    }
)
"""Members of the JSON that gateways and proxies send; no documented answer is made of these alone."""


def is_hiccup(exchange: Exchange) -> bool:
    """Status 502, 503 or 504 in no form that a service documents: the infrastructure speaks, and not the service."""
    reply = exchange.reply
    if exchange.problem is not None and exchange.problem.kind == "handshake-refused":
        reply = handshake_answer(exchange)
    return isinstance(reply, HttpReply) and reply.status in _BALANCER and _is_page(reply.body)


def hiccup_words(exchange: Exchange) -> str:
    """What it said, for reports."""
    reply = exchange.reply if isinstance(exchange.reply, HttpReply) else handshake_answer(exchange)
    return "" if reply is None else f"HTTP {reply.status} with a page of the infrastructure"


def _is_page(body: bytes) -> bool:
    text = body.strip()
    if text.startswith(b"<"):
        return _PAGE.search(text[:2000]) is not None
    try:
        value = load_json(text)
    except ValueError:
        return True
    return isinstance(value, dict) and {str(name).lower() for name in value} <= _OF_A_PROXY


def handshake_answer(exchange: Exchange) -> HttpReply | None:
    """What a WebSocket handshake was answered with when it was refused, as far as it came; None without an answer."""
    head, _, body = exchange.received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not words[0].startswith("HTTP/") or len(words) < 2 or not words[1].isdecimal():
        return None
    pairs = (line.partition(":") for line in lines)
    headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    return HttpReply(int(words[1]), words[2] if len(words) > 2 else "", headers, body, words[0].removeprefix("HTTP/"))


def _says_when(reply: HttpReply) -> bool:
    return bool(header_values(reply.headers, "retry-after")) and _is_page(reply.body)


def _says_so(text: bytes) -> bool:
    return len(text) <= _LONGEST_TEXT and text.decode("latin-1").strip().strip('"').lower() == _WORDS


def _frame_says_so(text: bytes) -> bool:
    if len(text) > 4 * _LONGEST_TEXT:
        return False
    try:
        payload = load_json(text)["o"]
    except (ValueError, KeyError, TypeError):
        return _says_so(text)
    return isinstance(payload, str) and _says_so(payload.encode())


def _retry_after_s(exchange: Exchange, now: datetime) -> float | None:
    """The header Retry-After in seconds from now, whichever of its two forms it has."""
    reply = exchange.reply if isinstance(exchange.reply, HttpReply) else handshake_answer(exchange)
    values = () if reply is None else header_values(reply.headers, "retry-after")
    if not values:
        return None
    if values[0].strip().isdecimal():
        return float(values[0])
    try:
        at = parsedate_to_datetime(values[0])
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())
