"""Answers of a call that takes one instruction: one result, without a list around it, in JSON and in XML."""

from __future__ import annotations

from typing import Any

import pytest
from checks_support import (
    ERROR_NS,
    JSON,
    RESULTS_NS,
    XML,
    XSI,
    case,
    failed,
    faults_of,
    http,
    instruction,
    judged,
    kit,
    result,
    result_xml,
)

from conformance.checks.answer import RESULTS, Answer, Judgement
from conformance.checks.read import read_answer
from conformance.model.case import Alternative

TPP1 = "tpp.create_cancellation"
TRACE = "Traceback (most recent call last)"


def answered(body: Any, status: int = 200, media: str = JSON) -> Answer:
    return read_answer(kit(TPP1), http(body, status, media), b"", media)


def said(answer: Answer) -> list[tuple[str, str, str]]:
    unreadable = () if answer.unreadable is None else (answer.unreadable,)
    return [(one.check, one.requirement, one.at) for one in (*unreadable, *answer.findings)]


def xml(**parts: str) -> str:
    return result_xml(**parts).replace(
        "<CancellationCreationResult>", f'<CancellationCreationResult xmlns:i="{XSI}" xmlns="{RESULTS_NS}">'
    )


def held(answer: Any, wanted: bool, sent: Any = None, media: str = JSON) -> Judgement:
    one = case(TPP1, Alternative({"results": [wanted]}), media_type=media, accept=media)
    return judged(one, http(answer, media=media), sent=instruction() if sent is None else sent)


def test_one_result_is_read_in_both_formats() -> None:
    for answer in (answered(result()), answered(xml(), media=XML)):
        assert (answer.forms, said(answer), answer.lost) == (frozenset({RESULTS}), [], False)
        assert [one["OrderID"] for one in answer.results] == [1001]
        assert answer.summary == "HTTP 200 with one result (true)"
    assert answered(failed()).summary == "HTTP 200 with one result (false)"
    assert answered(result(Success=...)).summary == "HTTP 200 with one result (no Success)"


def test_one_result_is_held_against_the_instruction() -> None:
    assert held(result(), True).findings == ()
    assert held(failed(), False).findings == ()
    (found,) = held(failed(), True).findings
    assert (found.check, found.way) == ("outcome", "refused")
    (found,) = held(result(1002), True).findings
    assert (found.check, found.requirement, found.at) == ("identity", "TPP1-RESP-IDENTITY", "/OrderID")
    assert (found.expected, found.actual) == ("OrderID 1001", "OrderID 1002")


def test_what_two_formats_say_of_a_result_compares_alike() -> None:
    assert held(result(), True).gist == held(xml(), True, media=XML).gist == ("results", True)
    assert held(failed(), False).gist == ("results", "false with 1 error")
    assert held(failed(Errors=["a", "b"]), False).gist == ("results", "false with 2 errors")
    assert held(failed(Errors=None), False).gist == ("results", False)
    assert held(result(Success="yes"), True).gist == ("results", '"yes"')
    assert held(result(Success=...), True).gist == ("results", None)


def test_list_of_one_is_no_result() -> None:
    answer = answered([result()])
    assert (answer.forms, answer.lost, answer.results) == (frozenset(), False, ())
    assert said(answer) == [("schema", "TPP1-RESP-OBJECT", "")]
    assert answer.summary == "HTTP 200 with list instead of an object"


def test_stack_trace_in_the_errors_of_a_result_is_found_where_it_stands() -> None:
    answer = answered(failed(Errors=["x", TRACE]))
    assert said(answer) == [("bad-input", "TPP1-MALFORMED", "/Errors/1")]


@pytest.mark.parametrize(
    ("status", "found"), [(200, False), (201, False), (202, False), (207, False), (206, True), (404, False)]
)
def test_result_has_one_of_four_statuses(status: int, found: bool) -> None:
    answer = answered(failed(), status)
    told = [one for one in answer.findings if one.message == "a result under an unexpected status"]
    assert [(one.check, one.requirement, one.at) for one in told] == [("status", "TPP1-RESP-STATUS", "status")] * found


def test_result_with_a_member_of_the_framework_is_a_result() -> None:
    assert answered({**failed(), "Message": "no"}).forms == frozenset({RESULTS})
    assert answered({**failed(), "Message": "no"}, 400).forms >= frozenset({RESULTS})
    for body in ({"Message": "no"}, {"ModelState": {}}):
        assert said(answered(body, 400)) == [("error-string", "TPP1-ERR-STRING", "body")]
    assert answered({"message": "no"}, 400).summary == "HTTP 400 with the framework's error object"


def test_error_is_a_string_or_a_result() -> None:
    assert said(answered('"The order cannot be cancelled."', 400)) == []
    answer = answered({"Reason": "no"}, 400)
    assert said(answer) == [("error-string", "TPP1-ERR-JSON", "body")]
    assert answer.summary == "HTTP 400 with an error that is no string"
    text = f'<string xmlns="{ERROR_NS}">no</string>'
    assert said(answered(text, 400, XML)) == []


@pytest.mark.parametrize(
    ("parts", "faults"),
    [
        ({"order": "<OrderID></OrderID>"}, [("xml-nil", "TPP1-RESP-XML-NIL")]),
        ({"uid": "<InternationalOrderUID>null</InternationalOrderUID>"}, [("xml-nil", "TPP1-RESP-XML-NIL")]),
        ({"order": "<OrderID>1001</OrderID><Extra>5</Extra>"}, []),
        ({"order": "<orderid>1001</orderid>"}, [("xml-item", "TPP1-RESP-XML-ITEM")]),
        ({"order": "<OrderID>1001</OrderID>5"}, [("xml-item", "TPP1-RESP-XML-ITEM")]),
    ],
    ids=["empty", "null", "another-member", "another-case", "text"],
)
def test_departure_of_a_result_from_its_xsd(parts: dict[str, str], faults: list[tuple[str, str]]) -> None:
    found = [one[:2] for one in said(answered(xml(**parts), media=XML)) if one[0].startswith("xml")]
    assert list(dict.fromkeys(found)) == faults


def test_null_written_as_text_is_found_at_its_member() -> None:
    found = [
        one for one in answered(xml(order="<OrderID>Null</OrderID>"), media=XML).findings if one.check == "xml-nil"
    ]
    assert [(one.at, one.actual) for one in found] == [("/OrderID", "'Null'")]


def test_wide_id_in_xml_is_a_number_and_shows_a_reading() -> None:
    answer = answered(xml(order="<OrderID> +5000000000 </OrderID>"), media=XML)
    assert (answer.results[0]["OrderID"], said(answer)) == (5000000000, [])
    assert "id-width=int64" in answer.readings


def test_success_reported_for_what_is_no_instruction_says_nothing_of_its_id() -> None:
    assert faults_of(TPP1, http(result(7)), accept=JSON) == []
    assert held(result(7), True, sent=[instruction()]).findings == (), "which only a lenient reader can read"
