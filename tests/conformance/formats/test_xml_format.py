"""DataContract XML as a wire format: forms that need the schema, doubled elements, long lists, and what is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.load import load_contract
from conformance.errors import SpecError
from conformance.formats.base import WireForm, Writing
from conformance.formats.errors import Note
from conformance.formats.xml.contract import XmlContract
from conformance.formats.xml.format import XML, XmlCodec, xml_codec
from conformance.model.case import Body, Repeat

XSD = Path(__file__).parent / "xsd"
TPP = load_contract().operations["tpp.create_cancellations"]
XSI = "http://www.w3.org/2001/XMLSchema-instance"
START = f'<ArrayOfItem xmlns:i="{XSI}" xmlns="urn:example:request">'
CODEC = XmlCodec(XmlContract.load(XSD / "request.xsd"))


def form(name: str) -> WireForm:
    return next(one for one in XML.forms if one.name == name)


def of_namespace(folder: Path, namespace: str) -> XmlCodec:
    path = folder / "t.xsd"
    path.write_text(
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}">'
        '<xs:element name="a" type="xs:string"/></xs:schema>',
        encoding="utf-8",
    )
    return XmlCodec(XmlContract.load(path))


def test_a_form_writes_the_value_in_its_style() -> None:
    writing = Writing([{"Number": 1}], CODEC)
    assert form("plain").write(writing) == Body(f"{START}<Item><Number>1</Number></Item></ArrayOfItem>")
    assert form("prefix").write(writing) == Body(
        f'<q:ArrayOfItem xmlns:i="{XSI}" xmlns:q="urn:example:request">'
        "<q:Item><q:Number>1</q:Number></q:Item></q:ArrayOfItem>"
    )
    assert form("spaced-values").write(writing) == Body(f"{START}<Item><Number> 1 </Number></Item></ArrayOfItem>")


def test_a_value_without_words_has_no_form() -> None:
    writing = Writing([{"Number": object()}], CODEC)
    assert [one.name for one in XML.forms if one.write(writing) is not None] == []


@pytest.mark.parametrize(
    ("namespace", "other"),
    [
        ("http://acme.example/2020/x", "http://example.org/2020/x"),
        ("http://acme.example/x//y", "http://example.org/x//y"),
        ("urn:acme", "urn:other"),
    ],
)
def test_the_wrong_namespace_is_that_of_another_host_and_stands_at_the_root_alone(
    tmp_path: Path, namespace: str, other: str
) -> None:
    writing = Writing(f'xmlns="{namespace}" "{namespace}"', of_namespace(tmp_path, namespace))
    assert form("wrong-namespace").write(writing) == Body(f'<a xmlns="{other}">xmlns="{namespace}" "{namespace}"</a>')


def test_a_member_stands_twice_with_a_value_each() -> None:
    item = XML.twice({"Code": "a", "Number": "1"}, "Number", "1", "2")
    assert CODEC.encode([item]) == (
        f"{START}<Item><Code>a</Code><Number>1</Number><Number>2</Number></Item></ArrayOfItem>"
    )


def test_an_unknown_element_stands_between_two_of_a_documented_one() -> None:
    item = XML.beside({"Code": "a", "Number": "1"}, "Number", "Spare")
    assert CODEC.encode([item]) == (
        f"{START}<Item><Code>a</Code><Number>1</Number><Spare>test</Spare><Number>1</Number></Item></ArrayOfItem>"
    )


def test_a_long_list_is_one_item_and_how_often_it_stands() -> None:
    assert XML.repeated(CODEC, {"Code": "a>b", "Number": "${o#.id}"}, 3) == Body(
        "<Item><Code>a&gt;b</Code><Number>${o#.id}</Number></Item>", repeat=Repeat(START, "", "</ArrayOfItem>", 3)
    )


def test_a_body_is_read_in_its_charset_with_all_that_is_remarkable_or_wrong() -> None:
    text = f"{START}<Item><Number>x</Number><Code>é</Code></Item></ArrayOfItem>"
    document = CODEC.decode(text.encode("utf-16-be"), "utf-16")
    assert document.value == [{"Number": "x", "Code": "é"}]
    assert [problem.kind for problem in document.problems] == ["type", "order"]
    assert [note.kind for note in document.notes] == ["type", "order"]
    assert not document.plainly
    assert CODEC.decode(f"{START}<?p q?></ArrayOfItem>".encode()).notes == (
        Note("processing-instruction", "", "the document holds the instruction p"),
    )


def test_a_schema_that_cannot_be_used_is_a_fault_of_the_contract(tmp_path: Path) -> None:
    (tmp_path / "bad.xsd").write_text("<x/>", encoding="utf-8")
    with pytest.raises(SpecError, match=r"bad\.xsd is not a schema") as caught:
        xml_codec(replace(TPP, folder=tmp_path, xsd={"request": "bad.xsd"}))
    assert caught.value.where == str(tmp_path / "bad.xsd")
    assert caught.value.hint == "`conformance specs check` shows what else is wrong."


@pytest.mark.parametrize(("value", "text"), [("a & b", "a &amp; b"), ("<é>", "&lt;é&gt;")])
def test_a_text_is_escaped_for_a_place(value: Any, text: str) -> None:
    assert XML.escape(value) == text
