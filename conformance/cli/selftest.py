"""`conformance selftest`: checks that every fault of the reference is caught and no equivalent fails."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.cli.main import suggestion
from conformance.cli.options import json_option, printing, specs_option
from conformance.errors import UsageError

if TYPE_CHECKING:
    from conformance.report.formats.text import Block
    from conformance.selftest.suspects import Attempt, Suspect
    from reference_impl.variants import Variant

_MOST_JOBS = 16
_PER_PROCESS = 8
"""How many variants are worth a process of their own, which takes a second to load what it needs."""
_NAMED = 3
"""How many ids a line of text names before it only counts."""


@click.command("selftest")
@click.option(
    "--operation", "operations", multiple=True, metavar="ID", help="Only variants of this operation; repeatable."
)
@click.option("--fault", "faults", multiple=True, metavar="ID", help="Only this fault; repeatable.")
@click.option("--equivalent", "equivalents", multiple=True, metavar="ID", help="Only this equivalent; repeatable.")
@click.option(
    "--jobs",
    type=click.IntRange(1, _MOST_JOBS),
    metavar="N",
    help="Variants at a time (default: two for each core, at most 8).",
)
@click.option("--every-case", is_flag=True, help="Run every case, even after the fault is caught.")
@json_option
@specs_option
@printing
def command(
    operations: tuple[str, ...], faults: tuple[str, ...], equivalents: tuple[str, ...], jobs: int | None,
    every_case: bool, as_json: bool, specs: Path | None, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Run the named cases against every fault and every equivalent of the reference implementation.

    A fault is caught if it was executed and there is a finding on one of its own requirements. The cases that name
    one of them run first; the others run only if none of these finds the fault. An equivalent must be executed, and
    every case must pass, or not apply. Exits 1 otherwise. With -q only the summary and what is wrong.
    """
    from conformance.cases.fixtures import load_cases
    from conformance.contract.load import load_contract
    from conformance.report.safe_text import json_safe
    from conformance.run.loop import run_loop
    from conformance.selftest.suspects import summary_of, try_suspects
    from conformance.selftest.workers import try_in_processes

    contract = load_contract(specs)
    suspects = _suspects(tuple(contract.operations), operations, faults, equivalents)
    loud = not (quiet or as_json)

    def show(attempt: Attempt) -> None:
        if loud:
            click.echo(f"{_verdict(attempt)}: {attempt.suspect.id}", err=True)

    jobs = min(jobs or min(2 * (os.cpu_count() or 1), 8), math.ceil(len(suspects) / _PER_PROCESS))
    if jobs > 1:
        attempts = run_loop(try_in_processes(suspects, jobs, show, specs=specs, every_case=every_case))
    else:
        cases = load_cases(contract, sorted({suspect.operation for suspect in suspects}), every_edition=True)
        attempts = run_loop(try_suspects(contract, cases, suspects, 1, show, every_case=every_case))
    summary = summary_of(attempts)
    if as_json:
        click.echo(json_safe(json.dumps(summary, indent=2)))
    else:
        _print(attempts, summary["summary"], quiet=quiet, verbose=verbose)
    return 0 if all(attempt.good for attempt in attempts) else 1


def _suspects(
    known_operations: Sequence[str], operations: Sequence[str], faults: Sequence[str], equivalents: Sequence[str]
) -> tuple[Suspect, ...]:
    """The variants asked for: those named, else all; of the operations asked for. Raises `UsageError`."""
    from conformance.selftest.suspects import Suspect
    from reference_impl.equivalents import EQUIVALENTS
    from reference_impl.faults import FAULTS

    _demand("--operation", operations, known_operations)
    _demand("--fault", faults, list(FAULTS))
    _demand("--equivalent", equivalents, list(EQUIVALENTS))
    named = bool(faults or equivalents)
    chosen: list[Variant] = [
        *(FAULTS[name] for name in (faults if named else FAULTS)),
        *(EQUIVALENTS[name] for name in (equivalents if named else EQUIVALENTS)),
    ]
    suspects = tuple(
        Suspect(variant.id, variant.kind, variant.operation, variant.requirements, variant.edition)
        for variant in dict.fromkeys(chosen)
        if not operations or variant.operation in operations
    )
    if not suspects:
        raise UsageError(
            "no fault and no equivalent matches these options", hint="`conformance list faults` shows what there is."
        )
    return suspects


def _demand(option: str, wanted: Sequence[str], known: Sequence[str]) -> None:
    for name in wanted:
        if name not in known:
            raise UsageError(
                f"unknown id {name!r}.{suggestion(name, list(known))}", where=option,
                hint="`conformance list faults|equivalents|operations` shows what there is.",
            )  # fmt: skip


def _verdict(attempt: Attempt) -> str:
    if not attempt.executed:
        return "not executed"
    if attempt.suspect.kind == "fault":
        return "caught" if attempt.caught else "missed"
    return "passed" if attempt.good else "false alarm"


def _print(attempts: Sequence[Attempt], counts: Mapping[str, int], *, quiet: bool, verbose: bool) -> None:
    from conformance.report.formats.text import Line, is_live, plain_lines, print_rich
    from conformance.report.safe_text import writable

    shown = [
        attempt
        for attempt in sorted(attempts, key=lambda one: (one.good, one.suspect.id))
        if not (quiet and attempt.good)
    ]
    blocks: list[Block] = [_grid(shown, verbose=verbose)] if shown else []
    text = "{caught} of {faults} faults caught, {false_alarms} false alarms on {equivalents} equivalents".format(
        **counts
    )
    blocks.append(Line(text, "good" if all(attempt.good for attempt in attempts) else "bad"))
    if is_live(sys.stdout, os.environ):
        from rich.console import Console

        print_rich(blocks, Console(highlight=False, no_color=bool(os.environ.get("NO_COLOR")), force_terminal=True))
        return
    for line in plain_lines(blocks):
        click.echo(writable(line, sys.stdout.encoding))


def _grid(attempts: Sequence[Attempt], *, verbose: bool) -> Block:
    from conformance.report.formats.text import Grid, Row

    def named(ids: Sequence[str]) -> str:
        if verbose or len(ids) <= _NAMED:
            return ", ".join(ids)
        return f"{', '.join(ids[:_NAMED])} and {len(ids) - _NAMED} more"

    rows = []
    for attempt in attempts:
        fault = attempt.suspect.kind == "fault"
        note = named(attempt.by if attempt.caught else attempt.findings_on if fault else attempt.alarms)
        if fault and not attempt.caught and note:
            note = f"findings on {note} alone"
        cells = (_verdict(attempt), attempt.suspect.id, named(attempt.suspect.requirements), note or attempt.stopped)
        rows.append(Row(cells, "plain" if attempt.good else "bad"))
    return Grid(("verdict", "variant", "breaks", "cases"), tuple(rows))
