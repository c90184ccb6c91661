"""The suite as pytest sees it: a file, an operation in it, an item in that."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.errors import ConformanceError
from conformance.model.verdict import Verdict
from conformance.pytest_plugin.docket import Outcome
from conformance.pytest_plugin.layout import Entry
from conformance.pytest_plugin.words import finding_words, first_words

if TYPE_CHECKING:
    from conformance.pytest_plugin.front import Front


class Violation(Exception):
    """An item's requirement is violated; the message is one line, `words` the whole story."""

    def __init__(self, line: str, words: str) -> None:
        super().__init__(line)
        self.words = words


class NoVerdict(Exception):
    """The target or the harness failed, so that there is no verdict on an item."""


class SuiteFile(pytest.File):
    """The whole suite; its id is the module's name, which `--pyargs` takes."""

    front: Front

    @classmethod
    def of(cls, front: Front, parent: pytest.Collector, path: Path, nodeid: str) -> SuiteFile:
        """The node of the file at `path`."""
        suite: SuiteFile = cls.from_parent(parent, path=path, name=nodeid, nodeid=nodeid)
        suite.front = front
        return suite

    def collect(self) -> Iterator[pytest.Collector]:
        """One collector for each operation."""
        for name, group in groupby(self.front.entries(), lambda entry: entry.operation):
            operation: OperationNode = OperationNode.from_parent(self, name=name)
            operation.front, operation.entries = self.front, tuple(group)
            yield operation


class OperationNode(pytest.Collector):
    """One operation."""

    front: Front
    entries: tuple[Entry, ...]

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each requirement and format."""
        for entry in self.entries:
            item: EntryItem = EntryItem.from_parent(self, name=entry.name, nodeid=f"{self.nodeid}::{entry.name}")
            item.front, item.entry = self.front, entry
            if entry.channel is not None:
                item.extra_keyword_matches.update((entry.channel.transport, entry.channel.media_type))
            yield item


class EntryItem(pytest.Item):
    """One requirement of one operation in one format. Its cases run in its set-up, so that what is no verdict is an error."""

    front: Front
    entry: Entry
    outcome: Outcome

    def setup(self) -> None:
        """Run the cases. Raises `NoVerdict` when the target or the harness failed."""
        try:
            self.outcome = self.front.docket.run(self.entry)
        except ConformanceError as error:
            raise NoVerdict(str(error)) from None
        if self.outcome.verdict in (Verdict.TARGET_ERROR, Verdict.HARNESS_ERROR):
            raise NoVerdict(f"{self.outcome.verdict.value}: {self.outcome.reason}")

    def runtest(self) -> None:
        """Pass, or say why not."""
        verdict, reason = self.outcome.verdict, self.outcome.reason
        if verdict is Verdict.WAIVED:
            pytest.xfail(reason)
        if verdict is Verdict.FAIL:
            broken, complaints = self.outcome.broken, self.outcome.complaints
            words = finding_words(self.front.contract, self.front.info, broken, complaints)
            raise Violation(first_words(broken, complaints), words)
        if verdict in (Verdict.NOT_VERIFIED, Verdict.NOT_APPLICABLE):
            pytest.skip(f"{verdict.value}: {reason}" if reason else verdict.value)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_style: Any, **_more: Any) -> Any:
        """The words of the report; for anything unexpected a traceback without local variables, which may hold secrets."""
        error = excinfo.value
        if isinstance(error, Violation):
            return error.words
        if isinstance(error, NoVerdict):
            return str(error)
        return excinfo.getrepr(style="short", showlocals=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where and under which name pytest reports the item."""
        return self.path, None, self.name
