"""The exploring part of `run`: its seed, and what it says while it hunts."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import click
from click.core import ParameterSource

from conformance.engine.run import Run
from conformance.engine.selection import Choice

FOUND_FOLDER = "found"


def explore_seed(options: Mapping[str, Any]) -> int | None:
    """The seed of what is made up live: as given, else a fresh one; None for a run that does not explore."""
    if not options.get("explore"):
        return None
    context = click.get_current_context(silent=True)
    given = context is not None and context.get_parameter_source("seed") is ParameterSource.COMMANDLINE
    return int(options["seed"]) if given else int.from_bytes(os.urandom(4), "big")


def exploring(options: Mapping[str, Any], choice: Choice, seed: int) -> Callable[[Run, int], Awaitable[object]]:
    """What a campaign calls when its cases are done."""

    async def explore(run: Run, concurrency: int) -> None:
        from conformance.explore.hunt import HuntOptions, hunt

        sys.stderr.write(f"exploring with seed {seed}\n")
        folder = options["folder"] / FOUND_FOLDER
        hunted = await hunt(
            run,
            concurrency,
            HuntOptions(options["explore"], seed, folder, choice.operations, choice.transports, choice.media_types),
        )
        if options["quiet"]:
            return
        rate = hunted.trials / hunted.took_s if hunted.took_s else 0.0
        sys.stderr.write(f"explored {hunted.trials} cases in {hunted.took_s:.1f} s ({rate:.0f} a second), {len(hunted.catch.groups)} found\n")
        if hunted.catch.beyond:
            sys.stderr.write(f"  {hunted.catch.beyond} further findings of other kinds were only counted\n")
        for name, tally in sorted(hunted.tallies.items()):
            if tally.hopeless:
                sys.stderr.write(f"  {name}: left after {tally.refused} tries, none could be carried out: {tally.reason}\n")

    return explore
