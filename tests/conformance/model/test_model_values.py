"""The value classes: what they say beyond their fields."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conformance.errors import (
    ConfigurationError,
    ConformanceError,
    HarnessError,
    JournalError,
    SpecError,
    TargetUnreachable,
    UsageError,
)
from conformance.formats.json.format import JSON
from conformance.formats.xml.format import XML
from conformance.model.case import Body, Transport, media_slug
from conformance.model.spec import Reading, Shape
from conformance.model.verdict import Finding, Verdict

if TYPE_CHECKING:  # values are frozen: were this one not, the type checker would refuse the comment as unneeded
    Body("x").text = "y"  # type: ignore[misc]


def reading(operations: tuple[str, ...], also: tuple[str, ...] = ()) -> Reading:
    return Reading("r", "service", operations, "A-1", "?", {"x": "one", "y": "other"}, also)


def test_a_reading_has_a_requirement_for_each_operation() -> None:
    assert reading(("a", "b"), ("B-1",)).requirements == {"a": "A-1", "b": "B-1"}


def test_the_last_requirement_stands_for_the_operations_behind_it() -> None:
    assert reading(("a", "b", "c"), ("B-1",)).requirements == {"a": "A-1", "b": "B-1", "c": "B-1"}
    assert reading(("a", "b")).requirements == {"a": "A-1", "b": "A-1"}


def test_a_transport_is_its_short_name_on_the_outside() -> None:
    assert [str(one) for one in Transport] == ["http", "ws"]
    assert json.dumps({"transport": Transport.WS}) == '{"transport": "ws"}'
    assert [one.label for one in Transport] == ["HTTP", "WebSocket"]
    assert [one.address_key for one in Transport] == ["http", "websocket"]


def test_frames_carry_one_media_type_that_no_header_names() -> None:
    assert [one.framed for one in Transport] == [False, True]
    assert [one.may_be_silent for one in Transport] == [False, True]
    assert [one.carries("text/xml") for one in Transport] == [True, False]
    assert Transport.WS.carries("application/json")
    assert [one.accept("application/json") for one in Transport] == ["application/json", None]


def test_a_shape_says_what_is_asked_and_what_a_success_and_a_refusal_are() -> None:
    assert [one.listed for one in Shape] == [False, False, True, False, False]
    assert [one.instructs for one in Shape] == [False, False, True, True, False]
    assert [one.legs for one in Shape] == [(), ("bid", "ask"), (), (), ()]
    assert [one.success for one in Shape] == [
        {"code": [0]},
        {"code": [0]},
        {"results": [True]},
        {"results": [True]},
        {"form": "data"},
    ]
    assert [one.refusal((100, 104)) for one in Shape] == [
        {"code": [100, 104]},
        {"code": [100, 104]},
        {"form": "refused"},
        {"form": "refused"},
        {"form": "error"},
    ]


def test_media_types_can_stand_in_an_id() -> None:
    assert [media_slug(one) for one in (*JSON.media_types, *XML.media_types)] == [
        "application-json",
        "text-json",
        "application-xml",
        "text-xml",
    ]


def test_a_verdict_is_its_word() -> None:
    assert f"{Verdict.NOT_VERIFIED}" == "not-verified"


def test_values_compare_and_hash_by_what_they_hold() -> None:
    assert Finding("A-1", "check", "message") == Finding("A-1", "check", "message", way="x")
    assert {Body("x"), Body("x"), Body("y")} == {Body("x"), Body("y")}
    with pytest.raises(AttributeError):
        Body("x").other = "y"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (UsageError, 2),
        (ConfigurationError, 2),
        (SpecError, 2),
        (JournalError, 2),
        (TargetUnreachable, 3),
        (HarnessError, 5),
    ],
)
def test_each_error_has_its_exit_code(kind: type[ConformanceError], code: int) -> None:
    assert kind("no").exit_code == code


def test_an_error_says_where_and_what_to_do() -> None:
    assert str(SpecError("no such key", where="a.yaml:3", hint="Add it.")) == "a.yaml:3: no such key\nAdd it."
    assert str(SpecError("no such key")) == "no such key"
