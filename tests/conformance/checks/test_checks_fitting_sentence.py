"""The sentence that a finding on an effect quotes is about what happened, in every bundled case."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from checks_support import kit

from conformance.cases.fixtures import load_cases
from conformance.checks.answer import SERVED, Observation
from conformance.checks.outcome import judge_effects
from conformance.contract.load import load_contract
from conformance.model.case import Alternative, Case
from conformance.model.spec import Operation

CONTRACT = load_contract()
CASES = load_cases(CONTRACT)
OPERATIONS = sorted(CONTRACT.operations)
ONLY_ERRORS = re.compile(r"^(A call|A leg) that is answered with an error|^An instruction that is not reported as")
ONLY_SUCCESSES = re.compile(r"^A successful call|result reports success")
MORE_THAN_NAMED = re.compile(r"(?i)cancels nothing outside|cancels no other one|nothing but the named|did not name\.")


def text(requirement: str) -> str:
    return CONTRACT.requirements[requirement].text


def successes(wanted: dict[str, object]) -> bool:
    """Whether the answer reports success for everything."""
    codes = [wanted[name] for name in ("code", "bid", "ask") if name in wanted]
    flags = wanted.get("results")
    return flags == "all" or (bool(flags) and flags == [True] * len(flags)) or codes in ([[0]], [[0], [0]], [0])  # type: ignore[arg-type]


def alternatives(operation: str) -> Iterator[tuple[Case, Alternative]]:
    """Every answer that a bundled case of the operation allows."""
    return ((case, one) for case in CASES if case.operation == operation for one in case.expect.any_of)


def found_on(case: Case, one: Alternative, operation: Operation, after: dict[str, str]) -> list[str]:
    """The sentences of the findings when everything was open before."""
    opened = dict.fromkeys((*one.cancelled, *one.untouched), "open")
    seen = Observation((), before=opened, after={**opened, **after})
    return [text(finding.requirement) for finding in judge_effects(case.expect, one, seen, operation).findings]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_what_a_success_without_effect_breaks_and_one_with_more(name: str) -> None:
    operation = CONTRACT.operations[name]
    assert ONLY_SUCCESSES.search(text(operation.effect_of_success))
    assert MORE_THAN_NAMED.search(text(operation.effect_beyond))
    assert ONLY_ERRORS.search(text(operation.attribution["effect"]))


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_success_that_cancelled_nothing_is_no_error_and_did_not_do_too_much(name: str) -> None:
    operation, looked = kit(name).operation, 0
    for case, one in alternatives(name):
        kept = dict.fromkeys(one.untouched, "open")
        for sentence in found_on(case, one, operation, {**kept, **dict.fromkeys(one.cancelled, "open")}):
            looked += 1
            assert not ONLY_ERRORS.search(sentence), case.id
            assert not MORE_THAN_NAMED.search(sentence), case.id
    assert looked > 100


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_was_touched_is_told_by_a_rule_on_the_answer_that_came(name: str) -> None:
    operation, looked = kit(name).operation, 0
    for case, one in alternatives(name):
        for thing in one.untouched:
            gone = {**dict.fromkeys(one.cancelled, "cancelled"), thing: "cancelled"}
            (sentence,) = found_on(case, one, operation, gone)
            looked += 1
            if successes(dict(one.wanted)) or one.wanted.get("form") == SERVED:
                assert not ONLY_ERRORS.search(sentence), case.id
            else:
                assert not ONLY_SUCCESSES.search(sentence), case.id
    assert looked > 100
