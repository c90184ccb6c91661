"""The reports of a pytest run, as of `conformance run`: the journal while items finish, the summary at the end."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from conformance.endpoint.model import TargetFile
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, RunInfo, Verdict
from conformance.pytest_plugin.layout import Entry
from conformance.report.formats.registry import write_reports
from conformance.report.journal import FILE_NAME, Header, JournalWriter, case_line, result_from
from conformance.report.rows import Gathering, RunSummary
from conformance.report.run_info import Ending, Settings, SummaryOptions
from conformance.report.several import added
from conformance.report.summary import summarise
from conformance.run.selection import Selection
from conformance.run.session import Waivers

_WORST_LAST = list(Verdict)


def packed(results: Iterable[CaseResult]) -> list[str]:
    """Results as lines that a worker can send to the process that writes the reports."""
    return [json.dumps(case_line(result), separators=(",", ":")) for result in results]


@dataclass(frozen=True, slots=True)
class Tail:
    """What one worker says of its run when it has ended."""

    stopped: str = ""
    left_behind: tuple[str, ...] = ()
    throttled: int = 0
    messages: Mapping[str, int] = field(default_factory=dict)
    untrue_lacks: tuple[str, ...] = ()

    def packed(self) -> dict[str, Any]:
        """As simple values."""
        return {
            "stopped": self.stopped,
            "left_behind": list(self.left_behind),
            "throttled": self.throttled,
            "messages": dict(self.messages),
            "untrue_lacks": list(self.untrue_lacks),
        }

    @classmethod
    def unpacked(cls, raw: Mapping[str, Any]) -> Tail:
        """From what `packed` gives."""
        return cls(
            raw["stopped"], tuple(raw["left_behind"]), raw["throttled"], raw["messages"], tuple(raw["untrue_lacks"])
        )


@dataclass(slots=True)
class Record:
    """Everything that the report folder gets. A case that two workers ran is counted once, by its worse verdict."""

    folder: Path
    contract: Contract
    info: RunInfo
    settings: Settings
    waivers: Waivers
    expected: set[str] = field(default_factory=set)
    """Ids of items that have not ended."""
    _started: float = field(default_factory=time.monotonic)
    _results: Gathering = field(default_factory=Gathering)
    _seen: set[tuple[str, Verdict]] = field(default_factory=set)
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _journal: JournalWriter | None = None

    def begin(self) -> None:
        """Open the journal. Raises `JournalError` when it cannot be written."""
        header = Header(self.info, self.settings)
        self._journal = self._open.enter_context(JournalWriter(self.folder / FILE_NAME, header))

    def add(self, lines: Iterable[str]) -> None:
        """Take results as `packed` gives them."""
        assert self._journal is not None
        for line in lines:
            raw = result_from(json.loads(line))
            result = self.waivers.apply(raw)
            if self._is_news(result):
                self._results.add(result)
                self._journal.write(result)

    def _is_news(self, result: CaseResult) -> bool:
        if result.tier == "named":
            known = self._results.named.get(result.id)
            return known is None or _WORST_LAST.index(result.verdict) > _WORST_LAST.index(known.verdict)
        if (result.id, result.verdict) in self._seen:
            return False
        self._seen.add((result.id, result.verdict))
        return True

    def finish(self, tails: Sequence[Tail]) -> RunSummary:
        """Close the journal, write the reports; `tails` are of all workers. Raises `ConformanceError` if that fails."""
        assert self._journal is not None
        stopped = next((tail.stopped for tail in tails if tail.stopped), "")
        ending = Ending(
            duration_s=round(time.monotonic() - self._started, 3),
            stopped=stopped,
            interrupted=bool(self.expected) and not stopped,
            waivers_unmatched=() if stopped else self.waivers.unmatched(narrowed=self.settings.narrowed),
            waivers_expired=self.waivers.expired(),
            waivers_matched=self.waivers.counts(),
            waivers_beyond=self.waivers.beyond(),
            left_behind=tuple(sorted(one for tail in tails for one in tail.left_behind)),
            untrue_lacks=tuple(sorted({one for tail in tails for one in tail.untrue_lacks})),
            throttled=sum(tail.throttled for tail in tails),
            messages=added(tail.messages for tail in tails),
        )
        with self._open:
            self._journal.finish(ending)
        summary = summarise(self.contract, self.info, self._results, SummaryOptions(self.settings, ending))
        write_reports(self.folder, summary, self.contract)
        return summary


def record_of(
    folder: Path, contract: Contract, info: RunInfo, target: TargetFile, gaps: Mapping[tuple[str, str], str],
    operations: Sequence[str], entries: Sequence[Entry], selected: Mapping[str, Entry], generated: int, today: date,
) -> Record:  # fmt: skip
    """A record for the selected items, by their ids, of all those that the operations have.

    When named cases are left out, the run counts as one that asked for the others by name.
    """
    chosen = {case.id for entry in selected.values() for case in entry.cases}
    whole = chosen == {case.id for entry in entries for case in entry.cases}
    selection = Selection(operations=tuple(operations), cases=() if whole else tuple(sorted(chosen)))
    settings = Settings(
        selection=selection,
        accepted_gaps=gaps,
        pinned=target.readings,
        editions=contract.pinned_editions,
        planned=len(chosen) + (generated if any(entry.generated for entry in selected.values()) else 0),
        min_carried_out=target.limits.min_carried_out,
    )
    return Record(folder, contract, info, settings, Waivers(target.waivers, today), expected=set(selected))
