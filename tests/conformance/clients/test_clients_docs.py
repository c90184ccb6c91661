"""The page on clients, followed literally: its drivers are written down and run by its commands."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .other_clients import RIGHT, WRONG

PAGE = (Path(__file__).parents[3] / "docs" / "clients.md").read_text("utf-8")
_BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
TRIED = ("*/scene/*", "*/client/code/*", "*/fails/*", "*/reading/*/done@*")


@pytest.mark.parametrize(("language", "file"), [("python", "driver.py"), ("javascript", "driver.mjs")])
def test_driver_of_the_page_is_judged_right(language: str, file: str, tmp_path: Path) -> None:
    if language == "javascript" and shutil.which("node") is None and not os.environ.get("CI"):
        pytest.skip("needs Node")
    (code,) = (text for kind, text in _BLOCKS if kind == language)
    (command,) = (text.strip() for kind, text in _BLOCKS if kind == "sh" and file in text)
    (tmp_path / file).write_text(code, encoding="utf-8")
    words = [word.replace("python3", shlex.quote(sys.executable)) for word in shlex.split(command)[1:]]
    trials = [word for pattern in TRIED for word in ("--case", pattern)]
    done = subprocess.run(
        [sys.executable, "-m", "conformance", *words, *trials, "--timeout", "0.6", "--no-html"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "verdict: pass" in done.stdout


def test_drivers_of_the_page_are_short() -> None:
    for kind, text in _BLOCKS:
        assert kind not in ("python", "javascript") or len(text.splitlines()) <= 50


def test_page_says_how_many_clients_there_are() -> None:
    assert f"{len(WRONG)} wrong clients" in PAGE
    assert f"{len(RIGHT)} right but unusual ones" in PAGE
