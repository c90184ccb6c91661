"""The tables of the page: error codes, requirements, cases, gaps and the target, each row with what leads on from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from conformance.errors import Hindrance
from conformance.model.case import Transport
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Verdict
from conformance.report.causes import heaviest_first
from conformance.report.formats.html.causes import CauseView
from conformance.report.rows import CodeRow, RequirementRow, RunSummary, hindrance_of, hindrance_words


class CodeCell(NamedTuple):
    """One cell of a matrix."""

    verdict: str
    accepted: bool
    reason: str
    case: str


class Matrix(NamedTuple):
    """The error codes of one operation against transport and media type."""

    operation: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[CodeCell | None, ...]], ...]
    """Code, its requirement, its cells."""


def matrices(rows: Sequence[CodeRow], contract: Contract) -> Iterator[Matrix]:
    """A matrix for each operation that documents codes."""
    for name, group in groupby(rows, lambda row: row.operation):
        cells = {
            (row.code, f"{row.transport} {row.media_type}"): CodeCell(
                row.verdict.value, row.accepted, row.reason, row.case or ""
            )
            for row in group
        }
        columns = tuple(sorted({column for _, column in cells}))
        operation = contract.operations.get(name)
        clauses = {one.code: one.requirement for one in operation.codes} if operation else {}
        codes = dict.fromkeys(code for code, _ in cells)
        yield Matrix(
            name,
            columns,
            tuple((code, clauses.get(code, ""), tuple(cells.get((code, one)) for one in columns)) for code in codes),
        )


class RequirementView(NamedTuple):
    """One requirement, and what leads on from it."""

    row: RequirementRow
    text: str
    place: str
    causes: tuple[int, ...]
    codes: tuple[str, ...]


def requirement_views(
    summary: RunSummary, contract: Contract, causes: Iterable[CauseView]
) -> dict[str, list[RequirementView]]:
    """The requirements by operation; those that are no pass come first."""
    numbers: dict[str, list[int]] = {}
    for view in causes:
        for name in dict.fromkeys((*view.cause.requirements, *view.cause.follows)):
            numbers.setdefault(name, []).append(view.number)
    clauses = {
        (operation.id, one.code): one.requirement
        for operation in contract.operations.values()
        for one in operation.codes
    }
    codes: dict[str, list[str]] = {}
    for operation_id, code in dict.fromkeys((row.operation, row.code) for row in summary.error_codes):
        codes.setdefault(clauses.get((operation_id, code), ""), []).append(code)
    views: dict[str, list[RequirementView]] = {}
    for row in sorted(summary.requirements, key=lambda row: (row.operation, _PLACE[row.verdict], row.id)):
        clause = contract.requirements.get(row.id)
        views.setdefault(row.operation, []).append(
            RequirementView(
                row,
                clause.text if clause else "",
                f"{clause.document}, {clause.place}" if clause else "",
                tuple(numbers.get(row.id, ())),
                tuple(codes.get(row.id, ())),
            )
        )
    return views


class CaseView(NamedTuple):
    """One row of the list of cases."""

    id: str
    verdict: str
    role: str
    format: str
    requirements: str
    """Their numbers in the list of requirements, for the filter."""
    said: str
    """Why it is not a pass."""
    cause: int


class Cases(NamedTuple):
    """The cases of one operation."""

    operation: str
    counts: tuple[tuple[str, int], ...]
    rows: tuple[CaseView, ...]


def case_views(summary: RunSummary, causes: Iterable[CauseView], numbers: Mapping[str, int]) -> Iterator[Cases]:
    """The cases that are kept, by operation; those that are no pass come first."""
    cause_of: dict[str, int] = {}
    for view in causes:
        for name in view.cause.shown_by:
            cause_of.setdefault(name, view.number)
    ordered = sorted(summary.cases, key=lambda one: (one.operation, _PLACE[one.verdict], one.id))
    for operation, group in groupby(ordered, lambda one: one.operation):
        listed = list(group)
        tally = [(verdict.value, sum(one.verdict is verdict for one in listed)) for verdict in _PLACE]
        counts = tuple((verdict, count) for verdict, count in tally if count)
        yield Cases(operation, counts, tuple(_case(one, cause_of.get(one.id, 0), numbers) for one in listed))


_PLACE = {verdict: place for place, verdict in enumerate(reversed(Verdict))}


def _case(result: CaseResult, cause: int, numbers: Mapping[str, int]) -> CaseView:
    names = {*result.requirements, *(finding.requirement for finding in result.findings)}
    said = result.reason or next((one.message for one in heaviest_first(result.findings)), "")
    return CaseView(
        result.id,
        result.verdict.value,
        result.role,
        f"{result.transport} {result.media_type}" if Transport(result.transport).framed else result.media_type,
        " ".join(str(numbers[name]) for name in sorted(names) if name in numbers),
        "" if result.verdict is Verdict.PASS else said,
        cause,
    )


class Gap(NamedTuple):
    """Cases that were not carried out for one reason."""

    reason: str
    cases: int
    example: str
    accepted: bool


def gaps(summary: RunSummary) -> Iterator[Gap]:
    """Why cases were not carried out, with one of each kind."""
    for reason, count in summary.carried_out.hindered.items():
        one = next((case for case in summary.cases if hindrance_of(case) == reason), None)
        shown = "" if one is None else f"{one.id}: {one.accepted or one.reason}"
        yield Gap(hindrance_words(reason), count, shown, reason == Hindrance.ACCEPTED)


def target_lines(target: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The target as lines of key and value, tables written as dotted keys."""
    for name, value in sorted(target.items()):
        if isinstance(value, Mapping):
            yield from ((f"{name}.{key}", text) for key, text in target_lines(value))
        elif isinstance(value, (list, tuple)):
            yield name, ", ".join(str(one) for one in value)
        else:
            yield name, str(value)
