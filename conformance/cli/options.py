"""Options that several commands share, and what they store for the error handler.

The options that choose a target and cases, shared by `run` and `plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from conformance.run.selection import Selection

VERBOSE_KEY = "conformance.verbose"
_Command = TypeVar("_Command", bound=Callable[..., Any])


def printing(command: _Command) -> _Command:
    """Adds `-q/--quiet` and `-v/--verbose`: parameters `quiet` and `verbose` of every command that prints."""
    quiet = click.option("-q", "--quiet", is_flag=True, help="Print only the verdict, or nothing.")
    verbose = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        callback=_remember,
        help="Print more; show the traceback of an unexpected error.",
    )
    return quiet(verbose(command))


def specs_option(command: _Command) -> _Command:
    """Adds `--specs DIR`, the parameter `specs`: another contract than the bundled one."""
    return click.option(
        "--specs",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="Specs folder (default: the bundled one).",
    )(command)


def json_option(command: _Command) -> _Command:
    """Adds `--json`, the parameter `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def report_options(command: _Command) -> _Command:
    """Adds `--report DIR`, the parameter `folder`, and `--no-html`: of each command that judges what others send."""
    folder = click.option(
        "--report",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        default="conformance-report",
        show_default=True,
        metavar="DIR",
        help="Where the journal and the reports go.",
    )
    return folder(click.option("--no-html", is_flag=True, help="Write no report.html.")(command))


def today_option(command: _Command) -> _Command:
    """Adds `--today DATE`; `today_of` reads it."""
    return click.option(
        "--today",
        type=click.DateTime(["%Y-%m-%d"]),
        metavar="DATE",
        help="The date for the expiry of waivers (default: today).",
    )(command)


def today_of(options: Mapping[str, Any]) -> date:
    """The day on which waivers are looked at."""
    given: datetime | None = options["today"]
    return (given or datetime.now(UTC)).date()


def seed_option(about: str) -> Callable[[_Command], _Command]:
    """Adds `--seed N`, 32 bits; `about` says what it is of."""
    return click.option(
        "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, metavar="N", help=about
    )


def _remember(context: click.Context, _option: click.Parameter, value: bool) -> bool:
    context.meta[VERBOSE_KEY] = value
    return value


def selecting(command: _Command) -> _Command:
    """Adds --target, --operation, --requirement, --case, --media-type, --transport, --strength and --shard."""
    options = (
        click.option("--target", default="reference", show_default=True, metavar="FILE|URL|reference", help="The endpoint to judge."),
        click.option("--operation", "operations", multiple=True, metavar="ID", help="Only this operation; repeatable."),
        click.option("--requirement", "requirements", multiple=True, metavar="ID", help="Only cases of this requirement; repeatable."),
        click.option("--case", "cases", multiple=True, metavar="ID", help="Only this case; may contain `*`; repeatable."),
        click.option("--media-type", "media_types", multiple=True, metavar="M", help="Only this media type; repeatable."),
        click.option("--transport", "transports", multiple=True, metavar="T", help="Only this transport: http or ws."),
        click.option("--strength", type=click.IntRange(3, 4), default=3, show_default=True, metavar="N", help="Combinations of 3 or of 4 factors."),
        click.option("--shard", metavar="I/N", help="Only the I-th of N parts of the cases."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def changing(command: _Command) -> _Command:
    """Adds --fault, --equivalent, --reading and --edition, the changes of the bundled reference implementation; see `target_of`."""
    options = (
        click.option("--fault", "faults", multiple=True, metavar="ID", help="The bundled server breaks the contract in this known way; repeatable."),
        click.option("--equivalent", "equivalents", multiple=True, metavar="ID", help="It differs in this permitted way; repeatable."),
        click.option("--reading", "readings", multiple=True, metavar="ID=ALTERNATIVE", help="The same with this alternative of a reading; repeatable."),
        click.option("--edition", metavar="NAME", help="The bundled server speaks this edition of the vendor's pages."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def target_of(options: Mapping[str, Any]) -> str:
    """The target, with the changes of the bundled server in its name. Raises `UsageError` for changes of another one."""
    from conformance.endpoint.choose import CHANGES, EDITION, is_reference
    from conformance.errors import UsageError

    chosen = {**{kind: options[f"{kind}s"] for kind in CHANGES if kind != EDITION}, EDITION: (options[EDITION],)}
    changes = "".join(f"+{kind}:{value}" for kind in CHANGES for value in chosen[kind] if value is not None)
    target = str(options["target"])
    if changes and not is_reference(target):
        hint = "Leave --target out, or the changes."
        raise UsageError(
            "only the bundled reference implementation can be changed",
            where="--fault, --equivalent, --reading, --edition",
            hint=hint,
        )
    return target + changes


def selection_of(options: Mapping[str, Any]) -> Selection:
    """The filters of a command line."""
    from conformance.run.selection import Selection

    names = ("operations", "requirements", "cases", "media_types", "transports")
    chosen: dict[str, Any] = {name: tuple(options[name]) for name in names}
    return Selection(**chosen, strength=options["strength"])
