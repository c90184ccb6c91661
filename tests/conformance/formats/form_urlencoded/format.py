"""`application/x-www-form-urlencoded`: an object of scalars as `name=value` pairs; types are those of the JSON Schema."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus

from conformance.formats.base import PLACE, Decoded, Format, WireForm, Writing, as_written, changed
from conformance.formats.errors import CodecError, Note, Number, Pairs, Raw
from conformance.formats.members import Content, Found, Literal, View, query_members
from conformance.formats.text import decode_text
from conformance.model.case import Body
from conformance.model.spec import Operation

MEDIA_TYPE = "application/x-www-form-urlencoded"
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class FormCodec:
    """One document of an operation; `types` are those of its members, from its JSON Schema."""

    types: Mapping[str, tuple[str, ...]]

    def encode(self, value: Any) -> str:
        """The members in their order. Errors: `CodecError` for what is no object of scalars."""
        return "&".join(f"{quote(name)}={_scalar(one)}" for name, one in _members(value))

    plain = encode

    def decode(self, data: bytes, charset: str | None = None) -> Decoded:
        """Every member with the type that the schema gives it, text where it has none of it."""
        text = decode_text(data, charset).text
        if not text:
            raise CodecError("the body is empty; a form is expected", kind="empty")
        if _BAD_ESCAPE.search(text) or not all("=" in part for part in text.split("&")):
            raise CodecError("not a form: a member without a value, or a bad escape")
        pairs = [tuple(map(unquote_plus, part.split("=", 1))) for part in text.split("&")]
        names = [name for name, _ in pairs]
        notes = [
            Note("duplicate-key", f"/{name}", f"member {name!a} is given {names.count(name)} times")
            for name in dict.fromkeys(names)
            if names.count(name) > 1
        ]
        return Decoded({name: self._typed(name, one) for name, one in pairs}, tuple(notes))

    def _typed(self, name: str, text: str) -> Any:
        types = self.types.get(name, ())
        if "integer" in types and _INTEGER.fullmatch(text):
            return int(text)
        return text == "true" if "boolean" in types and text in ("true", "false") else text


def _members(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return value.items()
    if isinstance(value, Pairs):
        return [(name, one) for name, one in value.members if isinstance(name, str)]
    raise CodecError(f"a form has no words for a {type(value).__name__}", kind="value")


def _scalar(value: Any) -> str:
    if isinstance(value, Mapping) and set(value) == {"text"}:
        value = value["text"]
    if isinstance(value, str | Raw):
        text = value if isinstance(value, str) else value.text
        try:
            return "".join(part if PLACE.fullmatch(part) else quote(part, safe="") for part in _parts(text))
        except UnicodeEncodeError:
            raise CodecError("half a surrogate pair has no escape in UTF-8", kind="value") from None
    if isinstance(value, Number):
        return quote(value.literal)
    if isinstance(value, bool | int | float):
        return quote(json.dumps(value))
    raise CodecError(f"a form has no words for a {type(value).__name__} in a member", kind="value")


def _parts(text: str) -> list[str]:
    """The places of a text, and what stands between them."""
    ends = [0, *(end for match in PLACE.finditer(text) for end in match.span()), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(ends)]


def _codec(operation: Operation, document: str) -> FormCodec:
    schema = json.loads((operation.folder / f"{document}.schema.json").read_text(encoding="utf-8"))
    types = {name: one.get("type", ()) for name, one in schema.get("properties", {}).items()}
    return FormCodec({name: (one,) if isinstance(one, str) else tuple(one) for name, one in types.items()})


def _seen(text: str) -> Content:
    """Every pair, for the scope guard; a number is text here, and any reader makes a number of it."""
    if "=" not in text or _BAD_ESCAPE.search(text):
        raise ValueError("no form")
    pairs = parse_qsl(text, keep_blank_values=True)
    top = tuple(Found(name, Literal(one) if _INTEGER.fullmatch(one) else one) for name, one in pairs)
    return Content((View(top, (*top, *query_members(text))),), names=tuple(name for name, _ in pairs))


def _reversed(writing: Writing) -> Body | None:
    return None if "&" not in (text := writing.plain()) else Body("&".join(reversed(text.split("&"))))


def _first_letter_escaped(text: str) -> str:
    return f"%{ord(text[0]):02X}{text[1:]}" if text[:1].isalpha() else text


FORM = Format(
    name="form",
    label="URL-encoded form",
    media_types=(MEDIA_TYPE,),
    codec=_codec,
    escape=lambda text: quote(text, safe=""),
    members=_seen,
    forms=(
        WireForm("plain", "legal", as_written),
        WireForm("letter-escaped", "legal", changed(_first_letter_escaped)),
        WireForm("charset-named", "legal", as_written, "; charset=utf-8"),
        WireForm("trailing-ampersand", "lenient", changed(lambda text: text + "&")),
        WireForm("cut-off", "broken", changed(lambda text: text.partition("=")[0])),
        WireForm("bad-escape", "broken", changed(lambda text: "%zz" + text)),
        WireForm("separated-by-commas", "broken", changed(lambda text: text.replace("&", ",")), sure=False),
    ),
)
