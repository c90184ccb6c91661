"""Races as the checks see them: which sentence is broken, what the documents leave free, and what is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from checks_support import CAO, CQ, JSON, TPP, case, error, failed, http, instruction, kit, result, success

from conformance.checks.answer import Observation, Raced
from conformance.checks.judge import Pins, judge
from conformance.checks.races import judge_race
from conformance.model.case import RaceStep, Transport
from conformance.model.verdict import Finding
from conformance.wire.messages import Exchange, WireProblem

CO = "alphapoint.cancel_order"
FOREVER = float("inf")
LOST = Exchange(b"sent", b"", None, WireProblem("timeout", "no answer came", "wait"), 0.0, 9.0)


@dataclass
class Race:
    """What came of calls of one operation; each `call` may overlap with any other."""

    operation: str = CO
    before: dict[str, str] = field(default_factory=lambda: {"mine": "open", "other": "open"})
    after: dict[str, str] = field(default_factory=dict)
    raced: list[Raced] = field(default_factory=list)

    def step(self, does: Any, things: Sequence[str], start: float, end: float, **more: Any) -> Race:
        by_itself = replace(case(self.operation), transport=Transport.HTTP, media_type=JSON, role="trading")
        exchanges = (more.pop("exchange"),) if "exchange" in more else ()
        seen = Observation(exchanges, start_s=start, end_s=end, **more)
        self.raced.append(Raced(by_itself, RaceStep(does, tuple(things)), seen))
        return self

    def call(
        self, answer: Any, start: float, end: float, *things: str, does: str = "cancel", body: bytes = b""
    ) -> Race:
        exchange = answer if isinstance(answer, Exchange) else http(answer)
        return self.step(does, things or ("mine",), start, end, exchange=exchange, body=body)

    def look(self, start: float, end: float, **shown: str) -> Race:
        names = {name.replace("_", "."): word for name, word in shown.items()}
        return self.step("look", ("quote",), start, end, shown=names)

    def seen(self) -> Observation:
        after = {**self.before, **self.after} if self.after is not None else {}
        return Observation((), before=self.before, after=after, raced=tuple(self.raced))

    def findings(self) -> tuple[Finding, ...]:
        return judge_race(kit(self.operation), self.seen()).findings

    def broken(self) -> list[tuple[str, str]]:
        return [(one.requirement, one.at) for one in self.findings()]


GONE = {"mine": "cancelled"}


def quote(**after: str) -> Race:
    legs = {"quote.bid": "open", "quote.ask": "open"}
    return Race(CQ, legs, {name.replace("_", "."): word for name, word in after.items()})


def pair(bid: Any, ask: Any) -> Mapping[str, Any]:
    return {"BidResult": bid, "AskResult": ask}


QUOTE_GONE = {"quote_bid": "cancelled", "quote_ask": "cancelled"}
LEGS = ("quote.bid", "quote.ask")
RIGHT = {
    "one-of-two": Race(after=GONE).call(success(), 0, 5).call(error(104), 1, 4),
    "told-gone-by-100": Race(after=GONE).call(success(), 0, 5).call(error(100, detail="OrderId"), 1, 4),
    "could-not-be-carried-out": Race().call(error(101), 0, 5).call(error(101), 1, 4),
    "lost-and-done": Race(after=GONE).call(LOST, 0, FOREVER).call(error(104), 1, 4),
    "lost-and-not-done": Race().call(LOST, 0, FOREVER),
    "lost-beside-success": Race(after=GONE).call(LOST, 0, FOREVER).call(success(), 1, 4),
    "nothing-shown": Race(before={"mine": "open"}, after={"mine": "unknown"}).call(success(), 0, 5),
    "account-then-order": Race(CAO, after={**GONE, "other": "cancelled"})
    .call(success(), 0, 1, "mine", "other", does="cancel-all")
    .step("beside", ("mine",), 2, 3, exchange=http(success())),
    "account-empty-by-then": Race(CAO, {"mine": "open"}, GONE)
    .call(success(), 0, 3, "mine", does="cancel-all")
    .call(error(104), 1, 4, "mine", does="cancel-all"),
    "placed-meanwhile": Race(CAO, {"mine": "open", "new": "open"}, GONE)
    .step("place", ("new",), 0, 5)
    .call(success(), 1, 4, "mine", "new", does="cancel-all"),
    "placed-meanwhile-and-taken": Race(CAO, {"mine": "open", "new": "open"}, {**GONE, "new": "cancelled"})
    .step("place", ("new",), 0, 5)
    .call(success(), 1, 4, "mine", "new", does="cancel-all"),
    "quote-received-twice": quote(**QUOTE_GONE)
    .call(pair(success(), success()), 0, 5, *LEGS)
    .call(pair(success(), success()), 1, 4, *LEGS),
    "legs-shared-out": quote(**QUOTE_GONE)
    .call(pair(success(), error(104)), 0, 5, *LEGS)
    .call(pair(error(104), success()), 1, 4, *LEGS),
    "quote-shown-late": quote(**QUOTE_GONE)
    .call(pair(success(), success()), 0, 1, *LEGS)
    .look(2, 3, quote_bid="open", quote_ask="open")
    .look(4, 5, quote_bid="cancelled", quote_ask="cancelled"),
    "list-twice": Race(TPP, after=GONE).call([result()], 0, 5).call([failed()], 1, 4),
    "list-refused": Race(TPP).call(http('"The list cannot be taken."', status=400), 0, 5),
}  # fmt: skip
WRONG: dict[str, tuple[Race, list[tuple[str, str]]]] = {
    "double": (Race(after=GONE).call(success(), 0, 5).call(success(), 1, 4), [("CO-AGAIN", "mine")]),
    "double-one-after-the-other": (
        Race(after=GONE).call(success(), 0, 1).call(success(), 2, 3), [("CO-AGAIN", "mine")],
    ),
    "open-behind-success": (
        Race().call(success(), 0, 5).call(error(104), 1, 4), [("CO-EFFECT", "mine")],
    ),
    "gone-and-all-refused": (
        Race(after=GONE).call(error(104), 0, 5).call(error(101), 1, 4), [("CO-REFUSED-NO-EFFECT", "mine")],
    ),
    "refused-while-open": (
        Race(after=GONE).call(error(104), 0, 1).call(success(), 2, 3), [("CO-RESP-RESULT-TRUE", "mine")],
    ),
    "refused-and-open-at-the-end": (
        Race().call(error(104), 0, 5).call(error(104), 1, 4), [("CO-RESP-RESULT-TRUE", "mine")],
    ),
    "nobody-called": (
        Race(after={**GONE, "other": "cancelled"}).call(success(), 0, 5), [("CO-EFFECT-ONLY", "other")],
    ),
    "newcomer-lost": (
        Race(before={"mine": "open", "new": "open"}, after={**GONE, "new": "cancelled"})
        .step("place", ("new",), 0, 5).call(success(), 1, 4),
        [("CO-EFFECT-ONLY", "new")],
    ),
    "account-not-emptied": (
        Race(CAO, after=GONE).call(success(), 0, 5, "mine", "other", does="cancel-all"),
        [("CAO-EFFECT-ACCOUNT", "other")],
    ),
    "placed-before-and-left": (
        Race(CAO, {"new": "open"}).step("place", ("new",), 0, 1).call(success(), 2, 4, "new", does="cancel-all"),
        [("CAO-EFFECT-ACCOUNT", "new")],
    ),
    "nothing-there-it-says": (
        Race(CAO).call(error(104), 0, 5, "mine", "other", does="cancel-all"),
        [("CAO-RESP-RESULT-TRUE", "mine"), ("CAO-RESP-RESULT-TRUE", "other")],
    ),
    "leg-left": (
        quote(quote_bid="cancelled").call(pair(success(), success()), 0, 5, *LEGS), [("CQ-EFFECT-PAIR", "quote.ask")],
    ),
    "legs-gone-and-refused": (
        quote(**QUOTE_GONE).call(pair(error(104), error(104)), 0, 5, *LEGS), [("CQ-REFUSED-NO-EFFECT", "quote")],
    ),
    "shown-again": (
        quote(**QUOTE_GONE)
        .call(pair(success(), success()), 0, 1, *LEGS)
        .look(2, 3, quote_bid="cancelled", quote_ask="cancelled")
        .look(4, 5, quote_bid="open", quote_ask="open"),
        [("CQ-VERIFY-OPEN", "quote")],
    ),
    "list-twice": (Race(TPP, after=GONE).call([result()], 0, 5).call([result()], 1, 4), [("TPP-TWICE", "mine")]),
    "list-without-effect": (Race(TPP).call([result()], 0, 5), [("TPP-EFFECT", "mine")]),
    "list-failed-and-done": (
        Race(TPP, after=GONE).call([failed()], 0, 5).call([failed()], 1, 4), [("TPP-FAILED-NO-EFFECT", "mine")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_what_no_sentence_forbids_is_no_finding(name: str) -> None:
    assert RIGHT[name].findings() == ()


@pytest.mark.parametrize("name", WRONG)
def test_broken_sentence_is_named(name: str) -> None:
    race, broken = WRONG[name]
    assert race.broken() == broken


def test_only_the_calls_that_matter_are_drawn() -> None:
    race = Race(after=GONE).call(error(104), 0.010, 0.015).call(success(), 0, 0.005).call(success(), 0.001, 0.004)
    lines = judge_race(kit(CO), race.seen()).history.splitlines()
    assert [line.split() for line in lines[:2]] == [
        ["0.0", "5.0", "ms", "trading", "over", "HTTP", "cancel", "mine", "done"],
        ["1.0", "4.0", "ms", "trading", "over", "HTTP", "cancel", "mine", "done"],
    ]
    assert lines[2].strip() == "at the end  mine cancelled, other open"
    assert len(lines) == 3


def test_call_without_answer_has_no_end() -> None:
    race = Race(after={**GONE, "other": "cancelled"}).call(LOST, 0, FOREVER).call(success(), 0, 1)
    assert "…" not in judge_race(kit(CO), race.seen()).history  # it does not matter
    (line, *_) = judge_race(kit(CO), Race(after=GONE).call(error(104), 0, 1).seen()).history.splitlines()
    assert line.split()[-1] == "refused"


def test_race_that_costs_too_much_is_not_decided() -> None:
    race = Race(after=GONE).call(success(), 0, 5)
    outcome = judge_race(kit(CO), race.seen(), most_steps=0)
    assert (outcome.findings, outcome.undecided) == ((), "the calls for other are too many to be put in order")


def test_effect_that_nobody_shows_is_not_verified() -> None:
    race = Race(before={"mine": "open"}, after={"mine": "unknown"}).call(success(), 0, 5)
    assert judge_race(kit(CO), race.seen()).unverified == ("CO-EFFECT", "CO-REFUSED-NO-EFFECT", "CO-EFFECT-ONLY")


def test_judgement_of_a_case_has_the_race_in_it() -> None:
    seen = Race(after=GONE).call(success(), 0, 5).call(success(), 1, 4).seen()
    judgement = judge(kit(CO), case(CO), seen, Pins())
    assert [one.requirement for one in judgement.findings] == ["CO-AGAIN"]
    assert "cancel mine" in judgement.history


@pytest.mark.parametrize(
    ("name", "expected", "actual", "way"),
    [
        ("double", "one success", "2 successes", "accepted"),
        ("open-behind-success", "cancelled", "open", "undone"),
        ("gone-and-all-refused", "open", "cancelled", "touched"),
        ("refused-while-open", "success", "not found", ""),
        ("nobody-called", "open", "cancelled", "touched"),
        ("shown-again", "what the calls before have left", "cancelled, then open", ""),
        ("leg-left", "cancelled", "open", "undone"),
        ("legs-gone-and-refused", "open", "cancelled", "touched"),
    ],
)
def test_finding_says_what_the_sentence_expects_and_what_was_seen(
    name: str, expected: str, actual: str, way: str
) -> None:
    (found,) = WRONG[name][0].findings()
    assert (found.check, found.expected, found.actual, found.way) == ("race", expected, actual, way)


def test_of_three_successes_two_are_shown() -> None:
    race = Race(after=GONE).call(success(), 0, 1).call(success(), 2, 3).call(success(), 0, 9)
    (found,) = race.findings()
    assert found.actual == "2 successes", "two of them are enough"


ONE_ORDER = {"mine": "open"}
UNREAD = {
    "not JSON": http("oh dear"),
    "no reply": LOST,
    "a problem behind an answer": replace(http(error(104)), problem=WireProblem("closed", "it ended", "reply")),
    "another code": http(error(20)),
}


@pytest.mark.parametrize("name", UNREAD)
def test_answer_that_says_nothing_of_a_thing_leaves_everything_open(name: str) -> None:
    for after in (ONE_ORDER, GONE):
        assert Race(before=ONE_ORDER, after=after).call(UNREAD[name], 0, 1).findings() == ()


def test_legs_that_say_different_things_of_one_order_say_nothing() -> None:
    one = Race(CQ, {"mine": "open"}).call(pair(success(), error(104)), 0, 1, "mine")
    assert one.findings() == ()
    both = Race(CQ, {"mine": "open"}).call(pair(error(104), error(104)), 0, 1, "mine")
    assert both.broken() == [("CQ-RESP-RESULT-TRUE", "mine")]


def test_one_object_for_a_quote_speaks_for_both_legs() -> None:
    race = quote(**QUOTE_GONE).call(error(104), 0, 5, *LEGS)
    assert race.broken() == [("CQ-REFUSED-NO-EFFECT", "quote")]


def test_results_speak_for_their_own_instructions() -> None:
    two = {"mine": "open", "other": "open"}
    body = json.dumps([instruction(1001), instruction(1002)]).encode()
    answer = [failed(1002), result(1001)]
    race = Race(TPP, two, GONE).call(answer, 0, 5, "mine", "other", body=body)
    assert race.findings() == (), "the results may come in any order"
    turned = Race(TPP, two, {"other": "cancelled"}).call(answer, 0, 5, "mine", "other", body=body)
    assert turned.broken() == [("TPP-EFFECT", "mine"), ("TPP-FAILED-NO-EFFECT", "other")]


@pytest.mark.parametrize("answer", [[result(1001)], [result(1001), result(1003)], [result(1001, Success=None)]])
def test_results_that_fit_no_instructions_say_nothing(answer: list[Any]) -> None:
    body = json.dumps([instruction(1001), instruction(1002)]).encode()
    race = Race(TPP, {"mine": "open", "other": "open"}).call(answer, 0, 5, "mine", "other", body=body)
    assert race.findings() == ()


def test_what_was_cancelled_before_is_gone() -> None:
    race = Race(before={"mine": "cancelled"}).call(error(104), 0, 1)
    assert race.findings() == ()
    race = Race(before={"mine": "cancelled"}).call(success(), 0, 1)
    assert race.broken() == [("CO-RESP-RESULT-TRUE", "mine")]


def test_looks_on_the_way_count_only_where_the_document_says_what_they_show() -> None:
    seen = {"mine": "open"}
    race = Race(before=ONE_ORDER, after=GONE).call(success(), 0, 1)
    race.step("look", ("mine",), 2, 3, shown={"mine": "cancelled"}).step("look", ("mine",), 4, 5, shown=seen)
    assert race.findings() == ()


def test_look_that_shows_nothing_clear_says_nothing() -> None:
    race = (
        quote(**QUOTE_GONE)
        .call(pair(success(), success()), 0, 1, *LEGS)
        .look(2, 3, quote_bid="unknown")
        .look(4, 5, quote_ask="mixed")
    )
    assert race.findings() == ()


def test_things_are_told_of_apart() -> None:
    race = Race(CO, {"mine": "open", "mine2": "open"}, {"mine2": "cancelled"}).call(success(), 0, 1, "mine2")
    assert race.findings() == ()
    race = Race(CO, {"mine": "open", "mine2": "open"}, {"mine": "cancelled"}).call(success(), 0, 1, "mine2")
    assert race.broken() == [("CO-EFFECT-ONLY", "mine"), ("CO-EFFECT", "mine2")]


def test_steps_are_drawn_in_the_order_of_their_beginning_on_the_clock_of_the_race() -> None:
    race = Race(CAO, {"mine": "open", "new": "open"}, {"new": "cancelled"})
    race.step("place", ("new",), 7.0, 7.0015).call(success(), 7.002, 9.5, "mine", "new", does="cancel-all")
    race.step("beside", ("mine",), 7.001, FOREVER, exchange=LOST)
    history = judge_race(kit(CAO), race.seen()).history
    assert history.splitlines() == [
        "     2.0   2500.0 ms  trading over HTTP          cancel-all mine new              done",
        "          at the end  mine open, new cancelled",
    ]
    race = quote(**QUOTE_GONE).look(1, 2, quote_bid="cancelled", quote_ask="cancelled")
    race.look(3, 4, quote_bid="open", quote_ask="open").call(pair(success(), success()), 0, 1, *LEGS)
    lines = judge_race(kit(CQ), race.seen()).history.splitlines()
    assert [line.split("  ")[-1].strip() for line in lines[:-1]] == [
        "quote.bid cancelled, quote.ask cancelled",
        "quote.bid open, quote.ask open",
    ]


def test_history_without_a_last_look_says_so() -> None:
    race = Race(before=ONE_ORDER, after={"mine": "unknown"}).call(success(), 0, 1).call(success(), 2, 3)
    seen = replace(race.seen(), after={})
    assert judge_race(kit(CO), seen).history.splitlines()[-1] == "          at the end  nothing was shown"
    assert judge_race(kit(CO), Race(before=ONE_ORDER).call(error(101), 0, 1).seen()).history == ""


def test_only_what_the_document_demands_stays_unverified_and_each_sentence_once() -> None:
    unknown = {"mine": "unknown", "other": "unknown"}
    outcome = judge_race(kit(CO), Race(after=unknown).call(success(), 0, 5).seen())
    assert outcome.unverified == ("CO-EFFECT", "CO-REFUSED-NO-EFFECT", "CO-EFFECT-ONLY")
    listed = judge_race(kit(TPP), Race(TPP, {"mine": "open"}, {"mine": "unknown"}).call([result()], 0, 5).seen())
    assert listed.unverified == ("TPP-EFFECT", "TPP-FAILED-NO-EFFECT", "TPP-EFFECT-ONLY")
    assert judge_race(kit(CO), Race(after=GONE).call(success(), 0, 5).seen()).unverified == ()


def test_what_is_found_of_one_thing_does_not_hide_that_another_costs_too_much() -> None:
    race = Race(after={"other": "cancelled"})
    for _ in range(6):
        race.call(error(101), 0, 5)
    outcome = judge_race(kit(CO), race.seen(), most_steps=30)
    assert outcome.undecided == "the calls for mine are too many to be put in order"
    assert [(one.requirement, one.at) for one in outcome.findings] == [("CO-EFFECT-ONLY", "other")]


def test_judgement_of_a_case_says_that_its_race_costs_too_much() -> None:
    race = Race(before=ONE_ORDER, after=GONE)
    for _ in range(15):
        race.call(error(101), 0, 5)
    judgement = judge(kit(CO), case(CO), race.seen(), Pins())
    assert judgement.undecided == "the calls for mine are too many to be put in order"


def test_what_was_placed_before_is_drawn_as_done_and_legs_with_a_word_each() -> None:
    lines = judge_race(kit(CAO), WRONG["placed-before-and-left"][0].seen()).history.splitlines()
    assert [(line.split()[6], line.split()[-1]) for line in lines[:-1]] == [("place", "done"), ("cancel-all", "done")]
    race = quote().call(pair(success(), error(104)), 0, 5, *LEGS)
    assert race.broken() == [("CQ-EFFECT-PAIR", "quote.bid")]
    assert judge_race(kit(CQ), race.seen()).history.splitlines()[0].endswith(" done, refused")


def test_call_for_an_account_may_leave_its_quotes_or_find_none() -> None:
    legs = {"quote.bid": "open", "quote.ask": "open"}
    for answer in (success(), error(104)):
        assert Race(CAO, legs).call(answer, 0, 1, *LEGS, does="cancel-all").findings() == ()


def test_what_something_beside_may_have_done_is_not_laid_on_the_refused() -> None:
    race = Race(before=ONE_ORDER, after=GONE).call(error(104), 0, 1).step("beside", ("mine",), 2, 3)
    assert race.broken() == [("CO-RESP-RESULT-TRUE", "mine")]


def test_one_result_speaks_for_its_instruction_alone() -> None:
    body = json.dumps(instruction(1001)).encode()
    for answered, broken in ((1001, [("TPP1-EFFECT", "mine")]), (1002, [])):
        race = Race("tpp.create_cancellation", ONE_ORDER).call(result(answered), 0, 1, body=body)
        assert race.broken() == broken


def test_second_success_is_on_the_sentence_of_success_where_none_speaks_of_it() -> None:
    made = kit(CO)
    explore = made.operation.explore
    assert explore is not None
    silent = {name: one for name, one in explore.requirement.items() if name != "again"}
    plain = replace(made, operation=replace(made.operation, explore=replace(explore, requirement=silent)))
    (found,) = judge_race(plain, WRONG["double"][0].seen()).findings
    assert found.requirement == "CO-RESP-RESULT-TRUE"
