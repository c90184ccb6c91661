"""`conformance target`: write a commented target file, check one, print its JSON Schema, take back what a run left."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.cli.main import suggestion
from conformance.cli.options import json_option, printing, specs_option
from conformance.errors import UsageError

if TYPE_CHECKING:
    from conformance.report.remains import TakenBack
    from conformance.run.survey import Survey

PASS, UNREACHABLE, INCOMPLETE = 0, 3, 4


@click.group("target")
def command() -> None:
    """Write a commented target file, check one, or take back what a run left open."""


@command.command("init")
@click.option("--service", metavar="ID", help="The service of the file; not needed if the contract has only one.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@specs_option
@printing
def init(service: str | None, file: Path | None, specs: Path | None, quiet: bool, verbose: bool) -> int:  # noqa: ARG001  -v is for tracebacks
    """Write a commented target file to FILE, or to standard output. Never overwrites a file.

    For a service of --specs it names every binding, role, state and error code that the contract's cases ask for.
    """
    text = _sample(service, specs, file)
    if file is None:
        click.echo(text, nl=False)
        return PASS
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError as error:
        raise UsageError(
            "the file exists already", where=str(file), hint="Name another one, or move it away."
        ) from error
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror or error}", where=str(file)) from error
    if not quiet:
        click.echo(f"wrote {file}; fill it in, then: conformance target check {file}")
    return PASS


def _sample(service: str | None, specs: Path | None, file: Path | None) -> str:
    from conformance.contract.load import load_contract
    from conformance.endpoint.file import BUNDLED, bundled_sample, sample_of

    contract = load_contract(specs)
    known = sorted(contract.services)
    if service is None and file is not None and str(file) in known:
        hint = f"conformance target init --service {file} {file}.toml"
        raise UsageError(f"{file} is a service, not the name of a file", where="FILE", hint=hint)
    if service is None and len(known) == 1:
        service = known[0]
    if service not in known:
        what = (
            f"no service is called {service!r}.{suggestion(service, known)}" if service else "which service is it for?"
        )
        raise UsageError(what, where="--service", hint=f"Give --service with one of {', '.join(known)}.")
    return bundled_sample(service) if specs is None and service in BUNDLED else sample_of(contract, service)


@command.command("schema")
def schema() -> int:
    """Print the JSON Schema of target files, for editors."""
    from conformance.endpoint.file import SCHEMA_FILE

    click.echo(SCHEMA_FILE.read_text("utf-8"), nl=False)
    return PASS


@command.command("check")
@click.argument("file")
@json_option
@specs_option
@printing
def check(file: str, as_json: bool, specs: Path | None, quiet: bool, verbose: bool) -> int:
    """Check a target file without touching an order: it parses, the host answers, every role signs in.

    Says what is missing for full coverage: roles, bindings, states, error codes, room in the scope. Sign-in calls are sent, and reading calls that look
    whether the bindings name what they should.
    Exit codes: 0 nothing is missing, 2 the file cannot be used, 3 the target cannot be reached, 4 something is missing.
    """
    from conformance.contract.load import load_contract
    from conformance.endpoint.choose import chosen_target
    from conformance.run.loop import run_loop
    from conformance.run.survey import survey

    contract = load_contract(specs)

    async def look() -> Survey:
        async with chosen_target(file, contract) as chosen:
            return await survey(contract, chosen)

    found = run_loop(look())
    if as_json:
        from conformance.report.safe_text import json_safe

        click.echo(json_safe(json.dumps(found.as_json(), indent=2)))
    else:
        _print(found, quiet=quiet, verbose=verbose)
    if found.unreachable:
        return UNREACHABLE
    return INCOMPLETE if found.missing else PASS


@command.command("clean")
@click.option(
    "--report",
    "folder",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="The report folder of the run, or its journal.",
)
@click.option("--target", metavar="FILE", help="The target file of the run, where it has been moved.")
@json_option
@specs_option
@printing
def clean(
    folder: Path, target: str | None, as_json: bool, specs: Path | None, quiet: bool, verbose: bool  # noqa: ARG001  -v is for tracebacks
) -> int:  # fmt: skip
    """Take back what a run has left open on its target, as after a kill: orders and quotes that its journal names.

    Looks what of it stands open, and cancels that through the scope guard of the target file. Touches nothing else.
    Exit codes: 0 nothing is left open, 2 the journal or the target file cannot be used, 3 the target cannot be reached,
    4 something could not be taken back, or nobody can tell whether it is open.
    """
    from conformance.contract.load import load_contract
    from conformance.report.remains import take_back
    from conformance.run.loop import run_loop

    found = run_loop(take_back(load_contract(specs), folder, target))
    if as_json:
        from conformance.report.safe_text import json_safe

        click.echo(json_safe(json.dumps(found.as_json(), indent=2)))
    else:
        _print_found(found, quiet=quiet)
    return found.exit_code


def _print_found(found: TakenBack, *, quiet: bool) -> None:
    from conformance.dialects.set_ups import Fate
    from conformance.report.safe_text import many, visible, writable

    lines = [] if quiet else [visible(one.words) for one in found.found]
    if found.broken:
        lines.append(f"{many(found.broken, 'line')} of the journal cannot be understood, and may name more")
    if found.unreachable:
        lines.append(f"the target cannot be reached: {visible(found.unreachable)}")
    elif not found.found:
        lines.append("the journal names nothing that may still be open")
    else:
        counts = [(found.count(fate), fate.value) for fate in Fate]
        told = ", ".join(f"{count} {words}" for count, words in counts if count)
        lines.append(f"{many(len(found.found), 'thing')} that the run may have left: {told}")
    for line in lines:
        click.echo(writable(line, sys.stdout.encoding))


def _print(found: Survey, *, quiet: bool, verbose: bool) -> None:
    from conformance.report.formats.text import Block, Grid, Line, Row, is_live, plain_lines, print_rich
    from conformance.report.safe_text import many, visible, writable

    blocks: list[Block] = []
    if not quiet:
        shown = [item for item in found.items if verbose or item.lacks or item.notable or not item.good]
        rows = tuple(
            Row(
                (item.word, visible(item.what), visible(item.note)),
                "plain" if item.good else "bad" if item.hard else "warn",
            )
            for item in shown
        )
        blocks += [Grid(("", "what", "note"), rows)] if rows else []
        blocks += [Line(f"- {visible(warning)}", "warn") for warning in found.warnings]
    if found.unreachable:
        blocks.append(Line(f"the target cannot be reached: {visible(found.unreachable)}", "bad"))
    elif found.missing:
        blocks.append(
            Line(f"usable, with {many(len(found.missing), 'gap')}: cases that need them will be not-verified", "warn")
        )
    else:
        blocks.append(Line(f"all {many(len(found.items), 'check')} passed: nothing is missing", "good"))
    if is_live(sys.stdout, os.environ):
        from rich.console import Console

        print_rich(blocks, Console(highlight=False, no_color=bool(os.environ.get("NO_COLOR")), force_terminal=True))
        return
    for line in plain_lines(blocks):
        click.echo(writable(line, sys.stdout.encoding))
