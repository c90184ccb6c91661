"""The suite in one pytest process: its options read, its items judged, its reports written.

Without pytest-xdist one process does it all. With it, each worker judges items (against a reference implementation of
its own, or its share of a live target), and the controller joins what they found.

The suite as pytest sees it: a file, an operation in it, an item in that.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.endpoint.choose import ChosenTarget, chosen_target, is_reference
from conformance.endpoint.file import editions_of
from conformance.endpoint.secrets import Vault, with_secrets
from conformance.errors import ConformanceError, UsageError
from conformance.model.spec import Contract
from conformance.model.verdict import RunInfo, Verdict
from conformance.pytest_plugin.engine import SEED, Bench
from conformance.pytest_plugin.items import Docket, Outcome, finding_words, first_words
from conformance.pytest_plugin.layout import Entry, entries, scope_of
from conformance.pytest_plugin.reports import Record, Tail, packed, record_of
from conformance.report.formats.text import verdict_line
from conformance.report.rows import RunSummary
from conformance.report.run_info import accepted_gaps, run_info
from conformance.report.safe_text import visible
from conformance.run.selection import DEFAULT_GENERATED
from conformance.run.session import Waivers
from conformance.run.sharing import Share, demand_locks
from conformance.suite import SUITE, SUITE_FILE


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
    """One requirement of one operation in one format. Its cases run in its set-up, so no verdict means an error."""

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
        """The text of the report; for unexpected errors a traceback without local variables, which may hold secrets."""
        error = excinfo.value
        if isinstance(error, Violation):
            return error.words
        if isinstance(error, NoVerdict):
            return str(error)
        return excinfo.getrepr(style="short", showlocals=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where and under which name pytest reports the item."""
        return self.path, None, self.name


_KEY = "conformance"
_WHOLE_SCOPES = ("no", "each", "load", "loadfile", "loadscope")
"""Ways of dealing items to workers in which all items of a scope come to one process."""


class Front:
    """The hooks of a run that names the suite."""

    def __init__(self, config: pytest.Config) -> None:
        """Raises `pytest.UsageError` for an unusable target or operation."""
        options = config.option
        self.target: str = options.conformance_target
        self.operations = tuple(dict.fromkeys(options.conformance_operations))
        self.generated: int = (
            DEFAULT_GENERATED if options.conformance_generated is None else options.conformance_generated
        )
        self.folder: Path | None = options.conformance_report
        self.today = datetime.now(UTC).date()
        worker: Mapping[str, Any] | None = getattr(config, "workerinput", None)
        dist = getattr(options, "dist", "no")
        self.is_worker = worker is not None
        self.is_controller = worker is None and dist != "no" and not options.collectonly
        self.deals_scopes = dist in _WHOLE_SCOPES
        try:
            self.contract = load_contract(None)
            _demand(self.operations, self.contract)
            self.chosen = asyncio.run(self._look())
            self.contract = self.contract.in_editions(editions_of(self.contract, self.chosen.file))
            if self.is_controller and not is_reference(self.target):
                demand_locks()
        except ConformanceError as error:
            raise pytest.UsageError(str(error)) from None
        self.info: RunInfo = run_info(self.contract, self.chosen, SEED)
        self.room = Path(tempfile.mkdtemp(prefix="conformance-")) if self.is_controller else None
        self.gaps = accepted_gaps(self.contract, self.chosen.file)
        share = _share(worker, live=not is_reference(self.target))
        self.bench = Bench(self.contract, self.target, self.operations, share, self.generated)
        self.docket = Docket(self.bench, self.chosen.file.waivers, self.today, self.gaps)
        self.record: Record | None = None
        self.summary: RunSummary | None = None
        self.trouble: list[str] = []
        self.tails: list[Tail] = []
        self._entries: tuple[Entry, ...] | None = None

    async def _look(self) -> ChosenTarget:
        """The target before anything is started, every secret of it having been found."""
        async with chosen_target(self.target, self.contract, start=False) as chosen:
            with_secrets(chosen.file, Vault(chosen.environment))
            return chosen

    def entries(self) -> tuple[Entry, ...]:
        """All items that the options ask for."""
        if self._entries is None:
            cases = load_cases(self.contract, self.operations or None)
            self._entries = entries(self.contract, cases, self.operations, self.generated)
        return self._entries

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> SuiteFile | None:
        """The suite in place of the empty module that carries its name."""
        if module_path.name != SUITE_FILE.name or not module_path.samefile(SUITE_FILE):
            return None
        return SuiteFile.of(self, parent, module_path, SUITE)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note which items were selected."""
        items = {item.nodeid: item.entry for item in session.items if isinstance(item, EntryItem)}
        self.docket.select(items.values())
        if not self.is_worker and not self.is_controller and not session.config.option.collectonly:
            self._begin_record(items)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """An error in the words of the item; and the last report of an item carries the results that are new."""
        unsettled = isinstance(item, EntryItem) and call.when == "setup" and call.excinfo is not None
        if unsettled and call.excinfo is not None:
            call.excinfo.traceback = call.excinfo.traceback[-1:]  # pytest would take long to write out all of it
        report = yield
        if unsettled and isinstance(item, EntryItem) and call.excinfo is not None and report.failed:
            report.longrepr = str(item.repr_failure(call.excinfo))
        if isinstance(item, EntryItem) and call.when == "teardown" and self.folder is not None:
            report.__dict__[_KEY] = packed(self.bench.fetch())
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write results down where reports are written."""
        if self.record is None or not report.nodeid.startswith(f"{SUITE}::"):
            return
        self.record.add(report.__dict__.get(_KEY, ()))
        if report.when == "teardown":
            self.record.expected.discard(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Close the engine; in a worker hand its ending on, elsewhere write the reports."""
        self.bench.look_back()
        tail = Tail(
            self.bench.stopped,
            self.bench.left_behind,
            self.bench.throttled,
            self.bench.messages,
            self.bench.untrue_lacks,
        )
        self.bench.close()
        if self.is_worker:
            session.config.workeroutput[_KEY] = tail.packed()  # type: ignore[attr-defined]
            return
        if session.config.option.collectonly:
            return
        expired = Waivers(self.chosen.file.waivers, self.today).expired()
        self.trouble.extend(f"waiver expired: {text}" for text in expired)
        self.tails.append(tail)
        if self.record is not None:
            try:
                self.summary = self.record.finish(self.tails)
                done, least = self.summary.carried_out, self.record.settings.min_carried_out
                if not done.reaches(least):
                    self.trouble.append(f"{done.words}; at least {least * 100:g}% have to be")
            except ConformanceError as error:
                self.trouble.append(str(error))
        self.trouble.extend(f"waiver matched nothing: {text}" for text in self._stale_patterns())
        if self.trouble and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _stale_patterns(self) -> tuple[str, ...]:
        """Waivers with a pattern of cases that matched nothing; those with one case are told by its item."""
        if self.record is None or any(tail.stopped for tail in self.tails):
            return ()
        labels = tuple(one.label for one in self.chosen.file.waivers if "*" in one.case)
        stale = self.record.waivers.unmatched(narrowed=self.record.settings.narrowed)
        return tuple(text for text in stale if text.startswith(labels)) if labels else ()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The verdict on the whole, where reports are written; and what no item could say."""
        left = [f"left behind on the target: {one}" for tail in self.tails for one in tail.left_behind]
        if self.summary is None and not self.trouble and not left:
            return
        terminalreporter.section("conformance")
        for text in (*self.trouble, *left):
            terminalreporter.line(visible(text))
        if self.summary is not None:
            for reason in (*self.summary.reasons, *self.summary.notices):
                terminalreporter.line(f"- {visible(reason)}")
            terminalreporter.line(f"{verdict_line(self.summary).text} · reports in {self.folder}")

    def pytest_unconfigure(self) -> None:
        """Remove the folder of the locks."""
        self.bench.close()
        if self.room is not None:
            shutil.rmtree(self.room, ignore_errors=True)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker how it shares the target with the others."""
        node.workerinput[_KEY] = {"room": str(self.room), "whole_scopes": self.deals_scopes}

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Under the ordinary `--dist load`, keep items together that share cases."""
        if config.option.dist != "load":
            return None
        from xdist.scheduler import LoadScopeScheduling

        class FormatScheduling(LoadScopeScheduling):  # type: ignore[misc,unused-ignore]
            """Deals items by their scope."""

            def _split_scope(self, nodeid: str) -> str:
                return scope_of(nodeid)

        return FormatScheduling(config, log)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Note on the controller which items the workers selected; they all select the same."""
        if self.record is None and self.folder is not None:
            by_id = {f"{SUITE}::{entry.operation}::{entry.name}": entry for entry in self.entries()}
            self._begin_record({name: by_id[name] for name in ids if name in by_id})

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take note of how a worker's run ended."""
        raw = getattr(node, "workeroutput", {}).get(_KEY)
        if raw is not None:
            self.tails.append(Tail.unpacked(raw))

    def _begin_record(self, selected: Mapping[str, Entry]) -> None:
        if self.folder is None or not selected:
            return
        self.record = record_of(
            self.folder, self.contract, self.info, self.chosen.file, self.gaps, self.operations, self.entries(), selected,
            self.generated, self.today,
        )  # fmt: skip
        try:
            self.record.begin()
        except ConformanceError as error:
            self.record = None
            raise pytest.UsageError(str(error)) from None


def _demand(operations: Sequence[str], contract: Contract) -> None:
    for name in operations:
        if name not in contract.operations:
            known = ", ".join(sorted(contract.operations))
            raise UsageError(
                f"no operation is called {name!r}", where="--conformance-operation", hint=f"Known: {known}."
            )


def _share(worker: Mapping[str, Any] | None, *, live: bool) -> Share:
    """Which part of the target a process has; the bundled reference is not shared."""
    if worker is None:
        return Share()
    told = worker[_KEY]
    if not live:
        return Share(whole_scopes=told["whole_scopes"])
    number = int(str(worker["workerid"]).removeprefix("gw"))
    return Share(number, int(worker["workercount"]), Path(told["room"]), told["whole_scopes"])
