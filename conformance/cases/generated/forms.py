"""Wire forms: the ways a value is written and wrapped, and whether every reader must take them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from conformance.cases import message
from conformance.formats.errors import CodecError
from conformance.formats.xml.contract import XmlContract, XmlStyle
from conformance.formats.xml.write import LexicalStyle
from conformance.model.case import Body

Standing = Literal["legal", "lenient", "broken"]
"""legal: every reader must take it; lenient: real stacks differ; broken: nobody can read a request in it."""

_SHORT = 2048
"""Longer plain texts are few, and would be a burden."""


@dataclass(slots=True)
class Text:
    """A value that is to be written, as XML where there is a contract for it; half of all forms begin with its plain text."""

    value: Any
    contract: XmlContract | None = None
    short: str | None = None
    """The plain text once it was needed, unless it is a long one."""

    def plain(self) -> str:
        """Compact JSON, or XML as a DataContract server writes it. Errors: `CodecError` for what XML cannot say."""
        if self.short is not None:
            return self.short
        text = (
            message.corpus_text(self.value)
            if self.contract is None
            else self.contract.encode(self.value).decode("utf-8")
        )
        if len(text) <= _SHORT:
            self.short = text
        return text


@dataclass(frozen=True, slots=True)
class WireForm:
    """One way to write a body; `write` gives None where a value has no such form."""

    name: str
    standing: Standing
    write: Callable[[Text], Body | None]
    charset: str = ""
    """What is put behind the content type."""
    sure: bool = True
    """Whether a broken form breaks any text, whatever stands in it."""


def _styled(**style: Any) -> Callable[[Text], Body]:
    """One of the styles that the standard library writes."""
    return lambda text: Body(message.corpus_text(text.value, **style))


def _text(change: Callable[[str], str], encoding: str = "utf-8") -> Callable[[Text], Body | None]:
    return lambda text: _changed(text, change, encoding)


def _changed(text: Text, change: Callable[[str], str], encoding: str) -> Body | None:
    try:
        return Body(change(text.plain()), encoding)
    except CodecError:
        return None  # a character that XML cannot carry, or a value without an XML form


_plain = _text(lambda text: text)


def _tabs_and_crlf(text: Text) -> Body:
    """Line breaks inside strings are escapes, so the ones in the text are all white space."""
    return Body(message.corpus_text(text.value, indent="\t", separators=(",", " : ")).replace("\n", "\r\n"))


def _reversed(text: Text) -> Body:
    return Body(message.corpus_text(_backwards(text.value)))


def _backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _backwards(content) for key, content in reversed(value.items())}
    return [_backwards(item) for item in value] if isinstance(value, list) else value


JSON_FORMS: tuple[WireForm, ...] = (
    WireForm("compact", "legal", _plain),
    WireForm("spaced", "legal", _styled(separators=(" , ", " : "))),
    WireForm("indented", "legal", _styled(indent="  ")),
    WireForm("tabs-and-crlf", "legal", _tabs_and_crlf),
    WireForm("keys-sorted", "legal", _styled(sort_keys=True)),
    WireForm("keys-reversed", "legal", _reversed),
    WireForm("ascii", "legal", _styled(ascii_only=True)),
    WireForm("surrounded", "legal", _text(lambda text: f"\n\t {text} \r\n")),
    WireForm("charset-named", "legal", _plain, "; charset=utf-8"),
    WireForm("charset-quoted", "legal", _plain, '; charset="UTF-8"'),
    WireForm("bom", "lenient", _text(lambda text: "\ufeff" + text)),
    WireForm("utf-16", "lenient", _text(lambda text: text, "utf-16"), "; charset=utf-16"),
    WireForm("comment", "lenient", _text(lambda text: "/*x*/" + text)),
    WireForm("trailing-junk", "lenient", _text(lambda text: text + " x")),
    WireForm("cut-off", "broken", _text(lambda text: text[:-1] or "[")),
    WireForm("doubled-bracket", "broken", _text(lambda text: text[0] + text)),
    WireForm("without-colons", "broken", _text(lambda text: text.replace(":", " ")), sure=False),
    WireForm("bad-utf8", "broken", _text(lambda text: text[:1] + "\xff" + text[1:].encode("ascii", "replace").decode(), "latin-1")),
)  # fmt: skip


def _xml(style: XmlStyle) -> Callable[[Text], Body | None]:
    def write(text: Text) -> Body | None:
        assert text.contract is not None
        try:
            return Body(text.contract.encode(text.value, style).decode("utf-8"))
        except CodecError:
            return None

    return write


def _elsewhere(text: Text) -> Body | None:
    """The namespace of the root on another host, or another one altogether."""
    assert text.contract is not None
    namespace = text.contract.root.namespace
    other = re.sub("//[^/]+", "//example.org", namespace, count=1) if "//" in namespace else "urn:other"
    return _changed(text, lambda plain: plain.replace(f'"{namespace}"', f'"{other}"', 1), "utf-8")


XML_FORMS: tuple[WireForm, ...] = (
    WireForm("plain", "legal", _plain),
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
    WireForm("charset-named", "legal", _plain, "; charset=utf-8"),
    WireForm("order-reversed", "lenient", _xml(XmlStyle(order="reversed"))),
    WireForm("utf-16", "lenient", _text(lambda text: text, "utf-16"), "; charset=utf-16"),
    WireForm("doctype", "lenient", _text(lambda text: "<!DOCTYPE x>" + text)),
    WireForm("processing-instruction", "lenient", _text(lambda text: "<?x y?>" + text)),
    WireForm("wrong-namespace", "broken", _elsewhere, sure=False),
    WireForm("cut-off", "broken", _text(lambda text: text[:-2])),
    WireForm("two-roots", "broken", _text(lambda text: text + text)),
    WireForm("bare-ampersand", "broken", _text(lambda text: text.replace(">", ">&", 1))),
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
