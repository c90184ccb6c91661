"""The same facts from an operation's folder: its schemas, XSDs, operation.yaml, page.yaml and recorded samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.codec.errors import XsdError
from conformance.codec.xml_codec import XmlContract
from conformance.codec.xsd_shape import ListOf, Record
from conformance.derive.facts import Fact, Key, in_order, xml_facts
from conformance.derive.page import Part
from conformance.derive.samples import canonical
from conformance.derive.schema_facts import schema_facts
from conformance.errors import SpecError
from conformance.specs.load import read_yaml

_PARTS: tuple[Part, ...] = ("request", "response", "error")
_MAX_SAMPLE_BYTES = 1 << 20
PAGE_KEYS = ("dialect", "call_type", "category", "wording", "settled")


def facts_of_folder(folder: Path) -> dict[Key, Fact]:
    """Every fact of an operation's folder, a draft's or a curated one's.

    Facts on samples and on wording are there only when the folder records them, in `samples/` and `page.yaml`.
    Errors: `SpecError` for a file that is missing or cannot be used, a schema that never ends, an XSD that is not local.
    """
    if not folder.is_dir():
        raise SpecError(
            "no such folder", where=str(folder), hint="Give the folder of an operation, with its operation.yaml."
        )
    raw = operation_of(folder)
    facts: dict[Key, Fact] = {Key("operation", "document"): Fact(str(raw.get("document", "")))}
    for kind in ("method", "path"):
        facts[Key("operation", kind)] = Fact(str(raw.get(kind, "")))
    facts[Key("operation", "permissions")] = Fact(
        in_order({str(one).casefold() for one in _list(raw, "roles_allowed", folder)})
    )
    for part in _PARTS:
        schema = folder / f"{part}.schema.json"
        if schema.exists() or part != "error":
            facts.update(schema_facts(part, schema))
            facts[Key(part, "media-types")] = Fact(in_order(_media_types(raw, part, folder)))
    _tie_conditions(raw, facts, folder)
    xsd = _mapping(raw, "xsd", folder)
    for part in _PARTS:
        if part in xsd:
            facts.update(_xsd_facts(part, folder / str(xsd[part])))
    for code in _list(raw, "codes", folder):
        number = str(code.get("code", "")) if isinstance(code, Mapping) else ""
        if number.isdecimal():
            facts[Key(f"codes/{number}", "message")] = Fact(
                in_order({str(one) for one in code.get("messages") or ()}, " | ")
            )
    facts.update(_samples(folder))
    facts.update(_recorded(folder))
    return facts


def operation_of(folder: Path) -> Mapping[str, Any]:
    """The content of the folder's operation.yaml."""
    raw = read_yaml(folder / "operation.yaml")
    if not isinstance(raw, Mapping):
        raise SpecError(
            "expected a mapping", where=str(folder / "operation.yaml"), hint="docs/authoring.md lists the keys."
        )
    return raw


def page_record(folder: Path) -> Mapping[str, Any] | None:
    """The content of the folder's page.yaml, which records what a schema cannot hold; None without one."""
    path = folder / "page.yaml"
    if not path.exists():
        return None
    raw = read_yaml(path)
    if not isinstance(raw, Mapping) or not set(raw) <= set(PAGE_KEYS):
        raise SpecError(
            f"expected a mapping with the keys {', '.join(PAGE_KEYS)}",
            where=str(path),
            hint="docs/derive.md shows one.",
        )
    return raw


def _recorded(folder: Path) -> Iterator[tuple[Key, Fact]]:
    record = page_record(folder)
    if record is None:
        return
    for kind, key in (("call-type", "call_type"), ("category", "category")):
        if record.get(key) is not None:
            yield Key("operation", kind), Fact(str(record[key]))
    for section, digests in _mapping(record, "wording", folder / "page.yaml").items():
        for digest in digests if isinstance(digests, list) else ():
            yield Key(f"wording/{section}", str(digest)), Fact("stated")


def _samples(folder: Path) -> Iterator[tuple[Key, Fact]]:
    for path in sorted((folder / "samples").glob("*")):
        if path.suffix in (".json", ".xml"):
            try:
                data = path.read_bytes()[:_MAX_SAMPLE_BYTES].decode("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise SpecError(
                    f"the sample cannot be read: {error}", where=str(path), hint="A sample is a file in UTF-8."
                ) from None
            yield Key(f"samples/{path.stem}", "sample"), Fact(canonical(data))


def _media_types(raw: Mapping[str, Any], part: Part, folder: Path) -> set[str]:
    every = {str(one) for one in _list(raw, "media_types", folder)}
    if part == "error":
        return every
    return {str(one) for one in raw.get(f"{part}_media") or every}


def _tie_conditions(raw: Mapping[str, Any], facts: dict[Key, Fact], folder: Path) -> None:
    """A member that the condition of operation.yaml needs is required when the flag has that value."""
    condition = _mapping(raw, "condition", folder)
    for word in ("true", "false"):
        rule = condition.get(f"when_{word}")
        for name in (rule.get("needs") or ()) if isinstance(rule, Mapping) else ():
            facts[Key(f"request/{name}", "need")] = Fact(f"required when {condition.get('flag')} is {word}")


def _xsd_facts(part: Part, path: Path) -> Iterator[tuple[Key, Fact]]:
    try:
        root = XmlContract.load(path).root
    except XsdError as error:
        hint = "An XSD lies in the operation's folder, imports only files beside it, and is never fetched."
        raise SpecError(str(error), where=str(path), hint=hint) from None
    item = root.content.item if isinstance(root.content, ListOf) else None
    record = item.content if item is not None else root.content
    members = tuple(member.tag for member in record.members) if isinstance(record, Record) else ()
    yield from xml_facts(part, root.tag, item.tag if item else "", members, None)


def _list(raw: Mapping[str, Any], key: str, folder: Path) -> list[Any]:
    found = raw.get(key) or []
    if not isinstance(found, list):
        raise SpecError(
            f"{key}: expected a list", where=str(folder / "operation.yaml"), hint="docs/authoring.md lists the keys."
        )
    return found


def _mapping(raw: Mapping[str, Any], key: str, where: Path) -> Mapping[str, Any]:
    found = raw.get(key) or {}
    if not isinstance(found, Mapping):
        raise SpecError(f"{key}: expected a mapping", where=str(where), hint="docs/authoring.md lists the keys.")
    return found
