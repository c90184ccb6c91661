"""The exploring part of `conformance run`: its seed, and what it prints meanwhile."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from conformance.errors import (
    need,
)
from conformance.run.selection import (
    Selection,
)
from conformance.run.session import Session

if TYPE_CHECKING:
    from conformance.explore.search import Search

FOUND_FOLDER = "found"


def explore_seed(options: Mapping[str, Any]) -> int | None:
    """The seed of an exploring run: as given, else a new one; None for a run that does not explore."""
    if options["explore"]:
        need("schemathesis", "`--explore`", "schemathesis", "hypothesis", "jsonschema")
    elif not options["races"]:
        return None
    context = click.get_current_context(silent=True)
    given = context is not None and context.get_parameter_source("seed") is ParameterSource.COMMANDLINE
    return int(options["seed"]) if given else int.from_bytes(os.urandom(4), "big")


def exploring(
    options: Mapping[str, Any], selection: Selection, seed: int
) -> Callable[[Session, int], Awaitable[object]]:
    """What a session does after its cases: it explores with cases of all kinds, then with races, each for its time."""

    async def explore(run: Session, concurrency: int) -> None:
        from conformance.explore.search import SearchOptions, run_search

        folder = options["folder"] / FOUND_FOLDER
        filters = (selection.operations, selection.transports, selection.media_types)
        for doing, seconds in (("exploring", options["explore"]), ("racing", options["races"])):
            if not seconds or run.stopped is not None:
                continue
            sys.stderr.write(f"{doing} with seed {seed}\n")
            search = await run_search(
                run, concurrency, SearchOptions(seconds, seed, folder, *filters, races=doing == "racing")
            )
            if not options["quiet"]:
                _say_explored(search)

    return explore


def _say_explored(search: Search) -> None:
    rate = search.trials / search.took_s if search.took_s else 0.0
    kind = "races" if search.options.races else "cases"
    sys.stderr.write(
        f"explored {search.trials} {kind} in {search.took_s:.1f} s ({rate:.0f} a second), {len(search.findings.groups)} found\n"
    )
    if search.findings.beyond:
        sys.stderr.write(f"  {search.findings.beyond} further findings of other kinds were only counted\n")
    for name, tally in sorted(search.tallies.items()):
        if tally.hopeless:
            sys.stderr.write(f"  {name}: left after {tally.refused} tries, none could be carried out: {tally.reason}\n")
