"""The commands as machines start them: closed streams, a shadowing working folder, signals, few file descriptors."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = str(Path(sys.executable).with_name("conformance"))
RUN = ("run", "--quiet", "--case", "tpp/response/domestic@*", "--report", "r")
TOKEN = 'raise SystemExit("my own script")\n'


def shell(folder: Path, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", line], cwd=folder, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=55, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("closed", ["<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (RUN, "verdict: pass"), (("replay", "tpp/response/domestic@text-xml"), "pass"),
        (("selftest", "--quiet", "--fault", "tpp-drops-last-result"), "1 of 1 faults caught"),
        (("plan", "-q", "--case", "tpp/response/domestic@*"), "tpp/response/domestic"), (("list", "operations"), "alphapoint"),
        (("explain", "CAO-SYNC"), "CAO-SYNC"), (("target", "init", "--service", "tpp"), "# A target file"),
        (("fixtures", "check"), "ok"), (("--version",), "conformance"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)  # fmt: skip
def test_streams_that_the_parent_closed_do_no_harm(
    tmp_path: Path, arguments: tuple[str, ...], first: str, closed: str
) -> None:
    done = shell(tmp_path, f"exec {shlex.join((PROGRAM, *arguments))} {closed}")
    assert (done.returncode, done.stderr) == (0, "")
    assert (first in done.stdout) == (">&-" not in closed.split())
    if arguments is RUN:
        assert json.loads((tmp_path / "r" / "results.json").read_bytes())["summary"]["verdict"] == "pass"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_one_stream_alone_may_be_closed(tmp_path: Path, closed: str) -> None:
    assert shell(tmp_path, f"exec {shlex.join((PROGRAM, *RUN))} {closed}").returncode == 0


@pytest.mark.parametrize("closed", ["<&-", "2>&-"])
def test_an_error_is_still_an_exit_code(tmp_path: Path, closed: str) -> None:
    assert shell(tmp_path, f"exec {PROGRAM} target check nowhere.toml {closed}").returncode == 2


def shadows(folder: Path) -> None:
    names = (
        "token",
        "types",
        "queue",
        "select",
        "http",
        "logging",
        "random",
        "string",
        "secrets",
        "email",
        "enum",
        "json",
    )
    for name in names:
        (folder / f"{name}.py").write_text(TOKEN, "utf-8")
    for name in ("reference_impl", "conformance"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(TOKEN, "utf-8")


@pytest.mark.parametrize("safe", ["", "1"])
@pytest.mark.parametrize(
    "arguments", [RUN, ("selftest", "--quiet", "--fault", "tpp-drops-last-result")], ids=["run", "selftest"]
)
def test_the_users_own_scripts_in_the_working_folder_are_left_alone(
    tmp_path: Path, arguments: tuple[str, ...], safe: str
) -> None:
    shadows(tmp_path)
    done = shell(tmp_path, shlex.join((PROGRAM, *arguments)), PYTHONSAFEPATH=safe)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_checkout_on_the_path_alone_is_enough(tmp_path: Path) -> None:
    shadows(tmp_path)
    root = Path(__file__).parents[3]
    arguments = "sys.argv[1:] = ['run', '--quiet', '--case', 'tpp/response/domestic@*']"
    code = f"import sys; {arguments}; sys.path.insert(0, {str(root)!r}); from conformance.cli.main import main; main()"
    done = shell(tmp_path, shlex.join((sys.executable, "-P", "-c", code)))
    assert (done.returncode, done.stderr) == (0, "")


def _ignoring(*numbers: signal.Signals) -> Callable[[], None]:
    def begin() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)

    return begin


def _begun(folder: Path, *ignored: signal.Signals) -> subprocess.Popen[str]:
    """A long run that has sent its first cases, started as a shell starts it with `&`."""
    process = subprocess.Popen(
        [PROGRAM, "run", "--quiet", "--generated", "200000", "--workers", "1", "--report", "r"], cwd=folder, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=_ignoring(*ignored),
    )  # fmt: skip
    journal, until = folder / "r" / "journal.jsonl", time.monotonic() + 60
    while not (journal.exists() and journal.read_bytes().count(b"\n") > 5):
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.05)
    return process


def _servers_of(process: subprocess.Popen[str]) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(word) for word in children.read_text("ascii").split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for child processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_in_the_background_is_ended_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with _begun(tmp_path, signal.SIGINT) as process:
        servers = _servers_of(process)
        process.send_signal(number)
        out, err = process.communicate(timeout=100)
    assert process.returncode == 130, err
    assert "Traceback" not in out + err
    assert "(exit 130) · cut short: interrupted · " in out
    assert servers
    assert not any(Path(f"/proc/{server}").exists() for server in servers)
    lines = (tmp_path / "r" / "journal.jsonl").read_bytes().splitlines()
    assert all(json.loads(line) for line in lines)
    assert b"left_behind" in lines[-1] or b"interrupted" in lines[-1]


def test_what_nohup_ignores_stays_ignored(tmp_path: Path) -> None:
    with _begun(tmp_path, signal.SIGINT, signal.SIGHUP) as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.7)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=100)
    assert process.returncode == 130


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_the_run_begins_is_an_interruption_as_well(tmp_path: Path, number: signal.Signals) -> None:
    code = (
        "import os, conformance.cli.run as run\n"
        "from conformance.cli.main import main\n"
        f"run.run_command = lambda options: os.kill(os.getpid(), {int(number)})\n"
        "main(['run'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_the_mock_ends_on_a_hangup(tmp_path: Path) -> None:
    with subprocess.Popen([PROGRAM, "serve"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening on")
        process.send_signal(signal.SIGHUP)
        assert process.wait(20) == 0


def test_too_few_file_descriptors_are_named_and_no_target_is_blamed(tmp_path: Path) -> None:
    done = shell(tmp_path, f"ulimit -n 24; exec {shlex.join((PROGRAM, *RUN))}")
    assert done.returncode == 2
    assert "only 24 file descriptors may be open at a time" in done.stderr
    assert "target" not in done.stderr


def test_a_low_limit_that_may_be_raised_is_raised(tmp_path: Path) -> None:
    done = shell(tmp_path, f"ulimit -S -n 40; exec {shlex.join((PROGRAM, *RUN))}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_descriptors_that_run_out_on_the_way_are_named_and_no_target_is_blamed(tmp_path: Path) -> None:
    code = (
        "import os, resource, conformance.report.journal as journal\n"
        "from conformance.cli.main import main\n"
        "before, count = journal.JournalWriter.write, [0]\n"
        "def write(self, result):\n"
        "    count[0] += 1\n"
        "    if count[0] == 1:\n"
        "        most = max(map(int, os.listdir('/proc/self/fd')))\n"
        "        resource.setrlimit(resource.RLIMIT_NOFILE, (most + 1, 4096))\n"
        "        try:\n"
        "            while True: os.dup(0)\n"
        "        except OSError: pass\n"
        "    before(self, result)\n"
        "journal.JournalWriter.write = write\n"
        "main(['run', '--report', 'r', '--generated', '0', '--concurrency', '1',\n"
        "      '--case', 'co/roles/none-*@http', '--case', 'co/roles/none-*@ws'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 5, done.stderr
    assert "no file descriptor is left" in done.stdout, done.stderr
    assert "target" not in done.stdout + done.stderr
    results = json.loads((tmp_path / "r" / "results.json").read_text("utf-8"))
    assert {case["verdict"] for case in results["cases"]} == {"pass", "harness-error"}
