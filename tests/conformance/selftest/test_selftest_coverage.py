"""Every requirement that is tested is broken by some fault, or stands in a list with the reason why none breaks it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from conformance.contract.load import load_contract
from reference_impl.faults import FAULTS

CONTRACT = load_contract()
UNCOVERED = tomllib.loads((Path(__file__).parent / "uncovered_requirements.toml").read_text(encoding="utf-8"))


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
