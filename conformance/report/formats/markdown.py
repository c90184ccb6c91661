"""Writes a summary as Markdown, short enough for a pull request or a job's summary page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, RunInfo, Verdict
from conformance.report.causes import Cause
from conformance.report.formats.text import (
    Block,
    Grid,
    carried_out_section,
    code_section,
    coverage_section,
    edition_section,
    messages_words,
    reading_section,
    waiver_section,
)
from conformance.report.rows import (
    SHOWN_ORDER,
    ReportFormat,
    RunSummary,
    replay_command,
    troubled,
    waived,
)
from conformance.report.safe_text import beside, many, shortened, visible

_MOST_CAUSES = 20
_MOST_ROWS = 50
_LONGEST = 300
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&])")
_Row = TypeVar("_Row")


def to_markdown(summary: RunSummary, _contract: Contract) -> str:
    """Verdict, what was not verified, counts, the causes with the heaviest first, what did not pass, matrix, readings."""
    lines = [f"# Conformance: {summary.verdict} (exit {summary.exit_code})", "", inline(summary.carried_out.words), ""]
    limited = f"limited to {summary.chosen}; nothing else of the contract was tried"
    remarks = (
        *((limited,) if summary.chosen else ()),
        *summary.reasons,
        *summary.notices,
        *(f"left behind on the target: {one}" for one in summary.left_behind),
    )
    lines += [f"- {inline(remark)}" for remark in remarks]
    lines += [""] if remarks else []
    lines += _counts(summary)
    lines += _causes(summary)
    lines += _requirements(summary)
    lines += _blocks(code_section(summary.error_codes))
    lines += _blocks(carried_out_section(summary))
    lines += _blocks(coverage_section(summary.coverage))
    lines += _blocks(reading_section(summary))
    lines += _blocks(edition_section(summary))
    lines += _blocks(waiver_section(summary))
    lines += _cases("Waived", waived(summary))
    lines += _cases("No verdict", troubled(summary))
    return "\n".join(lines).rstrip() + "\n"


def _counts(summary: RunSummary) -> list[str]:
    kinds = {"requirements": summary.requirement_counts, "cases": summary.case_counts}
    rows = [(name, *(str(counts[verdict.value]) for verdict in SHOWN_ORDER)) for name, counts in kinds.items()]
    sent = f"{messages_words(summary)} in {summary.duration_s:.1f} s, seed {summary.info.seed}."
    return [*_table(("", *(verdict.value for verdict in SHOWN_ORDER)), rows), sent, ""]


def _requirements(summary: RunSummary) -> list[str]:
    quiet = (Verdict.PASS, Verdict.NOT_APPLICABLE)
    rows = [row for row in summary.requirements if row.verdict not in quiet]
    if not rows:
        return []
    cells = [(row.id, row.level, row.verdict.value, row.reason) for row in rows[:_MOST_ROWS]]
    return [
        "## Requirements that did not pass",
        "",
        *_table(("requirement", "level", "verdict", "reason"), cells),
        *_more(rows),
    ]


def _cases(title: str, cases: Sequence[CaseResult]) -> list[str]:
    if not cases:
        return []
    cells = [(result.id, result.verdict.value, result.reason) for result in cases[:_MOST_ROWS]]
    return [f"## {title}", "", *_table(("case", "verdict", "reason"), cells), *_more(cases)]


def _more(rows: Sequence[_Row]) -> list[str]:
    hidden = len(rows) - _MOST_ROWS
    return [f"and {hidden} more, in results.json", ""] if hidden > 0 else []


def _causes(summary: RunSummary) -> list[str]:
    """What is wrong, each thing once, with its clause, what its cases have in common and one example."""
    lines: list[str] = []
    history = {result.id: result.history for result in summary.cases if result.history}
    for number, cause in enumerate(summary.causes[:_MOST_CAUSES], 1):
        lines += _cause(number, cause, summary.info, history.get(cause.example, ""))
    hidden = len(summary.causes) - _MOST_CAUSES
    return [*lines, *([f"and {many(hidden, 'more cause')}, in results.json", ""] if hidden > 0 else [])]


def _cause(number: int, cause: Cause, info: RunInfo, history: str) -> list[str]:
    lines = [f"## {number}. {inline(cause.requirement)}: {cause.kind.words}", "", f"> {inline(cause.text)}"]
    if cause.place:
        lines += [">", f"> {inline(cause.document)}, {inline(cause.place)}"]
    common = f"; {inline(cause.common.words)}" if cause.common else ""
    lines += ["", f"{inline(cause.message)}: {many(cause.cases, 'case')} of {cause.of}{common}", ""]
    finding = cause.finding
    lines.append(f"- **{inline(cause.example)}** {inline(finding.at)}".rstrip())
    pairs = zip(("expected", "actual"), beside(finding.expected, finding.actual, _LONGEST), strict=True)
    lines += [f"  - {name}: {_plain(text)}" for name, text in pairs if text]
    if history:
        lines += ["", *(f"        {visible(line)}" for line in history.splitlines()), ""]
    lines.append(f"  - `{replay_command(cause.replay, info)}`")
    others = (*cause.requirements[1:], *cause.follows)
    if others:
        lines.append(f"- breaks {inline(', '.join(others))} as well")
    return [*lines, ""]


def _blocks(blocks: Iterable[Block]) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        if isinstance(block, Grid):
            lines += ["", *_table(block.head, [row.cells for row in block.rows])]
        elif block.style == "title":
            lines.append(f"## {inline(block.text)}")
        else:
            lines.append(f"- {inline(block.text.strip())}")
    return [*lines, ""] if lines else []


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(inline(cell) for cell in head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(inline(cell) for cell in row)} |" for row in rows]
    return [*lines, ""]


def inline(text: str) -> str:
    """The text as one line in which nothing is taken for markup."""
    return _plain(shortened(visible(text), _LONGEST))


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


MARKDOWN = ReportFormat("report.md", to_markdown)
