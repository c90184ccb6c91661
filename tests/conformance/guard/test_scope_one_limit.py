"""What the guard refuses where one kind of thing alone is limited, or where a call's unread text is judged by its ids."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from scope_support import (
    ACCOUNT,
    CAO,
    FOREIGN_INSTRUMENT,
    INSTRUMENT,
    LIMITED,
    ORDER,
    TPP,
    UID,
    cao,
    judged,
    post,
    text_frame,
)

from conformance.contract.load import load_contract
from conformance.formats.members import CONTAINER, Content, Found, Literal, View, xml_content
from conformance.guard.guard import Granted, Scope, catalogue_of
from conformance.guard.ids import ids_of, numbers_in, uids_in
from conformance.guard.judge import judge
from conformance.guard.messages import frame_reason
from conformance.guard.rules import Catalogue, Member, Rule
from conformance.guard.texts import texts_of, tokens_in
from conformance.guard.values import Bounds

ACCOUNT_ID = Member("AccountId", "account", True)
OMS = Member("OMSId", "oms", True, ("Bid",))
BID = Member("Bid", "order")
GUID = Member("Guid", "uid", True)
LIMITS = Scope(frozenset({9}), frozenset({1}), frozenset(), frozenset({5}), frozenset({UID}), destructive=True)


def rule(*members: Member, everything: bool = True) -> Rule:
    return Rule(
        "Call", "/call", (), members, frozenset(), everything, {member.name.lower(): member for member in members}
    )


def why(one: Rule, *found: tuple[str, Any], granted: Granted = Granted(), **limits: Any) -> str:  # noqa: B008 - a value
    seen = tuple(Found(name, value) for name, value in found)
    scope = dataclasses.replace(LIMITS, **limits)
    return judge(Bounds(scope, granted), one, Content((View(seen, seen),)))


def framed(one: Rule, payload: str, scope: Scope = LIMITS) -> str:
    known = Catalogue({}, {"call": one}, (one,))
    return frame_reason(Bounds(scope, Granted()), known, f'{{"m":0,"i":2,"n":"Call","o":{payload}}}')


NO_ACCOUNTS = dataclasses.replace(LIMITED, accounts=None, oms=None)


@pytest.mark.parametrize(
    ("instrument", "reason"),
    [(INSTRUMENT, ""), (FOREIGN_INSTRUMENT, f"InstrumentId: {FOREIGN_INSTRUMENT} is outside scope.instruments")],
)
def test_an_object_in_the_place_of_the_payload_is_looked_into(instrument: int, reason: str) -> None:
    sent = f'{{"m":0,"i":2,"n":"CancelAllOrders","o":{{"OMSId":1,"AccountId":9,"InstrumentId":{instrument}}}}}'
    assert judged(text_frame(sent), NO_ACCOUNTS).reason == reason


@pytest.mark.parametrize(
    ("payload", "refused"),
    [
        ('{"Bid":5,"note6":null}', True),
        ('{"Bid":5,"note5":null}', False),
        ('"{\\"Bid\\":5,\\"note6\\":null}"', True),
        ('"{\\"Bid\\":5,\\"note5\\":null}"', False),
    ],
)
def test_a_digit_in_a_name_of_the_payload_may_be_an_id(payload: str, refused: bool) -> None:
    expected = "'note6', in text that cannot be read, may be an id outside the scope"
    assert framed(rule(BID, everything=False), payload) == (expected if refused else "")


@pytest.mark.parametrize("payload", ['{"AccountId":9}', '"nope"', '"9"', "null"])
def test_a_payload_that_a_reader_may_pass_over_leaves_nothing_named(payload: str) -> None:
    assert framed(rule(ACCOUNT_ID, everything=False), payload).startswith("AccountId may be read as absent")


def test_a_payload_that_cannot_be_read_is_judged_by_its_ids_where_nothing_may_be_left_out() -> None:
    assert framed(rule(BID, everything=False), '"see 5"') == ""
    assert framed(rule(BID, everything=False), '"see 6"').startswith("'6', in text that cannot be read")


def test_a_doctype_in_a_payload_is_refused_whatever_it_names() -> None:
    assert framed(rule(BID, everything=False), '"<!DOCTYPE a><a/>"') == (
        "the body has a DOCTYPE, whose entities may stand for any id"
    )


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        (f"OMSId=1&AccountId={ACCOUNT}&InstrumentId={INSTRUMENT}", True),
        (f"OMSId=1&AccountId={ACCOUNT}&InstrumentId={FOREIGN_INSTRUMENT}", False),
    ],
)
def test_every_member_of_a_query_is_judged(query: str, allowed: bool) -> None:
    body = json.dumps({"OMSId": 1, "AccountId": ACCOUNT})
    assert judged(post(f"{CAO}?{query}", body)).allowed is allowed
    assert not judged(post(f"{CAO}?{query}", "")).allowed, "who passes the query over finds no account"


SPLIT = "+ACIALAAiAE8AcgBkAGUAcgBJAEQAIgA6ADYAMQAsACIAeAAiADoAIg-"
"""In UTF-7: the end of a string, a member OrderID of 61, and the beginning of another string."""


@pytest.mark.parametrize(("charset", "allowed"), [("utf-8", True), ("utf-7", False)])
def test_an_order_that_only_the_charset_of_the_header_shows_is_judged(charset: str, allowed: bool) -> None:
    body = f'[{{"OrderID":{ORDER},"Note":"{SPLIT}"}}]'
    assert judged(post(TPP, body, f"application/json; charset={charset}")).allowed is allowed


@pytest.mark.parametrize(
    ("path", "allowed"), [("/AP/%252543ancelAllOrders", True), ("/AP/%25252543ancelAllOrders", False)]
)
def test_a_path_that_is_escaped_four_times_may_be_read_in_more_than_one_way(path: str, allowed: bool) -> None:
    assert judged(dataclasses.replace(cao(str(ACCOUNT)), path=path)).allowed is allowed


def test_a_guid_of_the_run_in_the_place_of_a_number_is_judged_by_its_digits() -> None:
    assert why(rule(GUID, BID), ("Guid", UID), ("Bid", UID)).endswith("which is outside scope.orders")


def test_a_text_that_is_vouched_unknown_names_no_account() -> None:
    found = ("AccountId", "nobody-knows-this")
    assert why(rule(ACCOUNT_ID), found, unknown=frozenset({"nobody-knows-this"})) == (
        "AccountId may be read as absent, which may mean every account"
    )


def test_a_number_in_the_place_of_a_guid_names_nothing_of_its_kind() -> None:
    assert why(rule(GUID), ("Guid", Literal("6"))) == "Guid may be read as absent, which may mean every order by GUID"


def test_a_container_names_nothing_and_excuses_nothing() -> None:
    below = (Found("Bid", Literal("5")),)
    bounds = Bounds(LIMITS, Granted())
    for top in (Found("Bid", CONTAINER), Found("OMSId", CONTAINER)):
        assert judge(bounds, rule(OMS, BID), Content((View((top,), below),))).startswith("OMSId may be read as absent")


def test_a_number_behind_a_harmless_name_is_no_text_to_look_into() -> None:
    one = dataclasses.replace(rule(ACCOUNT_ID, Member("X", "order")), harmless=frozenset({"pin"}))
    assert why(one, ("AccountId", Literal("9")), ("Pin", None), ("Pin", Literal("7")), ("Pin", True)) == ""


def test_an_operation_without_rules_does_not_hide_the_ones_after_it() -> None:
    given = load_contract().operations["alphapoint.cancel_all_orders"]
    silent = dataclasses.replace(given, scope=None)
    known = catalogue_of({"a": silent, "b": given})
    assert [one.call for one in known.operations] == ["CancelAllOrders"]


def test_a_plain_one_is_read_as_one_by_everybody() -> None:
    assert not ids_of(Literal("1")).nothing
    assert ids_of(Literal("4294967297")).nothing


def test_each_fraction_of_a_text_is_rounded_both_ways() -> None:
    assert {3, 9} <= numbers_in("2.5 8.5")


def test_a_guid_that_a_prefix_cuts_in_two_is_put_together() -> None:
    assert uids_in(f"{'a' * 16}urn:uuid:{'b' * 16}") == {"aaaaaaaa-aaaa-aaaa-bbbb-bbbbbbbbbbbb"}


def test_zero_in_a_text_names_nothing() -> None:
    assert [(token.text, token.numbers) for token in tokens_in("Pin 0") or ()] == [("0", frozenset())]


def test_a_sign_right_behind_a_name_belongs_to_the_number() -> None:
    assert [(token.text, token.name) for token in tokens_in("pin-5") or ()] == [("-5", "pin")]


def test_text_with_a_quarter_of_zeros_is_read_as_it_stands_too() -> None:
    assert "61" in {token.text for token in tokens_in("61\x001") or ()}


def test_bytes_of_an_unknown_charset_are_read_one_by_one_too() -> None:
    assert texts_of("é".encode(), ("application/json; charset=nope",)).texts == ("é", "Ã©")


def test_the_encoding_that_a_text_declares_is_settled_already() -> None:
    told = xml_content('<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>')
    assert told.views == (View((), (Found("a", "é"),)),)
