"""What the control address has told the server to do with the next calls, and what has arrived since it was asked last.

An order holds for the next call that it fits, or for so many of them. It is carried out by parts made for that one call, so
that nothing of it is left afterwards.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reference_impl.alphapoint.values import ERROR_TEXTS, Answer, Call, Refused
from reference_impl.clock import Clock
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.errors import ReferenceImplError
from reference_impl.faults import FAULTS
from reference_impl.parts import Arrival, Enter, Parts, with_alphapoint, with_tpp
from reference_impl.readings import choose
from reference_impl.tpp.values import Instruction, UnreadableList
from reference_impl.variants import apply_variants
from reference_impl.wire import OPERATIONS, TPP_OPERATIONS, Mishap

MOST_KEPT = 1000
MOST_TOLD = 1000
MOST_TEXT = 64 * 1024
LONGEST_S = 60.0
_NAMES = {
    "alphapoint.cancel_all_orders": "CancelAllOrders",
    "alphapoint.cancel_order": "CancelOrder",
    "alphapoint.cancel_quote": "CancelQuote",
}
TPP_ANSWERS = ("error-string", "order-not-active")
CONNECTIONS = ("reset", "cut", "silent")
_KEYS = (
    "operation", "user", "order", "code", "fault", "equivalent", "reading", "connection", "status", "carried_out", "delay_s",
    "times",
)  # fmt: skip
Verdict = Callable[[Arrival], Mapping[str, Any]]


@dataclass(slots=True)
class _Order:
    """One thing that the server was told, for so many calls more."""

    number: int
    operation: str
    change: Callable[[Parts], Parts]
    delay_s: float
    left: int
    words: Mapping[str, Any]
    user: str = ""
    names: re.Pattern[str] | None = None
    """The id that the text of the call must hold."""

    def fits(self, arrival: Arrival) -> bool:
        """Whether it is for this call."""
        return (
            self.operation in ("", arrival.operation)
            and self.user in ("", arrival.user)
            and (self.names is None or self.names.search(arrival.text) is not None)
        )


@dataclass(slots=True)
class Told:
    """The orders in force, oldest first, and the calls that have arrived, the last thousand."""

    parts: Parts
    """Those of the server, on which each order is tried before it is taken."""
    clock: Clock = field(default_factory=Clock)
    """Dates what has arrived."""
    verdict: Verdict | None = None
    """Judges a call as the contract's request side has it; asked only for what is looked at."""
    _orders: list[_Order] = field(default_factory=list)
    _arrived: deque[tuple[int, float, Arrival, int | None]] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def entering(self, inner: Enter | None) -> Enter:
        """Notes each call that arrives and makes its parts; `inner` has its turn behind that."""

        async def enter(parts: Parts, arrival: Arrival) -> Parts:
            order = self._taken(arrival)
            number = next(self._numbers)
            self._arrived.append((number, self.clock.now(), _short(arrival), None if order is None else order.number))
            if order is not None:
                parts = order.change(parts)
                if order.delay_s:
                    await asyncio.sleep(order.delay_s)
            return parts if inner is None else await inner(parts, arrival)

        return enter

    def _taken(self, arrival: Arrival) -> _Order | None:
        for order in self._orders:
            if order.fits(arrival):
                order.left -= 1
                if order.left <= 0:
                    self._orders.remove(order)
                return order
        return None

    def tell(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take an order. Raises `ValueError` for one that means nothing."""
        unknown = sorted(set(body) - set(_KEYS))
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is no part of an order; there are {', '.join(_KEYS)}")
        if len(self._orders) >= MOST_TOLD:
            raise ValueError(f"no more than {MOST_TOLD} orders are kept")
        operation = body.get("operation", "")
        known = (*OPERATIONS.values(), *TPP_OPERATIONS)
        if operation not in ("", *known):
            raise ValueError(f"operation must be one of {', '.join(known)}")
        times, delay_s = body.get("times", 1), body.get("delay_s", 0)
        if type(times) is not int or not 0 < times <= MOST_TOLD:
            raise ValueError(f"times must be between 1 and {MOST_TOLD}")
        if type(delay_s) not in (int, float) or not 0 <= delay_s <= LONGEST_S:
            raise ValueError(f"delay_s must be between 0 and {LONGEST_S:g}")
        change = _change(operation, body)
        try:
            change(self.parts)
        except ReferenceImplError as error:
            raise ValueError(error.message) from error
        user = body.get("user", "")
        if user and user not in self.parts.world.users:
            raise ValueError(f"no user is called {user!r}")
        number = next(self._numbers)
        names = _naming(body.get("order"))
        self._orders.append(_Order(number, operation, change, float(delay_s), times, dict(body), user, names))
        return {"order": number}

    def orders(self) -> Mapping[str, Any]:
        """The orders in force."""
        return {"orders": [{"order": one.number, **one.words, "times": one.left} for one in self._orders]}

    def forget(self) -> Mapping[str, Any]:
        """Drop every order and every call that was noted."""
        dropped = len(self._orders)
        self._orders.clear()
        self._arrived.clear()
        return {"dropped": dropped}

    def received(self) -> Mapping[str, Any]:
        """The calls that have arrived, the oldest first, each with the verdict on its request."""
        return {"received": [self._shown(*one) for one in self._arrived]}

    def _shown(self, number: int, at_s: float, arrival: Arrival, order: int | None) -> Mapping[str, Any]:
        shown: dict[str, Any] = {
            "number": number,
            "at": round(at_s, 3),
            "operation": arrival.operation,
            "transport": arrival.transport,
            "text": arrival.text,
            "order": order,
        }
        return shown if self.verdict is None else {**shown, **self.verdict(arrival)}


def _short(arrival: Arrival) -> Arrival:
    return arrival if len(arrival.text) <= MOST_TEXT else Arrival(arrival.operation, arrival.transport, "")


def _change(operation: str, body: Mapping[str, Any]) -> Callable[[Parts], Parts]:
    """What an order makes of the parts. Raises `ValueError` for what there is not."""
    steps: list[Callable[[Parts], Parts]] = []
    if body.get("code") is not None:
        steps.append(_answering(operation, body["code"]))
    for kind, known in (("fault", FAULTS), ("equivalent", EQUIVALENTS)):
        name = body.get(kind)
        if name is not None and name not in known:
            raise ValueError(f"no {kind} is called {name!r}")
        if name is not None:
            steps.append(lambda parts, variant=known[name]: apply_variants(parts, [variant])[0])  # type: ignore[misc]
    mishap = _mishap(body)
    if mishap is not None:
        steps.append(lambda parts: replace(parts, mishap=mishap))
    reading = body.get("reading")
    if reading is not None:
        steps.append(lambda parts: choose(parts, [str(reading)]))

    def change(parts: Parts) -> Parts:
        for step in steps:
            parts = step(parts)
        return parts

    return change


def _mishap(body: Mapping[str, Any]) -> Mishap | None:
    connection, status, carried_out = body.get("connection"), body.get("status"), body.get("carried_out", False)
    if connection is not None and connection not in CONNECTIONS:
        raise ValueError(f"connection must be one of {', '.join(CONNECTIONS)}")
    if status is not None and (type(status) is not int or not 200 <= status < 600):
        raise ValueError("status must be between 200 and 599")
    if type(carried_out) is not bool:
        raise ValueError("carried_out must be true or false")
    if connection is not None and status is not None:
        raise ValueError("connection and status do not go together")
    if connection is None and status is None:
        if carried_out:
            raise ValueError("carried_out goes with connection or status")
        return None
    return Mishap(connection or "", status or 0, carried_out or connection == "cut")


def _naming(order: Any) -> re.Pattern[str] | None:
    """What finds an id in the text of a call. Raises `ValueError` for what is none."""
    if order is None:
        return None
    if type(order) not in (int, str) or not str(order):
        raise ValueError("order must be the id of an order")
    return re.compile(rf"(?<![0-9A-Za-z]){re.escape(str(order))}(?![0-9A-Za-z])", re.IGNORECASE)


def _answering(operation: str, code: Any) -> Callable[[Parts], Parts]:
    """Parts under which a call is answered with this code and changes nothing."""
    if operation in TPP_OPERATIONS:
        if code not in TPP_ANSWERS:
            raise ValueError(f"code must be one of {', '.join(TPP_ANSWERS)}")
        return _refusing_list if code == "error-string" else _not_active
    if type(code) is not int or code not in ERROR_TEXTS:
        raise ValueError(f"code must be one of {', '.join(map(str, ERROR_TEXTS))}")
    if operation not in _NAMES:
        raise ValueError(f"code needs an operation: one of {', '.join((*_NAMES, *TPP_OPERATIONS))}")

    def refuse(_parts: Parts, _call: Call) -> Answer:
        raise Refused(code, "condition")

    name = _NAMES[operation]
    return lambda parts: with_alphapoint(parts, calls={**parts.alphapoint.calls, name: refuse})


def _refusing_list(parts: Parts) -> Parts:
    def admit(_parts: Parts, _instructions: Sequence[Instruction]) -> None:
        raise UnreadableList("The request cannot be processed.")

    return with_tpp(parts, admit=admit)


def _not_active(parts: Parts) -> Parts:
    return with_tpp(parts, judge=lambda _parts, _instruction: ("Order is not active.",))
