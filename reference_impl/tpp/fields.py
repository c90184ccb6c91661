"""Putting an instruction together from members that may each be wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from reference_impl.tpp.values import Instruction

INT32 = 2**31
T = TypeVar("T")


class Members:
    """Collects the members of one instruction; the first that cannot be read becomes its problem."""

    def __init__(self) -> None:
        self.problem: str | None = None

    def read(self, name: str, convert: Callable[[], T | None]) -> T | None:
        """The converted value; None, and a problem on record, when `convert` raises `ValueError`."""
        try:
            return convert()
        except ValueError:
            self.problem = self.problem or f"{name} is not valid."
            return None


def within(value: int, bound: int) -> int:
    """The value when a signed integer of that bound holds it; `ValueError` when not."""
    if not -bound <= value < bound:
        raise ValueError(value)
    return value


def build(
    members: Members,
    order_id: int | None,
    creator_id: int | None,
    pin: str | None,
    is_international: bool | None,
    uid: str | None,
) -> Instruction:
    """The instruction; an absent IsInternationalOrder is false."""
    return Instruction(order_id, creator_id, pin, bool(is_international), uid, members.problem)
