"""Servers that were written apart from this harness, each in a folder beside this module: started, judged, and told by mode.

A world has modes: each is permitted or a fault. What is recorded of a fault are cases that caught it, so that the tests
need not run all cases for each; `python -m tests.worlds.record FOLDER` records them anew.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.cases.fixtures import family_of, load_cases
from conformance.cli.main import main
from conformance.contract.load import load_contract

_START_S = 20
ALL = os.environ.get("WORLDS") == "all"
"""Whether each mode is judged alone and by every case, as in the environment `worlds`."""
EACH = 1 if ALL else 2
"""Of the faults, each of so many is tried."""
COMBINATIONS = "combinations"
"""The family of the most cases: the default servers run it, and all permitted modes in the environment `worlds`."""


def need(*programs: str) -> None:
    """Skip where a program is missing; on a CI server, which says so in CI, that is a failure."""
    missing = [program for program in programs if shutil.which(program) is None]
    if not missing:
        return
    reason = f"{', '.join(missing)} missing: install what debian-packages.txt of this world names"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True, slots=True)
class World:
    """One world: its folder, the command that starts it, and how its target file gets the addresses that it prints.

    `start` makes the command of a server with these modes. It prints one line for each key of `addresses`, in their
    order, that ends in an address; the target file has the key's text in quotes where the address belongs. `lacks` has by
    mode what the target file then says that the service lacks.
    """

    folder: Path
    operations: tuple[str, ...]
    start: Callable[[Sequence[str]], Sequence[str]]
    addresses: tuple[str, ...]
    environment: Mapping[str, str]
    lacks: Mapping[str, str] = field(default_factory=dict)

    @property
    def recorded(self) -> Mapping[str, tuple[str, ...]]:
        """By fault, cases that caught it when it was recorded."""
        return recorded(self.folder)

    @contextmanager
    def serving(self, modes: Sequence[str], report: Path) -> Iterator[Path]:
        """A server with these modes; gives its target file."""
        process = subprocess.Popen(self.start(modes), stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            text = (self.folder / "target.toml").read_text(encoding="utf-8")
            for key in self.addresses:
                line = process.stdout.readline()
                found = re.search(r"(?:http|ws)://\S+", line)
                assert found, f"the server says {line!r} where an address belongs"
                text = text.replace(f'"{key}"', json.dumps(found.group()))
            text += "".join(f"\n{self.lacks[mode]}\n" for mode in modes if mode in self.lacks)
            target = report / "target.toml"
            target.write_text(text, encoding="utf-8")
            yield target
        finally:
            process.terminate()
            process.wait(_START_S)
            if process.stdout is not None:
                process.stdout.close()


@dataclass(frozen=True, slots=True)
class Told:
    """What the harness said of a server."""

    exit_code: int
    results: Mapping[str, Any]
    output: str

    @property
    def findings(self) -> list[tuple[str, str, str]]:
        """Case, requirement and message of each."""
        return [
            (case["id"], finding["requirement"], finding["message"])
            for case in self.results.get("cases", ())
            for finding in case.get("findings", ())
        ]

    @property
    def carried_out(self) -> float:
        """The share of the cases that were carried out, of those that hang on nothing that the target file lacks."""
        told = self.results["summary"]["carried_out"]
        return float(told["cases"] / (told["of"] - told["not"].get("accepted lack", 0)))

    @property
    def mixed(self) -> list[str]:
        """The readings that the server is said to mix."""
        return [str(reading["id"]) for reading in self.results["readings"] if reading["mixed"]]


def recorded(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """By fault, cases that caught it when that was last recorded for the world in this folder."""
    text = (folder / "caught.toml").read_text(encoding="utf-8")
    return {name: tuple(cases) for name, cases in tomllib.loads(text).items()}


def companies(permitted: Sequence[str], together: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The permitted modes as servers have them: some together, each of the others alone; all alone where all is asked."""
    grouped = [] if ALL else [tuple(one) for one in together]
    return [*grouped, *((mode,) for mode in permitted if not any(mode in one for one in grouped))]


@cache
def of_permitted(operations: tuple[str, ...]) -> tuple[str, ...]:
    """Options for what a permitted mode runs of these calls: every named case but the combinations, unless all is asked."""
    if ALL:
        return ("--generated", "3000")
    ids = [case.id for case in load_cases(load_contract(), operations) if family_of(case.id) != COMBINATIONS]
    folders = sorted({one.partition("@")[0].rpartition("/")[0] for one in ids})
    return tuple(part for folder in folders for part in ("--case", f"{folder}/*"))


def judged(world: World, report: Path, modes: Sequence[str], *options: str) -> Told:
    """Run the harness in this process against a server with these modes."""
    report.mkdir(parents=True, exist_ok=True)
    chosen = [part for name in world.operations for part in ("--operation", name)]
    with world.serving(modes, report) as target, pytest.MonkeyPatch.context() as patch:
        for name, value in world.environment.items():
            patch.setenv(name, value)
        arguments = ["run", "--quiet", "--target", str(target), "--report", str(report), *chosen, *options]
        done = CliRunner().invoke(main, arguments)
    written = report / "results.json"
    results = json.loads(written.read_bytes()) if written.is_file() else {}
    return Told(done.exit_code, results, done.output)


def caught(world: World, report: Path, fault: str, modes: Sequence[str]) -> tuple[str, ...]:
    """The cases that catch a fault: those recorded for it, or, where they do not, all named cases."""
    for cases in dict.fromkeys((world.recorded.get(fault, ()), ())):
        options = [part for case in cases for part in ("--case", case)] or ["--generated", "0"]
        told = judged(world, report, modes, *options)
        if told.findings:
            return tuple(dict.fromkeys(case for case, _, _ in told.findings))
    return ()
