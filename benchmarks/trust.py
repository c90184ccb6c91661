"""`python -m benchmarks.trust`: writes docs/trust.md and the table of detection from benchmarks/trust.json.

`--check` says whether they are up to date (exit 1 if not) and writes nothing. `--record` first tries the variants that
are not recorded yet (`--record all`: every one), and `--tools N` measures both tools on a sample.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import resource
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from typing import Any

from benchmarks.detection import as_json, judge_both, sample, totals
from benchmarks.measures import conformance_command
from benchmarks.processes import run
from benchmarks.trust_detection import DETECTION, detection_text
from benchmarks.trust_page import PAGE, page_of
from benchmarks.trust_record import Finders, Record, read_record, write_record
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS


def main(arguments: Sequence[str] | None = None) -> int:
    """Record what is asked for, then write or check the two files; 1 when a check fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trust", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the files are up to date")
    parser.add_argument("--record", nargs="?", const="new", choices=("new", "all"), help="try variants first")
    parser.add_argument("--whole", action="store_true", help="time one run of everything first")
    parser.add_argument("--tools", type=int, metavar="N", help="measure both tools on N variants first")
    options = parser.parse_args(arguments)
    record = read_record()
    if options.record:
        record = _recorded(record, everything=options.record == "all")
    if options.whole:
        record = replace(record, whole=_whole())
    if options.tools:
        record = replace(record, tools=_tools(options.tools))
    if options.record or options.whole or options.tools:
        write_record(record)
    if not record.whole:
        raise SystemExit("nothing is recorded of a whole run: python -m benchmarks.trust --record --whole")
    texts = {PAGE: page_of(record), DETECTION: detection_text(record)}
    if not options.check:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = False
    for path, text in texts.items():
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        stale = stale or old != text
        sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), text.splitlines(True), path.name, "measured"))
    return int(stale)


def _recorded(record: Record, *, everything: bool) -> Record:
    """The record with what was missing in it, or went wrong, tried (again), and what is gone taken out."""
    caught = {name for name, found in record.faults.items() if found.caught}
    quiet = {name for name, alarms in record.alarms.items() if not alarms}
    faults = [name for name in FAULTS if everything or name not in caught]
    equivalents = [name for name in EQUIVALENTS if everything or name not in quiet]
    found: Mapping[str, Any] = {"faults": [], "equivalents": []}
    if faults or equivalents:
        chosen = [f"--fault={name}" for name in faults] + [f"--equivalent={name}" for name in equivalents]
        found = _selftest("--every-case", *chosen)
    finders = {
        one["id"]: Finders(one["caught"], tuple(one["families"]), tuple(one["checks"])) for one in found["faults"]
    }
    alarms = {one["id"]: len(one["false_alarms"]) for one in found["equivalents"]}
    return replace(
        record,
        faults={name: finders.get(name) or record.faults[name] for name in FAULTS},
        alarms={name: alarms[name] if name in alarms else record.alarms[name] for name in EQUIVALENTS},
    )


def _selftest(*arguments: str) -> Mapping[str, Any]:
    done = run(conformance_command("selftest", "--json", *arguments), timeout_s=None)
    if done.exit_code not in (0, 1):
        raise RuntimeError(f"conformance selftest ended with {done.exit_code}: {done.output[-2000:]}")
    found: Mapping[str, Any]
    found, _end = json.JSONDecoder().raw_decode(done.output[done.output.index("{") :])
    return {**found, "wall_s": done.wall_s}


def _whole() -> Mapping[str, Any]:
    """One run of everything, as a pipeline would do it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = _selftest()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "summary": found["summary"],
        "wall_s": round(found["wall_s"], 1),
        "cpu_s": round(cpu_s, 1),
        "cpus": os.cpu_count(),
    }


def _tools(variants: int) -> Mapping[str, Any]:
    """Both tools on a sample."""
    judged = judge_both(sample(variants), lambda one: sys.stderr.write(f"{one}\n"))
    counts = {name: round(value, 1) for name, value in totals(judged).items()}
    return {"schemathesis": metadata.version("schemathesis"), "totals": counts, "judged": as_json(judged)}


if __name__ == "__main__":
    raise SystemExit(main())
