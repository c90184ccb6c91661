"""Writes what fits on a glance: a badge as shields.io reads it, the summary of a CI job, annotations of GitHub."""

from __future__ import annotations

import json
from collections.abc import Iterator

from conformance.model.spec import Contract
from conformance.report.causes import Cause
from conformance.report.formats.markdown import inline
from conformance.report.formats.sarif import place_of
from conformance.report.rows import ReportFormat, RunSummary, replay_command
from conformance.report.safe_text import many, visible

_COLOURS = {"pass": "brightgreen", "fail": "red", "incomplete": "yellow", "error": "orange"}
_MARKS = {"pass": "✅", "fail": "❌", "incomplete": "⚠️", "error": "⚠️"}
_MOST_CAUSES = 20
_MOST_ANNOTATIONS = 10
"""GitHub shows so many of a step."""


def to_badge(summary: RunSummary, _contract: Contract) -> str:
    """An endpoint of shields.io: schemaVersion, label, message, color."""
    share = summary.carried_out.share
    message = summary.verdict if share >= 1 else f"{summary.verdict}, {int(share * 100)}% carried out"
    if summary.verdict == "fail":
        message = f"fail: {many(len(summary.causes), 'cause')}"
    badge = {
        "schemaVersion": 1,
        "label": "conformance",
        "message": message,
        "color": _COLOURS[summary.verdict],
        "isError": summary.verdict != "pass",
    }
    return json.dumps(badge, indent=1) + "\n"


def to_job_summary(summary: RunSummary, _contract: Contract) -> str:
    """Verdict, why, and a line for each cause with its clause and its command; far below the 1 MiB that GitHub shows."""
    lines = [f"## {_MARKS[summary.verdict]} Conformance: {summary.verdict}", "", inline(summary.carried_out.words), ""]
    lines += [f"- {inline(one)}" for one in (*summary.reasons, *summary.notices)]
    if summary.causes:
        lines += ["", "| cause | clause | cases | shown by |", "|---|---|---|---|"]
        lines += [_row(cause, summary) for cause in summary.causes[:_MOST_CAUSES]]
        hidden = len(summary.causes) - _MOST_CAUSES
        lines += ["", f"and {many(hidden, 'more cause')}, in results.json"] if hidden > 0 else []
    lines += ["", *_versions(summary)]
    return "\n".join(lines).rstrip() + "\n"


def to_annotations(summary: RunSummary, contract: Contract) -> str:
    """Workflow commands of GitHub Actions: an error for each of the heaviest causes, at the line of its requirement."""
    lines = []
    for cause in summary.causes[:_MOST_ANNOTATIONS]:
        place = place_of(cause, contract)
        where = f"file={_property(place[0])},line={place[1]}," if place else ""
        command = replay_command(cause.replay, summary.info)
        text = _data(f"{cause.message} ({cause.cases} of {cause.of} cases)\n{cause.text}\n{command}")
        lines.append(f"::error {where}title={_property(cause.requirement)}::{text}\n")
    if not lines and summary.verdict != "pass":
        lines.append(f"::error title=Conformance::{_data('; '.join((summary.verdict, *summary.reasons)))}\n")
    return "".join(lines)


def _data(text: str) -> str:
    """As a workflow command takes it: one line, whatever an endpoint has answered."""
    lines = (visible(line) for line in text.replace("%", "%25").split("\n"))
    return "%0A".join(lines)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _row(cause: Cause, summary: RunSummary) -> str:
    command = visible(replay_command(cause.replay, summary.info)).replace("|", "\\|").replace("`", "'")
    cells = (
        inline(cause.message),
        inline(f"{cause.requirement}: {cause.text}"),
        f"{cause.cases} of {cause.of}",
        f"`{command}`",
    )
    return f"| {' | '.join(cells)} |"


def _versions(summary: RunSummary) -> Iterator[str]:
    info = summary.info
    yield f"Tool {inline(info.tool_version)}, contract `{info.specs_digest[:12]}`, seed {info.seed}, run `{info.id}`."


BADGE = ReportFormat("badge.json", to_badge)
ANNOTATIONS = ReportFormat("annotations.txt", to_annotations)
JOB_SUMMARY = ReportFormat("summary.md", to_job_summary)
