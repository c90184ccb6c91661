"""How deep a fault lies: what it takes to see it, told by what found it when every named case ran.

The rule uses nothing but the record of docs/trust.md, so anybody can compute it again: `depth_of`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Literal

from benchmarks.trust_record import Finders
from reference_impl.variants import Variant

Depth = Literal["simple", "medium", "complex"]
DEPTHS: tuple[Depth, ...] = ("simple", "medium", "complex")
SEED = 13
ENOUGH = 3
"""So many families of single calls find a fault that does not depend on what one call says."""

SINGLE = frozenset(
    {
        "account", "client", "conditions", "defaults", "fields", "forms", "http", "legs", "list", "malformed", "members",
        "negotiation", "response",
    }
)  # fmt: skip
"""Families whose cases send one call, as one who may, and vary what it says."""
SEVERAL = frozenset({"beside", "carried", "combinations", "lasting", "races", "relations", "session", "twice"})
"""Families whose cases need two circumstances or more: calls together or one after another, other sessions, histories."""
EFFECTS = frozenset({"effect", "race", "relation", "standing", "together"})
"""Checks that need an order or a quote that was set up, or another answer to compare with."""
HISTORIES = frozenset({"race", "standing", "together"})
"""Checks that need more than the call and its effect."""


def depth_of(found: Finders) -> Depth:
    """How deep the fault lies that these found.

    Complex: only families of `SEVERAL` find it, or only checks of `HISTORIES`. Simple: of the others, what at least
    `ENOUGH` families of `SINGLE` find, and no check of `EFFECTS`. Medium: the rest, which shows with one thing set up, a
    particular value, role, spelling or address, or over a WebSocket.
    """
    families, checks = set(found.families), set(found.checks)
    if families <= SEVERAL or checks <= HISTORIES:
        return "complex"
    if len(families & SINGLE) >= ENOUGH and not checks & EFFECTS:
        return "simple"
    return "medium"


def over_http(variant: Variant) -> bool:
    """Whether it may show over HTTP, and in the edition that the OpenAPI document describes."""
    return not variant.edition and not {"ws", "frame"} & set(variant.id.split("-"))


def in_turn(variants: Sequence[Variant], finders: Mapping[str, Finders]) -> list[Variant]:
    """Those of the variants that show over HTTP: one of each depth and one equivalent in turn, each by a seeded order.

    So every beginning of it is a sample of each depth, and stays one when variants are added.
    """
    strata: dict[str, list[Variant]] = {name: [] for name in (*DEPTHS, "equivalent")}
    for variant in sorted(filter(over_http, variants), key=lambda one: _drawn(one.id)):
        strata[depth_of(finders[variant.id]) if variant.kind == "fault" else "equivalent"].append(variant)
    places = [(number, name, variant) for name, several in strata.items() for number, variant in enumerate(several)]
    return [variant for _number, _name, variant in sorted(places, key=lambda one: (one[0], list(strata).index(one[1])))]


def _drawn(name: str) -> str:
    return hashlib.sha256(f"{SEED}/{name}".encode()).hexdigest()
