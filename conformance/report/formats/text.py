"""The parts of the report that a person reads: requirements, error codes, readings, causes, verdict.

A report as lines and grids, written as aligned text or, on a terminal, with colours by rich. It fits 80 columns, but for
ids and commands, which nobody wants broken.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias

from conformance.cases.combinations.count import Coverage
from conformance.errors import Hindrance
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Verdict
from conformance.report.rows import (
    CodeRow,
    Instance,
    RequirementRow,
    RunSummary,
    finding_groups,
    hindrance_of,
)
from conformance.report.safe_text import beside, many, shortened, visible

if TYPE_CHECKING:
    from rich.console import Console

    from conformance.cases.families.spellings import Production


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


def plain_lines(blocks: Iterable[Block], width: int | None = None) -> Iterable[str]:
    """The blocks as text, without trailing blanks; with a width, the last column of a grid is wrapped into it."""
    for block in blocks:
        if isinstance(block, Line):
            yield block.text
        else:
            yield from _aligned(block, width)


def is_live(out: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether `out` is a terminal that can move its cursor."""
    return out.isatty() and environ.get("TERM", "dumb") not in ("", "dumb")


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


_LEAST_ROOM = 20


def _aligned(grid: Grid, width: int | None) -> Iterable[str]:
    rows: Sequence[tuple[str, ...]] = [grid.head, *(row.cells for row in grid.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(grid.head))]
    indent = sum(widths[:-1]) + 2 * (len(widths) - 1)
    for row in rows:
        head = "".join(f"{cell.ljust(size)}  " for cell, size in zip(row[:-1], widths[:-1], strict=True))
        room = max(_LEAST_ROOM, (width or 0) - indent)
        lines = textwrap.wrap(row[-1], room, break_on_hyphens=False) if width else [row[-1]]
        yield f"{head}{lines[0] if lines else ''}".rstrip()
        yield from (f"{'':{indent}}{line}" for line in lines[1:])


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
LONGEST = 600
_QUIET_VERDICTS = (Verdict.PASS, Verdict.NOT_APPLICABLE)


def messages_words(summary: RunSummary) -> str:
    """How many messages were judged, and of how many that were sent, as far as that is known."""
    judged = many(summary.requests_sent, "judged message")
    return f"{judged} of {summary.messages_sent} sent" if summary.messages_sent else judged


LONGEST_WHY = 200


def verdict_line(summary: RunSummary) -> Line:
    """`verdict: pass (exit 0) · 736 of 1,477 cases carried out, 741 outside the scope · 1204 judged messages of …`."""
    why = (f"cut short: {shortened(visible(summary.cut_short), LONGEST_WHY)}",) if summary.cut_short else ()
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
    for operation, group in groupby(sorted(rows, key=lambda row: (row.operation, row.id)), operation_of):
        listed = list(group)
        yield Line(f"{operation}: {_tally(listed)}", "title")
        shown = [row for row in listed if verbose or row.verdict not in _QUIET_VERDICTS]
        if shown:
            head = ("requirement", "level", "verdict", "cases", "reason")
            yield Grid(head, tuple(map(_requirement, shown))) if verbose else Grid(_brief_row(head), _brief_rows(shown))


_MANY_ALIKE = 4


def _brief_rows(rows: Sequence[RequirementRow]) -> tuple[Row, ...]:
    """The rows of a table; many of one verdict for one reason are one row."""
    alike: Counter[tuple[Verdict, str]] = Counter(
        (row.verdict, row.reason) for row in rows if row.verdict is not Verdict.FAIL
    )
    brief: dict[tuple[Verdict, str], Row] = {}
    for row in rows:
        count, line = alike[row.verdict, row.reason], _requirement(row)
        if count < _MANY_ALIKE:
            brief[row.verdict, row.id] = replace(line, cells=_brief_row(line.cells))
        else:
            brief[row.verdict, row.reason] = replace(
                line, cells=(f"{count} requirements", line.cells[2], "", line.cells[-1])
            )
    return tuple(brief.values())


def _brief_row(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Without the level, which nearly always is `must`."""
    return cells[0], *cells[2:]


def code_section(rows: Sequence[CodeRow]) -> Iterable[Block]:
    """For each operation a matrix of code against transport and media type, then the reasons of its gaps."""
    for operation, group in groupby(rows, operation_of):
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
        rows.append(Row((reason, f"{count:,}", brief(shown)), "dim" if reason == Hindrance.ACCEPTED else "warn"))
    yield Grid(("not carried out", "cases", "such as"), tuple(rows))


def coverage_section(rows: Sequence[Coverage]) -> Iterable[Block]:
    """For each operation, how many of the possible combinations of levels its cases have covered."""
    if not rows:
        return
    yield Line("Combinations covered", "title")
    yield Grid(
        ("operation", "of", "covered", "possible", "share", "only in cases not carried out", "in no case"),
        tuple(_coverage(row) for row in rows),
    )


def _coverage(row: Coverage) -> Row:
    lost = ", ".join(f"{count:,} {reason}" for reason, count in row.hindered.items()) or "-"
    cells = (
        "1 factor" if row.strength == 1 else f"{row.strength} factors",
        f"{row.covered:,}",
        f"{row.possible:,}",
        f"{row.share:.1%}",
        lost,
    )
    return Row((row.operation, *cells, f"{row.uncovered:,}"), "plain" if row.covered == row.possible else "warn")


STANDINGS = ("held", "hindered", "no such value", "unwritten")
"""What may be said of a production for an operation, in the order in which it is counted."""


def spelling_section(found: Sequence[Production], *, each: bool) -> Iterable[Block]:
    """For each operation and grammar how many productions its cases hold; with `each` every production by itself."""
    if not found:
        return
    groups: dict[tuple[str, str], list[Production]] = {}
    for one in found:
        groups.setdefault((one.operation, one.row.grammar), []).append(one)
    yield Line("Spellings", "title")
    yield Grid(
        (
            "operation",
            "grammar",
            "productions",
            "held",
            "only in cases not carried out",
            "no value has it",
            "unwritten",
        ),
        tuple(
            Row(
                (*key, f"{len(own)}", *(f"{sum(1 for one in own if one.standing == name)}" for name in STANDINGS)),
                "warn" if any(one.standing == "hindered" for one in own) else "plain",
            )
            for key, own in groups.items()
        ),
    )
    if each:
        rows = {one.row.id: one.row for one in found}
        by_row = {name: [one for one in found if one.row.id == name] for name in rows}
        yield Line("Productions", "title")
        yield Grid(
            ("production", "clause", "cases", "what is written"),
            tuple(
                Row(
                    (name, row.clause, _held(by_row[name]), row.text + (f" ({row.unwritten})" if row.unwritten else ""))
                )
                for name, row in rows.items()
            ),
        )


def _held(found: Sequence[Production]) -> str:
    """How many cases hold a production, and how many of them cannot be sent."""
    cases, carried_out = sum(one.cases for one in found), sum(one.carried_out for one in found)
    if not cases:
        return "-"
    return f"{cases}" if cases == carried_out else f"{carried_out} of {cases}"


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


_MOST_TELLING = 2


def edition_section(summary: RunSummary) -> Iterator[Line]:
    """A line for each operation with editions: which one the endpoint speaks, and some of the cases that tell."""
    for row in summary.editions:
        pinned = "" if row.pinned is None else f" (the target file pins {visible(row.pinned)})"
        told = "".join(
            f"; {word} {visible(name)} {_some(cases)}"
            for name, one in row.told.items()
            for word, cases in (("for", one.speaks_for), ("against", one.against))
            if cases
        )
        style: Style = "plain" if row.pinned in (None, *row.spoken) else "warn"
        yield Line(f"Edition of {visible(row.operation)}: {visible(row.words)}{pinned}{told}", style)


def _some(cases: Sequence[str]) -> str:
    more = f" and {len(cases) - _MOST_TELLING} more" if len(cases) > _MOST_TELLING else ""
    return ", ".join(map(visible, cases[:_MOST_TELLING])) + more


def waiver_section(summary: RunSummary) -> Iterable[Block]:
    """The waivers that matched, each with the number of its cases."""
    if summary.waivers:
        yield Line("Waivers", "title")
        rows = (Row((visible(label), str(count)), "warn") for label, count in summary.waivers.items())
        yield Grid(("waiver", "cases"), tuple(rows))


def trouble_section(cases: Sequence[CaseResult], title: str, style: Style, width: int) -> Iterable[Block]:
    """The first cases of a kind that deserves to be listed, each with its reason below."""
    if not cases:
        return
    yield Line(f"{title}: {many(len(cases), 'case')}", "title")
    for result in cases[:_MOST_CASES]:
        yield Line(f"{result.verdict.value}: {result.id}", style)
        for line in textwrap.wrap(brief(result.reason), max(40, width - 4), break_on_hyphens=False):
            yield Line(f"    {line}")
    if len(cases) > _MOST_CASES:
        yield Line(f"and {len(cases) - _MOST_CASES} more, in results.json", "dim")


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
    yield Line(f"    {brief(finding.message)}")
    if finding.expected or finding.actual:
        expected, actual = beside(finding.expected, finding.actual, LONGEST)
        for line in side_by_side(f"expected: {expected}", f"actual: {actual}", width - 4):
            yield Line(f"    {line}")
    for line in instance.case.history.splitlines():
        yield Line(f"    {visible(line)}", "dim")
    yield Line(f"    {instance.replay}", "dim")


def brief(text: str) -> str:
    return shortened(visible(text), LONGEST)


def operation_of(row: RequirementRow | CodeRow) -> str:
    return row.operation


def _tally(rows: Sequence[RequirementRow]) -> str:
    counts = [(verdict, sum(row.verdict is verdict for row in rows)) for verdict in Verdict]
    return ", ".join(f"{count} {verdict.value}" for verdict, count in counts if count)


def _requirement(row: RequirementRow) -> Row:
    cases = f"{len(row.cases)}+{row.generated}" if row.generated else str(len(row.cases))
    reason = f"accepted: {row.reason}" if row.accepted else row.reason
    return Row((row.id, row.level, row.verdict.value, cases, brief(reason)), _STYLES[row.verdict])


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
        yield Line(f"  {code} ({', '.join(sorted(places))}): {brief(reason)}", "dim")
