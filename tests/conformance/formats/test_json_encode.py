"""Writing JSON: every style option, and the broken forms."""

from __future__ import annotations

import codecs
from typing import Any

import pytest

from conformance.formats.errors import CodecError
from conformance.formats.json.read import JsonStyle, Pairs, Raw, decode_json, encode_json

VALUE = {"b": [1, "é"], "a": None, "c": {"z": True, "y": False}}


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (JsonStyle(), '{"b":[1,"é"],"a":null,"c":{"z":true,"y":false}}'),
        (JsonStyle(key_order="sorted"), '{"a":null,"b":[1,"é"],"c":{"y":false,"z":true}}'),
        (JsonStyle(key_order="reversed"), '{"c":{"y":false,"z":true},"a":null,"b":[1,"é"]}'),
        (JsonStyle(ascii_only=True), '{"b":[1,"\\u00e9"],"a":null,"c":{"z":true,"y":false}}'),
        (
            JsonStyle(item_separator=" , ", key_separator=" : "),
            '{"b" : [1 , "é"] , "a" : null , "c" : {"z" : true , "y" : false}}',
        ),
        (
            JsonStyle(indent="  "),
            '{\n  "b":[\n    1,\n    "é"\n  ],\n  "a":null,\n  "c":{\n    "z":true,\n    "y":false\n  }\n}',
        ),
        (JsonStyle(before="\n ", after=" \t"), '\n {"b":[1,"é"],"a":null,"c":{"z":true,"y":false}} \t'),
    ],
)
def test_a_style_decides_every_character(style: JsonStyle, expected: str) -> None:
    assert encode_json(VALUE, style).decode() == expected


def test_every_character_can_be_escaped() -> None:
    data = encode_json({"a": "😀"}, JsonStyle(escape_all=True))
    assert data == rb'{"\u0061":"\ud83d\ude00"}'
    assert decode_json(data).value == {"a": "😀"}


def test_lines_may_end_in_crlf() -> None:
    assert encode_json([1], JsonStyle(indent="\t", newline="\r\n")) == b"[\r\n\t1\r\n]"


def test_empty_containers_take_no_line_breaks() -> None:
    assert encode_json({"a": [], "b": {}}, JsonStyle(indent=" ")) == b'{\n "a":[],\n "b":{}\n}'


def test_pairs_write_duplicates_in_their_own_order() -> None:
    pairs = Pairs((("b", 1), ("a", [Pairs((("x", 1), ("x", 2)))]), ("b", 2), (Raw("bare"), 3)))
    assert encode_json(pairs, JsonStyle(key_order="sorted")) == b'{"b":1,"a":[{"x":1,"x":2}],"b":2,bare:3}'


def test_raw_text_is_written_as_it_stands() -> None:
    assert encode_json([Raw("1e400"), Raw("NaN"), Raw("010")]) == b"[1e400,NaN,010]"


def test_half_a_surrogate_pair_is_escaped_in_every_style() -> None:
    assert encode_json("\ud800é") == b'"\\ud800\xc3\xa9"'


@pytest.mark.parametrize(
    ("charset", "mark"),
    [("utf-8", codecs.BOM_UTF8), ("utf-16", codecs.BOM_UTF16_LE), ("utf-16be", codecs.BOM_UTF16_BE)],
)
def test_a_byte_order_mark_is_written_when_asked_for(charset: str, mark: bytes) -> None:
    assert encode_json(1, JsonStyle(charset=charset, bom=True)).startswith(mark)
    assert not encode_json(1, JsonStyle(charset=charset)).startswith(mark)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"x", {1: 2}, object()])
def test_a_value_without_a_json_form_is_refused(value: Any) -> None:
    with pytest.raises(CodecError) as caught:
        encode_json({"a": value})
    assert caught.value.kind == "value"


def test_an_integer_too_long_to_print_is_refused() -> None:
    with pytest.raises(CodecError) as caught:
        encode_json([10**5000])
    assert caught.value.kind == "value"


def test_a_value_that_contains_itself_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.formats.json.write.MAX_LEVELS", 20)
    value: list[Any] = []
    value.append(value)
    with pytest.raises(CodecError) as caught:
        encode_json(value)
    assert caught.value.kind == "too-deep"


def test_a_character_outside_the_charset_is_refused() -> None:
    with pytest.raises(CodecError) as caught:
        encode_json("é", JsonStyle(charset="us-ascii"))
    assert caught.value.kind == "encoding"


def test_lists_in_lists_are_indented_by_their_depth() -> None:
    assert encode_json([[{"a": [1]}]], JsonStyle(indent=" ")) == b'[\n [\n  {\n   "a":[\n    1\n   ]\n  }\n ]\n]'


def test_sorting_goes_by_the_text_of_names_alone() -> None:
    assert encode_json({"b": 1, Raw("a"): 2, "c": None}, JsonStyle(key_order="sorted")) == b'{a:2,"b":1,"c":null}'
    assert encode_json({"b": 1, "a": 2, "c": 0}, JsonStyle(key_order="sorted")) == b'{"a":2,"b":1,"c":0}'


def test_a_float_is_written_as_the_shortest_text_that_reads_back() -> None:
    assert encode_json([0.1, -2.5, 1e22]) == b"[0.1,-2.5,1e+22]"


def test_half_a_surrogate_pair_is_escaped_with_all_other_characters() -> None:
    assert encode_json("\ud800a", JsonStyle(escape_all=True)) == b'"\\ud800\\u0061"'
