"""Which states a case can do without on a target that cannot bring them about."""

from __future__ import annotations

from dataclasses import replace

from conformance.cases.load import load_cases
from conformance.engine.course import spare_states
from conformance.model.case import Case
from conformance.specs.load import load_contract

CASES = {case.id: case for case in load_cases(load_contract())}


def case(name: str) -> Case:
    return CASES[name]


def test_a_refusal_that_names_no_state_can_do_without_the_ones_it_only_watches() -> None:
    assert spare_states(case("cao/codes/100@http")) == {"mine"}


def test_a_case_that_may_cancel_something_needs_all_its_states() -> None:
    assert spare_states(case("cao/response/sample@http")) == frozenset()


def test_a_state_whose_id_is_in_the_message_is_needed() -> None:
    assert spare_states(case("cq/codes/20@http")) == frozenset()


def test_the_messages_of_a_twin_and_those_before_count_as_well() -> None:
    plain = case("cao/codes/100@http")
    using = case("cq/codes/20@http")

    assert spare_states(replace(plain, before=(using.message,), states={"quote": using.states["quote"]})) == frozenset()
