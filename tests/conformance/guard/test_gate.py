"""The last gate before the wire: scope first, then the cap, then the pace."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from conformance.endpoint.model import Limits
from conformance.errors import OutsideScope
from conformance.guard import gate as gate_module
from conformance.guard.gate import Decision, Gate, Label, Message, Pace, Purpose, paces_of
from conformance.wire.messages import HttpRequest, WsRequest

MESSAGE = HttpRequest("POST", "/")
JUDGED, CLEANING = Label(Purpose.JUDGED, "trading", "cao/a@http"), Label(Purpose.CLEAN_UP)


@dataclass
class Guard:
    """Lets pass, or not."""

    allowed: bool = True
    reason: str = "account 7 is not in scope"
    seen: list[HttpRequest | WsRequest] = field(default_factory=list)

    def __call__(self, sent: HttpRequest | WsRequest) -> Guard:
        self.seen.append(sent)
        return self

    def grant(self, bindings: Mapping[str, int | str]) -> None:
        raise AssertionError(bindings)


@dataclass
class Clock:
    """A clock that only sleeping moves."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def admit(
    gate: Gate, count: int = 1, clock: Clock | None = None, monkeypatch: pytest.MonkeyPatch | None = None
) -> list[float]:
    """Admit messages one after the other; the time at which each passed."""
    passed: list[float] = []

    async def all_of_them() -> None:
        for _ in range(count):
            await gate.admit(MESSAGE, JUDGED)
            passed.append(gate.clock())

    if clock is not None and monkeypatch is not None:
        monkeypatch.setattr(gate_module, "asyncio", SimpleNamespace(sleep=clock.sleep))
    asyncio.run(all_of_them())
    return passed


def test_every_message_is_shown_to_the_guard() -> None:
    guard = Guard()
    gate = Gate(guard)
    admit(gate, 3)
    assert (guard.seen, gate.requests) == ([MESSAGE] * 3, 3)


def test_what_is_outside_the_scope_is_not_counted() -> None:
    gate = Gate(Guard(allowed=False))
    with pytest.raises(OutsideScope, match="account 7 is not in scope"):
        admit(gate)
    assert gate.requests == 0


def test_what_passes_is_counted_by_what_it_is_for() -> None:
    gate = Gate(Guard())
    admit(gate, 2)
    asyncio.run(gate.admit(MESSAGE, CLEANING))
    assert {purpose: count for purpose, count in gate.passed.items() if count} == {
        Purpose.JUDGED: 2,
        Purpose.CLEAN_UP: 1,
    }


def test_a_witness_is_told_of_every_message_whether_it_passes_or_not() -> None:
    told: list[tuple[Label, bool]] = []

    def witness(message: Message, label: Label, decision: Decision) -> None:
        assert message is MESSAGE
        told.append((label, decision.allowed))

    admit(Gate(Guard(), witness=witness))
    with pytest.raises(OutsideScope):
        admit(Gate(Guard(allowed=False), witness=witness))
    assert told == [(JUDGED, True), (JUDGED, False)]


def test_the_cap_is_exact() -> None:
    gate = Gate(Guard(), max_requests=2)
    admit(gate, 2)
    with pytest.raises(OutsideScope, match="cap of 2 requests"):
        admit(gate)
    assert gate.requests == 2


def test_cleaning_passes_the_cap_but_not_the_guard() -> None:
    gate = Gate(Guard(), max_requests=0)
    asyncio.run(gate.admit(MESSAGE, CLEANING))
    with pytest.raises(OutsideScope):
        asyncio.run(Gate(Guard(allowed=False)).admit(MESSAGE, CLEANING))


def test_a_window_never_holds_more_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    times = admit(Gate(Guard(), paces=(Pace(3, 1.0),), clock=clock), 10, clock, monkeypatch)
    assert all(sum(start <= other < start + 1.0 for other in times) <= 3 for start in times)
    assert times[-1] - times[0] == pytest.approx(3.0)


def test_the_narrowest_of_several_windows_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    times = admit(Gate(Guard(), paces=(Pace(100, 1.0), Pace(2, 60.0)), clock=clock), 4, clock, monkeypatch)
    assert times[2] - times[0] == pytest.approx(60.0)


def test_a_target_that_asks_for_a_pause_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    gate = Gate(Guard(), clock=clock)
    gate.hold(7.0)
    gate.hold(3.0)
    assert admit(gate, 1, clock, monkeypatch) == [107.0]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(requests_per_second=None, requests_per_minute=None), []),
        (Limits(requests_per_second=50), [(50, 1.0)]),
        (Limits(requests_per_minute=600), [(600, 60.0)]),
        (Limits(requests_per_second=0.5), [(1.0, 2.0)]),
        (Limits(requests_per_second=5, requests_per_minute=100), [(5, 1.0), (100, 60.0)]),
    ],
)
def test_rates_become_windows(limits: Limits, expected: list[tuple[float, float]]) -> None:
    assert [(pace.limit, pace.window_s) for pace in paces_of(limits)] == expected
