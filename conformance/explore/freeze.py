"""Freezes what was found: one case in a fixture file, which `replay` takes and a fixtures folder keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from conformance.cases.case_data import to_data
from conformance.cases.fixture_text import canonical_text, fixture_text
from conformance.cases.fixtures import FOUND
from conformance.cases.make import Channel
from conformance.cases.trials.trial import FAMILY, trial_id
from conformance.explore.groups import Caught
from conformance.model.case import Case
from conformance.model.spec import Operation

_DIGEST = 8


def frozen_case(caught: Caught) -> Case | None:
    """The named case of a found thing: its id holds the requirement and a digest of the rest, so that it stays its own."""
    made = caught.trial.case()
    if made is None:
        return None
    requirements = tuple(dict.fromkeys((*made.requirements, caught.key.requirement)))
    case = replace(made, tier="named", requirements=requirements)
    digest = hashlib.sha256(canonical_text(to_data(case)).encode("ascii")).hexdigest()[:_DIGEST]
    name = f"{caught.key.requirement.lower()}-{digest}"
    return replace(case, id=trial_id(caught.trial.ground, Channel(case.transport, case.media_type), name))


def file_name(operation: Operation, requirement: str, number: int) -> str:
    """`found-tpp-tpp-resp-success-1.json`."""
    return f"{FOUND}{operation.short}-{requirement.lower()}-{number}.json"


def write_found(folder: Path, operations: Mapping[str, Operation], cases: Mapping[str, Case]) -> dict[str, Path]:
    """Write each case, keyed by the requirement that it breaks and its id, into a file of its own; id to path.

    Files of an earlier run stay: a name that is taken by another case is counted on.
    """
    written: dict[str, Path] = {}
    for key in sorted(cases):
        case = cases[key]
        operation = operations[case.operation]
        content = fixture_text({"operation": case.operation, "family": FAMILY, "cases": [to_data(case)]}).encode("utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            path = folder / file_name(operation, key.partition(" ")[0], number)
            if path in written.values() or (path.exists() and path.read_bytes() != content):
                number += 1
                continue
            path.write_bytes(content)
            written[case.id] = path
            break
    return written
