"""No input excuses a page, a stack trace or a failing server; ordinary text that looks a little like one does not count."""

from __future__ import annotations

import pytest
from checks_support import CAO, CQ, TPP, broken, case, error, failed, faults_of, frame, http, judged, kit, success, ws

from conformance.checks.kit import page_or_trace, server_error, shorten
from conformance.model.case import Alternative

PAGES = (
    "<html><body>Bad</body></html>",
    "  \n<!DOCTYPE html>\n<html>",
    "<HTML>",
    "\ufeff<html lang='en'>",
    '<?xml version="1.0"?><!-- x --><!doctype html><html>',
)
TRACES = (
    'Traceback (most recent call last):\n  File "a.py", line 1',
    "NullReference\n   at Orders.Api.Cancel(Int32 id)\n   at Orders.Run()",
    "boom\r\n   at System.Linq.Enumerable.First[TSource](IEnumerable`1 source)",
    "failed at Api.Controllers.Orders.Post(Order[] orders) in C:\\src\\Orders.cs:line 42",
    "System.NullReferenceException: Object reference not set",
    "System.Data.SqlClient.SqlException: Timeout expired",
    "java.lang.NullPointerException",
    "java.util.NoSuchElementException: none",
    "TypeError: x\n    at Object.cancel (/app/orders.js:10:5)",
    "TypeError: x\n    at async handle (/app/orders.js:10:5)",
    "x\n\tat com.example.Orders.cancel(Orders.java:12)",
)
HARMLESS = (
    "OMSId is Required",
    "Unexpected token '<', \"<html><bod\"... is not valid JSON",
    "Order is not active at exchange (closed)",
    "the Exception: orders that are executed stay",
    "look at Orders.Cancel for help",
    "expected a value at line 3 (column 5)",
    "System.Orders is down",
    "",
)


@pytest.mark.parametrize("text", PAGES)
def test_a_page_is_found(text: str) -> None:
    (finding,) = page_or_trace(kit(CAO), text, "body")
    assert (finding.requirement, finding.message) == ("CAO-MALFORMED", "the answer is an HTML page")


@pytest.mark.parametrize("text", TRACES)
def test_a_stack_trace_is_found(text: str) -> None:
    (finding,) = page_or_trace(kit(TPP), text, "/0/Errors/0")
    assert (finding.requirement, finding.message, finding.at) == (
        "TPP-MALFORMED", "the answer shows a stack trace", "/0/Errors/0",
    )  # fmt: skip


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_text_is_neither(text: str) -> None:
    assert not list(page_or_trace(kit(CAO), text))


@pytest.mark.parametrize(
    ("status", "excused", "count"), [(499, False, 0), (500, False, 1), (503, False, 1), (500, True, 0)]
)
def test_a_failing_server_is_found_unless_its_code_excuses_it(status: int, excused: bool, count: int) -> None:
    assert len(list(server_error(kit(CQ), status, excused))) == count


def test_code_102_excuses_status_500() -> None:
    assert faults_of(CAO, http(error(102), 500)) == []
    assert faults_of(CAO, http(error(101), 500)) == ["CAO-MALFORMED"]


def test_a_page_with_status_500_is_one_finding() -> None:
    judgement = judged(case(CAO, Alternative({"code": [100]})), http(PAGES[0], 500, "text/html"))
    assert broken(judgement) == ["CAO-MALFORMED"]
    assert judgement.blocked == ("schema", "outcome", "effect")


def test_a_page_with_status_400_is_one_finding() -> None:
    judgement = judged(case(CAO, Alternative({"code": [100]})), http(PAGES[0], 400, "text/html"))
    assert broken(judgement) == ["CAO-MALFORMED"]


def test_a_page_is_a_finding_where_any_refusal_is_right() -> None:
    right = case(CAO, Alternative({"form": "http-refusal"}))
    assert broken(judged(right, http(PAGES[0], 405, "text/html"))) == ["CAO-MALFORMED"]
    assert broken(judged(right, http("Method Not Allowed", 405, "text/plain"))) == []


@pytest.mark.parametrize("detail", TRACES[:2])
def test_a_trace_in_a_member_is_found(detail: str) -> None:
    assert faults_of(CAO, http(error(100, detail=detail))) == ["CAO-MALFORMED"]
    assert faults_of(CQ, http({"BidResult": error(100, detail=detail), "AskResult": error(100)})) == ["CQ-MALFORMED"]
    assert faults_of(CQ, http(error(100, detail=detail))) == ["CQ-MALFORMED"]


def test_a_trace_in_an_error_frame_is_found() -> None:
    sent = frame({})
    assert faults_of(CAO, ws(frame(TRACES[0], m=5)), sent=sent) == ["CAO-MALFORMED"]
    assert faults_of(CAO, ws(frame("Endpoint Not Found", m=5)), sent=sent) == []


def test_a_trace_among_the_errors_of_a_result_is_found() -> None:
    assert faults_of(TPP, http([failed(Errors=[TRACES[0]])])) == ["TPP-MALFORMED"]
    assert faults_of(TPP, http([failed(Errors=[None, "Order is not active."])])) == ["TPP-RESP-ERRORS"]


def test_a_good_answer_has_no_finding() -> None:
    assert faults_of(CAO, http(success())) == []


def test_long_text_is_cut_and_put_on_one_line() -> None:
    assert shorten("a\n  b") == "a b"
    assert shorten("x" * 200, 10) == "x" * 10 + "… (200 characters)"
    assert shorten("x" * 10, 10) == "x" * 10
    assert shorten("x".ljust(4096)) == "x"
    assert shorten("x".ljust(4097)) == "x… (4097 characters)"
