"""A member of the frame that stands twice, or holds what it should not, counts as everything that a reader may take it for."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from scope_support import ACCOUNT, FOREIGN_ACCOUNT, FOREIGN_ORDER, INSTRUMENT, LIMITED, OMS, QUOTE, judged, text_frame

GOOD = json.dumps(json.dumps({"OMSId": OMS, "AccountId": ACCOUNT}))
BAD = json.dumps(json.dumps({"OMSId": OMS, "AccountId": FOREIGN_ACCOUNT}))
LEGS = json.dumps(json.dumps(QUOTE))
PLACE = json.dumps(json.dumps({"OMSId": OMS, "AccountId": ACCOUNT, "InstrumentId": INSTRUMENT}))


def allowed(*members: str) -> bool:
    return judged(text_frame("{" + ",".join(members) + "}")).allowed


@pytest.mark.parametrize("call", ["CancelQuote", "cancelquote"])
@pytest.mark.parametrize(
    "other", ["5", "0", "null", "true", '""', '" "', "[]", "{}", '["CancelAllOrders"]', '{"x":"CancelAllOrders"}']
)
@pytest.mark.parametrize("key", ["n", "N", "\\u006e", " n"])
@pytest.mark.parametrize("last", [True, False])
def test_a_second_call_that_is_no_text_may_stand_for_any_call(call: str, other: str, key: str, last: bool) -> None:
    """The legs mean nothing to the call that cancels all orders, so it must not be sent where that may be read."""
    named = [f'"n":"{call}"', f'"{key}":{other}']
    assert allowed('"m":0,"i":2', named[0], f'"o":{LEGS}')
    assert not allowed('"m":0,"i":2', *(named if last else reversed(named)), f'"o":{LEGS}')


def test_a_second_call_that_is_no_text_passes_where_every_call_is_permitted() -> None:
    for other in ("5", "null", '""'):
        assert allowed('"m":0,"i":2,"n":"CancelAllOrders"', f'"n":{other},"o":{GOOD}')
        assert not allowed('"m":0,"i":2,"n":"CancelAllOrders"', f'"n":{other},"o":{BAD}')


def test_a_reading_call_beside_one_that_cannot_be_told_is_none() -> None:
    assert allowed('"m":0,"i":2,"n":"Ping","o":"{}"')
    assert not allowed('"m":0,"i":2,"n":"Ping","n":5,"o":"{}"')
    quiet = replace(LIMITED, destructive=False)
    sent = f'{{"m":0,"i":2,"n":"GetOpenOrders","n":5,"o":{GOOD}}}'
    assert judged(text_frame(sent), quiet).reason == "scope.destructive is not set, so only reading calls may be sent"


def test_a_call_under_a_key_of_another_spelling_alone_may_go_unread() -> None:
    assert not allowed('"m":0,"i":2,"N":"Ping","o":"{}"')
    assert allowed(f'"m":0,"i":2,"N":"CancelAllOrders","o":{GOOD}')
    assert not allowed(f'"m":0,"i":2,"N":"CancelQuote","o":{LEGS}')


@pytest.mark.parametrize("key", ["m", "i", "M", "I"])
@pytest.mark.parametrize(
    "value", ['"CancelAllOrders"', '"n"', '["CancelAllOrders"]', '{"n":"CancelAllOrders"}', "[]", "{}"]
)
def test_a_text_or_a_container_in_the_place_of_a_number_may_hold_a_call(key: str, value: str) -> None:
    assert not allowed(f'"m":0,"i":2,"n":"Ping","o":"{{}}","{key}":{value}')
    assert not allowed(f'"{key}":{value},"m":0,"i":2,"n":"Ping","o":"{{}}"')


@pytest.mark.parametrize("key", ["m", "i"])
@pytest.mark.parametrize("value", ["1", "9", "-2", "null", "true", '"0"', '"-3"', '""', "1.5"])
def test_a_doubled_number_of_the_frame_names_no_call(key: str, value: str) -> None:
    assert allowed(f'"m":0,"i":2,"n":"CancelAllOrders","o":{GOOD},"{key}":{value}')
    assert not allowed(f'"m":0,"i":2,"n":"CancelAllOrders","o":{BAD},"{key}":{value}')


@pytest.mark.parametrize(
    "other", [BAD, "null", "5", '""', "[]", "{}", '"x"', json.dumps(json.dumps({"OrderId": FOREIGN_ORDER}))]
)
@pytest.mark.parametrize("key", ["o", "O", "o_"])
@pytest.mark.parametrize("last", [True, False])
def test_each_of_two_payloads_must_be_permitted(other: str, key: str, last: bool) -> None:
    payloads = [f'"o":{GOOD}', f'"{key}":{other}']
    assert not allowed('"m":0,"i":2,"n":"CancelAllOrders"', *(payloads if last else reversed(payloads)))


def test_two_payloads_that_are_both_permitted_pass() -> None:
    assert allowed(f'"m":0,"i":2,"n":"CancelAllOrders","o":{GOOD},"o":{PLACE}')


def test_two_calls_are_both_judged() -> None:
    assert allowed(f'"m":0,"i":2,"n":"CancelAllOrders","n":"SendOrder","o":{PLACE}')
    assert not allowed(f'"m":0,"i":2,"n":"CancelAllOrders","n":"SendOrder","o":{GOOD}')
    assert not allowed(f'"m":0,"i":2,"n":"CancelAllOrders","n":"CancelEverything","o":{GOOD}')


PAYLOAD = f'{{"OMSId":{OMS},"AccountId":{ACCOUNT}}}'
PLAIN = PAYLOAD.replace('"', '\\"')


@pytest.mark.parametrize(
    "written",
    [
        "".join(f"\\u{ord(one):04x}" for one in PAYLOAD),
        PLAIN.replace("AccountId", "\\u0041ccountId"),
        PLAIN.replace(":", "\\u003A"),
        PLAIN.replace(":", "\\t:"),
        PLAIN.replace(":", ": \\n"),
    ],
    ids=["each character", "a letter of a name", "colons", "a tab before colons", "a new line behind colons"],
)
def test_a_name_that_is_not_in_the_text_of_the_frame_may_go_unread(written: str) -> None:
    """Who looks for it there takes the account for one that is left out, which is every account."""
    sent = f'"m":0,"i":2,"n":"CancelAllOrders","o":"{written}"'
    assert json.loads(json.loads("{" + sent + "}")["o"]) == json.loads(PAYLOAD)
    assert not allowed(sent)


def test_spaces_and_needed_escapes_hide_no_name() -> None:
    for written in (PLAIN, PLAIN.replace(":", " : "), PLAIN.replace(",", ', \\"x\\":\\"\\u00e9\\",')):
        assert allowed(f'"m":0,"i":2,"n":"CancelAllOrders","o":"{written}"'), written
