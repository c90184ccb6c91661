"""Runs `schemathesis run` against a server, as a user would, and reads how much it did and what it found.

The ways to run it are data: `QUICK` costs seconds, `BEST` is what its authors advise for finding most in a given time.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes import run

HOOKS = "conformance.schemathesis_hooks"
XML_HOOKS = "benchmarks.schemathesis_xml"
EXAMPLES = 8
"""How many examples each phase of a quick run tries; the default of Schemathesis is 100."""
SEED = 1
_ROOT = Path(__file__).parent.parent
_CASES = re.compile(r"(\d[\d,]*) generated")
_USERS = {"alphapoint.cancel_quote": ("maker01", "maker02")}
_OTHERS = ("trader01", "trader02")
_SHARE_OF_KNOWN = 0.5
"""How often a value that the document gives as an example stands in a generated body."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run Schemathesis."""

    name: str
    title: str
    hooks: str = ""
    """The module of hooks that it loads."""
    budgets: int = 0
    """How many times the seconds of the harness it has; 0: `EXAMPLES` a phase, in the deterministic mode, to the end."""


QUICK = (Way("schemathesis", "Schemathesis"), Way("hooks", "Schemathesis with the hooks", HOOKS))
BEST = (
    Way("best", "Schemathesis, our time", XML_HOOKS, 1),
    Way("best_3", "three times our time", XML_HOOKS, 3),
    Way("best_3_hooks", "the same with our hooks", HOOKS, 3),
)


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
    command = [_program(), "run", str(openapi_of(service)), "--url", address, "--no-color", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        done = run(command, processors, cwd=folder)
    cases = [int(found.replace(",", "")) for found in _CASES.findall(done.output)]
    return ToolRun(sum(cases), done.wall_s, done.exit_code, done.output)


@dataclass(frozen=True, slots=True)
class Found:
    """What one way to run a tool says of one variant: kinds of complaints (none: it is content), and how much it did."""

    by: tuple[str, ...]
    wall_s: float
    cases: int = 0


def look(operation: str, address: str, way: Way, known: Path, budget_s: int, *, learn: bool = False) -> Found:
    """All checks on one operation and the calls that make something for it; `by` is what is new against `known`.

    `known` is a baseline file of Schemathesis: the failures that it reports of a server that is right. `learn` adds to it.
    `budget_s` counts in ways with a budget alone.
    """
    document = openapi_of(operation.partition(".")[0])
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        Path(folder, "schemathesis.toml").write_text(_settings(operation, address, way, Path(folder)), encoding="utf-8")
        command = [
            _program(), "run", str(document), "--url", address, "--no-color", *_chosen(document, operation),
            "--checks", "all", "--continue-on-failure", "--request-timeout", "2", *_limits(way, budget_s),
            "--baseline", str(known), *(["--baseline-update"] if learn else []),
            "--report", "json", "--report-json-path", str(report),
        ]  # fmt: skip
        done = run(command, cwd=folder, env={"SCHEMATHESIS_HOOKS": way.hooks, "PYTHONPATH": str(_ROOT)})
        if done.exit_code not in (0, 1) or not report.exists():
            raise RuntimeError(f"schemathesis run on {operation} ended with {done.exit_code}: {done.output[-2000:]}")
        found = json.loads(report.read_text(encoding="utf-8"))
    kinds = {_kind(one) for one in found["failures"]} | ({"Error"} if found["errors"] else set())
    return Found(tuple(sorted(kinds)), done.wall_s, found["test_cases"]["generated"])


def _program() -> str:
    return str(Path(sys.executable).with_name("schemathesis"))


def _limits(way: Way, budget_s: int) -> list[str]:
    """How much it tries. With a budget: as its authors advise for a comparison with other tools."""
    if not way.budgets:
        return ["--max-examples", str(EXAMPLES), "--generation-deterministic"]
    budget = ["--max-time", str(way.budgets * budget_s), "--seed", str(SEED)]
    return [*budget, "--no-shrink", "--suppress-health-check", "all", "--generation-database", "none"]


def _settings(operation: str, address: str, way: Way, folder: Path) -> str:
    """The configuration file: who calls, and in ways with a budget a second user, the known values, and formats."""
    lines = []
    if operation.startswith("alphapoint."):
        names = _USERS.get(operation, _OTHERS)
        users = [
            {"name": name, "fixedHeaders": [{"name": "aptoken", "value": _token(address, name)}]} for name in names
        ]
        Path(folder, "users.json").write_text(json.dumps({"auth": users}), encoding="utf-8")
        lines += ["[auth.wfc]", 'path = "users.json"', f'user = "{names[0]}"']
        lines += [f"peers = {json.dumps(names)}"] if way.budgets else []
    if way.budgets:
        lines += ["[checks.response_schema_conformance]", "validate-formats = true"]
        known = dict(_known_values(operation))
        for number, values in enumerate(known.values()):
            lines += [f"[dictionaries.d{number}]", f"values = {json.dumps(values)}"]
        lines += ["[parameters]"] if known else []
        lines += [
            f'"{path}" = {{ dictionary = "d{number}", probability = {_SHARE_OF_KNOWN} }}'
            for number, path in enumerate(known)
        ]
    return "\n".join(lines) + "\n"


def _known_values(operation: str) -> Iterator[tuple[str, list[str | int]]]:
    """The values of each member in the examples of the document, by the member's place in the body."""
    document = _read(openapi_of(operation.partition(".")[0]))
    (described,) = [one for one in _operations(document) if one["operationId"] == operation]
    values: dict[str, list[str | int]] = {}
    for media in described["requestBody"]["content"].values():
        for example in media["examples"].values():
            reference = example.get("$ref", "").rpartition("/")[2]
            value = document["components"]["examples"][reference]["value"] if reference else example["value"]
            for prefix, item in (
                [("body.[*].", item) for item in value] if isinstance(value, list) else [("body.", value)]
            ):
                for name, one in item.items():
                    if isinstance(one, str | int) and not isinstance(one, bool):
                        values.setdefault(prefix + name, []).append(one)
    return ((path, list(dict.fromkeys(several))) for path, several in values.items())


def _token(address: str, user: str) -> str:
    """A session of a user of the bundled server."""
    credentials = base64.b64encode(f"{user}:{user}-password".encode()).decode()
    asked = urllib.request.Request(f"{address}/AP/Authenticate", headers={"Authorization": f"Basic {credentials}"})
    with urllib.request.urlopen(asked, timeout=10) as reply:  # the address is that of a server of our own
        return str(json.loads(reply.read())["SessionToken"])


def _kind(failure: Mapping[str, Any]) -> str:
    """What it is called; one of ours by the requirement that it names."""
    kind = str(failure["type"])
    return str(failure["title"]).partition(":")[0] if kind == "ContractViolation" else kind


def _chosen(document: Path, operation: str) -> list[str]:
    """The options for the operation and for those that have a link to it."""
    leading = [
        one["operationId"]
        for one in _operations(_read(document))
        if any(
            link["operationId"] == operation
            for reply in one["responses"].values()
            for link in reply.get("links", {}).values()
        )
    ]
    names = dict.fromkeys((operation, *sorted(leading)))
    return [part for name in names for part in ("--include-operation-id", name)]


def _read(document: Path) -> Mapping[str, Any]:
    read: Mapping[str, Any] = yaml.safe_load(document.read_text(encoding="utf-8"))
    return read


def _operations(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [method for methods in document["paths"].values() for method in methods.values()]


def version_command() -> list[str]:
    """The command that only tells its version: what it costs to start."""
    return [_program(), "--version"]
