"""The TPP JSON Schemas accept what the page shows and attribute each violation to one requirement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Violations = Callable[..., list[str]]

REQUEST = "tpp/create_cancellations/request.schema.json"
RESPONSE = "tpp/create_cancellations/response.schema.json"
ERROR = "tpp/create_cancellations/error.schema.json"
UID = "6269c403-5b9f-47dd-b8c3-7ecbef8f686d"

LOCAL: dict[str, Any] = {
    "OrderID": 12345,
    "CreatorID": 98765,
    "PIN": "1234",
    "IsInternationalOrder": False,
    "InternationalOrderUID": None,
}
ABROAD: dict[str, Any] = {
    "OrderID": None,
    "CreatorID": 98765,
    "PIN": "1111",
    "IsInternationalOrder": True,
    "InternationalOrderUID": UID,
}
DONE: dict[str, Any] = {"OrderID": 1234, "InternationalOrderUID": None, "Success": True, "Errors": None}
DONE_ABROAD: dict[str, Any] = {"OrderID": None, "InternationalOrderUID": UID, "Success": True, "Errors": None}
FAILED: dict[str, Any] = {
    "OrderID": 2200,
    "InternationalOrderUID": None,
    "Success": False,
    "Errors": ["Order is not active."],
}


def without(value: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name not in keys}


@pytest.mark.parametrize(
    "value",
    [
        [LOCAL, ABROAD],
        [],
        [{"OrderID": 1}],
        [{"OrderID": 1, "IsInternationalOrder": False, "CreatorID": None, "PIN": None}],
        [without(ABROAD, "OrderID", "PIN")],
        [ABROAD | {"OrderID": 7}],
        [ABROAD | {"InternationalOrderUID": UID.upper()}],
        [LOCAL | {"OrderID": 2**31 - 1, "CreatorID": -(2**31)}],
        [LOCAL | {"Comment": "x"}],
    ],
)
def test_legal_instructions_are_valid(violations: Violations, value: Any) -> None:
    assert violations(REQUEST, value) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (LOCAL, "TPP-REQ-LIST"),
        (None, "TPP-REQ-LIST"),
        ([LOCAL, None], "TPP-REQ-LIST"),
        ([5], "TPP-REQ-LIST"),
        ([without(LOCAL, "OrderID")], "TPP-REQ-ORDERID-REQUIRED"),
        ([LOCAL | {"OrderID": None}], "TPP-REQ-ORDERID-REQUIRED"),
        ([{}], "TPP-REQ-ORDERID-REQUIRED"),
        ([without(ABROAD, "IsInternationalOrder")], "TPP-REQ-ORDERID-REQUIRED"),
        ([LOCAL | {"OrderID": "12345"}], "TPP-REQ-ORDERID-TYPE"),
        ([LOCAL | {"OrderID": 1.5}], "TPP-REQ-ORDERID-TYPE"),
        ([LOCAL | {"OrderID": True}], "TPP-REQ-ORDERID-TYPE"),
        ([LOCAL | {"OrderID": 2**31}], "TPP-REQ-WIDTH"),
        ([LOCAL | {"CreatorID": -(2**31) - 1}], "TPP-REQ-WIDTH"),
        ([LOCAL | {"CreatorID": "x"}], "TPP-REQ-CREATORID-TYPE"),
        ([without(ABROAD, "CreatorID")], "TPP-REQ-CREATORID-REQUIRED"),
        ([ABROAD | {"CreatorID": None}], "TPP-REQ-CREATORID-REQUIRED"),
        ([LOCAL | {"PIN": 1234}], "TPP-REQ-PIN-TYPE"),
        ([LOCAL | {"IsInternationalOrder": "false"}], "TPP-REQ-ISINTL-TYPE"),
        ([LOCAL | {"IsInternationalOrder": None}], "TPP-REQ-ISINTL-TYPE"),
        ([LOCAL | {"IsInternationalOrder": 0}], "TPP-REQ-ISINTL-TYPE"),
        ([without(ABROAD, "InternationalOrderUID")], "TPP-REQ-UID-REQUIRED"),
        ([ABROAD | {"InternationalOrderUID": None}], "TPP-REQ-UID-REQUIRED"),
        ([ABROAD | {"InternationalOrderUID": 5}], "TPP-REQ-UID-TYPE"),
        ([ABROAD | {"InternationalOrderUID": ""}], "TPP-REQ-UID-TYPE"),
        ([ABROAD | {"InternationalOrderUID": "{" + UID + "}"}], "TPP-REQ-UID-TYPE"),
        ([ABROAD | {"InternationalOrderUID": UID.replace("-", "")}], "TPP-REQ-UID-TYPE"),
        ([ABROAD | {"InternationalOrderUID": UID[:-1] + "g"}], "TPP-REQ-UID-TYPE"),
        ([ABROAD | {"InternationalOrderUID": UID[:-1] + "\u0661"}], "TPP-REQ-UID-TYPE"),
    ],
)
def test_each_broken_instruction_is_attributed(violations: Violations, value: Any, expected: str) -> None:
    assert violations(REQUEST, value) == [expected]


def test_a_guid_with_a_line_feed_behind_it_is_refused(violations: Violations) -> None:
    assert violations(REQUEST, [ABROAD | {"InternationalOrderUID": UID + "\n"}]) == ["TPP-REQ-UID-TYPE"]


@pytest.mark.parametrize(
    "value",
    [
        [DONE, DONE_ABROAD, FAILED],
        [],
        [without(DONE, "Errors", "InternationalOrderUID")],
        [DONE | {"Errors": []}],
        [FAILED | {"Errors": ["Order is not active.", "x"]}],
        [FAILED | {"OrderID": None}],
        [DONE_ABROAD | {"InternationalOrderUID": UID.upper()}],
        [DONE | {"Trace": 1}],
    ],
)
def test_legal_results_are_valid(violations: Violations, value: Any) -> None:
    assert violations(RESPONSE, value) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (DONE, "TPP-RESP-LIST"),
        (None, "TPP-RESP-LIST"),
        ([None], "TPP-RESP-LIST"),
        (["ok"], "TPP-RESP-LIST"),
        ([DONE | {"OrderID": "1234"}], "TPP-RESP-ORDERID"),
        ([DONE | {"OrderID": 1.5}], "TPP-RESP-ORDERID"),
        ([DONE | {"OrderID": 2**31}], "TPP-REQ-WIDTH"),
        ([DONE_ABROAD | {"InternationalOrderUID": "null"}], "TPP-RESP-UID"),
        ([DONE_ABROAD | {"InternationalOrderUID": UID.replace("-", "")}], "TPP-RESP-UID"),
        ([without(DONE, "Success")], "TPP-RESP-SUCCESS"),
        ([DONE | {"Success": None}], "TPP-RESP-SUCCESS"),
        ([DONE | {"Success": "true"}], "TPP-RESP-SUCCESS"),
        ([FAILED | {"Errors": "Order is not active."}], "TPP-RESP-ERRORS"),
        ([FAILED | {"Errors": ["x", 5]}], "TPP-RESP-ERRORS"),
        ([DONE | {"Errors": {}}], "TPP-RESP-ERRORS"),
        ([DONE | {"Errors": ["x"]}], "TPP-RESP-ERRORS-ON-FAILURE"),
        ([without(FAILED, "Errors")], "TPP-RESP-ERRORS-ON-FAILURE"),
        ([FAILED | {"Errors": []}], "TPP-RESP-ERRORS-ON-FAILURE"),
        ([FAILED | {"Errors": None}], "TPP-RESP-ERRORS-ON-FAILURE"),
        ([FAILED | {"Errors": ["x", None]}], "TPP-RESP-ERRORS"),
        ([FAILED | {"Errors": [""]}], "TPP-RESP-ERRORS-ON-FAILURE"),
    ],
)
def test_each_broken_result_is_attributed(violations: Violations, value: Any, expected: str) -> None:
    assert violations(RESPONSE, value) == [expected]


def test_an_error_is_a_string(violations: Violations) -> None:
    assert violations(ERROR, "sample string 1") == []


@pytest.mark.parametrize("value", ["", None, {"Message": "x"}, ["x"], 1])
def test_anything_else_is_no_error_string(violations: Violations, value: Any) -> None:
    assert violations(ERROR, value) == ["TPP-ERR-STRING"]
