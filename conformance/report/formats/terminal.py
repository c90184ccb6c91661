"""The report of a run on a terminal or in a log: what is wrong last, then one line a cause, then the verdict.

What is as it should be takes one line; `verbose` shows all of it.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TextIO

from conformance.cases.combinations.count import Coverage
from conformance.model.spec import Contract
from conformance.model.verdict import RunInfo, Verdict
from conformance.report.causes import Cause
from conformance.report.formats.text import (
    LONGEST,
    Block,
    Grid,
    Line,
    Style,
    brief,
    carried_out_section,
    code_section,
    coverage_section,
    edition_section,
    finding_section,
    is_live,
    operation_of,
    plain_lines,
    print_rich,
    reading_section,
    requirement_section,
    side_by_side,
    trouble_section,
    verdict_line,
    waiver_section,
)
from conformance.report.rows import CodeRow, RunSummary, replay_command, troubled, waived
from conformance.report.safe_text import beside, many, visible, writable
from conformance.report.verdicts import UNREACHABLE, code_key

_MOST_CAUSES = 10
_MOST_LISTED = 30
_MOST_NAMES = 5
_NARROWEST = 40


def full_report(
    summary: RunSummary, contract: Contract, folder: Path | None = None, *, verbose: bool, width: int
) -> Iterable[Block]:
    """All but the verdict line; `width` in columns. Without `verbose` what is as it should be is only counted.

    The last line names the `folder` of the reports.
    """
    if _is_unreached(summary):
        yield Line(f"Nothing was verified: {brief(summary.cut_short)}", "bad")
        told = "" if folder is None else f"; {_reports(folder)}"
        yield Line(f"Check the address, and that it is up; --wait SECONDS waits for it{told}")
        return
    for section in (
        requirement_section(summary.requirements, verbose=verbose),
        code_section(summary.error_codes) if verbose else brief_code_section(summary.error_codes, width),
        carried_out_section(summary),
        coverage_section(summary.coverage) if verbose else brief_coverage_section(summary.coverage, width),
        reading_section(summary) if verbose else brief_reading_section(summary, width),
        (line for one in edition_section(summary) for line in _wrapped(one.text, width, one.style)),
        waiver_section(summary),
        trouble_section(waived(summary), "Waived", "warn", width),
        trouble_section(troubled(summary), "No verdict", "bad", width),
        finding_section(summary, contract, width) if verbose else (),
        cause_section(summary, width),
        cause_lines(summary.causes, width),
        [Line(f"- left behind on the target: {visible(one)}", "warn") for one in summary.left_behind],
        (line for one in (*summary.reasons, *summary.notices) for line in _wrapped(f"- {visible(one)}", width, "warn")),
    ):
        blocks = list(section)
        if blocks:
            yield from blocks
            yield Line()
    if folder is not None:
        yield Line(_reports(folder), "dim")


def _reports(folder: Path) -> str:
    return f"reports: {visible(str(folder))}{os.sep}"


def _is_unreached(summary: RunSummary) -> bool:
    """Whether the target could not be reached from the start: there is nothing else to tell."""
    return summary.exit_code == UNREACHABLE and not summary.cases and not summary.carried_out.cases


def _wrapped(text: str, width: int, style: Style = "plain") -> Iterator[Line]:
    """The text in lines of at most so many columns, all but the first indented."""
    for line in textwrap.wrap(text, max(_NARROWEST, width), subsequent_indent="    ", break_on_hyphens=False):
        yield Line(line, style)


def brief_code_section(rows: Sequence[CodeRow], width: int) -> Iterable[Block]:
    """For each operation how many cells of the matrix passed, and those rows of it in which one did not."""
    for operation, group in groupby(rows, operation_of):
        cells = list(group)
        passed = sum(row.verdict is Verdict.PASS for row in cells)
        title = f"Error codes of {operation}: {passed} of {many(len(cells), 'cell')} pass"
        wanting = {row.code for row in cells if row.verdict is not Verdict.PASS}
        verdicts = {(row.verdict.value, row.reason) for row in cells if row.code in wanting}
        if len(verdicts) <= 1:
            yield Line(title)
            for verdict, reason in verdicts:
                codes = f"  {verdict} ({', '.join(sorted(wanting, key=code_key))})"
                yield from _wrapped(f"{codes}: {brief(reason)}" if reason else codes, width)
            continue
        yield Line(title, "title")
        columns = {f"{row.transport} {row.media_type}": _column(row, cells) for row in cells}
        for block in code_section([row for row in cells if row.code in wanting]):
            if isinstance(block, Grid):
                yield replace(block, head=tuple(columns.get(name, name) for name in block.head))
            elif block.style != "title":
                yield from _wrapped(block.text, width, block.style)


def brief_coverage_section(rows: Sequence[Coverage], width: int) -> Iterable[Block]:
    """For each operation the shares of the combinations that its cases have covered."""
    for operation, group in groupby(rows, lambda row: row.operation):
        shares = ", ".join(f"{one.share:.1%} of {one.strength}" for one in group)
        yield from _wrapped(f"Combinations of {operation}: {shares} factors", width)


def _column(row: CodeRow, cells: Sequence[CodeRow]) -> str:
    """The head of a column: transport or media type alone, where the other is the same everywhere."""
    if len({one.transport for one in cells}) == 1:
        return row.media_type
    return row.transport if len({one.media_type for one in cells}) == 1 else f"{row.transport} {row.media_type}"


def brief_reading_section(summary: RunSummary, width: int) -> Iterable[Block]:
    """The readings that were observed in one paragraph; those that are mixed or pinned in a table."""
    plain = [row for row in summary.readings if row.observed and not row.mixed and row.pinned is None]
    yield from reading_section(replace(summary, readings=tuple(row for row in summary.readings if row not in plain)))
    said = ", ".join(f"{visible(row.id)}={visible(name)}" for row in plain for name in row.observed)
    if said:
        yield from _wrapped(f"Readings observed: {said}", width)


def cause_section(summary: RunSummary, width: int) -> Iterable[Block]:
    """The heaviest causes, each with its clause, what its cases have in common, and one example."""
    history = {result.id: result.history for result in summary.cases if result.history}
    for position, cause in enumerate(summary.causes[:_MOST_CAUSES]):
        if position:
            yield Line()
        yield Line(f"{position + 1}. {cause.kind.words}", "bad")
        yield from _cause(cause, history.get(cause.example, ""), summary.info, width)
    hidden = len(summary.causes) - _MOST_CAUSES
    if hidden > 0:
        yield Line()
        yield Line(f"and {many(hidden, 'more cause')}, in results.json", "dim")


def _cause(cause: Cause, history: str, info: RunInfo, width: int) -> Iterable[Line]:
    def wrapped(text: str, style: Style = "plain") -> Iterable[Line]:
        for line in textwrap.wrap(text, max(_NARROWEST, width - 3), break_on_hyphens=False):
            yield Line(f"   {line}", style)

    place = f", {cause.document}, {cause.place}" if cause.place else ""
    yield from wrapped(f"{cause.requirement}{place}", "dim")
    yield from wrapped(f"\u201c{cause.text}\u201d")
    yield from wrapped(brief(cause.message), "title")
    shown = f"{many(cause.cases, 'case')} of {cause.of}"
    yield from wrapped(f"{shown}; {brief(cause.common.words)}" if cause.common else shown)
    others = (*cause.requirements[1:], *(name for name in cause.follows))
    if others:
        yield from wrapped(f"breaks {_first(others)} as well")
    finding = cause.finding
    yield Line(f"   * {cause.example}{f' at {visible(finding.at)}' if finding.at else ''}", "title")
    if finding.expected or finding.actual:
        expected, actual = beside(finding.expected, finding.actual, LONGEST)
        for line in side_by_side(f"expected: {expected}", f"actual: {actual}", width - 5):
            yield Line(f"     {line}")
    yield from (Line(f"     {visible(line)}", "dim") for line in history.splitlines())
    yield Line(f"     {replay_command(cause.replay, info)}", "dim")


def _first(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def cause_lines(causes: Sequence[Cause], width: int) -> Iterable[Block]:
    """One line for each cause, the heaviest first; what does not fit into it stands in the sections above."""
    if not causes:
        return
    yield Line("1 cause" if len(causes) == 1 else f"{len(causes)} causes, the heaviest first", "title")
    for number, cause in enumerate(causes[:_MOST_LISTED], 1):
        line = f"{number}. {cause.requirement}: {cause.kind.words}, {many(cause.cases, 'case')}: {brief(cause.message)}"
        yield Line(line if len(line) <= width else f"{line[: width - 1]}\u2026", "bad")
    if len(causes) > _MOST_LISTED:
        yield Line(f"and {len(causes) - _MOST_LISTED} more, in results.json", "dim")


_PLAIN_WIDTH = 80


def print_report(
    summary: RunSummary,
    contract: Contract,
    out: TextIO,
    environ: Mapping[str, str],
    *,
    quiet: bool = False,
    verbose: bool = False,
    folder: Path | None = None,
) -> None:
    """The whole report, verdict last; `quiet`: the verdict alone. Respects `NO_COLOR` and `COLUMNS` in `environ`."""
    ending = [verdict_line(summary)]
    if is_live(out, environ):
        from rich.console import Console

        console = Console(file=out, highlight=False, no_color=bool(environ.get("NO_COLOR")), force_terminal=True)
        if not quiet:
            print_rich(full_report(summary, contract, folder, verbose=verbose, width=console.width), console)
        print_rich(ending, console)
        return
    given = environ.get("COLUMNS", "")
    width = max(_NARROWEST, int(given)) if given.isdecimal() else _PLAIN_WIDTH
    blocks = [] if quiet else full_report(summary, contract, folder, verbose=verbose, width=width)
    lines = [*plain_lines(blocks, width), *plain_lines(ending)]
    out.write(writable("\n".join(lines) + "\n", getattr(out, "encoding", None)))
    out.flush()
