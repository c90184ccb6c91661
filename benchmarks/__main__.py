"""`python -m benchmarks [--json] [NAME]…`: run the measurements and print ratios and absolute figures."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from benchmarks import causes, detection
from benchmarks.detection import DEFAULT_VARIANTS
from benchmarks.measures import MEASURES, Measure
from benchmarks.proxy import cost_of_proxy
from benchmarks.recording import cost_of_recording

LIMITS = {
    "cases_per_s_vs_schemathesis_default": (">=", 60),
    "cases_per_s_vs_schemathesis_positive": (">=", 25),
    "rate_vs_raw_client": (">=", 0.5),
    "growth": ("<=", 1.05),
    "memory_growth": ("<=", 1.2),
    "import": ("<=", 0.33),
    "detection_vs_schemathesis": (">", 1),
    "faults_told_as_one_or_two_causes": (">=", 0.9),
    "proxy_vs_mitmproxy": ("<=", 1.5),
    "proxy_blocking_vs_mitmproxy": ("<=", 1.7),
}
"""What each ratio should be; docs/performance.md says why."""


ASKED_FOR: Mapping[str, Measure] = {"proxy": cost_of_proxy, "recording": cost_of_recording}
"""Measurements that are not among all: `proxy` needs an environment of its own, `recording` compares nothing."""
OF_VARIANTS = ("detection", "causes")


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "schemathesis": metadata.version("schemathesis"),
        "system": platform.system(),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen measurements; 1 when a ratio is outside its limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the harness, side by side.")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"which of: {', '.join((*MEASURES, *OF_VARIANTS))} (default: all), {', '.join(ASKED_FOR)}",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--variants", type=_variants, default=DEFAULT_VARIANTS, metavar="N",
        help="faults and equivalents that `detection` tries (`causes`: the faults among them), evenly spaced, or `all` (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--at-best", action="store_true",
        help="`detection`: Schemathesis with the time that the harness takes, and three times that, on a sample by depth",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    asked = {name: measure for name, measure in ASKED_FOR.items() if name in options.names}
    measures = {
        **MEASURES,
        **asked,
        "detection": detection.of_variants(options.variants, at_best=options.at_best),
        "causes": causes.of_variants(options.variants),
    }
    unknown = sorted(set(options.names) - set(measures))
    if unknown:
        parser.error(f"no measurement is called {unknown[0]!r}")
    ratios: dict[str, float] = {}
    absolute: dict[str, dict[str, Any]] = {}
    for name, measure in measures.items():
        if options.names and name not in options.names:
            continue
        sys.stderr.write(f"measuring {name} …\n")
        measured = measure()
        ratios.update({key: round(value, 4) for key, value in measured.ratios.items()})
        absolute.update(
            {key: {"value": round(value, 2), "unit": unit} for key, (value, unit) in measured.absolute.items()}
        )
    if options.json:
        sys.stdout.write(json.dumps({"ratios": ratios, "absolute": absolute, "machine": machine()}, indent=2) + "\n")
    else:
        _print(ratios, absolute)
    return 0 if all(_holds(name, value) for name, value in ratios.items()) else 1


def _variants(text: str) -> int | None:
    """A number of variants; None for all."""
    if text == "all":
        return None
    if not text.isdigit() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number from 2 on nor `all`")
    return int(text)


def _holds(name: str, value: float) -> bool:
    sign, limit = LIMITS.get(name, (">=", 0))
    return {">=": value >= limit, ">": value > limit, "<=": value <= limit}[sign]


def _print(ratios: dict[str, float], absolute: dict[str, dict[str, Any]]) -> None:
    for name, value in ratios.items():
        sign, limit = LIMITS.get(name, ("", ""))
        wanted = f"   wanted {sign} {limit}   {'ok' if _holds(name, value) else 'MISSED'}" if sign else ""
        sys.stdout.write(f"{name:42} {value:10.3f}{wanted}\n")
    for name, entry in absolute.items():
        sys.stdout.write(f"{name:42} {entry['value']:10.2f} {entry['unit']}\n")


if __name__ == "__main__":
    raise SystemExit(main())
