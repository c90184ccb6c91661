"""What a careless reader may make of one value or one text: every number, every GUID, every unescaped form."""

from __future__ import annotations

import codecs
from typing import Any

import pytest

from conformance.formats.members import Literal
from conformance.formats.text import MAX_BYTES
from conformance.guard.ids import MAX_DIGITS, Ids, ids_of, numbers_in, uids_in, wrapped
from conformance.guard.texts import Texts, Token, fold, texts_of, tokens_in, variants

UID = "6269c403-5b9f-47dd-b8c3-7ecbef8f686d"
PACKED = UID.replace("-", "")


@pytest.mark.parametrize(
    ("number", "seen"),
    [
        (1, {1}),
        (-1, {-1, 4294967295, 18446744073709551615}),
        (2147483647, {2147483647}),
        (2147483648, {-2147483648, 2147483647, 2147483648}),
        (4294967296, {0, 2147483647, 4294967296}),
        (4294967303, {7, 2147483647, 4294967303}),
        (-2147483648, {-2147483648, 2147483648, 18446744071562067968}),
        (-2147483649, {-2147483649, -2147483648, 2147483647, 18446744071562067967}),
        (9007199254740992, {0, 2147483647, 9007199254740992}),
        (9007199254740993, {1, 2147483647, 9007199254740992, 9007199254740993}),
        (9223372036854775807, {-1, 2147483647, 4294967295, 9223372036854775807, 9223372036854775808}),
        (9223372036854775808, {-9223372036854775808, 0, 2147483647, 9223372036854775807, 9223372036854775808}),
        (18446744073709551621, {5, 2147483647, 9223372036854775807, 18446744073709551616}),
        (-9223372036854775809, {-9223372036854775808, -2147483648, -1, 4294967295, 9223372036854775807}),
        (10**400, {0, 2147483647, 9223372036854775807}),
    ],
)
def test_a_number_is_cut_clamped_and_rounded_to_every_width(number: int, seen: set[int]) -> None:
    assert wrapped(number) == seen


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", set()),
        ("abc", set()),
        ("7", {7}),
        ("x7y", {7}),
        ("1 2", {1, 2, 12}),
        ("0", set()),
        ("007", {7}),
        ("010", {8, 10}),
        ("0x1F", {1, 31}),
        ("&h1f", {1, 31}),
        ("0b101", {5, 65, 101}),
        ("0o17", {15, 17}),
        ("0X1f", {1, 31}),
        ("5 0x10", {5, 10, 16, 5010}),
        ("-5", {-5, 5, 4294967291, 18446744073709551611}),
        ("(5)", {-5, 5, 4294967291, 18446744073709551611}),
        ("\u22125", {-5, 5, 4294967291, 18446744073709551611}),
        ("5-", {-5, 5, 4294967291, 18446744073709551611}),
        ("1.5", {1, 2, 5, 15}),
        (
            "-1.5",
            {
                -15,
                -5,
                -2,
                -1,
                1,
                2,
                5,
                15,
                4294967281,
                4294967291,
                4294967294,
                4294967295,
                18446744073709551601,
                18446744073709551611,
                18446744073709551614,
                18446744073709551615,
            },
        ),
        ("1e2", {1, 2, 12, 100}),
        ("1.2e1", {1, 2, 12, 121}),
        (".5", {1, 5}),
        ("5.", {5}),
        ("+5", {5}),
        ("true", {1}),
        ("TRUE 3", {1, 3}),
        ("\u0663", {3}),
        ("\uff11\uff12", {12}),
        ("1,000", {1, 1000}),
        ("12a34", {12, 34, 1234}),
        ("1e9999", {1, 9999, 19999, 2147483647, 9223372036854775807}),
        ("0e9999", {9999}),
        ("0.0", set()),
        (
            "1e-400",
            {
                -1400,
                -400,
                -1,
                1,
                400,
                1400,
                4294965896,
                4294966896,
                4294967295,
                18446744073709550216,
                18446744073709551216,
                18446744073709551615,
            },
        ),
        ("2.5e400", {2, 5, 400, 25400, 2147483647, 9223372036854775807}),
        ("&xZ", set()),
        ("08", {8}),
        ("0179", {15, 179}),
        ("5e", {5}),
    ],
)
def test_every_number_that_a_text_may_be_taken_for_is_seen(text: str, numbers: set[int]) -> None:
    assert numbers_in(text) == numbers


@pytest.mark.parametrize(
    ("value", "exact", "numbers", "uids", "nothing", "opaque"),
    [
        (None, None, set(), set(), True, False),
        (False, None, set(), set(), True, False),
        (True, None, {1}, set(), True, False),
        (Literal("0"), None, set(), set(), True, False),
        (Literal("-0"), None, set(), set(), True, False),
        (Literal("5"), 5, {5}, set(), False, False),
        (Literal("-5"), -5, {-5, 4294967291, 18446744073709551611}, set(), False, False),
        (Literal("1.0"), None, {1}, set(), True, False),
        (Literal("1.5"), None, {1, 2}, set(), True, False),
        (Literal("2.5"), None, {2, 3}, set(), True, False),
        (
            Literal("-1.5"),
            None,
            {-2, -1, 4294967294, 4294967295, 18446744073709551614, 18446744073709551615},
            set(),
            True,
            False,
        ),
        (
            Literal("-2.5"),
            None,
            {-3, -2, 4294967293, 4294967294, 18446744073709551613, 18446744073709551614},
            set(),
            True,
            False,
        ),
        (Literal("1e2"), None, {1, 100}, set(), True, False),
        (Literal("7e-1"), None, {1, 7}, set(), True, False),
        (Literal("-0.5"), None, {-1, 4294967295, 18446744073709551615}, set(), True, False),
        (Literal("2147483648"), 2147483648, {-2147483648, 2147483647, 2147483648}, set(), True, False),
        (Literal("2147483647"), 2147483647, {2147483647}, set(), False, False),
        (Literal("-2147483648"), -2147483648, {-2147483648, 2147483648, 18446744071562067968}, set(), False, False),
        (
            Literal("-2147483649"),
            -2147483649,
            {-2147483649, -2147483648, 2147483647, 18446744071562067967},
            set(),
            True,
            False,
        ),
        (Literal("4294967296"), 4294967296, {2147483647, 4294967296}, set(), True, False),
        (
            Literal("1111111111111111111111111111111111111111"),
            1111111111111111111111111111111111111111,
            {
                -560780128307875385,
                -954437177,
                2147483647,
                3340530119,
                9223372036854775807,
                17885963945401676231,
                1111111111111111161655750653203590414336,
            },
            set(),
            True,
            False,
        ),
        (
            Literal("11111111111111111111111111111111111111111"),
            None,
            {
                -5607801283078753849,
                -954437177,
                2147483647,
                3340530119,
                9223372036854775807,
                12838942790630797767,
                11111111111111110105400232013749435760640,
            },
            set(),
            True,
            False,
        ),
        (
            Literal("1" * 400),
            None,
            {-954437177, 2147483647, 3340530119, 8198552921648689607, 9223372036854775807},
            set(),
            True,
            False,
        ),
        (Literal("1" * 401), None, set(), set(), True, True),
        (Literal("1e500"), None, {1, 2147483647, 9223372036854775807}, set(), True, False),
        ("5", 5, {5}, set(), False, False),
        (" 5", None, {5}, set(), True, False),
        ("0", None, set(), set(), True, False),
        ("", None, set(), set(), True, False),
        ("abc", None, set(), set(), True, False),
        ("05", None, {5}, set(), True, False),
        ("00000000-0000-0000-0000-000000000000", None, set(), set(), True, False),
        ("aaaaaaaaaaaaaaa", None, set(), set(), True, False),
        ("aaaaaaaaaaaaaaaa", None, set(), set(), True, True),
        (
            "1" * 400,
            None,
            {-954437177, 2147483647, 3340530119, 8198552921648689607, 9223372036854775807},
            {"11111111-1111-1111-1111-111111111111"},
            True,
            False,
        ),
        ("1" * 401, None, set(), set(), True, True),
        ("z" * 401, None, set(), set(), True, False),
        ("a" * 401, None, set(), {"aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"}, True, False),
        (5, None, set(), set(), True, True),
        ([1], None, set(), set(), True, True),
    ],
)
def test_a_value_is_taken_for_these_ids(
    value: Any, exact: int | str | None, numbers: set[int], uids: set[str], nothing: bool, opaque: bool
) -> None:
    assert ids_of(value) == Ids(exact, frozenset(numbers), frozenset(uids), nothing, opaque)


@pytest.mark.parametrize("text", [UID, UID.upper()])
def test_a_plain_guid_is_exact_and_its_digits_count_too(text: str) -> None:
    assert ids_of(text) == Ids(UID, numbers_in(text), frozenset({UID}), nothing=True)
    assert len(numbers_in(text)) == 46


@pytest.mark.parametrize("text", [PACKED, f"{{{UID}}}", f"x{UID}"])
def test_a_guid_in_another_form_is_seen_and_is_not_exact(text: str) -> None:
    assert ids_of(text) == Ids(None, numbers_in(text), frozenset({UID}), nothing=True)


@pytest.mark.parametrize(
    ("text", "uids"),
    [
        ("", set()),
        (UID, {UID}),
        (UID.upper(), {UID}),
        (PACKED, {UID}),
        (f"x{UID}y", {UID}),
        (f"0x{PACKED}", {UID}),
        (f"urn:uuid:{UID}", {UID}),
        (
            "{0x6269c403,0x5b9f,0x47dd,{0xb8,0xc3,0x7e,0xcb,0xef,0x8f,0x68,0x6d}}",
            {"6269c403-5b9f-47dd-b8c3-7ecbef8f686d"},
        ),
        ("6269c403-5b9f-47dd-b8c3-7ecbef8f686", set()),
        (
            "6269c403-5b9f-47dd-b8c3-7ecbef8f686d0",
            {"269c4035-b9f4-7ddb-8c37-ecbef8f686d0", "6269c403-5b9f-47dd-b8c3-7ecbef8f686d"},
        ),
        ("6269c4035b9f-47dd-b8c3-7ecbef8f686d", {"6269c403-5b9f-47dd-b8c3-7ecbef8f686d"}),
    ],
)
def test_every_guid_that_a_text_may_hold_is_seen(text: str, uids: set[str]) -> None:
    assert uids_in(text) == uids


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("AccountId", "accountid"),
        ("account_id", "accountid"),
        ("ACCOUNT-ID ", "accountid"),
        ("Acc\xf6unt", "account"),
        ("\uff21ccount", "account"),
        ("Account\u0130D", "accountid"),
        ("account\u0131d", "accountid"),
        ("a.b[0]", "ab0"),
        ("", ""),
        ("stra\xdfe", "strasse"),
    ],
)
def test_a_name_is_folded_as_careless_readers_compare_it(name: str, folded: str) -> None:
    assert fold(name) == folded


@pytest.mark.parametrize(
    ("data", "content_types", "texts", "sure"),
    [
        (b"a", (), ("a",), True),
        (b"", (), ("",), True),
        (codecs.BOM_UTF8 + b"a", (), ("a",), False),
        (codecs.BOM_UTF16_LE + b"a\0", (), ("a", "\ufffe\u6100", "\xff\xfea\x00", "\ufffd\ufffda\x00", "a\x00"), False),
        (b"\xe9", (), ("\xe9", "\ufffd", ""), False),
        (b"a\0", (), ("a\x00", "a", "\u6100"), False),
        (b"a", ("x; charset=utf-8",), ("a",), True),
        (b"\xe9", ('x; CHARSET="iso-8859-1"',), ("\xe9", "\ufffd", ""), False),
        (b"a", ("x; charset=nonsense",), ("a",), False),
        (b"a", ("x;charset=utf-16", "y; charset=latin-1"), ("a",), False),
        (b'<?xml encoding="utf-7"?>+ADE-', (), ('<?xml encoding="utf-7"?>+ADE-', '<?xml encoding="utf-7"?>1'), False),
        (
            b"<?xml version='1.0' ENCODING = 'cp037'?>",
            (),
            (
                "<?xml version='1.0' ENCODING = 'cp037'?>",
                "\x14\x1a\xcc_%\x80\xce\xc1\xca\xcb\xd1?>\x15\x1b\x91\x06\x90\x1b\x80\xe1+\xe4|\xe0\xf1+\xe5\x80\x15\x80\x1b\xc4\xf8\x90\x93\x04\x1b\x1a\x9e",
            ),
            False,
        ),
        (b"a", ("x; charset=hex",), ("a",), False),
    ],
)
def test_bytes_are_read_under_every_charset_that_somebody_may_choose(
    data: bytes, content_types: tuple[str, ...], texts: tuple[str, ...], sure: bool
) -> None:
    assert texts_of(data, content_types) == Texts(texts, sure)


def test_a_body_beyond_the_limit_is_not_read() -> None:
    assert texts_of(b"a" * (MAX_BYTES + 1)) == Texts((), False)
    assert texts_of(b"a" * MAX_BYTES).sure


def test_a_declaration_counts_in_the_first_bytes_alone() -> None:
    late = b" " * 400 + b'<?xml encoding="utf-16"?>'
    assert texts_of(late).sure
    assert not texts_of(b'<?xml encoding="utf-16"?>').sure


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("a", {"a"}),
        ("\\u0041", {"A", "\\u0041"}),
        ("\\x41", {"A", "\\x41"}),
        ("\\101", {"\\101", "A"}),
        ("\\n\\t\\r\\b\\f\\q", {"\n\t\rq", "\\n\\t\\r\\b\\f\\q"}),
        ("&#65;", {"A", "&", "&#65;"}),
        ("%41", {"%41", "A"}),
        ("%2541", {"%41", "A", "%2541"}),
        ("a<!--b-->c", {"a<!--b-->c", "ac"}),
        ("a<?b?>c", {"a<?b?>c", "ac"}),
        ("<![CDATA[a]]>", {"<![CDATA[a]]>", "a"}),
        ("a]]>b", {"ab", "a]]>b"}),
        ("a/*b*/c", {"a/*b*/c", "ac"}),
        ("a//b\nc", {"a\nc", "a//b\nc"}),
        ("a#b", {"a#b", "a"}),
        ("a\u200bb", {"ab", "a\u200bb"}),
        ("a\x00b", {"a\x00b", "ab"}),
        ("&amp;#65;", {"&amp;#65;", "&#65;", "&amp;", "A", "&"}),
        ("\\\\u0041", {"\\\\u0041", "A", "\\u0041"}),
    ],
)
def test_a_text_is_unescaped_in_every_way(text: str, forms: set[str] | None) -> None:
    found = variants(text)
    assert (None if found is None else set(found)) == forms
    assert found is None or found[0] == text


def test_a_text_that_is_escaped_too_often_cannot_be_told() -> None:
    deep = "1"
    for _ in range(3):
        deep = deep.replace("%", "%25").replace("1", "%31")
    assert variants(deep) is not None
    assert variants(deep.replace("%", "%25")) is None


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        ("5", [("5", (5,), (), "", False)]),
        ("OrderID: 5", [("5", (5,), (), "OrderID", False)]),
        ("a 5 b 7", [("5", (5,), (), "a", False), ("7", (7,), (), "b", False)]),
        ("x=true", [("true", (1,), (), "x", False)]),
        ("yes, on, no", [("on", (1,), (), "yes", False), ("yes", (1,), (), "", False)]),
        (
            "6269c403-5b9f-47dd-b8c3-7ecbef8f686d",
            [("6269c403-5b9f-47dd-b8c3-7ecbef8f686d", (), ("6269c403-5b9f-47dd-b8c3-7ecbef8f686d",), "", False)],
        ),
        (
            "id 6269c403-5b9f-47dd-b8c3-7ecbef8f686d",
            [("6269c403-5b9f-47dd-b8c3-7ecbef8f686d", (), ("6269c403-5b9f-47dd-b8c3-7ecbef8f686d",), "", False)],
        ),
        (
            "6269c4035b9f47ddb8c37ecbef8f686d",
            [("6269c4035b9f47ddb8c37ecbef8f686d", (), ("6269c403-5b9f-47dd-b8c3-7ecbef8f686d",), "", False)],
        ),
        ("-5", [("-5", (-5, 5, 4294967291, 18446744073709551611), (), "", False)]),
        ("a5", [("a5", (5,), (), "", False)]),
        ("5<b>6", None),
        ("5<b> 6", [("5", (5,), (), "", False), ("6", (6,), (), "b", False)]),
        ("<a>5</a>", [("5", (5,), (), "a", False)]),
        ('xmlns="http://x/2004" 7', [("7", (7,), (), "", False)]),
        ('xmlns:i="urn:a1" 7', [("7", (7,), (), "", False)]),
        ('xmlns="ftp://9"', [("9", (9,), (), "ftp", False)]),
        ('<?xml version="1.0" encoding="utf-8"?>8', [("8", (8,), (), "", False)]),
        ("1\x00\x002\x00\x00", [("12", (12,), (), "", False)]),
        ("\u0663", [("3", (3,), (), "", False)]),
        ("A\u0301b 4", [("4", (4,), (), "\xc1b", False)]),
        ("5 name", [("5", (5,), (), "", False)]),
        ("name1 6", [("6", (6,), (), "name1", False), ("name1", (1,), (), "", False)]),
        ("ab-" * 10 + "ab" * 5, []),
        ("a" * 33, [("a" * 33, (), ("aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",), "", False)]),
        ("y" + "a" * 31, []),
    ],
)
def test_everything_in_a_text_that_may_be_an_id_is_a_token(text: str, tokens: list[tuple[Any, ...]] | None) -> None:
    found = tokens_in(text)
    if tokens is None:
        assert found is None
        return
    assert found is not None
    plain = {(one.text, tuple(sorted(one.numbers)), tuple(sorted(one.uids)), one.name, one.opaque) for one in found}
    assert sorted(plain, key=repr) == tokens


GUID = "6269c403-5b9f-47dd-b8c3-7ecbef8f686d"
LETTER_FIRST, NO_LETTER = "c269c403-5b9f-47dd-b8c3-7ecbef8f686d", "62694403-5294-4744-8843-712345678686"


@pytest.mark.parametrize(
    ("text", "beside"),
    [
        (f"{GUID} a", [("",)]),
        (f"a {GUID}", [("a",)]),
        (f"a {LETTER_FIRST}", [("a",)]),
        (f"a {NO_LETTER}", [("a",)]),
        (f"<a>{GUID}", [("a", "a")]),
        (f"<a:b>{GUID}", [("a", "b", "b")]),
        (f"<a:b c='1' d>{GUID}", [("a", "b", "d")]),
        (f"<a:b c='1'>{GUID}</a:b><e>{GUID}", [("a", "b", "c"), ("e", "e")]),
        (f"<a> b c {GUID} d {GUID}", [("a", "b", "c"), ("a", "b", "d")]),
    ],
)
def test_a_guid_stands_beside_the_name_of_its_tag_and_the_last_name(text: str, beside: list[tuple[str, ...]]) -> None:
    assert [one.beside for one in tokens_in(text) or () if one.beside] == beside


def test_a_token_that_is_too_long_is_opaque() -> None:
    assert [token.opaque for token in tokens_in("1" * MAX_DIGITS) or ()] == [False]
    assert [(token.opaque, token.numbers) for token in tokens_in("1" * (MAX_DIGITS + 1)) or ()] == [(True, frozenset())]
    assert Token("yes", frozenset({1}), frozenset(), "").affirms
    assert not Token("y3s", frozenset({3}), frozenset(), "").affirms
    assert not Token("a" * 32, frozenset(), frozenset({"a"}), "").affirms
