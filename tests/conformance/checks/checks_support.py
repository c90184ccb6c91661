"""Exchanges and cases made by hand, for the tests of the checks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from conformance.checks.answer import Judgement, Observation
from conformance.checks.judge import Pins, judge
from conformance.checks.kit import Kit, build_kit
from conformance.checks.read import read_answer
from conformance.contract.load import load_contract
from conformance.model.case import Alternative, Body, Case, Expectation, Message, Transport
from conformance.wire.messages import Exchange, HttpReply, WireProblem, WsReply

CAO, CQ, TPP = "alphapoint.cancel_all_orders", "alphapoint.cancel_quote", "tpp.create_cancellations"
JSON, XML = "application/json", "application/xml"
RESULTS_NS = "http://schemas.datacontract.org/2004/07/TPP.Contracts.Services.Order"
ARRAYS_NS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
ERROR_NS = "http://schemas.microsoft.com/2003/10/Serialization/"
UID = "6269c403-5b9f-47dd-b8c3-7ecbef8f686d"
MESSAGES = {
    20: "Not Authorized",
    100: "Invalid Request",
    101: "Operation Failed",
    102: "Server Error",
    104: "Resource Not Found",
    106: "Operation Not Supported",
}


@cache
def kit(operation: str) -> Kit:
    """The bundled contract of an operation, compiled."""
    return build_kit(load_contract().operations[operation])


def success(**changes: Any) -> dict[str, Any]:
    """The standard response object of a success; `...` takes a member out."""
    return _changed({"result": True, "errormsg": None, "errorcode": 0, "detail": None}, changes)


def error(code: int, **changes: Any) -> dict[str, Any]:
    """The standard response object of an error."""
    return _changed({"result": False, "errormsg": MESSAGES[code], "errorcode": code, "detail": None}, changes)


def result(order: int | None = 1001, **changes: Any) -> dict[str, Any]:
    """The result of one instruction that succeeded."""
    entry = {"OrderID": order, "InternationalOrderUID": None, "Success": True, "Errors": None}
    return _changed(entry, changes)


def failed(order: int | None = 1001, **changes: Any) -> dict[str, Any]:
    """The result of one instruction that failed."""
    return result(order, **{"Success": False, "Errors": ["Order is not active."], **changes})


def instruction(order: int | None = 1001, **changes: Any) -> dict[str, Any]:
    """One instruction for an order that is not international."""
    item = {
        "OrderID": order,
        "CreatorID": 7,
        "PIN": "4711",
        "IsInternationalOrder": False,
        "InternationalOrderUID": None,
    }
    return _changed(item, changes)


def abroad(uid: str | None = UID, **changes: Any) -> dict[str, Any]:
    """One instruction for an international order."""
    return instruction(None, IsInternationalOrder=True, InternationalOrderUID=uid, **changes)


def _changed(value: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: member for key, member in {**value, **changes}.items() if member is not ...}


def results_xml(*items: str) -> str:
    """A result list in the form of the document's sample."""
    return f'<ArrayOfCancellationCreationResult xmlns:i="{XSI}" xmlns="{RESULTS_NS}">{"".join(items)}</ArrayOfCancellationCreationResult>'


def result_xml(
    errors: str = f'<Errors xmlns:d3p1="{ARRAYS_NS}" i:nil="true" />',
    uid: str = '<InternationalOrderUID i:nil="true" />',
    order: str = "<OrderID>1001</OrderID>",
    success: str = "<Success>true</Success>",
) -> str:
    """One result in the form of the document's sample."""
    return f"<CancellationCreationResult>{errors}{uid}{order}{success}</CancellationCreationResult>"


def error_xml(text: str = "The list cannot be read.") -> str:
    """The error string in XML."""
    return f'<string xmlns="{ERROR_NS}">{text}</string>'


def http(body: Any, status: int = 200, media: str | None = "application/json; charset=utf-8") -> Exchange:
    """An HTTP answer; `body` is bytes, text, or a value to be written as JSON."""
    data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = () if media is None else (("Content-Type", media),)
    return Exchange(b"sent", data, HttpReply(status, "", headers, data, "1.1"), None, 0.0, 0.001)


def frame(payload: Any, *, m: Any = 1, i: Any = 4, n: Any = "CancelAllOrders", **extra: Any) -> bytes:
    """A frame; `payload` is text, or a value to be written as JSON; `...` leaves a member out."""
    text = payload if isinstance(payload, str) or payload in (None, ...) else json.dumps(payload)
    return json.dumps(_changed({"m": m, "i": i, "n": n, "o": text, **extra}, {})).encode()


def ws(reply: bytes | None = None, *, others: Sequence[bytes] = (), problem: WireProblem | None = None) -> Exchange:
    """What came back over WebSocket; nothing at all is silence."""
    answered = None if reply is None else WsReply(reply, tuple(others))
    return Exchange(
        b"sent", reply or b"", answered, problem, 0.0, 0.001, others=tuple(others), silent=not reply and not problem
    )


def no_answer(kind: Any = "timeout", *, others: Sequence[bytes] = ()) -> Exchange:
    """An exchange that came to nothing."""
    return Exchange(
        b"sent", b"", None, WireProblem(kind, "nothing came in 1 s", "wait"), 0.0, 1.0, others=tuple(others)
    )


def case(
    operation: str,
    *alternatives: Alternative,
    requirement: str = "CASE",
    requirements: tuple[str, ...] = (),
    transport: Transport = Transport.HTTP,
    media_type: str = JSON,
    effect: str = "EFFECT",
    outside: str = "OUTSIDE",
    together: int = 1,
    code: str | None = None,
    accept: str | None = None,
) -> Case:
    """A case that expects one of the alternatives."""
    return Case(
        id="case", operation=operation, title="", requirements=(requirement, *requirements), role="user", transport=transport,
        media_type=media_type, message=Message(Body("")), expect=Expectation(requirement, alternatives, effect, outside),
        together=together, code=code, accept=accept,
    )  # fmt: skip


def judged(
    one: Case,
    *exchanges: Exchange,
    sent: Any = None,
    before: Mapping[str, str] | None = None,
    after: Mapping[str, str] | None = None,
    secrets: tuple[str, ...] = (),
    pins: Mapping[str, str] | None = None,
) -> Judgement:
    """The judgement on a case; `sent` is the request's body, or the whole frame over WebSocket."""
    data = sent if isinstance(sent, bytes) else json.dumps(sent).encode() if sent is not None else b""
    frame_sent = data if one.transport == "ws" else b""
    requirements = {(one.operation, name): f"PIN-{name}" for name in pins or {}}
    observation = Observation(exchanges, data, frame_sent, before or {}, after or {}, secrets)
    return judge(kit(one.operation), one, observation, Pins(dict(pins or {}), requirements))


def broken(judgement: Judgement) -> list[str]:
    """The requirements of the findings, in their order."""
    return [finding.requirement for finding in judgement.findings]


def faults_of(operation: str, exchange: Exchange, *, accept: str | None = None, sent: bytes = b"") -> list[str]:
    """The requirements that an answer breaks however it is judged."""
    answer = read_answer(kit(operation), exchange, sent, accept)
    unreadable = [] if answer.unreadable is None else [answer.unreadable]
    return [finding.requirement for finding in (*unreadable, *answer.findings)]
