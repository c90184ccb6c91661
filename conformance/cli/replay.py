"""`conformance replay`: one case again, its exchange, its judgement in full, and the message to paste."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from conformance.cli.options import printing, specs_option


@click.command("replay")
@click.argument("case", metavar="CASE-ID|FILE")
@click.option("--target", default="reference", show_default=True, metavar="FILE|URL|reference", help="The endpoint to send it to.")
@click.option("--operation", "operations", multiple=True, metavar="ID", help="Look for the case in this operation alone; repeatable.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, metavar="N", help="Seed of the run that the generated case comes from.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The date that waivers are held against (default: today).")
@specs_option
@printing
def command(case: str, specs: Path | None, **options: Any) -> int:
    """Send one case again and judge it: a case id, or a JSON FILE that holds a case.

    Its states are set up anew. Prints what was sent and received, every finding with its clause, and the same message as
    a curl command or a WebSocket frame; credentials stand there as shell variables such as $APTOKEN. With -q the verdict
    alone. Exit codes: 0 pass, 1 the contract is violated, 3 the target cannot be reached, 4 not verified, 5 the tool failed.
    """
    from conformance.cli.replaying import replay_command

    return replay_command(case, specs, options)
