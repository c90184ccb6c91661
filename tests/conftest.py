"""How many processes `-n auto` is, which tests are long, and what is cleared away before a process of tests ends."""

from __future__ import annotations

import gc
import os
from collections import Counter
from pathlib import Path

import pytest

MARKERS = {"long": 2, "very_long": 6}
"""From how many seconds on a function has the marker."""
EVERY = int(os.environ.get("EVERY", "1"))
"""Of the tests of a function that takes very long, each of so many is run."""
_ROWS = Path(__file__).with_name("long.txt").read_text(encoding="utf-8").splitlines()
_SECONDS = {name: int(seconds) for name, seconds in map(str.split, _ROWS)}
"""By function, as pytest names it without parameters, what its tests take together; `long.py` writes the file."""


@pytest.hookimpl(optionalhook=True)  # xdist may be off
def pytest_xdist_auto_num_workers() -> int | None:
    """Three for each two cores, since many tests wait; unless xdist's own variable says how many."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    return (os.cpu_count() or 1) * 3 // 2 or 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that take long have markers, by the time of their function; some of those that take very long are left out."""
    met: Counter[str] = Counter()
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        function = item.nodeid.partition("[")[0]
        seconds = _SECONDS.get(function, 0)
        for marker, least in MARKERS.items():
            if seconds >= least:
                item.add_marker(marker)
        skips = seconds >= MARKERS["very_long"] and met[function] % EVERY
        (left_out if skips else kept).append(item)
        met[function] += 1
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Sockets that a test's server left go now: Python 3.11 cannot stand their warnings while a plugin is imported."""
    gc.collect()
