"""Fills the `${binding}` places of a message when the ids of the target are known."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import TypeAlias
from xml.sax.saxutils import escape as escape_xml

from conformance.errors import HarnessError
from conformance.model.case import Body


class MissingBinding(HarnessError):
    """A message names an id that neither the target nor the case's states give."""


Bindings: TypeAlias = Mapping[str, "int | str"]

_PLACE = re.compile(r"\$\{([A-Za-z_][\w.#]*)([+-]\d+|\^)?\}")
_TEXT_ENDINGS = ("uid", "pin", "text")


def is_text(name: str) -> bool:
    """Whether a binding of this name holds text (a GUID, a PIN, some other text) rather than an integer id."""
    return name.lower().endswith(_TEXT_ENDINGS)


def places(text: str) -> tuple[str, ...]:
    """The names of the bindings that a template uses, in order of first use."""
    return tuple(dict.fromkeys(match.group(1) for match in _PLACE.finditer(text)))


def fill(text: str, bindings: Bindings, *, form: str = "raw", keep: bool = False) -> str:
    """Put values in place of `${name}`; `${name+N}` adds N to an integer or a GUID, `${name^}` writes a text in capitals.

    `form` is "json" or "xml" where text values stand inside a literal that needs escaping, else "raw".
    Raises `HarnessError` for a name that has no value, since a case must not be sent half filled; with `keep`, which is
    for showing it, such a place stays as it is.
    """
    if "${" not in text:
        return text

    def value_of(match: re.Match[str]) -> str:
        name, offset = match.group(1), match.group(2)
        if name not in bindings:
            if keep:
                return match.group()
            raise MissingBinding(f"the target binds no value for ${{{name}}}")
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
