"""A second XSD engine (xmlschema), for authors: the contract and lxml's verdicts are checked against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from conformance.codec.xml_codec import XmlContract, XmlProblem
from conformance.codec.xml_parse import line_of, parse_xml

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
        """All that xmlschema has against a document. Errors: `CodecError` as `parse_xml`."""
        root = parse_xml(data, charset).root
        if root.tag != self.contract.root.tag:
            message = f"the root is {root.tag}, expected {self.contract.root.tag}"
            return (XmlProblem(line_of(root), f"/{etree.QName(root).localname}", message, "root"),)
        # xmlschema reads only the text before the first comment
        etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
        errors = self.schema.iter_errors(root, use_location_hints=False)
        return tuple(
            XmlProblem(error.sourceline or 0, error.path or "/", error.reason or "invalid", "schema")
            for error in errors
        )
