"""`conformance fleet`: judge the endpoints of a fleet file that are due, here or by any number of workers."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from conformance.cli.history import STORE_VARIABLE
from conformance.cli.options import json_option, printing
from conformance.errors import UsageError

if TYPE_CHECKING:
    from conformance.fleet.file import Fleet
    from conformance.fleet.judge import Judging, Order, Outcome

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _fleet_options(command: _Command) -> _Command:
    file = click.option(
        "--fleet", "file", type=click.Path(dir_okay=False, path_type=Path), default="fleet.toml", show_default=True,
        metavar="FILE", help="The fleet file.",
    )  # fmt: skip
    store = click.option(
        "--store", "url", envvar=STORE_VARIABLE, metavar="URL",
        help=f"The store (default: that of the fleet file); also from {STORE_VARIABLE}.",
    )  # fmt: skip
    return file(store(command))


@click.group("fleet")
def command() -> None:
    """Judge many endpoints: those of a fleet file that are due, into one store."""


@command.command("run")
@_fleet_options
@click.option("--all", "everything", is_flag=True, help="Judge every endpoint, due or not.")
@click.option("--endpoint", "names", multiple=True, metavar="NAME", help="Judge this one, due or not; repeatable.")
@click.option("--release", default="", metavar="NAME", help="What is judged (default: when the run began).")
@click.option("--dry-run", is_flag=True, help="Only print what is due, and when the others are.")
@click.option("--enqueue", is_flag=True, help="Leave them to the workers, and return at once.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, metavar="N", help="How many at once.")
@json_option
@printing
def run(
    file: Path, url: str | None, everything: bool, names: tuple[str, ...], release: str, dry_run: bool, enqueue: bool,
    jobs: int, as_json: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Judge the endpoints that are due, and add each run to the store. May be called by cron as often as you like.

    An endpoint that is being judged is left alone, a run that was cut off is continued. The exit code is that of the
    endpoint that says the most: 1, 5, 2, 130, 3, 4, 0.
    """
    del verbose
    fleet = _loaded(file)
    store = fleet.store_url(url)
    now = datetime.now(UTC)
    from conformance.fleet.due import orders_due, table

    orders = orders_due(fleet, store, now, names=_known(fleet, names), everything=everything, release=release)
    if dry_run:
        return _print_due(table(fleet, store, now, orders), as_json=as_json)
    if enqueue:
        from conformance.errors import need

        need("fleet", "`--enqueue`", "procrastinate")
        from conformance.fleet.queue import enqueue as put

        waiting = put(fleet, store, orders)
        if not quiet:
            click.echo(f"{waiting} waiting for workers")
        return 0
    judging = _judging(fleet, store)
    outcomes = asyncio.run(_judge_all(judging, orders, jobs, quiet=quiet or as_json))
    if as_json:
        rows = [{"endpoint": one.order.endpoint, "exit_code": max(one.code, 0), "words": one.words} for one in outcomes]
        click.echo(json.dumps(rows, indent=2))
    elif not outcomes and not quiet:
        click.echo("nothing is due")
    from conformance.fleet.judge import BUSY, worst

    return worst([one.code for one in outcomes if one.code != BUSY])


@command.command("worker")
@_fleet_options
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, metavar="N", help="How many at once.")
@click.option(
    "--poll", type=click.FloatRange(0.1, 3600), default=30.0, show_default=True, metavar="SECONDS",
    help="How often it looks for what is due.",
)  # fmt: skip
@click.option(
    "--lost-after", type=click.FloatRange(3, 3600), default=30.0, show_default=True, metavar="SECONDS",
    help="After how long without a heartbeat a worker is taken for lost; the same for all workers.",
)  # fmt: skip
@click.option("--until-idle", is_flag=True, help="End once nothing is due, queued or being judged.")
@printing
def worker(
    file: Path, url: str | None, jobs: int, poll: float, lost_after: float, until_idle: bool, quiet: bool, verbose: bool
) -> int:  # fmt: skip
    """Judge what is due until SIGINT or SIGTERM, beside any number of other workers on any machines.

    They share a store in PostgreSQL, and the folder of the fleet file. An endpoint is judged by one at a time; what a
    worker leaves that was killed, another one continues.
    """
    del verbose
    fleet = _loaded(file)
    from conformance.errors import need

    need("fleet", "`conformance fleet worker`", "procrastinate")
    store = fleet.store_url(url)
    from conformance.fleet.queue import Pace, Worker

    pace = Pace(poll, lost_after)
    judging = _judging(fleet, store, pace.stop_s)
    asyncio.run(Worker(fleet, store, judging, pace, jobs, until_idle, quiet).work())
    return 0


@command.command("schema")
def schema() -> int:
    """Print the JSON Schema of fleet files, for editors."""
    from importlib import resources

    click.echo(resources.files("conformance.fleet").joinpath("fleet.schema.json").read_text("utf-8"), nl=False)
    return 0


def _loaded(file: Path) -> Fleet:
    from conformance.fleet.file import load_fleet

    return load_fleet(file)


def _judging(fleet: Fleet, store: str, stop_s: float = 10.0) -> Judging:
    from conformance.fleet.hooks import Teller
    from conformance.fleet.judge import Judging

    return Judging(fleet, store, Teller(fleet.file.hooks, fleet.root, os.environ), stop_s=stop_s)


def _known(fleet: Fleet, names: Sequence[str]) -> tuple[str, ...]:
    from conformance.endpoint.complaints import meant

    for name in names:
        if name not in fleet.endpoints:
            hint = f"The fleet has {', '.join(list(fleet.endpoints)[:12])}."
            raise UsageError(f"no endpoint is called {name!r}{meant(name, fleet.endpoints)}", hint=hint)
    return tuple(dict.fromkeys(names))


async def _judge_all(judging: Judging, orders: Sequence[Order], jobs: int, *, quiet: bool) -> list[Outcome]:
    from conformance.fleet.judge import say

    slots = asyncio.Semaphore(jobs)

    async def one(order: Order) -> Outcome:
        async with slots:
            outcome = await judging.judge(order)
            say(outcome, quiet=quiet)
            return outcome

    return list(await asyncio.gather(*map(one, orders)))


def _print_due(rows: Sequence[dict[str, Any]], *, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return 0
    from conformance.report.safe_text import visible

    for row in rows:
        when = "due" if row["due"] else (f"due {row['due_next']}" if row["due_next"] else "on demand")
        last = f"judged {row['last_judged']}" if row["last_judged"] else "never judged"
        missing = f", missing: shard {', '.join(row['missing'])}" if row["missing"] else ""
        sys.stdout.write(visible(f"{row['endpoint']}: {when}, {last}{missing}, owner {row['owner']}") + "\n")
    return 0
