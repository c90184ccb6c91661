"""JSON as a wire format: its forms to the character, where places stand bare, and long lists."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.contract.load import load_contract
from conformance.formats.base import Writing
from conformance.formats.errors import Note, Pairs
from conformance.formats.json.format import JSON, json_text, plain_text
from conformance.formats.json.write import JsonStyle
from conformance.model.case import Body, Repeat

CODEC = JSON.codec(load_contract().operations["tpp.create_cancellations"], "request")
VALUE = {"b": "é\n", "a": ["${oms}", {"e": 1, "d": None}], "c": 3}
PLAIN = '{"b":"é\\n","a":[${oms},{"e":1,"d":null}],"c":3}'
TABS = (
    '{\r\n\t"b" : "é\\n",\r\n\t"a" : [\r\n\t\t${oms},\r\n\t\t{\r\n\t\t\t"e" : 1,\r\n\t\t\t"d" : null\r\n\t\t}\r\n\t],'
    '\r\n\t"c" : 3\r\n}'
)
FORMS = {
    "compact": Body(PLAIN),
    "spaced": Body('{"b" : "é\\n" , "a" : [${oms} , {"e" : 1 , "d" : null}] , "c" : 3}'),
    "indented": Body(
        '{\n  "b":"é\\n",\n  "a":[\n    ${oms},\n    {\n      "e":1,\n      "d":null\n    }\n  ],\n  "c":3\n}'
    ),
    "tabs-and-crlf": Body(TABS),
    "keys-sorted": Body('{"a":[${oms},{"d":null,"e":1}],"b":"é\\n","c":3}'),
    "keys-reversed": Body('{"c":3,"a":[${oms},{"d":null,"e":1}],"b":"é\\n"}'),
    "ascii": Body(PLAIN.replace("é", "\\u00e9")),
    "surrounded": Body(f"\n\t {PLAIN} \r\n"),
    "charset-named": Body(PLAIN),
    "charset-quoted": Body(PLAIN),
    "bom": Body(f"\ufeff{PLAIN}"),
    "utf-16": Body(PLAIN, "utf-16"),
    "comment": Body(f"/*x*/{PLAIN}"),
    "trailing-junk": Body(f"{PLAIN} x"),
    "cut-off": Body(PLAIN[:-1]),
    "doubled-bracket": Body("{" + PLAIN),
    "without-colons": Body(PLAIN.replace(":", " ")),
    "bad-utf8": Body("{\xff" + PLAIN[1:].replace("é", "?"), "latin-1"),
}


def test_each_form_writes_these_characters() -> None:
    assert {form.name: form.write(Writing(VALUE, CODEC)) for form in JSON.forms} == FORMS


@pytest.mark.parametrize("write", [json_text, plain_text])
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("${oms}", "${oms}"),
        ("${order.OrderID+1|other.OrderID}", "${order.OrderID+1|other.OrderID}"),
        ("${order.OrderUID}", '"${order.OrderUID}"'),
        ("${pin|other}", '"${pin|other}"'),
        ("x ${oms}", '"x ${oms}"'),
        ({"${oms}": ["${oms}", ("${pin}", True)]}, '{"${oms}":[${oms},["${pin}",true]]}'),
        ({"a": 1.5, "b": "\ud800é${oms}"}, None),
    ],
)
def test_a_place_of_a_number_stands_bare_and_one_of_a_text_in_quotes(write: Any, value: Any, text: str | None) -> None:
    written = write(value)
    assert "\ud800" not in written
    assert text is None or written == text


def test_half_a_surrogate_pair_is_escaped_in_every_style() -> None:
    value = {"b": "\ud800é", "a": 1}
    assert plain_text({"b": "\ud800é"}) == '{"b":"\\ud800\\u00e9"}'
    assert plain_text(value, sort_keys=True, indent="\t", separators=(" ,", " : ")) == (
        '{\n\t"a" : 1 ,\n\t"b" : "\\ud800\\u00e9"\n}'
    )
    assert plain_text(value, ascii_only=True) == plain_text(value)


def test_a_text_that_must_stay_one_is_marked_so() -> None:
    assert json_text({"a": {"text": "${oms}"}, "b": {"text": 1, "c": "${oms}"}}) == (
        '{"a":"${oms}","b":{"text":1,"c":${oms}}}'
    )
    assert plain_text({"text": "x"}) == '{"text":"x"}'


def test_places_stand_bare_in_any_style_and_in_repeated_members() -> None:
    assert json_text(["${oms}", 1], JsonStyle(item_separator=" , ")) == "[${oms} , 1]"
    assert json_text(Pairs((("a", "${oms}"), ("a", ["${pin}"])))) == '{"a":${oms},"a":["${pin}"]}'


def test_a_codec_writes_one_text_either_way_and_reads_it_with_its_notes() -> None:
    assert (CODEC.encode(VALUE), CODEC.plain(VALUE)) == (PLAIN, PLAIN)
    document = CODEC.decode('{"a":1,"a":"é"}'.encode("utf-16-be"), "utf-16")
    assert document.value == {"a": "é"}
    assert document.notes == (
        Note("duplicate-key", "/a", "member 'a' is given 2 times; the last is used, before it: 1"),
    )
    assert not document.plainly


def test_a_text_is_escaped_for_a_place_within_quotes() -> None:
    assert JSON.escape('a"\\é\n') == 'a\\"\\\\é\\n'


def test_a_long_list_is_one_item_and_how_often_it_stands() -> None:
    item = {"OrderID": "${o#.id}", "PIN": "${pin}"}
    assert JSON.repeated(CODEC, item, 3) == Body('{"OrderID":${o#.id},"PIN":"${pin}"}', repeat=Repeat("[", ",", "]", 3))
