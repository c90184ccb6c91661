"""What a client is tried with: each scene alone, and the plain one under every code, reading, difference and failure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.clients.driver import Offer
from conformance.model.case import Transport
from conformance.model.spec import Contract, Operation, Shape

LATE_SHARE = 0.3
"""A late answer comes after this share of the client's own time-out."""
FAILURES: Mapping[str, Mapping[str, Any]] = {
    "reset": {"connection": "reset"},
    "reset-after": {"connection": "reset", "carried_out": True},
    "cut": {"connection": "cut"},
    "silent": {"connection": "silent"},
    "silent-after": {"connection": "silent", "carried_out": True},
    "status-500": {"status": 500},
    "status-502": {"status": 502},
    "status-503": {"status": 503},
    "status-504-after": {"status": 504, "carried_out": True},
    "status-500-after": {"status": 500, "carried_out": True},
    "status-429": {"status": 429},
    "page-200": {"status": 200},
    "page-200-after": {"status": 200, "carried_out": True},
}
_HTTP_ONLY = ("status-502", "status-503", "status-429", "page-200", "page-200-after", "status-500-after")
"""Over WebSocket all statuses are one: the socket is closed."""
_SUCCESS = ("0", "success")


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that the client is asked, and what the server is told beforehand."""

    id: str
    offer: Offer
    scene: str
    told: Mapping[str, Any] = field(default_factory=dict)
    code: str | None = None
    """The documented code that is played."""
    late: bool = False
    signed_out: bool = False
    """Whether the client's sessions end before it is asked."""


def trials_for(
    contract: Contract, offer: Offer, scenes: tuple[str, ...], equivalents: Mapping[str, str]
) -> Iterator[Trial]:
    """Every trial of an offered call. `equivalents` are the permitted differences, each with its operation."""
    operation = contract.operations[offer.operation]
    where = offer.transport.value if offer.transport.framed or len(operation.media_types) == 1 else offer.media_type

    def trial(name: str, scene: str = scenes[0], told: Mapping[str, Any] | None = None, **more: Any) -> Trial:
        return Trial(f"{operation.short}/client/{name}@{where}", offer, scene, told or {}, **more)

    errors = _errors(operation)
    codes = {one.code for one in operation.codes}
    yield from (trial(f"scene/{scene}", scene) for scene in scenes)
    for code in errors:
        yield trial(f"code/{code}", told={"code": code}, code=str(code) if str(code) in codes else None)
    readings = tuple(_readings(operation))
    for name, told in readings:
        yield from (trial(f"{name}/code/{code}", told={**told, "code": code}) for code in errors)
    differences = [(f"differs/{one}", {"equivalent": one}) for one, its in equivalents.items() if its == operation.id]
    for name, told in (*readings, *differences):
        yield trial(f"{name}/done", told=told)
        if (name, told) in differences:
            yield trial(f"{name}/refused", told={**told, "code": errors[-1]})
        if operation.shape in (Shape.PAIR, Shape.RESULTS):
            yield trial(f"{name}/parts", scenes[2], told)
    for name, told in FAILURES.items():
        if not (offer.transport is Transport.WS and name in _HTTP_ONLY):
            yield trial(f"fails/{name}", scenes[-1] if operation.shape.listed else scenes[0], told)
    yield trial("late/done", late=True)
    yield trial("late/refused", told={"code": errors[-1]}, late=True)
    if "session-missing" in operation.readings:
        yield trial("session-over", signed_out=True)


def _errors(operation: Operation) -> list[int | str]:
    """The documented errors, as the mock is told them."""
    return [int(one.code) if one.code.isdecimal() else one.code for one in operation.codes if one.code not in _SUCCESS]


def _readings(operation: Operation) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for reading in operation.readings.values():
        for alternative in list(reading.alternatives)[1:]:
            yield f"reading/{reading.id}={alternative}", {"reading": f"{reading.id}={alternative}"}
