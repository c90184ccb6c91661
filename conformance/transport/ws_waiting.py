"""Who waits for which frame on a WebSocket connection, and what each has seen meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from conformance.transport.messages import Exchange, Limits, ReplyMatch, WireProblem, WsReply
from conformance.transport.ws_session import Message

_EVENT = 3
_WATCHED = 64
_PAYLOAD_OVERHEAD_BYTES = 64  # what an empty payload costs to keep


@dataclass(slots=True, eq=False)
class Waiter:
    """One request in flight. Unlike the values of this package it changes while it waits."""

    match: ReplyMatch
    limits: Limits
    sent: bytes
    started_s: float
    future: asyncio.Future[Exchange]
    timer: asyncio.TimerHandle | None = None
    others: list[bytes] = field(default_factory=list)
    others_bytes: int = 0
    again: list[bytes] = field(default_factory=list)
    disturbed: bool = False
    truncated: bool = False

    def notice(self, payload: bytes, is_event: bool) -> None:
        """Remember a payload that answers nobody, as far as the evidence limit goes."""
        self.disturbed = self.disturbed or not is_event
        self.others_bytes += len(payload) + _PAYLOAD_OVERHEAD_BYTES
        if self.others_bytes > self.limits.max_received_evidence_bytes:
            self.truncated = True
        else:
            self.others.append(payload)

    def settle(
        self,
        now_s: float,
        *,
        message: Message | None = None,
        problem: WireProblem | None = None,
        raw: bytes = b"",
    ) -> None:
        """End the wait with a reply, a problem, or (neither) the silence that was asked for."""
        if self.timer is not None:
            self.timer.cancel()
        if self.future.done():
            return
        limit = self.limits.max_received_evidence_bytes
        received = raw if message is None else message.raw
        others = tuple(self.others)
        self.future.set_result(
            Exchange(
                sent=self.sent,
                received=received[:limit],
                reply=None if message is None else WsReply(message.payload, others, message.binary),
                problem=problem,
                started_s=self.started_s,
                elapsed_s=now_s - self.started_s,
                truncated=self.truncated or len(received) > limit,
                others=others,
                silent=message is None and problem is None and not self.disturbed,
                again=self.again,
            )
        )


class WaitingRoom:
    """The requests in flight on one connection, by the sequence number that their reply has to echo."""

    def __init__(self) -> None:
        self._waiters: list[Waiter] = []
        self._answered: OrderedDict[int, list[bytes]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiters)

    def add(self, waiter: Waiter) -> None:
        """Let `waiter` see what comes from now on."""
        self._waiters.append(waiter)

    def remove(self, waiter: Waiter) -> None:
        """Forget `waiter`, if it still waits."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def deliver(self, message: Message, now_s: float) -> bool:
        """Give `message` to the first request that it answers, or show it to all; False when nobody waits."""
        i, is_event = sequence_number(message.payload)
        if i is not None and not is_event:
            for waiter in self._waiters:
                if waiter.match.i == i:
                    self._waiters.remove(waiter)
                    waiter.settle(now_s, message=message)
                    self._remember(i, waiter.again)
                    return True
            again = self._answered.get(i)
            if again is not None and not again:
                again.append(message.payload)
        for waiter in self._waiters:
            waiter.notice(message.payload, is_event)
        return bool(self._waiters)

    def _remember(self, i: int, again: list[bytes]) -> None:
        """Where a second answer to that number goes; only the last answers are watched."""
        self._answered[i] = again
        self._answered.move_to_end(i)
        if len(self._answered) > _WATCHED:
            self._answered.popitem(last=False)

    def fail(self, problem: WireProblem, raw: bytes, now_s: float) -> None:
        """End every wait with `problem`."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.settle(now_s, problem=problem, raw=raw)


def sequence_number(payload: bytes) -> tuple[int | None, bool]:
    """The integer `i` of a frame (None when there is none) and whether the frame is an event (`m` 3).

    Key case is free, as AlphaPoint declares; anything else about the frame is left to the checks.
    """
    try:
        frame = json.loads(payload)
    except (ValueError, RecursionError):
        return None, False
    if not isinstance(frame, dict):
        return None, False
    i = _member(frame, "i")
    return (i if type(i) is int else None), _member(frame, "m") == _EVENT


def _member(frame: dict[str, Any], name: str) -> Any:
    return frame[name] if name in frame else frame.get(name.upper())
