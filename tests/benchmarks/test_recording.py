"""The cost of recording: each step counts for itself, also one within another."""

from __future__ import annotations

import time

import pytest

from benchmarks.recording import Spent


def _busy(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_a_step_within_another_counts_for_itself_alone() -> None:
    spent = Spent()
    inner = spent.on("inner", _busy)

    def outer() -> str:
        _busy(0.02)
        inner(0.06)
        inner(0.02)
        return "done"

    assert spent.on("outer", outer)() == "done"
    inner(0.04)
    assert spent.seconds == pytest.approx({"inner": 0.12, "outer": 0.02}, abs=0.015)


def test_a_step_that_raises_is_counted() -> None:
    spent = Spent()

    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        spent.on("one", fails)()
    assert list(spent.seconds) == ["one"]
