"""Shows how far a run is: a live bar on a terminal, a line for each tenth elsewhere, nothing when quiet.

Both name the first case of each thing that is wrong, as soon as it is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from conformance.model.verdict import CaseResult, Verdict
from conformance.report.causes import Key, heaviest_first, keys_of
from conformance.report.formats.text import is_live
from conformance.report.safe_text import many, shortened, visible, writable

_MOST_NAMED = 20
BAD = (Verdict.FAIL, Verdict.TARGET_ERROR, Verdict.HARNESS_ERROR)

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


def _news(result: CaseResult, known: set[Key]) -> str:
    """A line for a case that shows something wrong which no case before it has shown; empty for any other."""
    if result.verdict not in BAD or len(known) >= _MOST_NAMED:
        return ""
    found: set[Key] = set(keys_of(result)) or {(result.operation, result.verdict.value, result.reason)}
    if found <= known:
        return ""
    known |= found
    words = heaviest_first(result.findings)[0].message if result.findings else result.reason
    return f"{result.verdict.value}: {result.id}: {shortened(visible(words), 200)}"


def _plain(total: int, out: TextIO, done: int) -> Report:
    finished, bad, tenths = done, 0, done * 10 // max(total, 1)
    known: set[Key] = set()

    def say(text: str) -> None:
        out.write(writable(text + "\n", getattr(out, "encoding", None)))
        out.flush()

    def report(result: CaseResult) -> None:
        nonlocal finished, bad, tenths
        finished += 1
        bad += result.verdict in BAD
        if news := _news(result, known):
            say(news)
        reached = min(finished, total) * 10 // max(total, 1)  # what exploring finds was not planned
        if reached > tenths:
            tenths = reached
            say(f"{reached * 10:3d}%  {finished} of {many(total, 'case')}, {bad} failed")

    return report


@contextmanager
def _live(total: int, out: TextIO, environ: Mapping[str, str], done: int) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.text import Text

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
        known: set[Key] = set()

        def report(result: CaseResult) -> None:
            nonlocal bad
            bad += result.verdict in BAD
            if news := _news(result, known):
                console.print(Text(writable(news, getattr(out, "encoding", None)), style="bold red"), soft_wrap=True)
            bar.update(task, advance=1, bad=bad)

        yield report
