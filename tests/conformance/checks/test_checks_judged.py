"""Judgements word for word: what a finding on outcome, effect, identity, secrets or readings says, and where it points."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from checks_support import (
    CAO,
    CQ,
    TPP,
    UID,
    abroad,
    broken,
    case,
    error,
    failed,
    frame,
    http,
    instruction,
    judged,
    kit,
    no_answer,
    result,
    result_xml,
    results_xml,
    success,
    ws,
)
from lxml import etree

from conformance.checks.answer import (
    HTTP_REFUSAL,
    PAIR,
    REFUSED,
    RESULTS,
    STANDARD,
    Answer,
    Judgement,
    Leg,
    Observation,
)
from conformance.checks.identity import Matching, match_results
from conformance.checks.judge import Pins, judge
from conformance.checks.kit import AnswerMemory, Kit, build_kit, repeated_members
from conformance.checks.outcome import OUTCOME, compare, forms_differ, gist_of, judge_effects, told_apart, way_of
from conformance.checks.read import read_answer
from conformance.checks.secrets import echoed, may_be_echoed, texts_beyond
from conformance.contract.load import load_contract
from conformance.errors import SpecError
from conformance.formats.errors import Note
from conformance.model.case import Alternative, Body, Expectation, Message, Transport, Twin
from conformance.model.verdict import Finding

DONE = Alternative({"code": [0]}, cancelled=("mine",), untouched=("yours",))
ANY = Alternative({})
PIN, TOKEN = "4711", "7d0ccf3a-ae63-44f5-a409-2301d80228bc"


def test_what_should_have_been_cancelled_is_named_with_what_became_of_it() -> None:
    found = judged(
        case(CAO, DONE),
        http(success()),
        before={"mine": "open", "yours": "open"},
        after={"mine": "open", "yours": "cancelled"},
    )
    assert found.findings == (
        Finding("EFFECT", "effect", "mine should have been cancelled and was not", "cancelled", "open", "mine"),
        Finding("OUTSIDE", "effect", "yours should not have been touched and was", "open", "cancelled", "yours"),
    )


def test_what_was_seen_cancelled_and_is_not_any_more_came_back() -> None:
    (found,) = judge_effects(
        case(CAO, DONE).expect,
        DONE,
        Observation((), before={"mine": "open"}, after={"mine": "open", "yours": "open"}, shown={"mine": "cancelled"}),
        kit(CAO).operation,
    ).findings
    assert found == Finding(
        "EFFECT", "effect", "mine was cancelled, and came back", "cancelled", "open", "mine", "undone"
    )


def test_an_outcome_that_is_not_allowed_says_what_was() -> None:
    found = judged(case(CAO, DONE, Alternative({"code": [20, 104]})), http(error(100)))
    words = "the answer is not one that the document allows here"
    actual = "HTTP 200; code 100, result false"
    assert found.findings == (Finding("CASE", "outcome", words, "code 0, or code 20 or 104", actual, "answer"),)
    assert (found.blocked, found.code_seen, found.summary) == (("effect",), "100", actual)


def results_of(*flags: object) -> Answer:
    """An answer with a list of results, whose members `Success` have these values."""
    return Answer(frozenset({RESULTS}), results=tuple({"Success": flag} for flag in flags))


def legs_of(*codes: int | None) -> Answer:
    """An answer with a standard object of each code."""
    return Answer(frozenset({STANDARD if len(codes) == 1 else PAIR}), legs=tuple(Leg(code, None) for code in codes))


REFUSAL = Answer(frozenset({REFUSED, HTTP_REFUSAL}))


@pytest.mark.parametrize(
    ("answer", "wanted", "way"),
    [
        (legs_of(0), [{"code": [20]}, {"code": [104]}], "accepted"),
        (legs_of(0), [{"form": "http-refusal"}], "accepted"),
        (legs_of(0), [{"code": [100]}, {"form": "silence"}], "accepted"),
        (results_of(True), [{"results": []}, {"results": [False]}], "accepted"),
        (legs_of(100), [{"code": [0]}], "refused"),
        (legs_of(100), [{"code": 0}], "refused"),
        (legs_of(100), [{"code": [0, 104]}], "otherwise"),
        (legs_of(100), [{"code": [0]}, {"code": [20]}], "otherwise"),
        (legs_of(20), [{"code": [104]}], "otherwise"),
        (legs_of(20), [], "otherwise"),
        (legs_of(20), [{"form": "served"}], "otherwise"),
        (legs_of(None), [{"code": [0]}], "shapeless"),
        (Answer(frozenset({STANDARD}), legs=(Leg(0, False),)), [{"code": [104]}], "shapeless"),
        (Answer(frozenset({STANDARD}), legs=(Leg(0, True),)), [{"code": [104]}], "accepted"),
        (legs_of(0, 104), [{"bid": [104], "ask": [104]}], "accepted"),
        (legs_of(104, 104), [{"bid": [0], "ask": [104]}], "refused"),
        (legs_of(0, 104), [{"code": [104]}], "accepted"),
        (legs_of(0, 104), [{"bid": [0]}], "otherwise"),
        (legs_of(0), [{"form": "silence"}], "accepted"),
        (legs_of(0), [{"form": "served"}], "otherwise"),
        (legs_of(104, 0), [{"ask": [104]}], "accepted"),
        (legs_of(0, 104), [{"ask": [0]}], "refused"),
        (results_of(True, True, True), [{"results": [False, True]}], "otherwise"),
        (results_of(True, True), [{"results": [True, False]}], "accepted"),
        (results_of(False, True), [{"results": [True, True]}, {"form": "refused"}], "refused"),
        (results_of(False, True), [{"results": ["any", "any"]}], "otherwise"),
        (results_of(True), [{"results": "none"}], "accepted"),
        (results_of(False, False), [{"results": "all"}], "refused"),
        (results_of(True, True, True), [{"results": [True, False]}], "otherwise"),
        (results_of(), [{"results": [True]}], "refused"),
        (results_of("yes"), [{"results": [True]}], "shapeless"),
        (REFUSAL, [{"results": [True]}], "refused"),
        (REFUSAL, [{"form": "framework"}], "otherwise"),
        (Answer(frozenset()), [{"results": [True]}], "shapeless"),
    ],
)
def test_a_wrong_outcome_says_in_which_way(answer: Answer, wanted: list[dict[str, Any]], way: str) -> None:
    assert way_of([Alternative(one) for one in wanted], answer, answer.results, "Success") == way


def test_findings_on_outcome_and_effect_say_their_way() -> None:
    (outcome,) = judged(case(CAO, Alternative({"code": [104]})), http(success())).findings
    undone, touched = judged(
        case(CAO, DONE),
        http(success()),
        before={"mine": "open", "yours": "open"},
        after={"mine": "open", "yours": "cancelled"},
    ).findings
    assert (outcome.way, undone.way, touched.way) == ("accepted", "undone", "touched")
    assert OUTCOME.finding_on("R", "wrong", "this", "that").way == ""


def test_an_outcome_that_no_pinned_reading_allows_says_so() -> None:
    one = Alternative({"code": [0]}, readings=("foreign-account=20",))
    found = judged(case(CAO, one), http(success()), pins={"foreign-account": "104"})
    outcome, reading = found.findings
    assert outcome.expected == "an answer that agrees with the pinned readings"
    assert (reading.message, reading.expected, reading.actual) == (
        "the reading foreign-account is pinned to another alternative", "104", "20",
    )  # fmt: skip


def test_another_reading_than_the_pinned_one_is_a_finding_of_its_requirement() -> None:
    found = judged(case(CAO, ANY), http(success(errormsg="")), pins={"errormsg-on-success": "null"})
    words = "the reading errormsg-on-success is pinned to another alternative"
    assert found.findings == (
        Finding("PIN-errormsg-on-success", "reading", words, "null", "empty", "errormsg-on-success"),
    )


def test_what_went_wrong_on_the_way_is_named_with_its_phase() -> None:
    found = judged(case(CAO, ANY), no_answer("reset"))
    assert found.findings == (
        Finding(
            kit(CAO).requirement("answered"), "answered", "no answer: nothing came in 1 s", "an answer", "reset", "wait"
        ),
    )
    assert found.blocked == ("schema", "outcome", "effect")


def test_one_cancellation_succeeds_once() -> None:
    one = Alternative({"results": ["any"]}, cancelled=("mine",))
    sent = [instruction()]
    twice = judged(case(TPP, one, together=2), http([result()]), http([result()]), sent=sent)
    assert twice.findings == (
        Finding(
            "CASE",
            "together",
            "one cancellation succeeded more than once",
            "at most one success",
            "2 successes of 2",
            "answer",
        ),
    )
    assert twice.code_seen is None
    once = judged(
        case(TPP, one, together=2),
        http([result()]),
        http([failed()]),
        sent=sent,
        before={"mine": "open"},
        after={"mine": "open"},
    )
    assert [finding.message for finding in once.findings] == ["mine should have been cancelled and was not"]
    never = judged(
        case(TPP, one, together=2),
        http([failed()]),
        http([failed()]),
        sent=sent,
        before={"mine": "open"},
        after={"mine": "cancelled"},
    )
    assert [finding.message for finding in never.findings] == ["mine should not have been touched and was"]


def test_each_instruction_has_one_result() -> None:
    found = judged(case(TPP, Alternative({"results": "all"})), http([result()]), sent=[instruction(1), instruction(2)])
    requirement = kit(TPP).requirement("one-each")
    assert found.findings == (
        Finding(
            requirement, "one-each", "there is not exactly one result for each instruction", "2 results", "1 result", ""
        ),
    )
    assert found.blocked == ("outcome", "effect")


@pytest.mark.parametrize("wanted", [[], "none"])
def test_fewer_results_are_right_where_an_alternative_has_none(wanted: Any) -> None:
    also = Alternative({"results": ["any", "any"]})
    found = judged(case(TPP, Alternative({"results": wanted}), also), http([]), sent=[instruction(1), instruction(2)])
    assert found.findings == ()


def test_a_result_for_another_order_names_both() -> None:
    found = judged(
        case(TPP, Alternative({"results": "all"})), http([result(1), result(9)]), sent=[instruction(1), instruction(2)]
    )
    words = "a result names another order than its instruction"
    requirement = kit(TPP).requirement("identity")
    assert found.findings == (Finding(requirement, "identity", words, "OrderID 2", "OrderID 9", "/1/OrderID"),)


def test_a_result_for_another_guid_names_the_guid() -> None:
    found = judged(case(TPP, Alternative({"results": "all"})), http([result(5)]), sent=[abroad()])
    assert [(finding.expected, finding.actual, finding.at) for finding in found.findings] == [
        (f'InternationalOrderUID "{UID}"', "InternationalOrderUID null", "/0/InternationalOrderUID")
    ]


@pytest.mark.parametrize(
    ("order", "demanded"),
    [
        (2**31 - 1, True),
        (2**31, False),
        (-(2**31), True),
        (-(2**31) - 1, False),
        (0, True),
        (True, False),
        ("7", False),
    ],
)
def test_an_id_is_demanded_back_where_it_fits_into_32_bits(order: Any, demanded: bool) -> None:
    matching = match_results(kit(TPP), (instruction(order),), (result(12345),))
    assert bool(matching.findings) is demanded


@pytest.mark.parametrize(
    ("uid", "demanded"), [(UID, True), (UID.upper(), True), (f"{{{UID}}}", False), ("x", False), (UID[:-1], False)]
)
def test_a_guid_is_demanded_back_where_it_is_one(uid: str, demanded: bool) -> None:
    matching = match_results(kit(TPP), (abroad(uid),), (result(None),))
    assert bool(matching.findings) is demanded


def test_without_a_condition_what_is_given_decides() -> None:
    loose = dataclasses.replace(kit(TPP), operation=dataclasses.replace(kit(TPP).operation, condition=None))
    assert match_results(loose, (instruction(1),), (result(2),)).findings
    assert match_results(loose, (instruction(1),), (result(1),)).findings == ()
    assert match_results(loose, (instruction(None, InternationalOrderUID=UID),), (result(1),)).findings
    assert match_results(loose, (instruction(1, InternationalOrderUID=UID),), (result(1),)).findings


def test_an_identity_finding_shows_the_member_that_is_wrong() -> None:
    other = {**result(1), "InternationalOrderUID": UID}
    (found,) = match_results(kit(TPP), (instruction(1),), (other,)).findings
    assert (found.at, found.expected, found.actual) == (
        "/0/InternationalOrderUID", "InternationalOrderUID null", f'InternationalOrderUID "{UID}"',
    )  # fmt: skip


def test_a_credential_that_comes_back_is_named_and_not_shown() -> None:
    (found,) = echoed(kit(TPP).operation, [{"Errors": [f"pin {PIN}"]}], (PIN,), {PIN: "binding pin"}.__getitem__)
    assert (found.actual, found.at) == ("binding pin (hidden)", "/0/Errors/0")
    assert PIN not in str(found)


def test_two_answers_with_one_summary_are_told_apart_by_what_differs() -> None:
    left, right = ("results", True), ("results", None)
    assert told_apart("1 result", left, "1 result", right) == (
        "1 result (results, true)",
        "1 result (results, no value)",
    )
    assert told_apart("code 0", left, "code 20", right) == ("code 0", "code 20")


def test_a_success_without_effect_is_not_called_an_error_with_one() -> None:
    operation = kit(CAO).operation
    expect = Expectation("CAO-REQ-FORM", (DONE,), effect=operation.attribution["effect"])
    seen = Observation((), before={"mine": "open", "yours": "open"}, after={"mine": "open", "yours": "open"})
    (found,) = judge_effects(expect, DONE, seen, operation).findings
    assert (found.requirement, found.expected, found.actual) == ("CAO-EFFECT-ACCOUNT", "cancelled", "open")
    unset = dataclasses.replace(operation, effect_of_success="")
    (found,) = judge_effects(expect, DONE, seen, unset).findings
    assert found.requirement == "CAO-REQ-FORM"
    refused = Alternative({"code": [20]}, untouched=("mine",))
    taken = Observation((), before={"mine": "open"}, after={"mine": "cancelled"})
    (found,) = judge_effects(expect, refused, taken, operation).findings
    assert found.requirement == "CAO-REFUSED-NO-EFFECT"


@pytest.mark.parametrize(
    ("earlier", "told"),
    [
        (http('"no such list"', 400), "HTTP 400 with the error string 'no such list'"),
        (http([failed()]), "HTTP 200 with 1 results (false)"),
        (no_answer(), "no answer (timeout)"),
    ],
)
def test_order_of_a_refused_earlier_list_is_laid_to_the_refusal(earlier: Any, told: str) -> None:
    (found,) = _behind(earlier).findings
    assert (found.requirement, found.check, found.way) == ("TPP-RESP-SUCCESS", "outcome", "refused")
    assert found.message == "e was not cancelled: the earlier request, which alone names it, was refused"
    assert found.actual == f"open; the earlier request was answered: {told}"


def test_order_of_an_earlier_list_that_reports_success_is_an_effect_that_is_lacking() -> None:
    (found,) = _behind(http([result()])).findings
    assert (found.requirement, found.message) == ("EFFECT", "e should have been cancelled and was not")


def _behind(earlier: Any) -> Judgement:
    """Of a list whose order was cancelled, behind another one whose order was not."""
    names = {"e": "${e.OrderID}", "o": "${o.OrderID}"}
    first, second = (Message(Body(f"[{place}]")) for place in names.values())
    wanted = Alternative({"results": [True]}, cancelled=("e", "o"))
    one = dataclasses.replace(case(TPP, wanted), before=(first,), message=second)
    seen = Observation(
        (http([result()]),), json.dumps([instruction()]).encode(), before=dict.fromkeys(names, "open"),
        after={"e": "open", "o": "cancelled"}, earlier=(earlier,),
    )  # fmt: skip
    return judge(kit(TPP), one, seen, Pins())


def broken_by_touching(name: str, one: Alternative, effect: str, *others: Alternative, refusals: bool = True) -> str:
    """The requirement of the finding when a thing was cancelled that this alternative leaves alone."""
    operation = dataclasses.replace(
        kit(CQ).operation,
        effect_of_success="OF-SUCCESS",
        effect_beyond="BEYOND",
        attribution={"effect": "OF-REFUSAL"} if refusals else {},
    )
    expect = Expectation("CASE", (one, *others), effect=effect)
    seen = Observation((), before={name: "open"}, after={name: "cancelled"})
    (found,) = judge_effects(expect, dataclasses.replace(one, untouched=(name,)), seen, operation).findings
    return found.requirement


@pytest.mark.parametrize(
    ("wanted", "succeeds"),
    [
        ({"code": 0}, True),
        ({"code": [0]}, True),
        ({"code": [0, 20]}, False),
        ({"code": 20}, False),
        ({"bid": 0}, True),
        ({"ask": 0}, True),
        ({"bid": 0, "ask": 0}, True),
        ({"bid": 0, "ask": 20}, False),
        ({"bid": 20, "ask": 0}, False),
        ({"results": "all"}, True),
        ({"results": "none"}, False),
        ({"results": [True, True]}, True),
        ({"results": [True, False]}, False),
        ({"results": [True, "any"]}, False),
        ({"form": "standard"}, False),
    ],
)
def test_what_a_success_did_beyond_is_not_told_by_a_rule_on_errors(wanted: dict[str, Any], succeeds: bool) -> None:
    told = broken_by_touching("mine", Alternative(wanted), "OF-REFUSAL")
    assert told == ("BEYOND" if succeeds else "OF-REFUSAL")


def test_what_a_served_page_cancelled_is_told_by_the_rule_of_the_case_unless_that_is_on_errors() -> None:
    served = Alternative({"form": "served"})
    assert broken_by_touching("mine", served, "OF-REFUSAL") == "CASE"
    assert broken_by_touching("mine", served, "ANOTHER") == "ANOTHER"


def test_what_an_error_cancelled_is_told_by_the_rule_on_errors_where_the_request_asked_for_it() -> None:
    refused, done = Alternative({"code": 20}), Alternative({"code": 0}, cancelled=("mine",))
    assert broken_by_touching("mine", refused, "OF-SUCCESS", done) == "OF-REFUSAL"
    assert broken_by_touching("mine", refused, "BEYOND", done) == "OF-REFUSAL"
    assert broken_by_touching("other", refused, "BEYOND", done) == "BEYOND"
    assert broken_by_touching("mine", refused, "BEYOND") == "BEYOND"


def test_without_a_rule_on_errors_the_rule_of_the_case_stays() -> None:
    assert broken_by_touching("mine", Alternative({"code": 20}), "OF-SUCCESS", refusals=False) == "OF-SUCCESS"


def test_the_gist_of_a_list_keeps_flags_and_writes_down_what_is_none() -> None:
    entries: list[dict[str, Any]] = [{"Success": one} for one in (True, False, None, "true", 1.5, [])]
    gist = gist_of(Answer(frozenset({RESULTS})), [*entries, {}], kit(TPP).operation)
    assert gist == ("results", True, False, None, '"true"', "1.5", "[]", None)


def test_the_gist_of_a_failure_says_how_many_errors_it_has() -> None:
    errors: list[Any] = [["a"], ["a", "b"], [], None, "a"]
    entries = [{"Success": False, "Errors": one} for one in errors]
    gist = gist_of(Answer(frozenset({RESULTS})), [*entries, {"Success": True, "Errors": ["a"]}], kit(TPP).operation)
    assert gist == ("results", "false with 1 error", "false with 2 errors", "false with 0 errors", False, False, True)


def test_text_as_an_id_is_compared_without_case() -> None:
    operation = kit(TPP).operation
    named = dataclasses.replace(operation.fields["OrderID"], type="string")
    fields = {**operation.fields, "OrderID": named}
    text = dataclasses.replace(kit(TPP), operation=dataclasses.replace(operation, fields=fields))
    assert match_results(text, (instruction("aß"),), (result("Aß"),)).findings == ()  # type: ignore[arg-type]
    assert match_results(text, (instruction("a"),), (result("b"),)).findings  # type: ignore[arg-type]
    assert match_results(text, (instruction(7),), (result(8),)).findings == ()


def test_results_are_taken_as_they_are_where_nobody_can_say_what_was_sent() -> None:
    assert match_results(kit(TPP), None, (result(1),)) == Matching((result(1),))


def test_a_credential_in_a_text_is_hidden_and_located() -> None:
    requirement = kit(TPP).requirement("secrets")
    words = ("secrets", "a credential of the request comes back", "no credential", "(hidden)")
    assert list(echoed(kit(TPP).operation, [{"Errors": [f"pin {PIN}"]}], (PIN,))) == [
        Finding(requirement, *words, "/0/Errors/0")
    ]
    leaking = http(success())
    reply = leaking.reply
    assert reply is not None
    headers = (("Set-Cookie", TOKEN), ("X-Echo", TOKEN), ("Content-Type", "application/json"))
    leaking = dataclasses.replace(leaking, reply=dataclasses.replace(reply, headers=headers))  # type: ignore[type-var]
    found = judged(case(CAO, ANY), leaking, secrets=(TOKEN,))
    assert found.findings == (Finding(kit(CAO).requirement("secrets"), *words, "header X-Echo"),)


@pytest.mark.parametrize(("text", "given_away"), [("x12345678y", True), ("x1234567y", False), ("x 1234567 y", True)])
def test_a_long_secret_counts_inside_of_a_word_and_a_short_one_alone(text: str, given_away: bool) -> None:
    secret = "12345678" if "8" in text else "1234567"
    assert bool(list(echoed(kit(CAO).operation, text, (secret,)))) is given_away


def test_a_pin_beside_a_guid_is_found_and_the_groups_of_a_guid_are_none() -> None:
    assert list(echoed(kit(CAO).operation, "6269c403-4711-47dd-b8c3-7ecbef8f686d", (PIN,))) == []
    assert len(list(echoed(kit(CAO).operation, f"{UID}{PIN}", (PIN,)))) == 1
    assert len(list(echoed(kit(CAO).operation, f"{UID}: {PIN}", (PIN,)))) == 1


@pytest.mark.parametrize(
    ("body", "secret", "looked_into"),
    [
        ("plain", "secret", False),
        ("has SECRET in it", "secret", True),
        ("\\u0034", "secret", True),
        ("&#52;", "secret", True),
        ("<!-- -->", "secret", True),
        ("a\x00b", "secret", True),
        ("plain", 'se"cret', True),
        ("plain", "sé", True),
        ("plain", "", True),
    ],
)
def test_an_answer_is_looked_into_where_it_may_hold_a_secret(body: str, secret: str, looked_into: bool) -> None:
    assert may_be_echoed(http(body), (secret,)) is looked_into
    assert may_be_echoed(ws(body.encode()), (secret,)) is looked_into
    assert may_be_echoed(ws(others=[body.encode()]), (secret,)) is looked_into


def test_half_a_surrogate_pair_as_a_secret_is_no_fault() -> None:
    assert may_be_echoed(http("plain"), ("\ud800",))
    assert not may_be_echoed(http("plain"), ())


def test_a_comment_of_an_xml_answer_in_utf_16_is_looked_into() -> None:
    body = results_xml(f"<!-- {PIN} -->", result_xml()).encode("utf-16-le")
    found = judged(case(TPP, ANY), http(body, 200, "application/xml; charset=utf-16"), secrets=(PIN,))
    assert [finding.check for finding in found.findings] == ["secrets"]


def test_a_framework_error_in_utf_16_is_looked_into() -> None:
    body = f'{{"Message":"PIN {PIN}"}}'.encode("utf-16-le")
    found = judged(case(TPP, ANY), http(body, 404, "application/json; charset=utf-16"), secrets=(PIN,))
    assert [finding.check for finding in found.findings] == ["secrets"]


def test_a_second_reply_to_one_request_is_shown() -> None:
    exchange = dataclasses.replace(ws(frame(success())), again=[b"caf\xe9"])
    found = judged(case(CAO, ANY, transport=Transport.WS), exchange, sent=frame("{}", m=0))
    assert found.findings == (
        Finding(
            kit(CAO).requirement("answered"),
            "frame",
            "the request was answered a second time",
            "one reply to a request",
            "caf\ufffd",
            "i",
        ),
    )


def twin(order: tuple[int, ...] = ()) -> Twin:
    return Twin("said-otherwise", "TWIN", Transport.HTTP, "application/json", (Message(Body("")),), order=order)


def test_a_relation_that_does_not_hold_shows_both_answers() -> None:
    first = Judgement(gist=("standard", 0), summary="one")
    second = Judgement(gist=("standard", 20), summary="two")
    words = "the relation said-otherwise does not hold: the same request is answered in two ways"
    assert compare(twin(), first, (second, second)) == (
        Finding("TWIN", "relation", words, "one", "two; two", "said-otherwise"),
    )
    assert forms_differ("R", "other", "two", "one") == Finding(
        "R",
        "relation",
        "another legal form of the same value is answered differently: other",
        "two",
        "one",
        "wire form",
    )


def test_an_answer_in_no_comparable_form_is_compared_by_its_having_none() -> None:
    text = http("x", 400, "text/plain")
    assert judged(case(CAO, Alternative({"form": "http-refusal"})), text).gist == ("other",)


def test_an_answer_that_nobody_can_read_is_compared_with_nothing() -> None:
    unread = judged(case(CAO, ANY), http("x", 400, "text/plain"))
    assert [finding.check for finding in unread.findings] == ["readable"]
    assert compare(twin(), judged(case(CAO, DONE), http(success())), (unread,)) == ()


def test_early_errors_are_told_apart_only_where_the_case_is_about_them() -> None:
    early = kit(CQ).requirement("early-error")
    answer = http({"BidResult": error(20), "AskResult": error(20)})
    assert "early-error=pair" in judged(case(CQ, ANY, requirements=(early,)), answer).readings
    assert "early-error=pair" not in judged(case(CQ, ANY), answer).readings


def test_a_reading_that_the_operation_does_not_leave_open_is_not_told() -> None:
    plain = dataclasses.replace(kit(CAO).operation, readings=())
    closed: Kit = dataclasses.replace(kit(CAO), operation=plain, memory=AnswerMemory())
    assert judged(case(CAO, ANY), http(success())).readings
    assert judge(closed, case(CAO, ANY), Observation((http(success()),)), Pins()).readings == ()


@pytest.mark.parametrize(
    ("wanted", "bid", "ask", "right"),
    [
        ({"bid": [0]}, success(), error(104), True),
        ({"bid": [0]}, error(104), success(), False),
        ({"ask": 104}, success(), error(104), True),
        ({"ask": 104}, error(104), success(), False),
        ({"bid": 0, "ask": [104]}, success(), error(104), True),
    ],
)
def test_each_leg_is_held_against_its_own_code(wanted: dict[str, Any], bid: Any, ask: Any, right: bool) -> None:
    found = judged(case(CQ, Alternative(wanted)), http({"BidResult": bid, "AskResult": ask}))
    assert (found.findings == ()) is right


def test_the_memory_keeps_bodies_up_to_its_length() -> None:
    memory = AnswerMemory()
    reads: list[int] = []

    def read() -> Any:
        reads.append(1)
        return judged

    for _ in range(2):
        memory.recall(200, None, b"x" * 2048, read)
    assert len(reads) == 1
    for _ in range(2):
        memory.recall(200, None, b"x" * 2049, read)
    assert len(reads) == 3


def test_a_kit_holds_what_its_operation_has() -> None:
    operations = load_contract().operations
    cao, cq, tpp = (build_kit(operations[name]) for name in (CAO, CQ, TPP))
    assert (cao.flat, cao.error, cao.xml_response, cao.xml_error) == (None,) * 4
    assert cq.flat is not None
    assert cq.flat.is_valid(error(100))
    assert not cq.flat.is_valid({"BidResult": success(), "AskResult": success()})
    assert tpp.flat is None
    assert tpp.error is not None
    assert [part.root.name for part in (tpp.xml_response, tpp.xml_error) if part is not None] == [
        "ArrayOfCancellationCreationResult",
        "string",
    ]
    assert tpp.members == {
        "orderid": "OrderID",
        "internationalorderuid": "InternationalOrderUID",
        "success": "Success",
        "errors": "Errors",
    }
    assert set(cq.members.values()) == {"BidResult", "AskResult", "result", "errormsg", "errorcode", "detail"}
    assert tpp.widths
    assert cao.widths == frozenset()
    assert not any("None" in width for width in tpp.widths)


def test_a_check_without_a_requirement_is_an_error_of_the_specs() -> None:
    with pytest.raises(SpecError) as caught:
        kit(CAO).requirement("nonsense")
    assert "no requirement for 'nonsense'" in caught.value.message
    assert caught.value.where == str(kit(CAO).operation.folder / "operation.yaml")


def test_a_repeated_member_is_found_at_its_pointer() -> None:
    notes = (Note("bom", "", "x"), Note("duplicate-key", "/a", "a is given 2 times"))
    words = ("members", "a is given 2 times", "each member once", "a repeated member")
    requirement = kit(CAO).requirement("schema")
    assert list(repeated_members(kit(CAO), notes)) == [Finding(requirement, *words, "/a")]
    assert list(repeated_members(kit(CAO), notes, "/BidResult")) == [Finding(requirement, *words, "/BidResult/a")]


def test_an_answer_in_another_media_type_than_asked_for_breaks_its_requirement() -> None:
    found = judged(case(CAO, ANY, accept="application/json"), http(success(), media="text/plain"))
    assert [(finding.check, finding.expected, finding.actual) for finding in found.findings] == [
        ("media-type", "application/json", "text/plain")
    ]


def test_an_answer_is_read_by_its_media_type_where_nothing_is_remembered() -> None:
    fresh = dataclasses.replace(kit(TPP), memory=AnswerMemory())
    answer = read_answer(fresh, http("[]".encode("utf-16-le"), media="application/json; charset=utf-16"), b"", None)
    assert answer.summary == "HTTP 200 with an empty list"


def test_each_text_that_gives_a_credential_away_is_a_finding() -> None:
    assert [finding.at for finding in echoed(kit(TPP).operation, {"a": PIN, "b": PIN}, (PIN,))] == ["/a", "/b"]


@pytest.mark.parametrize(("secret", "found"), [("12345678", True), ("1234567", False)])
def test_a_short_secret_in_a_header_counts_only_beside_the_word_pin(secret: str, found: bool) -> None:
    exchange = http(success())
    headers = (("Content-Type", "application/json"), ("X-Echo", secret))
    exchange = dataclasses.replace(exchange, reply=dataclasses.replace(exchange.reply, headers=headers))  # type: ignore[type-var]
    assert bool(judged(case(CAO, ANY), exchange, secrets=(secret,)).findings) is found


def test_a_leg_written_as_text_with_half_a_surrogate_pair_is_no_json() -> None:
    found = judged(case(CQ, ANY), http({"BidResult": '"\ud800"', "AskResult": success()}))
    assert [finding.check for finding in found.findings] == ["leg-form", "schema"]


@pytest.mark.parametrize("before", ["<OrderID>x</OrderID>", "<OrderID>1001</OrderID><Zed>9</Zed>"])
def test_a_departure_behind_one_that_is_none_is_found(before: str) -> None:
    body = results_xml(result_xml(order=before, success='<Success a="1">true</Success>'))
    found = judged(case(TPP, ANY), http(body, media="application/xml"))
    assert "xml-item" in {finding.check for finding in found.findings}


def test_what_an_xml_answer_says_beyond_its_elements_is_listed() -> None:
    root = etree.fromstring('<a x="1">t<Errors>e<string>s</string>u</Errors><!--c-->v</a>')
    assert texts_beyond(kit(TPP).members, root) == ["1", "t", "u", "c", "v"]


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("POST", "/AP/CancelAllOrders", True),
        ("POST", "/AP/CancelAllOrders?x=1", True),
        ("PUT", "/AP/CancelAllOrders", False),
        ("POST", "/AP/CancelAllOrdersNothing", False),
    ],
)
def test_a_refusal_of_another_method_or_path_tells_no_reading(method: str, path: str, told: bool) -> None:
    one = case(CAO, Alternative({"code": [100]}))
    one = dataclasses.replace(one, message=dataclasses.replace(one.message, method=method, path=path))
    assert ("error-status=4xx" in judged(one, http(error(100), 405)).readings) is told


def test_an_answer_that_does_not_decide_agrees_with_each_pin_that_it_may_be() -> None:
    for pin in ("documented", "camel", "lower"):
        assert judged(case(CAO, ANY), http(success()), pins={"response-key-case": pin}).findings == ()
    assert broken(judged(case(CAO, ANY), http(success()), pins={"response-key-case": "pascal"})) == [
        "PIN-response-key-case"
    ]
