"""What is refused before any schema is asked: encodings, DOCTYPE, entities, size and depth."""

from __future__ import annotations

import codecs
import time
from pathlib import Path

import pytest
from lxml import etree

from conformance.formats.errors import CodecError
from conformance.formats.text import MAX_BYTES
from conformance.formats.xml.read import parse_xml
from conformance.formats.xml.xsd import safe_parser

LAUGHS = (
    b'<!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(12))
    + b"]><l>&m;</l>"
)


def refused(data: bytes, charset: str | None = None) -> CodecError:
    with pytest.raises(CodecError) as caught:
        parse_xml(data, charset)
    return caught.value


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"<a>", "syntax"),
        (b"<a></b>", "syntax"),
        (b"<a/><b/>", "syntax"),
        (b"{}", "syntax"),
        (b"<a>\x01</a>", "syntax"),
        (b"<a>&#x1;</a>", "syntax"),
        (b"<a>&nope;</a>", "entity"),
        (b"<a>\xff</a>", "encoding"),
        (b"<\0a\0/\0>\0", "encoding"),
        (b"<!DOCTYPE a><a/>", "doctype"),
        (b'<?xml version="1.0"?>\n<!-- c --><?p i?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "doctype"),
        (b"<!doctype html><html><br></html>", "doctype"),
        (b"<a/><!DOCTYPE a>", "doctype"),
        (b"<a><!DOCTYPE a></a>", "doctype"),
        (b"<a>" * 300 + b"</a>" * 300, "too-deep"),
        (b"<a>" + b" " * MAX_BYTES + b"</a>", "too-large"),
        (b'<?xml version="1.0" encoding="utf-16"?><a/>', "encoding"),
        (codecs.BOM_UTF16_LE + '<?xml version="1.0" encoding="utf-8"?><a/>'.encode("utf-16-le"), "encoding"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "charset"),
    ],
)
def test_what_is_no_safe_well_formed_document_is_refused(data: bytes, kind: str) -> None:
    assert refused(data).kind == kind


def test_billion_laughs_are_refused_at_once() -> None:
    started = time.monotonic()
    assert refused(LAUGHS).kind == "doctype"
    assert refused(codecs.BOM_UTF16_LE + LAUGHS.decode().encode("utf-16-le")).kind == "doctype"
    assert time.monotonic() - started < 1


def test_an_error_names_line_and_column() -> None:
    error = refused(b"<a>\n  <b></c></a>")
    assert error.position is not None
    assert error.position.line == 2


def test_a_doctype_in_a_comment_or_cdata_is_text() -> None:
    assert parse_xml(b"<!-- <!DOCTYPE a> --><a><![CDATA[<!DOCTYPE a>]]></a>").root.text == "<!DOCTYPE a>"


@pytest.mark.parametrize(
    ("data", "charset", "kinds"),
    [
        ("<a>é</a>".encode(), None, []),
        ("<a>é</a>".encode(), "utf-8", []),
        (codecs.BOM_UTF8 + "<a>é</a>".encode(), None, ["bom"]),
        (codecs.BOM_UTF16_LE + "<a>é</a>".encode("utf-16-le"), None, ["bom"]),
        (codecs.BOM_UTF16_BE + "<a>é</a>".encode("utf-16-be"), "utf-16", ["bom"]),
        (codecs.BOM_UTF16_LE + "<a>é</a>".encode("utf-16-le"), "utf-8", ["bom", "encoding-mismatch"]),
        ("<a>é</a>".encode("utf-16-le"), "utf-16", []),
        ('<?xml version="1.0" encoding="utf-16"?><a>é</a>'.encode("utf-16-be"), "utf-16", []),
        ('<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>'.encode("latin-1"), None, []),
        ('<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>'.encode(), "utf-8", ["encoding-mismatch"]),
    ],
)
def test_mark_then_parameter_then_declaration_decide_the_encoding(
    data: bytes, charset: str | None, kinds: list[str]
) -> None:
    tree = parse_xml(data, charset)
    assert tree.root.text == "é"
    assert [note.kind for note in tree.notes] == kinds


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("windows-1252", "“é€”"),
        ("iso-8859-15", "é€"),
        ("iso-8859-2", "łą"),
        ("windows-1251", "Привет"),
        ("koi8-r", "Привет"),
        ("shift_jis", "注文"),
        ("gb18030", "订单"),
        ("iso-2022-jp", "注文"),
    ],
)
def test_encoding_that_xml_parsers_read_is_read(charset: str, text: str) -> None:
    codec = "cp" + charset[8:] if charset.startswith("windows-") else charset
    declared = f'<?xml version="1.0" encoding="{charset}"?><a>{text}</a>'.encode(codec)
    bare = f"<a>{text}</a>".encode(codec)
    for tree in (parse_xml(declared), parse_xml(declared, charset), parse_xml(bare, charset)):
        assert (tree.root.text, tree.notes) == (text, ())


def test_two_parts_of_one_standard_are_two_encodings() -> None:
    error = refused('<?xml version="1.0" encoding="utf-16"?><a>é</a>'.encode("latin-1"))
    assert error.kind == "encoding"
    tree = parse_xml('<?xml version="1.0" encoding="iso-8859-2"?><a>é</a>'.encode("iso8859-15"), "iso-8859-15")
    assert [note.kind for note in tree.notes] == ["encoding-mismatch"]


def test_the_parser_expands_no_entity_and_opens_no_dtd(tmp_path: Path) -> None:
    (tmp_path / "d.dtd").write_text("<!ELEMENT a ANY>", encoding="utf-8")
    path = tmp_path / "a.xml"
    path.write_text('<!DOCTYPE a SYSTEM "d.dtd" [<!ENTITY e "x">]><a>&e;</a>', encoding="utf-8")
    tree = etree.parse(str(path), safe_parser())
    assert tree.docinfo.externalDTD is None
    assert [(node.tag, node.text) for node in tree.getroot()] == [(etree.Entity, "&e;")]


def test_the_parser_keeps_the_limits_of_its_library() -> None:
    with pytest.raises(etree.XMLSyntaxError, match="depth"):
        etree.fromstring(b"<a>" * 300 + b"</a>" * 300, safe_parser())


def test_a_named_encoding_is_stronger_than_a_declaration() -> None:
    data = '<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>'.encode()
    assert [etree.fromstring(data, parser).text for parser in (safe_parser("utf-8"), safe_parser())] == ["é", "Ã©"]
