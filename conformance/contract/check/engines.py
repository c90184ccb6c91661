"""Rules that two engines judge the bodies of the named cases alike: lxml and xmlschema, jsonschema and jsonschema-rs.

A second XSD engine (xmlschema), for authors: the contract and lxml's verdicts are checked against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lxml import etree

from conformance.contract.check.problems import CaseSet, Outcomes, Problem, Specimen, place_in
from conformance.contract.schemas import SchemaFiles, SchemaValidator, load_validator, second_engine
from conformance.errors import SpecError
from conformance.formats.base import Format
from conformance.formats.errors import CodecError, XsdError
from conformance.formats.json.format import JSON
from conformance.formats.json.pointer import join_pointer
from conformance.formats.json.read import decode_json
from conformance.formats.xml.contract import XmlContract, XmlProblem
from conformance.formats.xml.format import XML
from conformance.formats.xml.read import line_of, parse_xml
from conformance.model.spec import Contract, Operation

if TYPE_CHECKING:
    from xmlschema import XMLSchema10


@dataclass(frozen=True, slots=True)
class SecondEngine:
    """A contract compiled by xmlschema, a hundred times slower than lxml; its messages say more.

    It is laxer than the XSD recommendation in one point: digits and spaces beyond ASCII pass as integers.
    """

    contract: XmlContract
    schema: XMLSchema10

    @staticmethod
    def load(contract: XmlContract) -> SecondEngine:
        """Compile the contract's file again, local files only. Errors: those of xmlschema."""
        from xmlschema import XMLSchema10  # a fifth of a second to import, for authors alone

        return SecondEngine(contract, XMLSchema10(str(contract.path), allow="local"))

    def validate(self, data: bytes, charset: str | None = None) -> tuple[XmlProblem, ...]:
        """All that xmlschema has against a document. Errors: `CodecError` as `parse_xml`.

        Of some unknown names in `xsi:type` it makes an exception, and looks no further.
        """
        from xmlschema import XMLSchemaException

        root = parse_xml(data, charset).root
        if root.tag != self.contract.root.tag:
            message = f"the root is {root.tag}, expected {self.contract.root.tag}"
            return (XmlProblem(line_of(root), f"/{etree.QName(root).localname}", message, "root"),)
        # xmlschema reads only the text before the first comment
        etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
        problems: list[XmlProblem] = []
        try:
            for error in self.schema.iter_errors(root, use_location_hints=False):
                problems.append(
                    XmlProblem(error.sourceline or 0, error.path or "/", error.reason or "invalid", "schema")
                )
        except XMLSchemaException as error:
            problems.append(XmlProblem(line_of(root), "/", str(error), "schema"))
        return tuple(problems)


_JSON_HINT = "One of the engines misreads the schema: write the rule in simpler keywords."
_XML_HINT = "One of the engines misreads the XSD or the document: write the type in simpler facets."


def json_engines_agree(contract: Contract, cases: CaseSet) -> Outcomes:
    """Over every JSON body that can be decoded: the same verdict, and the same requirements when it is invalid."""
    for operation in _operations(contract):
        path = operation.folder / "request.schema.json"
        try:
            fast = load_validator(path)
        except SpecError as error:
            where = place_in(contract.root, path)
            yield Problem("json-engines", where, error.message, "Mend the schema first.")
            continue
        slow = _SlowSchema.load(fast)
        for specimen in _distinct(cases, operation, JSON):
            try:
                value = decode_json(specimen.body).plain
            except CodecError:
                continue  # no value, so nothing to judge
            yield _json_verdicts(contract, operation, specimen, fast, slow, value)


def _json_verdicts(
    contract: Contract,
    operation: Operation,
    specimen: Specimen,
    fast: SchemaValidator,
    slow: _SlowSchema,
    value: Any,
) -> Problem | None:
    first = sorted({(one.requirement or "", one.pointer) for one in fast.problems(value)})
    second = sorted(slow.verdict(value))
    if first == second:
        return None
    where = f"{place_in(contract.root, operation.folder / 'request.schema.json')} on {specimen.case_id}"
    return Problem("json-engines", where, f"jsonschema-rs says {_said(first)}, jsonschema {_said(second)}", _JSON_HINT)


@dataclass(frozen=True, slots=True)
class _SlowSchema:
    """The same schema in jsonschema, whose paths leave the `$ref` steps out."""

    files: SchemaFiles
    engine: Any

    @staticmethod
    def load(fast: SchemaValidator) -> _SlowSchema:
        return _SlowSchema(fast.files, second_engine(fast))

    def verdict(self, value: Any) -> set[tuple[str, str]]:
        """Requirement and pointer of each error."""
        return {
            (self._requirement(list(error.absolute_schema_path)), join_pointer(error.absolute_path))
            for error in self.engine.iter_errors(value)
        }

    def _requirement(self, path: list[str | int]) -> str:
        base, node = self.files.start, self.files.documents[self.files.start]
        found = node.get("x-requirement", "")
        for step in path:
            while isinstance(node, Mapping) and step not in node and "$ref" in node:
                base, node = self.files.resolve(node["$ref"], base)
                found = node.get("x-requirement", found)
            node = node[step]  # type: ignore[index]  # a list of schemas has numbers for steps
            if isinstance(node, Mapping):
                found = node.get("x-requirement", found)
        return str(found)


def xml_engines_agree(contract: Contract, cases: CaseSet) -> Outcomes:
    """Over every XML body that can be parsed: valid for both engines, or for neither."""
    from xmlschema import XMLSchemaException

    for operation in _operations(contract):
        xsd = operation.xsd.get("request")
        if xsd is None:
            continue
        where = place_in(contract.root, operation.folder / xsd)
        try:
            first = XmlContract.load(operation.folder / xsd)
            second = SecondEngine.load(first)
        except (XsdError, XMLSchemaException) as error:
            yield Problem("xml-engines", where, f"does not compile: {error}", "Mend the XSD first.")
            continue
        for specimen in _distinct(cases, operation, XML):
            try:
                by_lxml, by_xmlschema = first.validate(specimen.body), second.validate(specimen.body)
            except CodecError:
                continue  # not well-formed, so nothing to judge
            if bool(by_lxml) == bool(by_xmlschema):
                yield None
                continue
            said = f"lxml says {_xml_said(by_lxml)}, xmlschema {_xml_said(by_xmlschema)}"
            yield Problem("xml-engines", f"{where} on {specimen.case_id}", said, _XML_HINT)


def _xml_said(problems: tuple[Any, ...]) -> str:
    return f"invalid ({problems[0].message})" if problems else "valid"


def _said(verdict: list[tuple[str, str]]) -> str:
    if not verdict:
        return "valid"
    return "invalid (" + ", ".join(f"{name or 'no requirement'} at {place or '/'}" for name, place in verdict) + ")"


def _distinct(cases: CaseSet, operation: Operation, written_in: Format) -> Iterator[Specimen]:
    """The first specimen of each body of the operation in this format."""
    seen: set[bytes] = set()
    for specimen in cases.specimens:
        if specimen.operation == operation.id and specimen.format == written_in.name and specimen.body not in seen:
            seen.add(specimen.body)
            yield specimen


def _operations(contract: Contract) -> Iterator[Operation]:
    return (contract.operations[name] for name in sorted(contract.operations))
