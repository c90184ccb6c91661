"""An answer judged by its request alone: nothing is said of a right server or of a permitted difference, faults are seen.

Answers that named cases get over HTTP are judged so; the cases themselves make requests that are right, wrong and hostile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

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
