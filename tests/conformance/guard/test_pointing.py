"""No body points the server at a place that is not the run's own, whatever the scope."""

from __future__ import annotations

import pytest
from scope_support import post

from conformance.endpoint.model import ScopePart
from conformance.guard.guard import Guard, catalogue_of, scope_of
from conformance.guard.pointing import points_elsewhere

OWN = "http://127.0.0.1:8123/5f0c"
ENTITY = '<!DOCTYPE a [<!ENTITY o SYSTEM "{}">]><a>&o;</a>'


@pytest.mark.parametrize(
    "body",
    [
        "",
        '{"PIN":"<!"}',
        "<!DOCTYPE a><a/>",
        '<!DOCTYPE a [<!ENTITY o "5">]><a>&o;</a>',
        "<!-- SYSTEM --><a>SYSTEM 'x' &#53;</a>",
        '<!DOCTYPE a [<!ENTITY o "&#53;">]><a>&o; 5%</a>',
        '<!-- SYSTEM "http://192.0.2.1/" --><!DOCTYPE a><a/>',
        '<!-- &#53; --><!DOCTYPE a [<!ENTITY % p "">%p;]><a/>',
        ENTITY.format(OWN),
        f"<!DOCTYPE a SYSTEM '{OWN}'><a>5</a>",
        f'<!doctype a [<!entity % p system "{OWN}">%p;]><a/>',
    ],
)
def test_body_that_names_nothing_or_the_place_of_the_run_may_go_out(body: str) -> None:
    assert points_elsewhere(body.encode(), {OWN}) == ""
    assert points_elsewhere(body.encode("utf-16"), {OWN}) == ""


@pytest.mark.parametrize(
    "body",
    [
        ENTITY.format("http://192.0.2.1/"),
        ENTITY.format("file:///etc/hostname"),
        ENTITY.format(OWN + "0"),
        ENTITY.format(OWN[:-1]),
        ENTITY.format(""),
        f'<!DOCTYPE a PUBLIC "{OWN}" "http://192.0.2.1/"><a/>',
        f'<!DOCTYPE a PUBLIC "{OWN}"><a/>',
        "<!DOCTYPE a SYSTEM><a/>",
        '<!doctype a [<!entity % p SYSTEM\n\t"http://192.0.2.1/">%p;]><a/>',
        f'<!DOCTYPE a SYSTEM "{OWN}" [<!ENTITY o SYSTEM "http://192.0.2.1/">]><a/>',
        "<!DOCTYPE a [<!ENTITY x ']>'><!ENTITY\n% p \"<!ENTITY o &#x53;YSTEM 'http://192.0.2.1/'>\">%p;]><a/>",
        "<!DOCTYPE a [<!ENTITY % p \"<!ENTITY o &#x53;YSTEM 'http://192.0.2.1/'>\">%p;]><a/>",
        '<a><!ENTITY o SYSTEM "http://192.0.2.1/"></a>',
    ],
)
def test_body_that_names_another_place_does_not_go_out(body: str) -> None:
    for encoding in ("utf-8", "utf-16", "utf-16-be", "utf-32"):
        assert points_elsewhere(body.encode(encoding), {OWN}).startswith("the document type in the body")


@pytest.mark.parametrize("everything", [True, False])
def test_guard_lets_through_the_place_that_was_granted_alone(everything: bool) -> None:
    guard = Guard(catalogue_of({}), scope_of(ScopePart(everything=everything)), set())
    sent = post("/api/orders/cancellations", ENTITY.format(OWN))
    refused = guard(sent)
    assert not refused.allowed
    assert refused.reason == f"the document type in the body names {OWN!r}, which the server might open"
    guard.grant({"canary": OWN})
    assert guard.uids == set()
    assert guard(sent).allowed is everything
    assert not guard.afresh()(sent).allowed
    assert not guard(post("/api/orders/cancellations", ENTITY.format("http://192.0.2.1/"))).allowed


def test_places_are_granted_beside_each_other_and_beside_ids() -> None:
    guard = Guard(catalogue_of({}), scope_of(ScopePart()), set())
    guard.grant({"canary": OWN, "mine.OrderID": 5})
    guard.grant({"file": "file:///tmp/5f0c", "other.OrderID": 6})
    assert guard.places == {OWN, "file:///tmp/5f0c"}
    assert guard.orders == {5, 6}
