"""Races against a live server: they overlap, a fault shows with its time line, and what is lacking is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from live_support import Came, live, pointed, run, sample

from conformance.cases.case_data import from_data
from conformance.cli.main import main

pytestmark = pytest.mark.timeout(120)


def lines(came: Came) -> list[dict[str, object]]:
    return [json.loads(line) for line in (came.folder / "journal.jsonl").read_text("utf-8").splitlines()]


def test_fault_is_found_with_its_time_line_in_every_report(tmp_path: Path) -> None:
    with live(faults=("co-race-double",)) as server:
        came = run(tmp_path, pointed(sample("alphapoint"), server.url), "--case", "co/races/one-order@*")
        assert came.exit_code == 1
        findings = [one for case in came.results["cases"] for one in case["findings"]]
        assert {one["requirement"] for one in findings} == {"CO-AGAIN"}
        failed = [line for line in lines(came) if line.get("verdict") == "fail"]
        history = str(failed[0]["history"])
        assert history.count("cancel mine") == 2
        assert "at the end" in history
        for name, formatted in (("html", "report.html"), ("md", "report.md"), ("junit", "junit.xml")):
            CliRunner().invoke(main, ["report", "render", str(came.folder), "--format", name], catch_exceptions=False)
            assert "cancel mine" in (came.folder / formatted).read_text("utf-8")


def test_calls_of_a_race_overlap_and_both_transports_take_part(tmp_path: Path) -> None:
    with live() as server:
        came = run(tmp_path, pointed(sample("alphapoint"), server.url), "--case", "co/races/one-order@ws")
    assert came.exit_code in (0, 4), came.output
    (case,) = (line for line in lines(came) if line.get("type") == "case")
    assert case["verdict"] == "pass"
    judged = [one for one in case["exchanges"] if one["purpose"] == "judged"]  # type: ignore[attr-defined, union-attr]
    assert len(judged) == 5
    assert {one.get("transport", case["transport"]) for one in judged} == {"http", "ws"}
    starts = sorted(one["started_s"] for one in judged)
    first_end = min(one["started_s"] + one["took_s"] for one in judged)
    assert sum(start <= first_end for start in starts) >= 2


def test_equal_runs_have_equal_results_whoever_wins(tmp_path: Path) -> None:
    with live() as server:
        text = pointed(sample("alphapoint"), server.url)
        cases = [run(tmp_path, text, "--case", "co/races/*", report=name).results["cases"] for name in "ab"]
    assert cases[0] == cases[1]
    assert {(case["verdict"], case["code_seen"]) for case in cases[0]} == {("pass", None)}
    assert not any(case["readings"] for case in cases[0])


def test_service_that_sets_nothing_up_is_not_verified_and_says_why(tmp_path: Path) -> None:
    with live() as server:
        target = pointed(sample("alphapoint"), server.url).replace('provider = "calls"', 'provider = "none"')
        came = run(tmp_path, target, "--case", "c*/races/*")
    assert {case["verdict"] for case in came.results["cases"]} == {"not-verified"}
    assert all("set up" in reason for reason in came.reasons().values())


def test_race_is_judged_again_offline_with_the_same_result(tmp_path: Path) -> None:
    with live(faults=("cq-race-newcomers-lost",)) as server:
        came = run(tmp_path, pointed(sample("alphapoint"), server.url), "--case", "cq/races/new-quotes@*")
    assert came.exit_code == 1, came.output
    bundle = tmp_path / "bundle.zip"
    for words in (["report", "bundle", str(came.folder), "--out", str(bundle)], ["verify", str(bundle)]):
        done = CliRunner().invoke(main, words, catch_exceptions=False)
        assert "same verdict: fail" in done.output or words[0] == "report", done.output


def test_race_at_random_is_found_made_smaller_and_frozen_with_its_time_line(tmp_path: Path) -> None:
    with live(faults=("co-race-double",)) as server:
        text = pointed(sample("alphapoint"), server.url)
        arguments = ("--operation", "alphapoint.cancel_order", "--case", "co/response/*", "--races", "2", "--seed", "4")
        came = run(tmp_path, text, *arguments)
    assert came.exit_code == 1, came.output
    assert came.results["run"]["explore_seed"] == 4
    found = [case for case in came.results["cases"] if case["findings"]]
    assert found
    assert {one["requirement"] for case in found for one in case["findings"]} == {"CO-AGAIN"}
    (path, *_) = sorted((came.folder / "found").glob("*.json"))
    case = from_data(json.loads(path.read_text("utf-8"))["cases"][0])
    assert len(case.race) >= 2
    drawn = [str(line["history"]) for line in lines(came) if line.get("id") == case.id]
    assert [one.count(" cancel ") for one in drawn] == [2]
