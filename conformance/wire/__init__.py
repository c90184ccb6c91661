"""Sending messages over HTTP and WebSocket, with exact bytes as evidence and every read bounded."""

from __future__ import annotations

from conformance.wire.address import Address, AddressError, Proxy, parse_address, parse_proxy
from conformance.wire.http.client import HttpTransport, render
from conformance.wire.messages import (
    Exchange,
    Headers,
    HttpReply,
    HttpRequest,
    Limits,
    Phase,
    ProblemKind,
    ReplyMatch,
    Transport,
    WireProblem,
    WsReply,
    WsRequest,
    header_values,
)
from conformance.wire.ws.client import OnConnect, WsTransport

__all__ = [
    "Address",
    "AddressError",
    "Exchange",
    "Headers",
    "HttpReply",
    "HttpRequest",
    "HttpTransport",
    "Limits",
    "OnConnect",
    "Phase",
    "ProblemKind",
    "Proxy",
    "ReplyMatch",
    "Transport",
    "WireProblem",
    "WsReply",
    "WsRequest",
    "WsTransport",
    "header_values",
    "parse_address",
    "parse_proxy",
    "render",
]
