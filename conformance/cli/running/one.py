"""What `conformance run` does once its options are read: journal, session, summary, reports."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from conformance.cases.generated.stream import generated_case
from conformance.cli.options import selection_of, today_of
from conformance.cli.running.exploring import explore_seed, exploring
from conformance.contract.load import load_contract
from conformance.dialects.set_ups import SET_UP
from conformance.endpoint.choose import ChosenTarget, is_reference
from conformance.endpoint.model import TargetFile
from conformance.errors import (
    ConformanceError,
    HarnessError,
    Hindrance,
    JournalError,
    StateUnavailable,
)
from conformance.guard.gate import Together, planned_s
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, RunInfo, Verdict
from conformance.report.formats.progress import Report, progress
from conformance.report.formats.registry import OF_A_RUN, write_reports
from conformance.report.formats.terminal import print_report
from conformance.report.journal import FILE_NAME, Header, JournalWriter, read_journal
from conformance.report.remains import spare
from conformance.report.rows import Gathering, RunSummary, gather
from conformance.report.run_info import Ending, Settings, SummaryOptions, accepted_gaps, run_info
from conformance.report.safe_text import many, visible, writable
from conformance.report.several import added
from conformance.report.summary import summarise
from conformance.run.loop import run_loop
from conformance.run.needs import all_lines
from conformance.run.recording import FILE_NAME as RECORDING
from conformance.run.recording import Recorder, RecordingWriter
from conformance.run.schedule import Work, carry_out
from conformance.run.selection import (
    ManyNumbered,
    Selection,
    choose_generated,
    choose_named,
    none_generated,
    of_editions,
    offered,
    parse_shard,
)
from conformance.run.session import Session, session
from conformance.run.sharing import Claims, Room, Share, make_room, share_of
from conformance.run.states import Ledger
from conformance.wire.address import parse_address

_UNFINISHED = (Verdict.TARGET_ERROR, Verdict.HARNESS_ERROR)


Outcome: TypeAlias = tuple[RunSummary, HarnessError | None]
"""What a run came to, and what kept it from being written down."""
Run: TypeAlias = Coroutine[Any, Any, Outcome]
TO_THE_END = (0, 1, 4)
"""Exit codes of runs that came to a verdict."""


def begun(
    contract: Contract, options: Mapping[str, Any], turns: Turns | None = None, *, told: Report | None = None
) -> Run:
    """The run that the options ask for, with its cases chosen; nothing is opened yet.

    One that is `told` each result is a part of another: it shows nothing, and writes a journal and no reports.
    """
    selection, shard = selection_of(options), parse_shard(options["shard"])
    cases = choose_named(contract, selection, shard)
    generated = choose_generated(contract, selection, options["generated"], options["seed"], shard)
    if told is None:
        say_none_generated(selection, generated, options)
    return _run(contract, cases, generated, selection, options, _share_in(options["room"], *shard), turns, told)


def run_side_by_side(several: Sequence[Mapping[str, Any]], *, in_turn: bool = False) -> int:
    """Several runs at the same time in this process, each with a session, a journal and reports of its own.

    Those against one address wait for each other, and with `in_turn` all do. Where one is interrupted or comes to no
    verdict, all end and take back what they set up. Returns 0, or the exit code of one that came to no verdict.
    """
    contract = load_contract(several[0]["specs"])
    turns = Turns(in_turn)
    outcomes = run_loop(_all_ended([begun(contract, options, turns) for options in several]))
    codes = []
    for options, outcome in zip(several, outcomes, strict=True):
        if outcome is not None:
            sys.stderr.write(f"{options['folder'].name}: ")
            print_report(outcome[0], contract, sys.stderr, os.environ, quiet=True)
            codes.append(outcome[0].exit_code)
    for _, problem in filter(None, outcomes):
        if problem is not None:  # all that is known has been said
            raise problem
    codes = [code for code in codes if code not in TO_THE_END]
    return min(codes, default=0)  # that another was interrupted because of it is no news: 130 is the largest


async def _all_ended(runs: Sequence[Run]) -> list[Outcome | None]:
    """What each came to, in their order; None for one that had not begun when another ended early. Raises its error."""
    tasks = [asyncio.ensure_future(run) for run in runs]
    try:
        for one in asyncio.as_completed(tasks):
            summary, _ = await one
            if summary.exit_code not in TO_THE_END:
                break
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [None if task.cancelled() else task.result() for task in tasks]


@dataclass(slots=True)
class Turns:
    """Which runs of this process wait for each other: those against one address, for one could disturb the other."""

    always: bool
    """Every run waits for the one before."""
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def of(self, target: TargetFile) -> AsyncIterator[None]:
        """The turn of a run against a target; in the order of names, so that no two wait for each other for ever."""
        addresses = {
            parse_address(address).host_and_port
            for service in target.services.values()
            for address in (service.http, service.websocket)
            if address
        }
        async with contextlib.AsyncExitStack() as held:
            for name in sorted({""} if self.always else addresses):
                await held.enter_async_context(self.locks.setdefault(name, asyncio.Lock()))
            yield


@dataclass(slots=True)
class _Written:
    """The journal of a run, as long as it can be written: what it fails with ends the run, and costs no result."""

    journal: JournalWriter
    recording: RecordingWriter
    run: Session
    problem: JournalError | None = None

    def write(self, result: CaseResult) -> None:
        """Append a result, and what it rests on."""
        if not result.revised:
            self.recording.write(result)
        self._try(lambda: self.journal.write(result))

    def take(self, key: str) -> None:
        """Note that ids of a pool are used up."""
        self._try(lambda: self.journal.take(key))

    def note(self, lines: Sequence[Mapping[str, Any]], now: bool) -> None:
        """Note what is set up; without a journal to note it in, nothing is."""
        self._try(lambda: self.journal.note(lines, now))
        if self.problem is not None and any(line["type"] == SET_UP for line in lines):
            raise StateUnavailable(
                f"nothing is set up without a journal: {self.problem.message}", why=Hindrance.HARNESS
            )

    def finish(self, ending: Ending) -> None:
        """Append the footer."""
        self._try(lambda: self.journal.finish(ending))

    def _try(self, act: Callable[[], None]) -> None:
        if self.problem is None:
            try:
                act()
            except JournalError as error:
                self.problem = error
                self.run.stopped = self.run.stopped or error.message


async def _run(
    contract: Contract,
    cases: tuple[Case, ...],
    generated: ManyNumbered,
    selection: Selection,
    options: Mapping[str, Any],
    share: Share,
    turns: Turns | None,
    told: Report | None,
) -> Outcome:
    """Open the run, carry its cases out, write it down."""
    started = time.monotonic()
    explore_with = explore_seed(options)
    needed = {case.operation for case in cases} | {one.operation.id for one, _ in generated}
    if explore_with is not None:
        needed |= set(selection.operations or contract.operations)
    today = today_of(options)
    ledger, recorder = Ledger(), Recorder()
    # a secret that is missing must not cost the journal of the run before: the session is opened first
    async with contextlib.AsyncExitStack() as stack:
        claims = stack.enter_context(Claims(share))
        opened = await stack.enter_async_context(
            session(
                contract,
                options["target"],
                needed,
                today=today,
                ledger=ledger,
                recorder=recorder,
                share=lambda target: share_of(claims.for_run(target), share),
            )
        )
        if turns is not None:
            await stack.enter_async_context(turns.of(opened.chosen.file))
        chosen, contract = opened.chosen, opened.contract
        cases = of_editions(contract, cases)
        opened.gate.together = None if options["room"] is None else Together(options["room"] / "sent")
        room = None if share.alone else Room(share, claims.for_run(chosen.file), ledger)
        selection = offered(contract, selection, chosen.file)
        if selection.operations:
            cases = tuple(case for case in cases if case.operation in selection.operations)
            if any(one.operation.id not in selection.operations for one, _ in generated):
                generated = tuple(one for one in generated if one[0].operation.id in selection.operations)
        info = replace(run_info(contract, chosen, options["seed"]), explore_seed=explore_with)
        settings = _settings(contract, chosen, selection, len(cases) + len(generated), options)
        await _say_budget(contract, chosen, cases, generated, options)
        folder: Path = options["folder"]
        earlier = _earlier(folder, info, resume=options["resume"])
        spare_killed(folder, resume=options["resume"])
        results, done, info = gather(earlier.results), frozenset(result.id for result in earlier.results), earlier.info
        interrupted = False
        resume = options["resume"]
        with (
            JournalWriter(folder / FILE_NAME, Header(info, settings), resume=resume) as writer,
            RecordingWriter(folder / RECORDING, recorder, resume=resume) as recording,
            progress(
                settings.planned, sys.stderr, os.environ, quiet=options["quiet"] or options["as_json"], done=len(done)
            ) as show,
        ):
            forget_reports(folder)
            writer.before = recording.flush
            journal = _Written(writer, recording, opened)

            failed, most = 0, options["max_failures"]

            def keep(result: CaseResult) -> None:
                nonlocal failed
                failed += result.verdict is Verdict.FAIL
                journal.write(result)
                result = replace(result, seen=())
                results.add(result)
                (told or show)(result)

            opened.on_result = keep
            ledger.taken.update(earlier.taken)
            ledger.on_taken = journal.take if room is None else room.telling(journal.take)
            if not is_reference(chosen.name):  # the bundled one ends with the run, and all that is in it
                ledger.on_set_up = journal.note
            work = Work(
                cases=[case for case in cases if case.id not in done],
                generated=generated,
                concurrency=options["concurrency"],
                done=done,
                wait_s=options["wait"],
                room=room,
                reached=partial(_say_needs, opened, cases, generated, quiet=options["quiet"]),
                enough=None if most is None else lambda: failed >= most,
                earlier=earlier.results,
                explore=None if info.explore_seed is None else exploring(options, selection, info.explore_seed),
            )
            task = asyncio.current_task()
            try:
                await carry_out(opened, work)
            except asyncio.CancelledError:
                interrupted = True
                if task is not None:
                    task.uncancel()
            await opened.look_back()
            took_s = round(time.monotonic() - started, 3)
            ending = _ending(opened, earlier, settings, took_s, interrupted=interrupted, lost=journal.problem)
            journal.finish(ending)
    how = SummaryOptions(settings, ending)
    kinds = kinds_of(options) if told is None else ()
    return written_down(contract, info, results, how, folder, kinds, journal.problem)


def spare_killed(folder: Path, *, resume: bool) -> None:
    """Put the journal of a run that was killed aside, where it alone knows what is open, and say so."""
    if killed := spare(folder / FILE_NAME, resume=resume):
        sys.stderr.write(writable(visible(killed), sys.stderr.encoding) + "\n")


def forget_reports(folder: Path) -> None:
    """Take the reports of the run before away: should this one be killed, nobody must take them for its own."""
    for name in ("results.json", "junit.xml", "report.html"):
        with contextlib.suppress(OSError):
            (folder / name).unlink()


def kinds_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The reports that a run writes."""
    return tuple(kind for kind in OF_A_RUN if kind != "html" or not options["no_html"])


def _share_in(room: Path | None, index: int, count: int) -> Share:
    """Which part of the target a shard has in the room of all shards; all of it without one."""
    if room is None:
        return Share()
    make_room(room)
    return Share(index - 1, count, room, rates_together=True)


def say_none_generated(selection: Selection, generated: ManyNumbered, options: Mapping[str, Any]) -> None:
    """Say where generated cases were asked for by number, and the filters leave none."""
    missed = none_generated(selection, options["generated"], generated)
    if missed and not options["quiet"]:
        sys.stderr.write(writable(visible(missed), sys.stderr.encoding) + "\n")


def _say_needs(run: Session, cases: tuple[Case, ...], generated: ManyNumbered, *, quiet: bool) -> None:
    """Say what the cases need of the target; nothing of the bundled one, which has it all."""
    if quiet or is_reference(run.chosen.name):
        return
    made = (generated_case(source, number) for source, number in generated)
    for line in all_lines(run, (*cases, *made)):
        sys.stderr.write(writable(visible(line), sys.stderr.encoding) + "\n")


def _ending(
    run: Session, earlier: _Earlier, settings: Settings, took_s: float, *, interrupted: bool, lost: JournalError | None
) -> Ending:
    """How the run has ended; one that lost its journal was not stopped by the target."""
    stopped = run.stopped or ""
    return Ending(
        duration_s=took_s,
        stopped="" if lost is not None or run.sated else stopped,
        enough="as many cases failed as --max-failures allows" if run.sated else "",
        interrupted=interrupted,
        waivers_unmatched=() if stopped else run.waivers.unmatched(narrowed=settings.narrowed and not settings.shard),
        waivers_expired=run.waivers.expired(),
        waivers_matched=run.waivers.counts(),
        waivers_beyond=run.waivers.beyond(),
        left_behind=() if is_reference(run.chosen.name) else (*earlier.left_behind, *run.left_behind),
        unseen=earlier.unseen + run.unseen,
        untrue_lacks=tuple(sorted({*earlier.untrue_lacks, *run.untrue_lacks})),
        throttled=run.gate.throttled,
        messages=added((earlier.messages, run.messages)),
    )


def written_down(
    contract: Contract,
    info: RunInfo,
    results: Gathering,
    options: SummaryOptions,
    folder: Path,
    kinds: Sequence[str],
    lost: JournalError | None = None,
) -> Outcome:
    """The summary, after the reports are written; where that fails, the summary says so, and no result is lost."""
    problem: ConformanceError | None = lost
    if lost is not None:
        options = _broken(options, lost)
    summary = summarise(contract, info, results, options)
    try:
        write_reports(folder, summary, contract, kinds)
    except ConformanceError as error:
        problem = problem or error
        summary = summarise(contract, info, results, _broken(options, error))
    if problem is None:
        return summary, None
    return summary, HarnessError(problem.message, where=problem.where, hint=problem.hint)


def _broken(options: SummaryOptions, error: ConformanceError) -> SummaryOptions:
    words = f"{Path(error.where).name}: {error.message}" if error.where else error.message
    return replace(options, ending=replace(options.ending, broken=words))


async def _say_budget(
    contract: Contract,
    chosen: ChosenTarget,
    cases: tuple[Case, ...],
    generated: ManyNumbered,
    options: Mapping[str, Any],
) -> None:
    """Say how long the run takes at the limits of the target file, before it begins; nothing where it has none."""
    limits, cap = chosen.file.limits, chosen.file.scope.max_requests
    if options["quiet"] or (not limits.paced and cap is None):
        return
    from conformance.run.plan import undisturbed

    made = (generated_case(source, number) for source, number in generated)
    operations = {case.operation for case in cases} | {source.operation.id for source, _ in generated}
    messages = await undisturbed(contract, chosen, itertools.chain(cases, made), operations)
    line = f"planned: {many(messages, 'message')}"
    if limits.paced:
        seconds = planned_s(limits, messages, datetime.now(UTC))
        line += f", {'more than a month' if seconds is None else f'about {_duration(seconds)}'} at these limits"
    if cap is not None and cap < messages:
        line += f"; scope.max_requests is {cap}, so the cases that come last will be not-verified"
    sys.stderr.write(line + "\n")


def _duration(seconds: float) -> str:
    """In the two largest units."""
    whole = math.ceil(seconds)
    parts = [(whole // 86_400, "d"), (whole // 3_600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    first = next((number for number, (amount, _) in enumerate(parts) if amount), 3)
    return " ".join(f"{amount} {unit}" for amount, unit in parts[first : first + 2] if amount) or "0 s"


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What stands of the run that this one goes on with; its identity, or a new one when there was none."""

    info: RunInfo
    results: tuple[CaseResult, ...] = ()
    taken: frozenset[str] = frozenset()
    left_behind: tuple[str, ...] = ()
    messages: Mapping[str, int] = field(default_factory=dict)
    untrue_lacks: tuple[str, ...] = ()
    unseen: int = 0


def _earlier(folder: Path, info: RunInfo, *, resume: bool) -> _Earlier:
    """The run to go on with; what the target or the harness spoilt runs again."""
    path = folder / FILE_NAME
    if not resume or not path.exists():
        return _Earlier(info)
    journal = read_journal(path)
    kept = tuple(result for result in journal.results if result.verdict not in _UNFINISHED)
    ending = journal.options.ending
    same = replace(info, id=journal.header.info.id, started_at=journal.header.info.started_at)
    return _Earlier(same, kept, journal.taken, ending.left_behind, ending.messages, ending.untrue_lacks, ending.unseen)


def _settings(
    contract: Contract, chosen: ChosenTarget, selection: Selection, planned: int, options: Mapping[str, Any]
) -> Settings:
    index, count = parse_shard(options["shard"])
    least: float | None = options["min_carried_out"]
    return Settings(
        selection=selection,
        accepted_gaps=accepted_gaps(contract, chosen.file),
        pinned=chosen.file.readings,
        editions=contract.pinned_editions,
        shard=f"{index}/{count}" if count > 1 else "",
        planned=planned,
        min_carried_out=chosen.file.limits.min_carried_out if least is None else least,
    )
