"""A call unlike the first three: no role named operator, none that is refused, no required member, no account."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from loans_server import served

from conformance.cases.build import build_cases
from conformance.cli.main import main
from conformance.contract.load import load_contract

LOANS = Path(__file__).with_name("loans")
TARGET = """
schema_version = 1
name = "loans"
[scope]
destructive = true
everything = true
[limits]
settle_s = 0.2
[services.loans]
http = "ADDRESS"
[services.loans.bindings]
unknown_ticket = 1987654321
dayText = "2026-11-29"
hallText = "north"
noteText = "soon"
[services.loans.roles.reader]
login = "none"
[services.loans.states]
provider = "hook"
url = "ADDRESS/states"
[services.loans.errors.any.100]
unreachable = "every member may be left out"
"""


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    shutil.copytree(LOANS, tmp_path / "contract")
    return tmp_path / "contract"


def conformance(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), catch_exceptions=False)


def written(folder: Path, text: str) -> str:
    path = folder / "target.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_its_cases_are_built_and_every_rule_holds(contract: Path) -> None:
    cases = build_cases(load_contract(contract).operations["loans.recall"])
    assert {case.role for case in cases} == {"reader"}
    assert {case.id.split("/")[1] for case in cases} == {
        "codes", "fields", "http", "malformed", "relations", "response"
    }  # fmt: skip
    checked = conformance("specs", "check", "-q", "--specs", str(contract))
    assert (checked.exit_code, checked.output) == (0, "")


@pytest.mark.parametrize(("ends", "exit_code"), [(True, 0), (False, 1)])
def test_it_runs_with_named_and_generated_cases(contract: Path, tmp_path: Path, ends: bool, exit_code: int) -> None:
    with served(ends=ends) as address:
        target = written(tmp_path, TARGET.replace("ADDRESS", address))
        specs, report = ("--specs", str(contract)), ("--report", str(tmp_path / "report"))
        ran = conformance("run", *specs, "--target", target, "--generated", "100", *report, "-q")
    assert ran.exit_code == exit_code, ran.output
    results = json.loads((tmp_path / "report" / "results.json").read_text(encoding="utf-8"))
    assert {one["id"]: one["verdict"] for one in results["requirements"]}["LR-DONE"] == ("pass" if ends else "fail")


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ('"2026-11-29"', '"2026-02-30"', r"bindings\.dayText: cannot stand in a message: expected .*date.*\n.*:12:1"),
        ('"north"', '"east"', r'bindings\.hallText: cannot .* one of "north", "south", found "east"\n.*:13:1'),
        ('"soon"', '"very soon"', r"bindings\.noteText: cannot .* at most 5 characters.*\n.*:14:1"),
        ('"soon"', "123456", r"bindings\.noteText: cannot .* at most 5 characters.*\n.*:14:1"),
        ("1987654321", '"abc def"', r"bindings\.unknown_ticket: 'abc def' is no integer.*\n.*:11:1"),
        (
            'provider = "hook"\nurl = "ADDRESS/states"',
            'provider = "pool"\npool.open-loan = [{ Ticket = 7 }, { Ticket = 2147483648 }]',
            r"states\.pool\.open-loan\.1\.Ticket: cannot .* at most 2147483647",
        ),
        (
            'unreachable = "every member may be left out"',
            'bindings = { hallText = "west" }',
            r"errors\.any\.100\.bindings\.hallText: cannot .*\n.*: It is Hall in a legal request of loans\.recall",
        ),
    ],
)
@pytest.mark.parametrize("command", ["target check", "run --generated 0", "plan --generated 0"])
def test_a_value_that_no_legal_request_has_is_refused_before_anything_is_sent(
    contract: Path, tmp_path: Path, was: str, now: str, words: str, command: str
) -> None:
    """Nobody listens at the address, so that anything that is sent would be told otherwise."""
    assert was in TARGET
    target = written(tmp_path, TARGET.replace(was, now).replace("ADDRESS", "http://127.0.0.1:9").lstrip("\n"))
    name, *options = command.split()
    named = [*options, target] if name == "target" else ["--target", target, *options]
    came = conformance(name, *named, "--specs", str(contract))
    assert came.exit_code == 2
    assert re.search(words, came.output, re.DOTALL), came.output


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda text: text.replace('unknown: "${unknown_ticket}", ', ""), "fields.Ticket: key 'unknown' is missing"),
        (lambda text: text.replace("{binding: dayText, ", "{"), "fields.Day: key 'binding' is missing"),
        (lambda text: f"{text}role_every: reader\n", "attribution: key 'operator' is missing"),
        (
            lambda text: f"{text}explore: {{model: cancel-all, requirement: {{}}, cancel: EndLoan}}\n",
            "explore.cancel: 'EndLoan' is none of the calls under scope",
        ),
    ],
)
def test_what_cannot_be_built_is_named_with_field_and_file(
    contract: Path, edit: Callable[[str], str], words: str
) -> None:
    path = contract / "loans" / "recall" / "operation.yaml"
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    came = conformance("specs", "check", "-q", "--specs", str(contract))
    assert came.exit_code == 1
    assert re.search(rf"loans/recall/operation\.yaml:\d+: {re.escape(words)}", came.output), came.output
