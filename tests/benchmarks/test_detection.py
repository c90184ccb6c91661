"""The sample of variants for both tools, what their verdicts add up to, and how it is asked for."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as command
from benchmarks import causes, detection
from benchmarks.detection import Judged, sample, totals
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS

JUDGED = (
    Judged("a", "fault", True, 1.0, True, 4.0, ("ServerError",)),
    Judged("b", "fault", True, 1.0, False, 4.0, (), True, 5.0, ("X-1",)),
    Judged("c", "equivalent", False, 2.0, True, 5.0, ("X",)),
)


def test_the_sample_is_two_thirds_faults_evenly_spaced_and_the_same_each_time() -> None:
    chosen = sample(60)
    assert [one.kind for one in chosen] == ["fault"] * 40 + ["equivalent"] * 20
    assert chosen == sample(60)
    assert len({one.id for one in chosen}) == 60
    assert {one.operation for one in chosen} == {one.operation for one in FAULTS.values()}


def test_all_variants_are_every_one_of_them() -> None:
    assert [one.id for one in sample(None)] == [*FAULTS, *EQUIVALENTS]
    assert len(sample(10_000)) == len(FAULTS) + len(EQUIVALENTS)


def test_the_totals_count_both_tools() -> None:
    assert totals(JUDGED) == {
        "faults": 2, "equivalents": 1, "conformance_caught": 2, "schemathesis_caught": 1,
        "conformance_false_alarms": 0, "schemathesis_false_alarms": 1, "conformance_seconds": 4.0, "schemathesis_seconds": 13.0,
        "hooks_caught": 1, "hooks_false_alarms": 0, "hooks_seconds": 5.0,
    }  # fmt: skip


@pytest.mark.parametrize(("judged", "ratio"), [(JUDGED, 2.0), (JUDGED[1:], 1.0)])
def test_the_ratio_is_of_faults_caught_and_none_counts_as_one(
    monkeypatch: pytest.MonkeyPatch, judged: tuple[Judged, ...], ratio: float
) -> None:
    monkeypatch.setattr(detection, "judge_both", lambda *_: judged)
    measured = detection.detection(3)
    assert measured.ratios == {"detection_vs_schemathesis": ratio}
    assert measured.absolute["detection_conformance_seconds"][1] == "s"
    assert measured.absolute["detection_faults"] == (float(len(judged) - 1), "variants")


@pytest.mark.parametrize("text", ["0", "1", "-3", "many", ""])
def test_a_number_of_variants_that_makes_no_sense_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["detection", "--variants", text])
    assert ended.value.code == 2
    assert "--variants" in capsys.readouterr().err


def test_faults_are_counted_by_the_number_of_their_causes() -> None:
    measured = causes.shares((1, 1, 2, 3, 7, 0, 1, 1))
    assert measured.ratios == {"faults_told_as_one_or_two_causes": 0.625}
    assert {name: value for name, (value, _) in measured.absolute.items()} == {
        "faults_not_told": 1,
        "faults_told_as_one_cause": 4,
        "faults_told_as_two_causes": 1,
        "faults_told_as_more_causes": 2,
    }
