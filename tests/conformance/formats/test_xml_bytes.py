"""The exact bytes that a style writes: names, prefixes, declarations, indentation, lexical forms and named wrongness."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.check.engines import SecondEngine
from conformance.formats.errors import CodecError, Number, Pairs, Position, Raw
from conformance.formats.xml.contract import LexicalStyle, RawElement, RawXml, XmlContract, XmlProblem, XmlStyle

XSD = Path(__file__).parent / "xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
ITEMS = f'<ArrayOfItem xmlns:i="{XSI}" xmlns="urn:example:request"'
RESULTS = f'<ArrayOfResult xmlns:i="{XSI}" xmlns="urn:example:result"'


@cache
def schema(name: str) -> XmlContract:
    return XmlContract.load(XSD / f"{name}.xsd")


@pytest.mark.parametrize(
    ("item", "lexical", "inside"),
    [
        ({"Number": -5, "Flag": True}, LexicalStyle("zeros", "spaces"), "<Flag> true </Flag><Number>-005</Number>"),
        ({"Number": 0, "Flag": False}, LexicalStyle("plus", "digit"), "<Flag>0</Flag><Number>+0</Number>"),
        ({"Number": -1, "Flag": True}, LexicalStyle("plus", "digit"), "<Flag>1</Flag><Number>-1</Number>"),
        ({"Number": 5, "Flag": False}, LexicalStyle("spaces"), "<Flag>false</Flag><Number> 5 </Number>"),
        ({"Number": 0}, LexicalStyle(), "<Number>0</Number>"),
        ({"Number": Number("1.0"), "Wide": 2.5}, LexicalStyle(), "<Number>1.0</Number><Wide>2.5</Wide>"),
        ({"Code": "a&<>\r\n"}, LexicalStyle(), "<Code>a&amp;&lt;&gt;&#xD;\n</Code>"),
        (
            {"Code": "a]]>\rb"},
            LexicalStyle(text="cdata"),
            "<Code><![CDATA[a]]]]><![CDATA[>]]>&#xD;<![CDATA[b]]></Code>",
        ),
        ({"Code": "aé"}, LexicalStyle(text="decimal"), "<Code>&#97;&#233;</Code>"),
        ({"Code": "aé"}, LexicalStyle(text="hex"), "<Code>&#x61;&#xE9;</Code>"),
    ],
)
def test_a_value_takes_the_named_form(item: dict[str, Any], lexical: LexicalStyle, inside: str) -> None:
    assert (
        schema("request").encode([item], XmlStyle(lexical=lexical)).decode()
        == f"{ITEMS}><Item>{inside}</Item></ArrayOfItem>"
    )


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        ([], XmlStyle(), f"{ITEMS} />"),
        ([], XmlStyle(empty="pair"), f"{ITEMS}></ArrayOfItem>"),
        (None, XmlStyle(), f'{ITEMS} i:nil="true" />'),
        ([None], XmlStyle(nil='"&<'), f'{ITEMS}><Item i:nil="&quot;&amp;&lt;" /></ArrayOfItem>'),
        ([{"Code": ""}], XmlStyle(empty="pair"), f"{ITEMS}><Item><Code></Code></Item></ArrayOfItem>"),
        ([{"Zed": None}], XmlStyle(), f'{ITEMS}><Item><Zed i:nil="true" /></Item></ArrayOfItem>'),
        (
            [Pairs(((Raw("Code"), "a"), ("Zed", 1)))],
            XmlStyle(),
            f"{ITEMS}><Item><Code>a</Code><Zed>1</Zed></Item></ArrayOfItem>",
        ),
        ([RawElement("<y/>")], XmlStyle(), f"{ITEMS}><y/></ArrayOfItem>"),
        ([RawXml("")], XmlStyle(), f"{ITEMS}><Item /></ArrayOfItem>"),
        (
            [{"Code": "x"}],
            XmlStyle(renamespace=(("urn:example:request", 'a&b<c>"d"'),)),
            f'<ArrayOfItem xmlns:i="{XSI}" xmlns="a&amp;b&lt;c>&quot;d&quot;"><Item><Code>x</Code></Item></ArrayOfItem>',
        ),
        (
            [{"Code": "x"}],
            XmlStyle(renamespace=(("Code", ""),)),
            f'{ITEMS}><Item><Code xmlns="">x</Code></Item></ArrayOfItem>',
        ),
        (
            [{"Code": "x", "Flag": True}],
            XmlStyle(renamespace=(("Code", "urn:z"),), rename=(("Flag", "flag"),)),
            f'{ITEMS}><Item><Code xmlns="urn:z">x</Code><flag>true</flag></Item></ArrayOfItem>',
        ),
        (
            [{"Code": "x", "Flag": True}],
            XmlStyle(prefix="p", renamespace=(("Code", ""),)),
            f'<p:ArrayOfItem xmlns:i="{XSI}" xmlns:p="urn:example:request"><p:Item><Code>x</Code><p:Flag>true</p:Flag></p:Item></p:ArrayOfItem>',
        ),
        (
            [],
            XmlStyle(before="<!--b-->", after="\n<!--a-->", declaration=True, version="1.1", declared_encoding="x"),
            f'<?xml version="1.1" encoding="x"?><!--b-->{ITEMS} />\n<!--a-->',
        ),
        (
            [],
            XmlStyle(declaration=True, indent=" ", newline="\r\n"),
            f'<?xml version="1.0" encoding="utf-8"?>\r\n{ITEMS} />',
        ),
    ],
)
def test_a_style_writes_exactly_these_items(value: Any, style: XmlStyle, text: str) -> None:
    assert schema("request").encode(value, style).decode() == text


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (
            [{"Errors": ["a"]}],
            XmlStyle(indent="\t", newline="\r\n", foreign_declared="root"),
            (
                f'<ArrayOfResult xmlns:i="{XSI}" xmlns:d3p1="urn:example:arrays" xmlns="urn:example:result">'
                "\r\n\t<Result>\r\n\t\t<Errors>\r\n\t\t\t<d3p1:string>a</d3p1:string>\r\n\t\t</Errors>\r\n\t</Result>\r\n</ArrayOfResult>"
            ),
        ),
        (
            [{"Errors": ["a", None]}],
            XmlStyle(prefix="p", foreign_prefix="q", foreign_declared="used", nil_prefix="n"),
            (
                f'<p:ArrayOfResult xmlns:n="{XSI}" xmlns:p="urn:example:result"><p:Result><p:Errors><q:string xmlns:q="urn:example:arrays">a</q:string>'
                '<q:string xmlns:q="urn:example:arrays" n:nil="true" /></p:Errors></p:Result></p:ArrayOfResult>'
            ),
        ),
        (
            [{"Errors": ["a"]}],
            XmlStyle(renamespace=(("string", "urn:z"),)),
            f'{RESULTS}><Result><Errors xmlns:d3p1="urn:z"><d3p1:string>a</d3p1:string></Errors></Result></ArrayOfResult>',
        ),
        (
            [{"Errors": ["a"]}],
            XmlStyle(foreign_prefix=""),
            f'{RESULTS}><Result><Errors><string xmlns="urn:example:arrays">a</string></Errors></Result></ArrayOfResult>',
        ),
        (
            [{"Errors": RawXml("<x/>")}],
            XmlStyle(),
            f'{RESULTS}><Result><Errors xmlns:d3p1="urn:example:arrays"><x/></Errors></Result></ArrayOfResult>',
        ),
        (
            [{"Errors": ["a"]}],
            XmlStyle(foreign_declared="root", renamespace=(("urn:example:arrays", "urn:z"),)),
            (
                f'<ArrayOfResult xmlns:i="{XSI}" xmlns:d3p1="urn:z" xmlns="urn:example:result"><Result><Errors>'
                "<d3p1:string>a</d3p1:string></Errors></Result></ArrayOfResult>"
            ),
        ),
    ],
)
def test_a_foreign_namespace_is_declared_where_the_style_says(value: Any, style: XmlStyle, text: str) -> None:
    assert schema("result").encode(value, style).decode() == text


def test_comments_and_indentation_follow_the_depth() -> None:
    data = schema("result").encode([{"Errors": ["a"]}, None], XmlStyle(indent="  ", comment="c"))
    assert data.decode().split("\n") == [
        f"{RESULTS}>",
        "  <!--c-->",
        "  <Result>",
        "    <!--c-->",
        '    <Errors xmlns:d3p1="urn:example:arrays">',
        "      <!--c-->",
        "      <d3p1:string>a</d3p1:string>",
        "    </Errors>",
        "  </Result>",
        "  <!--c-->",
        '  <Result i:nil="true" />',
        "</ArrayOfResult>",
    ]


def test_comments_without_indentation_stand_close() -> None:
    data = schema("request").encode([{"Number": 1}], XmlStyle(comment="c"))
    assert data.decode() == f"{ITEMS}><!--c--><Item><!--c--><Number>1</Number></Item></ArrayOfItem>"


def test_each_foreign_namespace_has_a_prefix_of_its_own(tmp_path: Path) -> None:
    head = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:b="urn:b" xmlns:c="urn:c"'
    for name in "bc":
        text = f'{head} targetNamespace="urn:{name}"><xs:element name="{name.upper()}" type="xs:int"/></xs:schema>'
        (tmp_path / f"{name}.xsd").write_text(text, encoding="utf-8")
    imports = "".join(f'<xs:import namespace="urn:{name}" schemaLocation="{name}.xsd"/>' for name in "bc")
    inside = '<xs:element name="A"><xs:complexType><xs:sequence><xs:element ref="b:B"/><xs:element ref="c:C"/></xs:sequence></xs:complexType></xs:element>'
    path = tmp_path / "a.xsd"
    path.write_text(f'{head} targetNamespace="urn:a">{imports}{inside}</xs:schema>', encoding="utf-8")
    contract = XmlContract.load(path)
    start = f'<A xmlns:i="{XSI}"'
    assert contract.encode({"B": 1, "C": 2}).decode() == (
        f'{start} xmlns="urn:a"><d3p1:B xmlns:d3p1="urn:b">1</d3p1:B><d3p12:C xmlns:d3p12="urn:c">2</d3p12:C></A>'
    )
    assert contract.encode({"B": 1, "C": 2}, XmlStyle(foreign_prefix="")).decode() == (
        f'{start} xmlns="urn:a"><B xmlns="urn:b">1</B><C xmlns="urn:c">2</C></A>'
    )
    assert contract.encode({"B": 1, "C": 2}, XmlStyle(foreign_declared="root")).decode() == (
        f'{start} xmlns:d3p1="urn:b" xmlns:d3p12="urn:c" xmlns="urn:a"><d3p1:B>1</d3p1:B><d3p12:C>2</d3p12:C></A>'
    )


@pytest.mark.parametrize(
    ("encoding", "marked"), [("utf-8", False), ("UTF-16", True), ("utf-32le", True), ("utf-16be", True)]
)
def test_wide_encodings_carry_a_mark_of_their_own_accord(encoding: str, marked: bool) -> None:
    data = schema("request").encode([], XmlStyle(encoding=encoding))
    plain = schema("request").encode([], XmlStyle(encoding=encoding, bom=False))
    assert (data != plain) is marked
    assert schema("request").encode([], XmlStyle(encoding=encoding, bom=True)) != plain


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ([{"Number": 10**5000}], "value", "an integer has too many digits to write; give it as text"),
        ([{"Code": "a\x01"}], "character", "U+0001 cannot stand in an XML 1.0 document; send this value as JSON only"),
        ([{"no name": 1}], "value", "'no name' is no XML element name; use RawElement to send it"),
        ([{"Code": object()}], "value", "a object cannot be the content of Code; use RawXml"),
        ([{"Code": []}], "value", "a list cannot be the content of Code; use RawXml"),
        ({"Item": 1}, "value", "a dict cannot be the content of ArrayOfItem; use RawXml"),
    ],
)
def test_a_value_that_cannot_be_written_is_named(value: Any, kind: str, message: str) -> None:
    with pytest.raises(CodecError) as caught:
        schema("request").encode(value)
    assert (caught.value.kind, str(caught.value)) == (kind, message)


def test_another_root_is_refused_with_its_line() -> None:
    with pytest.raises(CodecError) as caught:
        schema("request").decode(b"\n\n<x/>")
    assert (caught.value.kind, caught.value.position) == ("root", Position(3, 1))
    assert str(caught.value) == "the root is x, expected {urn:example:request}ArrayOfItem (at line 3, column 1)"
    assert caught.value.args == ("the root is x, expected {urn:example:request}ArrayOfItem",)


def test_the_charset_of_the_media_type_is_followed_by_every_reader() -> None:
    contract = schema("request")
    data = f"{ITEMS}><Item><Number>5</Number></Item></ArrayOfItem>".encode("utf-16-be")
    assert contract.decode(data, "utf-16").value == [{"Number": 5}]
    assert contract.read(data, "utf-16").value == [{"Number": 5}]
    assert contract.validate(data, "utf-16") == ()
    assert SecondEngine.load(contract).validate(data, "utf-16") == ()


def test_the_second_engine_names_line_path_and_reason() -> None:
    engine = SecondEngine.load(schema("request"))
    root = "the root is x, expected {urn:example:request}ArrayOfItem"
    assert engine.validate(b"\n<x/>") == (XmlProblem(2, "/x", root, "root"),)
    data = f"{ITEMS}><Item/>\n<Item><Number>1<?p?>2<!--c-->x</Number></Item></ArrayOfItem>".encode()
    (problem,) = engine.validate(data)
    assert (problem.line, problem.path, problem.kind) == (2, "/ArrayOfItem/Item[2]/Number", "schema")
    assert "'12x'" in problem.message
    assert engine.validate(f"{ITEMS}><Item><Code>a<?p?>b<!--c-->d</Code></Item></ArrayOfItem>".encode()) == ()


def test_what_the_engine_alone_finds_has_a_path() -> None:
    problems = schema("request").read(f"{ITEMS}><Item><Code i:type='x'>a</Code></Item></ArrayOfItem>".encode()).problems
    assert [(one.line, one.path, one.kind) for one in problems] == [(1, "/*/*/*", "schema")]


def test_a_number_keeps_its_literal() -> None:
    assert b"<Number>1e2</Number>" in schema("request").encode([{"Number": Number("1e2")}])


def test_a_type_without_members_may_be_given_some(tmp_path: Path) -> None:
    path = tmp_path / "a.xsd"
    inside = '<xs:element name="A"><xs:complexType/></xs:element>'
    path.write_text(
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a">{inside}</xs:schema>',
        encoding="utf-8",
    )
    assert XmlContract.load(path).encode({"x": 1}).decode() == f'<A xmlns:i="{XSI}" xmlns="urn:a"><x>1</x></A>'
