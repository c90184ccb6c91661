"""Bytes to text and back: charsets by their names, marks, and the place of the first bad byte."""

from __future__ import annotations

import codecs

import pytest

from conformance.formats.errors import CodecError, Position
from conformance.formats.text import (
    MAX_BYTES,
    Text,
    bom_of,
    codec_of,
    decode_text,
    encode_text,
    lenient_text,
    line_column,
    position_at,
)


def refused(data: bytes, charset: str | None = None) -> CodecError:
    with pytest.raises(CodecError) as caught:
        decode_text(data, charset)
    return caught.value


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UTF-8", "utf-8"),
        (' "utf8" ', "utf-8"),
        ("us-ascii", "ascii"),
        ("ASCII", "ascii"),
        ("utf-16", "utf-16"),
        ("UTF-16LE", "utf-16-le"),
        ("utf-16be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("utf-32le", "utf-32-le"),
        ("utf-32be", "utf-32-be"),
        ("ISO-8859-1", "latin-1"),
    ],
)
def test_a_charset_is_known_by_its_name_in_any_case_and_quoted(name: str, codec: str) -> None:
    assert codec_of(name) == codec


def test_an_unknown_charset_is_refused_by_name() -> None:
    error = refused(b"", "klingon")
    assert (error.kind, error.position) == ("charset", None)
    assert "'klingon'" in error.message


@pytest.mark.parametrize(
    ("mark", "codec"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_mark_decides_and_is_not_part_of_the_text(mark: bytes, codec: str) -> None:
    data = mark + "aé".encode(codec)
    assert bom_of(data) == (codec, len(mark))
    assert decode_text(data) == Text("aé", codec, len(mark))


def test_bytes_without_a_mark_are_utf_8() -> None:
    assert bom_of(b"") is None
    assert bom_of(b"\xef\xbb") is None
    assert bom_of(b"a") is None
    assert decode_text("é".encode()) == Text("é", "utf-8", 0)


@pytest.mark.parametrize("width", ["16", "32"])
def test_a_charset_without_byte_order_takes_it_from_the_mark_or_the_first_byte(width: str) -> None:
    little, big = f"utf-{width}-le", f"utf-{width}-be"
    assert decode_text("[1]".encode(little), f"utf-{width}") == Text("[1]", little, 0)
    assert decode_text("[1]".encode(big), f"utf-{width}") == Text("[1]", big, 0)
    mark = "\ufeff".encode(big)
    assert decode_text(mark + "é".encode(big), f"utf-{width}") == Text("é", big, len(mark))
    assert decode_text(b"", f"utf-{width}") == Text("", little, 0)


def test_a_mark_of_another_family_than_the_charset_stays_in_the_text() -> None:
    data = codecs.BOM_UTF8 + b"a"
    assert decode_text(data, "iso-8859-1") == Text(data.decode("latin-1"), "latin-1", 0)
    assert decode_text(codecs.BOM_UTF16_LE, "utf-16be").bom_length == 0
    assert decode_text(codecs.BOM_UTF8 + b"ab\0", "utf-16").bom_length == 0


@pytest.mark.parametrize(
    ("data", "charset", "message", "position"),
    [
        (
            b"a\n\xff",
            None,
            "byte 0xff at offset 2 is not valid utf-8; check the charset against the bytes",
            Position(2, 1, 2),
        ),
        (
            b"\xef\xbb\xbf\n\xc3\xa9\x80",
            None,
            "byte 0x80 at offset 6 is not valid utf-8; check the charset against the bytes",
            Position(2, 2, 6),
        ),
        (
            b"a\x05\0",
            "utf-16le",
            "byte 0x00 at offset 2 is not valid utf-16-le; check the charset against the bytes",
            Position(1, 2, 2),
        ),
        (
            b"\xff\xfea\0\x0a\0\0\xdcb\0",
            None,
            "byte 0x00 at offset 6 is not valid utf-16-le; check the charset against the bytes",
            Position(2, 1, 6),
        ),
    ],
)
def test_a_bad_byte_is_named_with_its_place(data: bytes, charset: str | None, message: str, position: Position) -> None:
    error = refused(data, charset)
    assert (error.kind, error.message, error.position) == ("encoding", message, position)


def test_a_body_is_read_up_to_the_limit() -> None:
    assert len(decode_text(b"a" * MAX_BYTES).text) == MAX_BYTES
    error = refused(b"a" * (MAX_BYTES + 1))
    assert (error.kind, error.position) == ("too-large", Position(1, 1, 0))


def test_line_and_column_count_from_one() -> None:
    assert [line_column("a\n\nbc", index) for index in range(6)] == [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (3, 3)]


def test_an_offset_counts_bytes_after_the_mark() -> None:
    assert position_at(Text("é\nx", "utf-8", 3), 2) == Position(2, 1, 6)
    assert position_at(Text("é\nx", "utf-16-le", 2), 2) == Position(2, 1, 6)
    assert position_at(Text("\ud800x", "utf-8", 0), 1) == Position(1, 2, 3)


def test_a_charset_without_byte_order_is_written_little_endian() -> None:
    assert encode_text("é", "utf-16", bom=False) == "é".encode("utf-16-le")
    assert encode_text("é", "UTF-32", bom=True) == codecs.BOM_UTF32_LE + "é".encode("utf-32-le")
    assert encode_text("é", "utf-8", bom=True) == codecs.BOM_UTF8 + "é".encode()
    assert encode_text("é", "iso-8859-1", bom=True) == b"\xe9"


def test_a_character_that_the_charset_lacks_is_named() -> None:
    with pytest.raises(CodecError) as caught:
        encode_text("aé€", "us-ascii", bom=False)
    assert caught.value.kind == "encoding"
    assert caught.value.message.startswith("character U+00E9 cannot be written in us-ascii")


def test_a_lenient_reader_takes_bad_bytes_for_utf_8() -> None:
    assert lenient_text("é".encode("utf-16-be"), "utf-16be") == "é"
    assert lenient_text(codecs.BOM_UTF8 + b"a", None) == "a"
    assert lenient_text(b"a\xff", None) == "a\ufffd"
    assert lenient_text(b"a", "klingon") == "a"
