"""The AlphaPoint JSON Schemas accept what the pages show and attribute each violation to one requirement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Violations = Callable[..., list[str]]

CAO_REQUEST = "alphapoint/cancel_all_orders/request.schema.json"
CAO_RESPONSE = "alphapoint/cancel_all_orders/response.schema.json"
CQ_REQUEST = "alphapoint/cancel_quote/request.schema.json"
CQ_RESPONSE = "alphapoint/cancel_quote/response.schema.json"

SAMPLE = {"result": True, "errormsg": "", "errorcode": 0, "detail": ""}
OK = {"result": True, "errormsg": None, "errorcode": 0, "detail": None}
QUOTE = {"omsId": 0, "accountId": 0, "instrumentId": 0, "bidQuoteId": 0, "askQuoteId": 0}
TEXTS = {
    20: "Not Authorized",
    100: "Invalid Request",
    101: "Operation Failed",
    102: "Server Error",
    104: "Resource Not Found",
    106: "Operation Not Supported",
}


def refusal(code: Any, text: Any) -> dict[str, Any]:
    return {"result": False, "errormsg": text, "errorcode": code, "detail": None}


def without(value: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name != key}


STANDARD_VALID = {
    "sample": SAMPLE,
    "nulls": OK,
    "no-detail": without(OK, "detail"),
    "extra-member": OK | {"trace": 1},
    "integral-float-code": OK | {"errorcode": 0.0},
    "refusal-detail": refusal(104, TEXTS[104]) | {"detail": "Account"},
    **{f"code-{code}": refusal(code, text) for code, text in TEXTS.items()},
}
STANDARD_INVALID: dict[str, tuple[Any, list[str]]] = {
    "result-missing": (without(OK, "result"), ["RESP-RESULT"]),
    "result-text": (OK | {"result": "true"}, ["RESP-RESULT"]),
    "result-number": (OK | {"result": 1}, ["RESP-RESULT"]),
    "result-null": (OK | {"result": None}, ["RESP-RESULT"]),
    "errormsg-missing": (without(OK, "errormsg"), ["RESP-ERRORMSG"]),
    "errormsg-missing-on-refusal": (without(refusal(20, ""), "errormsg"), ["RESP-ERRORMSG"]),
    "errormsg-number": (OK | {"errormsg": 0}, ["RESP-ERRORMSG"]),
    "errormsg-object-on-refusal": (refusal(20, {}), ["RESP-ERRORMSG"]),
    "errormsg-text-on-success": (OK | {"errormsg": "Success"}, ["RESP-ERRORMSG-SUCCESS"]),
    "errormsg-null-word-on-success": (OK | {"errormsg": "null"}, ["RESP-ERRORMSG-SUCCESS"]),
    "errorcode-missing": (without(OK, "errorcode"), ["RESP-ERRORCODE"]),
    "errorcode-text": (OK | {"errorcode": "0"}, ["RESP-ERRORCODE"]),
    "errorcode-boolean": (OK | {"errorcode": False}, ["RESP-ERRORCODE"]),
    "errorcode-fraction": (refusal(20.5, TEXTS[20]), ["RESP-ERRORCODE"]),
    "errorcode-null": (OK | {"errorcode": None}, ["RESP-ERRORCODE"]),
    "errorcode-unlisted": (refusal(107, "Operation In Process"), ["RESP-ERRORCODE-LISTED"]),
    "errorcode-negative": (refusal(-1, "Invalid Request"), ["RESP-ERRORCODE-LISTED"]),
    "detail-number": (OK | {"detail": 5}, ["RESP-DETAIL"]),
    "success-with-code": (refusal(20, TEXTS[20]) | {"result": True}, ["AGREE"]),
    "failure-with-zero": (OK | {"result": False}, ["AGREE"]),
    "several": (
        {"result": 1, "errormsg": 2, "errorcode": "x"},
        ["RESP-ERRORCODE", "RESP-ERRORMSG", "RESP-RESULT"],
    ),
    **{f"code-{code}-empty": (refusal(code, ""), [f"CODE-{code}"]) for code in TEXTS},
    **{f"code-{code}-null": (refusal(code, None), [f"CODE-{code}"]) for code in TEXTS},
    **{f"code-{code}-lower": (refusal(code, text.lower()), [f"CODE-{code}"]) for code, text in TEXTS.items()},
    **{f"code-{code}-other": (refusal(code, TEXTS[106 if code == 20 else 20]), [f"CODE-{code}"]) for code in TEXTS},
}
SHAPES: dict[str, Any] = {"list": [], "null": None, "text": "{}", "number": 0, "boolean": True}


@pytest.mark.parametrize("name", sorted(STANDARD_VALID))
def test_cancel_all_orders_accepts_documented_answers(violations: Violations, name: str) -> None:
    assert violations(CAO_RESPONSE, STANDARD_VALID[name]) == []


@pytest.mark.parametrize("name", sorted(STANDARD_INVALID))
def test_cancel_all_orders_attributes_each_violation(violations: Violations, name: str) -> None:
    value, expected = STANDARD_INVALID[name]
    assert violations(CAO_RESPONSE, value) == [f"CAO-{suffix}" for suffix in expected]


def test_cancel_all_orders_accepts_both_texts_of_code_100(violations: Violations) -> None:
    assert violations(CAO_RESPONSE, refusal(100, "Invalid Response")) == []


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_cancel_all_orders_answer_is_an_object(violations: Violations, name: str) -> None:
    assert violations(CAO_RESPONSE, SHAPES[name]) == ["CAO-RESP-STANDARD"]


@pytest.mark.parametrize("side", ["BidResult", "AskResult"])
@pytest.mark.parametrize("name", sorted(STANDARD_VALID))
def test_cancel_quote_accepts_documented_answers_in_each_leg(violations: Violations, side: str, name: str) -> None:
    pair = {"BidResult": OK, "AskResult": OK} | {side: STANDARD_VALID[name]}
    assert violations(CQ_RESPONSE, pair) == []


@pytest.mark.parametrize("side", ["BidResult", "AskResult"])
@pytest.mark.parametrize("name", sorted(STANDARD_INVALID))
def test_cancel_quote_attributes_each_violation_of_a_leg(violations: Violations, side: str, name: str) -> None:
    value, expected = STANDARD_INVALID[name]
    pair = {"BidResult": OK, "AskResult": OK} | {side: value}
    assert violations(CQ_RESPONSE, pair) == [f"CQ-{suffix}" for suffix in expected]


def test_cancel_quote_refuses_the_other_text_of_code_100(violations: Violations) -> None:
    pair = {"BidResult": refusal(100, "Invalid Response"), "AskResult": OK}
    assert violations(CQ_RESPONSE, pair) == ["CQ-CODE-100"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"AskResult": OK}, ["CQ-RESP-BID"]),
        ({"BidResult": OK}, ["CQ-RESP-ASK"]),
        ({}, ["CQ-RESP-ASK", "CQ-RESP-BID"]),
        ({"BidResult": None, "AskResult": OK}, ["CQ-RESP-BID"]),
        ({"BidResult": OK, "AskResult": "not parsed"}, ["CQ-RESP-ASK"]),
        ({"BidResult": OK, "AskResult": [OK]}, ["CQ-RESP-ASK"]),
        ([OK, OK], ["CQ-RESP-PAIR"]),
        (None, ["CQ-RESP-PAIR"]),
        (OK, ["CQ-RESP-ASK", "CQ-RESP-BID"]),
    ],
)
def test_cancel_quote_answer_is_a_pair_of_objects(violations: Violations, value: Any, expected: list[str]) -> None:
    assert violations(CQ_RESPONSE, value) == expected


@pytest.mark.parametrize(
    ("entry", "value", "expected"),
    [
        ("#/$defs/flat", refusal(20, TEXTS[20]), []),
        ("#/$defs/flat", OK, ["CQ-RESP-PAIR"]),
        ("#/$defs/flat", refusal(20, ""), ["CQ-CODE-20"]),
        ("#/$defs/flat", {"result": False, "errorcode": 20}, ["CQ-RESP-ERRORMSG"]),
        ("#/$defs/flat", [], ["CQ-EARLY-ERROR"]),
        ("#/$defs/leg", SAMPLE, []),
        ("#/$defs/leg", "{}", ["CQ-RESP-STANDARD"]),
        ("#/$defs/leg", refusal(104, ""), ["CQ-CODE-104"]),
    ],
)
def test_cancel_quote_parts_can_be_entered_alone(
    violations: Violations, entry: str, value: Any, expected: list[str]
) -> None:
    assert violations(CQ_RESPONSE, value, entry) == expected


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (CAO_REQUEST, {"AccountId": 0, "OMSId": 0}),
        (CAO_REQUEST, {"OMSId": 1}),
        (CAO_REQUEST, {"OMSId": 1, "InstrumentId": 3}),
        (CAO_REQUEST, {"OMSId": 1, "AccountId": 2**63 - 1}),
        (CQ_REQUEST, QUOTE),
        (CQ_REQUEST, {"omsId": 1, "bidQuoteId": 2, "askQuoteId": 3}),
        (CQ_REQUEST, QUOTE | {"instrumentId": 2**63 - 1}),
        (CQ_REQUEST, QUOTE | {"comment": "x"}),
    ],
)
def test_documented_requests_are_valid(violations: Violations, path: str, value: Any) -> None:
    assert violations(path, value) == []


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (CAO_REQUEST, {"AccountId": 1}, ["CAO-REQ-OMSID-REQUIRED"]),
        (CAO_REQUEST, {"OMSId": "1"}, ["CAO-REQ-OMSID-TYPE"]),
        (CAO_REQUEST, {"OMSId": True}, ["CAO-REQ-OMSID-TYPE"]),
        (CAO_REQUEST, {"OMSId": 2**63}, ["CAO-REQ-OMSID-TYPE"]),
        (CAO_REQUEST, {"OMSId": 1, "AccountId": None}, ["CAO-REQ-ACCOUNTID-TYPE"]),
        (CAO_REQUEST, {"OMSId": 1, "AccountId": 1.5}, ["CAO-REQ-ACCOUNTID-TYPE"]),
        (CAO_REQUEST, [], ["CAO-REQ-FORM"]),
        (CQ_REQUEST, [], ["CQ-REQ-FORM"]),
        (
            CQ_REQUEST,
            {},
            ["CQ-REQ-ASKQUOTEID-REQUIRED", "CQ-REQ-BIDQUOTEID-REQUIRED", "CQ-REQ-OMSID-REQUIRED"],
        ),
    ],
)
def test_broken_requests_are_attributed(violations: Violations, path: str, value: Any, expected: list[str]) -> None:
    assert violations(path, value) == expected


@pytest.mark.parametrize("bad", ["1", None, 1.5, True, [1], {}, -(2**63) - 1])
@pytest.mark.parametrize("key", sorted(QUOTE))
def test_each_member_of_a_cancel_quote_request_is_an_integer(violations: Violations, key: str, bad: Any) -> None:
    assert violations(CQ_REQUEST, QUOTE | {key: bad}) == [f"CQ-REQ-{key.upper()}-TYPE"]


@pytest.mark.parametrize("key", ["omsId", "bidQuoteId", "askQuoteId"])
def test_each_required_member_of_a_cancel_quote_request_is_missed(violations: Violations, key: str) -> None:
    request = dict(QUOTE)
    del request[key]
    assert violations(CQ_REQUEST, request) == [f"CQ-REQ-{key.upper()}-REQUIRED"]
