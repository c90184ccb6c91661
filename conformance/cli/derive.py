"""`conformance derive`: makes a draft operation from a vendor's page, or compares the page with its operation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.cli.options import json_option, printing, specs_option
from conformance.errors import UsageError

if TYPE_CHECKING:
    from conformance.derive.draft.files import Draft
    from conformance.derive.drift import Comparison
    from conformance.derive.page import Page


@click.command("derive")
@click.argument("page", type=click.Path(path_type=Path))
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write the draft there; the folder must be new or empty.",
)
@click.option("--check", is_flag=True, help="Compare the page with the operation in FOLDER; write nothing.")
@click.option("--service", metavar="ID", help="The service whose other operations the page is compared with.")
@specs_option
@json_option
@printing
def command(
    page: Path,
    folder: Path | None,
    into: Path | None,
    check: bool,
    service: str | None,
    specs: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Read the vendor's PAGE and write a draft operation, or compare it with the one in FOLDER.

    PAGE is Markdown of Slate or GitBook, or a help page of ASP.NET Web API as text or HTML. Fetches nothing.
    With --check it exits 1 on drift, and 0 if every departure is covered.
    """
    from conformance.contract.load import specs_root
    from conformance.derive.read.dialects import read_page

    _check_usage(folder, into, check=check)
    read = read_page(page)
    root = specs or specs_root()
    if check:
        assert folder is not None
        return _check(read, folder, root, service, as_json=as_json, quiet=quiet, verbose=verbose)
    assert into is not None
    return _write(read, into, root, service, as_json=as_json, quiet=quiet)


def _check_usage(folder: Path | None, into: Path | None, *, check: bool) -> None:
    if check and (folder is None or into is not None):
        raise UsageError("--check needs the folder of an operation", hint="conformance derive --check PAGE FOLDER")
    if not check and (into is None or folder is not None):
        raise UsageError("derive needs a folder to write into", hint="conformance derive PAGE --into FOLDER")


def _write(page: Page, into: Path, specs: Path, service: str | None, *, as_json: bool, quiet: bool) -> int:
    from conformance.derive.draft.files import NO_SERVICE, check_free, draft_of, write_draft
    from conformance.derive.siblings import service_folder, siblings_in

    check_free(into)
    found, why = service_folder(page, into, specs, service)
    siblings = siblings_in(found, besides=page.name) if found else ()
    draft = draft_of(page, into.absolute().name, siblings, found.name if found else NO_SERVICE, why)
    write_draft(draft.files, into)
    if as_json:
        _print_json({"schema_version": 1, "operation": draft.operation, "folder": str(into), "files": list(draft.files),
                     "questions": len(draft.points), "to_fill": list(draft.to_fill), "not_read": len(page.unread),
                     "account": _counts(draft)})  # fmt: skip
    elif not quiet:
        _print_draft(page, draft, into, why)
    return 0


def _print_draft(page: Page, draft: Draft, into: Path, why: str) -> None:
    fields = {part: len(body.fields) for part, body in page.bodies()}
    click.echo(f"{draft.operation} from {page.name} ({page.dialect}): {len(draft.files)} files in {into}")
    click.echo(f"  service: {draft.operation.partition('.')[0]} ({why})")
    click.echo(
        f"  fields: {', '.join(f'{count} in the {part}' for part, count in fields.items())}; {len(page.codes)} codes"
    )
    for point in draft.points:
        click.echo(
            f"  {'reading' if point.alternatives else 'question'}  {point.at}: {point.says} against {point.against}, {point.place}"
        )
    for unread in page.unread:
        click.echo(f"  not read  line {unread.line}: {unread.text} ({unread.why})")
    for odd in page.read_as:
        click.echo(f"  read as  line {odd.line}: {odd.text} ({odd.why})")
    for entry in draft.account:
        if entry.fate == "to word":
            click.echo(f"  to word  line {entry.line}: {entry.begins}")
    for key in draft.to_fill:
        click.echo(f"  to fill  {key}")
    counts = _counts(draft)
    click.echo(
        f"{sum(counts.values())} facts of the page: {', '.join(f'{count} {fate}' for fate, count in counts.items())}"
    )
    click.echo(
        f"{len(draft.points)} questions, {len(draft.to_fill)} keys to fill, what the prose says is still to be worded: see {into / 'questions.yaml'}"
    )


def _counts(draft: Draft) -> dict[str, int]:
    """How many facts of the page met each fate."""
    from conformance.derive.draft.requirements import FATES

    return {fate: sum(one.fate == fate for one in draft.account) for fate in FATES}


def _check(
    page: Page, folder: Path, specs: Path, service: str | None, *, as_json: bool, quiet: bool, verbose: bool
) -> int:
    from conformance.derive.drift import check_page
    from conformance.derive.siblings import service_folder

    found, _ = service_folder(page, folder, specs, service)
    report = check_page(page, folder, found)
    if as_json:
        from dataclasses import asdict

        covered = [{**asdict(one), "by": cover.words} for one, cover in report.covered]
        _print_json({"schema_version": 1, "operation": report.operation, "ok": not report.drift, "compared": report.compared,
                     "drift": [asdict(one) for one in report.drift], "covered": covered, "not_compared": report.not_compared})  # fmt: skip
    else:
        _print_check(report, quiet=quiet, verbose=verbose)
    return int(bool(report.drift))


def _print_check(report: Comparison, *, quiet: bool, verbose: bool) -> None:
    from conformance.derive.drift import departure_lines

    if not quiet:
        for departure, cover in report.covered:
            for line in departure_lines(departure, f"covered by {cover.words}", verbose=verbose):
                click.echo(line)
        for words in report.not_compared:
            click.echo(f"not compared  {words}")
    for departure in report.drift:
        for line in departure_lines(departure, "", verbose=True):
            click.echo(line)
    if report.drift:
        click.echo(
            f"drift: {len(report.drift)} departures of the page from {report.operation}, {len(report.covered)} more are covered"
        )
    elif not quiet:
        click.echo(f"no drift: {report.compared} facts compared, {len(report.covered)} departures covered")


def _print_json(value: object) -> None:
    import json

    from conformance.report.safe_text import json_safe

    click.echo(json_safe(json.dumps(value, indent=1, ensure_ascii=False)))
