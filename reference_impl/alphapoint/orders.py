"""The calls that make and show orders and quotes, with which a caller sets up and observes a state."""

from __future__ import annotations

from typing import Any

from reference_impl.alphapoint.book import Order, Side
from reference_impl.alphapoint.members import (
    optional_integer,
    optional_number,
    optional_text,
    required_integer,
)
from reference_impl.alphapoint.scope import call_account, find_oms, permit, refuse_unsupported
from reference_impl.alphapoint.values import (
    INVALID_REQUEST,
    RESOURCE_NOT_FOUND,
    Answer,
    Call,
    Data,
    Refused,
    Standard,
)
from reference_impl.parts import Handler, Parts
from reference_impl.world.model import Account

SIDES: dict[str, Side] = {"0": "Buy", "1": "Sell", "buy": "Buy", "sell": "Sell"}


def send_order(parts: Parts, call: Call) -> Answer:
    """Places a limit order that rests in the book; {status, errormsg, OrderId}."""
    permit(parts, call)
    account = call_account(parts, call)
    instrument_id = _instrument(parts, account, required_integer(call, "InstrumentId"))
    side = SIDES.get(optional_text(call, "Side").lower() or "0")
    if side is None:
        raise Refused(INVALID_REQUEST, "member", "Side is not 0 or 1")
    quantity, price = optional_number(call, "Quantity", 1), optional_number(call, "LimitPrice", 0)
    if quantity <= 0 or price < 0:
        raise Refused(INVALID_REQUEST, "member", "Quantity must be positive, and LimitPrice not negative")
    order = parts.alphapoint.book.place(
        account.oms_id,
        account.account_id,
        instrument_id,
        side,
        quantity,
        price,
        optional_integer(call, "ClientOrderId") or 0,
    )
    return Data({"status": "Accepted", "errormsg": "", "OrderId": order.order_id})


def create_quote(parts: Parts, call: Call) -> Answer:
    """Places a new quote beside those that are open; {BidQuoteId, BidResult, AskQuoteId, AskResult}."""
    permit(parts, call)
    account = call_account(parts, call)
    refuse_unsupported(find_oms(parts, account.oms_id).quoting_supported)
    instrument_id = _instrument(parts, account, required_integer(call, "InstrumentId"))
    bid, ask = parts.alphapoint.book.place_quote(
        account.oms_id,
        account.account_id,
        instrument_id,
        (optional_number(call, "BidQty", 1), optional_number(call, "Bid", 1)),
        (optional_number(call, "AskQty", 1), optional_number(call, "Ask", 1)),
    )
    result = parts.alphapoint.render_standard(parts, call, Standard())
    return Data({"BidQuoteId": bid.order_id, "BidResult": result, "AskQuoteId": ask.order_id, "AskResult": result})


def get_open_orders(parts: Parts, call: Call) -> Answer:
    """The working orders of an account, legs of quotes among them (`IsQuote`)."""
    account = call_account(parts, call)
    orders = parts.alphapoint.book.open_orders(account.oms_id, account.account_id)
    return Data([order_object(order) for order in orders])


def get_open_quotes(parts: Parts, call: Call) -> Answer:
    """The newest open bid and ask leg of an account, each null when there is none."""
    account = call_account(parts, call)
    instrument_id = optional_integer(call, "InstrumentId")
    newest: dict[Side, Any] = {"Buy": None, "Sell": None}
    for order in parts.alphapoint.book.open_orders(account.oms_id, account.account_id):
        if order.is_quote and instrument_id in (None, 0, order.instrument_id):
            newest[order.side] = order_object(order)
    return Data({"Bid": newest["Buy"], "Ask": newest["Sell"]})


def get_order_status(parts: Parts, call: Call) -> Answer:
    """One order of an account, open or not."""
    account = call_account(parts, call)
    return Data(order_object(_order(parts, call, account)))


def _order(parts: Parts, call: Call, account: Account) -> Order:
    """The order of the account that OrderId names, or else the open one that ClientOrderId does."""
    order_id = optional_integer(call, "OrderId")
    if order_id:
        order = parts.alphapoint.book.find(order_id)
        if order is not None and (order.oms_id, order.account_id) == (account.oms_id, account.account_id):
            return order
        raise Refused(RESOURCE_NOT_FOUND, "order", "Order not found")
    client_id = optional_integer(call, "ClientOrderId") or optional_integer(call, "ClOrderId")
    if not client_id:
        raise Refused(INVALID_REQUEST, "member", "OrderId is Required")
    for order in parts.alphapoint.book.open_orders(account.oms_id, account.account_id):
        if order.client_order_id == client_id:
            return order
    raise Refused(RESOURCE_NOT_FOUND, "order", "Order not found")


def _instrument(parts: Parts, account: Account, instrument_id: int) -> int:
    instrument = parts.world.instruments.get(instrument_id)
    if instrument is None or account.oms_id not in instrument.oms_ids:
        raise Refused(RESOURCE_NOT_FOUND, "instrument", "Instrument not found")
    return instrument_id


def order_object(order: Order) -> dict[str, Any]:
    """An order as the gateway shows it."""
    return {
        "Side": order.side,
        "OrderId": order.order_id,
        "Price": order.price,
        "Quantity": order.quantity if order.state == "FullyExecuted" else order.left,
        "Instrument": order.instrument_id,
        "Account": order.account_id,
        "OrderType": "Limit",
        "ClientOrderId": order.client_order_id,
        "OrderState": order.state,
        "OrigQuantity": order.quantity,
        "QuantityExecuted": order.executed,
        "AvgPrice": order.price if order.executed else 0,
        "IsQuote": order.is_quote,
        "OMSId": order.oms_id,
    }


CALLS: dict[str, Handler] = {
    "SendOrder": send_order,
    "CreateQuote": create_quote,
    "GetOpenOrders": get_open_orders,
    "GetOpenQuotes": get_open_quotes,
    "GetOrderStatus": get_order_status,
}
