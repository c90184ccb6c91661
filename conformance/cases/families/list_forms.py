"""The forms in which a list of instructions is written in JSON, right, odd and broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance.cases import render
from conformance.cases.families.malformed_json import broken_texts
from conformance.cases.kinds import first_kind, naming_member
from conformance.codec.json_writer import JsonStyle
from conformance.model.case import Body
from conformance.model.spec import Operation

EMPTY_LISTS = ("empty", "blank", "null")
"""The forms that some readers take for a list without instructions."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a list, and the general check that speaks for it (empty: that of malformed requests).

    `kind` is "legal" (it must be carried out), "lenient", "ignored" (nothing may be carried out) or "broken" (it cannot
    be read).
    """

    name: str
    kind: str
    title: str
    body: Body
    check: str = ""


def json_forms(operation: Operation) -> Iterator[Form]:
    """Every form of the operation's legal request."""
    good = render.json_text(operation.valid)
    item = good[1:-1]
    for broken in broken_texts(good):
        legal = broken.name in ("white-space",)
        kind = "legal" if legal else "lenient" if broken.lenient or broken.name in EMPTY_LISTS else "broken"
        yield Form(broken.name, kind, broken.title, Body(broken.text, broken.encoding))
    named = naming_member(first_kind(operation), operation)
    plain = first_kind(operation).item
    yield Form("object", "broken", "one instruction without its list", Body(item))
    yield Form("empty-object", "broken", "an object without members", Body("{}"))
    yield Form("list-of-numbers", "broken", "a list of numbers", Body("[1,2]"))
    yield Form("list-of-text", "broken", "a list of strings", Body('["a"]'))
    yield Form("list-in-list", "lenient", "a list inside a list", Body(f"[{good}]"))
    yield Form("list-with-null", "lenient", "a list with null behind the instruction", Body(f"[{item},null]"))
    yield Form("wrapped", "lenient", "the list inside an object", Body(f'{{"instructions":{good}}}'))
    yield Form("members-reversed", "legal", "members in another order", _json(dict(reversed(list(plain.items())))))
    yield Form(
        "indented",
        "legal",
        "indented over several lines",
        Body(render.json_text(operation.valid, JsonStyle(indent="  ", key_separator=" : "))),
    )
    yield Form(
        "escaped-keys",
        "legal",
        "keys written with escapes",
        Body(good.replace(named, f"\\u{ord(named[0]):04x}{named[1:]}", 1)),
    )
    yield Form(
        "nulls-left-out", "legal", "null members left out", _json({k: v for k, v in plain.items() if v is not None})
    )
    yield Form("keys-lower-case", "lenient", "keys in lower case", _json({k.lower(): v for k, v in plain.items()}))
    yield Form(
        "keys-camel-case", "lenient", "keys in camel case", _json({k[0].lower() + k[1:]: v for k, v in plain.items()})
    )


def _json(item: Any) -> Body:
    return Body(render.json_text([item]))
