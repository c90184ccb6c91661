"""JSON Schemas of a draft: members, types, presence, conditions, and what code, message and result must tell together.

The names in a draft: the operation's short name, requirement ids, the fields with a role in an answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conformance.contract.schemas import DIALECT
from conformance.derive.codes import codes_in, success_code_in
from conformance.derive.page import Body, Code, Field, Page, Part, every_field
from conformance.derive.siblings import Sibling

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class Names:
    """`short` is the first part of case ids, `operation` the id, `kind` that of the answer."""

    short: str
    operation: str
    kind: str

    def requirement(self, *parts: str) -> str:
        """The id of a requirement from its parts."""
        words = (re.sub(r"[^A-Z0-9]+", "", part.upper()) or "X" for part in parts)
        return "-".join((self.short.upper(), *words))


@dataclass(frozen=True, slots=True)
class Standard:
    """The members of a standard answer by their roles; None where the page shows none."""

    result: Field | None
    message: Field | None
    code: Field | None


def words_of(name: str) -> list[str]:
    """The words of a name in camel case."""
    return _WORDS.findall(name)


def names_of(page: Page, folder: str, service: str, siblings: Sequence[Sibling]) -> Names:
    """The names of a draft in the folder of this name, none of them a sibling's."""
    by_path = page.path is not None and page.dialect == "help-page"
    words = _WORDS.findall((page.path or "").removeprefix("/api") if by_path else page.name.rpartition("/")[2])
    short = "".join(word[0] for word in words).lower() or "op"
    taken = {one.operation.short for one in siblings}
    longer = (
        [
            short,
            *(short + words[-1][1:end].lower() for end in range(2, len(words[-1]) + 1)),
            *(f"{short}{number}" for number in range(2, 99)),
        ]
        if words
        else [short]
    )
    name = re.sub(r"[^a-z0-9_]+", "_", folder.casefold()).strip("_") or short
    return Names(next((one for one in longer if one not in taken), short), f"{service}.{name}", _kind(page))


def standard_of(fields: Sequence[Field], *, tabled: bool = False) -> Standard:
    """Which fields tell success, the message and the code, as their types and the codes in their rows show.

    Where the codes stand in the row of the code, or in a table of errors (`tabled`), the message is the text beside it
    whose name says so.
    """
    result = next((one for one in fields if one.type.kind == "boolean"), None)
    message = next((one for one in fields if one.type.kind == "string" and _lists(one)), None)
    codes = [one for one in fields if one.type.kind in ("integer", "int64")]
    code = next((one for one in codes if success_code_in(one.text, one.place)), None)
    code = code or next((one for one in codes if _lists(one)), None)
    if tabled and code is None:
        code = next((one for one in codes if _CODE_NAME.fullmatch(one.name)), None)
    if message is None and code is not None and (tabled or _lists(code)):
        message = next((one for one in fields if one.type.kind == "string" and _MESSAGE_NAME.search(one.name)), None)
    return Standard(result, message, code)


_CODE_NAME = re.compile(r"(?:status|result|return)?[ _-]?code|.*(?:err|fault|problem|trouble).*", re.IGNORECASE)
_MESSAGE_NAME = re.compile(r"err|fault|problem|trouble|message|msg|reason|text", re.IGNORECASE)


def _lists(field: Field) -> bool:
    return any(one.message for one in codes_in(field.text, field.place, field.name))


def legs_of(page: Page) -> tuple[Field, ...]:
    """The members of a response that each hold a standard answer."""
    return tuple(one for one in page.response.fields if standard_of(one.members).message is not None)


def _tabled(page: Page) -> bool:
    """Whether codes of the page stand in a table of errors, and in no row of the response."""
    listed = any(_lists(one) for _, one in every_field(page.response.fields))
    return not listed and any(one.message for one in page.codes)


def answer_of(page: Page) -> Standard:
    """The members of a page's standard answer, or of that in its first leg."""
    legs = legs_of(page)
    return standard_of(legs[0].members if legs else page.response.fields, tabled=_tabled(page))


def _kind(page: Page) -> str:
    if _only_names(page.request.fields):
        if page.response.shape == "list" and page.request.shape == "list" and page.error is not None:
            return "results"
        if _has_one_result(page):
            return "result"
    if not _is_known(page):
        return "data"
    if standard_of(page.response.fields, tabled=_tabled(page)).message is not None:
        return "standard"
    return "pair" if len(legs_of(page)) == 2 and len(page.response.fields) == 2 else "data"


def _only_names(fields: Sequence[Field]) -> bool:
    """Whether members can say which things a call is about, and nothing that these are to become.

    A call with a price, a date or an enumeration changes what it names, and what the cases of a cancellation expect of
    it would be wrong.
    """
    return all(one.type.kind in _NAMING and not one.values for one in fields)


_NAMING = ("integer", "int64", "guid", "string", "boolean", "unknown")


def _has_one_result(page: Page) -> bool:
    """Whether one instruction asks and one result answers: it repeats members of it, with a flag and a list of texts."""
    alone = page.request.shape == page.response.shape == "object"
    return alone and page.error is not None and page.error.shape == "string" and flag_of(page) is not None


def flag_of(page: Page) -> Field | None:
    """The flag of a result: beside members of the request, which it repeats, it has the flag and a list of texts alone."""
    asked = {one.name for one in page.request.fields}
    rest = [one for one in page.response.fields if one.name not in asked]
    repeats = len(rest) < len(page.response.fields)
    if not repeats or sorted(one.type.kind for one in rest) != ["boolean", "list"]:
        return None
    return next(one for one in rest if one.type.kind == "boolean")


def _is_known(page: Page) -> bool:
    """Whether the call is of the kind whose cases the harness knows by name: ids ask, and members of these names answer."""
    answer = answer_of(page)
    found = (answer.result, answer.message, answer.code)
    named = all(one is None or one.name == name for one, name in zip(found, _READ_AS, strict=True))
    ids = [one.type.kind in ("integer", "int64") for one in page.request.fields]
    return named and bool(ids) and all(ids) and _REFUSAL in {one.code for one in page.codes}


_READ_AS = ("result", "errormsg", "errorcode")
_REFUSAL = "100"
"""The code of a refused request, which those cases expect."""


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
    if body.shape in ("value", "nothing"):
        return {**head, **(_values(body.item, xml=xml) if body.item else {"type": "null"})}
    if body.shape == "list" and body.item:
        return {**head, "type": "array", "items": _values(body.item, xml=xml)}
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
    if field.values:
        return {**found, **_enumerated(field)}
    if kind == "object" and field.members:
        inside = _object(field.members, part, names, codes, xml=xml)
        return {**found, **inside, **({"type": ["object", "null"]} if field.null else {})}
    values = _values(kind, xml=xml)
    if kind == "list":
        item = _values(field.type.item, xml=False)
        if field.members:
            item = _object(field.members, part, names, codes, xml=xml)
        values = {
            "type": "array",
            "items": {**item, "type": [item["type"], "null"]} if xml and "type" in item else item,
        }
    values |= dict(field.limits)
    if field.null and "type" in values:
        values["type"] = [values["type"], "null"]
    return {**found, **values}


def _enumerated(field: Field) -> dict[str, Any]:
    """A member, or the items of a list, held to the values of its enumeration: numbers, or names where JSON has these."""
    by_name = "string" in (field.type.kind, field.type.item) or any(one.number is None for one in field.values)
    kind = "string" if by_name else "integer"
    listed: list[Any] = [one.name if by_name else one.number for one in field.values]
    if field.type.kind == "list":
        return {"type": ["array", "null"] if field.null else "array", "items": {"type": kind, "enum": listed}}
    if field.null:
        return {"type": [kind, "null"], "enum": [*listed, None]}
    return {"type": kind, "enum": listed}


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
    standard = standard_of(fields, tabled=bool(codes) and not any(_lists(one) for one in fields))
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
