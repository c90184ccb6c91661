"""Messages that sessions with a limited target file send, heard by lenient readers: nothing foreign is touched.

A part of what a run, its generated cases and an exploring run send; `RECORDED=all` (`tox -e recorded`) for all of it.
"""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass

import pytest
from lenient_readers import READERS, touched
from lenient_things import Sent
from recorder import SERVICES, Allowed, Cases, contract, explored, generated, guard, named, record, sample
from scope_readers import EVERY
from scope_support import CAO, NAMESPACE, TPP, text_frame

from conformance.wire.messages import HttpRequest

WHOLE = os.environ.get("RECORDED") == "all"
pytestmark = pytest.mark.timeout(1200 if WHOLE else 60)
OWN, FOREIGN, FOREIGN_ORDER = 4101, 4000, 61001
"""An account of the target file; an account and an order that exist beside it in the world that it describes."""
EMPTY = frozenset(
    {"utf-16 and utf-32", "ebcdic", "by position", "path", "headers", "parts", "packed", "xml, attributes"}
)
"""Readers that hear nothing of a message that may be sent: what is written like that is refused."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is sent in one test: how many messages at least, and which cases."""

    name: str
    least: int
    services: tuple[str, ...]
    cases: Cases


def _parts() -> list[Part]:
    """One of each kind, or as many as make 160,000 messages."""
    alphapoint, tpp = SERVICES[:1], SERVICES[1:]
    if not WHOLE:
        return [
            Part("named", 800, SERVICES, named(step=8)),
            Part("generated", 450, SERVICES, generated(0, 150)),
            Part("explored", 300, SERVICES, explored(60, seed=1)),
        ]
    parts = [Part("named", 9_000, SERVICES, named())]
    parts += [Part(f"generated-alphapoint-{n}", 10_000, alphapoint, generated(n * 11_000, 11_000)) for n in range(8)]
    parts += [Part(f"generated-tpp-{n}", 10_000, tpp, generated(n * 40_000, 40_000)) for n in range(2)]
    parts += [Part(f"explored-alphapoint-{n}", 10_000, alphapoint, explored(10_000, seed=n)) for n in range(4)]
    return [*parts, *(Part(f"explored-tpp-{n}", 7_000, tpp, explored(40_000, seed=n)) for n in range(2))]


@pytest.mark.parametrize("part", _parts(), ids=lambda part: part.name)
def test_no_reader_hears_of_anything_foreign(part: Part) -> None:
    heard = record(part.cases, services=part.services, most=part.least if WHOLE else None)
    assert {name: found[:3] for name, found in heard.foreign.items()} == {}
    assert heard.sent >= part.least
    assert heard.different > part.least / 5


def test_whole_recording_is_large_enough() -> None:
    assert not WHOLE or sum(part.least for part in _parts()) >= 160_000


def _call(body: str | bytes, path: str = CAO, **headers: str) -> Sent:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Sent(
        body.encode() if isinstance(body, str) else body, path, "POST", (("Content-Type", "application/json"), *named)
    )


def _xml(inner: str, before: str = "") -> Sent:
    text = f'{before}<a xmlns="{NAMESPACE}" xmlns:p="urn:p"><b>{inner}</b></a>'
    return Sent(text.encode(), TPP, "POST", (("Content-Type", "application/xml"),))


OWN_BODY = f'{{"OMSId":7,"AccountId":{OWN}}}'
PLANTED: dict[str, Sent] = {
    "json, last of equal keys": _call(f'{{"AccountId":{OWN},"AccountId":{FOREIGN}}}'),
    "json, first of equal keys": _call(f'{{"AccountId":{FOREIGN},"AccountId":{OWN}}}'),
    "json, names in any form": _call(f'{{"AccountId":{OWN},"account_ID":{FOREIGN}}}'),
    "json, names as written": _call(f'{{"\\u0041ccountId":{OWN}}}'),
    "json, the first value": _call(f'{{"AccountId":{FOREIGN}}} {OWN_BODY}'),
    "json, all values": _call(f'{OWN_BODY}\n{{"AccountId":{FOREIGN}}}'),
    "json, any depth": _call(f'{{"AccountId":{OWN},"x":[{{"AccountId":{FOREIGN}}}]}}'),
    "json in texts": _call(f'{{"AccountId":{OWN},"x":"{{\\"AccountId\\":{FOREIGN}}}"}}'),
    "json with comments": _call(f'{{"AccountId":{OWN} /* " */, "AccountId":{FOREIGN}, }}'),
    "json without quotes": _call(f"{{AccountId:{FOREIGN}}}"),
    "json, unescaped before": _call(f"%7B%22AccountId%22%3A{FOREIGN}%7D"),
    "python": _call("{'AccountId': 4_000}"),
    "yaml": _call(f"AccountId: {FOREIGN}\n"),
    "utf-16 and utf-32": _call(f'{{"AccountId":{FOREIGN}}}'.encode("utf-16")),
    "utf-7": _call(b'{"AccountId":+ADQAMAAwADA-}'),
    "ebcdic": _call(f'{{"AccountId":{FOREIGN}}}'.encode("cp037")),
    "by position": _call(f"[7, {FOREIGN}]"),
    "by pattern": _call(f'{{"AccountId":{OWN},"x":"AccountId={FOREIGN}"}}'),
    "form and query": _call(OWN_BODY, f"{CAO}?AccountId={FOREIGN}"),
    "path": _call(OWN_BODY, f"{CAO}/{FOREIGN}"),
    "headers": _call(OWN_BODY, X_Account_Id=str(FOREIGN)),
    "parts": _call(f'--b\r\nContent-Disposition: form-data; name="AccountId"\r\n\r\n{FOREIGN}\r\n--b--\r\n'),
    "packed": _call(gzip.compress(f'{{"AccountId":{FOREIGN}}}'.encode())),
    "xml, tree": _xml(f"<p:OrderID>{str(FOREIGN_ORDER)[0]}<x>{str(FOREIGN_ORDER)[1:]}</x></p:OrderID>"),
    "xml, events": _xml("<OrderID>&o;</OrderID>", f'<!DOCTYPE a [<!ENTITY o "{FOREIGN_ORDER}">]>'),
    "xml, mended": _xml(f"<OrderID>{FOREIGN_ORDER}</OrderID"),
    "xml, attributes": _xml(f'<c OrderID="{FOREIGN_ORDER}"/>'),
    "xml, html": _xml(f"<ORDERID>{FOREIGN_ORDER}<br>"),
    "xml, tags": _xml(f"<!-- <OrderID>{FOREIGN_ORDER}</OrderID> -->"),
}
"""For each reader a message that is foreign in its own dialect."""


def _allowed(name: str) -> Allowed:
    return Allowed(sample("tpp" if name.startswith("xml") else "alphapoint")["scope"])


def test_every_reader_has_a_planted_message() -> None:
    assert list(PLANTED) == list(READERS)


@pytest.mark.parametrize("name", PLANTED)
def test_planted_foreign_id_is_heard_and_refused(name: str) -> None:
    sent = PLANTED[name]
    planted = {("account", FOREIGN), ("order", FOREIGN_ORDER), ("account", EVERY)}
    assert _allowed(name).foreign(touched(sent, READERS[name])) & planted
    for service in SERVICES:
        assert not guard(service)(HttpRequest(sent.method, sent.path, sent.headers, sent.body)).allowed


NUMBERS = ("4000", '"4000"', '" 4_000"', '"4000abc"', "4000.0", '"0xFA0"', '"07640"', '"076409"', "4e3",
           str(2**32 + FOREIGN), str(2**64 + FOREIGN), str(FOREIGN - 2**32))  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_foreign_number_is_heard_however_it_is_written(number: str) -> None:
    sent = _call(f'{{"AccountId":{number}}}')
    frame = text_frame(f'{{"m":0,"i":2,"n":"CancelAllOrders","o":{{"AccountId":{number}}}}}')
    for one in (sent, Sent(str(frame.text).encode())):
        assert ("account", FOREIGN) in touched(one, READERS["json, names in any form"])
    assert not guard("alphapoint")(HttpRequest("POST", CAO, sent.headers, sent.body)).allowed
    assert not guard("alphapoint")(frame).allowed


@pytest.mark.parametrize("name", ["GetOpenOrders", "Ping"])
def test_what_only_reads_touches_nothing(name: str) -> None:
    sent = _call(f'{{"AccountId":{FOREIGN}}}', f"/AP/{name}")
    assert not any(touched(sent, read) for read in READERS.values())


def test_own_call_touches_its_account_alone() -> None:
    sent = _call(OWN_BODY)
    assert set().union(*(touched(sent, read) for read in READERS.values())) == {("account", OWN), ("oms", 7)}


def test_readers_hear_what_the_guard_keeps_back() -> None:
    heard = record(named(step=20), everything=True)
    assert heard.refused == 0
    assert len(heard.foreign) > 12
    assert all("account" in str(found) or "order" in str(found) for found in heard.foreign.values())
    assert {name for name in READERS if not heard.touched[name]} <= {*EMPTY, "form and query"}


def test_the_worlds_foreign_ids_are_in_no_scope() -> None:
    assert _allowed("json").foreign({("account", FOREIGN), ("account", OWN)}) == {("account", FOREIGN)}
    assert _allowed("xml").foreign({("order", FOREIGN_ORDER)}) == {("order", FOREIGN_ORDER)}
    assert contract().services.keys() >= set(SERVICES)
