"""Compares `conformance selftest` and `schemathesis run` on the same faults and equivalents, one at a time.

Schemathesis is given the project's OpenAPI document, a session token, all its checks and its deterministic mode, once as
it is and once with the hooks of `conformance.schemathesis_hooks`. What it says of the correct reference, by kind of failure
and operation, is taken away from what it says of a variant; what is left makes a fault caught, and an equivalent a false
alarm.
"""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from benchmarks.measures import Measured, conformance_command
from benchmarks.processes import reference, run
from benchmarks.schemathesis_tool import Failure, Failures, failures_of
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS
from reference_impl.variants import Variant

DEFAULT_VARIANTS = 60
BASELINES = 2
"""How often the correct reference is run first: a failure that only some runs show must not count against a variant."""
_USERS = {"alphapoint.cancel_quote": "maker01"}


@dataclass(frozen=True, slots=True)
class Judged:
    """One variant and both verdicts on it: whether there is anything to complain of, and how long that took."""

    id: str
    kind: str
    ours: bool
    ours_s: float
    theirs: bool
    theirs_s: float
    theirs_by: tuple[str, ...] = ()
    """The kinds of failure that Schemathesis reports beyond those of the correct reference."""
    hooked: bool = False
    hooked_s: float = 0.0
    hooked_by: tuple[str, ...] = ()
    """The same with our hooks: requirements, and kinds of failure of its own."""


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


def judge_both(variants: Sequence[Variant], on_judged: Callable[[Judged], object]) -> tuple[Judged, ...]:
    """Both tools on each variant, in turn."""
    operations = sorted({variant.operation for variant in variants})
    known = {(name, hooks): _baseline(name, hooks=hooks) for name in operations for hooks in (False, True)}
    judged = []
    for variant in variants:
        ours, ours_s = _ours(variant)
        found = {hooks: _theirs(variant, hooks=hooks) for hooks in (False, True)}
        beyond = {
            hooks: tuple(sorted({one.kind for one in found[hooks].failures - known[variant.operation, hooks]}))
            for hooks in found
        }
        judged.append(
            Judged(
                variant.id, variant.kind, ours, ours_s, bool(beyond[False]), found[False].wall_s, beyond[False],
                bool(beyond[True]), found[True].wall_s, beyond[True],
            )
        )  # fmt: skip
        on_judged(judged[-1])
    return tuple(judged)


def _theirs(variant: Variant, *, hooks: bool) -> Failures:
    """What Schemathesis says of a variant."""
    with reference(arguments=(f"--{variant.kind}", variant.id)) as address:
        return failures_of(variant.operation, address, _token(address, variant.operation), hooks=hooks)


def _baseline(operation: str, *, hooks: bool) -> frozenset[Failure]:
    """What Schemathesis says of the correct reference."""
    known: frozenset[Failure] = frozenset()
    for _ in range(BASELINES):
        with reference() as address:
            known |= failures_of(operation, address, _token(address, operation), hooks=hooks).failures
    return known


def _ours(variant: Variant) -> tuple[bool, float]:
    """Whether the harness complains, and the wall seconds of the command."""
    done = run(conformance_command("selftest", "-q", f"--{variant.kind}", variant.id))
    if done.exit_code not in (0, 1):
        raise RuntimeError(f"conformance selftest of {variant.id} ended with {done.exit_code}: {done.output[-2000:]}")
    good = done.exit_code == 0
    return good if variant.kind == "fault" else not good, done.wall_s


def _token(address: str, operation: str) -> str:
    """A session of a user who may make the call; empty where the call knows no sessions."""
    if not operation.startswith("alphapoint."):
        return ""
    user = _USERS.get(operation, "trader01")
    credentials = base64.b64encode(f"{user}:{user}-password".encode()).decode()
    asked = urllib.request.Request(f"{address}/AP/Authenticate", headers={"Authorization": f"Basic {credentials}"})
    with urllib.request.urlopen(asked, timeout=10) as reply:  # the address is that of a server of our own
        return str(json.loads(reply.read())["SessionToken"])


def totals(judged: Sequence[Judged]) -> Mapping[str, float]:
    """Counts and seconds of both tools."""
    faults = [one for one in judged if one.kind == "fault"]
    equivalents = [one for one in judged if one.kind == "equivalent"]
    return {
        "faults": len(faults),
        "equivalents": len(equivalents),
        "conformance_caught": sum(one.ours for one in faults),
        "schemathesis_caught": sum(one.theirs for one in faults),
        "conformance_false_alarms": sum(one.ours for one in equivalents),
        "schemathesis_false_alarms": sum(one.theirs for one in equivalents),
        "conformance_seconds": sum(one.ours_s for one in judged),
        "schemathesis_seconds": sum(one.theirs_s for one in judged),
        "hooks_caught": sum(one.hooked for one in faults),
        "hooks_false_alarms": sum(one.hooked for one in equivalents),
        "hooks_seconds": sum(one.hooked_s for one in judged),
    }


def detection(variants: int | None = DEFAULT_VARIANTS) -> Measured:
    """Faults caught by us over faults caught by Schemathesis (1 for none), with the counts of both."""
    counts = totals(judge_both(sample(variants), lambda _judged: None))
    ratio = counts["conformance_caught"] / max(1, counts["schemathesis_caught"])
    units = {name: "s" if name.endswith("seconds") else "variants" for name in counts}
    return Measured(
        {"detection_vs_schemathesis": ratio},
        {f"detection_{name}": (float(value), units[name]) for name, value in counts.items()},
    )


def of_variants(variants: int | None) -> Callable[[], Measured]:
    """The measurement for a number of variants."""
    return partial(detection, variants)


def as_json(judged: Sequence[Judged]) -> list[Mapping[str, object]]:
    """The verdicts as JSON values, by id."""
    return [asdict(one) for one in sorted(judged, key=lambda one: (one.kind, one.id))]
