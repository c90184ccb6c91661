"""`conformance judge`: recorded traffic, each request judged as a client's and each answer as a server's."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from conformance.cli.options import json_option, printing, report_options, specs_option
from conformance.errors import UsageError

if TYPE_CHECKING:
    from conformance.model.spec import Contract
    from conformance.passive.session import Recording
    from conformance.report.rows import RunSummary


ONE_EXCHANGE = "conformance-exchange"


@click.command("judge")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE...")
@click.option(
    "--target", metavar="FILE", help="A target file: its scope, pinned readings and settle_s. Nothing is sent."
)
@click.option(
    "--only",
    type=click.Choice(["requests", "answers"]),
    help="Judge the client alone, or the server alone (default: both).",
)
@click.option(
    "--exchange",
    metavar="ID",
    help=f"Report this exchange alone, such as `shop.har#12`, into {ONE_EXCHANGE}/ unless --report says where.",
)
@click.option(
    "--alone",
    is_flag=True,
    help="Nobody else acts on these accounts: what is gone from a list was cancelled by a call of the recording.",
)
@report_options
@json_option
@specs_option
@printing
def command(
    files: tuple[Path, ...], folder: Path, target: str | None, only: str | None, exchange: str | None, alone: bool,
    no_html: bool, as_json: bool, specs: Path | None, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Judge recorded traffic: HAR 1.2, the journal of a run (or its folder), or flow files of mitmproxy.

    Nothing is sent. Requests are held against the contract's request side, answers against what the contract allows for the
    request. What nobody can know without knowing the world is `not-verified`. Exit codes as of `run`.
    """
    from conformance.contract.load import load_contract
    from conformance.passive.session import judge_files

    asked = click.get_current_context().get_parameter_source("folder")
    if exchange is not None and asked is ParameterSource.DEFAULT:
        folder = Path(ONE_EXCHANGE)
    _keep_recordings(files, folder)
    contract = load_contract(specs)
    recording = judge_files(contract, files, target=target, only=only, alone=alone, exchange=exchange)
    return report(contract, recording, folder, no_html=no_html, as_json=as_json, quiet=quiet, verbose=verbose)


def _keep_recordings(files: tuple[Path, ...], folder: Path) -> None:
    """Raises `UsageError` where the journal that is to be written would take the place of one that is read."""
    from conformance.report.journal import FILE_NAME

    journal = (folder / FILE_NAME).resolve()
    for path in files:
        if (path / FILE_NAME if path.is_dir() else path).resolve() == journal:
            raise UsageError(
                "the reports would take the place of the recording", where=str(path),
                hint="Give another folder with --report DIR.",
            )  # fmt: skip


def report(
    contract: Contract, recording: Recording, folder: Path, *, no_html: bool, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Write the reports of what was judged, print what is to be printed, and return the exit code."""
    from conformance.report.formats.registry import OF_A_RUN, write_reports
    from conformance.report.journal import FILE_NAME, write_journal
    from conformance.report.rows import gather
    from conformance.report.summary import summarise, to_json

    gathering = gather(recording.journal.results)
    gathering.folded = recording.overflow.counted
    summary = summarise(contract, recording.journal.header.info, gathering, recording.journal.options)
    write_journal(folder / FILE_NAME, recording.journal, recording.overflow.lines())
    write_reports(folder, summary, contract, [one for one in OF_A_RUN if not (no_html and one == "html")])
    if as_json:
        click.echo(to_json(summary), nl=False)
    else:
        _show(summary, contract, recording, folder, quiet=quiet, verbose=verbose)
    return summary.exit_code


def _show(
    summary: RunSummary, contract: Contract, recording: Recording, folder: Path, *, quiet: bool, verbose: bool
) -> None:
    from conformance.report.formats.terminal import print_report
    from conformance.report.safe_text import many, visible

    print_report(summary, contract, sys.stdout, os.environ, quiet=quiet, verbose=verbose, folder=folder)
    for line in recording.gaps if verbose else recording.gaps[:10]:
        click.echo(visible(line), err=True)
    if not verbose and len(recording.gaps) > 10:
        click.echo(f"and {len(recording.gaps) - 10} more gaps; --verbose shows them", err=True)
    if not quiet:
        noted = [(result.id, note) for result in summary.cases for note in result.notes]
        for name, note in noted if verbose else noted[:10]:
            click.echo(visible(f"note: {name}: {note}"))
        if not verbose and len(noted) > 10:
            click.echo(f"and {len(noted) - 10} more notes; --verbose shows them")
        click.echo(f"{many(recording.judged, 'call')} judged, {many(recording.others, 'other exchange')} passed over")
