"""An answer against the alternatives of an expectation, the pins that narrow them, and the words of a finding."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from checks_support import (
    CAO,
    CQ,
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

from conformance.checks.kit import build_kit
from conformance.checks.outcome import allowed, in_words
from conformance.errors import SpecError
from conformance.model.case import Alternative


@pytest.mark.parametrize(
    ("answer", "body", "status", "fits"),
    [
        ({"code": 0}, success(), 200, True),
        ({"code": [0]}, error(20), 200, False),
        ({"code": [20, 104]}, error(104), 200, True),
        ({"code": [20, 104]}, error(100), 200, False),
        ({"code": [20]}, error(20, errorcode=None), 200, False),
        ({"code": [100], "detail": "given"}, error(100, detail="because"), 200, True),
        ({"code": [100], "detail": "given"}, error(100, detail=""), 200, False),
        ({"code": [100], "detail": "given"}, error(100, detail=None), 200, False),
        ({"form": "standard"}, success(), 200, True),
        ({"form": "http-refusal"}, error(20), 403, True),
        ({"form": "http-refusal"}, error(20), 200, False),
        ({"form": "error-frame"}, success(), 200, False),
        ({"form": "served"}, success(), 200, True),
        ({"form": "served"}, "", 204, True),
        ({"form": "served"}, "POST", 299, True),
        ({"form": "served"}, success(), 300, False),
        ({"form": "served"}, error(20), 405, False),
    ],
)
def test_a_code_or_form_is_demanded_exactly(answer: Any, body: Any, status: int, fits: bool) -> None:
    judgement = judged(case(CAO, Alternative(answer)), http(body, status))
    assert ("CASE" not in broken(judgement)) is fits


@pytest.mark.parametrize(
    ("wanted", "results", "fits"),
    [
        ([True], [result(1)], True),
        ([True], [failed(1)], False),
        ([False], [failed(1)], True),
        ([False], [result(1)], False),
        (["any"], [failed(1)], True),
        ([True, False], [result(1), failed(2)], True),
        ([True, False], [failed(1), result(2)], False),
        ("all", [result(1), result(2)], True),
        ("all", [result(1), failed(2)], False),
        ("all", [], False),
        ([], [], True),
        ("none", [failed(1), failed(2)], True),
        ("none", [failed(1), result(2)], False),
    ],
)
def test_each_result_is_held_against_its_own_expectation(wanted: Any, results: Any, fits: bool) -> None:
    sent = [instruction(number) for number, _ in enumerate(results, 1)]
    judgement = judged(case(TPP, Alternative({"results": wanted})), http(results), sent=sent)
    assert (broken(judgement) == []) is fits


def test_a_result_list_is_no_refusal() -> None:
    assert broken(judged(case(TPP, Alternative({"form": "refused"})), http([failed()]), sent=[instruction()])) == [
        "CASE"
    ]


def test_one_alternative_that_fits_is_enough() -> None:
    one = case(TPP, Alternative({"form": "refused"}), Alternative({"results": [False]}))
    assert broken(judged(one, http([failed()]), sent=[instruction()])) == []


TWO = (
    Alternative({"code": [20]}, readings=("foreign-account=20",)),
    Alternative({"code": [104]}, readings=("foreign-account=104",)),
)


@pytest.mark.parametrize(
    ("code", "pin", "expected"),
    [
        (20, "20", []),
        (104, "104", []),
        (104, "20", ["CASE", "PIN-foreign-account"]),
        (20, "104", ["CASE", "PIN-foreign-account"]),
    ],
)
def test_a_pin_leaves_the_pinned_alternative_alone(code: int, pin: str, expected: list[str]) -> None:
    assert broken(judged(case(CAO, *TWO), http(error(code)), pins={"foreign-account": pin})) == expected


def test_another_pin_changes_nothing() -> None:
    assert allowed(TWO, {"unknown-id": "104"}) == TWO


def test_where_pins_leave_nothing_the_finding_says_so() -> None:
    first, second = judged(case(CAO, *TWO), http(error(20)), pins={"foreign-account": "none"}).findings
    assert first.expected == "an answer that agrees with the pinned readings"
    assert second.requirement == "PIN-foreign-account"


@pytest.mark.parametrize(("pin", "expected"), [("null", []), ("empty", ["PIN-errormsg-on-success"])])
def test_a_pinned_reading_that_an_answer_shows_is_held(pin: str, expected: list[str]) -> None:
    judgement = judged(case(CAO, Alternative({"code": [0]})), http(success()), pins={"errormsg-on-success": pin})
    assert broken(judgement) == expected


def test_the_reading_of_the_alternative_is_reported() -> None:
    assert "foreign-account=104" in judged(case(CAO, *TWO), http(error(104))).readings


@pytest.mark.parametrize(
    ("operation", "body", "status", "code", "seen"),
    [
        (CAO, success(), 200, None, "0"),
        (CAO, error(106), 200, None, "106"),
        (TPP, [result()], 200, None, "success"),
        (TPP, [failed()], 200, "order-not-active", "order-not-active"),
        (TPP, [failed()], 200, "success", "failure"),
        (TPP, '"no"', 400, None, "error-string"),
        (TPP, [], 200, None, None),
        (TPP, '{"Message":"no"}', 404, None, None),
    ],
)
def test_the_code_that_was_seen_is_noted(
    operation: str, body: Any, status: int, code: str | None, seen: str | None
) -> None:
    assert judged(case(operation, Alternative({}), code=code), http(body, status)).code_seen == seen


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"code": 0}, "code 0"),
        ({"code": [20, 100, 104]}, "code 20, 100 or 104"),
        ({"form": "flat", "code": [20]}, "one flat object with code 20"),
        ({"form": "results"}, "results"),
        ({"code": [100], "detail": "given"}, "code 100 with a detail"),
        ({"bid": [104], "ask": 0}, "bid with code 104 and ask with code 0"),
        ({"results": [True, "any"]}, "results [true, any]"),
        ({"results": "all"}, "success for all"),
        ({"results": "none"}, "no success"),
        ({"form": "session-missing"}, "HTTP 404 NOT FOUND"),
    ],
)
def test_an_expectation_is_said_in_words(answer: Any, words: str) -> None:
    assert in_words([Alternative(answer), Alternative(answer, untouched=("x",))]) == words


def test_alternatives_are_joined() -> None:
    assert in_words(TWO) == "code 20, or code 104"


@pytest.mark.parametrize("operation", [CAO, CQ, TPP])
@pytest.mark.parametrize(
    "kind", ["timeout", "reset", "closed-early", "malformed", "too-large", "no-reply", "content-encoding"]
)
def test_no_answer_is_one_finding_and_blocks_the_rest(operation: str, kind: str) -> None:
    judgement = judged(case(operation, Alternative({"code": [0]})), no_answer(kind))
    assert broken(judgement) == [kit(operation).requirement("answered")]
    assert judgement.blocked == ("schema", "outcome", "effect")


def test_the_same_finding_in_several_exchanges_is_reported_once() -> None:
    one = case(CAO, Alternative({"code": [0]}), together=2)
    assert broken(judged(one, http(success(detail=5)), http(success(detail=5)))) == ["CAO-RESP-DETAIL"]


def test_a_check_without_a_requirement_is_an_error_of_the_contract() -> None:
    with pytest.raises(SpecError, match="no requirement for 'weather'"):
        kit(CAO).requirement("weather")


def test_documented_members_are_found_wherever_the_schema_states_them() -> None:
    assert kit(CQ).members["bidresult"] == "BidResult"
    assert kit(CQ).members["errorcode"] == "errorcode"


def test_a_kit_without_xml_has_no_xml_contracts() -> None:
    plain = kit(TPP).operation
    bare = build_kit(replace(plain, xsd={}))
    assert (bare.xml_response, bare.xml_error) == (None, None)


def test_an_error_of_the_framework_may_have_another_media_type_than_was_asked_for() -> None:
    one = case(TPP, Alternative({"form": "framework"}), accept="application/xml")
    assert judged(one, http('"no"', 415)).findings == ()
    assert [each.check for each in judged(one, http('"no"', 400)).findings] == ["media-type", "outcome"]


def test_the_framework_in_front_of_a_list_tells_its_form_whatever_the_method() -> None:
    one = case(TPP, Alternative({"form": "framework"}))
    one = replace(one, message=replace(one.message, method="GET", path="/elsewhere"))
    assert judged(one, http('{"Message":"no"}', 405)).readings == ("framework-error-form=framework",)


def test_alternative_may_stand_for_several_of_a_reading() -> None:
    several = (Alternative({"code": [20]}, readings=("foreign-account=20|100",)),)
    assert allowed(several, {"foreign-account": "20"}) == allowed(several, {"foreign-account": "100"}) == several
    assert allowed(several, {"foreign-account": "104"}) == ()


def test_reading_of_an_excluded_alternative_is_no_news_where_another_fits() -> None:
    both = (
        Alternative({"code": [0, 20]}, readings=("unknown-id=104",)),
        Alternative({"code": [20]}, readings=("foreign-account=20",)),
    )
    found = judged(case(CAO, *both), http(error(20)), pins={"foreign-account": "104"})
    assert found.findings == ()
    assert "unknown-id=104" in found.readings
    assert "foreign-account=20" not in found.readings


@pytest.mark.parametrize(("after", "news"), [("open", True), ("cancelled", False), (None, False)])
def test_excluded_alternative_is_news_only_where_its_effect_is_seen_as_well(after: str | None, news: bool) -> None:
    two = (
        Alternative({"code": [0]}, readings=("foreign-account=104",)),
        Alternative({"code": [20]}, readings=("foreign-account=20",), untouched=("mine",)),
    )
    seen = {} if after is None else {"mine": after}
    found = judged(
        case(CAO, *two), http(error(20)), pins={"foreign-account": "104"}, before={"mine": "open"}, after=seen
    )
    assert ("PIN-foreign-account" in broken(found)) is news


def test_connection_must_have_been_closed_where_that_is_expected() -> None:
    closing = case(CAO, Alternative({"form": "closed"}))
    assert broken(judged(closing, no_answer("closed-early"))) == []
    assert judged(closing, no_answer("no-reply")).findings[0].check == "answered"


@pytest.mark.parametrize(
    ("wanted", "results", "way"),
    [
        ([[True, True], ["any", True]], [True, False], "refused"),
        ([[True, False], [False, True]], [True, True], "accepted"),
        ([[True, False], [False, True]], [False, False], "refused"),
    ],
)
def test_results_are_wrong_in_the_way_in_which_all_alternatives_are_missed(
    wanted: list[list[Any]], results: list[bool], way: str
) -> None:
    answer = [result(number) if flag else failed(number) for number, flag in enumerate(results, 1)]
    sent = [instruction(number) for number, _ in enumerate(results, 1)]
    judgement = judged(case(TPP, *(Alternative({"results": one}) for one in wanted)), http(answer), sent=sent)
    assert [one.way for one in judgement.findings] == [way]
