"""Writes a request value with `${binding}` places as the text of a body, in JSON or XML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from conformance.cases.make import Channel
from conformance.cases.template import is_text
from conformance.codec.errors import XsdError
from conformance.codec.json_writer import JsonStyle, encode_json
from conformance.codec.values import Pairs, Raw
from conformance.codec.xml_codec import XmlContract
from conformance.errors import SpecError
from conformance.model.case import Body
from conformance.model.spec import Operation

_WHOLE = re.compile(r"\$\{([A-Za-z_][\w.#]*)([+-]\d+)?\}")
_QUOTED = re.compile(r'"(\$\{([A-Za-z_][\w.#]*)(?:[+-]\d+)?\})"(?!:)')
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
        raise SpecError(str(error), where=str(path), hint="`conformance specs check` shows what else is wrong.") from error


def xml_contract(operation: Operation, document: str = "request") -> XmlContract:
    """The compiled XSD of one of the operation's documents."""
    return request_xml(str(operation.folder), str(operation.raw["xsd"][document]))


def xml_text(operation: Operation, value: Any) -> str:
    """The value as the XSD orders it, without declaration, on one line."""
    return xml_contract(operation).encode(value).decode("utf-8")


def body(operation: Operation, channel: Channel, value: Any) -> Body:
    """The value as a body for this channel."""
    return Body(xml_text(operation, value) if channel.form == "xml" else json_text(value))
