"""A limited scope, what a run set up, and short ways to write messages for the tests of the guard."""

from __future__ import annotations

import functools
import json
from dataclasses import replace

from conformance.contract.load import load_contract
from conformance.guard.guard import Catalogue, Decision, Granted, Scope, catalogue_of, decide_by
from conformance.wire.messages import HttpRequest, ReplyMatch, WsRequest

ACCOUNT, OTHER_ACCOUNT, FOREIGN_ACCOUNT = 9, 10, 77
OMS, FOREIGN_OMS = 1, 3
INSTRUMENT, FOREIGN_INSTRUMENT = 5, 66
ORDER, SCOPED_ORDER, FOREIGN_ORDER = 50001, 50002, 61
BID, ASK = 40001, 40002
UID = "6269c403-5b9f-47dd-b8c3-7ecbef8f686d"
FOREIGN_UID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
CREATOR, PIN = 98765, "1234"
UNKNOWN, UNKNOWN_UID = 2147483647, "00000000-1111-2222-3333-444444444444"

LIMITED = Scope(
    accounts=frozenset({ACCOUNT, OTHER_ACCOUNT}),
    oms=frozenset({OMS}),
    instruments=frozenset({INSTRUMENT}),
    orders=frozenset({SCOPED_ORDER}),
    uids=frozenset(),
    unknown=frozenset({UNKNOWN, UNKNOWN_UID}),
    destructive=True,
)
GRANTED = Granted(
    orders=frozenset({ORDER}),
    quotes=frozenset({BID, ASK}),
    uids=frozenset({UID}),
    harmless_values=frozenset({str(CREATOR), PIN}),
)
CAO, CQ, TPP = "/AP/CancelAllOrders", "/AP/CancelQuote", "/api/orders/cancellations"
JSON, XML = "application/json", "application/xml"
NAMESPACE = "http://schemas.datacontract.org/2004/07/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
QUOTE = {"omsId": OMS, "accountId": ACCOUNT, "instrumentId": INSTRUMENT, "bidQuoteId": BID, "askQuoteId": ASK}


@functools.cache
def catalogue() -> Catalogue:
    """The calls of the contract in this repository."""
    return catalogue_of(load_contract().operations)


def judged(sent: HttpRequest | WsRequest, scope: Scope = LIMITED, granted: Granted = GRANTED) -> Decision:
    """The guard's decision on a message."""
    return decide_by(catalogue(), scope, sent, granted)


def post(path: str, body: str | bytes, media_type: str | None = JSON, method: str = "POST") -> HttpRequest:
    """An HTTP request; text is written as UTF-8."""
    headers = (("Content-Type", media_type),) if media_type is not None else ()
    return HttpRequest(method, path, headers, body.encode("utf-8") if isinstance(body, str) else body)


def with_headers(request: HttpRequest, *headers: tuple[str, str]) -> HttpRequest:
    """The request with more headers."""
    return replace(request, headers=(*request.headers, *headers))


def frame(call: str, payload: str) -> WsRequest:
    """A frame in the documented form."""
    return WsRequest(json.dumps({"m": 0, "i": 2, "n": call, "o": payload}), ReplyMatch(2))


def text_frame(text: str | bytes) -> WsRequest:
    """A frame with exactly this text."""
    return WsRequest(text, ReplyMatch(None))


def cao(account: str, oms: str = str(OMS)) -> HttpRequest:
    """CancelAllOrders with the JSON texts of its members."""
    return post(CAO, f'{{"OMSId":{oms},"AccountId":{account}}}')


def quote(**members: object) -> HttpRequest:
    """CancelQuote of the harness's own quote, some members replaced; None leaves a member out."""
    merged = {key: value for key, value in {**QUOTE, **members}.items() if value is not None}
    return post(CQ, json.dumps(merged))


def instruction(order: object = ORDER, uid: object = None, **more: object) -> dict[str, object]:
    """One cancellation instruction."""
    given: dict[str, object] = {"OrderID": order, "CreatorID": CREATOR, "PIN": PIN}
    return {**given, "IsInternationalOrder": uid is not None, "InternationalOrderUID": uid, **more}


def tpp(*instructions: object) -> HttpRequest:
    """A JSON list of instructions."""
    return post(TPP, json.dumps(instructions))


def tpp_xml(order: str, uid: str = '<InternationalOrderUID i:nil="true" />', before: str = "") -> HttpRequest:
    """One XML instruction whose OrderID element holds this markup."""
    return post(
        TPP,
        f'{before}<ArrayOfCancellationCreation xmlns:i="{XSI}" xmlns="{NAMESPACE}"><CancellationCreation>'
        f"<CreatorID>{CREATOR}</CreatorID>{uid}<IsInternationalOrder>false</IsInternationalOrder>"
        f"<OrderID>{order}</OrderID><PIN>{PIN}</PIN></CancellationCreation></ArrayOfCancellationCreation>",
        XML,
    )
