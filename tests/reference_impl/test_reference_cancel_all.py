"""CancelAllOrders from outside."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from reference_support import Server, fails, standard

pytestmark = pytest.mark.timeout(120)


def test_success_is_the_standard_object_with_nulls(server: Server) -> None:
    assert standard(0, None) == server.call("trader01", "CancelAllOrders", OMSId=1, AccountId=101)


def test_all_open_orders_of_the_account_go_and_no_others(server: Server) -> None:
    mine = {server.order("trader02"), server.order("trader02", InstrumentId=2)}
    other = server.order("trader02", 302)
    bystander = server.order("bystander02")
    assert mine <= server.open_ids("trader02", 102)

    server.call("trader02", "CancelAllOrders", OMSId=1, AccountId=102)

    assert set() == server.open_ids("trader02", 102)
    assert {other} == server.open_ids("trader02", 302)
    assert {bystander} == server.open_ids("bystander02", 502)


@pytest.mark.parametrize("members", [{"OMSId": 1}, {"OMSId": 1, "AccountId": 0}, {"OMSId": 1, "AccountId": None}])
def test_an_omitted_or_zero_account_is_the_default_one(server: Server, members: dict[str, int]) -> None:
    server.order("trader03")
    other = server.order("trader03", 303)
    assert standard(0, None) == server.call("trader03", "CancelAllOrders", **members)
    assert set() == server.open_ids("trader03", 103)
    assert other in server.open_ids("trader03", 303)


def test_quotes_of_the_account_stay(server: Server) -> None:
    legs = set(server.quote("bystander04"))
    server.order("bystander04")
    server.call("bystander04", "CancelAllOrders", OMSId=1, AccountId=504)
    assert legs == server.open_ids("bystander04", 504)


def test_an_operator_reaches_any_account_of_any_system(server: Server) -> None:
    server.order("operator", 701, OMSId=2)
    assert standard(0, None) == server.call("operator", "CancelAllOrders", OMSId=2, AccountId=701)
    assert set() == server.open_ids("operator", 701, oms=2)


def test_a_shared_account_is_cancelled_by_either_user(server: Server) -> None:
    server.order("shared_a")
    assert standard(0, None) == server.call("shared_b", "CancelAllOrders", OMSId=1, AccountId=800)
    assert set() == server.open_ids("shared_a", 800)


@pytest.mark.parametrize(
    ("user", "members", "code", "text"),
    [
        ("nobody", {"OMSId": 1}, 20, "Not Authorized"),
        ("maker05", {"OMSId": 1}, 20, "Not Authorized"),
        ("trader05", {"OMSId": 1, "AccountId": 505}, 20, "Not Authorized"),
        ("trader05", {"OMSId": 1, "AccountId": 999999}, 20, "Not Authorized"),
        ("trader05", {"AccountId": 105}, 100, "Invalid Request"),
        ("trader05", {"OMSId": "", "AccountId": 105}, 100, "Invalid Request"),
        ("trader05", {"OMSId": "one"}, 100, "Invalid Request"),
        ("trader05", {"OMSId": 1.5}, 100, "Invalid Request"),
        ("trader05", {"OMSId": True}, 100, "Invalid Request"),
        ("trader05", {"OMSId": [1]}, 100, "Invalid Request"),
        ("trader05", {"OMSId": 1, "AccountId": 2**63}, 100, "Invalid Request"),
        ("special", {"OMSId": 1, "AccountId": 901}, 101, "Operation Failed"),
        ("special", {"OMSId": 1, "AccountId": 902}, 102, "Server Error"),
        ("trader05", {"OMSId": 99}, 104, "Resource Not Found"),
        ("operator", {"OMSId": 1, "AccountId": 999999}, 104, "Resource Not Found"),
        ("operator", {"OMSId": 1, "AccountId": 701}, 104, "Resource Not Found"),
        ("special", {"OMSId": 3, "AccountId": 703}, 106, "Operation Not Supported"),
    ],
)
def test_each_error_has_its_code_and_text(
    server: Server, user: str, members: dict[str, object], code: int, text: str
) -> None:
    assert fails(server.call(user, "CancelAllOrders", **members), code, text)


@pytest.mark.parametrize(("account", "user"), [(901, "special"), (902, "special"), (506, "trader06")])
def test_a_refused_call_changes_nothing(server: Server, account: int, user: str) -> None:
    order = server.order("operator", account)
    assert not server.call(user, "CancelAllOrders", OMSId=1, AccountId=account)["result"]
    assert order in server.open_ids("operator", account)


@pytest.mark.parametrize(
    "body",
    [
        "{", "[]", "1", '"x"', b"\xff\xfe\xfd", "[" * 100_000, '{"OMSId":NaN}',
        '{"OMSId":1,"omsid":2}', '{"OMSId":1,"omsId":true}', '{"OMSId":' + "9" * 5000 + "}",
    ],
)  # fmt: skip
def test_what_is_no_readable_object_is_100(server: Server, body: str | bytes) -> None:
    reply = server.send("trader07", "CancelAllOrders", body)
    assert reply.status == 200
    assert fails(reply.json, 100, "Invalid Request")


@pytest.mark.parametrize("body", ["", "null", "{}"])
def test_a_missing_member_is_named_in_detail(server: Server, body: str) -> None:
    answer = server.send("trader07", "CancelAllOrders", body).json
    assert standard(100, "Invalid Request", "OMSId is Required") == answer


@pytest.mark.parametrize(
    "body",
    [
        '{"omsid":1,"ACCOUNTID":108}', '{"omsId":"1","AccountId":" 108 "}', '{"OMSId":1.0,"accountId":108}',
        b'\xef\xbb\xbf{"OMSId":1,"AccountId":108}', '{"OMSId":1,"omsId":1,"AccountId":108,"IntrumentId":"3"}',
        '{"OMSId":1,"AccountId":108}'.encode("utf-16"),
    ],
)  # fmt: skip
def test_any_key_case_and_integers_as_strings_are_taken(server: Server, body: str | bytes) -> None:
    server.order("trader08")
    assert standard(0, None) == server.send("trader08", "CancelAllOrders", body).json
    assert set() == server.open_ids("trader08", 108)


def test_parameters_may_stand_in_the_query(server: Server) -> None:
    server.order("trader09")
    reply = server.request(
        "POST", "/AP/CancelAllOrders?OMSId=1&AccountId=109", None, {"APToken": server.token("trader09")}
    )
    assert standard(0, None) == reply.json
    assert set() == server.open_ids("trader09", 109)


def test_one_order_is_cancelled_at_most_once_by_concurrent_calls(server: Server) -> None:
    server.token("trader10")
    for _ in range(3):
        order_id = server.order("trader10")
        with ThreadPoolExecutor(8) as pool:
            bodies = [json.dumps({"OMSId": 1, "OrderId": order_id})] * 8
            answers = list(pool.map(lambda body: server.send("trader10", "CancelOrder", body).json, bodies))
        assert sum(answer["result"] for answer in answers) == 1
