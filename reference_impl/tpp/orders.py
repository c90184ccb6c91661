"""The TPP's orders: those of the world, those made for a test, and their cancellation in one step."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace

from reference_impl.world.model import TppOrder, TppState

FIRST_ORDER_ID = 7_300_001


class TppOrders:
    """Every order by id or UID. Only the event loop's thread may touch it, so each method is atomic."""

    def __init__(
        self, orders: tuple[TppOrder, ...], first_order_id: int = FIRST_ORDER_ID, *, asks_by_itself: bool = False
    ) -> None:
        self._asks_by_itself = asks_by_itself
        self._ids = itertools.count(first_order_id)
        self._by_key: dict[int | str, TppOrder] = {}
        self.restore(orders)

    def restore(self, orders: tuple[TppOrder, ...]) -> None:
        """Only these orders are there; ids of fresh ones go on from where they were."""
        self._by_key = {_key(order): order for order in orders}

    def add(self, *, international: bool, state: TppState, pin_required: bool | None) -> TppOrder:
        """A fresh order, under a number or under a UID; None leaves it to the service whether it asks for the PIN."""
        pin_required = self._asks_by_itself if pin_required is None else pin_required
        order_id = None if international else next(self._ids)
        uid = str(uuid.uuid4()) if international else None
        order = TppOrder(order_id, uid, state, pin_required)
        self._by_key[_key(order)] = order
        return order

    def find(self, key: int | str) -> TppOrder | None:
        """The order of that number or UID."""
        return self._by_key.get(key)

    def put(self, order: TppOrder) -> None:
        """Makes an order stand as it is given."""
        self._by_key[_key(order)] = order

    def open_keys(self) -> tuple[int | str, ...]:
        """The number or UID of each open order, the oldest first."""
        return tuple(key for key, order in self._by_key.items() if order.state == "open")

    def snapshot(self) -> TppOrders:
        """The orders as they stand now, apart from what becomes of them."""
        return TppOrders(tuple(self._by_key.values()))

    def asking(self) -> TppOrders:
        """The same, for a service whose fresh orders ask for the PIN unless they must not."""
        return TppOrders(tuple(self._by_key.values()), asks_by_itself=True)

    def cancel(self, key: int | str) -> bool:
        """Cancels an open order; False when there is none under that number or UID."""
        order = self._by_key.get(key)
        if order is None or order.state != "open":
            return False
        self._by_key[key] = replace(order, state="cancelled")
        return True


def _key(order: TppOrder) -> int | str:
    return order.uid if order.uid is not None else order.order_id or 0
