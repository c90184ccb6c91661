"""The commands without the extras: `run` misses nothing, and what needs an extra names it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EXTRAS = ("hypothesis", "schemathesis", "jsonschema", "xmlschema", "openapi_spec_validator")
BROUGHT = (
    "elementpath",
    "referencing",
    "jsonschema_specifications",
    "requests",
    "httpx",
    "werkzeug",
    "tenacity",
    "attr",
    "pytest",
)
_CODE = """
import sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in {absent!r} else found(name, *rest)
from conformance.cli.main import main
main({arguments!r}, prog_name="conformance")
"""


def without_extras(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = _CODE.format(absent=(*EXTRAS, *BROUGHT), arguments=list(arguments))
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def test_a_run_with_generated_cases_and_its_reports_needs_no_extra(tmp_path: Path) -> None:
    done = without_extras(tmp_path, "run", "-q", "--generated", "200", "--case", "tpp/response/*", "--report", "r")
    assert (done.returncode, done.stderr) == (0, "")
    rendered = without_extras(tmp_path, "report", "render", "r", "--format", "html", "--format", "md")
    assert (rendered.returncode, rendered.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("run", "-q", "--seed", "7", "--operation", "tpp.create_cancellations"), "schemathesis"),
        (("run", "-q", "--explore", "1", "--case", "tpp/response/domestic@*"), "schemathesis"),
        (("specs", "check"), "author"),
    ],
)  # fmt: skip
def test_what_needs_an_extra_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], extra: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    done = without_extras(tmp_path, *arguments)
    assert done.returncode == 2
    assert f"which the extra `{extra}` installs" in done.stderr
    assert f"pip install -e '.[{extra}]'" in done.stderr


def test_building_fixtures_needs_the_extra_for_a_new_corpus_alone(tmp_path: Path) -> None:
    folder = tmp_path / "specs"
    subprocess.run(["cp", "-r", str(ROOT / "specs"), str(folder)], check=True, timeout=100)
    assert without_extras(tmp_path, "fixtures", "check", "--specs", str(folder)).returncode == 0
    assert without_extras(tmp_path, "fixtures", "build", "--specs", str(folder)).returncode == 0
    done = without_extras(tmp_path, "fixtures", "build", "--corpus", "--specs", str(folder))
    assert done.returncode == 2
    assert "the extra `schemathesis` installs" in done.stderr


def test_every_extra_that_the_tests_need_comes_with_theirs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    base = {name.partition(">")[0].replace("-", "_") for name in project["dependencies"]}
    assert base.isdisjoint(EXTRAS)
    optional = project["optional-dependencies"]
    assert "order-cancellation-conformance[author,evidence,fleet,history,load]" in optional["test"]
    assert "order-cancellation-conformance[schemathesis]" in optional["author"]
    brought = {
        name.partition(">")[0].replace("-", "_")
        for extra in ("author", "schemathesis", "evidence")
        for name in optional[extra]
    }
    assert set(EXTRAS) <= brought
