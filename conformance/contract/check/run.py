"""Checks a specs folder: a table of rules in three stages; a stage runs if the one before permits it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from conformance.contract.check.agreement import fields_agree
from conformance.contract.check.cases import (
    attribution_keys,
    case_codes,
    case_grounds,
    case_readings,
    case_requirements,
    case_states,
    readings_named,
    readings_well_formed,
    requirement_ids,
    requirements_covered,
    rulings_held,
    spellings_held,
)
from conformance.contract.check.engines import json_engines_agree, xml_engines_agree
from conformance.contract.check.instances import instances_agree
from conformance.contract.check.problems import CaseSet, Outcomes, Problem, RuleResult, place_in, within
from conformance.contract.check.schemas import openapi_valid, references_resolve, schema_requirements, schemas_valid
from conformance.contract.load import load_contract, read_yaml
from conformance.contract.operation import RequirementKey
from conformance.errors import SpecError
from conformance.model.spec import Contract

FileRule: TypeAlias = Callable[[Path], Outcomes]
ContractRule: TypeAlias = Callable[[Contract], Outcomes]
CaseRule: TypeAlias = Callable[[Contract, CaseSet], Outcomes]
_Loaded = TypeVar("_Loaded")

_NEEDED = ("operation.yaml", "requirements.yaml", "request.schema.json", "response.schema.json")


def files_exist(root: Path) -> Outcomes:
    """Every service has its description, and every operation its contract files."""
    for service in _folders(root):
        for name in ("service.yaml", "openapi.yaml"):
            yield _exists(root, service / name)
        for folder in _folders(service):
            for name in _NEEDED:
                yield _exists(root, folder / name)


def yaml_readable(root: Path) -> Outcomes:
    """Every YAML file parses."""
    for path in sorted(root.rglob("*.yaml")):
        try:
            read_yaml(path)
        except SpecError as error:
            yield Problem("yaml", within(root, error.where), error.message, "Mend the syntax.")
        else:
            yield None


def _exists(root: Path, path: Path) -> Problem | None:
    if path.is_file():
        return None
    return Problem(
        "files", place_in(root, path), "file is missing", "docs/authoring.md lists the files of an operation."
    )


def _folders(parent: Path) -> list[Path]:
    skipped = ("fixtures", "corpus", "__pycache__")
    return sorted(
        one for one in parent.iterdir() if one.is_dir() and one.name not in skipped and not one.name.startswith(".")
    )


FILE_RULES: tuple[tuple[str, FileRule], ...] = (
    ("files", files_exist),
    ("yaml", yaml_readable),
    ("schemas", schemas_valid),
    ("references", references_resolve),
)
CONTRACT_RULES: tuple[tuple[str, ContractRule], ...] = (
    ("requirement-ids", requirement_ids),
    ("readings", readings_well_formed),
    ("schema-requirements", schema_requirements),
    ("reading-requirements", readings_named),
    ("openapi", openapi_valid),
    ("fields-agree", fields_agree),
    ("instances-agree", instances_agree),
)
CASE_RULES: tuple[tuple[str, CaseRule], ...] = (
    ("coverage", requirements_covered),
    ("case-requirements", case_requirements),
    ("case-readings", case_readings),
    ("case-grounds", case_grounds),
    ("rulings", rulings_held),
    ("spellings", spellings_held),
    ("case-states", case_states),
    ("case-codes", case_codes),
    ("json-engines", json_engines_agree),
    ("xml-engines", xml_engines_agree),
)
_NEED_SOUND_SCHEMAS = {
    "schema-requirements",
    "openapi",
    "fields-agree",
    "instances-agree",
    "json-engines",
    "xml-engines",
}
_UNEXPECTED_SHAPE = (SpecError, LookupError, TypeError, AttributeError, ValueError, RuntimeError)
"""What reading data raises when it lacks a key or has a list where a mapping belongs."""
_SHAPE_HINT = "A key is missing or has another shape than its readers expect; docs/authoring.md lists the keys."
KEY_RULE = "attribution-keys"
_CONTRACT_NAMES = (*(name for name, _ in CONTRACT_RULES), KEY_RULE)
RULES = (*(name for name, _ in FILE_RULES), *_CONTRACT_NAMES, *(name for name, _ in CASE_RULES))


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What came of every rule, in the order of the tables."""

    results: tuple[RuleResult, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems in the order of their rules."""
        return tuple(problem for result in self.results for problem in result.problems)

    @property
    def sound(self) -> bool:
        """Whether every rule was applied and found nothing."""
        return not any(result.problems or result.blocked for result in self.results)


def check_specs(
    root: Path, cases_of: Callable[[Contract], CaseSet], keys: Collection[RequirementKey] = ()
) -> CheckReport:
    """Apply every rule to the folder; `cases_of` builds the named cases from the contract's data.

    `keys` are the requirement keys of checks and cases: what each operation must, and may, have under `attribution`.

    A contract that cannot be loaded, or cases that cannot be built, are problems of their own, and the rules
    behind them are blocked. Errors: `SpecError` when the folder holds no service at all.
    """
    if not root.is_dir() or not any(root.glob("*/*/operation.yaml")):
        hint = "Expected <service>/<operation>/operation.yaml below it."
        raise SpecError("no operation found", where=str(root), hint=hint)
    results = [_result(name, rule(root)) for name, rule in FILE_RULES]
    unsound = any(result.problems for result in results if result.rule in ("schemas", "references"))
    contract = _attempt("contract", root, lambda: load_contract(root), results)
    cases = None
    if contract is not None:
        for name, rule in CONTRACT_RULES:
            results.append(_schemas_first(name, unsound) or _result(name, rule(contract)))
        results.append(_result(KEY_RULE, attribution_keys(contract, keys)))
        cases = _attempt("cases", root, lambda: cases_of(contract), results)
    else:
        results.extend(RuleResult(name, blocked="the contract cannot be loaded") for name in _CONTRACT_NAMES)
    for name, case_rule in CASE_RULES:
        if contract is None or cases is None:
            results.append(RuleResult(name, blocked="the cases cannot be built"))
        else:
            results.append(_schemas_first(name, unsound) or _result(name, case_rule(contract, cases)))
    return CheckReport(tuple(results))


def _schemas_first(name: str, unsound: bool) -> RuleResult | None:
    if unsound and name in _NEED_SOUND_SCHEMAS:
        return RuleResult(name, blocked="a schema is unsound")
    return None


def _attempt(rule: str, root: Path, load: Callable[[], _Loaded], results: list[RuleResult]) -> _Loaded | None:
    """What `load` gives; None and a problem for each fault when it raises."""
    try:
        loaded = load()
    except SpecError as error:
        problems = tuple(
            Problem(rule, within(root, one.where) or str(root), one.message, one.hint) for one in (error, *error.others)
        )
    except _UNEXPECTED_SHAPE as error:
        what = f"the data cannot be used: {type(error).__name__} {error}"
        problems = (Problem(rule, str(root), what, _SHAPE_HINT),)
    else:
        results.append(RuleResult(rule, 1))
        return loaded
    results.append(RuleResult(rule, len(problems), problems))
    return None


def _result(name: str, outcomes: Iterable[Problem | None]) -> RuleResult:
    found: list[Problem | None] = []
    try:
        found.extend(outcomes)
    except _UNEXPECTED_SHAPE as error:
        message = f"stopped after {len(found)} checks: {type(error).__name__} {error}"
        found.append(Problem(name, "the contract's data", message, _SHAPE_HINT))
    return RuleResult(name, len(found), tuple(one for one in found if one is not None))
