"""The command group: lazy imports, close matches, and one place for errors and exit codes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import conformance
from conformance.cli.main import LazyGroup, main, suggestion
from conformance.cli.options import printing
from conformance.errors import ConfigurationError, ConformanceError, HarnessError, TargetUnreachable

ROOT = Path(__file__).resolve().parents[3]
HEAVY = (
    "rich",
    "lxml",
    "yaml",
    "asyncio",
    "jsonschema",
    "schemathesis",
    "hypothesis",
    "pydantic",
    "jinja2",
    "uvicorn",
)


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=100, env=environ, check=False
    )


@click.command()
@printing
def obedient(quiet: bool, verbose: bool) -> int:
    """Return an exit code."""
    return 3 if quiet else 0


def group(raising: BaseException | None = None) -> LazyGroup:
    """A group with the command `act`, which raises what it is given, and `obedient`."""

    @click.command()
    @printing
    def act(quiet: bool, verbose: bool) -> None:
        """Act."""
        if raising is not None:
            raise raising

    class Tool(LazyGroup):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return {"act": act, "obedient": obedient}.get(cmd_name)

    return Tool(name="tool", table={"act": ("", ""), "obedient": ("", "Obey.")})


def invoke(tool: click.Group, *arguments: str) -> Result:
    return CliRunner().invoke(tool, arguments)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom conformance.cli.main import main\n"
        f"try: main({arguments!r}, prog_name='conformance')\nexcept SystemExit: pass\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = python("-c", code)
    assert done.stderr.strip() == "[]"
    assert "conformance" in done.stdout


def test_the_module_runs_as_a_program() -> None:
    done = python("-m", "conformance", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: conformance [OPTIONS] COMMAND")


def test_help_lists_every_command_with_a_line() -> None:
    text = invoke(main, "--help").output
    for name in (
        "run",
        "serve",
        "plan",
        "list",
        "explain",
        "replay",
        "selftest",
        "specs",
        "fixtures",
        "report",
        "target",
    ):
        assert f"\n  {name} " in text
    assert "130 interrupted" in text


def test_the_version_falls_back_in_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "DISTRIBUTION", "no-such-distribution")
    assert invoke(main, "--version").output == "conformance 0+unknown\n"


def test_an_unknown_command_suggests_close_ones() -> None:
    done = invoke(main, "reprot")
    assert done.exit_code == 2
    assert "no such command: 'reprot'. Did you mean report" in done.output


@pytest.mark.parametrize("option", ["--min-carried-out", "--wait", "--explore", "--races"])
def test_a_number_that_is_none_is_a_usage_error_in_words_that_fit(option: str) -> None:
    done = CliRunner().invoke(main, ["run", option, "nan"])
    assert done.exit_code == 2
    assert option in done.output
    assert "nan is no number that can be reckoned with" in done.output


def test_an_unknown_option_is_a_usage_error() -> None:
    assert invoke(main, "--nonsense").exit_code == 2
    assert invoke(main, "list", "operations", "--nonsense").exit_code == 2


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [(ConfigurationError("what"), 2), (TargetUnreachable("what"), 3), (HarnessError("what"), 5)],
)
def test_an_error_of_ours_becomes_words_and_its_exit_code(error: ConformanceError, exit_code: int) -> None:
    error.where, error.hint = "file.toml:3", "Do this."
    done = invoke(group(error), "act")
    assert done.exit_code == exit_code
    assert done.stderr == "error: what\n  where: file.toml:3\n  hint: Do this.\n"
    assert done.stdout == ""


def test_an_error_without_place_or_hint_is_one_line() -> None:
    assert invoke(group(ConfigurationError("what")), "act").stderr == "error: what\n"


def test_verbose_adds_the_traceback_of_an_error_of_ours() -> None:
    assert "Traceback" in invoke(group(ConfigurationError("what")), "act", "-v").stderr


def test_an_unexpected_error_is_one_line_and_exit_5() -> None:
    done = invoke(group(ValueError("two\nlines")), "act")
    assert done.exit_code == 5
    assert done.stderr.startswith("error: unexpected ValueError: two lines (")
    assert "-v shows the traceback" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_unexpected_error_shows_its_traceback_when_verbose() -> None:
    done = invoke(group(ValueError("oh")), "act", "-v")
    assert done.exit_code == 5
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1] == "error: unexpected ValueError: oh"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption_exits_130(error: BaseException) -> None:
    done = invoke(group(error), "act")
    assert (done.exit_code, done.stderr) == (130, "interrupted\n")


def test_a_full_disk_is_no_defect_of_the_tool() -> None:
    done = invoke(group(OSError(errno.ENOSPC, "No space left on device")), "act")
    assert done.exit_code == 2
    assert (
        done.stderr
        == "error: not everything could be written: No space left on device\n  hint: Make room, and run it again.\n"
    )


def test_another_system_error_is_a_defect_of_the_tool() -> None:
    assert invoke(group(OSError(errno.EBADF, "Bad file descriptor")), "act").exit_code == 5


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a device that is always full")
def test_output_that_is_only_written_at_the_end_is_missed_all_the_same() -> None:
    command = [sys.executable, "-m", "conformance", "list", "operations"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=100, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: not everything could be written")


def test_a_closed_pipe_is_no_error_message() -> None:
    done = python("-c", "import sys, subprocess\n" + _PIPE)
    assert done.stdout.strip() == "141"
    assert done.stderr == ""


_PIPE = """
tool = subprocess.Popen(
    [sys.executable, "-m", "conformance", "list", "operations"], stdout=subprocess.PIPE, stderr=None
)
tool.stdout.close()
print(tool.wait(20))
"""


def test_a_returned_number_is_the_exit_code() -> None:
    assert invoke(group(), "obedient", "-q").exit_code == 3
    assert invoke(group(), "obedient").exit_code == 0


def test_a_table_entry_that_is_no_command_is_a_defect() -> None:
    tool = LazyGroup(name="tool", table={"bad": (f"{__name__}:ROOT", "Bad.")})
    done = invoke(tool, "bad")
    assert done.exit_code == 5
    assert "is no click command" in done.stderr


def test_suggestions_ignore_case_and_need_likeness() -> None:
    assert suggestion("cao-code-14", ["CAO-CODE-104", "CQ-CODE-20"]).startswith(" Did you mean CAO-CODE-104")
    assert suggestion("zzz", ["CAO-CODE-104"]) == ""
