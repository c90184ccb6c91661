"""What the guard makes of a message and of a `scope:` key: rules, bounds, headers, chunks, frames."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import pytest
from scope_support import (
    ACCOUNT,
    CAO,
    FOREIGN_ACCOUNT,
    FOREIGN_ORDER,
    LIMITED,
    ORDER,
    TPP,
    XML,
    cao,
    catalogue,
    judged,
    post,
    text_frame,
    with_headers,
)

from conformance.contract.load import load_contract
from conformance.formats.json.pointer import MAX_DEPTH
from conformance.guard.guard import Scope, catalogue_of
from conformance.guard.rules import Member, Rule
from conformance.guard.values import Bounds, Granted, dashed
from conformance.model.case import Transport
from conformance.model.spec import Operation, ScopeMember, ScopeRules, SetUpCall
from conformance.wire.messages import HttpRequest


def operation(scope: ScopeRules, name: str = "alphapoint.cancel_all_orders", **changes: Any) -> dict[str, Operation]:
    return {name: dataclasses.replace(load_contract().operations[name], scope=scope, **changes)}


MEMBERS = {
    "OMSId": ScopeMember("oms", "everything", ("AccountId",)),
    "AccountId": ScopeMember("account", "nothing"),
}


def test_a_scope_key_becomes_rules_for_its_calls_and_what_only_reads() -> None:
    calls = {
        "SendOrder": SetUpCall({"OrderId": ScopeMember("order", "nothing")}, unreadable="tokens"),
        "Other": SetUpCall(path="/x/Other"),
    }
    scope = ScopeRules(MEMBERS, harmless=("Creator_ID",), reads=("Get*",), calls=calls)
    known = catalogue_of(operation(scope))
    types = load_contract().operations["alphapoint.cancel_all_orders"].media_types
    members = (Member("OMSId", "oms", True, ("AccountId",)), Member("AccountId", "account", False, ()))
    own = Rule("CancelAllOrders", "/AP/CancelAllOrders", types, members, frozenset({"creatorid"}), True,
               {"omsid": members[0], "accountid": members[1]}, "POST")  # fmt: skip
    order = Member("OrderId", "order", False, ())
    send = Rule("SendOrder", "/AP/SendOrder", types, (order,), frozenset(), False, {"orderid": order})
    other = Rule("Other", "/x/Other", types, (), frozenset(), True, {})
    assert known.operations == (own,)
    assert known.by_path == {"/ap/cancelallorders": (own,), "/ap/sendorder": (send,), "/x/other": (other,)}
    assert known.by_call == {"cancelallorders": own, "sendorder": send, "other": other}
    assert (known.read_calls, known.read_paths) == (("get*",), ("/ap/get*",))
    assert own.kinds == ("oms", "account")


def test_what_only_reads_is_known_by_its_folder_and_a_plain_name() -> None:
    known = catalogue_of(operation(ScopeRules(reads=("Get*",))))
    assert known.reads_call("GETthings")
    assert not known.reads_call("get things")
    assert not known.reads_call("forget")
    assert known.reads_path("/ap/getthings")
    assert not known.reads_path("/ap/x/getthings")
    assert not known.reads_path("/getthings")
    assert not known.reads_path("/ap/get.things")


def test_calls_are_framed_only_where_the_operation_is() -> None:
    known = catalogue_of(operation(ScopeRules(calls={"Make": SetUpCall()}), transports=(Transport.HTTP,)))
    assert (sorted(known.by_path), known.by_call) == (["/ap/cancelallorders", "/ap/make"], {})


def test_bounds_tell_own_granted_vouched_and_unlimited_apart() -> None:
    scope = Scope(accounts=frozenset({1}), orders=frozenset({2}), oms=None, unknown=frozenset({3, "AB-C"}))
    bounds = Bounds(scope, Granted(frozenset({4}), frozenset({5}), frozenset({"u"})))
    assert [bounds.own("order", one) for one in (2, 4, 5, 3, 6)] == [True, True, True, False, False]
    assert [bounds.permits("order", one) for one in (2, 4, 5, 3, 6)] == [True, True, True, True, False]
    assert [bounds.own("uid", "u"), bounds.own("account", "u"), bounds.own("account", 4)] == [True, False, False]
    assert [bounds.vouched("ab-c"), bounds.vouched("AB-C"), bounds.vouched(1)] == [True, False, False]
    assert bounds.unlimited("oms")
    assert bounds.own("oms", 99)
    assert not bounds.unlimited("instrument")


def test_everything_is_unlimited() -> None:
    scope = Scope.everything(max_requests=2)
    assert scope.unlimited
    assert scope.max_requests == 2
    assert not dataclasses.replace(scope, destructive=False).unlimited
    assert not dataclasses.replace(scope, uids=frozenset()).unlimited
    assert dashed("6269C403 5b9f:47DDb8c37ecbef8f686d") == "6269c403-5b9f-47dd-b8c3-7ecbef8f686d"


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        (("Content-Encoding", ""), True),
        (("Content-Encoding", " IDENTITY "), True),
        (("Content-Encoding", "gzip"), False),
        (("content_encoding", "br"), False),
        (("CONTENT-LENGTH", "3"), False),
        (("X-AccountId", str(FOREIGN_ACCOUNT)), False),
        (("X-AccountId", str(ACCOUNT)), True),
        (("X-Other", str(FOREIGN_ACCOUNT)), True),
        (("X-Thing", "a\nb"), False),
        (("X\r", "a"), False),
    ],
)
def test_a_header_is_judged_by_what_it_makes_of_the_request(header: tuple[str, str], allowed: bool) -> None:
    assert judged(with_headers(cao(str(ACCOUNT)), header)).allowed is allowed


@pytest.mark.parametrize(
    ("headers", "body", "allowed"),
    [
        ((("Transfer-Encoding", " Chunked"),), b"%x\r\n%b\r\n0\r\n\r\n", True),
        ((("TRANSFER-ENCODING", "chunked"),), b"%x;a=b\r\n%b\r\n0\r\n\r\n", True),
        ((("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")), b"%x\r\n%b\r\n0\r\n\r\n", False),
        ((("Transfer-Encoding", "gzip"),), b"%x\r\n%b\r\n0\r\n\r\n", False),
        ((("Transfer-Encoding", "chunked"),), b"%x\r\n%b\r\n0\r\n\r\nmore", False),
        ((("Transfer-Encoding", "chunked"),), b"%x\r\n%bxx0\r\n\r\n", False),
        ((("Transfer-Encoding", "chunked"),), b"%x\r\n%b\r\n", False),
        ((("Transfer-Encoding", "chunked"),), b"ff\r\n%b%x", False),
    ],
)
def test_chunks_are_taken_apart_or_the_body_is_refused(
    headers: tuple[tuple[str, str], ...], body: bytes, allowed: bool
) -> None:
    good = cao(str(ACCOUNT))
    framed = body.replace(b"%x", f"{len(good.body):X}".encode()).replace(b"%b", good.body)
    assert judged(HttpRequest("POST", CAO, (*good.headers, *headers), framed)).allowed is allowed


def test_a_query_judges_beside_and_without_the_body() -> None:
    """Who passes the query over finds no account in an empty body, which may mean every account."""
    own = f"{CAO}?OMSId=1&AccountId={ACCOUNT}"
    assert judged(post(own, f'{{"OMSId":1,"AccountId":{ACCOUNT}}}')).allowed
    for body in ("", " \r\n\t", "\x0b", "\x0c \x0b"):
        assert not judged(post(own, body)).allowed
    assert not judged(post(f"{own}&AccountId=10", "")).allowed
    assert not judged(post(f"{CAO}?OMSId=1", "")).allowed
    assert not judged(HttpRequest("GET", own)).allowed
    assert not judged(HttpRequest("GET", f"{CAO}?OMSId=1&AccountId={FOREIGN_ACCOUNT}")).allowed


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/AP/CancelAllOrders/", True),
        ("/AP/%2543ancelAllOrders", True),
        ("/AP/X/CancelAllOrders", False),
        ("/AP/CancelAllOrders#a", False),
    ],
)
def test_a_path_is_unescaped_three_times_and_loses_its_last_slash(path: str, allowed: bool) -> None:
    good = cao(str(ACCOUNT))
    assert judged(dataclasses.replace(good, path=path)).allowed is allowed


def test_a_charset_of_the_content_type_is_one_that_a_reader_may_follow() -> None:
    body = f"+AHs-{FOREIGN_ORDER}"
    assert not judged(post(TPP, body, "application/json; charset=utf-7")).allowed
    own = f'[{{"OrderID":{ORDER}}}]'
    assert judged(post(TPP, own, "application/json; charset=utf-8")).allowed
    assert not judged(post(TPP, f"[{FOREIGN_ORDER}]".encode("utf-16-le"), "application/json; charset=utf-16")).allowed
    assert judged(post(TPP, f"<a><OrderID>{ORDER}</OrderID></a>", XML)).allowed


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        (b"\xe9\xe8", False),
        (b"\xff\xfe", False),
        (b"...", True),
        ("--", True),
        ("a", False),
        ('{"m":0,"i":2,"n":"CancelAllOrders","o":"{\\"OMSId\\":1,\\"AccountId\\":9}"}', True),
        ('{"m":0,"i":2,"n":"CancelAllOrders","o":{"OMSId":1,"AccountId":9}}', False),
        ('{"m":0,"i":2,"n":"CancelAllOrders","O":"{\\"OMSId\\":1,\\"AccountId\\":9}"}', False),
        ('{"m":0,"i":2,"n":"CancelAllOrders","o":"{\\"OMSId\\":1,\\"AccountId\\":9}","x":{"AccountId":77}}', False),
        ('{"m":0,"i":2,"n":"CancelAllOrders","o":"{\\"OMSId\\":1,\\"AccountId\\":9}","x":{"AccountId":9}}', False),
        ('{"m":0,"i":2,"n":"CancelAllOrders","o":"{\\"OMSId\\":1,\\"AccountId\\":9}","AccountId":9}', True),
        ('{"m":0,"i":2,"n":"CancelAllOrders","o":"{\\"OMSId\\":1,\\"AccountId\\":9}","AccountId":77}', False),
        ('{"m":0,"i":2,"n":"CancelAllOrders","o":"{\\"OMSId\\":1,\\"AccountId\\":9}","x":9}', True),
        ('{"m":0,"i":2,"n":"CancelAllOrders","o":"{\\"OMSId\\":1,\\"AccountId\\":9}","x":"y"}', False),
        ('{"m":0,"i":2,"n":"CancelAllOrders","o":"<a/>"}', False),
        ('{"m":0,"i":2,"n":"CancelAllOrders"}', False),
        ('{"m":0,"i":2,"n":"CancelAllOrders","o":"nope"}', False),
    ],
)  # fmt: skip
def test_a_frame_is_judged_by_every_payload_that_a_reader_may_find(text: str | bytes, allowed: bool) -> None:
    assert judged(text_frame(text)).allowed is allowed


def test_the_catalogue_of_the_contract_knows_each_reading_call_once() -> None:
    known = catalogue()
    assert known.reads_call("Ping")
    assert not known.reads_call("CancelOrder")
    assert LIMITED.destructive


@pytest.mark.parametrize("pair", [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 2_000, 100_000])
def test_a_message_beyond_the_depth_is_judged_as_text_on_every_python(pair: tuple[str, str], depth: int) -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)  # a parser that goes deeper must not make the guard follow
    try:
        for inner, word in (("", "allowed"), (str(FOREIGN_ORDER), "may be an id outside the scope")):
            text = pair[0] * depth + inner + pair[1] * depth
            decision = judged(post(TPP, text))
            assert (word in decision.reason) if inner else decision.allowed, decision
    finally:
        sys.setrecursionlimit(limit)
