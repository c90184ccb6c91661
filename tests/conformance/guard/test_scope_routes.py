"""Default deny: what is no known call, or may be taken for another, is refused; frames, paths, headers, budget."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from scope_support import (
    ACCOUNT,
    CAO,
    FOREIGN_ACCOUNT,
    GRANTED,
    JSON,
    LIMITED,
    OMS,
    TPP,
    cao,
    catalogue,
    frame,
    instruction,
    judged,
    post,
    quote,
    text_frame,
    tpp,
    with_headers,
)

from conformance.contract.load import load_contract
from conformance.guard.guard import Scope, catalogue_of, decide_by
from conformance.wire.messages import HttpRequest

GOOD = json.dumps({"OMSId": OMS, "AccountId": ACCOUNT})
BAD = json.dumps({"OMSId": OMS, "AccountId": FOREIGN_ACCOUNT})


def _frame(**members: Any) -> str:
    given = {"m": 0, "i": 2, "n": "CancelAllOrders", "o": GOOD, **members}
    return json.dumps({key: value for key, value in given.items() if value is not ...})


@pytest.mark.parametrize(
    "call",
    [
        "Authenticate",
        "AuthenticateUser",
        "WebAuthenticateUser",
        "GetUserAccounts",
        "GetOpenOrders",
        "GetOrderStatus",
        "GetOpenQuotes",
        "GetProducts",
        "GetInstruments",
        "Ping",
        "LogOut",
        "ping",
    ],
)
def test_reading_calls_pass_over_both_transports(call: str) -> None:
    assert judged(frame(call, BAD)).allowed
    assert judged(HttpRequest("GET", f"/AP/{call}?AccountId={FOREIGN_ACCOUNT}")).allowed
    assert judged(post(f"/AP/{call}", "{}")).allowed
    assert not judged(HttpRequest("DELETE", f"/AP/{call}")).allowed


@pytest.mark.parametrize(
    "call",
    [
        "CancelReplaceOrder",
        "CancelAllOrdersNothing",
        "Cancel",
        "PingAll",
        "GetOpenOrders2",
        "Authenticate\nCancelAllOrders",
        "",
        " ",
    ],
)
def test_unknown_calls_are_refused_but_not_under_an_unlimited_scope(call: str) -> None:
    path = f"/AP/{call}".rstrip()
    assert not judged(post(path, GOOD)).allowed
    assert judged(post(path, GOOD), Scope.everything()).allowed
    if call.strip():
        assert not judged(frame(call, GOOD)).allowed


@pytest.mark.parametrize("path", ["", "/", "/AP", "/CancelAllOrders", f"/x{CAO}", f"{CAO}/all", f"{TPP}/61", "/AP/ping/../CancelAllOrders",
                                  "/AP//CancelAllOrders", f"{CAO};x=1", f"{CAO}%00", f"{CAO}\\", f"{CAO}#x", "/AP/Authenticate/../x"])  # fmt: skip
def test_paths_that_are_not_plainly_the_call_are_refused(path: str) -> None:
    assert not judged(post(path, GOOD)).allowed


@pytest.mark.parametrize(
    "path", [CAO, CAO.upper(), CAO.lower(), CAO + "/", "/AP/Cancel%41llOrders", "/%41P/Cancel%2541llOrders"]
)
def test_a_path_is_recognised_in_any_case_and_escaped_and_judged_by_its_call(path: str) -> None:
    assert judged(post(path, GOOD)).allowed
    assert not judged(post(path, BAD)).allowed


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_methods_with_a_body_are_judged_as_the_call(method: str) -> None:
    assert judged(post(CAO, GOOD, method=method)).allowed
    assert not judged(post(CAO, BAD, method=method)).allowed


@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD", "OPTIONS"])
def test_methods_whose_body_may_go_unread_are_refused_where_that_means_every_account(method: str) -> None:
    assert not judged(post(CAO, GOOD, method=method)).allowed
    assert judged(post(TPP, json.dumps([instruction()]), method=method)).allowed
    assert not judged(post(TPP, json.dumps([instruction(61)]), method=method)).allowed


@pytest.mark.parametrize(
    "header",
    [
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Original-URL", "/AP/Other"),
        ("Content-Encoding", "gzip"),
        ("Content-Length", "5"),
        ("Transfer-Encoding", "gzip, chunked"),
        ("Transfer-Encoding", "chunked"),
        ("X-A", "b\r\nX: y"),
        ("X-Rewrite-Url", "/"),
        ("AccountId", str(FOREIGN_ACCOUNT)),
        ("Content-Type", JSON),
    ],
)
def test_headers_that_make_another_request_of_it_are_refused(header: tuple[str, str]) -> None:
    assert not judged(with_headers(cao(str(ACCOUNT)), header)).allowed


@pytest.mark.parametrize(
    "name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "HTTP-Method-Override"]
)
def test_a_method_in_a_header_is_judged_as_the_method_itself(name: str) -> None:
    """What a GET or a POST may name, a server that goes by the header may do; nothing beyond it."""
    good, bad = json.dumps([instruction()]), json.dumps([instruction(61)])
    for method, other in (("GET", "POST"), ("POST", "GET"), ("POST", "DELETE")):
        assert judged(with_headers(post(TPP, good, method=method), (name, other))).allowed
        assert not judged(with_headers(post(TPP, bad, method=method), (name, other))).allowed
    assert not judged(with_headers(cao(str(ACCOUNT)), (name, "GET"))).allowed
    assert not judged(with_headers(post(TPP, good), (name, "PURGE"))).allowed
    assert judged(post("/AP/GetOpenOrders", "{}")).allowed
    assert not judged(with_headers(post("/AP/GetOpenOrders", "{}"), (name, "DELETE"))).allowed


def test_an_id_in_the_query_is_judged_like_one_in_the_body() -> None:
    good = json.dumps([instruction()])
    number = json.loads(good)[0]["OrderID"]
    assert judged(post(f"{TPP}?OrderID={number}", good)).allowed
    assert not judged(post(f"{TPP}?OrderID=61", good)).allowed
    assert not judged(post(f"{TPP}?OrderID=61", "[]")).allowed


def test_a_signed_number_is_another_number_and_needs_a_scope_of_its_own() -> None:
    number = json.loads(json.dumps(instruction()))["OrderID"]
    assert judged(post(TPP, json.dumps([instruction(number)]))).allowed
    assert not judged(post(TPP, json.dumps([instruction(-number)]))).allowed


def test_a_true_content_length_and_other_headers_pass() -> None:
    request = cao(str(ACCOUNT))
    own = ("Content-Length", str(len(request.body)))
    assert judged(with_headers(request, own, ("aptoken", "5"), ("UserId", "6"), ("Accept", "*/*"))).allowed


def test_a_chunked_body_is_judged_without_its_chunks() -> None:
    def chunked(body: str, tail: bytes = b"0\r\n\r\n") -> HttpRequest:
        data = body.encode()
        half = len(data) // 2
        parts = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (data[:half], data[half:]))
        return HttpRequest("POST", CAO, (("Content-Type", JSON), ("Transfer-Encoding", "chunked")), parts + tail)

    assert judged(chunked(GOOD)).allowed
    assert not judged(chunked(BAD)).allowed
    assert not judged(chunked(GOOD, b"")).allowed
    assert not judged(chunked(GOOD, b"0\r\n\r\nPOST /AP/CancelAllOrders HTTP/1.1\r\n\r\n")).allowed


@pytest.mark.parametrize(
    "text",
    [
        _frame(),
        _frame(n="cancelallorders"),
        _frame(m=9),
        _frame(m=...),
        _frame(i=...),
        _frame(x=1),
        f"[{_frame()}]",
        "",
        "[[]]",
        _frame(n=...),
        _frame(n=7),
        _frame(n=""),
        "[" * 2000 + "]" * 2000,
        _frame(n="Ping", o=""),
    ],
)
def test_frames_that_no_reader_takes_for_more_pass(text: str) -> None:
    assert judged(text_frame(text)).allowed
    assert judged(text_frame(text.encode())).allowed


@pytest.mark.parametrize(
    "text",
    [
        _frame(o=BAD),
        _frame(o=json.loads(BAD)),
        _frame(o=json.loads(GOOD)),
        _frame(o=...),
        _frame(o=None),
        _frame(o=""),
        _frame(o=5),
        _frame(o=[]),
        _frame(o=json.dumps(GOOD)),
        _frame(o=GOOD[:-1]),
        _frame(O=BAD),
        _frame(O=GOOD, o=...),
        _frame(AccountId=FOREIGN_ACCOUNT),
        _frame(N="CancelEverything"),
        _frame(call="CancelEverything"),
        _frame(n="CancelAllOrders "),
        f"[{_frame()},{_frame(o=BAD)}]",
        _frame()[:-1],
        _frame() + " x",
        "CancelAllOrders now 7",
        _frame()[:-1] + ',"n":"Other"}',
        _frame(n=..., o=BAD),
        "7",
        '"Cancel"',
        _frame(n="Ping")[:-1] + f',"n":"CancelAllOrders","o":{json.dumps(BAD)}' + "}",
        _frame(payload={"AccountId": FOREIGN_ACCOUNT}),
    ],
)
def test_frames_that_some_reader_takes_for_more_are_refused(text: str) -> None:
    assert not judged(text_frame(text)).allowed
    assert not judged(text_frame(text.encode())).allowed


def test_frames_that_are_not_utf8_are_refused() -> None:
    assert not judged(text_frame(b"\xff" + _frame().encode())).allowed
    assert not judged(text_frame(_frame().encode("utf-16"))).allowed


def test_http_calls_have_no_frames_and_frames_no_http_calls() -> None:
    assert not judged(frame("api/orders/cancellations", "[]")).allowed


def test_the_reason_says_what_is_outside_and_of_which_limit() -> None:
    assert judged(cao(str(FOREIGN_ACCOUNT))).reason == "AccountId: 77 is outside scope.accounts"
    assert "may be read as 77" in judged(cao("77.0")).reason
    assert "every account" in judged(cao("0")).reason
    assert judged(quote()).reason == ""


def test_only_the_operations_of_the_catalogue_are_let_through() -> None:
    known, nothing = catalogue_of(load_contract().operations), catalogue_of({})
    assert decide_by(known, LIMITED, cao(str(ACCOUNT)), GRANTED).allowed
    assert not decide_by(nothing, LIMITED, cao(str(ACCOUNT)), GRANTED).allowed


def test_an_operation_without_a_scope_key_is_refused() -> None:
    operation = load_contract().operations["tpp.create_cancellations"]
    bare = dataclasses.replace(operation, scope=None)
    assert not decide_by(catalogue_of({operation.id: bare}), LIMITED, tpp(), GRANTED).allowed


def test_every_operation_of_the_contract_has_a_rule() -> None:
    assert {rule.path for rule in catalogue().operations} == {one.path for one in load_contract().operations.values()}


def test_members_of_each_rule_stand_in_the_legal_request() -> None:
    for operation in load_contract(Path(__file__).parents[3] / "specs").operations.values():
        legal = operation.valid[0] if isinstance(operation.valid, list) else operation.valid
        assert operation.scope is not None
        everything = {name for name, one in operation.scope.members.items() if one.absent == "everything"}
        assert everything <= set(legal)
