"""The matrix of error codes and the table of readings: what was shown, cell by cell."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from conformance.cases.make import channels
from conformance.model.spec import Contract, ErrorCode, Operation
from conformance.model.verdict import CaseResult, Verdict
from conformance.report.gathering import Folded
from conformance.report.rows import CodeRow, ReadingRow
from conformance.report.settings import Settings

_Cell = tuple[str, str, str, str]


def code_rows(contract: Contract, results: Iterable[CaseResult], settings: Settings) -> tuple[CodeRow, ...]:
    """One row for each operation, code, media type and transport, sorted by these.

    A cell passes only when a case meant for it passed *and* the answer carried that very code. A run
    narrowed by requirement, case or shard lists only the cells that one of its cases was meant for.
    """
    by_cell: defaultdict[_Cell, list[CaseResult]] = defaultdict(list)
    for result in results:
        if result.code is not None:
            by_cell[result.operation, result.code, result.media_type, result.transport].append(result)
    chosen = settings.selection
    only_met = bool(chosen.requirements or chosen.cases or settings.shard)
    rows = []
    for cell in _cells(contract, settings):
        found = by_cell.get(cell, [])
        if found or not only_met:
            rows.append(_code_row(cell, found, settings.accepted_gaps.get(cell[:2])))
    return tuple(
        sorted(rows, key=lambda row: (row.operation, _code_key(row.code), row.media_type, row.transport))
    )


def reading_rows(
    contract: Contract, results: Iterable[CaseResult], settings: Settings, folded: Folded | None = None
) -> tuple[ReadingRow, ...]:
    """One row for each reading that was observed or belongs to the selected operations, sorted by id."""
    tally = Counter(observed for result in results for observed in result.readings)
    tally.update((folded or Folded()).readings)
    seen: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for text in sorted(tally):
        reading, _, alternative = text.partition("=")
        seen[reading][alternative] = tally[text]
    wanted = settings.selection.operations
    names = {
        reading.id
        for reading in contract.readings.values()
        if not wanted or not reading.operations or not set(wanted).isdisjoint(reading.operations)
    }
    return tuple(
        ReadingRow(name, dict(seen.get(name, {})), settings.pinned.get(name))
        for name in sorted(names | set(seen))
    )


def _cells(contract: Contract, settings: Settings) -> Iterable[_Cell]:
    chosen = settings.selection
    for operation in contract.operations.values():
        if chosen.operations and operation.id not in chosen.operations:
            continue
        for code in operation.codes:
            yield from _cells_of(operation, code, chosen.media_types, chosen.transports)


def _cells_of(
    operation: Operation, code: ErrorCode, media_types: Sequence[str], transports: Sequence[str]
) -> Iterable[_Cell]:
    for channel in channels(operation):
        if media_types and channel.media_type not in media_types:
            continue
        if transports and channel.transport not in transports:
            continue
        yield operation.id, code.code, channel.media_type, channel.transport


def _code_key(code: str) -> tuple[int, str]:
    """Numbers in their own order, before words."""
    return (int(code), "") if code.isdecimal() else (1 << 31, code)


def _code_row(cell: _Cell, found: Sequence[CaseResult], accepted: str | None) -> CodeRow:
    operation, code, media_type, transport = cell
    verdict, reason, case = _judge(code, sorted(found, key=lambda result: result.id))
    is_accepted = verdict is Verdict.NOT_VERIFIED and accepted is not None
    shown = accepted if is_accepted and accepted is not None else reason
    return CodeRow(operation, code, media_type, transport, verdict, shown, case, is_accepted)


def _judge(code: str, found: Sequence[CaseResult]) -> tuple[Verdict, str, str | None]:
    """Verdict, reason and deciding case: a failure or an error decides, else one proof is enough to pass."""
    for verdict in (Verdict.FAIL, Verdict.HARNESS_ERROR, Verdict.TARGET_ERROR):
        for result in found:
            if result.verdict is verdict:
                return verdict, result.reason, result.id
    for result in found:
        if result.verdict is Verdict.PASS and result.code_seen == code:
            return Verdict.PASS, "", result.id
    for verdict in (Verdict.WAIVED, Verdict.PASS, Verdict.NOT_VERIFIED, Verdict.NOT_APPLICABLE):
        for result in found:
            if result.verdict is verdict:
                return _unproven(result)
    return Verdict.NOT_VERIFIED, "no case provokes it", None


def _unproven(result: CaseResult) -> tuple[Verdict, str, str | None]:
    if result.verdict is Verdict.PASS:
        seen = "answered with no code" if result.code_seen is None else f"answered {result.code_seen}"
        return Verdict.NOT_VERIFIED, seen, result.id
    return result.verdict, result.reason, result.id
