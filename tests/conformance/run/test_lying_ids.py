"""Ids that a service answers to a set-up and that are none of a new order: no message names them, and nothing is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from live_support import Live, judge_all, live, pointed, run, sample

from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult

FOREIGN_ACCOUNT = 4000
"""The operator's own, which the sample's scope does not name."""
ACCOUNTS = (4101, 4102, 4111, 4112, 4201, 4202, 4211, 4212, 4501, 4511, 4601)
Lie = Callable[[dict[str, Any]], None]


class Lying:
    """The reference, but for what it answers to set-up calls; every cancellation is kept."""

    def __init__(self, app: Any, calls: tuple[str, ...] = ("SendOrder",)) -> None:
        self.app, self.calls = app, calls
        self.lie: Lie = lambda _answer: None
        self.cancelling: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        call = scope.get("path", "").rpartition("/")[2]
        if call.startswith("Cancel"):
            message = await receive()
            self.cancelling.append(message["body"].decode("latin-1"))

            async def again() -> Any:
                return message

            await self.app(scope, again, send)
        elif call in self.calls:
            await self.app(scope, receive, self._changing(send))
        else:
            await self.app(scope, receive, send)

    def _changing(self, send: Any) -> Any:
        async def changed(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [one for one in message["headers"] if one[0].lower() != b"content-length"]
                message = {**message, "headers": headers}
            elif message.get("body"):
                answer = json.loads(message["body"])
                if isinstance(answer, list):
                    answer = {"entries": answer}
                self.lie(answer)
                message = {**message, "body": json.dumps(answer).encode()}
            await send(message)

        return changed


def book_of(server: Live) -> Any:
    app = server.app
    while not hasattr(app, "routes"):
        app = app.app
    return app.routes[0].endpoint._parts.alphapoint.book


def still_open(server: Live) -> list[int]:
    book = book_of(server)
    return [order.order_id for account in ACCOUNTS for order in book.open_orders(7, account)]


def as_id(value: Any) -> Lie:
    return lambda answer: answer.update(OrderId=value)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract(None)


@pytest.fixture(scope="module")
def cases(contract: Contract) -> dict[str, Case]:
    return {case.id: case for case in load_cases(contract, ["alphapoint.cancel_order", "alphapoint.cancel_quote"])}


def judged(contract: Contract, cases: list[Case], server: Live) -> dict[str, CaseResult]:
    """One after the other, with the sample's scope."""
    text = pointed(sample("alphapoint"), server.url, everything=False)
    text = text.replace("settle_s = 0.3", "settle_s = 0.02").replace("concurrency = 8", "concurrency = 1")
    return judge_all(contract, cases, text)


def test_no_case_acts_upon_an_id_that_is_not_that_of_a_new_open_order(
    contract: Contract, cases: dict[str, Case]
) -> None:
    chosen = [cases[f"co/effects/{name}@http"] for name in ("lasting", "sell-order", "second-account-of-the-caller")]
    with live(wrap=Lying) as server:
        book = book_of(server)
        foreign = book.place(7, FOREIGN_ACCOUNT, 31, "Buy", 1, 1, 0).order_id
        older = book.place(7, 4101, 31, "Buy", 1, 1, 4711).order_id
        plain = book.place(7, 4101, 31, "Buy", 1, 1, 0).order_id
        first: list[int] = []

        def given(answer: dict[str, Any]) -> None:
            first.append(answer["OrderId"])
            answer["OrderId"] = first[0]

        lies = {"foreign": as_id(foreign), "given": given, "own-older": as_id(older), "own-plain": as_id(plain), "zero": as_id(0),
                "huge": as_id(2**64 + foreign), "text": as_id(str(foreign)), "none": lambda _answer: None}  # fmt: skip
        for kind, lie in lies.items():
            server.app.lie = lie
            server.app.cancelling.clear()
            results = judged(contract, chosen, server)
            names = [str(one) for one in (foreign, older, plain, 2**64 + foreign)]
            assert [body for body in server.app.cancelling if any(one in body for one in names)] == [], kind
            assert {book.find(one).state for one in (foreign, older, plain)} == {"Working"}, kind
            assert still_open(server) == [older, plain], kind
            verdicts = {str(one.verdict) for one in results.values()}
            reasons = {one.reason for one in results.values()}
            assert verdicts == ({"pass"} if kind == "none" else {"not-verified"}), (kind, reasons)
            assert kind == "none" or all("SendOrder" in one for one in reasons), (kind, reasons)


def test_a_quote_whose_legs_are_not_those_of_a_new_one_is_left_alone(
    contract: Contract, cases: dict[str, Case]
) -> None:
    chosen = [cases["cq/effects/lasting@http"]]
    with live(wrap=lambda app: Lying(app, ("CreateQuote",))) as server:
        book = book_of(server)
        bid, ask = (leg.order_id for leg in book.place_quote(7, FOREIGN_ACCOUNT, 31, (1, 1), (1, 2)))
        lies: dict[str, Lie] = {
            "foreign": lambda answer: answer.update(BidQuoteId=bid, AskQuoteId=ask),
            "one of them": lambda answer: answer.update(AskQuoteId=ask),
            "the same": lambda answer: answer.update(AskQuoteId=answer["BidQuoteId"]),
            "one alone": lambda answer: answer.pop("AskQuoteId"),
        }
        for kind, lie in lies.items():
            server.app.lie = lie
            (result,) = judged(contract, chosen, server).values()
            assert result.verdict == "not-verified", kind
            assert "CreateQuote" in result.reason, kind
            assert [body for body in server.app.cancelling if str(bid) in body or str(ask) in body] == [], kind
            assert {book.find(one).state for one in (bid, ask)} == {"Working"}, kind


def test_ids_that_nobody_can_look_up_are_taken_as_answered_and_the_report_says_so(tmp_path: Path) -> None:
    with live(wrap=lambda app: Lying(app, ("GetOpenOrders",))) as server:
        came = run(tmp_path, pointed(sample("alphapoint"), server.url, everything=False), "--generated", "0",
                   "--case", "co/effects/sell-order@http")  # fmt: skip
        assert still_open(server) == []
    notices = came.results["summary"]["notices"]
    assert "the target would not show whether 2 things that it made for this run stood open" in notices


def test_a_sandbox_that_may_be_touched_as_a_whole_is_not_asked(contract: Contract, cases: dict[str, Case]) -> None:
    chosen = [cases["co/effects/again@http"], cases["co/effects/other-oms@http"]]
    seen: list[str] = []

    class Counting(Lying):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope.get("path", "").rpartition("/")[2])
            await super().__call__(scope, receive, send)

    after = []
    for everything in (True, False):
        with live(wrap=Counting) as server:
            seen.clear()
            target = pointed(sample("alphapoint"), server.url, everything=everything)
            judge_all(contract, chosen, target.replace("concurrency = 8", "concurrency = 1"))
            asked = [place for place, call in enumerate(seen) if call == "SendOrder"]
            after.append([seen[place + 1] for place in asked])
    assert after == [["GetOpenOrders", "CancelOrder"], ["GetOpenOrders"] * 2], (
        "a first look tells whether the place shows"
    )


def test_whatever_message_the_cap_refuses_nothing_is_left_open(contract: Contract, cases: dict[str, Case]) -> None:
    chosen = [cases["co/effects/sell-order@http"], cases["co/client/neither@http"], cases["cq/effects/lasting@http"]]
    with live() as server:
        text = pointed(sample("alphapoint"), server.url, everything=False)
        text = text.replace("settle_s = 0.3", "settle_s = 0").replace("concurrency = 8", "concurrency = 1")
        for cap in range(1, 16):
            judge_all(contract, chosen, text.replace("max_requests = 50000", f"max_requests = {cap}"))
            assert still_open(server) == [], cap


class Listing:
    """The reference, but what GetOpenOrders lists can be changed, and SendOrder can make nothing and answer `number`."""

    def __init__(self, app: Any) -> None:
        self.app, self.number, self.cancelling = app, 0, 0
        self.listed: Callable[[list[dict[str, Any]]], Any] = lambda entries: entries

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        call = scope.get("path", "").rpartition("/")[2]
        self.cancelling += call.startswith("Cancel")
        if call == "SendOrder" and self.number:
            body = json.dumps({"status": "Accepted", "errormsg": "", "OrderId": self.number}).encode()
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
            )
            await send({"type": "http.response.body", "body": body})
            return

        async def changed(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [one for one in message["headers"] if one[0].lower() != b"content-length"]
                message = {**message, "headers": headers}
            elif message.get("body"):
                message = {**message, "body": json.dumps(self.listed(json.loads(message["body"]))).encode()}
            await send(message)

        await self.app(scope, receive, changed if call == "GetOpenOrders" else send)


def test_an_order_that_stood_there_before_is_no_new_one(contract: Contract, cases: dict[str, Case]) -> None:
    with live(wrap=Listing) as server:
        book = book_of(server)
        for account, entry in ((4101, {}), (4102, {"Account": 4102})):
            server.app.number = book.place(7, account, 31, "Buy", 1, 1, 0).order_id
            shown = {"OrderId": server.app.number, "ClientOrderId": 0, **entry}
            server.app.listed = lambda entries, shown=shown: [*entries, shown]
            results = judged(contract, [cases["co/effects/lasting@http"]], server)
            assert {str(one.verdict) for one in results.values()} == {"not-verified"}
            assert server.app.cancelling == 0
            assert book.find(server.app.number).state == "Working"


@pytest.mark.parametrize(("change", "unverified"), [
    (lambda entries: [{**one, "OrderId": str(one["OrderId"])} for one in entries], ()),
    (lambda entries: [{**one, "OrderId": None} for one in entries], ("CO-EFFECT-LASTS", "CO-EFFECT-ONLY")),
    (lambda entries: [[one] for one in entries], ("CO-EFFECT-LASTS", "CO-EFFECT-ONLY")),
])  # fmt: skip
def test_a_list_that_cannot_be_read_does_not_say_that_nothing_is_open(
    change: Any, unverified: tuple[str, ...], contract: Contract, cases: dict[str, Case]
) -> None:
    """The answer is judged; what became of the orders is not verified."""
    with live(wrap=Listing) as server:
        server.app.listed = change
        (result,) = judged(contract, [cases["co/effects/lasting@http"]], server).values()
    assert (str(result.verdict), result.findings, result.unverified) == ("pass", (), unverified)


def test_a_member_beside_the_legs_of_a_quote_hides_neither(contract: Contract, cases: dict[str, Case]) -> None:
    with live(wrap=lambda app: Lying(app, ("GetOpenQuotes",))) as server:
        server.app.lie = lambda answer: answer.update(InstrumentId=31, Note="two-sided")
        (result,) = judged(contract, [cases["cq/effects/lasting@http"]], server).values()
    assert (str(result.verdict), result.findings, result.unverified) == ("pass", (), ())
