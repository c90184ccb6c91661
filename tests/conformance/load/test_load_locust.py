"""Locust with the user of a load: docs/load.md is followed literally, and its exit codes are those of a run."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from fleet_support import environment, served

TEXT = (Path(__file__).parents[3] / "docs" / "load.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
PYTHON_FILE = next(text for kind, text in BLOCKS if kind == "python")
COMMANDS = [shlex.split(line) for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
START_S = 60
USER = find_spec("conformance.load.user")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "locustfile.py").write_text(PYTHON_FILE, "utf-8")
    return tmp_path


def start(folder: Path, words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(),
    )  # fmt: skip


def wait_for(process: subprocess.Popen[str], text: str) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return lines
    pytest.fail(f"no {text!r} in {''.join(lines)}")


def two_workers() -> tuple[str, ...]:
    """The options for two processes, which meet at a port that is free: others may be at Locust's usual one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    return (
        "--processes",
        "2",
        "--master-host",
        "127.0.0.1",
        "--master-port",
        port,
        "--master-bind-host",
        "127.0.0.1",
        "--master-bind-port",
        port,
    )


def locust(folder: Path, *words: str) -> tuple[int, str]:
    process = start(folder, ["locust", "--headless", *words])
    said, _ = process.communicate(timeout=START_S)
    return process.returncode, said


def test_page_can_be_followed(folder: Path) -> None:
    serving, loading, judging = COMMANDS
    server = start(folder, serving)
    try:
        wait_for(server, "listening on")
        background = start(folder, [*loading, "--only-summary"])
        said = wait_for(background, "legal cases")
        done = subprocess.run(
            [sys.executable, "-m", *judging, "--quiet", "--case", "*/races/*"],
            cwd=folder, capture_output=True, text=True, timeout=90, check=False, env=environment(),
        )  # fmt: skip
        assert done.returncode in (0, 4), done.stdout + done.stderr
        assert (
            json.loads((folder / "conformance-report" / "results.json").read_bytes())["summary"]["cases"]["fail"] == 0
        )
        background.terminate()
        rest, _ = background.communicate(timeout=START_S)
        assert background.returncode == 0, "".join(said) + rest
        totals = re.search(r"Aggregated +(\d+) +(\d+)\(", rest)
        assert totals is not None
        assert int(totals[1]) > 50
        assert totals[2] == "0"
    finally:
        server.terminate()
        server.communicate(timeout=START_S)


def test_violations_end_with_1_and_two_workers_share_what_is_there(folder: Path) -> None:
    with served(folder, 1, "--fault", "tpp-drops-last-result") as (target,):
        code, said = locust(
            folder, "-u", "4", "-r", "4", "--pace", "10", "-t", "12s", *two_workers(), "--target", str(target),
            "--room", "room", "--case", "tpp/response/documented-pair@*", "--only-summary",
        )  # fmt: skip
    assert code == 1, said
    assert "Violation('TPP-RESP-ONE-EACH: tpp/response/documented-pair@application-json')" in said
    assert f"conformance replay tpp/response/documented-pair@application-json --target {target}" in said
    assert (folder / "load-report" / "worker-0" / "journal.jsonl").exists()
    assert (folder / "load-report" / "worker-1" / "journal.jsonl").exists()


def test_what_is_missing_and_who_is_not_there_is_told(folder: Path) -> None:
    code, said = locust(folder, "-t", "5s", "--room", "room")
    assert code == 2
    assert "--target must be given" in said
    with served(folder, 1) as (target,):
        pass
    code, said = locust(folder, "-t", "30s", *two_workers(), "--target", str(target), "--room", "room")
    assert code == 3, said
    assert "Nothing was verified" in said
    assert "Traceback" not in said


def test_options_are_explained() -> None:
    assert USER is not None
    assert USER.origin is not None
    own = re.findall(r'add\("(--[a-z-]+)"', Path(USER.origin).read_text("utf-8"))
    assert len(own) == 10
    assert [option for option in own if f"`{option}" not in TEXT] == []
