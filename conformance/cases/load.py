"""The named cases that a run uses: from fixture files where they exist, else built from the contract."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from conformance.cases.build import build_cases
from conformance.cases.fixtures import read_fixtures
from conformance.errors import UsageError
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.specs.schema_files import usable_schemas


def load_cases(contract: Contract, operations: Collection[str] | None = None) -> tuple[Case, ...]:
    """The cases of the chosen operations (default: all) by id.

    Errors: `UsageError` for an operation that the contract lacks; `SpecError` for a file that cannot be used.
    """
    unknown = sorted(set(operations or ()) - set(contract.operations))
    if unknown:
        hint = f"Known: {', '.join(sorted(contract.operations))}."
        raise UsageError(f"no operation {unknown[0]!r}", hint=hint)
    found: list[Case] = []
    with _no_collection():
        for name in sorted(operations or contract.operations):
            usable_schemas(contract.operations[name].folder)
            cases = read_fixtures(contract.operations[name])
            found.extend(build_cases(contract.operations[name]) if cases is None else cases)
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
