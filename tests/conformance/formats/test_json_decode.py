"""Strict decoding of JSON, and the notes that keep its oddities visible."""

from __future__ import annotations

import codecs
import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.formats.errors import CodecError
from conformance.formats.json.pointer import split_pointer
from conformance.formats.json.read import JsonStyle, Number, decode_json, encode_json, join_pointer, locate

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def refused(data: bytes, charset: str | None = None) -> CodecError:
    with pytest.raises(CodecError) as caught:
        decode_json(data, charset)
    return caught.value


@pytest.mark.parametrize(
    ("text", "kind", "line", "column"),
    [
        (b"", "empty", 1, 1),
        (b" \n ", "empty", 1, 1),
        (b"NaN", "syntax", 1, 1),
        (b'["NaN",\n -Infinity]', "syntax", 2, 2),
        (b"{} x", "syntax", 1, 4),
        (b"[1, // no\n2]", "syntax", 1, 5),
        (b"/* no */ 1", "syntax", 1, 1),
        (b"{'a': 1}", "syntax", 1, 2),
        (b'{"a": 1,}', "syntax", 1, 8),
        (b"[1, ]", "syntax", 1, 3),
        (b'"a\tb"', "syntax", 1, 3),
        (b'"abc', "syntax", 1, 1),
        (rb'"\x41"', "syntax", 1, 2),
        (b"01", "syntax", 1, 2),
        (b"+1", "syntax", 1, 1),
        (b".5", "syntax", 1, 1),
        (b"1.", "syntax", 1, 2),
        (b"True", "syntax", 1, 1),
        (b"{1: 2}", "syntax", 1, 2),
        (b'{"a" 1}', "syntax", 1, 6),
        (b"\x0c1", "syntax", 1, 1),
        (b"\xc2\xa01", "syntax", 1, 1),
        (b"[1\n 2]", "syntax", 2, 2),
    ],
)
def test_text_outside_the_grammar_is_refused_with_its_place(text: bytes, kind: str, line: int, column: int) -> None:
    error = refused(text)
    assert error.position is not None
    assert (error.kind, error.position.line, error.position.column) == (kind, line, column)


def test_the_offset_of_a_syntax_error_counts_bytes_and_the_column_characters() -> None:
    error = refused(b"\xef\xbb\xbf" + '"é" x'.encode())
    assert error.position is not None
    assert (error.position.column, error.position.offset) == (5, 8)


def test_invalid_utf8_is_refused_at_the_offset_of_the_bad_byte() -> None:
    error = refused(b'{"a":\n"\xff"}')
    assert error.position is not None
    assert (error.kind, error.position.line, error.position.offset) == ("encoding", 2, 7)


def test_utf8_that_encodes_a_surrogate_is_refused() -> None:
    assert refused(b'"\xed\xa0\x80"').kind == "encoding"


@pytest.mark.parametrize("charset", ["iso-8859-1", "klingon"])
def test_other_charsets_are_refused(charset: str) -> None:
    assert refused(b"1", charset).kind == "charset"


@pytest.mark.parametrize("charset", ["utf-16", "utf-16le", "utf-16be", "utf-32", "UTF-8", "utf-32be"])
@pytest.mark.parametrize("bom", [False, True])
def test_a_charset_parameter_is_followed_with_and_without_a_mark(charset: str, bom: bool) -> None:
    data = encode_json({"é": "😀"}, JsonStyle(charset=charset, bom=bom))
    document = decode_json(data, charset)
    assert document.value == {"é": "😀"}
    assert [note.kind for note in document.notes] == (["bom"] if bom else [])


def test_unmarked_big_endian_utf16_is_told_from_its_first_byte() -> None:
    assert decode_json('"é"'.encode("utf-16-be"), "utf-16").value == "é"


def test_a_mark_decides_without_a_charset() -> None:
    document = decode_json(codecs.BOM_UTF16_BE + '"é"'.encode("utf-16-be"))
    assert document.value == "é"
    assert document.notes[0].kind == "bom"


def test_a_mark_of_another_charset_than_the_parameter_is_refused() -> None:
    assert refused(codecs.BOM_UTF16_LE + b"1\0", "utf-8").kind == "encoding"


def test_a_duplicate_key_keeps_the_last_value_and_notes_the_others() -> None:
    document = decode_json(b'[{"a/b": {"x": 1.0, "x": 2}, "a/b": 3, "a/b": 4}]')
    assert document.value == [{"a/b": 4}]
    (note,) = document.notes
    assert (note.kind, note.pointer) == ("duplicate-key", "/0/a~1b")
    assert '{"x":1.0,"x":2}, 3' in note.text


@pytest.mark.parametrize("literal", ["1.0", "1e2", "-0", "-0.0", "1E+400", "0.10"])
def test_a_number_that_is_no_plain_integer_keeps_its_literal(literal: str) -> None:
    document = decode_json(f'{{"n": [{literal}, 1]}}'.encode())
    number = document.value["n"][0]
    assert isinstance(number, Number)
    assert number.literal == literal
    assert [(note.kind, note.pointer, note.text) for note in document.notes] == [
        ("non-integer-literal", "/n/0", literal)
    ]
    assert type(document.plain["n"][0]) is float
    assert encode_json(document.value) == f'{{"n":[{literal},1]}}'.encode()


def test_a_number_survives_pickling_and_copying() -> None:
    number = Number("1.0")
    assert pickle.loads(pickle.dumps(number)).literal == "1.0"
    assert copy.deepcopy(number).literal == "1.0"


def test_integers_are_exact_at_any_size() -> None:
    digits = "9" * 3_999
    assert decode_json(f"-{digits}".encode()).value == -int(digits)


@pytest.mark.parametrize("literal", ["1" * 4_001, "-" + "1" * 4_001, "1." + "0" * 4_001])
def test_a_number_that_is_too_long_is_refused_where_it_stands(literal: str) -> None:
    error = refused(f'["{literal}",{literal}]'.encode())
    assert error.kind == "number-too-long"
    assert error.position is not None
    assert error.position.offset == len(literal) + 4


def test_a_long_run_of_digits_in_a_string_is_no_number() -> None:
    assert decode_json(b'"' + b"1" * 5_000 + b'"').value == "1" * 5_000


@pytest.mark.parametrize("pair", [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_refused_and_never_a_recursion_error(pair: tuple[bytes, bytes]) -> None:
    assert decode_json(pair[0] * 100 + b"1" + pair[1] * 100).value
    assert refused(pair[0] * 101 + b"1" + pair[1] * 101).kind == "too-deep"
    assert refused(pair[0] * 200_000).kind == "too-deep"


def test_many_brackets_side_by_side_or_in_strings_are_not_deep() -> None:
    assert decode_json(b"[" + b",".join([b"[]"] * 500) + b"]").value == [[]] * 500
    assert decode_json(b'"' + b"[" * 500 + b'"').value == "[" * 500


def test_an_unclosed_string_of_escaped_quotes_is_refused_in_linear_time() -> None:
    assert refused(b"[" + b"[]," * 120 + b'"' + b'\\"' * 300_000).kind == "syntax"


def test_half_a_surrogate_pair_is_noted_in_values_and_keys() -> None:
    document = decode_json(rb'{"a": "\ud800", "\uDC00": 1, "b": "\ud83d\ude00"}')
    assert document.value["b"] == "😀"
    assert [(note.kind, note.pointer) for note in document.notes] == [
        ("lone-surrogate", "/a"),
        ("lone-surrogate", "/\udc00"),
    ]


@pytest.mark.parametrize("escape", ["d800", "D800", "dFFF", "DC00"])
def test_half_a_surrogate_pair_alone_is_noted_however_it_is_escaped(escape: str) -> None:
    assert [note.kind for note in decode_json(f'"\\u{escape}"'.encode()).notes] == ["lone-surrogate"]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(VALUES)
def test_what_is_written_is_read_back_and_agrees_with_the_standard_library(value: Any) -> None:
    data = encode_json(value)
    assert decode_json(data).value == value
    assert json.loads(data) == value


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.binary(max_size=12) | st.text(alphabet='[]{}",:0-1.eE+truefalsn\\u d8/', max_size=14).map(str.encode))
def test_any_bytes_are_a_document_or_a_codec_error(data: bytes) -> None:
    try:
        document = decode_json(data)
    except CodecError:
        return
    assert json.dumps(document.plain) == json.dumps(json.loads(data))


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=5)))
def test_a_pointer_splits_into_the_tokens_it_was_joined_from(tokens: list[str]) -> None:
    assert list(split_pointer(join_pointer(tokens))) == tokens


@pytest.mark.parametrize(
    ("pointer", "place"),
    [
        ("", (1, 1)),
        ("/a", (2, 8)),
        ("/a/1", (2, 13)),
        ("/b~1c/d", (3, 20)),
        ("/e", (4, 9)),
        ("/a/2", None),
        ("/missing", None),
        ("/a/1/x", None),
    ],
)
def test_a_pointer_is_located_in_the_text(pointer: str, place: tuple[int, int] | None) -> None:
    text = b'{ "e": 0,\n  "a": [10, 20],\n "b/c": {"x":1,"d":2},\n  "e" : 1}'
    assert locate(text, pointer) == place


def test_a_pointer_into_broken_text_is_not_located() -> None:
    assert locate(b'{"a": ', "/a") is None
    assert locate(b"", "") is None
    assert locate(b"\xff", "") is None
    assert locate(b"[1]", "no-slash") is None
