"""What a parsed XML document is refused for, and what is noted about one that is read: exact words and places."""

from __future__ import annotations

import codecs

import pytest

from conformance.formats.errors import CodecError, Note, Position
from conformance.formats.xml.read import parse_xml

XSI = "http://www.w3.org/2001/XMLSchema-instance"
MARK = codecs.BOM_UTF8
DOCTYPE = "a DOCTYPE is refused; send the document without one"


@pytest.mark.parametrize(
    ("data", "charset", "kind", "text"),
    [
        (b"", None, "empty", "the body is empty; an XML document is expected (at line 1, column 1)"),
        (b" \n", None, "empty", "the body is empty; an XML document is expected (at line 1, column 1)"),
        (b"<!DOCTYPE a><a/>", None, "doctype", f"{DOCTYPE} (at line 1, column 1)"),
        (
            b'<?xml version="1.0"?>\n<!-- c --><?p i?> \n<!doctype a><a/>',
            None,
            "doctype",
            f"{DOCTYPE} (at line 3, column 1)",
        ),
        (b"x<!DOCTYPE a>", None, "doctype", f"{DOCTYPE} (at line 1, column 2)"),
        (b"<a/>\n <!DOCTYPE a>", None, "doctype", f"{DOCTYPE} (at line 2, column 2)"),
        (b"<a/>\n <!DOCTYPE a>\n<!DOCTYPE b>", None, "doctype", f"{DOCTYPE} (at line 2, column 2)"),
        (
            b'<?xml version="1.0" encoding="utf-16"?><a/>',
            None,
            "encoding",
            "the declaration says utf-16, but the body is utf-8; make them agree (at line 1, column 1)",
        ),
        (
            b'<?xml version="1.0" encoding="utf-32"?><a/>',
            None,
            "encoding",
            "the declaration says utf-32, but the body is utf-8; make them agree (at line 1, column 1)",
        ),
        (
            MARK + b'<?xml version="1.0" encoding="iso-8859-1"?><a/>',
            None,
            "encoding",
            "the declaration says iso-8859-1, but the body is utf-8; make them agree (at line 1, column 1)",
        ),
        (
            b'<?xml version="1.0" encoding="x-klingon"?><a/>',
            None,
            "charset",
            "charset 'x-klingon' is not supported; use utf-8, utf-16 or utf-32",
        ),
        (b"<a/>", "latin-9", "charset", "charset 'latin-9' is not supported; use utf-8, utf-16 or utf-32"),
        (MARK + b"<a/>", "latin-9", "charset", "charset 'latin-9' is not supported; use utf-8, utf-16 or utf-32"),
    ],
)
def test_a_refusal_says_what_and_where(data: bytes, charset: str | None, kind: str, text: str) -> None:
    with pytest.raises(CodecError) as caught:
        parse_xml(data, charset)
    assert (caught.value.kind, str(caught.value)) == (kind, text)


@pytest.mark.parametrize("data", [b" \n", b'<?xml version="1.0" encoding="utf-16"?><a/>'])
def test_what_is_wrong_with_the_whole_document_is_placed_at_its_first_byte(data: bytes) -> None:
    with pytest.raises(CodecError) as caught:
        parse_xml(data)
    assert caught.value.position == Position(1, 1, 0)


def test_words_of_the_parser_are_followed_by_one_place() -> None:
    with pytest.raises(CodecError) as caught:
        parse_xml(b"x")
    assert str(caught.value) == "not well-formed XML: Start tag expected, '<' not found (at line 1, column 1)"


@pytest.mark.parametrize(
    ("data", "kind", "line"),
    [
        (b"<a>\n  <b></c></a>", "syntax", 2),
        (b"<a>\n&x;</a>", "entity", 2),
        (b"<a>\0</a>", "encoding", 1),
        ("<a/>".encode("utf-16-le"), "encoding", 1),
        (b"<a>" * 300 + b"</a>" * 300, "too-deep", 1),
        (b"x", "syntax", 1),
    ],
)
def test_the_parsers_own_words_are_kept_without_its_place(data: bytes, kind: str, line: int) -> None:
    with pytest.raises(CodecError) as caught:
        parse_xml(data)
    error = caught.value
    assert error.position is not None
    assert (error.kind, error.position.line) == (kind, line)
    assert error.position.column > 0
    assert error.message.startswith("not well-formed XML: ")
    assert ", line " not in error.message
    assert error.message == error.message.strip()


@pytest.mark.parametrize(
    ("data", "charset", "notes"),
    [
        (b'<?xml version="1.0"?><a/>', None, []),
        (b'<?xml version="1.0" encoding="ascii"?><a/>', None, []),
        (b'<?xml version="1.0" encoding="ascii"?><a/>', "utf-8", []),
        (
            b"<?xml version='1.1' encoding = 'utf-8'?><a/>",
            None,
            [Note("xml-version", "", "the document declares XML 1.1")],
        ),
        (
            b"<?x y?><a><?z?></a><?w 1?>",
            None,
            [Note("processing-instruction", "", f"the document holds the instruction {name}") for name in "xzw"],
        ),
        (
            b'<?xml version="1.0"?><a><?q?></a>',
            None,
            [Note("processing-instruction", "", "the document holds the instruction q")],
        ),
        (
            MARK + b"<a/>",
            "utf-16",
            [
                Note("bom", "", "the body begins with a utf-8 byte order mark"),
                Note(
                    "encoding-mismatch",
                    "",
                    "the media type says utf-16, the byte order mark utf-8; the mark is followed",
                ),
            ],
        ),
        (
            MARK + b'<?xml version="1.0" encoding="iso-8859-1"?><a/>',
            "utf-8",
            [
                Note("bom", "", "the body begins with a utf-8 byte order mark"),
                Note("encoding-mismatch", "", "the declaration says iso-8859-1, but the body is utf-8"),
            ],
        ),
        (MARK + b"<a/>", "us-ascii", [Note("bom", "", "the body begins with a utf-8 byte order mark")]),
    ],
)
def test_what_is_legal_but_remarkable_is_noted(data: bytes, charset: str | None, notes: list[Note]) -> None:
    assert list(parse_xml(data, charset).notes) == notes


def test_location_hints_are_taken_out_wherever_they_stand() -> None:
    long = "u " + "v" * 300
    data = f'<a xmlns:i="{XSI}" i:noNamespaceSchemaLocation="x.xsd" c="1"><b i:schemaLocation="{long}"/></a>'
    tree = parse_xml(data.encode())
    assert dict(tree.root.attrib) == {"c": "1"}
    assert dict(tree.root[0].attrib) == {}
    assert list(tree.notes) == [
        Note("schema-location", "", "a schema location hint is ignored: 'x.xsd'"),
        Note("schema-location", "", f"a schema location hint is ignored: {long[:200]!a}"),
    ]


def test_a_declaration_is_found_when_the_body_is_wide() -> None:
    text = '<?xml version="1.0" encoding="utf-16"?><a>é</a>'
    tree = parse_xml(codecs.BOM_UTF16_LE + text.encode("utf-16-le"))
    assert (tree.root.text, [note.kind for note in tree.notes]) == ("é", ["bom"])
    with pytest.raises(CodecError) as caught:
        parse_xml(text.encode("utf-16-le"))
    assert caught.value.kind == "encoding"


def test_no_entity_is_resolved_and_nothing_is_fetched() -> None:
    assert parse_xml(b"<a>&lt;&#65;</a>").root.text == "<A"


def test_a_location_hint_without_a_namespace_is_taken_out_too() -> None:
    tree = parse_xml(f'<a xmlns:i="{XSI}" i:noNamespaceSchemaLocation="x.xsd"/>'.encode())
    assert dict(tree.root.attrib) == {}
    assert [note.kind for note in tree.notes] == ["schema-location"]


def test_an_instruction_behind_a_single_character_is_noted() -> None:
    assert [note.kind for note in parse_xml(b"\n<?p q?><a/>").notes] == ["processing-instruction"]
