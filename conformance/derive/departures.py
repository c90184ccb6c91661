"""What does not fit: between two parts of a page, a page and other operations, or a page and a folder; and what accounts for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.derive.page import Place


@dataclass(frozen=True, slots=True)
class Departure:
    """One thing that does not fit: where in the contract, of which kind, what stands there and against what.

    `question` asks the author; `alternatives` are those of the reading that would keep both, where one suggests itself.
    """

    kind: str
    at: str
    says: str
    against: str
    place: Place | None = None
    question: str = ""
    alternatives: Mapping[str, str] = field(default_factory=dict)
    reading: str = ""


MISFITS: Mapping[str, str] = {
    "invalid-sample": "a sample is not well-formed",
    "sample-against-table": "a sample and a table do not agree on a member",
    "table-against-prose": "a table and a sentence do not agree",
    "key-case": "one name in two letter cases",
    "code-elsewhere": "a code has another message in another operation of the service, or twice on the page",
    "null-against-empty": "the text says null, and the sample shows something else that is empty",
    "silence": "the page does not say what a caller must know",
    "condition-unnamed": "a field depends on a condition that the page does not name, or names no member for",
    "absence-unsaid": "a member may be without a value, and the page does not say how that looks",
    "null-unshown": "a field is taken to be nullable, though no sample shows it null",
    "not-read": "a cell of a table stands in a column that no contract has",
    "type-unknown": "the type of a field is not known here, or its members are not on the page",
    "need-unsaid": "a request field is called neither required nor optional",
    "width-unsaid": "an integer without a width, where an XML type needs one",
}
"""Kinds of departures that show on the page alone, and what each is."""
