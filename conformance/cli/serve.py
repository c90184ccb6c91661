"""`conformance serve`: the reference implementation on a socket, until a signal."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.options import changing, printing
from conformance.errors import ConfigurationError


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="H", help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Port; 0, the default, takes a free one.",
)
@click.option("--world", type=click.Path(path_type=Path), metavar="FILE", help="World file (default: the bundled one).")
@changing
@click.option("--no-control", is_flag=True, help="Switch off the control address /_world/.")
@printing
def command(
    host: str,
    port: int,
    world: Path | None,
    faults: tuple[str, ...],
    equivalents: tuple[str, ...],
    readings: tuple[str, ...],
    no_control: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Serve the reference implementation on loopback until SIGINT or SIGTERM.

    The first line on standard output is `listening on http://HOST:PORT`.
    """
    from reference_impl.errors import ReferenceImplError
    from reference_impl.serve import ServeOptions, serve

    del quiet, verbose  # a script waits for the one line that this prints
    options = ServeOptions(
        host=host,
        port=port,
        world=world,
        faults=faults,
        equivalents=equivalents,
        readings=readings,
        control=not no_control,
    )
    try:
        serve(options)
    except ReferenceImplError as error:
        raise ConfigurationError(error.message, where=error.where, hint=error.hint) from error
