"""Ways to change the call for one order alone, for faults and equivalents; each counts what it changed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from reference_impl.parts import Parts, with_tpp
from reference_impl.recorder import Recorder
from reference_impl.tpp.changes import TextChange
from reference_impl.tpp.values import Format, UnreadableList
from reference_impl.tpp.write_json import dump
from reference_impl.variants import Change, Variant, equivalent, fault
from reference_impl.wire import TPP_ONE

_OF_ONE = {"TPP-REQ-LIST": "TPP1-REQ-OBJECT", "TPP-RESP-LIST": "TPP1-RESP-OBJECT"}
"""What a list is in the list call, one object is here."""


def one_fault(id: str, summary: str, apply: Change, *requirements: str) -> Variant:
    """A violation of the call for one order; `TPP1-` goes before each requirement."""
    return fault(id, TPP_ONE, summary, apply, tuple(f"TPP1-{name}" for name in requirements))


def one_equivalent(id: str, summary: str, apply: Change) -> Variant:
    """A permitted difference of the call for one order."""
    return equivalent(id, TPP_ONE, summary, apply)


def for_one(variants: Mapping[str, Variant], *ids: str) -> tuple[Variant, ...]:
    """Variants of the list call that are the same for one order: `tpp1-` goes before the name, `TPP1-` before what it breaks."""
    found = (variants[f"tpp-{name}"] for name in ids)
    return tuple(
        replace(
            one,
            id=one.id.replace("tpp-", "tpp1-", 1),
            operation=TPP_ONE,
            requirements=tuple(_OF_ONE.get(name, name.replace("TPP-", "TPP1-", 1)) for name in one.requirements),
        )
        for one in found
    )


def on_answer(form: Format, change: TextChange) -> Change:
    """Changes the text of the one result in a format."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.of_one[form]

        def write(text: str) -> str:
            said = inner(text)
            return recorder.swap(said, change(said))

        return with_tpp(parts, of_one={**parts.tpp.of_one, form: write})

    return apply


def on_object(change: Callable[[dict[str, Any]], Any]) -> Change:
    """Changes the result object of a JSON answer."""
    return on_answer("json", lambda text: dump(change(json.loads(text))))


def on_body(form: Format, change: TextChange) -> Change:
    """Changes the text of a body in a format before it is read."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.as_list[form]
        return with_tpp(
            parts, as_list={**parts.tpp.as_list, form: lambda text: inner(recorder.swap(text, change(text)))}
        )

    return apply


def refusing(form: Format, pattern: str) -> Change:
    """Refuses a body in a format in which the pattern is found, before anything is made of it."""
    found = re.compile(pattern).search

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.as_list[form]

        def read(text: str) -> str:
            if found(text):
                recorder.hit()
                raise UnreadableList("The request is invalid.")
            return inner(text)

        return with_tpp(parts, as_list={**parts.tpp.as_list, form: read})

    return apply


def on_unreadable(form: Format, say: Callable[[str], str | None]) -> Change:
    """What is read in place of a body that holds no instruction, as the text of a list; None refuses it all the same."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.as_list[form]

        def read(text: str) -> str:
            try:
                return inner(text)
            except UnreadableList:
                instead = say(text)
                if instead is None:
                    raise
                recorder.hit()
                return instead

        return with_tpp(parts, as_list={**parts.tpp.as_list, form: read})

    return apply
