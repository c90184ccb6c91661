"""Values that a run makes by the thousand: frozen dataclasses to the type checker, quick to make for the interpreter.

A frozen dataclass sets each of its fields by way of `object.__setattr__`, which took a tenth of the time of a run. That
nobody changes one is checked by mypy, in the harness and in its tests; `dataclasses.replace` and hashes are as usual.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass as value_class
else:
    from dataclasses import dataclass

    T = TypeVar("T")

    def value_class(*, frozen: bool, slots: bool) -> Callable[[type[T]], type[T]]:
        """`dataclass(frozen=True, slots=True)`, which compares, hashes and prints the same, and does not refuse a change."""
        assert frozen
        return dataclass(slots=slots, unsafe_hash=True)


__all__ = ["value_class"]
