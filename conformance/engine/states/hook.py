"""States by an HTTP hook: JSON in, JSON out, at an address that the target file gives.

`POST <url>/state` {"state", "count"} answers {"orders": [{...ids...}]}; `POST <url>/observe` {"orders": [{...ids...}]}
answers the same entries with "state" added: open, cancelled, executed or unknown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.engine.desks import Seat
from conformance.engine.problems import StateUnavailable, Unreached
from conformance.engine.states.handle import CANCELLED, EXECUTED, OPEN, Handle, together
from conformance.model.case import StateNeed
from conformance.target.model import Binding
from conformance.transport.http import HttpTransport
from conformance.transport.messages import HttpReply, HttpRequest, Limits

_ID_MEMBERS = ("OrderID", "InternationalOrderUID")
_HEADERS = (("Content-Type", "application/json"),)


@dataclass(frozen=True, slots=True)
class HookStates:
    """The provider; the hook is no part of the target, so its messages pass no scope guard."""

    transport: HttpTransport
    limits: Limits

    async def prepare(self, name: str, need: StateNeed, seat: Seat) -> Handle:
        """`count` things in a state that the hook knows; with one they bind `name.Member`, with more `name.0.Member`."""
        count = int(need.params.get("count", 1))
        answer = await self._post("/state", {"state": need.state, "count": count})
        orders = answer.get("orders")
        if not isinstance(orders, list) or len(orders) != count:
            raise StateUnavailable(f"the hook did not bring about {need.state!r}: {json.dumps(answer)[:200]}")
        bindings: dict[str, Binding] = {}
        for index, order in enumerate(orders):
            prefix = name if count == 1 else f"{name}.{index}"
            bindings.update({f"{prefix}.{key}": value for key, value in order.items() if isinstance(value, int | str)})
        return Handle(name, bindings, {name: _initial(need.state)}, tuple(_ids(order) for order in orders))

    async def observe(self, handles: tuple[Handle, ...], seat: Seat) -> Mapping[str, str]:
        """One request for everything that is watched."""
        wanted = [ids for handle in handles for ids in handle.memory]
        if not wanted:
            return {}
        answer = await self._post("/observe", {"orders": wanted})
        states = answer.get("orders")
        if not isinstance(states, list) or len(states) != len(wanted):
            raise StateUnavailable(f"the hook did not say how orders stand: {json.dumps(answer)[:200]}")
        seen: dict[str, str] = {}
        place = 0
        for handle in handles:
            part: Sequence[Any] = states[place : place + len(handle.memory)]
            place += len(handle.memory)
            seen[handle.name] = together([str(entry.get("state")) for entry in part])
        return seen

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], seat: Seat) -> tuple[str, ...]:
        """The hook made these things for the test, and the hook keeps them."""
        return ()

    async def _post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        request = HttpRequest("POST", path, _HEADERS, json.dumps(body).encode())
        exchange = await self.transport.send(request, limits=self.limits)
        if exchange.problem is not None:
            if exchange.problem.unreachable:
                raise Unreached(f"the state hook: {exchange.problem.message}")
            raise StateUnavailable(f"the state hook got no answer: {exchange.problem.message}")
        assert isinstance(exchange.reply, HttpReply)
        try:
            answer = json.loads(exchange.reply.body)
        except (ValueError, RecursionError) as error:
            raise StateUnavailable("the state hook did not answer in JSON") from error
        if exchange.reply.status != 200 or not isinstance(answer, dict):
            raise StateUnavailable(f"the state hook refused with status {exchange.reply.status}")
        return answer


def _ids(order: Mapping[str, Any]) -> dict[str, Any]:
    return {name: order[name] for name in _ID_MEMBERS if order.get(name) is not None}


def _initial(state: str) -> str:
    return CANCELLED if state.startswith("cancelled") else EXECUTED if state.startswith("executed") else OPEN
