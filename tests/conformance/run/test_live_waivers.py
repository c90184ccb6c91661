"""Waivers that match, do not match or have expired; cases that are known to be flaky."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from live_support import live, pointed, run, sample

CASE = "cao/effects/nothing-open@http"
ONE = ("--generated", "0", "--case", CASE)


class _Wrong:
    """Answers the first so many CancelAllOrders wrongly: with a code that no document knows."""

    def __init__(self, app: Any, times: int) -> None:
        self.app, self.times = app, times

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].lower().endswith("/cancelallorders") and self.times > 0:
            self.times -= 1
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            body = b'{"result":true,"errormsg":null,"errorcode":7,"detail":null}'
            await send({"type": "http.response.body", "body": body})
            return
        await self.app(scope, receive, send)


def _finding(tmp_path: Path) -> dict[str, str]:
    with live(wrap=lambda app: _Wrong(app, 1)) as server:
        came = run(tmp_path, pointed(sample("alphapoint"), server.url), *ONE, report="first")
    assert came.exit_code == 1
    finding: dict[str, str] = came.case(CASE)["findings"][0]
    return finding


def _waivers(findings: list[dict[str, str]], expires: str) -> str:
    return "".join(
        f'\n[[waivers]]\ncase = "{CASE}"\nrequirement = "{one["requirement"]}"\nfinding = "{one["message"][:40]}"\n'
        f'reason = "the vendor mends it in May"\nowner = "qa"\nexpires = {expires}\n'
        for one in findings
    )


def _waived(tmp_path: Path, expires: str, *, times: int = 1) -> Any:
    with live(wrap=lambda app: _Wrong(app, 1)) as server:
        first = run(tmp_path, pointed(sample("alphapoint"), server.url), *ONE, report="first")
    findings = {(one["requirement"], one["message"]): one for one in first.case(CASE)["findings"]}
    with live(wrap=lambda app: _Wrong(app, times)) as server:
        text = pointed(sample("alphapoint"), server.url) + _waivers(list(findings.values()), expires)
        return run(tmp_path, text, *ONE)


def test_a_waiver_that_covers_every_finding_makes_the_case_waived(tmp_path: Path) -> None:
    came = _waived(tmp_path, "2999-01-01")
    assert came.case(CASE)["verdict"] == "waived"
    assert came.case(CASE)["reason"] == "the vendor mends it in May"
    assert came.exit_code != 1


def test_a_waiver_that_matched_nothing_fails_the_run(tmp_path: Path) -> None:
    came = _waived(tmp_path, "2999-01-01", times=0)
    assert came.case(CASE)["verdict"] == "pass"
    assert came.exit_code == 1
    assert any("matched nothing" in reason for reason in came.results["summary"]["reasons"])


def test_a_waiver_that_has_expired_fails_the_run(tmp_path: Path) -> None:
    came = _waived(tmp_path, "2020-01-01")
    assert came.case(CASE)["verdict"] == "fail"
    assert came.exit_code == 1
    assert any("expired on 2020-01-01" in reason for reason in came.results["summary"]["reasons"])


def test_a_waiver_on_a_case_that_could_not_be_carried_out_is_not_stale(tmp_path: Path) -> None:
    finding = _finding(tmp_path)
    with live() as server:
        text = pointed(sample("alphapoint"), server.url).replace('provider = "calls"', 'provider = "none"')
        case = "cao/effects/many-orders@http"
        waiver = _waivers([finding], "2999-01-01").replace(CASE, case)
        came = run(tmp_path, text + waiver, "--generated", "0", "--case", case, "--case", CASE)
    assert came.case(case)["verdict"] == "not-verified"
    assert came.exit_code != 1


@pytest.mark.parametrize(
    ("wrong", "verdict", "note"), [(2, "pass", "pass on attempt 3 of 3"), (9, "fail", "failed on each of 3")]
)
def test_a_flaky_case_is_tried_three_times_and_said_to_be_flaky(
    tmp_path: Path, wrong: int, verdict: str, note: str
) -> None:
    with live(wrap=lambda app: _Wrong(app, wrong)) as server:
        text = pointed(sample("alphapoint"), server.url).replace(
            "schema_version = 1\n", f'schema_version = 1\nflaky = ["{CASE}"]\n'
        )
        came = run(tmp_path, text, *ONE)
    assert came.case(CASE)["verdict"] == verdict
    assert f"{note} attempts, flaky: {CASE}" in came.results["summary"]["notices"]


def test_a_case_that_is_not_listed_as_flaky_is_tried_once(tmp_path: Path) -> None:
    with live(wrap=lambda app: _Wrong(app, 1)) as server:
        came = run(tmp_path, pointed(sample("alphapoint"), server.url), *ONE)
    assert came.case(CASE)["verdict"] == "fail"
