"""Tries the harness and `schemathesis run` on the same faults and equivalents, one at a time.

The ways to run Schemathesis are those of `benchmarks.schemathesis_tool`. What one of them reports of the correct reference is
its baseline file; what it reports of a variant beyond that makes a fault caught, and an equivalent a false alarm. A way with
a budget has as many seconds as the harness takes for all named cases of the operation, measured first in the same run.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.depth import depth_of, in_turn
from benchmarks.measures import Measured
from benchmarks.processes import reference
from benchmarks.schemathesis_tool import BEST, QUICK, Found, Way, look
from benchmarks.trust_record import Finders, read_record
from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.endpoint.reference import warm_reference
from conformance.run.loop import run_loop
from conformance.selftest.suspects import Attempt, Suspect, summary_of, try_one
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS
from reference_impl.variants import Variant

DEFAULT_VARIANTS = 60
BASELINES = 2
"""How often the correct reference is run first: a failure that only some runs show must not count against a variant."""
_TIMED = 3
"""How often a measurement times the harness on an operation; the least counts, as what else the machine does only adds."""
OURS = "conformance"
_FORMAT = 1
"""Of the baseline files of Schemathesis."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One variant and what each tool found, by the name of the way to run it."""

    id: str
    kind: str
    found: Mapping[str, Found]
    finders: Finders | None = None
    """For a fault of which every named case was run: what of ours found it."""


def sample(variants: int | None) -> tuple[Variant, ...]:
    """So many variants, two thirds of them faults, evenly spaced over the sorted ids; all for None."""
    faults, equivalents = tuple(FAULTS.values()), tuple(EQUIVALENTS.values())
    if variants is None:
        return (*faults, *equivalents)
    wanted = round(variants * 2 / 3)
    return (*_spaced(faults, wanted), *_spaced(equivalents, variants - wanted))


def _spaced(variants: Sequence[Variant], count: int) -> tuple[Variant, ...]:
    count = min(count, len(variants))
    return tuple(variants[number * len(variants) // count] for number in range(count))


def sample_by_depth(variants: int | None) -> tuple[Variant, ...]:
    """So many variants that show over HTTP: of each depth and of the equivalents the same number; all for None."""
    return tuple(in_turn((*FAULTS.values(), *EQUIVALENTS.values()), read_record().faults)[:variants])


@dataclass(frozen=True, slots=True)
class Kept:
    """What is found out once for an operation, and may be kept for the next measurement."""

    known: dict[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    """What is reported of the correct reference, by operation and hooks: the entries of a baseline file of Schemathesis."""
    budgets_s: dict[str, int] = field(default_factory=dict)
    """The seconds of one budget, by operation: the least that the harness was seen to take."""


_ENTRY = ("operation", "check", "failure", "signature")


@dataclass(frozen=True, slots=True)
class _Baselines:
    """The baseline files; what is not known yet is found out when it is first needed, and added to what is known.

    Of the ways with the same hooks, the one with the longest time finds it out.
    """

    folder: Path
    ways: Sequence[Way]
    kept: Kept

    def file(self, operation: str, way: Way, budget_s: int) -> Path:
        """The baseline file of a way, with at most `budget_s` times its budgets spent on each run."""
        longest = max((one for one in self.ways if one.hooks == way.hooks), key=lambda one: one.budgets)
        name = f"{operation} {longest.hooks or longest.name}"
        path = self.folder / f"{operation}-{longest.name}.json"
        if name not in self.kept.known:
            path.unlink(missing_ok=True)
            for _ in range(BASELINES):
                with reference() as address:
                    look(operation, address, longest, path, budget_s, learn=True)
            entries = json.loads(path.read_text(encoding="utf-8"))["entries"] if path.exists() else []
            self.kept.known[name] = [{key: one[key] for key in _ENTRY} for one in entries]
        path.write_text(json.dumps({"format_version": _FORMAT, "entries": self.kept.known[name]}), encoding="utf-8")
        return path


def judge(
    variants: Iterable[Variant], ways: Sequence[Way], on_judged: Callable[[Judged], object], kept: Kept | None = None
) -> tuple[Judged, ...]:
    """The harness and every way on each variant, in turn. What is found out once goes into `kept`."""

    async def all_of_them() -> tuple[Judged, ...]:
        judged = []
        async for one in _judged(variants, ways, Kept() if kept is None else kept):
            on_judged(one)
            judged.append(one)
        return tuple(judged)

    return run_loop(all_of_them())


async def _judged(variants: Iterable[Variant], ways: Sequence[Way], kept: Kept) -> AsyncIterator[Judged]:
    contract = load_contract()
    cases = load_cases(contract, every_edition=True)
    every_case = any(way.budgets for way in ways)
    timed: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        baselines = _Baselines(Path(folder), ways, kept)
        async with warm_reference() as warm:

            async def ours(variant: Variant) -> tuple[Attempt, float]:
                suspect = Suspect(variant.id, variant.kind, variant.operation, variant.requirements, variant.edition)
                started = time.perf_counter()
                attempt = await try_one(contract, cases, suspect, warm, every_case=every_case)
                return attempt, time.perf_counter() - started

            for variant in variants:
                if every_case and variant.operation not in timed:
                    timed.add(variant.operation)
                    plain = _plain(variant.operation)
                    least_s = max(1, round(min([(await ours(plain))[1] for _ in range(_TIMED)])))
                    kept.budgets_s[variant.operation] = min(least_s, kept.budgets_s.get(variant.operation, least_s))
                budget_s = kept.budgets_s.get(variant.operation, 0)
                attempt, took_s = await ours(variant)
                theirs = await asyncio.to_thread(_theirs, variant, ways, baselines, budget_s)
                found = {OURS: Found(_complaints(attempt), took_s), **theirs}
                yield Judged(variant.id, variant.kind, found, _finders(attempt) if every_case else None)


def _plain(operation: str) -> Variant:
    """The fault on which the time of an operation's named cases is taken: the first simple one of the sample."""
    finders = read_record().faults
    found = (one for one in in_turn(tuple(FAULTS.values()), finders) if one.operation == operation)
    return next(one for one in found if depth_of(finders[one.id]) == "simple")


def _theirs(variant: Variant, ways: Sequence[Way], baselines: _Baselines, budget_s: int) -> Mapping[str, Found]:
    """What each way says of a variant."""
    found = {}
    for way in ways:
        file = baselines.file(variant.operation, way, budget_s)
        with reference(arguments=(f"--{variant.kind}", variant.id)) as address:
            found[way.name] = look(variant.operation, address, way, file, budget_s)
    return found


def _complaints(attempt: Attempt) -> tuple[str, ...]:
    """The broken requirements that a fault was caught on; of an equivalent, all that it was wrongly failed for."""
    if attempt.suspect.kind == "equivalent":
        return () if attempt.good else (*attempt.findings_on, *attempt.alarms, *filter(None, [attempt.stopped]))
    return tuple(name for name in attempt.findings_on if name in attempt.suspect.requirements) if attempt.caught else ()


def _finders(attempt: Attempt) -> Finders | None:
    found = summary_of([attempt])["faults"]
    return Finders(found[0]["caught"], tuple(found[0]["families"]), tuple(found[0]["checks"])) if found else None


def totals(judged: Sequence[Judged]) -> Mapping[str, float]:
    """Counts and seconds of every tool and way."""
    faults = [one for one in judged if one.kind == "fault"]
    equivalents = [one for one in judged if one.kind == "equivalent"]
    counts: dict[str, float] = {"faults": len(faults), "equivalents": len(equivalents)}
    for name in judged[0].found if judged else ():
        counts[f"{name}_caught"] = sum(bool(one.found[name].by) for one in faults)
        counts[f"{name}_false_alarms"] = sum(bool(one.found[name].by) for one in equivalents)
        counts[f"{name}_seconds"] = sum(one.found[name].wall_s for one in judged)
    return counts


def detection(variants: int | None = DEFAULT_VARIANTS, *, at_best: bool = False) -> Measured:
    """Faults caught by us over faults caught by Schemathesis (1 for none), with the counts of every way.

    The ratio is to the first of the ways; `at_best` tries those with a budget, on a sample by depth.
    """
    ways, chosen = (BEST, sample_by_depth(variants)) if at_best else (QUICK, sample(variants))
    counts = totals(judge(chosen, ways, lambda _judged: None))
    ratio = counts[f"{OURS}_caught"] / max(1, counts[f"{ways[0].name}_caught"])
    units = {name: "s" if name.endswith("seconds") else "variants" for name in counts}
    return Measured(
        {"detection_vs_schemathesis": ratio},
        {f"detection_{name}": (float(value), units[name]) for name, value in counts.items()},
    )


def of_variants(variants: int | None, *, at_best: bool = False) -> Callable[[], Measured]:
    """The measurement for a number of variants."""
    return partial(detection, variants, at_best=at_best)
