"""Orders of which a part was executed: made at the control address, listed with what is left, and cancelled like any other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from reference_support import Server, running

from reference_impl.alphapoint.book import Book


def told(server: Server, action: str, **body: Any) -> Any:
    return server.request("POST", f"/_world/alphapoint/{action}", json.dumps(body)).json


def test_what_is_left_is_listed_and_can_be_cancelled() -> None:
    with running() as server:
        (made,) = told(server, "state", state="partly-executed-order", account=101, instrument=2)["orders"]
        listed = json.loads(server.send("trader01", "GetOpenOrders", '{"OMSId":1,"AccountId":101}').body)
        (entry,) = (one for one in listed if one["OrderId"] == made["id"])
        assert (entry["OrderState"], entry["Instrument"]) == ("Working", 2)
        assert (entry["Quantity"], entry["OrigQuantity"], entry["QuantityExecuted"], entry["AvgPrice"]) == (2, 3, 1, 1)
        assert told(server, "observe", orders=[made]) == {"orders": [{**made, "state": "open"}]}
        body = json.dumps({"OMSId": 1, "AccountId": 101, "OrderId": made["id"]})
        assert server.send("trader01", "CancelOrder", body).json["result"] is True
        assert told(server, "observe", orders=[made, {"id": 1}]) == {
            "orders": [{**made, "state": "cancelled"}, {"id": 1, "state": "unknown"}]
        }


@pytest.mark.parametrize(
    ("state", "word"), [("open-order", "open"), ("executed-order", "executed"), ("cancelled-order", "cancelled")]
)
def test_other_states_are_made_there_as_well_and_taken_back(state: str, word: str) -> None:
    with running() as server:
        made = told(server, "state", state=state, account=101, count=2)["orders"]
        assert [one["state"] for one in told(server, "observe", orders=made)["orders"]] == [word] * 2
        after = [one["state"] for one in told(server, "clean", orders=made)["orders"]]
        assert after == (["cancelled"] * 2 if word == "open" else [word] * 2)


@pytest.mark.parametrize(
    "body",
    [
        {"state": "half-open", "account": 101},
        {"state": "open-order"},
        {"state": "open-order", "account": 99_999},
        {"state": "open-order", "account": 101, "count": 0},
    ],
)
def test_question_that_is_not_understood_is_refused(body: dict[str, Any]) -> None:
    with running() as server:
        assert "error" in told(server, "state", **body)


def test_no_more_is_executed_than_is_left() -> None:
    book = Book()
    number = book.place(1, 101, 1, "Buy", 3, 5).order_id
    book.fill_part(number, 1)
    assert book.fill_part(number, 1).left == 1
    for quantity in (1, 0, -1):
        with pytest.raises(ValueError, match="no working order"):
            book.fill_part(number, quantity)
    book.fill([number])
    order = book.find(number)
    assert order is not None
    assert (order.state, order.executed, order.left) == ("FullyExecuted", 3, 0)
    with pytest.raises(ValueError, match="no working order"):
        book.fill_part(number, 0.5)
