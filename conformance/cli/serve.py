"""`conformance serve`: the reference implementation on a socket, until a signal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.cli.options import changing, printing
from conformance.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from conformance.model.spec import Contract
    from reference_impl.parts import Arrival


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
@click.option("--state", default="start", show_default=True, metavar="NAME", help="State of the world to start in.")
@click.option("--world-schema", is_flag=True, help="Print the JSON Schema of world files, and serve nothing.")
@changing
@click.option(
    "--write-target",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the target file for what is served, its secrets beside it; `conformance run --target FILE` reads it.",
)
@click.option("--cors", is_flag=True, help="Let pages of any origin call it.")
@click.option(
    "--control-port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Port of its own for the control address, on 127.0.0.1; 0 takes a free one (default: the port of the API).",
)
@click.option("--no-control", is_flag=True, help="Switch off the control address /_world/.")
@printing
def command(
    host: str,
    port: int,
    world: Path | None,
    state: str,
    world_schema: bool,
    faults: tuple[str, ...],
    equivalents: tuple[str, ...],
    readings: tuple[str, ...],
    edition: str | None,
    write_target: Path | None,
    cors: bool,
    control_port: int | None,
    no_control: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Serve the reference implementation on loopback until SIGINT or SIGTERM.

    The first line on standard output is `listening on http://HOST:PORT`; with --control-port, the second is
    `control at http://127.0.0.1:PORT/_world/`. On a terminal, a line follows for each request.
    """
    from reference_impl.errors import ReferenceImplError
    from reference_impl.serve import ServeOptions, serve
    from reference_impl.world.load import world_schema as schema_text

    if world_schema:
        click.echo(schema_text(), nl=False)
        return
    if no_control and control_port is not None:
        raise UsageError("cannot be combined with --no-control", where="--control-port", hint="Give one of the two.")
    if write_target is not None and (world is not None or no_control):
        option = "--no-control" if no_control else "--world"
        raise UsageError(
            f"cannot be combined with {option}", where="--write-target",
            hint="The file is that of the bundled world, whose states are looked at through the control address.",
        )  # fmt: skip
    del quiet, verbose  # a script waits for the one line that this prints
    options = ServeOptions(
        host=host,
        port=port,
        world=world,
        faults=faults,
        equivalents=equivalents,
        readings=readings,
        edition=edition,
        control=not no_control,
        control_port=control_port,
        state=state,
        cors=cors,
        log=sys.stdout if sys.stdout.isatty() else None,
        ready=None if write_target is None else partial(_write, write_target),
        verdict=_judged(),
    )
    try:
        serve(options)
    except ReferenceImplError as error:
        raise ConfigurationError(error.message, where=error.where, hint=error.hint) from error


def _judged() -> Callable[[Arrival], Mapping[str, Any]]:
    """The verdict on each request that was received, by the bundled contract; nothing is loaded before it is asked for."""

    def verdict(arrival: Arrival) -> Mapping[str, Any]:
        from conformance.passive.served import verdict_on

        if not made:
            made.append(verdict_on(_bundled))
        return made[0](arrival)

    made: list[Callable[[Arrival], Mapping[str, Any]]] = []
    return verdict


def _bundled() -> Contract:
    from conformance.contract.load import load_contract

    return load_contract(None)


def _write(path: Path, address: str, control: str) -> None:
    from conformance.endpoint.reference import write_target

    try:
        write_target(path, address, control)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror or error}", where=str(path)) from error
