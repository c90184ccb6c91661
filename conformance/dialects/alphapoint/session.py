"""AlphaPoint's protocol around its calls: sign-in, session token, session probe, and answers on a dry wire.

Everything here comes from published AlphaPoint documents other than those of the single calls, and from live gateways.
"""

from __future__ import annotations

import itertools
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.dialects.alphapoint import frame, members_of, number_of, opened, reply_frame, reply_value
from conformance.dialects.alphapoint.states import MADE, CallStates
from conformance.dialects.base import CREDENTIALS, Calls, Inspection, Reply, Session, StateProvider
from conformance.endpoint.model import Binding
from conformance.formats.json.pointer import load_json
from conformance.wire.messages import Exchange, Headers, HttpReply, HttpRequest, WsReply, WsRequest

PLACED = {"sendorder": ("OrderId",), "createquote": ("BidQuoteId", "AskQuoteId")}
"""Calls that open something, in lower case, each with the members of its answer that name it."""
SHOWN = {"getopenorders": True, "getopenquotes": False}
"""Calls that show what is open, and whether what they leave out is not open."""
SIGN_INS = ("authenticate", "authenticateuser", "webauthenticateuser", "authenticate2fa")
SESSION_HEADER = "aptoken"
_TOKEN = re.compile(r"[!-~]{1,4096}")
"""What can stand in a header; a line break in it would be a request of the target's own making."""
_ACCEPT = ("Accept", "application/json")
_JSON_HEADERS = (("Content-Type", "application/json"), _ACCEPT)
_BY_PASSWORD, _BY_SIGNATURE = "WebAuthenticateUser", "AuthenticateUser"
_PROBE = "GetUserAccounts"
_NOT_AUTHORIZED = 20
_BAD_REQUEST, _NOT_FOUND = 400, 404
_PATH = re.compile(r"(?i)/AP/(\w+)")
_FIRST_DRY_ID = 2_050_000_001
_STANDARD = {"result": True, "errormsg": None, "errorcode": 0, "detail": None}
_REFUSED = {"result": False, "errormsg": "Resource Not Found", "errorcode": 104, "detail": None}


@dataclass(slots=True)
class AlphaPoint:
    """`Dialect` of AlphaPoint gateways."""

    name: str = "alphapoint"
    signs_in: bool = True
    states: tuple[str, ...] = MADE
    session_header: str = SESSION_HEADER
    invented: Headers = (("aptoken", "00000000-0000-4000-8000-00000000c0de"),)
    sign_out: str = "LogOut"
    dry_ids: Iterator[int] = field(default_factory=lambda: itertools.count(_FIRST_DRY_ID))
    dry_orders: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    """What a dry wire has given an id and not seen cancelled, with what it was ordered with."""

    def sign_in_request(self, headers: Headers) -> HttpRequest:
        """`GET /AP/Authenticate`, with the credentials as headers."""
        return HttpRequest("GET", "/AP/Authenticate", (*headers, _ACCEPT))

    def sign_in_frame(self, number: int, members: Mapping[str, str]) -> str:
        """One call for a password, another for a signature."""
        return frame(number, _BY_PASSWORD if "Password" in members else _BY_SIGNATURE, members)

    def session(self, exchange: Exchange) -> Session | None:
        """The token; over WebSocket the word that the caller is authenticated is enough."""
        members = members_of(reply_value(exchange))
        if members.get("requires2fa") is True:
            return None
        token = members.get("sessiontoken")
        if isinstance(token, str) and _TOKEN.fullmatch(token):
            return Session(((self.session_header, token),), (token,))
        return Session() if members.get("authenticated") or isinstance(token, str) else None

    def refusal(self, exchange: Exchange) -> str:
        """A second factor is missing, the user is locked, or the credentials are wrong."""
        members = members_of(reply_value(exchange))
        if members.get("requires2fa") is True:
            return 'the service asks for a second factor; use login = "two-factor" with totp_seed'
        return "the service has locked the user" if members.get("locked") is True else CREDENTIALS

    def signed_out(self, exchange: Exchange) -> bool:
        """An object that reports no error; an unknown call gets a text, or a frame for errors."""
        value = reply_value(exchange)
        members = members_of(value)
        failed = members.get("result") is False or members.get("errorcode") not in (None, 0)
        error_status = isinstance(exchange.reply, HttpReply) and exchange.reply.status >= _BAD_REQUEST
        return isinstance(value, dict) and not failed and not error_status

    def call_request(self, name: str, payload: Mapping[str, Any], headers: Headers) -> HttpRequest:
        """`POST /AP/<call>` with a JSON body."""
        return HttpRequest("POST", f"/AP/{name}", (*_JSON_HEADERS, *headers), json.dumps(payload).encode())

    def call_frame(self, number: int, name: str, payload: Mapping[str, Any]) -> str:
        """The call in a frame."""
        return frame(number, name, payload)

    def number_of(self, frame: str | bytes) -> int | None:
        """The member `i`."""
        return number_of(frame)

    def value(self, exchange: Exchange) -> Any:
        """The JSON value of the body, or of the frame's payload."""
        return reply_value(exchange)

    def hello(self, number: int) -> str:
        """A Ping, which needs no session."""
        return f'{{"m":0,"i":{number},"n":"Ping","o":"{{}}"}}'

    def probe(self, bindings: Mapping[str, Binding]) -> tuple[str, Mapping[str, Any]] | None:
        """The accounts of the caller on one system."""
        oms = bindings.get("oms")
        return None if oms is None else (_PROBE, {"OMSId": oms})

    def inspections(self, bindings: Mapping[str, Binding]) -> tuple[Inspection, ...]:
        """Systems by the caller's accounts on them, accounts by their open orders, an order by its status."""
        oms, account = bindings.get("oms"), bindings.get("account")
        systems = tuple(
            Inspection(name, _PROBE, {"OMSId": bindings[name]}, there)
            for name, there in (("oms", True), ("other_oms", True), ("unknown_oms", False))
            if name in bindings
        )
        accounts = tuple(
            Inspection(name, "GetOpenOrders", {"OMSId": oms, "AccountId": bindings[name]}, there)
            for name, there in (("account", True), ("unknown_account", False))
            if name in bindings and oms is not None
        )
        orders = tuple(
            Inspection(name, "GetOrderStatus", {"OMSId": oms, "AccountId": account, "OrderId": bindings[name]}, False)
            for name in ("unknown_order", "unknown_order2")
            if name in bindings and oms is not None and account is not None
        )
        return (*systems, *accounts, *orders)

    def may_lack_session(self, exchange: Exchange) -> bool:
        """Status 404 with a text, or code 20 in a standard response: a missing session, but perhaps something else."""
        reply = exchange.reply
        if reply is None:
            return False
        if isinstance(reply, HttpReply) and reply.status == _NOT_FOUND:
            return True
        text = reply.body if isinstance(reply, HttpReply) else reply.text
        return b"2" in text and _has_code(reply_value(exchange))  # no other way to write 20 leaves the digit out

    def provider(self, calls: Calls) -> StateProvider:
        """Orders and quotes by the service's own calls."""
        return CallStates(calls, calls.settle_s)

    def dry_answer(self, request: HttpRequest | WsRequest, *, still_open: bool = False) -> Reply | None:
        """The reply to sign-in, probe, set-up, observation and clean-up: all but clean-up says that it went well."""
        if isinstance(request, WsRequest):
            call, payload = opened(request.text) or ("", None)
        else:
            named = _PATH.fullmatch(request.path.partition("?")[0])
            call, payload = named[1] if named else "", _json(request.body)
        made = self._dry_value(call, payload if isinstance(payload, dict) else {}, still_open)
        if made is None:
            return None
        body = json.dumps(made)
        if isinstance(request, WsRequest):
            return WsReply(reply_frame(number_of(request.text) or 0, call, body).encode())
        return HttpReply(200, "OK", (("Content-Type", "application/json"),), body.encode(), "1.1")

    def _dry_value(self, call: str, payload: Mapping[str, Any], still_open: bool) -> Any:
        if call in ("Authenticate", "Authenticate2FA", _BY_PASSWORD, _BY_SIGNATURE):
            return {"Authenticated": True, "SessionToken": str(uuid.UUID(int=next(self.dry_ids), version=4))}
        if call == self.sign_out:
            return _STANDARD
        if call == "Ping":
            return {"msg": "PONG"}
        if call == _PROBE:
            return []
        if call == "SendOrder":
            return {"status": "Accepted", "errormsg": "", "OrderId": self._dry_order(payload)}
        if call == "CreateQuote":
            bid, ask = self._dry_order(payload), self._dry_order(payload)
            legs = {"BidQuoteId": bid, "AskQuoteId": ask}
            return {**legs, "BidResult": json.dumps(_STANDARD), "AskResult": json.dumps(_STANDARD)}
        if call in ("GetOpenOrders", "GetOpenQuotes"):
            return self._dry_open(call, payload, still_open)
        if call in ("CancelOrder", "CancelQuote"):
            for number in (payload.get("OrderId"), payload.get("bidQuoteId"), payload.get("askQuoteId")):
                self.dry_orders.pop(number if isinstance(number, int) else 0, None)
            # refused, so that the look that follows a refusal is planned, too
            return _REFUSED if call == "CancelOrder" else {"BidResult": _REFUSED, "AskResult": _REFUSED}
        return None

    def _dry_order(self, payload: Mapping[str, Any]) -> int:
        number = next(self.dry_ids)
        self.dry_orders[number] = payload
        return number

    def _dry_open(self, call: str, payload: Mapping[str, Any], still_open: bool) -> Any:
        ids = [
            number
            for number, order in self.dry_orders.items()
            if still_open and all(order.get(name) == value for name, value in payload.items())
            if ("BidQty" in order) is (call == "GetOpenQuotes")
        ]
        if call == "GetOpenOrders":
            return [{"OrderId": number} for number in ids]
        bid, ask = ({"OrderId": number} for number in ids[-2:]) if len(ids) >= 2 else (None, None)
        return {"Bid": bid, "Ask": ask}


def _json(text: bytes) -> Any:
    try:
        return load_json(text)
    except ValueError:
        return None


def _has_code(value: Any, legs: tuple[str, ...] = ("bidresult", "askresult")) -> bool:
    """Whether a standard response, or a leg of a pair, says Not Authorized; a pair may hold JSON in strings."""
    if isinstance(value, str):
        try:
            value = load_json(value)
        except ValueError:
            return False
    if not isinstance(value, dict):
        return False
    members = members_of(value)
    if "errorcode" in members:
        return bool(members["errorcode"] == _NOT_AUTHORIZED)
    return any(_has_code(members.get(leg), ()) for leg in legs)
