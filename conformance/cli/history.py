"""`conformance history`: runs kept in a store, and questions to it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from conformance.cli.options import json_option, printing, specs_option, today_of, today_option
from conformance.errors import ConformanceError, UsageError, need

if TYPE_CHECKING:
    from conformance.history.store import Store
    from conformance.report.several import Change

_Command = TypeVar("_Command", bound=Callable[..., Any])
DEFAULT_STORE = "sqlite:///conformance-history.db"
STORE_VARIABLE = "CONFORMANCE_HISTORY"
_SIGNS = {"pass": "ok", "fail": "FAIL", "incomplete": "gaps", "error": "error"}


def _store_option(command: _Command) -> _Command:
    return click.option(
        "--store",
        "url",
        envvar=STORE_VARIABLE,
        default=DEFAULT_STORE,
        show_default=True,
        metavar="URL",
        help=f"The store, as SQLAlchemy names databases; also from {STORE_VARIABLE}.",
    )(command)


def _last_option(command: _Command) -> _Command:
    return click.option(
        "--last", type=click.IntRange(1, 1000), default=20, show_default=True, metavar="N",
        help="Only the last N runs of an endpoint.",
    )(command)  # fmt: skip


def opened(url: str, *, create: bool = False) -> Store:
    """The store of a URL; says which extra is missing."""
    need("history", "`conformance history`", "sqlalchemy", "alembic")
    from conformance.history.store import open_store

    return open_store(url, create=create)


def check_url(url: str) -> None:
    """Say at once that a store cannot be meant by this, or that the extra is missing; nothing is opened."""
    need("history", "`--history`", "sqlalchemy", "alembic")
    from conformance.history.store import parsed_url

    parsed_url(url)


def add_at_the_end(folder: Path, url: str, release: str) -> None:
    """Add the run whose reports are written; where that fails, say so, and which command adds it later."""
    try:
        with opened(url, create=True) as store:
            from conformance.history.add import add as add_record
            from conformance.history.record import read_record

            add_record(store, read_record(folder), release=release)
    except ConformanceError as error:
        from conformance.history.store import parsed_url

        shown = parsed_url(url).render_as_string(hide_password=True)
        words = ["conformance", "history", "add", str(folder), "--store", shown]
        words += ["--release", release] if release else []
        _say(
            f"the run is not in the store: {error}\nIts reports are complete. Add it with:\n  {shlex.join(words)}",
            error=True,
        )


@click.group("history")
def command() -> None:
    """Keep runs in a store, and ask what changed from release to release."""


@command.command("add")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@_store_option
@click.option("--endpoint", default="", metavar="NAME", help="Name of the endpoint (default: the target's name).")
@click.option("--release", default="", metavar="NAME", help="What was judged (default: when the run began).")
@click.option("--no-report", is_flag=True, help="Leave report.html out of the store.")
@specs_option
@printing
def add(
    paths: tuple[Path, ...], url: str, endpoint: str, release: str, no_report: bool, specs: Path | None, quiet: bool,
    verbose: bool,
) -> int:  # fmt: skip
    """Add runs: report folders, results.json, journals, or bundles. Adding a run again changes nothing.

    A run that cannot be read is named, the others are added all the same; then the exit code is 2.
    """
    del verbose
    failed = 0
    with opened(url, create=True) as store:
        from conformance.history.add import add as add_record
        from conformance.history.record import read_record
        from conformance.history.store import StoreError

        for path in paths:
            try:
                record = read_record(path, specs, report=not no_report)
                became = add_record(store, record, endpoint=endpoint, release=release)
            except StoreError:
                raise
            except ConformanceError as error:
                failed += 1
                _say(f"not added: {path}: {error}", error=True)
                continue
            if not quiet:
                _say(f"{became}: {endpoint or record.endpoint} {record.run['verdict']} ({path})")
    return 2 if failed else 0


@command.command("list")
@_store_option
@click.option("--endpoint", "endpoints", multiple=True, metavar="NAME", help="Only this endpoint; repeatable.")
@_last_option
@json_option
@printing
def list_(url: str, endpoints: tuple[str, ...], last: int, as_json: bool, quiet: bool, verbose: bool) -> None:
    """List the runs of each endpoint, the newest first, with their releases and verdicts."""
    del quiet, verbose
    from itertools import groupby

    with opened(url) as store, store.reading() as connection:
        from conformance.history.questions import runs

        found = runs(connection, endpoints=endpoints, last=last)
    if as_json:
        return _print_json(found)
    for endpoint, mine in groupby(found, key=lambda run: run["endpoint"]):
        _say(endpoint)
        _table([(run["release"], run["verdict"], _causes(run), run["started_at"], run["id"]) for run in mine])
    if not found:
        _say("no runs")
    return None


@command.command("show")
@click.argument("run")
@_store_option
@json_option
@printing
def show(run: str, url: str, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Show a run and what changed since the run before. RUN is an id or its beginning, ENDPOINT, or ENDPOINT@RELEASE."""
    from dataclasses import asdict

    with opened(url) as store, store.reading() as connection:
        from conformance.history.questions import differences, document_at, find_run

        place = find_run(connection, run)
        document = document_at(connection, place)
        changes: tuple[Change, ...] = ()
        if place.before is not None:
            changes = differences(connection, find_run(connection, place.before), place)
    if as_json:
        return _print_json({**document, "before": place.before, "changes": [asdict(one) for one in changes]})
    row = place.row
    _say(f"{place.endpoint} {row['release']}: {row['verdict']} (exit {row['exit_code']}), begun {row['started_at']}")
    _say(f"run {row['id']}, {row['carried_out']:,} of {row['cases']:,} cases carried out in {row['duration_s']} s")
    if quiet:
        return None
    for cause in document["causes"]:
        _say(f"  cause {cause['id']}: {cause['message']} ({cause['cases']} of {cause['of']} cases)")
    words = "the first run of this endpoint" if place.before is None else f"since {place.before}:"
    _say(words if changes or place.before is None else f"{words} nothing changed")
    for one in changes if verbose else changes[:_MOST]:
        mark = "worse" if one.worse else "     "
        _say(f"  {mark} {one.kind} {one.id}: {one.before} -> {one.after}{'; ' + one.words if one.words else ''}")
    if len(changes) > _MOST and not verbose:
        _say(f"  and {len(changes) - _MOST} more; --verbose shows them")
    return None


_MOST = 30


@command.command("trend")
@click.argument("endpoint")
@_store_option
@_last_option
@json_option
@printing
def trend(endpoint: str, url: str, last: int, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Show the last runs of an endpoint side by side, the oldest first."""
    del quiet, verbose
    with opened(url) as store, store.reading() as connection:
        from conformance.history.questions import trend as trend_of

        found = trend_of(connection, endpoint, last)
    if as_json:
        return _print_json(found)
    head = ("release", "verdict", "pass", "fail", "waived", "not verified", "causes", "carried out", "took")
    keys = ("pass", "fail", "waived", "not_verified")
    rows = [
        (
            run["release"], run["verdict"], *(str(run[f"requirements_{key}"]) for key in keys), str(run["causes"]),
            f"{run['carried_out']}/{run['cases']}", f"{run['duration_s']:.0f} s",
        )
        for run in found
    ]  # fmt: skip
    _table([head, *rows])
    return None


@command.command("blame")
@click.argument("name", required=False, default="", metavar="[ID]")
@_store_option
@click.option("--endpoint", default="", metavar="NAME", help="Only this endpoint.")
@json_option
@printing
def blame(name: str, url: str, endpoint: str, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Say in which release a requirement or a cause broke, which was the last good one, and where it was last seen.

    Without ID: everything that is wrong at the latest run of each endpoint.
    """
    del quiet, verbose
    with opened(url) as store, store.reading() as connection:
        from conformance.history.questions import blame as blame_of

        found = blame_of(connection, name, endpoint)
    if as_json:
        return _print_json(found)
    for one in found:
        good = f"last good {one['last_good']['release']}" if one["last_good"] else "never good before"
        end = f"mended in {one['mended_in']['release']}" if one["mended_in"] else "not mended"
        _say(f"{one['endpoint']}: {one['kind']} {one['id']}")
        _say(f"  broke in {one['broke_in']['release']}, {good}, last seen in {one['last_seen']['release']}, {end}")
        if one["message"]:
            _say(f"  {one['message']}")
    if not found:
        _say("never broken" if name else "nothing is wrong")
    return None


@command.command("due")
@_store_option
@click.option(
    "--days",
    type=click.IntRange(0, 36_500),
    default=30,
    show_default=True,
    metavar="N",
    help="The bound for all of it.",
)
@today_option
@json_option
@printing
def due(url: str, days: int, as_json: bool, quiet: bool, verbose: bool, **options: Any) -> None:
    """Say what needs somebody: endpoints and requirements not verified for N days, waivers that end, flipped readings."""
    del quiet, verbose
    now = (
        datetime.now(UTC) if options["today"] is None else datetime.combine(today_of(options), datetime.max.time(), UTC)
    )
    with opened(url) as store, store.reading() as connection:
        from conformance.history.questions import due as due_of

        found = due_of(connection, now, days)
    if as_json:
        return _print_json(found)
    for one in found["endpoints"]:
        _say(f"{one['endpoint']}: not judged since {one['last']['started_at']}")
    for one in found["requirements"]:
        last = f"last verified in {one['last_verified']['release']}" if one["last_verified"] else "never verified"
        _say(f"{one['endpoint']}: requirement {one['id']} {one['verdict']}, {last}; {one['reason']}")
    for one in found["waivers"]:
        _say(f"{one['endpoint']}: waiver {one['waiver']} ends on {one['expires']} (owner {one['owner']})")
    for one in found["readings"]:
        before, after = ", ".join(one["before"]), ", ".join(one["after"])
        _say(f"{one['endpoint']}: reading {one['id']} flipped in {one['in']['release']}: {before} -> {after}")
    if not any(found.values()):
        _say("nothing is due")
    return None


@command.command("keep")
@_store_option
@click.option("--days", type=click.IntRange(0), metavar="N", help="Take out runs that are older than N days.")
@click.option("--releases", type=click.IntRange(1), metavar="N", help="Keep the last N releases of each endpoint.")
@click.option("--reports", type=click.IntRange(0), metavar="N", help="Keep report.html of its last N runs alone.")
@click.option("--dry-run", is_flag=True, help="Only print the runs that would go.")
@printing
def keep(
    url: str, days: int | None, releases: int | None, reports: int | None, dry_run: bool, quiet: bool, verbose: bool
) -> None:
    """Take out old runs, and give the room back. The latest run of an endpoint always stays."""
    if days is None and releases is None and reports is None:
        raise UsageError("nothing says what may go", hint="Give --days N, --releases N or --reports N.")
    with opened(url) as store:
        from conformance.history.keep import forget, forget_reports, outdated
        from conformance.report.safe_text import many

        gone = outdated(store, datetime.now(UTC), days=days, releases=releases)
        if verbose or dry_run:
            for run in gone:
                _say(run)
        if not dry_run:
            if reports is not None:
                forget_reports(store, reports)
            forget(store, gone)
            store.vacuum()
        if not quiet:
            _say(f"{many(len(gone), 'run')} {'would be ' if dry_run else ''}taken out")


@command.command("serve")
@_store_option
@click.option("--host", default="127.0.0.1", show_default=True, metavar="H", help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Port; 0, the default, takes a free one."
)
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Show the page to whoever has the token in this file.",
)
@click.option(
    "--trust-header",
    default="",
    metavar="NAME",
    help="Show it to requests that have this header, which a reverse proxy in front sets for users whom it knows.",
)
@printing
def serve(
    url: str, host: str, port: int, token_file: Path | None, trust_header: str, quiet: bool, verbose: bool
) -> None:  # fmt: skip
    """Serve a read-only web page of the store until SIGINT or SIGTERM.

    The first line on standard output is `listening on http://HOST:PORT`. An address that is not loopback needs
    --token-file or --trust-header.
    """
    del quiet, verbose
    with opened(url) as store:
        from conformance.history.web.access import LOOPBACK, Access
        from conformance.history.web.app import make_app

        access = Access("" if token_file is None else _token(token_file), trust_header)
        if host not in LOOPBACK and not access.token and not access.header:
            raise UsageError(
                "this address is not loopback, so everybody could read the history", where=f"--host {host}",
                hint="Give --token-file FILE, or --trust-header NAME behind a reverse proxy.",
            )  # fmt: skip
        _listen(make_app(store, access), host, port)


_SHORTEST_TOKEN = 16


def _token(path: Path) -> str:
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read: {error}", where=str(path)) from error
    if len(token) < _SHORTEST_TOKEN:
        hint = "Such as what `openssl rand -hex 32` prints."
        raise UsageError(f"holds a token of fewer than {_SHORTEST_TOKEN} characters", where=str(path), hint=hint)
    return token


def _listen(app: Any, host: str, port: int) -> None:
    import contextlib
    import logging

    import uvicorn

    logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())  # what cannot be bound is told here
    config = uvicorn.Config(app, host, port, log_config=None, access_log=False, server_header=False, lifespan="off")
    try:
        listening = config.bind_socket()
        listening.listen(config.backlog)  # before the line that others wait for
    except (OSError, SystemExit):
        raise UsageError("cannot be listened on", where=f"{host}:{port}", hint="Is the port taken?") from None
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"listening on http://{shown}:{listening.getsockname()[1]}")
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


@command.command("upgrade")
@_store_option
@printing
def upgrade(url: str, quiet: bool, verbose: bool) -> None:
    """Make the store, or bring one of an earlier version up to date; its runs stay."""
    del verbose
    with opened(url, create=True) as store:
        if not quiet:
            _say(f"up to date: {store.shown}")


def _causes(run: dict[str, Any]) -> str:
    from conformance.report.safe_text import many

    return many(run["causes"], "cause")


def _print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, indent=2))


def _say(text: str, *, error: bool = False) -> None:
    from conformance.report.safe_text import visible, writable

    stream = sys.stderr if error else sys.stdout
    click.echo(writable("\n".join(map(visible, text.split("\n"))), stream.encoding), err=error)


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        _say("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
