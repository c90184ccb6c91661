"""The scope guard, the last gate before the wire: it refuses what a reader may take for too much."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.model.spec import Operation
from conformance.target.scope_frames import frame_reason
from conformance.target.scope_http import http_reason
from conformance.target.scope_rules import Catalogue, catalogue_of
from conformance.target.scope_values import ALLOWED, Bounds, Decision, Granted, RequestCap, Scope
from conformance.transport.messages import HttpRequest, WsRequest

__all__ = ["Catalogue", "Decision", "Granted", "RequestCap", "Scope", "catalogue_of", "decide", "decide_by"]


def decide(
    scope: Scope, sent: HttpRequest | WsRequest, operations: Mapping[str, Operation], granted: Granted
) -> Decision:
    """Whether this message may be sent, set-up calls included; `operations` are those of the contract.

    Refused are messages to a call that no operation's `scope:` key knows, and messages that could, for any
    reader however lenient, name or mean a thing outside the scope. An absent or zero account means every
    account (published AlphaPoint documents on CancelAllOrders).
    Errors: `SpecError` for a `scope:` key that makes no sense.
    """
    return decide_by(catalogue_of(operations), scope, sent, granted)


def decide_by(catalogue: Catalogue, scope: Scope, sent: HttpRequest | WsRequest, granted: Granted) -> Decision:
    """The same with a catalogue that was made before, for a run of many messages."""
    if scope.unlimited:
        return ALLOWED
    bounds = Bounds(scope, granted)
    if isinstance(sent, WsRequest):
        reason = frame_reason(bounds, catalogue, sent.text)
    else:
        reason = http_reason(bounds, catalogue, sent)
    return Decision(False, reason) if reason else ALLOWED
