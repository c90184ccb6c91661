"""`conformance specs` and `conformance fixtures`: whether a contract is sound, its files' schemas, its named cases as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.cli.options import json_option, printing, specs_option

if TYPE_CHECKING:
    from conformance.cases.fixtures import Drift
    from conformance.contract.check.run import CheckReport

_MOST_SHOWN = 20
_MOST_IDS = 20
_KINDS = ("factors", "operation", "page", "readings", "requirements", "rulings", "scenarios", "service", "spellings")


@click.group("specs")
def command() -> None:
    """Check the contract itself; print the schemas of its files."""


@command.command("check")
@specs_option
@json_option
@printing
def check(specs: Path | None, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Compare the files of a specs folder with each other: schemas, XSDs, OpenAPI, requirements, cases, readings.

    Exits 1 on any problem, 2 if the folder holds no contract.
    """
    from conformance.cases.build import KEYS, case_set
    from conformance.checks.registry import bundled
    from conformance.contract.check.run import check_specs
    from conformance.contract.load import specs_root
    from conformance.errors import need

    modules = ("hypothesis", "jsonschema", "openapi_spec_validator", "xmlschema")
    need("author", "`conformance specs check`", *modules)
    report = check_specs(specs or specs_root(), case_set, (*KEYS, *bundled().keys))
    if as_json:
        _print_json(report)
    else:
        _print_text(report, quiet=quiet, verbose=verbose)
    return int(not report.sound)


@command.command("schema")
@click.argument("kind", type=click.Choice(_KINDS))
def schema(kind: str) -> int:
    """Print the JSON Schema of a kind of file under specs, for editors."""
    from conformance.contract.published import schema_text

    click.echo(schema_text(kind), nl=False)
    return 0


def _print_json(report: CheckReport) -> None:
    import json
    from dataclasses import asdict

    rules = [asdict(result) for result in report.results]
    click.echo(json.dumps({"schema_version": 1, "ok": report.sound, "rules": rules}, indent=1, ensure_ascii=False))


def _print_text(report: CheckReport, *, quiet: bool, verbose: bool) -> None:
    for result in report.results:
        if result.blocked:
            click.echo(f"blocked  {result.rule} ({result.blocked})")
        elif not result.problems and not quiet:
            click.echo(f"ok       {result.rule} ({result.checked} checked)")
        elif result.problems:
            click.echo(f"FAILED   {result.rule} ({len(result.problems)} of {result.checked})")
            shown = result.problems if verbose else result.problems[:_MOST_SHOWN]
            for problem in shown:
                click.echo(f"  {problem.where}: {problem.message}")
                if problem.hint:
                    click.echo(f"    {problem.hint}")
            if len(shown) < len(result.problems):
                click.echo(f"  … {len(result.problems) - len(shown)} more (-v shows them)")
    count = len(report.problems)
    blocked = sum(bool(result.blocked) for result in report.results)
    if not report.sound:
        click.echo(f"{count} problem{'s' if count != 1 else ''}, {blocked} rules blocked")
    elif not quiet:
        click.echo(f"{len(report.results)} rules hold")


@click.group("fixtures")
def fixtures() -> None:
    """Build the fixture files, or check them for drift."""


@fixtures.command("build")
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
    carried corpus again if it no longer matches the contract, and before all a covering array of other factors.
    """
    from conformance.cases.combinations.arrays import stale_arrays, write_array
    from conformance.cases.fixtures import write_fixtures
    from conformance.cases.generated.corpus import stale_corpora
    from conformance.cases.generated.source import rebuild_corpus
    from conformance.contract.load import load_contract

    contract = load_contract(specs)
    for old, strength in stale_arrays(contract.operations.values()) if out is None else ():
        count = write_array(old, strength)
        if not quiet:
            click.echo(f"{old.id}: covering array of {strength} factors made anew, {count} rows")
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


@fixtures.command("check")
@specs_option
@printing
def check_fixtures(specs: Path | None, quiet: bool, verbose: bool) -> int:
    """Compare the fixture files with what `build` would write; change nothing.

    Exits 1 on drift, with a diff of each file (40 lines at most) and the ids of the cases that differ.
    """
    from conformance.cases.combinations.arrays import stale_arrays
    from conformance.cases.fixtures import fixture_drift
    from conformance.cases.generated.corpus import stale_corpora
    from conformance.contract.load import load_contract

    contract = load_contract(specs)
    arrays = tuple(stale_arrays(contract.operations.values()))
    for operation, strength in arrays:
        what = f"the covering array of {strength} factors of {operation.id} has others"
        click.echo(f"stale: {what}. Run `conformance fixtures build`.")
    if arrays:
        return 1
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
