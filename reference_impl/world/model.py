"""The world as values: systems, instruments, accounts, users, and the TPP's persons and orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Permission = Literal["Operator", "Trading", "MarketMaker"]
OnCancel = Literal["succeed", "operation-failed", "server-error"]
TppState = Literal["open", "cancelled", "executed"]
OrderState = Literal["Working", "Canceled", "FullyExecuted"]


@dataclass(frozen=True, slots=True)
class Oms:
    """An Order Management System, and which of the two operations it supports."""

    oms_id: int
    name: str
    cancel_supported: bool
    quoting_supported: bool


@dataclass(frozen=True, slots=True)
class Instrument:
    """A traded pair and the systems that trade it."""

    instrument_id: int
    symbol: str
    base: str
    quote: str
    oms_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """An account on one system, and how a cancellation on it ends.

    `on_cancel` is of the two operations that name no order, `on_cancel_order` of the first attempt to cancel an order.
    """

    account_id: int
    oms_id: int
    on_cancel: OnCancel
    on_cancel_order: OnCancel = "succeed"


@dataclass(frozen=True, slots=True)
class User:
    """Someone who signs in; `accounts` starts with the default account."""

    user_id: int
    name: str
    password: str
    api_key: str
    api_secret: str
    permissions: frozenset[Permission]
    accounts: tuple[int, ...]
    default_account: int
    oms_id: int

    def __repr__(self) -> str:
        return f"User({self.user_id}, {self.name!r})"


@dataclass(frozen=True, slots=True)
class TppOrder:
    """One order, under a number or, when it is international, under a UID (lower case, dashes)."""

    order_id: int | None
    uid: str | None
    state: TppState
    pin_required: bool


@dataclass(frozen=True, slots=True)
class TppWorld:
    """The persons who may instruct, the PIN that protected orders ask for, and the orders at the start."""

    persons: tuple[int, ...]
    pin: str
    orders: tuple[TppOrder, ...]


@dataclass(frozen=True, slots=True)
class StandingOrder:
    """An order of the world file; without an id of its own it gets the next one."""

    account_id: int
    instrument_id: int
    side: Literal["Buy", "Sell"]
    quantity: float
    price: float
    client_order_id: int
    state: OrderState
    order_id: int | None


@dataclass(frozen=True, slots=True)
class StandingQuote:
    """A quote of the world file, each leg as (quantity, price); without ids of their own the legs get the next ones."""

    account_id: int
    instrument_id: int
    bid: tuple[float, float]
    ask: tuple[float, float]
    state: OrderState
    ids: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class WorldState:
    """What stands when the world is in this state, and what the server does with the calls that come."""

    orders: tuple[StandingOrder, ...] = ()
    quotes: tuple[StandingQuote, ...] = ()
    tpp_orders: tuple[TppOrder, ...] = ()
    told: tuple[Mapping[str, Any], ...] = ()
    """Each as `POST /_world/next` takes it."""


START = "start"
"""The name of the state that is written at the top of a world file."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything that a world file says."""

    session_lifetime_s: float
    oms: Mapping[int, Oms]
    instruments: Mapping[int, Instrument]
    accounts: Mapping[int, Account]
    users: Mapping[str, User]
    tpp: TppWorld
    states: Mapping[str, WorldState]
    """By name, `START` among them."""
    alphapoint_served: bool = True
    tpp_served: bool = True
