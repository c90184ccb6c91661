"""An invented operation of another vendor, in JSON and XML, is data alone: checked, run, failed where it should be."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from labels_server import Behaviour, serving
from vendor_support import ADDRESS, commands_of_the_page, files_of_the_page, recipe

from conformance.cases.generated.generate import generate_values
from conformance.contract.load import load_contract
from conformance.endpoint.file import check_target, sample_of

Run = Callable[..., "subprocess.CompletedProcess[str]"]
TARGET = ("--specs", "contract", "--target", "labels.toml")
NAMED = ("--generated", "0", "-q", "--report", "report")


def test_the_six_steps_followed_literally_give_a_verdict(aimed: Callable[[str], Path], run: Run) -> None:
    with serving() as url:
        where = aimed(url)
        for command in commands_of_the_page():
            program, *words = command.split()
            assert program == "conformance"
            done = run(where, *words)
            assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert "verdict: pass (exit 0)" in done.stdout
    assert words[0] == "run"


def test_recipe_followed_step_by_step_gives_a_verdict(tmp_path: Path, run: Run) -> None:
    """A step writes the files that it names, as the authoring page has them, or runs its command."""
    left = files_of_the_page()
    steps = recipe()
    assert 0 < len(steps) <= 10
    with serving() as url:
        for step in steps:
            for word in re.findall(r"`([^`]+)`", step):
                if word.startswith("conformance "):
                    done = run(tmp_path, *word.split()[1:])
                    assert done.returncode == 0, (step, done.stdout, done.stderr)
                    continue
                named = [name for name in left if fnmatchcase(name, word)]
                assert named, step
                for name in named:
                    path = tmp_path / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(left.pop(name).replace(ADDRESS, url), encoding="utf-8")
    assert left == {}
    assert "verdict: pass (exit 0)" in done.stdout


def test_the_page_has_every_file_of_the_operation() -> None:
    names = [name.removeprefix("contract/labels/") for name in files_of_the_page()]
    assert len(names) == len(set(names)) == 13
    assert {"service.yaml", "readings.yaml", "openapi.yaml", "void/operation.yaml", "labels.toml"} <= set(names)


def _swapped(text: str) -> str:
    """Voided before Label, against the XSD."""
    head, *items = text.split("<Result>")
    moved = []
    for item in items:
        label, rest = item.split("</Label>")
        voided, behind = rest.split("</Voided>")
        moved.append(f"{voided}</Voided>{label}</Label>{behind}")
    return "<Result>".join([head, *moved])


FAULTS = {
    # an odd form that must be carried out speaks for itself when it is not
    "reports a label voided and leaves it": (
        Behaviour(effect=lambda _label: False), {"LV-VOID"},
        {"LV-VOID", "LV-AGAIN", "LV-NO-EFFECT", "LV-SAME", "LV-LIST", "LV-XML", "LV-LABEL", "LV-REASON", "LV-MEDIA", "LV-ROUTE"},
    ),
    "leaves the last of several results out": (
        Behaviour(results=lambda every: every[:-1] if len(every) > 1 else every), {"LV-ONE-EACH"}, {"LV-ONE-EACH"},
    ),
    "writes the elements of a result in another order": (Behaviour(xml=_swapped), {"LV-RESULT-XML"}, {"LV-RESULT-XML"}),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_fails_the_requirement_that_it_breaks(
    fault: str, aimed: Callable[[str], Path], run: Run
) -> None:
    behaviour, requirement, may_fail = FAULTS[fault]
    with serving(behaviour) as url:
        where = aimed(url)
        done = run(where, "run", *TARGET, *NAMED)
    assert done.returncode == 1, (done.stdout, done.stderr)
    results: dict[str, Any] = json.loads((where / "report/results.json").read_text(encoding="utf-8"))
    failed = {one["id"] for one in results["requirements"] if one["verdict"] == "fail"}
    assert failed >= requirement
    assert failed <= may_fail


@pytest.mark.parametrize(
    "words",
    [
        ("list", "operations", "--specs", "contract"),
        ("list", "cases", "--specs", "contract"),
        ("explain", "LV-VOID", "--specs", "contract"),
        ("explain", "lv/response/one@application-xml", "--specs", "contract"),
        ("plan", *TARGET, "--generated", "0", "-q"),
    ],
)
def test_every_command_that_reads_a_contract_takes_this_one(words: tuple[str, ...], folder: Path, run: Run) -> None:
    done = run(folder, *words)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "lv/" in done.stdout or "labels.void" in done.stdout or "LV-VOID" in done.stdout


def test_a_case_of_it_is_replayed(aimed: Callable[[str], Path], run: Run) -> None:
    with serving() as url:
        done = run(aimed(url), "replay", "lv/response/one@application-xml", *TARGET)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "urn:labels:void" in done.stdout


def test_the_reference_implementation_is_no_target_for_it(folder: Path, run: Run) -> None:
    done = run(folder, "run", "--specs", "contract", "--generated", "0")
    assert done.returncode == 2
    assert "the reference implementation does not serve labels" in done.stderr
    assert "conformance target init" in done.stderr


def test_target_init_names_what_its_cases_ask_for(folder: Path, run: Run) -> None:
    done = run(folder, "target", "init", "--specs", "contract", "--service", "labels")
    assert done.returncode == 0
    service = tomllib.loads(done.stdout)["services"]["labels"]
    assert set(service["bindings"]) == {"unknown_label"}
    assert set(service["roles"]) == {"clerk"}


def test_what_target_init_writes_is_a_target_file(folder: Path) -> None:
    contract = load_contract(folder / "contract")
    assert check_target(tomllib.loads(sample_of(contract, "labels")), contract, "here").name == "labels staging"


def test_target_init_refuses_a_service_that_the_contract_lacks(folder: Path, run: Run) -> None:
    done = run(folder, "target", "init", "--specs", "contract", "--service", "parcels")
    assert done.returncode == 2
    assert "no service is called 'parcels'" in done.stderr


def test_values_are_generated_of_its_schema(folder: Path) -> None:
    operation = load_contract(folder / "contract").operations["labels.void"]
    values = generate_values(operation, 0, 5)
    assert {one.positive for one in values} == {True, False}
    assert {one.breaks for one in values if not one.positive} <= {"LV-LIST", "LV-LABEL", "LV-REASON"}
