"""`conformance run`: judge an endpoint, write the reports, exit by the verdict."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from conformance.cli.options import printing, specs_option
from conformance.cli.select import selecting

DEFAULT_FOLDER = "conformance-report"


def _finite(_context: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number of seconds.")
    return value


@click.command("run")
@selecting
@click.option("--concurrency", type=click.IntRange(1, 256), metavar="N", help="How many cases may be in flight (default: the target's).")
@click.option("--generated", type=click.IntRange(0), metavar="N", help="How many generated cases to run beside the named ones (default: 5000; none with --case or --requirement).")
@click.option("--explore", type=click.FloatRange(0, min_open=True), callback=_finite, metavar="SECONDS", help="Then hunt for so long with cases made up live; what is found is shrunk and frozen in the report folder.")
@click.option("--report", "folder", type=click.Path(file_okay=False, path_type=Path), default=DEFAULT_FOLDER, show_default=True, metavar="DIR", help="Where the reports go.")
@click.option("--resume", is_flag=True, help="Go on with the run whose journal is in the report folder.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, metavar="N", help="Seed of everything that is generated; an exploring run takes a fresh one for itself unless this is given.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The date that waivers are held against (default: today).")
@click.option("--json", "as_json", is_flag=True, help="Print results.json instead of tables.")
@specs_option
@printing
def command(**options: Any) -> int:
    """Judge an endpoint against the contract; without --target, the bundled reference implementation.

    Writes journal.jsonl, results.json and junit.xml into the report folder. Exit codes: 0 conformant, 1 the contract is
    violated, 2 usage or configuration, 3 the target cannot be reached, 4 incomplete, 5 the tool failed, 130 interrupted.
    """
    from conformance.cli.running import run_command

    return run_command(options)
