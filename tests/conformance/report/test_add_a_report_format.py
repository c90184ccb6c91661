"""The recipe "Add a report format" of docs/architecture.md, followed literally, from a package that is not this one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from report_support import INFO, everything_passes

from conformance.contract.load import load_contract
from conformance.errors import UsageError
from conformance.model.verdict import CaseResult, Verdict
from conformance.report.formats.registry import report_format
from conformance.report.journal import FILE_NAME, Header, JournalWriter
from conformance.report.run_info import Ending, Settings

PAGE = (Path(__file__).parents[3] / "docs" / "architecture.md").read_text("utf-8")
RECIPE = PAGE[PAGE.index("### Add a report format\n") :].partition("\n### ")[0].partition("\n## ")[0]
FILES = {
    name: textwrap.dedent(text)
    for name, text in re.findall(r"`([\w.]+)`:\n\n +```\w+\n(.*?)\n +```", RECIPE, re.DOTALL)
}


def installed(folder: Path) -> Path:
    """The files of the recipe where an installer puts them."""
    record = folder / "my_report-1.0.dist-info"
    record.mkdir(parents=True)
    (folder / "my_report.py").write_text(FILES["my_report.py"], "utf-8")
    ((group, entries),) = tomllib.loads(FILES["pyproject.toml"])["project"]["entry-points"].items()
    lines = [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (record / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: my-report\nVersion: 1.0\n", "utf-8")
    return folder


def journal(folder: Path) -> Path:
    """A journal under the bundled contract with one case."""
    info = replace(INFO, specs_digest=load_contract().digest)
    result = CaseResult(
        "tpp/response/domestic@text-json", "tpp.create_cancellations", ("TPP-RESP-LIST",), "named", "http", "text/json",
        "client", Verdict.PASS,
    )  # fmt: skip
    with JournalWriter(folder / FILE_NAME, Header(info, Settings(planned=1))) as writer:
        writer.write(result)
        writer.finish(Ending())
    return folder


def test_format_of_another_package_is_rendered(tmp_path: Path) -> None:
    command = re.search(r"Run `conformance (report render) conformance-report (--format lines)`", RECIPE)
    assert command is not None
    words = [*command[1].split(), str(journal(tmp_path / "run")), *command[2].split()]
    env = {**os.environ, "PYTHONPATH": str(installed(tmp_path / "site")), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "conformance", *words], env=env, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "run" / "lines.txt").read_text("utf-8").splitlines()
    assert "pass TPP-RESP-LIST" in lines
    assert len(lines) == len([one for one in load_contract().requirements.values() if not one.edition])


def test_recipe_is_short() -> None:
    assert 3 <= len(re.findall(r"^\d+\. ", RECIPE, re.MULTILINE)) <= 10
    assert all(len([line for line in text.splitlines() if line]) <= 10 for text in FILES.values())


def test_unknown_format_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="'pdf' is no format") as caught:
        report_format("pdf")
    assert "junit" in str(caught.value)


def test_what_is_no_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.report.formats.registry.find_report_format", lambda _name: everything_passes)
    with pytest.raises(UsageError, match="'x' is no format"):
        report_format("x")
