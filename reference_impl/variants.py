"""Faults and equivalents: named changes of the parts, and the registry of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from reference_impl.parts import Parts
from reference_impl.recorder import Recorder

Kind = Literal["fault", "equivalent"]
Change = Callable[[Parts, Recorder], Parts]


@dataclass(frozen=True, slots=True)
class Variant:
    """A deliberate violation (fault) or a permitted difference (equivalent) of one operation.

    `apply` returns the parts with its change in them, and tells the recorder each time the change made a
    difference. State that a change needs is made inside `apply`, so that each server has its own.
    """

    id: str
    kind: Kind
    operation: str
    requirements: tuple[str, ...]
    """Ids of the requirements that a fault violates; empty for an equivalent."""
    summary: str
    apply: Change
    edition: str = ""
    """The edition of the vendor's pages that it changes; empty for one that is of every edition."""


def fault(
    id: str, operation: str, summary: str, apply: Change, requirements: tuple[str, ...] = (), edition: str = ""
) -> Variant:
    """A deliberate violation."""
    return Variant(id, "fault", operation, requirements, summary, apply, edition)


def equivalent(id: str, operation: str, summary: str, apply: Change, edition: str = "") -> Variant:
    """A permitted difference."""
    return Variant(id, "equivalent", operation, (), summary, apply, edition)


def registry(*groups: Iterable[Variant]) -> Mapping[str, Variant]:
    """Variants by id, sorted; raises `ValueError` when two have the same id."""
    found: dict[str, Variant] = {}
    for variant in (variant for group in groups for variant in group):
        if variant.id in found:
            raise ValueError(f"two variants are called {variant.id}: rename one of them")
        found[variant.id] = variant
    return dict(sorted(found.items()))


def apply_variants(parts: Parts, variants: Iterable[Variant]) -> tuple[Parts, Mapping[str, Recorder]]:
    """Parts with the changes in them, the last outermost, and the recorder of each by variant id."""
    recorders: dict[str, Recorder] = {}
    for variant in variants:
        recorder = recorders.setdefault(variant.id, Recorder())
        parts = variant.apply(parts, recorder)
    return parts, recorders
