"""As how many causes a report tells one fault of the reference; all named cases of its operation run against each."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.detection import sample
from benchmarks.measures import Measured
from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.endpoint.reference import warm_reference
from conformance.report.causes import causes
from conformance.selftest.suspects import Suspect, results_of
from reference_impl.variants import Variant

_FEW = 2
"""One fault may show in two ways, such as an order that is left open and an answer that says so."""


async def causes_of(faults: Sequence[Variant]) -> tuple[int, ...]:
    """For each fault the number of its causes."""
    contract = load_contract()
    cases = load_cases(contract)
    found = []
    async with warm_reference() as reference:
        for fault in faults:
            suspect = Suspect(fault.id, "fault", fault.operation, fault.requirements)
            found.append(len(causes(await results_of(contract, cases, suspect, reference), contract)))
    return tuple(found)


def shares(found: Sequence[int]) -> Measured:
    """How many faults are told as one cause, as two, and as more; and the share of those told as one or two."""
    tally = Counter(min(count, _FEW + 1) for count in found)
    names = {0: "not_told", 1: "told_as_one_cause", 2: "told_as_two_causes", 3: "told_as_more_causes"}
    few = sum(0 < count <= _FEW for count in found) / len(found)
    return Measured(
        {"faults_told_as_one_or_two_causes": few}, {f"faults_{names[n]}": (float(tally[n]), "faults") for n in names}
    )


def of_variants(variants: int | None) -> Callable[[], Measured]:
    """The measurement for the faults among so many variants."""
    return partial(_measure, variants)


def _measure(variants: int | None) -> Measured:
    return shares(asyncio.run(causes_of([one for one in sample(variants) if one.kind == "fault"])))
