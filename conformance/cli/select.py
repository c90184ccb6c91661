"""The options that choose a target and cases, shared by `run` and `plan`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def selecting(command: _Command) -> _Command:
    """Adds --target, --operation, --requirement, --case, --media-type, --transport and --shard."""
    options = (
        click.option("--target", default="reference", show_default=True, metavar="FILE|URL|reference", help="The endpoint to judge."),
        click.option("--operation", "operations", multiple=True, metavar="ID", help="Only this operation; repeatable."),
        click.option("--requirement", "requirements", multiple=True, metavar="ID", help="Only cases of this requirement; repeatable."),
        click.option("--case", "cases", multiple=True, metavar="ID", help="Only this case; may hold `*`; repeatable."),
        click.option("--media-type", "media_types", multiple=True, metavar="M", help="Only this media type; repeatable."),
        click.option("--transport", "transports", multiple=True, metavar="T", help="Only this transport: http or ws."),
        click.option("--shard", metavar="I/N", help="Only the I-th of N parts of the cases."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command
