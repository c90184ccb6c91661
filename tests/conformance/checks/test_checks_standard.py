"""The standard response object: each member, each code with its message, agreement, and the readings that it shows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from checks_support import CAO, MESSAGES, broken, case, error, faults_of, http, judged, kit, success

from conformance.checks.read import read_answer
from conformance.checks.standard import read_standard
from conformance.model.case import Alternative

RIGHT: dict[str, Any] = {
    "null": success(),
    "empty-errormsg": success(errormsg=""),
    "empty-detail": success(detail=""),
    "no-detail": success(detail=...),
    "a-word-of-detail": success(detail="3 orders"),
    "more-members": success(extra={"a": 1}),
    "pascal": {"Result": True, "ErrorMsg": None, "ErrorCode": 0, "Detail": None},
    "camel": {"result": True, "errorMsg": None, "errorCode": 0, "detail": None},
    "code-with-decimals": '{"result":false,"errormsg":"Not Authorized","errorcode":20.0,"detail":null}',
    "white-space": '\n{ "result" : true , "errormsg":null,"errorcode":0 }\n',
    "other-text-of-100": error(100, errormsg="Invalid Response"),
    **{f"code-{code}": error(code) for code in MESSAGES},
    "error-with-detail": error(100, detail="OMSId is Required"),
    "error-without-detail": error(104, detail=...),
}
WRONG: dict[str, tuple[Any, list[str]]] = {
    "result-text": (success(result="true"), ["CAO-RESP-RESULT"]),
    "result-number": (success(result=1), ["CAO-RESP-RESULT"]),
    "result-null": (success(result=None), ["CAO-RESP-RESULT"]),
    "result-missing": (success(result=...), ["CAO-RESP-RESULT"]),
    "errormsg-missing": (success(errormsg=...), ["CAO-RESP-ERRORMSG"]),
    "errormsg-number": (success(errormsg=0), ["CAO-RESP-ERRORMSG"]),
    "errormsg-object": (success(errormsg={}), ["CAO-RESP-ERRORMSG"]),
    "errormsg-list": (error(100, errormsg=["Invalid Request"]), ["CAO-RESP-ERRORMSG"]),
    "errormsg-on-success": (success(errormsg="Success"), ["CAO-RESP-ERRORMSG-SUCCESS"]),
    "errorcode-missing": (success(errorcode=...), ["CAO-RESP-ERRORCODE"]),
    "errorcode-text": (error(20, errorcode="20"), ["CAO-RESP-ERRORCODE"]),
    "errorcode-null": (success(errorcode=None), ["CAO-RESP-ERRORCODE"]),
    "errorcode-fraction": (error(20, errorcode=20.5), ["CAO-RESP-ERRORCODE"]),
    "errorcode-true": (error(20, errorcode=True), ["CAO-RESP-ERRORCODE"]),
    "errorcode-infinite": ('{"result":false,"errormsg":"x","errorcode":1e999}', ["CAO-RESP-ERRORCODE"]),
    "errorcode-unlisted": (error(20, errorcode=107), ["CAO-RESP-ERRORCODE-LISTED"]),
    "errorcode-huge": (f'{{"result":false,"errormsg":"x","errorcode":{"9" * 400}}}', ["CAO-RESP-ERRORCODE-LISTED"]),
    "detail-number": (success(detail=5), ["CAO-RESP-DETAIL"]),
    "detail-object": (error(100, detail={}), ["CAO-RESP-DETAIL"]),
    "true-with-error": (error(20, result=True), ["CAO-AGREE"]),
    "false-with-zero": (success(result=False, errormsg="x"), ["CAO-AGREE"]),
    "message-null": (error(104, errormsg=None), ["CAO-CODE-104"]),
    "message-empty": (error(104, errormsg=""), ["CAO-CODE-104"]),
    "message-in-capitals": (error(20, errormsg="NOT AUTHORIZED"), ["CAO-CODE-20"]),
    "message-of-another": (error(101, errormsg="Server Error"), ["CAO-CODE-101"]),
    "twice-in-other-case": ('{"result":true,"Result":true,"errormsg":null,"errorcode":0}', ["CAO-RESP-STANDARD"]),
    "twice": ('{"result":false,"result":true,"errormsg":null,"errorcode":0}', ["CAO-RESP-STANDARD"]),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_object_has_no_finding(name: str) -> None:
    assert faults_of(CAO, http(RIGHT[name]), accept="application/json") == []


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_member_is_found(name: str) -> None:
    body, expected = WRONG[name]
    assert sorted(set(faults_of(CAO, http(body)))) == expected


@pytest.mark.parametrize("code", MESSAGES)
def test_each_code_has_its_message(code: int) -> None:
    assert faults_of(CAO, http(error(code, errormsg="Something Else"))) == [f"CAO-CODE-{code}"]


@pytest.mark.parametrize(
    "body", ["[]", "null", "5", '"Success"', "true", "{}", '{"message":"done"}', f"[{json.dumps(success())}]"]
)
def test_json_that_is_no_standard_object_is_one_finding(body: str) -> None:
    judgement = judged(case(CAO, Alternative({"code": [0]}, ("mine",))), http(body), after={"mine": "open"})
    assert broken(judgement) == ["CAO-RESP-STANDARD"]
    assert judgement.blocked == ("schema", "outcome", "effect")


@pytest.mark.parametrize(
    "body", ["", " ", "not json", '{"result":true', "{'result':true}", b"\xff\xfe{", "TOO MANY REQUESTS"]
)
def test_what_is_no_json_is_one_finding(body: str | bytes) -> None:
    judgement = judged(case(CAO, Alternative({"code": [0]}, ("mine",))), http(body), after={"mine": "open"})
    assert broken(judgement) == ["CAO-RESP-STANDARD"]
    assert judgement.blocked == ("schema", "outcome", "effect")


def test_bytes_are_read_in_the_charset_that_the_answer_names() -> None:
    body = json.dumps(success(detail="тест"), ensure_ascii=False).encode("utf-16")
    assert faults_of(CAO, http(body, media="application/json; charset=utf-16")) == []
    assert faults_of(CAO, http(body, media="application/json; charset=utf-8")) == ["CAO-RESP-STANDARD"]


@pytest.mark.parametrize(
    ("body", "readings"),
    [
        (success(), {"response-key-case=documented|camel|lower", "errormsg-on-success=null", "detail-on-success=null"}),
        (
            success(errormsg="", detail=""),
            {"response-key-case=documented|camel|lower", "errormsg-on-success=empty", "detail-on-success=empty"},
        ),
        (
            success(detail=...),
            {"response-key-case=documented|camel|lower", "errormsg-on-success=null", "detail-on-success=omitted"},
        ),
        (success(detail="3"), {"response-key-case=documented|camel|lower", "errormsg-on-success=null"}),
        (RIGHT["pascal"], {"response-key-case=pascal", "errormsg-on-success=null", "detail-on-success=null"}),
        (
            {"result": True, "ERRORMSG": None, "errorcode": 0, "detail": None},
            {"response-key-case=camel", "errormsg-on-success=null", "detail-on-success=null"},
        ),
        (RIGHT["camel"], {"response-key-case=camel", "errormsg-on-success=null", "detail-on-success=null"}),
        (error(100), {"response-key-case=documented|camel|lower", "code-100-text=invalid-request", "error-status=200"}),
        (
            RIGHT["other-text-of-100"],
            {"response-key-case=documented|camel|lower", "code-100-text=invalid-response", "error-status=200"},
        ),
    ],
)
def test_readings_are_seen(body: Any, readings: set[str]) -> None:
    assert set(judged(case(CAO, Alternative({})), http(body)).readings) == readings


@pytest.mark.parametrize(
    ("body", "status", "broken_requirements", "reading"),
    [
        (error(20), 200, [], "error-status=200"),
        (error(20), 401, [], "error-status=4xx"),
        (error(20), 418, [], "error-status=4xx"),
        (error(102), 500, [], "error-status=4xx"),
        (error(102), 200, [], "error-status=200"),
        (error(20), 302, ["CAO-HTTP-STATUS"], None),
        (error(104), 500, ["CAO-MALFORMED"], None),
        (success(), 200, [], None),
        (success(), 201, [], None),
        (success(), 400, ["CAO-HTTP-STATUS"], None),
        (success(), 302, ["CAO-HTTP-STATUS"], None),
        (success(), 500, ["CAO-MALFORMED"], None),
        (success(errorcode="0"), 400, ["CAO-RESP-ERRORCODE"], None),
    ],
)
def test_the_status_agrees_with_the_outcome(
    body: Any, status: int, broken_requirements: list[str], reading: str | None
) -> None:
    answer = read_answer(kit(CAO), http(body, status), b"", None)
    assert [finding.requirement for finding in answer.findings] == broken_requirements
    assert [one for one in answer.readings if one.startswith("error-status")] == ([reading] if reading else [])


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ("application/json", []),
        ("application/json; charset=utf-8", []),
        ("Application/JSON", []),
        ("text/json", []),
        (None, []),
        ("text/html", ["CAO-HTTP-MEDIA"]),
        ("text/plain; charset=utf-8", ["CAO-HTTP-MEDIA"]),
        ("garbage", ["CAO-HTTP-MEDIA"]),
    ],
)
def test_media_type_that_the_answer_names_is_one_of_json(media: str | None, expected: list[str]) -> None:
    assert faults_of(CAO, http(success(), media=media), accept="application/json") == expected


@pytest.mark.parametrize(
    ("body", "status", "fits"),
    [
        ("NOT FOUND", 404, True),
        ("Not Found\n", 404, True),
        ("NOT FOUND", 200, False),
        ("NOT FOUND", 403, False),
        ("nothing here", 404, False),
    ],
)
def test_plain_not_found_stands_for_a_missing_session(body: str, status: int, fits: bool) -> None:
    judgement = judged(case(CAO, Alternative({"form": "session-missing"})), http(body, status, "text/plain"))
    assert (judgement.findings == ()) is fits


def test_not_found_is_no_success() -> None:
    assert broken(judged(case(CAO, Alternative({"code": [0]})), http("NOT FOUND", 404, "text/plain"))) == ["CASE"]


@pytest.mark.parametrize(("media", "shown"), [("application/json", "declared"), (None, "absent")])
def test_whether_a_media_type_is_named_is_a_reading(media: str | None, shown: str) -> None:
    found = judged(case(CAO, Alternative({"code": [0]}), accept="application/json"), http(success(), media=media))
    assert (broken(found), f"answer-media-type={shown}" in found.readings) == ([], True)


@pytest.mark.parametrize(
    ("documented", "sent", "styles"),
    [
        ("IDx", "idx", "lower"),
        ("aB", "aB", "documented|camel"),
        ("AValue", "aValue", "camel"),
        ("detail", "DETAIL", "camel"),
    ],
)
def test_a_name_is_in_every_style_that_it_agrees_with(documented: str, sent: str, styles: str) -> None:
    named = replace(kit(CAO), members={**kit(CAO).members, documented.lower(): documented})
    value = {**success(detail=...), sent: None}
    assert f"response-key-case={styles}" in read_standard(named, value, None).readings


def test_an_object_of_capitals_is_in_no_named_style() -> None:
    value = {name.upper(): member for name, member in success().items()}
    assert "response-key-case=camel" in read_standard(kit(CAO), value, None).readings


def test_a_wrong_outcome_is_found_beside_a_stack_trace_in_a_standard_object() -> None:
    body = error(100, detail="Traceback (most recent call last):")
    judgement = judged(case(CAO, Alternative({"code": [0]}, ("mine",))), http(body), after={"mine": "open"})
    assert (broken(judgement), judgement.blocked) == (["CAO-MALFORMED", "CASE"], ("effect",))
