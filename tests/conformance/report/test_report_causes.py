"""Causes: what is wrong is told once, the heaviest first, whatever the number of cases that show it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from report_support import GATEWAY, contract, finding, result

from conformance.model.verdict import CaseResult, Finding, Verdict
from conformance.report.causes import Cause, Kind, causes, heaviest_first
from conformance.report.rows import MOST_KEPT, gather


def found(check: str, requirement: str = "G-OK", *, at: str = "", way: str = "", **more: str) -> Finding:
    """A finding of a check."""
    return Finding(requirement, check, more.pop("message", "wrong"), at=at, way=way, **more)


def failing(name: str, *findings: Finding, **more: str) -> CaseResult:
    """A failed case with these findings."""
    return result(name, "G-OK", verdict=Verdict.FAIL, findings=findings, **more)


ACCEPTED = found("outcome", way="accepted", at="answer", expected="code 104", actual="code 0, result true")
TOUCHED = found("effect", way="touched", at="other", expected="open", actual="cancelled")
DETAIL = found("schema", "G-SHAPE", at="/detail", expected="text or null", message="/detail: expected text, found 0")


def of(results: Sequence[CaseResult]) -> tuple[Cause, ...]:
    """The causes of these results."""
    return causes(results, contract())


def test_one_way_of_being_wrong_is_one_cause_on_every_transport_and_as_every_role() -> None:
    (cause,) = of(
        [
            failing("a", DETAIL),
            failing("a@ws/b", DETAIL, transport="ws", role="operator"),
            result("right", "G-OK"),
            result("sent-by-nobody", "G-OK", verdict=Verdict.NOT_VERIFIED),
        ]
    )
    assert (cause.kind, cause.requirement, cause.check, cause.operation) == (Kind.FORM, "G-SHAPE", "schema", GATEWAY)
    assert (cause.cases, cause.of, cause.shown_by) == (2, 3, ("a@ws/b", "g/family/a@http"))
    assert (cause.message, cause.place, cause.text) == (
        "/detail: expected text",
        "table of G-SHAPE",
        "What G-SHAPE asks.",
    )
    assert (cause.id, cause.finding) == ("G-SHAPE/schema/detail", DETAIL)


def test_one_wrong_outcome_is_one_cause_whatever_the_cases_are_about() -> None:
    other = found("outcome", "G-104", way="accepted", at="answer", expected="code 20", actual="code 0, result true")
    (cause,) = of([failing("a", ACCEPTED), failing("b", ACCEPTED), failing("c", other)])
    assert (cause.kind, cause.requirement, cause.requirements) == (Kind.ACCEPTED, "G-OK", ("G-OK", "G-104"))
    assert cause.message == "success where none is allowed"


def test_the_heaviest_comes_first_and_takes_the_cases_that_it_shares() -> None:
    both = [failing(f"both-{number}", ACCEPTED, DETAIL) for number in range(3)]
    listed = of([failing("form", DETAIL), *both, failing("touched", TOUCHED)])
    assert [(one.kind, one.cases) for one in listed] == [(Kind.ACTED, 1), (Kind.ACCEPTED, 3), (Kind.FORM, 4)]
    assert listed[2].example == "g/family/form@http"


def test_what_only_comes_with_a_heavier_cause_is_named_as_its_consequence() -> None:
    (cause,) = of([failing("a", ACCEPTED, DETAIL), failing("b", ACCEPTED)])
    assert (cause.kind, cause.follows) == (Kind.ACCEPTED, ("G-SHAPE",))


def test_an_answer_that_cannot_be_read_is_no_wrong_outcome() -> None:
    shapeless = found("outcome", way="shapeless", at="answer")
    root = found("schema", "G-SHAPE", expected="list", message="the whole value: expected list")
    differs = found("relation", at="json-and-xml")
    (cause,) = of([failing("a", shapeless, root, differs), failing("b", shapeless, root)])
    assert (cause.check, cause.kind) == ("schema", Kind.FORM)
    (alone,) = of([failing("a", differs)])
    assert (alone.check, alone.kind) == ("relation", Kind.OUTCOME)


def test_results_that_are_not_where_they_should_be_are_not_missing_as_well() -> None:
    item, missing = found("xml-item", at="/a", expected="b"), found("one-each", "G-104", expected="1 results")
    (cause,) = of([failing("a", item, missing), failing("b", item)])
    assert (cause.check, cause.cases) == ("xml-item", 2)


def test_the_requirement_whose_cases_nearly_all_fail_tells_what_is_wrong() -> None:
    wrong = {name: found("outcome", name, way="accepted", at="answer") for name in ("G-SHAPE", "G-104")}

    def case(name: str, requirement: str, verdict: Verdict = Verdict.FAIL) -> CaseResult:
        findings = (wrong[requirement],) if verdict is Verdict.FAIL else ()
        return replace(result(name, requirement, verdict=verdict, findings=findings), id=name)

    wide = [case(f"g/combinations/{number}@http", "G-SHAPE") for number in range(6)]
    passing = [case(f"g/family/right-{number}@http", "G-SHAPE", Verdict.PASS) for number in range(20)]
    told = [
        case(f"g/{family}/{name}@http", "G-104") for family, name in (("combinations", "z"), ("codes", "the-longer"))
    ]
    (cause,) = of([*wide, *passing, *told])
    assert (cause.requirements, cause.cases) == (("G-104", "G-SHAPE"), 8)
    assert cause.example == "g/codes/the-longer@http", "a case about one thing comes before one of combinations"


def test_what_becomes_of_orders_is_one_cause_whether_calls_overlapped_or_not() -> None:
    undone = found("effect", way="undone", at="mine", expected="cancelled", actual="open")
    raced = [replace(undone, check="race", at=name, message=f"{name} was not cancelled") for name in ("new", "rest")]
    (cause,) = of([failing("a", raced[0]), failing("alone-with-a-longer-name", undone), failing("b", *raced)])
    assert (cause.kind, cause.id, cause.cases) == (Kind.UNDONE, "G-OK/effect/undone", 3)
    assert (cause.message, cause.finding) == ("not cancelled, against what the answer says: mine", undone)
    answers = found("race", at="mine", message="mine was shown as no order of the calls can have left it")
    assert [one.kind for one in of([failing("a", raced[0]), failing("b", answers)])] == [Kind.UNDONE, Kind.OUTCOME]


def test_a_success_of_several_copies_is_a_success_where_none_is_allowed() -> None:
    twice = found("together", "G-104", at="answer", expected="at most one success", actual="2 successes of 2")
    raced = found("race", "G-104", at="mine", way="accepted", message="mine was cancelled more than once")
    told = of([failing("a", twice), failing("b", ACCEPTED), failing("c", raced)])
    assert [(one.kind, one.cases) for one in told] == [(Kind.ACCEPTED, 3)]


def test_an_answer_that_cannot_be_read_is_one_cause_over_every_transport() -> None:
    body = found("readable", "G-SHAPE", at="body", expected="a JSON object", message="the answer is no JSON: cut off")
    frame = found("frame", "G-104", at="o", expected="JSON as text", way="shapeless", message="the payload is no JSON")
    xml = found("readable", "G-SHAPE", at="body", expected="well-formed XML", message="the answer is no readable XML")
    listed = of([failing("a", body), failing("b", frame), failing("c", body), failing("d", xml)])
    assert [(one.check, one.cases, one.requirements) for one in listed] == [
        ("readable", 3, ("G-SHAPE", "G-104")),
        ("readable", 1, ("G-SHAPE",)),
    ]


def test_one_media_type_in_place_of_every_other_is_one_cause() -> None:
    def came(actual: str, asked: str, requirement: str) -> Finding:
        return found("media-type", requirement, at="header Content-Type", expected=asked, actual=actual)

    always = [came("application/xml; charset=utf-8", "text/json", "G-OK"), came("application/xml", "text/xml", "G-104")]
    other = came("application/json", "text/json", "G-OK")
    listed = of([failing("a", always[0]), failing("b", always[1]), failing("c", other)])
    assert [(one.cases, one.requirements) for one in listed] == [(2, ("G-104", "G-OK")), (1, ("G-OK",))]


STRING = found("status", "G-SHAPE", at="status", expected="a status of 4xx", actual="HTTP status 200")
ITEM = found("xml-item", "G-SHAPE", at="/a", expected="as response.xsd has it")


@pytest.mark.parametrize("contrary", [STRING, ITEM, found("schema", "G-SHAPE", at="/0", expected="object")])
def test_what_is_read_from_an_answer_that_is_built_wrong_follows_from_that(contrary: Finding) -> None:
    refused = found("outcome", "G-104", way="refused", at="answer", actual="HTTP 200")
    undone = found("effect", "G-104", way="undone", at="mine", expected="cancelled", actual="open")
    (cause,) = of([failing("a", contrary, refused), failing("b", contrary, undone), failing("c", contrary)])
    assert (cause.requirement, cause.cases, cause.follows) == ("G-SHAPE", 3, ("G-104",))


def test_two_faults_at_once_are_two_causes_although_one_has_an_answer_built_wrong() -> None:
    """What a stranger loses hangs on no answer, and what is also found elsewhere is more than a consequence."""
    both = [failing(f"both-{number}", ITEM, TOUCHED) for number in range(2)]
    assert [one.kind for one in of([*both, failing("form", ITEM)])] == [Kind.ACTED, Kind.FORM]
    undone = found("effect", way="undone", at="mine", expected="cancelled", actual="open")
    told = of([failing("a", ITEM, undone), failing("b", ITEM), failing("json", undone)])
    assert [(one.kind, one.cases) for one in told] == [(Kind.UNDONE, 2), (Kind.FORM, 2)]


def test_consequences_are_named_the_heaviest_first() -> None:
    shape, text = found("schema", "G-SHAPE", at="/detail"), found("agree", "G-104")
    gone = found("effect", "G-OK", way="touched", at="mine", expected="open", actual="cancelled")
    refused = found("outcome", "G-104", way="refused", at="answer")
    assert heaviest_first([shape, refused, gone, text]) == [gone, refused, shape, text]
    (cause,) = of([failing("a", gone, refused, shape), failing("b", gone)])
    assert (cause.kind, cause.follows) == (Kind.ACTED, ("G-104", "G-SHAPE"))


def test_what_is_found_at_one_place_by_several_checks_is_one_cause() -> None:
    nil = found("xml-nil", at="/0/Id", expected="nil")
    schema, identity = found("schema", "G-SHAPE", at="/0/Id"), found("identity", "G-104", at="/0/Id")
    (cause,) = of([failing("a", identity, nil, schema), failing("b", found("xml-nil", at="/1/Id", expected="nil"))])
    assert (cause.check, cause.cases, cause.id) == ("xml-nil", 2, "G-OK/xml-nil/*/Id")


@pytest.mark.parametrize("check", ["identity", "one-each", "race"])
def test_a_check_that_is_wrong_in_one_way_has_one_cause_whatever_it_is_seen_at(check: str) -> None:
    first, other = (
        found(check, "G-104", at="/0/Id", expected="Id 7"),
        found(check, "G-104", at="/1/Uid", expected="no Uid"),
    )
    (cause,) = of([failing("a", first), failing("b", other)])
    assert (cause.cases, cause.check) == (2, check)


def test_places_that_are_wrong_in_the_same_case_are_one_cause() -> None:
    one, other = (found("schema", at=at, expected="text") for at in ("/Bid/detail", "/Ask/detail"))
    (cause,) = of([failing("a", one, other), failing("b", one), failing("c", other)])
    assert cause.cases == 3
    assert len(of([failing("b", one), failing("c", other)])) == 2


def test_one_place_that_is_wrong_on_many_requirements_is_one_cause() -> None:
    texts = [found("schema", name, at="/errormsg", expected=f'"{name}"') for name in ("G-OK", "G-104", "G-SHAPE")]
    assert len(of([failing(one.requirement, one) for one in texts])) == 1
    assert len(of([failing(one.requirement, one) for one in texts[:2]])) == 2


def test_waived_cases_have_no_cause() -> None:
    assert of([result("w", "G-OK", verdict=Verdict.WAIVED, findings=(DETAIL,))]) == ()


def test_the_order_of_results_says_nothing() -> None:
    results = [failing(f"{number}", (ACCEPTED, TOUCHED, DETAIL)[number % 3], finding("G-104")) for number in range(20)]
    shuffled = list(results)
    random.Random(1).shuffle(shuffled)
    assert of(results) == of(shuffled)


def test_an_id_that_comes_again_has_a_number() -> None:
    one, other = (found("schema", at="/detail", expected=kind) for kind in ("text", "list"))
    ids = [cause.id for cause in of([failing("a", one), failing("b", other), failing("c", other)])]
    assert ids == ["G-OK/schema/detail", "G-OK/schema/detail/2"]


def test_the_example_is_named_and_has_the_fewest_findings() -> None:
    generated = failing("a", ACCEPTED, tier="generated")
    several = failing("b", ACCEPTED, DETAIL)
    assert of([generated, several, failing("longer", ACCEPTED)])[0].example == "g/family/longer@http"


@pytest.mark.parametrize("more", [0, 7])
def test_failed_cases_that_are_not_kept_are_counted(more: int) -> None:
    results = [failing(f"{number:06}", DETAIL, tier="generated") for number in range(MOST_KEPT + more)]
    gathering = gather([*results, *(result(f"p{number}", "G-OK", tier="generated") for number in range(9))])
    folded = gathering.folded
    (cause,) = causes(gathering.results, contract(), folded.wrong, folded.carried_out)
    assert (cause.cases, cause.of) == (MOST_KEPT + more, MOST_KEPT + more + 9)


def test_an_effect_of_an_earlier_journal_says_by_what_was_expected_how_it_is_wrong() -> None:
    undone = found("effect", at="mine", expected="cancelled", actual="open")
    touched = found("effect", at="other", expected="open", actual="cancelled")
    assert [one.kind for one in of([failing("a", undone), failing("b", touched)])] == [Kind.ACTED, Kind.UNDONE]


def test_one_wrong_answer_is_one_cause_where_it_is_a_refusal_another_code_and_another_answer_than_elsewhere() -> None:
    one = found("outcome", way="refused", at="answer", expected="code 0", actual="HTTP 200; code 100, result false")
    other = found("outcome", way="otherwise", at="answer", expected="code 20", actual="code 100, result false")
    differs = found("relation", "G-104", at="escapes", expected="code 104", actual="code 100, result false")
    results = [failing("a", one), failing("b", one), failing("c", other), failing("d", differs)]
    (cause,) = of(results)
    assert (cause.cases, cause.message) == (4, "no success where there must be one")
    another = found("outcome", way="otherwise", at="answer", expected="code 20", actual="code 104, result false")
    assert len(of([*results, failing("e", another)])) == 1, "one of several answers that are wrong in one way"
    assert len(of([failing("a", one), failing("e", another)])) == 2


def test_a_list_whose_results_are_all_the_same_is_one_answer_whatever_its_length() -> None:
    flags = ("HTTP 200 with 1 results (false)", "HTTP 200 with 3 results (false, false, false)")
    ways = ("refused", "otherwise")
    results = [
        failing(way, found("outcome", way=way, at="answer", actual=actual))
        for way, actual in zip(ways, flags, strict=True)
    ]
    assert len(of(results)) == 1


def test_two_ways_in_one_case_are_two_causes() -> None:
    undone = found("effect", way="undone", at="mine", expected="cancelled", actual="open")
    kinds = [one.kind for one in of([failing("a", TOUCHED, undone), failing("b", undone)])]
    assert kinds == [Kind.ACTED, Kind.UNDONE]


def test_the_words_of_a_cause_are_those_of_its_example() -> None:
    differs = found("relation", "G-104", at="escapes", expected="code 104", actual="code 100, result false")
    refused = found("outcome", way="refused", at="answer", expected="code 0", actual="code 100, result false")
    (cause,) = of([failing("a", differs), failing("b", refused), failing("c", refused)])
    assert (cause.example, cause.message) == ("g/family/b@http", "no success where there must be one")
