"""From a call to its answer to the payload's text; the same for both transports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.values import (
    CANCEL_QUOTE,
    ERROR_TEXTS,
    NOT_AUTHORIZED,
    Answer,
    Call,
    Data,
    Pair,
    Refusal,
    Refused,
    Standard,
)
from reference_impl.parts import Parts


def find_call(parts: Parts, name: str) -> str | None:
    """The vendor's spelling of a call name given in any case; None for a call that does not exist."""
    folded = name.lower()
    return next((known for known in parts.alphapoint.calls if known.lower() == folded), None)


def answer(parts: Parts, call: Call) -> tuple[Answer, str]:
    """Carries a call out; returns the answer, for the status, and the payload's text."""
    gateway = parts.alphapoint
    try:
        if call.caller is None and call.name not in gateway.public_calls:
            raise Refused(NOT_AUTHORIZED, "session", "Not signed in")
        call = replace(call, members=gateway.read_members(parts, call))
        result = gateway.calls[call.name](parts, call)
    except Refused as refused:
        result = gateway.early_error(call, gateway.standard(call, refused.refusal))
    return result, gateway.encode(gateway.finish(call, payload(parts, call, result)))


def payload(parts: Parts, call: Call, result: Answer) -> Any:
    """The JSON value of an answer."""
    if isinstance(result, Data):
        return result.value
    if isinstance(result, Pair):
        return parts.alphapoint.render_pair(parts, call, result)
    return parts.alphapoint.render_standard(parts, call, result)


def standard(_call: Call, refusal: Refusal) -> Standard:
    """The refusal's own code and detail."""
    return Standard(refusal.code, refusal.detail)


def early_error(call: Call, error: Standard) -> Answer:
    """CancelQuote answers with a pair even then, the same error in both; every other call with the error."""
    return Pair(error, error) if call.name == CANCEL_QUOTE else error


def error_text(_call: Call, code: int) -> str:
    """The documented text of a code."""
    return ERROR_TEXTS[code]


def render_standard(parts: Parts, call: Call, value: Standard) -> Mapping[str, Any]:
    """The standard response object (CancelAllOrders, Response table); errormsg is null on success."""
    return {
        "result": value.code == 0,
        "errormsg": parts.alphapoint.error_text(call, value.code) if value.code else None,
        "errorcode": value.code,
        "detail": value.detail,
    }


def render_pair(parts: Parts, call: Call, pair: Pair) -> Mapping[str, Any]:
    """Two nested standard response objects (CancelQuote, Response table)."""
    return {
        "BidResult": parts.alphapoint.render_standard(parts, call, pair.bid),
        "AskResult": parts.alphapoint.render_standard(parts, call, pair.ask),
    }


def finish(_call: Call, value: Any) -> Any:
    """Leaves the payload as it is."""
    return value


def encode(value: Any) -> str:
    """Compact JSON in ASCII."""
    return json.dumps(value, separators=(",", ":"))


def http_status(_call: Call, _answer: Answer) -> int:
    """200 whatever the answer says, as live gateways do."""
    return 200
