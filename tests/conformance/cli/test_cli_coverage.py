"""`conformance coverage`: the counts of a target, of a role that it lacks, and in words for an operation that is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli.main import main
from conformance.endpoint.reference import reference_environment

OPERATION = "alphapoint.cancel_all_orders"
SAMPLE = Path(__file__).resolve().parents[3] / "conformance" / "endpoint" / "samples" / "reference.toml"


def test_target_without_a_role_lists_what_it_forbids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in reference_environment().items():
        monkeypatch.setenv(name, value)
    text = SAMPLE.read_text("utf-8").replace("ADDRESS", "http://127.0.0.1:9").replace("SOCKET", "ws://127.0.0.1:9")
    text = text[: text.index("[services.tpp]")] + text[text.index("# each desk") :].replace("NN", "01")
    target = tmp_path / "target.toml"
    target.write_text(text.replace("none = {", "# none = {"), "utf-8")
    arguments = ["coverage", "--operation", OPERATION, "--strength", "2", "--json"]
    seen = CliRunner().invoke(main, [*arguments, "--target", str(target)])
    assert seen.exit_code == 0, seen.output
    (counts,) = json.loads(seen.output)["coverage"]
    assert counts["possible"] == counts["covered"] + counts["not_carried_out"]["no role"]
    assert counts["not_carried_out"]["no role"] == 26
    assert (counts["uncovered"], counts["no_case_has"]) == (0, [])
    assert {"reason": "a second user signs in on a socket alone"}.items() <= counts["rules"][0].items()


def test_operation_that_is_none_is_a_usage_error() -> None:
    seen = CliRunner().invoke(main, ["coverage", "--operation", "alphapoint.cancel_all_order"])
    assert seen.exit_code == 2
    assert f"Did you mean {OPERATION}" in seen.output


def test_run_of_strength_4_has_every_combination_of_four_factors(tmp_path: Path) -> None:
    seen = CliRunner().invoke(main, ["coverage", "--operation", OPERATION, "--strength", "4", "--json"])
    (counts,) = json.loads(seen.output)["coverage"]
    assert (counts["covered"], counts["uncovered"]) == (counts["possible"], 0)
    assert counts["possible"] > 19_000

    fault, stronger = ["--fault", "cao-numbered-stay-for-operator"], ["--strength", "4"]
    run = ["run", "--quiet", "--no-html", "--case", "cao/combinations-4/00*", "--report", str(tmp_path)]
    done = CliRunner().invoke(main, [*run, *fault, *stronger])
    assert done.exit_code == 1, done.output
    results = json.loads((tmp_path / "results.json").read_bytes())
    assert 0 < results["coverage"][OPERATION]["four_way"] < 1
    failed = next(case["id"] for case in results["cases"] if case["verdict"] == "fail")
    targets = {"reference": 0, f"reference+fault:{fault[1]}": 1}
    assert {
        one: CliRunner().invoke(main, ["replay", failed, "-q", "--target", one]).exit_code for one in targets
    } == targets
    without = CliRunner().invoke(main, run)
    assert (without.exit_code, "`--strength 4` brings it" in without.output) == (2, True)


def test_bundle_of_a_run_of_strength_4_is_verified(tmp_path: Path) -> None:
    words = ["--strength", "4", "--case", "tpp/combinations-4/00*", "--report", str(tmp_path)]
    assert CliRunner().invoke(main, ["run", "--quiet", "--no-html", *words]).exit_code == 0
    bundle = tmp_path / "bundle.zip"
    for command in (["report", "bundle", str(tmp_path), "--out", str(bundle)], ["verify", str(bundle)]):
        done = CliRunner().invoke(main, command)
        assert done.exit_code == 0, done.output
