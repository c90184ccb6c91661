"""What a legal client does with each operation: it opens, lists, cancels, and asks for what is not there.

Every request is one that the documents allow; what it names may be unknown, foreign or gone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from .passive_support import Client, Socket

SETTLE_S = 0.5
UNKNOWN, UNKNOWN_OMS, UNKNOWN_ACCOUNT = 1987654321, 987654, 987654321
_OMS = {"OMSId": 1}
_ORDER = {"InstrumentId": 1, "Side": 0, "Quantity": 1, "OrderType": 2, "LimitPrice": 1, "TimeInForce": 1}
_QUOTE = {"InstrumentId": 1, "Bid": 1, "BidQty": 1, "Ask": 1000000, "AskQty": 1}
Call = Callable[[str, Any], Any]


def over_http(client: Client, user: str | None) -> Call:
    """Calls in a session over HTTP; without one for no user."""
    session = client.token(user) if user else {}
    return lambda name, payload: client.http(f"/AP/{name}", payload, session)[1]


def over_ws(socket: Socket, user: str | None) -> Call:
    """The same over a socket."""
    if user:
        socket.call("AuthenticateUser", {"UserName": user, "Password": f"{user}-password"})
    return socket.call


def everywhere(client: Client, script: Callable[[Callable[[str | None], Call]], None]) -> None:
    """One script over HTTP, then over WebSocket."""
    script(lambda user: over_http(client, user))
    sockets: list[Socket] = []

    def open_one(user: str | None) -> Call:
        sockets.append(Socket(client))
        return over_ws(sockets[-1], user)

    script(open_one)
    for one in sockets:
        one.close()


def cancel_all_orders(client: Client) -> None:
    def script(sign_in: Callable[[str | None], Call]) -> None:
        trader, operator = sign_in("trader01"), sign_in("operator")
        bystander = sign_in("bystander01")
        for call, account in ((trader, 101), (trader, 301), (bystander, 501), (trader, 101)):
            call("SendOrder", {**_OMS, "AccountId": account, **_ORDER})
        cancel = {**_OMS, "AccountId": 101}
        for call, account in ((trader, 301), (bystander, 501), (trader, 101)):
            call("GetOpenOrders", {**_OMS, "AccountId": account})
        trader("CancelAllOrders", {**_OMS, "AccountId": 501})
        bystander("GetOpenOrders", {**_OMS, "AccountId": 501})
        trader("CancelAllOrders", cancel)
        time.sleep(SETTLE_S + 0.1)
        for call, account in ((trader, 301), (bystander, 501), (trader, 101)):
            call("GetOpenOrders", {**_OMS, "AccountId": account})
        trader("CancelAllOrders", cancel)
        trader("CancelAllOrders", _OMS)
        trader("CancelAllOrders", {**_OMS, "AccountId": 0})
        trader("CancelAllOrders", {"OMSId": UNKNOWN_OMS, "AccountId": 101})
        trader("CancelAllOrders", {**_OMS, "AccountId": UNKNOWN_ACCOUNT})
        for account in (901, 902):
            operator("CancelAllOrders", {**_OMS, "AccountId": account})
        operator("CancelAllOrders", {"OMSId": 3, "AccountId": 703})
        sign_in("maker01")("CancelAllOrders", {**_OMS, "AccountId": 201})
        sign_in("nobody")("CancelAllOrders", {**_OMS, "AccountId": 601})
        sign_in(None)("CancelAllOrders", cancel)

    everywhere(client, script)


def cancel_order(client: Client) -> None:
    def script(sign_in: Callable[[str | None], Call]) -> None:
        trader, bystander, operator = sign_in("trader02"), sign_in("bystander02"), sign_in("operator")
        place = {**_OMS, "AccountId": 102}
        placed = [(trader("SendOrder", {**place, **_ORDER}) or {}).get("OrderId", UNKNOWN) for _ in range(4)]
        foreign = (bystander("SendOrder", {**_OMS, "AccountId": 502, **_ORDER}) or {}).get("OrderId", UNKNOWN)
        number = 770000 + int(time.time() * 1000) % 100000
        trader("SendOrder", {**place, **_ORDER, "ClientOrderId": number})
        trader("GetOpenOrders", place)
        bystander("GetOpenOrders", {**_OMS, "AccountId": 502})
        trader("CancelOrder", {**place, "OrderId": UNKNOWN})
        trader("CancelOrder", {**place, "OrderId": foreign})
        trader("CancelOrder", {**_OMS, "AccountId": 302, "OrderId": placed[1]})
        trader("GetOpenOrders", place)
        bystander("GetOpenOrders", {**_OMS, "AccountId": 502})
        trader("CancelOrder", {**place, "OrderId": placed[0]})
        time.sleep(SETTLE_S + 0.1)
        trader("GetOpenOrders", place)
        bystander("GetOpenOrders", {**_OMS, "AccountId": 502})
        trader("CancelOrder", {**place, "OrderId": placed[0]})
        trader("CancelOrder", {**_OMS, "OrderId": placed[1]})
        trader("CancelOrder", {**place, "ClientOrderId": number})
        trader("CancelOrder", {"OMSId": UNKNOWN_OMS, "AccountId": 102, "OrderId": placed[2]})
        trader("CancelOrder", {"OMSId": 2, "AccountId": 102, "OrderId": placed[2]})
        operator("CancelOrder", {**place, "OrderId": placed[2]})
        for account in (904, 905):
            operator("CancelOrder", {**_OMS, "AccountId": account, "OrderId": UNKNOWN})
        operator("CancelOrder", {"OMSId": 3, "AccountId": 703, "OrderId": UNKNOWN})
        sign_in("maker02")("CancelOrder", {**_OMS, "AccountId": 202, "OrderId": placed[3]})
        sign_in("nobody")("CancelOrder", {**_OMS, "AccountId": 601, "OrderId": placed[3]})
        sign_in(None)("CancelOrder", {**place, "OrderId": placed[3]})
        time.sleep(SETTLE_S + 0.1)
        trader("GetOpenOrders", place)

    everywhere(client, script)


def cancel_quote(client: Client) -> None:
    def script(sign_in: Callable[[str | None], Call]) -> None:
        maker, operator = sign_in("maker03"), sign_in("operator")
        place = {**_OMS, "AccountId": 203}

        def quote() -> dict[str, Any]:
            made = maker("CreateQuote", {**place, **_QUOTE}) or {}
            return {"bidQuoteId": made.get("BidQuoteId", UNKNOWN), "askQuoteId": made.get("AskQuoteId", UNKNOWN)}

        at = {"omsId": 1, "accountId": 203, "instrumentId": 1}
        first, second = quote(), quote()
        maker("GetOpenQuotes", {**place, "InstrumentId": 1})
        maker("CancelQuote", {**at, **second, "askQuoteId": UNKNOWN})
        maker("CancelQuote", {**at, **second, "bidQuoteId": UNKNOWN})
        maker("CancelQuote", {**at, "bidQuoteId": UNKNOWN, "askQuoteId": UNKNOWN})
        maker("CancelQuote", {**at, "accountId": 503, **second})
        maker("GetOpenQuotes", {**place, "InstrumentId": 1})
        maker("CancelQuote", {**at, **first})
        third = quote()
        maker("CancelQuote", {**at, **third})
        time.sleep(SETTLE_S + 0.1)
        maker("GetOpenQuotes", {**place, "InstrumentId": 1})
        maker("GetOpenOrders", place)
        maker("CancelQuote", {**at, **first})
        maker("CancelQuote", {"omsId": 1, **quote()})
        maker("CancelQuote", {**at, "omsId": UNKNOWN_OMS, **quote()})
        for account in (901, 902):
            operator("CancelQuote", {**at, "accountId": account, **third})
        operator("CancelQuote", {**at, "omsId": 3, "accountId": 703, **third})
        sign_in("trader03")("CancelQuote", {**at, "accountId": 103, **third})
        sign_in("nobody")("CancelQuote", {**at, "accountId": 601, **third})
        sign_in(None)("CancelQuote", {**at, **third})

    everywhere(client, script)


MEDIA = ("application/json", "text/json", "application/xml", "text/xml")
_HEAD = (
    '<ArrayOfCancellationCreation xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns="http://schemas.datacontract.org/2004/07/">'
)


def in_xml(items: list[dict[str, Any]]) -> bytes:
    """A list of instructions as the XML sample writes it."""
    text = _HEAD
    for item in items:
        parts = []
        for name in sorted(item):
            value = item[name]
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            parts.append(f'<{name} i:nil="true" />' if value is None else f"<{name}>{shown}</{name}>")
        text += f"<CancellationCreation>{''.join(parts)}</CancellationCreation>"
    return (text + "</ArrayOfCancellationCreation>").encode()


def create_cancellations(client: Client) -> None:
    """Orders come from the control address, which no recorder of a client's traffic would see."""

    def made(state: str, count: int = 1) -> list[dict[str, Any]]:
        _, answer = client.http("/_world/tpp/state", {"state": state, "count": count})
        client.entries.pop()
        return list(answer["orders"])

    def cancel(items: list[dict[str, Any]], media: str, accept: str = "") -> None:
        data = in_xml(items) if media.endswith("xml") else json.dumps(items).encode()
        headers = {"Content-Type": media, "Accept": accept or media}
        client.http("/api/orders/cancellations", data, headers)

    for media in MEDIA:
        home, abroad, pin = made("open-order", 3), made("open-international-order", 2), made("pin-order", 2)
        gone, done = made("cancelled-order"), made("executed-order")
        one = [domestic(home[0])]
        cancel(one, media)
        cancel(one, media)
        cancel([domestic(home[1]), foreign(abroad[0]), domestic(gone[0])], media)
        cancel([domestic(done[0])], media)
        cancel([{**domestic(home[2]), "OrderID": UNKNOWN}], media)
        cancel([domestic(pin[0])], media)
        cancel([{**domestic(pin[1]), "PIN": "9876"}], media)
        cancel([foreign(abroad[1])], media, MEDIA[(MEDIA.index(media) + 2) % 4])
        cancel([domestic(home[2]), domestic(home[2])], media)
        cancel([], media)


_LIST = "ArrayOfCancellationCreation"


def create_cancellation(client: Client) -> None:
    """One order a call; the orders come from the control address."""

    def made(state: str) -> dict[str, Any]:
        _, answer = client.http("/_world/tpp/state", {"state": state, "count": 1})
        client.entries.pop()
        return dict(answer["orders"][0])

    def cancel(item: dict[str, Any], media: str, accept: str = "") -> None:
        data = _alone(in_xml([item])) if media.endswith("xml") else json.dumps(item).encode()
        client.http("/api/orders/cancellation", data, {"Content-Type": media, "Accept": accept or media})

    for media in MEDIA:
        home, abroad, pin = made("open-order"), made("open-international-order"), made("pin-order")
        for item in (
            domestic(home),
            domestic(home),
            foreign(abroad),
            domestic(made("cancelled-order")),
            domestic(made("executed-order")),
            {**domestic(home), "OrderID": UNKNOWN},
            {**domestic(pin), "PIN": "9876"},
            domestic(pin),
        ):
            cancel(item, media)
        cancel(foreign(made("open-international-order")), media, MEDIA[(MEDIA.index(media) + 2) % 4])


def _alone(listed: bytes) -> bytes:
    """The one instruction of an XML list, as the root."""
    inner = listed.decode().removeprefix(_HEAD).removesuffix(f"</{_LIST}>")
    return inner.replace("<CancellationCreation>", _HEAD.replace(_LIST, "CancellationCreation"), 1).encode()


def domestic(order: dict[str, Any]) -> dict[str, Any]:
    """An instruction for an order that is not international."""
    return {
        "OrderID": order["OrderID"], "CreatorID": order["CreatorID"], "PIN": order["PIN"],
        "IsInternationalOrder": False, "InternationalOrderUID": None,
    }  # fmt: skip


def foreign(order: dict[str, Any]) -> dict[str, Any]:
    """An instruction for an international one."""
    return {
        "OrderID": None, "CreatorID": order["CreatorID"], "PIN": order["PIN"],
        "IsInternationalOrder": True, "InternationalOrderUID": order["InternationalOrderUID"],
    }  # fmt: skip


SCRIPTS: dict[str, Callable[[Client], None]] = {
    "alphapoint.cancel_all_orders": cancel_all_orders,
    "alphapoint.cancel_order": cancel_order,
    "alphapoint.cancel_quote": cancel_quote,
    "tpp.create_cancellation": create_cancellation,
    "tpp.create_cancellations": create_cancellations,
}
