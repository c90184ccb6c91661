"""The measurements: each runs its sides in turn for several rounds, and gives ratios of medians and the figures."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import figures, module, reference, run, start
from benchmarks.schemathesis_tool import schemathesis_run, version_command

ROUNDS = 3
RAW_ROUNDS = 11
"""A neighbour slows either side of a single round by a third; rounds are short here, so there can be many."""
CONCURRENCY = 24
GENERATED = 20_000
SCHEMATHESIS_EXAMPLES = 150
_CLIENT, _SERVER = (0,), (1,)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one measurement gives: ratios by name, and absolute figures as (value, unit)."""

    ratios: Mapping[str, float]
    absolute: Mapping[str, tuple[float, str]]


Measure = Callable[[], Measured]


def conformance_command(*arguments: str) -> list[str]:
    """The command line of the harness in this environment."""
    return [str(Path(sys.executable).with_name("conformance")), *arguments]


def _alternating(sides: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """The median of each side, the sides taken in turn in every round."""
    seen: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            seen[name].append(side())
    return {name: statistics.median(values) for name, values in seen.items()}


def _ours(address: str, count: int, formats: str, processors: Sequence[int] | None = None) -> dict[str, float]:
    found = figures(run(module("ours", address, count, formats, CONCURRENCY), processors).output)
    if found["failed"]:
        raise RuntimeError(f"{found['failed']:g} of the generated cases failed against the correct reference")
    return found


def _rate(address: str, count: int, formats: str, processors: Sequence[int] | None = None) -> float:
    found = _ours(address, count, formats, processors)
    return found["cases"] / found["seconds"]


def _gate(*arguments: str) -> dict[str, float]:
    """One `conformance run` with its own server: wall seconds, and judged cases a second of the run."""
    with tempfile.TemporaryDirectory() as folder:
        done = run(conformance_command("run", "-q", "--report", folder, *arguments))
        if done.exit_code:
            raise RuntimeError(f"conformance run ended with {done.exit_code}: {done.output[-2000:]}")
        results = json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))
    cases = sum(results["summary"]["cases"].values())
    return {"wall_s": done.wall_s, "rate": cases / results["run"]["duration_s"]}


def against_schemathesis() -> Measured:
    """Judged cases a second of a whole `conformance run` against those of `schemathesis run`, both modes."""

    def tool(address: str, *arguments: str) -> float:
        wanted = ("--continue-on-failure", "--max-examples", str(SCHEMATHESIS_EXAMPLES), *arguments)
        found = schemathesis_run("tpp", address, wanted)
        return found.cases / found.wall_s

    with reference() as address:
        medians = _alternating(
            {
                "ours": lambda: _gate("--generated", str(GENERATED))["rate"],
                "default": lambda: tool(address),
                "positive": lambda: tool(address, "--mode", "positive"),
            }
        )
    return Measured(
        {
            "cases_per_s_vs_schemathesis_default": medians["ours"] / medians["default"],
            "cases_per_s_vs_schemathesis_positive": medians["ours"] / medians["positive"],
        },
        {
            "run_cases_per_s": (medians["ours"], "1/s"),
            "schemathesis_default_cases_per_s": (medians["default"], "1/s"),
            "schemathesis_positive_cases_per_s": (medians["positive"], "1/s"),
        },
    )


def against_raw_client() -> Measured:
    """The judged rate against a bare loop that sends the same bytes to the same server and judges nothing."""
    with reference() as address:

        def raw() -> float:
            found = figures(run(module("raw", address, GENERATED, "http", CONCURRENCY)).output)
            return found["requests"] / found["seconds"]

        medians = _alternating({"ours": lambda: _rate(address, GENERATED, "http"), "raw": raw}, RAW_ROUNDS)
    return Measured(
        {"rate_vs_raw_client": medians["ours"] / medians["raw"]},
        {"http_cases_per_s": (medians["ours"], "1/s"), "raw_requests_per_s": (medians["raw"], "1/s")},
    )


def on_one_core() -> Measured:
    """Client and server pinned to one processor together, JSON and XML apart."""
    with reference(_CLIENT) as address:
        medians = _alternating(
            {
                "json": lambda: _rate(address, GENERATED, "json", _CLIENT),
                "xml": lambda: _rate(address, GENERATED, "xml", _CLIENT),
            }
        )
    return Measured({}, {f"one_core_{name}_cases_per_s": (value, "1/s") for name, value in medians.items()})


def two_workers() -> Measured:
    """Two workers against two servers, over one of each."""
    with reference() as first, reference() as second:

        def pair() -> float:
            both = [start(module("ours", address, GENERATED, "http", CONCURRENCY)) for address in (first, second)]
            found = [figures(one.communicate(timeout=900)[0]) for one in both]
            return sum(one["cases"] for one in found) / max(one["seconds"] for one in found)

        medians = _alternating({"one": lambda: _rate(first, GENERATED, "http"), "two": pair})
    return Measured(
        {"two_workers": medians["two"] / medians["one"]}, {"two_workers_cases_per_s": (medians["two"], "1/s")}
    )


def growth() -> Measured:
    """Time and memory of 100,000 cases against 10,000."""
    with reference() as address:
        peaks: dict[str, list[float]] = {"few": [], "many": []}

        def side(name: str, count: int) -> Callable[[], float]:
            def measure() -> float:
                found = _ours(address, count, "all")
                peaks[name].append(found["peak_mb"])
                return found["seconds"]

            return measure

        medians = _alternating({"few": side("few", 10_000), "many": side("many", 100_000)})
    few_mb, many_mb = (statistics.median(peaks[name]) for name in ("few", "many"))
    return Measured(
        {"growth": medians["many"] / (10 * medians["few"]), "memory_growth": many_mb / few_mb},
        {"peak_at_100000": (many_mb, "MB"), "seconds_for_100000": (medians["many"], "s")},
    )


def time_to_gate() -> Measured:
    """`conformance run` and `schemathesis run`, both with their defaults, from the command to its end."""
    with reference() as address:
        medians = _alternating(
            {"ours": lambda: _gate()["wall_s"], "schemathesis": lambda: schemathesis_run("tpp", address).wall_s}
        )
    return Measured(
        {"time_to_gate_vs_schemathesis": medians["ours"] / medians["schemathesis"]},
        {"time_to_gate": (medians["ours"], "s"), "schemathesis_time_to_gate": (medians["schemathesis"], "s")},
    )


def start_up() -> Measured:
    """`conformance --help` against `schemathesis --version`."""
    medians = _alternating(
        {
            "ours": lambda: run(conformance_command("--help")).wall_s,
            "schemathesis": lambda: run(version_command()).wall_s,
        },
        rounds=9,
    )
    return Measured({"import": medians["ours"] / medians["schemathesis"]}, {"help": (medians["ours"] * 1000, "ms")})


MEASURES: Mapping[str, Measure] = {
    "start-up": start_up,
    "schemathesis": against_schemathesis,
    "raw": against_raw_client,
    "one-core": on_one_core,
    "two-workers": two_workers,
    "growth": growth,
    "gate": time_to_gate,
}
