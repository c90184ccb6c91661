"""`python -m reference_impl`: the command line of the server."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reference_impl.errors import ReferenceImplError
from reference_impl.serve import ServeOptions, serve
from reference_impl.world.model import START


def parse_arguments(arguments: Sequence[str]) -> ServeOptions:
    """The options on a command line; a usage error ends the process with code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m reference_impl",
        description="Serve the reference implementation of the three order-cancellation calls.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0, the default, takes a free one")
    parser.add_argument("--world", type=Path, metavar="FILE", help="world file (default: the bundled one)")
    parser.add_argument("--state", default=START, metavar="NAME", help="state of the world (default: %(default)s)")
    parser.add_argument("--control-port", type=int, metavar="N", help="port of its own for /_world/; 0 takes any")
    parser.add_argument("--fault", action="append", default=[], metavar="ID", help="violate on purpose")
    parser.add_argument("--equivalent", action="append", default=[], metavar="ID", help="differ as is permitted")
    parser.add_argument("--reading", action="append", default=[], metavar="ID=ALT", help="choose a reading")
    parser.add_argument("--edition", metavar="NAME", help="speak this edition of the vendor's pages")
    parser.add_argument("--no-control", action="store_true", help="do not serve the control hook /_world/")
    parser.add_argument("--until-eof", action="store_true", help="stop when standard input ends")
    found = parser.parse_args(arguments)
    return ServeOptions(
        host=found.host,
        port=found.port,
        world=found.world,
        faults=tuple(found.fault),
        equivalents=tuple(found.equivalent),
        readings=tuple(found.reading),
        edition=found.edition,
        control=not found.no_control,
        control_port=found.control_port,
        state=found.state,
        until_eof=found.until_eof,
    )


def main(arguments: Sequence[str]) -> int:
    """Serves; returns the exit code: 0 after a signal, 2 for a world or option that cannot be used."""
    options = parse_arguments(arguments)
    try:
        serve(options)
    except ReferenceImplError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
