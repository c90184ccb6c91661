"""Two endpoints are judged side by side: at the same time, each with its own journal; what ends one ends both."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from secret_support import ROOT, reference, secrets_of, still_open, target_text, wait_for, world_with

SECRETS = secrets_of(23)
ENVIRONMENT = {**os.environ, **SECRETS, "PYTHONPATH": str(ROOT)}
OPERATION = "alphapoint.cancel_all_orders"
PACED = {"requests_per_second": 25}
CHOSEN = ("--case", "cao/response/*", "--case", "cao/roles/*")


@pytest.fixture
def addresses(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Two references with worlds of their own."""
    world = tmp_path / "world.toml"
    world.write_text(world_with(SECRETS), encoding="utf-8")
    with reference("--world", str(world)) as old, reference("--world", str(world)) as new:
        yield old, new


def _begun(folder: Path, addresses: tuple[str, str], *words: str) -> subprocess.Popen[str]:
    files = []
    for name, address in zip(("old", "new"), addresses, strict=True):
        files.append(folder / f"{name}.toml")
        files[-1].write_text(target_text(address, **PACED), encoding="utf-8")
    command = [sys.executable, "-m", "conformance", "report", "compare", "--live", *map(str, files)]
    return subprocess.Popen(
        [*command, "--report", str(folder), "--operation", OPERATION, *words],
        env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def _judged(journal: Path) -> list[float]:
    """When the judged messages were sent, in order."""
    lines = (json.loads(line) for line in journal.read_text().splitlines())
    exchanges = (one for line in lines for one in line.get("exchanges", ()))
    return sorted(one["started_s"] for one in exchanges if one["purpose"] == "judged")


def _results(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return found


def test_both_are_judged_at_the_same_time(addresses: tuple[str, str], tmp_path: Path) -> None:
    with _begun(tmp_path, addresses, *CHOSEN) as process:
        out, err = process.communicate(timeout=100)
    assert (process.returncode, out) == (0, "nothing changed\n"), err
    old, new = (_judged(tmp_path / name / "journal.jsonl") for name in ("old", "new"))
    assert len(old) == len(new) > 10
    assert max(old[0], new[0]) < min(old[len(old) // 2], new[len(new) // 2])  # neither waits for the other
    assert [line.split(" ")[:3] for line in err.splitlines()] == [
        [f"{name}:", "verdict:", "pass"] for name in ("old", "new")
    ]


@pytest.mark.parametrize("words", [(), ("--in-turn",)])
def test_runs_that_could_disturb_each_other_take_turns(
    addresses: tuple[str, str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    sides = addresses if words else (addresses[0], addresses[0])
    with _begun(tmp_path, sides, "--case", "cao/response/*", *words) as process:
        _, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    old, new = (_judged(tmp_path / name / "journal.jsonl") for name in ("old", "new"))
    assert old[-1] < new[0] or new[-1] < old[0]


@pytest.mark.timeout(120)
def test_ctrl_c_takes_back_what_both_have_set_up(addresses: tuple[str, str], tmp_path: Path) -> None:
    with _begun(tmp_path, addresses) as process:
        for name in ("old", "new"):
            wait_for(tmp_path / name / "journal.jsonl", 4)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=100)
    assert process.returncode == 130, out + err
    assert "Traceback" not in out + err
    for name, address in zip(("old", "new"), addresses, strict=True):
        assert json.loads((tmp_path / name / "journal.jsonl").read_text().splitlines()[-1])["interrupted"] is True
        assert _results(tmp_path / name)["summary"]["exit_code"] == 130
        assert still_open(address, SECRETS) == []


def test_one_that_cannot_be_reached_ends_the_other(addresses: tuple[str, str], tmp_path: Path) -> None:
    with _begun(
        tmp_path, (addresses[0], "http://127.0.0.1:9"), "--operation", "alphapoint.cancel_all_orders"
    ) as process:
        _, err = process.communicate(timeout=100)
    assert process.returncode == 3, err
    assert "new: verdict: error (exit 3) · cut short: no connection to http://127.0.0.1:9" in err
    assert still_open(addresses[0], SECRETS) == []
