"""Fixture files: the named cases of an operation as committed JSON, one file a family, and a manifest.

How the fixture files on disk differ from those that the contract gives now.

The named cases that a run uses: from fixture files where they exist, else built from the contract.
"""

from __future__ import annotations

import difflib
import gc
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from conformance.cases.build import build_cases
from conformance.cases.case_data import canonical_text, fixture_text, from_data, to_data
from conformance.cases.combinations.arrays import STRENGTH, combination_cases
from conformance.cases.sample import family_of
from conformance.contract.schemas import usable_schemas
from conformance.errors import SpecError, UsageError
from conformance.formats.json.pointer import load_json
from conformance.model.case import Case
from conformance.model.spec import Contract, Operation

FOLDER = "fixtures"
MANIFEST = "manifest.json"
FOUND = "found-"
"""Files of this name were frozen by an exploring run: read like the others, but never rebuilt or removed."""

__all__ = [
    "Written", "case_digest", "family_of", "fixture_files", "from_data", "produced_files", "read_fixtures",
    "read_json", "stale_files", "to_data", "write_fixtures",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """What a build did: how many cases an operation has, and the files that it wrote, left and removed."""

    cases: Mapping[str, int]
    written: tuple[Path, ...]
    unchanged: tuple[Path, ...]
    removed: tuple[Path, ...]


def case_digest(case: Case) -> str:
    """SHA-256 of the case's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_text(to_data(case)).encode("ascii")).hexdigest()


def fixture_folder(operation: Operation, out: Path | None = None) -> Path:
    """Where the operation's fixtures stand, or would stand below `out`."""
    return (operation.folder if out is None else out / operation.service / operation.folder.name) / FOLDER


def fixture_files(operation: Operation, out: Path | None = None) -> tuple[Path, ...]:
    """The fixture files that exist, the manifest left out, by name; empty without a folder."""
    folder = fixture_folder(operation, out)
    return tuple(sorted(path for path in folder.glob("*.json") if path.name != MANIFEST))


def read_fixtures(operation: Operation) -> tuple[Case, ...] | None:
    """The cases in the operation's fixture files by id; None when it has no fixtures.

    Errors: `SpecError` for a file that is no fixture of this operation, and for an id that stands twice.
    """
    files = fixture_files(operation)
    if not files:
        return None
    cases: dict[str, Case] = {}
    for path in files:
        for case in _read_file(path, operation):
            if case.id in cases:
                raise SpecError(f"the case {case.id} stands twice", where=str(path), hint="Ids must be unique.")
            cases[case.id] = case
    return tuple([cases[identifier] for identifier in sorted(cases)])


def read_family(operation: Operation, family: str) -> tuple[Case, ...]:
    """The cases of one family in the operation's fixture files, in the order of the file; none where there is no file."""
    return tuple(
        case for path in fixture_files(operation) if path.stem == family for case in _read_file(path, operation)
    )


def produced_files(operation: Operation) -> dict[str, bytes]:
    """Name to bytes of every fixture file that the contract's data gives, those found by exploring included.

    Errors: `SpecError` for a case that its fixture would not give back, or an id that a found case repeats.
    """
    families: dict[str, list[Case]] = {}
    for case in build_cases(operation):
        families.setdefault(family_of(case.id), []).append(case)
    files = {f"{family}.json": _file_bytes(operation, family, families[family]) for family in sorted(families)}
    listed = [(f"{family}.json", case) for family in sorted(families) for case in families[family]]
    for path in fixture_files(operation):
        if path.name.startswith(FOUND):
            files[path.name] = path.read_bytes()
            listed.extend((path.name, case) for case in _read_file(path, operation))
    files[MANIFEST] = _manifest_bytes(operation, listed)
    return files


def write_fixtures(contract: Contract, out: Path | None = None) -> Written:
    """Write the fixtures of every operation, beside it or below `out`; only files that differ are touched."""
    counts: dict[str, int] = {}
    written: list[Path] = []
    unchanged: list[Path] = []
    removed: list[Path] = []
    for name in sorted(contract.operations):
        operation = contract.operations[name]
        files = produced_files(operation)
        folder = fixture_folder(operation, out)
        folder.mkdir(parents=True, exist_ok=True)
        stale = stale_files(operation, files, out)
        for file_name, content in sorted(files.items()):
            path = folder / file_name
            if path.is_file() and path.read_bytes() == content:
                unchanged.append(path)
            else:
                path.write_bytes(content)
                written.append(path)
        for path in stale:
            path.unlink()
            removed.append(path)
        counts[name] = len(read_json(folder / MANIFEST)["cases"])
    return Written(counts, tuple(written), tuple(unchanged), tuple(removed))


def stale_files(operation: Operation, produced: Iterable[str], out: Path | None = None) -> tuple[Path, ...]:
    """Fixture files that the contract no longer gives, told by their shape or by the last manifest."""
    kept = set(produced)
    manifest = fixture_folder(operation, out) / MANIFEST
    listed = {str(case.get("file")) for case in _manifest_cases(manifest)}
    return tuple(
        path
        for path in fixture_files(operation, out)
        if path.name not in kept and (path.name in listed or _is_fixture(path, operation))
    )


def read_json(path: Path) -> Any:
    """The content of a JSON file, half surrogate pairs included; `SpecError` names file and line."""
    try:
        return parse_json(path.read_bytes())
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except ValueError as error:
        line = getattr(error, "lineno", None)
        raise SpecError(f"not JSON: {error}", where=f"{path}:{line}" if line else str(path)) from None


def parse_json(content: bytes) -> Any:
    """The value of a JSON text; `ValueError` when it is none."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:  # it refuses half a surrogate pair
        return load_json(content)


def _read_file(path: Path, operation: Operation) -> Iterator[Case]:
    data = read_json(path)
    if not isinstance(data, dict) or not isinstance(data.get("cases"), list) or data.get("operation") != operation.id:
        hint = "Run `conformance fixtures build`, or move the file out of the fixtures folder."
        raise SpecError(f"no fixture file of {operation.id}", where=str(path), hint=hint)
    for entry in data["cases"]:
        try:
            case = from_data(entry)
        except SpecError as error:
            raise SpecError(error.message, where=str(path), hint=error.hint) from None
        if case.operation != operation.id:
            raise SpecError(f"{case.id} belongs to {case.operation}, not to {operation.id}", where=str(path))
        yield case


def _file_bytes(operation: Operation, family: str, cases: list[Case]) -> bytes:
    entries = [to_data(case) for case in cases]
    text = fixture_text({"operation": operation.id, "family": family, "cases": entries})
    for case, entry in zip(cases, json.loads(text)["cases"], strict=True):
        if from_data(entry) != case:
            hint = "A value in it has no JSON form, such as a number as a key, or a tuple."
            raise SpecError(f"{case.id} is not what its fixture gives back", where=str(operation.folder), hint=hint)
    return text.encode("utf-8")


def _manifest_bytes(operation: Operation, listed: Iterable[tuple[str, Case]]) -> bytes:
    entries = {
        case.id: {
            "id": case.id,
            "file": file_name,
            "requirements": list(case.requirements),
            "media_type": case.media_type,
            "transport": case.transport,
            "varies": case.title,
            "sha256": case_digest(case),
        }
        for file_name, case in listed
    }
    cases = [entries[identifier] for identifier in sorted(entries)]
    return fixture_text({"operation": operation.id, "cases": cases}, width=1000).encode("utf-8")


def _manifest_cases(path: Path) -> list[Mapping[str, Any]]:
    try:
        data = read_json(path)
    except SpecError:
        return []  # without a readable manifest the files speak for themselves
    cases = data.get("cases") if isinstance(data, dict) else None
    return [case for case in cases if isinstance(case, dict)] if isinstance(cases, list) else []


def _is_fixture(path: Path, operation: Operation) -> bool:
    try:
        data = read_json(path)
    except SpecError:
        return False
    return isinstance(data, dict) and data.get("operation") == operation.id and "cases" in data


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


def load_cases(
    contract: Contract,
    operations: Collection[str] | None = None,
    *,
    strength: int = STRENGTH,
    every_edition: bool = False,
) -> tuple[Case, ...]:
    """The cases of the chosen operations (default: all) by id; those of an edition that is not pinned are left out.

    `strength` brings those of stronger covering arrays.

    Errors: `UsageError` for an operation that the contract lacks; `SpecError` for a file that cannot be used.
    """
    unknown = sorted(set(operations or ()) - set(contract.operations))
    if unknown:
        hint = f"Known: {', '.join(sorted(contract.operations))}."
        raise UsageError(f"no operation {unknown[0]!r}", hint=hint)
    found: list[Case] = []
    with _no_collection():
        for name in sorted(operations or contract.operations):
            operation = contract.operations[name]
            usable_schemas(operation.folder)
            cases = read_fixtures(operation)
            cases = build_cases(operation) if cases is None else cases
            found.extend(one for one in cases if every_edition or operation.has_edition(one.edition))
            if strength > STRENGTH:
                found.extend(combination_cases(operation, strength))
    return tuple(sorted(found, key=lambda case: case.id))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Thousands of small objects without a cycle: looking for garbage among them doubles the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
