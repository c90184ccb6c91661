"""Scalars to XML text: the lexical forms of integers, booleans and GUIDs, and the ways to escape text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from conformance.codec.errors import CodecError
from conformance.codec.values import Number, Raw
from conformance.codec.xsd_shape import Content, Scalar

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPECIAL = re.compile("[&<>\r]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}  # a bare CR would be read as LF


@dataclass(frozen=True, slots=True)
class LexicalStyle:
    """Which of the permitted spellings to use.

    `integer`: 5, +5 (not for negative numbers), 005 or " 5 "; `boolean`: true, 1 or " true "; `guid` letters
    as given, upper or lower; `text` with escapes where needed, in CDATA, or each character as a reference.
    """

    integer: Literal["plain", "plus", "zeros", "spaces"] = "plain"
    boolean: Literal["word", "digit", "spaces"] = "word"
    guid: Literal["given", "upper", "lower"] = "given"
    text: Literal["plain", "cdata", "decimal", "hex"] = "plain"


PLAIN = LexicalStyle()


def scalar_text(value: str | float | Raw, content: Content, style: LexicalStyle) -> str:
    """The text of a scalar before escaping. Errors: `CodecError` (kind "value") for an integer too long."""
    if isinstance(value, bool):
        word = ("1" if value else "0") if style.boolean == "digit" else "true" if value else "false"
        return f" {word} " if style.boolean == "spaces" else word
    if isinstance(value, int):
        return _integer(value, style)
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, float):
        return value.literal if isinstance(value, Number) else float.__repr__(value)
    restricted = isinstance(content, Scalar) and bool(content.patterns)
    if restricted and style.guid != "given" and _GUID.fullmatch(value):
        return value.upper() if style.guid == "upper" else value.lower()
    return value


def _integer(value: int, style: LexicalStyle) -> str:
    try:
        digits = int.__repr__(abs(value))
    except ValueError:
        raise CodecError("an integer has too many digits to write; give it as text", kind="value") from None
    sign = "-" if value < 0 else "+" if style.integer == "plus" else ""
    zeros = "00" if style.integer == "zeros" else ""
    return f" {sign}{digits} " if style.integer == "spaces" else f"{sign}{zeros}{digits}"


def text_markup(text: str, style: LexicalStyle) -> str:
    """Text as markup. Errors: `CodecError` (kind "character") for a character that XML 1.0 cannot carry."""
    illegal = _ILLEGAL.search(text)
    if illegal is not None:
        shown = f"U+{ord(illegal.group()):04X}"
        raise CodecError(
            f"{shown} cannot stand in an XML 1.0 document; send this value as JSON only", kind="character"
        )
    if style.text == "cdata":
        whole = text.replace("]]>", "]]]]><![CDATA[>").replace("\r", "]]>&#xD;<![CDATA[")
        return f"<![CDATA[{whole}]]>"
    if style.text == "decimal":
        return "".join(f"&#{ord(character)};" for character in text)
    if style.text == "hex":
        return "".join(f"&#x{ord(character):X};" for character in text)
    return _SPECIAL.sub(lambda match: _ENTITIES[match.group()], text) if _SPECIAL.search(text) else text
