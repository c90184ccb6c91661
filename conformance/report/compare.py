"""What changed between two `results.json`: verdicts, error codes, readings; and whether it got worse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from conformance.errors import JournalError
from conformance.formats.json.pointer import load_json
from conformance.model.verdict import Verdict
from conformance.report.summary import SCHEMA_VERSION

Kind = Literal["run", "requirement", "code", "case", "reading"]
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

    Worse is: a worse verdict; a requirement or a code's cell that was listed and no longer is; something
    new that fails; an endpoint that begins to mix two readings. A case that is gone is told, but is no loss
    by itself. Raises `JournalError` when a document lacks a member.
    """
    try:
        return (
            *_run(old["summary"]["verdict"], new["summary"]["verdict"]),
            *_verdicts("requirement", old["requirements"], new["requirements"], _by_id),
            *_verdicts("code", old["error_codes"], new["error_codes"], _cell_name),
            *_verdicts("case", old["cases"], new["cases"], _by_id),
            *_readings(old["readings"], new["readings"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise JournalError(f"a results.json lacks a member: {type(error).__name__}: {error}") from error


def _run(before: str, after: str) -> Iterable[Change]:
    if before != after:
        yield Change("run", "verdict", before, after, _RUN_RANK[after] > _RUN_RANK[before])


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


def _listed(alternatives: list[str]) -> str:
    return ", ".join(alternatives) or "not observed"


def _by_id(row: Mapping[str, Any]) -> str:
    return str(row["id"])


def _cell_name(row: Mapping[str, Any]) -> str:
    return f"{row['operation']} {row['code']} {row['transport']} {row['media_type']}"
