"""Every requirement that is tested is broken by some fault, or stands in a list with the reason why none breaks it.

Every ruling is broken by a fault that its own cases find; `RULINGS=all` tries each of them.
"""

from __future__ import annotations

import asyncio
import os
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.selftest.suspects import Suspect, try_suspects
from reference_impl.faults import FAULTS

CONTRACT = load_contract()
UNCOVERED = tomllib.loads((Path(__file__).parent / "uncovered_requirements.toml").read_text(encoding="utf-8"))

BREAKS = tomllib.loads((Path(__file__).parent / "rulings_broken.toml").read_text(encoding="utf-8"))
TRIED = BREAKS if os.environ.get("RULINGS") == "all" else ("code-of-unusable", "another-way")


@pytest.mark.parametrize("operation", sorted(CONTRACT.operations))
def test_the_list_names_exactly_the_requirements_that_no_fault_breaks(operation: str) -> None:
    tested = {one.id for one in CONTRACT.requirements.values() if one.operation == operation and not one.untested}
    broken = {requirement for fault in FAULTS.values() for requirement in fault.requirements}
    assert tested - broken == {
        name
        for name in UNCOVERED
        if name in CONTRACT.requirements and CONTRACT.requirements[name].operation == operation
    }


def test_every_entry_is_a_requirement_with_a_reason() -> None:
    assert set(UNCOVERED) <= set(CONTRACT.requirements)
    assert all(isinstance(reason, str) and reason for reason in UNCOVERED.values())


def test_faults_break_requirements_that_exist() -> None:
    unknown = {
        (fault.id, name)
        for fault in FAULTS.values()
        for name in fault.requirements
        if name not in CONTRACT.requirements
    }
    assert not unknown


def test_every_ruling_has_a_fault_that_breaks_it() -> None:
    assert set(BREAKS) == set(CONTRACT.rulings)
    assert set(BREAKS.values()) <= set(FAULTS)


@pytest.mark.parametrize("ruling", TRIED)
def test_cases_of_a_ruling_find_the_fault_that_breaks_it(ruling: str) -> None:
    fault, patterns = FAULTS[BREAKS[ruling]], CONTRACT.rulings[ruling].cases
    cases = [
        one
        for one in load_cases(CONTRACT, [fault.operation])
        if any(fnmatchcase(one.id, pattern) for pattern in patterns)
    ]
    suspect = Suspect(fault.id, "fault", fault.operation, fault.requirements)
    (attempt,) = asyncio.run(try_suspects(CONTRACT, cases, [suspect], 1, lambda _attempt: None))
    assert attempt.executed
    assert attempt.by
