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
