"""`conformance report`: formats from a journal, one report from shards, changes between two runs, evidence as an archive."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.cli.options import json_option, printing, specs_option
from conformance.errors import UsageError
from conformance.plugins import report_format_names

if TYPE_CHECKING:
    from conformance.model.spec import Contract
    from conformance.report.rows import RunSummary
    from conformance.report.several import Change


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
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--live", is_flag=True, help="OLD and NEW are targets: run the same named cases against both, side by side."
)
@click.option(
    "--in-turn",
    is_flag=True,
    help="With --live: one after the other, for two that share accounts behind two addresses.",
)
@click.option("--operation", "operations", multiple=True, metavar="ID", help="With --live: only this; repeatable.")
@click.option(
    "--case", "cases", multiple=True, metavar="ID", help="With --live: only this; may contain `*`; repeatable."
)
@click.option(
    "--report",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="conformance-comparison",
    show_default=True,
    metavar="DIR",
    help="With --live: where the reports of both go, into `old` and `new`.",
)
@json_option
@specs_option
@printing
def compare(
    old: str, new: str, live: bool, in_turn: bool, operations: tuple[str, ...], cases: tuple[str, ...], folder: Path, as_json: bool,
    specs: Path | None, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Show what changed from OLD to NEW, each a results.json or the folder that holds one.

    What is worse comes first, then what is better, then what no clause forbids and a client may notice all the same:
    another reading, text, header or order of members. The journals beside the results tell of the answers. Exits 1 when
    something got worse, else 0.
    """
    import json
    from dataclasses import asdict

    from conformance.report.safe_text import json_safe
    from conformance.report.several import answered_otherwise, read_results
    from conformance.report.several import compare as compare_results

    sides = (Path(old), Path(new))
    if live:
        sides = (folder / "old", folder / "new")
        if code := _run_both((old, new), sides, in_turn=in_turn, specs=specs, operation=operations, case=cases):
            return code
    results = [read_results(side) for side in sides]
    answers = answered_otherwise(*sides)
    changes = (*compare_results(*results), *(answers or ()))
    is_worse = any(change.worse for change in changes)
    if as_json:
        click.echo(json_safe(json.dumps({"worse": is_worse, "changes": [asdict(one) for one in changes]}, indent=2)))
        return int(is_worse)
    if not quiet:
        for line in _told(changes, verbose=verbose):
            click.echo(line)
        if answers is None:
            click.echo("answers were not compared: a journal is missing beside the results")
    click.echo(_count(changes))
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
        cases = "case" if made.judged == 1 else "cases"
        click.echo(f"{out}: verdict {made.summary.verdict}, {made.judged:,} {cases} judged again")


def _run_both(
    targets: Sequence[str], folders: Sequence[Path], *, in_turn: bool, specs: Path | None, **selection: tuple[str, ...]
) -> int:
    """Run the named cases against both, as `conformance run` does; 0, or the exit code of one without a verdict."""
    from conformance.cli.run import command as run
    from conformance.cli.running.one import run_side_by_side

    chosen = [word for name, values in selection.items() for value in values for word in (f"--{name}", value)]
    chosen += [] if specs is None else ["--specs", str(specs)]
    words = ["--generated", "0", "--quiet", *chosen]
    several = [
        run.make_context("run", ["--target", target, "--report", str(folder), *words]).params
        for target, folder in zip(targets, folders, strict=True)
    ]
    return run_side_by_side(several, in_turn=in_turn)


_WIDTH = 80
_MOST_OF_A_KIND = 4
_FOLDED = ("requirement", "code", "case")
"""Kinds of changes that are told together: what became of how many of them."""


def _told(changes: Sequence[Change], *, verbose: bool) -> Iterator[str]:
    """What is worse, what is better, and what is legal but changed, each in a few lines."""
    parts = {
        "worse": [one for one in changes if one.worse],
        "better, or no worse": [one for one in changes if not one.worse and not _is_legal(one)],
        "legal, but changed": [one for one in changes if _is_legal(one)],
    }
    for title, several in parts.items():
        if several:
            yield title
            for line in _lines(several, verbose=verbose):
                yield from textwrap.wrap(
                    line, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
                )


def _is_legal(change: Change) -> bool:
    """Whether no clause is broken by it either way."""
    return change.kind in ("reading", "answer") and not change.worse


def _lines(changes: Sequence[Change], *, verbose: bool) -> Iterator[str]:
    from conformance.report.safe_text import shortened, visible

    for kind in dict.fromkeys(change.kind for change in changes):
        mine = [change for change in changes if change.kind == kind]
        if kind in _FOLDED and not verbose:
            yield from _folded(kind, mine)
            continue
        most = len(mine) if verbose else _MOST_OF_A_KIND
        for one in mine[:most]:
            sides = (shortened(visible(side), _MOST_SHOWN) for side in (one.before, one.after))
            said = f"{kind} {visible(one.id)}: {' -> '.join(sides)}"
            yield f"{said}; {visible(one.words)}" if one.words else said
        if len(mine) > most:
            yield f"and {len(mine) - most} more of this kind; --verbose shows them"


_MOST_SHOWN = 100


def _folded(kind: str, changes: Sequence[Change]) -> Iterator[str]:
    """One line for each way in which several of a kind have changed."""
    from conformance.report.safe_text import many

    ways: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        ways.setdefault((change.before, change.after), []).append(change.id)
    noun = "error-code cell" if kind == "code" else kind
    for (before, after), ids in ways.items():
        shown = ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
        yield f"{many(len(ids), noun)} {before} -> {after}: {shown}"


def _count(changes: Sequence[Change]) -> str:
    if not changes:
        return "nothing changed"
    legal = sum(map(_is_legal, changes))
    return f"{len(changes)} changed, {sum(one.worse for one in changes)} worse, {legal} legal"


def _print_summary(
    summary: RunSummary, contract: Contract, *, quiet: bool, verbose: bool, folder: Path | None = None
) -> None:
    from conformance.report.formats.terminal import print_report

    print_report(summary, contract, sys.stdout, os.environ, quiet=quiet, verbose=verbose, folder=folder)
