"""Bytes to an XML tree: bounded, without DTD, entity or network, the encoding decided before the parser."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from conformance.codec.errors import CodecError, Position
from conformance.codec.text import Text, bom_of, codec_of, decode_text, position_at
from conformance.codec.values import Note
from conformance.codec.xsd_shape import XSI

_DECLARATION = re.compile(r"<\?xml\s[^>]*?\?>")
_ENCODING = re.compile(r"""<\?xml\s[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_VERSION = re.compile(r"""<\?xml\s+version\s*=\s*["']([^"'<>]*)["']""")
_PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_PLACE = re.compile(r", line \d+, column \d+$")
_LOCATION_HINTS = (f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation")
_KINDS = {26: "entity", 81: "encoding", 114: "too-deep"}  # error numbers of libxml2


@dataclass(frozen=True, slots=True)
class XmlTree:
    """A parsed document: its root element, location hints removed, and what is to be noted about it."""

    root: etree._Element
    notes: tuple[Note, ...]


def parse_xml(data: bytes, charset: str | None = None) -> XmlTree:
    """Parse one XML document.

    The encoding is that of the byte order mark, else `charset` (the media type's parameter), else the
    declaration's, else UTF-8 (RFC 7303, section 3).
    Errors: `CodecError` of kind "empty", "encoding", "charset", "too-large", "too-deep", "doctype"
    (a DOCTYPE anywhere), "entity" (an undefined one) or "syntax".
    """
    source, notes = _decode(data, charset)
    text = source.text
    _refuse_doctype(source)
    # text decoded by us goes to the parser as UTF-8, whatever its declaration says
    body = data if source.encoding == "utf-8" and not source.bom_length else text.encode("utf-8")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(body, parser)
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
        source = decode_text(data, None)
        notes.append(Note("bom", "", f"the body begins with a {source.encoding} byte order mark"))
        if charset is not None and not _same_family(codec_of(charset), source.encoding):
            text = (
                f"the media type says {charset}, the byte order mark {source.encoding}; the mark is followed"
            )
            notes.append(Note("encoding-mismatch", "", text))
    elif charset is not None:
        source = decode_text(data, charset)
    else:
        # a declaration that can be read as eight-bit text is not UTF-16, whatever it says: refused below
        declared = _declared(data[:256].decode("latin-1"))
        wide = declared is None or codec_of(declared).startswith(("utf-16", "utf-32"))
        source = decode_text(data, None if wide else declared)
    declared = _declared(source.text) if source.text.startswith("<?xml") else None
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
    return one[:6] == other[:6] or {one, other} == {"ascii", "utf-8"}


def _refuse_doctype(source: Text) -> None:
    match = _PROLOG.match(source.text)
    start = match.end() if match else 0
    if source.text[start : start + 9].upper() == "<!DOCTYPE":
        raise CodecError(
            "a DOCTYPE is refused; send the document without one", position_at(source, start), "doctype"
        )


def _not_well_formed(source: Text, error: etree.XMLSyntaxError) -> CodecError:
    line, column = error.position
    kind = _KINDS.get(getattr(error, "code", 0), "syntax")
    place = source.text.find("<!DOCTYPE")
    if kind == "syntax" and place >= 0:
        return CodecError(
            "a DOCTYPE is refused; send the document without one", position_at(source, place), "doctype"
        )
    if kind == "syntax" and "\0" in source.text:
        kind = "encoding"
    what = _PLACE.sub("", error.msg or "the parser gave no reason").strip()
    return CodecError(f"not well-formed XML: {what}", Position(line, max(column, 1)), kind)


def _remove_location_hints(root: etree._Element) -> list[Note]:
    """Drop the hints, since libxml2 would open the files they name while it validates."""
    notes = []
    for element in root.iter(etree.Element):
        for name in _LOCATION_HINTS:
            value = element.get(name)
            if value is not None:
                del element.attrib[name]
                notes.append(
                    Note("schema-location", "", f"a schema location hint is ignored: {value[:200]!a}")
                )
    return notes


def _version_note(text: str) -> list[Note]:
    match = _VERSION.match(text)
    version = match.group(1) if match else "1.0"
    return [] if version == "1.0" else [Note("xml-version", "", f"the document declares XML {version}")]


def _instruction_notes(root: etree._Element) -> list[Note]:
    around = (*root.itersiblings(preceding=True), *root.iter(), *root.itersiblings())
    names = [node.target for node in around if isinstance(node, etree._ProcessingInstruction)]
    return [
        Note("processing-instruction", "", f"the document holds the instruction {name!s}") for name in names
    ]
