"""The lexical rules of simple types, at their edges."""

from __future__ import annotations

import re
from typing import Any

import pytest

from conformance.formats.xml.xsd import INTEGER_BITS, Scalar


@pytest.mark.parametrize(("base", "bits"), sorted(INTEGER_BITS.items()))
def test_an_integer_reaches_exactly_as_far_as_its_width(base: str, bits: int) -> None:
    scalar = Scalar(base)  # type: ignore[arg-type]
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    assert [scalar.read(str(low)), scalar.read(str(high)), scalar.read(f"+{high}")] == [low, high, high]
    for outside in (low - 1, high + 1, -(10**25), 10**25):
        with pytest.raises(ValueError, match=re.escape(f"is outside xs:{base} ({low} to {high})")):
            scalar.read(str(outside))


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("-0", 0), ("+0", 0), ("000", 0), (" \t\r\n5\n", 5), ("007", 7), ("-007", -7), ("0" * 40 + "1", 1)],
)
def test_an_integer_may_have_a_sign_zeros_and_space_around(text: str, value: int) -> None:
    assert Scalar("int").read(text) == value


@pytest.mark.parametrize("text", ["", " ", "+", "-", "--1", "1.0", "1e3", "0x1", "1 2", "\u00a05", "\u0665", "five"])
def test_what_is_no_integer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an xs:int"):
        Scalar("int").read(text)


def test_the_limits_of_a_restriction_are_inclusive() -> None:
    scalar = Scalar("byte", minimum=-3, maximum=9)
    assert [scalar.read("-3"), scalar.read("9")] == [-3, 9]
    for outside in ("-4", "10"):
        with pytest.raises(ValueError, match=re.escape("(-3 to 9)")):
            scalar.read(outside)


def test_a_restriction_widens_nothing() -> None:
    scalar = Scalar("byte", minimum=-1000, maximum=1000)
    assert [scalar.read("-128"), scalar.read("127")] == [-128, 127]
    for outside in ("-129", "128"):
        with pytest.raises(ValueError, match=re.escape("(-128 to 127)")):
            scalar.read(outside)


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False), (" \r\n\ttrue ", True)]
)
def test_a_boolean_has_four_words(text: str, value: bool) -> None:
    assert Scalar("boolean").read(text) is value


@pytest.mark.parametrize("text", ["", "True", "FALSE", "yes", "2", "\u00a0true", "truetrue"])
def test_what_is_no_boolean_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape("is not an xs:boolean (true, false, 1 or 0)")):
        Scalar("boolean").read(text)


def test_a_string_keeps_its_space_and_its_length_counts_it() -> None:
    scalar = Scalar("string", min_length=2, max_length=3, name="Code")
    assert [scalar.read(" a"), scalar.read("abc")] == [" a", "abc"]
    for text in ("a", "abcd"):
        with pytest.raises(ValueError, match=f"'{text}' has {len(text)} characters, which Code does not allow"):
            scalar.read(text)
    with pytest.raises(ValueError, match="which the type does not allow"):
        Scalar("string", min_length=1).read("")


def test_a_string_is_one_of_an_enumeration() -> None:
    scalar = Scalar("string", enumeration=frozenset({"b", "a"}))
    assert scalar.read("a") == "a"
    with pytest.raises(ValueError, match=re.escape("'c' is none of the allowed values ['a', 'b']")):
        scalar.read("c")


def test_a_string_has_every_pattern_from_end_to_end() -> None:
    scalar = Scalar("string", patterns=(re.compile("[a-c]+"), re.compile(".b.*")), name="Key")
    assert scalar.read("abc") == "abc"
    for text in ("acc", "abd", "xabc", ""):
        with pytest.raises(ValueError, match=f"'{text}' does not have the form of Key"):
            scalar.read(text)
    with pytest.raises(ValueError, match="does not have the form of the type"):
        Scalar("string", patterns=(re.compile("a"),)).read("b")


@pytest.mark.parametrize(
    ("base", "text", "value"),
    [
        ("decimal", " 1.50 ", 1.5),
        ("decimal", "-7", -7),
        ("decimal", ".5", 0.5),
        ("double", "1e3", 1000.0),
        ("double", "5", 5),
    ],
)
def test_a_number_is_an_integer_where_it_is_written_as_one(base: Any, text: str, value: float) -> None:
    found = Scalar(base).read(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("base", "text"), [("decimal", "1e3"), ("decimal", "NaN"), ("double", "INF"), ("double", "NaN"), ("double", "")]
)
def test_what_json_has_no_number_for_is_refused(base: Any, text: str) -> None:
    with pytest.raises(ValueError, match=f"is not an xs:{base} that JSON has as well"):
        Scalar(base).read(text)


@pytest.mark.parametrize("text", ["1e999", "-1e999"])
def test_a_number_beyond_all_numbers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is beyond an xs:double"):
        Scalar("double").read(text)


def test_a_moment_is_read_as_it_is_written() -> None:
    assert Scalar("dateTime").read(" 2026-01-02T03:04:05.6Z\n") == "2026-01-02T03:04:05.6Z"
    for text in ("2026-01-02", "2026-13-02T03:04:05", "yesterday"):
        with pytest.raises(ValueError, match="is not an xs:dateTime"):
            Scalar("dateTime").read(text)


def test_a_name_of_an_enumeration_may_stand_for_a_number() -> None:
    kind = Scalar("string", enumeration=frozenset({"Box", "Crate"}), numbers={"Box": 0, "Crate": 7})
    assert [kind.read("Box"), kind.read("Crate")] == [0, 7]
