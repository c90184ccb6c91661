"""`python -m benchmarks.trust`: writes docs/trust.md and the table of detection from benchmarks/trust.json.

`--check` says whether they are up to date (exit 1 if not) and writes nothing. `--record` first tries the variants that
are not recorded yet (`--record families`: also, on every recorded fault, the families of cases that came later;
`--record all`: every variant), and `--tools N` measures both tools on a sample. They write what they have after each step,
and `--minutes` ends them early, so the same command again goes on where the last one ended.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import resource
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from importlib import metadata
from itertools import islice
from typing import Any

from benchmarks.detection import OURS, Judged, Kept, judge, sample_by_depth
from benchmarks.measures import conformance_command
from benchmarks.processes import run
from benchmarks.schemathesis_tool import BEST
from benchmarks.trust_detection import DETECTION, detection_text
from benchmarks.trust_page import PAGE, page_of
from benchmarks.trust_record import Finders, Record, families_of, read_record, write_record
from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.run.loop import run_loop
from conformance.selftest.suspects import Suspect, family_of, summary_of, try_suspects
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS
from reference_impl.variants import Variant

_OF_EDITIONS = "edition-"
"""Families of cases that one edition alone has; a fault of that edition is recorded with them."""
_AT_ONCE = 16
"""Variants of one self-test; the record is written after each."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Record what is asked for, then write or check the two files; 1 when a check fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trust", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the files are up to date")
    parser.add_argument(
        "--record", nargs="?", const="new", choices=("new", "families", "all"), help="try variants first"
    )
    parser.add_argument(
        "--whole", nargs="?", const=1, type=int, metavar="STEP", help="time one run of every STEPth variant first (default: 1)"
    )  # fmt: skip
    parser.add_argument("--tools", type=int, metavar="N", help="measure both tools on N variants first")
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), metavar="M", help="begin nothing new after so many minutes"
    )
    options = parser.parse_args(arguments)
    ends_at = time.monotonic() + 60 * options.minutes
    record = read_record()
    if options.record:
        record = _recorded(record, options.record, ends_at)
    if options.whole:
        record = replace(record, whole=_whole(options.whole))
        write_record(record)
    if options.tools:
        record = _tools(record, options.tools, ends_at)
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


def _recorded(record: Record, which: str, ends_at: float) -> Record:
    """The record with what was missing in it, or went wrong, tried (again), and what is gone taken out."""
    contract = load_contract()
    cases = load_cases(contract, every_edition=True)
    record = with_families(record, families_of(cases))
    chosen = iter(to_try(record, everything=which == "all"))
    while time.monotonic() < ends_at and (some := list(islice(chosen, _AT_ONCE))):
        found = _selftest("--every-case", *_named(some))
        finders = {
            one["id"]: Finders(one["caught"], tuple(one["families"]), tuple(one["checks"])) for one in found["faults"]
        }
        alarms = {one["id"]: len(one["false_alarms"]) for one in found["equivalents"]}
        record = replace(record, faults={**record.faults, **finders}, alarms={**record.alarms, **alarms})
        _kept(record, some)
    untried = iter([FAULTS[name] for name, one in record.faults.items() if one.untried] if which == "families" else ())
    while time.monotonic() < ends_at and (some := list(islice(untried, _AT_ONCE))):
        record = _completed(record, some, contract, cases)
        _kept(record, some)
    return record


def _kept(record: Record, some: Sequence[Variant]) -> None:
    write_record(record)
    sys.stderr.write(f"{len(some)} more recorded, up to {some[-1].id}\n")


def with_families(record: Record, families: Mapping[str, Sequence[str]]) -> Record:
    """The record without what is gone, and with the families that are new marked as untried on what is recorded."""

    def known(name: str, found: Finders) -> Finders:
        now = families[FAULTS[name].operation]
        before = record.families.get(FAULTS[name].operation, ())
        new = {one for one in now if one not in before and not one.startswith(_OF_EDITIONS)}
        return replace(found, untried=tuple(sorted((new | set(found.untried)) & set(now))))

    return replace(
        record,
        faults={name: known(name, found) for name, found in record.faults.items() if name in FAULTS},
        alarms={name: count for name, count in record.alarms.items() if name in EQUIVALENTS},
        families=families,
    )


def to_try(record: Record, *, everything: bool) -> Iterator[Variant]:
    """What to try with every case, in order: what is not recorded or went wrong, then the rest if it is asked for."""
    faults, equivalents = list(FAULTS.values()), list(EQUIVALENTS.values())
    wrong = [one for one in faults if one.id not in record.faults or not record.faults[one.id].caught]
    wrong += [one for one in equivalents if record.alarms.get(one.id, 1)]
    yield from wrong
    if everything:
        done = {one.id for one in wrong}
        yield from (one for one in (*faults, *equivalents) if one.id not in done)


def _completed(record: Record, some: Sequence[Variant], contract: Contract, cases: Sequence[Case]) -> Record:
    """The record with the untried families tried on some faults: what they find is added to what found them before."""
    faults = dict(record.faults)
    for untried in sorted({faults[one.id].untried for one in some}):
        own = [case for case in cases if family_of(case.id) in untried]
        suspects = [
            Suspect(one.id, "fault", one.operation, one.requirements, one.edition)
            for one in some
            if faults[one.id].untried == untried
        ]
        attempts = run_loop(try_suspects(contract, own, suspects, 1, lambda _attempt: None, every_case=True))
        for one in summary_of(attempts)["faults"]:
            before = faults[one["id"]]
            families = tuple(sorted({*before.families, *one["families"]}))
            faults[one["id"]] = Finders(before.caught, families, tuple(sorted({*before.checks, *one["checks"]})))
    return replace(record, faults=faults)


def _named(variants: Iterable[Variant]) -> list[str]:
    return [f"--{one.kind}={one.id}" for one in variants]


def _selftest(*arguments: str) -> Mapping[str, Any]:
    done = run(conformance_command("selftest", "--json", *arguments), timeout_s=None)
    if done.exit_code not in (0, 1):
        raise RuntimeError(f"conformance selftest ended with {done.exit_code}: {done.output[-2000:]}")
    found: Mapping[str, Any]
    found, _end = json.JSONDecoder().raw_decode(done.output[done.output.index("{") :])
    return {**found, "wall_s": done.wall_s}


def _whole(step: int) -> Mapping[str, Any]:
    """One run of every `step`th variant, as a pipeline would do it."""
    chosen = [*list(FAULTS.values())[::step], *list(EQUIVALENTS.values())[::step]]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = _selftest(*_named(chosen))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "step": step,
        "summary": found["summary"],
        "wall_s": round(found["wall_s"], 1),
        "cpu_s": round(cpu_s, 1),
        "cpus": os.cpu_count(),
    }


def _tools(record: Record, variants: int, ends_at: float) -> Record:
    """The record with both tools on so many variants; what is in it already stays, if Schemathesis is the same."""
    version = metadata.version("schemathesis")
    before = record.tools if record.tools.get("schemathesis") == version else {}
    kept = Kept(dict(before.get("known", {})), dict(before.get("budgets_s", {})))
    ways = {OURS, *(way.name for way in BEST)}
    judged = {one["id"]: one for one in before.get("judged", []) if ways == set(one.get("found", ()))}

    def keep(one: Judged) -> None:
        nonlocal record
        found = {name: asdict(it) for name, it in one.found.items()}
        judged[one.id] = {"id": one.id, "kind": one.kind, "found": found}
        tools = {"schemathesis": version, **asdict(kept), "judged": [judged[name] for name in sorted(judged)]}
        finders = {one.id: one.finders} if one.finders else {}
        record = replace(record, tools=tools, faults={**record.faults, **finders})
        write_record(record)
        sys.stderr.write(f"{len(judged)} of {variants}: {one}\n")

    left = (one for one in sample_by_depth(variants) if one.id not in judged and time.monotonic() < ends_at)
    judge(left, BEST, keep, kept)
    return record


if __name__ == "__main__":
    raise SystemExit(main())
