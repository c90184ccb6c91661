"""Fixture files: built the same everywhere, read back for runs, and checked for drift."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from conformance.cases.build import build_all
from conformance.cases.fixtures import case_digest, family_of, fixture_drift, load_cases, read_fixtures, write_fixtures
from conformance.cli.main import main
from conformance.contract.load import load_contract, specs_root
from conformance.errors import SpecError, UsageError
from conformance.model.spec import Contract

CAO = "alphapoint.cancel_all_orders"
BUILD = """
import sys
from collections.abc import Iterator
from pathlib import Path
from conformance.cases.fixtures import write_fixtures
from conformance.contract.load import load_contract
write_fixtures(load_contract(), Path(sys.argv[1]))
"""


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """One operation's contract without fixtures."""
    root = tmp_path / "specs"
    shutil.copytree(specs_root() / "alphapoint", root / "alphapoint", ignore=shutil.ignore_patterns("fixtures"))
    for other in ("cancel_order", "cancel_quote"):
        shutil.rmtree(root / "alphapoint" / other)
    service, readings = (root / "alphapoint" / name for name in ("service.yaml", "readings.yaml"))
    lines = service.read_text(encoding="utf-8").splitlines(keepends=True)
    service.write_text("".join(one for one in lines if "cancel_order" not in one and "cancel_quote" not in one))
    kept = [cut for one in yaml.safe_load(readings.read_text(encoding="utf-8")) for cut in _of_one(one)]
    readings.write_text(yaml.safe_dump(kept), encoding="utf-8")
    return root


def _of_one(reading: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The reading as the one operation has it."""
    requirements = dict(zip(reading["operations"], [reading["requirement"], *reading.get("also", ())], strict=True))
    if CAO in requirements:
        kept = {key: reading[key] for key in ("id", "question", "alternatives")}
        yield {**kept, "operations": [CAO], "requirement": requirements[CAO]}


@pytest.fixture
def contract(specs: Path) -> Contract:
    return load_contract(specs)


@pytest.fixture
def fixtures(specs: Path, contract: Contract) -> Path:
    """The operation's fixtures folder, just built."""
    write_fixtures(contract)
    return specs / "alphapoint" / "cancel_all_orders" / "fixtures"


def command(*words: str) -> Result:
    return CliRunner().invoke(main, ["fixtures", *words])


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def contents(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_committed_fixtures_are_what_the_contract_gives() -> None:
    drift = fixture_drift(load_contract())
    assert [file.path.name for file in drift.files] == []


def test_the_same_bytes_whatever_hash_seed_and_locale(tmp_path: Path) -> None:
    made = []
    for seed, locale in (("0", "C"), ("1", "C.UTF-8")):
        out = tmp_path / seed
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "PYTHONUTF8": "0"}
        root = str(Path(__file__).resolve().parents[3])
        subprocess.run([sys.executable, "-c", BUILD, str(out)], env=environment, cwd=root, check=True, timeout=100)
        made.append(contents(out))
    assert made[0] == made[1]
    assert len(made[0]) > 20


def test_each_family_has_its_file(fixtures: Path) -> None:
    assert {path.name for path in fixtures.iterdir()} >= {"fields.json", "malformed.json", "manifest.json"}
    data = json.loads((fixtures / "codes.json").read_text(encoding="utf-8"))
    assert (data["operation"], data["family"]) == (CAO, "codes")
    assert [case["id"] for case in data["cases"]] == sorted(case["id"] for case in data["cases"])
    assert {family_of(case["id"]) for case in data["cases"]} == {"codes"}


@pytest.mark.parametrize(
    ("case_id", "family"),
    [("cao/fields/a-null@http", "fields"), ("cao/a/b/c@http", "a-b"), ("cao/alone@http", "cases"), ("x/y/z@a/b", "y")],
)
def test_the_family_stands_in_the_id(case_id: str, family: str) -> None:
    assert family_of(case_id) == family


def test_the_manifest_names_every_case(fixtures: Path, contract: Contract) -> None:
    manifest = json.loads((fixtures / "manifest.json").read_text(encoding="utf-8"))
    cases = build_all(contract)
    assert [entry["id"] for entry in manifest["cases"]] == [case.id for case in cases]
    first, entry = cases[0], manifest["cases"][0]
    assert entry == {
        "id": first.id,
        "file": f"{family_of(first.id)}.json",
        "requirements": list(first.requirements),
        "media_type": first.media_type,
        "transport": first.transport,
        "varies": first.title,
        "sha256": case_digest(first),
    }


def test_files_end_in_a_line_feed_and_hold_no_carriage_return(fixtures: Path) -> None:
    for path in fixtures.iterdir():
        content = path.read_bytes()
        assert content.endswith(b"}\n")
        assert b"\r" not in content


def test_a_second_build_touches_nothing(fixtures: Path, contract: Contract) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in fixtures.iterdir()}
    result = write_fixtures(contract)
    assert (result.written, result.removed) == ((), ())
    assert before == {path.name: path.stat().st_mtime_ns for path in fixtures.iterdir()}


def test_a_build_elsewhere_leaves_the_contract_alone(specs: Path, contract: Contract, tmp_path: Path) -> None:
    before = contents(specs)
    write_fixtures(contract, tmp_path / "out")
    assert contents(specs) == before
    assert (tmp_path / "out/alphapoint/cancel_all_orders/fixtures/manifest.json").is_file()


def test_a_build_removes_what_is_no_longer_produced_and_nothing_else(fixtures: Path, contract: Contract) -> None:
    (fixtures / "old.json").write_text(json.dumps({"operation": CAO, "cases": []}), encoding="utf-8")
    (fixtures / "README.md").write_text("keep", encoding="utf-8")
    (fixtures / "notes.json").write_text("[]", encoding="utf-8")
    assert [path.name for path in write_fixtures(contract).removed] == ["old.json"]
    assert (fixtures / "README.md").exists()
    assert (fixtures / "notes.json").exists()


def found_case(fixtures: Path) -> dict[str, Any]:
    data = json.loads((fixtures / "codes.json").read_text(encoding="utf-8"))
    case: dict[str, Any] = {**data["cases"][0], "id": "cao/found/one@http"}
    (fixtures / "found-one.json").write_text(json.dumps({**data, "family": "found", "cases": [case]}), encoding="utf-8")
    return case


def test_a_case_found_by_exploring_is_kept_listed_and_loaded(fixtures: Path, contract: Contract) -> None:
    case = found_case(fixtures)
    write_fixtures(contract)
    assert (fixtures / "found-one.json").exists()
    assert f'"{case["id"]}"' in (fixtures / "manifest.json").read_text(encoding="utf-8")
    assert case["id"] in [one.id for one in load_cases(contract)]
    assert fixture_drift(contract).files == ()


def test_a_run_takes_the_fixtures_when_they_exist(fixtures: Path, contract: Contract) -> None:
    change(fixtures / "codes.json", '"title": "', '"title": "Edited: ')
    assert [case.title for case in load_cases(contract) if case.title.startswith("Edited: ")]


def test_without_fixtures_the_cases_are_built(contract: Contract) -> None:
    assert read_fixtures(contract.operations[CAO]) is None
    assert load_cases(contract, every_edition=True) == tuple(sorted(build_all(contract), key=lambda case: case.id))


def test_fixtures_and_data_give_the_same_cases(fixtures: Path, contract: Contract) -> None:
    assert read_fixtures(contract.operations[CAO]) == build_all(contract)


def test_chosen_operations_alone_are_loaded() -> None:
    cases = load_cases(load_contract(), ["alphapoint.cancel_quote"])
    assert {case.operation for case in cases} == {"alphapoint.cancel_quote"}


def test_an_unknown_operation_is_a_usage_error(contract: Contract) -> None:
    with pytest.raises(UsageError, match="no operation 'x'"):
        load_cases(contract, ["x"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "no fixture file of"),
        ('{"operation": "another", "cases": []}', "no fixture file of"),
        (f'{{"operation": "{CAO}", "cases": [5]}}', "a case: "),
        (f'{{"operation": "{CAO}", "cases": [{{"id": "x"}}]}}', "x: member 'operation' is missing"),
    ],
)
def test_a_file_that_is_no_fixture_stops_the_run(
    fixtures: Path, contract: Contract, content: str, message: str
) -> None:
    (fixtures / "odd.json").write_text(content, encoding="utf-8")
    with pytest.raises(SpecError, match=message) as error:
        load_cases(contract)
    assert "odd.json" in error.value.where


def test_a_case_that_stands_twice_stops_the_run(fixtures: Path, contract: Contract) -> None:
    shutil.copy(fixtures / "codes.json", fixtures / "again.json")
    with pytest.raises(SpecError, match="stands twice"):
        load_cases(contract)


def test_check_is_content_with_what_build_wrote(specs: Path, fixtures: Path) -> None:
    result = command("check", "--specs", str(specs))
    assert (result.exit_code, result.output) == (
        0,
        f"ok  {len(list(fixtures.iterdir()))} fixture files are what the contract gives\n",
    )


def test_check_shows_an_edited_file_and_the_case(specs: Path, fixtures: Path) -> None:
    change(fixtures / "codes.json", '"title": "', '"title": "Edited: ')
    result = command("check", "--specs", str(specs))
    assert result.exit_code == 1
    assert f"edited: {fixtures / 'codes.json'}" in result.output
    assert '  -   "title": "Edited: ' in result.output
    assert "change: cao/codes/100@http\n" in result.output
    assert "1 of " in result.output


def test_check_shows_a_missing_file(specs: Path, fixtures: Path) -> None:
    (fixtures / "codes.json").unlink()
    result = command("check", "--specs", str(specs))
    assert result.exit_code == 1
    assert f"missing: {fixtures / 'codes.json'}" in result.output
    assert "add: cao/codes/100@http\n" in result.output


def test_check_shows_an_extra_file(specs: Path, fixtures: Path) -> None:
    data = json.loads((fixtures / "codes.json").read_text(encoding="utf-8"))
    data["cases"] = [{**data["cases"][0], "id": "cao/more/one@http"}]
    (fixtures / "more.json").write_text(json.dumps(data), encoding="utf-8")
    result = command("check", "--specs", str(specs))
    assert result.exit_code == 1
    assert f"extra: {fixtures / 'more.json'}" in result.output
    assert "remove: cao/more/one@http\n" in result.output


def test_check_shows_a_file_that_is_no_json(specs: Path, fixtures: Path) -> None:
    (fixtures / "codes.json").write_bytes(b"\xff{")
    assert command("check", "--specs", str(specs)).exit_code == 1


def test_check_keeps_a_diff_short(specs: Path, fixtures: Path) -> None:
    (fixtures / "fields.json").write_text("{}\n", encoding="utf-8")
    drift = fixture_drift(load_contract(specs))
    assert [len(file.diff) for file in drift.files] == [41]
    assert drift.files[0].diff[-1].endswith(" more lines")


def test_check_shows_what_a_changed_contract_changes(specs: Path, fixtures: Path) -> None:
    path = specs / "alphapoint/cancel_all_orders/scenarios.yaml"
    change(path, "  title: ", "  title: Now ")
    drift = fixture_drift(load_contract(specs))
    assert drift.changed
    assert {file.kind for file in drift.files} == {"edited"}
    assert fixtures / "manifest.json" in [file.path for file in drift.files]


def test_quiet_check_prints_the_verdict_alone(specs: Path, fixtures: Path) -> None:
    (fixtures / "codes.json").unlink()
    assert command("check", "-q", "--specs", str(specs)).output.startswith("drift: 1 of ")


def test_build_prints_counts(specs: Path) -> None:
    result = command("build", "-v", "--specs", str(specs))
    assert result.exit_code == 0
    assert f"{CAO}: " in result.output
    assert "wrote    " in result.output
    count = len(list((specs / "alphapoint/cancel_all_orders/fixtures").iterdir()))
    assert f"; {count} files written, 0 unchanged, 0 removed\n" in result.output


def test_quiet_build_prints_nothing(specs: Path, tmp_path: Path) -> None:
    assert command("build", "-q", "--specs", str(specs), "--out", str(tmp_path / "out")).output == ""
