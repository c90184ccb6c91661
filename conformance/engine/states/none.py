"""A target on which no state can be brought about: cases that need one are not verified, and say so."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.engine.desks import Seat
from conformance.engine.problems import StateUnavailable
from conformance.engine.states.handle import Handle
from conformance.model.case import StateNeed


class NoStates:
    """The provider of a target file that names none."""

    async def prepare(self, name: str, need: StateNeed, seat: Seat) -> Handle:
        """Always `StateUnavailable`."""
        raise StateUnavailable(f"the target file does not say how the state {need.state!r} is brought about")

    async def observe(self, handles: tuple[Handle, ...], seat: Seat) -> Mapping[str, str]:
        """Nothing to see."""
        return {}

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], seat: Seat) -> tuple[str, ...]:
        """Nothing to take back."""
        return ()

    async def aclose(self) -> None:
        """Nothing to close."""
