"""XML along an XSD: the value, and the name of every departure."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from conformance.formats.errors import CodecError
from conformance.formats.xml.contract import XmlContract

XSD = Path(__file__).parent / "xsd"
GUID = "6269c403-5b9f-47dd-b8c3-7ecbef8f686d"


@cache
def schema(name: str, root: str | None = None) -> XmlContract:
    return XmlContract.load(XSD / f"{name}.xsd", root)


def request(inside: str, attributes: str = "") -> bytes:
    xsi = "http://www.w3.org/2001/XMLSchema-instance"
    start = f'<ArrayOfItem xmlns:i="{xsi}" xmlns="urn:example:request"{attributes}>'
    return f"{start}{inside}</ArrayOfItem>".encode()


def item(inside: str) -> bytes:
    return request(f"<Item>{inside}</Item>")


def test_a_list_of_records_is_the_value_that_json_gives() -> None:
    inside = (
        f"<Code>1234</Code><Flag>false</Flag><Key>{GUID}</Key><Number i:nil='true'/>"
        "<Wide> +0098 </Wide></Item>"
        "<Item i:nil='1'/><Item><Code/>"
    )
    document = schema("request").decode(item(inside))
    assert document.value == [
        {"Code": "1234", "Flag": False, "Key": GUID, "Number": None, "Wide": 98},
        None,
        {"Code": ""},
    ]
    assert document.notes == ()


def test_a_nested_list_of_another_namespace_is_a_list_of_strings() -> None:
    data = (
        b'<p:ArrayOfResult xmlns:p="urn:example:result" xmlns:x="http://www.w3.org/2001/XMLSchema-instance">'
        b'<p:Result><p:Errors xmlns:q="urn:example:arrays"><q:string>a</q:string>'
        b'<q:string x:nil="true"/></p:Errors><p:Success>1</p:Success></p:Result>'
        b"<p:Result><p:Errors/></p:Result><p:Result><p:Errors x:nil='true'/>"
        b"</p:Result></p:ArrayOfResult>"
    )
    assert schema("result", "ArrayOfResult").validate(data) == ()
    assert schema("result", "ArrayOfResult").decode(data).value == [
        {"Errors": ["a", None], "Success": True},
        {"Errors": []},
        {"Errors": None},
    ]


def test_a_simple_root_is_a_string() -> None:
    data = b'<string xmlns="urn:example:serialization">a<!-- cut -->b<![CDATA[<c>]]></string>'
    assert schema("string").validate(data) == ()
    assert schema("string").decode(data).value == "ab<c>"


@pytest.mark.parametrize(
    ("data", "kind", "path"),
    [
        (item("<Number>1</Number><Code>a</Code>"), "order", "/ArrayOfItem/Item[1]/Code"),
        (item("<Code>a</Code><Code>b</Code>"), "duplicate", "/ArrayOfItem/Item[1]/Code[2]"),
        (item('<Code xmlns="urn:other">a</Code>'), "namespace", "/ArrayOfItem/Item[1]/Code"),
        (item("<code>a</code>"), "unexpected", "/ArrayOfItem/Item[1]/code"),
        (item("<Number>5.0</Number>"), "type", "/ArrayOfItem/Item[1]/Number"),
        (item("<Number/>"), "type", "/ArrayOfItem/Item[1]/Number"),
        (item("<Number>2147483648</Number>"), "type", "/ArrayOfItem/Item[1]/Number"),
        (item("<Number>\u0665</Number>"), "type", "/ArrayOfItem/Item[1]/Number"),
        (item("<Number>\u00a05</Number>"), "type", "/ArrayOfItem/Item[1]/Number"),
        (item("<Flag>True</Flag>"), "type", "/ArrayOfItem/Item[1]/Flag"),
        (item(f"<Key>{{{GUID}}}</Key>"), "type", "/ArrayOfItem/Item[1]/Key"),
        (item("<Flag i:nil='true'/>"), "nil", "/ArrayOfItem/Item[1]/Flag"),
        (item("<Flag i:nil='false'>true</Flag>"), "nil", "/ArrayOfItem/Item[1]/Flag"),
        (item("<Code i:nil='true'>a</Code>"), "nil", "/ArrayOfItem/Item[1]/Code"),
        (item("<Code i:nil='true'> </Code>"), "nil", "/ArrayOfItem/Item[1]/Code"),
        (item("<Code i:nil='True'/>"), "nil", "/ArrayOfItem/Item[1]/Code"),
        (item("<Code x='1'>a</Code>"), "attribute", "/ArrayOfItem/Item[1]/Code"),
        (item("<Code>a<b/></Code>"), "unexpected", "/ArrayOfItem/Item[1]/Code"),
        (item("<Code>a</Code>stray"), "text", "/ArrayOfItem/Item[1]"),
        (request("<Item/><item/>"), "unexpected", "/ArrayOfItem/item"),
        (request("<Item/>", ' id="1"'), "attribute", "/ArrayOfItem"),
        (b"<ArrayOfItem/>", "root", "/ArrayOfItem"),
        (b'<Item xmlns="urn:example:request"/>', "root", "/Item"),
        (item('<Code i:type="i:nonsense">a</Code>'), "schema", None),
    ],
)
def test_a_departure_from_the_xsd_has_a_kind_and_a_path(data: bytes, kind: str, path: str | None) -> None:
    problems = schema("request").validate(data)
    assert problems[0].kind == kind
    assert path is None or [problem.path for problem in problems] == [path]


def test_a_problem_names_its_line() -> None:
    problems = schema("request").validate(request("\n<Item/>\n<Item>\n<Number>x</Number></Item>"))
    assert [(problem.line, problem.path) for problem in problems] == [(4, "/ArrayOfItem/Item[2]/Number")]


def test_a_document_that_breaks_the_xsd_is_decoded_as_far_as_it_goes() -> None:
    document = schema("request").decode(item("<Number>five</Number><Code>a</Code><Code>b</Code><Other/>"))
    assert document.value == [{"Number": "five", "Code": "a"}]
    assert [(note.kind, note.pointer) for note in document.notes] == [
        ("type", "/0/Number"),
        ("order", "/0/Code"),
        ("duplicate", "/0/Code"),
        ("unexpected", "/0"),
    ]


def test_decoding_another_root_is_an_error() -> None:
    with pytest.raises(CodecError) as caught:
        schema("request").decode(b"<html/>")
    assert caught.value.kind == "root"


def test_reading_gives_value_and_problems_at_once() -> None:
    reading = schema("request").read(item("<Number>1</Number>"))
    assert (reading.value, reading.problems) == ([{"Number": 1}], ())
    assert schema("request").read(b"<x/>").value is None


def test_the_number_of_kept_problems_is_bounded() -> None:
    assert len(schema("request").validate(request("<bad/>" * 5_000))) == 100


def test_instructions_and_location_hints_are_noted_and_never_followed(tmp_path: Path) -> None:
    broken = tmp_path / "hint.xsd"
    broken.write_text("<not-a-schema/>")
    data = b"<?style x?>" + request("<Item><?php y?></Item>", f' i:schemaLocation="urn:z {broken.as_uri()}"')
    reading = schema("request").read(data)
    assert reading.problems == ()
    assert [note.kind for note in reading.notes] == ["schema-location", *["processing-instruction"] * 2]


def test_xml_1_1_and_an_xsi_type_are_noted() -> None:
    data = b'<?xml version="1.1"?>' + item(
        '<Number i:type="x:int" xmlns:x="http://www.w3.org/2001/XMLSchema">5</Number>'
    )
    reading = schema("request").read(data)
    assert (reading.value, reading.problems) == ([{"Number": 5}], ())
    assert [(note.kind, note.pointer) for note in reading.notes] == [
        ("xml-version", ""),
        ("xsi-type", "/0/Number"),
    ]
