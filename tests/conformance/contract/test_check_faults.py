"""Each rule of `conformance specs check` finds the fault that it is for, and says where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.cases.build import case_set
from conformance.contract.check.engines import json_engines_agree, xml_engines_agree
from conformance.contract.check.problems import CaseSet, Problem, Specimen
from conformance.contract.load import load_contract

CAO = "alphapoint/cancel_all_orders"
CQ = "alphapoint/cancel_quote"
TPP = "tpp/create_cancellations"
GUID = '"pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?!\\\\n)$"'

FAULTS = {
    "a service that lists an operation without folder": (
        "contract", "tpp/service.yaml", "  - tpp.create_cancellations", "  - tpp.create_cancellations\n  - tpp.more",
        "no folder has the operation 'tpp.more'", "tpp/service.yaml:11",
    ),
    "a service that leaves an operation out": (
        "contract", "alphapoint/service.yaml", "  - alphapoint.cancel_order\n", "",
        "'alphapoint.cancel_order' is not listed", "alphapoint/service.yaml:11",
    ),
    "an XML document without XSD": (
        "contract", f"{TPP}/operation.yaml", "  response: response.xsd\n", "", "xsd: key 'response' is missing",
        f"{TPP}/operation.yaml:13",
    ),
    "an XSD that is not there": (
        "contract", f"{TPP}/operation.yaml", "request: request.xsd", "request: lost.xsd", "there is no file 'lost.xsd'",
        f"{TPP}/operation.yaml:13",
    ),
    "YAML that does not parse": ("yaml", f"{CQ}/scenarios.yaml", "- name:", "- name: [", "not YAML", CQ),
    "an id in lower case": (
        "requirement-ids", f"{CAO}/requirements.yaml", "id: CAO-CATEGORY", "id: cao-category", "no requirement id",
        f"{CAO}/requirements.yaml (cao-category)",
    ),
    "an id of another operation": (
        "requirement-ids", f"{CAO}/requirements.yaml", "id: CAO-CATEGORY", "id: CQ-CATEGORIES", "does not begin", CAO,
    ),
    "a reading with one answer": (
        "readings", "tpp/readings.yaml", "    upper: upper case\n", "", "fewer than two", "(guid-case)",
    ),
    "a reading without requirement": (
        "readings", "alphapoint/readings.yaml", "  - CQ-RESP-DETAIL\n", "", "not one requirement",
        "(detail-on-success)",
    ),
    "a keyword with a wrong value": (
        "schemas", f"{CAO}/request.schema.json", '"type": "object"', '"type": "objects"', "objects",
        f"{CAO}/request.schema.json#/type",
    ),
    "a keyword that does not exist": (
        "schemas", f"{CAO}/request.schema.json", '"minimum"', '"minimun"', "no keyword",
        f"{CAO}/request.schema.json#/properties/AccountId/minimun",
    ),
    "another dialect": (
        "schemas", f"{TPP}/error.schema.json", "draft/2020-12", "draft/2019-09", "is not", f"{TPP}/error.schema.json",
    ),
    "a schema that is no JSON": ("schemas", f"{TPP}/error.schema.json", "{", "{,", "not JSON", TPP),
    "a reference to nothing": (
        "references", f"{TPP}/request.schema.json", '"#/$defs/instruction"', '"#/$defs/order"', "names nothing",
        f"{TPP}/request.schema.json#/items/$ref",
    ),
    "a reference to a file that is not there": (
        "references", f"{TPP}/request.schema.json", '"#/$defs/instruction"', '"lost.schema.json"', "missing", TPP,
    ),
    "a reference that leaves the service": (
        "references", f"{TPP}/request.schema.json", '"#/$defs/instruction"',
        '"../../alphapoint/cancel_quote/request.schema.json"', "leaves", TPP,
    ),
    "a reference to the network": (
        "references", f"{TPP}/request.schema.json", '"#/$defs/instruction"', '"https://example.org/a.json"', "leaves",
        TPP,
    ),
    "a reference that goes in a circle": (
        "references", f"{TPP}/request.schema.json", '"id": {', '"id": {"allOf": [{"$ref": "#/$defs/id"}], ',
        "leads back", f"{TPP}/request.schema.json#/$defs/id/allOf/0/$ref",
    ),
    "an anchor": (
        "references", f"{TPP}/request.schema.json", '"guid": {', '"guid": {"$anchor": "guid", ', "not supported", TPP,
    ),
    "a schema that names a lost requirement": (
        "schema-requirements", f"{CAO}/response.schema.json", '"CAO-RESP-DETAIL"', '"CAO-RESP-DETAILS"',
        "CAO-RESP-DETAILS", f"{CAO}/response.schema.json#/properties/detail/x-requirement",
    ),
    "a schema without a requirement at its root": (
        "schema-requirements", f"{TPP}/error.schema.json", '  "x-requirement": "TPP-ERR-STRING",\n', "",
        "names none", f"{TPP}/error.schema.json",
    ),
    "a document that is no OpenAPI": (
        "openapi", "tpp/openapi.yaml", "responses:", "answers:", "", "tpp/openapi.yaml",
    ),
    "a document that refers to a lost file": (
        "openapi", "tpp/openapi.yaml", "create_cancellations/error.schema.json", "lost.json", "lost.json", "tpp/",
    ),
    "an operation under another path": (
        "openapi", "tpp/openapi.yaml", "  /api/orders/cancellations:", "  /api/cancellations:", "not described", "tpp/",
    ),
    "an operation under another id": (
        "openapi", "tpp/openapi.yaml", "operationId: tpp.", "operationId: tp.", "operationId", "tpp/",
    ),
    "a media type that is not described": (
        "openapi", "tpp/openapi.yaml",
        "          text/json:\n            schema:\n              $ref: create_cancellations/request.schema.json\n", "",
        "the request comes in", "tpp/",
    ),
    "an edition whose request is not described": (
        "openapi", "alphapoint/openapi-later.yaml", "request-later.schema.json", "request.schema.json",
        "no request is of cancel_all_orders/request-later.schema.json", "alphapoint/openapi-later.yaml#/paths",
    ),
    "a member in the XSD alone": (
        "fields-agree", f"{TPP}/request.schema.json", '"PIN"', '"Pin"', "the XSD has this member", "/*/PIN",
    ),
    "another type": (
        "fields-agree", f"{TPP}/request.xsd", 'name="PIN" nillable="true" type="xs:string"',
        'name="PIN" nillable="true" type="xs:int"', "type is integer", "/*/PIN",
    ),
    "null in the schema alone": (
        "fields-agree", f"{TPP}/request.xsd", 'name="PIN" nillable="true"', 'name="PIN"', "schema allows null", "/*/PIN",
    ),
    "nil in the XSD alone": (
        "fields-agree", f"{TPP}/response.xsd", 'name="Success"', 'nillable="true" name="Success"', "XSD allows nil",
        "/*/Success",
    ),
    "other bounds": (
        "fields-agree", f"{TPP}/request.xsd", 'name="OrderID" nillable="true" type="xs:int"',
        'name="OrderID" nillable="true" type="xs:long"', "greatest value", "/*/OrderID",
    ),
    "a pattern in one alone": (
        "fields-agree", f"{TPP}/request.schema.json", GUID, '"title": "any text"', "only the XSD has a pattern",
        "/*/InternationalOrderUID",
    ),
    "a member that the XSD alone demands": (
        "fields-agree", f"{TPP}/request.xsd", 'minOccurs="0" name="PIN"', 'name="PIN"', "the XSD demands", "/*/PIN",
    ),
    "an XSD beyond what the codec reads": (
        "fields-agree", f"{TPP}/error.xsd", 'type="xs:string"', 'type="xs:duration"', "xs:duration", "error.xsd",
    ),
    "a value that the schema alone allows": (
        "instances-agree", f"{TPP}/serialization.xsd", "[0-9a-fA-F]{8}", "[0-9a-f]{8}", "the XSD does not",
        f"{TPP}/request.schema.json",
    ),
    "a value that the XSD alone allows": (
        "instances-agree", f"{TPP}/serialization.xsd", "[0-9a-fA-F]{12}", "[0-9a-fA-F]{12,13}", "the schema does not",
        f"{TPP}/request.schema.json",
    ),
    "a requirement without case": (
        "coverage", f"{CAO}/requirements.yaml", "- id: CAO-SYNC",
        "- {id: CAO-NEW, level: must, document: ruling, place: here, text: New., verify: cases}\n- id: CAO-SYNC", "no case", "(CAO-NEW)",
    ),
    "a reason beside cases": (
        "coverage", f"{CAO}/requirements.yaml", "verify: cases", "verify: untested\n  untested: too hard",
        "called untested", "(CAO-PERM-OPERATOR)",
    ),
    "a place that no state binds": (
        "case-states", f"{TPP}/scenarios.yaml", "${gone.OrderID}", "${went.OrderID}", "${went.",
        "(tpp/response/three-kinds@application-json)",
    ),
    "an answer that nothing allows": (
        "case-grounds", f"{CAO}/scenarios.yaml", "{code: [0], cancelled: [mine], because: [CAO-AGAIN]}",
        "{code: [0], cancelled: [mine]}", "nothing says that {'code': [0]} is right", "(cao/effects/again@http)",
    ),
    "several codes that a reading alone allows": (
        "case-grounds", f"{CAO}/scenarios.yaml", "readings: [account-omitted=own], because: [nothing-left]",
        "readings: [account-omitted=own]", "nothing says that {'code': [101, 104]} is right",
        "(cao/account/omitted-by-operator@ws)",
    ),
    "any result that nothing allows": (
        "case-grounds", f"{TPP}/scenarios.yaml", "{results: [any], cancelled: [order], because: [TPP-TWICE]}",
        "{results: [any], cancelled: [order]}", "nothing says that", "(tpp/batch/at-the-same-time@application-json)",
    ),
    "a ruling that stands twice": (
        "contract", "rulings.yaml", "- id: secrets", "- id: mixed-legs", "ruling mixed-legs is defined twice",
        "rulings.yaml:",
    ),
    "a ruling without a case": (
        "rulings", "rulings.yaml", "cases: [cao/codes/100@*, cq/codes/100@*]", "cases: []", "no case holds it",
        "rulings.yaml (code-100-text)",
    ),
    "a ruling whose case is gone": (
        "rulings", "rulings.yaml", "cases: [cao/codes/100@*, cq/codes/100@*]",
        "cases: [cao/codes/100@*, cq/codes/1000@*]", "no case matches 'cq/codes/1000@*'", "(code-100-text)",
    ),
    "a ruling of a reading that is gone": (
        "rulings", "rulings.yaml", "readings: [code-100-text]", "readings: [code-one-hundred]",
        "'code-one-hundred' is no reading", "(code-100-text)",
    ),
    "a ruling without words": (
        "rulings", "rulings.yaml", "source: the tables of codes of both pages", "source: ''", "text or source is empty",
        "(code-100-text)",
    ),
    "a code without case": (
        "case-codes", f"{TPP}/scenarios.yaml", "  code: order-not-active\n", "", "no case verifies code",
        f"{TPP}/operation.yaml#/codes/1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_where_it_is(
    fault: str, edit: Callable[[str, str, str], None], problems: Callable[[str], list[Problem]]
) -> None:
    rule, file, old, new, message, where = FAULTS[fault]
    edit(file, old, new)
    found = problems(rule)
    assert [one for one in found if message in one.message and where in one.where], found
    assert {one.rule for one in found} == {rule}


@pytest.mark.parametrize("name", ["operation.yaml", "requirements.yaml", "request.schema.json", "response.schema.json"])
def test_a_missing_file_is_found(name: str, specs: Path, problems: Callable[[str], list[Problem]]) -> None:
    (specs / CAO / name).unlink()
    assert f"{CAO}/{name}" in [one.where for one in problems("files")]


def test_an_edition_with_a_request_of_its_own_has_a_document(
    specs: Path, problems: Callable[[str], list[Problem]]
) -> None:
    (specs / "alphapoint" / "openapi-3.2.yaml").unlink()
    assert [one.where for one in problems("openapi")] == ["alphapoint/openapi-3.2.yaml"]


def test_a_shared_schema_beside_the_operation_is_allowed(
    specs: Path, edit: Callable[[str, str, str], None], problems: Callable[[str], list[Problem]]
) -> None:
    (specs / "tpp" / "id.schema.json").write_text('{"minimum": 0}', encoding="utf-8")
    edit(f"{TPP}/request.schema.json", '{"$ref": "#/$defs/id"}', '{"$ref": "../id.schema.json"}')
    assert problems("references") == []


def test_a_schema_may_contain_itself_further_down(
    edit: Callable[[str, str, str], None], problems: Callable[[str], list[Problem]]
) -> None:
    edit(f"{TPP}/error.schema.json", '"type": "string"', '"type": "string", "properties": {"inner": {"$ref": "#"}}')
    assert problems("references") == []


def test_engines_that_read_a_pattern_differently_are_found(specs: Path, edit: Callable[[str, str, str], None]) -> None:
    edit(f"{TPP}/request.schema.json", GUID, '"pattern": "^\\\\d+$"')
    body = '[{"OrderID": 1, "InternationalOrderUID": "\u0661"}]'.encode()
    found = list(json_engines_agree(load_contract(specs), one_specimen("json", body)))
    assert [one.where for one in found if one] == [f"{TPP}/request.schema.json on tpp/made/up"]


def test_engines_that_read_an_integer_differently_are_found(specs: Path) -> None:
    namespace = "http://schemas.datacontract.org/2004/07/"
    body = (
        f'<ArrayOfCancellationCreation xmlns="{namespace}"><CancellationCreation><OrderID>\u0661</OrderID>'
        "</CancellationCreation></ArrayOfCancellationCreation>"
    ).encode()
    found = list(xml_engines_agree(load_contract(specs), one_specimen("xml", body)))
    assert ["lxml says invalid" in one.message for one in found if one] == [True]


@pytest.mark.parametrize("rule", [json_engines_agree, xml_engines_agree])
def test_bodies_that_cannot_be_read_are_no_matter_for_engines(rule: Callable[..., object], specs: Path) -> None:
    contract = load_contract(specs)
    specimens = [*one_specimen("json", b"[").specimens, *one_specimen("xml", b"<a>").specimens]
    assert list(rule(contract, CaseSet((), tuple(specimens)))) == []  # type: ignore[call-overload]


def test_engines_see_every_operation(specs: Path) -> None:
    contract = load_contract(specs)
    cases = case_set(contract)
    everything = len([one for one in json_engines_agree(contract, cases) if one is None])
    tpp_alone = replace(cases, specimens=tuple(one for one in cases.specimens if one.operation.startswith("tpp")))
    assert everything > len([one for one in json_engines_agree(contract, tpp_alone) if one is None]) > 0


def one_specimen(form: str, body: bytes) -> CaseSet:
    return CaseSet((), (Specimen("tpp/made/up", "tpp.create_cancellations", form, body),))
