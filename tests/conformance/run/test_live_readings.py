"""Every alternative of every reading is accepted, seen and named; a pinned one that is not followed is a finding."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from live_support import judge_all, live, pointed, run, sample

from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import Verdict

_SPREAD = 40


@cache
def contract() -> Contract:
    return load_contract(None)


@cache
def named_cases() -> tuple[Case, ...]:
    return load_cases(contract())


ALTERNATIVES = [
    (reading.id, name) for reading in load_contract(None).readings.values() for name in reading.alternatives
]


@pytest.mark.parametrize(("reading", "alternative"), ALTERNATIVES)
def test_an_alternative_is_no_violation(reading: str, alternative: str) -> None:
    found = contract().readings[reading]
    wanted = set(found.requirements.values())
    own = [case for case in named_cases() if case.operation in found.operations]
    near = [case for case in own if wanted.intersection(case.requirements)]
    cases = {case.id: case for case in (*near[:: max(1, len(near) // 25)], *own[::_SPREAD])}
    with live(readings=(f"{reading}={alternative}",)) as server:
        results = judge_all(contract(), list(cases.values()), pointed(sample(found.service), server.url))
    bad = {
        result.id: result.findings or result.reason for result in results.values() if result.verdict is not Verdict.PASS
    }
    assert not bad
    assert len(results) == len(cases)


HIDDEN = {"unusable-value", "account-zero"}
"""Readings that another of the last alternatives hides.

A list that is refused whole drops nothing; an account 0 that is unknown gets the code of one that is left out.
"""


@pytest.mark.parametrize("service", ["alphapoint", "tpp"])
def test_the_last_alternatives_together_are_conformant_and_named(tmp_path: Path, service: str) -> None:
    chosen = {one.id: list(one.alternatives)[-1] for one in contract().readings.values() if one.service == service}
    with live(readings=tuple(f"{name}={alternative}" for name, alternative in chosen.items())) as server:
        came = run(tmp_path, pointed(sample(service), server.url), "--generated", "0")
    assert came.exit_code == 0, came.output
    assert set(came.verdicts().values()) == {"pass"}
    observed = {row["id"]: row["observed"] for row in came.results["readings"]}
    mentioned = [name for name in chosen if observed.get(name) and name not in HIDDEN]
    assert len(mentioned) > len(chosen) // 2
    assert all(chosen[name] in observed[name] for name in mentioned)


def test_a_pinned_alternative_that_is_not_followed_is_a_finding_on_the_requirement_of_the_reading(
    tmp_path: Path,
) -> None:
    with live() as server:
        text = pointed(sample("alphapoint"), server.url) + '\n[readings]\nerrormsg-on-success = "empty"\n'
        came = run(tmp_path, text, "--generated", "0", "--case", "cao/effects/nothing-open@http")
    assert came.exit_code == 1
    (finding,) = came.case("cao/effects/nothing-open@http")["findings"]
    assert finding["requirement"] in contract().readings["errormsg-on-success"].requirements.values()
    assert (finding["expected"], finding["actual"]) == ("empty", "null")


def test_a_pinned_alternative_that_is_followed_passes_and_is_shown_as_pinned(tmp_path: Path) -> None:
    with live() as server:
        text = pointed(sample("alphapoint"), server.url) + '\n[readings]\nerrormsg-on-success = "null"\n'
        came = run(tmp_path, text, "--generated", "0", "--case", "cao/effects/nothing-open@http")
    assert came.case("cao/effects/nothing-open@http")["verdict"] == "pass"
    assert next(row["pinned"] for row in came.results["readings"] if row["id"] == "errormsg-on-success") == "null"
