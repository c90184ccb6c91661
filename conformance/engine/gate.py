"""The last gate before the wire: scope, request cap and rate limit, for every message of a run."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from conformance.engine.problems import OutsideScope
from conformance.transport.messages import HttpRequest, WsRequest

Clock = Callable[[], float]


class Decision(Protocol):
    """What the scope guard says of one message."""

    @property
    def allowed(self) -> bool: ...

    @property
    def reason(self) -> str: ...


Guard = Callable[[HttpRequest | WsRequest], Decision]


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


@dataclass(slots=True)
class Gate:
    """Counts, slows and refuses; nothing is written to a socket of the target that did not pass `admit`."""

    guard: Guard
    max_requests: int | None = None
    paces: tuple[Pace, ...] = ()
    clock: Clock = lambda: asyncio.get_running_loop().time()
    requests: int = 0

    async def admit(self, request: HttpRequest | WsRequest) -> None:
        """Return when the message may be written. Raises `OutsideScope` when it must not."""
        decision = self.guard(request)
        if not decision.allowed:
            raise OutsideScope(f"outside scope: {decision.reason}")
        if self.max_requests is not None and self.requests >= self.max_requests:
            raise OutsideScope(f"the cap of {self.max_requests} requests is reached")
        self.requests += 1
        while self.paces:
            wait_s = max(pace.wait_s(self.clock()) for pace in self.paces)
            if wait_s <= 0:
                break
            await asyncio.sleep(wait_s)
        for pace in self.paces:
            pace.sent.append(self.clock())
