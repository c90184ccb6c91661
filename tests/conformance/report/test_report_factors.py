"""What failing cases have in common: named by the smallest combination of factors that tells them from the others."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.cases.combinations.arrays import counted, row_of
from conformance.cases.fixtures import family_of, load_cases
from conformance.contract.load import load_contract
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Finding, Recorded, Verdict
from conformance.report.causes import Cause, causes
from conformance.report.factors import Common

CAO, CO, CQ = "alphapoint.cancel_all_orders", "alphapoint.cancel_order", "alphapoint.cancel_quote"
TPP = "tpp.create_cancellations"
XML_TYPES, JSON_TYPES = {"text/xml", "application/xml"}, {"text/json", "application/json"}
OUTCOME = Finding("R", "outcome", "wrong", "code 104", "code 0, result true", "answer", "accepted")
FORM = Finding("R", "schema", "/detail: expected text, found 0", "text", "0", "/detail")


@pytest.fixture(scope="module")
def bundled() -> tuple[Contract, tuple[Case, ...]]:
    contract = load_contract(None)
    return contract, load_cases(contract, None)


def judged(case: Case, *findings: Finding, name: str = "", seen: str | None = None) -> CaseResult:
    """A case that was carried out; with findings it failed."""
    return CaseResult(
        name or case.id,
        case.operation,
        case.requirements,
        "generated" if name else "named",
        case.transport.value,
        case.media_type,
        case.role,
        Verdict.FAIL if findings else Verdict.PASS,
        findings,
        code_seen=seen,
    )


def found(
    bundled: tuple[Contract, tuple[Case, ...]],
    operation: str,
    fails: Callable[[Case], bool],
    finding: Finding = OUTCOME,
    seen: Callable[[Case], str | None] = lambda _case: None,
) -> Cause:
    """The one cause of a run in which these cases fail."""
    contract, cases = bundled
    results = [
        judged(case, *([finding] if fails(case) else ()), seen=seen(case))
        for case in cases
        if case.operation == operation
    ]
    (cause,) = causes(results, contract)
    return cause


def asked(case: Case) -> str:
    """The media type that the answer is asked for in, where it is one alone."""
    if case.message.frame is not None:
        return ""
    said = [value.lower() for name, value in case.message.headers if name.lower() == "accept"] or [case.media_type]
    kind = said[0].partition(";")[0].strip()
    return kind if len(said) == 1 and "," not in said[0] and kind in XML_TYPES | JSON_TYPES else ""


@pytest.mark.parametrize(
    ("operation", "fails", "levels"),
    [
        (TPP, lambda case: "xml" in case.media_type, {"format": "XML"}),
        (TPP, lambda case: case.media_type == "text/json", {"media type": "text/json"}),
        (TPP, lambda case: "xml" in case.media_type and asked(case) in JSON_TYPES, {"formats": "XML in, JSON out"}),
        (TPP, lambda case: asked(case) in XML_TYPES, {"answers in": "XML"}),
        (
            CAO,
            lambda case: case.role == "operator" and case.transport == "ws",
            {"role": "operator", "transport": "ws"},
        ),
        (CAO, lambda case: case.role == "none", {"role": "none"}),
        (CAO, lambda case: case.message.method == "HEAD" and case.message.frame is None, {"method": "HEAD"}),
        (
            CQ,
            lambda case: any(need.state == "open-order" for need in case.states.values()),
            {"set up": "open-order"},
        ),
        (CQ, lambda case: bool(case.beside), {"meanwhile": "another message"}),
        (CQ, lambda case: bool(case.session and case.session.token == "longer"), {"session": "longer token"}),
        (CAO, lambda case: '"AccountId":null' in case.message.body.text, {"AccountId": "null"}),
    ],
)
def test_the_smallest_combination_is_named(
    bundled: tuple[Contract, tuple[Case, ...]],
    operation: str,
    fails: Callable[[Case], bool],
    levels: dict[str, str],
) -> None:
    cause = found(bundled, operation, fails)
    assert cause.only_when == levels
    assert cause.common is not None
    assert (cause.common.failing_with, cause.common.others_with) == (cause.cases, 0)
    assert cause.common.failing + cause.common.others == cause.of


def test_a_boolean_is_one_in_either_format(bundled: tuple[Contract, tuple[Case, ...]]) -> None:
    """In XML it is a text, which must not pass for something that stands in XML alone."""
    cause = found(
        bundled, TPP, lambda case: "xml" in case.media_type and "InternationalOrder" in case.message.body.text
    )
    assert cause.common is not None
    assert cause.common.levels["format"] == "XML"
    assert "another text" not in cause.common.words


def test_the_own_factors_of_an_operation_are_factors(bundled: tuple[Contract, tuple[Case, ...]]) -> None:
    contract, _ = bundled
    counting = counted(contract.operations[CO])
    assert counting is not None

    def fails(case: Case) -> bool:
        rows = [
            counting.grid.named(row) for row in (row_of(counting.grid, text) for text in case.rows) if row is not None
        ]
        return bool(rows) and all(row["order"] == "own-elsewhere" and row["transport"] == "ws" for row in rows)

    cause = found(bundled, CO, fails)
    assert cause.common is not None
    assert dict(cause.common.levels) == {"order": "own-elsewhere", "transport": "ws"}


def test_what_is_nearly_so_comes_with_its_numbers(bundled: tuple[Contract, tuple[Case, ...]]) -> None:
    contract, cases = bundled
    one_by_one = contract, tuple(case for case in cases if family_of(case.id) != "combinations")
    cause = found(one_by_one, CAO, lambda case: "lower-case-key" in case.id)
    others = sum(case.operation == CAO for case in one_by_one[1]) - 6
    assert cause.common == Common({"members": "in another spelling"}, 6, 6, 6, others)
    assert cause.common.words == f"mostly with members in another spelling (6 of 6 compared, others 6 of {others})"
    wide = found(
        one_by_one, CAO, lambda case: re.search(r'"AccountId":[^,]*[0-9]{10}', case.message.body.text) is not None
    )
    assert wide.only_when == {"AccountId": "beyond 2^31"}
    sure = Common({"role": "operator", "transport": "ws"}, 12, 12, 0, 420)
    assert sure.words == "only with role operator and transport ws (12 of 12 compared, others 0 of 420)"


def test_the_code_that_came_tells_of_a_wrong_form_and_not_of_a_wrong_outcome(
    bundled: tuple[Contract, tuple[Case, ...]],
) -> None:
    def success(case: Case) -> bool:
        return all(one.wanted.get("code") in ([0], 0) for one in case.expect.any_of)

    def seen(case: Case) -> str:
        return "0" if success(case) else "104"

    assert found(bundled, CAO, success, FORM, seen).only_when == {"answered": "code 0"}
    assert "answered" not in found(bundled, CAO, success, OUTCOME, seen).only_when


def test_the_first_calls_of_users_are_told_as_such(bundled: tuple[Contract, tuple[Case, ...]]) -> None:
    contract, cases = bundled
    mine = [case for case in cases if case.operation == CAO]
    first = {case.id for case in random.Random(5).sample(mine, 20)}
    results = [
        replace(
            judged(case, *([FORM] if case.id in first else ())),
            exchanges=(Recorded("judged", case.role, "http", 1.0, 0.1, first=case.id in first),),
        )
        for case in mine
    ]
    (cause,) = causes(results, contract)
    assert cause.common is not None
    assert cause.common.words.startswith("only with call the first of its user (20 of 20 compared")


def test_cases_that_fail_by_chance_have_nothing_in_common(bundled: tuple[Contract, tuple[Case, ...]]) -> None:
    chance = random.Random(5)
    ids = {case.id for case in bundled[1] if chance.random() < 0.5}
    cause = found(bundled, TPP, lambda case: case.id in ids)
    assert (cause.common, dict(cause.only_when)) == (None, {})


def test_all_cases_have_nothing_in_common(bundled: tuple[Contract, tuple[Case, ...]]) -> None:
    assert found(bundled, CAO, lambda _case: True).common is None


def test_of_generated_cases_alone_what_their_results_tell(bundled: tuple[Contract, tuple[Case, ...]]) -> None:
    contract, cases = bundled
    own = [case for case in cases if case.operation == TPP]
    passing = [judged(case) for case in own]
    failing = [
        judged(case, OUTCOME, name=f"tpp/generated/{number}@x")
        for number, case in enumerate(own)
        if "xml" in case.media_type
    ]
    (cause,) = causes([*passing, *failing], contract)
    assert cause.common is None, "of those that passed just as many are XML"
    json_only = [one for one in passing if "json" in one.media_type]
    (cause,) = causes([*json_only, *failing], contract)
    assert cause.common == Common({"format": "XML"}, len(failing), len(failing), 0, len(json_only))


def test_half_of_all_cases_failing_costs_little(bundled: tuple[Contract, tuple[Case, ...]]) -> None:
    contract, cases = bundled
    results = [
        judged(
            cases[number % len(cases)], *([OUTCOME, FORM] if number % 2 else ()), name=f"{number}" * (number >= 3000)
        )
        for number in range(10_000)
    ]
    started = time.process_time()
    causes(results, contract)
    assert time.process_time() - started < 5, "seconds of this process; 0.5 on the machine that it was written on"
