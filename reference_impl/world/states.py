"""What stands at the start, and in the states that a world file names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, cast

from reference_impl.errors import WorldError
from reference_impl.world.fields import Table
from reference_impl.world.model import (
    START,
    Account,
    Instrument,
    OrderState,
    StandingOrder,
    StandingQuote,
    TppOrder,
    TppState,
    WorldState,
)

SIDES = ("Buy", "Sell")
ORDER_STATES = ("Working", "Canceled", "FullyExecuted")
TPP_STATES = ("open", "cancelled", "executed")
LAST_OWN_ID = 6_400_000
"""Above it are the ids that the server gives."""
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def read_states(
    root: Table, accounts: Mapping[int, Account], instruments: Mapping[int, Instrument], tpp: tuple[TppOrder, ...]
) -> Mapping[str, WorldState]:
    """The states by name, `start` among them: what stands at the top of the file. Raises `WorldError`."""
    states = {START: WorldState(*_alphapoint(root, accounts, instruments), tpp)}
    for name, table in root.table("states").tables():
        if name == START or not _NAME.fullmatch(name):
            raise root.table("states").wrong(name, f"a name of small letters, digits and dashes, not {START}", name)
        table.only(("orders", "quotes", "tpp_orders", "next"))
        orders = tuple(read_tpp_order(entry) for entry in table.list_of_tables("tpp_orders"))
        told = tuple(entry.values for entry in table.list_of_tables("next"))
        states[name] = WorldState(*_alphapoint(table, accounts, instruments), orders, told)
    return states


def _alphapoint(
    table: Table, accounts: Mapping[int, Account], instruments: Mapping[int, Instrument]
) -> tuple[tuple[StandingOrder, ...], tuple[StandingQuote, ...]]:
    places = (accounts, instruments)
    orders = tuple(_order(entry, *places) for entry in table.list_of_tables("orders"))
    quotes = tuple(_quote(entry, *places) for entry in table.list_of_tables("quotes"))
    ids = [one.order_id for one in orders if one.order_id] + [number for one in quotes for number in one.ids or ()]
    for number in ids:
        if ids.count(number) > 1:
            raise WorldError(
                f"{table.path or 'the file'}: two orders or legs have the id {number}",
                where=table.file, hint="Give each an id of its own, or none.",
            )  # fmt: skip
    return orders, quotes


def _place(
    table: Table, accounts: Mapping[int, Account], instruments: Mapping[int, Instrument]
) -> tuple[int, int, OrderState]:
    """Account, instrument and state of an order or quote."""
    account_id, instrument_id = table.integer("account"), table.integer("instrument")
    account, instrument = accounts.get(account_id), instruments.get(instrument_id)
    if account is None:
        raise table.wrong("account", "an account that the section accounts declares", account_id)
    if instrument is None or account.oms_id not in instrument.oms_ids:
        raise table.wrong("instrument", f"an instrument of OMS {account.oms_id}", instrument_id)
    return account_id, instrument_id, cast(OrderState, table.choice("state", ORDER_STATES, "Working"))


def _order(table: Table, accounts: Mapping[int, Account], instruments: Mapping[int, Instrument]) -> StandingOrder:
    table.only(("account", "instrument", "side", "quantity", "price", "client_order_id", "state", "order_id"))
    account_id, instrument_id, state = _place(table, accounts, instruments)
    return StandingOrder(
        account_id,
        instrument_id,
        cast(Literal["Buy", "Sell"], table.choice("side", SIDES, "Buy")),
        table.number("quantity", 1),
        table.number("price", 1, zero=True),
        table.integer("client_order_id", 0),
        state,
        _own_id(table, "order_id") if "order_id" in table.values else None,
    )


def _quote(table: Table, accounts: Mapping[int, Account], instruments: Mapping[int, Instrument]) -> StandingQuote:
    own = ("bid_quote_id", "ask_quote_id")
    table.only(("account", "instrument", "bid", "bid_quantity", "ask", "ask_quantity", "state", *own))
    account_id, instrument_id, state = _place(table, accounts, instruments)
    given = [key for key in own if key in table.values]
    if len(given) == 1:
        raise table.wrong(given[0], "both bid_quote_id and ask_quote_id, or none", table.values[given[0]])
    return StandingQuote(
        account_id,
        instrument_id,
        (table.number("bid_quantity", 1), table.number("bid", 1)),
        (table.number("ask_quantity", 1), table.number("ask", 2)),
        state,
        (_own_id(table, own[0]), _own_id(table, own[1])) if given else None,
    )


def _own_id(table: Table, key: str) -> int:
    value = table.integer(key)
    if not 0 < value <= LAST_OWN_ID:
        raise table.wrong(key, f"an id between 1 and {LAST_OWN_ID}", value)
    return value


def read_tpp_order(table: Table) -> TppOrder:
    """An order of the TPP. Raises `WorldError`."""
    table.only(("order_id", "uid", "state", "pin_required"))
    if ("order_id" in table.values) == ("uid" in table.values):
        raise table.wrong("order_id", "either order_id or uid", sorted(table.values))
    uid: str | None = None
    if "uid" in table.values:
        uid = table.string("uid").lower()
        if not _GUID.fullmatch(uid):
            raise table.wrong("uid", "a GUID", table.values["uid"])
    return TppOrder(
        order_id=None if uid else table.integer("order_id"),
        uid=uid,
        state=cast(TppState, table.choice("state", TPP_STATES, "open")),
        pin_required=table.boolean("pin_required", False),
    )
