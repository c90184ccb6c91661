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
