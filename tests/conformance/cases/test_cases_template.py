"""Places in messages: what they are, how they are filled, and how values become bodies."""

from __future__ import annotations

import pytest
from cases_support import CAO, TPP, contract

from conformance.cases.make import Channel
from conformance.cases.message import (
    UnfitBinding,
    body,
    body_text,
    fill,
    fill_body,
    is_text,
    places,
    places_of,
    writable,
    xml_contract,
)
from conformance.errors import HarnessError
from conformance.formats.base import Format
from conformance.formats.errors import CodecError, Pairs, Raw
from conformance.formats.json.format import JSON, json_text, placed
from conformance.formats.xml.format import XML
from conformance.model.case import Body, Message, Repeat, Transport


def test_places_are_named_once_in_the_order_of_use() -> None:
    assert places("${b} ${a.x} ${b+4294967296} ${c.#.d}") == ("b", "a.x", "c.#.d")


def test_what_is_no_place_stays() -> None:
    assert places("$a {b} ${} ${1a}") == ()
    assert fill("$a {b} ${} ${1a}", {}) == "$a {b} ${} ${1a}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("order.InternationalOrderUID", True),
        ("pin", True),
        ("wrong_pin", True),
        ("unknown_uid", True),
        ("order.OrderID", False),
        ("oms", False),
    ],
)
def test_a_name_says_whether_it_holds_text(name: str, text: bool) -> None:
    assert is_text(name) is text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${n}", "7"),
        ("-${n}", "-7"),
        ("${n+4294967296}", "4294967303"),
        ("${n-1}", "6"),
        ("${n}.5", "7.5"),
        ('"${n}"', '"7"'),
    ],
)
def test_numbers_are_put_in_place(text: str, expected: str) -> None:
    assert fill(text, {"n": 7}) == expected


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        ("+1", "0ab1cdef-0000-4000-8000-00000000000b"),
        ("+70368744177664", "0ab1cdef-0000-4000-8000-40000000000a"),
        ("-11", "0ab1cdef-0000-4000-7fff-ffffffffffff"),
    ],
)
def test_a_guid_is_counted_up_in_its_own_form(offset: str, expected: str) -> None:
    assert fill(f"${{o.uid{offset}}}", {"o.uid": "0AB1CDEF-0000-4000-8000-00000000000a"}) == expected


def test_a_guid_is_counted_beyond_the_last_one() -> None:
    assert fill("${u+1}", {"u": "ffffffff-ffff-ffff-ffff-ffffffffffff"}) == "00000000-0000-0000-0000-000000000000"


def test_a_text_may_be_put_in_place_in_capitals() -> None:
    assert (
        fill("${order.InternationalOrderUID^} ${uid}", {"order.InternationalOrderUID": "ab-1", "uid": "c"}) == "AB-1 c"
    )


@pytest.mark.parametrize(
    ("pin", "last", "other"),
    [
        ("1234", "1235", "2234"),
        ("7390", "7391", "8390"),
        ("99", "90", "09"),
        ("aB9z", "aB9a", "Ab9Z"),
        ("1-", "10", "2-"),
        ("\u043f", "0", "\u041f"),
    ],
)
def test_a_text_may_be_put_in_place_as_a_near_miss(pin: str, last: str, other: str) -> None:
    assert fill("${order.PIN!} ${order.PIN~}", {"order.PIN": pin}) == f"{last} {other}"


@pytest.mark.parametrize(("into", "expected"), [(JSON, 'a\\"b\\\\c<&'), (XML, 'a"b\\c&lt;&amp;'), (None, 'a"b\\c<&')])
def test_text_is_escaped_for_where_it_stands(into: Format | None, expected: str) -> None:
    assert fill('"${pin}"', {"pin": 'a"b\\c<&'}, into=into) == f'"{expected}"'


def test_a_text_where_json_has_a_number_is_refused() -> None:
    with pytest.raises(UnfitBinding, match=r"'seven', which \$\{mine\} stands for, is no integer"):
        fill('{"Id": ${mine}}', {"mine": "seven"}, into=JSON)
    assert fill('{"Id": ${mine}}', {"mine": "7"}, into=JSON) == '{"Id": 7}'
    assert fill("{'Id': ${mine}", {"mine": "seven"}, into=JSON) == "{'Id': seven", "no JSON whatever it is filled with"


@pytest.mark.parametrize(
    ("bindings", "expected"),
    [({"order.PIN": "1111", "pin": "2222"}, "1111"), ({"pin": "2222"}, "2222"), ({"order.PIN": "1111"}, "1111")],
)
def test_second_name_stands_in_where_nothing_gives_the_first(bindings: dict[str, int | str], expected: str) -> None:
    assert fill("${order.PIN|pin}", bindings) == expected


def test_neither_name_with_a_value_is_never_sent() -> None:
    with pytest.raises(HarnessError, match="pin"):
        fill("${order.PIN|pin}", {"oms": 1})


def test_a_place_without_a_value_is_never_sent() -> None:
    with pytest.raises(HarnessError, match="account"):
        fill("${account}", {"oms": 1})


def test_a_repeated_part_is_filled_for_each_index() -> None:
    long = Body('{"o":${many.#.id}}', repeat=Repeat("[", ",", "]", 3))
    assert fill_body(long, {"many.0.id": 5, "many.1.id": 6, "many.2.id": 7}, JSON) == b'[{"o":5},{"o":6},{"o":7}]'


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("\xff", "latin-1", b"\xff"),
        ("\xff", "utf-8", b"\xc3\xbf"),
        ("a", "utf-16-le", b"a\x00"),
        ("\ud800", "utf-8", b"\xed\xa0\x80"),
    ],
)
def test_a_body_has_the_bytes_of_its_encoding(text: str, encoding: str, expected: bytes) -> None:
    assert fill_body(Body(text, encoding), {}, JSON) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": "${oms}"}, '{"a":${oms}}'),
        ({"a": {"text": "${oms}"}}, '{"a":"${oms}"}'),
        ({"a": "${pin}"}, '{"a":"${pin}"}'),
        ({"a": "${order.PIN|pin}"}, '{"a":"${order.PIN|pin}"}'),
        ({"a": "${order.id|other}"}, '{"a":${order.id|other}}'),
        ({"a": "x${oms}"}, '{"a":"x${oms}"}'),
        ({"a": ["${oms}", None, True]}, '{"a":[${oms},null,true]}'),
        (Pairs((("a", "${oms}"), ("a", 1))), '{"a":${oms},"a":1}'),
        ({"a": Raw("1e0")}, '{"a":1e0}'),
    ],
)
def test_a_place_of_a_number_stands_bare_in_json(value: object, expected: str) -> None:
    assert json_text(value) == expected


def test_a_plain_value_stays() -> None:
    assert placed(5) == 5


def test_a_body_is_written_for_its_channel() -> None:
    operation = contract().operations[TPP]
    item = [{"OrderID": "${order.OrderID}", "PIN": "${pin}"}]
    assert (
        body(operation, Channel(Transport.HTTP, "text/json"), item).text
        == '[{"OrderID":${order.OrderID},"PIN":"${pin}"}]'
    )
    assert (
        "<OrderID>${order.OrderID}</OrderID><PIN>${pin}</PIN>"
        in body(operation, Channel(Transport.HTTP, "text/xml"), item).text
    )


def test_xml_has_the_order_of_the_xsd() -> None:
    text = xml_contract(contract().operations[TPP]).encode([{"PIN": "1", "OrderID": 1, "CreatorID": None}]).decode()
    assert text.index("<CreatorID") < text.index("<OrderID") < text.index("<PIN")


def test_an_object_is_written_as_it_is_given() -> None:
    operation = contract().operations[CAO]
    assert (
        body(operation, Channel(Transport.WS, "application/json"), operation.valid).text
        == '{"OMSId":${oms},"AccountId":${account}}'
    )


def test_bytes_show_their_places_and_the_other_bytes_as_characters() -> None:
    bytes_alone = Body(data=b"\xff${oms}${account}")
    assert places_of(Message(bytes_alone, frame="${i}")) == ("oms", "account", "i")
    assert body_text(bytes_alone, {"oms": 3}, None, keep=True) == "\xff3${account}"


def test_a_value_that_the_xsd_has_no_words_for_is_a_fault_of_the_contract() -> None:
    operation = contract().operations[TPP]
    odd = [{"PIN": ["1"]}]
    assert writable(operation, Channel(Transport.HTTP, "text/json"), odd) == Body('[{"PIN":["1"]}]')
    with pytest.raises(CodecError):
        writable(operation, Channel(Transport.HTTP, "text/xml"), odd)
