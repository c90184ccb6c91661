"""CancelAllOrders, CancelQuote and the set-up calls: no account outside the scope, under no reading."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from scope_support import (
    ACCOUNT,
    ASK,
    BID,
    CAO,
    CQ,
    FOREIGN_ACCOUNT,
    FOREIGN_INSTRUMENT,
    FOREIGN_OMS,
    FOREIGN_ORDER,
    INSTRUMENT,
    LIMITED,
    OMS,
    ORDER,
    OTHER_ACCOUNT,
    QUOTE,
    SCOPED_ORDER,
    UNKNOWN,
    cao,
    frame,
    judged,
    post,
    quote,
    text_frame,
)

from conformance.guard.guard import Granted, Scope
from conformance.wire.messages import HttpRequest

GOOD = {"OMSId": OMS, "AccountId": ACCOUNT}


@pytest.mark.parametrize("account", [ACCOUNT, OTHER_ACCOUNT, UNKNOWN, f'"{ACCOUNT}"'])
def test_an_account_in_scope_or_vouched_unknown_passes(account: object) -> None:
    assert judged(cao(str(account))).allowed


@pytest.mark.parametrize(
    "account",
    [
        str(FOREIGN_ACCOUNT),
        f'"{FOREIGN_ACCOUNT}"',
        f'" {FOREIGN_ACCOUNT} "',
        f"{FOREIGN_ACCOUNT}.0",
        "7.7e1",
        str(2**32 + FOREIGN_ACCOUNT),
        str(2**64 + FOREIGN_ACCOUNT),
        str(FOREIGN_ACCOUNT - 2**32),
        "-1",
        "1e2",
        f'"0x{ACCOUNT}0"',
        '"011"',
        f'"{ACCOUNT},{FOREIGN_ACCOUNT}"',
        "true",
        "1e400",
        "9" * 30,
        '"\u0667\u0667"',
        str(2**31),
        str(2**63),
        '"0b1001101"',
        '"' + "9" * 5000 + '"',
        "1e99999999999999999999",
    ],
)
def test_a_value_that_some_reader_takes_for_another_account_is_refused(account: str) -> None:
    assert not judged(cao(account)).allowed


@pytest.mark.parametrize(
    "account",
    [
        "null",
        "0",
        "-0",
        "0.0",
        '""',
        '" "',
        "false",
        '"abc"',
        "{}",
        "[]",
        f"[{ACCOUNT}]",
        f'{{"x":{ACCOUNT}}}',
        f"{ACCOUNT}.0",
        f"{ACCOUNT}e0",
        f"{ACCOUNT}.5",
        f'" {ACCOUNT} "',
        f'"+{ACCOUNT}"',
        f'"{ACCOUNT}abc"',
        str(2**32 + ACCOUNT),
        str(2**64 + ACCOUNT),
    ],
)
def test_a_value_that_some_reader_takes_for_no_account_is_refused(account: str) -> None:
    assert not judged(cao(account)).allowed


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "null",
        "[]",
        "42",
        '"cancel"',
        f'{{"OMSId":{OMS}}}',
        "cancel everything",
        f'{{"OMSId":{OMS},"AccountId":{ACCOUNT}',
        f"{{'OMSId':{OMS},'AccountId':{ACCOUNT}}}",
        f'{{"OMSId":{OMS},"AccountId":{ACCOUNT},}}',
        f'{{"OMSId":{OMS},"AccountId":0{ACCOUNT}}}',
        f'[{{"OMSId":{OMS},"AccountId":{ACCOUNT}}}]',
        json.dumps(json.dumps(GOOD)),
        "[" * 2000 + "]" * 2000,
        f"OMSId={OMS}&AccountId={ACCOUNT}",
        f'{{"OMSId":{OMS},"AccountId":{ACCOUNT},"Note":NaN}}',
        f'{{"request":{{"OMSId":{OMS},"AccountId":{ACCOUNT}}}}}',
        f'\ufeff{{"OMSId":{OMS},"AccountId":{ACCOUNT}}}',
    ],
)
def test_a_body_in_which_some_reader_finds_no_account_is_refused(body: str) -> None:
    assert not judged(post(CAO, body)).allowed


def test_the_body_may_be_anything_when_accounts_and_systems_are_unlimited() -> None:
    free = replace(LIMITED, accounts=None, oms=None)
    for body in ("", "{}", "cancel everything", f'{{"OMSId":0,"AccountId":{FOREIGN_ACCOUNT}}}'):
        assert judged(post(CAO, body), free).allowed


@pytest.mark.parametrize(
    "extra",
    [
        f'"AccountId":{FOREIGN_ACCOUNT}',
        f'"accountid":{FOREIGN_ACCOUNT}',
        f'"ACCOUNTID":{FOREIGN_ACCOUNT}',
        f'"\\u0041ccountId":{FOREIGN_ACCOUNT}',
        f'"account_id":{FOREIGN_ACCOUNT}',
        f'" AccountId ":{FOREIGN_ACCOUNT}',
        f'"Account\\u0130d":{FOREIGN_ACCOUNT}',
        f'"Accounts":[{FOREIGN_ACCOUNT}]',
        '"AllAccounts":true',
        '"accountid":null',
        f'"x":{{"AccountId":{FOREIGN_ACCOUNT}}}',
        f'"x":[{{"y":{{"accountID":{FOREIGN_ACCOUNT}}}}}]',
        f'"Note":"{{\\"AccountId\\":{FOREIGN_ACCOUNT}}}"',
        f'"Note":"%22Account%49d%22:{FOREIGN_ACCOUNT}"',
        f'"IntrumentId":{FOREIGN_INSTRUMENT}',
        f'"omsid":{FOREIGN_OMS}',
        f'"AccountId\\u0000":{FOREIGN_ACCOUNT}',
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_member_that_adds_something_foreign_is_refused_in_either_order(extra: str, first: bool) -> None:
    own = f'"OMSId":{OMS},"AccountId":{ACCOUNT}'
    assert not judged(post(CAO, f"{{{extra},{own}}}" if first else f"{{{own},{extra}}}")).allowed


@pytest.mark.parametrize(
    ("request_", "allowed"),
    [
        (post(CAO, f'{{"\\u0041ccountId":{ACCOUNT}}}'), False),
        (post(CAO, f'{{"\\u004fMSId":{OMS},"AccountId":{ACCOUNT}}}'), True),
        (frame("CancelAllOrders", f'{{"\\u0041ccountId":{ACCOUNT}}}'), False),
        (text_frame(f'{{"m":0,"i":2,"n":"CancelAllOrders","\\u006f":"{{\\"AccountId\\":{ACCOUNT}}}"}}'), False),
        (text_frame(f'{{"m":0,"i":2,"\\u006e":"CancelAllOrders","o":"{{\\"AccountId\\":{ACCOUNT}}}"}}'), False),
        (post(CQ, json.dumps(QUOTE).replace("accountId", "\\u0061ccountId")), True),
        (post(CQ, json.dumps(QUOTE).replace("accountId", "\\u0061ccountId").replace("bid", "\\u0062id")), False),
    ],
)
def test_a_key_with_escapes_may_name_nothing_to_who_does_not_undo_them(request_: Any, allowed: bool) -> None:
    """Some readers compare names as they are written, and an account that is not named is every account."""
    assert judged(request_).allowed is allowed


def test_a_key_in_another_case_does_not_count_as_naming_the_account() -> None:
    assert not judged(post(CAO, f'{{"OMSId":{OMS},"accountid":{ACCOUNT}}}')).allowed


@pytest.mark.parametrize("extra", [{"Note": "hello"}, {"x": 1}, {"IntrumentId": str(INSTRUMENT)}])
def test_a_harmless_member_beside_the_legal_ones_passes(extra: dict[str, object]) -> None:
    assert judged(post(CAO, json.dumps({**GOOD, **extra}))).allowed


def test_an_omitted_system_is_excused_by_a_plain_account_but_a_foreign_one_is_not() -> None:
    assert judged(post(CAO, f'{{"AccountId":{ACCOUNT}}}')).allowed
    assert not judged(cao(str(ACCOUNT), str(FOREIGN_OMS))).allowed


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/xml", "garbage"])
def test_a_content_type_under_which_the_body_may_go_unread_is_refused(media_type: str | None) -> None:
    assert not judged(post(CAO, json.dumps(GOOD), media_type)).allowed


def test_query_and_body_both_count() -> None:
    assert not judged(HttpRequest("GET", f"{CAO}?OMSId={OMS}&AccountId={ACCOUNT}")).allowed
    assert not judged(HttpRequest("GET", CAO)).allowed
    assert not judged(HttpRequest("GET", f"{CAO}?AccountId={ACCOUNT}&AccountId={ACCOUNT}")).allowed
    assert not judged(post(f"{CAO}?OMSId={OMS}&AccountId={ACCOUNT}", "{}")).allowed
    for query in (
        f"AccountId={FOREIGN_ACCOUNT}",
        f"a=1;accountid={FOREIGN_ACCOUNT}",
        f"%2541ccountId={FOREIGN_ACCOUNT}",
    ):
        assert not judged(post(f"{CAO}?{query}", json.dumps(GOOD))).allowed
    assert judged(post(f"{CAO}?x=1", json.dumps(GOOD))).allowed


def test_the_legal_quote_passes_and_a_foreign_leg_does_not() -> None:
    assert judged(quote()).allowed
    assert judged(quote(bidQuoteId=UNKNOWN)).allowed
    assert not judged(quote(bidQuoteId=FOREIGN_ORDER)).allowed
    assert not judged(quote(askQuoteId=str(FOREIGN_ORDER))).allowed
    assert not judged(quote(accountId=FOREIGN_ACCOUNT)).allowed
    assert not judged(quote(instrumentId=FOREIGN_INSTRUMENT)).allowed


@pytest.mark.parametrize("account", [None, 0, "", "abc"])
def test_a_quote_without_account_passes_only_when_both_legs_are_the_harness_own(account: object) -> None:
    assert judged(quote(accountId=account)).allowed
    assert not judged(quote(accountId=account, bidQuoteId=UNKNOWN)).allowed
    assert not judged(quote(accountId=account, bidQuoteId=None)).allowed
    assert not judged(quote(accountId=account), granted=Granted()).allowed
    doubled = json.dumps({**QUOTE, "accountId": account, "bidquoteid": BID})
    assert not judged(post(CQ, doubled)).allowed


def test_legs_of_an_account_in_scope_may_be_missing() -> None:
    assert judged(quote(bidQuoteId=None, askQuoteId=None, instrumentId=None)).allowed


@pytest.mark.parametrize(
    ("call", "members", "allowed"),
    [
        (
            "SendOrder",
            {"OMSId": OMS, "AccountId": ACCOUNT, "InstrumentId": INSTRUMENT, "Quantity": 1.5, "OrderType": 2},
            True,
        ),
        ("SendOrder", {"OMSId": OMS, "AccountId": FOREIGN_ACCOUNT, "InstrumentId": INSTRUMENT}, False),
        ("SendOrder", {"OMSId": OMS, "InstrumentId": INSTRUMENT}, False),
        ("SendOrder", {"OMSId": OMS, "AccountId": ACCOUNT, "InstrumentId": FOREIGN_INSTRUMENT}, False),
        ("SendOrder", {"OMSId": OMS, "AccountId": ACCOUNT, "InstrumentId": INSTRUMENT, "OrderIdOCO": 5}, False),
        ("CreateQuote", {"OMSId": OMS, "AccountId": ACCOUNT, "InstrumentId": INSTRUMENT, "Bid": 1, "AskQty": 2}, True),
        ("CreateQuote", {"OMSId": OMS, "AccountId": 0, "InstrumentId": INSTRUMENT}, False),
        ("CancelOrder", {"OMSId": OMS, "OrderId": ORDER}, True),
        ("CancelOrder", {"OMSId": OMS, "OrderId": SCOPED_ORDER, "AccountId": ACCOUNT}, True),
        ("CancelOrder", {"OMSId": OMS, "OrderId": FOREIGN_ORDER}, False),
        ("CancelOrder", {"OMSId": OMS, "ClientOrderId": 1}, False),
        ("CancelOrder", {"OMSId": OMS, "OrderId": ORDER, "ClOrderId": 1}, False),
        ("CancelOrder", {"OMSId": OMS, "OrderId": ORDER, "AccountId": FOREIGN_ACCOUNT}, False),
    ],
)
def test_set_up_calls_are_judged_over_both_transports(call: str, members: dict[str, object], allowed: bool) -> None:
    body = json.dumps(members)
    assert judged(post(f"/AP/{call}", body)).allowed is allowed
    assert judged(frame(call, body)).allowed is allowed


def test_without_destructive_only_reading_calls_pass() -> None:
    quiet = replace(LIMITED, destructive=False)
    assert not judged(cao(str(ACCOUNT)), quiet).allowed
    assert judged(frame("GetOpenOrders", "{}"), quiet).allowed
    assert not judged(cao(str(ACCOUNT)), Scope()).allowed


def test_an_id_beyond_31_bits_that_is_in_scope_passes_when_written_plainly() -> None:
    big = 9_076_080_695
    assert judged(quote(bidQuoteId=big), granted=Granted(quotes=frozenset({big, ASK}))).allowed


@pytest.mark.parametrize(
    "number", [2**32 + FOREIGN_ACCOUNT, 2**40 + FOREIGN_ACCOUNT, FOREIGN_ACCOUNT - 2**32, 2**53 + 1, 2**31]
)
def test_a_vouched_id_is_refused_where_a_narrow_reader_takes_it_for_another(number: int) -> None:
    vouching = replace(LIMITED, unknown=frozenset({number}))
    assert not judged(quote(bidQuoteId=number), vouching).allowed
    assert not judged(cao(str(number)), vouching).allowed


def test_a_vouched_id_beyond_32_bits_passes_when_its_narrow_readings_are_vouched_too() -> None:
    number = 2**31
    vouching = replace(LIMITED, unknown=frozenset({number, number - 1, -number}))
    assert judged(quote(bidQuoteId=number), vouching).allowed
    assert not judged(cao(str(number)), vouching).allowed  # a reader of 32 bits may see no account in it
