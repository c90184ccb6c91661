"""Which edition of its page an endpoint speaks (a module of its own: `verdicts` is long enough without it)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from conformance.model.spec import Contract, Edition, Operation
from conformance.model.verdict import CaseResult
from conformance.report.rows import EditionRow, Told

_SEVERAL = "|"
"""Between the alternatives of an answer that does not decide."""


def edition_rows(contract: Contract, results: Sequence[CaseResult]) -> tuple[EditionRow, ...]:
    """One row for each operation that has editions and of which a case was run, by its id.

    An answer tells by the readings that it shows: it speaks for each edition that has that alternative, and against
    each that has another one. Generated cases are left out, since only some of them are listed.
    """
    rows = []
    for name, operation in sorted(contract.operations.items()):
        own = [one for one in results if one.operation == name and one.tier == "named"]
        if operation.editions and own:
            told = {edition: _told(content, own) for edition, content in operation.editions.items()}
            rows.append(EditionRow(name, operation.edition or None, _spoken(operation, told), told))
    return tuple(rows)


def _told(edition: Edition, results: Iterable[CaseResult]) -> Told:
    speaks_for, against = [], []
    for result in results:
        shown = list(_shown(result, edition.settles))
        if False in shown:
            against.append(result.id)
        elif shown:
            speaks_for.append(result.id)
    return Told(tuple(sorted(speaks_for)), tuple(sorted(against)))


def _shown(result: CaseResult, settles: Mapping[str, str]) -> Iterator[bool]:
    """For each reading that an edition settles and that the case shows: whether as the edition has it."""
    for text in result.readings:
        reading, _, alternative = text.partition("=")
        if reading in settles and _SEVERAL not in alternative:
            yield alternative == settles[reading]


def _spoken(operation: Operation, told: Mapping[str, Told]) -> tuple[str, ...]:
    return tuple(name for name in operation.editions if told[name].speaks_for and not told[name].against)
