"""Writes a request value with `${binding}` places as the text of a body, in JSON or XML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from conformance.cases.make import Channel
from conformance.cases.template import is_text
from conformance.codec.json_writer import JsonStyle, encode_json
from conformance.codec.values import Pairs, Raw
from conformance.codec.xml_codec import XmlContract
from conformance.model.case import Body
from conformance.model.spec import Operation

_WHOLE = re.compile(r"\$\{([A-Za-z_][\w.#]*)([+-]\d+)?\}")
_STYLE = JsonStyle()


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

    return XmlContract.load(Path(operation_folder) / file_name)


def xml_contract(operation: Operation, document: str = "request") -> XmlContract:
    """The compiled XSD of one of the operation's documents."""
    return request_xml(str(operation.folder), str(operation.raw["xsd"][document]))


def xml_text(operation: Operation, value: Any) -> str:
    """The value as the XSD orders it, without declaration, on one line."""
    return xml_contract(operation).encode(value).decode("utf-8")


def body(operation: Operation, channel: Channel, value: Any) -> Body:
    """The value as a body for this channel."""
    return Body(xml_text(operation, value) if channel.form == "xml" else json_text(value))
