"""`conformance run`: judge an endpoint, write the reports, exit by the verdict.

The exploring part of `run`: its seed, and what it says while it hunts.

What `run` does once its options are read: journal, campaign, summary, reports.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from conformance.cases.fixtures import load_cases
from conformance.cli.options import printing, selecting, specs_option
from conformance.contract.load import load_contract
from conformance.endpoint.choose import REFERENCE, ChosenTarget, chosen_target
from conformance.endpoint.model import TargetFile
from conformance.endpoint.secrets import Vault, with_secrets
from conformance.errors import UsageError, need
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, RunInfo, Verdict
from conformance.report.formats.registry import write_reports
from conformance.report.formats.text import print_report
from conformance.report.journal import FILE_NAME, Header, JournalWriter, read_journal
from conformance.report.progress import progress
from conformance.report.rows import RunSummary, gather
from conformance.report.run_info import Ending, Selection, Settings, SummaryOptions, accepted_gaps, run_info
from conformance.report.summary import summarise, to_json
from conformance.run.loop import run_loop
from conformance.run.schedule import Run
from conformance.run.selection import Choice, ManyNumbered, choose, choose_generated, parse_shard
from conformance.run.session import Campaign, carry_out
from conformance.run.states.pool import Ledger

DEFAULT_FOLDER = "conformance-report"


def _finite(_context: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number of seconds.")
    return value


@click.command("run")
@selecting
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    metavar="N",
    help="How many cases may be in flight (default: the target's).",
)
@click.option(
    "--generated",
    type=click.IntRange(0),
    metavar="N",
    help="How many generated cases to run beside the named ones (default: 5000; none with --case or --requirement).",
)
@click.option(
    "--explore",
    type=click.FloatRange(0, min_open=True),
    callback=_finite,
    metavar="SECONDS",
    help="Then hunt for so long with cases made up live; what is found is shrunk and frozen in the report folder.",
)
@click.option(
    "--report",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_FOLDER,
    show_default=True,
    metavar="DIR",
    help="Where the reports go.",
)
@click.option("--resume", is_flag=True, help="Go on with the run whose journal is in the report folder.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    metavar="N",
    help="Seed of everything that is generated; an exploring run takes a fresh one for itself unless this is given.",
)
@click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The date that waivers are held against (default: today).",
)
@click.option("--json", "as_json", is_flag=True, help="Print results.json instead of tables.")
@specs_option
@printing
def command(**options: Any) -> int:
    """Judge an endpoint against the contract; without --target, the bundled reference implementation.

    Writes journal.jsonl, results.json and junit.xml into the report folder. Exit codes: 0 conformant, 1 the contract is
    violated, 2 usage or configuration, 3 the target cannot be reached, 4 incomplete, 5 the tool failed, 130 interrupted.
    """

    return run_command(options)


FOUND_FOLDER = "found"


def explore_seed(options: Mapping[str, Any]) -> int | None:
    """The seed of what is made up live: as given, else a fresh one; None for a run that does not explore."""
    if not options.get("explore"):
        return None
    need("schemathesis", "`--explore`", "schemathesis", "hypothesis", "jsonschema")
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
        sys.stderr.write(
            f"explored {hunted.trials} cases in {hunted.took_s:.1f} s ({rate:.0f} a second), {len(hunted.catch.groups)} found\n"
        )
        if hunted.catch.beyond:
            sys.stderr.write(f"  {hunted.catch.beyond} further findings of other kinds were only counted\n")
        for name, tally in sorted(hunted.tallies.items()):
            if tally.hopeless:
                sys.stderr.write(
                    f"  {name}: left after {tally.refused} tries, none could be carried out: {tally.reason}\n"
                )

    return explore


_OF_THE_RUN_BEFORE = ("results.json", "junit.xml")
"""Taken away as a run begins: should it be killed, nobody must take them for its own."""
_UNFINISHED = (Verdict.TARGET_ERROR, Verdict.HARNESS_ERROR)


def choice_of(options: Mapping[str, Any]) -> Choice:
    """The filters of a command line."""
    return Choice(
        options["operations"],
        options["requirements"],
        options["cases"],
        options["media_types"],
        options["transports"],
        parse_shard(options["shard"]),
    )


def run_command(options: Mapping[str, Any]) -> int:
    """Run, write the reports, print them; the exit code."""
    contract = load_contract(options["specs"])
    choice = choice_of(options)
    cases = choose(contract, load_cases(contract, choice.operations or None), choice)
    generated = choose_generated(contract, choice, options["generated"], options["seed"])
    summary = run_loop(_run(contract, cases, generated, choice, options))
    if options["as_json"]:
        sys.stdout.write(to_json(summary))
    else:
        print_report(summary, contract, sys.stdout, os.environ, quiet=options["quiet"], verbose=options["verbose"])
    return summary.exit_code


def offered(contract: Contract, choice: Choice, target: TargetFile) -> Choice:
    """The filters with the operations of services that the target file leaves out taken away.

    Raises `UsageError` for an operation that was asked for and that the target does not have.
    """
    have = tuple(name for name, one in contract.operations.items() if one.service in target.services)
    for name in choice.operations:
        if name not in have:
            service = contract.operations[name].service
            raise UsageError(f"the target names no service {service!r}, which {name} is of", where="--operation",
                             hint=f"Add [services.{service}] to the target file.")  # fmt: skip
    return (
        replace(choice, operations=have) if not choice.operations and len(have) < len(contract.operations) else choice
    )


async def _run(
    contract: Contract, cases: tuple[Case, ...], generated: ManyNumbered, choice: Choice, options: Mapping[str, Any]
) -> RunSummary:
    started = time.monotonic()
    async with chosen_target(options["target"], contract) as chosen:
        choice = offered(contract, choice, chosen.file)
        if choice.operations:
            cases = tuple(case for case in cases if case.operation in choice.operations)
            if any(one.operation.id not in choice.operations for one, _ in generated):
                generated = tuple(one for one in generated if one[0].operation.id in choice.operations)
        with_secrets(
            chosen.file, Vault(chosen.environment)
        )  # a missing one must not cost the journal of the run before
        info, settings = _identity(contract, chosen, choice, len(cases) + len(generated), options)
        folder: Path = options["folder"]
        earlier = _earlier(folder, info, resume=options["resume"])
        results, done, info = gather(earlier.results), frozenset(result.id for result in earlier.results), earlier.info
        left = [case for case in cases if case.id not in done]
        interrupted = False
        with (
            JournalWriter(folder / FILE_NAME, Header(info, settings), resume=options["resume"]) as journal,
            progress(
                settings.planned, sys.stderr, os.environ, quiet=options["quiet"] or options["as_json"], done=len(done)
            ) as show,
        ):
            for name in _OF_THE_RUN_BEFORE:
                with contextlib.suppress(OSError):
                    (folder / name).unlink()

            def keep(result: CaseResult) -> None:
                results.add(result)
                journal.write(result)
                show(result)

            today = (options["today"] or datetime.now(UTC)).date()
            campaign = Campaign(contract, left, chosen, today, keep, options["concurrency"], generated, done)
            campaign.earlier = earlier.results
            if info.explore_seed is not None:
                campaign.explored = choice.operations or tuple(contract.operations)
                campaign.explore = exploring(options, choice, info.explore_seed)
            campaign.ledger = Ledger(set(earlier.taken), journal.take)
            task = asyncio.current_task()
            try:
                await carry_out(campaign)
            except asyncio.CancelledError:
                interrupted = True
                if task is not None:
                    task.uncancel()
            ending = Ending(
                duration_s=round(time.monotonic() - started, 3),
                stopped=campaign.stopped,
                interrupted=interrupted,
                waivers_unmatched=campaign.unmatched,
                waivers_expired=campaign.expired,
                left_behind=() if chosen.name == REFERENCE else (*earlier.left_behind, *campaign.left_behind),
                throttled=campaign.throttled,
            )
            journal.finish(ending)
    summary = summarise(contract, info, results, SummaryOptions(settings, ending))
    write_reports(folder, summary, contract)
    return summary


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What stands of the run that this one goes on with; its identity, or a new one when there was none."""

    info: RunInfo
    results: tuple[CaseResult, ...] = ()
    taken: frozenset[str] = frozenset()
    left_behind: tuple[str, ...] = ()


def _earlier(folder: Path, info: RunInfo, *, resume: bool) -> _Earlier:
    """The run to go on with; what the target or the harness spoilt runs again."""
    path = folder / FILE_NAME
    if not resume or not path.exists():
        return _Earlier(info)
    journal = read_journal(path)
    kept = tuple(result for result in journal.results if result.verdict not in _UNFINISHED)
    same = replace(info, id=journal.header.info.id, started_at=journal.header.info.started_at)
    return _Earlier(same, kept, journal.taken, journal.options.ending.left_behind)


def _identity(
    contract: Contract, chosen: ChosenTarget, choice: Choice, planned: int, options: Mapping[str, Any]
) -> tuple[RunInfo, Settings]:
    index, count = choice.shard
    info = replace(run_info(contract, chosen, options["seed"]), explore_seed=explore_seed(options))
    selection = Selection(choice.operations, choice.requirements, choice.cases, choice.media_types, choice.transports)
    settings = Settings(
        selection=selection,
        accepted_gaps=accepted_gaps(contract, chosen.file),
        pinned=chosen.file.readings,
        shard=f"{index}/{count}" if count > 1 else "",
        planned=planned,
    )
    return info, settings
