"""Fills the `${binding}` places of a message when the ids of the target are known.

Writes a request value with `${binding}` places as the text of a body, in JSON or XML.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, TypeAlias
from xml.sax.saxutils import escape as escape_xml

from conformance.cases.make import Channel
from conformance.errors import HarnessError, SpecError
from conformance.formats.errors import Pairs, Raw, XsdError
from conformance.formats.json.write import JsonStyle, encode_json
from conformance.formats.xml.contract import XmlContract
from conformance.model.case import Body
from conformance.model.spec import Document, Operation


class MissingBinding(HarnessError):
    """A message names an id that neither the target nor the case's states give."""


Bindings: TypeAlias = Mapping[str, "int | str"]

_PLACE = re.compile(r"\$\{([A-Za-z_][\w.#]*)([+-]\d+|\^)?(?:\|([A-Za-z_][\w.#]*))?\}")
_TEXT_ENDINGS = ("uid", "pin", "text")


def is_text(name: str) -> bool:
    """Whether a binding of this name holds text (a GUID, a PIN, some other text) rather than an integer id."""
    return name.lower().endswith(_TEXT_ENDINGS)


def places(text: str) -> tuple[str, ...]:
    """The names of the bindings that a template uses, in order of first use."""
    return tuple(dict.fromkeys(match.group(1) for match in _PLACE.finditer(text)))


def fill(text: str, bindings: Bindings, *, form: str = "raw", keep: bool = False) -> str:
    """Put values in place of `${name}`; `${name+N}` adds N to an integer or a GUID, `${name^}` writes a text in capitals.

    `${name|other}` is the value of `name`, or that of `other` where nothing gives the first.

    `form` is "json" or "xml" where text values stand inside a literal that needs escaping, else "raw".
    Raises `HarnessError` for a name that has no value, since a case must not be sent half filled; with `keep`, which is
    for showing it, such a place stays as it is.
    """
    if "${" not in text:
        return text

    def value_of(match: re.Match[str]) -> str:
        name, offset, other = match.groups()
        if name not in bindings and other in bindings:
            name = other
        if name not in bindings:
            if keep:
                return match.group()
            raise MissingBinding(f"the target binds no value for ${{{other or name}}}")
        value = bindings[name]
        if offset == "^":
            value = str(value).upper()
        elif offset:
            return _shifted(value, int(offset))
        if isinstance(value, int):
            return str(value)
        if form == "json":
            return json.dumps(value, ensure_ascii=False)[1:-1]
        return escape_xml(value) if form == "xml" else value

    return _PLACE.sub(value_of, text)


def _shifted(value: int | str, offset: int) -> str:
    """The integer that much further on; of a GUID, the next one in its own form."""
    if isinstance(value, str) and "-" in value[1:]:
        return str(uuid.UUID(int=(uuid.UUID(value).int + offset) % 2**128))
    return str(int(value) + offset)


def fill_body(body: Body, bindings: Bindings, form: str) -> bytes:
    """The bytes of a body; a repeated part is filled once for each index, `#` standing for the index."""
    text = body_text(body, bindings, form)
    return text.encode(body.encoding, "surrogatepass" if body.encoding.startswith("utf") else "strict")


def body_text(body: Body, bindings: Bindings, form: str, *, keep: bool = False) -> str:
    """The text of a body before it becomes bytes."""
    repeat = body.repeat
    if repeat is None:
        return fill(body.text, bindings, form=form, keep=keep)
    items = (fill(body.text.replace("#", str(index)), bindings, form=form, keep=keep) for index in range(repeat.count))
    return repeat.head + repeat.separator.join(items) + repeat.tail


_WHOLE = re.compile(r"\$\{([A-Za-z_][\w.#]*)([+-]\d+)?(?:\|[A-Za-z_][\w.#]*)?\}")
_QUOTED = re.compile(r'"(\$\{([A-Za-z_][\w.#]*)(?:[+-]\d+)?(?:\|[A-Za-z_][\w.#]*)?\})"(?!:)')
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_STYLE = JsonStyle()


def corpus_text(
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


def json_text(value: Any, style: JsonStyle = _STYLE) -> str:
    """Compact JSON in which a whole-string place of an integer binding stands bare."""
    return encode_json(placed(value), style).decode("utf-8")


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


@cache
def request_xml(operation_folder: str, file_name: str) -> XmlContract:
    """The compiled request XSD of an operation."""
    from pathlib import Path

    path = Path(operation_folder) / file_name
    try:
        return XmlContract.load(path)
    except XsdError as error:
        raise SpecError(
            str(error), where=str(path), hint="`conformance specs check` shows what else is wrong."
        ) from error


def xml_contract(operation: Operation, document: Document = "request") -> XmlContract:
    """The compiled XSD of one of the operation's documents."""
    return request_xml(str(operation.folder), operation.xsd[document])


def xml_text(operation: Operation, value: Any) -> str:
    """The value as the XSD orders it, without declaration, on one line."""
    return xml_contract(operation).encode(value).decode("utf-8")


def body(operation: Operation, channel: Channel, value: Any) -> Body:
    """The value as a body for this channel."""
    return Body(xml_text(operation, value) if channel.form == "xml" else json_text(value))
