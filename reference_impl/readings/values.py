"""A reading: where the documents are open, the named alternatives and how each changes the parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reference_impl.parts import Parts

CAO = "alphapoint.cancel_all_orders"
CQ = "alphapoint.cancel_quote"
CO = "alphapoint.cancel_order"
TPP = "tpp.create_cancellations"
TPP_ONE = "tpp.create_cancellation"


@dataclass(frozen=True, slots=True)
class Reading:
    """The first alternative is what the server does when nothing is chosen."""

    id: str
    operations: tuple[str, ...]
    alternatives: Mapping[str, Callable[[Parts], Parts]]


def as_it_is(parts: Parts) -> Parts:
    """The default alternative: the parts already do it."""
    return parts
