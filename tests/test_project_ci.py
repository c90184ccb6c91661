"""What a change must pass is the same in .ci/run, `python -m tests`, tox.ini and the README."""

from __future__ import annotations

import configparser
import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / ".ci" / "run"
TEXT = SCRIPT.read_text(encoding="utf-8")
STEPS = [
    " ".join(command) for _, command in runpy.run_path(str(ROOT / "tests" / "__main__.py"), run_name="steps")["STEPS"]
]


def test_the_script_can_be_run() -> None:
    assert os.access(SCRIPT, os.X_OK)
    assert TEXT.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in TEXT
    subprocess.run(["bash", "-n", SCRIPT], check=True, timeout=10)


@pytest.mark.parametrize(
    "command",
    [
        "python -m tests", "conformance run", ".[test,lint]", "pip wheel", ".ci/startup.py",
    ],
)  # fmt: skip
def test_the_script_has_every_step(command: str) -> None:
    assert re.search(rf"^run .*{re.escape(command)}", TEXT, re.MULTILINE)


def test_the_tests_command_has_every_step() -> None:
    programs = [
        "ruff check .",
        "ruff format --check .",
        "bandit",
        "lint-imports",
        "mypy",
        "conformance specs check",
        "conformance fixtures check",
        "pytest -n auto",
    ]
    assert [step for step in programs if not any(given.startswith(step) for given in STEPS)] == []


def functions(least: int) -> list[str]:
    """The functions that take so many seconds, as `long.txt` has them."""
    rows = (line.split() for line in (ROOT / "tests" / "long.txt").read_text(encoding="utf-8").splitlines())
    return [name for name, seconds in rows if int(seconds) >= least]


def test_the_long_tests_are_named_in_order_and_exist() -> None:
    named = functions(0)
    assert named == sorted(set(named))
    gone = [
        one
        for path, name in (one.split("::") for one in named)
        if f"def {name}(" not in ((ROOT / path).read_text(encoding="utf-8") if (ROOT / path).exists() else "")
        for one in (f"{path}::{name}",)
    ]
    assert gone == []


@pytest.mark.parametrize(("marker", "least"), [("long", 2), ("very_long", 6)])
def test_the_quick_tests_are_all_but_the_long_ones(marker: str, least: int) -> None:
    def collected(*options: str) -> set[str]:
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/test_integrations.py", *options]
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
        return {line for line in told.splitlines() if "::" in line}

    quick, every = collected("-m", f"not {marker}"), collected()
    assert {one for one in every if one.partition("[")[0] in functions(least)} == every - quick
    assert quick < every


def test_the_script_runs_the_long_tests_as_well() -> None:
    assert re.search(r"^run env EVERY=4 python -m tests --all$", TEXT, re.MULTILINE)
    usage = subprocess.run(
        [sys.executable, "-m", "tests", "--al"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (usage.returncode, usage.stderr) == (2, "usage: python -m tests [--all]\n")


def test_tox_has_no_step_that_the_others_lack() -> None:
    tox = configparser.ConfigParser()
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    commands = [
        line.strip() for name in tox.sections() for line in tox[name].get("commands", "").splitlines() if line.strip()
    ]
    programs = {" ".join(re.split(r" --?[\w-]+| \{", command)[0].split()) for command in commands} - {
        "coverage erase",
        "coverage report",
        "pip-audit",  # it asks PyPI, which a change must not hang on
    }
    assert {program for program in programs if program not in "\n".join((TEXT, *STEPS))} == set()


def test_coverage_has_a_floor() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    coverage = project["tool"]["coverage"]
    assert coverage["report"]["fail_under"] >= 90
    assert coverage["run"]["source"] == ["conformance", "reference_impl"]


def test_the_start_of_the_program_imports_nothing_heavy() -> None:
    code = (
        "import sys; from conformance.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & set('asyncio lxml pydantic rich schemathesis hypothesis yaml jsonschema'.split())))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True, cwd=ROOT
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_readme_gives_the_commands_of_a_newcomer() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^```sh\n(.+)\n```", readme, re.MULTILINE)[:2]
    assert first == "python3 -m venv .venv && .venv/bin/pip install -e '.[test,lint]' && .venv/bin/conformance run"
    assert second == "python3 -m venv .venv && .venv/bin/pip install -e '.[test,lint]' && .venv/bin/python -m tests"


def _stand_in(folder: Path, name: str, answer: str) -> None:
    program = folder / name
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{answer}\n", "utf-8")
    program.chmod(0o755)


def _newest(folder: Path, than: str = "3.11") -> str:
    """What the script finds when only this folder is on PATH."""
    version = tuple(map(int, than.split(".")))
    script = runpy.run_path(str(ROOT / ".ci" / "newest.py"))
    before = os.environ["PATH"]
    os.environ["PATH"] = str(folder)
    try:
        return str(script["newest"](script["candidates"](), version) or "")
    finally:
        os.environ["PATH"] = before


def test_the_newest_python_is_found_on_the_path_and_in_pyenv(tmp_path: Path) -> None:
    _stand_in(tmp_path, "python3.12", "echo 3 12 9 final False")
    assert _newest(tmp_path) == str(tmp_path / "python3.12")
    assert _newest(tmp_path, "3.12") == ""
    _stand_in(tmp_path, "python3.13", "echo pyenv: no such version; exit 127")
    _stand_in(tmp_path, "python3.14", "echo 3 14 0 candidate False")
    _stand_in(tmp_path, "python3.15", "echo 3 15 0 final True")
    _stand_in(tmp_path, "python3.16-config", "echo 3 16 0 final False")
    assert _newest(tmp_path) == str(tmp_path / "python3.12")
    root = tmp_path / "root"
    _stand_in(tmp_path, "pyenv", f"echo {root}")
    _stand_in(root, "versions/3.13.1/bin/python3", "echo 3 13 1 final False")
    _stand_in(root, "versions/3.13.0/bin/python3", "echo 3 13 0 final False")
    assert _newest(tmp_path) == str(root / "versions" / "3.13.1" / "bin" / "python3")
    assert _newest(tmp_path, "3.13") == ""


def test_the_script_runs_the_tests_on_the_newest_python_last() -> None:
    commands = [line.removeprefix("  ") for line in TEXT.splitlines() if line.lstrip().startswith("run ")]
    assert commands[-1] == """run "$work/newest/bin/python" -m pytest -n auto --dist worksteal -m 'not long'"""
    assert "No Python newer than the default one is here" in TEXT


def test_the_wheel_is_tried_without_any_extra() -> None:
    assert re.search(r'^run "\$work/clean/bin/pip" install --quiet "\$work"/dist/\*\.whl$', TEXT, re.MULTILINE)
    assert '.ci/startup.py" "$work/clean/bin/conformance" "$work/venv/bin/schemathesis"' in TEXT
