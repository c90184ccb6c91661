"""The JSON Schemas of the files under `specs/`, for editors: made of the models, and published beside this module."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.contract.forms import (
    Anything,
    Choice,
    Form,
    Name,
    Nothing,
    OneForm,
    Record,
    Scalar,
    Several,
    Table,
    form_of,
)
from conformance.contract.operation import ATTRIBUTED, FRAME_CHECKS, NEEDED_CHECKS, NEEDED_KEYS
from conformance.formats.registry import formats
from conformance.formats.xml.format import XML
from conformance.model.case import Transport
from conformance.model.scenario import Factors, Scenario
from conformance.model.spec import Operation, PageRecord, Reading, Requirement, Ruling, Service, Spelling

FILES: Mapping[str, Any] = {
    "factors": Factors,
    "operation": Operation,
    "page": PageRecord,
    "readings": tuple[Reading, ...],
    "requirements": tuple[Requirement, ...],
    "rulings": tuple[Ruling, ...],
    "scenarios": tuple[Scenario, ...],
    "service": Service,
    "spellings": tuple[Spelling, ...],
}
"""Name of a file, without its ending, to what it is read into."""
_FORMATS = {one.name: one.label for one in formats()}
_VOCABULARY: Mapping[str, Mapping[str, str]] = {
    "general check": ATTRIBUTED,
    "format": _FORMATS,
    "transport or format": {**{str(one): one.label for one in Transport}, **_FORMATS},
}
"""Kinds of names that are known beforehand, each name with what it means."""


def schema_file(kind: str) -> Path:
    """Where the schema of a kind of file is published."""
    return Path(__file__).with_name(f"{kind}.schema.json")


def schema_text(kind: str) -> str:
    """The schema of a kind of file as it is published: keys sorted, two spaces of indent."""
    defs: dict[str, Any] = {}
    root = _schema(form_of(FILES[kind]), defs)
    if kind == "operation":
        defs[Operation.__name__]["allOf"] = list(_by_answer())
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{kind}.yaml of a contract",
        **root,
        "$defs": defs,
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _schema(form: Form, defs: dict[str, Any]) -> dict[str, Any]:
    match form:
        case Scalar():
            return {"type": form.json_type}
        case Choice():
            return {"enum": list(form.options)}
        case Name():
            known = _VOCABULARY.get(form.kind)
            return {"type": "string"} if known is None else {"enum": list(known)}
        case Anything():
            return {}
        case Nothing():
            return {"type": "null"}
        case Several():
            return {"type": "array", "items": _schema(form.item, defs)}
        case OneForm():
            return {"anyOf": [_schema(one, defs) for one in form.forms]}
        case Table():
            return _table(form, defs)
        case Record():
            return _record(form, defs)
    raise TypeError(f"no schema is known for {form!r}")


def _table(form: Table, defs: dict[str, Any]) -> dict[str, Any]:
    """A mapping; with its properties where the keys are known."""
    value = _schema(form.value, defs)
    known: Mapping[str, str] | None = None
    if isinstance(form.key, Choice):
        known = dict.fromkeys(form.key.options, "")
    elif isinstance(form.key, Name):
        known = _VOCABULARY.get(form.key.kind)
    if known is None:
        return {"type": "object", "additionalProperties": value}
    properties = {name: _described(value, text) for name, text in known.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _record(form: Record, defs: dict[str, Any]) -> dict[str, Any]:
    """A reference to the definition of the class."""
    name = str(form.of.__name__)
    if name not in defs:
        texts = _texts_of(form.of)
        members = form.members.items()
        defs[name] = {
            "description": str(form.of.__doc__).partition("\n")[0],
            "type": "object",
            "properties": {
                key: _described(_schema(one.form, defs), texts.get(one.attribute, "")) for key, one in members
            },
            "required": [key for key, one in members if one.needed],
            "additionalProperties": bool(form.rest),
        }
    return {"$ref": f"#/$defs/{name}"}


def _described(schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {**schema, "description": text} if text else schema


def _by_answer() -> list[dict[str, Any]]:
    """What each kind of answer, frames and XML need besides."""
    rules = []
    for answer, keys in NEEDED_KEYS.items():
        checks = {"properties": {"attribution": {"required": list(NEEDED_CHECKS[answer])}}}
        base = {"type": "array"} if answer.listed else {"type": "object"}
        rules.append(
            {
                "if": {"properties": {"answer": {"const": answer}}},
                "then": {"required": list(keys), "properties": {**checks["properties"], "base": base}},
            }
        )
    for key, shown, names in (
        ("transports", {"enum": [str(one) for one in Transport if one.framed]}, FRAME_CHECKS),
        ("media_types", {"pattern": "xml$"}, XML.attributions),
    ):
        rules.append(
            {
                "if": {"properties": {key: {"contains": shown}}},
                "then": {"properties": {"attribution": {"required": list(names)}}},
            }
        )
    return rules


def _texts_of(kind: Any) -> dict[str, str]:
    """The text behind each attribute of a class, which says what it holds."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for before, behind in zip(body.body, body.body[1:], strict=False):
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name) and isinstance(behind, ast.Expr):
            found[before.target.id] = " ".join(str(ast.literal_eval(behind.value)).split())
    return found
