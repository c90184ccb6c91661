"""Shows how far a run is: a live bar on a terminal, a line for each tenth elsewhere, nothing when quiet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from conformance.model.verdict import CaseResult, Verdict
from conformance.report.formats.text import is_live
from conformance.report.safe_text import many, shortened, visible, writable

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
