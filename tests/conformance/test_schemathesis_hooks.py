"""The lines of docs/schemathesis.md, followed: real runs of Schemathesis against the bundled server."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

pytestmark = pytest.mark.timeout(300)  # a run has a few hundred requests, and Schemathesis takes its time for each
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "schemathesis.md").read_text(encoding="utf-8")
LINES = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
(EXPORT,) = [line for line in LINES if line.startswith("export ")]
RUNS = {
    re.findall(r"specs/(\w+)/", line)[0]: line
    for line in LINES
    if line.startswith("schemathesis run") and "--checks" not in line
}
SHORT = ("--max-examples", "4", "--generation-deterministic", "--no-color", "--continue-on-failure", "--checks", "all")
TITLE = re.compile(r"^- ST901 ([A-Z]+-[A-Z0-9-]+): ", re.MULTILINE)


@contextmanager
def served(*changes: str) -> Iterator[str]:
    """The bundled server with these changes."""
    command = [sys.executable, "-m", "conformance", "serve", "--port", "0", *changes]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip().removeprefix("listening on ")
    finally:
        process.terminate()
        process.communicate(timeout=20)


def token(address: str) -> str:
    """A session of the operator, asked for as the page says."""
    basic = base64.b64encode(b"operator:operator-password").decode()
    request = urllib.request.Request(f"{address}/AP/Authenticate", headers={"Authorization": f"Basic {basic}"})
    with urllib.request.urlopen(request, timeout=20) as reply:
        return str(json.loads(reply.read())["SessionToken"])


def followed(service: str, address: str, folder: Path, *more: str) -> tuple[int, str, dict[str, Any]]:
    """The page's line for a service, with the address of this server: exit code, output, the report in JSON."""
    line = RUNS[service].replace("http://127.0.0.1:8080", address)
    if "$TOKEN" in line:
        line = line.replace("$TOKEN", token(address))
    name, value = EXPORT.removeprefix("export ").split("=")
    program, *words = shlex.split(line)
    command = [str(Path(sys.executable).with_name(program)), *words, *SHORT, *more]
    command[2] = str(ROOT / command[2])
    report = folder / "report.json"
    done = subprocess.run(
        [*command, "--report", "json", "--report-json-path", str(report)],
        cwd=folder, env={**os.environ, name: value}, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr, json.loads(report.read_text(encoding="utf-8"))


@pytest.mark.parametrize("service", sorted(RUNS))
def test_nothing_is_said_of_the_right_server_and_every_phase_runs(service: str, tmp_path: Path) -> None:
    with served() as address:
        code, output, report = followed(service, address, tmp_path)
    assert (code, report["failures"], report["errors"]) == (0, [], []), output
    assert {phase: one["status"] for phase, one in report["phases"].items()} == dict.fromkeys(
        ("examples", "coverage", "fuzzing", "stateful"), "success"
    )


@pytest.mark.parametrize(
    ("service", "change"),
    [
        ("alphapoint", "--reading=response-key-case=camel"),
        ("alphapoint", "--equivalent=cq-reads-session-missing-standard-20"),
        ("tpp", "--equivalent=tpp-results-reversed"),
    ],
)
def test_nothing_is_said_of_a_permitted_difference(service: str, change: str, tmp_path: Path) -> None:
    with served(change) as address:
        code, output, report = followed(service, address, tmp_path, "--phases", "examples,coverage,stateful")
    assert (code, report["failures"]) == (0, []), output


@pytest.mark.parametrize(
    ("service", "fault", "requirement"),
    [
        ("tpp", "tpp-drops-last-result", "TPP-RESP-ONE-EACH"),
        ("tpp", "tpp-xml-success-first", "TPP-RESP-XML-ORDER"),
        ("tpp", "tpp-pin-echoed", "TPP-SECRETS"),
        ("alphapoint", "cao-error-with-true", "CAO-AGREE"),
        ("alphapoint", "cao-echoes-token", "CAO-SECRETS"),
    ],
)
def test_a_fault_is_named_by_the_requirement_it_breaks(
    service: str, fault: str, requirement: str, tmp_path: Path
) -> None:
    with served("--fault", fault) as address:
        code, output, report = followed(service, address, tmp_path, "--phases", "examples,coverage")
    assert code == 1
    assert requirement in TITLE.findall(output), output
    assert {one["type"] for one in report["failures"]} == {"ContractViolation"}


_WRITTEN = """
import json, sys
import conformance.schemathesis_hooks
import schemathesis
operation = schemathesis.openapi.from_path(sys.argv[1])["/api/orders/cancellations"]["POST"]
sent = operation.Case(body=json.loads(sys.argv[2]), media_type="text/xml").as_transport_kwargs()["data"]
sys.stdout.write(sent.decode())
"""


def test_a_body_in_xml_is_that_of_the_documents_sample() -> None:
    folder = ROOT / "specs" / "tpp" / "create_cancellations" / "samples"
    sample = (folder / "request-1.json").read_text(encoding="utf-8")
    shuffled = json.dumps([dict(reversed(item.items())) for item in json.loads(sample)])
    done = subprocess.run(
        [sys.executable, "-c", _WRITTEN, str(ROOT / "specs" / "tpp" / "openapi.yaml"), shuffled],
        capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    wanted = (folder / "request-2.xml").read_text(encoding="utf-8")
    assert etree.canonicalize(done.stdout, strip_text=True) == etree.canonicalize(wanted, strip_text=True)
