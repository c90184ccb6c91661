"""An answer judged by its request alone: nothing is said of a right server or of a permitted difference, faults are seen.

Answers that named cases get over HTTP are judged so; the cases themselves make requests that are right, wrong and hostile.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from checks_support import UID

from conformance.cases.fixtures import load_cases
from conformance.checks.alone import Asked, judge_alone
from conformance.checks.kit import build_kit
from conformance.contract.load import load_contract
from conformance.endpoint.reference import warm_reference
from conformance.model.case import Case, Transport
from conformance.model.verdict import Finding
from conformance.run import session as sessions
from conformance.selftest.suspects import Suspect, results_of
from conformance.wire.messages import Exchange, HttpReply, HttpRequest
from reference_impl.equivalents import EQUIVALENTS

CONTRACT = load_contract()
TPP, CANCEL_ORDER = "tpp.create_cancellations", "alphapoint.cancel_order"
KITS = {name: build_kit(operation) for name, operation in CONTRACT.operations.items()}
SESSIONS = CONTRACT.readings["session-missing"].requirements
OVER_HTTP = [case for case in load_cases(CONTRACT) if case.transport is Transport.HTTP and not case.race]
EVERY = 5
"""Of these cases a permitted difference gets one in so many: those of a request differ by media type and value."""
JSON = ("Content-Type", "application/json")
TOKEN = ("APToken", "0123456789abcdef")


def spaced(names: Sequence[str], count: int) -> list[str]:
    return [names[number * len(names) // count] for number in range(count)]


def asked(operation: str, body: bytes, *headers: tuple[str, str], method: str = "POST") -> Asked:
    path = CONTRACT.operations[operation].path
    return Asked(KITS[operation], HttpRequest(method, path, headers, body), SESSIONS.get(operation, ""))


def request_in(exchange: Exchange) -> HttpRequest:
    """What the bytes of an exchange ask for."""
    head, _, body = exchange.sent.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    fields = (line.partition(":") for line in lines)
    return HttpRequest(method, path, tuple((name, value.strip()) for name, _, value in fields), body)


def findings_alone(
    monkeypatch: pytest.MonkeyPatch, suspect: Suspect, cases: Sequence[Case]
) -> list[tuple[str, Finding]]:
    """What is said of each answer that the cases get of the suspect."""
    found: list[tuple[str, Finding]] = []
    judge = sessions.judge

    def listening(kit: Any, case: Case, observation: Any, pins: Any) -> Any:
        for exchange in observation.exchanges:
            if isinstance(exchange.reply, HttpReply) and exchange.sent:
                request = Asked(KITS[case.operation], request_in(exchange), SESSIONS.get(case.operation, ""))
                found.extend((case.id, one) for one in judge_alone(request, exchange.reply).findings)
        return judge(kit, case, observation, pins)

    monkeypatch.setattr(sessions, "judge", listening)

    async def run() -> None:
        async with warm_reference() as reference:
            await results_of(CONTRACT, cases, suspect, reference)

    asyncio.run(run())
    return found


@pytest.mark.parametrize("name", spaced(sorted(EQUIVALENTS), 8))
def test_nothing_is_said_of_a_permitted_difference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    equivalent = EQUIVALENTS[name]
    suspect = Suspect(name, "equivalent", equivalent.operation, equivalent.requirements)
    assert findings_alone(monkeypatch, suspect, OVER_HTTP[::EVERY]) == []


def said(request: Asked, status: int, body: bytes, *headers: tuple[str, str]) -> list[tuple[str, str]]:
    """Check and requirement of what is said of an answer in JSON."""
    reply = HttpReply(status, "", (JSON, *headers), body, "1.1")
    return [(one.check, one.requirement) for one in judge_alone(request, reply).findings]


RECEIVED = b'{"result":true,"errormsg":null,"errorcode":0,"detail":null}'
UNKNOWN = b'{"result":false,"errormsg":"Resource Not Found","errorcode":104,"detail":null}'
ORDER = b'{"OMSId": 1, "OrderId": 7}'


@pytest.mark.parametrize(
    ("body", "headers", "answer", "expected"),
    [
        (ORDER, (JSON, TOKEN), RECEIVED, []),
        (ORDER, (JSON, TOKEN), UNKNOWN, []),
        (ORDER, (JSON, TOKEN), UNKNOWN.replace(b"Not Found", b"Missing"), [("schema", "CO-CODE-104")]),
        (ORDER, (JSON, TOKEN), UNKNOWN.replace(b"false", b"true"), [("schema", "CO-AGREE")]),
        (ORDER, (JSON, TOKEN), UNKNOWN.replace(b"null", b'"not with 0123456789abcdef"'), [("secrets", "CO-SECRETS")]),
        (ORDER, (JSON,), RECEIVED, [("outcome", "CO-HTTP-SESSION")]),
        (ORDER, (JSON,), UNKNOWN.replace(b"104", b"20").replace(b"Resource Not Found", b"Not Authorized"), []),
        (b'{"OMSId": 1}', (JSON, TOKEN), RECEIVED, [("outcome", "CO-REQ-ID-REQUIRED")]),
        (b'{"omsid": 1, "orderid": 7}', (JSON, TOKEN), RECEIVED, []),
        (b'{"OMSId": 1, "OrderId": "7"}', (JSON, TOKEN), RECEIVED, []),
        (b'{"OMSId": 1', (JSON, TOKEN), UNKNOWN.replace(b"104", b"7"), []),
    ],
)
def test_a_standard_answer_alone(
    body: bytes, headers: tuple[tuple[str, str], ...], answer: bytes, expected: list[tuple[str, str]]
) -> None:
    assert said(asked(CANCEL_ORDER, body, *headers), 200, answer) == expected


TWO = b'[{"OrderID": 1, "PIN": "4711"}, {"OrderID": 2}]'
BROKEN = b'[{"OrderID": 1}, {"CreatorID": 5, "IsInternationalOrder": true}]'


def result(order: object, success: bool = False, errors: str = '["x"]') -> str:
    return f'{{"OrderID":{order},"InternationalOrderUID":null,"Success":{str(success).lower()},"Errors":{errors}}}'


@pytest.mark.parametrize(
    ("body", "results", "expected"),
    [
        (TWO, [result(1), result(2)], []),
        (TWO, [result(2), result(1)], []),
        (TWO, [result(1)], [("one-each", "TPP-RESP-ONE-EACH")]),
        (TWO, [result(1), result(3)], [("identity", "TPP-RESP-IDENTITY")]),
        (TWO, [result(1, errors='["PIN 4711 is wrong"]'), result(2)], [("secrets", "TPP-SECRETS")]),
        (TWO.replace(b"4711", b"1"), [result(1, errors='["order 1 is gone"]'), result(2)], []),
        (BROKEN, [result(1, True, "null"), result("null")], []),
        (BROKEN, [result(1, True, "null"), result("null", True, "null")], [("outcome", "TPP-REQ-UID-REQUIRED")]),
    ],
)
def test_a_list_of_results_alone(body: bytes, results: list[str], expected: list[tuple[str, str]]) -> None:
    request = asked(TPP, body, JSON, ("Accept", "application/json"))
    found = said(request, 200, f"[{','.join(results)}]".encode())
    assert [one for one in found if one[0] != "schema"] == expected


@pytest.mark.parametrize(
    ("method", "headers", "status", "answer", "expected"),
    [
        ("PUT", (JSON, TOKEN), 405, b"METHOD NOT ALLOWED", []),
        ("HEAD", (JSON, TOKEN), 200, b"", []),
        ("POST", (("Content-Type", "text/plain"), TOKEN), 415, b"no such thing", []),
        ("POST", (JSON, TOKEN), 400, b"no such thing", [("readable", "CO-RESP-STANDARD")]),
        ("PUT", (JSON, TOKEN), 500, b"oh", [("bad-input", "CO-MALFORMED")]),
        ("PUT", (JSON, TOKEN), 405, b"<!doctype html><p>no", [("bad-input", "CO-MALFORMED")]),
    ],
)
def test_what_is_no_call_of_the_operation_may_be_refused_in_any_form(
    method: str, headers: tuple[tuple[str, str], ...], status: int, answer: bytes, expected: list[tuple[str, str]]
) -> None:
    assert said(asked(CANCEL_ORDER, ORDER, *headers, method=method), status, answer) == expected


SECRET = "0123456789abcdef"
ECHO = UNKNOWN.replace(b"null", b'"not with 0123456789abcdef"')


@pytest.mark.parametrize(
    "header",
    [
        ("APToken", SECRET),
        ("authorization", f"Bearer {SECRET}"),
        ("Cookie", f"session {SECRET}"),
        ("Signature", SECRET),
    ],
    ids=lambda header: header[0],
)
def test_a_credential_in_any_header_for_one_comes_not_back_and_is_a_session(header: tuple[str, str]) -> None:
    assert said(asked(CANCEL_ORDER, ORDER, JSON, header), 200, ECHO) == [("secrets", "CO-SECRETS")]
    assert said(asked(CANCEL_ORDER, ORDER, JSON, header), 200, RECEIVED) == []


def test_a_credential_comes_not_back_in_a_header() -> None:
    request = asked(CANCEL_ORDER, ORDER, JSON, TOKEN)
    assert said(request, 200, RECEIVED, ("X-Session", SECRET)) == [("secrets", "CO-SECRETS")]
    assert said(asked(CANCEL_ORDER, ORDER, JSON, ("X-Other", SECRET)), 200, UNKNOWN, ("X-Session", SECRET)) == []


@pytest.mark.parametrize(
    ("token", "found"),
    [("q7w3e9x", []), ("q7w3e9xz", [("secrets", "CO-SECRETS")]), ("Resource", [])],
    ids=["short", "long", "word-of-the-document"],
)
def test_a_part_of_a_header_is_a_credential_from_eight_characters_on_that_no_document_says(
    token: str, found: list[tuple[str, str]]
) -> None:
    request = asked(CANCEL_ORDER, ORDER, JSON, ("Authorization", f"Basic {token}"))
    assert said(request, 200, UNKNOWN.replace(b"null", f'"no {token}"'.encode())) == found


@pytest.mark.parametrize(
    ("item", "found"),
    [
        ('"PIN": "4711"', True),
        ('"PIN": 4711', True),
        ('"pin": "4711"', True),
        ('"Password": "4711"', True),
        ('"secret": ["8123", "4711"]', True),
        ('"token": "4711"', True),
        ('"more": {"PIN": "4711"}', True),
        ('"PINs": "4711"', False),
        ('"MyPIN": "4711"', False),
        ('"PIN": {"other": "4711"}', False),
        ('"PIN": "4711", "CreatorID": 947118', False),
        ('"CreatorID": 947118, "PIN": "4711", "Note": "a"', False),
        ('"PIN": "4711", "Note": ["a", "4711"]', False),
    ],
)
def test_a_pin_of_the_body_comes_not_back_unless_something_else_says_it_as_well(item: str, found: bool) -> None:
    body = f'[{{"OrderID": 1, {item}}}]'.encode()
    answer = f"[{result(1, errors=json.dumps(['PIN 4711 is wrong']))}]".encode()
    request = asked(TPP, body, JSON, ("Accept", "application/json"))
    assert (("secrets", "TPP-SECRETS") in said(request, 200, answer)) is found


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (JSON, JSON),
        (("Content-Type", "json"),),
        (("Content-Type", "text/json"),),
    ],
    ids=["none", "two", "no-media-type", "of-another-call"],
)
def test_a_body_is_read_only_where_one_documented_content_type_names_its_format(
    headers: tuple[tuple[str, str], ...],
) -> None:
    request = asked(CANCEL_ORDER, ORDER, *headers, TOKEN)
    assert (request.written_in, request.document, request.plain, request.valid) == (None, None, False, False)
    assert said(request, 400, b"no such thing") == []


def test_a_pin_is_a_credential_from_four_characters_on() -> None:
    for pin, secrets in (("471", ()), ("4711", ("4711",))):
        assert asked(TPP, json.dumps([{"OrderID": 1, "PIN": pin}]).encode(), JSON).secrets == secrets


def test_a_body_that_readers_see_differently_is_not_read() -> None:
    for body in (b'{"OMSId": 1, "OrderId": 7, "OrderId": 8}', b"", b"{"):
        request = asked(CANCEL_ORDER, body, JSON, TOKEN)
        assert (request.document, request.plain, request.valid) == (None, False, False)


@pytest.mark.parametrize(
    ("wishes", "accept"),
    [
        (("application/json",), "application/json"),
        ((" Text/XML ",), "text/xml"),
        (("*/*",), None),
        (("application/json, text/xml",), None),
        (("application/json", "text/xml"), None),
        ((), None),
    ],
)
def test_a_wish_for_one_documented_media_type_is_to_be_met(wishes: tuple[str, ...], accept: str | None) -> None:
    request = asked(TPP, TWO, JSON, *(("Accept", wish) for wish in wishes))
    assert request.accept == accept
    answer = f"[{result(1)},{result(2)}]".encode()
    expected = [] if accept in (None, "application/json") else [("media-type", "TPP-RESP-XML-TEXT")]
    assert said(request, 200, answer) == expected


def test_an_answer_that_cannot_be_read_is_said_once_with_what_it_gives_away() -> None:
    request = asked(CANCEL_ORDER, ORDER, JSON, TOKEN)
    found = said(request, 200, b"oh", ("X-Session", SECRET))
    assert found == [("readable", "CO-RESP-STANDARD"), ("secrets", "CO-SECRETS")]
    found = said(request, 500, b"oh", ("X-Session", SECRET))
    assert found == [("bad-input", "CO-MALFORMED"), ("secrets", "CO-SECRETS")]


def test_of_an_answer_beyond_what_is_read_only_a_failure_of_the_server_is_said() -> None:
    request = asked(CANCEL_ORDER, ORDER, JSON, TOKEN)
    for status, expected in ((200, []), (500, [("bad-input", "CO-MALFORMED")])):
        reply = HttpReply(status, "", (JSON, ("X-Session", SECRET)), RECEIVED, "1.1", unread_bytes=9)
        alone = judge_alone(request, reply)
        assert alone.answer.beyond
        assert [(one.check, one.requirement) for one in alone.findings] == expected


@pytest.mark.parametrize(
    ("method", "status", "expected"),
    [
        ("POST", 400, [("readable", "TPP-RESP-LIST")]),
        ("POST", 499, [("readable", "TPP-RESP-LIST")]),
        ("POST", 399, []),
        ("POST", 500, [("bad-input", "TPP-MALFORMED")]),
        ("PUT", 400, []),
    ],
)
def test_an_early_error_of_a_list_has_a_documented_form(
    method: str, status: int, expected: list[tuple[str, str]]
) -> None:
    request = asked(TPP, b"[", JSON, ("Accept", "application/json"), method=method)
    assert said(request, status, b"oh dear") == expected
    assert said(asked(CANCEL_ORDER, b"{", JSON, TOKEN, method=method), 400, b"oh dear") == []


def test_results_are_held_against_instructions_only_where_the_request_is_valid() -> None:
    body = b'[{"OrderID": 1, "IsInternationalOrder": false}, {"IsInternationalOrder": false}]'
    request = asked(TPP, body, JSON, ("Accept", "application/json"))
    assert said(request, 200, f"[{result(3)}]".encode()) == []
    in_xml = asked(TPP, TWO, ("Content-Type", "application/xml"), ("Accept", "application/json"))
    assert said(in_xml, 200, f"[{result(3)}]".encode()) == []


def test_of_a_failure_of_the_server_for_what_is_no_call_nothing_else_is_said() -> None:
    request = asked(TPP, b"[", JSON, ("Accept", "text/xml"))
    assert said(request, 499, b'"no"') == [("media-type", "TPP-RESP-XML-TEXT")]
    assert said(request, 500, b'"no"') == [("bad-input", "TPP-MALFORMED")]


def test_one_result_is_held_against_the_one_instruction() -> None:
    request = asked("tpp.create_cancellation", b'{"OrderID": 1}', JSON, ("Accept", "application/json"))
    assert said(request, 200, result(1).encode()) == []
    assert said(request, 200, result(3).encode()) == [("identity", "TPP1-RESP-IDENTITY")]


def whole(request: Asked, answer: bytes) -> Finding:
    """The one finding on an answer in JSON."""
    (found,) = judge_alone(request, HttpReply(200, "", (JSON,), answer, "1.1")).findings
    return found


def test_a_success_that_may_not_be_says_what_was_wrong() -> None:
    found = whole(asked(CANCEL_ORDER, ORDER, JSON), RECEIVED)
    assert (found.check, found.requirement, found.way) == ("outcome", "CO-HTTP-SESSION", "accepted")
    assert (found.expected, found.actual, found.at) == ("an error", "HTTP 200; code 0, result true", "answer")
    assert found.message == "a call without a session succeeds"
    found = whole(asked(CANCEL_ORDER, b'{"OMSId": 1}', JSON, TOKEN), RECEIVED)
    assert (found.check, found.requirement, found.way) == ("outcome", "CO-REQ-ID-REQUIRED", "accepted")
    assert (found.expected, found.at) == ("an error", "answer")
    assert found.message == "a request that the document does not allow succeeds"
    assert found.actual == 'the whole value: expected one of several forms, found {"OMSId": 1}'
    request = asked(TPP, BROKEN, JSON, ("Accept", "application/json"))
    found = whole(request, f"[{result(1, True, 'null')},{result('null', True, 'null')}]".encode())
    assert (found.check, found.requirement, found.way) == ("outcome", "TPP-REQ-UID-REQUIRED", "accepted")
    assert (found.expected, found.at) == ("an error", "answer")
    assert found.actual.startswith("2 successes for 2 instructions, 1 of them wrong: ")
    assert "InternationalOrderUID" in found.actual


def test_a_success_of_one_leg_is_no_success_of_the_call() -> None:
    both = b'{"BidResult": %s, "AskResult": %s}'
    quote = b'{"omsId": 1, "bidQuoteId": 7, "askQuoteId": 8}'
    request = asked("alphapoint.cancel_quote", quote, JSON)
    assert said(request, 200, both % (RECEIVED, UNKNOWN)) == []
    assert said(request, 200, both % (UNKNOWN, RECEIVED)) == []
    assert said(request, 200, both % (RECEIVED, RECEIVED)) == [("outcome", "CQ-HTTP-SESSION")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"OMSId": 1, "OrderId": 7, "orderid": null}', []),
        (b'{"omsid": 1}', [("outcome", "CO-REQ-ID-REQUIRED")]),
        (b'{"omsid": 1, "more": 2, "other": 3}', [("outcome", "CO-REQ-ID-REQUIRED")]),
        (b"[]", []),
        (b"5", []),
    ],
)
def test_a_request_that_is_wrong_for_some_readers_alone_may_succeed(
    body: bytes, expected: list[tuple[str, str]]
) -> None:
    assert said(asked(CANCEL_ORDER, body, JSON, TOKEN), 200, RECEIVED) == expected


@pytest.mark.parametrize(
    ("item", "requirements"),
    [
        ({"CreatorID": 5, "IsInternationalOrder": False}, ["TPP-REQ-ORDERID-REQUIRED"]),
        ({"IsInternationalOrder": True, "InternationalOrderUID": UID}, ["TPP-REQ-CREATORID-REQUIRED"]),
        ({"creatorid": 5, "isinternationalorder": False}, []),
        ({"OrderID": "1"}, []),
        ({"OrderID": 1, "IsInternationalOrder": "no"}, []),
    ],
)
def test_a_success_for_an_instruction_that_lacks_what_it_needs_is_found(
    item: dict[str, Any], requirements: list[str]
) -> None:
    request = asked(TPP, json.dumps([item]).encode(), JSON, ("Accept", "application/json"))
    found = said(request, 200, f"[{result(item.get('OrderID') or 'null', True, 'null')}]".encode())
    assert [requirement for check, requirement in found if check == "outcome"] == requirements
