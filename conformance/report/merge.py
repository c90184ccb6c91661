"""One journal from the journals of several shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from conformance.errors import JournalError
from conformance.model.verdict import CaseResult
from conformance.report.journal import Header, Journal
from conformance.report.run_info import Ending


def merge(shards: Sequence[tuple[Path, Journal]]) -> Journal:
    """The whole run: results of all shards, identity of shard 1, earliest start, longest duration.

    A waiver counts as unmatched when it matched in no shard. Raises `JournalError` when a shard is missing,
    given twice, cut off, of another run, or shares a case with another.
    """
    if not shards:
        raise JournalError("no journal given", hint="Give the journals of all shards.")
    placed = _placed(shards)
    first_path, first = placed[0]
    for path, journal in placed[1:]:
        _check_agrees(first_path, first.header, path, journal.header)
    header = first.header
    info = replace(header.info, started_at=min(journal.header.info.started_at for _, journal in placed))
    settings = replace(header.settings, shard="", planned=sum(journal.header.settings.planned for _, journal in placed))
    return Journal(Header(info, settings), _joined(placed), _ending(placed))


def _placed(shards: Sequence[tuple[Path, Journal]]) -> list[tuple[Path, Journal]]:
    """The shards in the order of their numbers, after a check that all are there."""
    by_number: dict[int, tuple[Path, Journal]] = {}
    totals: dict[int, Path] = {}
    for path, journal in shards:
        number, total = _shard_of(path, journal)
        totals.setdefault(total, path)
        if number in by_number:
            raise JournalError(
                f"shard {number}/{total} was given already",
                where=str(path),
                hint=f"See {by_number[number][0]}.",
            )
        by_number[number] = (path, journal)
    if len(totals) > 1:
        where = ", ".join(f"{path} of {total}" for total, path in sorted(totals.items()))
        raise JournalError(f"the shards do not belong together: {where}")
    total = next(iter(totals))
    missing = [f"{number}/{total}" for number in range(1, total + 1) if number not in by_number]
    if missing:
        raise JournalError(f"missing: shard {', '.join(missing)}", hint="Give the journals of all shards.")
    return [by_number[number] for number in sorted(by_number)]


def _shard_of(path: Path, journal: Journal) -> tuple[int, int]:
    shard = journal.header.settings.shard
    number, _, total = shard.partition("/")
    if not (number.isdecimal() and total.isdecimal() and 1 <= int(number) <= int(total)):
        raise JournalError(
            f"is no shard of a run ({shard!r})",
            where=str(path),
            hint="Only runs with --shard I/N can be merged.",
        )
    if journal.footer is None:
        raise JournalError(
            f"shard {shard} was cut off: the journal has no footer",
            where=str(path),
            hint="Finish it with --resume, or render it alone.",
        )
    return int(number), int(total)


def _check_agrees(first_path: Path, first: Header, path: Path, header: Header) -> None:
    sides = {
        "contract": (first.info.specs_digest, header.info.specs_digest),
        "target": (first.info.target, header.info.target),
        "seed": (first.info.seed, header.info.seed),
        "tool version": (first.info.tool_version, header.info.tool_version),
        "selection": (first.settings.selection, header.settings.selection),
        "pinned readings": (first.settings.pinned, header.settings.pinned),
        "accepted gaps": (first.settings.accepted_gaps, header.settings.accepted_gaps),
    }
    differing = [name for name, (one, other) in sides.items() if one != other]
    if differing:
        raise JournalError(f"belongs to another run than {first_path}: {', '.join(differing)} differ", where=str(path))


def _joined(placed: Sequence[tuple[Path, Journal]]) -> tuple[CaseResult, ...]:
    owners: dict[str, Path] = {}
    for path, journal in placed:
        for result in journal.results:
            if result.id in owners:
                raise JournalError(f"case {result.id} is in {owners[result.id]} already", where=str(path))
            owners[result.id] = path
    return tuple(result for _, journal in placed for result in journal.results)


def _ending(placed: Sequence[tuple[Path, Journal]]) -> Ending:
    footers = [journal.footer for _, journal in placed if journal.footer is not None]
    unmatched = set.intersection(*(set(footer.waivers_unmatched) for footer in footers))
    return Ending(
        duration_s=max(footer.duration_s for footer in footers),
        stopped=next((footer.stopped for footer in footers if footer.stopped), ""),
        interrupted=any(footer.interrupted for footer in footers),
        waivers_unmatched=tuple(sorted(unmatched)),
        waivers_expired=tuple(sorted({waiver for footer in footers for waiver in footer.waivers_expired})),
        left_behind=tuple(sorted({one for footer in footers for one in footer.left_behind})),
        throttled=sum(footer.throttled for footer in footers),
    )
