"""TOO MANY REQUESTS is waited out, within bounds; the windows of the rate limit; how long to wait."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from live_support import command, live, pointed, run, sample
from pydantic import ValidationError

from conformance.endpoint.model import Limits, RateWindow
from conformance.guard.gate import Gate, Label, Pace, Purpose, paces_of, planned_s, wait_s, was_throttled
from conformance.wire.messages import Exchange, HttpReply, HttpRequest, WireProblem, WsReply

UNLUCKY = 40  # messages go out side by side: one may be the third, and turned away, many times in a row
TPP = ("--generated", "0", "--case", "tpp/effects/*@application-json")


class _Throttling:
    """Turns every third request away, with a status and a text."""

    def __init__(self, app: Any, status: int, headers: tuple[tuple[bytes, bytes], ...] = (), every: int = 3) -> None:
        self.app, self.status, self.headers, self.every = app, status, headers, every
        self.count = self.refused = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/_world"):
            self.count += 1
            if self.count % self.every == 0:
                self.refused += 1
                await send({"type": "http.response.start", "status": self.status, "headers": list(self.headers)})
                await send({"type": "http.response.body", "body": b"TOO MANY REQUESTS"})
                return
        await self.app(scope, receive, send)


def _text(url: str, service: str = "tpp", **limits: Any) -> str:
    given = "\n".join(f"{key} = {value}" for key, value in limits.items())
    return pointed(sample(service), url).replace("[limits]\n", f"[limits]\n{given}\n")


@pytest.mark.parametrize(("status", "headers"), [(429, ((b"retry-after", b"0"),)), (429, ()), (200, ())])
def test_a_message_that_was_turned_away_is_sent_again(tmp_path: Path, status: int, headers: Any) -> None:
    with live(wrap=lambda app: _Throttling(app, status, headers)) as server:
        came = run(tmp_path, _text(server.url, throttle_wait_s=0.01, throttle_waits=UNLUCKY), *TPP)
        assert server.app.refused > 1
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()
    assert (
        "the target turned messages away with TOO MANY REQUESTS; they were sent again"
        in came.results["summary"]["notices"]
    )


def test_set_up_and_sign_in_are_sent_again_too(tmp_path: Path) -> None:
    with live(wrap=lambda app: _Throttling(app, 200)) as server:
        text = _text(server.url, "alphapoint", throttle_wait_s=0.01, throttle_waits=UNLUCKY)
        came = run(tmp_path, text, "--generated", "0", "--case", "cao/effects/*@http", "--case", "cao/roles/*@http")
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()


def test_a_target_that_throttles_for_ever_is_a_target_error_and_exit_3(tmp_path: Path) -> None:
    with live(wrap=lambda app: _Throttling(app, 429, every=1)) as server:
        came = run(tmp_path, _text(server.url, throttle_wait_s=0.01, throttle_waits=2), *TPP)
        assert server.app.refused < 60
    assert came.exit_code == 3
    assert set(came.verdicts().values()) == {"target-error"}
    assert all("still answered TOO MANY REQUESTS after 2 waits" in reason for reason in came.reasons().values())


def _http(status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()) -> Exchange:
    return Exchange(b"x", b"x", HttpReply(status, "", headers, body, "1.1"), None, 0.0, 0.0)


def _frame(text: bytes) -> Exchange:
    return Exchange(b"x", b"x", WsReply(text), None, 0.0, 0.0)


def test_what_counts_as_throttled() -> None:
    silent = Exchange(
        b"x", b"", None, WireProblem("no-reply", "nothing", "wait"), 0.0, 0.0, others=(b"TOO MANY REQUESTS",)
    )
    assert all(map(was_throttled, (
        _http(429), _http(200, b"TOO MANY REQUESTS"), _http(200, b' "Too Many Requests"\r\n'), silent,
        _frame(b'{"m":5,"i":2,"n":"X","o":"TOO MANY REQUESTS"}'), _frame(b"TOO MANY REQUESTS"),
    )))  # fmt: skip


def test_what_does_not_count_as_throttled() -> None:
    problem = Exchange(b"", b"", None, WireProblem("reset", "lost", "wait"), 0.0, 0.0)
    assert not any(map(was_throttled, (
        _http(200, b'{"detail":"TOO MANY REQUESTS"}'), _http(400, b"no"), problem,
        _frame(b'{"m":1,"i":2,"n":"X","o":"{\\"detail\\":\\"TOO MANY REQUESTS\\"}"}'), _frame(b"x" * 500),
    )))  # fmt: skip


@pytest.mark.parametrize(("headers", "attempt", "expected"), [
    ((), 0, 1.0), ((), 3, 8.0), ((), 9, 30.0),
    ((("Retry-After", "7"),), 0, 7.0), ((("retry-after", "600"),), 0, 30.0),
    ((("Retry-After", "Tue, 01 Jan 2030 00:00:12 GMT"),), 0, 12.0), ((("Retry-After", "Tue, 01 Jan 2019 00:00:12 GMT"),), 0, 0.0),
    ((("Retry-After", "soon"),), 1, 2.0),
])  # fmt: skip
def test_how_long_is_waited(headers: Any, attempt: int, expected: float) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    assert wait_s(_http(429, b"", headers), attempt, 30.0, now) == expected


def test_a_rate_below_one_becomes_a_longer_window() -> None:
    paces = paces_of(Limits(requests_per_second=0.25, requests_per_minute=90))
    assert [(pace.limit, pace.window_s) for pace in paces] == [(1.0, 4.0), (90.0, 60.0)]


def test_a_window_lets_so_many_pass_and_then_waits_for_the_first_to_leave_it() -> None:
    pace = Pace(2, 1.0)
    pace.sent.extend([10.0, 10.4])
    assert pace.wait_s(10.5) == pytest.approx(0.5)
    assert pace.wait_s(11.0) == 0.0


def test_a_hold_stops_every_lane_until_it_is_over() -> None:
    class Everything:
        allowed, reason = True, ""

        def __call__(self, sent: Any) -> Everything:
            return self

        def grant(self, bindings: Any) -> None:
            return

    async def passes() -> list[float]:
        loop = asyncio.get_running_loop()
        gate = Gate(Everything())
        gate.hold(0.1)
        began = loop.time()

        async def one() -> float:
            await gate.admit(HttpRequest("GET", "/"), Label(Purpose.JUDGED))
            return loop.time() - began

        return list(await asyncio.gather(one(), one(), one()))

    assert min(asyncio.run(passes())) >= 0.099


_NINE_TO_TEN = {"start": "09:00", "end": "10:00", "zone": "Europe/Berlin", "requests_per_minute": 6.0}


def test_a_window_holds_at_its_time_of_day_in_its_zone_and_counts_what_came_before() -> None:
    moments = [datetime(2030, 7, 1, 6, 59, 30, tzinfo=UTC), datetime(2030, 7, 1, 7, 0, 1, tzinfo=UTC)]
    [pace] = paces_of(Limits(windows=[_NINE_TO_TEN]))
    pace.sent.extend(float(number) for number in range(6))
    pace.today = lambda: moments[0]
    assert pace.wait_s(31.0) == 0.0
    pace.today = lambda: moments[1]
    assert pace.wait_s(31.0) == pytest.approx(29.0)


def test_a_window_may_go_over_midnight() -> None:
    window = RateWindow(start="22:00", end="06:00", zone="UTC", requests_per_hour=1)
    hours = [hour for hour in range(24) if window.holds(datetime(2030, 1, 1, hour, tzinfo=UTC))]
    assert hours == [0, 1, 2, 3, 4, 5, 22, 23]


@pytest.mark.parametrize(
    "wrong", [{"zone": "Mars/Base"}, {"start": "9:00"}, {"end": "09:00"}, {"start": 9}, {"requests_per_minute": None}]
)
def test_a_window_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RateWindow(**{**_NINE_TO_TEN, **wrong})


@pytest.mark.parametrize(("limits", "messages", "expected"), [
    (Limits(), 5000, 0.0), (Limits(requests_per_second=20), 5200, 260.0), (Limits(requests_per_hour=100), 250, 7200.0),
    (Limits(requests_per_second=1, requests_per_day=600), 1200, 24 * 3600 + 600.0),
    (Limits(requests_per_minute=60, windows=[_NINE_TO_TEN]), 420, 60 * 60 + 60.0), (Limits(requests_per_day=1), 100, None),
])  # fmt: skip
def test_how_long_messages_take_is_planned(limits: Limits, messages: int, expected: float | None) -> None:
    at = datetime(2030, 7, 1, 7, 0, tzinfo=UTC)  # nine o'clock in Berlin
    found = planned_s(limits, messages, at)
    assert found == (None if expected is None else pytest.approx(expected, abs=60))


def test_the_time_of_a_run_is_said_before_it_begins(tmp_path: Path) -> None:
    with live() as server:
        text = _text(server.url, requests_per_second=1000)
        (tmp_path / "target.toml").write_text(text, "utf-8")
        words = ("run", "--target", str(tmp_path / "target.toml"), "--report", str(tmp_path / "report"))
        came = command(tmp_path, *words, *TPP)
    assert re.search(r"planned: \d+ messages, about \d+ s at these limits", came.output), came.output
