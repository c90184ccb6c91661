"""An XSD as a contract: XML bytes to the value that JSON gives and back, and the XSD's verdict on them."""

from __future__ import annotations

from dataclasses import field
from itertools import islice
from pathlib import Path
from typing import Any

from lxml import etree

from conformance.formats.errors import CodecError, Note, Position, XsdError
from conformance.formats.xml.read import MAX_PROBLEMS, XmlProblem, XmlTree, line_of, parse_xml, walk
from conformance.formats.xml.write import LexicalStyle, Plan, RawElement, RawXml, XmlStyle, encode_xml, plan_of
from conformance.formats.xml.xsd import Element, load_schemas, root_element
from conformance.values import value_class

__all__ = [
    "LexicalStyle",
    "RawElement",
    "RawXml",
    "XmlContract",
    "XmlDocument",
    "XmlProblem",
    "XmlReading",
    "XmlStyle",
]

_DEFAULT = XmlStyle()


@value_class(frozen=True, slots=True)
class XmlDocument:
    """A decoded document: dicts, lists, str, int, bool and None, as the JSON form gives, and its notes."""

    value: Any
    notes: tuple[Note, ...] = ()


@value_class(frozen=True, slots=True)
class XmlReading:
    """Value, notes and problems from one parse; the value is None when the root is another document's."""

    value: Any
    notes: tuple[Note, ...]
    problems: tuple[XmlProblem, ...]


@value_class(frozen=True, slots=True)
class XmlContract:
    """One XSD and one of its global elements. Not to be shared between threads while it validates."""

    path: Path
    root: Element
    schema: etree.XMLSchema
    plans: dict[XmlStyle, Plan] = field(default_factory=dict, compare=False, repr=False)
    """How to write in each style that was asked for so far."""

    @staticmethod
    def load(xsd_path: Path | str, root: str | None = None) -> XmlContract:
        """Compile the XSD, local files only, and derive its shape; `root` names one of several elements.

        Errors: `XsdError` for a file that cannot be used, a remote or outside schemaLocation, a construct
        beyond the DataContract subset (sequences of elements, lists, xs:byte to xs:long, xs:boolean,
        xs:string and their restrictions), or a root that is not there.
        """
        path = Path(xsd_path).resolve()
        schemas = load_schemas(path)
        element = root_element(schemas, root)
        try:
            schema = etree.XMLSchema(schemas.main.getroottree())
        except etree.XMLSchemaParseError as error:
            raise XsdError(f"schema {path.name} does not compile: {error}") from None
        return XmlContract(path, element, schema)

    def decode(self, data: bytes, charset: str | None = None) -> XmlDocument:
        """The value of a document; nil is None, an element left out is an absent key.

        A document that breaks the XSD is still decoded as far as it goes: text that is not of its type stays
        a str, elements out of order are kept, unknown ones are left out, and each has a note.
        Errors: `CodecError` as `parse_xml`, and of kind "root" for another root element.
        """
        reading = self.read(data, charset)
        wrong = next((problem for problem in reading.problems if problem.kind == "root"), None)
        if wrong is not None:
            raise CodecError(wrong.message, Position(wrong.line, 1), "root")
        return XmlDocument(reading.value, reading.notes)

    def validate(self, data: bytes, charset: str | None = None) -> tuple[XmlProblem, ...]:
        """What the XSD has against a document, in document order; empty if it is valid. lxml is the judge."""
        tree = parse_xml(data, charset)
        wrong_root = self._wrong_root(tree)
        if wrong_root is not None:
            return (wrong_root,)
        if self.schema.validate(tree.root):
            return ()
        return tuple(walk(tree.root, self.root)[1].problems) or self._engine_problems()

    def read(self, data: bytes, charset: str | None = None) -> XmlReading:
        """`decode` and `validate` in one parse; a wrong root is a problem here, not an error."""
        tree = parse_xml(data, charset)
        wrong_root = self._wrong_root(tree)
        if wrong_root is not None:
            return XmlReading(None, tree.notes, (wrong_root,))
        value, found = walk(tree.root, self.root)
        notes = (*tree.notes, *found.notes)
        if self.schema.validate(tree.root):
            return XmlReading(value, notes, ())
        return XmlReading(value, notes, tuple(found.problems) or self._engine_problems())

    def encode(self, value: Any, style: XmlStyle = _DEFAULT) -> bytes:
        """Write a value along the shape in the given style; see `encode_xml` for what may stand in it.

        Errors: `CodecError` as `encode_xml` and `plan_of`.
        """
        plan = self.plans.get(style)
        if plan is None:
            plan = self.plans[style] = plan_of(self.root, style)
        return encode_xml(value, plan)

    def _wrong_root(self, tree: XmlTree) -> XmlProblem | None:
        if tree.root.tag == self.root.tag:
            return None
        found = etree.QName(tree.root)
        message = f"the root is {tree.root.tag}, expected {self.root.tag}"
        return XmlProblem(line_of(tree.root), f"/{found.localname}", message, "root")

    def _engine_problems(self) -> tuple[XmlProblem, ...]:
        """The engine's own words, for what the walk has no name for (an xsi:type, for instance)."""
        entries: Any = self.schema.error_log  # the stubs do not know that a log is a sequence
        first = islice(entries, MAX_PROBLEMS)
        return tuple(XmlProblem(entry.line, str(entry.path or "/"), entry.message, "schema") for entry in first)
