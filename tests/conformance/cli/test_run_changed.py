"""`conformance run` against the bundled server with a fault, a permitted difference or a reading."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conformance.cli.main import main

CASE = "cao/effects/again@http"
FAULTY = "reference+fault:cao-again-20"


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def run(folder: Path, *words: str) -> Result:
    return invoke("run", "--case", CASE, "--generated", "0", "--report", folder, *words)


def test_a_fault_is_found_and_its_replay_line_finds_it_again(tmp_path: Path) -> None:
    came = run(tmp_path, "--fault", "cao-again-20")
    assert came.exit_code == 1, came.output
    line = f"conformance replay {CASE} --target {FAULTY}"
    assert line in came.output
    assert line in (tmp_path / "junit.xml").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "results.json").read_text(encoding="ascii"))["run"]["target"] == {"name": FAULTY}
    assert invoke(*line.split()[1:]).exit_code == 1
    assert invoke("replay", CASE).exit_code == 0
    assert "--target" not in run(tmp_path, "--verbose").output


def test_a_reading_and_a_permitted_difference_pass_and_the_reading_is_told(tmp_path: Path) -> None:
    came = run(
        tmp_path,
        "--reading",
        "detail-on-success=empty",
        "--equivalent",
        "cao-charset-none",
        "--case",
        "cao/response/sample@http",
    )
    assert came.exit_code == 0, came.output
    readings = json.loads((tmp_path / "results.json").read_text(encoding="ascii"))["readings"]
    assert {one["id"]: one["observed"] for one in readings}["detail-on-success"] == {"empty": 2}


@pytest.mark.parametrize(("words", "said"), [
    (("--fault", "cao-agan-20"), "Did you mean cao-again-20"),
    (("--fault", "§"), "Known: cao-"),
    (("--reading", "leg-form=upside-down"), "leg-form"),
    (("--target", "reference+blunder:x"), "no change of the reference implementation is of the kind 'blunder'"),
    (("--target", "http://127.0.0.1:9", "--fault", "cao-again-20"), "only the bundled reference implementation"),
])  # fmt: skip
def test_a_change_that_cannot_be_made_is_a_usage_error(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    came = run(tmp_path, *words)
    assert came.exit_code == 2
    assert said in came.output
    assert not (tmp_path / "results.json").exists()


def test_a_run_ends_after_so_many_failures_and_says_so_now_and_later(tmp_path: Path) -> None:
    words = ("--case", "cao/account/*", "--fault", "cao-detail-as-number", "--concurrency", "1", "--max-failures", "2")
    came = run(tmp_path, *words)
    assert came.exit_code == 1, came.output
    last = came.output.splitlines()[-1]
    assert last.startswith("verdict: fail (exit 1) · cut short: as many cases failed as --max-failures allows · ")
    assert "not begun" in last
    document = json.loads((tmp_path / "results.json").read_text(encoding="ascii"))
    summary = document["summary"]
    assert (summary["cases"]["fail"], summary["cases"]["target-error"]) == (2, 0)
    assert summary["carried_out"]["cases"] + summary["carried_out"]["not"]["not begun"] == summary["carried_out"]["of"]
    assert "ended early: as many cases failed as --max-failures allows" in summary["reasons"]
    assert not [reason for reason in summary["reasons"] if "stopped" in reason]
    assert invoke("report", "render", tmp_path, "--format", "json", "--out", tmp_path / "again").exit_code == 0
    assert json.loads((tmp_path / "again" / "results.json").read_text(encoding="ascii")) == document
    assert run(tmp_path, "--max-failures", "2").exit_code == 0, "a run without failures is whole"
