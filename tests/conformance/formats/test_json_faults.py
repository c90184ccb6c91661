"""The words and the place of each fault that strict JSON has: what a finding quotes must lead to the fault."""

from __future__ import annotations

import sys

import pytest

from conformance.formats.errors import CodecError, Position
from conformance.formats.json.pointer import split_pointer
from conformance.formats.json.read import MAX_DEPTH, MAX_DIGITS, JsonDocument, Note, decode_json, join_pointer, locate

COMMA = "the comma before a closing bracket is not JSON"
QUOTES = "single quotes are not JSON; strings take double quotes"


def refused(data: bytes, charset: str | None = None) -> CodecError:
    with pytest.raises(CodecError) as caught:
        decode_json(data, charset)
    return caught.value


@pytest.mark.parametrize(
    ("text", "words", "offset"),
    [
        (b"", "the body is empty; a JSON value is expected (at line 1, column 1)", 0),
        (b" \n\t\r ", "the body is empty; a JSON value is expected (at line 1, column 1)", 0),
        (b"NaN", "NaN is not JSON; a number must be finite (at line 1, column 1)", 0),
        (b'["NaN",\n -Infinity]', "-Infinity is not JSON; a number must be finite (at line 2, column 2)", 9),
        (b"{} x", "not valid JSON: text follows the JSON value, found 'x' (at line 1, column 4)", 3),
        (b"{} 'x'", f'not valid JSON: {QUOTES}, found "\'" (at line 1, column 4)', 3),
        (b"{'a': 1}", f'not valid JSON: {QUOTES}, found "\'" (at line 1, column 2)', 1),
        (b"[1, // no\n2]", "not valid JSON: a comment is not JSON, found '/' (at line 1, column 5)", 4),
        (b"/* no */ 1", "not valid JSON: a comment is not JSON, found '/' (at line 1, column 1)", 0),
        (b"[1 # no\n]", "not valid JSON: a comment is not JSON, found '#' (at line 1, column 4)", 3),
        (b"[/ 1]", "not valid JSON: a value is expected, found '/' (at line 1, column 2)", 1),
        (b'{"a": 1,}', f"not valid JSON: {COMMA}, found ',' (at line 1, column 8)", 7),
        (b"[1 , \t\r\n]", f"not valid JSON: {COMMA}, found ',' (at line 1, column 4)", 3),
        (b'{"a":1 ,\n\t\r }', f"not valid JSON: {COMMA}, found ',' (at line 1, column 8)", 7),
        (b"[,]", f"not valid JSON: {COMMA}, found ',' (at line 1, column 2)", 1),
        (b"[,\t\r\n }", f"not valid JSON: {COMMA}, found ',' (at line 1, column 2)", 1),
        (b"{ ,}", f"not valid JSON: {COMMA}, found ',' (at line 1, column 3)", 2),
        (b"[1,,]", f"not valid JSON: {COMMA}, found ',' (at line 1, column 4)", 3),
        (b"[1,,2]", "not valid JSON: a value is expected, found ',' (at line 1, column 4)", 3),
        (
            b'"a\tb"',
            "not valid JSON: a control character stands unescaped in a string, found '\\t' (at line 1, column 3)",
            2,
        ),
        (b'"abc', "not valid JSON: the string is not closed, found '\"' (at line 1, column 1)", 0),
        (b'"\\x41"', "not valid JSON: the escape is not one of JSON's, found '\\\\' (at line 1, column 2)", 1),
        (b"01", "not valid JSON: text follows the JSON value, found '1' (at line 1, column 2)", 1),
        (b"{1: 2}", "not valid JSON: a member name in double quotes is expected, found '1' (at line 1, column 2)", 1),
        (b'{"a" 1}', "not valid JSON: ':' is expected, found '1' (at line 1, column 6)", 5),
        (b"[1\n 2]", "not valid JSON: ',' or a closing bracket is expected, found '2' (at line 2, column 2)", 4),
        (b"[1", "not valid JSON: ',' or a closing bracket is expected, found the end (at line 1, column 3)", 2),
        (b"[1}", "not valid JSON: ',' or a closing bracket is expected, found '}' (at line 1, column 3)", 2),
        (b"]", "not valid JSON: a value is expected, found ']' (at line 1, column 1)", 0),
    ],
)
def test_a_fault_is_named_with_what_was_found_and_where(text: bytes, words: str, offset: int) -> None:
    error = refused(text)
    assert error.position is not None
    assert (str(error), error.position.offset) == (words, offset)


def test_latin_1_is_refused_as_a_charset_and_not_as_a_syntax() -> None:
    assert refused(b"[]", "iso-8859-1").kind == "charset"


@pytest.mark.parametrize("brackets", [(b"[", b"]"), (b'{"a":', b"}")])
def test_the_deepest_level_that_is_read_is_the_named_one(brackets: tuple[bytes, bytes]) -> None:
    opening, closing = brackets
    assert decode_json(opening * MAX_DEPTH + b"1" + closing * MAX_DEPTH).notes == ()
    error = refused(b" \n" + opening * (MAX_DEPTH + 1) + b"1" + closing * (MAX_DEPTH + 1))
    assert (error.kind, error.message) == ("too-deep", f"the JSON is nested more than {MAX_DEPTH} levels deep")
    assert error.position is not None
    assert (error.position.line, error.position.offset) == (2, 2 + len(opening) * MAX_DEPTH)


def test_brackets_that_do_not_match_are_counted_too() -> None:
    many = MAX_DEPTH + 1
    assert refused(b"[" * many).kind == "too-deep"
    assert refused(b"[}" * many).kind == "syntax"
    assert refused(b'{"["]' * many).kind == "syntax"


@pytest.mark.parametrize("pad", [0, 1, MAX_DIGITS // 2 - 1, MAX_DIGITS // 2])
def test_a_number_that_is_too_long_is_found_wherever_it_begins(pad: int) -> None:
    before = b"[" + b" " * pad
    assert decode_json(before + b"1" * MAX_DIGITS + b"]").value == [int("1" * MAX_DIGITS)]
    error = refused(before + b"-" + b"1" * (MAX_DIGITS + 1) + b"]")
    assert (error.kind, error.message) == (
        "number-too-long",
        f"a number of more than {MAX_DIGITS} characters is not read",
    )
    assert error.position is not None
    assert (error.position.line, error.position.offset) == (1, len(before))


def test_notes_name_the_member_by_its_pointer_in_the_order_of_the_document() -> None:
    document = decode_json(b'\xef\xbb\xbf{"a":[1.0,{"b":-0}],"c":"\\ud800","\\udfff":2,"d":1,"d":{"x":[1.5]},"d":3}')
    assert document.notes == (
        Note("bom", "", "the body begins with a utf-8 byte order mark"),
        Note("non-integer-literal", "/a/0", "1.0"),
        Note("non-integer-literal", "/a/1/b", "-0"),
        Note("lone-surrogate", "/c", "'\\ud800'"),
        Note("lone-surrogate", "/\udfff", "member name '\\udfff'"),
        Note("duplicate-key", "/d", "member 'd' is given 3 times; the last is used, before it: 1, {\"x\":[1.5]}"),
    )
    assert document.value["d"] == 3


def test_a_value_without_floats_is_not_copied_for_the_validator() -> None:
    document = decode_json(b'{"a":1,"a":2}')
    assert document.plain is document.value
    assert type(decode_json(b"[1.0]").plain[0]) is float


def test_a_document_without_oddities_has_no_notes() -> None:
    assert decode_json(b' {"a":"-0","b":[null,true]} ') == JsonDocument({"a": "-0", "b": [None, True]}, ())


def test_tokens_are_escaped_in_a_pointer_tilde_first() -> None:
    assert join_pointer(["a/b", 0, "~1", ""]) == "/a~1b/0/~01/"
    assert split_pointer("/a~1b/0/~01/") == ("a/b", "0", "~1", "")
    with pytest.raises(ValueError, match="must be empty or begin with '/'"):
        split_pointer("a")


@pytest.mark.parametrize(
    ("text", "pointer", "place"),
    [
        (b'{"a":1,"a":2}', "/a", (1, 12)),
        (b'\n{ "x" : [ 5 ,\n 6 ] }', "/x/1", (3, 2)),
        (b' {"a":{"b":"c"}}', "/a/b", (1, 12)),
        (b'{"0":[7]}', "/0/0", (1, 7)),
        (b'["0",[1]]', "/1/0", (1, 7)),
        (b"[1,2]", "/2", None),
        (b"[1,2]", "/0/0", None),
        (b'"abc"', "/0", None),
        (b'{"a":1', "/a", None),
        (b"[1", "/1", None),
        (b"[x]", "/0", None),
        (b" ", "", None),
        (b"[]", "x", None),
        (b"\t 1", "", (1, 3)),
        (b'{"a":[],"b":2}', "/a/b", None),
    ],
)
def test_a_place_is_where_the_value_begins(text: bytes, pointer: str, place: tuple[int, int] | None) -> None:
    assert locate(text, pointer) == place


def test_a_place_is_found_in_the_charset_of_the_body() -> None:
    assert locate("[1, 2]".encode("utf-16-be"), "/1", "utf-16") == (1, 5)


def test_brackets_that_close_again_are_not_deep_beside_others_that_do_not() -> None:
    assert refused(b"[]" * 60 + b"[" * MAX_DEPTH).kind == "syntax"
    error = refused(b"[]{}" * 60 + b'"[" ' + b"[" * (MAX_DEPTH + 1))
    assert error.kind == "too-deep"
    assert error.position is not None
    assert error.position.offset == 240 + 4 + MAX_DEPTH


def test_items_are_counted_up_to_the_wanted_one() -> None:
    assert locate(b"[1, 2, [3, 4, 5]]", "/2/2") == (1, 15)


@pytest.mark.parametrize("data", [b"X", "\u00a0".encode()])
def test_text_that_is_no_white_space_of_json_is_not_empty(data: bytes) -> None:
    assert refused(data).kind == "syntax"


def test_a_comma_before_the_end_of_an_inner_list_is_placed_at_the_comma() -> None:
    error = refused(b'{"a":[1,]}')
    assert (error.message, error.position and error.position.offset) == (f"not valid JSON: {COMMA}, found ','", 7)


def test_a_number_beyond_the_digits_that_the_interpreter_reads_is_too_long() -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        error = refused(b"\n" + b"1" * 641)
    finally:
        sys.set_int_max_str_digits(before)
    assert (error.kind, error.position) == ("number-too-long", Position(1, 1, 0))
    assert error.message.startswith("a number is too long: ")


@pytest.mark.parametrize(
    ("earlier", "shown"), [('"é"', '"\\u00e9"'), ('[{"b":"€"}]', '[{"b":"\\u20ac"}]'), ("[[]]", "[[]]")]
)
def test_the_values_that_another_one_replaces_are_shown_as_they_were_in_ascii(earlier: str, shown: str) -> None:
    (note,) = decode_json(f'{{"a":{earlier},"a":1}}'.encode()).notes
    assert note.text == f"member 'a' is given 2 times; the last is used, before it: {shown}"
