"""What a check is: no finding without one, what it blocks, its requirement keys, and how a new one is added."""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from checks_support import CAO, TPP, case, http, instruction, result
from click.testing import CliRunner, Result

from conformance import checks
from conformance.cases.build import KEYS
from conformance.checks.answer import Judgement, Observation, Seen
from conformance.checks.judge import ANSWERED, Pins, judge
from conformance.checks.kit import READABLE, STATUS, Kit, build_kit
from conformance.checks.registry import Check, Stage, bundled, registry_of, requirement_of
from conformance.checks.xml_results import _of_xml
from conformance.cli.main import main
from conformance.contract.check.cases import attribution_keys
from conformance.contract.load import load_contract, specs_root
from conformance.contract.operation import (
    ATTRIBUTED,
    FRAME_CHECKS,
    NEEDED_CHECKS,
    AppliesTo,
    RequirementKey,
)
from conformance.derive.draft import operation as draft
from conformance.errors import SpecError
from conformance.formats.xml.format import XML
from conformance.model.case import Alternative, Transport
from conformance.model.spec import Shape
from conformance.model.verdict import Finding

ROOT = Path(__file__).parent.parent.parent.parent
OPERATIONS = load_contract().operations


def judged(kit: Kit) -> Judgement:
    """A right answer to one instruction, with what the checks of this kit make of it."""
    observation = Observation((http([result()]),), json.dumps([instruction()]).encode())
    return judge(kit, case(TPP, Alternative({"results": "all"})), observation, Pins())


def test_findings_are_made_by_checks_alone() -> None:
    made = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "conformance").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"
    ]
    places = sorted({place.partition(":")[0] for place in made})
    assert places == ["conformance/checks/registry.py", "conformance/report/journal.py"], made


def test_checks_come_in_the_order_of_their_stages() -> None:
    stages = [check.stage for check in bundled()]
    assert stages == sorted(stages)
    assert stages[0] is Stage.EXCHANGE


def test_a_check_without_keys_says_what_it_speaks_for() -> None:
    assert [check.id for check in bundled() if not check.keys and not check.speaks_for] == []


def test_an_id_that_is_no_check_is_an_error() -> None:
    with pytest.raises(LookupError, match="'raedable' is no registered check"):
        bundled()["raedable"]


def test_a_key_that_the_check_does_not_have_is_an_error() -> None:
    with pytest.raises(LookupError, match="the check readable has no requirement key 'raedable'"):
        READABLE.finding(OPERATIONS[CAO], "said", "wanted", "found", key="raedable")


def test_a_check_speaks_for_the_keys_that_the_operation_has_and_names() -> None:
    cao = replace(OPERATIONS[CAO], attribution={"status": "ONE", "route": "OTHER"})
    assert STATUS.requirements(cao) == {"status": "ONE"}
    tpp = replace(OPERATIONS[TPP], attribution={"route": "OTHER", "error-string": "THIRD"})
    assert STATUS.requirements(tpp) == {"route": "OTHER", "error-string": "THIRD"}


def test_a_finding_without_a_place_speaks_of_the_whole_answer() -> None:
    assert READABLE.finding_on("ONE", "said", "wanted", "found") == Finding(
        "ONE", "readable", "said", "wanted", "found", ""
    )


def test_a_check_of_xml_is_made_where_a_body_is_answered_in_xml_and_blocks_what_is_behind_reading() -> None:
    one = _of_xml("xml-new", "it is new")
    results_in_xml = AppliesTo((Shape.RESULTS, Shape.RESULT, Shape.DATA), format=XML)
    assert (one.id, one.looks_at, one.stage) == ("xml-new", "it is new", Stage.READING)
    assert (one.of, one.keys) == (results_in_xml, (RequirementKey("xml-new", results_in_xml),))
    assert one.blocks == ("schema", "outcome", "effect")


def test_a_requirement_that_the_operation_does_not_name_is_the_fault_of_its_data() -> None:
    with pytest.raises(SpecError, match="no requirement for 'one-each'"):
        requirement_of(OPERATIONS[CAO], "one-each")


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (replace(READABLE), "two checks have the id 'readable'"),
        (Check("new", "it is new", Stage.EFFECT, blocks=("efect",)), "new blocks efect, which is no check"),
        (Check("new", "it is new", Stage.ANSWER), "new: a check has a `look` at the stage ANSWER"),
        (Check("new", "it is new", Stage.EFFECT, look=lambda _: ()), "new: a check has a `look` at the stage ANSWER"),
    ],
)
def test_checks_that_contradict_each_other_are_refused(made: Check, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        registry_of((*bundled(), made))


def test_a_finding_of_no_registered_check_stops_the_judgement() -> None:
    def look(seen: Seen) -> Iterator[Finding]:
        yield replace(ANSWERED.finding(seen.operation, "said", "wanted", "found"), check="made-up")

    stray = Check("stray", "it is known", Stage.ANSWER, look=look)
    with pytest.raises(LookupError, match="'made-up' is no registered check"):
        judged(build_kit(OPERATIONS[TPP], bundled().plus(stray)))


@pytest.mark.parametrize(("blocks", "expected"), [((), ()), (("outcome", "effect"), ("outcome", "effect"))])
def test_a_check_from_outside_is_made_and_blocks_what_it_says(
    blocks: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    def look(seen: Seen) -> Iterator[Finding]:
        yield FRESH.finding(seen.operation, f"status {seen.answer.status}", "another", "this")

    FRESH = Check("fresh", "it is fresh", Stage.ANSWER, (RequirementKey("status"),), blocks=blocks, look=look)
    kit = build_kit(OPERATIONS[TPP], bundled().plus(FRESH))
    found = judged(kit)
    assert found.findings == (Finding(kit.requirement("status"), "fresh", "status 200", "another", "this"),)
    assert found.blocked == expected


def test_a_check_for_other_operations_is_not_made() -> None:
    def look(seen: Seen) -> Iterator[Finding]:
        raise AssertionError(seen.operation.id)

    other = Check("other", "it is a pair", Stage.ANSWER, of=AppliesTo((Shape.PAIR,)), look=look)
    kit = build_kit(OPERATIONS[TPP], bundled().plus(other))
    assert judged(kit).findings == ()


def test_an_operation_must_name_the_requirement_keys_of_its_checks() -> None:
    new = Check("new", "it is new", Stage.EFFECT, (RequirementKey("new", AppliesTo((Shape.RESULTS,))),))
    more = bundled().plus(new)
    build_kit(OPERATIONS[CAO], more)
    with pytest.raises(SpecError, match="attribution: key 'new' is missing"):
        build_kit(OPERATIONS[TPP], more)


def test_a_key_that_nobody_reads_is_named(tmp_path: Path) -> None:
    specs = tmp_path / "specs"
    shutil.copytree(specs_root(), specs, ignore=shutil.ignore_patterns("fixtures", "alphapoint"))
    path = specs / "tpp/create_cancellations/operation.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("attribution:\n", "attribution:\n  traced: TPP-SECRETS\n"), encoding="utf-8")
    outcomes = attribution_keys(load_contract(specs), (*KEYS, *bundled().keys))
    (problem,) = [one for one in outcomes if one is not None]
    assert problem.message == "no check and no case reads the key 'traced'"
    assert problem.where == "tpp/create_cancellations/operation.yaml#/attribution/traced"


def test_every_bundled_operation_has_the_keys_that_are_read_and_no_other() -> None:
    for operation in OPERATIONS.values():
        keys = [key for key in (*KEYS, *bundled().keys) if key.of.includes(operation)]
        assert {key.name for key in keys if key.needed} <= set(operation.attribution) <= {key.name for key in keys}


@pytest.mark.parametrize("shape", Shape)
def test_the_loader_demands_no_key_that_nobody_needs(shape: Shape) -> None:
    for transports, media_types, more in (
        ((Transport.HTTP,), ("application/json",), ()),
        (tuple(Transport), ("application/json",), FRAME_CHECKS),
        ((Transport.HTTP,), ("application/xml",), XML.attributions if shape.instructs else ()),
    ):
        one = replace(OPERATIONS[CAO], shape=shape, transports=transports, media_types=media_types)
        needed = {key.name for key in (*KEYS, *bundled().keys) if key.needed and key.of.includes(one)}
        assert {*NEEDED_CHECKS[shape], *more} <= needed


def test_the_loader_knows_no_key_that_nobody_reads() -> None:
    assert set(ATTRIBUTED) <= {key.name for key in (*KEYS, *bundled().keys)}


def test_a_draft_names_no_requirement_key_that_nobody_reads() -> None:
    assert {*draft._OWN, *draft._PAIR_ONLY} <= {key.name for key in (*KEYS, *bundled().keys)}


HEAD = '''"""An answer names its trace."""

from collections.abc import Iterator

from conformance.checks.answer import Seen
from conformance.checks.kit import LISTS
from conformance.checks.registry import Check, Stage
from conformance.contract.operation import RequirementKey
from conformance.model.verdict import Finding
from conformance.wire.messages import HttpReply, header_values


'''


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The recipe "Add a check" followed word by word: a specs folder with its data, and its module among the checks."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition("### Add a check\n")[2]
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    modules = tmp_path / "checks"
    modules.mkdir()
    lines = (line.removeprefix("   ") for line in code[1].splitlines())
    (modules / "traced.py").write_text(HEAD + "\n".join(lines), encoding="utf-8")
    specs = tmp_path / "specs"
    shutil.copytree(
        specs_root(), specs, ignore=shutil.ignore_patterns("alphapoint", "fixtures", "rulings.yaml", "spellings.yaml")
    )
    folder = specs / "tpp/create_cancellations"
    for name, old, new in (
        ("operation.yaml", "attribution:\n", "attribution:\n  traced: TPP-TRACED\n"),
        ("scenarios.yaml", "requirements: [TPP-REQ-LIST,", "requirements: [TPP-TRACED, TPP-REQ-LIST,"),
        ("requirements.yaml", "- id: TPP-METHOD", REQUIREMENT + "- id: TPP-METHOD"),
    ):
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(modules)])
    bundled.cache_clear()
    yield specs
    bundled.cache_clear()


REQUIREMENT = """- id: TPP-TRACED
  level: must
  document: POST api/orders/cancellations
  place: heading
  text: Each answer names its trace.
  verify: cases

"""


def cli(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_the_recipe_for_a_check_is_short() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition("### Add a check\n")[2]
    prose = re.sub(r"```python\n.*?```", "", text.partition("\n###")[0], flags=re.DOTALL)
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    assert len([line for line in (*prose.splitlines(), *code[1].splitlines()) if line.strip()]) <= 10


def test_the_recipe_for_a_check_is_true(recipe: Path, tmp_path: Path) -> None:
    specs = ("--specs", str(recipe))
    assert cli("specs", "check", *specs).exit_code == 0
    (listed,) = [one for one in json.loads(cli("list", "checks", "--json", *specs).stdout) if one["id"] == "traced"]
    assert listed["requirements"] == {TPP: {"traced": "TPP-TRACED"}}
    assert "Looks whether an answer names its trace." in cli("explain", "traced", *specs).stdout
    chosen = ("--case", "tpp/response/domestic@application-json", "--report", str(tmp_path / "report"))
    done = cli("run", *chosen, *specs)
    assert done.exit_code == 1, done.output
    assert "TPP-TRACED" in done.output
    (judged_case,) = json.loads((tmp_path / "report/results.json").read_text(encoding="utf-8"))["cases"]
    (found,) = judged_case["findings"]
    assert (found["requirement"], found["message"]) == ("TPP-TRACED", "the answer has no trace")


def test_the_recipe_without_its_key_is_refused(recipe: Path) -> None:
    path = recipe / "tpp/create_cancellations/operation.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("  traced: TPP-TRACED\n", ""), encoding="utf-8")
    done = cli("specs", "check", "--specs", str(recipe))
    assert done.exit_code == 1
    assert "attribution: key 'traced' is missing" in done.output
