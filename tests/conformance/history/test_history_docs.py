"""docs/history.md is followed literally."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli.main import main

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "history.md").read_text("utf-8")
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]


def test_page_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONFORMANCE_HISTORY", raising=False)
    outputs = {}
    for line in COMMANDS:
        done = CliRunner().invoke(main, shlex.split(line)[1:])
        assert done.exit_code in ((0, 1, 4) if " run " in line else (0,)), (line, done.output)
        outputs[line] = done.stdout
    assert "broke in 1.1, last good 1.0" in outputs["conformance history blame"]
    assert "run verdict" in outputs["conformance history show acme"]
    assert (tmp_path / "conformance-history.db").is_file()
