"""Metamorphic relations: two ways to say the same are answered alike, wording and format left aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.checks import answer as forms
from conformance.checks.answer import Answer, Judgement
from conformance.model.case import Twin
from conformance.model.verdict import Finding

_COMPARED = (
    forms.RESULTS,
    forms.REFUSED,
    forms.FRAMEWORK,
    forms.PAIR,
    forms.FLAT,
    forms.STANDARD,
    forms.SESSION_MISSING,
)


def gist_of(answer: Answer, results: Sequence[Mapping[str, Any]], success: str) -> tuple[Any, ...]:
    """The form of an answer, then one entry for each leg or result."""
    form = next((name for name in _COMPARED if name in answer.forms), "other")
    if form == forms.RESULTS:
        return (form, *(entry.get(success) for entry in results))
    return (form, *(leg.code for leg in answer.legs))


def compare(twin: Twin, first: Judgement, seconds: Sequence[Judgement]) -> tuple[Finding, ...]:
    """A finding when the answers differ; none when either could not be read, for that is a finding of its own."""
    if not first.gist or not all(second.gist for second in seconds):
        return ()
    left = first.gist
    right: tuple[Any, ...] = (seconds[0].gist[0], *(part for second in seconds for part in second.gist[1:]))
    if twin.order and len(right) == len(twin.order) + 1:
        right = (right[0], *(right[1 + place] for place in twin.order))
    if left == right:
        return ()
    return (
        Finding(
            twin.requirement,
            "relation",
            f"the relation {twin.relation} does not hold: the same request is answered in two ways",
            first.summary,
            "; ".join(second.summary for second in seconds),
            twin.relation,
        ),
    )


def forms_differ(requirement: str, other_case: str, other_summary: str, summary: str) -> Finding:
    """The finding for one value that is answered in two ways, depending on the legal form it was written in."""
    return Finding(
        requirement,
        "relation",
        f"another legal form of the same value is answered differently: {other_case}",
        other_summary,
        summary,
        "wire form",
    )
