"""`conformance client`: a client is asked to cancel, the mock plays what may come, and the client says what it believes."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.options import json_option, printing, report_options, specs_option


@click.command("client")
@click.option("--driver", required=True, metavar="COMMAND", help="Starts the driver of the client; docs/clients.md.")
@click.option("--case", "cases", multiple=True, metavar="ID", help="Try this alone; * stands for anything. Repeatable.")
@click.option("--operation", "operations", multiple=True, metavar="ID", help="Try this operation alone. Repeatable.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0.05, 60),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="The time-out that the client is told to use.",
)
@report_options
@json_option
@specs_option
@printing
def command(
    driver: str, cases: tuple[str, ...], operations: tuple[str, ...], timeout_s: float, folder: Path, no_html: bool,
    as_json: bool, specs: Path | None, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Judge a client: it must send legal requests, touch what was meant alone, and believe what it was told.

    The client runs against a mock on a free port of loopback, which plays every documented code, reading, permitted
    difference and failure. A driver stands between: it reads requests as JSON lines on its standard input, and writes on
    its standard output what the client believes. Reports and exit codes as of `run`; 3: the driver does not get ready.
    """
    from conformance.cli.judge import report
    from conformance.clients.session import ClientOptions, judge_client
    from conformance.contract.load import load_contract
    from conformance.run.loop import run_loop

    contract = load_contract(specs)
    options = ClientOptions(driver, timeout_s, cases, operations)
    recording = run_loop(judge_client(contract, options))
    return report(contract, recording, folder, no_html=no_html, as_json=as_json, quiet=quiet, verbose=verbose)
