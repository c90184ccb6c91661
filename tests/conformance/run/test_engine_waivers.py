"""Waivers are narrow: case, requirement and finding must match, every finding must be covered, and they expire."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from conformance.endpoint.model import Waiver
from conformance.model.verdict import CaseResult, Finding, Verdict
from conformance.run.session import Waivers

TODAY = date(2030, 1, 15)


def waiver(**changes: Any) -> Waiver:
    values = {
        "case": "cao/a@http", "requirement": "R-1", "finding": "wrong text", "reason": "known", "owner": "ann", "expires": TODAY,
    }  # fmt: skip
    return Waiver(**{**values, **changes})


def finding(requirement: str = "R-1", message: str = "a wrong text of code 20") -> Finding:
    return Finding(requirement, "schema", message)


def result(*findings: Finding, verdict: Verdict = Verdict.FAIL, name: str = "cao/a@http") -> CaseResult:
    return CaseResult(name, "op", ("R-1",), "named", "http", "application/json", "user", verdict, findings)


def test_a_covered_failure_is_waived_with_its_reason() -> None:
    waived = Waivers((waiver(),), TODAY).apply(result(finding()))
    assert (waived.verdict, waived.reason, waived.findings) == (Verdict.WAIVED, "known", (finding(),))


@pytest.mark.parametrize(
    "one",
    [
        waiver(case="cao/b@http"),
        waiver(requirement="R-2"),
        waiver(finding="another text"),
        waiver(expires=date(2030, 1, 14)),
    ],
)
def test_what_a_waiver_does_not_name_still_fails(one: Waiver) -> None:
    assert Waivers((one,), TODAY).apply(result(finding())).verdict is Verdict.FAIL


def test_one_uncovered_finding_fails_the_case() -> None:
    assert Waivers((waiver(),), TODAY).apply(result(finding(), finding("R-2"))).verdict is Verdict.FAIL


def test_several_waivers_cover_several_findings() -> None:
    both = (waiver(), waiver(requirement="R-2", reason="also known"))
    waived = Waivers(both, TODAY).apply(result(finding(), finding("R-2")))
    assert (waived.verdict, waived.reason) == (Verdict.WAIVED, "known; also known")


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.NOT_VERIFIED, Verdict.TARGET_ERROR])
def test_only_failures_are_waived(verdict: Verdict) -> None:
    assert Waivers((waiver(),), TODAY).apply(result(verdict=verdict)).verdict is verdict


def test_a_waiver_that_matched_nothing_is_told_when_its_case_ran() -> None:
    waivers = Waivers((waiver(),), TODAY)
    waivers.apply(result(verdict=Verdict.PASS))
    assert waivers.unmatched() == ("cao/a@http R-1: matched nothing (owner ann)",)


@pytest.mark.parametrize("one", [result(verdict=Verdict.NOT_VERIFIED), result(verdict=Verdict.PASS, name="cao/b@http")])
def test_a_waiver_whose_case_was_not_judged_is_not_told(one: CaseResult) -> None:
    waivers = Waivers((waiver(),), TODAY)
    waivers.apply(one)
    assert waivers.unmatched() == ()


def test_a_waiver_that_matched_is_not_told() -> None:
    waivers = Waivers((waiver(),), TODAY)
    waivers.apply(result(finding()))
    assert waivers.unmatched() == ()


def test_what_an_earlier_part_of_the_run_matched_is_matched() -> None:
    waivers = Waivers((waiver(),), TODAY)
    waivers.note(result(finding(), verdict=Verdict.WAIVED))
    assert waivers.unmatched() == ()


def test_an_expired_waiver_is_told_whether_it_matched_or_not() -> None:
    late = waiver(expires=date(2030, 1, 14))
    assert Waivers((late, waiver()), TODAY).expired() == ("cao/a@http R-1: expired on 2030-01-14 (owner ann)",)


@pytest.mark.parametrize(
    ("changes", "covered"),
    [
        ({"case": "cao/*"}, True),
        ({"case": "cq/*"}, False),
        ({"case": "*", "seen": "Internal"}, True),
        ({"seen": "Int*failure"}, True),
        ({"seen": "External"}, False),
        ({"finding": "wrong * of code"}, True),
        ({"finding": "wrong * of mode"}, False),
        ({"case": "cao/?@http"}, False),
    ],
)
def test_patterns_of_cases_and_of_what_was_seen(changes: dict[str, str], covered: bool) -> None:
    found = Finding("R-1", "schema", "a wrong text of code 20", actual="Internal failure 7")
    judged = Waivers((waiver(**changes),), TODAY).apply(result(found))
    assert judged.verdict is (Verdict.WAIVED if covered else Verdict.FAIL)


def test_a_waiver_without_a_case_is_of_any_case() -> None:
    one = Waiver(requirement="R-1", finding="wrong text", reason="known", owner="ann", expires=TODAY)
    assert Waivers((one,), TODAY).apply(result(finding())).verdict is Verdict.WAIVED


def test_a_pattern_that_matched_nothing_is_told_but_not_of_a_part_of_the_cases() -> None:
    waivers = Waivers((waiver(case="cao/*"),), TODAY)
    waivers.apply(result(verdict=Verdict.PASS))
    assert waivers.unmatched() == ("cao/* R-1: matched nothing (owner ann)",)
    assert waivers.unmatched(narrowed=True) == ()


def test_a_waiver_of_any_case_is_stale_only_when_its_requirement_was_judged() -> None:
    waivers = Waivers((waiver(case="*", requirement="R-2"), waiver(case="*")), TODAY)
    waivers.apply(result(verdict=Verdict.PASS))
    assert waivers.unmatched() == ("* R-1: matched nothing (owner ann)",)


def test_a_waiver_says_how_many_cases_it_matched_and_when_there_are_more() -> None:
    waivers = Waivers((waiver(case="cao/*", cases=1),), TODAY)
    waivers.apply(result(finding(), finding()))
    assert (waivers.counts(), waivers.beyond()) == ({"cao/* R-1": 1}, ())
    waivers.apply(result(finding(), name="cao/b@http"))
    assert waivers.counts() == {"cao/* R-1": 2}
    assert waivers.beyond() == ("cao/* R-1: matches 2 cases, 1 when it was written (owner ann)",)
