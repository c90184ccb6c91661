"""The calls that look back: orders that are no longer open, trades, and what an account holds.

Clients make them around a cancellation (GetOrdersHistory, GetOrderHistory, GetTradesHistory, GetAccountPositions). Their
members are those that clients read; money is not kept, so every account has the same amount of each product.
"""

from __future__ import annotations

from typing import Any

from reference_impl.alphapoint.accounts import product_ids
from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.members import optional_integer
from reference_impl.alphapoint.orders import order_object
from reference_impl.alphapoint.scope import call_account
from reference_impl.alphapoint.values import Answer, Call, Data
from reference_impl.parts import Handler, Parts

AMOUNT = 1_000_000.0
"""What every account has of each product."""


def get_orders_history(parts: Parts, call: Call) -> Answer:
    """All orders of an account, the newest first; of one id or one instrument where the call names it."""
    return Data([order_object(order) for order in _looked_for(parts, call)])


def get_trades_history(parts: Parts, call: Call) -> Answer:
    """A trade for each order of an account that was executed, the newest first."""
    return Data([_trade(order) for order in _looked_for(parts, call) if order.state == "FullyExecuted"])


def get_account_positions(parts: Parts, call: Call) -> Answer:
    """What an account has of each product, and how much of it open orders hold."""
    account = call_account(parts, call)
    held: dict[str, float] = {}
    for order in parts.alphapoint.book.open_orders(account.oms_id, account.account_id):
        instrument = parts.world.instruments[order.instrument_id]
        buys = order.side == "Buy"
        product = instrument.quote if buys else instrument.base
        held[product] = held.get(product, 0.0) + order.quantity * (order.price if buys else 1)
    return Data(
        [
            {
                "OMSId": account.oms_id,
                "AccountId": account.account_id,
                "ProductSymbol": symbol,
                "ProductId": number,
                "Amount": AMOUNT,
                "Hold": held.get(symbol, 0.0),
                "PendingDeposits": 0,
                "PendingWithdraws": 0,
            }
            for symbol, number in product_ids(parts, account.oms_id).items()
        ]
    )


def _looked_for(parts: Parts, call: Call) -> list[Order]:
    account = call_account(parts, call)
    order_id, instrument_id = optional_integer(call, "OrderId"), optional_integer(call, "InstrumentId")
    return [
        order
        for order in reversed(parts.alphapoint.book.every_order(account.oms_id, account.account_id))
        if order_id in (None, 0, order.order_id) and instrument_id in (None, 0, order.instrument_id)
    ]


def _trade(order: Order) -> dict[str, Any]:
    return {
        "OMSId": order.oms_id,
        "ExecutionId": order.order_id,
        "TradeId": order.order_id,
        "OrderId": order.order_id,
        "ClientOrderId": order.client_order_id,
        "AccountId": order.account_id,
        "InstrumentId": order.instrument_id,
        "Side": order.side,
        "Quantity": order.quantity,
        "RemainingQuantity": 0,
        "Price": order.price,
        "Value": order.quantity * order.price,
        "Fee": 0,
    }


CALLS: dict[str, Handler] = {
    "GetOrdersHistory": get_orders_history,
    "GetOrderHistory": get_orders_history,
    "GetOrderHistoryByOrderId": get_orders_history,
    "GetTradesHistory": get_trades_history,
    "GetAccountPositions": get_account_positions,
}
