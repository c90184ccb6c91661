"""Prints the report of a run: colours by rich on a terminal, aligned text anywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from conformance.model.spec import Contract
from conformance.report.document import plain_lines, print_rich
from conformance.report.rows import RunSummary
from conformance.report.sections import full_report, verdict_line
from conformance.report.text import writable

_PLAIN_WIDTH = 110


def is_live(out: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether `out` is a terminal that can move its cursor."""
    return out.isatty() and environ.get("TERM", "dumb") not in ("", "dumb")


def print_report(
    summary: RunSummary,
    contract: Contract,
    out: TextIO,
    environ: Mapping[str, str],
    *,
    quiet: bool = False,
    verbose: bool = False,
) -> None:
    """The whole report, verdict last; `quiet`: the verdict alone. Respects `NO_COLOR` in `environ`."""
    if is_live(out, environ):
        from rich.console import Console

        console = Console(
            file=out, highlight=False, no_color=bool(environ.get("NO_COLOR")), force_terminal=True
        )
        if not quiet:
            print_rich(full_report(summary, contract, verbose=verbose, width=console.width), console)
        print_rich([verdict_line(summary)], console)
        return
    lines = (
        []
        if quiet
        else list(plain_lines(full_report(summary, contract, verbose=verbose, width=_PLAIN_WIDTH)))
    )
    lines.extend(plain_lines([verdict_line(summary)]))
    out.write(writable("\n".join(lines) + "\n", getattr(out, "encoding", None)))
    out.flush()
