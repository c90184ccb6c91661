"""The calls about who and what there is: sign-in and out, accounts, products, instruments, ping."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from reference_impl.alphapoint.members import optional_integer, optional_text, required_integer
from reference_impl.alphapoint.scope import find_oms
from reference_impl.alphapoint.values import (
    NOT_AUTHORIZED,
    RESOURCE_NOT_FOUND,
    Answer,
    Call,
    Data,
    Refused,
    Standard,
)
from reference_impl.parts import Handler, Parts
from reference_impl.world.model import User


def login(parts: Parts, credentials: Mapping[str, str]) -> User | None:
    """The user of HTTP Basic, of a name and password, or of the four signature headers; else None.

    The signature is the hex HMAC-SHA256 of Nonce + UserId + APIKey under the user's secret.
    """
    name, password = credentials.get("username", ""), credentials.get("password", "")
    scheme, _, encoded = credentials.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
    if name:
        user = parts.world.users.get(name)
        return user if user and _equal(user.password, password) else None
    key = credentials.get("apikey", "")
    for user in parts.world.users.values():
        if user.api_key == key and str(user.user_id) == credentials.get("userid", "").strip():
            signed = credentials.get("nonce", "") + str(user.user_id) + key
            expected = hmac.new(user.api_secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
            return user if _equal(expected, credentials.get("signature", "").lower()) else None
    return None


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def authenticate(parts: Parts, call: Call) -> Answer:
    """Opens a session for the caller, whom the gateway found by headers or members."""
    user = call.caller or _by_members(parts, call)
    if user is None:
        return Data({"Authenticated": False, "errormsg": "Invalid username or password"})
    token = parts.alphapoint.sessions.open(user)
    return Data(
        {
            "Authenticated": True,
            "SessionToken": token,
            "User": {
                "UserId": user.user_id,
                "UserName": user.name,
                "Email": f"{user.name}@example.test",
                "EmailVerified": True,
                "AccountId": user.default_account,
                "OMSId": user.oms_id,
                "Use2FA": False,
            },
            "Locked": False,
            "Requires2FA": False,
            "EnforceEnable2FA": False,
            "TwoFAType": None,
            "TwoFAToken": None,
            "errormsg": None,
        }
    )


def _by_members(parts: Parts, call: Call) -> User | None:
    token = optional_text(call, "SessionToken")
    if token:
        return parts.alphapoint.sessions.find(token)
    names = ("UserName", "Password", "APIKey", "Signature", "UserId", "Nonce")
    credentials = {name.lower(): optional_text(call, name) for name in names}
    return parts.alphapoint.login(parts, credentials)


def log_out(parts: Parts, call: Call) -> Answer:
    """Ends the session that the call came with."""
    if call.session_token:
        parts.alphapoint.sessions.close(call.session_token)
    return Standard()


def get_user_accounts(parts: Parts, call: Call) -> Answer:
    """The ids of a user's accounts on one system; only an operator may ask for another user's."""
    oms = find_oms(parts, required_integer(call, "OMSId"))
    user_id = optional_integer(call, "UserId") or call.user.user_id
    found = next((user for user in parts.world.users.values() if user.user_id == user_id), None)
    if user_id != call.user.user_id and "Operator" not in call.user.permissions:
        raise Refused(NOT_AUTHORIZED, "permission", "Only an operator may see another user's accounts")
    if found is None:
        raise Refused(RESOURCE_NOT_FOUND, "account", "User not found")
    return Data([number for number in found.accounts if parts.world.accounts[number].oms_id == oms.oms_id])


def get_products(parts: Parts, call: Call) -> Answer:
    """The assets that the system's instruments are made of."""
    oms = find_oms(parts, required_integer(call, "OMSId"))
    return Data(
        [
            {
                "OMSId": oms.oms_id,
                "ProductId": number,
                "Product": symbol,
                "ProductFullName": symbol,
                "ProductType": "CryptoCurrency",
                "DecimalPlaces": 8,
                "TickSize": 0.00000001,
                "DepositEnabled": True,
                "WithdrawEnabled": True,
                "NoFees": False,
                "IsDisabled": False,
                "MarginEnabled": False,
            }
            for symbol, number in product_ids(parts, oms.oms_id).items()
        ]
    )


def product_ids(parts: Parts, oms_id: int) -> dict[str, int]:
    """The assets that the instruments of a system are made of, each with its id."""
    symbols = {
        symbol: None
        for instrument in parts.world.instruments.values()
        if oms_id in instrument.oms_ids
        for symbol in (instrument.base, instrument.quote)
    }
    return {symbol: number for number, symbol in enumerate(symbols, start=1)}


def get_instruments(parts: Parts, call: Call) -> Answer:
    """The pairs that the system trades."""
    oms = find_oms(parts, required_integer(call, "OMSId"))
    products = product_ids(parts, oms.oms_id)
    instruments: list[dict[str, Any]] = [
        {
            "OMSId": oms.oms_id,
            "InstrumentId": instrument.instrument_id,
            "Symbol": instrument.symbol,
            "Product1": products[instrument.base],
            "Product1Symbol": instrument.base,
            "Product2": products[instrument.quote],
            "Product2Symbol": instrument.quote,
            "InstrumentType": "Standard",
            "VenueInstrumentId": instrument.instrument_id,
            "VenueId": 1,
            "SortIndex": 0,
            "SessionStatus": "Running",
            "PreviousSessionStatus": "Paused",
            "QuantityIncrement": 0.00000001,
            "PriceIncrement": 0.01,
            "MinimumQuantity": 0.00000001,
            "MinimumPrice": 0.01,
            "IsDisable": False,
        }
        for instrument in parts.world.instruments.values()
        if oms.oms_id in instrument.oms_ids
    ]
    return Data(instruments)


def ping(_parts: Parts, _call: Call) -> Answer:
    """PONG."""
    return Data({"msg": "PONG"})


PUBLIC_CALLS = frozenset(
    {"Authenticate", "AuthenticateUser", "WebAuthenticateUser", "GetProducts", "GetInstruments", "Ping"}
)
READING_CALLS = frozenset(
    {"Authenticate", "AuthenticateUser", "LogOut", "GetProducts", "GetInstruments", "GetUserAccounts", "Ping"}
    | {"GetOpenOrders", "GetOpenQuotes", "GetOrderStatus", "GetOrdersHistory", "GetOrderHistory"}
    | {"GetOrderHistoryByOrderId", "GetTradesHistory", "GetAccountPositions"}
)
CALLS: dict[str, Handler] = {
    "Authenticate": authenticate,
    "AuthenticateUser": authenticate,
    "WebAuthenticateUser": authenticate,
    "LogOut": log_out,
    "GetUserAccounts": get_user_accounts,
    "GetProducts": get_products,
    "GetInstruments": get_instruments,
    "Ping": ping,
}
