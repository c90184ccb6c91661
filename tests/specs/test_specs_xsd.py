"""The XSDs accept the DataContract form of the page and refuse each departure from it, by two engines."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from lxml import etree

FOLDER = Path(__file__).resolve().parents[2] / "specs" / "tpp" / "create_cancellations"
XS = "{http://www.w3.org/2001/XMLSchema}"
INSTANCE = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
REQUEST_NS = "http://schemas.datacontract.org/2004/07/"
RESPONSE_NS = "http://schemas.datacontract.org/2004/07/TPP.Contracts.Services.Order"
ARRAYS_NS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
STRING_NS = "http://schemas.microsoft.com/2003/10/Serialization/"
UID = "6269c403-5b9f-47dd-b8c3-7ecbef8f686d"
NIL_UID = '<InternationalOrderUID i:nil="true"/>'


def request(body: str, root: str = "ArrayOfCancellationCreation", ns: str = REQUEST_NS) -> str:
    return f'<{root} {INSTANCE} xmlns="{ns}">{body}</{root}>'


def item(members: str, name: str = "CancellationCreation") -> str:
    return f"<{name}>{members}</{name}>"


def response(body: str, root: str = "ArrayOfCancellationCreationResult", ns: str = RESPONSE_NS) -> str:
    return f'<{root} {INSTANCE} xmlns="{ns}">{body}</{root}>'


def result(members: str, name: str = "CancellationCreationResult") -> str:
    return f"<{name}>{members}</{name}>"


def errors(*entries: str, ns: str = ARRAYS_NS, name: str = "string") -> str:
    return f'<Errors xmlns:d3p1="{ns}">{"".join(f"<d3p1:{name}>{e}</d3p1:{name}>" for e in entries)}</Errors>'


NO_ERRORS = f'<Errors xmlns:d3p1="{ARRAYS_NS}" i:nil="true" />'
LOCAL = (
    f"<CreatorID>98765</CreatorID>{NIL_UID}<IsInternationalOrder>false</IsInternationalOrder>"
    "<OrderID>12345</OrderID><PIN>1234</PIN>"
)
ABROAD = (
    f"<CreatorID>98765</CreatorID><InternationalOrderUID>{UID}</InternationalOrderUID>"
    '<IsInternationalOrder>true</IsInternationalOrder><OrderID i:nil="true" /><PIN>1111</PIN>'
)
DONE = f"{NO_ERRORS}{NIL_UID}<OrderID>1234</OrderID><Success>true</Success>"
DONE_ABROAD = (
    f'{NO_ERRORS}<InternationalOrderUID>{UID}</InternationalOrderUID><OrderID i:nil="true" /><Success>true</Success>'
)
FAILED = f"{errors('Order is not active.')}{NIL_UID}<OrderID>2200</OrderID><Success>false</Success>"

GOOD: dict[str, tuple[str, str]] = {
    "request-sample": ("request", request(item(LOCAL) + item(ABROAD))),
    "request-empty": ("request", request("")),
    "request-few-members": ("request", request(item("<OrderID>1</OrderID>"))),
    "request-no-members": ("request", request(item(""))),
    "request-upper-guid": ("request", request(item(ABROAD.replace(UID, UID.upper())))),
    "request-int-forms": ("request", request(item("<CreatorID>+5</CreatorID><OrderID> 005 </OrderID>"))),
    "request-boolean-digit": ("request", request(item("<IsInternationalOrder>1</IsInternationalOrder>"))),
    "request-nil-digit": ("request", request(item('<OrderID i:nil="1"/>'))),
    "request-bounds": (
        "request",
        request(item("<CreatorID>-2147483648</CreatorID><OrderID>2147483647</OrderID>")),
    ),
    "request-prefix": (
        "request",
        request(item(LOCAL)).replace("<", "<q:").replace("<q:/", "</q:").replace("xmlns=", "xmlns:q="),
    ),
    "response-sample": ("response", response(result(DONE) + result(DONE_ABROAD) + result(FAILED))),
    "response-empty": ("response", response("")),
    "response-empty-errors": ("response", response(result(DONE.replace(NO_ERRORS, errors())))),
    "response-nulls-omitted": ("response", response(result("<OrderID>1</OrderID><Success>1</Success>"))),
    "error-sample": ("error", f'<string xmlns="{STRING_NS}">sample string 1</string>'),
    "error-prefix": ("error", f'<z:string xmlns:z="{STRING_NS}">no</z:string>'),
}
BAD: dict[str, tuple[str, str]] = {
    "response-nil-entry": (
        "response",
        response(result(f'<Errors xmlns:a="{ARRAYS_NS}"><a:string i:nil="true"/><a:string>x</a:string></Errors>')),
    ),
    "request-root-name": ("request", request(item(LOCAL), root="CancellationCreations")),
    "request-root-single": ("request", request(LOCAL, root="CancellationCreation")),
    "request-namespace": ("request", request(item(LOCAL), ns=RESPONSE_NS)),
    "request-no-namespace": ("request", request(item(LOCAL), ns="")),
    "request-item-name": ("request", request(item(LOCAL, name="Cancellation"))),
    "request-item-missing": ("request", request(LOCAL)),
    "request-order": ("request", request(item("<OrderID>1</OrderID><CreatorID>2</CreatorID>"))),
    "request-twice": ("request", request(item("<OrderID>1</OrderID><OrderID>2</OrderID>"))),
    "request-key-case": ("request", request(item("<OrderId>1</OrderId>"))),
    "request-unknown-member": ("request", request(item("<OrderID>1</OrderID><Zeta>1</Zeta>"))),
    "request-member-namespace": ("request", request(item('<OrderID xmlns="">1</OrderID>'))),
    "request-nil-boolean": ("request", request(item('<IsInternationalOrder i:nil="true"/>'))),
    "request-nil-with-content": ("request", request(item('<OrderID i:nil="true">1</OrderID>'))),
    "request-null-text": ("request", request(item("<OrderID>null</OrderID>"))),
    "request-empty-int": ("request", request(item("<OrderID/>"))),
    "request-int-overflow": ("request", request(item("<OrderID>2147483648</OrderID>"))),
    "request-int-fraction": ("request", request(item("<OrderID>5.0</OrderID>"))),
    "request-boolean-word": ("request", request(item("<IsInternationalOrder>True</IsInternationalOrder>"))),
    "request-guid-braced": ("request", request(item(ABROAD.replace(UID, "{" + UID + "}")))),
    "request-guid-bare": ("request", request(item(ABROAD.replace(UID, UID.replace("-", ""))))),
    "request-guid-digit": ("request", request(item(ABROAD.replace(UID, UID[:-1] + "\u0661")))),
    "request-guid-space": ("request", request(item(ABROAD.replace(UID, f" {UID} ")))),
    "request-text-between": ("request", request(item("x" + LOCAL))),
    "response-root-name": ("response", response(result(DONE), root="ArrayOfCancellationResult")),
    "response-namespace": ("response", response(result(DONE), ns=REQUEST_NS)),
    "response-item-name": ("response", response(result(DONE, name="CancellationCreation"))),
    "response-order": ("response", response(result("<Success>true</Success><OrderID>1</OrderID>"))),
    "response-null-text": ("response", response(result("<Errors>null</Errors>"))),
    "response-errors-namespace": ("response", response(result(errors("x", ns=RESPONSE_NS)))),
    "response-errors-name": ("response", response(result(errors("x", name="Error")))),
    "response-errors-text": ("response", response(result("<Errors>Order is not active.</Errors>"))),
    "response-success-nil": ("response", response(result('<Success i:nil="true"/>'))),
    "response-success-word": ("response", response(result("<Success>yes</Success>"))),
    "error-namespace": ("error", "<string>no</string>"),
    "error-name": ("error", f'<String xmlns="{STRING_NS}">no</String>'),
    "error-framework": ("error", "<Error><Message>no</Message></Error>"),
    "error-child": ("error", f'<string xmlns="{STRING_NS}"><b/></string>'),
}


@functools.cache
def fast(part: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(FOLDER / f"{part}.xsd")))


@functools.cache
def slow(part: str) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(FOLDER / f"{part}.xsd"), allow="local")


@pytest.mark.parametrize("name", sorted(GOOD))
def test_both_engines_accept_the_documented_form(name: str) -> None:
    part, text = GOOD[name]
    assert fast(part).validate(etree.fromstring(text)), fast(part).error_log
    assert slow(part).is_valid(etree.fromstring(text))


@pytest.mark.parametrize("name", sorted(BAD))
def test_both_engines_refuse_another_form(name: str) -> None:
    part, text = BAD[name]
    assert not fast(part).validate(etree.fromstring(text))
    assert not slow(part).is_valid(etree.fromstring(text))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.xsd")), ids=lambda path: path.name)
def test_imports_stay_in_the_folder(path: Path) -> None:
    xmlschema.XMLSchema(str(path), allow="sandbox")
    locations = re.findall(r'schemaLocation="([^"]*)"', path.read_text(encoding="utf-8"))
    assert all((FOLDER / location).is_file() and "/" not in location for location in locations)


@pytest.mark.parametrize(
    ("part", "definition", "complex_type"),
    [
        ("request", "instruction", "CancellationCreation"),
        ("response", "result", "CancellationCreationResult"),
    ],
)
def test_schema_and_xsd_have_the_same_members(part: str, definition: str, complex_type: str) -> None:
    members = members_of(part, complex_type)
    schema = json.loads((FOLDER / f"{part}.schema.json").read_text(encoding="utf-8"))
    properties = schema["$defs"][definition]["properties"]
    assert [name for name, _ in members] == sorted(properties)
    nullable = {name for name, value in properties.items() if "null" in value["type"]}
    assert {name for name, element in members if element.get("nillable") == "true"} == nullable


@pytest.mark.parametrize(
    ("part", "complex_type"),
    [("request", "CancellationCreation"), ("response", "CancellationCreationResult")],
)
def test_every_member_may_be_left_out(part: str, complex_type: str) -> None:
    assert {element.get("minOccurs") for _, element in members_of(part, complex_type)} == {"0"}


def members_of(part: str, complex_type: str) -> list[tuple[str, Any]]:
    tree = etree.parse(str(FOLDER / f"{part}.xsd"))
    elements = tree.findall(f"{XS}complexType[@name='{complex_type}']/{XS}sequence/{XS}element")
    return [(str(element.get("name")), element) for element in elements]
