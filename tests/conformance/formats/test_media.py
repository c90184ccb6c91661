"""Media types and the formats they mean."""

from __future__ import annotations

import pytest

from conformance.formats.errors import CodecError, Position
from conformance.formats.registry import format_of
from conformance.formats.text import parse_media_type


def test_names_are_lower_case_and_values_as_written() -> None:
    media_type = parse_media_type('Text/XML ; CharSet="UTF-8";q=0.5; x="a\\"b;c"')
    assert media_type.essence == "text/xml"
    assert media_type.params == (("charset", "UTF-8"), ("q", "0.5"), ("x", 'a"b;c'))
    assert media_type.charset == "UTF-8"
    assert media_type.param("X") == 'a"b;c'
    assert media_type.param("none") is None


@pytest.mark.parametrize("text", ["", "json", "text/", "text/xml charset", "text/xml;charset", 'a/b;c="', "a b/c"])
def test_a_malformed_type_is_refused(text: str) -> None:
    with pytest.raises(CodecError) as caught:
        parse_media_type(text)
    assert caught.value.kind == "media-type"


def test_an_empty_parameter_is_allowed() -> None:
    assert parse_media_type("text/json;").params == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("application/json", "json"),
        ("text/json; charset=utf-8", "json"),
        ("application/problem+json", "json"),
        ("application/xml", "xml"),
        ("TEXT/XML", "xml"),
        ("application/atom+xml", "xml"),
        ("text/html", None),
        ("image/svg+xml", None),
    ],
)
def test_the_format_of_a_type(text: str, expected: str | None) -> None:
    found = format_of(parse_media_type(text))
    assert (found.name if found is not None else None) == expected


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("json", 1, "type/subtype is expected"),
        ("a/b;c", 5, "a parameter (;name=value) is expected"),
        ("a/b; c=d e", 10, "a parameter (;name=value) is expected"),
    ],
)
def test_a_malformed_type_is_refused_at_its_column(text: str, column: int, what: str) -> None:
    with pytest.raises(CodecError) as caught:
        parse_media_type(text)
    assert caught.value.kind == "media-type"
    assert caught.value.message == f"media type {text!a}: {what}"
    assert caught.value.position == Position(1, column, column - 1)
