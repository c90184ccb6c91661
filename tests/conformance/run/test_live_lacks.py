"""A service that lacks something: accepted gaps with their reason, and a lack that is not true is told."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from live_support import Came, live, pointed, run, sample

from conformance.endpoint.desks import Desk
from conformance.errors import StateUnavailable
from conformance.model.case import StateNeed
from conformance.run.states import Ledger, PoolStates

QUICK = ("--generated", "0", "--case", "tpp/pin/*@application-json", "--case", "tpp/response/domestic@application-json")
NO_PIN = '\n[services.tpp.lacks]\nstate."*pin-*" = "the sandbox asks no PIN"\n'
NONE = "".join(
    f'\n[services.tpp.states.by_state.{state}]\nprovider = "none"\n'
    for state in ("pin-order", "pin-international-order", "no-pin-order")
)


def _lines(came: Came) -> list[str]:
    return came.output.splitlines()


def test_what_hangs_on_a_lack_alone_is_an_accepted_gap(tmp_path: Path) -> None:
    with live() as server:
        text = pointed(sample("tpp"), server.url) + NONE
        without = run(tmp_path, text, *QUICK, report="without")
        came = run(tmp_path, text + NO_PIN, *QUICK, report="with")
    assert without.exit_code == 4
    assert came.exit_code == 0, came.output
    summary = came.results["summary"]
    assert set(summary["carried_out"]["not"]) == {"accepted lack"}
    gaps = [row for row in came.results["requirements"] if row["verdict"] == "not-verified"]
    assert gaps
    assert {(row["accepted"], row["reason"]) for row in gaps} == {(True, "the sandbox asks no PIN")}


def test_a_lack_that_is_not_true_is_told_and_its_cases_are_judged(tmp_path: Path) -> None:
    with live() as server:
        came = run(tmp_path, pointed(sample("tpp"), server.url) + NO_PIN, *QUICK)
    assert came.exit_code == 0, came.output
    assert came.results["summary"]["carried_out"]["not"] == {}
    told = [
        one for one in came.results["summary"]["notices"] if one.startswith("services.tpp.lacks.state.pin-order is")
    ]
    assert len(told) == 1


def test_a_lower_limit_of_the_command_line_goes_before_that_of_the_file(tmp_path: Path) -> None:
    case = ("--generated", "0", "--case", "tpp/pin/*@*json", "--case", "tpp/response/*@*json")
    with live() as server:
        text = pointed(sample("tpp"), server.url) + NONE
        strict = run(tmp_path, text, *case, "--min-carried-out", "1", report="strict")
        loose = run(tmp_path, text, *case, "--min-carried-out", "0", report="loose")
    limit = [one for one in strict.results["summary"]["reasons"] if "at least 100% have to be" in one]
    assert len(limit) == 1
    assert "without their state" in limit[0]
    assert not [one for one in loose.results["summary"]["reasons"] if "have to be" in one]


@pytest.mark.parametrize(("lacking", "there"), [("websocket", "http"), ("http", "ws")])
def test_a_transport_that_is_lacking_is_an_accepted_gap_and_the_other_is_judged(
    tmp_path: Path, lacking: str, there: str
) -> None:
    kept = "websocket" if lacking == "http" else "http"
    with live() as server:
        text = pointed(sample("alphapoint"), server.url)
        gone = "".join(line for line in text.splitlines(True) if not line.startswith(f"{lacking} = "))
        cases = ("--generated", "0", "--case", "cao/codes/*", "--case", "cao/effects/*", "--case", "cao/frames/*")
        without = run(tmp_path, gone, *cases, report="without")
        reason = f'\n[services.alphapoint.lacks]\ntransport.{lacking} = "the gateway has {kept} alone"\n'
        came = run(tmp_path, gone + reason, *cases, report="with")
        both = run(tmp_path, text + reason, *cases, report="both")
    assert without.exit_code == 4
    assert came.exit_code == 0, came.output
    carried = {case["transport"] for case in came.results["cases"] if case["verdict"] == "pass"}
    assert carried == {there}
    assert set(came.results["summary"]["carried_out"]["not"]) == {"accepted lack"}
    cells = [row for row in came.results["error_codes"] if row["transport"] != there]
    assert cells
    assert {(row["verdict"], row["accepted"]) for row in cells} == {("not-verified", True)}
    assert {row["reason"] for row in cells} == {f"the gateway has {kept} alone"}
    assert both.exit_code == 2, "what the file gives cannot be lacking"


def test_an_operation_that_is_lacking_is_an_accepted_gap_and_gets_no_message(tmp_path: Path) -> None:
    one = '\n[services.tpp.lacks]\noperation."tpp.create_cancellation" = "lists alone"\n'
    cases = ("--generated", "0", "--case", "tpp/response/*", "--case", "tpp1/response/*")
    with live() as server:
        came = run(tmp_path, pointed(sample("tpp"), server.url) + one, *cases)
    assert came.exit_code == 0, came.output
    lines = [json.loads(line) for line in (came.folder / "journal.jsonl").read_text("utf-8").splitlines()]
    of_cases = [line for line in lines if line["type"] == "case"]
    lacking = {(one["verdict"], one["requests"]) for one in of_cases if one["operation"] == "tpp.create_cancellation"}
    assert lacking == {("not-verified", 0)}
    assert {one["verdict"] for one in of_cases if one["operation"] == "tpp.create_cancellations"} == {"pass"}
    assert set(came.results["summary"]["carried_out"]["not"]) == {"accepted lack"}


def _cost_s(size: int, takes: int) -> float:
    pool = {"open-order": tuple({"OrderID": number, "account": number % 2} for number in range(size))}
    states = PoolStates(pool, Ledger())
    need, desk = StateNeed("open-order"), Desk(0, {}, {})

    async def take() -> float:
        await states.prepare("order", need, desk)
        began = time.process_time()
        for _ in range(takes):
            await states.prepare("order", need, desk)
        return time.process_time() - began

    return asyncio.run(take())


def test_a_long_pool_costs_no_more_a_case_than_a_short_one() -> None:
    assert _cost_s(20_000, 90) < 10 * _cost_s(100, 90) + 0.01


def test_ids_taken_for_any_account_are_not_given_to_one() -> None:
    pool = {"open-order": tuple({"OrderID": number, "account": number % 2} for number in range(6))}
    states, desk = PoolStates(pool, Ledger()), Desk(0, {}, {})

    async def take(count: int, account: str = "") -> list[object]:
        params = {"count": count, **({"account": account} if account else {})}
        handle = await states.prepare("order", StateNeed("open-order", params), desk)
        return [value for name, value in handle.bindings.items() if name.endswith("OrderID")]

    async def several() -> list[list[object]]:
        return [await take(1, "1"), await take(2), await take(2, "1")]

    assert asyncio.run(several()) == [[1], [0, 2], [3, 5]]
    with pytest.raises(StateUnavailable, match="used up"):
        asyncio.run(take(1, "1"))
