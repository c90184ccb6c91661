"""Servers for the tests of the reference implementation."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from reference_support import Server, running


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The default server; a module's tests share it, each with users of its own."""
    with running() as started:
        yield started
