"""Sending messages over HTTP and WebSocket, with exact bytes as evidence and every read bounded."""

from __future__ import annotations

from conformance.transport.address import Address, AddressError, Proxy, parse_address, parse_proxy
from conformance.transport.http import HttpTransport
from conformance.transport.messages import (
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
from conformance.transport.rendering import render
from conformance.transport.ws import OnConnect, WsTransport

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
