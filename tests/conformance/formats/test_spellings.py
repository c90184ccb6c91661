"""The spellings of JSON and XML: each gives another text, in which two parsers each find the value of the plain one."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
import xmlschema

from conformance.cases import message
from conformance.contract.load import load_contract
from conformance.formats.json.format import JSON
from conformance.formats.xml.format import XML

OPERATION = load_contract().operations["tpp.create_cancellations"]
ITEM = {
    "OrderID": 12345, "CreatorID": 7, "PIN": "0419", "IsInternationalOrder": False, "InternationalOrderUID": None
}  # fmt: skip
ABROAD = {
    "OrderID": None, "CreatorID": 7, "PIN": None, "IsInternationalOrder": True,
    "InternationalOrderUID": "6269c403-5b9f-47dd-b8c3-0000000000ab",
}  # fmt: skip
VALUE = [ITEM, ABROAD]
TEMPLATE = [{**ITEM, "OrderID": "${order.OrderID}", "PIN": "${order.PIN|pin}"}, ABROAD]


@pytest.mark.parametrize("name", JSON.spellings)
@pytest.mark.parametrize("value", [VALUE, ITEM], ids=["list", "object"])
def test_spelling_of_json_is_another_text_with_the_same_value(name: str, value: Any) -> None:
    plain = json.dumps(value, separators=(",", ":"))
    spelled = JSON.spellings[name](plain)
    assert spelled != plain
    assert json.loads(spelled) == orjson.loads(spelled) == value


def _read(text: str) -> Any:
    """The value as the codec reads it; the XSD by a second engine, too."""
    decoded = message.codec_of(OPERATION, XML).decode(text.encode())
    assert decoded.problems == (), text
    schema = xmlschema.XMLSchema(str(OPERATION.folder / "request.xsd"))
    assert schema.is_valid(text.encode()), text
    return decoded.value


@pytest.mark.parametrize("name", XML.spellings)
def test_spelling_of_xml_is_another_valid_document_with_the_same_value(name: str) -> None:
    plain = message.xml_contract(OPERATION).encode(VALUE).decode()
    spelled = XML.spellings[name](plain)
    assert spelled != plain
    if name == "xml-ids-in-capitals":
        assert _read(spelled)[1]["InternationalOrderUID"] == ABROAD["InternationalOrderUID"].upper()
    else:
        assert _read(spelled) == VALUE


@pytest.mark.parametrize("name", XML.template_spellings)
def test_spelling_of_places_changes_integers_alone(name: str) -> None:
    plain = message.codec_of(OPERATION, XML).encode(TEMPLATE)
    assert isinstance(plain, str)
    spelled = XML.template_spellings[name](plain)
    assert spelled != plain
    filled = spelled.replace("${order.OrderID}", "12345").replace("${order.PIN|pin}", "0419")
    assert _read(filled) == VALUE


def test_comment_that_looks_like_an_element_takes_its_name_from_the_document() -> None:
    spelled = XML.spellings["xml-comment-like-an-element"]("<r><a>7</a></r>")
    assert spelled == "<r><!-- <a>1</a> --><a>7</a><!-- <a>1</a> --></r>"


def test_spellings_leave_a_document_without_a_namespace_as_it_is() -> None:
    for name in ("xml-prefix-unusual", "xml-namespace-declared-again", "xml-schema-location"):
        assert XML.spellings[name]("<r><a>7</a></r>") == "<r><a>7</a></r>"


IN_JSON = '[{"kj":1,"b":"x\\"é/","c":[]},{}]'
WRITTEN_IN_JSON = {
    "json-blanks": ' [ { "kj" : 1 , "b" : "x\\"é/" , "c" : [ ] } , { } ] ',
    "json-white-space-before": '\n\r\t [{"kj":1,"b":"x\\"é/","c":[]},{}]',
    "json-white-space-behind": '[{"kj":1,"b":"x\\"é/","c":[]},{}] \t\r\n',
    "json-blank-before-colons": '[{"kj" :1,"b" :"x\\"é/","c" :[]},{}]',
    "json-white-space-long": '[{"kj":1,' + 9000 * " " + '"b":"x\\"é/","c":[]},{}]',
    "json-members-turned": '[{"c":[],"kj":1,"b":"x\\"é/"},{}]',
    "json-names-escaped": '[{"\\u006b\\u006a":1,"\\u0062":"x\\"é/","\\u0063":[]},{}]',
    "json-names-escaped-in-capitals": '[{"\\u006B\\u006A":1,"\\u0062":"x\\"é/","\\u0063":[]},{}]',
    "json-last-letters-escaped": '[{"k\\u006a":1,"\\u0062":"x\\"é/","\\u0063":[]},{}]',
    "json-texts-escaped": '[{"kj":1,"b":"\\u0078\\u0022\\u00e9\\u002f","c":[]},{}]',
    "json-last-characters-escaped": '[{"kj":1,"b":"x\\"\\u00e9\\u002F","c":[]},{}]',
}


@pytest.mark.parametrize("name", WRITTEN_IN_JSON)
def test_spelling_of_json_changes_what_its_name_says_and_nothing_else(name: str) -> None:
    assert JSON.spellings[name](IN_JSON) == WRITTEN_IN_JSON[name]


def test_long_white_space_stands_in_front_where_nothing_has_a_comma() -> None:
    assert JSON.spellings["json-white-space-long"]('{"a":1}') == 9000 * " " + '{"a":1}'


XSI = "http://www.w3.org/2001/XMLSchema-instance"
OPEN = f'<r xmlns="urn:a/b/c" xmlns:i="{XSI}">'
IN_XML = f'{OPEN}<a>12x</a><b i:nil="true" /><d><c>true</c></d></r>'
WRITTEN_IN_XML = {
    "xml-declaration-in-single-quotes": f"<?xml version='1.0' encoding='utf-8'?>{IN_XML}",
    "xml-comment-behind": f"{IN_XML}\n<!-- end -->",
    "xml-comment-in-values": f'{OPEN}<a>12<!-- - -->x</a><b i:nil="true" /><d><c>tr<!-- - -->ue</c></d></r>',
    "xml-tabs": f'{OPEN}\t<a>12x</a>\t<b i:nil="true" />\t<d>\t<c>true</c>\t</d>\t</r>',
    "xml-end-tags-spaced": f'{OPEN}<a>12x</a \n><b i:nil="true" /><d><c>true</c \n></d \n></r \n>',
    "xml-start-tags-spaced": f'{OPEN[:-1]}\n ><a\n >12x</a><b i:nil="true" /><d\n ><c\n >true</c></d></r>',
    "xml-empty-tags-tight": f'{OPEN}<a>12x</a><b i:nil="true"/><d><c>true</c></d></r>',
    "xml-attributes-in-single-quotes": IN_XML.replace('"', "'"),
    "xml-attributes-on-lines": IN_XML.replace(" xmlns", "\r\n\txmlns").replace(" i:", "\r\n\ti:"),
    "xml-attributes-spaced": IN_XML.replace('="', ' = "'),
    "xml-attributes-backwards": IN_XML.replace(OPEN, f'<r xmlns:i="{XSI}" xmlns="urn:a/b/c">'),
    "xml-cdata-everywhere": f'{OPEN}<a><![CDATA[12x]]></a><b i:nil="true" /><d><c><![CDATA[true]]></c></d></r>',
    "xml-cdata-first-half": f'{OPEN}<a><![CDATA[12]]>x</a><b i:nil="true" /><d><c><![CDATA[tr]]>ue</c></d></r>',
    "xml-cdata-last-half": f'{OPEN}<a>12<![CDATA[x]]></a><b i:nil="true" /><d><c>tr<![CDATA[ue]]></c></d></r>',
    "xml-cdata-twice": f'{OPEN}<a><![CDATA[12]]><![CDATA[x]]></a><b i:nil="true" />'
    "<d><c><![CDATA[tr]]><![CDATA[ue]]></c></d></r>",
    "xml-references-decimal": f'{OPEN}<a>&#49;&#50;&#120;</a><b i:nil="true" /><d><c>&#116;&#114;&#117;&#101;</c></d></r>',
    "xml-references-with-zeros": f'{OPEN}<a>&#0000049;&#0000050;&#0000120;</a><b i:nil="true" />'
    "<d><c>&#0000116;&#0000114;&#0000117;&#0000101;</c></d></r>",
    "xml-prefix-of-each-level": f'<l0:r xmlns:i="{XSI}" xmlns:l0="urn:a/b/c" xmlns:l1="urn:a/b/c" xmlns:l2="urn:a/b/c">'
    '<l1:a>12x</l1:a><l1:b i:nil="true" /><l1:d><l2:c>true</l2:c></l1:d></l0:r>',
    "xml-prefix-on-root-alone": f'<q:r xmlns:i="{XSI}" xmlns:q="urn:a/b/c" xmlns="urn:a/b/c"><a>12x</a>'
    '<b i:nil="true" /><d><c>true</c></d></q:r>',
    "xml-namespace-declared-again": f'{OPEN}<a xmlns="urn:a/b/c">12x</a><b i:nil="true" xmlns="urn:a/b/c" />'
    '<d xmlns="urn:a/b/c"><c xmlns="urn:a/b/c">true</c></d></r>',
    "xml-namespace-unused": IN_XML.replace(OPEN, f'{OPEN[:-1]} xmlns:unused="urn:unused" xmlns:u2="urn:unused:2">'),
    "xml-namespace-by-reference": IN_XML.replace("urn:a/b/c", "urn:a&#x2F;b/c"),
    "xml-namespace-prefix-bound-again": IN_XML.replace("<a>", '<a xmlns:i="urn:other">')
    .replace("<c>", '<c xmlns:i="urn:other">'),
    "xml-nil-bound-where-used": f'<r xmlns="urn:a/b/c"><a>12x</a><b xmlns:n="{XSI}" n:nil="true" /><d><c>true</c></d></r>',
    "xml-nil-pair": IN_XML.replace(" />", "></b>"),
    "xml-nil-around-a-comment": IN_XML.replace(" />", "><!-- none --></b>"),
    "xml-nil-false": IN_XML.replace("<a>", '<a i:nil="false">'),
    "xml-schema-location": IN_XML.replace(OPEN, f'{OPEN[:-1]} i:schemaLocation="urn:a/b/c request.xsd">'),
    "xml-booleans-by-digit": IN_XML.replace(">true<", ">1<"),
    "xml-booleans-on-lines": IN_XML.replace(">true<", ">\n\ttrue\r\n<"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN_IN_XML)
def test_spelling_of_xml_changes_what_its_name_says_and_nothing_else(name: str) -> None:
    assert XML.spellings[name](IN_XML) == WRITTEN_IN_XML[name]
