"""The control hook: bringing about and observing states that the TPP document has no call for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from reference_impl.beginning import begin
from reference_impl.depth import load_json
from reference_impl.parts import Parts
from reference_impl.recorder import Recorder
from reference_impl.told import CONNECTIONS, Told
from reference_impl.tpp.guid import canonical_guid
from reference_impl.wire import HttpRequest, HttpResponse
from reference_impl.world.model import START, TppOrder, TppState

STATES: Mapping[str, tuple[TppState, bool, bool | None]] = {
    "open-order": ("open", False, None),
    "open-international-order": ("open", True, None),
    "cancelled-order": ("cancelled", False, False),
    "cancelled-international-order": ("cancelled", True, False),
    "pin-order": ("open", False, True),
    "pin-international-order": ("open", True, True),
    "no-pin-order": ("open", False, False),
    "executed-order": ("executed", False, False),
}
"""State name to (state of the order, whether it is international, whether it asks for the PIN; None: as it likes)."""

ORDER_STATES = ("open-order", "partly-executed-order", "executed-order", "cancelled-order")
"""States of AlphaPoint's orders that are made at this address; calls make the other ones."""
_WORDS = {"Working": "open", "Canceled": "cancelled", "FullyExecuted": "executed"}
_OF_THREE, _ONE = 3.0, 1.0

MAX_COUNT = 10_000


def _described(summary: str, properties: Mapping[str, Any] | None = None, required: tuple[str, ...] = ()) -> Any:
    answer = {"content": {"application/json": {"schema": {"type": "object"}}}}
    described: dict[str, Any] = {
        "summary": summary,
        "responses": {
            "200": {"description": "done", **answer},
            "400": {"description": "not understood; `error` says why", **answer},
        },
    }
    if properties is not None:
        schema = {"type": "object", "properties": properties, "required": list(required)}
        described["requestBody"] = {"required": bool(required), "content": {"application/json": {"schema": schema}}}
    return described


_TEXT, _WHOLE = {"type": "string"}, {"type": "integer", "minimum": 1}
DOCUMENT: Mapping[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Control address of the mock", "version": "1"},
    "paths": {
        "/_world/next": {
            "get": _described("The orders in force."),
            "post": _described(
                "Tell the server what to do with the next calls.",
                {
                    "operation": _TEXT,
                    "code": {"type": ["integer", "string"]},
                    "fault": _TEXT,
                    "equivalent": _TEXT,
                    "reading": _TEXT,
                    "user": _TEXT,
                    "order": {"type": ["integer", "string"]},
                    "connection": {"enum": list(CONNECTIONS)},
                    "status": {"type": "integer", "minimum": 200, "maximum": 599},
                    "carried_out": {"type": "boolean"},
                    "delay_s": {"type": "number", "minimum": 0, "maximum": 60},
                    "times": {**_WHOLE, "maximum": 1000},
                },
            ),
        },
        "/_world/received": {"get": _described("The calls that have arrived, each with the verdict on its request.")},
        "/_world/forget": {"post": _described("Drop every order and every call that was noted.")},
        "/_world/fill": {
            "post": _described(
                "Execute orders and legs of quotes that are open.",
                {"orders": {"type": "array", "items": {"type": "integer"}}},
                ("orders",),
            )
        },
        "/_world/reset": {
            "post": _described(
                "Put the world into a state, without one into the last that was named: orders, quotes, sessions, clock.",
                {"state": _TEXT},
            )
        },
        "/_world/states": {"get": _described("The states of the world, and the one that was set up last.")},
        "/_world/clock": {
            "get": _described("The time by which sessions end."),
            "post": _described(
                "Set the clock, or move it; one of the two.",
                {"set": {**_TEXT, "format": "date-time"}, "advance_s": {"type": "number"}},
            ),
        },
        "/_world/tpp/state": {
            "post": _described(
                "Make orders in a state.", {"state": {"enum": list(STATES)}, "count": _WHOLE}, ("state",)
            )
        },
        "/_world/tpp/observe": {
            "post": _described(
                "Show how orders stand.", {"orders": {"type": "array", "items": {"type": "object"}}}, ("orders",)
            )
        },
        "/_world/alphapoint/state": {
            "post": _described(
                "Make orders of an account in a state.",
                {"state": {"enum": list(ORDER_STATES)}, "count": _WHOLE, "account": _WHOLE, "instrument": _WHOLE},
                ("state", "account"),
            )
        },
        "/_world/alphapoint/observe": {
            "post": _described(
                "Show how orders stand.", {"orders": {"type": "array", "items": {"type": "object"}}}, ("orders",)
            )
        },
        "/_world/alphapoint/clean": {
            "post": _described(
                "Cancel what is open of these.", {"orders": {"type": "array", "items": {"type": "object"}}}, ("orders",)
            )
        },
        "/_world/sessions/expire": {"post": _described("End the sessions of a user.", {"user": _TEXT}, ("user",))},
        "/_world/executed": {"get": _described("How often each fault and permitted difference did something.")},
        "/_world/openapi.json": {"get": _described("This document.")},
    },
}


class Control:
    """Answers requests under /_world/; every body, both ways, is a JSON object."""

    def __init__(
        self, parts: Parts, recorders: Mapping[str, Recorder], told: Told | None = None, state: str = START
    ) -> None:
        told = told or Told(parts)
        self._parts = parts
        self._state = state
        self._recorders = recorders
        self._routes: dict[tuple[str, str], Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
            ("POST", "/_world/tpp/state"): self._bring_about,
            ("POST", "/_world/tpp/observe"): self._observe,
            ("POST", "/_world/alphapoint/state"): self._place,
            ("POST", "/_world/alphapoint/observe"): self._shown,
            ("POST", "/_world/alphapoint/clean"): self._clean,
            ("GET", "/_world/executed"): self._executed,
            ("POST", "/_world/sessions/expire"): self._expire,
            ("POST", "/_world/next"): told.tell,
            ("GET", "/_world/next"): lambda _body: told.orders(),
            ("GET", "/_world/received"): lambda _body: told.received(),
            ("POST", "/_world/forget"): lambda _body: told.forget(),
            ("POST", "/_world/fill"): self._fill,
            ("GET", "/_world/clock"): lambda _body: told.clock.shown(),
            ("POST", "/_world/clock"): told.clock.tell,
            ("POST", "/_world/reset"): lambda body: self._reset(told, body),
            ("GET", "/_world/states"): lambda _body: {"states": list(parts.world.states), "state": self._state},
            ("GET", "/_world/openapi.json"): lambda _body: DOCUMENT,
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response to one control request; 400 with an `error` when its body is not understood."""
        route = self._routes.get((request.method, request.path))
        if route is None:
            known = ", ".join(f"{method} {path}" for method, path in self._routes)
            return _json(404, {"error": f"no such control request; there are {known}"})
        try:
            body = load_json(request.body) if request.body else {}
            if not isinstance(body, dict):
                raise ValueError("the body is not a JSON object")
            return _json(200, route(body))
        except (ValueError, KeyError, TypeError) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})

    def _fill(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        wanted = body["orders"]
        if not isinstance(wanted, list) or not all(type(one) is int for one in wanted):
            raise ValueError("orders must be a list of ids")
        return {"filled": list(self._parts.alphapoint.book.fill(wanted))}

    def _reset(self, told: Told, body: Mapping[str, Any]) -> Mapping[str, Any]:
        names, name = self._parts.world.states, body.get("state", self._state)
        if set(body) - {"state"} or name not in names:
            raise ValueError(f"state, if given, must be one of {', '.join(names)}")
        dropped = told.forget()
        told.clock.restore()
        begun = begin(self._parts, told, name)
        self._state = name
        return {**dropped, **begun}

    def _bring_about(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if body.get("state") not in STATES:
            raise ValueError(f"state must be one of {', '.join(STATES)}")
        count = _count(body)
        state, international, pin_required = STATES[body["state"]]
        orders = [
            self._parts.tpp.orders.add(international=international, state=state, pin_required=pin_required)
            for _ in range(count)
        ]
        return {"orders": [self._instruction_members(order) for order in orders]}

    def _instruction_members(self, order: TppOrder) -> Mapping[str, Any]:
        tpp = self._parts.world.tpp
        return {
            "OrderID": order.order_id,
            "InternationalOrderUID": order.uid,
            "CreatorID": tpp.persons[0] if tpp.persons else None,
            "PIN": tpp.pin if order.pin_required else None,
        }

    def _observe(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        observed = []
        for wanted in body["orders"]:
            uid = wanted.get("InternationalOrderUID")
            key = (canonical_guid(uid) or uid) if uid else wanted.get("OrderID")
            order = self._parts.tpp.orders.find(key)
            observed.append({**wanted, "state": order.state if order else "unknown"})
        return {"orders": observed}

    def _place(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        state, account = body.get("state"), self._parts.world.accounts.get(body["account"])
        if state not in ORDER_STATES or account is None:
            raise ValueError(f"state must be one of {', '.join(ORDER_STATES)}, and account one of the world")
        book, instrument = (
            self._parts.alphapoint.book,
            body.get("instrument", next(iter(self._parts.world.instruments))),
        )
        orders = [
            book.place(account.oms_id, account.account_id, instrument, "Buy", _OF_THREE, _ONE)
            for _ in range(_count(body))
        ]
        ids = [order.order_id for order in orders]
        if state == "partly-executed-order":
            for number in ids:
                book.fill_part(number, _ONE)
        elif state != "open-order":
            (book.fill if state == "executed-order" else book.cancel)(ids)
        return {"orders": [{"id": number} for number in ids]}

    def _shown(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        found = [(one, self._parts.alphapoint.book.find(one["id"])) for one in body["orders"]]
        return {"orders": [{**one, "state": _WORDS[order.state] if order else "unknown"} for one, order in found]}

    def _clean(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self._parts.alphapoint.book.cancel(one["id"] for one in body["orders"])
        return self._shown(body)

    def _executed(self, _body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {variant_id: recorder.count for variant_id, recorder in sorted(self._recorders.items())}

    def _expire(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"expired": self._parts.alphapoint.sessions.expire(str(body["user"]))}


def _count(body: Mapping[str, Any]) -> int:
    count = body.get("count", 1)
    if not isinstance(count, int) or not 0 < count <= MAX_COUNT:
        raise ValueError(f"count must be between 1 and {MAX_COUNT}")
    return count


def _json(status: int, value: Mapping[str, Any]) -> HttpResponse:
    return HttpResponse(status, json.dumps(value).encode(), "application/json; charset=utf-8")
