"""What one edition of CancelAllOrders permits: the name of a member, an unknown instrument, who may name nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.values import (
    NOT_AUTHORIZED,
    RESOURCE_NOT_FOUND,
    Answer,
    Call,
    CancelAllRequest,
    Refused,
    Standard,
)
from reference_impl.changes import CAO, equivalent_of, handler, refusals, step
from reference_impl.faults.cancel_all_editions import EARLIER, LATER, is_unknown
from reference_impl.parts import Parts
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant


def _without(name: str) -> Change:
    """One of the two names of the instrument is unknown."""

    def run(recorder: Recorder, inner: Callable[[Parts, Call], Answer], parts: Parts, call: Call) -> Answer:
        if name in call.members:
            recorder.hit()
            call = replace(call, members={key: value for key, value in call.members.items() if key != name})
        return inner(parts, call)

    return handler(CAO, run)


def _unknown_refused(inner: Any, parts: Parts, call: Call, request: CancelAllRequest, meant: Any) -> Any:
    if is_unknown(parts, call):
        raise Refused(RESOURCE_NOT_FOUND, "instrument", "Instrument not found")
    return inner(parts, call, request, meant)


def _nobody_refused(_inner: Any, _parts: Parts, _call: Call, _request: CancelAllRequest) -> Any:
    raise Refused(NOT_AUTHORIZED, "permission", "Neither a user nor an account is named")


EQUIVALENTS: tuple[Variant, ...] = (
    equivalent_of(
        CAO, "later-instrument-id", "Knows the instrument as InstrumentId alone", _without("intrumentid"), LATER
    ),
    equivalent_of(
        CAO, "later-intrument-id", "Knows the instrument as the table prints it alone", _without("instrumentid"), LATER
    ),
    equivalent_of(
        CAO,
        "later-unknown-instrument-104",
        "Refuses an instrument that does not exist",
        step(CAO, "select", _unknown_refused),
        LATER,
    ),
    equivalent_of(
        CAO,
        "earlier-operator-without-permission",
        "Operators have no permission for the accounts of all users",
        step(CAO, "omitted_accounts", _nobody_refused),
        EARLIER,
    ),
    equivalent_of(
        CAO,
        "earlier-other-user-104",
        "Hides another user behind code 104",
        refusals(
            CAO, lambda one, _call: Standard(RESOURCE_NOT_FOUND, one.detail) if one.about == "foreign-account" else None
        ),
        EARLIER,
    ),
)
