"""The values of the scope guard: what may be touched, what the run itself set up, and the decision."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from conformance.model.spec import ThingKind

Kind: TypeAlias = ThingKind

_NO_LIMITS = (None, None, None, None, None)
_NOT_HEX = re.compile(r"[^0-9a-f]")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run may touch. An empty set allows nothing of its kind, None allows everything of it.

    `uids` are GUIDs in lower case with dashes. An account in scope is in scope with all that is in it;
    `instruments` limits the messages that name an instrument. Numbers that clients gave their orders are in
    scope where all `orders` are, and where the run itself gave them. A user is in scope where all `accounts` are:
    nobody says which accounts he has. `unknown` holds ids, of any kind, which somebody vouches do not exist. Unless
    `destructive`, nothing but reading calls may be sent.
    """

    accounts: frozenset[int] | None = frozenset()
    oms: frozenset[int] | None = frozenset()
    instruments: frozenset[int] | None = frozenset()
    orders: frozenset[int] | None = frozenset()
    uids: frozenset[str] | None = frozenset()
    unknown: frozenset[int | str] = frozenset()
    max_requests: int | None = None
    destructive: bool = False

    @classmethod
    def everything(cls, *, max_requests: int | None = None) -> Scope:
        """No limit at all: for sandboxes, and for the reference implementation on loopback."""
        return cls(None, None, None, None, None, max_requests=max_requests, destructive=True)

    @property
    def unlimited(self) -> bool:
        """Whether every message may be sent."""
        limits = (self.accounts, self.oms, self.instruments, self.orders, self.uids)
        return self.destructive and limits == _NO_LIMITS


@dataclass(frozen=True, slots=True)
class Granted:
    """Ids that the harness itself set up in this run: in scope, whatever the scope says.

    `clients` are numbers that the harness, as a client, gave its orders: an order of somebody else may have the
    same number as its id. `harmless_values` are texts that name no order although they look like one (person
    ids, PINs): in a body that cannot be read they are allowed behind the name of a member that holds such values.
    """

    orders: frozenset[int] = frozenset()
    quotes: frozenset[int] = frozenset()
    uids: frozenset[str] = frozenset()
    harmless_values: frozenset[str] = frozenset()
    clients: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a message may be sent; the reason is empty when it may."""

    allowed: bool
    reason: str = ""


ALLOWED = Decision(True)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Scope and grants as one: the ids that may be named, by kind."""

    scope: Scope
    granted: Granted

    def unlimited(self, kind: Kind) -> bool:
        """Whether anything of this kind may be touched."""
        return self._limit(kind) is None

    def own(self, kind: Kind, value: int | str) -> bool:
        """Whether the id exists and is in scope or granted."""
        limit = self._limit(kind)
        return limit is None or value in limit or value in self._grants(kind)

    def permits(self, kind: Kind, value: int | str) -> bool:
        """Whether the id may be named: in scope, granted, or vouched not to exist."""
        return self.own(kind, value) or self.vouched(value)

    def vouched(self, value: int | str) -> bool:
        """Whether somebody vouches that no such id exists."""
        if isinstance(value, int):
            return value in self.scope.unknown
        return value in {one.lower() for one in self.scope.unknown if isinstance(one, str)}

    def _limit(self, kind: Kind) -> frozenset[int] | frozenset[str] | None:
        scope = self.scope
        limits: dict[Kind, frozenset[int] | frozenset[str] | None] = {
            "account": scope.accounts,
            "oms": scope.oms,
            "instrument": scope.instruments,
            "order": scope.orders,
            "client": None if scope.orders is None else frozenset(),
            "uid": scope.uids,
            "user": None if scope.accounts is None else frozenset(),
        }
        return limits[kind]

    def _grants(self, kind: Kind) -> frozenset[int] | frozenset[str]:
        if kind == "order":
            return self.granted.orders | self.granted.quotes
        grants: dict[Kind, frozenset[int] | frozenset[str]] = {"client": self.granted.clients, "uid": self.granted.uids}
        return grants.get(kind, frozenset())


def dashed(digits: str) -> str:
    """32 hexadecimal digits, in any case and with anything between them, as a lower-case GUID with dashes."""
    plain = _NOT_HEX.sub("", digits.lower())
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
