"""How the fixture files on disk differ from those that the contract gives now."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from conformance.cases.fixture_text import canonical_text
from conformance.cases.fixtures import MANIFEST, fixture_files, fixture_folder, parse_json, produced_files
from conformance.model.spec import Contract, Operation

_MOST_LINES = 40
_MOST_COLUMNS = 240


@dataclass(frozen=True, slots=True)
class FileDrift:
    """One file that differs: it was edited, is missing, or is there and should not be; `diff` leads to what should."""

    path: Path
    kind: Literal["edited", "missing", "extra"]
    diff: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """All that a build would change: files, and the ids of the cases that it would add, remove or change."""

    files: tuple[FileDrift, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    checked: int
    """How many files were compared."""


def fixture_drift(contract: Contract) -> Drift:
    """Compare every operation's fixtures with what `write_fixtures` would write; nothing is touched."""
    files: list[FileDrift] = []
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    checked = 0
    for name in sorted(contract.operations):
        operation = contract.operations[name]
        produced = produced_files(operation)
        files.extend(_file_drifts(operation, produced))
        present = {path.name: path.read_bytes() for path in fixture_files(operation)}
        before.update(_digests(present))
        after.update(_digests({key: value for key, value in produced.items() if key != MANIFEST}))
        checked += len(produced)
    return Drift(
        tuple(files),
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(sorted(key for key in before.keys() & after.keys() if before[key] != after[key])),
        checked=checked,
    )


def _file_drifts(operation: Operation, produced: Mapping[str, bytes]) -> Iterator[FileDrift]:
    folder = fixture_folder(operation)
    present = {path.name for path in fixture_files(operation)}
    for name in sorted(present | produced.keys()):
        path = folder / name
        if name not in produced:
            yield FileDrift(path, "extra", ())
        elif not path.is_file():
            yield FileDrift(path, "missing", ())
        elif (found := path.read_bytes()) != produced[name]:
            yield FileDrift(path, "edited", tuple(_diff(path, found, produced[name])))


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """The canonical text of each case by its id; a file that cannot be read has none."""
    found: dict[str, str] = {}
    for content in files.values():
        try:
            data = parse_json(content)
        except ValueError:
            continue  # the file itself is reported
        entries = data.get("cases") if isinstance(data, dict) else None
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("id"), str):
                found[entry["id"]] = canonical_text(entry)
    return found


def _diff(path: Path, found: bytes, wanted: bytes) -> Iterator[str]:
    """A unified diff of at most 40 lines, each cut to a readable length."""
    old = found.decode("utf-8", "backslashreplace").splitlines()
    new = wanted.decode("utf-8").splitlines()
    name = "/".join(path.parts[-4:])
    lines = list(difflib.unified_diff(old, new, f"{name} (on disk)", f"{name} (from the contract)", n=2, lineterm=""))
    if not lines:
        yield "only line endings differ"
    for line in lines[:_MOST_LINES]:
        yield line if len(line) <= _MOST_COLUMNS else f"{line[:_MOST_COLUMNS]}…"
    if len(lines) > _MOST_LINES:
        yield f"… {len(lines) - _MOST_LINES} more lines"
