"""What every format does the same way: the plain text of a value, changes made to it, and values that forms are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from conformance.formats.base import (
    Decoded,
    Writing,
    as_written,
    beside,
    body_of,
    change_of,
    changed,
    is_text,
    twice,
    written_out,
)
from conformance.formats.errors import CodecError, Pairs
from conformance.formats.json.format import JSON
from conformance.formats.text import parse_media_type
from conformance.formats.xml.format import XML
from conformance.model.case import Body


@dataclass
class Words:
    """A format of a test: lists of words, as text or as bytes; it has no words for anything else."""

    binary: bool = False
    written: list[Any] = field(default_factory=list)

    def encode(self, value: Any) -> str | bytes:
        self.written.append(value)
        if not isinstance(value, list):
            raise CodecError("a list is expected", kind="value")
        text = " ".join(str(one) for one in value)
        return text.encode("latin-1") if self.binary else text

    plain = encode

    def decode(self, data: bytes, charset: str | None = None) -> Decoded:
        return Decoded(data.decode(charset or "utf-8").split())


def test_the_plain_text_is_the_body_of_a_text_format() -> None:
    assert as_written(Writing(["a", "é"], Words())) == Body("a é")
    assert body_of("a é") == Body("a é")


def test_the_bytes_of_a_binary_format_stay_what_they_are_through_a_change() -> None:
    assert as_written(Writing(["é"], Words(binary=True))) == Body(data=b"\xe9")
    assert change_of(Writing(["é"], Words(binary=True)), lambda text: text + "\xff", "utf-16") == Body(data=b"\xe9\xff")
    assert body_of(b"\xe9") == Body(data=b"\xe9")


def test_a_change_is_made_to_the_plain_text_and_written_in_the_named_encoding() -> None:
    writing = Writing(["a"], Words())
    assert change_of(writing, str.upper) == Body("A")
    assert change_of(writing, str.upper, "utf-16") == Body("A", "utf-16")
    assert changed(str.upper)(writing) == Body("A")
    assert changed(str.upper, "utf-16")(writing) == Body("A", "utf-16")


def test_a_value_without_words_has_no_form() -> None:
    writing = Writing(7, Words())
    assert (as_written(writing), change_of(writing, str.upper), changed(str.upper)(writing)) == (None, None, None)


@pytest.mark.parametrize(("length", "times"), [(1, 1), (2048, 1), (2049, 2)])
def test_a_short_text_is_kept_and_a_long_one_is_written_again(length: int, times: int) -> None:
    codec = Words()
    writing = Writing(["x" * length], codec)
    assert {writing.plain(), writing.plain()} == {"x" * length}
    assert len(codec.written) == times


def test_a_member_stands_first_and_last_and_the_others_between() -> None:
    assert twice({"a": 1, "b": 2, "c": 3}, "b", "x", "y") == Pairs((("b", "x"), ("a", 1), ("c", 3), ("b", "y")))


def test_a_member_more_stands_behind_the_documented_ones() -> None:
    assert list(beside({"a": 1}, "a", "spare").items()) == [("a", 1), ("spare", "test")]


def test_many_items_are_written_out_with_their_numbers_in_their_places() -> None:
    codec = Words()
    item = {"id": "${o#.id+1|p#}", "text": "# stays", "number": 5}
    assert written_out(codec, item, 2).text.startswith("{'id'")
    assert codec.written == [
        [
            {"id": "${o0.id+1|p0}", "text": "# stays", "number": 5},
            {"id": "${o1.id+1|p1}", "text": "# stays", "number": 5},
        ]
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [("order.OrderUID", True), ("pin", True), ("creator.PIN", True), ("some.Text", True), ("order.OrderID", False)],
)
def test_a_binding_holds_text_by_the_end_of_its_name(name: str, text: bool) -> None:
    assert is_text(name) is text


@pytest.mark.parametrize(
    ("media_type", "json", "xml"),
    [
        ("application/json", True, False),
        ("text/xml", False, True),
        ("application/vnd.acme+json", True, False),
        ("text/vnd.acme+json", True, False),
        ("text/vnd.acme+xml", False, True),
        ("image/svg+xml", False, False),
        ("application/jsonx", False, False),
    ],
)
def test_a_format_owns_its_media_types_and_documents_with_its_suffix(media_type: str, json: bool, xml: bool) -> None:
    media = parse_media_type(media_type)
    assert (JSON.owns(media), XML.owns(media)) == (json, xml)
