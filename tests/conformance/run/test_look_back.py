"""At the end of a run: what a service says it has closed, refused or never answered is looked for, taken back and named."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from live_support import Came, Live, command, live, pointed, run, sample

from conformance.dialects.set_ups import SetUps
from conformance.endpoint.desks import Desk
from conformance.model.case import StateNeed
from conformance.run.states import AskedStates

CASES = ("--case", "co/effects/lasting@http", "--case", "co/effects/sell-order@http", "--generated", "0")
SUCCESS = {"result": True, "errormsg": None, "errorcode": 0, "detail": None}
REFUSED = {"result": False, "errormsg": "Server Error", "errorcode": 102, "detail": None}
ACCOUNTS = (4101, 4102, 4111, 4112, 4201, 4202, 4211, 4212, 4501, 4511, 4601)


class Odd:
    """The reference, but for what it does with set-ups and cancellations, by name."""

    def __init__(self, app: Any) -> None:
        self.app, self.odd, self.orders = app, "", 0
        self.asked: Counter[str] = Counter()
        self.late: list[tuple[Any, Any]] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        call = scope.get("path", "").rpartition("/")[2]
        self.asked[call] += 1
        if call in ("CancelOrder", "CancelQuote") and self.odd == "cancels in words":
            legs = {"BidResult": json.dumps(SUCCESS), "AskResult": json.dumps(SUCCESS)}
            await answer(send, SUCCESS if call == "CancelOrder" else legs)
        elif call == "SendOrder" and self.odd == "refuses in words":
            await self.app(scope, receive, nowhere)
            await answer(send, REFUSED)
        elif call == "SendOrder" and self.odd in ("late", "too late"):
            self.orders += 1
            message = await receive()
            if self.orders > 1:
                await self.app(scope, again(message), send)
            elif self.odd == "late":
                self.tasks.append(asyncio.create_task(self._later(scope, message)))
                await asyncio.sleep(5)
            else:
                self.late.append((scope, message))
                await asyncio.sleep(5)
        elif call in ("SendOrder", "GetOpenOrders") and self.odd in ("other id", "other id, no numbers"):
            await self.app(scope, receive, self._changing(call, send))
        else:
            await self.app(scope, receive, send)

    async def _later(self, scope: Any, message: Any) -> None:
        await asyncio.sleep(0.9)
        await self.app(scope, again(message), nowhere)

    async def catch_up(self) -> None:
        """Carry out what came too late."""
        for scope, message in self.late:
            await self.app(scope, again(message), nowhere)

    def _changing(self, call: str, send: Any) -> Any:
        async def changed(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [one for one in message["headers"] if one[0].lower() != b"content-length"]
                message = {**message, "headers": headers}
            elif message.get("body"):
                value = json.loads(message["body"])
                if call == "SendOrder" and value.get("OrderId"):
                    value["OrderId"] += 77_000_000
                for entry in value if call == "GetOpenOrders" and self.odd == "other id, no numbers" else ():
                    entry.pop("ClientOrderId")
                message = {**message, "body": json.dumps(value).encode()}
            await send(message)

        return changed


def again(message: Any) -> Any:
    async def received() -> Any:
        return message

    return received


async def nowhere(_message: Any) -> None:
    return


async def answer(send: Any, value: Mapping[str, Any]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


def book_of(server: Live) -> Any:
    return server.app.app.routes[0].endpoint._parts.alphapoint.book


def still_open(server: Live) -> list[int]:
    book = book_of(server)
    return [order.order_id for account in ACCOUNTS for order in book.open_orders(7, account)]


def target(server: Live, *, everything: bool) -> str:
    text = pointed(sample("alphapoint"), server.url, everything=everything)
    return text.replace("total_timeout_s = 10", "total_timeout_s = 0.5").replace("settle_s = 0.3", "settle_s = 0.05")


def last(came: Came) -> Mapping[str, Any]:
    line: Mapping[str, Any] = json.loads((came.folder / "journal.jsonl").read_text("utf-8").splitlines()[-1])
    return line


def clean(came: Came) -> tuple[int, Mapping[str, int]]:
    done = command(came.folder, "target", "clean", "--report", str(came.folder), "--json")
    return done.exit_code, json.loads(done.output)["summary"]


def test_a_cancellation_in_words_alone_is_seen_at_the_end_and_said(tmp_path: Path) -> None:
    for everything in (True, False):
        with live(wrap=Odd) as server:
            server.app.odd = "cancels in words"
            came = run(tmp_path, target(server, everything=everything), *CASES, "--case", "cq/effects/lasting@http",
                       report=f"r{everything}")  # fmt: skip
            left, standing = last(came)["left_behind"], still_open(server)
            assert standing
            assert [one for one in standing if not any(str(one) in words for words in left)] == []
            assert all("the service says that it is cancelled, and shows it as open" in words for words in left), left
            assert f"{len(left)} things left behind on the target" in "".join(came.results["summary"]["notices"])
            code, fates = clean(came)
            assert (code, fates["still open"], fates["taken back"]) == (4, len(left), 0)


def test_what_was_refused_in_words_alone_is_taken_back(tmp_path: Path) -> None:
    with live(wrap=Odd) as server:
        server.app.odd = "refuses in words"
        came = run(tmp_path, target(server, everything=False), *CASES)
        assert set(came.verdicts().values()) == {"not-verified"}
        assert (still_open(server), last(came)["left_behind"]) == ([], [])
        assert clean(came)[0] == 0


def test_an_order_whose_answer_never_came_is_looked_for_again_at_the_end(tmp_path: Path) -> None:
    with live(wrap=Odd) as server:
        server.app.odd = "late"
        came = run(tmp_path, target(server, everything=False), *CASES)
        assert server.app.tasks[0].done()
        assert (still_open(server), last(came)["left_behind"]) == ([], [])


def test_target_clean_knows_of_an_order_that_comes_after_the_end(tmp_path: Path) -> None:
    with live(wrap=Odd) as server:
        server.app.odd = "too late"
        came = run(tmp_path, target(server, everything=False), *CASES)
        assert last(came)["left_behind"] == []
        asyncio.run_coroutine_threadsafe(server.app.catch_up(), server._loop).result(5)
        assert len(still_open(server)) == 1
        assert clean(came) == (0, {"taken back": 1, "not open": 0, "still open": 0, "not known": 0})
        assert still_open(server) == []
        assert clean(came)[1] == {"taken back": 0, "not open": 0, "still open": 0, "not known": 0}


def test_an_id_that_was_never_seen_there_says_nothing_of_what_is_open(tmp_path: Path) -> None:
    with live(wrap=Odd) as server:
        server.app.odd = "other id"
        for everything in (False, True):
            came = run(tmp_path, target(server, everything=everything), *CASES, report=f"n{everything}")
            assert still_open(server) == [], everything
            assert last(came)["left_behind"] == []
        server.app.odd = "other id, no numbers"
        came = run(tmp_path, target(server, everything=False), *CASES)
        standing, left = still_open(server), last(came)["left_behind"]
        assert len(left) == len(standing) > 0
        assert all("does not tell whose it is" in words for words in left)
        code, fates = clean(came)
        assert (code, fates["not known"], fates["not open"]) == (4, len(left), 0)


class Asked:
    """A hook that answers what it is told to answer."""

    what = "the hook"

    def __init__(self) -> None:
        self.answers: Mapping[str, Any] = {}

    async def ask(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if action == "state":
            return {"orders": [{"OrderID": 7, "UID": "a"}]}
        answer = self.answers.get(action, "open")
        return {"orders": [{**body["orders"][0], "state": answer}] if isinstance(answer, str) else [answer]}

    async def aclose(self) -> None:
        return


@pytest.mark.parametrize(("answer", "good"), [
    ("cancelled", True), ("executed", True), ({"UID": "a", "OrderID": 7, "more": 1, "state": "cancelled"}, True),
    ("open", False), ("unknown", False), ("toast", False), ("Cancelled", False), ("", False),
    ({"OrderID": 1, "UID": "a", "state": "cancelled"}, False), ({"OrderID": 7, "state": "cancelled"}, False),
    ({"OrderID": "7", "UID": "a", "state": "cancelled"}, False), ({"state": "cancelled"}, False), ([7], False),
    ({"OrderID": 7, "UID": "a", "state": ["cancelled"]}, False), ({"OrderID": 7, "UID": "a"}, False),
])  # fmt: skip
def test_a_hook_takes_back_in_documented_words_what_it_was_asked_for(answer: Any, good: bool) -> None:
    async def carry_out() -> None:
        hook, set_ups = Asked(), SetUps("tpp")
        states = AskedStates(hook, takes_back=True, set_ups=set_ups)
        need, desk = StateNeed("open-order"), Desk(0, {}, {})
        hook.answers = {"clean": answer}
        handle = await states.prepare("order", need, desk)
        left = await states.clean((handle,), {"order": "unknown"}, desk)
        assert (left == ()) is good
        assert bool(set_ups.standing(handle.keys)) is not good
        handle = await states.prepare("order", need, desk)
        (found,) = await states.reclaim(set_ups.standing(handle.keys), (desk,))
        assert found.fate.good is good
        hook.answers = {"observe": answer}
        assert (await states.observe((handle,), desk))["order"] in (
            ("cancelled", "executed") if good else ("open", "unknown")
        )

    asyncio.run(carry_out())
