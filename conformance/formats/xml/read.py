"""One walk over an XML tree along its shape: the value it carries, and each departure by name.

Bytes to an XML tree: bounded, without DTD, entity or network, the encoding decided before the parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, TypeAlias

from lxml import etree

from conformance.formats.errors import BeyondError, CodecError, Note, Position
from conformance.formats.json.pointer import join_pointer
from conformance.formats.text import Text, bom_of, codec_of, decode_text, position_at
from conformance.formats.xml.xsd import XSI, Element, ListOf, Record, Scalar, safe_parser
from conformance.values import value_class

_DECLARATION = re.compile(r"<\?xml\s[^>]*?\?>")
_ENCODING = re.compile(r"""<\?xml\s[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_VERSION = re.compile(r"""<\?xml\s+version\s*=\s*["']([^"'<>]*)["']""")
_PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_PLACE = re.compile(r", line \d+, column \d+$")
MAX_MARKUP = 60_000
"""Tags, comments and instructions of a body: many times what the longest list of results has."""
MAX_ATTRIBUTES = 100
"""Of one element, beside those that declare a namespace."""
MAX_NOTES = 100
"""Of each kind; what is noted so often is no news any more."""
_TAG = re.compile(r"""<[^!?/\s>][^\s>"'/]*+((?:[^<>"']++|"[^"]*+"|'[^']*+')*+)""")
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]++)\s*+=\s*+(?:"[^"]*+"|'[^']*+')""")
_SKIPPED = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)
_NESTING = re.compile(r"""<(/?)[^!?/\s>"'][^\s>"'/]*+(?:[^<>"'/]++|"[^"]*+"|'[^']*+'|/(?!>))*+(/?)>""")
_MAX_DEPTH = 256
_LONGEST = 200
_LOCATION_HINTS = (f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation")
_KINDS = {26: "entity", 81: "encoding", 114: "too-deep"}  # error numbers of libxml2


@value_class(frozen=True, slots=True)
class XmlTree:
    """A parsed document: its root element, location hints removed, and what is to be noted about it."""

    root: etree._Element
    notes: tuple[Note, ...]


def parse_xml(data: bytes, charset: str | None = None) -> XmlTree:
    """Parse one XML document.

    The encoding is that of the byte order mark, else `charset` (the media type's parameter), else the
    declaration's, else UTF-8 (RFC 7303, section 3).
    Errors: `CodecError` of kind "empty", "encoding", "charset", "too-large", "too-deep", "attributes", "doctype"
    (a DOCTYPE anywhere), "entity" (an undefined one) or "syntax"; `BeyondError` for more than MAX_MARKUP tags.
    """
    source, notes = _decode(data, charset)
    text = source.text
    _refuse_excess(source)
    _refuse_doctype(source)
    try:  # the text goes to the parser as UTF-8, whatever its declaration says
        root = etree.fromstring(text.encode(), safe_parser("utf-8"))
    except etree.XMLSyntaxError as error:
        raise _not_well_formed(source, error) from None
    if "schemaLocation" in text or "SchemaLocation" in text:
        notes.extend(_remove_location_hints(root))
    if text.startswith("<?xml"):
        notes.extend(_version_note(text))
    if text.find("<?", 1) > 0:
        notes.extend(_instruction_notes(root))
    return XmlTree(root, tuple(notes))


def _decode(data: bytes, charset: str | None) -> tuple[Text, list[Note]]:
    notes: list[Note] = []
    if not data.strip():
        raise CodecError("the body is empty; an XML document is expected", Position(1, 1, 0), "empty")
    mark = bom_of(data)
    if mark:
        source = decode_text(data)
        notes.append(Note("bom", "", f"the body begins with a {source.encoding} byte order mark"))
        if charset is not None and not _same_family(codec_of(charset), source.encoding):
            text = f"the media type says {charset}, the byte order mark {source.encoding}; the mark is followed"
            notes.append(Note("encoding-mismatch", "", text))
    elif charset is not None:
        source = decode_text(data, charset)
    else:
        # a declaration that can be read as eight-bit text is not UTF-16, whatever it says: refused below
        declared = _declared(data[:256].decode("latin-1"))
        wide = declared is None or codec_of(declared).startswith(("utf-16", "utf-32"))
        source = decode_text(data, None if wide else declared)
    declared = _declared(source.text)
    if declared is not None and not _same_family(codec_of(declared), source.encoding):
        text = f"the declaration says {declared}, but the body is {source.encoding}"
        if charset is None:
            raise CodecError(text + "; make them agree", Position(1, 1, 0), "encoding")
        notes.append(Note("encoding-mismatch", "", text))
    return source, notes


def line_of(node: etree._Element) -> int:
    """The line of an element, from 1; 0 where the parser did not keep it."""
    line = node.sourceline
    return line if isinstance(line, int) else 0


def _declared(text: str) -> str | None:
    match = _ENCODING.match(text)
    if match is None:
        return None
    return match.group(1)


def _same_family(one: str, other: str) -> bool:
    """Whether two codecs are one but for the order of bytes, or one is a part of the other."""
    one, other = (name.removesuffix("-le").removesuffix("-be") for name in (one, other))
    return one == other or {one, other} == {"ascii", "utf-8"}


def _refuse_excess(source: Text) -> None:
    """Before anything is parsed. Elements with so many attributes are in no contract; the count of tags no contract sets."""
    text = source.text
    if text.count("<") > MAX_MARKUP:
        if _nests_too_deep(_SKIPPED.sub("", text)):
            raise CodecError(f"elements nest more than {_MAX_DEPTH} deep", Position(1, 1, 0), "too-deep")
        raise BeyondError(f"the XML holds more than {MAX_MARKUP:,} tags, comments and instructions")
    if text.count("=") <= MAX_ATTRIBUTES:
        return
    total = 0
    for match in _TAG.finditer(_SKIPPED.sub("", text) if "<!" in text or "<?" in text else text):
        names = _ATTRIBUTE.findall(match[1]) if "=" in match[1] else ()
        if len(names) > MAX_ATTRIBUTES and sum(not name.startswith("xmlns") for name in names) > MAX_ATTRIBUTES:
            message = f"an element has more than {MAX_ATTRIBUTES} attributes, and no document names that many"
            raise CodecError(message, Position(1, 1, 0), "attributes")
        total += len(names)
        if total > MAX_MARKUP:
            raise BeyondError(f"the XML holds more than {MAX_MARKUP:,} attributes")


def _nests_too_deep(text: str) -> bool:
    """Whether already the first tags of a text nest deeper than the parser goes."""
    depth = 0
    for match in islice(_NESTING.finditer(text), MAX_MARKUP):
        depth += -1 if match[1] else 0 if match[2] else 1
        if depth > _MAX_DEPTH:
            return True
    return False


def _refuse_doctype(source: Text) -> None:
    match = _PROLOG.match(source.text)
    start = match.end() if match else 0
    if source.text[start : start + 9].upper() == "<!DOCTYPE":
        raise CodecError("a DOCTYPE is refused; send the document without one", position_at(source, start), "doctype")


def _not_well_formed(source: Text, error: etree.XMLSyntaxError) -> CodecError:
    line, column = error.position
    kind = _KINDS.get(getattr(error, "code", 0), "syntax")
    place = source.text.find("<!DOCTYPE")
    if kind == "syntax" and place > 0:  # one at the very beginning was refused before
        return CodecError("a DOCTYPE is refused; send the document without one", position_at(source, place), "doctype")
    if kind == "syntax" and "\0" in source.text:
        kind = "encoding"
    what = _PLACE.sub("", error.msg or "the parser gave no reason").strip()
    return CodecError(f"not well-formed XML: {what}", Position(line, max(column, 1)), kind)


def _remove_location_hints(root: etree._Element) -> list[Note]:
    """Drop the hints, since libxml2 would open the files they name while it validates."""
    notes: list[Note] = []
    for element in root.iter("*"):
        for name in _LOCATION_HINTS:
            value = element.get(name)
            if value is None:
                continue
            del element.attrib[name]
            if len(notes) < MAX_NOTES:
                notes.append(Note("schema-location", "", f"a schema location hint is ignored: {value[:200]!a}"))
    return notes


def _version_note(text: str) -> list[Note]:
    match = _VERSION.match(text)
    if match is None or match.group(1) == "1.0":
        return []
    return [Note("xml-version", "", f"the document declares XML {match.group(1)}")]


def _instruction_notes(root: etree._Element) -> list[Note]:
    around = chain(root.itersiblings(preceding=True), root.iter(), root.itersiblings())
    found = islice((node for node in around if isinstance(node, etree._ProcessingInstruction)), MAX_NOTES)
    names = [str(node.target)[:_LONGEST] for node in found]
    return [Note("processing-instruction", "", f"the document holds the instruction {name}") for name in names]


MAX_PROBLEMS = 100
_LONGEST_MESSAGE = 1000

_NIL = f"{{{XSI}}}nil"
_TYPE = f"{{{XSI}}}type"
_SPACE = " \t\r\n"
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@value_class(frozen=True, slots=True)
class XmlProblem:
    """One departure from the contract's XSD.

    `path` is an XPath of local names. `kind` is "root", "namespace", "order", "duplicate", "missing",
    "unexpected", "nil", "type", "text", "attribute", or "schema" for what only the XSD engine can name.
    """

    line: int
    path: str
    message: str
    kind: str


# parent, local name, index from 1 (0: not shown), token of the JSON Pointer
_Here: TypeAlias = "tuple[_Here, str, int, str | int | None] | None"


@dataclass(slots=True)
class Walk:
    """What one walk has gathered; at most MAX_PROBLEMS problems are kept."""

    problems: list[XmlProblem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def report(self, kind: str, node: etree._Element, here: _Here, message: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            path, pointer = _paths(here)
            message = message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}…"
            self.problems.append(XmlProblem(line_of(node), path, message, kind))
            self.notes.append(Note(kind, pointer, message))

    def note(self, kind: str, here: _Here, text: str) -> None:
        if len(self.notes) < MAX_NOTES:
            self.notes.append(Note(kind, _paths(here)[1], text))


def walk(root: etree._Element, element: Element) -> tuple[Any, Walk]:
    """The value of a document whose root has the right name, with all problems and notes."""
    result = Walk()
    return _read(root, element, (None, element.name, 0, None), result), result


def _paths(here: _Here) -> tuple[str, str]:
    steps: list[str] = []
    tokens: list[str | int] = []
    while here is not None:
        here, name, index, token = here
        steps.append(f"{name}[{index}]" if index else name)
        if token is not None:
            tokens.append(token)
    return "/" + "/".join(reversed(steps)), join_pointer(reversed(tokens))


def _read(node: etree._Element, element: Element, here: _Here, result: Walk) -> Any:
    if node.attrib and _is_nil(node, element, here, result):
        if node.text or any(isinstance(child.tag, str) or child.tail for child in node):
            result.report("nil", node, here, f"{element.name} is nil but has content")
        return None
    content = element.content
    if isinstance(content, Scalar):
        return _scalar(node, element.name, content, here, result)
    if isinstance(content, ListOf):
        return _items(node, content, here, result)
    return _members(node, content, here, result)


def _is_nil(node: etree._Element, element: Element, here: _Here, result: Walk) -> bool:
    nil = False
    for name, text in node.items():
        value = str(text)
        if name == _NIL:
            nil = _BOOLEANS.get(value.strip(_SPACE), not node.text and len(node) == 0)
            if not element.nillable:
                result.report("nil", node, here, f"{element.name} may not carry xsi:nil")
            elif value.strip(_SPACE) not in _BOOLEANS:
                result.report("nil", node, here, f"xsi:nil is {value!a}, not true, false, 1 or 0")
        elif name == _TYPE:
            result.note("xsi-type", here, f"{element.name} carries xsi:type {value[:_LONGEST]!a}")
        else:
            result.report("attribute", node, here, f"{element.name} has no attribute {name!s}")
    return nil


def _scalar(node: etree._Element, name: str, scalar: Scalar, here: _Here, result: Walk) -> Any:
    text = node.text or ""
    for child in node:  # comments cut the text into pieces
        if isinstance(child.tag, str):
            found = etree.QName(child).localname
            result.report("unexpected", child, here, f"{name} holds text, but the element {found} is in it")
        text += child.tail or ""
    try:
        return scalar.read(text)
    except ValueError as error:
        result.report("type", node, here, f"{name}: {error}")
        return text


def _no_text(node: etree._Element, text: str | None, here: _Here, result: Walk) -> None:
    if text and text.strip(_SPACE):
        result.report("text", node, here, f"text {text.strip(_SPACE)[:60]!a} stands between elements")


def _items(node: etree._Element, content: ListOf, here: _Here, result: Walk) -> list[Any]:
    items: list[Any] = []
    item = content.item
    tag = item.tag
    _no_text(node, node.text, here, result)
    for child in node:
        if child.tag == tag:
            items.append(_read(child, item, (here, item.name, len(items) + 1, len(items)), result))
        elif isinstance(child.tag, str):
            _stranger(child, (item,), here, result)
        _no_text(child, child.tail, here, result)
    if len(items) < content.minimum:
        result.report("missing", node, here, f"{len(items)} {item.name} given, at least {content.minimum} expected")
    if content.maximum is not None and len(items) > content.maximum:
        result.report("unexpected", node, here, f"{len(items)} {item.name} given, at most {content.maximum} allowed")
    return items


def _members(node: etree._Element, record: Record, here: _Here, result: Walk) -> dict[str, Any]:
    members: dict[str, Any] = {}
    furthest = -1
    _no_text(node, node.text, here, result)
    for child in node:
        tag = child.tag
        if isinstance(tag, str):
            place = record.index.get(tag)
            if place is None:
                _stranger(child, record.members, here, result)
            else:
                member = record.members[place]
                _check_place(child, record, place, furthest, members, here, result)
                furthest = max(place, furthest)
                if member.name not in members:
                    members[member.name] = _read(child, member, (here, member.name, 0, member.name), result)
        _no_text(child, child.tail, here, result)
    for member in record.members:
        if member.required and member.name not in members:
            result.report("missing", node, here, f"the required element {member.name} is missing")
    return members


def _check_place(
    node: etree._Element,
    record: Record,
    place: int,
    furthest: int,
    seen: dict[str, Any],
    here: _Here,
    result: Walk,
) -> None:
    name = record.members[place].name
    if place > furthest:
        return
    if name in seen:
        result.report("duplicate", node, (here, name, 2, name), f"{name} is given more than once; the first is kept")
    else:
        after = record.members[furthest].name
        message = f"{name} stands after {after}; the schema's order is {', '.join(m.name for m in record.members)}"
        result.report("order", node, (here, name, 0, name), message)


def _stranger(node: etree._Element, expected: tuple[Element, ...], here: _Here, result: Walk) -> None:
    """Report an element that the content does not have, by what is nearest to it."""
    name = etree.QName(node)
    step: _Here = (here, name.localname, 0, None)
    for element in expected:
        if element.name == name.localname:
            message = f"{element.name} is in namespace {name.namespace or ''!a}, expected {element.namespace!a}"
            result.report("namespace", node, step, message)
            return
    near = [element.name for element in expected if element.name.lower() == name.localname.lower()]
    allowed = ", ".join(element.name for element in expected)
    hint = f"; names are case-sensitive, expected {near[0]}" if near else f"; expected {allowed or 'nothing'}"
    result.report("unexpected", node, step, f"element {name.localname} is not known here{hint}")
