"""A run in several processes of this machine: each a shard with a server or desks of its own, joined to one report.

One process has one processor, and judging costs more than most servers need to answer. The processes are forks, so what
is loaded is loaded once.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from multiprocessing import connection, get_all_start_methods, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from conformance.cli.options import selection_of
from conformance.cli.running.one import (
    TO_THE_END,
    Outcome,
    begun,
    forget_reports,
    kinds_of,
    say_none_generated,
    spare_killed,
    written_down,
)
from conformance.endpoint.choose import REFERENCE, is_reference
from conformance.errors import INTERRUPTED, ConformanceError, HarnessError, UsageError
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Verdict
from conformance.report.formats.progress import BAD, Report, progress
from conformance.report.journal import FILE_NAME, read_journal, write_journal
from conformance.report.rows import gather
from conformance.report.several import merge
from conformance.run.loop import run_loop
from conformance.run.recording import FILE_NAME as RECORDING
from conformance.run.recording import join_recordings
from conformance.run.selection import choose_generated, choose_named

_PARTS, _ROOM = "parts", "room"
"""The folder of the shards' journals in that of the run; it is gone when they are joined."""
_NOT_WITH = ("explore", "races", "resume", "shard", "max_failures", "room")
"""Options of a run that is one process: they count, continue or place what only that one knows."""
_WORTH = 2_000
"""So many cases each process must have to do: with fewer it costs more to start and to join than it saves."""
_MOST = 4
_LONGEST_S = 30.0
"""How long a worker may go on when the process that started it has ended."""
_FINE = CaseResult("", "", (), "", "", "", "", Verdict.PASS)
"""Stands for each result with nothing wrong, of which only the number is shown."""


def workers_of(contract: Contract, options: Mapping[str, Any]) -> tuple[int, int]:
    """How many cases a run has, as far as is known before its target is read, and how many processes it takes.

    Those that were asked for; else as many as pay where each has a server of its own. A server that was changed is one
    world, whose faults may count its calls: it stays whole. Raises `UsageError` for options that do not go together.
    """
    asked: int | None = options.get("workers")
    beside = [name for name in _NOT_WITH if options[name]]
    can = "fork" in get_all_start_methods()
    if asked is not None and asked > 1:
        if beside:
            name = beside[0].replace("_", "-")
            raise UsageError(f"--workers does not go with --{name}", hint="Leave one of them out.")
        if not can:
            raise UsageError("this system cannot fork a process", hint="Give each of several runs its --shard.")
    elif asked or beside or not can or options["target"] != REFERENCE or threading.active_count() > 1:
        return 0, 1
    selection = selection_of(options)
    planned = len(choose_named(contract, selection))
    planned += len(choose_generated(contract, selection, options["generated"], options["seed"]))
    return planned, asked or max(1, min(_MOST, _processors(), planned // _WORTH))


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(slots=True)
class _Workers:
    """The processes of a run, by number from 1, and how each has ended: with an exit code, or an error."""

    processes: dict[int, BaseProcess] = field(default_factory=dict)
    pipes: dict[Connection, int] = field(default_factory=dict)
    ended: dict[int, int | Exception] = field(default_factory=dict)
    asked: bool = False

    def end(self, *_: object) -> None:
        """Ask all to clean up and end; the second time, end them."""
        for process in self.processes.values():
            if process.is_alive():
                (process.kill if self.asked else process.terminate)()
        self.asked = True

    def follow(self, report: Report) -> None:
        """Report what they say until all have ended; where one comes to no verdict, none of them goes on."""
        waiting = dict(self.pipes)
        while waiting:
            for pipe in connection.wait(list(waiting)):
                assert isinstance(pipe, Connection)
                try:
                    said = pipe.recv()
                except (EOFError, OSError):
                    number = waiting.pop(pipe)
                    # one that was told to end may have had no time for a word
                    silent = INTERRUPTED if self.asked else HarnessError(f"worker {number} ended without a word")
                    said = self.ended.setdefault(number, silent)
                if said is None or isinstance(said, CaseResult):
                    report(said or _FINE)
                    continue
                if pipe in waiting:
                    self.ended[waiting[pipe]] = said
                if said not in TO_THE_END and not self.asked:
                    self.end()
        for process in self.processes.values():
            process.join()


def run_in_workers(contract: Contract, options: Mapping[str, Any], planned: int, count: int) -> Outcome:
    """Run in so many processes, and join what they found; the parts stay where they cannot be joined.

    Raises what kept one of them from running.
    """
    started = time.monotonic()
    selection = selection_of(options)
    if options["generated"]:
        generated = choose_generated(contract, selection, options["generated"], options["seed"])
        say_none_generated(selection, generated, options)
    parts: Path = options["folder"] / _PARTS
    spare_killed(options["folder"], resume=False)
    forget_reports(options["folder"])
    gc.freeze()  # what is shared is not to be copied by looking at it
    fork, workers = get_context("fork"), _Workers()
    shown = not options["quiet"] and not options["as_json"]
    with _ended_by_signals(workers):
        for number in range(1, count + 1):
            ours, theirs = fork.Pipe(duplex=False)
            own = {
                **options, "shard": f"{number}/{count}", "folder": parts / str(number), "history": None, "quiet": True,
                "room": None if is_reference(options["target"]) else parts / _ROOM,
                "concurrency": _share_of(options["concurrency"], options["target"], count),
            }  # fmt: skip
            process = fork.Process(target=_work, args=(contract, own, theirs, shown))
            process.start()
            theirs.close()
            workers.processes[number], workers.pipes[ours] = process, number
        # what shows the progress has a thread, and a process with threads is not to be forked
        with progress(planned, sys.stderr, os.environ, quiet=not shown) as show:
            workers.follow(show)
    return _joined(contract, options, parts, workers, time.monotonic() - started)


def _share_of(concurrency: int | None, target: str, count: int) -> int | None:
    """How many cases each worker has in flight, where that was said for all of them on one target."""
    return concurrency if concurrency is None or is_reference(target) else max(1, concurrency // count)


def _work(contract: Contract, options: Mapping[str, Any], pipe: Connection, shown: bool) -> None:
    """One process: its shard, as a run of its own; it says what is wrong, and how it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it tells it to end
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if callable(signal.getsignal(ending)):
            signal.signal(ending, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def tell(result: CaseResult) -> None:
        if shown:
            pipe.send(replace(result, exchanges=(), seen=()) if result.verdict in BAD else None)

    try:
        summary, problem = run_loop(begun(contract, options, told=tell))
        pipe.send(problem or summary.exit_code)
    except KeyboardInterrupt:
        pipe.send(INTERRUPTED)
    except Exception as error:  # the process that started it has the words for each kind
        if options["verbose"]:
            traceback.print_exc()
        pipe.send(error if isinstance(error, (ConformanceError, OSError)) else _unexpected(error))


def _unexpected(error: Exception) -> HarnessError:
    """Its words, for not every error can be sent to another process."""
    return HarnessError(f"unexpected {type(error).__name__}: {error}", hint="This is a defect of the tool.")


def _end_with_parent() -> None:
    """Interrupt the run once its parent has ended: it cleans up and keeps its journal; if it does not, end it."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(_LONGEST_S)
        os._exit(HarnessError.exit_code)


@contextlib.contextmanager
def _ended_by_signals(workers: _Workers) -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP end the workers, which clean up; what is ignored stays ignored."""
    before: dict[int, Any] = {}
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:
            with contextlib.suppress(ValueError):  # not the main thread
                before[ending] = signal.signal(ending, workers.end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _joined(contract: Contract, options: Mapping[str, Any], parts: Path, workers: _Workers, took_s: float) -> Outcome:
    """One journal, one recording and one set of reports from those of the parts. Raises the error of a worker."""
    folders = {number: parts / str(number) for number in workers.processes}
    for number, ended in sorted(workers.ended.items()):
        if isinstance(ended, Exception):
            if isinstance(ended, ConformanceError) and (folders[number] / FILE_NAME).exists():
                ended.hint = f"{ended.hint} What was seen until then is in {parts}.".strip()
            raise ended
    if INTERRUPTED in workers.ended.values() and not all((one / FILE_NAME).exists() for one in folders.values()):
        raise KeyboardInterrupt  # before there was anything
    folder: Path = options["folder"]
    whole = merge([(one, read_journal(one)) for one in folders.values()])
    if whole.footer is not None:
        whole = replace(whole, footer=replace(whole.footer, duration_s=round(took_s, 3)))
    write_journal(folder / FILE_NAME, whole)
    join_recordings([one / RECORDING for one in folders.values()], folder / RECORDING)
    outcome = written_down(contract, whole.header.info, gather(whole.results), whole.options, folder, kinds_of(options))
    _clear(parts, folders.values())
    return outcome


def _clear(parts: Path, folders: Collection[Path]) -> None:
    """Take away what was joined, and nothing else: the journal of a run that was killed may lie there as well."""
    shutil.rmtree(parts / _ROOM, ignore_errors=True)
    for folder in folders:
        for name in (FILE_NAME, RECORDING):
            (folder / name).unlink(missing_ok=True)
    for folder in (*folders, parts):
        with contextlib.suppress(OSError):  # something else is in it
            folder.rmdir()
