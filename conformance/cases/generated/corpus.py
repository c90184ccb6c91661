"""Corpus values, and the files they are kept in: carried along, or in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from dataclasses import fields as attributes_of
from pathlib import Path
from typing import Any

from conformance.contract.schemas import name_of, read_schema_files
from conformance.errors import SpecError
from conformance.model.spec import Field, Operation
from conformance.values import value_class

GENERATOR_VERSION = 1
"""Counts up when the generator gives other values for the same contract and seed."""
DEFAULT_SEED = 0
_FOLDER, _FILE = "corpus", "values.jsonl"


@value_class(frozen=True, slots=True)
class CorpusValue:
    """One request value, with `${binding}` places where an id of the target belongs.

    A positive value is valid under the request schema; a negative one breaks exactly the requirement `breaks`.
    """

    value: Any
    positive: bool
    breaks: str = ""


def content_address(operation: Operation, seed: int) -> str:
    """What the values depend on: the request schema with its files, the fields, the generator's version, the seed."""
    digest = hashlib.sha256()
    digest.update((operation.folder / "request.schema.json").read_bytes())
    files = read_schema_files(operation.folder / "request.schema.json")
    for uri in sorted(set(files.documents) - {files.start}):
        digest.update(Path(name_of(uri)).read_bytes())
    digest.update(json.dumps(_said(operation.fields), sort_keys=True).encode())
    digest.update(f"{GENERATOR_VERSION}/{seed}".encode())
    return digest.hexdigest()


def _said(fields: Mapping[str, Field]) -> dict[str, dict[str, Any]]:
    """The fields as their file says them: what it leaves out is left out here."""
    usual = {one.name: one.default for one in attributes_of(Field)}
    return {
        name: {key: value for key, value in asdict(one).items() if value != usual[key]} for name, one in fields.items()
    }


def carried_file(operation: Operation) -> Path:
    """Where the values of the default seed stand beside the contract."""
    return operation.folder / _FOLDER / _FILE


def cache_file(operation: Operation, seed: int, environment: Mapping[str, str] = os.environ) -> Path:
    """Where values of another seed or another contract are kept for the user."""
    base = environment.get("XDG_CACHE_HOME") or str(Path(environment.get("HOME", "~")).expanduser() / ".cache")
    return Path(base) / "order-cancellation-conformance" / f"{content_address(operation, seed)}.jsonl"


def read_values(path: Path) -> tuple[str, tuple[CorpusValue, ...]]:
    """The address and the values of a file. Raises `SpecError` for a file that is no corpus."""
    try:
        lines = path.read_bytes().splitlines()  # not orjson: it makes floats of integers beyond 64 bits
        head = json.loads(lines[0])
        entries = [json.loads(line) for line in lines[1:]]
        values = tuple(CorpusValue(entry["value"], "breaks" not in entry, entry.get("breaks", "")) for entry in entries)
        return str(head["address"]), values
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise SpecError(
            f"not a corpus file: {error}", where=str(path), hint="Delete it; it is generated again."
        ) from error


def write_values(path: Path, operation: Operation, seed: int, values: Sequence[CorpusValue]) -> None:
    """Write values with their address, one a line; the file is replaced whole or not at all."""
    head = {"address": content_address(operation, seed), "operation": operation.id, "seed": seed, "values": len(values)}
    lines = [json.dumps(head)]
    for one in values:
        entry: dict[str, Any] = {"value": one.value} if one.positive else {"breaks": one.breaks, "value": one.value}
        lines.append(json.dumps(entry, separators=(",", ":")))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(("\n".join(lines) + "\n").encode("ascii"))
    part.replace(path)


def stale_corpora(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """Operations whose carried corpus belongs to another contract or generator than the one at hand."""
    return tuple(
        one
        for one in operations
        if carried_file(one).exists() and read_values(carried_file(one))[0] != content_address(one, DEFAULT_SEED)
    )
