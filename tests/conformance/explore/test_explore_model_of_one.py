"""The model of a call that cancels one order: which answers are right, and what is gone afterwards."""

from __future__ import annotations

import pytest

from conformance.cases.generated.account_model import OrderOrQuote, Request, predict_cancel_one
from conformance.cases.generated.rules import CANCELLED, OPEN, Predicted, rules_of
from conformance.contract.load import load_contract

ONE = rules_of(load_contract().operations["alphapoint.cancel_order"])
TRADERS = ("operator", "trading")
ORDERS = (
    OrderOrQuote("o0", quote=False, account="account", instrument="instrument"),
    OrderOrQuote("o1", quote=False, account="account", instrument="instrument", client=True),
    OrderOrQuote("o2", quote=False, account="account2", instrument="instrument"),
    OrderOrQuote("o3", quote=False, account="foreign", instrument="instrument", client=True),
)
STANDING = {thing.name: OPEN for thing in ORDERS}


def one(standing: dict[str, str] | None = None, **more: str) -> Predicted:
    """What is predicted of a trader's call in his first account."""
    request = Request("trading", **{"account": "account", **more})
    found = predict_cancel_one(ONE, TRADERS, request, ORDERS, standing or STANDING)
    assert found is not None
    return found


def allowed(found: Predicted) -> list[tuple[list[int], tuple[str, ...]]]:
    """The right codes, each with what is gone when it comes."""
    return [(way.wanted["code"], way.cancelled) for way in found.expect.any_of]


def test_the_order_named_goes_alone() -> None:
    found = one(order="o0")
    assert allowed(found) == [([0], ("o0",))]
    assert found.expect.any_of[0].untouched == ("o1", "o2", "o3")
    assert found.expect.requirement == "CO-RESP-RESULT-TRUE"


def test_a_clients_number_names_the_order_as_well() -> None:
    found = one(client="o1.client")
    assert allowed(found) == [([0], ("o1",))]
    assert found.expect.requirement == "CO-REQ-CLIENTORDERID"


@pytest.mark.parametrize("named", [{"order": "o1.client"}, {"client": "o0"}, {"order": "unknown_order"}])
def test_a_number_is_good_for_its_own_member_alone(named: dict[str, str]) -> None:
    found = one(**named)
    assert allowed(found) == [([100, 104], ())]
    assert found.expect.requirement == "CO-CODE-104"


def test_an_order_that_is_gone_is_refused_and_stays_gone() -> None:
    found = one({**STANDING, "o0": CANCELLED}, order="o0")
    assert allowed(found) == [([100, 101, 104], ("o0",))]
    assert found.expect.requirement == "CO-AGAIN"
    assert found.after == {**STANDING, "o0": CANCELLED}


@pytest.mark.parametrize("named", [{"order": "o3"}, {"client": "o3.client"}])
def test_a_strangers_order_is_refused_and_stays(named: dict[str, str]) -> None:
    found = one(**named)
    assert allowed(found) == [([20, 100, 104], ())]
    assert (found.expect.requirement, found.expect.outside) == ("CO-SCOPE-TRADING", "CO-REFUSED-NO-EFFECT")


def test_an_own_order_elsewhere_may_be_found_without_an_account() -> None:
    found = one(order="o2", account="")
    assert allowed(found) == [([0], ("o2",)), ([100, 104], ())]
    assert found.expect.requirement == "CO-REQ-ACCOUNTID-OPTIONAL"
    assert found.after is None


def test_an_own_order_elsewhere_is_not_found_in_the_account_named() -> None:
    found = one(order="o2", account="account")
    assert allowed(found) == [([100, 104], ())]
    assert found.expect.requirement == "CO-CODE-104"
    assert found.after == STANDING


def test_of_two_orders_that_are_named_one_goes_or_none() -> None:
    found = one(order="o0", client="o1.client")
    assert allowed(found) == [([0], ("o0",)), ([0], ("o1",)), ([100, 104], ())]
    assert found.expect.requirement == "CO-REQ-BOTH"


def test_a_request_that_names_no_order_is_refused_with_100() -> None:
    assert allowed(one()) == [([100], ())]


@pytest.mark.parametrize(
    ("request_", "codes"),
    [
        (Request("marketmaker", account="maker.account", order="o0"), [20, 100, 104]),
        (Request("marketmaker", account="account", order="o0"), [20, 104]),
        (Request("trading", account="foreign", order="o3"), [20, 104]),
        (Request("trading", account="unknown_account", order="o0"), [20, 100, 104]),
        (Request("operator", "other_oms", "account", order="o0"), [20, 100, 104]),
    ],
)
def test_who_may_not_is_refused_and_changes_nothing(request_: Request, codes: list[int]) -> None:
    found = predict_cancel_one(ONE, TRADERS, request_, ORDERS, STANDING)
    assert found is not None
    assert allowed(found) == [(codes, ())]


def test_an_operator_without_an_account_is_never_tried() -> None:
    assert predict_cancel_one(ONE, TRADERS, Request("operator", order="o0"), ORDERS, STANDING) is None
