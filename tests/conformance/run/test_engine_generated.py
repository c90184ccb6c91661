"""The memory of wire forms: one value answered in two ways is one finding that shows both exchanges."""

from __future__ import annotations

from conformance.model.verdict import CaseResult, Verdict
from conformance.run.execute import Judged
from conformance.run.schedule import FormMemory
from conformance.wire.messages import Exchange

KEY = ("tpp.create_cancellations", 7)


def judged(number: int, gist: tuple[object, ...], verdict: Verdict = Verdict.PASS) -> Judged:
    result = CaseResult(
        f"tpp/generated/{number:06}@text-xml",
        KEY[0],
        ("TPP-REQ-LIST",),
        "generated",
        "http",
        "text/xml",
        "client",
        verdict,
    )
    exchange = Exchange(b"sent %d" % number, b"received %d" % number, None, None, 0.0, 0.0)
    return Judged(result, gist, f"answer {gist[1:]}", (exchange,))


def remembered(*answers: Judged) -> list[CaseResult]:
    memory = FormMemory()
    for answer in answers:
        memory.note(KEY, int(answer.result.id[14:20]), answer)
    return list(memory.broken(()))


def test_alike_answers_are_no_finding() -> None:
    assert remembered(judged(1, ("results", False)), judged(2, ("results", False))) == []


def test_another_answer_is_a_finding_on_the_later_case_with_both_exchanges() -> None:
    (result,) = remembered(judged(9, ("results", True)), judged(3, ("results", False)))

    assert (result.id, result.verdict) == ("tpp/generated/000009@text-xml", Verdict.FAIL)
    assert "tpp/generated/000003@text-xml" in result.findings[0].message
    assert [one.evidence.sent for one in result.exchanges if one.evidence] == ["sent 3", "sent 9"]


def test_the_order_of_arrival_does_not_matter() -> None:
    answers = [
        judged(4, ("results", False)),
        judged(2, ("results", False)),
        judged(8, ("results", True)),
        judged(6, ("results", True)),
    ]

    assert remembered(*answers) == remembered(*reversed(answers))


def test_a_case_that_failed_already_is_not_failed_twice() -> None:
    assert remembered(judged(1, ("results", False)), judged(2, ("results", True), Verdict.FAIL)) == []
