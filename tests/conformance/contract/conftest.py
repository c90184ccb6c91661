"""A copy of the bundled contract to break, and one rule applied to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.cases.build import case_set
from conformance.contract.check.problems import Problem
from conformance.contract.check.run import CASE_RULES, CONTRACT_RULES, FILE_RULES, check_specs
from conformance.contract.load import load_contract, specs_root

Problems = Callable[[str], list[Problem]]
Edit = Callable[[str, str, str], None]


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """The bundled contract without its fixtures, to be changed at will."""
    root = tmp_path / "specs"
    shutil.copytree(specs_root(), root, ignore=shutil.ignore_patterns("fixtures"))
    return root


@pytest.fixture
def edit(specs: Path) -> Edit:
    """`edit(file, old, new)`: replace the first `old` in a file; it must stand there."""

    def replace(file: str, old: str, new: str) -> None:
        path = specs / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace


@pytest.fixture
def problems(specs: Path) -> Problems:
    """`problems(rule)`: what one rule has against the copy."""

    def apply(rule: str) -> list[Problem]:
        if rule == "contract":
            return [
                one for result in check_specs(specs, case_set).results if result.rule == rule for one in result.problems
            ]
        if rule in dict(FILE_RULES):
            outcomes = dict(FILE_RULES)[rule](specs)
        elif rule in dict(CONTRACT_RULES):
            outcomes = dict(CONTRACT_RULES)[rule](load_contract(specs))
        else:
            contract = load_contract(specs)
            outcomes = dict(CASE_RULES)[rule](contract, case_set(contract))
        return [one for one in outcomes if one is not None]

    return apply
