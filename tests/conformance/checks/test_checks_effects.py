"""What became of orders and quotes, compared with what the answer says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from checks_support import (
    CAO,
    TPP,
    broken,
    case,
    error,
    failed,
    http,
    instruction,
    judged,
    kit,
    no_answer,
    result,
    success,
)

from conformance.checks.outcome import moved, undone
from conformance.model.case import Alternative

DONE = case(CAO, Alternative({"code": [0]}, cancelled=("mine",), untouched=("stranger",)))
REFUSED = case(CAO, Alternative({"code": [20]}, untouched=("mine",)), outside="")
OPEN = {"mine": "open", "stranger": "open"}


@pytest.mark.parametrize(
    ("mine", "stranger", "expected"),
    [
        ("cancelled", "open", []),
        ("open", "open", ["EFFECT"]),
        ("mixed", "open", ["EFFECT"]),
        ("cancelled", "cancelled", ["OUTSIDE"]),
        ("cancelled", "mixed", ["OUTSIDE"]),
        ("cancelled", "executed", []),
        ("open", "cancelled", ["EFFECT", "OUTSIDE"]),
    ],
)
def test_what_is_named_goes_and_the_rest_stays(mine: str, stranger: str, expected: list[str]) -> None:
    judgement = judged(DONE, http(success()), before=OPEN, after={"mine": mine, "stranger": stranger})
    assert broken(judgement) == expected


def test_a_refusal_leaves_everything_as_it_was() -> None:
    assert broken(judged(REFUSED, http(error(20)), before=OPEN, after={"mine": "open"})) == []
    assert broken(judged(REFUSED, http(error(20)), before=OPEN, after={"mine": "cancelled"})) == ["EFFECT"]


def test_what_was_cancelled_before_counts_as_untouched() -> None:
    gone = {"mine": "cancelled"}
    assert broken(judged(REFUSED, http(error(20)), before=gone, after=gone)) == []
    assert broken(judged(REFUSED, http(error(20)), before=gone, after={"mine": "open"})) == ["EFFECT"]


@pytest.mark.parametrize(
    ("before", "after", "unverified"),
    [
        (OPEN, {}, ("EFFECT", "OUTSIDE")),
        (OPEN, {"mine": "cancelled"}, ("OUTSIDE",)),
        ({"mine": "open"}, {"mine": "cancelled", "stranger": "cancelled"}, ("OUTSIDE",)),
        (OPEN, {"mine": "cancelled", "stranger": "executed"}, ("OUTSIDE",)),
        (OPEN, {"mine": "unknown", "stranger": "unknown"}, ("EFFECT", "OUTSIDE")),
        ({"mine": "open", "stranger": "unknown"}, {"mine": "cancelled", "stranger": "open"}, ("OUTSIDE",)),
        (OPEN, {"mine": "cancelled", "stranger": "open"}, ()),
    ],
)
def test_what_nobody_could_observe_is_unverified(
    before: dict[str, str], after: dict[str, str], unverified: tuple[str, ...]
) -> None:
    judgement = judged(DONE, http(success()), before=before, after=after)
    assert (broken(judgement), judgement.unverified) == ([], unverified)


def test_without_requirements_of_their_own_effects_speak_for_the_case() -> None:
    plain = case(CAO, *DONE.expect.any_of, effect="", outside="")
    judgement = judged(plain, http(success()), before=OPEN, after={"mine": "open", "stranger": "cancelled"})
    assert broken(judgement) == ["CASE", "CASE"]


def test_effects_are_not_judged_behind_a_wrong_answer() -> None:
    judgement = judged(DONE, http(error(20)), before=OPEN, after=OPEN)
    assert (broken(judgement), judgement.blocked) == (["CASE"], ("effect",))


BOTH = case(
    CAO,
    Alternative({"code": [0]}, ("mine",), ("quote",), ("cancel-all-takes-quotes=no",)),
    Alternative({"code": [0]}, ("mine", "quote"), (), ("cancel-all-takes-quotes=yes",)),
)


@pytest.mark.parametrize(("quote", "reading"), [("open", "no"), ("cancelled", "yes")])
def test_the_effect_tells_two_readings_with_the_same_answer_apart(quote: str, reading: str) -> None:
    state = {"mine": "open", "quote": "open"}
    judgement = judged(BOTH, http(success()), before=state, after={"mine": "cancelled", "quote": quote})
    assert broken(judgement) == []
    assert f"cancel-all-takes-quotes={reading}" in judgement.readings


def test_an_effect_that_nobody_observed_shows_no_reading() -> None:
    judgement = judged(BOTH, http(success()), before={"mine": "open", "quote": "open"}, after={})
    assert not [one for one in judgement.readings if one.startswith("cancel-all")]


def test_the_nearest_alternative_speaks_where_none_fits() -> None:
    state = {"mine": "open", "quote": "open"}
    judgement = judged(BOTH, http(success()), before=state, after=state)
    assert broken(judgement) == ["EFFECT"]


TOGETHER = case(
    TPP, Alternative({"results": [True]}, cancelled=("order",)), Alternative({"results": [False]}, cancelled=("order",)), together=2,
)  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "after", "expected"),
    [
        (result(), failed(), "cancelled", []),
        (failed(), result(), "cancelled", []),
        (result(), result(), "cancelled", ["CASE"]),
        (result(), failed(), "open", ["EFFECT"]),
        (failed(), failed(), "open", []),
        (failed(), failed(), "cancelled", ["OUTSIDE"]),
        (result(2), failed(), "cancelled", ["TPP-RESP-IDENTITY"]),
        (result(Success=1), failed(), "cancelled", ["TPP-RESP-SUCCESS", "CASE"]),
    ],
)
def test_copies_side_by_side_succeed_once(first: object, second: object, after: str, expected: list[str]) -> None:
    judgement = judged(
        TOGETHER, http([first]), http([second]), sent=[instruction()], before={"order": "open"}, after={"order": after}
    )
    assert broken(judgement) == expected


def test_a_copy_without_an_answer_is_one_finding() -> None:
    judgement = judged(
        TOGETHER, http([result()]), no_answer(), sent=[instruction()], before={"order": "open"}, after={"order": "open"}
    )
    assert broken(judgement) == ["TPP-ANSWERED"]


@pytest.mark.parametrize(("quote", "unsettled"), [("open", True), ("cancelled", False)])
def test_what_another_reading_would_have_cancelled_may_only_need_time(quote: str, unsettled: bool) -> None:
    state = {"mine": "open", "quote": "open"}
    judgement = judged(BOTH, http(success()), before=state, after={"mine": "cancelled", "quote": quote})
    assert (broken(judgement), judgement.unsettled) == ([], unsettled)


def test_a_wrong_effect_is_settled() -> None:
    state = {"mine": "open", "quote": "open"}
    assert not judged(BOTH, http(success()), before=state, after=state).unsettled


@pytest.mark.parametrize(
    ("own", "success", "requirement", "message"),
    [
        (False, True, "CO-EFFECT-ONLY", "a thing of the run, which the message may not change, changed"),
        (True, True, "CO-EFFECT-ONLY", "a thing of the run, which the message names, changed after its answer"),
        (False, False, "CO-REFUSED-NO-EFFECT", "a thing of the run, which the message may not change, changed"),
    ],
)
def test_standing_thing_that_moved_is_on_the_sentence_of_the_answer(
    own: bool, success: bool, requirement: str, message: str
) -> None:
    operation = kit("alphapoint.cancel_order").operation
    found = moved(operation, case(CAO).expect, "order 5", "cancelled", own=own, success=success)
    assert (found.check, found.requirement, found.message) == ("standing", requirement, message)
    assert (found.expected, found.actual, found.at, found.way) == ("open", "cancelled", "order 5", "touched")


def test_standing_thing_that_came_back_is_on_the_sentence_of_success() -> None:
    operation, expect = kit("alphapoint.cancel_order").operation, case(CAO).expect
    found = undone(operation, expect, "order 5")
    assert (found.check, found.requirement) == ("standing", "CO-EFFECT")
    assert (found.expected, found.actual, found.at, found.way) == ("cancelled", "open", "order 5", "undone")


def test_standing_thing_is_on_the_sentence_of_the_case_where_the_call_has_none() -> None:
    operation = replace(
        kit("alphapoint.cancel_order").operation, effect_beyond="", effect_of_success="", attribution={}
    )
    expect = case(CAO).expect
    assert undone(operation, expect, "order 5").requirement == "EFFECT"
    for told in (True, False):
        assert moved(operation, expect, "order 5", "cancelled", own=False, success=told).requirement == "EFFECT"
