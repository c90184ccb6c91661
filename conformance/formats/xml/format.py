"""DataContract XML as a wire format: written and read along the XSD of the operation's document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

from conformance.errors import SpecError
from conformance.formats.base import Codec, Decoded, Format, WireForm, Writing, as_written, change_of, changed
from conformance.formats.errors import CodecError, XsdError
from conformance.formats.members import xml_content
from conformance.formats.xml.contract import XmlContract, XmlStyle
from conformance.formats.xml.spell import SPELLINGS, TEMPLATE_SPELLINGS
from conformance.formats.xml.write import LexicalStyle, RawXml
from conformance.model.case import Body, Repeat
from conformance.model.spec import Document, Operation


@dataclass(frozen=True, slots=True)
class XmlCodec:
    """One document of an operation, by its XSD."""

    contract: XmlContract

    def encode(self, value: Any) -> str:
        """As the XSD orders it, without declaration, on one line."""
        return self.contract.encode(value).decode()

    plain = encode

    def decode(self, data: bytes, charset: str | None = None) -> Decoded:
        """As `XmlContract.read`."""
        reading = self.contract.read(data, charset)
        return Decoded(reading.value, reading.notes, reading.problems)


def xml_codec(operation: Operation, document: Document = "request") -> XmlCodec:
    """The codec of one of the operation's documents, compiled anew: it is not to be shared between threads."""
    path = operation.folder / operation.xsd[document]
    try:
        return XmlCodec(XmlContract.load(path))
    except XsdError as error:
        raise SpecError(
            str(error), where=str(path), hint="`conformance specs check` shows what else is wrong."
        ) from error


def _contract(writing: Writing) -> XmlContract:
    assert isinstance(writing.codec, XmlCodec)
    return writing.codec.contract


def _styled(writing: Writing, style: XmlStyle) -> Body | None:
    try:
        return Body(_contract(writing).encode(writing.value, style).decode())
    except CodecError:
        return None


def _elsewhere(writing: Writing) -> Body | None:
    """The namespace of the root on another host, or another one altogether."""
    namespace = _contract(writing).root.namespace
    other = re.sub("//[^/]+", "//example.org", namespace, count=1) if "//" in namespace else "urn:other"
    return change_of(writing, lambda plain: plain.replace(f'"{namespace}"', f'"{other}"', 1))


def _twice(item: Mapping[str, Any], member: str, first: Any, last: Any) -> Any:
    return {**item, member: RawXml(f"{first}</{member}><{member}>{last}")}


def _beside(item: Mapping[str, Any], member: str, spare: str) -> Any:
    """Between two of a documented one, so that it stands inside the sequence."""
    here = item[member]
    return {**item, member: RawXml(f"{here}</{member}><{spare}>test</{spare}><{member}>{here}")}


def _repeated(codec: Codec, item: Mapping[str, Any], count: int) -> Body:
    """One item's text, and the text around the list: found by writing a list of one and of none."""
    one, none = codec.encode([item]), codec.encode([])
    assert isinstance(one, str)
    assert isinstance(none, str)
    root = none.removesuffix("/>")
    tail = f"</{root[1:].split()[0]}>"
    return Body(one[one.index(">") + 1 : -len(tail)], repeat=Repeat(f"{root.rstrip()}>", "", tail, count))


FORMS: tuple[WireForm, ...] = (
    WireForm("plain", "legal", as_written),
    WireForm("prefix", "legal", partial(_styled, style=XmlStyle(prefix="q"))),
    WireForm("nil-prefix", "legal", partial(_styled, style=XmlStyle(nil_prefix="xsi"))),
    WireForm("declaration", "legal", partial(_styled, style=XmlStyle(declaration=True))),
    WireForm("indented", "legal", partial(_styled, style=XmlStyle(indent="  "))),
    WireForm("comments", "legal", partial(_styled, style=XmlStyle(comment=" x "))),
    WireForm("cdata", "legal", partial(_styled, style=XmlStyle(lexical=LexicalStyle(text="cdata")))),
    WireForm("nil-one", "legal", partial(_styled, style=XmlStyle(nil="1"))),
    WireForm("tag-pairs", "legal", partial(_styled, style=XmlStyle(empty="pair"))),
    WireForm("nulls-left-out", "legal", partial(_styled, style=XmlStyle(nulls="absent"))),
    WireForm(
        "spaced-values",
        "legal",
        partial(_styled, style=XmlStyle(lexical=LexicalStyle(integer="spaces", boolean="spaces"))),
    ),
    WireForm("digit-booleans", "legal", partial(_styled, style=XmlStyle(lexical=LexicalStyle(boolean="digit")))),
    WireForm("upper-case-ids", "legal", partial(_styled, style=XmlStyle(lexical=LexicalStyle(guid="upper")))),
    WireForm("charset-named", "legal", as_written, "; charset=utf-8"),
    WireForm("order-reversed", "lenient", partial(_styled, style=XmlStyle(order="reversed"))),
    WireForm("utf-16", "lenient", changed(lambda text: text, "utf-16"), "; charset=utf-16"),
    WireForm("doctype", "lenient", changed(lambda text: "<!DOCTYPE x>" + text)),
    WireForm("processing-instruction", "lenient", changed(lambda text: "<?x y?>" + text)),
    WireForm("wrong-namespace", "broken", _elsewhere, sure=False),
    WireForm("cut-off", "broken", changed(lambda text: text[:-2])),
    WireForm("two-roots", "broken", changed(lambda text: text + text)),
    WireForm("bare-ampersand", "broken", changed(lambda text: text.replace(">", ">&", 1))),
)

XML = Format(
    name="xml",
    label="XML",
    media_types=("application/xml", "text/xml"),
    codec=xml_codec,
    escape=escape,
    members=xml_content,
    forms=FORMS,
    suffix="+xml",
    evident=True,
    only_named=True,
    documents="xsd",
    attributions=("xml-root", "xml-namespace", "xml-item", "xml-order", "xml-nil", "xml-arrays"),
    raw=RawXml,
    twice=_twice,
    beside=_beside,
    repeated=_repeated,
    spellings=SPELLINGS,
    template_spellings=TEMPLATE_SPELLINGS,
)
