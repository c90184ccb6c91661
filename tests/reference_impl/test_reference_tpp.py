"""POST api/orders/cancellations from outside: instructions, JSON, the control hook."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from reference_support import CANCELLATIONS, Server

pytestmark = pytest.mark.timeout(120)

RESULTS_NS = "http://schemas.datacontract.org/2004/07/TPP.Contracts.Services.Order"
OTHER_UID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


def _result(order_id: int | None = None, uid: str | None = None, *errors: str) -> dict[str, Any]:
    return {
        "OrderID": order_id,
        "InternationalOrderUID": uid,
        "Success": not errors,
        "Errors": list(errors) or None,
    }


def _is_error_string(reply: Any) -> bool:
    return bool(reply.status == 400 and isinstance(reply.json, str) and reply.json)


def test_an_open_order_is_cancelled_and_no_other(server: Server) -> None:
    order, other = server.state("open-order", 2)
    reply = server.cancel_json({"OrderID": order["OrderID"]})
    assert (200, [_result(order["OrderID"])]) == (reply.status, reply.json)
    assert server.observe(order, other) == ["cancelled", "open"]


def test_an_open_international_order_is_cancelled(server: Server) -> None:
    (order,) = server.state("open-international-order")
    uid = order["InternationalOrderUID"]
    reply = server.cancel_json({**order, "IsInternationalOrder": True})
    assert [_result(None, uid)] == reply.json
    assert server.observe({"InternationalOrderUID": uid.upper()}) == ["cancelled"]


@pytest.mark.parametrize("state", ["cancelled-order", "cancelled-international-order", "executed-order"])
def test_an_order_that_is_not_open_is_not_active(server: Server, state: str) -> None:
    (order,) = server.state(state)
    before = server.observe(order)
    instruction = {**order, "IsInternationalOrder": order["OrderID"] is None}
    (result,) = server.cancel_json(instruction).json
    assert _result(order["OrderID"], order["InternationalOrderUID"], "Order is not active.") == result
    assert before == server.observe(order)


@pytest.mark.parametrize("pin", [None, "", "4321", "1234 "])
def test_a_protected_order_asks_for_the_pin(server: Server, pin: str | None) -> None:
    (order,) = server.state("pin-order")
    assert [_result(order["OrderID"], None, "PIN validation failed.")] == server.cancel_json({**order, "PIN": pin}).json
    assert server.observe(order) == ["open"]
    assert server.cancel_json(order).json[0]["Success"]


@pytest.mark.parametrize(
    ("instruction", "error"),
    [
        ({}, "OrderID is required."),
        ({"OrderID": None, "IsInternationalOrder": None}, "OrderID is required."),
        (
            {"CreatorID": 98765, "IsInternationalOrder": True},
            "InternationalOrderUID is required for an international order.",
        ),
        (
            {"InternationalOrderUID": OTHER_UID, "IsInternationalOrder": True},
            "CreatorID is required for an international order.",
        ),
        ({"InternationalOrderUID": OTHER_UID, "IsInternationalOrder": True, "CreatorID": 98765}, "Order not found."),
        ({"OrderID": 5}, "Order not found."),
        ({"OrderID": -(2**31)}, "Order not found."),
        ({"OrderID": 5, "CreatorID": 1}, "Creator is not known."),
        ({"OrderID": "5"}, "OrderID is not valid."),
        ({"OrderID": 5.5}, "OrderID is not valid."),
        ({"OrderID": True}, "OrderID is not valid."),
        ({"OrderID": 2**31}, "OrderID is not valid."),
        ({"OrderID": 5, "CreatorID": []}, "CreatorID is not valid."),
        ({"OrderID": 5, "PIN": 1234}, "PIN is not valid."),
        ({"OrderID": 5, "IsInternationalOrder": "true"}, "IsInternationalOrder is not valid."),
        ({"OrderID": 5, "InternationalOrderUID": "5"}, "InternationalOrderUID is not valid."),
        ({"OrderID": 5, "InternationalOrderUID": 5}, "InternationalOrderUID is not valid."),
    ],
)
def test_an_instruction_that_cannot_be_done_fails_alone(
    server: Server, instruction: dict[str, Any], error: str
) -> None:
    (order,) = server.state("open-order")
    first, second = server.cancel_json(instruction, order).json
    assert (False, [error]) == (first["Success"], first["Errors"])
    assert second["Success"]


def test_the_same_order_twice_in_a_list_succeeds_once(server: Server) -> None:
    (order,) = server.state("open-order")
    results = server.cancel_json(order, order).json
    assert [result["Errors"] for result in results] == [None, ["Order is not active."]]


def test_concurrent_lists_cancel_one_order_once(server: Server) -> None:
    for order in server.state("open-order", 3):
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _, o=order: server.cancel_json(o), range(8)))
        assert sum(reply.json[0]["Success"] for reply in replies) == 1


def test_five_thousand_instructions_are_answered_one_by_one(server: Server) -> None:
    orders = server.state("open-order", 5000)
    results = server.cancel_json(*orders).json
    assert [order["OrderID"] for order in orders] == [result["OrderID"] for result in results]
    assert all(result["Success"] for result in results)


def test_member_names_are_taken_in_any_case(server: Server) -> None:
    (order,) = server.state("open-order")
    assert server.cancel_json({"orderid": float(order["OrderID"]), "Unknown": [1]}).json[0]["Success"]


@pytest.mark.parametrize("body", ["", " \n", "[]", "null"])
def test_an_empty_list_has_an_empty_result(server: Server, body: str) -> None:
    reply = server.request("POST", CANCELLATIONS, body, {"Content-Type": "application/json"})
    assert (reply.status, reply.text) == (200, "[]")


def test_an_empty_body_needs_no_content_type(server: Server) -> None:
    reply = server.request("POST", CANCELLATIONS, None, {"Accept": "text/xml"})
    assert (
        200,
        f'<ArrayOfCancellationCreationResult xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="{RESULTS_NS}" />',
    ) == (reply.status, reply.text)


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[{},]",
        "{}",
        '"x"',
        "5",
        "[1]",
        "[null]",
        "[[]]",
        '[{"OrderID":NaN}]',
        "[" * 99999,
        b"\xff\xfe\x00",
        b"[\x80]",
    ],
)
def test_json_that_is_no_list_is_refused_with_a_string(server: Server, body: str | bytes) -> None:
    assert _is_error_string(server.request("POST", CANCELLATIONS, body, {"Content-Type": "text/json"}))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_world/tpp/state", '{"state":"half-open"}'),
        ("/_world/tpp/state", '{"state":"open-order","count":0}'),
        ("/_world/tpp/observe", "{}"),
        ("/_world/tpp/observe", "[]"),
        ("/_world/tpp/observe", "{"),
    ],
)
def test_a_control_request_that_makes_no_sense_is_400(server: Server, path: str, body: str) -> None:
    reply = server.request("POST", path, body)
    assert reply.status == 400
    assert reply.json["error"]


def test_control_names_what_there_is(server: Server) -> None:
    reply = server.request("GET", "/_world/nothing")
    assert reply.status == 404
    assert "/_world/tpp/state" in reply.json["error"]


def test_an_order_nobody_knows_is_observed_as_unknown(server: Server) -> None:
    body = json.dumps({"orders": [{"OrderID": 1}, {"InternationalOrderUID": "x"}]})
    orders = server.request("POST", "/_world/tpp/observe", body).json["orders"]
    assert [order["state"] for order in orders] == ["unknown", "unknown"]
