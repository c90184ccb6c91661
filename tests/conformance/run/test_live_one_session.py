"""A service that keeps one session for each user: a new sign-in ends the older one, also one that a case has to itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from live_support import live, pointed, run, sample

from conformance.dialects.own import ENDED
from reference_impl.alphapoint.sessions import Sessions
from reference_impl.world.model import User

AFTER_ANOTHER = ("cao/combinations/?11*@ws", "c*/session/*")
"""Cases that sign in a second user on a socket of their own, and those of sessions that are over."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    opened = Sessions.open

    def the_only_one(self: Sessions, user: User) -> str:
        self.expire(user.name)
        return opened(self, user)

    monkeypatch.setattr(Sessions, "open", the_only_one)
    with live() as server:
        yield server.url


def test_sign_in_that_ends_the_session_of_a_case_is_no_finding(tmp_path: Path, url: str) -> None:
    asked = [part for pattern in AFTER_ANOTHER for part in ("--case", pattern)]
    came = run(tmp_path, pointed(sample("alphapoint"), url), "--generated", "0", *asked)
    assert came.exit_code == 0, came.output
    verdicts = came.verdicts()
    assert "fail" not in verdicts.values()
    passed = [name for name, verdict in verdicts.items() if verdict == "pass" and "/combinations/" in name]
    assert len(passed) > 60, "it is renewed, and nearly every case is judged"
    assert {verdicts[name] for name in verdicts if "/session/" in name} <= {"pass", "not-applicable"}
    for name, verdict in verdicts.items():
        reason = came.reasons()[name]
        assert verdict != "not-verified" or reason == ENDED or "ran out 4 times" in reason, (name, reason)
