"""Wire forms: the ways a value is written and wrapped, and whether every reader must take them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from conformance.cases import render
from conformance.codec.errors import CodecError
from conformance.codec.xml_codec import XmlContract, XmlStyle
from conformance.codec.xml_lexical import LexicalStyle
from conformance.model.case import Body

Standing = Literal["legal", "lenient", "broken"]
"""legal: every reader must take it; lenient: real stacks differ; broken: nobody can read a request in it."""


@dataclass(frozen=True, slots=True)
class WireForm:
    """One way to write a body. `write` gets the value; for XML also the contract. None where it has no such form."""

    name: str
    standing: Standing
    write: Callable[[Any, XmlContract | None], Body | None]
    charset: str = ""
    """What is put behind the content type."""
    sure: bool = True
    """Whether a broken form breaks any text, whatever stands in it."""


def _plain(**style: Any) -> Callable[[Any, XmlContract | None], Body | None]:
    """One of the styles that the standard library writes."""
    return lambda value, _contract: Body(render.corpus_text(value, **style))


def _json_text(change: Callable[[str], str], encoding: str = "utf-8") -> Callable[[Any, XmlContract | None], Body | None]:
    return lambda value, _contract: Body(change(render.corpus_text(value)), encoding)


def _tabs_and_crlf(value: Any, _contract: XmlContract | None) -> Body:
    """Line breaks inside strings are escapes, so the ones in the text are all white space."""
    return Body(render.corpus_text(value, indent="\t", separators=(",", " : ")).replace("\n", "\r\n"))


def _reversed(value: Any, _contract: XmlContract | None) -> Body:
    return Body(render.corpus_text(_backwards(value)))


def _backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _backwards(content) for key, content in reversed(value.items())}
    return [_backwards(item) for item in value] if isinstance(value, list) else value


JSON_FORMS: tuple[WireForm, ...] = (
    WireForm("compact", "legal", _plain()),
    WireForm("spaced", "legal", _plain(separators=(" , ", " : "))),
    WireForm("indented", "legal", _plain(indent="  ")),
    WireForm("tabs-and-crlf", "legal", _tabs_and_crlf),
    WireForm("keys-sorted", "legal", _plain(sort_keys=True)),
    WireForm("keys-reversed", "legal", _reversed),
    WireForm("ascii", "legal", _plain(ascii_only=True)),
    WireForm("surrounded", "legal", _json_text(lambda text: f"\n\t {text} \r\n")),
    WireForm("charset-named", "legal", _plain(), "; charset=utf-8"),
    WireForm("charset-quoted", "legal", _plain(), '; charset="UTF-8"'),
    WireForm("bom", "lenient", _json_text(lambda text: "\ufeff" + text)),
    WireForm("utf-16", "lenient", _json_text(lambda text: text, "utf-16"), "; charset=utf-16"),
    WireForm("comment", "lenient", _json_text(lambda text: "/*x*/" + text)),
    WireForm("trailing-junk", "lenient", _json_text(lambda text: text + " x")),
    WireForm("cut-off", "broken", _json_text(lambda text: text[:-1] or "[")),
    WireForm("doubled-bracket", "broken", _json_text(lambda text: text[0] + text)),
    WireForm("without-colons", "broken", _json_text(lambda text: text.replace(":", " ")), sure=False),
    WireForm("bad-utf8", "broken", _json_text(lambda text: text[:1] + "\xff" + text[1:].encode("ascii", "replace").decode(), "latin-1")),
)  # fmt: skip


def _xml(style: XmlStyle) -> Callable[[Any, XmlContract | None], Body | None]:
    return lambda value, contract: _xml_body(value, contract, style, lambda text: text, "utf-8")


def _xml_text(change: Callable[[str], str], encoding: str = "utf-8") -> Callable[[Any, XmlContract | None], Body | None]:
    return lambda value, contract: _xml_body(value, contract, XmlStyle(), change, encoding)


def _xml_body(
    value: Any, contract: XmlContract | None, style: XmlStyle, change: Callable[[str], str], encoding: str
) -> Body | None:
    assert contract is not None
    try:
        return Body(change(contract.encode(value, style).decode("utf-8")), encoding)
    except CodecError:
        return None  # a character that XML cannot carry, or a value without an XML form


def _elsewhere(value: Any, contract: XmlContract | None) -> Body | None:
    """The namespace of the root on another host, or another one altogether."""
    assert contract is not None
    namespace = contract.root.namespace
    other = re.sub("//[^/]+", "//example.org", namespace, count=1) if "//" in namespace else "urn:other"
    return _xml_body(value, contract, XmlStyle(), lambda text: text.replace(f'"{namespace}"', f'"{other}"', 1), "utf-8")


XML_FORMS: tuple[WireForm, ...] = (
    WireForm("plain", "legal", _xml(XmlStyle())),
    WireForm("prefix", "legal", _xml(XmlStyle(prefix="q"))),
    WireForm("nil-prefix", "legal", _xml(XmlStyle(nil_prefix="xsi"))),
    WireForm("declaration", "legal", _xml(XmlStyle(declaration=True))),
    WireForm("indented", "legal", _xml(XmlStyle(indent="  "))),
    WireForm("comments", "legal", _xml(XmlStyle(comment=" x "))),
    WireForm("cdata", "legal", _xml(XmlStyle(lexical=LexicalStyle(text="cdata")))),
    WireForm("nil-one", "legal", _xml(XmlStyle(nil="1"))),
    WireForm("tag-pairs", "legal", _xml(XmlStyle(empty="pair"))),
    WireForm("nulls-left-out", "legal", _xml(XmlStyle(nulls="absent"))),
    WireForm("spaced-values", "legal", _xml(XmlStyle(lexical=LexicalStyle(integer="spaces", boolean="spaces")))),
    WireForm("digit-booleans", "legal", _xml(XmlStyle(lexical=LexicalStyle(boolean="digit")))),
    WireForm("upper-case-ids", "legal", _xml(XmlStyle(lexical=LexicalStyle(guid="upper")))),
    WireForm("charset-named", "legal", _xml(XmlStyle()), "; charset=utf-8"),
    WireForm("order-reversed", "lenient", _xml(XmlStyle(order="reversed"))),
    WireForm("utf-16", "lenient", _xml_text(lambda text: text, "utf-16"), "; charset=utf-16"),
    WireForm("doctype", "lenient", _xml_text(lambda text: "<!DOCTYPE x>" + text)),
    WireForm("processing-instruction", "lenient", _xml_text(lambda text: "<?x y?>" + text)),
    WireForm("wrong-namespace", "broken", _elsewhere, sure=False),
    WireForm("cut-off", "broken", _xml_text(lambda text: text[:-2])),
    WireForm("two-roots", "broken", _xml_text(lambda text: text + text)),
    WireForm("bare-ampersand", "broken", _xml_text(lambda text: text.replace(">", ">&", 1))),
)  # fmt: skip

HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("Content-Type", "{}"), ("Accept", "{answer}")),
    (("content-type", "{}"), ("accept", "{answer}")),
    (("Accept", "{answer}, */*;q=0.1"), ("Content-Type", "{}")),
    (("Content-Type", "{}"), ("Accept", "{answer};q=0.9"), ("X-Request-Id", "x")),
)
"""Ways to ask for an answer in one media type; `{}` is the content type, `{answer}` the media type asked for."""
STRICT_HEADERS = 2
"""The first so many of them leave a server no other media type."""
