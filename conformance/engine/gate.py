"""The last gate before the wire: scope, request cap and rate limit, for every message of a run."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from conformance.engine.problems import OutsideScope
from conformance.target.model import Limits
from conformance.transport.messages import HttpRequest, WsRequest

Clock = Callable[[], float]


class Decision(Protocol):
    """What the scope guard says of one message."""

    @property
    def allowed(self) -> bool: ...

    @property
    def reason(self) -> str: ...


class Guard(Protocol):
    """The scope guard of a run."""

    def __call__(self, sent: HttpRequest | WsRequest) -> Decision:
        """Whether the message may be written."""
        ...

    def grant(self, bindings: Mapping[str, int | str]) -> None:
        """Take the ids of a state that this run has made into the scope."""
        ...


@dataclass(slots=True)
class Pace:
    """A sliding window: at most `limit` messages in `window_s` seconds."""

    limit: float
    window_s: float
    sent: deque[float] = field(default_factory=deque)

    def wait_s(self, now: float) -> float:
        """How long to wait before the next message may go; 0 when it may go now."""
        while self.sent and self.sent[0] <= now - self.window_s:
            self.sent.popleft()
        if len(self.sent) < max(1, int(self.limit)):
            return 0.0
        return self.sent[0] + self.window_s - now


def paces_of(limits: Limits) -> tuple[Pace, ...]:
    """The windows of a target file; a rate below one message in a window becomes one message in a longer window."""
    rates = ((limits.requests_per_second, 1.0), (limits.requests_per_minute, 60.0))
    return tuple(Pace(max(rate, 1.0), window_s / min(rate, 1.0)) for rate, window_s in rates if rate is not None)


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

    async def admit(self, request: HttpRequest | WsRequest, *, cleaning: bool = False) -> None:
        """Return when the message may be written. Raises `OutsideScope` when it must not.

        What takes back a state that the run has set up (`cleaning`) still passes when the cap is reached.
        """
        decision = self.guard(request)
        if not decision.allowed:
            raise OutsideScope(f"outside scope: {decision.reason}")
        if self.max_requests is not None and self.requests >= self.max_requests and not cleaning:
            raise OutsideScope(f"the cap of {self.max_requests} requests is reached")
        self.requests += 1
        while (wait_s := self._wait_s()) > 0:
            await asyncio.sleep(wait_s)
        for pace in self.paces:
            pace.sent.append(self.clock())

    def hold(self, seconds: float) -> None:
        """Let nothing pass for so long: the target said that it is asked too often."""
        self.held_until = max(self.held_until, self.clock() + seconds)

    def _wait_s(self) -> float:
        if not self.paces and not self.held_until:
            return 0.0
        now = self.clock()
        return max((self.held_until - now, *(pace.wait_s(now) for pace in self.paces)))
