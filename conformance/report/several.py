"""Several runs: one journal from the journals of their shards, and what changed between two `results.json`.

A comparison tells verdicts, error codes and readings that changed, and whether it got worse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from conformance.errors import JournalError
from conformance.formats.json.pointer import load_json
from conformance.model.verdict import CaseResult, Verdict
from conformance.report.answers import differences
from conformance.report.causes import Kind as CauseKind
from conformance.report.journal import FILE_NAME, Header, Journal, read_journal
from conformance.report.run_info import Ending
from conformance.report.safe_text import many
from conformance.report.summary import SCHEMA_VERSION


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
    set_ups = tuple(line for _, journal in placed for line in journal.set_ups)
    return Journal(Header(info, settings), _joined(placed), _ending(placed), set_ups=set_ups)


def added(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts of several parts of a run, added up."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)


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
        "pinned editions": (first.settings.editions, header.settings.editions),
        "accepted gaps": (first.settings.accepted_gaps, header.settings.accepted_gaps),
        "share of cases to be carried out": (first.settings.min_carried_out, header.settings.min_carried_out),
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
        enough=next((footer.enough for footer in footers if footer.enough), ""),
        waivers_unmatched=tuple(sorted(unmatched)),
        waivers_expired=tuple(sorted({waiver for footer in footers for waiver in footer.waivers_expired})),
        waivers_matched=added(footer.waivers_matched for footer in footers),
        waivers_beyond=tuple(sorted({waiver for footer in footers for waiver in footer.waivers_beyond})),
        left_behind=tuple(sorted({one for footer in footers for one in footer.left_behind})),
        unseen=sum(footer.unseen for footer in footers),
        untrue_lacks=tuple(sorted({one for footer in footers for one in footer.untrue_lacks})),
        throttled=sum(footer.throttled for footer in footers),
        messages=added(footer.messages for footer in footers),
    )


Kind = Literal["run", "cause", "requirement", "code", "case", "reading", "answer", "waiver"]
_RANK = {verdict.value: rank for rank, verdict in enumerate(Verdict)}
_RUN_RANK = {"pass": 0, "incomplete": 1, "error": 2, "fail": 3}
_ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs; `before` or `after` is `absent` where one side lacks it."""

    kind: Kind
    id: str
    before: str
    after: str
    worse: bool
    words: str = ""
    """What it is, where the id does not say it."""


def read_results(path: Path) -> Mapping[str, Any]:
    """The document of a `results.json`, or of the one in a folder; `JournalError` when it is none."""
    file = path / "results.json" if path.is_dir() else path
    try:
        document = load_json(file.read_bytes())
    except OSError as error:
        raise JournalError(
            f"cannot be read: {error.strerror or error}",
            where=str(file),
            hint="Give a results.json or its folder.",
        ) from error
    except ValueError as error:
        raise JournalError(f"not JSON: {error}", where=str(file)) from error
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
        raise JournalError(
            f"is no results.json of schema_version {SCHEMA_VERSION}",
            where=str(file),
            hint="Render it again from its journal: conformance report render.",
        )
    return document


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """The changes from one results document to the next, sorted by kind and id.

    Worse is: a worse verdict; a cause that is new, or that more cases show; a requirement or a code's cell that was listed and no longer is; something
    new that fails; an endpoint that begins to mix two readings. A case that is gone is told, but is no loss
    by itself. Raises `JournalError` when a document lacks a member.
    """
    try:
        return (
            *_run(old["summary"]["verdict"], new["summary"]["verdict"]),
            *_carried_out(old["summary"].get("carried_out"), new["summary"].get("carried_out")),
            *_causes(old.get("causes"), new.get("causes")),
            *_verdicts("requirement", old["requirements"], new["requirements"], _by_id),
            *_verdicts("code", old["error_codes"], new["error_codes"], _cell_name),
            *_verdicts("case", old["cases"], new["cases"], _by_id),
            *_readings(old["readings"], new["readings"]),
            *_waivers(old.get("waivers", ()), new.get("waivers", ())),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise JournalError(f"a results.json lacks a member: {type(error).__name__}: {error}") from error


def _run(before: str, after: str) -> Iterable[Change]:
    if before != after:
        yield Change("run", "verdict", before, after, _RUN_RANK[after] > _RUN_RANK[before])


def _carried_out(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Iterable[Change]:
    """A smaller share is worse; a file of an earlier version does not say."""
    if old is None or new is None or (old["share"], old["not"]) == (new["share"], new["not"]):
        return
    yield Change("run", "cases carried out", _told(old), _told(new), new["share"] < old["share"])


def _told(done: Mapping[str, Any]) -> str:
    reasons = (f"{count} {reason}" for reason, count in sorted(done["not"].items()))
    return ", ".join([f"{done['cases']} of {done['of']}", *reasons])


def _causes(old: Sequence[Mapping[str, Any]] | None, new: Sequence[Mapping[str, Any]] | None) -> Iterable[Change]:
    """What is wrong now and was not, and the other way round; a file of an earlier version does not say."""
    if old is None or new is None:
        return
    left = list(new)
    for before in old:
        after = next((one for one in left if one["id"] == before["id"]), None) or next(
            (one for one in left if _is_same(before, one)), None
        )
        if after is None:
            yield Change("cause", before["id"], many(before["cases"], "case"), _NO_CASE, False, _words(before))
            continue
        left.remove(after)
        was, now = before["cases"], after["cases"]
        if was != now:
            yield Change("cause", after["id"], many(was, "case"), many(now, "case"), now > was, _words(after))
    for after in left:
        yield Change("cause", after["id"], _NO_CASE, many(after["cases"], "case"), True, _words(after))


_NO_CASE = "no case"


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two causes are one, most of whose cases broke another requirement in one of the runs."""
    alike = all(one[key] == other[key] for key in ("operation", "check", "kind"))
    return alike and not set(one["requirements"]).isdisjoint(other["requirements"])


def _words(cause: Mapping[str, Any]) -> str:
    levels = " and ".join(f"{factor} {level}" for factor, level in cause["only_when"].items())
    said = f"{CauseKind(cause['kind']).words}: {cause['message']}"
    return f"{said}, with {levels}" if levels else said


def _verdicts(
    kind: Kind,
    old: Iterable[Mapping[str, Any]],
    new: Iterable[Mapping[str, Any]],
    name_of: Callable[[Mapping[str, Any]], str],
) -> Iterable[Change]:
    before = {name_of(row): str(row["verdict"]) for row in old}
    after = {name_of(row): str(row["verdict"]) for row in new}
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name, _ABSENT), after.get(name, _ABSENT)
        if was != now:
            yield Change(kind, name, was, now, _is_worse(kind, was, now))


def _is_worse(kind: Kind, was: str, now: str) -> bool:
    if was == _ABSENT:
        return _RANK[now] >= _RANK[Verdict.TARGET_ERROR.value]
    if now == _ABSENT:
        return kind != "case"
    return _RANK[now] > _RANK[was]


def _readings(old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]) -> Iterable[Change]:
    before = {str(row["id"]): sorted(row["observed"]) for row in old}
    after = {str(row["id"]): sorted(row["observed"]) for row in new}
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name, []), after.get(name, [])
        if was != now:
            is_mixing = len(now) > 1 and len(was) <= 1
            yield Change("reading", name, _listed(was), _listed(now), is_mixing)


def _waivers(old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]) -> Iterable[Change]:
    """A waiver that matches more cases than before hides more than before."""
    before = {str(row["waiver"]): int(row["cases"]) for row in old}
    after = {str(row["waiver"]): int(row["cases"]) for row in new}
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name, 0), after.get(name, 0)
        if was != now:
            yield Change("waiver", name, f"{was} cases", f"{now} cases", name in before and now > was)


def answered_otherwise(old: Path, new: Path) -> tuple[Change, ...] | None:
    """What differs in answers that are right in both runs; None where a folder has no journal to read them from."""
    folders = [path if path.is_dir() else path.parent for path in (old, new)]
    if not all((folder / FILE_NAME).exists() for folder in folders):
        return None
    before, after = (read_journal(folder).results for folder in folders)
    return tuple(
        Change("answer", one.about, one.before, one.after, False, f"{many(one.cases, 'case')}, such as {one.example}")
        for one in differences(before, after)
    )


def _listed(alternatives: list[str]) -> str:
    return ", ".join(alternatives) or "not observed"


def _by_id(row: Mapping[str, Any]) -> str:
    return str(row["id"])


def _cell_name(row: Mapping[str, Any]) -> str:
    return f"{row['operation']} {row['code']} {row['transport']} {row['media_type']}"
