"""Runs in one room keep the limits of their target together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conformance.guard.gate import Pace, Together

SEND = """
import sys, time
from pathlib import Path
from conformance.guard.gate import Pace, Together
together, pace = Together(Path(sys.argv[1])), Pace(5, 1.0)
for _ in range(10):
    while wait := together.turn((pace,)):
        time.sleep(wait)
    print(time.time())
"""


def test_processes_at_once_keep_one_limit(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SEND, str(tmp_path / "sent")]
    crew = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for one in crew:
        one.communicate(timeout=60)
        assert one.returncode == 0
    data = (tmp_path / "sent").read_bytes()
    times = sorted(memoryview(data).cast("d")[1:])
    assert len(times) == 20
    assert all(later - earlier >= 1.0 for earlier, later in zip(times, times[5:], strict=False))


def test_run_that_begins_later_keeps_the_limit_of_the_one_before(tmp_path: Path) -> None:
    now = 1_000_000.0
    hour = Pace(3, 3600.0)
    for _ in range(3):
        assert Together(tmp_path / "sent", lambda: now).turn((Pace(3, 3600.0),)) == 0
    assert Together(tmp_path / "sent", lambda: now + 600).turn((hour,)) == 3000
    assert Together(tmp_path / "sent", lambda: now + 3600).turn((hour,)) == 0


def test_part_of_a_moment_that_a_killed_process_left_is_cut_off(tmp_path: Path) -> None:
    first = Together(tmp_path / "sent", lambda: 5.0)
    assert first.turn((Pace(9, 60.0),)) == 0
    with (tmp_path / "sent").open("ab") as file:
        file.write(b"abc")
    pace = Pace(9, 60.0)
    assert Together(tmp_path / "sent", lambda: 6.0).turn((pace,)) == 0
    assert list(pace.sent) == [5.0, 6.0]
    assert (tmp_path / "sent").stat().st_size == 24


def test_file_is_shortened_and_others_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(float(n) * 3600 for n in range(1, 100))
    one = Together(tmp_path / "sent", lambda: next(moments))
    pace = Pace(10**6, 24 * 3600.0)
    other, others = Together(tmp_path / "sent", lambda: 0.0), Pace(10**6, 24 * 3600.0)
    monkeypatch.setattr("conformance.guard.gate._MOST_TOGETHER", 30 * 8)
    for _ in range(35):
        assert one.turn((pace,)) == 0
    assert (tmp_path / "sent").stat().st_size <= 33 * 8
    with (tmp_path / "sent").open("rb") as file:
        kept = len(file.read()) // 8 - 1
    other.turn((others,))
    assert len(others.sent) == kept + 1
