"""The whole of `conformance specs check`: the bundled contract, blocked rules, output and exit codes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from conformance.cases.build import case_set
from conformance.cli.main import main
from conformance.contract.check.run import RULES, check_specs
from conformance.contract.load import specs_root
from conformance.errors import SpecError

Edit = Callable[[str, str, str], None]
CAO = "alphapoint.cancel_all_orders"


def _of_one(reading: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The reading as the one operation has it."""
    requirements = dict(zip(reading["operations"], [reading["requirement"], *reading.get("also", ())], strict=True))
    if CAO in requirements:
        kept = {key: reading[key] for key in ("id", "question", "alternatives")}
        yield {**kept, "operations": [CAO], "requirement": requirements[CAO]}


@pytest.fixture
def small(specs: Path) -> Path:
    """One operation without XML: every rule, in a second."""
    shutil.rmtree(specs / "tpp")
    for other in ("cancel_order", "cancel_quote"):
        shutil.rmtree(specs / "alphapoint" / other)
    service, readings = (specs / "alphapoint" / name for name in ("service.yaml", "readings.yaml"))
    lines = service.read_text(encoding="utf-8").splitlines(keepends=True)
    service.write_text("".join(one for one in lines if "cancel_order" not in one and "cancel_quote" not in one))
    kept = [cut for one in yaml.safe_load(readings.read_text(encoding="utf-8")) for cut in _of_one(one)]
    readings.write_text(yaml.safe_dump(kept), encoding="utf-8")
    return specs


def test_the_bundled_contract_is_sound() -> None:
    report = check_specs(specs_root(), case_set)
    assert report.problems == ()
    assert report.sound


def test_every_rule_is_applied_once(small: Path) -> None:
    report = check_specs(small, case_set)
    assert sorted(one.rule for one in report.results) == sorted([*RULES, "contract", "cases"])


def test_a_contract_that_cannot_be_loaded_blocks_the_rules_behind(small: Path, edit: Edit) -> None:
    edit("alphapoint/cancel_all_orders/operation.yaml", "answer: standard", "answer: whatever")
    report = check_specs(small, case_set)
    assert [one.message for one in report.problems] == [
        "answer: 'whatever' is none of standard, pair, results, result, data"
    ]
    assert {one.rule for one in report.results if one.blocked} >= {"readings", "coverage", "json-engines"}
    assert not report.sound


def test_cases_that_cannot_be_built_block_the_rules_on_cases(small: Path, edit: Edit) -> None:
    edit("alphapoint/cancel_all_orders/scenarios.yaml", '  code: "0"\n', '  cude: "0"\n')
    report = check_specs(small, case_set)
    assert [one.rule for one in report.problems if "cude" in one.message] == ["cases"]
    assert {one.blocked for one in report.results if one.rule == "coverage"} == {"the cases cannot be built"}


def test_an_unsound_schema_blocks_the_rules_that_use_it(small: Path, edit: Edit) -> None:
    edit("alphapoint/cancel_all_orders/request.schema.json", '"type": "object"', '"type": "objects"')
    report = check_specs(small, case_set)
    assert {one.rule for one in report.results if one.blocked == "a schema is unsound"} >= {"openapi", "json-engines"}


def test_a_folder_without_contract_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no operation found"):
        check_specs(tmp_path, case_set)


def test_the_command_exits_2_without_a_contract(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["specs", "check", "--specs", str(tmp_path)])
    assert (result.exit_code, "no operation found" in result.output) == (2, True)


def test_the_command_shows_problem_place_and_hint(small: Path, edit: Edit) -> None:
    edit("alphapoint/cancel_all_orders/operation.yaml", "answered: CAO-SYNC", "answered: CAO-SINK")
    result = CliRunner().invoke(main, ["specs", "check", "--specs", str(small)])
    assert result.exit_code == 1
    assert "FAILED   contract (1 of " in result.output
    place = "alphapoint/cancel_all_orders/operation.yaml:68"
    assert f"  {place}: attribution.answered: there is no requirement 'CAO-SINK'\n" in result.output
    assert "ok       schemas (4 checked)\n" in result.output


def test_the_command_prints_json(small: Path, edit: Edit) -> None:
    edit("alphapoint/cancel_all_orders/operation.yaml", "answered: CAO-SYNC", "answered: CAO-SINK")
    result = CliRunner().invoke(main, ["specs", "check", "--json", "--specs", str(small)])
    data = json.loads(result.output)
    (rule,) = [one for one in data["rules"] if one["rule"] == "contract"]
    assert (result.exit_code, data["ok"], len(rule["problems"])) == (1, False, 1)
    assert set(rule["problems"][0]) == {"rule", "where", "message", "hint"}


def test_quiet_prints_problems_alone(small: Path, edit: Edit) -> None:
    edit("alphapoint/cancel_all_orders/operation.yaml", "answered: CAO-SYNC", "answered: CAO-SINK")
    result = CliRunner().invoke(main, ["specs", "check", "-q", "--specs", str(small)])
    assert "ok " not in result.output
    assert "CAO-SINK" in result.output


def test_the_same_folder_gives_the_same_report(small: Path) -> None:
    assert check_specs(small, case_set) == check_specs(small, case_set)


def test_hypothesis_leaves_nothing_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from conformance.contract.check.instances import instances_agree
    from conformance.contract.load import load_contract

    monkeypatch.chdir(tmp_path)
    assert [one for one in instances_agree(load_contract()) if one] == []
    assert list(tmp_path.iterdir()) == []
