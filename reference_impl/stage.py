"""A small world for one client under test: what it is asked to cancel, what stands beside that, and what was heard.

Everything is made anew for each scene, and ids are wider than 32 bits, as those of real systems are.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reference_impl.alphapoint.book import Book
from reference_impl.alphapoint.orders import CALLS as AROUND
from reference_impl.app import build_app
from reference_impl.defaults import default_parts
from reference_impl.serve import address_of, listen, make_server
from reference_impl.told import Told
from reference_impl.tpp.orders import TppOrders
from reference_impl.wire import OPERATIONS, TPP_ONE, TPP_OPERATION, Passage
from reference_impl.world.load import parse_world
from reference_impl.world.model import TppState

WORLD = """
[oms.1]
name = "stage"

[instruments.1]
base = "BTC"
quote = "USD"
oms = [1]

[accounts.7001]
oms = 1
[accounts.7002]
oms = 1
[accounts.7003]
oms = 1

[users.client]
user_id = 71
permissions = ["Trading", "MarketMaker"]
accounts = [7001, 7002]
[users.stranger]
user_id = 72
permissions = ["Trading", "MarketMaker"]
accounts = [7003]

[tpp]
persons = [98765]
pin = "8264"
"""
USER, OMS, INSTRUMENT, OWN, SECOND, FOREIGN = "client", 1, 1, 7001, 7002, 7003
_FIRST_ORDER, _FIRST_NUMBER, _FIRST_TPP_ORDER = 6_400_000_001, 880_001, 2_100_000_001
_STOP_S = 5.0
Key = int | str


@dataclass(frozen=True, slots=True)
class Scene:
    """What the client is asked to cancel: the members of a request, and the things that each part of it names."""

    members: Any
    parts: tuple[tuple[Key, ...], ...]
    may: frozenset[Key] = frozenset()
    """What it names and may leave open: the documents allow both."""


class Stage:
    """The server on a free port of loopback, and what only its owner can do: set up, look, tell, listen."""

    def __init__(self) -> None:
        world = parse_world(WORLD, "the stage")
        parts = default_parts(world)
        parts = replace(
            parts,
            alphapoint=replace(parts.alphapoint, book=Book(_FIRST_ORDER)),
            tpp=replace(parts.tpp, orders=TppOrders((), _FIRST_TPP_ORDER)),
            passed=self._hear,
        )
        self.told = Told(parts)
        self.parts = replace(parts, enter=self.told.entering(None))
        self.heard: list[Passage] = []
        self.answered_s = 0.0
        """When the last answer to a call of an operation was ready, on the monotonic clock."""
        self._numbers = itertools.count(_FIRST_NUMBER)
        self._listener = listen("127.0.0.1", 0)
        self._server = make_server(build_app(self.parts), signals=False)
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Stage:
        self._serving = asyncio.create_task(self._server.serve([self._listener]))
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._server.should_exit = True
        assert self._serving is not None
        _, late = await asyncio.wait({self._serving}, timeout=_STOP_S)
        for task in late:
            task.cancel()
        self._listener.close()

    @property
    def introduction(self) -> Mapping[str, Any]:
        """What a client must know to sign in: addresses and credentials."""
        address, user = address_of(self._listener), self.parts.world.users[USER]
        return {
            "url": address,
            "websocket_url": f"{address.replace('http', 'ws', 1)}/WSGateway/",
            "user": user.name,
            "password": user.password,
            "user_id": user.user_id,
            "api_key": user.api_key,
            "api_secret": user.api_secret,
        }

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must stand in no report."""
        user = self.parts.world.users[USER]
        return (user.password, user.api_secret, self.parts.world.tpp.pin, *self.parts.alphapoint.sessions.tokens())

    def scenes(self, operation: str) -> tuple[str, ...]:
        """The names of the scenes of an operation, the plain one first; none for one that it does not serve."""
        return tuple(_SCENES.get(operation, {}))

    def set(self, operation: str, scene: str) -> Scene:
        """Clear everything away and set up a scene; what was heard and told is forgotten."""
        book = self.parts.alphapoint.book
        book.cancel([one.order_id for one in book.every_open()])
        for key in self.parts.tpp.orders.open_keys():
            self.parts.tpp.orders.cancel(key)
        self.told.forget()
        self.heard.clear()
        return _SCENES[operation][scene](self)

    def open_things(self) -> frozenset[Key]:
        """Everything that is open."""
        orders = self.parts.alphapoint.book.every_open()
        return frozenset({one.order_id for one in orders} | set(self.parts.tpp.orders.open_keys()))

    def end_sessions(self) -> None:
        """End the sessions of the client."""
        self.parts.alphapoint.sessions.expire(USER)

    def _hear(self, passage: Passage) -> None:
        self.heard.append(passage)
        if passage.operation:
            self.answered_s = time.monotonic()

    # What scenes are made of.

    def order(self, account: int = OWN, number: int = 0) -> int:
        """An open order."""
        book = self.parts.alphapoint.book
        return book.place(OMS, account, INSTRUMENT, "Buy", 1, 5, number or next(self._numbers)).order_id

    def number_of(self, order: int) -> int:
        """The number that its client gave an order."""
        found = self.parts.alphapoint.book.find(order)
        assert found is not None
        return found.client_order_id

    def quote(self, account: int = OWN) -> tuple[int, int]:
        """The legs of an open quote."""
        bid, ask = self.parts.alphapoint.book.place_quote(OMS, account, INSTRUMENT, (1, 5), (1, 9))
        return bid.order_id, ask.order_id

    def off(self, *orders: int) -> None:
        """Take orders or legs off, as if they had been cancelled."""
        self.parts.alphapoint.book.cancel(orders)

    def instruction(
        self, *, abroad: bool = False, state: TppState = "open", pin: bool = False
    ) -> tuple[Key, Mapping[str, Any]]:
        """An order of the other service, and the instruction that cancels it."""
        order = self.parts.tpp.orders.add(international=abroad, state=state, pin_required=pin)
        tpp = self.parts.world.tpp
        members = {
            "OrderID": order.order_id,
            "CreatorID": tpp.persons[0],
            "PIN": tpp.pin if pin else None,
            "IsInternationalOrder": abroad,
            "InternationalOrderUID": order.uid,
        }
        key = order.uid or order.order_id
        assert key is not None
        return key, members


def looks(passage: Passage) -> bool:
    """Whether a call shows how orders stand and changes nothing."""
    return passage.call.lower() in _LOOKING


_LOOKING = frozenset(name.lower() for name in AROUND if name.startswith("Get"))


def _all_of(account: int) -> Callable[[Stage], Scene]:
    def scene(stage: Stage) -> Scene:
        stage.order(SECOND if account == OWN else OWN)
        stage.order(FOREIGN)
        named = (stage.order(account), stage.order(account))
        return Scene({"OMSId": OMS, "AccountId": account}, (named,), frozenset(stage.quote(account)))

    return scene


def _neighbours(stage: Stage, order: int) -> None:
    """Orders that a slip may mean: by the same number, in other accounts, with the id as a number."""
    stage.order(OWN)
    stage.order(OWN, number=order)
    stage.order(SECOND, number=stage.number_of(order))
    stage.order(FOREIGN, number=stage.number_of(order))


def _one_order(account: int = OWN, *, by_number: bool = False, gone: bool = False) -> Callable[[Stage], Scene]:
    def scene(stage: Stage) -> Scene:
        order = stage.order(account)
        _neighbours(stage, order)
        if gone:
            stage.off(order)
        named = {"ClientOrderId": stage.number_of(order)} if by_number else {"OrderId": order}
        return Scene({"OMSId": OMS, "AccountId": account, **named}, ((order,),))

    return scene


def _one_quote(account: int = OWN, *, bid_gone: bool = False, ask_gone: bool = False) -> Callable[[Stage], Scene]:
    def scene(stage: Stage) -> Scene:
        bid, ask = stage.quote(account)
        for other in (OWN, SECOND, FOREIGN):
            stage.quote(other)
        stage.off(*([bid] if bid_gone else []), *([ask] if ask_gone else []))
        place = {"omsId": OMS, "accountId": account, "instrumentId": INSTRUMENT}
        return Scene({**place, "bidQuoteId": bid, "askQuoteId": ask}, ((bid,), (ask,)))

    return scene


def _list(*kinds: Mapping[str, Any]) -> Callable[[Stage], Scene]:
    def scene(stage: Stage) -> Scene:
        for abroad in (False, True):
            stage.instruction(abroad=abroad)
        made = [stage.instruction(**kind) for kind in kinds]
        return Scene([members for _, members in made], tuple((key,) for key, _ in made))

    return scene


def _instruction(**kind: Any) -> Callable[[Stage], Scene]:
    def scene(stage: Stage) -> Scene:
        for abroad in (False, True):
            stage.instruction(abroad=abroad)
        key, members = stage.instruction(**kind)
        return Scene(members, ((key,),))

    return scene


_GONE: Mapping[str, Any] = {"state": "cancelled"}
_SCENES: Mapping[str, Mapping[str, Callable[[Stage], Scene]]] = {
    OPERATIONS["cancelallorders"]: {"orders": _all_of(OWN), "second-account": _all_of(SECOND)},
    OPERATIONS["cancelorder"]: {
        "order": _one_order(),
        "second-account": _one_order(SECOND),
        "by-number": _one_order(by_number=True),
        "gone": _one_order(gone=True),
    },
    OPERATIONS["cancelquote"]: {
        "quote": _one_quote(),
        "second-account": _one_quote(SECOND),
        "bid-gone": _one_quote(bid_gone=True),
        "ask-gone": _one_quote(ask_gone=True),
    },
    TPP_OPERATION: {
        "one": _list({}),
        "middle-gone": _list({}, _GONE, {}),
        "mixed": _list({}, {"abroad": True}, {"abroad": True, **_GONE}, {}),
        "ends-gone": _list(_GONE, {}, _GONE),
        "pin": _list({"pin": True}, {}, {"abroad": True, "pin": True}),
        "executed": _list({"state": "executed"}, {}),
        "twelve": _list(*([{}] * 5), _GONE, *([{}] * 6)),
    },
    TPP_ONE: {
        "order": _instruction(),
        "abroad": _instruction(abroad=True),
        "gone": _instruction(**_GONE),
        "pin": _instruction(pin=True),
    },
}
