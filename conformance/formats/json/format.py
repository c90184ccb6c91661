"""JSON as a wire format: texts with places, the forms in which they are sent, and how they are read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

from conformance.formats.base import (
    Codec,
    Decoded,
    Format,
    WireForm,
    Writing,
    as_written,
    changed,
    is_text,
)
from conformance.formats.errors import Pairs, Raw
from conformance.formats.json.read import decode_json
from conformance.formats.json.spell import SPELLINGS
from conformance.formats.json.write import COMPACT, JsonStyle, encode_json
from conformance.formats.members import json_content
from conformance.model.case import Body, Repeat
from conformance.model.spec import Document, Operation

_WHOLE = re.compile(r"\$\{([A-Za-z_][\w.#]*)([+-]\d+)?(?:\|[A-Za-z_][\w.#]*)?\}")
_QUOTED = re.compile(r'"(\$\{([A-Za-z_][\w.#]*)(?:[+-]\d+)?(?:\|[A-Za-z_][\w.#]*)?\})"(?!:)')
_HALF_PAIR = re.compile("[\ud800-\udfff]")


def json_text(value: Any, style: JsonStyle = COMPACT) -> str:
    """Compact JSON in which a whole-string place of an integer binding stands bare."""
    return encode_json(placed(value), style).decode()


def placed(value: Any) -> Any:
    """The value with `"${oms}"` as raw text, so that it becomes a number; `{text: …}` keeps it a string."""
    if isinstance(value, str):
        match = _WHOLE.fullmatch(value)
        return Raw(value) if match and not is_text(match.group(1)) else value
    if isinstance(value, Mapping):
        if set(value) == {"text"}:
            return value["text"]
        return {key: placed(member) for key, member in value.items()}
    if isinstance(value, Pairs):
        return Pairs(tuple((key, placed(member)) for key, member in value.members))
    if isinstance(value, (list, tuple)):
        return [placed(item) for item in value]
    return value


def plain_text(
    value: Any,
    *,
    separators: tuple[str, str] = (",", ":"),
    indent: str | None = None,
    sort_keys: bool = False,
    ascii_only: bool = False,
) -> str:
    """As `json_text`, for plain values alone (`{text: …}` is data here), by the standard library's encoder.

    It is many times as fast, and that is what it is for.
    """
    text = _encoder(separators, indent, sort_keys, ascii_only).encode(value)
    if not ascii_only and _HALF_PAIR.search(text):
        text = _encoder(separators, indent, sort_keys, True).encode(value)
    return _QUOTED.sub(_bare, text) if "${" in text else text


@lru_cache(maxsize=32)
def _encoder(separators: tuple[str, str], indent: str | None, sort_keys: bool, ascii_only: bool) -> json.JSONEncoder:
    return json.JSONEncoder(ensure_ascii=ascii_only, separators=separators, indent=indent, sort_keys=sort_keys)


def _bare(match: re.Match[str]) -> str:
    return match.group(0) if is_text(match.group(2)) else match.group(1)


class JsonCodec:
    """JSON needs no document to be written or read by: one codec is enough for all operations."""

    def encode(self, value: Any) -> str:
        """As `json_text`."""
        return json_text(value)

    def plain(self, value: Any) -> str:
        """As `plain_text`."""
        return plain_text(value)

    def decode(self, data: bytes, charset: str | None = None) -> Decoded:
        """As `decode_json`."""
        document = decode_json(data, charset)
        return Decoded(document.value, document.notes)


_CODEC = JsonCodec()


def _codec(_operation: Operation, _document: Document) -> Codec:
    return _CODEC


def _escape(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _repeated(codec: Codec, item: Mapping[str, Any], count: int) -> Body:
    one = codec.encode([item])
    assert isinstance(one, str)
    return Body(one[1:-1], repeat=Repeat("[", ",", "]", count))


def _styled(writing: Writing, **style: Any) -> Body:
    """One of the styles that the standard library writes."""
    return Body(plain_text(writing.value, **style))


def _tabs_and_crlf(writing: Writing) -> Body:
    """Line breaks inside strings are escapes, so the ones in the text are all white space."""
    return Body(plain_text(writing.value, indent="\t", separators=(",", " : ")).replace("\n", "\r\n"))


def _reversed(writing: Writing) -> Body:
    return Body(plain_text(_backwards(writing.value)))


def _backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _backwards(content) for key, content in reversed(value.items())}
    return [_backwards(item) for item in value] if isinstance(value, list) else value


FORMS: tuple[WireForm, ...] = (
    WireForm("compact", "legal", as_written),
    WireForm("spaced", "legal", partial(_styled, separators=(" , ", " : "))),
    WireForm("indented", "legal", partial(_styled, indent="  ")),
    WireForm("tabs-and-crlf", "legal", _tabs_and_crlf),
    WireForm("keys-sorted", "legal", partial(_styled, sort_keys=True)),
    WireForm("keys-reversed", "legal", _reversed),
    WireForm("ascii", "legal", partial(_styled, ascii_only=True)),
    WireForm("surrounded", "legal", changed(lambda text: f"\n\t {text} \r\n")),
    WireForm("charset-named", "legal", as_written, "; charset=utf-8"),
    WireForm("charset-quoted", "legal", as_written, '; charset="UTF-8"'),
    WireForm("bom", "lenient", changed(lambda text: "\ufeff" + text)),
    WireForm("utf-16", "lenient", changed(lambda text: text, "utf-16"), "; charset=utf-16"),
    WireForm("comment", "lenient", changed(lambda text: "/*x*/" + text)),
    WireForm("trailing-junk", "lenient", changed(lambda text: text + " x")),
    WireForm("cut-off", "broken", changed(lambda text: text[:-1] or "[")),
    WireForm("doubled-bracket", "broken", changed(lambda text: text[0] + text)),
    WireForm("without-colons", "broken", changed(lambda text: text.replace(":", " ")), sure=False),
    WireForm("bad-utf8", "broken", changed(lambda text: text[:1] + "\xff" + text[1:].encode("ascii", "replace").decode(), "latin-1")),
)  # fmt: skip

JSON = Format(
    name="json",
    label="JSON",
    media_types=("application/json", "text/json"),
    codec=_codec,
    escape=_escape,
    members=json_content,
    forms=FORMS,
    suffix="+json",
    evident=True,
    any_value=True,
    repeated=_repeated,
    spellings=SPELLINGS,
)
