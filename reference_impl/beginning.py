"""Putting the world into one of its states: its orders and quotes, and what the server is told of the calls that come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reference_impl.errors import OptionError, WorldError
from reference_impl.parts import Parts
from reference_impl.told import Told
from reference_impl.world.model import START, World, WorldState


def state_of(world: World, name: str) -> WorldState:
    """The state of that name. Raises `OptionError`."""
    if name not in world.states:
        raise OptionError(
            f"there is no state {name!r} in the world", where="--state", hint=f"There are {', '.join(world.states)}."
        )
    return world.states[name]


def check_states(parts: Parts) -> None:
    """Raises `WorldError` for what a state tells the server and it does not understand."""
    for name, state in parts.world.states.items():
        told = Told(parts)
        for number, body in enumerate(state.told):
            try:
                told.tell(body)
            except (ValueError, TypeError) as error:
                raise WorldError(
                    f"states.{name}.next[{number}]: {error}", where="--world",
                    hint="An entry of next is what `POST /_world/next` takes.",
                ) from error  # fmt: skip


def begin(parts: Parts, told: Told | None, name: str = START) -> Mapping[str, Any]:
    """Clear everything away and set the state up; the ids of what stands then, in the order of the file."""
    state, book = parts.world.states[name], parts.alphapoint.book
    book.clear()
    parts.alphapoint.sessions.close_all()
    parts.tpp.orders.restore(state.tpp_orders)
    orders, quotes = [], []
    for one in state.orders:
        oms_id = parts.world.accounts[one.account_id].oms_id
        placed = book.place(
            oms_id,
            one.account_id,
            one.instrument_id,
            one.side,
            one.quantity,
            one.price,
            one.client_order_id,
            one.order_id,
        )
        orders.append(placed.order_id)
        _close(parts, one.state, placed.order_id)
    for quote in state.quotes:
        oms_id = parts.world.accounts[quote.account_id].oms_id
        legs = book.place_quote(oms_id, quote.account_id, quote.instrument_id, quote.bid, quote.ask, quote.ids)
        quotes.append([leg.order_id for leg in legs])
        _close(parts, quote.state, *quotes[-1])
    if told is not None:
        for body in state.told:
            told.tell(body)
    return {"state": name, "orders": orders, "quotes": quotes}


def _close(parts: Parts, state: str, *orders: int) -> None:
    if state == "Canceled":
        parts.alphapoint.book.cancel(orders)
    elif state == "FullyExecuted":
        parts.alphapoint.book.fill(orders)
