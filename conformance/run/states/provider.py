"""States of a service by what the target file says of them: none, or several providers side by side.

A target on which no state can be brought about: cases that need one are not verified, and say so.

Several providers for one service: some states have one of their own, all others come from the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from conformance.dialects.base import CANCELLED, CLIENT_ID, EXECUTED, OPEN, Handle, StateProvider
from conformance.endpoint.seats import Seat
from conformance.errors import StateUnavailable
from conformance.model.case import StateNeed


def unset_names(states: Iterable[str]) -> tuple[str, ...]:
    """Every name under which a message may ask for the ids of states that are not brought about."""
    return tuple(f"{name}{part}" for name in states for part in ("", ".bid", ".ask", CLIENT_ID))


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
