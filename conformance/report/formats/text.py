"""The parts of the report that a person reads: requirements, error codes, readings, findings, verdict.

A report as lines and grids, written as aligned text or, on a terminal, with colours by rich.

Prints the report of a run: colours by rich on a terminal, aligned text anywhere else. Shows before how far the run is: a
live bar on a terminal, a line for each tenth elsewhere, nothing when quiet.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias

from conformance.errors import Hindrance
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Verdict
from conformance.report.causes import Cause
from conformance.report.rows import (
    CodeRow,
    Instance,
    RequirementRow,
    RunSummary,
    finding_groups,
    hindrance_of,
    troubled,
    waived,
)
from conformance.report.safe_text import beside, many, shortened, visible, writable

if TYPE_CHECKING:
    from rich.console import Console


Style = Literal["plain", "title", "good", "bad", "warn", "dim"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text."""

    text: str = ""
    style: Style = "plain"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a grid, in one style."""

    cells: tuple[str, ...]
    style: Style = "plain"


@dataclass(frozen=True, slots=True)
class Grid:
    """Aligned columns under a head."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]


Block: TypeAlias = Line | Grid
_RICH_STYLES: dict[Style, str] = {
    "plain": "",
    "title": "bold",
    "good": "green",
    "bad": "bold red",
    "warn": "yellow",
    "dim": "dim",
}


def plain_lines(blocks: Iterable[Block]) -> Iterable[str]:
    """The blocks as text, without trailing blanks."""
    for block in blocks:
        if isinstance(block, Line):
            yield block.text
        else:
            yield from _aligned(block)


def print_rich(blocks: Iterable[Block], console: Console) -> None:
    """The blocks on a terminal; nothing in them is taken for markup."""
    from rich.table import Table
    from rich.text import Text

    for block in blocks:
        if isinstance(block, Line):
            console.print(Text(block.text, style=_RICH_STYLES[block.style]), soft_wrap=True)
            continue
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for position, name in enumerate(block.head):
            is_last = position == len(block.head) - 1
            table.add_column(Text(name), overflow="fold", no_wrap=not is_last)
        for row in block.rows:
            table.add_row(*(Text(cell, style=_RICH_STYLES[row.style]) for cell in row.cells))
        console.print(table)


def _aligned(grid: Grid) -> Iterable[str]:
    rows: Sequence[tuple[str, ...]] = [grid.head, *(row.cells for row in grid.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(grid.head))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


_STYLES: dict[Verdict, Style] = {
    Verdict.PASS: "good",
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.NOT_VERIFIED: "warn",
    Verdict.WAIVED: "warn",
    Verdict.TARGET_ERROR: "bad",
    Verdict.HARNESS_ERROR: "bad",
    Verdict.FAIL: "bad",
}
_MOST_FINDINGS = 5
_MOST_CASES = 20
_LONGEST = 600
_QUIET_VERDICTS = (Verdict.PASS, Verdict.NOT_APPLICABLE)


def full_report(summary: RunSummary, contract: Contract, *, verbose: bool, width: int) -> Iterable[Block]:
    """All but the verdict line; `width` in columns. Without `verbose` passing rows are only counted."""
    for section in (
        requirement_section(summary.requirements, verbose=verbose),
        code_section(summary.error_codes),
        carried_out_section(summary),
        reading_section(summary),
        waiver_section(summary),
        trouble_section(waived(summary), "Waived", "warn"),
        trouble_section(troubled(summary), "No verdict", "bad"),
        finding_section(summary, contract, width),
        cause_section(summary.causes, width),
        [Line(f"- left behind on the target: {visible(one)}", "warn") for one in summary.left_behind],
        [Line(f"- {visible(reason)}", "warn") for reason in (*summary.reasons, *summary.notices)],
    ):
        blocks = list(section)
        if blocks:
            yield from blocks
            yield Line()


def messages_words(summary: RunSummary) -> str:
    """How many messages were judged, and of how many that were sent, as far as that is known."""
    judged = many(summary.requests_sent, "judged message")
    return f"{judged} of {summary.messages_sent} sent" if summary.messages_sent else judged


_LONGEST_WHY = 200


def verdict_line(summary: RunSummary) -> Line:
    """`verdict: pass (exit 0) · 736 of 1,477 cases carried out, 741 outside the scope · 1204 judged messages of …`."""
    why = (f"cut short: {shortened(visible(summary.cut_short), _LONGEST_WHY)}",) if summary.cut_short else ()
    parts = (
        f"verdict: {summary.verdict} (exit {summary.exit_code})",
        *why,
        summary.carried_out.words,
        messages_words(summary),
        f"{summary.duration_s:.1f} s",
    )
    return Line(" · ".join(parts), "good" if summary.exit_code == 0 else "bad")


def requirement_section(rows: Sequence[RequirementRow], *, verbose: bool) -> Iterable[Block]:
    """The requirements, grouped by operation; those that need no attention are counted unless `verbose`."""
    for operation, group in groupby(sorted(rows, key=lambda row: (row.operation, row.id)), _operation_of):
        listed = list(group)
        yield Line(f"{operation}: {_tally(listed)}", "title")
        shown = [row for row in listed if verbose or row.verdict not in _QUIET_VERDICTS]
        if shown:
            yield Grid(
                ("requirement", "level", "verdict", "cases", "reason"),
                tuple(_requirement(row) for row in shown),
            )


def code_section(rows: Sequence[CodeRow]) -> Iterable[Block]:
    """For each operation a matrix of code against transport and media type, then the reasons of its gaps."""
    for operation, group in groupby(rows, _operation_of):
        cells = {(row.code, f"{row.transport} {row.media_type}"): row for row in group}
        columns = sorted({column for _, column in cells})
        codes = list(dict.fromkeys(code for code, _ in cells))
        yield Line(f"Error codes of {operation}", "title")
        yield Grid(
            ("code", *columns),
            tuple(_code(code, [cells.get((code, column)) for column in columns]) for code in codes),
        )
        yield from _gap_lines(cells.values())


def carried_out_section(summary: RunSummary) -> Iterable[Block]:
    """How many cases were carried out, and how many not for which reason, with one of them; nothing when all were."""
    done = summary.carried_out
    if not done.hindered:
        return
    yield Line(f"Cases carried out: {done.cases:,} of {done.of:,} ({done.share:.1%})", "title")
    rows = []
    for reason, count in done.hindered.items():
        example = next((one for one in summary.cases if hindrance_of(one) == reason), None)
        shown = "" if example is None else f"{example.id}: {example.accepted or example.reason}"
        rows.append(Row((reason, f"{count:,}", _brief(shown)), "dim" if reason == Hindrance.ACCEPTED else "warn"))
    yield Grid(("not carried out", "cases", "such as"), tuple(rows))


def reading_section(summary: RunSummary) -> Iterable[Block]:
    """The readings that were observed, and those that are pinned."""
    rows = []
    for row in summary.readings:
        if not row.observed and row.pinned is None:
            continue
        seen = ", ".join(f"{visible(name)} {count}×" for name, count in sorted(row.observed.items())) or "-"
        note = "mixed" if row.mixed else ""
        rows.append(Row((visible(row.id), seen, row.pinned or "", note), "warn" if row.mixed else "plain"))
    if rows:
        yield Line("Readings observed", "title")
        yield Grid(("reading", "alternatives", "pinned", "note"), tuple(rows))


def waiver_section(summary: RunSummary) -> Iterable[Block]:
    """The waivers that matched, each with the number of its cases."""
    if summary.waivers:
        yield Line("Waivers", "title")
        rows = (Row((visible(label), str(count)), "warn") for label, count in summary.waivers.items())
        yield Grid(("waiver", "cases"), tuple(rows))


def trouble_section(cases: Sequence[CaseResult], title: str, style: Style) -> Iterable[Block]:
    """The first cases of a kind that deserves a line each, with their reasons."""
    if not cases:
        return
    yield Line(f"{title}: {many(len(cases), 'case')}", "title")
    shown = cases[:_MOST_CASES]
    yield Grid(
        ("case", "verdict", "reason"),
        tuple(Row((result.id, result.verdict.value, _brief(result.reason)), style) for result in shown),
    )
    if len(cases) > len(shown):
        yield Line(f"and {len(cases) - len(shown)} more, in results.json", "dim")


def finding_section(summary: RunSummary, contract: Contract, width: int) -> Iterable[Block]:
    """The findings by requirement, with expected and actual side by side in `width` columns."""
    for position, group in enumerate(finding_groups(summary, contract, _MOST_FINDINGS)):
        if position:
            yield Line()
        yield Line(f"{group.requirement} ({group.level}): {many(group.total, 'finding')}", "bad")
        if group.place:
            yield Line(f"  {group.document}, {group.place}", "dim")
        for line in textwrap.wrap(group.text, max(40, width - 2)):
            yield Line(f"  {line}")
        for instance in group.shown:
            yield from _instance(instance, width)
        if group.hidden:
            yield Line(f"  and {many(group.hidden, 'more finding')}, in results.json", "dim")


def cause_section(causes: Sequence[Cause], width: int) -> Iterable[Block]:
    """One line for each cause, the heaviest first; where it is too long, the rest of it stands below."""
    if not causes:
        return
    yield Line(f"Causes: {len(causes)}", "title")
    for number, cause in enumerate(causes, 1):
        line = f"{number}. {cause.kind.words}: {cause.requirement}, {many(cause.cases, 'case')} of {cause.of}: {cause.message}"
        line += f"; {cause.common.words}" if cause.common else ""
        wrapped = textwrap.wrap(_brief(line), max(40, width), subsequent_indent="   ", break_on_hyphens=False)
        yield from (Line(text, "bad") for text in wrapped)


def side_by_side(left: str, right: str, width: int) -> Iterable[str]:
    """Two texts wrapped next to each other, `width` columns in all."""
    half = max(20, (width - 3) // 2)
    columns = [textwrap.wrap(text, half, break_on_hyphens=False) or [""] for text in (left, right)]
    for row in range(max(len(column) for column in columns)):
        cells = [column[row] if row < len(column) else "" for column in columns]
        yield f"{cells[0].ljust(half)} | {cells[1]}".rstrip()


def _instance(instance: Instance, width: int) -> Iterable[Block]:
    finding = instance.finding
    place = f" at {visible(finding.at)}" if finding.at else ""
    yield Line(f"  * {instance.case.id}{place}", "title")
    yield Line(f"    {_brief(finding.message)}")
    if finding.expected or finding.actual:
        expected, actual = beside(finding.expected, finding.actual, _LONGEST)
        for line in side_by_side(f"expected: {expected}", f"actual: {actual}", width - 4):
            yield Line(f"    {line}")
    yield Line(f"    {instance.replay}", "dim")


def _brief(text: str) -> str:
    return shortened(visible(text), _LONGEST)


def _operation_of(row: RequirementRow | CodeRow) -> str:
    return row.operation


def _tally(rows: Sequence[RequirementRow]) -> str:
    counts = [(verdict, sum(row.verdict is verdict for row in rows)) for verdict in Verdict]
    return ", ".join(f"{count} {verdict.value}" for verdict, count in counts if count)


def _requirement(row: RequirementRow) -> Row:
    cases = f"{len(row.cases)}+{row.generated}" if row.generated else str(len(row.cases))
    reason = f"accepted: {row.reason}" if row.accepted else row.reason
    return Row((row.id, row.level, row.verdict.value, cases, _brief(reason)), _STYLES[row.verdict])


def _code(code: str, cells: Sequence[CodeRow | None]) -> Row:
    words = tuple("" if cell is None else _cell(cell) for cell in cells)
    verdicts = [cell.verdict for cell in cells if cell is not None]
    worst = max(verdicts, key=list(Verdict).index)
    return Row((code, *words), _STYLES[worst])


def _cell(cell: CodeRow) -> str:
    return f"{cell.verdict.value} (accepted)" if cell.accepted else cell.verdict.value


def _gap_lines(cells: Iterable[CodeRow]) -> Iterable[Line]:
    reasons: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        if cell.verdict is not Verdict.PASS and cell.reason:
            reasons.setdefault((cell.code, cell.reason), []).append(f"{cell.transport} {cell.media_type}")
    for (code, reason), places in reasons.items():
        yield Line(f"  {code} ({', '.join(sorted(places))}): {_brief(reason)}", "dim")


_PLAIN_WIDTH = 110


def is_live(out: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether `out` is a terminal that can move its cursor."""
    return out.isatty() and environ.get("TERM", "dumb") not in ("", "dumb")


def print_report(
    summary: RunSummary,
    contract: Contract,
    out: TextIO,
    environ: Mapping[str, str],
    *,
    quiet: bool = False,
    verbose: bool = False,
) -> None:
    """The whole report, verdict last; `quiet`: the verdict alone. Respects `NO_COLOR` in `environ`."""
    if is_live(out, environ):
        from rich.console import Console

        console = Console(file=out, highlight=False, no_color=bool(environ.get("NO_COLOR")), force_terminal=True)
        if not quiet:
            print_rich(full_report(summary, contract, verbose=verbose, width=console.width), console)
        print_rich([verdict_line(summary)], console)
        return
    lines = [] if quiet else list(plain_lines(full_report(summary, contract, verbose=verbose, width=_PLAIN_WIDTH)))
    lines.extend(plain_lines([verdict_line(summary)]))
    out.write(writable("\n".join(lines) + "\n", getattr(out, "encoding", None)))
    out.flush()


_MOST_FAILURES = 20
_BAD = (Verdict.FAIL, Verdict.TARGET_ERROR, Verdict.HARNESS_ERROR)

Report = Callable[[CaseResult], None]


@contextmanager
def progress(
    total: int, out: TextIO, environ: Mapping[str, str], *, quiet: bool = False, done: int = 0
) -> Iterator[Report]:
    """A function to call with each finished case; `done` of `total` cases are finished from the start."""
    if quiet:
        yield _silent
    elif is_live(out, environ):
        with _live(total, out, environ, done) as report:
            yield report
    else:
        yield _plain(total, out, done)


def _silent(_result: CaseResult) -> None:
    """Quiet: say nothing."""


def _plain(total: int, out: TextIO, done: int) -> Report:
    """A line for each of the first failures and for each tenth of the run."""
    finished, bad, tenths = done, 0, done * 10 // max(total, 1)

    def say(text: str) -> None:
        out.write(writable(text + "\n", getattr(out, "encoding", None)))
        out.flush()

    def report(result: CaseResult) -> None:
        nonlocal finished, bad, tenths
        finished += 1
        if result.verdict in _BAD:
            bad += 1
            if bad <= _MOST_FAILURES:
                say(f"{result.verdict.value}: {result.id}: {_first_words(result)}")
            if bad == _MOST_FAILURES:
                say("more failures are counted, not listed; the report at the end has them")
        reached = min(finished, total) * 10 // max(total, 1)  # what exploring finds was not planned
        if reached > tenths:
            tenths = reached
            say(f"{reached * 10:3d}%  {finished} of {many(total, 'case')}, {bad} failed")

    return report


@contextmanager
def _live(total: int, out: TextIO, environ: Mapping[str, str], done: int) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(file=out, highlight=False, no_color=bool(environ.get("NO_COLOR")), force_terminal=True)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("cases, {task.fields[bad]} failed"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, refresh_per_second=5) as bar:
        task = bar.add_task("run", total=total, completed=done, bad=0)
        bad = 0

        def report(result: CaseResult) -> None:
            nonlocal bad
            bad += result.verdict in _BAD
            bar.update(task, advance=1, bad=bad)

        yield report


def _first_words(result: CaseResult) -> str:
    words = result.findings[0].message if result.findings else result.reason
    return shortened(visible(words), 200)
