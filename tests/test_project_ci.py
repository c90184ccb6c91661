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
        "lint-imports",
        "mypy",
        "conformance specs check",
        "conformance fixtures check",
        "pytest -n auto",
    ]
    assert [step for step in programs if not any(given.startswith(step) for given in STEPS)] == []


def test_tox_has_no_step_that_the_others_lack() -> None:
    tox = configparser.ConfigParser()
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    commands = [
        line.strip() for name in tox.sections() for line in tox[name].get("commands", "").splitlines() if line.strip()
    ]
    programs = {" ".join(re.split(r" --?[\w-]+| \{", command)[0].split()) for command in commands} - {
        "coverage erase",
        "coverage report",
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
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True, cwd=ROOT
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_readme_gives_the_commands_of_a_newcomer() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^```sh\n(.+)\n```", readme, re.MULTILINE)[:2]
    assert first == "python3 -m venv .venv && .venv/bin/pip install -e '.[test,lint]' && .venv/bin/conformance run"
    assert second == "python3 -m venv .venv && .venv/bin/pip install -e '.[test,lint]' && .venv/bin/python -m tests"
