"""Where states come from: pools, commands, hooks, several at once; and what is taken back or left behind."""

from __future__ import annotations

import asyncio
import http.client
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from live_support import Came, Live, judge_all, live, pointed, run, sample

from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract

QUICK = ("--generated", "0")
ACCEPT = "tpp/negotiation/accept-*@application-json"
EFFECTS = "tpp/effects/*@application-json"
HOOK = 'provider = "hook"\nurl = '
COMMAND = Path(__file__).with_name("state_command.py")


def _with_states(server: Live, states: str) -> str:
    text = pointed(sample("tpp"), server.url)
    return text[: text.index("[services.tpp.states]")] + states


def _made(server: Live, state: str, count: int) -> list[dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("POST", "/_world/tpp/state", json.dumps({"state": state, "count": count}))
    orders: list[dict[str, Any]] = json.loads(connection.getresponse().read())["orders"]
    connection.close()
    return orders


def _last(came: Came) -> dict[str, Any]:
    line: dict[str, Any] = json.loads((came.folder / "journal.jsonl").read_text("utf-8").splitlines()[-1])
    return line


def _pool(server: Live, count: int) -> str:
    ids = ", ".join(f"{{ OrderID = {order['OrderID']} }}" for order in _made(server, "open-order", count))
    return f'[services.tpp.states]\nprovider = "pool"\npool = {{ open-order = [{ids}] }}\n'


def test_ids_of_a_pool_are_each_used_once_and_running_out_is_not_verified(tmp_path: Path) -> None:
    with live() as server:
        came = run(tmp_path, _with_states(server, _pool(server, 4)), *QUICK, "--case", ACCEPT)
    assert "fail" not in came.verdicts().values()
    assert "pass" in came.verdicts().values()
    assert "pool of open-order is used up" in came.reasons().values()
    taken = [line for line in (came.folder / "journal.jsonl").read_text("utf-8").splitlines() if '"taken"' in line]
    assert len(taken) == len(set(taken)) == 4


def test_a_run_that_goes_on_does_not_use_an_id_again(tmp_path: Path) -> None:
    with live() as server:
        text = _with_states(server, _pool(server, 4))
        first = run(tmp_path, text, *QUICK, "--case", ACCEPT)
        again = run(tmp_path, text, *QUICK, "--case", ACCEPT, "--resume")
    assert "fail" not in {*first.verdicts().values(), *again.verdicts().values()}
    lines = (again.folder / "journal.jsonl").read_text("utf-8").splitlines()
    assert sum('"taken"' in line for line in lines) == 4


def test_without_an_observer_the_effects_of_a_pool_stay_unverified_and_with_one_they_are_seen(tmp_path: Path) -> None:
    contract = load_contract(None)
    cases = [
        case
        for case in load_cases(contract, ["tpp.create_cancellations"])
        if case.id == "tpp/response/domestic@application-json"
    ]
    with live() as server:
        blind = judge_all(contract, cases, _with_states(server, _pool(server, 1)))
        pool = _pool(server, 1).replace('"pool"\n', f'"pool"\nurl = "{server.url}/_world/tpp"\n', 1)
        seeing = judge_all(contract, cases, _with_states(server, pool))
    assert [result.unverified != () for result in blind.values()] == [True]
    assert [(result.verdict, result.unverified) for result in seeing.values()] == [("pass", ())]


def test_effects_that_nobody_sees_are_a_gap_that_a_lack_of_an_observer_makes_an_accepted_one(tmp_path: Path) -> None:
    cases = (*QUICK, "--case", "tpp/response/domestic@*json", "--case", "tpp/lasting/stays-order@application-json",
             "--case", "tpp/effects/unknown-order@application-json")  # fmt: skip
    reason = "the sandbox has no order list"
    lack = f'\n[services.tpp.lacks]\nobserver = "{reason}"\n'
    with live() as server:
        without = run(tmp_path, _with_states(server, _pool(server, 6)), *cases, report="without")
        came = run(tmp_path, _with_states(server, _pool(server, 6)) + lack, *cases, report="with")
    before, after = (
        {row["id"]: (row["verdict"], row["accepted"], row["reason"]) for row in one.results["requirements"]}
        for one in (without, came)
    )
    assert before["TPP-EFFECT"][:2] == ("not-verified", False)
    assert after["TPP-EFFECT"] == ("not-verified", True, reason)
    assert without.verdicts() == came.verdicts()
    assert "pass" in came.verdicts().values(), "who sees no effect judges the answers all the same"
    assert "fail" not in came.verdicts().values()
    assert {without.exit_code, came.exit_code} == {4, 0}, came.output


class _Worded:
    """Answers a hook's question for a state with an id that is a word."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/state"):
            await self.app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"orders": [{"OrderID": "seven"}]}'})


def test_an_id_from_outside_that_is_no_number_is_not_sent(tmp_path: Path) -> None:
    """JSON has no place for it; the endpoint is not to be blamed for what the state's maker says."""
    with live(wrap=_Worded) as server:
        text = _with_states(server, f'[services.tpp.states]\n{HOOK}"{server.url}/_world/tpp"\n')
        came = run(tmp_path, text, *QUICK, "--case", "tpp/response/domestic@application-json")
    assert came.verdicts() == {"tpp/response/domestic@application-json": "not-verified"}
    assert "'seven', which ${order.OrderID} stands for, is no integer" in str(came.reasons())


def test_a_command_is_asked_over_its_standard_input(tmp_path: Path) -> None:
    with live() as server:
        arguments = json.dumps([sys.executable, str(COMMAND), f"127.0.0.1:{server.port}"])
        text = _with_states(server, f'[services.tpp.states]\nprovider = "command"\ncommand = {arguments}\n')
        came = run(tmp_path, text, *QUICK, "--case", EFFECTS)
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()


@pytest.mark.parametrize(("program", "reason"), [
    ("import time; time.sleep(30)", "the state command gave no answer within 0.3 s"),
    ("print('no json')", "the state command did not answer 'state' in JSON"),
    ("import sys; sys.exit(7)", "the state command refused 'state' with exit code 7"),
    ("print('[]')", "the state command did not answer 'state' with a JSON object"),
])  # fmt: skip
def test_a_command_that_does_not_do_its_work_is_not_verified(tmp_path: Path, program: str, reason: str) -> None:
    began = time.monotonic()
    with live() as server:
        arguments = json.dumps([sys.executable, "-S", "-c", program])
        limit = "0.3" if "sleep" in program else "10"
        states = f'[services.tpp.states]\nprovider = "command"\ncommand = {arguments}\ntimeout_s = {limit}\n'
        came = run(
            tmp_path, _with_states(server, states), *QUICK, "--case", "tpp/negotiation/accept-a*@application-json"
        )
    assert came.verdicts()
    assert set(came.reasons().values()) == {reason}
    assert time.monotonic() - began < 20


def test_a_command_that_is_not_there_is_not_verified(tmp_path: Path) -> None:
    with live() as server:
        states = '[services.tpp.states]\nprovider = "command"\ncommand = ["/no/such/program"]\n'
        came = run(
            tmp_path, _with_states(server, states), *QUICK, "--case", "tpp/negotiation/accept-a*@application-json"
        )
    assert all(reason.startswith("the state command cannot be started") for reason in came.reasons().values())


def test_states_may_come_from_several_providers(tmp_path: Path) -> None:
    with live() as server:
        states = (
            f'[services.tpp.states]\n{HOOK}"{server.url}/_world/tpp"\n'
            '[services.tpp.states.by_state.cancelled-order]\nprovider = "none"\n'
        )
        came = run(
            tmp_path,
            _with_states(server, states),
            *QUICK,
            "--case",
            EFFECTS,
            "--case",
            "tpp/batch/failure-first@application-json",
        )
    assert set(came.verdicts().values()) == {"pass", "not-verified"}
    reasons = set(came.reasons().values()) - {""}
    assert reasons == {"the target file does not say how to set up the state 'cancelled-order'"}


def _open_orders(server: Live) -> list[int]:
    book = server.app.routes[0].endpoint._parts.alphapoint.book
    return [
        order.order_id for account in (4101, 4111, 4102, 4112, 4501, 4511) for order in book.open_orders(7, account)
    ]


def test_everything_that_was_set_up_is_taken_back(tmp_path: Path) -> None:
    with live() as server:
        came = run(tmp_path, pointed(sample("alphapoint"), server.url), *QUICK, "--operation", "alphapoint.cancel_all_orders",
                   "--case", "cao/[!c]*")  # fmt: skip
        assert _open_orders(server) == []
    assert _last(came)["left_behind"] == []


def test_what_cannot_be_taken_back_is_named_at_the_end(tmp_path: Path) -> None:
    with live() as server:
        arguments = ("--case", "cq/codes/*101*", "--case", "cq/codes/*102*")
        came = run(tmp_path, pointed(sample("alphapoint"), server.url), *QUICK, *arguments)
    left = _last(came)["left_behind"]
    assert left
    assert all(
        line.startswith("quote leg ") and line.endswith((" of account 4901", " of account 4902")) for line in left
    )
    assert (
        f"{len(left)} things left behind on the target; the journal's last line names them"
        in came.results["summary"]["notices"]
    )


class _Hanging:
    """Never answers a CancelOrder."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].lower().endswith("/cancelorder"):
            await asyncio.sleep(20)
            return
        await self.app(scope, receive, send)


def test_taking_back_is_bounded_in_time(tmp_path: Path) -> None:
    began = time.monotonic()
    with live(wrap=_Hanging) as server:
        text = pointed(sample("alphapoint"), server.url).replace("[limits]\n", "[limits]\nclean_timeout_s = 0.2\n")
        came = run(tmp_path, text, *QUICK, "--case", "cao/roles/marketmaker-*@http", "--case", "cao/roles/none*@http")
    assert time.monotonic() - began < 15
    assert "fail" not in came.verdicts().values()
    assert _last(came)["left_behind"]


class _Throttled:
    """Turns every CancelOrder away once, and asks for a second of patience, before it lets it pass; counts both."""

    def __init__(self, app: Any) -> None:
        self.app, self.turned_away, self.passed = app, 0, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].lower().endswith("/cancelorder"):
            if self.turned_away == self.passed:
                self.turned_away += 1
                await send({"type": "http.response.start", "status": 429, "headers": [(b"retry-after", b"1")]})
                await send({"type": "http.response.body", "body": b"TOO MANY REQUESTS"})
                return
            self.passed += 1
        await self.app(scope, receive, send)


def test_waiting_because_the_target_throttles_does_not_count_as_time_for_taking_back(tmp_path: Path) -> None:
    with live(wrap=_Throttled) as server:
        text = pointed(sample("alphapoint"), server.url).replace("[limits]\n", "[limits]\nclean_timeout_s = 0.3\n")
        came = run(tmp_path, text, *QUICK, "--case", "cao/roles/none-own@http", "--concurrency", "1")
        assert server.app.turned_away == server.app.passed > 0
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()
    assert _last(came)["left_behind"] == []


class _Later:
    """Answers CancelAllOrders at once, as a success, and carries it out after a while; from then on looks take long."""

    def __init__(self, app: Any, after_s: float, look_s: float) -> None:
        self.app, self.after_s, self.look_s = app, after_s, look_s
        self.later: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not scope.get("path", "").endswith("/CancelAllOrders"):
            await self.app(scope, receive, self._slowly(send) if self.later else send)
            return
        body = await receive()

        async def given() -> Any:
            return body

        async def unheard(_message: Any) -> None:
            return

        async def carry_out() -> None:
            await asyncio.sleep(self.after_s)
            await self.app(scope, given, unheard)

        self.later.add(asyncio.create_task(carry_out()))
        told = b'{"result":true,"errormsg":null,"errorcode":0,"detail":null}'
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(told)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": told})

    def _slowly(self, send: Any) -> Any:
        """What was so when it was asked, told when `look_s` is over."""

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(self.look_s)
            await send(message)

        return sent


_NEVER = [("CAO-EFFECT-ACCOUNT", "cancelled", "open")]


@pytest.mark.parametrize(
    ("after_s", "settle_s", "look_s", "found"),
    [(0.4, 5, 0, []), (6, 0.3, 0, _NEVER), (0.3, 0.5, 0.7, [])],
    ids=["in time", "too late", "in time, where what a look finds is old when it is told"],
)
def test_an_effect_may_settle_within_settle_s_of_its_answer_and_no_later(
    tmp_path: Path, after_s: float, settle_s: float, look_s: float, found: list[tuple[str, str, str]]
) -> None:
    with live(wrap=lambda app: _Later(app, after_s, look_s)) as server:
        text = pointed(sample("alphapoint"), server.url).replace("settle_s = 0.3", f"settle_s = {settle_s}")
        came = run(tmp_path, text, *QUICK, "--case", "cao/response/sample@http", "--case", "cao/http/text-plain@http")
    told = {
        (one["requirement"], one["expected"], one["actual"])
        for case in came.results["cases"]
        for one in case["findings"]
    }
    assert sorted(told) == found
    assert came.exit_code == (1 if found else 0) or set(came.verdicts().values()) == {"pass"}


PARTLY = ("--generated", "0", "--case", "c*/effects/partly-executed@http")


def test_order_that_was_executed_in_part_is_handed_in_for_its_account(tmp_path: Path) -> None:
    with live() as server:
        lack = '[services.alphapoint.lacks.state]\npartly-executed-order = "nobody hands one in"\n'
        target = pointed(sample("alphapoint").replace(lack, ""), server.url)
        by_state = f'{HOOK}"{server.url}/_world/alphapoint"\nclean = true\n'
        table = f"[services.alphapoint.states.by_state.partly-executed-order]\n{by_state}"
        came = run(tmp_path, f"{target}\n{table}", *PARTLY)
    assert sorted(came.verdicts().values()) == ["pass", "pass"], came.reasons()


def test_no_order_is_executed_by_the_run_itself(tmp_path: Path) -> None:
    with live() as server:
        came = run(tmp_path, pointed(sample("alphapoint"), server.url), *PARTLY)
    assert {case["verdict"] for case in came.results["cases"]} == {"not-verified"}
    assert {"no call that sets up 'partly-executed-order'" in one for one in came.reasons().values()} == {True}
