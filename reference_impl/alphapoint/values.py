"""The words of the AlphaPoint side: calls, answers, refusals and the texts of the error codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from reference_impl.world.model import User

NOT_AUTHORIZED = 20
INVALID_REQUEST = 100
OPERATION_FAILED = 101
SERVER_ERROR = 102
RESOURCE_NOT_FOUND = 104
OPERATION_NOT_SUPPORTED = 106

ERROR_TEXTS: Mapping[int, str] = {
    NOT_AUTHORIZED: "Not Authorized",
    INVALID_REQUEST: "Invalid Request",
    OPERATION_FAILED: "Operation Failed",
    SERVER_ERROR: "Server Error",
    RESOURCE_NOT_FOUND: "Resource Not Found",
    OPERATION_NOT_SUPPORTED: "Operation Not Supported",
}
"""CancelAllOrders and CancelQuote, Response tables, errormsg; of the texts for 100, the one both allow."""

CANCEL_ALL_ORDERS = "CancelAllOrders"
CANCEL_QUOTE = "CancelQuote"
CANCEL_ORDER = "CancelOrder"

About = Literal[
    "session",
    "permission",
    "member",
    "oms",
    "account",
    "foreign-account",
    "instrument",
    "order",
    "quote",
    "pair",
    "support",
    "condition",
]
"""What a refusal is about, finer than its code, so that a reading can choose another code for one kind."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call or a leg is refused: a documented code, what it is about, and text for `detail`."""

    code: int
    about: About
    detail: str | None = None


class Refused(Exception):
    """Ends a call with a refusal; raised before anything has changed."""

    def __init__(self, code: int, about: About, detail: str | None = None) -> None:
        super().__init__(f"{code} {detail}")
        self.refusal = Refusal(code, about, detail)


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard response: code 0 is success."""

    code: int = 0
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """The answer to CancelQuote: one standard response for each leg."""

    bid: Standard
    ask: Standard


@dataclass(frozen=True, slots=True)
class Data:
    """The answer to any other call: a JSON value, written as it is."""

    value: Any


Answer = Standard | Pair | Data


class Follower(Protocol):
    """The socket that a call came over, where it can be told of accounts."""

    def follow(self, oms_id: int, account_id: int) -> None:
        """Tell it of each change of this account's orders."""

    def leave(self, oms_id: int, account_id: int) -> None:
        """Tell it of this account no more."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it arrived, and, once read, its members by folded name (lower case)."""

    name: str
    transport: Literal["http", "ws"]
    payload: bytes | str
    query: str = ""
    caller: User | None = None
    session_token: str | None = None
    members: Mapping[str, Any] = field(default_factory=dict)
    follower: Follower | None = None
    """None over HTTP, which has no way to tell of events."""

    @property
    def user(self) -> User:
        """Who calls; raises `Refused` (20) when nobody is signed in."""
        if self.caller is None:
            raise Refused(NOT_AUTHORIZED, "session", "Not signed in")
        return self.caller


@dataclass(frozen=True, slots=True)
class CancelAllRequest:
    """The members of CancelAllOrders; `account_id` is None when absent and 0 when it says 0."""

    oms_id: int
    account_id: int | None


@dataclass(frozen=True, slots=True)
class CancelOrderRequest:
    """The members of CancelOrder; one of the two ids at least is there."""

    oms_id: int
    account_id: int | None
    order_id: int | None
    client_order_id: int | None


@dataclass(frozen=True, slots=True)
class CancelQuoteRequest:
    """The members of CancelQuote."""

    oms_id: int
    account_id: int | None
    instrument_id: int | None
    bid_quote_id: int
    ask_quote_id: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A WebSocket frame: `m` kind, `i` sequence number, `n` call name, `o` payload as text."""

    m: int
    i: Any
    n: str
    o: Any
