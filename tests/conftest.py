"""How many processes `-n auto` is, which tests are long, and what is cleared away before a process of tests ends."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

LONG = frozenset(Path(__file__).with_name("long.txt").read_text(encoding="utf-8").split())
"""The functions, as pytest names them without parameters; `long.py` writes the file."""


@pytest.hookimpl(optionalhook=True)  # xdist may be off
def pytest_xdist_auto_num_workers() -> int | None:
    """Three for each two cores, since many tests wait; unless xdist's own variable says how many."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    return (os.cpu_count() or 1) * 3 // 2 or 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests have the marker of that name."""
    for item in items:
        if item.nodeid.partition("[")[0] in LONG:
            item.add_marker("long")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Sockets that a test's server left go now: Python 3.11 cannot stand their warnings while a plugin is imported."""
    gc.collect()
