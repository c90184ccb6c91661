"""Faults and equivalents of the two cancellation resources: each is seen where `tpp_seen.toml` says, and counts itself."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from reference_support import running
from tpp_one_stops import STOPS_OF_ONE
from tpp_stops import STOPS as STOPS_OF_LISTS
from tpp_stops import Tour

from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS, books
from reference_impl.variants import Variant
from reference_impl.wire import TPP_OPERATIONS

pytestmark = pytest.mark.timeout(120)

VARIANTS = [
    one
    for one in (*FAULTS.values(), *EQUIVALENTS.values())
    if one.operation in TPP_OPERATIONS and one not in books.FAULTS  # these show later
]
STOPS = {**STOPS_OF_LISTS, **STOPS_OF_ONE}
SEEN: Mapping[str, str] = tomllib.loads((Path(__file__).parent / "tpp_seen.toml").read_text())
"""By variant, the stop of the tour that shows it; "counted" for one that no answer shows."""


@pytest.fixture(scope="module")
def as_it_is() -> Mapping[str, Any]:
    """What the default server tells at each stop."""
    with running() as server:
        tour = Tour(server)
        return {name: stop(tour) for name, stop in STOPS.items()}


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.id)
def test_a_variant_is_seen_at_its_stop_and_counts_itself(variant: Variant, as_it_is: Mapping[str, Any]) -> None:
    if variant.id not in SEEN:
        pytest.fail(f"say in tpp_seen.toml which stop of the tour shows {variant.id}")
    stop = SEEN[variant.id]
    options = {"faults" if variant.kind == "fault" else "equivalents": (variant.id,)}
    with running(**options) as server:
        assert server.executed() == {variant.id: 0}
        told = STOPS["one-each" if stop == "counted" else stop](Tour(server))
        assert server.executed()[variant.id] >= 1
    assert stop == "counted" or told != as_it_is[stop]


def test_the_tour_is_told_alike_by_two_default_servers(as_it_is: Mapping[str, Any]) -> None:
    with running() as server:
        tour = Tour(server)
        assert {name: stop(tour) for name, stop in STOPS.items()} == as_it_is


def test_every_entry_names_a_variant_and_a_stop() -> None:
    assert sorted(SEEN) == sorted(variant.id for variant in VARIANTS)
    assert set(SEEN.values()) <= {*STOPS, "counted"}
