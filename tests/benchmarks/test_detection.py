"""The sample of variants for both tools, what their verdicts add up to, and how it is asked for."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import causes, detection
from benchmarks.detection import Judged, sample, totals
from benchmarks.schemathesis_tool import BEST, QUICK, Found, Way
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS
from reference_impl.variants import Variant


def judged(name: str, kind: str, **found: tuple[str, float]) -> Judged:
    return Judged(name, kind, {way: Found(tuple(by.split()), wall_s) for way, (by, wall_s) in found.items()})


JUDGED = (
    judged("a", "fault", conformance=("R-1", 1.0), schemathesis=("ServerError", 4.0), hooks=("", 0.0)),
    judged("b", "fault", conformance=("R-2", 1.0), schemathesis=("", 4.0), hooks=("X-1 X-2", 5.0)),
    judged("c", "equivalent", conformance=("", 2.0), schemathesis=("X", 5.0), hooks=("", 0.0)),
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


@pytest.mark.parametrize(("variants", "ratio"), [(JUDGED, 2.0), (JUDGED[1:], 1.0)])
def test_the_ratio_is_of_faults_caught_and_none_counts_as_one(
    monkeypatch: pytest.MonkeyPatch, variants: tuple[Judged, ...], ratio: float
) -> None:
    monkeypatch.setattr(detection, "judge", lambda *_: variants)
    measured = detection.detection(3)
    assert measured.ratios == {"detection_vs_schemathesis": ratio}
    assert measured.absolute["detection_conformance_seconds"][1] == "s"
    assert measured.absolute["detection_faults"] == (float(len(variants) - 1), "variants")


def test_at_best_each_way_has_our_time_or_three_times_as_much_and_a_sample_by_depth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[list[str], Sequence[Way]]] = []

    def judge(variants: Sequence[Variant], ways: Sequence[Way], _on_judged: object) -> tuple[Judged, ...]:
        asked.append(([one.id for one in variants], ways))
        return (
            judged("a", "fault", conformance=("R", 4.0), best=("", 5.0), best_3=("", 13.0), best_3_hooks=("R", 13.0)),
        )

    monkeypatch.setattr(detection, "judge", judge)
    measured = detection.of_variants(8, at_best=True)()
    assert asked == [([one.id for one in detection.sample_by_depth(8)], BEST)]
    assert [(way.budgets, bool(way.hooks)) for way in BEST] == [(1, True), (3, True), (3, True)]
    assert all(not way.budgets for way in QUICK)
    assert measured.absolute["detection_best_3_hooks_caught"] == (1.0, "variants")
    assert measured.absolute["detection_best_caught"] == (0.0, "variants")


def test_a_baseline_is_made_once_by_the_longest_way_and_known_in_the_next_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entry = {"operation": "POST /x", "check": "c", "failure": "F", "signature": "200"}
    looked: list[str] = []

    def look(_operation: str, _address: str, way: Way, path: Path, _budget_s: int, *, learn: bool) -> None:
        looked.append(way.name)
        assert learn
        path.write_text(
            json.dumps({"format_version": 1, "entries": [{**entry, "id": "1", "first_seen": "2026-01-01"}]})
        )

    monkeypatch.setattr(detection, "look", look)
    monkeypatch.setattr(detection, "reference", lambda: contextlib.nullcontext("http://127.0.0.1:1"))
    kept = detection.Kept()
    baselines = detection._Baselines(tmp_path, BEST, kept)
    first = baselines.file("o.p", BEST[0], 5)
    assert baselines.file("o.p", BEST[1], 5) == first
    assert looked == ["best_3"] * detection.BASELINES
    assert kept.known == {f"o.p {BEST[0].hooks}": [entry]}
    first.unlink()
    again = detection._Baselines(tmp_path, BEST, kept).file("o.p", BEST[0], 5)
    assert json.loads(again.read_text()) == {"format_version": 1, "entries": [entry]}
    assert len(looked) == detection.BASELINES


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
