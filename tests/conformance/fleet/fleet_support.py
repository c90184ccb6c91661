"""Fleets on served endpoints: many reference servers in forks of one process, fleet files, results to compare."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from conformance.cli.main import main
from conformance.endpoint.reference import write_target

_SERVE = """
import os, sys
from reference_impl.__main__ import parse_arguments
from reference_impl.serve import serve
children = []
for _ in range(int(sys.argv[1])):
    child = os.fork()
    if not child:
        serve(parse_arguments(["--port", "0", "--until-eof", *sys.argv[2:]]))
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""
CONFORMANCE = [sys.executable, "-m", "conformance"]


@contextlib.contextmanager
def served(folder: Path, count: int, *options: str) -> Iterator[list[Path]]:
    """Target files of so many endpoints, each with a world of its own."""
    words = [sys.executable, "-c", _SERVE, str(count), *options]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            addresses: list[str] = []
            while len(addresses) < count:  # what several processes say may stand in one line
                line = process.stdout.readline()
                assert line, "a server ended before it listened"
                addresses += re.findall(r"listening on (\S+?:\d+)", line)
            targets = [folder / f"target-{number:02}.toml" for number in range(count)]
            for target, address in zip(targets, addresses, strict=True):
                write_target(target, address)
            yield targets
        finally:
            process.stdin.close()


def fleet_file(folder: Path, targets: list[Path], more: str = "", **keys: Any) -> Path:
    """A fleet file in which each target is an endpoint that is due."""
    common = {"owner": "o", "schedule": "every 9 d", "generated": 0, **keys}
    lines = [more]
    for number, target in enumerate(targets):
        lines.append(f"[endpoints.e{number:02}]\ntarget = {json.dumps(str(target))}")
        lines += [f"{key} = {json.dumps(value)}" for key, value in common.items()]
    path = folder / "fleet.toml"
    path.write_text("\n".join(lines), "utf-8")
    return path


def results(home: Path) -> list[dict[str, Any]]:
    """The results of the runs of an endpoint that are in the store."""
    return [
        json.loads(one.read_text("utf-8"))
        for one in sorted(home.glob("runs/*/results.json"))
        if (one.parent / "told").exists()
    ]


def calm(folder: Path, target: Path, cases: Sequence[str]) -> dict[str, Any]:
    """What an undisturbed run of these cases says of an endpoint; it is made in this process."""
    words = ["run", "-q", "--no-html", "--target", str(target), "--generated", "0", "--report", str(folder / "calm")]
    done = CliRunner().invoke(main, [*words, *(word for case in cases for word in ("--case", case))])
    assert done.exit_code == 0, done.output
    return said(json.loads((folder / "calm" / "results.json").read_text("utf-8")))


def said(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a run says of an endpoint, without when and where it was."""
    parts = ("requirements", "error_codes", "readings", "causes", "cases", "coverage")
    return {part: document[part] for part in parts} | {"verdict": document["summary"]["verdict"]}


def environment(**more: str) -> dict[str, str]:
    """That of a command of these tests."""
    mine = {name: value for name, value in os.environ.items() if name != "CONFORMANCE_HISTORY"}
    return {**mine, "NO_COLOR": "1", **more}
