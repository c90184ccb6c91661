"""`conformance report`: formats from a journal, one report from shards, changes between two runs, evidence as an archive."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.cli.options import json_option, printing, specs_option
from conformance.errors import UsageError
from conformance.plugins import report_format_names

if TYPE_CHECKING:
    from conformance.model.spec import Contract
    from conformance.report.rows import RunSummary


@click.group("report")
def command() -> None:
    """Render, merge, compare or bundle the reports of runs."""


@command.command("render")
@click.argument("journal", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "kinds",
    multiple=True,
    type=click.Choice(report_format_names()),
    help="Repeatable (default: all of them).",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Default: beside the journal.",
)
@specs_option
@printing
def render(
    journal: Path, kinds: tuple[str, ...], out: Path | None, specs: Path | None, quiet: bool, verbose: bool
) -> None:
    """Write reports from JOURNAL, a journal.jsonl or the folder that holds one.

    Exits 0 when the files are written, whatever the verdict in them.
    """
    from conformance.contract.load import load_contract
    from conformance.report.formats.registry import summary_of, write_reports
    from conformance.report.journal import read_journal

    contract = load_contract(specs)
    summary = summary_of(read_journal(journal), contract)
    folder = out or (journal if journal.is_dir() else journal.parent)
    written = write_reports(folder, summary, contract, kinds or report_format_names())
    if verbose:
        _print_summary(summary, contract, quiet=False, verbose=True)
    if not quiet:
        for path in written:
            click.echo(path)


@command.command("merge")
@click.argument("journals", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the journal and the reports of the whole run.",
)
@specs_option
@printing
def merge(journals: tuple[Path, ...], out: Path, specs: Path | None, quiet: bool, verbose: bool) -> int:
    """Make one report from the JOURNALS of all shards (files or folders); a missing shard is an error.

    Exits as `conformance run` would have on the whole.
    """
    from conformance.contract.load import load_contract
    from conformance.report.formats.registry import summary_of, write_reports
    from conformance.report.journal import FILE_NAME, read_journal, write_journal
    from conformance.report.several import merge as merge_journals
    from conformance.run.recording import FILE_NAME as RECORDING
    from conformance.run.recording import join_recordings

    if any((path / FILE_NAME if path.is_dir() else path).resolve() == (out / FILE_NAME).resolve() for path in journals):
        raise UsageError("would overwrite a shard", where=str(out), hint="Give another folder with --out.")
    contract = load_contract(specs)
    whole = merge_journals([(path, read_journal(path)) for path in journals])
    summary = summary_of(whole, contract)
    write_journal(out / FILE_NAME, whole)
    shards = (path if path.is_dir() else path.parent for path in journals)
    join_recordings([shard / RECORDING for shard in shards], out / RECORDING)
    write_reports(out, summary, contract)
    _print_summary(summary, contract, quiet=quiet, verbose=verbose, folder=out)
    return summary.exit_code


@command.command("compare")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@json_option
@printing
def compare(old: Path, new: Path, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Show what changed from OLD to NEW, each a results.json or the folder that holds one.

    Exits 1 when something got worse, else 0.
    """
    import json
    from dataclasses import asdict

    from conformance.report.safe_text import json_safe, visible
    from conformance.report.several import compare as compare_results
    from conformance.report.several import read_results

    changes = compare_results(read_results(old), read_results(new))
    is_worse = any(change.worse for change in changes)
    if as_json:
        click.echo(json_safe(json.dumps({"worse": is_worse, "changes": [asdict(one) for one in changes]}, indent=2)))
        return int(is_worse)
    if not quiet:
        for change in changes:
            if verbose or change.worse or change.kind != "case":
                mark = "worse" if change.worse else "     "
                click.echo(f"{mark}  {change.kind} {visible(change.id)}: {change.before} -> {change.after}")
    worse = sum(change.worse for change in changes)
    click.echo(f"{len(changes)} changed, {worse} worse" if changes else "nothing changed")
    return int(is_worse)


@command.command("bundle")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.zip")
@click.option(
    "--key",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Sign with this private key in PEM; needs the extra `evidence`.",
)
@specs_option
@printing
def bundle(folder: Path, out: Path, key: Path | None, specs: Path | None, quiet: bool, verbose: bool) -> None:
    """Write the evidence of the run in DIR as one archive that anyone can judge again: `conformance verify FILE.zip`.

    Exits 0 when it is written, whatever the verdict in it, and 2 when what was recorded does not give that verdict.
    """
    from conformance.contract.load import load_contract
    from conformance.report.bundle.verify import make_bundle

    del verbose
    made = make_bundle(folder, out, load_contract(specs), key)
    if not quiet:
        click.echo(f"{out}: verdict {made.summary.verdict}, {made.judged:,} cases judged again")


def _print_summary(
    summary: RunSummary, contract: Contract, *, quiet: bool, verbose: bool, folder: Path | None = None
) -> None:
    from conformance.report.formats.terminal import print_report

    print_report(summary, contract, sys.stdout, os.environ, quiet=quiet, verbose=verbose, folder=folder)
