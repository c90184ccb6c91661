"""`conformance run`: judge an endpoint, write the reports, exit by the verdict."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from conformance.cli.options import (
    changing,
    printing,
    seed_option,
    selecting,
    specs_option,
    target_of,
    today_option,
)
from conformance.contract.load import load_contract
from conformance.report.formats.terminal import print_report
from conformance.report.summary import to_json
from conformance.run.loop import run_loop

DEFAULT_FOLDER = "conformance-report"


def _finite(_context: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number that can be reckoned with.")
    return value


@click.command("run")
@selecting
@changing
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    metavar="N",
    help="How many cases may be in flight (default: the target's).",
)
@click.option(
    "--generated",
    type=click.IntRange(0),
    metavar="N",
    help="How many generated cases to run beside the named ones (default: 5000; none with --case or --requirement).",
)
@click.option(
    "--explore",
    type=click.FloatRange(0, min_open=True),
    callback=_finite,
    metavar="SECONDS",
    help="Then search for so long with random cases; findings are shrunk and frozen in the report folder.",
)
@click.option(
    "--races",
    type=click.FloatRange(0, min_open=True),
    callback=_finite,
    metavar="SECONDS",
    help="Then send random bursts of concurrent calls for so long; findings are shrunk and frozen as with --explore.",
)
@click.option(
    "--report",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_FOLDER,
    show_default=True,
    metavar="DIR",
    help="Where the reports go.",
)
@click.option(
    "--wait",
    type=click.FloatRange(0),
    callback=_finite,
    default=0.0,
    metavar="SECONDS",
    help="How long to wait for a target that is still coming up.",
)
@click.option(
    "--min-carried-out",
    type=click.FloatRange(0, 1),
    callback=_finite,
    metavar="SHARE",
    help="Below this share of cases carried out the run is incomplete, exit 4 (default: the target's, else 0.9).",
)
@click.option(
    "--max-failures",
    type=click.IntRange(1),
    metavar="N",
    help="Begin nothing more once so many cases have failed; what is in flight is finished and cleaned up.",
)
@click.option(
    "--room",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder that all runs against this target share: they keep its limits together, and shards take turns where one could disturb another.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    metavar="N",
    help="How many processes share the cases (default: one; as many as pay for the bundled reference implementation).",
)
@click.option("--no-html", is_flag=True, help="Write no report.html.")
@click.option("--history", metavar="URL", help="Add the run to this store at the end; see `conformance history`.")
@click.option(
    "--release", default="", metavar="NAME", help="With --history: what is judged (default: when the run began)."
)
@click.option("--resume", is_flag=True, help="Continue the run whose journal is in the report folder.")
@seed_option("Seed of everything that is generated; without it, an exploring run takes a new one for itself.")
@today_option
@click.option("--json", "as_json", is_flag=True, help="Print results.json instead of tables.")
@specs_option
@printing
def command(**options: Any) -> int:
    """Judge an endpoint against the contract; without --target, the bundled reference implementation.

    Writes journal.jsonl, results.json, junit.xml and report.html into the report folder. Exit codes: 0 conformant, 1 the
    contract is violated, 2 usage or configuration, 3 the target cannot be reached, 4 incomplete, 5 the tool failed, 130
    interrupted.
    """

    return run_command(options)


def run_command(options: Mapping[str, Any]) -> int:
    """Run, write the reports, print them; the exit code."""
    options = {**options, "target": target_of(options)}
    if options["history"]:
        from conformance.cli.history import check_url

        check_url(options["history"])
    contract = load_contract(options["specs"])
    from conformance.cli.running.one import begun
    from conformance.cli.running.workers import run_in_workers, workers_of

    planned, workers = workers_of(contract, options)
    if workers > 1:
        summary, problem = run_in_workers(contract, options, planned, workers)
    else:
        summary, problem = run_loop(begun(contract, options))
    if options["as_json"]:
        sys.stdout.write(to_json(summary))
    else:
        shown = {name: options[name] for name in ("quiet", "verbose", "folder")}
        print_report(summary, contract, sys.stdout, os.environ, **shown)
    if options["history"]:
        from conformance.cli.history import add_at_the_end

        add_at_the_end(options["folder"], options["history"], options["release"])
    if problem is not None:  # all that is known has been said
        raise problem
    return summary.exit_code
