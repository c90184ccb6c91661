"""The invented operation of the authoring page, written to a folder as its steps say, and the commands of those steps."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from vendor_support import ADDRESS, files_of_the_page

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with every file of the page, as it stands there."""
    for name, content in files_of_the_page().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path


@pytest.fixture
def aimed(folder: Path) -> Callable[[str], Path]:
    """`aimed(url)`: the folder, its target file pointing at that server."""

    def aim(url: str) -> Path:
        path = folder / "labels.toml"
        path.write_text(path.read_text(encoding="utf-8").replace(ADDRESS, url), encoding="utf-8")
        return folder

    return aim


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run(folder, *words)`: the command in a process of its own, with a cache of its own."""

    def start(where: Path, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "conformance", *words],
            cwd=where,
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return start
