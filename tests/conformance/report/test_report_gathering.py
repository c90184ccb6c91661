"""Results are gathered in bounded memory, and come to the same whatever their order."""

from __future__ import annotations

from dataclasses import replace

from conformance.model.verdict import CaseResult, Finding, Verdict
from conformance.report.rows import MOST_KEPT, Gathering, gather


def generated(number: int, verdict: Verdict = Verdict.PASS) -> CaseResult:
    findings = (Finding("TPP-REQ-LIST", "outcome", "wrong"),) if verdict is Verdict.FAIL else ()
    return CaseResult(
        f"tpp/generated/{number:06}@text-xml", "tpp.create_cancellations", ("TPP-REQ-LIST",), "generated", "http", "text/xml",
        "client", verdict, findings=findings, readings=("processed-status=200",), requests=1,
    )  # fmt: skip


def test_generated_cases_that_passed_are_counted_and_not_kept() -> None:
    gathering = gather(generated(number) for number in range(1000))

    assert gathering.results == ()
    assert gathering.folded.verdicts[Verdict.PASS] == 1000
    assert gathering.folded.for_requirement("TPP-REQ-LIST") == 1000
    assert gathering.folded.readings["processed-status=200"] == 1000
    assert gathering.folded.requests == 1000


def test_of_many_failures_the_first_by_id_are_kept_whatever_their_order() -> None:
    failures = [generated(number, Verdict.FAIL) for number in range(MOST_KEPT + 50)]

    forwards, backwards = gather(failures), gather(reversed(failures))

    assert [result.id for result in forwards.results] == [result.id for result in failures[:MOST_KEPT]]
    assert forwards == backwards
    assert forwards.folded.verdicts[Verdict.FAIL] == 50


def test_a_pass_that_is_revised_is_counted_once_as_it_is_from_a_journal() -> None:
    passed, failed = generated(1), replace(generated(1, Verdict.FAIL), revised=True)
    live = Gathering()
    live.add(passed)
    live.add(failed)

    read_back = gather([passed, replace(failed, revised=False)])

    assert +live.folded.verdicts == +read_back.folded.verdicts
    assert +live.folded.requirements == +read_back.folded.requirements
    assert live.folded.requests == read_back.folded.requests == 0
    assert [result.id for result in live.results] == [result.id for result in read_back.results] == [passed.id]
