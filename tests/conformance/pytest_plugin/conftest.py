"""Pytest inside pytest: the plugin in a process of its own, against a reference implementation with or without a fault."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.endpoint.reference import reference_environment, reference_target

ROOT = Path(__file__).resolve().parents[3]
OPERATION = "alphapoint.cancel_all_orders"
SUITE = "conformance.suite"
_PINS = {"pin": "1234", "wrong_pin": "9999"}


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    for name, value in {
        **reference_environment(),
        **{f"TPP_{name.upper()}": pin for name, pin in _PINS.items()},
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Run the suite's items of one operation, without generated cases unless they are asked for."""

    def run(*arguments: str, named: str = SUITE) -> pytest.RunResult:
        plugins = ("-p", "conformance.pytest_plugin", "-p", "xdist.plugin")
        limits = ("--conformance-operation", OPERATION, "--conformance-generated", "0")
        return pytester.runpytest_subprocess(*plugins, "--pyargs", named, *limits, *arguments, timeout=100)

    return run


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Start a reference implementation with arguments; gives its address."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> str:
        command = [sys.executable, "-m", "reference_impl", "--port", "0", *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        started.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip().removeprefix("listening on ")

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def target_file(pytester: pytest.Pytester) -> Callable[..., str]:
    """Write a target file for a reference implementation at an address; gives its name."""

    def write(address: str, desks: int = 12, waivers: tuple[dict[str, Any], ...] = ()) -> str:
        content = reference_target(address)
        content["services"]["alphapoint"]["desks"] = content["services"]["alphapoint"]["desks"][:desks]
        content["services"]["tpp"]["bindings"].update({name: {"env": f"TPP_{name.upper()}"} for name in _PINS})
        content["waivers"] = list(waivers)
        text = "".join(f"{name} = {_toml(value)}\n" for name, value in content.items())
        pytester.path.joinpath("target.toml").write_text(text, encoding="utf-8")
        return "target.toml"

    return write


@pytest.fixture
def by_command(pytester: pytest.Pytester) -> Callable[..., dict[str, Any]]:
    """What `conformance run` writes for the same cases, without what differs from run to run."""

    def run(*arguments: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "conformance", "run", "--quiet", "--operation", OPERATION, "--generated", "0"]
        subprocess.run(
            [*command, "--report", "by-command", *arguments],
            cwd=pytester.path, env=dict(os.environ), timeout=100, check=False, capture_output=True,
        )  # fmt: skip
        return results(pytester.path / "by-command")

    return run


@pytest.fixture
def by_pytest(pytester: pytest.Pytester) -> Callable[[str], dict[str, Any]]:
    """What a pytest run wrote into a report folder, in the same way."""
    return lambda folder: results(pytester.path / folder)


def results(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="ascii"))
    for name in ("id", "started_at", "duration_s", "messages_sent"):
        del content["run"][name]
    return content


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_toml(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(member) for member in value) + "]"
    return json.dumps(value)
