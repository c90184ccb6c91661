"""Writing XML: every form a style can take, right and wrong."""

from __future__ import annotations

import codecs
import itertools
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from conformance.formats.errors import CodecError, Number, Pairs
from conformance.formats.xml.contract import LexicalStyle, RawElement, RawXml, XmlContract, XmlStyle
from conformance.formats.xml.write import scalar_text
from conformance.formats.xml.xsd import Scalar

XSD = Path(__file__).parent / "xsd"
GUID = "6269C403-5b9f-47dd-b8c3-7ecbef8f686d"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
VALUE = [
    {"Number": 5, "Code": "a<]]>&\r\n é", "Flag": True, "Key": GUID, "Wide": -7},
    None,
    {"Number": None, "Code": ""},
]


@cache
def schema(name: str, root: str | None = None) -> XmlContract:
    return XmlContract.load(XSD / f"{name}.xsd", root)


def test_the_default_is_the_form_of_a_data_contract_server() -> None:
    value = [
        {"Errors": None, "Number": 1, "Success": True},
        {"Errors": ["no"], "Success": False},
        {"Errors": []},
    ]
    assert schema("result").encode(value).decode() == (
        f'<ArrayOfResult xmlns:i="{XSI}" xmlns="urn:example:result">'
        '<Result><Errors xmlns:d3p1="urn:example:arrays" i:nil="true" /><Number>1</Number>'
        '<Success>true</Success></Result><Result><Errors xmlns:d3p1="urn:example:arrays">'
        "<d3p1:string>no</d3p1:string></Errors>"
        '<Success>false</Success></Result><Result><Errors xmlns:d3p1="urn:example:arrays" />'
        "</Result></ArrayOfResult>"
    )


def test_a_simple_root_declares_its_namespace_alone() -> None:
    assert schema("string").encode("a & b") == b'<string xmlns="urn:example:serialization">a &amp; b</string>'


STYLES = [
    XmlStyle(),
    XmlStyle(prefix="p", nil_prefix="xsi", nil="1"),
    XmlStyle(nil=" true ", empty="pair", declaration=True),
    XmlStyle(indent="\t", newline="\r\n", comment=" c ", declaration=True),
    XmlStyle(encoding="utf-16", declaration=True),
    XmlStyle(encoding="utf-16be", declaration=True, lexical=LexicalStyle(text="cdata")),
    XmlStyle(bom=True, lexical=LexicalStyle(integer="plus", boolean="digit", guid="upper", text="decimal")),
    XmlStyle(lexical=LexicalStyle(integer="zeros", boolean="spaces", text="hex")),
    XmlStyle(lexical=LexicalStyle(integer="spaces")),
    XmlStyle(before="<!-- before --><?pi x?>", after="\n<!-- after -->"),
]


@pytest.mark.parametrize("style", STYLES)
def test_every_permitted_style_is_valid_and_carries_the_same_value(style: XmlStyle) -> None:
    data = schema("request").encode(VALUE, style)
    assert schema("request").validate(data) == ()
    expected: list[Any] = [dict(VALUE[0] or {}), *VALUE[1:]]
    if style.lexical.guid == "upper":
        expected[0]["Key"] = GUID.upper()
    assert schema("request").decode(data).value == expected


@pytest.mark.parametrize(
    ("prefix", "foreign", "declared"),
    list(itertools.product(["", "p"], ["", "a", "p"], ["list", "root", "used"])),
)
def test_every_combination_of_prefixes_is_valid(prefix: str, foreign: str, declared: Any) -> None:
    value = [{"Errors": ["a", None, ""], "Number": None, "Success": True}, {"Errors": []}, {"Errors": None}]
    data = schema("result").encode(value, XmlStyle(prefix=prefix, foreign_prefix=foreign, foreign_declared=declared))
    assert schema("result").validate(data) == ()
    assert schema("result").decode(data).value == value


def test_lexical_forms_are_written_as_named() -> None:
    lexical = LexicalStyle(integer="plus", boolean="digit", guid="lower", text="hex")
    text = schema("request").encode([{"Flag": False, "Number": 5}], XmlStyle(lexical=lexical)).decode()
    assert "<Flag>&#x30;</Flag><Number>&#x2B;&#x35;</Number>" in text
    assert (
        GUID.lower() in schema("request").encode([{"Key": GUID}], XmlStyle(lexical=LexicalStyle(guid="lower"))).decode()
    )


def test_none_can_be_left_out() -> None:
    data = schema("request").encode(VALUE, XmlStyle(nulls="absent"))
    assert schema("request").decode(data).value[1:] == [None, {"Code": ""}]


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("schema", ["Code", "Flag", "Number"]),
        ("given", ["Number", "Code", "Flag"]),
        ("reversed", ["Number", "Flag", "Code"]),
        (("Flag",), ["Flag", "Code", "Number"]),
    ],
)
def test_the_order_of_elements_is_chosen(order: Any, names: list[str]) -> None:
    data = schema("request").encode([{"Number": 1, "Code": "a", "Flag": True}], XmlStyle(order=order))
    assert list(schema("request").decode(data).value[0]) == names
    assert {problem.kind for problem in schema("request").validate(data)} == (set() if order == "schema" else {"order"})


@pytest.mark.parametrize(
    ("value", "style", "kind"),
    [
        ([], XmlStyle(rename=(("ArrayOfItem", "Items"),)), "root"),
        ([], XmlStyle(renamespace=(("urn:example:request", "urn:other"),)), "root"),
        ([], XmlStyle(renamespace=(("ArrayOfItem", ""),)), "root"),
        ([{}], XmlStyle(rename=(("Item", "Entry"),)), "unexpected"),
        ([{"Code": "a"}], XmlStyle(renamespace=(("Code", "urn:other"),)), "namespace"),
        ([{"Code": "a"}], XmlStyle(renamespace=(("Code", ""),), prefix="p"), "namespace"),
        ([{"Flag": None}], XmlStyle(), "nil"),
        ([{"Number": None}], XmlStyle(nil="yes"), "nil"),
        ([{"Number": "12x"}], XmlStyle(), "type"),
        ([{"Other": 1}], XmlStyle(), "unexpected"),
        ([Pairs((("Code", "a"), ("Code", "b")))], XmlStyle(), "duplicate"),
        ([{"Code": RawXml("<b/>")}], XmlStyle(), "unexpected"),
        ([RawElement("stray")], XmlStyle(), "text"),
    ],
)
def test_named_wrongness_is_written_and_found(value: Any, style: XmlStyle, kind: str) -> None:
    assert [problem.kind for problem in schema("request").validate(schema("request").encode(value, style))] == [kind]


def test_the_first_of_duplicate_elements_is_kept() -> None:
    data = schema("request").encode([Pairs((("Code", "a"), ("Code", "b")))])
    assert schema("request").decode(data).value == [{"Code": "a"}]


def test_a_doctype_and_a_false_declaration_can_be_written() -> None:
    with pytest.raises(CodecError, match="DOCTYPE"):
        schema("request").decode(schema("request").encode([], XmlStyle(before="<!DOCTYPE a>")))
    with pytest.raises(CodecError, match="declaration says utf-16"):
        schema("request").decode(schema("request").encode([], XmlStyle(declaration=True, declared_encoding="utf-16")))


def test_utf16_carries_a_mark_unless_told_otherwise() -> None:
    assert schema("request").encode([], XmlStyle(encoding="utf-16")).startswith(codecs.BOM_UTF16_LE)
    assert schema("request").encode([], XmlStyle(encoding="utf-16", bom=False)).startswith(b"<\0")


@pytest.mark.parametrize("text", ["\x01", "\x00", "\ud800", "\ufffe"])
@pytest.mark.parametrize("form", ["plain", "cdata", "hex"])
def test_a_character_that_xml_cannot_carry_is_refused(text: str, form: Any) -> None:
    with pytest.raises(CodecError) as caught:
        schema("string").encode(text, XmlStyle(lexical=LexicalStyle(text=form)))
    assert caught.value.kind == "character"


@pytest.mark.parametrize(
    ("value", "style"),
    [
        ({"Code": 1}, XmlStyle()),
        ([["nested"]], XmlStyle()),
        ([{"Code": object()}], XmlStyle()),
        ([{"not a name": 1}], XmlStyle()),
        ([], XmlStyle(nil_prefix="")),
        ([], XmlStyle(prefix="i")),
    ],
)
def test_what_has_no_xml_form_is_refused(value: Any, style: XmlStyle) -> None:
    with pytest.raises(CodecError) as caught:
        schema("request").encode(value, style)
    assert caught.value.kind == "value"


def test_how_to_write_in_a_style_is_worked_out_once() -> None:
    contract, style = XmlContract.load(XSD / "request.xsd"), XmlStyle(prefix="p")
    contract.encode([], style)
    plan = contract.plans[style]
    contract.encode([{"Number": 1}], style)
    assert contract.plans[style] is plan


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-7, "0.0000001"),
        (1.5, "1.5"),
        (-2e22, "-20000000000000000000000"),
        (Number("1.50e1"), "15.0"),
        (Number("0.10"), "0.10"),
    ],
)
def test_a_decimal_is_written_without_an_exponent(value: float, text: str) -> None:
    assert scalar_text(value, Scalar("decimal"), LexicalStyle()) == text
    assert scalar_text(1e-7, Scalar("double"), LexicalStyle()) == "1e-07"


def test_a_number_is_written_as_the_name_that_stands_for_it() -> None:
    kind = Scalar("string", enumeration=frozenset({"Box", "Crate"}), numbers={"Box": 0, "Crate": 7})
    assert [scalar_text(number, kind, LexicalStyle()) for number in (0, 7, 9)] == ["Box", "Crate", "9"]
