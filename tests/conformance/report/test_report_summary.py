"""The summary: verdicts on requirements, cells and readings, and the exit code."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from report_support import (
    GATEWAY,
    INFO,
    LISTS,
    contract,
    everything_passes,
    failed,
    finding,
    full_result,
    result,
)

from conformance.cases.combinations.count import Coverage
from conformance.errors import Hindrance
from conformance.model.verdict import CaseResult, Verdict
from conformance.report.rows import CarriedOut, CodeRow, RequirementRow, RunSummary
from conformance.report.run_info import Ending, Settings, SummaryOptions
from conformance.report.summary import summarise, to_json
from conformance.run.selection import Selection

HARNESS, TARGET, UNSURE = Verdict.HARNESS_ERROR, Verdict.TARGET_ERROR, Verdict.NOT_VERIFIED
WAIVED, NONE = Verdict.WAIVED, Verdict.NOT_APPLICABLE


def summary(results: list[CaseResult], settings: Settings | None = None, **ending: Any) -> RunSummary:
    return summarise(contract(), INFO, results, SummaryOptions(settings or Settings(), Ending(**ending)))


def row(results: list[CaseResult], name: str = "G-OK", settings: Settings | None = None) -> RequirementRow:
    return next(row for row in summary(results, settings).requirements if row.id == name)


def cell(results: list[CaseResult], code: str = "104", settings: Settings | None = None) -> CodeRow:
    rows = summary(results, settings).error_codes
    return next(row for row in rows if row.code == code and row.transport == "http")


def test_a_conformant_run_exits_0() -> None:
    whole = summary(everything_passes())
    assert (whole.verdict, whole.exit_code, whole.reasons) == ("pass", 0, ())


def test_requirements_are_sorted_and_counted() -> None:
    whole = summary(everything_passes())
    assert [one.id for one in whole.requirements] == ["G-104", "G-GROUP", "G-OK", "G-SHAPE", "L-DONE"]
    assert whole.requirement_counts["pass"] == 4
    assert whole.requirement_counts["not-applicable"] == 1


def test_a_finding_fails_its_requirement() -> None:
    assert row([failed("a", "G-OK"), result("b", "G-OK")]).reason == "1 finding in 1 case"
    assert row([failed("a", "G-OK"), result("b", "G-OK")]).verdict is Verdict.FAIL


def test_a_finding_from_a_case_that_does_not_name_the_requirement_fails_it() -> None:
    judged = row([result("b", "G-OK"), failed("a", "G-SHAPE", on="G-OK")])
    assert judged.verdict is Verdict.FAIL
    assert judged.cases == ("g/family/a@http", "g/family/b@http")


def test_a_finding_in_a_generated_case_fails_its_requirement() -> None:
    judged = row([result("b", "G-OK"), failed("a", "G-OK", tier="generated")])
    assert (judged.verdict, judged.generated) == (Verdict.FAIL, 1)


def test_a_case_that_fails_on_another_requirement_verifies_nothing() -> None:
    judged = row([failed("a", "G-OK", on="G-SHAPE")])
    assert (judged.verdict, judged.reason) == (UNSURE, "each of its cases failed on another requirement")


def test_a_waived_finding_waives_its_requirement() -> None:
    waived = result("a", "G-OK", verdict=WAIVED, findings=(finding("G-OK"),), reason="known, until March")
    judged = row([waived, result("b", "G-OK")])
    assert (judged.verdict, judged.reason) == (WAIVED, "known, until March")


def test_a_finding_outside_the_waived_case_still_fails() -> None:
    waived = result("a", "G-OK", verdict=WAIVED, findings=(finding("G-OK"),))
    assert row([waived, failed("b", "G-OK")]).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((HARNESS, TARGET, Verdict.PASS), HARNESS),
        ((TARGET, Verdict.PASS), TARGET),
        ((Verdict.PASS, WAIVED, UNSURE), Verdict.PASS),
        ((WAIVED, UNSURE), WAIVED),
        ((UNSURE, NONE), UNSURE),
        ((NONE,), NONE),
        ((), UNSURE),
    ],
)
def test_the_strongest_verdict_of_the_cases_decides(verdicts: tuple[Verdict, ...], expected: Verdict) -> None:
    results = [result(str(number), "G-OK", verdict=one) for number, one in enumerate(verdicts)]
    assert row(results).verdict is expected


def test_a_pass_says_how_many_cases_were_not_verified() -> None:
    results = [result("a", "G-OK"), result("b", "G-OK", verdict=UNSURE), result("c", "G-OK", verdict=UNSURE)]
    assert row(results).reason == "2 of 3 cases not verified"


def test_generated_cases_alone_do_not_pass_a_requirement() -> None:
    assert row([result("a", "G-OK", tier="generated")]).verdict is UNSURE


def test_the_most_common_reason_is_given_and_ties_go_by_text() -> None:
    def unsure(reasons: str) -> list[CaseResult]:
        return [result(str(at), "G-OK", verdict=UNSURE, reason=text) for at, text in enumerate(reasons)]

    assert row(unsure("abb")).reason == "b"
    assert row(unsure("ba")).reason == "a"


def test_an_untested_requirement_does_not_apply_and_says_why() -> None:
    judged = row(everything_passes(), "G-GROUP")
    assert (judged.verdict, judged.reason) == (NONE, "only a heading")


def test_a_finding_on_an_unknown_requirement_is_not_lost() -> None:
    assert row([failed("a", "G-OK", on="G-NEW")], "G-NEW").verdict is Verdict.FAIL


def test_unselected_operations_are_left_out() -> None:
    whole = summary(everything_passes()[:5], Settings(Selection(operations=(GATEWAY,))))
    assert {one.operation for one in whole.requirements} == {one.operation for one in whole.error_codes} == {GATEWAY}
    assert whole.exit_code == 0


def test_a_run_of_some_cases_lists_what_it_touched() -> None:
    chosen = Settings(Selection(cases=("g/family/shape@http",)))
    whole = summary([result("shape", "G-SHAPE")], chosen)
    assert [one.id for one in whole.requirements] == ["G-SHAPE"]
    assert whole.error_codes == ()
    assert whole.exit_code == 0


def test_a_run_of_one_requirement_lists_it_and_what_it_found() -> None:
    chosen = Settings(Selection(requirements=("G-OK",)))
    whole = summary([result("a", "G-OK", "G-SHAPE"), failed("b", "G-OK", on="G-104")], chosen)
    assert [one.id for one in whole.requirements] == ["G-104", "G-OK"]


def test_a_run_over_one_transport_lists_the_cells_of_that_transport() -> None:
    whole = summary(everything_passes(), Settings(Selection(transports=("ws",))))
    assert {one.transport for one in whole.error_codes} == {"ws"}


def test_a_run_in_one_media_type_lists_the_cells_of_that_type() -> None:
    whole = summary(everything_passes(), Settings(Selection(media_types=("application/xml",))))
    assert [(one.operation, one.media_type) for one in whole.error_codes] == [(LISTS, "application/xml")]


def test_every_cell_of_the_matrix_has_a_row() -> None:
    rows = [(one.operation, one.code, one.transport, one.media_type) for one in summary([]).error_codes]
    assert rows == [
        (GATEWAY, "0", "http", "application/json"),
        (GATEWAY, "0", "ws", "application/json"),
        (GATEWAY, "104", "http", "application/json"),
        (GATEWAY, "104", "ws", "application/json"),
        (LISTS, "done", "http", "application/json"),
        (LISTS, "done", "http", "application/xml"),
    ]


def test_a_code_is_verified_only_when_it_was_seen() -> None:
    assert cell([result("a", "G-104", code="104", code_seen="104")]).verdict is Verdict.PASS
    other = cell([result("a", "G-104", code="104", code_seen="100")])
    assert (other.verdict, other.reason, other.case) == (UNSURE, "answered 100", "g/family/a@http")
    assert cell([result("a", "G-104", code="104")]).reason == "answered with no code"


def test_a_cell_without_a_case_is_not_verified() -> None:
    empty = cell([])
    assert (empty.verdict, empty.reason, empty.case) == (UNSURE, "no case provokes it", None)


@pytest.mark.parametrize("verdict", [Verdict.FAIL, HARNESS, TARGET, UNSURE, WAIVED])
def test_a_cell_takes_the_verdict_of_its_case(verdict: Verdict) -> None:
    shown = cell([result("a", "G-104", code="104", verdict=verdict, reason="so")])
    assert (shown.verdict, shown.reason) == (verdict, "so")


def test_a_proof_in_one_case_of_a_cell_is_enough_unless_another_fails() -> None:
    proof = result("z", "G-104", code="104", code_seen="104")
    assert cell([result("a", "G-104", code="104", code_seen="100"), proof]).verdict is Verdict.PASS
    assert cell([failed("a", "G-104", code="104"), proof]).verdict is Verdict.FAIL


def test_an_accepted_gap_is_shown_and_leaves_the_run_complete() -> None:
    results = [one for one in everything_passes() if one.code != "104"]
    assert summary(results).exit_code == 4
    accepting = Settings(accepted_gaps={(GATEWAY, "104"): "nothing is unknown there"})
    whole = summary(results, accepting)
    assert whole.exit_code == 0
    shown = cell(results, settings=accepting)
    assert (shown.verdict, shown.reason, shown.accepted) == (UNSURE, "nothing is unknown there", True)
    judged = row(results, "G-104", accepting)
    assert (judged.verdict, judged.reason, judged.accepted) == (UNSURE, "nothing is unknown there", True)


def test_a_fault_in_the_form_of_an_answer_does_not_turn_the_cell_of_its_code_red() -> None:
    form = failed("a", "G-104", on="G-SHAPE", code="104", code_seen="104")
    assert cell([form]).verdict is Verdict.PASS
    assert cell([failed("a", "G-104", on="G-SHAPE", code="104", code_seen="20")]).verdict is Verdict.FAIL
    assert cell([failed("a", "G-104", on="G-104", code="104", code_seen="104")]).verdict is Verdict.FAIL
    effect = replace(finding("G-SHAPE"), check="effect")
    assert cell([replace(form, findings=(effect,))]).verdict is Verdict.FAIL


def test_an_accepted_gap_does_not_hide_a_failure() -> None:
    results = [*everything_passes(), failed("a", "G-104", code="104")]
    assert cell(results, settings=Settings(accepted_gaps={(GATEWAY, "104"): "x"})).verdict is Verdict.FAIL


def test_readings_are_counted_and_a_mixture_is_told() -> None:
    results = [result("a", "G-OK", readings=("empty=null",)), result("b", "G-OK", readings=("empty=text",))]
    (shown,) = summary(results, Settings(pinned={"empty": "null"})).readings
    assert (dict(shown.observed), shown.mixed, shown.pinned) == ({"null": 1, "text": 1}, True, "null")


@pytest.mark.parametrize(
    ("told", "observed"),
    [
        (["null|text", "text"], {"text": 2}),
        (["null|text", "null|text"], {"null": 2}),
        (["null", "text", "null|text"], {"null": 2, "text": 1}),
    ],
)
def test_an_answer_that_does_not_decide_counts_for_what_others_show(told: list[str], observed: dict[str, int]) -> None:
    results = [result(f"c{number}", "G-OK", readings=(f"empty={one}",)) for number, one in enumerate(told)]
    (shown,) = summary(results).readings
    assert dict(shown.observed) == observed


def test_a_reading_never_observed_is_listed_with_no_count() -> None:
    (shown,) = summary([]).readings
    assert (dict(shown.observed), shown.mixed, shown.pinned) == ({}, False, None)


@pytest.mark.parametrize(
    ("extra", "ending", "verdict", "exit_code"),
    [
        ([failed("x", "G-OK")], {}, "fail", 1),
        ([], {"waivers_unmatched": ("w",)}, "fail", 1),
        ([], {"waivers_expired": ("w",)}, "fail", 1),
        ([], {"stopped": "refused"}, "error", 3),
        ([result("x", "G-OK", verdict=TARGET)], {}, "incomplete", 4),
        ([], {"cut_off": True}, "incomplete", 4),
        ([result("x", "G-OK", verdict=HARNESS)], {}, "error", 5),
        ([failed("x", "G-OK"), result("y", "G-OK", verdict=HARNESS)], {"stopped": "refused"}, "error", 5),
        ([failed("x", "G-OK")], {"stopped": "refused"}, "fail", 1),
        ([result("x", "G-OK", verdict=TARGET)], {"stopped": "refused"}, "error", 3),
        ([failed("x", "G-OK")], {"interrupted": True}, "fail", 130),
        ([], {"interrupted": True}, "incomplete", 130),
        ([result("x", "G-OK", verdict=WAIVED, findings=(finding("G-OK"),))], {}, "pass", 0),
    ],
)
def test_the_exit_code(extra: list[CaseResult], ending: dict[str, Any], verdict: str, exit_code: int) -> None:
    whole = summary([*everything_passes(), *extra], **ending)
    assert (whole.verdict, whole.exit_code) == (verdict, exit_code)
    assert bool(whole.reasons) == bool(exit_code)


def test_a_run_of_nothing_is_incomplete() -> None:
    whole = summary([], Settings(Selection(cases=("none",))))
    assert (whole.exit_code, whole.reasons) == (4, ("no case ran",))


def with_hindered(number: int, **more: Any) -> list[CaseResult]:
    """Everything passes, and so many further cases of an optional requirement were not carried out."""
    extra = [result(f"h{n}", "G-SHAPE", verdict=UNSURE, hindrance="scope", **more) for n in range(number)]
    return [*everything_passes(), *extra]


def test_cases_carried_out_and_not_are_counted_by_reason() -> None:
    extra = [result("x", "G-OK", verdict=TARGET), result("y", "G-OK", verdict=UNSURE)]
    whole = summary([*with_hindered(2), *extra], Settings(planned=12))
    document = json.loads(to_json(whole))["summary"]["carried_out"]
    assert document == {
        "cases": 7,
        "of": 12,
        "share": 0.5833,
        "not": {"scope": 2, "unreachable": 1, "not begun": 1, "other": 1},
    }


def test_too_few_cases_carried_out_make_the_run_incomplete() -> None:
    whole = summary(with_hindered(1))
    assert (whole.verdict, whole.exit_code) == ("incomplete", 4)
    assert whole.reasons == ("7 of 8 cases carried out, 1 outside the scope; at least 90% have to be",)


def test_a_run_that_carries_out_enough_says_what_it_did_not() -> None:
    whole = summary(with_hindered(1), Settings(min_carried_out=0.875))
    assert (whole.verdict, whole.exit_code) == ("pass", 0)
    assert whole.reasons == ("7 of 8 cases carried out, 1 outside the scope",)


def test_what_the_target_file_says_it_lacks_does_not_count_against_it() -> None:
    whole = summary(with_hindered(20, accepted="the sandbox asks no PIN"))
    assert (whole.exit_code, dict(whole.carried_out.hindered)) == (0, {"accepted lack": 20})
    assert whole.carried_out.share == pytest.approx(7 / 27)


def test_generated_cases_that_are_only_counted_keep_their_reason() -> None:
    many = [
        result(f"g/generated/{n:06}@http", "G-OK", tier="generated", verdict=UNSURE, hindrance="cap")
        for n in range(700)
    ]
    whole = summary([*everything_passes(), *many])
    assert (whole.carried_out.cases, dict(whole.carried_out.hindered)) == (7, {"cap": 700})


def test_the_share_counts_large_numbers_in_words() -> None:
    done = CarriedOut(736, 1477, {"scope": 741})
    assert done.words == "736 of 1,477 cases carried out, 741 outside the scope"


def test_every_reason_has_words() -> None:
    said = [CarriedOut(0, 2, {reason.value: 2}).words.partition(", 2 ")[2] for reason in Hindrance]
    assert len(set(said)) == len(Hindrance)
    same = {reason.value for reason, words in zip(Hindrance, said, strict=True) if words == reason}
    assert same == {"not begun", "not applicable"}


def test_a_mandatory_requirement_without_verdict_makes_the_run_incomplete() -> None:
    results = [one for one in everything_passes() if "G-OK" not in one.requirements]
    assert "1 mandatory requirement not verified" in summary(results).reasons


def test_an_unmatched_waiver_in_a_shard_waits_for_the_merge() -> None:
    assert summary(everything_passes(), Settings(shard="1/2"), waivers_unmatched=("w",)).exit_code == 0


def test_coverage_has_a_share_for_each_strength_and_what_it_is_of() -> None:
    rows = (Coverage("o", 1, 9, 8, 8, {}), Coverage("o", 2, 30, 20, 15, {"no role": 5}), Coverage("p", 2, 0, 0, 0, {}))
    found = json.loads(to_json(replace(summary([full_result()]), coverage=rows)))["coverage"]
    assert list(found) == ["o", "p"]
    assert {name: found["o"][name] for name in ("one_way", "two_way", "possible", "excluded")} == {
        "one_way": 1.0, "two_way": 0.75, "possible": 20, "excluded": 10,
    }  # fmt: skip
    assert found["o"]["counts"]["two_way"]["not_carried_out"] == {"no role": 5}
    assert found["p"]["two_way"] == 1.0


def test_json_has_the_published_shape() -> None:
    document = json.loads(to_json(summary([full_result()], duration_s=1.23456, messages={"judged": 3, "set-up": 6})))
    assert list(document) == [
        "schema_version",
        "run",
        "summary",
        "requirements",
        "error_codes",
        "readings",
        "editions",
        "coverage",
        "waivers",
        "causes",
        "cases",
    ]
    assert document["schema_version"] == 1
    assert document["run"] == {
        "id": "run-1",
        "tool_version": "1.0",
        "specs_digest": "d" * 64,
        "seed": 7,
        "started_at": "2026-01-02T03:04:05Z",
        "duration_s": 1.235,
        "messages_sent": 9,
        "target": {"file": "staging.toml", "url": "http://127.0.0.1:1"},
    }
    verdicts = {"pass", "fail", "waived", "not-verified", "not-applicable", "target-error", "harness-error"}
    assert document["summary"]["verdict"] == "fail"
    assert document["summary"]["requests_sent"] == 3
    assert set(document["summary"]["requirements"]) == set(document["summary"]["cases"]) == verdicts
    assert document["requirements"][2] == {
        "id": "G-OK",
        "operation": GATEWAY,
        "level": "must",
        "verdict": "fail",
        "reason": "1 finding in 1 case",
        "accepted": False,
        "cases": ["g/family/full@http"],
        "generated_cases": 1,
    }
    assert set(document["error_codes"][0]) >= {
        "operation", "code", "media_type", "transport", "verdict", "reason", "case",
    }  # fmt: skip
    assert document["readings"] == [{"id": "empty", "observed": {"null": 1}, "mixed": False, "pinned": None}]
    (case,) = document["cases"]
    assert case["findings"] == [
        {
            "requirement": "G-OK",
            "check": "schema",
            "message": "né\x00\\ud800",
            "expected": "a",
            "actual": "<b>\x1b[31m",
            "at": "/x",
        }
    ]
    assert "evidence" not in case
    assert "notes" not in case


def test_the_order_of_results_changes_no_byte() -> None:
    results = [*everything_passes(), failed("x", "G-OK"), full_result()]
    expected = to_json(summary(results))
    for seed in range(5):
        random.Random(seed).shuffle(results)
        assert to_json(summary(results)) == expected
    assert expected.endswith("}\n")
    assert expected.isascii()


def test_the_order_of_findings_in_a_case_changes_no_byte() -> None:
    found = (finding("G-OK", "b"), finding("G-OK", "a"), finding("G-104", "c"))
    one = result("x", "G-OK", verdict=Verdict.FAIL, findings=found)
    other = result("x", "G-OK", verdict=Verdict.FAIL, findings=found[::-1])
    assert to_json(summary([one])) == to_json(summary([other]))


def test_of_two_results_of_a_case_the_later_stands() -> None:
    whole = summary([failed("a", "G-OK"), result("a", "G-OK")])
    assert [one.verdict for one in whole.cases] == [Verdict.PASS]
