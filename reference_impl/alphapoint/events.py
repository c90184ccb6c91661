"""SubscribeAccountEvents: a socket is told of each change of the orders of an account, as OrderStateEvent.

The vendor's pages (SubscribeAccountEvents; Message Frame) say of it: a frame of kind 3 whose payload is the order; sequence
numbers of the server's own, in steps of two; in any order with what else is sent; over WebSocket alone. Of the events that
are listed there, only those about the state of orders are sent here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType

from starlette.websockets import WebSocket, WebSocketDisconnect

from reference_impl.alphapoint.book import ChangeReason, Order
from reference_impl.alphapoint.orders import order_object
from reference_impl.alphapoint.scope import call_account
from reference_impl.alphapoint.values import Answer, Call, Data, Frame
from reference_impl.parts import Handler, Parts

MOST_WAITING = 10_000
_EVENT, _STEP = 3, 2
_TRY_AGAIN_LATER = 1013
_NAME = "OrderStateEvent"


class Events:
    """What one socket has subscribed to, and the task that sends it; ended when it is left.

    A peer that reads nothing while more than `MOST_WAITING` events come is closed on, so that it knows of the gap.
    """

    def __init__(self, parts: Parts, socket: WebSocket) -> None:
        self.token: str | None = None
        """That of the session which is open on the socket; events end with it."""
        self._parts = parts
        self._socket = socket
        self._accounts: set[tuple[int, int]] = set()
        self._waiting: deque[tuple[Order, ChangeReason]] = deque()
        self._news = asyncio.Event()
        self._overfull = False
        self._sending: asyncio.Task[None] | None = None

    def __enter__(self) -> Events:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._parts.alphapoint.book.unwatch(self._note)

    def follow(self, oms_id: int, account_id: int) -> None:
        """Tell the socket of each change of this account's orders."""
        self._accounts.add((oms_id, account_id))
        if self._sending is None:
            self._parts.alphapoint.book.watch(self._note)
            self._sending = asyncio.create_task(self._send())

    def leave(self, oms_id: int, account_id: int) -> None:
        """Tell the socket of this account no more."""
        self._accounts.discard((oms_id, account_id))

    def _note(self, order: Order, reason: ChangeReason) -> None:
        if (order.oms_id, order.account_id) not in self._accounts or self._overfull:
            return
        if not self._parts.alphapoint.sessions.owner(self.token or ""):
            self._accounts.clear()
            return
        self._overfull = len(self._waiting) >= MOST_WAITING
        if not self._overfull:
            self._waiting.append((order, reason))
        self._news.set()

    async def _send(self) -> None:
        gateway, number = self._parts.alphapoint, 0
        try:
            while not self._overfull or self._waiting:
                await self._news.wait()
                self._news.clear()
                while self._waiting:
                    order, reason = self._waiting.popleft()
                    number += _STEP
                    payload = gateway.encode({**order_object(order), "ChangeReason": reason})
                    await self._socket.send_text(gateway.frames.encode(Frame(_EVENT, number, _NAME, payload)))
            await self._socket.close(_TRY_AGAIN_LATER)
        except (WebSocketDisconnect, RuntimeError):  # the peer has left, or the socket was closed: nobody to tell
            return


def subscribe_account_events(parts: Parts, call: Call) -> Answer:
    """Subscribes the socket to the account; {Subscribed}."""
    account = call_account(parts, call)
    if call.follower is not None:
        call.follower.follow(account.oms_id, account.account_id)
    return Data({"Subscribed": call.follower is not None})


def unsubscribe_account_events(parts: Parts, call: Call) -> Answer:
    """Ends the subscription of the socket to the account; {Subscribed}."""
    account = call_account(parts, call)
    if call.follower is not None:
        call.follower.leave(account.oms_id, account.account_id)
    return Data({"Subscribed": False})


CALLS: dict[str, Handler] = {
    "SubscribeAccountEvents": subscribe_account_events,
    "UnsubscribeAccountEvents": unsubscribe_account_events,
}
SOCKET_CALLS = frozenset(CALLS)
"""Calls that HTTP does not have."""
