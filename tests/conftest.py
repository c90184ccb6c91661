"""How many processes `-n auto` is: many tests wait for a server, a process or a clock, so more than the cores are kept busy."""

from __future__ import annotations

import os


def pytest_xdist_auto_num_workers() -> int | None:
    """Three for each two cores, unless xdist's own variable says how many."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    return (os.cpu_count() or 1) * 3 // 2 or 1
