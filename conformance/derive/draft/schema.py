"""JSON Schemas of a draft: members, types, presence, conditions, and what code, message and result must tell together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.contract.schemas import DIALECT
from conformance.derive.draft.names import Names, standard_of
from conformance.derive.page import Body, Code, Field, Page, Part

_INT64 = {"minimum": -(2**63), "maximum": 2**63 - 1}
_INT32 = {"minimum": -(2**31), "maximum": 2**31 - 1}
_GUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?!\n)$"
_TAG = {"request": "REQ", "response": "RESP", "error": "ERR"}


def schema_of(page: Page, part: Part, body: Body, names: Names) -> dict[str, Any]:
    """The schema of one part of the page; each member names its requirement."""
    form = names.requirement(_TAG[part], "STRING" if body.shape == "string" else "FORM")
    head: dict[str, Any] = {
        "$schema": DIALECT,
        "$id": f"urn:order-cancellation:{names.operation.replace('.', ':')}:{part}",
        "title": f"{page.name} {part}",
        "x-requirement": form,
    }
    if body.shape == "string":
        return {**head, "type": "string", "minLength": 1}
    xml = any(sample.form == "xml" for sample in body.samples)
    inner = _object(body.fields, part, names, page.codes, xml=xml)
    if body.shape == "object":
        return {**head, **inner}
    item = {"title": body.record, "x-requirement": form, **inner} if body.record else {"x-requirement": form, **inner}
    return {**head, "type": "array", "items": {"$ref": "#/$defs/item"}, "$defs": {"item": item}}


def _object(fields: Sequence[Field], part: Part, names: Names, codes: Sequence[Code], *, xml: bool) -> dict[str, Any]:
    rules = [_presence(field, part, names) for field in fields]
    rules = [rule for rule in rules if rule] + _agreement(fields, names, codes)
    properties = {field.name: _member(field, part, names, codes, xml=xml) for field in fields}
    return {"type": "object", "properties": properties, **({"allOf": rules} if rules else {})}


def member_requirement(field: Field, part: Part, names: Names) -> str:
    """The requirement that a member's type speaks for."""
    return names.requirement(_TAG[part], field.name, *(("TYPE",) if part == "request" else ()))


def presence_requirement(field: Field, part: Part, names: Names) -> str:
    """The requirement that a member's absence speaks for."""
    if part != "request":
        return names.requirement(_TAG[part], field.name)
    return names.requirement("REQ", field.name, "REQUIRED" if field.when or field.need == "required" else "OPTIONAL")


def _presence(field: Field, part: Part, names: Names) -> dict[str, Any]:
    identifier = presence_requirement(field, part, names)
    if field.when is None:
        return {"x-requirement": identifier, "required": [field.name]} if field.need == "required" else {}
    condition: dict[str, Any] = {"properties": {field.when.flag: {"const": field.when.value}}}
    if field.when.value:
        condition["required"] = [field.when.flag]
    demand = {"required": [field.name], "properties": {field.name: {"not": {"const": None}}}}
    return {"x-requirement": identifier, "if": condition, "then": demand}


def _member(field: Field, part: Part, names: Names, codes: Sequence[Code], *, xml: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"x-requirement": member_requirement(field, part, names)}
    kind = field.type.kind
    if kind == "object" and field.members:
        return {**found, **_object(field.members, part, names, codes, xml=xml)}
    values = _values(kind, xml=xml)
    if kind == "list":
        item = _values(field.type.item, xml=False)
        values = {
            "type": "array",
            "items": {**item, "type": [item["type"], "null"]} if xml and "type" in item else item,
        }
    if field.null and "type" in values:
        values["type"] = [values["type"], "null"]
    return {**found, **values}


def _values(kind: str, *, xml: bool) -> dict[str, Any]:
    match kind:
        case "integer":
            return {"type": "integer", **({"format": "int32", **_INT32} if xml else _INT64)}
        case "int64":
            return {"type": "integer", "format": "int64", **_INT64}
        case "guid":
            return {"type": "string", "format": "uuid", "pattern": _GUID}
        case "date-time":
            return {"type": "string", "format": "date-time"}
        case "boolean" | "string" | "number" | "object":
            return {"type": kind}
    return {}


def _agreement(fields: Sequence[Field], names: Names, codes: Sequence[Code]) -> list[dict[str, Any]]:
    """What result, code and message must tell together, where a page lists codes."""
    standard = standard_of(fields)
    if standard.code is None or standard.message is None or not codes:
        return []
    code, message = standard.code.name, standard.message.name
    success = int(next((one.code for one in codes if not one.message), "0"))
    listed = sorted({int(one.code) for one in codes})
    rules: list[dict[str, Any]] = [
        {
            "x-requirement": names.requirement("RESP", code, "LISTED"),
            "if": {"properties": {code: {"type": "integer"}}, "required": [code]},
            "then": {"properties": {code: {"enum": listed}}},
        }
    ]
    if standard.result is not None:
        rules += [_agrees(names, standard.result.name, code, success, value) for value in (True, False)]
    for number in listed:
        texts = [one.message for one in codes if int(one.code) == number and one.message]
        if texts:
            when = {
                "properties": {code: {"const": number}, message: {"type": ["string", "null"]}},
                "required": [code, message],
            }
            rule = {"properties": {message: {"enum": texts} if len(texts) > 1 else {"const": texts[0]}}}
            rules.append({"x-requirement": names.requirement("CODE", str(number)), "if": when, "then": rule})
    return rules


def _agrees(names: Names, result: str, code: str, success: int, value: bool) -> dict[str, Any]:
    then: dict[str, Any] = {"const": success} if value else {"not": {"const": success}}
    return {
        "x-requirement": names.requirement("AGREE"),
        "if": {"properties": {result: {"const": value}, code: {"type": "integer"}}, "required": [result, code]},
        "then": {"properties": {code: then}},
    }
