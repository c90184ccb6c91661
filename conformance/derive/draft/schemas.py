"""JSON Schemas and XSDs of a draft.

A JSON Schema has members, types, presence, conditions, and what code, message and result must tell together. An XSD has
the form of DataContract serializers: elements in order, each optional, nil where null is.

The names in a draft: the operation's short name, requirement ids, the fields with a role in an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

from conformance.contract.schemas import DIALECT
from conformance.derive.codes import codes_in, success_code_in
from conformance.derive.facts import members_in_order
from conformance.derive.page import Body, Code, Field, Page, Part, every_field
from conformance.derive.samples import read_sample
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
    if page.response.shape == "list" and page.request.shape == "list" and page.error is not None:
        return "results"
    if _has_one_result(page):
        return "result"
    if not _is_known(page):
        return "data"
    if standard_of(page.response.fields, tabled=_tabled(page)).message is not None:
        return "standard"
    return "pair" if len(legs_of(page)) == 2 and len(page.response.fields) == 2 else "data"


def _has_one_result(page: Page) -> bool:
    """Whether one instruction asks and one result answers: it repeats members of it, with a flag and a list of texts."""
    alone = page.request.shape == page.response.shape == "object"
    if not alone or page.error is None or page.error.shape != "string":
        return False
    asked = {one.name for one in page.request.fields}
    kinds = [one.type.kind for one in page.response.fields if one.name not in asked]
    return len(kinds) < len(page.response.fields) and sorted(kinds) == ["boolean", "list"]


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
    if body.shape in ("value", "nothing"):
        return {**head, **(_values(body.item, xml=False) if body.item else {"type": "null"})}
    xml = any(sample.form == "xml" for sample in body.samples)
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
    if kind == "object" and field.members:
        return {**found, **_object(field.members, part, names, codes, xml=xml)}
    values = _values(kind, xml=xml)
    if kind == "list":
        item = _values(field.type.item, xml=False)
        if field.members:
            item = _object(field.members, part, names, codes, xml=xml)
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


_ARRAYS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
_SERIALIZATION = "http://schemas.microsoft.com/2003/10/Serialization/"
_XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
_BUILTIN: Mapping[str, str] = {
    "integer": "xs:int",
    "int64": "xs:long",
    "boolean": "xs:boolean",
    "string": "xs:string",
    "guid": "ser:guid",
}
_ITEMS: Mapping[str, tuple[str, str]] = {
    "string": ("string", "xs:string"),
    "integer": ("int", "xs:int"),
    "int64": ("long", "xs:long"),
}
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def xsd_files(page: Page) -> dict[str, str]:
    """The XSDs of every part that the page shows in XML, by file name, and those that they import."""
    files: dict[str, str] = {}
    imported: set[str] = set()
    for part, body in page.bodies():
        tree = next((tree for sample in body.samples if (tree := read_sample(sample.text).tree) is not None), None)
        if tree is None or not etree.QName(tree).namespace or not _writable(body):
            continue
        if body.shape == "string":
            files[f"{part}.xsd"] = _string_root(tree)
            continue
        if etree.QName(tree).namespace in (_SERIALIZATION, _ARRAYS):
            continue  # an XSD cannot import its own namespace, and a record has one of its own
        files[f"{part}.xsd"] = "\n".join(_record_schema(body, tree)) + "\n"
        imported |= {_imported(field) for field in body.fields} - {""}
    if "serialization.xsd" in imported:
        files["serialization.xsd"] = _SERIALIZATION_XSD
    if "arrays.xsd" in imported:
        kinds = {field.type.item for _, body in page.bodies() for field in body.fields if field.type.kind == "list"}
        files["arrays.xsd"] = _arrays(sorted(kinds))
    return files


def _writable(body: Body) -> bool:
    """Whether every type has an XSD form here; the questions name those that have none."""
    return all(
        field.type.item in _ITEMS if field.type.kind == "list" else field.type.kind in _BUILTIN for field in body.fields
    )


def _imported(field: Field) -> str:
    if field.type.kind == "guid":
        return "serialization.xsd"
    return "arrays.xsd" if field.type.kind == "list" else ""


def _record_schema(body: Body, tree: etree._Element) -> Iterator[str]:
    root = etree.QName(tree)
    items = [child for child in tree if isinstance(child.tag, str)] if body.shape == "list" else [tree]
    record = str(etree.QName(items[0]).localname) if items else body.record or "Item"
    namespace = str(root.namespace or "")
    used = {_imported(field) for field in body.fields}
    yield _HEAD.strip()
    yield (
        f"<xs:schema xmlns:tns={quoteattr(namespace)} xmlns:ser={quoteattr(_SERIALIZATION)} xmlns:arr={quoteattr(_ARRAYS)} "
        f'elementFormDefault="qualified" targetNamespace={quoteattr(namespace)} {_XS}>'
    )
    if "serialization.xsd" in used:
        yield f'  <xs:import schemaLocation="serialization.xsd" namespace={quoteattr(_SERIALIZATION)} />'
    if "arrays.xsd" in used:
        yield f'  <xs:import schemaLocation="arrays.xsd" namespace={quoteattr(_ARRAYS)} />'
    yield f'  <xs:complexType name="{record}">'
    yield "    <xs:sequence>"
    for field in _in_order(body, items):
        nil = "" if field.type.kind == "boolean" and not field.null else ' nillable="true"'
        yield f'      <xs:element minOccurs="0" name="{field.name}"{nil} type="{_xs_type(field)}" />'
    yield "    </xs:sequence>"
    yield "  </xs:complexType>"
    if body.shape == "list":
        yield f'  <xs:complexType name="{root.localname}">'
        yield "    <xs:sequence>"
        yield f'      <xs:element minOccurs="0" maxOccurs="unbounded" name="{record}" nillable="true" type="tns:{record}" />'
        yield "    </xs:sequence>"
        yield "  </xs:complexType>"
    yield f'  <xs:element name="{root.localname}" nillable="true" type="tns:{root.localname if body.shape == "list" else record}" />'
    yield "</xs:schema>"


def _in_order(body: Body, items: list[etree._Element]) -> list[Field]:
    """The fields in the order of the sample; those that it lacks go where the alphabet puts them."""
    fields = {field.name: field for field in body.fields}
    names = [name for name in (str(etree.QName(tag).localname) for tag in members_in_order(items)) if name in fields]
    for name in sorted(set(fields) - set(names)):
        names.insert(next((place for place, other in enumerate(names) if other > name), len(names)), name)
    return [fields[name] for name in names]


def _xs_type(field: Field) -> str:
    if field.type.kind == "list":
        return f"arr:ArrayOf{_ITEMS[field.type.item][0]}"
    return _BUILTIN[field.type.kind]


def _string_root(tree: etree._Element) -> str:
    name = etree.QName(tree)
    return (
        f'{_HEAD}<xs:schema elementFormDefault="qualified" targetNamespace={quoteattr(str(name.namespace or ""))} {_XS}>\n'
        f'  <xs:element name="{name.localname}" nillable="true" type="xs:string" />\n</xs:schema>\n'
    )


def _arrays(kinds: list[str]) -> str:
    lines = [f'{_HEAD}<xs:schema elementFormDefault="qualified" targetNamespace="{_ARRAYS}" {_XS}>']
    for name, kind in (_ITEMS[one] for one in kinds):
        lines += [
            f'  <xs:complexType name="ArrayOf{name}">',
            "    <xs:sequence>",
            f'      <xs:element minOccurs="0" maxOccurs="unbounded" name="{name}" nillable="true" type="{kind}" />',
            "    </xs:sequence>",
            "  </xs:complexType>",
        ]
    return "\n".join([*lines, "</xs:schema>", ""])


_SERIALIZATION_XSD = f"""{_HEAD}<xs:schema elementFormDefault="qualified" attributeFormDefault="qualified" targetNamespace="{_SERIALIZATION}" {_XS}>
  <xs:simpleType name="guid">
    <xs:restriction base="xs:string">
      <xs:pattern value="[0-9a-fA-F]{{8}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{12}}" />
    </xs:restriction>
  </xs:simpleType>
</xs:schema>
"""
