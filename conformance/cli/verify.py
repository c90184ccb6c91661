"""`conformance verify`: whether a bundle is whole, and what its recorded exchanges come to when they are judged again."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.options import printing, specs_option


@click.command("verify")
@click.argument("bundle", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.zip")
@click.option(
    "--key",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The public key in PEM that must have signed it; needs the extra `evidence`.",
)
@specs_option
@printing
def command(bundle: Path, key: Path | None, specs: Path | None, quiet: bool, verbose: bool) -> int:
    """Check a bundle's signature and digests, and judge every recorded exchange again. Nothing is sent.

    Exit codes: 0 the same verdict, pass; 1 the same verdict, fail; 2 tampered with, incomplete or not readable.
    """
    from conformance.contract.load import load_contract
    from conformance.report.bundle.verify import verify_bundle
    from conformance.report.safe_text import visible

    del verbose
    found = verify_bundle(bundle, load_contract(specs), key)
    for line in (*found.notes, *found.problems):
        click.echo(visible(line), err=True)
    if found.problems:
        click.echo("not verified (exit 2)")
        return found.exit_code
    if not quiet:
        signer = f"signed by the key {found.signer}" if found.signer else "not signed: anyone may have made it"
        target = found.summary.info.target
        named = target.get("name") or target.get("url") or target.get("file") or ""
        click.echo(visible(f"target {named}, run {found.summary.info.id}, {found.summary.info.started_at}"))
        cases = "case" if found.judged == 1 else "cases"
        click.echo(f"{signer}; {found.judged:,} {cases} judged again, each with the same result")
    click.echo(f"same verdict: {found.summary.verdict} (exit {found.exit_code}) · {found.summary.carried_out.words}")
    return found.exit_code
