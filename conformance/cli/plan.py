"""`conformance plan`: every message that `run` would send, with role, states and scope decision; nothing is sent."""

from __future__ import annotations

from typing import Any

import click

from conformance.cli.options import printing, specs_option
from conformance.cli.select import selecting


@click.command("plan")
@selecting
@click.option("--generated", type=click.IntRange(0), metavar="N", help="How many generated cases, as for run.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, metavar="N", help="Seed of everything that is generated.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@specs_option
@printing
def command(**options: Any) -> None:
    """Print every message that `run` would send with the same options; connect to nothing.

    Each comes with its role, the states that would be set up first, and the decision of the scope guard. Ids that exist
    only once a state was set up stand as ${places}, and count as granted. With -q one line for each message.
    """
    from conformance.cli.planning import plan_command

    plan_command(options)
