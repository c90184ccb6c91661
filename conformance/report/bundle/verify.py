"""Makes a bundle of a run's folder, and verifies one: signature, digests, then every recorded exchange judged again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from conformance.cases.case_data import from_data, to_data
from conformance.checks.judge import Pins, judge
from conformance.checks.kit import build_kit
from conformance.endpoint.model import Waiver
from conformance.errors import JournalError
from conformance.formats.json.pointer import load_json
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import FROZEN_NOTE, CaseResult
from conformance.report.bundle.archive import MOST_BYTES, BundleError, digest, read_archive, write_archive
from conformance.report.bundle.cases import RunCases
from conformance.report.bundle.statement import (
    ENVELOPE,
    KEY,
    STATEMENT,
    canonical,
    opened,
    read_statement,
    signed,
    statement_of,
)
from conformance.report.formats.registry import summary_of
from conformance.report.journal import FILE_NAME as JOURNAL
from conformance.report.journal import Journal, read_journal
from conformance.report.rows import RunSummary
from conformance.report.summary import summarise
from conformance.run.judgement import Judge
from conformance.run.recorded import (
    Record,
    again,
    differences,
    lines_of,
    needs_recording,
    read_recording,
    unpacked,
)
from conformance.run.recording import FILE_NAME as RECORDING
from conformance.run.schedule import FormMemory
from conformance.run.session import Waivers

OBSERVATIONS, TARGET, CASES = "observations.jsonl", "target.json", "cases.json"
_CONTENT = (JOURNAL, OBSERVATIONS, TARGET, CASES)
_KNOWN = (*_CONTENT, STATEMENT, ENVELOPE, KEY)
_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of verifying a bundle; with `problems` its verdict is not to be relied on."""

    summary: RunSummary
    judged: int
    """How many cases were judged again."""
    signer: str = ""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 for the same verdict "pass", 1 for the same verdict "fail", 2 for anything else."""
        return 2 if self.problems else {"pass": 0, "fail": 1}.get(self.summary.verdict, 2)


def make_bundle(folder: Path, out: Path, contract: Contract, key: Path | None) -> Verified:
    """Write the bundle of a finished run, after judging its recording again; nothing is written where that differs.

    Raises `JournalError` for a folder without a whole run, and those of `signed`.
    """
    journal = read_journal(folder)
    summary = summary_of(journal, contract)
    recording = folder / RECORDING
    try:
        packed = recording.read_bytes()
    except OSError as error:
        hint = "`conformance run` writes it; a folder of an earlier version has none."
        raise JournalError(f"cannot be read: {error.strerror or error}", where=str(recording), hint=hint) from error
    observations = unpacked(packed, MOST_BYTES)
    unlisted = [to_data(_frozen(result, folder)) for result in journal.results if _is_frozen(result)]
    content = {
        JOURNAL: (folder / JOURNAL).read_bytes(),
        OBSERVATIONS: observations,
        TARGET: canonical(load_json(canonical(dict(journal.header.info.target)))),
        CASES: canonical(unlisted),
    }
    verified = _judged_again(journal, summary, observations, unlisted, contract)
    if verified.problems:
        raise BundleError("\n".join(("the recording gives other results than the journal has", *verified.problems)))
    stated = canonical(statement_of(summary, content))
    write_archive(out, content | ({STATEMENT: stated} if key is None else signed(stated, key)))
    return verified


def _is_frozen(result: CaseResult) -> bool:
    return any(note.startswith(FROZEN_NOTE) for note in result.notes)


def _frozen(result: CaseResult, folder: Path) -> Case:
    """The case that an exploring run wrote into a file. Raises `JournalError` when it is not there any more."""
    name = next(note.removeprefix(FROZEN_NOTE) for note in result.notes if note.startswith(FROZEN_NOTE))
    for path in (Path(name), folder / "found" / Path(name).name):
        if path.exists():
            data = load_json(path.read_bytes())
            return replace(from_data(data["cases"][0]), id=result.id)
    raise JournalError(f"the file of the case {result.id} is gone", where=name)


def verify_bundle(path: Path, contract: Contract, key: Path | None) -> Verified:
    """Check signature and digests, and judge every recorded exchange again.

    Raises `BundleError` for a bundle that is not whole or not what was stated.
    """
    members = read_archive(path, _KNOWN)
    statement, signer = opened(members, key)
    stated = read_statement(statement, signer)
    content = {name: members[name] for name in _CONTENT if name in members}
    for name in _CONTENT:
        if name not in stated.digests:
            raise BundleError("the Statement says nothing of it", where=name)
        if name not in content:
            raise BundleError("is missing", where=name)
        if digest(content[name]) != stated.digests[name]:
            raise BundleError("was changed: its digest is not the one that was stated", where=name)
    if stated.contract != contract.digest:
        raise BundleError(
            f"the run was judged by another contract: {stated.contract[:12]}, and this one is {contract.digest[:12]}",
            where=str(contract.root), hint="Give the specs folder of that run with --specs DIR.",
        )  # fmt: skip
    journal = _journal(content[JOURNAL])
    summary = _summary(journal, contract)
    if canonical(dict(journal.header.info.target)) != content[TARGET]:
        raise BundleError("is not the target of the journal", where=TARGET)
    if stated.tool_version != journal.header.info.tool_version:
        raise BundleError("the Statement names another version of the tool than the journal", where=STATEMENT)
    unlisted = _object_list(content[CASES])
    verified = _judged_again(journal, summary, content[OBSERVATIONS], unlisted, contract)
    problems = list(verified.problems)
    same = statement_of(verified.summary, content)["predicate"]
    if not problems and (same["result"], *(same[kind] for kind in stated.tests)) != (
        stated.result,
        *stated.tests.values(),
    ):
        problems.append(f"the Statement says {stated.result}, and the judgement now is {same['result']}")
    return replace(verified, signer=signer, problems=tuple(problems))


def _journal(content: bytes) -> Journal:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / JOURNAL
        path.write_bytes(content)
        try:
            return read_journal(path)
        except JournalError as error:
            raise BundleError(error.message, where=error.where.replace(str(path), JOURNAL)) from error


def _summary(journal: Journal, contract: Contract) -> RunSummary:
    try:
        return summary_of(journal, contract)
    except JournalError as error:
        raise BundleError(error.message, where=JOURNAL) from error


def _object_list(content: bytes) -> list[Any]:
    try:
        found = load_json(content)
    except ValueError as error:
        raise BundleError(f"is no JSON: {error}", where=CASES) from error
    if not isinstance(found, list):
        raise BundleError("is no list of cases", where=CASES)
    return found


def _judged_again(
    journal: Journal, summary: RunSummary, observations: bytes, unlisted: Sequence[Any], contract: Contract
) -> Verified:
    """All that was recorded of a run, judged again, beside what its journal says."""
    try:
        recorded = read_recording(tuple(lines_of(observations)))
    except JournalError as error:
        raise BundleError(error.message, where=error.where) from error
    contract = contract.in_editions(journal.header.settings.editions)
    cases = RunCases.of(journal, contract, unlisted)
    problems = list(cases.missing(journal))
    requirements = {
        (operation, reading.id): reading.requirements[operation]
        for reading in contract.readings.values()
        for operation in reading.operations
    }
    the_judge = partial(judge, pins=Pins(journal.header.settings.pinned, requirements))
    results, judged = [], 0
    for was, now, problem in _each(journal, recorded, cases, contract, the_judge):
        results.append(now)
        judged += now is not was
        if problem:
            problems.append(f"{was.id}: {problem}")
    problems.extend(f"{name}: it was recorded, and the journal does not have it" for name in _beyond(journal, recorded))
    if len(problems) > _MOST_TOLD:
        problems = [*problems[:_MOST_TOLD], f"and {len(problems) - _MOST_TOLD:,} more"]
    same = summarise(contract, summary.info, results, journal.options)
    if not problems and same.verdict != summary.verdict:
        problems.append(f"the verdict is {same.verdict}, and the journal's {summary.verdict}")
    return Verified(same, judged, problems=tuple(problems), notes=_notes(journal))


def _notes(journal: Journal) -> tuple[str, ...]:
    from conformance import tool_version

    theirs, ours = journal.header.info.tool_version, tool_version()
    return () if theirs == ours else (f"the run was made with version {theirs} of the tool, this is {ours}",)


def _beyond(journal: Journal, recorded: Mapping[str, Record]) -> Iterator[str]:
    known = {result.id for result in journal.results}
    return (name for name in recorded if name not in known)


def _each(
    journal: Journal, recorded: Mapping[str, Record], cases: RunCases, contract: Contract, the_judge: Judge
) -> Iterator[tuple[CaseResult, CaseResult, str]]:
    """Each result of the journal, what it is now, and what is wrong with it."""
    kits = {name: build_kit(operation) for name, operation in contract.operations.items()}
    waivers, memory = _waivers(journal), FormMemory()
    now: dict[str, tuple[CaseResult, CaseResult, str]] = {}
    for result in journal.results:
        case = cases.find(result)
        if case is None:
            now[result.id] = result, result, "no case of this contract has this id"
        elif not needs_recording(result):
            now[result.id] = result, result, ""
        elif result.id not in recorded or recorded[result.id].left_out:
            why = recorded[result.id].left_out if result.id in recorded else ""
            now[result.id] = result, result, f"what it rests on was not recorded{why and f': {why}'}"
        else:
            judged, problem = again(kits[case.operation], case, result, recorded[result.id], the_judge)
            now[result.id] = result, judged.result, problem
            key = cases.relation(result.id, case)
            if key is not None and judged.gist and not problem:
                memory.note(key[1], key[0], judged)
    for revised in memory.broken(()):
        was, _, problem = now[revised.id]
        now[revised.id] = was, replace(revised, exchanges=was.exchanges), problem
    for was, seen, problem in now.values():
        if seen is not was and not problem:
            seen = waivers.apply(seen)
            problem = _explored(was, seen) if cases.is_unlisted(was.id) else differences(was, seen)
        yield was, seen, problem


def _explored(was: CaseResult, seen: CaseResult) -> str:
    """An exploring run reports one finding of a case: it must be among those that the case has now."""
    if was.verdict is not seen.verdict:
        return f"verdict: {was.verdict.value} in the journal, {seen.verdict.value} when judged again"
    found = {(one.requirement, one.check) for one in seen.findings}
    missing = [one for one in was.findings if (one.requirement, one.check) not in found]
    return f"{missing[0].check} on {missing[0].requirement} is not found any more" if missing else ""


def _waivers(journal: Journal) -> Waivers:
    """Those of the redacted target that had not expired on the day of the run."""
    raw = journal.header.info.target.get("waivers", ())
    try:
        waivers = [Waiver.model_validate(one) for one in raw] if isinstance(raw, list) else []
    except ValidationError as error:
        raise BundleError(f"its waivers are not understood: {error.error_count()} mistakes", where=TARGET) from error
    ending = journal.options.ending
    expired = {line.partition(": expired on ")[0] for line in ending.waivers_expired}
    return Waivers([one for one in waivers if one.label not in expired], date.min)
