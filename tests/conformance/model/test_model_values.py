"""The value classes: what they say beyond their fields."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

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
from conformance.model.case import Body, media_slug
from conformance.model.spec import Reading
from conformance.model.verdict import Finding, Verdict


def reading(operations: tuple[str, ...], also: tuple[str, ...] = ()) -> Reading:
    return Reading("r", "service", operations, "A-1", "?", {"x": "one", "y": "other"}, also)


def test_a_reading_has_a_requirement_for_each_operation() -> None:
    assert reading(("a", "b"), ("B-1",)).requirements == {"a": "A-1", "b": "B-1"}


def test_the_last_requirement_stands_for_the_operations_behind_it() -> None:
    assert reading(("a", "b", "c"), ("B-1",)).requirements == {"a": "A-1", "b": "B-1", "c": "B-1"}
    assert reading(("a", "b")).requirements == {"a": "A-1", "b": "A-1"}


def test_media_types_can_stand_in_an_id() -> None:
    types = ("application/json", "text/json", "application/xml", "text/xml")
    assert [media_slug(one) for one in types] == ["application-json", "text-json", "application-xml", "text-xml"]


def test_a_verdict_is_its_word() -> None:
    assert f"{Verdict.NOT_VERIFIED}" == "not-verified"


def test_values_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Body("x").text = "y"  # type: ignore[misc]
    assert Finding("A-1", "check", "message") == Finding("A-1", "check", "message")


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
