"""CancelOrder of the reference implementation: one order by either id, by account, by permission, and its own codes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from reference_support import Server


def answer(server: Server, user: str, **members: Any) -> tuple[int, bool]:
    """Code and result of one call."""
    body = server.send(user, "CancelOrder", json.dumps({"OMSId": 1, **members})).json
    return body["errorcode"], body["result"]


def test_the_order_named_goes_and_its_neighbour_stays(server: Server) -> None:
    first, second = server.order("trader01"), server.order("trader01")
    assert answer(server, "trader01", OrderId=first) == (0, True)
    still_open = server.open_ids("trader01", 101)
    assert first not in still_open
    assert second in still_open


def test_an_order_that_is_cancelled_already_is_not_found(server: Server) -> None:
    order = server.order("trader02")
    assert [answer(server, "trader02", OrderId=order)[0] for _ in range(2)] == [0, 104]


def test_a_strangers_order_is_not_found_and_his_account_is_refused(server: Server) -> None:
    order = server.order("trader05")
    assert answer(server, "trader06", OrderId=order)[0] == 104
    assert answer(server, "trader06", OrderId=order, AccountId=105)[0] == 20
    assert order in server.open_ids("trader05", 105)


def test_an_operator_cancels_for_anybody(server: Server) -> None:
    order = server.order("trader07")
    assert answer(server, "operator", OrderId=order, AccountId=107) == (0, True)


@pytest.mark.parametrize("user", ["maker01", "nobody"])
def test_others_lack_the_permission(server: Server, user: str) -> None:
    assert answer(server, user, OrderId=1)[0] == 20


def test_an_oms_without_cancellation_refuses(server: Server) -> None:
    assert answer(server, "operator", OMSId=3, AccountId=703, OrderId=1)[0] == 106


@pytest.mark.parametrize(("account", "code"), [(904, 101), (905, 102)])
def test_the_first_attempt_fails_on_the_accounts_made_for_it(server: Server, account: int, code: int) -> None:
    order = server.order("operator", AccountId=account)
    codes = [answer(server, "operator", OrderId=order, AccountId=account)[0] for _ in range(2)]
    assert codes == [code, 0]
