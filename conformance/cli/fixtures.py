"""`conformance fixtures`: write the fixture files from the contract, or show where they have drifted from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.cli.options import printing, specs_option

if TYPE_CHECKING:
    from conformance.cases.fixtures import Drift

_MOST_IDS = 20


@click.group("fixtures")
def command() -> None:
    """Build the fixture files, or check them for drift."""


@command.command("build")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write below DIR instead of into the specs folder.",
)
@click.option("--corpus", is_flag=True, help="Also generate the carried corpus of every operation again.")
@specs_option
@printing
def build(out: Path | None, corpus: bool, specs: Path | None, quiet: bool, verbose: bool) -> None:
    """Write every named case as JSON, one file for each family, and a manifest for each operation.

    Writes only files whose bytes change, and removes fixture files that the contract no longer gives. Generates a
    carried corpus again if it no longer matches the contract.
    """
    from conformance.cases.fixtures import write_fixtures
    from conformance.cases.generated.corpus import stale_corpora
    from conformance.cases.generated.source import rebuild_corpus
    from conformance.contract.load import load_contract

    contract = load_contract(specs)
    result = write_fixtures(contract, out)
    if out is None:
        every = tuple(contract.operations.values())
        for stale in every if corpus else stale_corpora(every):
            count = rebuild_corpus(stale)
            if not quiet:
                click.echo(f"{stale.id}: corpus of {count} values generated anew")
    if verbose:
        for word, paths in (("wrote", result.written), ("removed", result.removed)):
            for path in paths:
                click.echo(f"{word:7}  {path}")
    if not quiet:
        for operation, count in result.cases.items():
            click.echo(f"{operation}: {count} cases")
        click.echo(
            f"{sum(result.cases.values())} cases; {len(result.written)} files written, "
            f"{len(result.unchanged)} unchanged, {len(result.removed)} removed"
        )


@command.command("check")
@specs_option
@printing
def check(specs: Path | None, quiet: bool, verbose: bool) -> int:
    """Compare the fixture files with what `build` would write; change nothing.

    Exits 1 on drift, with a diff of each file (40 lines at most) and the ids of the cases that differ.
    """
    from conformance.cases.fixtures import fixture_drift
    from conformance.cases.generated.corpus import stale_corpora
    from conformance.contract.load import load_contract

    contract = load_contract(specs)
    drift = fixture_drift(contract)
    stale = stale_corpora(contract.operations.values())
    for operation in stale:
        click.echo(
            f"stale: the corpus of {operation.id} belongs to another contract. Run `conformance fixtures build`."
        )
    if stale and not drift.files:
        return 1
    if not drift.files:
        if not quiet:
            click.echo(f"ok  {drift.checked} fixture files are what the contract gives")
        return 0
    if not quiet:
        _print_drift(drift, every=verbose)
    click.echo(
        f"drift: {len(drift.files)} of {drift.checked} files; {len(drift.added)} cases to add, "
        f"{len(drift.removed)} to remove, {len(drift.changed)} to change. Run `conformance fixtures build`."
    )
    return 1


def _print_drift(drift: Drift, every: bool) -> None:
    for file in drift.files:
        click.echo(f"{file.kind}: {file.path}")
        for line in file.diff:
            click.echo(f"  {line}")
    for word, ids in (("add", drift.added), ("remove", drift.removed), ("change", drift.changed)):
        shown = ids if every else ids[:_MOST_IDS]
        for identifier in shown:
            click.echo(f"{word}: {identifier}")
        if len(shown) < len(ids):
            click.echo(f"{word}: … {len(ids) - len(shown)} more (-v shows them)")
