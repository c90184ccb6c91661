"""How the states of a case are brought about: which it can do without, and which come one after another."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from live_support import live, pointed, run, sample

from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.model.case import Case
from conformance.run.setting import spare_states

CASES = {case.id: case for case in load_cases(load_contract())}


def case(name: str) -> Case:
    return CASES[name]


def test_a_refusal_that_names_no_state_can_do_without_the_ones_it_only_watches() -> None:
    assert spare_states(case("cao/codes/100@http")) == {"mine"}


def test_a_case_that_may_cancel_something_needs_all_its_states() -> None:
    assert spare_states(case("cao/response/sample@http")) == frozenset()


def test_a_state_whose_id_is_in_the_message_is_needed() -> None:
    assert spare_states(case("cq/codes/20@http")) == frozenset()


def test_the_messages_of_a_twin_and_those_before_count_as_well() -> None:
    plain = case("cao/codes/100@http")
    using = case("cq/codes/20@http")

    assert spare_states(replace(plain, before=(using.message,), states={"quote": using.states["quote"]})) == frozenset()


class _Echoing:
    """Puts the password that a user signed in with into the detail of everything that CancelAllOrders answers."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def changed(message: Any) -> None:
            if "CancelAllOrders" in scope.get("path", "") and message["type"] == "http.response.body":
                body = message["body"].replace(b'"detail":null', b'"detail":"qa-trader-1 t1-Zq8#x3"')
                message = {**message, "body": body}
            elif "CancelAllOrders" in scope.get("path", ""):
                headers = [(name, value) for name, value in message["headers"] if name != b"content-length"]
                message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, changed)


def test_the_password_of_the_caller_may_not_come_back(tmp_path: Path) -> None:
    with live(wrap=_Echoing) as server:
        text = pointed(sample("alphapoint"), server.url)
        came = run(tmp_path, text, "--generated", "0", "--concurrency", "1", "--case", "cao/response/sample@http")
    assert [finding["requirement"] for case in came.results["cases"] for finding in case["findings"]] == ["CAO-SECRETS"]
    assert "t1-Zq8#x3" not in (came.folder / "journal.jsonl").read_text("utf-8")


class _FirstIsSlow:
    """Takes its time for every second quote that is asked for, beginning with the first."""

    def __init__(self, app: Any) -> None:
        self.app, self.asked = app, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path", "").endswith("/CreateQuote"):
            self.asked += 1
            await asyncio.sleep(0.1 * (self.asked % 2))
        await self.app(scope, receive, send)


def test_the_older_of_two_quotes_is_the_same_in_each_run(tmp_path: Path) -> None:
    with live(wrap=_FirstIsSlow, faults=("cq-newest-there",)) as server:
        text = pointed(sample("alphapoint"), server.url)
        cases = "cq/effects/*-of-two-on-one-instrument@http"
        came = run(tmp_path, text, "--generated", "0", "--concurrency", "1", "--case", cases)
    assert came.verdicts() == {
        "cq/effects/one-of-two-on-one-instrument@http": "fail",  # the other one is the newest
        "cq/effects/other-of-two-on-one-instrument@http": "pass",
    }


def test_orders_of_one_client_number_are_set_up_where_the_scope_is_bounded(tmp_path: Path) -> None:
    with live() as server:
        text = pointed(sample("alphapoint"), server.url, everything=False)
        came = run(tmp_path, text, "--generated", "0", "--case", "cao/effects/orders-of-one-client-number@*")
    assert set(came.verdicts().values()) == {"pass"}
