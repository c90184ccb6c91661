"""Requests held against the contract's request side: wrong ones are found on their sentence, odd but legal ones are not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.contract.load import load_contract
from conformance.model.case import Transport
from conformance.passive.requests import RequestJudge, is_near
from conformance.passive.tapped import Tapped

from .scripted import in_xml

CONTRACT = load_contract(None)
JUDGES = {one.short: RequestJudge(one) for one in CONTRACT.operations.values()}
ORDER = {
    "OrderID": 5, "CreatorID": 9, "PIN": None, "IsInternationalOrder": False, "InternationalOrderUID": None,
}  # fmt: skip
UID = "6269c403-5b9f-47dd-b8c3-7ecbef8f686d"
ABROAD = {**ORDER, "OrderID": None, "IsInternationalOrder": True, "InternationalOrderUID": UID}
PATHS = {one.short: one.path for one in CONTRACT.operations.values()}
JSON, XML = "application/json", "application/xml"


def over_http(short: str, body: Any, media: str | None = JSON, method: str = "POST", path: str = "") -> Tapped:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = (("Content-Type", media),) if media else ()
    return Tapped("x#1", Transport.HTTP, method, f"http://h{path or PATHS[short]}", headers, data)


def over_ws(frame: Any, payload: Any = None) -> Tapped:
    text = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
    return Tapped("x#1", Transport.WS, "", "ws://h/", (), json.dumps(payload).encode(), text)


def frame(payload: Any, **changes: Any) -> Tapped:
    return over_ws({"m": 0, "i": 2, "n": "CancelAllOrders", "o": json.dumps(payload), **changes}, payload)


CAO = {"OMSId": 1, "AccountId": 7}
CO = {"OMSId": 1, "AccountId": 7, "OrderId": 5}
CQ = {"omsId": 1, "bidQuoteId": 5, "askQuoteId": 6}
HEAD = in_xml([]).replace(b"></ArrayOfCancellationCreation>", b"").decode()


def without(value: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: content for name, content in value.items() if name not in names}


WRONG: dict[str, tuple[str, Tapped, str]] = {
    "no OMSId": ("cao", over_http("cao", {"AccountId": 7}), "CAO-REQ-OMSID-REQUIRED"),
    "OMSId in words": ("cao", over_http("cao", {**CAO, "OMSId": "one"}), "CAO-REQ-OMSID-TYPE"),
    "OMSId as text": ("cao", over_http("cao", {**CAO, "OMSId": "1"}), "CAO-REQ-OMSID-TYPE"),
    "AccountId in a list": ("cao", over_http("cao", {**CAO, "AccountId": [7]}), "CAO-REQ-ACCOUNTID-TYPE"),
    "AccountId null": ("cao", over_http("cao", {**CAO, "AccountId": None}), "CAO-REQ-ACCOUNTID-TYPE"),
    "misspelt AccountId": ("cao", over_http("cao", {"OMSId": 1, "AcountId": 7}), "CAO-REQ-ACCOUNTID-OPTIONAL"),
    "AccountId with a stroke": ("cao", over_http("cao", {"OMSId": 1, "account_id": 7}), "CAO-REQ-ACCOUNTID-OPTIONAL"),
    "a list": ("cao", over_http("cao", [CAO]), "CAO-REQ-FORM"),
    "no JSON": ("cao", over_http("cao", b"{'OMSId': 1}"), "CAO-REQ-FORM"),
    "a comma too many": ("cao", over_http("cao", b'{"OMSId": 1,}'), "CAO-REQ-FORM"),
    "no body": ("cao", over_http("cao", b""), "CAO-REQ-FORM"),
    "GET": ("cao", over_http("cao", b"", method="GET"), "CAO-HTTP-ROUTE"),
    "path in lower case": ("cao", over_http("cao", CAO, path="/ap/cancelallorders"), "CAO-HTTP-ROUTE"),
    "slash behind": ("cao", over_http("cao", CAO, path="/AP/CancelAllOrders/"), "CAO-HTTP-ROUTE"),
    "no order": ("co", over_http("co", without(CO, "OrderId")), "CO-REQ-ID-REQUIRED"),
    "order as text": ("co", over_http("co", {**CO, "OrderId": "5"}), "CO-REQ-ORDERID-TYPE"),
    "order a fraction": ("co", over_http("co", {**CO, "OrderId": 5.5}), "CO-REQ-ORDERID-TYPE"),
    "misspelt OrderId": ("co", over_http("co", {**without(CO, "OrderId"), "OderId": 5}), "CO-REQ-ID-REQUIRED"),
    "no bid": ("cq", over_http("cq", without(CQ, "bidQuoteId")), "CQ-REQ-BIDQUOTEID-REQUIRED"),
    "no ask": ("cq", over_http("cq", without(CQ, "askQuoteId")), "CQ-REQ-ASKQUOTEID-REQUIRED"),
    "ask true": ("cq", over_http("cq", {**CQ, "askQuoteId": True}), "CQ-REQ-ASKQUOTEID-TYPE"),
    "m 2": ("cao", frame(CAO, m=2), "CAO-WS-M-REQUEST"),
    "m as text": ("cao", frame(CAO, m="0"), "CAO-WS-M"),
    "i as text": ("cao", frame(CAO, i="2"), "CAO-WS-I"),
    "i is missing": ("cao", over_ws({"m": 0, "n": "CancelAllOrders", "o": json.dumps(CAO)}, CAO), "CAO-WS-I"),
    "o is an object": ("cao", frame(CAO, o=CAO), "CAO-WS-O"),
    "n in lower case": ("cao", frame(CAO, n="cancelallorders"), "CAO-WS-N"),
    "one object": ("tpp", over_http("tpp", ORDER), "TPP-REQ-LIST"),
    "a list of numbers": ("tpp", over_http("tpp", [5]), "TPP-REQ-LIST"),
    "no content type": ("tpp", over_http("tpp", [ORDER], None), "TPP-UNSUPPORTED-MEDIA"),
    "text/plain": ("tpp", over_http("tpp", [ORDER], "text/plain"), "TPP-UNSUPPORTED-MEDIA"),
    "PUT": ("tpp", over_http("tpp", [ORDER], method="PUT"), "TPP-METHOD"),
    "no OrderID": ("tpp", over_http("tpp", [without(ORDER, "OrderID")]), "TPP-REQ-ORDERID-REQUIRED"),
    "OrderID null at home": ("tpp", over_http("tpp", [{**ORDER, "OrderID": None}]), "TPP-REQ-ORDERID-REQUIRED"),
    "no CreatorID abroad": ("tpp", over_http("tpp", [without(ABROAD, "CreatorID")]), "TPP-REQ-CREATORID-REQUIRED"),
    "no UID abroad": (
        "tpp", over_http("tpp", [{**ABROAD, "InternationalOrderUID": None}]), "TPP-REQ-UID-REQUIRED"
    ),
    "a UID that is none": (
        "tpp", over_http("tpp", [{**ABROAD, "InternationalOrderUID": "6269"}]), "TPP-REQ-UID-TYPE"
    ),
    "PIN as number": ("tpp", over_http("tpp", [{**ORDER, "PIN": 1234}]), "TPP-REQ-PIN-TYPE"),
    "flag as text": ("tpp", over_http("tpp", [{**ORDER, "IsInternationalOrder": "false"}]), "TPP-REQ-ISINTL-TYPE"),
    "orderId in camel case": ("tpp", over_http("tpp", [{"orderId": 5}]), "TPP-REQ-ORDERID-REQUIRED"),
    "XML cut off": ("tpp", over_http("tpp", in_xml([ORDER])[:-5], XML), "TPP-REQ-LIST"),
    "another root": (
        "tpp", over_http("tpp", in_xml([ORDER]).replace(b"ArrayOfCancellationCreation", b"List"), XML),
        "TPP-REQ-XML-ROOT",
    ),
    "no namespace": (
        "tpp", over_http("tpp", in_xml([ORDER]).replace(b' xmlns="http://schemas.datacontract.org/2004/07/"', b""), XML),
        "TPP-REQ-XML-NS",
    ),
    "members out of order": (
        "tpp",
        over_http("tpp", (HEAD + "><CancellationCreation><OrderID>5</OrderID><CreatorID>9</CreatorID>"
                          "</CancellationCreation></ArrayOfCancellationCreation>").encode(), XML),
        "TPP-REQ-XML-ORDER",
    ),
    "JSON said to be XML": ("tpp", over_http("tpp", [ORDER], XML), "TPP-REQ-LIST"),
}  # fmt: skip

RIGHT: dict[str, tuple[str, Tapped]] = {
    "plain": ("cao", over_http("cao", CAO)),
    "account left out": ("cao", over_http("cao", {"OMSId": 1})),
    "account 0": ("cao", over_http("cao", {"OMSId": 1, "AccountId": 0})),
    "keys in camel case": ("cao", over_http("cao", {"omsId": 1, "accountId": 7})),
    "keys in upper case": ("cao", over_http("cao", {"OMSID": 1, "ACCOUNTID": 7})),
    "with an instrument": ("cao", over_http("cao", {**CAO, "InstrumentId": 3})),
    "a member of another": ("cao", over_http("cao", {**CAO, "Comment": "x"})),
    "no content type": ("cao", over_http("cao", CAO, None)),
    "text/plain": ("cao", over_http("cao", CAO, "text/plain; charset=utf-8")),
    "behind a prefix": ("cao", over_http("cao", CAO, path="/v2/exchange/AP/CancelAllOrders")),
    "with a query": ("cao", over_http("cao", CAO, path="/AP/CancelAllOrders?trace=1")),
    "indented": ("cao", over_http("cao", json.dumps(CAO, indent=4).encode())),
    "1.0": ("cao", over_http("cao", b'{"OMSId": 1.0, "AccountId": 7}')),
    "64 bits": ("co", over_http("co", {**CO, "OrderId": 2**62})),
    "by client": ("co", over_http("co", {"OMSId": 1, "ClientOrderId": 99})),
    "both ids": ("co", over_http("co", {**CO, "ClientOrderId": 99})),
    "quote alone": ("cq", over_http("cq", CQ)),
    "quote with all": ("cq", over_http("cq", {**CQ, "accountId": 7, "instrumentId": 1})),
    "odd number": ("cao", frame(CAO, i=3)),
    "huge number": ("cao", frame(CAO, i=2**60)),
    "negative number": ("cao", frame(CAO, i=-4)),
    "a member more in the frame": ("cao", frame(CAO, trace="x")),
    "empty list": ("tpp", over_http("tpp", [])),
    "at home and abroad": ("tpp", over_http("tpp", [ORDER, ABROAD])),
    "flag left out": ("tpp", over_http("tpp", [{"OrderID": 5}])),
    "PIN with zeros": ("tpp", over_http("tpp", [{**ORDER, "PIN": "007x"}])),
    "text/json": ("tpp", over_http("tpp", [ORDER], "Text/JSON; charset=UTF-8")),
    "64 bits of an id": ("tpp", over_http("tpp", [{**ORDER, "OrderID": 2**40}])),
    "UID in capitals": ("tpp", over_http("tpp", [{**ABROAD, "InternationalOrderUID": UID.upper()}])),
    "XML": ("tpp", over_http("tpp", in_xml([ORDER, ABROAD]), "text/xml")),
    "XML of a few members": (
        "tpp", over_http("tpp", (HEAD + "><CancellationCreation><OrderID>5</OrderID></CancellationCreation>"
                                 "</ArrayOfCancellationCreation>").encode(), XML),
    ),
    "XML with a declaration and space": (
        "tpp", over_http("tpp", b'<?xml version="1.0" encoding="utf-8"?>\n' + in_xml([ORDER]).replace(b"><", b">\n <"), XML)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_request_is_found_on_its_sentence(name: str) -> None:
    short, tapped, requirement = WRONG[name]
    assert requirement in {one.requirement for one in JUDGES[short].judge(tapped).findings}


@pytest.mark.parametrize("name", RIGHT)
def test_unusual_but_legal_request_is_not_blamed(name: str) -> None:
    short, tapped = RIGHT[name]
    assert JUDGES[short].judge(tapped).findings == ()


@pytest.mark.parametrize("edition", ["", "3.2", "later"])
@pytest.mark.parametrize(
    ("members", "breaks"),
    [
        ({"InstrumentId": "BTC"}, {"3.2": "CAO-EARLIER-INSTRUMENT", "later": "CAO-LATER-INSTRUMENT"}),
        ({"intrumentid": [1]}, {"later": "CAO-LATER-INSTRUMENT"}),
        ({"UserId": 1.5}, {"3.2": "CAO-EARLIER-USER"}),
        ({"InstrumentId": 4}, {}),
    ],
    ids=["instrument", "misspelt", "user", "right"],
)
def test_members_of_an_edition_are_judged_where_it_is_pinned(
    edition: str, members: dict[str, Any], breaks: dict[str, str]
) -> None:
    judge = RequestJudge(replace(CONTRACT.operations["alphapoint.cancel_all_orders"], edition=edition))
    found = judge.judge(over_http("cao", {**CAO, **members}))
    assert [one.requirement for one in found.findings] == [breaks[one] for one in breaks if one == edition]
    (name,) = members
    known = (edition == "later" and name != "UserId") or (edition == "3.2" and name != "intrumentid")
    assert bool([one for one in found.notes if name in one]) is not known


def test_there_are_forty_wrong_and_twenty_right_ones() -> None:
    assert len(WRONG) >= 40
    assert len(RIGHT) >= 20


def test_every_requirement_that_a_request_is_held_against_is_in_the_contract() -> None:
    for short, tapped in RIGHT.values():
        assert set(JUDGES[short].judge(tapped).requirements) <= set(CONTRACT.requirements)


@pytest.mark.parametrize(
    ("value", "note"),
    [
        ({"OMSId": 1}, "names no account (AccountId), which may mean every one"),
        ({"OMSId": 1, "AccountId": 0}, "names no account (AccountId), which may mean every one"),
        ({**CAO, "Comment": "x"}, "/Comment: no document names this member"),
        (
            {**CAO, "IntrumentId": "1"},
            "/IntrumentId: the page has no row for it; a server may act on more than it names",
        ),
    ],
)
def test_what_a_careful_client_should_know_is_a_note(value: dict[str, Any], note: str) -> None:
    assert note in JUDGES["cao"].judge(over_http("cao", value)).notes


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("AcountId", "AccountId", True),
        ("AccuontId", "AccountId", True),
        ("AccountIdd", "AccountId", True),
        ("account_id", "AccountId", True),
        ("AccountNo", "AccountId", False),
        ("Id", "OMSId", False),
        ("OrderIds", "OrderId", True),
        ("ClientId", "OrderId", False),
    ],
)
def test_names_that_are_near(one: str, other: str, near: bool) -> None:
    assert is_near(one, other) is near
