"""Order numbers that a client gave, and order ids, are two pools: an id of one kind permits nothing of the other."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scope_support import (
    ACCOUNT,
    BID,
    FOREIGN_ACCOUNT,
    FOREIGN_ORDER,
    GRANTED,
    LIMITED,
    OMS,
    ORDER,
    OTHER_ACCOUNT,
    SCOPED_ORDER,
    UNKNOWN,
    catalogue,
    frame,
    judged,
    post,
    quote,
    tpp,
    with_headers,
)
from scope_support import instruction as tpp_instruction

from conformance.contract.load import load_contract
from conformance.guard.guard import Granted, Guard, Scope

RUN = settings(
    max_examples=150, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
CLIENT = 1_777_000_001
"""A number under which the run placed an order; an order of a stranger may have it as its id."""
OWN = replace(GRANTED, clients=frozenset({CLIENT}))
CO = "/AP/CancelOrder"
HERE = {"OMSId": OMS, "AccountId": ACCOUNT}


def cancel(**members: object) -> bool:
    """Whether CancelOrder with these members may be sent, over both transports alike."""
    body = json.dumps({**HERE, **members})
    over_http = judged(post(CO, body), LIMITED, OWN).allowed
    assert judged(frame("CancelOrder", body), LIMITED, OWN).allowed is over_http
    return over_http


@pytest.mark.parametrize(
    "members", [{"OrderId": ORDER}, {"ClientOrderId": CLIENT}, {"OrderId": ORDER, "ClientOrderId": CLIENT}]
)
def test_each_number_in_its_own_place_passes(members: dict[str, int]) -> None:
    assert cancel(**members)


def test_what_stands_where_a_client_s_number_is_named_is_refused_in_words() -> None:
    body = json.dumps({**HERE, "ClientOrderId": [CLIENT]})
    assert "stands where one order by its client's number is named" in judged(post(CO, body), LIMITED, OWN).reason


@pytest.mark.parametrize(
    ("account", "order", "permitted"),
    [
        (ACCOUNT, ORDER, True),
        (OTHER_ACCOUNT, ORDER, True),
        (ACCOUNT, FOREIGN_ORDER, False),
        (FOREIGN_ACCOUNT, ORDER, False),
        (0, ORDER, True),
    ],
)
def test_account_and_order_must_both_be_in_scope_whichever_belongs_to_which(
    account: int, order: int, permitted: bool
) -> None:
    """The document is silent on an order that is on another account of the caller's: either answer touches no more than these."""
    assert cancel(AccountId=account, OrderId=order) is permitted


@pytest.mark.parametrize(
    "members",
    [
        {"OrderId": CLIENT},
        {"OrderId": str(CLIENT)},
        {"ClientOrderId": ORDER},
        {"ClientOrderId": SCOPED_ORDER},
        {"ClientOrderId": BID},
        {"OrderId": CLIENT, "ClientOrderId": ORDER},
        {"OrderId": CLIENT, "ClientOrderId": CLIENT},
        {"OrderId": ORDER, "ClientOrderId": ORDER},
        {"OrderId": ORDER, "ClientOrderId": FOREIGN_ORDER},
        {"OrderId": ORDER, "clientorderid": SCOPED_ORDER},
        {"ClientOrderId": CLIENT, "orderid": CLIENT},
    ],
)
def test_a_number_in_the_place_of_the_other_kind_is_refused(members: dict[str, object]) -> None:
    assert not cancel(**members)


def test_a_client_number_permits_no_quote_and_no_order_of_another_service() -> None:
    assert not judged(quote(bidQuoteId=CLIENT), LIMITED, OWN).allowed
    assert not judged(tpp(tpp_instruction(CLIENT)), LIMITED, OWN).allowed


def test_a_number_that_is_vouched_unknown_may_stand_in_both_places() -> None:
    assert cancel(OrderId=UNKNOWN)
    assert cancel(ClientOrderId=UNKNOWN)


@pytest.mark.parametrize("header", ["OrderId", "ClientOrderId", "X-ClientOrderId"])
@pytest.mark.parametrize("number", [ORDER, CLIENT])
def test_a_header_counts_as_every_member_that_it_may_be_read_as(header: str, number: int) -> None:
    request = with_headers(post(CO, json.dumps({**HERE, "OrderId": ORDER})), (header, str(number)))
    assert judged(request, LIMITED, OWN).allowed is (header == "OrderId" and number == ORDER)


def test_where_all_orders_are_in_scope_so_are_the_numbers_of_their_clients() -> None:
    free = replace(LIMITED, orders=None)
    assert judged(post(CO, json.dumps({**HERE, "ClientOrderId": FOREIGN_ORDER})), free, OWN).allowed
    foreign = json.dumps({**HERE, "AccountId": FOREIGN_ACCOUNT, "ClientOrderId": FOREIGN_ORDER})
    assert not judged(post(CO, foreign), free, OWN).allowed


def test_the_reason_says_that_no_such_number_is_the_run_s_own() -> None:
    reason = judged(post(CO, json.dumps({**HERE, "ClientOrderId": 5})), LIMITED, OWN).reason
    assert reason == "ClientOrderId: 5 is no order number that this run has given as a client"


def test_a_run_grants_each_number_by_the_name_that_it_is_bound_under() -> None:
    one = Guard(catalogue(), LIMITED, set())
    one.grant({"mine": ORDER, "mine.client": CLIENT, "mine.1.client": CLIENT + 1})
    assert (one.orders, one.clients) == ({ORDER}, {CLIENT, CLIENT + 1})

    def allowed(**members: int) -> bool:
        return one(post(CO, json.dumps({**HERE, **members}))).allowed

    assert allowed(ClientOrderId=CLIENT)
    assert not allowed(OrderId=CLIENT)
    assert not allowed(ClientOrderId=ORDER)


def test_every_member_that_holds_a_client_s_number_is_declared_to_be_of_that_kind() -> None:
    """A field whose binding ends in `.client` is granted as such, so the scope key must look for it there."""
    for operation in load_contract().operations.values():
        assert operation.scope is not None
        bound = {name for name, one in operation.fields.items() if one.binding.endswith(".client")}
        declared = {name for name, one in operation.scope.members.items() if one.kind == "client"}
        assert bound == declared & operation.fields.keys()


@RUN
@given(
    st.integers(1, 2**31 - 1),
    st.integers(1, 2**31 - 1),
    st.lists(
        st.tuples(st.sampled_from(["OrderId", "ClientOrderId", "orderid", "CLIENTORDERID"]), st.booleans()), max_size=3
    ),
)
def test_no_reader_of_an_allowed_message_meets_a_number_of_the_other_kind(
    order: int, client: int, named: list[tuple[str, bool]]
) -> None:
    scope = Scope(frozenset({ACCOUNT}), frozenset({OMS}), destructive=True)
    granted = Granted(orders=frozenset({order}), clients=frozenset({client}))
    members = [f'"{name}":{order if as_order else client}' for name, as_order in named]
    body = "{" + ",".join([f'"OMSId":{OMS},"AccountId":{ACCOUNT}', *members]) + "}"
    strangers = any(
        (order if as_order else client) != (client if name.lower() == "clientorderid" else order)
        for name, as_order in named
    )
    for sent in (post(CO, body), frame("CancelOrder", body)):
        allowed = judged(sent, scope, granted).allowed
        assert not (allowed and strangers)
        assert allowed or strangers or len(named) != 1 or named[0][0] not in ("OrderId", "ClientOrderId")
