"""A state that was brought about: the ids it binds, and the names under which it is watched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from conformance.engine.desks import Seat
from conformance.model.case import StateNeed
from conformance.target.model import Binding

OPEN, CANCELLED, EXECUTED, MIXED, UNKNOWN = "open", "cancelled", "executed", "mixed", "unknown"
CLIENT_ID = ".client"
"""What follows the name of an order that was placed under a number of the client's own."""


@dataclass(frozen=True, slots=True)
class Handle:
    """`bindings` are filled into the message; `before` is how each watched name stands before it is sent."""

    name: str
    bindings: Mapping[str, Binding]
    before: Mapping[str, str]
    memory: Any = None
    """What the provider needs to observe and to clean up."""
    provider: StateProvider | None = None
    """Who made it, where several providers share the states of a service."""


class StateProvider(Protocol):
    """One way to bring about and observe the states of a service."""

    async def prepare(self, name: str, need: StateNeed, seat: Seat) -> Handle:
        """Bring a state about. Raises `StateUnavailable` with the reason, or `Unreached`."""
        ...

    async def observe(self, handles: tuple[Handle, ...], seat: Seat) -> Mapping[str, str]:
        """How each watched name stands now; names that cannot be observed are left out."""
        ...

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], seat: Seat) -> tuple[str, ...]:
        """Take back what is still open; what could not be taken back is named in the answer."""
        ...

    async def aclose(self) -> None:
        """Close what the provider has opened for itself."""
        ...


def unset_names(states: Iterable[str]) -> tuple[str, ...]:
    """Every name under which a message may ask for the ids of states that are not brought about."""
    return tuple(f"{name}{part}" for name in states for part in ("", ".bid", ".ask", CLIENT_ID))


def together(states: list[str]) -> str:
    """One word for a group: all alike, or mixed."""
    return states[0] if len(set(states)) == 1 else MIXED


def initial(state: str) -> str:
    """How a thing in a state of this name stands before anything is sent."""
    return CANCELLED if state.startswith("cancelled") else EXECUTED if state.startswith("executed") else OPEN
