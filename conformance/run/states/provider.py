"""A state that was brought about: the ids it binds, and the names under which it is watched.

A target on which no state can be brought about: cases that need one are not verified, and say so.

Several providers for one service: some states have one of their own, all others come from the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from conformance.endpoint.model import Binding
from conformance.errors import StateUnavailable
from conformance.model.case import StateNeed
from conformance.run.seats import Seat

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


@dataclass(frozen=True, slots=True)
class SharedStates:
    """The provider that passes each state on to the one who makes it."""

    default: StateProvider
    by_state: Mapping[str, StateProvider]

    async def prepare(self, name: str, need: StateNeed, seat: Seat) -> Handle:
        """As the state's own provider does it."""
        provider = self.by_state.get(need.state, self.default)
        return replace(await provider.prepare(name, need, seat), provider=provider)

    async def observe(self, handles: tuple[Handle, ...], seat: Seat) -> Mapping[str, str]:
        """What all providers see together."""
        seen: dict[str, str] = {}
        for provider, own in _by_provider(handles):
            seen.update(await provider.observe(own, seat))
        return seen

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], seat: Seat) -> tuple[str, ...]:
        """Each provider takes back its own."""
        left: list[str] = []
        for provider, own in _by_provider(handles):
            left.extend(await provider.clean(own, after, seat))
        return tuple(left)

    async def aclose(self) -> None:
        """Close every provider once."""
        for provider in {id(one): one for one in (self.default, *self.by_state.values())}.values():
            await provider.aclose()


def _by_provider(handles: tuple[Handle, ...]) -> list[tuple[StateProvider, tuple[Handle, ...]]]:
    providers = {id(handle.provider): handle.provider for handle in handles if handle.provider is not None}
    return [
        (provider, tuple(handle for handle in handles if handle.provider is provider))
        for provider in providers.values()
    ]
