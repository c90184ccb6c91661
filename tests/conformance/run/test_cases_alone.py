"""A case whose set-up stands where other cases act runs alone: what they do there cannot hide what it looks for."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest
from live_support import judge_all, live

from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.endpoint.reference import reference_environment, reference_target
from conformance.model.case import Case
from conformance.model.spec import Contract

CAO, KEEPS_OWN = "alphapoint.cancel_all_orders", "cao/roles/operator-keeps-own"
WAIT_S = 0.5


class Slow:
    """The reference; looks at the operator's account wait until some case of an operator has cancelled."""

    def __init__(self, app: Any, account: int) -> None:
        self.app, self.account = app, account
        self.cancelled = asyncio.Event()
        self.looks = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        call = scope.get("path", "").rpartition("/")[2]
        if call not in ("GetOpenOrders", "CancelAllOrders"):
            await self.app(scope, receive, send)
            return
        message = await receive()

        async def again() -> Any:
            return message

        if call == "GetOpenOrders" and json.loads(message["body"])["AccountId"] == self.account:
            self.looks += 1
            with contextlib.suppress(TimeoutError):  # nobody else is at work
                await asyncio.wait_for(self.cancelled.wait(), WAIT_S)
            self.cancelled.set()
        await self.app(scope, again, send)
        if call == "CancelAllOrders" and self.looks:
            self.cancelled.set()


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract(None)


@pytest.fixture(scope="module")
def cases(contract: Contract) -> list[Case]:
    return [case for case in load_cases(contract, [CAO]) if case.id.startswith("cao/roles/operator-")]


def test_fault_is_found_although_others_act_as_the_same_operator(contract: Contract, cases: list[Case]) -> None:
    account = reference_target("http://127.0.0.1")["services"]["alphapoint"]["roles"]["operator"]["account"]
    with live(None, wrap=lambda app: Slow(app, account), faults=("cao-operators-own-too",)) as server:
        results = judge_all(contract, cases, reference_target(server.url), reference_environment())
        assert server.app.looks
    found = {one.requirement for name in ("http", "ws") for one in results[f"{KEEPS_OWN}@{name}"].findings}
    assert found == {"CAO-EFFECT-ONLY"}
    assert {name for name, one in results.items() if one.unverified} == set()


def test_states_in_the_account_of_a_role_make_a_case_alone(contract: Contract) -> None:
    for case in load_cases(contract, None):
        operation = contract.operations[case.operation]
        accounts = {f"${{{role}.account}}" for role in (*operation.roles_allowed, *operation.roles_refused)}
        if any(need.params.get("account") in accounts for need in case.states.values()):
            assert case.lane == "alone", case.id


def provoked(contract: Contract) -> list[Case]:
    return [case for case in load_cases(contract, contract.services["alphapoint"].operations) if case.provoke]


@pytest.mark.parametrize("fault", ["", "co-condition-acts-later", "cq-condition-acts-later"])
def test_refused_call_that_acts_later_is_found_and_waiting_cases_do_not_disturb_each_other(
    contract: Contract, fault: str
) -> None:
    with live(None, faults=(fault,) if fault else ()) as server:
        results = judge_all(contract, provoked(contract), reference_target(server.url), reference_environment())
    broken = {finding.requirement for one in results.values() for finding in one.findings}
    assert broken == ({f"{fault[:2].upper()}-REFUSED-NO-EFFECT"} if fault else set())
    assert {one.verdict for one in results.values() if not one.findings} == {"pass"}
