"""The answer of a list operation: results in JSON and XML, the error string, and what the framework says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from checks_support import (
    ARRAYS_NS,
    JSON,
    RESULTS_NS,
    TPP,
    UID,
    XML,
    XSI,
    broken,
    case,
    error_xml,
    failed,
    faults_of,
    http,
    instruction,
    judged,
    kit,
    result,
    result_xml,
    results_xml,
)  # fmt: skip

from conformance.checks.read import read_answer
from conformance.model.case import Alternative

TEXT_XML = "text/xml; charset=utf-8"
STRINGS = f'<Errors xmlns:a="{ARRAYS_NS}"><a:string>Order is not active.</a:string></Errors>'
FAILED_XML = result_xml(errors=STRINGS, success="<Success>false</Success>")

RIGHT_JSON: dict[str, Any] = {
    "done": [result()],
    "failed": [failed()],
    "abroad": [result(None, InternationalOrderUID=UID)],
    "upper-case-uid": [result(None, InternationalOrderUID=UID.upper())],
    "nulls-left-out": [result(InternationalOrderUID=..., Errors=...)],
    "no-errors": [result(Errors=[])],
    "more-members": [result(Reason="x")],
    "several": [result(1), failed(2), result(3)],
    "empty": [],
    "wide-id": [result(2**40)],
}
WRONG_JSON: dict[str, tuple[Any, list[str]]] = {
    "object": ({"OrderID": 1, "Success": True}, ["TPP-RESP-LIST"]),
    "null": ("null", ["TPP-RESP-LIST"]),
    "number": ("5", ["TPP-RESP-LIST"]),
    "entry-null": ("[null]", ["TPP-RESP-LIST"]),
    "entry-text": (["done"], ["TPP-RESP-LIST"]),
    "order-text": ([result("1001")], ["TPP-RESP-ORDERID"]),  # type: ignore[arg-type]
    "order-fraction": ([result(1.5)], ["TPP-RESP-ORDERID"]),  # type: ignore[arg-type]
    "uid-word": ([result(InternationalOrderUID="abc")], ["TPP-RESP-UID"]),
    "uid-braced": ([result(InternationalOrderUID="{" + UID + "}")], ["TPP-RESP-UID"]),
    "success-text": ([result(Success="true")], ["TPP-RESP-SUCCESS"]),
    "success-null": ([result(Success=None)], ["TPP-RESP-SUCCESS"]),
    "success-number": ([result(Success=1)], ["TPP-RESP-SUCCESS"]),
    "success-missing": ([result(Success=...)], ["TPP-RESP-SUCCESS"]),
    "success-lower-case": ([result(Success=..., success=True)], ["TPP-RESP-SUCCESS"]),
    "errors-text": ([failed(Errors="no")], ["TPP-RESP-ERRORS"]),
    "errors-numbers": ([failed(Errors=[5])], ["TPP-RESP-ERRORS"]),
    "errors-on-success": ([result(Errors=["fine"])], ["TPP-RESP-ERRORS-ON-FAILURE"]),
    "failure-without-errors": ([failed(Errors=[])], ["TPP-RESP-ERRORS-ON-FAILURE"]),
    "failure-with-null": ([failed(Errors=None)], ["TPP-RESP-ERRORS-ON-FAILURE"]),
    "failure-with-nothing": ([failed(Errors=...)], ["TPP-RESP-ERRORS-ON-FAILURE"]),
    "failure-with-white-space": ([failed(Errors=[" \t"])], ["TPP-RESP-ERRORS-ON-FAILURE"]),
    "failure-with-empty-text": ([failed(Errors=[""])], ["TPP-RESP-ERRORS-ON-FAILURE"]),
    "null-among-errors": ([failed(Errors=["no", None])], ["TPP-RESP-ERRORS"]),
    "twice": ('[{"OrderID":1001,"Success":false,"Success":true}]', ["TPP-RESP-LIST"]),
}


@pytest.mark.parametrize("name", RIGHT_JSON)
def test_a_right_list_has_no_finding(name: str) -> None:
    assert faults_of(TPP, http(RIGHT_JSON[name]), accept=JSON) == []


@pytest.mark.parametrize("name", WRONG_JSON)
def test_a_wrong_list_is_found(name: str) -> None:
    body, expected = WRONG_JSON[name]
    assert sorted(set(faults_of(TPP, http(body)))) == expected


RIGHT_XML: dict[str, str | bytes] = {
    "sample": results_xml(result_xml(), FAILED_XML),
    "declaration": '<?xml version="1.0" encoding="utf-8"?>\n' + results_xml(result_xml()),
    "indented": results_xml("\n  " + result_xml() + "\n"),
    "comment": results_xml("<!-- one -->" + result_xml()),
    "nulls-left-out": results_xml(result_xml(errors="", uid="")),
    "no-errors": results_xml(result_xml(errors="<Errors />")),
    "empty": results_xml(),
    "digit-boolean": results_xml(result_xml(success="<Success>1</Success>")),
    "prefix": f'<r:ArrayOfCancellationCreationResult xmlns:r="{RESULTS_NS}"><r:CancellationCreationResult><r:OrderID>1001</r:OrderID>'
    "<r:Success>true</r:Success></r:CancellationCreationResult></r:ArrayOfCancellationCreationResult>",
    "unknown-member": results_xml(result_xml(success="<Reason>x</Reason><Success>true</Success>")),
    "schema-location": results_xml(result_xml()).replace(" xmlns=", ' i:schemaLocation="urn:x x.xsd" xmlns=', 1),
    "utf-16": ('<?xml version="1.0" encoding="utf-16"?>' + results_xml(result_xml())).encode("utf-16"),
    "wide-id": results_xml(result_xml(order="<OrderID>1099511627776</OrderID>")),
    "uid": results_xml(
        result_xml(uid=f"<InternationalOrderUID>{UID}</InternationalOrderUID>", order='<OrderID i:nil="true" />')
    ),
}
WRONG_XML: dict[str, tuple[str, set[str]]] = {
    "another-root": (
        results_xml(result_xml()).replace("ArrayOfCancellationCreationResult", "Results"),
        {"TPP-RESP-XML-ROOT"},
    ),
    "root-without-namespace": (results_xml(result_xml()).replace(f' xmlns="{RESULTS_NS}"', ""), {"TPP-RESP-XML-NS"}),
    "request-namespace": (
        results_xml(result_xml()).replace(RESULTS_NS, "http://schemas.datacontract.org/2004/07/"),
        {"TPP-RESP-XML-NS"},
    ),
    "another-item": (results_xml(result_xml().replace("CancellationCreationResult", "Result")), {"TPP-RESP-XML-ITEM"}),
    "member-namespace": (results_xml(result_xml(order='<OrderID xmlns="urn:x">1001</OrderID>')), {"TPP-RESP-XML-NS"}),
    "member-lower-case": (results_xml(result_xml(order="<orderid>1001</orderid>")), {"TPP-RESP-XML-ITEM"}),
    "order-of-the-table": (
        results_xml(
            result_xml(
                errors="",
                uid="",
                order="<OrderID>1001</OrderID>",
                success='<Success>true</Success><Errors i:nil="true" />',
            )
        ),
        {"TPP-RESP-XML-ORDER"},
    ),
    "member-twice": (
        results_xml(result_xml(order="<OrderID>1001</OrderID><OrderID>1001</OrderID>")),
        {"TPP-RESP-XML-ORDER"},
    ),
    "nil-boolean": (
        results_xml(result_xml(success='<Success i:nil="true" />')),
        {"TPP-RESP-XML-NIL", "TPP-RESP-SUCCESS"},
    ),
    "nil-with-content": (results_xml(result_xml(order='<OrderID i:nil="true">1001</OrderID>')), {"TPP-RESP-XML-NIL"}),
    "null-as-text": (
        results_xml(result_xml(order="<OrderID>null</OrderID>")),
        {"TPP-RESP-XML-NIL", "TPP-RESP-ORDERID"},
    ),
    "empty-integer": (results_xml(result_xml(order="<OrderID />")), {"TPP-RESP-XML-NIL", "TPP-RESP-ORDERID"}),
    "boolean-in-capitals": (results_xml(result_xml(success="<Success>True</Success>")), {"TPP-RESP-SUCCESS"}),
    "errors-in-own-namespace": (
        results_xml(FAILED_XML.replace(f' xmlns:a="{ARRAYS_NS}"', "").replace("a:string", "string")),
        {"TPP-RESP-XML-ARRAYS", "TPP-RESP-ERRORS-ON-FAILURE"},
    ),
    "errors-of-another-name": (
        results_xml(FAILED_XML.replace("a:string", "a:Error")),
        {"TPP-RESP-XML-ARRAYS", "TPP-RESP-ERRORS-ON-FAILURE"},
    ),
    "errors-as-text": (
        results_xml(result_xml(errors="<Errors>no</Errors>", success="<Success>false</Success>")),
        {"TPP-RESP-XML-ARRAYS", "TPP-RESP-ERRORS-ON-FAILURE"},
    ),
    "attribute": (results_xml(result_xml(order='<OrderID unit="x">1001</OrderID>')), {"TPP-RESP-XML-ITEM"}),
    "text-between": (results_xml(result_xml() + "done"), {"TPP-RESP-XML-ITEM"}),
    "nil-item": (
        results_xml('<CancellationCreationResult i:nil="true" />', result_xml()),
        {"TPP-RESP-LIST"},
    ),
    "nil-list": (
        f'<ArrayOfCancellationCreationResult xmlns:i="{XSI}" xmlns="{RESULTS_NS}" i:nil="true" />',
        {"TPP-RESP-LIST"},
    ),
    "cut-off": (results_xml(result_xml())[:-5], {"TPP-RESP-LIST"}),
    "json": (json.dumps([result()]), {"TPP-RESP-LIST"}),
    "nothing": ("", {"TPP-RESP-LIST"}),
    "doctype": ("<!DOCTYPE a>" + results_xml(result_xml()), {"TPP-RESP-LIST"}),
    "control-character": (results_xml(FAILED_XML.replace("Order is", "Order&#1; is")), {"TPP-RESP-LIST"}),
}


@pytest.mark.parametrize("name", RIGHT_XML)
def test_a_right_document_has_no_finding(name: str) -> None:
    charset = "utf-16" if name == "utf-16" else "utf-8"
    assert faults_of(TPP, http(RIGHT_XML[name], media=f"application/xml; charset={charset}"), accept=XML) == []


@pytest.mark.parametrize("name", WRONG_XML)
def test_a_wrong_document_is_found(name: str) -> None:
    body, expected = WRONG_XML[name]
    assert set(faults_of(TPP, http(body, media=TEXT_XML))) == expected


@pytest.mark.parametrize(
    ("body", "media"), [(results_xml(result_xml()), JSON), (json.dumps([result()]), "text/plain"), ("[", "text/json")]
)
def test_what_cannot_be_read_as_it_is_not_what_was_asked_for_is_a_wrong_media_type(body: str, media: str) -> None:
    assert faults_of(TPP, http(body, media=media), accept=XML) == ["TPP-RESP-XML-APPLICATION"]


def test_xml_and_json_give_the_same_results() -> None:
    document = read_answer(kit(TPP), http(results_xml(result_xml(), FAILED_XML), media=TEXT_XML), b"", None)
    text = read_answer(kit(TPP), http([result(), failed()]), b"", None)
    assert document.results == text.results


@pytest.mark.parametrize("status", [400, 401, 403, 409, 422])
@pytest.mark.parametrize(("body", "media"), [('"The list cannot be read."', JSON), (error_xml(), XML)])
def test_the_error_string_fits_a_refusal_in_both_formats(status: int, body: str, media: str) -> None:
    refused = case(TPP, Alternative({"form": "refused"}), accept=media)
    judgement = judged(refused, http(body, status, media))
    assert (broken(judgement), judgement.code_seen) == ([], "error-string")


@pytest.mark.parametrize(
    ("body", "media", "status", "expected"),
    [
        ('""', JSON, 400, {"TPP-ERR-STRING"}),
        ('" "', JSON, 400, {"TPP-ERR-STRING"}),
        ('{"error":"no"}', JSON, 400, {"TPP-ERR-JSON"}),
        ('["no"]', JSON, 400, {"TPP-ERR-JSON"}),
        ("null", JSON, 400, {"TPP-ERR-JSON"}),
        ("17", JSON, 422, {"TPP-ERR-JSON"}),
        (error_xml(""), XML, 400, {"TPP-ERR-STRING"}),
        (error_xml().replace("string", "String"), XML, 400, {"TPP-RESP-XML-ROOT"}),
        (error_xml().replace("Serialization/", "Other/"), XML, 400, {"TPP-ERR-XML"}),
        (error_xml().replace("<string ", "<string a='1' "), XML, 400, {"TPP-ERR-XML"}),
        ('"fine"', JSON, 200, {"TPP-ERR-STRING"}),
        ('"fine"', JSON, 302, {"TPP-ERR-STRING"}),
        (error_xml(), XML, 200, {"TPP-ERR-STRING"}),
        ('"failed"', JSON, 500, {"TPP-MALFORMED"}),
        ("Traceback (most recent call last):", "text/plain", 400, {"TPP-MALFORMED"}),
        ("The list cannot be read.", "text/plain", 400, {"TPP-NEGOTIATION"}),
        ("The list cannot be read.", JSON, 400, {"TPP-RESP-LIST"}),
        ('{"Message":"The request is invalid."}', JSON, 400, {"TPP-ERR-STRING"}),
        ('{"message":"x","modelState":{}}', JSON, 400, {"TPP-ERR-STRING"}),
        ("<Error><Message>x</Message></Error>", XML, 400, {"TPP-ERR-STRING"}),
        ("", None, 400, {"TPP-ERR-STRING"}),
        ("", None, 302, {"TPP-ROUTE"}),
        ("", "text/plain", 409, {"TPP-ERR-STRING"}),
        ("", None, 204, {"TPP-NEGOTIATION"}),
        ('"System.ArgumentException: no"', JSON, 400, {"TPP-MALFORMED"}),
    ],
)
def test_a_refusal_in_another_form_is_found(body: str, media: str | None, status: int, expected: set[str]) -> None:
    assert set(faults_of(TPP, http(body, status, media))) == expected


@pytest.mark.parametrize("status", [404, 405, 406, 413, 414, 415, 417, 431])
@pytest.mark.parametrize(
    ("body", "media", "form"),
    [
        ('{"Message":"no"}', JSON, "framework"),
        ('"no"', JSON, "string"),
        ("<Error><Message>no</Message></Error>", XML, "framework"),
        (error_xml("no"), XML, "string"),
        ("<string>no</string>", XML, "string"),
        ("", None, None),
        ("Not Found", "text/plain", None),
    ],
)
def test_the_framework_may_answer_in_its_own_form(status: int, body: str, media: str | None, form: str | None) -> None:
    judgement = judged(case(TPP, Alternative({"form": "framework"})), http(body, status, media))
    assert broken(judgement) == []
    assert judgement.readings == ((f"framework-error-form={form}",) if form else ())


@pytest.mark.parametrize(
    ("body", "media", "status", "expected"),
    [
        ("{", JSON, 404, ["TPP-FRAMEWORK-ERRORS"]),
        ("<Error>", XML, 415, ["TPP-FRAMEWORK-ERRORS"]),
        ("<html>no</html>", "text/html", 405, ["TPP-MALFORMED"]),
        ('{"Message":"no"}', JSON, 400, ["TPP-ERR-STRING"]),
        ('{"Message":"no"}', JSON, 500, ["TPP-MALFORMED"]),
        ("failed", "text/plain", 500, ["TPP-MALFORMED"]),
        ("<html>", XML, 503, ["TPP-MALFORMED"]),
        ("{", JSON, 500, ["TPP-MALFORMED"]),
        ([result()], JSON, 200, ["CASE"]),
    ],
)
def test_an_error_of_the_framework_is_readable_and_no_page(
    body: Any, media: str, status: int, expected: list[str]
) -> None:
    judgement = judged(case(TPP, Alternative({"form": "framework"})), http(body, status, media), sent=[instruction()])
    assert broken(judgement) == expected


def test_a_framework_error_in_the_string_form_is_a_refusal_too() -> None:
    refused = case(TPP, Alternative({"form": "refused"}))
    assert broken(judged(refused, http('"no such media type"', 415))) == []
    assert broken(judged(refused, http('{"Message":"no"}', 415))) == ["CASE"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, []), (201, []), (202, []), (207, []), (206, ["TPP-RESP-STATUS"]), (400, ["TPP-RESP-STATUS"])],
)
def test_the_status_of_a_processed_list(status: int, expected: list[str]) -> None:
    answer = read_answer(kit(TPP), http([result()], status), b"", None)
    assert [finding.requirement for finding in answer.findings] == expected
    assert (f"processed-status={status}" in answer.readings) is (not expected)


@pytest.mark.parametrize(
    ("accept", "media", "body", "expected"),
    [
        (JSON, "application/json; charset=utf-8", [result()], []),
        ("text/json", "application/json", [result()], ["TPP-RESP-JSON-TEXT"]),
        (JSON, "text/json", [result()], ["TPP-RESP-JSON-APPLICATION"]),
        (XML, "text/xml", results_xml(result_xml()), ["TPP-RESP-XML-APPLICATION"]),
        ("text/xml", "application/json", [result()], ["TPP-RESP-XML-TEXT"]),
        ("text/xml", "TEXT/XML", results_xml(result_xml()), []),
        (None, "text/json", [result()], []),
        (JSON, "application/xml", error_xml(), ["TPP-RESP-JSON-APPLICATION"]),
    ],
)
def test_the_answer_comes_in_the_media_type_that_was_asked_for(
    accept: str | None, media: str, body: Any, expected: list[str]
) -> None:
    status = 400 if body == error_xml() else 200
    assert faults_of(TPP, http(body, status, media), accept=accept) == expected


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ([result()], {"null-members=present", "errors-on-success=null"}),
        ([result(InternationalOrderUID=...)], {"null-members=omitted", "errors-on-success=null"}),
        ([result(Errors=[], InternationalOrderUID=UID)], {"errors-on-success=empty", "guid-case=lower"}),
        ([failed(InternationalOrderUID=UID.upper())], {"guid-case=upper"}),
        ([failed(InternationalOrderUID="6269C403-5b9f-47dd-b8c3-7ecbef8f686d")], set()),
        ([failed(InternationalOrderUID="11111111-1111-1111-1111-111111111111")], set()),
        ([failed(2**40, InternationalOrderUID=UID)], {"id-width=int64", "guid-case=lower"}),
        ([], set()),
    ],
)
def test_readings_are_seen(body: Any, seen: set[str]) -> None:
    readings = read_answer(kit(TPP), http(body), b"", None).readings
    assert set(readings) == {"processed-status=200", *seen}


@pytest.mark.parametrize("status", [400, 422])
def test_the_status_of_a_refusal_is_seen(status: int) -> None:
    assert read_answer(kit(TPP), http('"no"', status), b"", None).readings == (f"refused-status={status}",)


def test_status_411_asks_for_the_length_of_the_body_and_is_no_other_error_of_the_framework() -> None:
    answer = http("", 411, None)
    assert broken(judged(case(TPP, Alternative({"form": "length-required"})), answer)) == []
    assert broken(judged(case(TPP, Alternative({"form": "framework"})), answer)) == ["CASE"]
    assert broken(judged(case(TPP, Alternative({"form": "length-required"})), http("", 404, None))) == ["CASE"]


@pytest.mark.parametrize("status", [413, 414, 431])
@pytest.mark.parametrize(
    ("body", "media"), [('{"status":413}', JSON), ('"no"', JSON), ("Too large", "text/plain"), ("", None)]
)
def test_what_is_too_long_may_be_refused_in_any_form(status: int, body: str, media: str | None) -> None:
    judgement = judged(case(TPP, Alternative({"form": "too-long"})), http(body, status, media))
    assert broken(judgement) == []


def test_another_error_of_the_framework_does_not_say_that_the_request_is_too_long() -> None:
    assert broken(judged(case(TPP, Alternative({"form": "too-long"})), http('{"Message":"no"}', 415))) == ["CASE"]


def test_the_status_of_what_is_no_list_is_not_judged() -> None:
    assert faults_of(TPP, http({"OrderID": 1, "Success": True}, 202)) == ["TPP-RESP-LIST"]


def test_a_long_list_is_shown_short() -> None:
    answer = read_answer(kit(TPP), http([result(number) for number in range(9)]), b"", None)
    assert answer.summary == "HTTP 200 with 9 results (true, true, true, true, true and 4 more)"
