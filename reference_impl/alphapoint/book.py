"""The book of orders and quote legs: placing, finding and cancelling them, each in one step."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

Side = Literal["Buy", "Sell"]
State = Literal["Working", "Canceled", "FullyExecuted"]
FIRST_ORDER_ID = 6_400_001
ChangeReason = Literal["NewInputAccepted", "UserModified", "Trade", "NoChange"]
"""Why an order stands as it does, in the words of the vendor's GetOpenOrders and OrderStateEvent (ChangeReason)."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order, or one leg of a quote; `partner_id` is the id of the other leg."""

    order_id: int
    oms_id: int
    account_id: int
    instrument_id: int
    side: Side
    quantity: float
    price: float
    client_order_id: int = 0
    partner_id: int | None = None
    state: State = "Working"
    executed: float = 0
    """How much of it was executed; all, once it is fully executed."""

    @property
    def left(self) -> float:
        """How much of it is still to be had."""
        return self.quantity - self.executed

    @property
    def is_quote(self) -> bool:
        """Whether this is a leg of a quote."""
        return self.partner_id is not None


Watcher = Callable[[Order, ChangeReason], None]
"""Told of an order as it is after a change, and why it changed."""


class Book:
    """Every order ever placed. Only the event loop's thread may touch it, so each method is atomic."""

    def __init__(self, first_order_id: int = FIRST_ORDER_ID) -> None:
        self._ids = itertools.count(first_order_id)
        self._orders: dict[int, Order] = {}
        self._open: dict[tuple[int, int], dict[int, None]] = {}
        self._attempted: set[int] = set()
        self._watchers: list[Watcher] = []

    def watch(self, watcher: Watcher) -> None:
        """Tell it of each change from now on, one order at a time."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Tell it no more."""
        self._watchers.remove(watcher)

    def place(
        self,
        oms_id: int,
        account_id: int,
        instrument_id: int,
        side: Side,
        quantity: float,
        price: float,
        client_order_id: int = 0,
        order_id: int | None = None,
    ) -> Order:
        """A new working order with the next id, or one that is free."""
        order_id = next(self._ids) if order_id is None else order_id
        order = Order(order_id, oms_id, account_id, instrument_id, side, quantity, price, client_order_id)
        self._keep(order, "NewInputAccepted")
        return order

    def place_quote(
        self,
        oms_id: int,
        account_id: int,
        instrument_id: int,
        bid: tuple[float, float],
        ask: tuple[float, float],
        ids: tuple[int, int] | None = None,
    ) -> tuple[Order, Order]:
        """A new quote from (quantity, price) of each side, with the next ids or free ones: its bid leg and its ask leg."""
        bid_id, ask_id = ids or (next(self._ids), next(self._ids))
        bid_leg = Order(bid_id, oms_id, account_id, instrument_id, "Buy", *bid, partner_id=ask_id)
        ask_leg = Order(ask_id, oms_id, account_id, instrument_id, "Sell", *ask, partner_id=bid_id)
        self._keep(bid_leg, "NewInputAccepted")
        self._keep(ask_leg, "NewInputAccepted")
        return bid_leg, ask_leg

    def find(self, order_id: int) -> Order | None:
        """The order or leg of that id, open or not."""
        return self._orders.get(order_id)

    def open_orders(self, oms_id: int, account_id: int) -> list[Order]:
        """The working orders and legs of one account, oldest first."""
        return [self._orders[order_id] for order_id in self._open.get((oms_id, account_id), {})]

    def every_order(self, oms_id: int, account_id: int) -> list[Order]:
        """The orders and legs of one account, open or not, oldest first."""
        place = (oms_id, account_id)
        return [order for order in self._orders.values() if (order.oms_id, order.account_id) == place]

    def every_open(self) -> list[Order]:
        """The working orders and legs of all accounts."""
        return [self._orders[order_id] for orders in self._open.values() for order_id in orders]

    def cancel(self, order_ids: Iterable[int]) -> tuple[int, ...]:
        """Cancels those that are working; returns their ids."""
        return self._close(order_ids, "Canceled", "UserModified")

    def fill(self, order_ids: Iterable[int]) -> tuple[int, ...]:
        """Executes those that are working, all of each; returns their ids."""
        return self._close(order_ids, "FullyExecuted", "Trade")

    def fill_part(self, order_id: int, quantity: float) -> Order:
        """Executes so much of one that is working and has more than that left; it goes on working. Raises ValueError."""
        order = self._orders.get(order_id)
        if order is None or order.state != "Working" or not 0 < quantity < order.left:
            raise ValueError(f"{order_id} is no working order with more than {quantity} left")
        self._orders[order_id] = replace(order, executed=order.executed + quantity)
        self._tell(self._orders[order_id], "Trade")
        return self._orders[order_id]

    def clear(self) -> None:
        """Forgets every order; ids go on from where they were."""
        self._orders.clear()
        self._open.clear()
        self._attempted.clear()

    def _close(self, order_ids: Iterable[int], state: State, reason: ChangeReason) -> tuple[int, ...]:
        closed = []
        for order_id in order_ids:
            order = self._orders.get(order_id)
            if order is not None and order.state == "Working":
                executed = order.quantity if state == "FullyExecuted" else order.executed
                self._orders[order_id] = replace(order, state=state, executed=executed)
                del self._open[order.oms_id, order.account_id][order_id]
                closed.append(order_id)
                self._tell(self._orders[order_id], reason)
        return tuple(closed)

    def reopen(self, order_id: int) -> None:
        """Makes a cancelled one work again, as an engine does that turns a cancellation down too late."""
        order = self._orders[order_id]
        if order.state == "Canceled":
            self._keep(replace(order, state="Working"), "NoChange")

    def snapshot(self) -> Book:
        """The book as it stands now, apart from what becomes of it."""
        kept = Book()
        kept._orders = dict(self._orders)
        kept._open = {place: dict(orders) for place, orders in self._open.items()}
        return kept

    def first_attempt(self, order_id: int) -> bool:
        """Whether nobody has asked this about the order before."""
        first = order_id not in self._attempted
        self._attempted.add(order_id)
        return first

    def _keep(self, order: Order, reason: ChangeReason) -> None:
        self._orders[order.order_id] = order
        self._open.setdefault((order.oms_id, order.account_id), {})[order.order_id] = None
        self._tell(order, reason)

    def _tell(self, order: Order, reason: ChangeReason) -> None:
        for watcher in tuple(self._watchers):
            watcher(order, reason)
