"""What `run` does once its options are read: journal, campaign, summary, reports."""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from conformance.cases.load import load_cases
from conformance.cli.version import tool_version
from conformance.engine.campaign import Campaign, carry_out
from conformance.engine.selection import Choice, choose, parse_shard
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, RunInfo, Verdict
from conformance.report.journal import FILE_NAME, JournalWriter, read_journal
from conformance.report.lines import Header
from conformance.report.progress import progress
from conformance.report.render import write_reports
from conformance.report.results import summarise, to_json
from conformance.report.rows import RunSummary
from conformance.report.settings import Ending, Selection, Settings, SummaryOptions
from conformance.report.terminal import print_report
from conformance.specs.load import load_contract
from conformance.target.choose import REFERENCE, ChosenTarget, chosen_target
from conformance.target.model import TargetFile

T = TypeVar("T")
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
    summary = run_loop(_run(contract, cases, choice, options))
    if options["as_json"]:
        sys.stdout.write(to_json(summary))
    else:
        print_report(
            summary, contract, sys.stdout, os.environ, quiet=options["quiet"], verbose=options["verbose"]
        )
    return summary.exit_code


def run_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(coroutine)
    return uvloop.run(coroutine)


async def _run(contract: Contract, cases: tuple[Case, ...], choice: Choice, options: Mapping[str, Any]) -> RunSummary:
    started = time.monotonic()
    async with chosen_target(options["target"], contract) as chosen:
        info, settings = _identity(contract, chosen, choice, len(cases), options)
        folder: Path = options["folder"]
        results, info = _earlier(folder, info, resume=options["resume"])
        left = [case for case in cases if case.id not in results]
        interrupted = False
        with (
            JournalWriter(folder / FILE_NAME, Header(info, settings), resume=options["resume"]) as journal,
            progress(len(cases), sys.stderr, os.environ, quiet=options["quiet"] or options["as_json"], done=len(results)) as show,
        ):

            def keep(result: CaseResult) -> None:
                results[result.id] = result
                journal.write(result)
                show(result)

            today = (options["today"] or datetime.now(UTC)).date()
            campaign = Campaign(contract, left, chosen, today, keep, options["concurrency"])
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
            )
            journal.finish(ending)
    summary = summarise(contract, info, tuple(results.values()), SummaryOptions(settings, ending))
    write_reports(folder, summary, contract)
    return summary


def _earlier(folder: Path, info: RunInfo, *, resume: bool) -> tuple[dict[str, CaseResult], RunInfo]:
    """Results of the run to go on with, and its identity; what the target or the harness spoilt is run again."""
    path = folder / FILE_NAME
    if not resume or not path.exists():
        return {}, info
    journal = read_journal(path)
    kept = {result.id: result for result in journal.results if result.verdict not in _UNFINISHED}
    return kept, replace(info, id=journal.header.info.id, started_at=journal.header.info.started_at)


def _identity(
    contract: Contract, chosen: ChosenTarget, choice: Choice, planned: int, options: Mapping[str, Any]
) -> tuple[RunInfo, Settings]:
    index, count = choice.shard
    info = RunInfo(
        id=uuid.uuid4().hex,
        tool_version=tool_version(),
        specs_digest=contract.digest,
        seed=options["seed"],
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        target=described(chosen),
    )
    selection = Selection(choice.operations, choice.requirements, choice.cases, choice.media_types, choice.transports)
    settings = Settings(
        selection=selection,
        accepted_gaps=accepted_gaps(contract, chosen.file),
        pinned=chosen.file.readings,
        shard=f"{index}/{count}" if count > 1 else "",
        planned=planned,
    )
    return info, settings


def described(chosen: ChosenTarget) -> dict[str, Any]:
    """The target as reports show it; the bundled one has another port each time, which is left out."""
    if chosen.name == REFERENCE:
        return {"name": REFERENCE}
    place = "url" if "://" in chosen.name else "file"
    return {**chosen.file.redacted(), place: chosen.name}


def accepted_gaps(contract: Contract, target: TargetFile) -> dict[tuple[str, str], str]:
    """The error codes that the target file says nobody can bring about there, with its reasons."""
    gaps: dict[tuple[str, str], str] = {}
    for service_id, service in target.services.items():
        for name in contract.services[service_id].operations:
            for code in contract.operations[name].codes:
                provocation = service.errors.get(name, {}).get(code.code) or service.errors.get("any", {}).get(code.code)
                if provocation is not None and provocation.unreachable is not None:
                    gaps[(name, code.code)] = provocation.unreachable
    return gaps
