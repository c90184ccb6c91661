"""Runs `schemathesis run` against a server, as a user would, and reads how much it did."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes import run

HOOKS = "conformance.schemathesis_hooks"
EXAMPLES = 8
"""How many examples each phase of a run tries that looks for faults; the default of Schemathesis is 100."""
_CASES = re.compile(r"(\d[\d,]*) generated")


@dataclass(frozen=True, slots=True)
class ToolRun:
    """What one run did: test cases that it says it generated, wall seconds, exit code."""

    cases: int
    wall_s: float
    exit_code: int
    output: str


def openapi_of(service: str) -> Path:
    """The project's own OpenAPI document of a service."""
    from conformance.contract.load import specs_root

    return specs_root() / service / "openapi.yaml"


def schemathesis_run(
    service: str, address: str, arguments: Sequence[str] = (), processors: Sequence[int] | None = None
) -> ToolRun:
    """One run in an empty folder, so that no state of an earlier one is found."""
    program = Path(sys.executable).with_name("schemathesis")
    command = [str(program), "run", str(openapi_of(service)), "--url", address, "--no-color", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        done = run(command, processors, cwd=folder)
    cases = [int(found.replace(",", "")) for found in _CASES.findall(done.output)]
    return ToolRun(sum(cases), done.wall_s, done.exit_code, done.output)


@dataclass(frozen=True, slots=True)
class Failure:
    """One kind of failure that Schemathesis reports of an operation."""

    kind: str
    operation: str


@dataclass(frozen=True, slots=True)
class Failures:
    """What one run found, and its wall seconds."""

    failures: frozenset[Failure]
    wall_s: float


def failures_of(operation: str, address: str, token: str = "", *, hooks: bool = False) -> Failures:
    """All checks on one operation, and on the calls that make something for it, to the end, in the deterministic mode.

    `token` is sent as the session's; `hooks` brings the checks of this project in.
    """
    program = Path(sys.executable).with_name("schemathesis")
    document = openapi_of(operation.partition(".")[0])
    chosen = [
        part for name in (operation, *_leading_to(document, operation)) for part in ("--include-operation-id", name)
    ]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            str(program), "run", str(document), "--url", address, "--no-color", *chosen, "--max-examples", str(EXAMPLES),
            "--checks", "all", "--continue-on-failure", "--generation-deterministic", "--request-timeout", "2",
            "--report", "json", "--report-json-path", str(report), *(("-H", f"aptoken: {token}") if token else ()),
        ]  # fmt: skip
        done = run(command, cwd=folder, env={"SCHEMATHESIS_HOOKS": HOOKS if hooks else ""})
        if done.exit_code not in (0, 1) or not report.exists():
            raise RuntimeError(f"schemathesis run on {operation} ended with {done.exit_code}: {done.output[-2000:]}")
        found = json.loads(report.read_text(encoding="utf-8"))
    failures = {Failure(_kind(one), name) for one in found["failures"] for name in one["operations"]}
    failures |= {Failure("Error", operation) for _ in found["errors"]}
    return Failures(frozenset(failures), done.wall_s)


def _kind(failure: Mapping[str, Any]) -> str:
    """What it is called; one of ours by the requirement that it names."""
    kind = str(failure["type"])
    return str(failure["title"]).partition(":")[0] if kind == "ContractViolation" else kind


def _leading_to(document: Path, operation: str) -> list[str]:
    """The operations of the document that have a link to this one, itself left out."""
    paths = yaml.safe_load(document.read_text(encoding="utf-8"))["paths"].values()
    described = [method for methods in paths for method in methods.values()]
    return sorted(
        one["operationId"]
        for one in described
        if one["operationId"] != operation
        and any(
            link["operationId"] == operation
            for reply in one["responses"].values()
            for link in reply.get("links", {}).values()
        )
    )


def version_command() -> list[str]:
    """The command that only tells its version: what it costs to start."""
    return [str(Path(sys.executable).with_name("schemathesis")), "--version"]
