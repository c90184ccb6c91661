"""Fills the `${binding}` places of a message when the ids of the target are known."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeAlias
from xml.sax.saxutils import escape as escape_xml

from conformance.errors import HarnessError
from conformance.model.case import Body

Bindings: TypeAlias = Mapping[str, "int | str"]

_PLACE = re.compile(r"\$\{([A-Za-z_][\w.#]*)([+-]\d+)?\}")
_TEXT_NAMES = ("InternationalOrderUID", "PIN", "pin", "uid")


def is_text(name: str) -> bool:
    """Whether a binding of this name holds text (a GUID, a PIN) rather than an integer id."""
    return name.rpartition(".")[2].endswith(_TEXT_NAMES)


def places(text: str) -> tuple[str, ...]:
    """The names of the bindings that a template uses, in order of first use."""
    return tuple(dict.fromkeys(match.group(1) for match in _PLACE.finditer(text)))


def fill(text: str, bindings: Bindings, *, form: str = "raw") -> str:
    """Put values in place of `${name}`; `${name+N}` adds N to an integer.

    `form` is "json" or "xml" where text values stand inside a literal that needs escaping, else "raw".
    Raises `HarnessError` for a name that has no value: a case must not be sent half filled.
    """

    def value_of(match: re.Match[str]) -> str:
        name, offset = match.group(1), match.group(2)
        if name not in bindings:
            raise HarnessError(f"no value for ${{{name}}}", hint="The target or the case's states must bind it.")
        value = bindings[name]
        if offset:
            return str(int(value) + int(offset))
        if isinstance(value, int):
            return str(value)
        if form == "json":
            return json.dumps(value, ensure_ascii=False)[1:-1]
        return escape_xml(value) if form == "xml" else value

    return _PLACE.sub(value_of, text)


def fill_body(body: Body, bindings: Bindings, form: str) -> bytes:
    """The bytes of a body; a repeated part is filled once for each index, `#` standing for the index."""
    text = fill(body.text, bindings, form=form) if body.repeat is None else _repeated(body, bindings, form)
    return text.encode(body.encoding, "surrogatepass" if body.encoding.startswith("utf") else "strict")


def _repeated(body: Body, bindings: Bindings, form: str) -> str:
    repeat = body.repeat
    assert repeat is not None
    items = (fill(body.text.replace("#", str(index)), bindings, form=form) for index in range(repeat.count))
    return repeat.head + repeat.separator.join(items) + repeat.tail
