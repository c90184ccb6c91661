"""Several providers for one service: some states have one of their own, all others come from the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from conformance.engine.desks import Seat
from conformance.engine.states.handle import Handle, StateProvider
from conformance.model.case import StateNeed


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
        (provider, tuple(handle for handle in handles if handle.provider is provider)) for provider in providers.values()
    ]
