"""What pipelines include: the steps of the Action, the GitLab template and the Containerfile, run as they stand there.

Nothing is fetched: pip finds what the package needs in the environment of the tests.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
CASE, FAULTY = "cao/effects/again@http", "reference+fault:cao-again-20"
OFFLINE = {
    "PIP_NO_DEPS": "1",
    "PIP_NO_BUILD_ISOLATION": "0",
    "PIP_NO_INDEX": "1",
    "PIP_IGNORE_INSTALLED": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
pytestmark = pytest.mark.timeout(240)


@dataclass(frozen=True)
class Home:
    """A fresh environment with the package installed by the Containerfile's steps, and the wheel that they built."""

    environment: Path
    wheel: Path

    def variables(self, more: Mapping[str, str]) -> dict[str, str]:
        path = f"{self.environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        return {**kept, **OFFLINE, "PATH": path, **more}

    def shell(self, text: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """As GitHub's `shell: bash` runs a step."""
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
        return subprocess.run(
            command, cwd=folder, env=self.variables(more), capture_output=True, text=True, check=False, timeout=120
        )


def instructions() -> list[tuple[str, str]]:
    """The Containerfile as pairs of instruction and text, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Containerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    base = tmp_path_factory.mktemp("home")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", base / "venv"], check=True, timeout=60)
    fresh = Home(base / "venv", base / "wheels")
    (site,) = (base / "venv" / "lib").glob("python*/site-packages")
    (site / "of_the_tests.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    (base / "venv" / "bin" / "pip").write_text(
        f'#!/bin/sh\nexec "{base}/venv/bin/python" -m pip "$@"\n', encoding="ascii"
    )
    (base / "venv" / "bin" / "pip").chmod(0o755)
    for instruction, text in instructions():
        if instruction == "RUN":
            step = (
                re.sub(r"^--mount=\S+\s*", "", text).replace("/wheels", str(base / "wheels")).replace("/src", str(ROOT))
            )
            done = fresh.shell(step, base)
            assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (base / "wheels").glob("*.whl")
    return Home(fresh.environment, wheel)


def test_the_container_runs_the_command_without_rights(home: Home, tmp_path: Path) -> None:
    told = instructions()
    assert [text for name, text in told if name == "USER"] == ["65532:65532"]
    assert [name for name, _ in told].index("USER") > max(n for n, (name, _) in enumerate(told) if name == "RUN")
    assert sum(name in ("RUN", "COPY", "ADD") for name, _ in told[[name for name, _ in told].index("FROM", 1) :]) <= 2
    (entry,) = (yaml.safe_load(text) for name, text in told if name == "ENTRYPOINT")
    done = home.shell(f"{shlex.join(entry)} run --quiet --case {CASE} --report out && command -v conformance", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(str(home.environment / "bin" / "conformance"))
    assert "where" not in done.stderr


def step(name: str) -> Mapping[str, Any]:
    return next(one for one in ACTION["runs"]["steps"] if one["name"] == name)


def environment(name: str, given: Mapping[str, str]) -> dict[str, str]:
    """The `env` of a step; `given` stands for the expressions that only GitHub works out."""
    values = {}
    for key, expression in step(name).get("env", {}).items():
        asked = re.search(r"inputs\.([\w-]+)", expression)
        default = "" if asked is None else ACTION["inputs"][asked[1]]["default"]
        values[key] = given.get(key, default)
    return values


@pytest.mark.parametrize(("target", "code"), [("", 0), (FAULTY, 1)])
def test_the_action_judges_annotates_and_stops_the_job(target: str, code: int, home: Home, tmp_path: Path) -> None:
    output, summary = tmp_path / "output", tmp_path / "summary"
    files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
    given = {"PACKAGE": str(home.wheel), "TARGET": target, "ARGUMENTS": f"--case {CASE} --generated 0"}
    said = ""
    for name in ("Install", "Judge", "Report"):
        done = home.shell(step(name)["run"], tmp_path, **environment(name, given), **files)
        assert done.returncode == 0, done.stdout + done.stderr
        said += done.stdout
    assert output.read_text("ascii") == f"exit-code={code}\n"
    assert home.shell(step("Verdict")["run"], tmp_path, CODE=str(code)).returncode == code
    assert f"Conformance: {'fail' if code else 'pass'}" in summary.read_text("utf-8")
    assert (tmp_path / "conformance-report" / "results.sarif").exists()
    pattern = (
        r"(?m)^::error file=specs/alphapoint/cancel_all_orders/requirements\.yaml,line=\d+,title=CAO-[A-Z-]+::.*%0A"
    )
    assert bool(re.search(pattern, said)) is bool(code), said


def test_the_action_says_when_nothing_could_be_run(home: Home, tmp_path: Path) -> None:
    output = tmp_path / "output"
    values = environment("Judge", {"TARGET": "nowhere.toml"})
    done = home.shell(step("Judge")["run"], tmp_path, **values, GITHUB_OUTPUT=str(output))
    assert (done.returncode, output.read_text("ascii")) == (0, "exit-code=2\n")
    done = home.shell(step("Report")["run"], tmp_path, **environment("Report", {}), GITHUB_STEP_SUMMARY=str(output))
    assert (done.returncode, done.stdout) == (0, "")


def test_the_gitlab_template_runs_as_it_stands(home: Home, tmp_path: Path) -> None:
    job = yaml.safe_load((ROOT / "integrations" / "gitlab-ci.yml").read_text("utf-8"))[".conformance"]
    given = {"CONFORMANCE_PACKAGE": str(home.wheel), "CONFORMANCE_ARGUMENTS": f"--case {CASE} --generated 0"}
    values = {**job["variables"], **given}
    done = home.shell("\n".join(job["script"]), tmp_path, **values)
    assert done.returncode == 0, done.stdout + done.stderr
    assert home.shell("\n".join(job["after_script"]), tmp_path, **values).returncode == 0
    report = tmp_path / job["variables"]["CONFORMANCE_REPORT"]
    assert {"junit.xml", "ctrf.json", "results.sarif", "summary.md"} <= {path.name for path in report.iterdir()}


def test_the_jenkinsfile_types_commands_that_there_are() -> None:
    text = (ROOT / "integrations" / "Jenkinsfile").read_text("utf-8")
    assert (text.count("{"), text.count("(")) == (text.count("}"), text.count(")"))
    commands = re.findall(r"sh '([^']+)'", text)
    assert [shlex.split(one)[:2] for one in commands] == [["python3", "-m"], [".venv/bin/conformance", "run"]]
    assert "conformance-report/junit.xml" in text


@pytest.mark.parametrize(("file", "words"), [
    ("action.yml", ("check-jsonschema", "--builtin-schema", "vendor.github-actions")),
    (
        "integrations/gitlab-ci.yml",
        ("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
    ),
    (".pre-commit-hooks.yaml", ("pre-commit", "validate-manifest")),
])  # fmt: skip
def test_each_file_is_valid_under_its_published_schema(file: str, words: tuple[str, ...]) -> None:
    program, *more = words
    command = [Path(sys.executable).parent / program, *more, ROOT / file]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_hooks_run_commands_that_there_are(home: Home, tmp_path: Path) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    extra = (ROOT / "pyproject.toml").read_text("utf-8")
    for hook in hooks:
        assert re.search(hook["files"], "specs/tpp/service.yaml")
        assert all(f'"{needed}"' in extra for needed in hook["additional_dependencies"])
        done = home.shell(f"{hook['entry']} --help", tmp_path)
        assert (done.returncode, "--specs" in done.stdout) == (0, True)
