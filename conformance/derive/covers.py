"""What accounts for a departure: a reading's `covers`, a ruling settled in page.yaml, or a question still open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from conformance.derive.departures import Departure
from conformance.derive.folder_facts import operation_of, page_record
from conformance.errors import SpecError
from conformance.specs.load import read_yaml

_SIDES = ("kind", "at", "says", "against")
QUESTIONS = "questions.yaml"


@dataclass(frozen=True, slots=True)
class Cover:
    """One departure that somebody has accounted for; `at` may hold wildcards, the other sides are exact."""

    source: Literal["reading", "settled", "question"]
    name: str
    kind: str
    at: str
    says: str
    against: str

    def fits(self, departure: Departure) -> bool:
        """Whether this is the departure that is accounted for."""
        same = (self.kind, self.says, self.against) == (departure.kind, departure.says, departure.against)
        return same and fnmatchcase(departure.at, self.at)

    @property
    def words(self) -> str:
        """By what a departure is accounted for, in words."""
        return {
            "reading": f"reading {self.name}",
            "settled": "page.yaml, settled",
            "question": f"question {self.name}",
        }[self.source]


def covers_of(folder: Path) -> tuple[Cover, ...]:
    """All covers of an operation: of the readings beside its folder, of its page.yaml, of its questions.

    Errors: `SpecError` for an entry without one of its four sides.
    """
    operation = str(operation_of(folder).get("id", ""))
    return (
        *_of_readings(folder.parent / "readings.yaml", operation),
        *_settled(folder),
        *_of_questions(folder / QUESTIONS),
    )


def _of_readings(path: Path, operation: str) -> Iterator[Cover]:
    for reading in _entries(path, read_yaml(path)) if path.exists() else ():
        covers = reading.get("covers") or {}
        if not isinstance(covers, Mapping):
            raise SpecError(
                f"{reading.get('id')}: covers is no mapping from operations to lists", where=str(path), hint=_HINT
            )
        for entry in _entries(path, covers.get(operation) or []):
            yield _cover("reading", str(reading.get("id")), entry, path)


def _settled(folder: Path) -> Iterator[Cover]:
    path = folder / "page.yaml"
    for entry in _entries(path, (page_record(folder) or {}).get("settled") or []):
        if not str(entry.get("because") or "").strip():
            raise SpecError(
                "an entry of settled has no `because`", where=str(path), hint="Say why the question is settled."
            )
        yield _cover("settled", "", {key: value for key, value in entry.items() if key != "because"}, path)


def _of_questions(path: Path) -> Iterator[Cover]:
    raw = read_yaml(path) if path.exists() else {}
    for entry in _entries(path, raw.get("questions") or [] if isinstance(raw, Mapping) else raw):
        if set(_SIDES) <= entry.keys():
            yield _cover("question", str(entry.get("id", "")), {side: entry[side] for side in _SIDES}, path)


_HINT = "docs/derive.md shows such an entry: kind, at, says, against."


def _cover(source: Literal["reading", "settled", "question"], name: str, entry: Mapping[str, Any], path: Path) -> Cover:
    if set(entry) != set(_SIDES):
        where = f"{path} ({name})" if name else str(path)
        raise SpecError(
            f"a cover has the keys {', '.join(map(str, entry))}, not {', '.join(_SIDES)}", where=where, hint=_HINT
        )
    return Cover(source, name, *(str(entry[side]) for side in _SIDES))


def _entries(path: Path, raw: Any) -> list[Mapping[str, Any]]:
    if not isinstance(raw, list) or not all(isinstance(entry, Mapping) for entry in raw):
        raise SpecError("expected a list of mappings", where=str(path), hint=_HINT)
    return raw
