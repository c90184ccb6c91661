"""`conformance derive`: makes drafts from a vendor's pages, or compares pages with their operations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.cli.options import json_option, printing, specs_option
from conformance.errors import UsageError

if TYPE_CHECKING:
    from conformance.derive.draft.files import Draft
    from conformance.derive.drift import Comparison
    from conformance.derive.page import Departure, Page


@click.command("derive")
@click.argument("paths", nargs=-1, required=True, metavar="PAGES...", type=click.Path(path_type=Path))
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write the draft there; the folder must be new or empty.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Compare the pages with the operation, or the service, in the folder named last; write nothing.",
)
@click.option("--edition", metavar="NAME", help="With --check: the edition of the operations that the pages are of.")
@click.option("--service", metavar="ID", help="The service whose other operations the page is compared with.")
@specs_option
@json_option
@printing
def command(
    paths: tuple[Path, ...],
    into: Path | None,
    check: bool,
    edition: str | None,
    service: str | None,
    specs: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Read a vendor's PAGES and write drafts, or compare the pages with the operation or service in a folder.

    One file with one call becomes an operation. Folders, several files, or a file with many calls become a service with
    a draft of each call. Known are Markdown of Slate or GitBook, and help pages of ASP.NET Web API as text or HTML.
    Fetches nothing. With --check it exits 1 on drift, and 0 if every departure is covered.
    """
    from conformance.contract.load import specs_root
    from conformance.derive.documentation import is_service
    from conformance.derive.read.dialects import read_page

    _check_usage(paths, into, edition, check=check)
    root = specs or specs_root()
    if check:
        *pages, folder = paths
        if is_service(folder):
            return _check_service(pages, folder, edition, as_json=as_json, quiet=quiet, verbose=verbose)
        if len(pages) > 1:
            hint = "The operation's folder goes with one page; the folder of its service goes with many."
            raise UsageError(f"{folder} is no folder of a service", hint=hint)
        page = read_page(pages[0])
        return _check(page, folder, root, service, edition, as_json=as_json, quiet=quiet, verbose=verbose)
    assert into is not None
    if _is_one_page(paths):
        return _write(read_page(paths[0]), into, root, service, as_json=as_json, quiet=quiet)
    return _write_service(paths, into, service, as_json=as_json, quiet=quiet)


def _check_usage(paths: tuple[Path, ...], into: Path | None, edition: str | None, *, check: bool) -> None:
    if edition is not None and not check:
        hint = "conformance derive --check --edition NAME PAGES... FOLDER"
        raise UsageError("--edition goes with --check", hint=hint)
    if check and (len(paths) < 2 or into is not None):
        hint = "conformance derive --check PAGES... FOLDER"
        raise UsageError("--check needs the folder of an operation or of a service", hint=hint)
    if not check and into is None:
        raise UsageError("derive needs a folder to write into", hint="conformance derive PAGES... --into FOLDER")
    missing = next((one for one in paths if not one.exists()), None)
    if missing is not None and len(paths) > 1 and not check:
        hint = "conformance derive PAGES... --into FOLDER, with files and folders that are there"
        raise UsageError(f"there is no {missing}", hint=hint)


def _is_one_page(paths: tuple[Path, ...]) -> bool:
    """Whether the paths are one file with one call; what cannot be read at all is left to the reader of one page."""
    from conformance.derive.documentation import MAX_FILE_BYTES, calls_in
    from conformance.derive.read.dialects import MAX_PAGE_BYTES, read_text
    from conformance.errors import PageError

    if len(paths) > 1 or paths[0].is_dir():
        return False
    try:
        text = read_text(paths[0], MAX_FILE_BYTES)
        return calls_in(text, str(paths[0])) < 2
    except PageError:
        return paths[0].stat().st_size <= MAX_PAGE_BYTES if paths[0].is_file() else True


def _write_service(paths: tuple[Path, ...], into: Path, service: str | None, *, as_json: bool, quiet: bool) -> int:
    from conformance.derive.documentation import read_documentation
    from conformance.derive.draft.files import check_free, write_draft
    from conformance.derive.draft.service import REPORT, report_of, service_of

    check_free(into)
    documentation = read_documentation(paths)
    name = service or re.sub(r"[^a-z0-9_]+", "_", into.absolute().name.casefold()).strip("_") or "draft"
    made = service_of(documentation, name)
    write_draft(made.files, into)
    report = report_of(documentation, made)
    if as_json:
        _print_json({"schema_version": 1, "folder": str(into), **report})
        return 0
    if quiet:
        return 0
    click.echo(f"{name}: {len(made.calls)} calls in {into}")
    for one in made.calls:
        click.echo(
            f"  derived  {one.draft.operation} from {one.call.page.name}, {one.call.where}: {len(one.draft.points)} questions, "
            f"{len(one.asked)} keys to fill, {len(one.call.page.unread)} not read"
        )
    for place in documentation.shared.places:
        click.echo(f"  shared   {place}")
    for refused in documentation.refused:
        click.echo(f"  refused  {refused.where}: {refused.message}")
    for where, unread in documentation.unread:
        if unread.shown:
            click.echo(f"  not read  {where}:{unread.line}: {unread.text} ({unread.why})")
    questions = sum(len(one.draft.points) for one in made.calls)
    click.echo(
        f"{len(made.calls)} derived, {len(documentation.refused)} refused, {questions} questions; "
        f"{made.running} of {len(made.calls)} can be run when their scope is there: see {into / REPORT}"
    )
    return 0


def _known_edition(edition: str | None, folders: Iterable[Path]) -> str:
    """The edition, which an operation in one of the folders has; "" for None. Raises `UsageError`."""
    from conformance.contract.load import read_operation

    if edition is None:
        return ""
    known = sorted({name for one in folders for name in read_operation(one, partial=True).editions})
    if edition not in known:
        hint = f"Known: {', '.join(known)}." if known else "operation.yaml names editions under `editions`."
        raise UsageError(f"no operation there has an edition {edition!r}", where="--edition", hint=hint)
    return edition


def _check_service(
    pages: list[Path], folder: Path, edition: str | None, *, as_json: bool, quiet: bool, verbose: bool
) -> int:
    from conformance.derive.documentation import read_documentation, renewal_of

    known = _known_edition(edition, (path.parent for path in sorted(folder.glob("*/operation.yaml"))))
    documentation = read_documentation(pages)
    found = renewal_of(documentation, folder, known)
    drifted = found.drifted or bool(documentation.refused)
    if as_json:
        changed = [
            {"operation": report.operation, "where": call.where, "drift": [asdict(one) for one in report.drift]}
            for call, report in found.changed
        ]
        added = [{"page": one.page.name, "where": one.where} for one in found.added]
        refused = [{"where": one.where, "message": one.message} for one in documentation.refused]
        _print_json({"schema_version": 1, "service": found.service, "ok": not drifted, "added": added, "refused": refused,
                     "removed": list(found.removed), "changed": changed, "same": len(found.same)})  # fmt: skip
        return int(drifted)
    for call in found.added:
        click.echo(f"added    {call.page.name}, {call.where}")
    for operation in found.removed:
        click.echo(f"removed  {operation}: no page of its call")
    for call, report in found.changed:
        click.echo(f"changed  {report.operation}, {call.where}: {len(report.drift)} departures")
        for departure in report.drift:
            for line in departure_lines_of(departure, verbose=verbose):
                click.echo(f"  {line}")
    for refused_page in documentation.refused:
        click.echo(f"refused  {refused_page.where}: {refused_page.message}")
    if drifted or not quiet:
        click.echo(
            f"{'drift' if drifted else 'no drift'}: {len(found.added)} added, {len(found.removed)} removed, "
            f"{len(found.changed)} changed, {len(found.same)} as before, {len(documentation.refused)} refused"
        )
    return int(drifted)


def departure_lines_of(departure: Departure, *, verbose: bool) -> list[str]:
    """The lines that tell a departure which nothing covers."""
    from conformance.derive.drift import departure_lines

    return list(departure_lines(departure, "", verbose=verbose))


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
    page: Page, folder: Path, specs: Path, service: str | None, edition: str | None, *, as_json: bool, quiet: bool,
    verbose: bool,
) -> int:  # fmt: skip
    from conformance.derive.drift import check_page
    from conformance.derive.siblings import service_folder

    found, _ = service_folder(page, folder, specs, service)
    report = check_page(page, folder, found, edition=_known_edition(edition, (folder,)))
    if as_json:
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
