"""The models: which answers are right, and how things stand afterwards."""

from __future__ import annotations

import pytest

from conformance.cases.generated.account_model import OrderOrQuote, Request, predict_cancel_all, predict_cancel_quote
from conformance.cases.generated.lists import Judged, predict_list
from conformance.cases.generated.rules import CANCELLED, EXECUTED, OPEN, Predicted, rules_of
from conformance.contract.load import load_contract

CONTRACT = load_contract()
LIST = rules_of(CONTRACT.operations["tpp.create_cancellations"])
ALL = rules_of(CONTRACT.operations["alphapoint.cancel_all_orders"])
QUOTE = rules_of(CONTRACT.operations["alphapoint.cancel_quote"])


def listed(standing: dict[str, str], *judged: Judged) -> Predicted:
    """What is predicted of a list."""
    found = predict_list(LIST, "FALLBACK", "EFFECT", standing, judged)
    assert found is not None
    return found


def answers(found: Predicted) -> list[object]:
    """The right answers alone."""
    return [one.wanted.get("results", one.wanted.get("form", one.wanted.get("code"))) for one in found.expect.any_of]


def test_an_open_order_is_cancelled() -> None:
    found = listed({"o": OPEN}, Judged("whole", "o"))
    assert answers(found) == [[True]]
    assert found.expect.any_of[0].cancelled == ("o",)
    assert found.after == {"o": CANCELLED}


@pytest.mark.parametrize("state", [CANCELLED, EXECUTED])
def test_an_order_that_is_not_active_fails(state: str) -> None:
    found = listed({"o": state}, Judged("whole", "o"))
    assert answers(found) == [[False], "refused"]
    assert found.expect.requirement == "TPP-RESP-NOT-ACTIVE"
    assert found.after == {"o": state}


def test_an_unknown_order_fails_and_spoils_no_other() -> None:
    assert answers(listed({"o": OPEN}, Judged("whole", "o"), Judged("whole"))) == [[True, False]]


def test_a_wrong_secret_leaves_the_order_open() -> None:
    found = listed({"o": OPEN}, Judged("refused", "o"))
    assert found.after == {"o": OPEN}
    assert found.expect.requirement == "TPP-REQ-PIN-USE"


def test_an_order_named_twice_is_cancelled_once_whichever_it_is() -> None:
    found = listed({"o": OPEN}, Judged("whole", "o"), Judged("whole", "o"))
    assert answers(found) == [[True, False], [False, True], [False, False], "refused"]
    assert found.expect.requirement == "TPP-TWICE"
    assert found.after is None


def test_an_order_named_twice_may_succeed_at_either_place_whichever_has_the_right_secret() -> None:
    found = listed({"o": OPEN}, Judged("refused", "o"), Judged("whole", "o"))
    assert answers(found) == [[True, False], [False, True], [False, False], "refused"]


def test_an_order_named_twice_with_wrong_secrets_never_succeeds() -> None:
    assert answers(listed({"o": OPEN}, Judged("refused", "o"), Judged("refused", "o"))) == [[False, False], "refused"]


def test_a_broken_instruction_fails_alone_or_refuses_the_list() -> None:
    found = listed({"o": OPEN}, Judged("whole", "o"), Judged("broken", "", "TPP-REQ-UID-REQUIRED"))
    assert answers(found) == [[True, False], "refused"]
    assert found.expect.requirement == "TPP-REQ-UID-REQUIRED"
    assert [one.untouched for one in found.expect.any_of] == [(), ("o",)]


def test_an_unusable_value_may_lose_results_but_never_succeeds() -> None:
    assert answers(listed({}, Judged("unusable", "", "TPP-REQ-UID-TYPE"))) == ["none", "refused"]


def test_too_many_right_answers_are_no_expectation() -> None:
    names = [f"o{number}" for number in range(4)]
    judged = [Judged("whole", name) for name in names for _ in range(2)]
    assert predict_list(LIST, "F", "E", dict.fromkeys(names, OPEN), judged) is None


ORDERS = (
    OrderOrQuote("o0", quote=False, account="account", instrument="instrument"),
    OrderOrQuote("o1", quote=False, account="account2", instrument="instrument"),
)
STANDING = {"o0": OPEN, "o1": OPEN}
TRADERS = ("operator", "trading")
MAKERS = ("operator", "marketmaker")


def cancel_all(
    request: Request, things: tuple[OrderOrQuote, ...] = ORDERS, standing: dict[str, str] | None = None
) -> Predicted:
    """What is predicted of CancelAllOrders."""
    found = predict_cancel_all(ALL, TRADERS, request, things, STANDING if standing is None else standing)
    assert found is not None
    return found


def test_cancel_all_empties_the_account_that_is_named() -> None:
    found = cancel_all(Request("trading", account="account"))
    assert answers(found) == [[0]]
    assert (found.expect.any_of[0].cancelled, found.expect.any_of[0].untouched) == (("o0",), ("o1",))


def test_an_account_without_orders_may_be_answered_in_two_ways() -> None:
    assert answers(cancel_all(Request("trading", account="account"), (), {})) == [[0], [101, 104]]


def test_no_account_means_the_default_one_or_all_or_is_refused() -> None:
    found = cancel_all(Request("trading"))
    assert [one.cancelled for one in found.expect.any_of] == [("o0",), ("o0", "o1"), ()]
    assert found.after is None


def test_an_operator_without_an_account_is_never_tried() -> None:
    assert predict_cancel_all(ALL, TRADERS, Request("operator"), ORDERS, STANDING) is None


@pytest.mark.parametrize(
    ("request_", "codes"),
    [
        (Request("trading", account="foreign"), [20, 104]),
        (Request("marketmaker", account="maker.account"), [20]),
        (Request("marketmaker", account="account"), [20, 104]),
        (Request("trading", account="unknown_account"), [20, 100, 104]),
        (Request("operator", "unknown_oms", "account"), [20, 100, 104]),
    ],
)
def test_who_may_not_is_refused_and_changes_nothing(request_: Request, codes: list[int]) -> None:
    found = cancel_all(request_)
    assert answers(found) == [codes]
    assert found.after == STANDING


def test_quotes_of_the_account_may_go_or_stay() -> None:
    quote = OrderOrQuote("q0", quote=True, account="maker.account", instrument="instrument")
    order = OrderOrQuote("o0", quote=False, account="maker.account", instrument="instrument")
    standing = {"o0": OPEN, "q0.bid": OPEN, "q0.ask": OPEN}
    found = cancel_all(Request("operator", account="maker.account"), (quote, order), standing)
    assert [one.cancelled for one in found.expect.any_of] == [("o0",), ("o0", "q0.bid", "q0.ask")]


QUOTES = (
    OrderOrQuote("q0", quote=True, account="maker.account", instrument="instrument"),
    OrderOrQuote("q1", quote=True, account="maker.account", instrument="instrument2"),
    OrderOrQuote("q2", quote=True, account="foreign", instrument="instrument"),
)
OPEN_QUOTES = {name: OPEN for quote in QUOTES for name in quote.watched}


def cancel_quote(request: Request, standing: dict[str, str] | None = None) -> Predicted | None:
    """What is predicted of CancelQuote."""
    return predict_cancel_quote(QUOTE, MAKERS, request, QUOTES, standing or OPEN_QUOTES)


def right(bid: str, ask: str, **more: str) -> Request:
    """A market maker's request for these legs."""
    return Request("marketmaker", bid=bid, ask=ask, **{"account": "maker.account", "instrument": "instrument", **more})


def test_both_legs_of_a_quote_go() -> None:
    found = cancel_quote(right("q0.bid", "q0.ask"))
    assert found is not None
    assert answers(found) == [[0]]
    assert found.expect.any_of[0].cancelled == ("q0.bid", "q0.ask")


def test_a_right_leg_goes_alone_or_with_neither_and_the_wrong_one_never_succeeds() -> None:
    found = cancel_quote(right("unknown_order", "q0.ask"))
    assert found is not None
    both, alone, flat = found.expect.any_of
    assert both.wanted == {"bid": [100, 104], "ask": [100, 104]}
    assert alone.wanted == {"bid": [100, 104], "ask": [0]}
    assert alone.cancelled == ("q0.ask",)
    assert flat.wanted["form"] == "flat"


@pytest.mark.parametrize(
    ("legs", "requirement", "codes"),
    [
        (
            ("", "q0.ask"),
            "CQ-REQ-BIDQUOTEID-REQUIRED",
            [{"ask": [100, 104], "bid": [100, 104]}, {"ask": [0], "bid": [100, 104]}],
        ),
        (
            ("q0.bid", ""),
            "CQ-REQ-ASKQUOTEID-REQUIRED",
            [{"ask": [100, 104], "bid": [100, 104]}, {"ask": [100, 104], "bid": [0]}],
        ),
    ],
)
def test_a_leg_that_is_left_out_is_refused_and_its_partner_goes_alone_or_stays(
    legs: tuple[str, str], requirement: str, codes: list[dict[str, list[int]]]
) -> None:
    found = cancel_quote(right(*legs))
    assert found is not None
    assert found.expect.requirement == requirement
    assert [one.wanted for one in found.expect.any_of[:2]] == codes


def test_who_may_not_and_leaves_a_leg_out_gets_either_code() -> None:
    found = predict_cancel_quote(
        QUOTE, MAKERS, Request("trading", account="account", bid="q0.bid"), QUOTES, OPEN_QUOTES
    )
    assert found is not None
    assert answers(found) == [[20], [100]]


def test_swapped_legs_are_refused() -> None:
    found = cancel_quote(right("q0.ask", "q0.bid"))
    assert found is not None
    assert all(0 not in codes for one in found.expect.any_of for codes in one.wanted.values())


def test_a_quote_that_is_gone_may_be_received() -> None:
    gone = {**OPEN_QUOTES, "q0.bid": CANCELLED, "q0.ask": CANCELLED}
    found = cancel_quote(right("q0.bid", "q0.ask"), gone)
    assert found is not None
    assert found.expect.any_of[1].wanted == {"bid": [0, 100, 104], "ask": [0, 100, 104]}
    assert found.after == gone


def test_legs_of_two_open_quotes_are_not_tried_without_an_instrument() -> None:
    assert cancel_quote(right("q0.bid", "q1.ask", instrument="")) is None


def test_the_quote_of_somebody_else_stays() -> None:
    found = cancel_quote(right("q2.bid", "q2.ask"))
    assert found is not None
    assert all(not one.cancelled for one in found.expect.any_of)
    assert found.expect.any_of[0].wanted == {"code": [20, 100, 104]}
