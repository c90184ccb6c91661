"""Faults and equivalents of the three calls: each is seen on the walk, counted, and keeps to its operation."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from alphapoint_walk import Walk, walk

from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS, books
from reference_impl.variants import Variant

OPERATIONS = ("alphapoint.cancel_all_orders", "alphapoint.cancel_order", "alphapoint.cancel_quote")
VARIANTS = [
    one
    for one in (*FAULTS.values(), *EQUIVALENTS.values())
    if one.operation in OPERATIONS
    and "-race-" not in one.id  # these are seen where calls overlap
    and not one.id.endswith("-acts-later")  # these are seen a moment after the walk has looked
    and one not in books.FAULTS  # see test_reference_books.py
    and not one.edition  # the walk speaks the first edition; the record of trust has what is seen of the others
]
BRIEF = 6
SHARED = ("cq-stale-open-quotes",)
"""Besides the readings that a gateway has for all operations, what changes a call around them."""


@pytest.fixture(scope="module")
def as_it_is() -> Mapping[str, list[Any]]:
    """What the default server tells of each operation."""
    return {name: list(walk(Walk(), name)) for name in OPERATIONS}


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.id)
def test_a_variant_is_seen_and_counted(variant: Variant, as_it_is: Mapping[str, list[Any]]) -> None:
    walker, seen = Walk(variant), False
    recorder = walker.recorders[variant.id]
    for told, before in zip(walk(walker, variant.operation), as_it_is[variant.operation], strict=True):
        seen = seen or told != before
        if seen and recorder.count:
            break
    assert seen
    assert recorder.count >= 1


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.id)
def test_a_variant_leaves_the_other_operations_alone(variant: Variant, as_it_is: Mapping[str, list[Any]]) -> None:
    for other in sorted(set(OPERATIONS) - {variant.operation}):
        if "-reads-" not in variant.id and variant.id not in SHARED:
            assert list(itertools.islice(walk(Walk(variant), other), BRIEF)) == as_it_is[other][:BRIEF]


def test_two_default_servers_tell_the_same(as_it_is: Mapping[str, list[Any]]) -> None:
    assert all(list(walk(Walk(), name)) == as_it_is[name] for name in OPERATIONS)


def test_a_fault_names_what_it_breaks_and_an_equivalent_nothing() -> None:
    for variant in VARIANTS:
        assert bool(variant.requirements) is (variant.kind == "fault"), variant.id
        prefix = variant.id.partition("-")[0].upper()
        assert all(one.startswith(f"{prefix}-") for one in variant.requirements), variant.id
