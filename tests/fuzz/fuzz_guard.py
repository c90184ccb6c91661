"""The scope guard: whatever it allows, no careless reader acts outside the scope."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import scope_readers as careless
import scope_support as scoped
from fuzz_kit import Look, bounded, chosen, picked, requests

from conformance.guard.guard import Scope
from conformance.wire.messages import HttpRequest, WsRequest

_ACCOUNTS = {scoped.ACCOUNT, scoped.OTHER_ACCOUNT, scoped.UNKNOWN}
_ORDERS = {scoped.ORDER, scoped.SCOPED_ORDER, scoped.UNKNOWN, scoped.UID, scoped.UNKNOWN_UID, scoped.BID, scoped.ASK}
"""What the run itself set up counts as its own in any place of an order: the legs of its quotes as well."""
_MEDIA = (
    "application/json",
    "application/xml",
    "text/json; charset=utf-16",
    "application/json; charset=utf-8",
    None,
)
_WIDER = replace(
    scoped.LIMITED,
    accounts=frozenset({*_ACCOUNTS, scoped.FOREIGN_ACCOUNT}),
    orders=frozenset({scoped.SCOPED_ORDER, 61}),
)


def _cancel_all(body: bytes, readers: Iterable[Callable[[str], Any]] = careless.JSON_READERS) -> None:
    for read in readers:
        for to_int in careless.INTS[1:]:
            acts = careless.accounts_cancelled(body, read, to_int)
            assert acts <= _ACCOUNTS, f"{read.__name__} with {to_int.__name__} acts on {acts - _ACCOUNTS}"


def _instructions(body: bytes) -> None:
    for read in careless.JSON_READERS:
        for to_int in careless.INTS:
            acts = careless.orders_cancelled(body, read, to_int)
            assert acts <= _ORDERS, f"{read.__name__} with {to_int.__name__} acts on {acts - _ORDERS}"
    for read_xml in careless.XML_READERS:
        for to_int in careless.INTS[1:]:
            acts = careless.xml_orders_cancelled(body, read_xml, to_int)
            assert acts <= _ORDERS, f"{read_xml.__name__} with {to_int.__name__} acts on {acts - _ORDERS}"


def _judged(sent: HttpRequest | WsRequest) -> bool:
    decision = scoped.judged(sent)
    _short(decision.reason)
    assert decision.allowed is not bool(decision.reason)
    assert scoped.judged(sent, Scope.everything()).allowed
    reading = replace(scoped.LIMITED, destructive=False)
    if decision.allowed:
        assert scoped.judged(sent, _WIDER).allowed, "a wider scope refuses what a narrow one allows"
    else:
        assert not scoped.judged(sent, reading).allowed, "what is refused is allowed to a run that may only read"
    return decision.allowed


def look(data: bytes) -> None:
    route, data = picked(data, ("cao", "tpp", "quote", "frame", "raw-frame"))
    kind, body = picked(data, _MEDIA)
    if route == "frame":
        text = body.decode("utf-8", "replace")
        if _judged(scoped.frame("CancelAllOrders", text)):
            _cancel_all(text.encode())
    elif route == "raw-frame":
        if _judged(scoped.text_frame(body)):
            _payloads(body)
    elif _judged(scoped.post({"cao": scoped.CAO, "tpp": scoped.TPP, "quote": scoped.CQ}[route], body, kind)):
        if route == "cao":
            _cancel_all(body)
        elif route == "tpp":
            _instructions(body)


def _payloads(body: bytes) -> None:
    """A raw frame that may go: what every reader finds in it as CancelAllOrders is in scope."""
    for read in careless.JSON_READERS:
        try:
            frame = read(body.decode())
        except (ValueError, RecursionError):
            continue
        call = [*careless.members_of(frame, "n")]
        if any(str(one).strip().lower() == "cancelallorders" for one in call):
            for payload in careless.members_of(frame, "o"):
                if isinstance(payload, str) and read is not careless.tolerant:  # which leaves most escapes as they are
                    _cancel_all(payload.encode("utf-8", "replace"), (read,))


def _short(reason: str) -> None:
    assert len(reason) <= 1_000, f"a reason of {len(reason)} characters"
    reason.encode("ascii")


def harness(_folder: Path) -> Look:
    """The reader, in bounded time."""
    return bounded(look)


def seeds() -> Iterator[bytes]:
    routes = {"/AP/CancelAllOrders": 0, "/api/orders/cancellations": 1, "/AP/CancelQuote": 2}
    for path, media, body in requests():
        if path in routes:
            yield chosen(routes[path], chosen(1 if "xml" in media else 0, body))
        if path == "/AP/CancelAllOrders":
            yield chosen(3, chosen(0, body))
            quoted = json.dumps(body.decode("utf-8", "replace")).encode()
            yield chosen(4, chosen(0, b'{"m":0,"i":2,"n":"CancelAllOrders","o":' + quoted + b"}"))
    yield chosen(0, chosen(0, b'{\'AccountId\': 0x9, /* 77 */ "accountid": "\\u0039"}'))
    yield chosen(0, chosen(2, '{"AccountId": 9}'.encode("utf-16")))
