"""`python -m benchmarks.load`: what `conformance run` finds on the reference while Locust plays background traffic.

At each rate of `--rates` (messages a second), against a reference of its own: a whole run, which must find nothing, and
for each fault that shows only where calls overlap, the cases of races `--rounds` times: how many rounds see the fault, and
how many cases. Needs the extra `load`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference_impl.faults import FAULTS

_LOCUST_FILE = "from conformance.load.user import BackgroundUser\n\n\nclass Background(BackgroundUser):\n    pass\n"
_USERS = 20
_START_S = 60.0
_CASES = "*/races/*"
OVERLAPPING = tuple(name for name in sorted(FAULTS) if "race" in name.split("-"))
"""The faults that show only where calls overlap."""


@dataclass(frozen=True, slots=True)
class Served:
    """A reference and what is played on it."""

    folder: Path
    rate: int

    @property
    def target(self) -> Path:
        """Its target file."""
        return self.folder / "target.toml"


@contextlib.contextmanager
def _process(folder: Path, name: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", *words], cwd=folder, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


def _wait_for(path: Path, text: str) -> None:
    until = time.monotonic() + _START_S
    while not path.exists() or text not in path.read_text("utf-8", "replace"):
        if time.monotonic() > until:
            raise SystemExit(
                f"no {text!r} within {_START_S:.0f} s in {path.name}:\n{path.read_text('utf-8', 'replace')}"
            )
        time.sleep(0.05)


@contextlib.contextmanager
def served(rate: int, workers: int, *options: str) -> Iterator[Served]:
    """A reference with background traffic of so many messages a second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with _process(folder, "serve", "conformance", "serve", "--write-target", "target.toml", *options):
            _wait_for(folder / "serve.log", "listening on")
            if not rate:
                yield Served(folder, 0)
                return
            (folder / "locustfile.py").write_text(_LOCUST_FILE, "utf-8")
            words = [
                "locust", "--headless", "--users", str(_USERS), "--spawn-rate", str(_USERS), "--pace", str(rate / _USERS),
                "--target", "target.toml", "--room", "room", "--desks", "4", "--csv", "load", "--only-summary",
            ]  # fmt: skip
            if workers > 1:
                words += ["--processes", str(workers)]
            with _process(folder, "locust", *words):
                _wait_for(folder / "locust.log", "legal cases")
                time.sleep(1)
                yield Served(folder, rate)


def judge(one: Served, *options: str) -> dict[str, Any]:
    """The results of a run against it."""
    words = [
        sys.executable,
        "-m",
        "conformance",
        "run",
        "--target",
        "target.toml",
        "--room",
        "room",
        "--quiet",
        "--no-html",
    ]
    subprocess.run([*words, *options], cwd=one.folder, capture_output=True, timeout=600, check=False)
    document: dict[str, Any] = json.loads((one.folder / "conformance-report" / "results.json").read_bytes())
    return document


def sent(one: Served) -> dict[str, float]:
    """What Locust counted so far: messages, failures, messages a second at the end."""
    lines = (one.folder / "load_stats.csv").read_text("utf-8").splitlines() if one.rate else []
    for line in lines:
        cells = line.split(",")
        if cells[1:2] == ["Aggregated"]:
            return {"messages": float(cells[2]), "failures": float(cells[3])}
    return {"messages": 0.0, "failures": 0.0}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure, and print each figure on a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__.partition("\n")[0])
    parser.add_argument("--rates", type=int, nargs="+", default=[0, 200, 1000])
    parser.add_argument("--workers", type=int, default=1, help="Locust processes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--fault",
        action="append",
        choices=OVERLAPPING,
        help="this alone, without a whole run (default: all)",
    )
    parser.add_argument("--generated", type=int, default=5000)
    chosen = parser.parse_args()
    for rate in () if chosen.fault else chosen.rates:
        with served(rate, chosen.workers) as one:
            before, began_s = sent(one), time.monotonic()
            document = judge(one, "--generated", str(chosen.generated))
            took_s = time.monotonic() - began_s
            time.sleep(1.5)
            after = sent(one)
            cases, summary = document["summary"]["cases"], document["summary"]
            played = (after["messages"] - before["messages"]) / (took_s + 1.5)
            _say(
                f"asked {rate:5}/s  played {played:5.0f}/s  run: {summary['verdict']} in {took_s:.0f} s, "
                f"{cases['pass']} cases pass, {cases['fail']} fail, {cases['not-verified']} not verified; "
                f"background: {after['failures']:.0f} failures",
            )
    for fault in chosen.fault or OVERLAPPING:
        seen: list[str] = []
        for rate in chosen.rates:
            with served(rate, chosen.workers, "--fault", fault) as one:
                failed = []
                for _ in range(chosen.rounds):
                    document = judge(one, "--operation", FAULTS[fault].operation, "--case", _CASES)
                    failed.append(document["summary"]["cases"]["fail"])
                seen.append(f"{sum(map(bool, failed))}/{len(failed)} ({sum(failed)})")
        _say(
            f"{fault:32} " + "  ".join(f"{rate}/s: {words}" for rate, words in zip(chosen.rates, seen, strict=True)),
        )


if __name__ == "__main__":
    main()
