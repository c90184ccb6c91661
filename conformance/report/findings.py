"""Findings by requirement, so that hundreds of them stay readable, each with the command that replays it."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from conformance.model.spec import Contract
from conformance.model.verdict import FROZEN_NOTE, CaseResult, Finding, RunInfo, Verdict
from conformance.report.rows import RunSummary

_UNKNOWN = "not in this contract"


@dataclass(frozen=True, slots=True)
class Instance:
    """One finding with the case that made it."""

    case: CaseResult
    finding: Finding
    replay: str


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """The findings on one requirement; `text` and `place` are the contract's words."""

    requirement: str
    level: str
    document: str
    place: str
    text: str
    shown: tuple[Instance, ...]
    total: int

    @property
    def hidden(self) -> int:
        """How many findings are counted but not shown."""
        return self.total - len(self.shown)


def finding_groups(summary: RunSummary, contract: Contract, most: int) -> tuple[FindingGroup, ...]:
    """The findings that no waiver covers, sorted by requirement and case, at most `most` shown in each group.

    Named cases come first; one finding of each case is shown before a second one of any.
    """
    by_requirement: defaultdict[str, list[tuple[CaseResult, Finding]]] = defaultdict(list)
    for result in summary.cases:
        if result.verdict is not Verdict.WAIVED:
            for finding in result.findings:
                by_requirement[finding.requirement].append((result, finding))
    return tuple(_group(name, by_requirement[name], contract, summary.info, most) for name in sorted(by_requirement))


def waived(summary: RunSummary) -> tuple[CaseResult, ...]:
    """The cases that a waiver covers, sorted by id."""
    return tuple(result for result in summary.cases if result.verdict is Verdict.WAIVED)


def troubled(summary: RunSummary) -> tuple[CaseResult, ...]:
    """The cases that ended in an error of the target or of the harness, sorted by id."""
    errors = (Verdict.TARGET_ERROR, Verdict.HARNESS_ERROR)
    return tuple(result for result in summary.cases if result.verdict in errors)


def replay_name(result: CaseResult) -> str:
    """What `conformance replay` takes for a case: its id, or the file into which an exploring run wrote it."""
    frozen = (note.removeprefix(FROZEN_NOTE) for note in result.notes if note.startswith(FROZEN_NOTE))
    return next(frozen, result.id)


def replay_command(case_id: str, info: RunInfo) -> str:
    """The command line that sends the case again; names the target's `file` or `url` when the run had one."""
    words = ["conformance", "replay", case_id]
    source = info.target.get("file") or info.target.get("url")
    if isinstance(source, str):
        words += ["--target", source]
    return shlex.join(words)


def _group(
    name: str, found: list[tuple[CaseResult, Finding]], contract: Contract, info: RunInfo, most: int
) -> FindingGroup:
    shown = tuple(
        Instance(result, finding, replay_command(replay_name(result), info)) for result, finding in _spread(found)
    )[:most]
    requirement = contract.requirements.get(name)
    if requirement is None:
        return FindingGroup(name, "must", "", "", _UNKNOWN, shown, len(found))
    return FindingGroup(
        requirement=name,
        level=requirement.level,
        document=requirement.document,
        place=requirement.place,
        text=requirement.text,
        shown=shown,
        total=len(found),
    )


def _spread(found: list[tuple[CaseResult, Finding]]) -> Iterable[tuple[CaseResult, Finding]]:
    """First findings of all cases, then second ones, and so on; named before generated."""
    seen: defaultdict[str, int] = defaultdict(int)
    ranked = []
    for position, (result, finding) in enumerate(found):
        ranked.append((seen[result.id], result.tier != "named", position, result, finding))
        seen[result.id] += 1
    ranked.sort(key=lambda entry: entry[:3])
    return ((result, finding) for *_, result, finding in ranked)
