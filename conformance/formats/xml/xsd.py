"""XSD files to shapes: the DataContract subset, read from one folder and never from a network.

The shape that an XSD gives a document, and the lexical rules of its simple types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, cast
from urllib.parse import urlsplit

from lxml import etree

from conformance.formats.errors import XsdError

XSI = "http://www.w3.org/2001/XMLSchema-instance"

_XML_SPACE = " \t\r\n"
_INTEGER = re.compile(r"[+-]?[0-9]+")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
INTEGER_BITS: Mapping[str, int] = {"byte": 8, "short": 16, "int": 32, "long": 64}
NUMBERS: Mapping[str, re.Pattern[str]] = {
    "decimal": re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})"),
    "double": re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,3})?"),
}
"""The built-in types whose values are JSON numbers; the infinities and NaN of xs:double are none."""
_DATE_TIME = re.compile(
    r"-?[0-9]{4,9}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}|24:00:00)"
    r"(?:\.[0-9]{1,20})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
)
_ENUMERATION_VALUE = "{http://schemas.microsoft.com/2003/10/Serialization/}EnumerationValue"


Base: TypeAlias = Literal["string", "boolean", "byte", "short", "int", "long", "decimal", "double", "dateTime"]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A simple type: its built-in base, and the facets that a restriction adds (all must hold)."""

    base: Base
    patterns: tuple[re.Pattern[str], ...] = ()
    enumeration: frozenset[str] | None = None
    min_length: int = 0
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    name: str = ""
    numbers: Mapping[str, int] = field(default_factory=dict)
    """Of an enumeration whose names stand for numbers, which JSON has: each name's, as its EnumerationValue says."""

    def read(self, text: str) -> str | float | bool:
        """The value of this text; `ValueError` with a reason if the text is not of the type."""
        if self.base == "string":
            found = self._read_string(text)
            return self.numbers.get(found, found)
        word = text.strip(_XML_SPACE)
        if self.base == "dateTime":
            if _DATE_TIME.fullmatch(word) is None:
                raise ValueError(f"{text[:60]!a} is not an xs:dateTime")
            return word
        if self.base in NUMBERS:
            return self._read_number(word)
        if self.base == "boolean":
            if word not in _BOOLEANS:
                raise ValueError(f"{text!a} is not an xs:boolean (true, false, 1 or 0)")
            return _BOOLEANS[word]
        return self._read_integer(word)

    def _read_string(self, text: str) -> str:
        if any(pattern.fullmatch(text) is None for pattern in self.patterns):
            raise ValueError(f"{text!a} does not have the form of {self.name or 'the type'}")
        if self.enumeration is not None and text not in self.enumeration:
            raise ValueError(f"{text!a} is none of the allowed values {sorted(self.enumeration)}")
        if len(text) < self.min_length or (self.max_length is not None and len(text) > self.max_length):
            raise ValueError(f"{text!a} has {len(text)} characters, which {self.name or 'the type'} does not allow")
        return text

    def _read_number(self, word: str) -> float:
        if NUMBERS[self.base].fullmatch(word) is None:
            raise ValueError(f"{word[:60]!a} is not an xs:{self.base} that JSON has as well")
        number = int(word) if _INTEGER.fullmatch(word) else float(word)
        if number in (float("inf"), float("-inf")):
            raise ValueError(f"{word[:60]!a} is beyond an xs:{self.base}")
        return number

    def _read_integer(self, word: str) -> int:
        if _INTEGER.fullmatch(word) is None:
            raise ValueError(f"{word!a} is not an xs:{self.base}")
        limit = 1 << (INTEGER_BITS[self.base] - 1)
        number = int(word.lstrip("+-0")[:20] or "0")  # twenty digits are beyond every type
        if word.startswith("-"):
            number = -number
        low = -limit if self.minimum is None else max(-limit, self.minimum)
        high = limit - 1 if self.maximum is None else min(limit - 1, self.maximum)
        if not low <= number <= high:
            raise ValueError(f"{word[:40]} is outside xs:{self.base} ({low} to {high})")
        return number


@dataclass(frozen=True, slots=True)
class Element:
    """An element declaration: its expanded name, its content and whether it may be nil or left out."""

    namespace: str
    name: str
    content: Content
    nillable: bool
    required: bool

    @property
    def tag(self) -> str:
        """The name as lxml writes it: `{namespace}name`."""
        return f"{{{self.namespace}}}{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Record:
    """An `xs:sequence` of elements that occur at most once: a dict in Python."""

    members: tuple[Element, ...]
    index: Mapping[str, int] = field(compare=False, repr=False, default_factory=dict)
    by_name: Mapping[str, Element] = field(compare=False, repr=False, default_factory=dict)

    @staticmethod
    def of(members: tuple[Element, ...]) -> Record:
        """The record of these members, indexed by tag and by local name."""
        places = {member.tag: place for place, member in enumerate(members)}
        return Record(members, places, {member.name: member for member in members})


@dataclass(frozen=True, slots=True)
class ListOf:
    """An `xs:sequence` of one repeated element: a list in Python. `maximum` is None for unbounded."""

    item: Element
    minimum: int
    maximum: int | None


Content: TypeAlias = Scalar | Record | ListOf


XS = "{http://www.w3.org/2001/XMLSchema}"
_MAX_XSD_BYTES = 4 * 1024 * 1024
_MAX_NESTING = 32
_REFUSED_ATTRIBUTES = ("default", "fixed", "abstract", "substitutionGroup", "block", "final")
_PATTERN_SUBSET = re.compile(
    r"(?:[A-Za-z0-9 _:,@/{}()|?*+-]|\\[d.\\(){}\[\]|?*+-]"
    r"|\[\^?(?:[^\[\]\\&^-]|\\[d\\.-]|(?<=[A-Za-z0-9])-)+\])*"
)


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schema documents that hang together, and their global components by kind and expanded name."""

    main: etree._Element
    documents: Mapping[Path, etree._Element]
    globals: Mapping[tuple[str, str], etree._Element]


def safe_parser(encoding: str | None = None) -> etree.XMLParser:
    """A parser that resolves no entity, loads no DTD, asks no network and keeps libxml2's size limits.

    `encoding` is that of the bytes, whatever a declaration in them says.
    """
    return etree.XMLParser(encoding=encoding, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def load_schemas(path: Path) -> Schemas:
    """Parse the XSD at `path` and all that it imports or includes from its own folder downwards.

    Errors: `XsdError` for a file that is missing, not well-formed or has a DOCTYPE, and for a schemaLocation
    that is remote, absolute or outside the folder.
    """
    start = path.resolve()
    folder = start.parent
    documents: dict[Path, etree._Element] = {}
    waiting = [start]
    while waiting:
        file = waiting.pop()
        if file in documents:
            continue
        documents[file] = schema = _parse(file)
        waiting.extend(_locations(schema, file, folder))
    components: dict[tuple[str, str], etree._Element] = {}
    for schema in documents.values():
        namespace = schema.get("targetNamespace", "")
        for node in _nodes(schema):
            name = node.get("name")
            if name is not None:
                components[(str(node.tag), expanded(namespace, name))] = node
    return Schemas(documents[start], documents, components)


def expanded(namespace: str, name: str) -> str:
    """`{namespace}name`, or the bare name without a namespace."""
    return f"{{{namespace}}}{name}" if namespace else name


def _parse(file: Path) -> etree._Element:
    try:
        size = file.stat().st_size
        if size > _MAX_XSD_BYTES:
            raise XsdError(f"{file.name} has {size} bytes; at most {_MAX_XSD_BYTES} are read as a schema")
        tree = etree.parse(str(file), safe_parser())
    except OSError as error:
        raise XsdError(f"schema {file} cannot be read: {error.strerror or error}") from None
    except etree.XMLSyntaxError as error:
        raise XsdError(f"schema {file.name} is not well-formed XML: {error.msg}") from None
    if tree.docinfo.internalDTD is not None:
        raise XsdError(f"schema {file.name} has a DOCTYPE; remove it")
    root = tree.getroot()
    if root.tag != XS + "schema":
        raise XsdError(f"{file.name} is not a schema: its root is {root.tag}, not xs:schema")
    return root


def _locations(schema: etree._Element, file: Path, folder: Path) -> Iterator[Path]:
    for node in _nodes(schema):
        kind = str(node.tag).removeprefix(XS)
        if kind in ("redefine", "override"):
            raise _unsupported(node, f"xs:{kind}")
        if kind not in ("import", "include"):
            continue
        location = node.get("schemaLocation")
        if location is None:
            raise XsdError(
                f"{file.name}, line {node.sourceline}: xs:{kind} without a schemaLocation; name a local file"
            )
        parts = urlsplit(location)
        place = f"{file.name}, line {node.sourceline}"
        outside = f"{place}: schemaLocation {location!r} must be a file in the same folder"
        if parts.scheme or parts.netloc or "\\" in location or "%" in location or Path(location).is_absolute():
            raise XsdError(outside)
        target = (file.parent / location).resolve()
        if not target.is_relative_to(folder):
            raise XsdError(outside)
        yield target


def _nodes(parent: etree._Element) -> Iterator[etree._Element]:
    """The child elements, without annotations and comments."""
    for node in parent:
        if isinstance(node.tag, str) and node.tag != XS + "annotation":
            yield node


def _unsupported(node: etree._Element, what: str) -> XsdError:
    file = Path(str(node.getroottree().docinfo.URL)).name
    return XsdError(f"{file}, line {node.sourceline}: {what} is outside the DataContract subset this codec reads")


def root_element(schemas: Schemas, root: str | None) -> Element:
    """The shape of a global element of the main schema; `root` may be left out when there is only one."""
    namespace = schemas.main.get("targetNamespace", "")
    names = [node.get("name", "") for node in _nodes(schemas.main) if node.tag == XS + "element"]
    if not names:
        raise XsdError("the schema has no global element, so no document can be of it; give the one that imports it")
    if root is None:
        if len(names) != 1:
            raise XsdError(f"the schema has {len(names)} global elements; name the root, one of {sorted(names)}")
        root = names[0]
    if root not in names:
        raise XsdError(f"the schema has no global element {root!r}, only {sorted(names)}")
    return _element(schemas, schemas.globals[(XS + "element", expanded(namespace, root))], 0)


def _element(schemas: Schemas, node: etree._Element, depth: int) -> Element:
    if depth > _MAX_NESTING:
        raise _unsupported(node, "a type that contains itself")
    required = node.get("minOccurs") != "0"
    reference = node.get("ref")
    declared = node if reference is None else _global(schemas, node, "element", reference)
    for attribute in _REFUSED_ATTRIBUTES:
        if declared.get(attribute) is not None:
            raise _unsupported(declared, f"the attribute {attribute}")
    schema = declared.getroottree().getroot()
    is_global = declared.getparent() is schema
    form = "qualified" if is_global else declared.get("form", schema.get("elementFormDefault"))
    namespace = schema.get("targetNamespace", "") if form == "qualified" else ""
    nillable = declared.get("nillable", "").strip() in ("true", "1")
    return Element(namespace, declared.get("name", ""), _content(schemas, declared, depth), nillable, required)


def _global(schemas: Schemas, node: etree._Element, kind: str, qname: str) -> etree._Element:
    tag = _expand_qname(node, qname)
    found = schemas.globals.get((XS + kind, tag))
    if found is None:
        raise _unsupported(node, f"the unknown {kind} {qname}")
    return found


def _expand_qname(node: etree._Element, qname: str) -> str:
    prefix, _, name = qname.strip().rpartition(":")
    return expanded(node.nsmap.get(prefix or None) or "", name)


def _content(schemas: Schemas, node: etree._Element, depth: int) -> Content:
    reference = node.get("type")
    if reference is None:
        inner = [child for child in _nodes(node) if child.tag in (XS + "simpleType", XS + "complexType")]
        if len(inner) != 1:
            raise _unsupported(node, "an element without a type")
        return _type(schemas, inner[0], depth)
    tag = _expand_qname(node, reference)
    if tag.startswith(XS):
        return _builtin(node, tag.removeprefix(XS))
    for kind in ("simpleType", "complexType"):
        if (XS + kind, tag) in schemas.globals:
            return _type(schemas, schemas.globals[(XS + kind, tag)], depth)
    raise _unsupported(node, f"the unknown type {reference}")


def _builtin(node: etree._Element, name: str) -> Scalar:
    name = "double" if name == "float" else name
    if name not in ("string", "boolean", "dateTime", *INTEGER_BITS, *NUMBERS):
        raise _unsupported(node, f"the built-in type xs:{name}")
    return Scalar(cast(Base, name))


def _type(schemas: Schemas, node: etree._Element, depth: int) -> Content:
    if node.tag == XS + "simpleType":
        return _simple(schemas, node, depth)
    if node.get("mixed", "").strip() in ("true", "1") or node.get("abstract") is not None:
        raise _unsupported(node, "mixed or abstract content")
    parts = list(_nodes(node))
    if not parts:
        return Record.of(())
    if len(parts) != 1 or parts[0].tag != XS + "sequence":
        raise _unsupported(parts[-1], f"xs:{str(parts[-1].tag).removeprefix(XS)} in a complex type")
    sequence = parts[0]
    if sequence.get("minOccurs", "1") != "1" or sequence.get("maxOccurs", "1") != "1":
        raise _unsupported(sequence, "a repeated or optional xs:sequence")
    return _sequence(schemas, sequence, depth)


def _sequence(schemas: Schemas, sequence: etree._Element, depth: int) -> Content:
    nodes = list(_nodes(sequence))
    for node in nodes:
        if node.tag != XS + "element":
            raise _unsupported(node, f"xs:{str(node.tag).removeprefix(XS)} in a sequence")
    elements = tuple(_element(schemas, node, depth + 1) for node in nodes)
    repeated = [node for node in nodes if node.get("maxOccurs", "1") != "1"]
    if not repeated:
        if len({element.name for element in elements}) != len(elements):
            raise _unsupported(sequence, "a sequence that names an element twice")
        return Record.of(elements)
    if len(nodes) != 1 or repeated[0].get("maxOccurs") == "0":
        raise _unsupported(repeated[0], "a repeated element beside others, or one that may not occur,")
    upper = repeated[0].get("maxOccurs", "")
    lower = int(repeated[0].get("minOccurs", "1"))
    return ListOf(elements[0], lower, None if upper == "unbounded" else int(upper))


def _simple(schemas: Schemas, node: etree._Element, depth: int) -> Scalar:
    parts = list(_nodes(node))
    base_name = parts[0].get("base") if parts else None
    if depth > _MAX_NESTING or len(parts) != 1 or parts[0].tag != XS + "restriction" or base_name is None:
        raise _unsupported(node, "a simple type other than a restriction of a named base")
    tag = _expand_qname(parts[0], base_name)
    base = (
        _builtin(parts[0], tag.removeprefix(XS))
        if tag.startswith(XS)
        else _simple(schemas, _global(schemas, parts[0], "simpleType", base_name), depth + 1)
    )
    return _restrict(base, parts[0], node.get("name") or base.name)


def _restrict(base: Scalar, restriction: etree._Element, name: str) -> Scalar:
    patterns: list[str] = []
    values: list[str] = []
    numbers: dict[str, int] = {}
    limits: dict[str, int | None] = {
        "min_length": base.min_length, "max_length": base.max_length,
        "minimum": base.minimum, "maximum": base.maximum,
    }  # fmt: skip
    for facet in _nodes(restriction):
        kind, value = str(facet.tag).removeprefix(XS), facet.get("value", "")
        if kind == "pattern" and base.base == "string":
            patterns.append(_pattern(facet, value))
        elif kind == "enumeration" and base.base == "string":
            values.append(value)
            numbers |= _number_of(facet, value)
        elif kind in ("length", "minLength", "maxLength") and base.base == "string":
            for limit in ("min_length", "max_length") if kind == "length" else (kind.replace("L", "_l"),):
                limits[limit] = int(value)
        elif kind in ("minInclusive", "maxInclusive") and base.base in INTEGER_BITS:
            limits[kind.removesuffix("Inclusive") + "imum"] = int(value)
        else:
            raise _unsupported(facet, f"the facet xs:{kind} on xs:{base.base}")
    if numbers and len(numbers) != len(values):
        raise _unsupported(restriction, "an enumeration in which one name has an EnumerationValue and another none")
    return Scalar(
        base.base,
        # patterns of one restriction are alternatives, those of its base hold as well
        (*base.patterns, re.compile("|".join(f"(?:{one})" for one in patterns))) if patterns else base.patterns,
        frozenset(values) if values else base.enumeration,
        limits["min_length"] or 0,
        limits["max_length"],
        limits["minimum"],
        limits["maximum"],
        name,
        numbers or base.numbers,
    )


def _number_of(facet: etree._Element, name: str) -> Mapping[str, int]:
    """The number for which a name of an enumeration stands, if its annotation gives one as DataContract exports do."""
    for told in facet.iter(_ENUMERATION_VALUE):
        text = (told.text or "").strip()
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise _unsupported(facet, f"the EnumerationValue {text!r}")
        return {name: int(text)}
    return {}


def _pattern(facet: etree._Element, text: str) -> str:
    if _PATTERN_SUBSET.fullmatch(text) is None:
        raise _unsupported(facet, f"the pattern {text!r}")
    try:
        re.compile(text)
    except re.error:
        raise _unsupported(facet, f"the pattern {text!r}") from None
    return text
