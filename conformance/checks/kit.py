"""What the checks need of an operation, compiled once: validators, XML contracts, attributions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.checks.memory import AnswerMemory
from conformance.checks.vocabulary import vocabulary_of
from conformance.codec.errors import XsdError
from conformance.codec.values import Note
from conformance.codec.xml_codec import XmlContract
from conformance.errors import SpecError
from conformance.model.spec import Operation
from conformance.model.verdict import Finding
from conformance.specs.validate import SchemaValidator, load_validator


@dataclass(frozen=True, slots=True)
class Kit:
    """One operation with its compiled documents. `members` maps documented response members in lower case to their form."""

    operation: Operation
    response: SchemaValidator
    flat: SchemaValidator | None
    error: SchemaValidator | None
    xml_request: XmlContract | None
    xml_response: XmlContract | None
    xml_error: XmlContract | None
    members: Mapping[str, str]
    widths: frozenset[str] = frozenset()
    """Requirements on the width of ids, which is a reading and no violation."""
    vocabulary: str = ""
    """What right answers may say in any case, for the search after credentials."""
    memory: AnswerMemory = field(default_factory=AnswerMemory, compare=False)

    def requirement(self, check: str) -> str:
        """The requirement that a general check speaks for. Raises `SpecError` where the operation names none."""
        try:
            return self.operation.attribution[check]
        except KeyError:
            raise SpecError(
                f"attribution: no requirement for {check!r}", where=str(self.operation.folder / "operation.yaml")
            ) from None


def build_kit(operation: Operation) -> Kit:
    """Compile what the checks of this operation need."""
    folder = operation.folder
    response_file = folder / "response.schema.json"
    xsd: Mapping[str, str] = operation.raw.get("xsd", {})
    error_file = folder / "error.schema.json"
    response = load_validator(response_file)
    return Kit(
        operation=operation,
        response=response,
        flat=load_validator(response_file, "#/$defs/flat") if operation.answer == "pair" else None,
        error=load_validator(error_file) if error_file.exists() else None,
        xml_request=_xml(folder / xsd["request"]) if "request" in xsd else None,
        xml_response=_xml(folder / xsd["response"]) if "response" in xsd else None,
        xml_error=_xml(folder / xsd["error"]) if "error" in xsd else None,
        members=_documented_members(list(response.files.documents.values())),
        widths=frozenset(str(field["width"]) for field in operation.raw.get("fields", {}).values() if "width" in field),
        vocabulary=vocabulary_of(operation),
    )


def _xml(path: Path) -> XmlContract:
    try:
        return XmlContract.load(path)
    except XsdError as error:
        raise SpecError(str(error), where=str(path), hint="`conformance specs check` shows what else is wrong.") from error


def repeated_members(kit: Kit, notes: Iterable[Note], at: str = "") -> Iterator[Finding]:
    """A finding for each member that stands more than once: readers differ on which one counts. `at` is the place of a leg."""
    for note in notes:
        if note.kind == "duplicate-key":
            yield Finding(kit.requirement("schema"), "members", note.text, "each member once", "a repeated member", f"{at}{note.pointer}")


def _documented_members(schema: Any) -> dict[str, str]:
    """Every property name anywhere in schemas, keyed by its lower-case form."""
    found: dict[str, str] = {}
    if isinstance(schema, dict):
        for name in schema.get("properties", {}):
            found[name.lower()] = name
        for part in schema.values():
            found.update(_documented_members(part))
    elif isinstance(schema, list):
        for part in schema:
            found.update(_documented_members(part))
    return found
