"""A format that no body shows by itself: the guard looks for it where a content type names it and the call takes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from form_urlencoded.format import FORM, MEDIA_TYPE
from scope_support import ACCOUNT, CAO, FOREIGN_ACCOUNT, LIMITED, OMS, post

from conformance.contract.load import load_contract
from conformance.formats import registry
from conformance.formats.members import Content
from conformance.guard.guard import Catalogue, Granted, catalogue_of, decide_by
from conformance.guard.messages import body_content, text_content
from conformance.wire.messages import HttpRequest

OWN, FOREIGN = f"OMSId={OMS}&AccountId={ACCOUNT}", f"OMSId={OMS}&AccountId={FOREIGN_ACCOUNT}"
NAME = "alphapoint.cancel_all_orders"


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    registry.register(FORM)
    yield
    registry.unregister(FORM)


def calls(*media_types: str) -> Catalogue:
    """CancelAllOrders as a call that takes these media types."""
    return catalogue_of({NAME: replace(load_contract().operations[NAME], media_types=media_types)})


def allowed(request: HttpRequest, *media_types: str) -> bool:
    return decide_by(calls(*media_types), LIMITED, request, Granted()).allowed


def test_a_form_is_judged_by_its_members_where_the_call_takes_forms() -> None:
    assert allowed(post(CAO, OWN, MEDIA_TYPE), "application/json", MEDIA_TYPE)
    assert not allowed(post(CAO, FOREIGN, MEDIA_TYPE), "application/json", MEDIA_TYPE)


def test_a_form_cannot_be_judged_where_the_call_takes_none_or_nobody_names_it() -> None:
    assert not allowed(post(CAO, OWN, MEDIA_TYPE), "application/json")
    assert not allowed(post(CAO, OWN), "application/json", MEDIA_TYPE)


def test_a_text_is_read_in_the_format_that_it_shows_and_in_those_that_are_named() -> None:
    (shown,) = text_content('{"a":"b=1"}').views
    assert text_content('{"a":"b=1"}', (FORM,)).views == (shown, *FORM.members('{"a":"b=1"}').views)
    assert text_content("b=1", (FORM,)) == FORM.members("b=1")
    assert text_content("b=1") == Content(unreadable=("b=1",))


def test_a_content_type_that_cannot_be_read_names_no_format() -> None:
    named = body_content(b"b=1", ("nonsense", MEDIA_TYPE), (MEDIA_TYPE,))
    assert (named.views[0], named.unreadable) == (FORM.members("b=1").views[0], ())
    assert body_content(b"b=1", ("nonsense",), (MEDIA_TYPE,)).unreadable == ("b=1",)
    assert body_content(b"b=1", (MEDIA_TYPE,)).unreadable == ("b=1",)
