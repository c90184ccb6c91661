"""`conformance specs`: whether a contract is sound in itself, and the schemas of its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.cli.options import json_option, printing, specs_option

if TYPE_CHECKING:
    from conformance.contract.check.run import CheckReport

_MOST_SHOWN = 20
_KINDS = ("operation", "page", "readings", "requirements", "scenarios", "service")


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
