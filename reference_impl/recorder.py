"""Counting how often a fault or an equivalent really changed something."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


class Recorder:
    """The count of one variant."""

    def __init__(self) -> None:
        self.count = 0

    def hit(self) -> None:
        """The variant has just made a difference."""
        self.count += 1

    def swap(self, before: T, after: T) -> T:
        """`after`, counted when it differs from `before`."""
        if before != after:
            self.hit()
        return after
