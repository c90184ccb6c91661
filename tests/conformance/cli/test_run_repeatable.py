"""Two runs say the same, whatever the concurrency or the shards; an interrupted one leaves a journal and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from secret_support import ROOT, reference, secrets_of, still_open, target_text, wait_for, world_with

from conformance.cli.main import main

SECRETS = secrets_of(21)
_DIFFERS = ("id", "started_at", "duration_s", "messages_sent")
_CASES = ("--case", "cao/effects/*", "--case", "cao/account/*", "--case", "tpp/effects/*", "--case", "cq/codes/*")


def _results(folder: Path, *words: str) -> str:
    done = CliRunner().invoke(main, ["run", "--report", str(folder), "-q", *_CASES, *words])
    assert done.exit_code in (0, 4), done.output
    return _same(folder)


def _same(folder: Path) -> str:
    """results.json without what differs from run to run."""
    results: dict[str, Any] = json.loads((folder / "results.json").read_text())
    for name in _DIFFERS:
        del results["run"][name]
    return json.dumps(results, indent=1)


def test_two_runs_differ_in_id_and_times_alone_whatever_the_concurrency(tmp_path: Path) -> None:
    assert _results(tmp_path / "one", "--concurrency", "1") == _results(tmp_path / "many", "--concurrency", "32")


def test_shards_merged_say_what_the_whole_says(tmp_path: Path) -> None:
    whole = json.loads(_results(tmp_path / "whole"))
    for index in (1, 2):
        _results(tmp_path / f"part{index}", "--shard", f"{index}/2")
    words = ["report", "merge", str(tmp_path / "part1"), str(tmp_path / "part2"), "--out", str(tmp_path / "merged")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code in (0, 4), done.output
    merged = json.loads(_same(tmp_path / "merged"))
    for part in ("requirements", "error_codes", "readings", "cases", "summary"):
        assert merged[part] == whole[part]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("after", [5, 60])
def test_ctrl_c_keeps_the_journal_and_takes_every_order_back(tmp_path: Path, after: int) -> None:
    world, target, report = tmp_path / "world.toml", tmp_path / "target.toml", tmp_path / "report"
    world.write_text(world_with(SECRETS), encoding="utf-8")
    with reference("--world", str(world)) as address:
        target.write_text(target_text(address, requests_per_second=150), encoding="utf-8")
        words = ["run", "--target", str(target), "--report", str(report), "--operation", "alphapoint.cancel_quote"]
        environment = {**os.environ, **SECRETS, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "conformance", *words]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            wait_for(report / "journal.jsonl", after)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=100)
        left = still_open(address, SECRETS)
    assert process.returncode == 130, output + errors
    assert "Traceback" not in output + errors
    lines = [json.loads(line) for line in (report / "journal.jsonl").read_text().splitlines()]
    assert lines[-1]["type"] == "footer"
    assert lines[-1]["interrupted"] is True
    assert len(lines) > after
    assert json.loads((report / "results.json").read_text())["summary"]["exit_code"] == 130
    assert left == []
