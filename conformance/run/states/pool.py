"""States out of a pool of ids that the target file lists: each is used once, for good."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.cases.message import fill
from conformance.dialects.base import Handle
from conformance.endpoint.model import Binding, is_pin
from conformance.endpoint.seats import Seat
from conformance.errors import HarnessError, StateUnavailable
from conformance.model.case import StateNeed
from conformance.run.states.asked import AskedStates, handle_of

_ACCOUNT = "account"


def _forget(_key: str) -> None:
    """What becomes of a used id when nobody keeps account of it."""


@dataclass(slots=True)
class Ledger:
    """Which ids of the pools are used up, in this run and in the one that it goes on with."""

    taken: set[str] = field(default_factory=set)
    on_taken: Callable[[str], None] = _forget

    def take(self, key: str) -> bool:
        """Whether the ids of this key were still to be had; now they are not."""
        if key in self.taken:
            return False
        self.taken.add(key)
        self.on_taken(key)
        return True


@dataclass(frozen=True, slots=True)
class PoolStates:
    """The provider. An `account` beside the ids keeps them for states of that account.

    What became of an id is seen by `observer`, if there is one; without it, effects stay unverified.
    """

    pool: Mapping[str, tuple[Mapping[str, Binding], ...]]
    ledger: Ledger
    observer: AskedStates | None = None

    async def prepare(self, name: str, need: StateNeed, seat: Seat) -> Handle:
        """The next unused ids. Raises `StateUnavailable` when the pool is used up."""
        count = int(need.params.get("count", 1))
        account = _account(need, seat)
        fitting = [
            ids for ids in self.pool.get(need.state, ()) if account is None or ids.get(_ACCOUNT, account) == account
        ]
        unused = [ids for ids in fitting if pool_key(need.state, ids) not in self.ledger.taken]
        if len(unused) < count:
            left = f", {len(unused)} left and {count} wanted" if unused else ""
            raise StateUnavailable(f"pool of {need.state} is used up{left}")
        orders = []
        for ids in unused[:count]:
            self.ledger.take(pool_key(need.state, ids))
            orders.append({key: value for key, value in ids.items() if key != _ACCOUNT})
        return handle_of(name, need.state, orders, self)

    async def observe(self, handles: tuple[Handle, ...], seat: Seat) -> Mapping[str, str]:
        """What the observer sees; nothing without one."""
        return {} if self.observer is None else await self.observer.observe(handles, seat)

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], seat: Seat) -> tuple[str, ...]:
        """The ids were there before the run, and are left as they are."""
        return ()

    async def aclose(self) -> None:
        """Close what the observer opened."""
        if self.observer is not None:
            await self.observer.aclose()


def pool_key(state: str, ids: Mapping[str, Any]) -> str:
    """What stands for ids in the journal: the state and a digest, for a PIN may be among them."""
    plain = {key: value for key, value in ids.items() if not is_pin(key)}
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
    return f"{state}:{digest[:24]}"


def _account(need: StateNeed, seat: Seat) -> int | str | None:
    """The account that the state has to be in; None when it does not say, or the target binds none."""
    place = need.params.get(_ACCOUNT)
    if place is None:
        return None
    try:
        text = fill(str(place), seat.bindings)
    except HarnessError:
        return None
    return int(text) if text.isdecimal() else text
