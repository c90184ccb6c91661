"""When each message went out, and by what a server's log finds it: the journal's times, User-Agent and the case's id."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from live_support import Came, command, live, pointed, run, sample
from lxml import etree

from conformance import DISTRIBUTION, tool_version

PASSING = "cao/malformed/as-text@http"
HTTP_CASE, WS_CASE = "cao/effects/every-order-of-the-account@http", "cao/effects/every-order-of-the-account@ws"
AGENT = f"{DISTRIBUTION}/{tool_version()}"


@dataclass(frozen=True)
class Seen:
    """A run with a fault in the server, what the server was sent, and what two other commands say of the same case."""

    came: Came
    requests: list[tuple[str, str, dict[str, str]]]
    """Kind, path and headers."""
    began_s: float
    ended_s: float
    plan: Mapping[str, Any]
    replay: str
    plain: Came
    """A run that was told to write no page."""

    def lines(self) -> dict[str, Any]:
        lines = [json.loads(line) for line in (self.came.folder / "journal.jsonl").read_text("utf-8").splitlines()]
        return {line["id"]: line for line in lines if line["type"] == "case"}


class Log:
    """Notes the head of every request and handshake."""

    def __init__(self, app: Any, seen: list[tuple[str, str, dict[str, str]]]) -> None:
        self.app, self.seen = app, seen

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] in ("http", "websocket") and not scope["path"].startswith("/_world"):
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.seen.append((scope["type"], scope["path"], headers))
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("times")
    requests: list[tuple[str, str, dict[str, str]]] = []
    cases = ("--case", HTTP_CASE, "--case", WS_CASE)
    with live(wrap=lambda app: Log(app, requests), faults=("cao-no-effect",)) as server:
        target = pointed(sample("alphapoint"), server.url)
        target = target.replace("\n[services.alphapoint]\n", '\n[services.alphapoint]\ncase_header = "X-Case-Id"\n')
        began_s = time.time()
        came = run(folder, target, *cases, "--case", PASSING)
        ended_s = time.time()
        file = str(folder / "target.toml")
        plan = json.loads(command(folder, "plan", "--target", file, *cases, "--generated", "0", "--json").output)
        sent = list(requests)
        plain = run(folder, target, "--case", PASSING, "--no-html", report="plain")
        replay = command(folder, "replay", HTTP_CASE, "--target", file).output
    return Seen(came, sent, began_s, ended_s, plan, replay, plain)


def test_every_exchange_of_a_case_has_purpose_start_and_duration(seen: Seen) -> None:
    for case in (HTTP_CASE, WS_CASE):
        exchanges = seen.lines()[case]["exchanges"]
        purposes = [one["purpose"] for one in exchanges]
        assert (
            purposes.index("set-up")
            < purposes.index("judged")
            < purposes.index("observation", purposes.index("judged"))
        )
        assert purposes[-1] == "clean-up", "the fault leaves the orders open"
        starts = [one["started_s"] for one in exchanges]
        assert starts == sorted(starts)
        assert seen.began_s - 1 < starts[0] < starts[-1] < seen.ended_s + 1
        assert all(0 < one["took_s"] < seen.ended_s - seen.began_s for one in exchanges)


def test_all_messages_of_a_failing_case_are_evidence_and_of_a_passing_one_those_that_were_judged(seen: Seen) -> None:
    lines = seen.lines()
    assert all("evidence" in one for one in lines[HTTP_CASE]["exchanges"])
    assert lines[PASSING]["verdict"] == "pass"
    evident = {one["purpose"]: "evidence" in one for one in lines[PASSING]["exchanges"]}
    assert evident == {"set-up": False, "judged": True, "observation": False, "clean-up": False}


def test_junit_has_times_and_results_have_none(seen: Seen) -> None:
    root = etree.parse(seen.came.folder / "junit.xml").getroot()
    times = {str(one.get("name")): float(one.get("time")) for one in root.iter("testcase")}
    exchanges = seen.lines()[HTTP_CASE]["exchanges"]
    assert times[HTTP_CASE] == pytest.approx(sum(one["took_s"] for one in exchanges), abs=1e-5)
    assert all(times.values())
    (suite,) = root.iter("testsuite")
    assert float(suite.get("time")) == pytest.approx(sum(times.values()), abs=1e-3)
    begun = datetime.strptime(str(suite.get("timestamp")), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    assert seen.began_s - 1 <= begun.timestamp() <= seen.ended_s
    text = (seen.came.folder / "results.json").read_text("utf-8")
    assert "started_s" not in text
    assert "took_s" not in text


def test_every_request_and_handshake_names_the_tool_and_its_version(seen: Seen) -> None:
    assert {kind for kind, _, _ in seen.requests} == {"http", "websocket"}
    assert {headers["user-agent"] for _, _, headers in seen.requests} == {AGENT}


def test_requests_of_a_case_carry_its_id_where_the_target_file_allows_it(seen: Seen) -> None:
    found = {(headers.get("x-case-id"), path) for kind, path, headers in seen.requests if kind == "http"}
    assert (HTTP_CASE, "/AP/CancelAllOrders") in found
    assert (HTTP_CASE, "/AP/SendOrder") in found
    assert not [headers for kind, _, headers in seen.requests if kind == "websocket" and "x-case-id" in headers]


def test_plan_and_replay_show_the_same_two_headers(seen: Seen) -> None:
    (planned,) = [one for one in seen.plan["messages"] if one["case"] == HTTP_CASE and one["purpose"] == "judged"]
    assert ["User-Agent", AGENT] in planned["headers"]
    assert ["X-Case-Id", HTTP_CASE] in planned["headers"]
    assert f"-H 'User-Agent: {AGENT}'" in seen.replay
    assert f"-H 'X-Case-Id: {HTTP_CASE}'" in seen.replay


def test_a_run_writes_a_page_unless_it_is_told_not_to(seen: Seen) -> None:
    page = (seen.came.folder / "report.html").read_text("utf-8")
    assert HTTP_CASE in page
    assert '<span class="tag">set-up</span>' in page
    assert (seen.plain.folder / "results.json").exists()
    assert not (seen.plain.folder / "report.html").exists()
