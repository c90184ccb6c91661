"""The live cases of the generated tier: each kind of departure that the models know comes up among the first few hundred."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pytest

from conformance.cases.generated.source import sources
from conformance.cases.generated.stream import live_case
from conformance.cases.message import body_text
from conformance.contract.load import load_contract
from conformance.model.case import Case

CONTRACT = load_contract()
CAO, CO, CQ = "alphapoint.cancel_all_orders", "alphapoint.cancel_order", "alphapoint.cancel_quote"
TPP = "tpp.create_cancellations"


@lru_cache(maxsize=8)
def live(operation: str) -> tuple[Case, ...]:
    """The live cases of one operation that a default run has, and as many again."""
    [source] = sources(CONTRACT, [operation], 0)
    found = (live_case(source, number) for number in range(9, 900, 10))
    return tuple(case for case in found if case is not None)


def body(case: Case) -> str:
    """The judged message before its ids are filled in."""
    return body_text(case.message.body, {}, None, keep=True)


def takes(case: Case, name: str) -> bool:
    """Whether a right answer leaves this cancelled."""
    return any(name in one.cancelled for one in case.expect.any_of)


KINDS: list[tuple[str, str, Callable[[Case], bool]]] = [
    (
        "more orders than a page of twenty holds, in the account that is emptied",
        CAO,
        lambda case: takes(case, "many") and case.states["many"].params["count"] > 20,
    ),
    (
        "a quote with its bid left out",
        CQ,
        lambda case: "bidquoteid" not in body(case).lower() and "askquoteid" in body(case).lower(),
    ),
    (
        "a quote with its ask left out",
        CQ,
        lambda case: "askquoteid" not in body(case).lower() and "bidquoteid" in body(case).lower(),
    ),
    ("an open order by its UID in capitals", TPP, lambda case: "UID^}" in body(case)),
    (
        "an order beside the id of another that must stay",
        TPP,
        lambda case: any(name.startswith("b") for name in case.states),
    ),
    (
        "one order by its client's number",
        CO,
        lambda case: ".client}" in body(case) and takes(case, body(case).partition(".client")[0].rpartition("{")[2]),
    ),
    ("an order that an earlier call has cancelled", CO, lambda case: case.expect.requirement == "CO-AGAIN"),
    ("two orders named at once", CO, lambda case: case.expect.requirement == "CO-REQ-BOTH"),
    ("no order named", CO, lambda case: case.expect.requirement == "CO-REQ-ID-REQUIRED"),
    ("a stranger's order", CO, lambda case: case.expect.requirement == "CO-SCOPE-TRADING"),
    (
        "an operator's call",
        CO,
        lambda case: case.role == "operator" and any(one.cancelled for one in case.expect.any_of),
    ),
    ("several calls", CO, lambda case: len(case.before) > 1),
    ("the same said in two forms", CO, lambda case: case.twin is not None),
]


@pytest.mark.parametrize(("operation", "holds"), [kind[1:] for kind in KINDS], ids=[kind[0] for kind in KINDS])
def test_a_kind_of_live_case_comes_up(operation: str, holds: Callable[[Case], bool]) -> None:
    assert any(holds(case) for case in live(operation))


def test_a_leg_that_is_left_out_never_succeeds() -> None:
    for case in live(CQ):
        for leg in ("bid", "ask"):
            if f"{leg}quoteid" not in body(case).lower():
                codes = [one.wanted.get(part, ()) for one in case.expect.any_of for part in (leg, "code")]
                assert all(0 not in some for some in codes), case.expect


def test_an_order_named_beside_another_id_is_the_only_one_that_goes() -> None:
    beside = [case for case in live(TPP) if any(name.startswith("b") for name in case.states)]
    assert beside
    for case in beside:
        assert not any(name.startswith("b") for one in case.expect.any_of for name in one.cancelled)


def test_no_call_for_one_order_is_an_operators_without_an_account() -> None:
    assert all("accountid" in body(case).lower() for case in live(CO) if case.role == "operator")
